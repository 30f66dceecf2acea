//! `listeners.toml` and the passwords → who may register, who serves which queue, which codes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{ListenerName, QueueName};
use crate::config::catalogue::{Kind, What};
use crate::config::directory::Directory;
use crate::config::file::{CodesTable, ListenersFile, QueuesFile, RegistrationTable, Word};
use crate::config::link::{Linker, hours, minutes, seconds, spelled};
use crate::exchange::{Code, ListenerPlan};
use crate::sip::digest::ha1;
use crate::sip::{Account, Algorithm};

/// How phones register.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) realm: String,
    pub(super) domains: BTreeSet<String>,
    pub(super) expiry_min: Duration,
    pub(super) expiry_max: Duration,
    pub(super) expiry_default: Duration,
    pub(super) phones: usize,
}

/// A listener, still without a password.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) plan: ListenerPlan,
    pub(super) phones: usize,
    pub(super) algorithms: Option<Vec<Algorithm>>,
}

pub(super) fn registration(
    table: &RegistrationTable,
    linker: &mut Linker<'_>,
) -> Option<Registration> {
    let realm = table.realm.as_ref().map_or("hotline", |word| word.get_ref());
    // A realm is a quoted string in a header and a part of every digest (RFC 3261 §20.44).
    let plain =
        !realm.is_empty() && realm.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
    if !plain && let Some(word) = &table.realm {
        let why = crate::base::NotAName::OddCharacter;
        linker.problem(word, What::BadName { kind: Kind::Listener, name: realm.to_owned(), why });
        return None;
    }
    let min = linker.duration(table.expiry_min.as_ref(), minutes(1), seconds(10), hours(1));
    let max = linker.duration(table.expiry_max.as_ref(), hours(1), minutes(1), hours(24));
    let usual = linker.duration(table.expiry_default.as_ref(), minutes(5), seconds(10), hours(24));
    let phones = linker.count(table.phones.as_ref(), 5, 1, 20);
    if let (Some(min), Some(max), Some(usual)) = (min, max, usual)
        && !(min <= usual && usual <= max)
    {
        let word = table.expiry_default.as_ref().or(table.expiry_max.as_ref());
        if let Some(word) = word.or(table.expiry_min.as_ref()) {
            let text = spelled(usual);
            let (min, max) = (spelled(min), spelled(max));
            linker.problem(word, What::OutOfRange { text, min, max });
        }
    }
    Some(Registration {
        realm: realm.to_owned(),
        domains: table.domains.iter().cloned().collect(),
        expiry_min: min?,
        expiry_max: max?,
        expiry_default: usual?,
        phones: phones?,
    })
}

pub(super) fn codes(table: &CodesTable, linker: &mut Linker<'_>) -> BTreeMap<String, Code> {
    let mut codes = BTreeMap::new();
    for (word, usual, code) in [
        (&table.pause, "*10", Code::Pause),
        (&table.come_back, "*11", Code::ComeBack),
        (&table.end_after_call_work, "*12", Code::EndAfterCallWork),
    ] {
        let text = word.as_ref().map_or(usual, |word| word.get_ref());
        let digits = text.strip_prefix('*').unwrap_or_default();
        let fits = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let taken = codes.insert(text.to_owned(), code).is_some();
        if (!fits || taken)
            && let Some(word) = word
        {
            linker.problem(word, What::BadCode { text: text.to_owned() });
        }
    }
    codes
}

pub(super) fn listeners(
    file: &ListenersFile,
    queues: Option<&QueuesFile>,
    phones: usize,
    linker: &mut Linker<'_>,
) -> BTreeMap<ListenerName, Listener> {
    let mut all = BTreeMap::new();
    if file.listeners.is_empty() {
        linker.problem_in_file(What::None { kind: Kind::Listener });
    }
    for (key, table) in &file.listeners {
        let name = linker.name::<ListenerName>(Kind::Listener, key);
        if table.queues.is_empty() {
            let listener = key.get_ref().clone();
            linker.notice(key, What::ListenerWithoutQueue { listener });
        }
        let mut serves = BTreeSet::new();
        for word in &table.queues {
            if let Some(queues) = queues {
                linker.known(Kind::Queue, word, &queues.queues);
            }
            if let Some(queue) = linker.name::<QueueName>(Kind::Queue, word) {
                serves.insert(queue);
            }
        }
        let phones = linker.count(table.phones.as_ref(), phones, 1, 20);
        let algorithms = table.algorithms.as_ref().map(|words| algorithms(words, linker));
        if let (Some(name), Some(phones)) = (name, phones) {
            let plan = ListenerPlan { display: table.name.clone(), queues: serves };
            all.insert(name, Listener { plan, phones, algorithms });
        }
    }
    all
}

/// Colleagues a listener may ask in the middle of a call, by the code they key in.
pub(super) fn colleagues(
    file: &ListenersFile,
    directory: &Directory,
    linker: &mut Linker<'_>,
) -> BTreeMap<String, ListenerName> {
    let mut colleagues = BTreeMap::new();
    for (key, table) in &file.listeners {
        let Some(word) = &table.code else {
            continue;
        };
        let (code, name) = (directory.free_code(word, linker), key.get_ref().parse().ok());
        if let (Some(code), Some(name)) = (code, name)
            && colleagues.insert(code.clone(), name).is_some()
        {
            linker.problem(word, What::BadCentreCode { text: code });
        }
    }
    colleagues
}

fn algorithms(words: &[Word], linker: &mut Linker<'_>) -> Vec<Algorithm> {
    let values = [Algorithm::Sha256, Algorithm::Md5];
    words
        .iter()
        .filter_map(|word| linker.word(Some(word), Algorithm::Md5, ALGORITHMS, &values))
        .collect()
}

const ALGORITHMS: &[&str] = &["SHA-256", "MD5"];

/// The account of a listener: what is kept is not the password but H(user:realm:password)
/// (RFC 7616 §3.4.2), which opens this realm only.
pub(super) fn account(
    name: &ListenerName,
    listener: &Listener,
    realm: &str,
    password: &str,
) -> Account {
    Account {
        ha1_md5: ha1(Algorithm::Md5, name.as_str(), realm, password),
        ha1_sha256: ha1(Algorithm::Sha256, name.as_str(), realm, password),
        algorithms: listener.algorithms.clone(),
        phones_max: listener.phones,
    }
}
