//! The files → a [`Plan`], gathering every problem of meaning on the way.
//!
//! A plan that comes out of here holds together: every name exists, every number parses, every
//! recording is there and can be played. `file` says what may be written; the sentences about what
//! is wrong are in `catalogue`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use toml::Spanned;

use crate::base::{
    AddressRange, LineName, ListenerName, NotAName, PhoneNumber, PromptName, QueueName, TrunkName,
};
use crate::call::{LinePlan, LineWords};
use crate::config::catalogue::{Kind, What};
use crate::config::file::{
    CalendarsFile, LimitsTable, LineTable, LinesFile, Named, QueueTable, QueuesFile, TrunksFile,
    Word, words,
};
use crate::config::guess;
use crate::config::report::{Place, Report};
use crate::config::source::Source;
use crate::exchange::TrunkPlan;
use crate::queue::{QueuePlan, RingStrategy};
use crate::schedule::Schedule;

/// One file while it is linked: says where a problem is, and in the report.
pub(super) struct Linker<'a> {
    source: &'a Source,
    report: &'a mut Report,
    now: DateTime<Utc>,
    /// Recordings asked for so far, and where first.
    pub(super) prompts: &'a mut BTreeMap<PromptName, Place>,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        source: &'a Source,
        report: &'a mut Report,
        now: DateTime<Utc>,
        prompts: &'a mut BTreeMap<PromptName, Place>,
    ) -> Self {
        Self { source, report, now, prompts }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub(super) fn problem<T>(&mut self, at: &Spanned<T>, what: What) {
        self.report.add(self.source.place(at.span().start), what);
    }

    pub(super) fn notice<T>(&mut self, at: &Spanned<T>, what: What) {
        self.report.notice(self.source.place(at.span().start), what);
    }

    pub(super) fn problem_in_file(&mut self, what: What) {
        self.report.add(Place { file: self.source.name.clone(), position: None }, what);
    }

    /// A name that can be one; a prompt's is remembered, to be looked for later.
    pub(super) fn name<N>(&mut self, kind: Kind, word: &Word) -> Option<N>
    where
        N: FromStr<Err = NotAName>,
    {
        match word.get_ref().parse::<N>() {
            Ok(name) => {
                if kind == Kind::Prompt
                    && let Ok(prompt) = word.get_ref().parse()
                {
                    let place = self.source.place(word.span().start);
                    self.prompts.entry(prompt).or_insert(place);
                }
                Some(name)
            }
            Err(why) => {
                self.problem(word, What::BadName { kind, name: word.get_ref().clone(), why });
                None
            }
        }
    }

    /// Reports a name that is not one of those written.
    pub(super) fn known<V>(&mut self, kind: Kind, word: &Word, written: &Named<V>) {
        let name = word.get_ref();
        if written.keys().all(|key| key.get_ref() != name) {
            let names = written.keys().map(|key| key.get_ref().as_str());
            let suggestion = guess::nearest(name, names).map(str::to_owned);
            self.problem(word, What::Unknown { kind, name: name.clone(), suggestion });
        }
    }

    /// A recording, or the one that is usual.
    pub(super) fn prompt(&mut self, word: Option<&Word>, usual: &str) -> Option<PromptName> {
        match word {
            Some(word) => self.name(Kind::Prompt, word),
            None => {
                let name: PromptName = usual.parse().ok()?;
                let place = Place { file: self.source.name.clone(), position: None };
                self.prompts.entry(name.clone()).or_insert(place);
                Some(name)
            }
        }
    }

    /// A duration within limits, or the usual one.
    pub(super) fn duration(
        &mut self,
        word: Option<&Word>,
        usual: Duration,
        min: Duration,
        max: Duration,
    ) -> Option<Duration> {
        let Some(word) = word else {
            return Some(usual);
        };
        let text = word.get_ref().clone();
        match duration(&text) {
            None => {
                self.problem(word, What::BadDuration { text });
                None
            }
            Some(duration) if duration < min || duration > max => {
                let (min, max) = (spelled(min), spelled(max));
                self.problem(word, What::OutOfRange { text, min, max });
                None
            }
            Some(duration) => Some(duration),
        }
    }

    /// A whole number within limits, or the usual one.
    pub(super) fn count<N>(
        &mut self,
        value: Option<&Spanned<i64>>,
        usual: N,
        min: i64,
        max: i64,
    ) -> Option<N>
    where
        N: TryFrom<i64>,
    {
        let Some(value) = value else {
            return Some(usual);
        };
        let count = *value.get_ref();
        if count < min || count > max {
            let text = count.to_string();
            self.problem(
                value,
                What::OutOfRange { text, min: min.to_string(), max: max.to_string() },
            );
            return None;
        }
        N::try_from(count).ok()
    }

    /// One of a few words.
    pub(super) fn word<V: Clone>(
        &mut self,
        word: Option<&Word>,
        usual: V,
        allowed: &'static [&'static str],
        values: &[V],
    ) -> Option<V> {
        let Some(word) = word else {
            return Some(usual);
        };
        let text = word.get_ref();
        let found = allowed.iter().position(|allowed| allowed == text);
        if found.is_none() {
            self.problem(word, What::UnknownWord { text: text.clone(), allowed });
        }
        found.and_then(|place| values.get(place).cloned())
    }
}

/// What `lines.toml` says about the whole house.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) calls: usize,
    pub(super) grace: Duration,
    pub(super) second_node: bool,
}

pub(super) fn limits(table: &LimitsTable, linker: &mut Linker<'_>) -> Option<Limits> {
    let calls = linker.count(table.calls.as_ref(), 400, 1, 20_000);
    let grace = linker.duration(table.grace.as_ref(), minutes(30), Duration::ZERO, hours(12));
    Some(Limits { calls: calls?, grace: grace?, second_node: table.second_node })
}

/// Lines by name, and the numbers that reach them.
pub(super) struct Lines {
    pub(super) lines: BTreeMap<LineName, Arc<LinePlan>>,
    pub(super) numbers: BTreeMap<PhoneNumber, LineName>,
    /// Where each line's greeting is written, for its length.
    pub(super) greetings: BTreeMap<LineName, Place>,
    pub(super) calendars: BTreeSet<String>,
    pub(super) queues: BTreeSet<QueueName>,
}

/// What lines may refer to. None if the file could not be read at all: then nothing is said about
/// names that are missing.
pub(super) struct Known<'a> {
    pub(super) calendars: Option<&'a CalendarsFile>,
    /// Those that could be linked; what is wrong with the others has been said.
    pub(super) schedules: BTreeMap<String, Schedule>,
    pub(super) queues: Option<&'a QueuesFile>,
}

pub(super) fn lines(file: &LinesFile, known: &Known<'_>, linker: &mut Linker<'_>) -> Lines {
    let mut all = Lines {
        lines: BTreeMap::new(),
        numbers: BTreeMap::new(),
        greetings: BTreeMap::new(),
        calendars: BTreeSet::new(),
        queues: BTreeSet::new(),
    };
    if file.lines.is_empty() {
        linker.problem_in_file(What::None { kind: Kind::Line });
    }
    for (key, table) in &file.lines {
        let Some(name) = linker.name::<LineName>(Kind::Line, key) else {
            continue;
        };
        numbers(key, table, &name, &mut all.numbers, linker);
        all.calendars.insert(table.calendar.get_ref().clone());
        if let Ok(queue) = table.queue.get_ref().parse() {
            all.queues.insert(queue);
        }
        let place = linker.source.place(table.greeting.span().start);
        all.greetings.insert(name.clone(), place);
        if let Some(line) = line(table, &name, known, linker) {
            all.lines.insert(name, Arc::new(line));
        }
    }
    all
}

fn numbers(
    key: &Word,
    table: &LineTable,
    name: &LineName,
    taken: &mut BTreeMap<PhoneNumber, LineName>,
    linker: &mut Linker<'_>,
) {
    if table.numbers.is_empty() {
        linker.problem(key, What::LineWithoutNumber { line: name.to_string() });
    }
    for word in &table.numbers {
        let Ok(number) = word.get_ref().parse::<PhoneNumber>() else {
            linker.problem(word, What::BadNumber { text: word.get_ref().clone() });
            continue;
        };
        if let Some(other) = taken.get(&number) {
            let by = other.to_string();
            linker.problem(word, What::NumberTaken { number: number.to_string(), by });
            continue;
        }
        taken.insert(number, name.clone());
    }
}

fn line(
    table: &LineTable,
    name: &LineName,
    known: &Known<'_>,
    linker: &mut Linker<'_>,
) -> Option<LinePlan> {
    let zero = Duration::ZERO;
    if let Some(calendars) = known.calendars {
        linker.known(Kind::Calendar, &table.calendar, &calendars.calendars);
    }
    let schedule = known.schedules.get(table.calendar.get_ref()).cloned();
    if let Some(queues) = known.queues {
        linker.known(Kind::Queue, &table.queue, &queues.queues);
    }
    let queue = linker.name::<QueueName>(Kind::Queue, &table.queue);
    let greeting: Vec<Option<PromptName>> =
        words(&table.greeting).iter().map(|word| linker.name(Kind::Prompt, word)).collect();
    if greeting.is_empty() {
        linker.problem(&table.greeting, What::LineWithoutGreeting { line: name.to_string() });
    }
    let ring_after = linker.duration(table.ring_after.as_ref(), seconds(5), zero, minutes(1));
    let closing = &table.closing;
    let drain = linker.duration(closing.drain.as_ref(), minutes(15), zero, hours(4));
    let after_closure = closing.drain_after_closure.as_ref();
    let drain_after_closure = linker.duration(after_closure, minutes(1), zero, hours(4));
    let without = closing.drain_without_listener.as_ref();
    let drain_without_listener = linker.duration(without, seconds(30), zero, hours(4));
    let nobody = &table.nobody;
    let nobody_after = linker.duration(nobody.after.as_ref(), seconds(45), seconds(1), hours(1));
    let patience = nobody.patience.as_ref();
    let nobody_patience = linker.duration(patience, minutes(3), zero, hours(4));
    let words = line_words(table, linker);
    Some(LinePlan {
        name: name.clone(),
        display: table.display.clone().unwrap_or_else(|| name.to_string()),
        schedule: schedule?,
        queue: queue?,
        greeting: greeting.into_iter().collect::<Option<_>>()?,
        ring_after: ring_after?,
        words: words?,
        drain: drain?,
        drain_after_closure: drain_after_closure?,
        drain_without_listener: drain_without_listener?,
        nobody_after: nobody_after?,
        nobody_patience: nobody_patience?,
    })
}

fn line_words(table: &LineTable, linker: &mut Linker<'_>) -> Option<LineWords> {
    let least = seconds(1);
    let waiting = &table.waiting;
    let spoken_number = linker.name(Kind::Prompt, &table.spoken_number);
    let wait_sound = linker.prompt(waiting.sound.as_ref(), "attente");
    let first = linker.prompt(waiting.first.as_ref(), "attente-1");
    let first_after = linker.duration(waiting.first_after.as_ref(), seconds(20), least, hours(1));
    let danger = linker.prompt(waiting.danger.as_ref(), "attente-urgence");
    let danger_after = linker.duration(waiting.danger_after.as_ref(), seconds(45), least, hours(1));
    let danger_every = linker.count(waiting.danger_every.as_ref(), 4, 1, 1_000);
    let again: Option<Vec<PromptName>> = match &waiting.again {
        Some(again) => again.iter().map(|word| linker.name(Kind::Prompt, word)).collect(),
        None => ["attente-n-1", "attente-n-2", "attente-n-3"]
            .iter()
            .map(|usual| linker.prompt(None, usual))
            .collect(),
    };
    let again_after =
        linker.duration(waiting.again_after.as_ref(), seconds(40), seconds(5), hours(1));
    let long_after = linker.duration(waiting.long_after.as_ref(), minutes(5), least, hours(4));
    let long_estimate =
        linker.duration(waiting.long_estimate.as_ref(), minutes(10), Duration::ZERO, hours(4));
    let saturated = linker.prompt(waiting.saturated.as_ref(), "sature");
    let unavailable = linker.prompt(table.nobody.unavailable.as_ref(), "indisponible");
    let back_in_queue = linker.prompt(waiting.back_in_queue.as_ref(), "retour-file");
    let drain_near = linker.prompt(table.closing.near.as_ref(), "fin-proche");
    Some(LineWords {
        spoken_number: spoken_number?,
        wait_sound: wait_sound?,
        first: first?,
        first_after: first_after?,
        danger: danger?,
        danger_after: danger_after?,
        danger_every: danger_every?,
        again: again?,
        again_after: again_after?,
        long_after: long_after?,
        long_estimate: long_estimate?,
        saturated: saturated?,
        unavailable: unavailable?,
        back_in_queue: back_in_queue?,
        drain_near: drain_near?,
    })
}

pub(super) fn queues(file: &QueuesFile, linker: &mut Linker<'_>) -> BTreeMap<String, QueuePlan> {
    let mut all = BTreeMap::new();
    for (key, table) in &file.queues {
        let named = linker.name::<QueueName>(Kind::Queue, key).is_some();
        if let Some(queue) = queue(table, linker)
            && named
        {
            all.insert(key.get_ref().clone(), queue);
        }
    }
    all
}

fn queue(table: &QueueTable, linker: &mut Linker<'_>) -> Option<QueuePlan> {
    let least = seconds(1);
    let strategies = [RingStrategy::LongestIdle, RingStrategy::RingAll, RingStrategy::InTurn];
    let strategy =
        linker.word(table.strategy.as_ref(), RingStrategy::LongestIdle, STRATEGIES, &strategies);
    let at_once = linker.count(table.listeners_at_once.as_ref(), 4, 1, 100);
    let ring_for = linker.duration(table.ring_for.as_ref(), seconds(20), seconds(3), minutes(5));
    let places = linker.count(table.places.as_ref(), 20, 0, 10_000);
    let patience = match &table.patience {
        Some(word) => linker.duration(Some(word), least, least, hours(24)).map(Some),
        None => Some(None),
    };
    let work = table.after_call_work.as_ref();
    let after_call_work = linker.duration(work, minutes(3), Duration::ZERO, hours(4));
    let misses = linker.count(table.misses.as_ref(), 2, 1, 100);
    let refusal_pause =
        linker.duration(table.refusal_pause.as_ref(), seconds(5), least, minutes(10));
    Some(QueuePlan {
        strategy: strategy?,
        listeners_at_once: at_once?,
        ring_for: ring_for?,
        places_max: places?,
        patience: patience?,
        after_call_work: after_call_work?,
        misses_max: misses?,
        refusal_pause: refusal_pause?,
    })
}

const STRATEGIES: &[&str] = &["longest-idle", "ring-all", "in-turn"];

pub(super) fn trunks(file: &TrunksFile, linker: &mut Linker<'_>) -> BTreeMap<TrunkName, TrunkPlan> {
    let mut all = BTreeMap::new();
    for (key, table) in &file.trunks {
        let name = linker.name::<TrunkName>(Kind::Trunk, key);
        if table.addresses.is_empty() {
            let trunk = key.get_ref().clone();
            linker.problem(key, What::TrunkWithoutAddress { trunk });
        }
        let addresses = ranges(&table.addresses, linker);
        let media = ranges(&table.media, linker);
        if let (Some(name), Some(addresses), Some(media)) = (name, addresses, media) {
            all.insert(name, TrunkPlan { addresses, media });
        }
    }
    all
}

fn ranges(words: &[Word], linker: &mut Linker<'_>) -> Option<Vec<AddressRange>> {
    let mut ranges = Vec::new();
    for word in words {
        match word.get_ref().parse() {
            Ok(range) => ranges.push(range),
            Err(_) => linker.problem(word, What::BadRange { text: word.get_ref().clone() }),
        }
    }
    (ranges.len() == words.len()).then_some(ranges)
}

/// Names what no line uses, and queues that nobody serves.
pub(super) fn unused_queues(
    file: &QueuesFile,
    lines: &Lines,
    served: &BTreeMap<ListenerName, BTreeSet<QueueName>>,
    linker: &mut Linker<'_>,
) {
    for key in file.queues.keys() {
        let name = key.get_ref();
        let used = lines.queues.iter().any(|queue| queue.as_str() == name);
        let serves = served.values().flatten().any(|queue| queue.as_str() == name);
        match (used, serves) {
            (false, _) => {
                linker.notice(key, What::Unused { kind: Kind::Queue, name: name.clone() })
            }
            (true, false) => {
                linker.problem(key, What::QueueWithoutListener { queue: name.clone() })
            }
            (true, true) => {}
        }
    }
}

/// Durations as people write them: `500ms`, `20s`, `10m`, `2h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let millis = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    count.checked_mul(millis).map(Duration::from_millis)
}

/// A duration in the operator's spelling.
pub(crate) fn spelled(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(super) fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_spelled() {
        for (text, millis) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("10m", 600_000),
            ("5 min", 300_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "20", "s", "-1s", "1.5s", "2 days", "99999999999999999999h", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(spelled(seconds(90)), "90s");
        assert_eq!(spelled(hours(2)), "2h");
    }
}
