//! The exposition of one afternoon, whole: changing what a dashboard reads is a visible diff.

use super::*;
use crate::base::{CallRef, Moment, Now};
use crate::exchange::{LineBoard, ListenerBoard, QueueBoard, TrunkBoard};
use crate::record::{Cause, Draft, Party, Q850};

#[test]
fn an_afternoon_is_told_like_this() {
    let metrics = Metrics::new("2026-11-21T08:00:00Z".parse().unwrap());
    for record in afternoon() {
        metrics.recorded(&record);
    }
    metrics.counted(|totals| {
        totals.sip.received += 120;
        totals.sip.sent += 118;
        totals.media.received = 90_000;
        totals.records.spooled = 1;
        totals.records.away = true;
        totals.clock.step = -3600.5;
        totals.plans_loaded = 1;
    });

    insta::assert_snapshot!(metrics.exposition(&board()));
}

#[test]
fn the_same_facts_are_told_in_the_same_words() {
    let tell = || {
        let metrics = Metrics::new("2026-11-21T08:00:00Z".parse().unwrap());
        for record in afternoon() {
            metrics.recorded(&record);
        }
        metrics.exposition(&board())
    };

    assert_eq!(tell(), tell());
}

#[test]
fn every_metric_has_a_help_sentence_and_a_name_of_ours() {
    let metrics = Metrics::new("2026-11-21T08:00:00Z".parse().unwrap());
    let text = metrics.exposition(&board());

    let mut names = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, sentence) = help.split_once(' ').unwrap();
            assert!(name.starts_with("hotline_"), "{line}");
            assert!(
                sentence.ends_with('.') && sentence.starts_with(|c: char| !c.is_lowercase()),
                "{line}"
            );
            assert!(names.insert(name.to_owned()), "{name} is told twice");
        }
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn no_listener_is_named() {
    let metrics = Metrics::new("2026-11-21T08:00:00Z".parse().unwrap());
    for record in afternoon() {
        metrics.recorded(&record);
    }
    let text = metrics.exposition(&board());

    assert!(!text.contains("lea") && !text.contains("Léa"), "{text}");
}

fn afternoon() -> Vec<CallRecord> {
    let now = Now { steady: Moment::START, wall: "2026-11-21T13:00:00Z".parse().unwrap() };
    let after = |secs| now.steady + Duration::from_secs(secs);
    let draft = |call| Draft::new(CallRef(call), "3977".parse().unwrap(), None, "v1", now);
    let cause = Cause::new(Party::Caller, Q850::NORMAL_CLEARING);

    let mut taken = draft(1);
    taken.queued(after(5));
    taken.rung("lea".parse().unwrap(), after(5));
    taken.connected("lea".parse().unwrap(), after(12));
    let mut abandoned = draft(2);
    abandoned.queued(after(5));
    abandoned.rung("lea".parse().unwrap(), after(6));
    vec![
        taken.finished(Outcome::TakenByListener, cause, after(900)),
        abandoned.finished(Outcome::AbandonedInQueue, cause, after(61)),
        draft(3).finished(Outcome::AbandonedUnder5s, cause, after(3)),
    ]
}

fn board() -> Board {
    let listener = |name: &str, display: &str, presence: &str| ListenerBoard {
        listener: name.parse().unwrap(),
        display: display.to_owned(),
        presence: presence.to_owned(),
        phones: 1,
        until: None,
        why: None,
        caller: None,
        asked: None,
    };
    Board {
        at: "2026-11-21T14:00:00Z".parse().unwrap(),
        plan: "v1-ab12cd".to_owned(),
        lines: vec![
            LineBoard {
                line: "3133".parse().unwrap(),
                open: false,
                until: None,
                until_local: None,
                drain_until: None,
            },
            LineBoard {
                line: "3977".parse().unwrap(),
                open: true,
                until: None,
                until_local: None,
                drain_until: None,
            },
        ],
        queues: vec![QueueBoard {
            queue: "ecoutants".parse().unwrap(),
            waiting: 3,
            oldest: Some(75),
            waits: Vec::new(),
        }],
        listeners: vec![
            listener("lea", "Léa", "talking"),
            listener("marc", "Marc", "available"),
            listener("nour", "Nour", "available"),
        ],
        trunks: vec![TrunkBoard {
            trunk: "orange".parse().unwrap(),
            up: true,
            registered: None,
            abroad: 1,
        }],
        calls: 5,
        calls_max: 200,
        calls_talking: 1,
        alarms: vec![crate::exchange::Alarm {
            code: crate::exchange::AlarmCode::Overload,
            about: None,
            count: None,
            until: None,
            text: "calls were refused".to_owned(),
        }],
        stopping: false,
        load: crate::sip::Load { dialogs: 6, transactions: 2, phones: 3 },
        sip_malformed: 2,
        authentication_failures: 0,
    }
}
