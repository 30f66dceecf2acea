//! The caller hears who has answered.
//!
//! A few seconds into the greeting phones begin to ring. A listener who picks up before its end is
//! joined at its end, at most two seconds later: the words that say the call is free and
//! confidential are heard by everybody.

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Now};
use crate::call::body::Body;
use crate::call::leaving::Leaving;
use crate::call::talking::Talking;
use crate::call::waiting::Waiting;
use crate::call::{Output, Stage, Timer};

/// Being greeted.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Greeting {
    picked_up: Option<(u32, ListenerName)>,
    drain_is_over: bool,
}

impl Greeting {
    pub(super) fn begin(body: &mut Body, drain_is_over: bool, now: Now) -> Stage {
        body.play(body.line.greeting.clone());
        body.timers.set(Timer::RingAfter, now.steady + body.line.ring_after);
        Stage::Greeting(Self { picked_up: None, drain_is_over })
    }

    pub(super) fn drain_over(&mut self, body: &mut Body) {
        self.drain_is_over = true;
        body.wish(Output::Unready);
        body.timers.stop(&Timer::RingAfter);
    }

    pub(super) fn picked_up(
        &mut self,
        body: &mut Body,
        leg: u32,
        listener: ListenerName,
        now: Now,
    ) -> Option<Stage> {
        self.picked_up = Some((leg, listener.clone()));
        // A greeting that can't be played to its end must not keep two people apart.
        if body.playing.is_none() { Some(Talking::begin(body, leg, listener, now)) } else { None }
    }

    /// The listener who picked up is gone again before the greeting ended.
    pub(super) fn listener_left(&mut self, body: &mut Body, leg: u32, now: Now) {
        match self.picked_up.take_if(|(picked, _)| *picked == leg) {
            Some((leg, listener)) => {
                body.listener_lost(leg, listener, std::time::Duration::ZERO, false, now);
            }
            None => body.phone_failed(leg, crate::sip::Failure::Unreachable, now),
        }
    }

    pub(super) fn finished(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if let Some(draft) = &mut body.draft {
            draft.greeted(now.steady);
        }
        if let Some((leg, listener)) = self.picked_up.take() {
            return Some(Talking::begin(body, leg, listener, now));
        }
        if body.timers.due(&Timer::RingAfter).is_some() {
            body.timers.stop(&Timer::RingAfter);
            body.ready(now);
        }
        if self.drain_is_over && !body.is_ringing() {
            return Some(Leaving::drain_over(body, now));
        }
        Some(Waiting::begin(body, self.drain_is_over, now))
    }

    pub(super) fn holds(&self) -> Option<&(u32, ListenerName)> {
        self.picked_up.as_ref()
    }
}
