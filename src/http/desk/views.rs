//! What the page is told and may say: the bodies of the API, with the words of the configuration.

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exchange::{Alarm, Board, ListenerBoard, WaitBoard};
use crate::record::CallRecord;

/// What somebody may do.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls.
    Listener,
    /// Sees the wall.
    ReadOnly,
    /// Runs the house: hours, the plan.
    Operator,
    /// Runs the evening: hours, listeners' states, records.
    Manager,
}

/// A sign-in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The account, as in `listeners.toml` or `people.toml`.
    pub(super) name: String,
    pub(super) password: String,
    /// Six digits, for those who have a second step.
    #[serde(default)]
    pub(super) code: Option<String>,
}

/// Who is signed in.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct SessionView {
    pub(super) name: String,
    /// What colleagues see.
    pub(super) display: String,
    pub(super) roles: Vec<Role>,
    /// To be shown in `X-CSRF-Token` by every request that changes something.
    pub(super) csrf: String,
    /// Seconds the sign-in lasts at most.
    pub(super) lasts: u64,
    /// The language of the house: `fr` or `en`.
    pub(super) language: String,
}

/// What the page's phone registers with; worth nothing once signed out.
#[derive(Clone, JsonSchema, Serialize)]
pub(super) struct PhoneView {
    /// The WebSocket door; none: no door for browsers is open.
    pub(super) url: Option<String>,
    /// The account's address.
    pub(super) uri: String,
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) secret: String,
}

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

/// A listener's own state.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct MeView {
    pub(super) presence: String,
    /// How many phones are registered.
    pub(super) phones: usize,
    /// When the state ends by itself.
    pub(super) until: Option<DateTime<Utc>>,
    /// Why calls are not offered: `own`, `missed`, `rest`, `finished`, `refusing`.
    pub(super) why: Option<String>,
    /// The caller who rings, or whom they talk with.
    pub(super) caller: Option<WaitView>,
    /// The caller's telephone writes: `write` shows them words, and the event `text` tells theirs.
    pub(super) caller_writes: bool,
    /// Whom the listener asks in the middle of the call.
    pub(super) asked: Option<AskedView>,
}

/// Somebody a listener asks in the middle of a call.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct AskedView {
    pub(super) name: String,
    /// To take the caller at once; the listener's part is over as soon as they answer.
    pub(super) takes_over: bool,
    /// To be the third in the conversation.
    pub(super) joins: bool,
    pub(super) answered: bool,
}

/// A key the caller has pressed.
#[derive(Serialize)]
pub(super) struct KeyView {
    pub(super) key: char,
}

/// What was written in the call; a backspace takes the last character back.
#[derive(Serialize)]
pub(super) struct TextView {
    pub(super) by_caller: bool,
    pub(super) text: String,
}

/// A listener's wish for their own state.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case", tag = "state", deny_unknown_fields)]
pub(super) enum StateChange {
    /// Calls may come; also ends after-call work.
    Available,
    /// A reason is never asked for.
    Pause {
        #[serde(default)]
        reason: Option<String>,
    },
    EndAfterCallWork,
    /// So many minutes more for the notes.
    ExtendAfterCallWork {
        minutes: u32,
    },
    /// Ten minutes after a difficult call.
    Rest,
    /// Nobody counts on them any more today.
    FinishForToday,
}

/// What a listener does with the call they are in.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case", tag = "act", deny_unknown_fields)]
pub(super) enum CallAct {
    /// "I can't hear well."
    MarkBadSound,
    /// "I know this person": the caller goes to the head of the queue, for somebody else.
    GiveBack,
    /// Calls a centre of the directory; the caller waits.
    AskCentre { centre: String },
    /// Rings a colleague; the caller waits.
    AskColleague { colleague: String },
    /// Gives the caller to a colleague without a word before.
    MoveToColleague { colleague: String },
    /// Brings in the emergency services; done when ordered twice within 15 s.
    CallEmergency { service: String },
    /// Shows the caller these words, as the listener types them.
    Write { text: String },
    /// Back to the caller, whoever was asked.
    TakeBack,
    /// Leaves the caller with whom the listener speaks.
    HandOver,
}

/// Whom a listener may ask in the middle of a call.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct DirectoryView {
    pub(super) centres: Vec<CentreView>,
    /// The emergency services of departments.
    pub(super) emergency: Vec<CentreView>,
}

#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct CentreView {
    pub(super) name: String,
    /// Pressed on the line as `*code#`.
    pub(super) code: String,
}

/// Closing a line, or keeping it open; the end is compulsory.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchOrder {
    /// `close`, `open` or `automatic`.
    pub(super) switch: SwitchWord,
    /// One line only; none: all.
    #[serde(default)]
    pub(super) line: Option<String>,
    /// `17h`, `17h30`, `2026-12-24 17h`; not for `automatic`.
    #[serde(default)]
    pub(super) until: Option<String>,
    /// A recording of the plan, said besides the usual words; only for `close`.
    #[serde(default)]
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum SwitchWord {
    Close,
    Open,
    Automatic,
}

/// What came of an order.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct Done {
    pub(super) done: String,
}

/// The plan in force.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct PlanView {
    pub version: String,
    /// When it came into force.
    pub since: Option<DateTime<Utc>>,
    /// What it changed, in words; empty since the start.
    pub change: String,
    /// The files on disk are not what runs: why.
    pub alarm: Option<String>,
}

/// One call that is over.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct RecordView {
    /// To the minute.
    pub(super) arrived: DateTime<Utc>,
    pub(super) line: String,
    pub(super) origin: Option<String>,
    pub(super) trunk: Option<String>,
    pub(super) outcome: String,
    /// Seconds.
    pub(super) waited: u64,
    pub(super) talked: u64,
    pub(super) lasted: u64,
    /// How many listeners were rung.
    pub(super) rung: usize,
    pub(super) cause: String,
    pub(super) plan: String,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordsWanted {
    /// The first day, as `2026-11-22`; none: 90 days back.
    #[serde(default)]
    pub(super) from: Option<chrono::NaiveDate>,
    /// The last day, whole; none: today.
    #[serde(default)]
    pub(super) until: Option<chrono::NaiveDate>,
    #[serde(default)]
    pub(super) line: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<String>,
}

/// One figure, with the words that say what it counts.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct Figure {
    /// `decroche`, `snated`, `eighty_twenty`.
    pub(super) name: String,
    /// None while nothing was counted.
    pub(super) per_cent: Option<f64>,
    pub(super) counted: u64,
    pub(super) of: u64,
    pub(super) french: String,
    pub(super) english: String,
}

/// Today's figures of one line, or of all.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Since midnight, on the house's own clock.
    pub(super) since: DateTime<Utc>,
    pub(super) calls: u64,
    pub(super) figures: Vec<Figure>,
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

impl From<&WaitBoard> for WaitView {
    fn from(wait: &WaitBoard) -> Self {
        Self { line: wait.line.to_string(), since: wait.since, returning: wait.returning }
    }
}

impl MeView {
    pub(super) fn of(board: &ListenerBoard) -> Self {
        Self {
            presence: board.presence.clone(),
            phones: board.phones,
            until: board.until,
            why: board.why.clone(),
            caller: board.caller.as_ref().map(WaitView::from),
            caller_writes: board.caller.as_ref().is_some_and(|caller| caller.writes),
            asked: board.asked.as_ref().map(|asked| AskedView {
                name: asked.name.clone(),
                takes_over: asked.takes_over,
                joins: asked.joins,
                answered: asked.answered,
            }),
        }
    }
}

impl BoardView {
    /// The board for people, with the names lines are known by.
    pub(super) fn of(board: &Board, display: impl Fn(&str) -> String) -> Self {
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
            alarms: board.alarms.iter().map(AlarmView::from).collect(),
            stopping: board.stopping,
        }
    }
}

impl From<&CallRecord> for RecordView {
    fn from(record: &CallRecord) -> Self {
        Self {
            arrived: record.arrived,
            line: record.line.to_string(),
            origin: record.origin.as_ref().map(ToString::to_string),
            trunk: record.trunk.as_ref().map(ToString::to_string),
            outcome: record.outcome.to_string(),
            waited: record.waited.as_secs(),
            talked: record.talked.as_secs(),
            lasted: record.lasted.as_secs(),
            rung: record.attempts.len() + record.attempts_untold as usize,
            cause: format!("{} {}", record.cause.by.as_str(), record.cause.q850.value()),
            plan: record.plan.clone(),
        }
    }
}
