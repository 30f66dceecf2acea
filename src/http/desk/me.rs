//! What one listener sees and does: their own state, the call they are in, whom they may ask.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exchange::ListenerBoard;
use crate::http::desk::board::WaitView;

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
