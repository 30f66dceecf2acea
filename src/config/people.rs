//! `people.toml` and the passwords → who may sign in at the page, besides listeners.
//!
//! Listeners need no entry: they sign in with their account. A person who stands both here and in
//! `listeners.toml` under the same name is a listener with a further role.

use std::collections::BTreeMap;

use crate::base::ListenerName;
use crate::config::catalogue::{Kind, What};
use crate::config::file::PeopleFile;
use crate::config::link::Linker;

/// What somebody may do at the page.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Sees the wall.
    ReadOnly,
    /// Runs the house: hours, the plan.
    Operator,
    /// Runs the evening: hours, listeners' states, records.
    Manager,
}

/// Somebody who signs in at the page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// What colleagues see.
    pub display: String,
    /// None: a listener and nothing else.
    pub role: Option<Role>,
    pub is_listener: bool,
    /// What `hotline password` made of their password (a PHC string); a listener without one signs in with
    /// their phone's.
    pub password: Option<String>,
    /// The secret of their second step, in base 32.
    pub totp: Option<String>,
}

const ROLES: &[&str] = &["manager", "operator", "read_only"];

/// The people of the file: name, what colleagues see, role.
pub(super) fn people(
    file: &PeopleFile,
    linker: &mut Linker<'_>,
) -> BTreeMap<ListenerName, (String, Role)> {
    let mut all = BTreeMap::new();
    for (key, table) in &file.people {
        let name = linker.name::<ListenerName>(Kind::Person, key);
        let values = [Role::Manager, Role::Operator, Role::ReadOnly];
        let role = linker.word(Some(&table.role), Role::ReadOnly, ROLES, &values);
        if let (Some(name), Some(role)) = (name, role) {
            all.insert(name, (table.name.clone(), role));
        }
    }
    all
}

/// Everybody who may sign in, with what is known of their secrets.
pub(super) fn everybody(
    people: BTreeMap<ListenerName, (String, Role)>,
    listeners: impl IntoIterator<Item = (ListenerName, String)>,
    secrets: &BTreeMap<String, String>,
) -> BTreeMap<ListenerName, Person> {
    let mut all = BTreeMap::new();
    for (name, display) in listeners {
        all.insert(name, (display, None, true));
    }
    for (name, (display, role)) in people {
        let is_listener = all.contains_key(&name);
        all.insert(name, (display, Some(role), is_listener));
    }
    let secret = |kind: &str, name: &ListenerName| secrets.get(&format!("{kind} {name}")).cloned();
    all.into_iter()
        .map(|(name, (display, role, is_listener))| {
            let password = secret("page", &name);
            let totp = secret("totp", &name);
            (name, Person { display, role, is_listener, password, totp })
        })
        .collect()
}

/// Those of the file who can't sign in yet.
pub(super) fn name_who_can_not_sign_in(
    file: &PeopleFile,
    everybody: &BTreeMap<ListenerName, Person>,
    place: impl Fn(usize) -> crate::config::report::Place,
    report: &mut crate::config::report::Report,
) {
    for key in file.people.keys() {
        let person = everybody.iter().find(|(name, _)| name.as_str() == key.get_ref());
        if person.is_some_and(|(_, person)| !person.is_listener && person.password.is_none()) {
            let person = key.get_ref().clone();
            report.notice(place(key.span().start), What::PagePasswordMissing { person });
        }
    }
}
