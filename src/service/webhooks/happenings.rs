//! What there is to tell, and how the board shows that it happened.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::WebhookEvent;
use crate::exchange::{Alarm, Board};
use crate::record::CallRecord;

/// One thing that happened, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(super) enum Happening {
    AlarmRaised {
        alarm: Alarm,
    },
    AlarmCleared {
        alarm: Alarm,
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

/// What happened between two pictures of the house. An alarm that only changes its figures is the same.
pub(super) fn changes(before: &Board, now: &Board) -> Vec<Happening> {
    let is_in = |alarm: &Alarm, board: &Board| {
        let mut all = board.alarms.iter();
        all.any(|other| other.code == alarm.code && other.about == alarm.about)
    };
    let raised = now.alarms.iter().filter(|alarm| !is_in(alarm, before));
    let cleared = before.alarms.iter().filter(|alarm| !is_in(alarm, now));
    let mut happened: Vec<Happening> =
        raised.map(|alarm| Happening::AlarmRaised { alarm: alarm.clone() }).collect();
    happened.extend(cleared.map(|alarm| Happening::AlarmCleared { alarm: alarm.clone() }));
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
