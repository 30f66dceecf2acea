//! What a new plan changes, said before it is applied (scenarios.md SC-36).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::base::{LineName, ListenerName, PhoneNumber, QueueName, TrunkName};
use crate::config::{House, Language, words};
use crate::exchange::Plan;
use crate::schedule::Hours;

/// Everything a new plan changes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    pub changes: Vec<Change>,
    /// Lines that are open now and would not be: a reload needs a yes for these.
    pub closes_now: BTreeSet<LineName>,
    /// Settings that stay as they are until the next start.
    pub needs_restart: Vec<&'static str>,
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    LineAdded(LineName),
    LineRemoved(LineName),
    NumberAdded(PhoneNumber, LineName),
    NumberRemoved(PhoneNumber, LineName),
    /// The first of the next days whose hours differ, and how many do.
    Hours {
        line: LineName,
        date: NaiveDate,
        before: Hours,
        after: Hours,
        days: usize,
    },
    /// Hours differ, but not in the next two months.
    HoursLater(LineName),
    /// Words, queue or times of a line.
    Line(LineName),
    QueueAdded(QueueName),
    QueueRemoved(QueueName),
    Queue(QueueName),
    ListenerAdded(ListenerName),
    ListenerRemoved(ListenerName),
    Listener(ListenerName),
    TrunkAdded(TrunkName),
    TrunkRemoved(TrunkName),
    /// The keys of a trunk that are written otherwise.
    Trunk(TrunkName, Vec<&'static str>),
    /// How many prompts have new words or a new recording, came or went.
    Prompts(usize),
    Codes,
    Limits,
    /// Who is told of what happens.
    Webhooks,
    /// They are in other files.
    Certificates,
}

/// Compares what runs with what would run, as of `now`.
pub fn difference(
    (old, old_house): (&Plan, &House),
    (new, new_house): (&Plan, &House),
    now: DateTime<Utc>,
) -> Difference {
    let mut found = Difference::default();
    lines(old, new, now, &mut found);
    compare(
        &old.queues,
        &new.queues,
        |one, other| one == other,
        [Change::QueueAdded, Change::QueueRemoved, Change::Queue],
        &mut found.changes,
    );
    compare(
        &old.listeners,
        &new.listeners,
        |one, other| one.display == other.display && one.queues == other.queues,
        [Change::ListenerAdded, Change::ListenerRemoved, Change::Listener],
        &mut found.changes,
    );
    compare(
        &old.trunks,
        &new.trunks,
        |_, _| true,
        [Change::TrunkAdded, Change::TrunkRemoved, |trunk| Change::Trunk(trunk, Vec::new())],
        &mut found.changes,
    );
    for trunk in old.trunks.keys().filter(|trunk| new.trunks.contains_key(*trunk)) {
        let keys = keys_of_trunk(trunk, old, new);
        if !keys.is_empty() {
            found.changes.push(Change::Trunk(trunk.clone(), keys));
        }
    }
    let prompts: BTreeSet<_> = old.prompts.keys().chain(new.prompts.keys()).collect();
    let changed = prompts.into_iter().filter(|name| {
        let sound = |plan: &Plan| {
            plan.prompts.get(*name).map(|prompt| (prompt.words.clone(), prompt.length))
        };
        sound(old) != sound(new)
    });
    let count = changed.count();
    if count > 0 {
        found.changes.push(Change::Prompts(count));
    }
    if old.codes != new.codes {
        found.changes.push(Change::Codes);
    }
    if old.calls_max != new.calls_max || old.grace != new.grace {
        found.changes.push(Change::Limits);
    }
    if old_house.webhooks != new_house.webhooks {
        found.changes.push(Change::Webhooks);
    }
    let reloaded = old_house.reloaded(new_house);
    if !reloaded.has_files_of(old_house) {
        found.changes.push(Change::Certificates);
    }
    found.needs_restart = restart(&reloaded, new_house);
    found
}

impl Difference {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.needs_restart.is_empty()
    }

    /// The difference for a person to read, one change a line.
    pub fn told(&self, language: Language) -> String {
        let mut told: Vec<String> =
            self.changes.iter().map(|change| change.told(language)).collect();
        told.extend(self.needs_restart.iter().map(|setting| match language {
            Language::English => format!("`{setting}` changes at the next start only"),
            Language::French => format!("`{setting}` ne changera qu'au prochain démarrage"),
        }));
        told.extend(self.closes_now.iter().map(|line| match language {
            Language::English => format!("this closes line {line} now"),
            Language::French => format!("cette modification ferme la ligne {line} maintenant"),
        }));
        if told.is_empty() {
            told.push(match language {
                Language::English => "nothing changes".to_owned(),
                Language::French => "rien ne change".to_owned(),
            });
        }
        told.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Change {
    /// The change in a sentence.
    pub fn told(&self, language: Language) -> String {
        match language {
            Language::English => self.in_english(),
            Language::French => self.in_french(),
        }
    }

    fn in_english(&self) -> String {
        match self {
            Self::LineAdded(line) => format!("line {line} is new"),
            Self::LineRemoved(line) => format!("line {line} is gone"),
            Self::NumberAdded(number, line) => {
                format!("the number {number} now reaches line {line}")
            }
            Self::NumberRemoved(number, line) => {
                format!("the number {number} no longer reaches line {line}")
            }
            Self::Hours { line, date, before, after, days } => {
                let others = match days {
                    0 | 1 => String::new(),
                    2 => " (and one more day within two months)".to_owned(),
                    more => format!(" (and {} more days within two months)", more - 1),
                };
                let language = Language::English;
                format!(
                    "{line}, {}: {} → {}{others}",
                    words::date(*date, language),
                    words::hours(before, language),
                    words::hours(after, language)
                )
            }
            Self::HoursLater(line) => format!("{line}: hours change, later than in two months"),
            Self::Line(line) => format!("line {line} has new settings"),
            Self::QueueAdded(queue) => format!("queue {queue} is new"),
            Self::QueueRemoved(queue) => format!("queue {queue} is gone"),
            Self::Queue(queue) => format!("queue {queue} has new settings"),
            Self::ListenerAdded(listener) => format!("listener {listener} is new"),
            Self::ListenerRemoved(listener) => format!("listener {listener} is gone"),
            Self::Listener(listener) => format!("listener {listener} has a new name or new queues"),
            Self::TrunkAdded(trunk) => format!("trunk {trunk} is new"),
            Self::TrunkRemoved(trunk) => format!("trunk {trunk} is gone"),
            Self::Trunk(trunk, keys) => format!("trunk {trunk} changes: {}", quoted(keys)),
            Self::Prompts(1) => "one prompt is different".to_owned(),
            Self::Prompts(count) => format!("{count} prompts are different"),
            Self::Codes => "listeners' codes are different".to_owned(),
            Self::Limits => "the limits of the house are different".to_owned(),
            Self::Webhooks => "who is told of what happens is different".to_owned(),
            Self::Certificates => "certificates are read from other files".to_owned(),
        }
    }

    fn in_french(&self) -> String {
        match self {
            Self::LineAdded(line) => format!("la ligne {line} est nouvelle"),
            Self::LineRemoved(line) => format!("la ligne {line} disparaît"),
            Self::NumberAdded(number, line) => format!("le numéro {number} mène à la ligne {line}"),
            Self::NumberRemoved(number, line) => {
                format!("le numéro {number} ne mène plus à la ligne {line}")
            }
            Self::Hours { line, date, before, after, days } => {
                let others = match days {
                    0 | 1 => String::new(),
                    2 => " (et un autre jour d'ici deux mois)".to_owned(),
                    more => format!(" (et {} autres jours d'ici deux mois)", more - 1),
                };
                let language = Language::French;
                format!(
                    "{line}, {} : {} → {}{others}",
                    words::date(*date, language),
                    words::hours(before, language),
                    words::hours(after, language)
                )
            }
            Self::HoursLater(line) => {
                format!("{line} : les horaires changent, dans plus de deux mois")
            }
            Self::Line(line) => format!("la ligne {line} a de nouveaux réglages"),
            Self::QueueAdded(queue) => format!("la file {queue} est nouvelle"),
            Self::QueueRemoved(queue) => format!("la file {queue} disparaît"),
            Self::Queue(queue) => format!("la file {queue} a de nouveaux réglages"),
            Self::ListenerAdded(listener) => format!("l'écoutant {listener} est nouveau"),
            Self::ListenerRemoved(listener) => format!("l'écoutant {listener} disparaît"),
            Self::Listener(listener) => {
                format!("l'écoutant {listener} a un nouveau nom ou de nouvelles files")
            }
            Self::TrunkAdded(trunk) => format!("l'opérateur {trunk} est nouveau"),
            Self::TrunkRemoved(trunk) => format!("l'opérateur {trunk} disparaît"),
            Self::Trunk(trunk, keys) => format!("l'opérateur {trunk} change : {}", quoted(keys)),
            Self::Prompts(1) => "une annonce a changé".to_owned(),
            Self::Prompts(count) => format!("{count} annonces ont changé"),
            Self::Codes => "les codes des écoutants ont changé".to_owned(),
            Self::Limits => "les limites de la maison ont changé".to_owned(),
            Self::Webhooks => "qui est averti de ce qui arrive a changé".to_owned(),
            Self::Certificates => "les certificats sont lus dans d'autres fichiers".to_owned(),
        }
    }
}

fn lines(old: &Plan, new: &Plan, now: DateTime<Utc>, found: &mut Difference) {
    for (name, line) in &old.lines {
        let open = line.schedule.opening(now).is_open();
        let Some(next) = new.lines.get(name) else {
            found.changes.push(Change::LineRemoved(name.clone()));
            if open {
                found.closes_now.insert(name.clone());
            }
            continue;
        };
        if open && !next.schedule.opening(now).is_open() {
            found.closes_now.insert(name.clone());
        }
        if line.schedule != next.schedule {
            let from = next.schedule.date(now);
            let days = from.iter_days().take(DAYS_COMPARED).filter_map(|date| {
                let (before, after) = (line.schedule.day(date).0, next.schedule.day(date).0);
                (before != after).then_some((date, before, after))
            });
            let days: Vec<_> = days.collect();
            let change = match days.first() {
                Some((date, before, after)) => Change::Hours {
                    line: name.clone(),
                    date: *date,
                    before: before.clone(),
                    after: after.clone(),
                    days: days.len(),
                },
                None => Change::HoursLater(name.clone()),
            };
            found.changes.push(change);
        }
        // Settings have no equality of their own; what they are written as has.
        let settings = |line: &crate::call::LinePlan| {
            let words = serde_json::to_string(&line.words).unwrap_or_default();
            let spans = [
                line.ring_after,
                line.drain,
                line.drain_after_closure,
                line.drain_without_listener,
                line.nobody_after,
                line.nobody_patience,
            ];
            (words, spans, line.queue.clone(), line.greeting.clone(), line.display.clone())
        };
        if settings(line) != settings(next) {
            found.changes.push(Change::Line(name.clone()));
        }
    }
    for name in new.lines.keys().filter(|name| !old.lines.contains_key(*name)) {
        found.changes.push(Change::LineAdded(name.clone()));
    }
    for (number, line) in &old.numbers {
        if new.numbers.get(number) != Some(line) {
            found.changes.push(Change::NumberRemoved(number.clone(), line.clone()));
        }
    }
    for (number, line) in &new.numbers {
        if old.numbers.get(number) != Some(line) {
            found.changes.push(Change::NumberAdded(number.clone(), line.clone()));
        }
    }
}

fn compare<K: Clone + Ord, V>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
    [added, removed, changed]: [fn(K) -> Change; 3],
    changes: &mut Vec<Change>,
) {
    for (name, value) in old {
        match new.get(name) {
            None => changes.push(removed(name.clone())),
            Some(next) if !same(value, next) => changes.push(changed(name.clone())),
            Some(_) => {}
        }
    }
    changes.extend(new.keys().filter(|name| !old.contains_key(*name)).cloned().map(added));
}

/// What is written otherwise of a trunk.
fn keys_of_trunk(trunk: &TrunkName, old: &Plan, new: &Plan) -> Vec<&'static str> {
    let access = |plan: &Plan| plan.sip.trunks.iter().find(|one| one.name == *trunk).cloned();
    let (Some(one), Some(other)) = (old.trunks.get(trunk), new.trunks.get(trunk)) else {
        return Vec::new();
    };
    let (Some(before), Some(after)) = (access(old), access(new)) else {
        return Vec::new();
    };
    [
        ("addresses", one.addresses == other.addresses),
        ("media", one.media == other.media),
        ("numbers", one.numbers == other.numbers),
        ("calls", one.calls_max == other.calls_max),
        ("server", before.server == after.server),
        ("peers", before.peers == after.peers),
        ("keep_alive", before.keep_alive == after.keep_alive),
        ("domain", before.domain == after.domain),
        ("presented", before.presented == after.presented),
        ("numbers_as", before.dress == after.dress),
        ("closed_message", one.closed_message == other.closed_message),
        ("protection", one.protection == other.protection),
        ("reliable", old.sip.reliable.contains(trunk) == new.sip.reliable.contains(trunk)),
        ("account", before.account == after.account),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(key, _)| key)
    .collect()
}

fn quoted(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

fn restart(old: &House, new: &House) -> Vec<&'static str> {
    [
        ("doors", old.doors == new.doors),
        ("media", old.media == new.media),
        ("http", old.http == new.http),
        ("[page]", old.page == new.page),
        ("[dns]", old.dns == new.dns),
        ("state", old.state == new.state),
        ("connections", old.connections == new.connections),
        ("log", old.log == new.log),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(setting, _)| setting)
    .collect()
}

/// How many days ahead hours are compared one by one.
const DAYS_COMPARED: usize = 61;
