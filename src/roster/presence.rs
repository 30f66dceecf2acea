use serde::{Deserialize, Serialize};

use crate::base::{CallRef, Moment};

/// What a listener is doing, as far as ringing them goes.
///
/// It is never stored: the roster works it out from phones, calls and leases, so that nobody can
/// be stuck in a state that nothing supports any more.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Presence {
    /// No phone is registered.
    Offline,
    Available {
        since: Moment,
    },
    Alerting {
        call: CallRef,
    },
    Talking {
        call: CallRef,
    },
    AfterCallWork {
        until: Moment,
    },
    Paused {
        why: Pause,
    },
    /// In a call of their own making.
    Elsewhere,
    /// Registered, but none of the phones answers.
    Unreachable,
}

impl Presence {
    /// The word for pages and metrics (domain.md §3.5).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Available { .. } => "available",
            Self::Alerting { .. } => "alerting",
            Self::Talking { .. } => "talking",
            Self::AfterCallWork { .. } => "after_call_work",
            Self::Paused { .. } => "paused",
            Self::Elsewhere => "elsewhere",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Why a listener isn't rung although their phone is there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Pause {
    /// Their own wish; no reason is asked for.
    Own,
    /// They let the phone ring too often, and have probably walked off (scenarios.md SC-15).
    Missed,
    /// A rest after a difficult call, until then.
    Rest { until: Moment },
    /// They have finished for today: nobody is there.
    Finished { until: Moment },
    /// Their phone refuses; it is tried again then.
    Refusing { until: Moment },
}
