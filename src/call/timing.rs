//! The deadlines of a call, and which stage each is for.

use serde::{Deserialize, Serialize};

use crate::base::Now;
use crate::call::{Call, Stage, leaving};
use crate::queue::Stop;

/// A deadline of a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) enum Timer {
    /// The next announcement of the wait is due.
    Announce,
    /// The caller has been silent long enough after a probe that failed.
    CallerGone,
    /// The long wait is admitted to.
    LongWait,
    /// A lost listener had their time to come back.
    ListenerGone,
    /// Somebody who was asked has rung for long enough.
    ConsultOver,
    /// Managers were called, and none took the call.
    HelpOver,
    /// Nobody is logged in, and nobody came.
    Nobody,
    /// A silent caller is asked once more.
    ProbeAgain,
    /// Phones may ring.
    RingAfter,
    /// The streams did not tell their figures; the record is written without.
    Unmeasured,
}

impl Call {
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.body.timers.pop_due(now.steady) {
            self.step(now, |stage, body, now| match timer {
                Timer::CallerGone => Some(leaving::caller_gone_silently(stage, body, now)),
                Timer::ProbeAgain => {
                    body.probe_caller(now);
                    None
                }
                Timer::Unmeasured => {
                    leaving::unmeasured(stage, body, now);
                    None
                }
                Timer::RingAfter => {
                    body.ready(now);
                    body.call_for_help(now);
                    None
                }
                Timer::HelpOver => {
                    body.dismiss_help(Stop::Unanswered, now);
                    match stage {
                        Stage::Waiting(waiting) => waiting.rings_changed(body, now),
                        Stage::Arriving(_)
                        | Stage::Greeting(_)
                        | Stage::Talking(_)
                        | Stage::Leaving(_)
                        | Stage::Gone(_) => None,
                    }
                }
                Timer::Announce | Timer::LongWait | Timer::Nobody => match stage {
                    Stage::Waiting(waiting) => waiting.handle_timer(body, timer, now),
                    Stage::Arriving(_)
                    | Stage::Greeting(_)
                    | Stage::Talking(_)
                    | Stage::Leaving(_)
                    | Stage::Gone(_) => None,
                },
                Timer::ConsultOver => match stage {
                    Stage::Talking(talking) => talking.rang_in_vain(body, now),
                    Stage::Arriving(_)
                    | Stage::Greeting(_)
                    | Stage::Waiting(_)
                    | Stage::Leaving(_)
                    | Stage::Gone(_) => None,
                },
                Timer::ListenerGone => match stage {
                    Stage::Talking(talking) => talking.lost(body, now),
                    Stage::Arriving(_)
                    | Stage::Greeting(_)
                    | Stage::Waiting(_)
                    | Stage::Leaving(_)
                    | Stage::Gone(_) => None,
                },
            });
        }
    }
}
