//! What there is to tell, and how the board shows that it happened.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::WebhookEvent;
use crate::exchange::{Alarm, Board};
use crate::http::Trouble;
use crate::record::CallRecord;

/// One thing that happened, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(super) enum Happening {
    AlarmRaised {
        alarm: Raised,
    },
    AlarmCleared {
        alarm: Raised,
    },
    LineOpened {
        line: String,
        /// When that changes next.
        until: Option<DateTime<Utc>>,
    },
    LineClosed {
        line: String,
        until: Option<DateTime<Utc>>,
    },
    CallEnded {
        /// To the minute.
        arrived: DateTime<Utc>,
        line: String,
        outcome: String,
        /// Seconds.
        waited: u64,
        talked: u64,
        lasted: u64,
    },
}

/// What needs a person: of the calls, or of the house. Both are written alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Raised {
    Alarm(Alarm),
    Trouble(Trouble),
}

impl Happening {
    pub(super) fn ended(record: &CallRecord) -> Self {
        Self::CallEnded {
            arrived: record.arrived,
            line: record.line.to_string(),
            outcome: record.outcome.to_string(),
            waited: record.waited.as_secs(),
            talked: record.talked.as_secs(),
            lasted: record.lasted.as_secs(),
        }
    }

    pub(super) fn event(&self) -> WebhookEvent {
        match self {
            Self::AlarmRaised { .. } => WebhookEvent::AlarmRaised,
            Self::AlarmCleared { .. } => WebhookEvent::AlarmCleared,
            Self::LineOpened { .. } => WebhookEvent::LineOpened,
            Self::LineClosed { .. } => WebhookEvent::LineClosed,
            Self::CallEnded { .. } => WebhookEvent::CallEnded,
        }
    }
}

/// The same of what is wrong with the house.
pub(super) fn changes_of_troubles(before: &[Trouble], now: &[Trouble]) -> Vec<Happening> {
    let is_same =
        |one: &Trouble, other: &Trouble| one.code == other.code && one.about == other.about;
    come_and_gone(before, now, is_same, Raised::Trouble)
}

fn come_and_gone<T: Clone>(
    before: &[T],
    now: &[T],
    is_same: impl Fn(&T, &T) -> bool,
    raised: impl Fn(T) -> Raised,
) -> Vec<Happening> {
    let is_in = |one: &T, all: &[T]| all.iter().any(|other| is_same(one, other));
    let come = now.iter().filter(|one| !is_in(one, before));
    let gone = before.iter().filter(|one| !is_in(one, now));
    let come = come.map(|one| Happening::AlarmRaised { alarm: raised(one.clone()) });
    come.chain(gone.map(|one| Happening::AlarmCleared { alarm: raised(one.clone()) })).collect()
}

/// What happened between two pictures of the house. An alarm that only changes its figures is the same.
pub(super) fn changes(before: &Board, now: &Board) -> Vec<Happening> {
    let is_same = |one: &Alarm, other: &Alarm| one.code == other.code && one.about == other.about;
    let mut happened = come_and_gone(&before.alarms, &now.alarms, is_same, Raised::Alarm);
    for line in &now.lines {
        let was = before.lines.iter().find(|other| other.line == line.line);
        if was.is_none_or(|was| was.open == line.open) {
            continue;
        }
        let (line, until, open) = (line.line.to_string(), line.until, line.open);
        happened.push(if open {
            Happening::LineOpened { line, until }
        } else {
            Happening::LineClosed { line, until }
        });
    }
    happened
}
