//! The deadlines of a call, and which stage each is for.

use serde::{Deserialize, Serialize};

use crate::base::Now;
use crate::call::talking::Talking;
use crate::call::{Call, leaving};
use crate::queue::Stop;

/// A deadline of a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) enum Timer {
    /// The next announcement of the wait is due.
    Announce,
    /// Is a silent phone that holds still there?
    AskAfter,
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
            match timer {
                Timer::CallerGone => self.step(now, leaving::caller_gone_silently),
                Timer::ProbeAgain => self.body.probe_caller(now),
                Timer::Unmeasured => leaving::unmeasured(&mut self.stage, &mut self.body, now),
                Timer::RingAfter => {
                    self.body.ready(now);
                    self.body.call_for_help(now);
                }
                Timer::HelpOver => {
                    self.body.dismiss_help(Stop::Unanswered, now);
                    self.rings_changed(now);
                }
                Timer::Announce | Timer::LongWait | Timer::Nobody => {
                    self.waiting(now, |waiting, body, now| waiting.handle_timer(body, timer, now));
                }
                Timer::AskAfter => self.talking(now, |talking, body, now| {
                    talking.asks_after(body, now);
                    None
                }),
                Timer::ConsultOver => self.talking(now, Talking::rang_in_vain),
                Timer::ListenerGone => self.talking(now, Talking::lost),
            }
        }
    }
}
