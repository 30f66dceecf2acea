//! What happened to a call, once it is over.
//!
//! A [`Draft`] lives with the call and is told its milestones; when the call ends it becomes the
//! one [`CallRecord`] of that call, which an [`Archive`] keeps. Nothing here knows why a call ended
//! the way it did (that is `call`) or how records are stored (that is `store`).
//!
//! A record has no field a caller's number could be put in, and says when a call came only to the
//! minute (domain.md §4, P-01 and P-05): it answers "how long did people wait on Monday", never
//! "who rang".

mod archive;
mod cause;
mod draft;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{CallRef, LineName, ListenerName, TrunkName};

pub use archive::{Archive, DayTally, Purged, Totals, Window};
pub use cause::{Cause, Party, Q850};
pub use draft::Draft;

/// One call, from the first INVITE to the end.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallRecord {
    pub call: CallRef,
    /// The line that served the call.
    pub line: LineName,
    /// The line that was dialled, if it was another: it has moved, or was forwarded.
    #[serde(default)]
    pub origin: Option<LineName>,
    /// The trunk the call came by; none for a call from a registered phone.
    pub trunk: Option<TrunkName>,
    /// When the call came, rounded down to the minute.
    pub arrived: DateTime<Utc>,
    /// From arrival until the first words (the greeting, or the message in its place) were over or
    /// cut.
    pub greeting: Duration,
    /// From arrival until a listener picked up, or until the end if none did; with the waits after
    /// a listener was lost. Zero for a call that was never let into the queue.
    pub waited: Duration,
    /// Time spent with listeners, all of them together.
    pub talked: Duration,
    /// From arrival to the end.
    pub lasted: Duration,
    /// The listener who talked with the caller; the last one if there were several.
    pub listener: Option<ListenerName>,
    /// Who was rung, in the order in which the ringing began.
    pub attempts: Vec<Attempt>,
    /// Attempts beyond those kept in `attempts`.
    pub attempts_untold: u32,
    pub outcome: Outcome,
    pub cause: Cause,
    /// The version of the plan the call ran under.
    pub plan: String,
    /// What the caller's network was like.
    pub quality: Quality,
    /// What the network of the listener's phone was like; the last one's, if there were several.
    #[serde(default)]
    pub listener_quality: Option<Quality>,
}

/// One listener, rung for one caller.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attempt {
    pub listener: ListenerName,
    pub rang: Duration,
    pub result: AttemptResult,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    Answered,
    /// The listener, or their phone, said no.
    Declined,
    /// It rang until we gave up.
    Unanswered,
    /// The phone gave no sign of life.
    Unreachable,
    /// Not the listener's doing: somebody else picked up, or the caller left.
    Spared,
}

/// How a call ended for the caller; exactly one per call (domain.md §3.5).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    TakenByListener,
    /// Left during the greeting, after its fifth second.
    AbandonedInGreeting,
    /// Left before anybody could have picked up.
    #[serde(rename = "abandoned_under_5s")]
    AbandonedUnder5s,
    AbandonedInQueue,
    ClosedMessageHeard,
    ClosedMessageCut,
    /// The queue was full.
    Saturated,
    /// Open, but nobody was on duty, or patience ran out.
    NoListener,
    /// Let in before closing, and still waiting when the drain ended.
    DrainExpired,
    /// Refused at the door, to keep the promise made to those inside.
    Overload,
    /// Refused for what it was: unknown number, no common codec, not allowed.
    Rejected,
    /// Our fault, or the network's.
    TechnicalFailure,
}

impl Outcome {
    /// All of them, in the order they are told.
    pub const ALL: [Self; 12] = [
        Self::TakenByListener,
        Self::AbandonedInGreeting,
        Self::AbandonedUnder5s,
        Self::AbandonedInQueue,
        Self::ClosedMessageHeard,
        Self::ClosedMessageCut,
        Self::Saturated,
        Self::NoListener,
        Self::DrainExpired,
        Self::Overload,
        Self::Rejected,
        Self::TechnicalFailure,
    ];

    /// The word for metrics and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakenByListener => "taken_by_listener",
            Self::AbandonedInGreeting => "abandoned_in_greeting",
            Self::AbandonedUnder5s => "abandoned_under_5s",
            Self::AbandonedInQueue => "abandoned_in_queue",
            Self::ClosedMessageHeard => "closed_message_heard",
            Self::ClosedMessageCut => "closed_message_cut",
            Self::Saturated => "saturated",
            Self::NoListener => "no_listener",
            Self::DrainExpired => "drain_expired",
            Self::Overload => "overload",
            Self::Rejected => "rejected",
            Self::TechnicalFailure => "technical_failure",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = NotAnOutcome;

    fn from_str(text: &str) -> Result<Self, NotAnOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(NotAnOutcome)
    }
}

/// A word that is none of the outcomes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no call ends that way")]
pub struct NotAnOutcome;

/// What the caller's network was like, in numbers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Quality {
    /// RTP packets.
    pub received: u64,
    pub sent: u64,
    /// Packets that never came.
    pub lost: u64,
    /// RFC 3550 §6.4.1 interarrival jitter.
    pub jitter: Duration,
    /// Packets from a source that was not the caller's.
    pub strangers: u64,
    /// Packets of ours that never reached them, as their phone reports.
    #[serde(default)]
    pub lost_outward: u64,
    /// There and back.
    #[serde(default)]
    pub round_trip: Option<Duration>,
    /// A mean opinion score, estimated, in hundredths.
    #[serde(default)]
    pub score: Option<u16>,
}

impl Quality {
    /// Whether we spoke for five seconds and more to somebody of whom not one packet came: a door
    /// on the way is shut in one direction.
    pub fn is_one_way(&self) -> bool {
        self.received == 0 && self.sent >= 250
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_found_by_its_word_and_no_other_is() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        assert_eq!("answered".parse::<Outcome>(), Err(NotAnOutcome));
    }
}
