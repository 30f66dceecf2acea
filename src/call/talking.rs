//! The caller and a listener talk.
//!
//! No clock, plan or schedule ends this: only one of the two does. When the listener's phone falls
//! silent the caller is told at once and waits for them for a while; then another listener is found,
//! and nothing of it is seen on the caller's own leg (scenarios.md SC-16).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment, Now};
use crate::call::body::Body;
use crate::call::consulting::{Consult, Pad, Whom};
use crate::call::leaving;
use crate::call::ringing::PhoneLeg;
use crate::call::waiting::Waiting;
use crate::call::{CALLER, Output, Stage, Timer};
use crate::media::Order;
use crate::record::{Cause, Outcome, Party, Q850};
use crate::sip::{Ending, Reason};

/// How long neither RTP nor RTCP comes from a listener before the caller hears words instead of
/// silence.
pub(super) const SILENT_LISTENER_PATIENCE: Duration = Duration::from_secs(4);

/// The same for somebody on the public network.
pub(super) const SILENT_OUTSIDE_PATIENCE: Duration = Duration::from_secs(30);

/// How long a caller stays on a line the centre has left before they are offered back.
const LEFT_ALONE: Duration = Duration::from_secs(3);

/// How long after a transfer that failed a listener who hangs up may have meant to leave the caller
/// with somebody.
const FAILURE_IS_NEWS: Duration = Duration::from_secs(5);

/// How long a lost listener has to come back without being rung again.
const LOST_LISTENER_MAX: Duration = Duration::from_secs(15);

/// Talking with a listener.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Talking {
    pub leg: u32,
    pub listener: ListenerName,
    pub since: Moment,
    pub sound: Sound,
    /// Nothing at all comes from their phone. While it holds, that may be right.
    pub silent: bool,
    /// The listener asks somebody else.
    pub consult: Option<Consult>,
    /// The listener has gone, and the caller is about to be theirs who are asked.
    pub asker_gone: bool,
    /// It is a centre by now that the caller talks with.
    pub handed_over: bool,
    /// A transfer they asked their phone for has failed then; they may not know yet.
    pub failed_at: Option<Moment>,
    /// The emergency services were called for once, and when.
    pub armed: Option<(Whom, Moment)>,
    /// The caller has left an emergency call that goes on: why, and when.
    pub after_caller: Option<(Cause, Moment)>,
    pub pad: Pad,
}

/// What joins the two now.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Sound {
    Joined,
    /// One has put the other on hold.
    OnHold,
    /// Somebody else is asked, and the caller waits.
    Consulting,
    /// The emergency services are with them.
    Three,
    /// A centre the caller was left with has hung up: is the caller still there?
    Left,
    /// The listener's phone is silent; `told` once the caller has heard that they should wait.
    Lost {
        told: bool,
    },
}

impl Talking {
    pub(super) fn begin(body: &mut Body, leg: u32, listener: ListenerName, now: Now) -> Stage {
        for timer in [Timer::Announce, Timer::LongWait, Timer::Nobody, Timer::RingAfter] {
            body.timers.stop(&timer);
        }
        if let Some(draft) = &mut body.draft {
            draft.connected(listener.clone(), now.steady);
        }
        body.playing = None;
        let stream = body.stream(leg);
        // The public network may rightly send nothing while nobody speaks.
        let is_outside = body.phones.get(&leg).is_some_and(PhoneLeg::is_outside);
        let patience = if is_outside { SILENT_OUTSIDE_PATIENCE } else { SILENT_LISTENER_PATIENCE };
        body.media(Order::Watch { stream, patience });
        body.show_unread(&listener);
        let mut talking = Self {
            leg,
            listener,
            since: now.steady,
            sound: Sound::OnHold,
            silent: false,
            consult: None,
            asker_gone: false,
            handed_over: false,
            failed_at: None,
            armed: None,
            after_caller: None,
            pad: Pad::default(),
        };
        talking.settle_sound(body, false);
        Stage::Talking(talking)
    }

    pub(super) fn leg(&self) -> u32 {
        self.leg
    }

    pub(super) fn talked(&self, now: Now) -> Duration {
        now.steady - self.since
    }

    /// Hold or resume, by either side.
    pub(super) fn hold_changed(&mut self, body: &mut Body) {
        match self.sound {
            Sound::Joined | Sound::OnHold => self.settle_sound(body, true),
            Sound::Consulting | Sound::Three | Sound::Left | Sound::Lost { .. } => {}
        }
    }

    pub(super) fn listener_silent(&mut self, body: &mut Body, now: Now) {
        if self.sound != Sound::Joined {
            self.silent = true;
            self.asks_after(body, now);
            return;
        }
        self.sound = Sound::Lost { told: false };
        body.media(Order::Part { streams: self.streams(body) });
        body.play(vec![body.line.words.back_in_queue.clone()]);
        body.timers.set(Timer::ListenerGone, now.steady + LOST_LISTENER_MAX);
    }

    /// A phone that holds, or whose listener speaks with somebody else, and says nothing: is it there?
    /// Asked now and every while.
    pub(super) fn asks_after(&mut self, body: &mut Body, now: Now) {
        let speaks_elsewhere = match self.sound {
            Sound::OnHold | Sound::Consulting | Sound::Three => !self.asker_gone,
            Sound::Joined | Sound::Left | Sound::Lost { .. } => false,
        };
        if self.silent && speaks_elsewhere {
            body.wish(Output::Probe { leg: self.leg });
            body.timers.set(Timer::AskAfter, now.steady + SILENT_OUTSIDE_PATIENCE);
        }
    }

    /// The answer to that.
    pub(super) fn listener_probed(
        &mut self,
        body: &mut Body,
        leg: u32,
        alive: bool,
        now: Now,
    ) -> Option<Stage> {
        if leg != self.leg || alive || !self.silent {
            return None;
        }
        self.lost(body, now)
    }

    pub(super) fn listener_heard(&mut self, body: &mut Body, _now: Now) {
        self.silent = false;
        body.timers.stop(&Timer::AskAfter);
        if matches!(self.sound, Sound::Lost { .. }) {
            body.timers.stop(&Timer::ListenerGone);
            body.playing = None;
            self.sound = Sound::OnHold;
            self.settle_sound(body, false);
        }
    }

    /// The words for a lost listener are over: the wait sound takes their place.
    pub(super) fn finished(&mut self, body: &mut Body) {
        if let Sound::Lost { told: false } = self.sound {
            self.sound = Sound::Lost { told: true };
            body.play_wait_sound(CALLER);
        }
    }

    /// The listener is lost: the caller is theirs whom the listener asked, if that was settled, or
    /// goes back in line.
    pub(super) fn lost(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if let Some((cause, at)) = self.after_caller {
            return Some(self.ends_after_caller(body, cause, at, now));
        }
        if self.asker_left(body, true, now) { None } else { Some(self.given_up(body, true, now)) }
    }

    /// The listener did not come back: the caller goes to the head of the queue. `lost`: nor did they
    /// say so.
    fn given_up(&mut self, body: &mut Body, lost: bool, now: Now) -> Stage {
        let told = matches!(self.sound, Sound::Lost { told: true });
        let talked = self.talked(now);
        body.timers.stop(&Timer::ListenerGone);
        body.timers.stop(&Timer::AskAfter);
        self.drop_consult(body, now);
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams: self.streams(body) });
        }
        body.listener_lost(self.leg, self.listener.clone(), talked, lost, now);
        let speaking = matches!(self.sound, Sound::Lost { told: false });
        if told {
            // They have heard the words already; the wait sound goes on.
            body.playing = None;
        }
        Waiting::again(body, speaking, now)
    }

    /// What they answered with is nothing to talk over. As good as a refusal, and like one not to be
    /// rung again in the same breath: a phone like that would take every caller from the others.
    pub(super) fn never_spoke(&mut self, body: &mut Body, now: Now) -> Stage {
        self.drop_consult(body, now);
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams: self.streams(body) });
        }
        body.listener_lost(self.leg, self.listener.clone(), Duration::ZERO, false, now);
        Waiting::again(body, false, now)
    }

    /// The listener hung up, or their side has lost the dialog.
    pub(super) fn listener_ended(
        &mut self,
        body: &mut Body,
        ending: &Ending,
        told: Option<Q850>,
        now: Now,
    ) -> Option<Stage> {
        match ending {
            Ending::HungUp | Ending::Cancelled => {}
            // Nobody has hung up: the phone is gone, and the caller must not pay for it.
            Ending::Broke | Ending::NeverAcknowledged | Ending::Lost => {
                return self.lost(body, now);
            }
        }
        if let Some((cause, at)) = self.after_caller {
            return Some(self.ends_after_caller(body, cause, at, now));
        }
        if self.asker_left(body, false, now) {
            return None;
        }
        if self.consult.is_some() {
            // Nobody is there yet to leave the caller with.
            self.drop_consult(body, now);
            let talked = self.talked(now);
            body.listener_lost(self.leg, self.listener.clone(), talked, false, now);
            return Some(Waiting::again(body, false, now));
        }
        if self.handed_over {
            body.media(Order::Part { streams: self.streams(body) });
            body.end_phone(self.leg, Reason::Normal);
            self.sound = Sound::Left;
            body.timers.set(Timer::ListenerGone, now.steady + LEFT_ALONE);
            return None;
        }
        if matches!(self.sound, Sound::Lost { .. }) {
            // They have hung up on a dead line, and the caller waits for them.
            return Some(self.given_up(body, false, now));
        }
        if self.failed_at.is_some_and(|at| now.steady - at < FAILURE_IS_NEWS) {
            // They think that the caller is somebody else's by now.
            let talked = self.talked(now);
            body.listener_lost(self.leg, self.listener.clone(), talked, false, now);
            return Some(Waiting::again(body, false, now));
        }
        let cause = leaving::hung_up(Party::Listener, told);
        self.over(body, now);
        Some(leaving::finish(body, Outcome::TakenByListener, cause, Reason::Normal, now))
    }

    /// The listener's part is over; their leg is gone or about to be ended.
    pub(super) fn over(&mut self, body: &mut Body, now: Now) {
        let listener = self.listener.clone();
        body.wish(Output::HungUp { listener, talked: self.talked(now), lost: false });
    }

    pub(super) fn settle_sound(&mut self, body: &mut Body, changed: bool) {
        let phone_holds = body.phones.get(&self.leg).is_some_and(|phone| phone.talks.held);
        let held = phone_holds || body.caller.held;
        match (self.sound, held) {
            (Sound::OnHold, false) => {
                self.sound = Sound::Joined;
                body.media(Order::Join { streams: self.streams(body) });
                self.listens_again(body);
            }
            (Sound::Joined, true) => {
                self.sound = Sound::OnHold;
                body.media(Order::Part { streams: self.streams(body) });
                // Whoever is put on hold hears the wait sound, not a dead line.
                body.play_wait_sound(if phone_holds { CALLER } else { self.leg });
            }
            (Sound::OnHold, true) if changed => {
                body.play_wait_sound(if phone_holds { CALLER } else { self.leg });
            }
            (Sound::OnHold, true) => body.play_wait_sound(CALLER),
            (Sound::Joined, false)
            | (Sound::Consulting | Sound::Three | Sound::Left | Sound::Lost { .. }, _) => {}
        }
    }

    /// From now on they should be heard, however long they have said nothing.
    fn listens_again(&mut self, body: &mut Body) {
        if std::mem::take(&mut self.silent) {
            body.timers.stop(&Timer::AskAfter);
            let is_outside = body.phones.get(&self.leg).is_some_and(PhoneLeg::is_outside);
            let patience =
                if is_outside { SILENT_OUTSIDE_PATIENCE } else { SILENT_LISTENER_PATIENCE };
            body.media(Order::Watch { stream: body.stream(self.leg), patience });
        }
    }

    pub(super) fn streams(&self, body: &Body) -> [crate::base::StreamRef; 2] {
        [body.stream(CALLER), body.stream(self.leg)]
    }
}
