use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{LineName, ListenerName, PromptName};

/// Names one command, so that its reply finds the way back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CommandRef(pub u64);

/// What an operator may order while the house runs.
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
    Pause {
        listener: ListenerName,
    },
    ComeBack {
        listener: ListenerName,
    },
    /// The last reload was refused: shown on the board until a good one.
    ReloadRefused {
        why: String,
    },
}
