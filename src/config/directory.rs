//! `directory.toml` → the only numbers of the public network this house may call.
//!
//! Short by intention (domain.md T-01): who is not in here can't be rung, whatever anybody asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ListenerName, PhoneNumber};
use crate::call::Helper;
use crate::config::catalogue::{Kind, What};
use crate::config::file::{DirectoryFile, Word};
use crate::config::link::Linker;

/// Everybody who may be called.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    /// Managers who take calls on their own telephones when nobody is logged in, by name.
    pub(super) managers: BTreeMap<String, Helper>,
    /// Centres a listener may ask, by code.
    pub(super) centres: BTreeMap<String, Helper>,
    /// The emergency services of departments, which a listener brings in, by code.
    pub(super) emergency: BTreeMap<String, Helper>,
}

impl Directory {
    /// All that may ever be called.
    pub(super) fn numbers(&self) -> BTreeSet<PhoneNumber> {
        let helpers = self.managers.values().chain(self.centres.values());
        helpers.chain(self.emergency.values()).map(|helper| helper.number.clone()).collect()
    }

    /// A code to be keyed in, if it is one and nobody else's.
    pub(super) fn free_code(&self, word: &Word, linker: &mut Linker<'_>) -> Option<String> {
        let code = word.get_ref();
        let is_code = (1..=6).contains(&code.len()) && code.bytes().all(|c| c.is_ascii_digit());
        let is_taken = self.centres.contains_key(code) || self.emergency.contains_key(code);
        if !is_code || is_taken {
            linker.problem(word, What::BadCentreCode { text: code.clone() });
            return None;
        }
        Some(code.clone())
    }
}

pub(super) fn directory(file: &DirectoryFile, linker: &mut Linker<'_>) -> Directory {
    let mut all = Directory::default();
    for (key, table) in &file.managers {
        if let Some(helper) = helper(Kind::Manager, key, &table.number, linker) {
            all.managers.insert(key.get_ref().clone(), helper);
        }
    }
    for (key, table) in &file.centres {
        if let Some(code) = all.free_code(&table.code, linker)
            && let Some(helper) = helper(Kind::Centre, key, &table.number, linker)
        {
            all.centres.insert(code, helper);
        }
    }
    for (key, table) in &file.emergency {
        if let Some(code) = all.free_code(&table.code, linker)
            && let Some(helper) = helper(Kind::Emergency, key, &table.number, linker)
        {
            all.emergency.insert(code, helper);
        }
    }
    all
}

fn helper(kind: Kind, key: &Word, number: &Word, linker: &mut Linker<'_>) -> Option<Helper> {
    let name = linker.name::<ListenerName>(kind, key);
    let read = number.get_ref().parse::<PhoneNumber>().ok();
    // Only whole numbers of the world: nothing short, nothing that costs by the minute.
    let read = read.filter(|number| number.as_str().starts_with('+') && !is_costly(number));
    if read.is_none() {
        linker.problem(number, What::NotCallable { text: number.get_ref().clone() });
    }
    Some(Helper { name: name?, number: read? })
}

/// French value-added numbers, `08…`: no person answers there.
fn is_costly(number: &PhoneNumber) -> bool {
    number.as_str().starts_with("+338")
}
