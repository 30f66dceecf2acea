//! `queues.toml` and `trunks.toml` → where callers wait, and by which roads they come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{AddressRange, PhoneNumber, QueueName, TrunkName};
use crate::config::catalogue::{Kind, What};
use crate::config::file::{QueueTable, QueuesFile, TrunksFile, Word};
use crate::config::lines::Lines;
use crate::config::link::{Linker, hours, minutes, seconds};
use crate::config::report::Report;
use crate::config::source::Source;
use crate::exchange::TrunkPlan;
use crate::queue::{QueuePlan, RingStrategy};

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
        let numbers = numbers(&table.numbers, linker);
        let calls_max = match &table.calls {
            Some(calls) => linker.count(Some(calls), 1, 1, 20_000).map(Some),
            None => Some(None),
        };
        if let (Some(name), Some(addresses), Some(media), Some(numbers), Some(calls_max)) =
            (name, addresses, media, numbers, calls_max)
        {
            all.insert(name, TrunkPlan { addresses, media, numbers, calls_max });
        }
    }
    all
}

fn numbers(words: &[Word], linker: &mut Linker<'_>) -> Option<BTreeSet<PhoneNumber>> {
    let read = words.iter().map(|word| match word.get_ref().parse() {
        Ok(number) => Some(number),
        Err(_) => {
            linker.problem(word, What::BadNumber { text: word.get_ref().clone() });
            None
        }
    });
    // All are read, so that every mistake is told.
    read.collect::<Vec<_>>().into_iter().collect()
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

/// Names queues that no line uses, and those that nobody serves.
pub(super) fn name_the_unused(
    file: &QueuesFile,
    lines: &Lines,
    served: &BTreeSet<&QueueName>,
    source: &Source,
    report: &mut Report,
) {
    for key in file.queues.keys() {
        let name = key.get_ref();
        let place = source.place(key.span().start);
        let used = lines.queues.iter().any(|queue| queue.as_str() == name);
        let serves = served.iter().any(|queue| queue.as_str() == name);
        match (used, serves) {
            (false, _) => {
                report.notice(place, What::Unused { kind: Kind::Queue, name: name.clone() })
            }
            (true, false) => report.add(place, What::QueueWithoutListener { queue: name.clone() }),
            (true, true) => {}
        }
    }
}
