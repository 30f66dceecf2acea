//! `queues.toml` → where callers wait.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::QueueName;
use crate::config::catalogue::{Kind, What};
use crate::config::file::{QueueTable, QueuesFile};
use crate::config::lines::Lines;
use crate::config::link::{Linker, hours, minutes, seconds};
use crate::config::report::Report;
use crate::config::source::Source;
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
