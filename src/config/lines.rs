//! `lines.toml` → lines, their numbers and their words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{LineName, ListenerName, PhoneNumber, PromptName, QueueName};
use crate::call::{Helper, LinePlan, LineWords, Moved};
use crate::config::catalogue::{Kind, What};
use crate::config::directory::Directory;
use crate::config::file::{
    CalendarsFile, LimitsTable, LineTable, LinesFile, QueuesFile, Word, words,
};
use crate::config::guess;
use crate::config::link::{Linker, hours, minutes, seconds};
use crate::config::report::Place;
use crate::schedule::Schedule;

/// What `lines.toml` says about the whole house.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) calls: usize,
    pub(super) calls_per_caller: Option<usize>,
    pub(super) grace: Duration,
    pub(super) second_node: bool,
}

pub(super) fn limits(table: &LimitsTable, linker: &mut Linker<'_>) -> Option<Limits> {
    let calls = linker.count(table.calls.as_ref(), 200, 1, 20_000);
    let per_caller = linker.count::<usize>(table.calls_per_caller.as_ref(), 2, 0, 1_000)?;
    let calls_per_caller = (per_caller > 0).then_some(per_caller);
    let grace = linker.duration(table.grace.as_ref(), minutes(30), Duration::ZERO, hours(12));
    Some(Limits { calls: calls?, calls_per_caller, grace: grace?, second_node: table.second_node })
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
#[derive(Default)]
pub(super) struct Known<'a> {
    pub(super) calendars: Option<&'a CalendarsFile>,
    /// Those that could be linked; what is wrong with the others has been said.
    pub(super) schedules: BTreeMap<String, Schedule>,
    pub(super) queues: Option<&'a QueuesFile>,
    /// Who may be called.
    pub(super) directory: Directory,
    /// Colleagues a listener may ask, by code.
    pub(super) colleagues: BTreeMap<String, ListenerName>,
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
        let place = linker.place(&table.greeting);
        all.greetings.insert(name.clone(), place);
        judge_move(key, table, file, linker);
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
        // A star begins a listener's code, which no trunk may reach.
        let number = word.get_ref().parse::<PhoneNumber>().ok();
        let Some(number) = number.filter(|number| !number.as_str().starts_with(['*', '#'])) else {
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

/// A line may send its callers to another, which must serve them itself.
fn judge_move(key: &Word, table: &LineTable, file: &LinesFile, linker: &mut Linker<'_>) {
    let Some(target) = &table.moved_to else {
        return;
    };
    linker.known(Kind::Line, target, &file.lines);
    let found = file.lines.iter().find(|(name, _)| name.get_ref() == target.get_ref());
    if let Some((name, other)) = found
        && (name == key || other.moved_to.is_some())
    {
        linker.problem(target, What::MovedOn { line: target.get_ref().clone() });
    }
}

fn moved(table: &LineTable, linker: &mut Linker<'_>) -> Option<Moved> {
    let line = linker.name::<LineName>(Kind::Line, table.moved_to.as_ref()?)?;
    let words = linker.prompt(table.moved.as_ref(), "numero-remplace")?;
    Some(Moved { line, words })
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
    let overflow = overflow(table, known, linker);
    let words = line_words(table, linker);
    Some(LinePlan {
        overflow,
        centres: known.directory.centres.clone(),
        emergency: known.directory.emergency.clone(),
        colleagues: known.colleagues.clone(),
        name: name.clone(),
        display: table.display.clone().unwrap_or_else(|| name.to_string()),
        schedule: schedule?,
        queue: queue?,
        moved_to: moved(table, linker),
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

/// Managers by name, each of whom must be in the directory.
fn overflow(table: &LineTable, known: &Known<'_>, linker: &mut Linker<'_>) -> Vec<Helper> {
    let mut helpers = Vec::new();
    for word in &table.nobody.overflow {
        let name = word.get_ref();
        match known.directory.managers.get(name) {
            Some(helper) => helpers.push(helper.clone()),
            None => {
                let names = known.directory.managers.keys().map(String::as_str);
                let suggestion = guess::nearest(name, names).map(str::to_owned);
                let what = What::Unknown { kind: Kind::Manager, name: name.clone(), suggestion };
                linker.problem(word, what);
            }
        }
    }
    helpers
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
