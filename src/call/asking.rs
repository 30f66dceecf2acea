//! The facts of a listener who wants somebody else for the caller: whom they may ask, that they do, and
//! what they decide. What it means for the caller is in [`super::handing_over`].

use crate::base::{ListenerName, Now, Sdp};
use crate::call::consulting::{Asked, Wanted, Whom};
use crate::call::handing_over::{NOBODY, TAKEN_BACK};
use crate::call::talking::Talking;
use crate::call::{Call, Stage};
use crate::media::Road;
use crate::record::AttemptResult;

impl Call {
    /// Whether this listener has the caller now, and asks nobody.
    pub fn may_ask(&self, listener: &ListenerName) -> bool {
        self.talking_with(listener).is_some_and(Talking::may_ask)
    }

    /// Whether this listener is the one the caller talks with.
    pub fn talks_with(&self, listener: &ListenerName) -> bool {
        self.talking_with(listener).is_some()
    }

    /// The listener the caller talks with.
    pub fn listener(&self) -> Option<&ListenerName> {
        self.stage.conversation().map(|talking| &talking.listener)
    }

    /// Whom this listener asks, or has brought in.
    pub fn asked_by(&self, listener: &ListenerName) -> Option<Asked<'_>> {
        let talking = self.talking_with(listener)?;
        let consult = talking.consult.as_ref()?;
        Some(Asked {
            name: consult.name(),
            is_colleague: consult.colleague().is_some(),
            aim: consult.aim,
            answered: consult.speaking().is_some(),
        })
    }

    /// Whether the emergency services are in the conversation.
    pub fn has_emergency(&self) -> bool {
        self.stage.conversation().is_some_and(Talking::is_three)
    }

    /// Whose phone is behind a leg, if they talk with the caller over it or ask somebody there.
    pub fn listener_on(&self, leg: u32) -> Option<&ListenerName> {
        let talking = self.stage.conversation().filter(|talking| talking.is_theirs(leg))?;
        Some(&talking.listener)
    }

    /// Somebody they wanted can be reached: see [`super::Output::Seek`].
    pub fn asks(&mut self, wanted: Wanted, now: Now) {
        self.talking(now, |talking, body, now| {
            talking.asks(body, wanted, now);
            None
        });
    }

    /// Their phone dials somebody on a line of its own, which is the leg returned; None if nobody
    /// can be asked now.
    pub fn asks_beside(
        &mut self,
        wanted: Wanted,
        offer: Option<Sdp>,
        road: Road,
        now: Now,
    ) -> Option<u32> {
        let Stage::Talking(talking) = &mut self.stage else {
            return None;
        };
        talking.asks_beside(&mut self.body, wanted, offer, road, now)
    }

    /// Another listener picks up what rings at a colleague's; the leg of their phone, if they can.
    pub fn picked_up_by(
        &mut self,
        rings: u32,
        listener: &ListenerName,
        offer: Option<Sdp>,
        road: Road,
        now: Now,
    ) -> Option<u32> {
        if !self.is_in_line() || !self.body.may_be_picked_up(rings) {
            return None;
        }
        let leg = self.body.picks_up_elsewhere(listener, offer, road, now);
        self.taken(leg, listener.clone(), now);
        Some(leg)
    }

    /// The listener takes the caller over on another of their phones.
    pub fn moves_to_other_phone(
        &mut self,
        old: u32,
        listener: &ListenerName,
        offer: Option<Sdp>,
        road: Road,
        _now: Now,
    ) -> Option<u32> {
        let Stage::Talking(talking) = &mut self.stage else {
            return None;
        };
        if old != talking.leg || !talking.may_ask() {
            return None;
        }
        let leg = self.body.dialled(listener.clone(), offer, road);
        self.body.accept_dialled(leg);
        talking.moves_to(&mut self.body, leg);
        Some(leg)
    }

    /// Whether these are the two lines of a listener who asks somebody.
    pub fn could_complete(&self, one: u32, other: u32) -> bool {
        let asks = |talking: &Talking| talking.asks_on(one, other) || talking.asks_on(other, one);
        self.stage.conversation().is_some_and(asks)
    }

    /// By a REFER with Replaces on this leg, the caller is for whom the listener asked.
    pub fn completes(&mut self, leg: u32, now: Now) {
        self.talking(now, |talking, body, now| talking.completes(body, leg, now));
    }

    /// They leave the caller with whom they speak.
    pub fn hands_over(&mut self, now: Now) {
        self.talking(now, |talking, body, now| talking.hands_over_if_speaking(body, now));
    }

    /// They come back to the caller.
    pub fn takes_back(&mut self, now: Now) {
        self.talking(now, |talking, body, now| {
            let is_free = !talking.is_three();
            is_free.then(|| talking.comes_home(body, TAKEN_BACK, AttemptResult::Spared, now))?
        });
    }

    /// They give the caller back ("I know this person"): to the head of the queue, for somebody else.
    pub fn gives_back(&mut self, now: Now) {
        self.talking(now, |talking, body, now| {
            let is_free = !talking.is_three() && talking.after_caller.is_none();
            is_free.then(|| talking.gives_back(body, now))
        });
    }

    /// They call for the emergency services; what is asked twice is done.
    pub fn calls_for_emergency(&mut self, service: &Whom, now: Now) {
        self.talking(now, |talking, body, now| {
            talking.calls_for_emergency(body, service, now);
            None
        });
    }

    /// A leg may have gone with its sound; if somebody was asked there, the listener comes home.
    pub(super) fn party_may_be_gone(&mut self, leg: u32, now: Now) {
        if !self.body.phones.contains_key(&leg) {
            self.talking(now, |talking, body, now| talking.party_left(body, leg, NOBODY, now));
        }
    }

    fn talking_with(&self, listener: &ListenerName) -> Option<&Talking> {
        self.stage.conversation().filter(|talking| talking.is_with(listener))
    }
}
