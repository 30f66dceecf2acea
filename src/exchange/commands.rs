use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{LineName, ListenerName, PromptName, Text};
use crate::sip::Pass;

/// Names one command, so that its reply finds the way back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CommandRef(pub u64);

/// What an operator, or a listener from their page, may order while the house runs.
///
/// Who may order what for whom is for the door to say that takes the command.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// Closes one line, or all, until then (scenarios.md SC-37). The end is compulsory.
    Close {
        line: Option<LineName>,
        until: DateTime<Utc>,
        message: Option<PromptName>,
    },
    /// Keeps one line, or all, open until then.
    Open {
        line: Option<LineName>,
        until: DateTime<Utc>,
    },
    /// Back to the calendar.
    Automatic {
        line: Option<LineName>,
    },
    /// A listener is not rung for a while; a reason is never asked for.
    Pause {
        listener: ListenerName,
        #[serde(default)]
        reason: Option<String>,
    },
    ComeBack {
        listener: ListenerName,
    },
    EndAfterCallWork {
        listener: ListenerName,
    },
    /// So many minutes more for the notes.
    ExtendAfterCallWork {
        listener: ListenerName,
        minutes: u32,
    },
    /// Ten minutes after a difficult call.
    Rest {
        listener: ListenerName,
    },
    /// Nobody counts on this listener any more today.
    FinishForToday {
        listener: ListenerName,
    },
    /// "I can't hear well."
    MarkBadSound {
        listener: ListenerName,
    },
    /// "I know this person": the caller goes to the head of the queue, for somebody else.
    GiveBack {
        listener: ListenerName,
    },
    /// Calls a centre of the directory, by its name there; the caller waits.
    AskCentre {
        listener: ListenerName,
        centre: ListenerName,
    },
    /// Rings a colleague; the caller waits.
    AskColleague {
        listener: ListenerName,
        colleague: ListenerName,
    },
    /// Gives the caller to a colleague without a word before.
    MoveToColleague {
        listener: ListenerName,
        colleague: ListenerName,
    },
    /// Brings in the emergency services, by their name in the directory. Ordered twice within 15 s it
    /// is done; once, it does nothing (domain.md T-28).
    CallEmergency {
        listener: ListenerName,
        service: ListenerName,
    },
    /// Shows the caller these words, if they can read them (scenarios.md SC-25).
    Write {
        listener: ListenerName,
        text: Text,
    },
    /// Back to the caller, whoever was asked.
    TakeBack {
        listener: ListenerName,
    },
    /// Leaves the caller with whom the listener speaks.
    HandOver {
        listener: ListenerName,
    },
    /// A page of this listener's was signed in: it may register with a secret of its own.
    GivePass {
        listener: ListenerName,
        pass: Pass,
    },
    /// That page was signed out.
    TakePassBack {
        listener: ListenerName,
        ha1_sha256: String,
    },
    /// The last reload was refused: shown on the board until a good one.
    ReloadRefused {
        why: String,
    },
}
