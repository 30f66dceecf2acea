//! What everybody in the house sees: lines, queues, listeners, trunks, alarms. No caller's number is in it.

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::exchange::{Alarm, Board, ListenerBoard, WaitBoard};
use crate::http::Trouble;

/// What the house looks like now. No caller's number is in it, and nothing that ranks people.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct BoardView {
    pub(super) at: DateTime<Utc>,
    pub(super) plan: String,
    pub(super) lines: Vec<LineView>,
    pub(super) queues: Vec<QueueView>,
    pub(super) listeners: Vec<ListenerView>,
    pub(super) trunks: Vec<TrunkView>,
    pub(super) calls: usize,
    pub(super) calls_max: usize,
    pub(super) calls_talking: usize,
    /// What needs a person.
    pub(super) alarms: Vec<AlarmView>,
    pub(super) stopping: bool,
}

/// One matter that needs a person.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct AlarmView {
    /// A word that means the same in every version: `trunk_down`, `long_wait` …
    pub(super) code: String,
    /// The line, queue or trunk; or the reason, where the code can't say it.
    pub(super) about: Option<String>,
    /// How many, or how many seconds.
    pub(super) count: Option<i64>,
    /// When it ends by itself.
    pub(super) until: Option<DateTime<Utc>>,
    /// The same in English, for tools.
    pub(super) text: String,
}

#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct LineView {
    pub(super) line: String,
    /// The line's name, as listeners' phones show it.
    pub(super) display: String,
    pub(super) open: bool,
    /// When that changes next.
    pub(super) until: Option<DateTime<Utc>>,
    /// The same on the line's own clock.
    pub(super) until_local: Option<NaiveDateTime>,
    pub(super) drain_until: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct QueueView {
    pub(super) queue: String,
    pub(super) waits: Vec<WaitView>,
}

/// One who waits.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct WaitView {
    pub(super) line: String,
    pub(super) since: DateTime<Utc>,
    /// They were with a listener before, and were cut off.
    pub(super) returning: bool,
}

#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct ListenerView {
    pub(super) listener: String,
    pub(super) display: String,
    /// `offline`, `available`, `alerting`, `talking`, `after_call_work`, `paused`, `elsewhere`,
    /// `unreachable`.
    pub(super) presence: String,
}

/// A road to the public network.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct TrunkView {
    pub(super) trunk: String,
    pub(super) up: bool,
    /// Whether it knows us, where we have to register.
    pub(super) registered: Option<bool>,
}

impl From<&Alarm> for AlarmView {
    fn from(alarm: &Alarm) -> Self {
        Self {
            code: alarm.code.as_str().to_owned(),
            about: alarm.about.clone(),
            count: alarm.count,
            until: alarm.until,
            text: alarm.text.clone(),
        }
    }
}

impl From<&Trouble> for AlarmView {
    fn from(trouble: &Trouble) -> Self {
        Self {
            code: trouble.code.as_str().to_owned(),
            about: trouble.about.clone(),
            count: trouble.count,
            until: trouble.until,
            text: trouble.text.clone(),
        }
    }
}

impl From<&WaitBoard> for WaitView {
    fn from(wait: &WaitBoard) -> Self {
        Self { line: wait.line.to_string(), since: wait.since, returning: wait.returning }
    }
}

impl BoardView {
    /// The board for people, with the names lines are known by.
    pub(super) fn of(
        board: &Board,
        troubles: &[Trouble],
        display: impl Fn(&str) -> String,
    ) -> Self {
        let line = |line: &crate::exchange::LineBoard| LineView {
            line: line.line.to_string(),
            display: display(line.line.as_str()),
            open: line.open,
            until: line.until,
            until_local: line.until_local,
            drain_until: line.drain_until,
        };
        let listener = |one: &ListenerBoard| ListenerView {
            listener: one.listener.to_string(),
            display: one.display.clone(),
            presence: one.presence.clone(),
        };
        let trunk = |one: &crate::exchange::TrunkBoard| TrunkView {
            trunk: one.trunk.to_string(),
            up: one.up,
            registered: one.registered,
        };
        Self {
            at: board.at,
            plan: board.plan.clone(),
            lines: board.lines.iter().map(line).collect(),
            queues: board
                .queues
                .iter()
                .map(|queue| QueueView {
                    queue: queue.queue.to_string(),
                    waits: queue.waits.iter().map(WaitView::from).collect(),
                })
                .collect(),
            listeners: board.listeners.iter().map(listener).collect(),
            trunks: board.trunks.iter().map(trunk).collect(),
            calls: board.calls,
            calls_max: board.calls_max,
            calls_talking: board.calls_talking,
            // What callers feel comes first.
            alarms: board
                .alarms
                .iter()
                .map(AlarmView::from)
                .chain(troubles.iter().map(AlarmView::from))
                .collect(),
            stopping: board.stopping,
        }
    }
}
