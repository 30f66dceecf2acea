//! What asking somebody else means for the caller (scenarios.md SC-26, SC-27; RFC 5589).
//!
//! The caller is never dropped for it and never left in silence: while others are asked they hear the
//! wait sound, or go on talking with the listener. Whatever fails comes home to the listener who
//! asked; if that one has gone meanwhile, the caller is at the head of the queue.

use std::time::Duration;

use crate::base::{ListenerName, Moment, Now, Sdp};
use crate::call::body::Body;
use crate::call::consulting::{Aim, Consult, Keys, Wanted, Whom};
use crate::call::leaving;
use crate::call::ringing::{Far, PhoneLeg};
use crate::call::talking::{SILENT_LISTENER_PATIENCE, SILENT_OUTSIDE_PATIENCE, Sound, Talking};
use crate::call::waiting::Waiting;
use crate::call::{CALLER, Output, Stage, Timer};
use crate::media::{Order, Road, Tone};
use crate::record::{AttemptResult, Cause, Outcome};
use crate::sip::{Failure, Reason};

/// How long the first of the two calls for the emergency services is remembered (domain.md T-28).
const ARMED_FOR: Duration = Duration::from_secs(15);

/// Told to a phone that asked by REFER, when nothing came of it.
pub(super) const NOBODY: u16 = 480;
pub(super) const TAKEN_BACK: u16 = 487;

impl Talking {
    /// The listener has pressed a key.
    pub(super) fn pressed(&mut self, body: &mut Body, digit: char, now: Now) -> Option<Stage> {
        if body.phones.get(&self.leg).is_none_or(PhoneLeg::is_outside) {
            return None;
        }
        match self.pad.pressed(digit, body) {
            Keys::Whom(Whom::Emergency(service)) => {
                self.calls_for_emergency(body, &Whom::Emergency(service), now);
                None
            }
            Keys::Whom(whom) if self.may_ask() && self.sound == Sound::Joined => {
                body.wish(Output::Seek { whom, aim: Aim::Ask });
                None
            }
            // Nobody is sent away from an emergency by two keys.
            Keys::Back if self.is_three() => None,
            Keys::Back => self.comes_home(body, TAKEN_BACK, AttemptResult::Spared, now),
            Keys::Whom(_) | Keys::Nothing => None,
        }
    }

    pub(super) fn calls_for_emergency(&mut self, body: &mut Body, service: &Whom, now: Now) {
        if !self.may_ask() {
            return;
        }
        let armed = self.armed.take();
        let again = armed
            .is_some_and(|(which, since)| which == *service && now.steady - since <= ARMED_FOR);
        if again {
            body.wish(Output::Seek { whom: service.clone(), aim: Aim::Join });
        } else {
            self.armed = Some((service.clone(), now.steady));
            let listener = self.listener.clone();
            let text = "Pour appeler les secours, faites-le encore une fois.".to_owned();
            body.wish(Output::Tell { listener, text });
        }
    }

    /// Whether the caller is a listener's, and nobody else is being asked.
    pub(super) fn may_ask(&self) -> bool {
        let is_calm = match self.sound {
            Sound::Joined | Sound::OnHold => true,
            Sound::Consulting | Sound::Three | Sound::Left | Sound::Lost { .. } => false,
        };
        is_calm && self.consult.is_none() && !self.handed_over && self.after_caller.is_none()
    }

    pub(super) fn is_with(&self, listener: &ListenerName) -> bool {
        self.listener == *listener && !self.asker_gone && !self.handed_over
    }

    pub(super) fn is_theirs(&self, leg: u32) -> bool {
        let is_ear = self.consult.as_ref().is_some_and(|consult| consult.ear == leg);
        !self.handed_over && !self.asker_gone && (leg == self.leg || is_ear)
    }

    pub(super) fn asks_on(&self, own: u32, ear: u32) -> bool {
        let asks = |consult: &Consult| consult.ear == ear && consult.refer.is_none();
        self.leg == own && ear != own && self.consult.as_ref().is_some_and(asks)
    }

    pub(super) fn is_three(&self) -> bool {
        self.sound == Sound::Three
    }

    pub(super) fn has_party(&self, leg: u32) -> bool {
        self.consult.as_ref().is_some_and(|consult| consult.has(leg))
    }

    pub(super) fn asks(&mut self, body: &mut Body, wanted: Wanted, now: Now) {
        if !self.may_ask() {
            return;
        }
        if wanted.aim != Aim::Join {
            let streams = self.streams(body);
            if self.sound == Sound::Joined {
                body.media(Order::Part { streams });
            }
            self.sound = Sound::Consulting;
            body.play_wait_sound(CALLER);
            body.media(Order::Tone { stream: streams[1], tone: Tone::Ringback });
        }
        self.consult = Some(Consult::begin(body, self.leg, wanted, now));
    }

    pub(super) fn asks_beside(
        &mut self,
        body: &mut Body,
        wanted: Wanted,
        offer: Option<Sdp>,
        road: Road,
        now: Now,
    ) -> Option<u32> {
        if !self.may_ask() {
            return None;
        }
        let ear = body.dialled(self.listener.clone(), offer, road);
        body.wish(Output::Alert { leg: ear });
        self.consult = Some(Consult::begin(body, ear, wanted, now));
        Some(ear)
    }

    pub(super) fn party_rings(&mut self, body: &mut Body, leg: u32) {
        if let Some(consult) = self.consult.as_mut().filter(|consult| consult.has(leg)) {
            consult.rings(body);
        }
    }

    /// Whom they asked has answered.
    pub(super) fn party_answered(
        &mut self,
        body: &mut Body,
        leg: u32,
        answer: Option<Sdp>,
        now: Now,
    ) -> Option<Stage> {
        let consult = self.consult.as_mut()?;
        if !consult.answered(body, leg, answer, now) {
            return self.comes_home(body, NOBODY, AttemptResult::Declined, now);
        }
        let (Some((speaking, _)), ear, aim) = (consult.speaking(), consult.ear, consult.aim) else {
            return None;
        };
        if speaking != leg {
            return None;
        }
        match aim {
            Aim::Ask => {
                if ear != self.leg {
                    body.accept_dialled(ear);
                }
                body.media(Order::Join { streams: [body.stream(ear), body.stream(leg)] });
                None
            }
            Aim::Move => {
                self.hands_over(body, now);
                None
            }
            Aim::Join => {
                self.sound = Sound::Three;
                body.timers.stop(&Timer::ListenerGone);
                let [caller, listener] = self.streams(body);
                body.playing = None;
                body.media(Order::Gather { streams: vec![caller, listener, body.stream(leg)] });
                None
            }
        }
    }

    /// A leg of those who are asked, or the line they are asked on, is gone.
    pub(super) fn party_left(
        &mut self,
        body: &mut Body,
        leg: u32,
        status: u16,
        now: Now,
    ) -> Option<Stage> {
        let own = self.leg;
        let consult = self.consult.as_mut()?;
        if consult.ear == leg && leg != own {
            // Who has asked for a transfer may hang up on what rings: that goes on.
            return match consult.aim {
                Aim::Move => {
                    consult.ear = own;
                    None
                }
                Aim::Ask | Aim::Join => {
                    self.comes_home(body, TAKEN_BACK, AttemptResult::Spared, now)
                }
            };
        }
        if consult.has(leg) && consult.lost(body, leg) {
            return self.comes_home(body, status, AttemptResult::Unreachable, now);
        }
        None
    }

    /// A phone of those who are asked could not be had.
    pub(super) fn party_failed(
        &mut self,
        body: &mut Body,
        leg: u32,
        why: Failure,
        now: Now,
    ) -> Option<Stage> {
        let status = match why {
            Failure::Refused(status) => status,
            Failure::TimedOut | Failure::Unreachable => NOBODY,
            Failure::Cancelled => TAKEN_BACK,
        };
        self.party_left(body, leg, status, now)
    }

    /// They have rung for long enough.
    pub(super) fn rang_in_vain(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        self.comes_home(body, NOBODY, AttemptResult::Unanswered, now)
    }

    /// Nothing came of it: caller and listener have each other again.
    pub(super) fn comes_home(
        &mut self,
        body: &mut Body,
        status: u16,
        result: AttemptResult,
        now: Now,
    ) -> Option<Stage> {
        let consult = self.consult.take()?;
        let (ear, aim, speaking) = (consult.ear, consult.aim, consult.speaking());
        if consult.refer.is_some() {
            self.failed_at = Some(now.steady);
        }
        if let Some((leg, _)) = speaking
            && aim == Aim::Ask
        {
            body.media(Order::Part { streams: [body.stream(ear), body.stream(leg)] });
        }
        consult.end(body, status, result, now);
        if ear != self.leg {
            body.end_phone(ear, Reason::Normal);
        }
        if let Some((cause, at)) = self.after_caller {
            return Some(self.ends_after_caller(body, cause, at, now));
        }
        if self.asker_gone {
            body.returns(None, now);
            return Some(Waiting::again(body, false, now));
        }
        if aim == Aim::Join && speaking.is_none() {
            let listener = self.listener.clone();
            let text = "Les secours n’ont pas répondu.".to_owned();
            body.wish(Output::Tell { listener, text });
        }
        match self.sound {
            Sound::Consulting | Sound::Three => {
                body.playing = None;
                if self.sound == Sound::Consulting {
                    body.media(Order::Hush { stream: body.stream(self.leg) });
                }
                self.sound = Sound::OnHold;
                self.settle_sound(body, false);
            }
            Sound::Joined | Sound::OnHold | Sound::Left | Sound::Lost { .. } => {}
        }
        None
    }

    pub(super) fn completes(&mut self, body: &mut Body, leg: u32, now: Now) -> Option<Stage> {
        let consult = self.consult.as_mut()?;
        consult.refer = Some(leg);
        if consult.speaking().is_some() {
            self.hands_over(body, now);
        } else {
            // They ring still: the caller is theirs as soon as they answer.
            consult.aim = Aim::Move;
        }
        None
    }

    pub(super) fn hands_over_if_speaking(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if self.consult.as_ref().is_some_and(|consult| consult.speaking().is_some())
            && self.after_caller.is_none()
        {
            self.hands_over(body, now);
        }
        None
    }

    /// The caller is theirs who have answered; the listener's part is over.
    pub(super) fn hands_over(&mut self, body: &mut Body, now: Now) {
        let Some(consult) = self.consult.take() else {
            return;
        };
        let Some((leg, since)) = consult.speaking() else {
            self.consult = Some(consult);
            return;
        };
        if let Some(refer) = consult.refer {
            body.wish(Output::Transfer { leg: refer, status: 200 });
        }
        let streams = self.streams(body);
        if consult.aim == Aim::Ask {
            let streams = [body.stream(consult.ear), body.stream(leg)];
            body.media(Order::Part { streams });
        }
        body.timers.stop(&Timer::ListenerGone);
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams });
        }
        if !self.asker_gone {
            self.over(body, now);
            body.end_phone(self.leg, Reason::Normal);
        }
        if consult.ear != self.leg {
            body.end_phone(consult.ear, Reason::Normal);
        }
        body.playing = None;
        self.leg = leg;
        self.silent = false;
        body.timers.stop(&Timer::AskAfter);
        self.since = since;
        self.asker_gone = false;
        self.armed = None;
        self.failed_at = None;
        self.handed_over = consult.colleague().is_none();
        if let Some(phone) = body.phones.get_mut(&leg) {
            self.listener = phone.listener.clone();
            if let Far::Colleague(reference) = phone.far {
                phone.far = Far::Phone(reference);
            }
        }
        let patience = if self.handed_over {
            SILENT_OUTSIDE_PATIENCE
        } else {
            if let Some(draft) = &mut body.draft {
                draft.connected(self.listener.clone(), now.steady);
            }
            SILENT_LISTENER_PATIENCE
        };
        body.media(Order::Watch { stream: body.stream(leg), patience });
        self.sound = Sound::OnHold;
        self.settle_sound(body, false);
        body.wish(Output::HandedOver);
    }

    /// The listener has hung up, or is lost, while somebody was asked; whether the caller is
    /// provided for all the same.
    pub(super) fn asker_left(&mut self, body: &mut Body, lost: bool, now: Now) -> bool {
        let own = self.leg;
        let Some(consult) = self.consult.as_mut() else {
            return false;
        };
        match (consult.aim, consult.speaking()) {
            // A lost phone has decided nothing; and whoever rings may never answer.
            (Aim::Ask, Some(_)) if lost => return false,
            (Aim::Ask, None) => return false,
            (Aim::Ask | Aim::Move | Aim::Join, Some(_)) => {
                if lost {
                    self.doubts(body);
                }
                self.hands_over(body, now);
                return true;
            }
            (Aim::Move | Aim::Join, None) => consult.aim = Aim::Move,
        }
        let ear = std::mem::replace(&mut consult.ear, own);
        if ear != own {
            body.end_phone(ear, Reason::Normal);
        }
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams: self.streams(body) });
        }
        if self.sound != Sound::Consulting {
            body.play_wait_sound(CALLER);
        }
        self.sound = Sound::Consulting;
        body.timers.stop(&Timer::ListenerGone);
        if lost {
            self.doubts(body);
        }
        let listener = self.listener.clone();
        body.wish(Output::HungUp { listener, talked: self.talked(now), lost });
        body.end_phone(self.leg, Reason::Normal);
        self.asker_gone = true;
        true
    }

    fn doubts(&self, body: &mut Body) {
        if let Some(PhoneLeg { far: Far::Phone(phone), .. }) = body.phones.get(&self.leg) {
            let phone = *phone;
            body.wish(Output::Doubt { phone });
        }
    }

    pub(super) fn moves_to(&mut self, body: &mut Body, leg: u32) {
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams: self.streams(body) });
        }
        body.end_phone(self.leg, Reason::CompletedElsewhere);
        self.leg = leg;
        self.silent = false;
        body.timers.stop(&Timer::AskAfter);
        let patience = SILENT_LISTENER_PATIENCE;
        body.media(Order::Watch { stream: body.stream(leg), patience });
        self.sound = Sound::OnHold;
        self.settle_sound(body, false);
    }

    pub(super) fn gives_back(&mut self, body: &mut Body, now: Now) -> Stage {
        let listener = self.listener.clone();
        let talked = self.talked(now);
        self.drop_consult(body, now);
        if self.sound == Sound::Joined {
            body.media(Order::Part { streams: self.streams(body) });
        }
        body.end_phone(self.leg, Reason::Normal);
        body.wish(Output::HungUp { listener: listener.clone(), talked, lost: false });
        body.returns(Some(listener), now);
        Waiting::again(body, false, now)
    }

    /// Whoever is asked is asked no more, whatever becomes of the caller.
    pub(super) fn drop_consult(&mut self, body: &mut Body, now: Now) {
        if let Some(consult) = self.consult.take() {
            let ear = consult.ear;
            consult.end(body, TAKEN_BACK, AttemptResult::Spared, now);
            if ear != self.leg {
                body.end_phone(ear, Reason::Normal);
            }
        }
    }

    // ---- the caller has left an emergency call ----

    /// The caller is gone, and the listener speaks on with the emergency services: they may have to
    /// say where help is needed.
    pub(super) fn caller_left_three(&mut self, body: &mut Body, cause: Cause, now: Now) {
        if self.after_caller.is_some() {
            return;
        }
        self.after_caller = Some((cause, now.steady));
        if !body.caller_gone {
            // They have left without a word.
            body.caller_gone = true;
            body.wish(Output::End { leg: CALLER, reason: Reason::MediaLost });
        }
        let Some((leg, _)) = self.consult.as_ref().and_then(Consult::speaking) else {
            return;
        };
        body.media(Order::Join { streams: [body.stream(self.leg), body.stream(leg)] });
        let stream = body.stream(CALLER);
        body.media(Order::Close { stream });
    }

    pub(super) fn ends_after_caller(
        &mut self,
        body: &mut Body,
        cause: Cause,
        at: Moment,
        now: Now,
    ) -> Stage {
        self.drop_consult(body, now);
        if body.phones.contains_key(&self.leg) {
            self.over(body, now);
        }
        body.end_phone(self.leg, Reason::Normal);
        let outcome = Outcome::TakenByListener;
        let mut stage = leaving::finish_as_of(body, outcome, cause, Reason::Normal, at, now);
        // The caller's stream has told its figures when they left.
        leaving::unmeasured(&mut stage, body, now);
        stage
    }
}
