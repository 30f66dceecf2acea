//! Phones that ring for a caller.
//!
//! A listener may have several; all of them ring, the first to be picked up wins, and the others
//! are told that the call was completed elsewhere, so that none shows a missed call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Now, PhoneNumber, Sdp, StreamRef};
use crate::call::body::{Body, Place, Talks};
use crate::call::{CALLER, Output, words};
use crate::media::{Order, Road, Sources};
use crate::queue::Stop;
use crate::record::AttemptResult;
use crate::sip::{Failure, Phone, PhoneRef, Reason};

/// A listener's phone, as a leg of this call.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PhoneLeg {
    pub listener: ListenerName,
    pub far: Far,
    /// The leg whose codec it is offered first.
    pub like: u32,
    /// What its descriptions travel by.
    pub road: Road,
    /// It has refused one kind of offer, and was made the other.
    pub insisted: bool,
    pub state: PhoneState,
    pub talks: Talks,
}

/// Who is at the other end of a leg that rings.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Far {
    /// A registered phone.
    Phone(PhoneRef),
    /// A manager's own telephone, a centre, the emergency services.
    Outside(PhoneNumber),
    /// The phone of a colleague who is asked.
    Colleague(PhoneRef),
    /// The phone of the listener who asks, which has dialled them on a line of its own; with our
    /// answer, once it is described, and whether it is time for it.
    Dialled { answer: Option<Sdp>, is_wanted: bool },
}

impl PhoneLeg {
    pub(super) fn is_outside(&self) -> bool {
        matches!(self.far, Far::Outside(_))
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum PhoneState {
    /// Our offer is being made, or the INVITE is on its way.
    Inviting,
    /// It gave no sign of life for a while.
    Quiet,
    Ringing,
    /// A manager has answered, and is asked whether they take the call.
    Asked,
    PickedUp,
}

impl Body {
    /// Invites every phone of a listener.
    pub(super) fn ring(&mut self, listener: ListenerName, phones: Vec<Phone>, now: Now) {
        if let Some(draft) = &mut self.draft {
            draft.rung(listener.clone(), now.steady);
        }
        if phones.is_empty() {
            self.attempt_ended(listener, AttemptResult::Unreachable, now);
            return;
        }
        for phone in phones {
            let leg = self.fresh_leg();
            let stream = self.stream(leg);
            let road = words::road_to(&phone);
            let leg_of = PhoneLeg {
                listener: listener.clone(),
                far: Far::Phone(phone.phone),
                like: CALLER,
                road,
                insisted: false,
                state: PhoneState::Inviting,
                talks: Talks::opening(),
            };
            self.phones.insert(leg, leg_of);
            self.media(Order::Open { stream, sources: Sources::Anywhere, road });
            self.media(Order::Offer { stream, like: Some(self.stream(CALLER)) });
        }
    }

    /// Our offer is ready: the INVITE goes out.
    pub(super) fn invite_phone(&mut self, leg: u32, offer: Sdp) {
        let Some(leg_of) = self.phones.get_mut(&leg) else {
            return;
        };
        let (phone, display) = match &mut leg_of.far {
            Far::Phone(phone) => (*phone, words::display(&self.line, self.resumes)),
            Far::Colleague(phone) => (*phone, words::display_for_colleague(&self.line)),
            Far::Outside(number) => {
                let number = number.clone();
                self.wish(Output::CallOut { leg, number, offer });
                return;
            }
            Far::Dialled { is_wanted: true, .. } => {
                self.wish(Output::Accept { leg, sdp: offer });
                return;
            }
            Far::Dialled { answer, is_wanted: false } => {
                *answer = Some(offer);
                return;
            }
        };
        let alert_info = self.resumes.then(|| words::RESUMES_ALERT.to_owned());
        self.wish(Output::Invite { leg, phone, display, alert_info, offer });
    }

    pub(super) fn phone_rings(&mut self, leg: u32) {
        let Some(phone) = self.phones.get_mut(&leg) else {
            return;
        };
        if phone.state == PhoneState::PickedUp {
            return;
        }
        let stirred = phone.state == PhoneState::Quiet;
        phone.state = PhoneState::Ringing;
        self.learns_of_keys(leg);
        let Some(phone) = self.phones.get(&leg) else {
            return;
        };
        if stirred {
            let listener = phone.listener.clone();
            self.wish(Output::Stirred { listener });
        }
    }

    pub(super) fn phone_quiet(&mut self, leg: u32) {
        let Some(phone) = self.phones.get_mut(&leg) else {
            return;
        };
        if phone.state != PhoneState::Inviting {
            return;
        }
        phone.state = PhoneState::Quiet;
        let listener = phone.listener.clone();
        if self.phones_of(&listener).all(|phone| phone.state == PhoneState::Quiet) {
            self.wish(Output::Quiet { listener });
        }
    }

    /// A phone was picked up: it is the one, unless another was before. Its listener, if it is.
    pub(super) fn picked_up(
        &mut self,
        leg: u32,
        answer: Option<Sdp>,
        now: Now,
    ) -> Option<ListenerName> {
        let phone = self.phones.get(&leg)?;
        let taken = self.phones.values().any(|phone| phone.state == PhoneState::PickedUp);
        let Some(answer) = answer.filter(|_| !taken) else {
            // Too late, or a 200 without an answer to our offer: nothing to talk over.
            let (reason, result) = match taken {
                true => (Reason::CompletedElsewhere, AttemptResult::Spared),
                false => (Reason::Normal, AttemptResult::Declined),
            };
            let listener = phone.listener.clone();
            self.end_phone(leg, reason);
            self.attempt_over_if_last(listener, result, now);
            return None;
        };
        let listener = phone.listener.clone();
        let stream = self.stream(leg);
        self.media(Order::Accept { stream, answer });
        if let Some(phone) = self.phones.get_mut(&leg) {
            phone.state = PhoneState::PickedUp;
        }
        self.learns_of_keys(leg);
        for other in self.legs_of(&listener) {
            if other != leg {
                self.end_phone(other, Reason::CompletedElsewhere);
            }
        }
        if let Some(draft) = &mut self.draft {
            draft.attempt_ended(&listener, AttemptResult::Answered, now.steady);
        }
        self.dismiss_help(Stop::TakenByAnother, now);
        self.place = Place::None;
        self.wish(Output::PickedUp { listener: listener.clone() });
        Some(listener)
    }

    /// Whether a phone inside TLS that refused our offer is asked again, with keys demanded (RFC 3711):
    /// some take no sound that might be plain, and nothing tells which before they are asked. One that
    /// is known to be of that kind, and refuses all the same, is asked the other way.
    pub(super) fn insists(&mut self, leg: u32, why: Failure) -> bool {
        let may_take_another = why.is_about_our_description() && self.phone_on(leg).is_some();
        let Some(phone) = self.phones.get_mut(&leg).filter(|_| may_take_another) else {
            return false;
        };
        match phone.state {
            PhoneState::Inviting | PhoneState::Quiet | PhoneState::Ringing => {}
            PhoneState::Asked | PhoneState::PickedUp => return false,
        }
        let road = match (phone.road, phone.insisted) {
            (Road::Private, false) => Road::Sealed,
            (Road::Sealed, false) => Road::Private,
            (Road::Readable | Road::Web, _) | (_, true) => return false,
        };
        phone.insisted = true;
        self.offers_anew(leg, Sources::Anywhere, road);
        true
    }

    /// What was offered to a phone is of no use: another offer takes its place, for this road.
    pub(super) fn offers_anew(&mut self, leg: u32, sources: Sources, road: Road) {
        let Some(phone) = self.phones.get_mut(&leg) else {
            return;
        };
        phone.road = road;
        phone.talks = Talks::opening();
        let (stream, like) = (self.stream(leg), self.like_of(leg));
        self.media(Order::Close { stream });
        self.media(Order::Open { stream, sources, road });
        self.media(Order::Offer { stream, like: Some(like) });
    }

    /// The phone has taken our second offer: the next call begins with it.
    pub(super) fn learns_of_keys(&mut self, leg: u32) {
        let Some(leg_of) = self.phones.get(&leg).filter(|phone| phone.insisted) else {
            return;
        };
        let demands = leg_of.road == Road::Sealed;
        if let Some(phone) = self.phone_on(leg) {
            self.wish(Output::DemandsKeys { phone, demands });
        }
    }

    pub(super) fn like_of(&self, leg: u32) -> StreamRef {
        self.stream(self.phones.get(&leg).map_or(CALLER, |phone| phone.like))
    }

    /// The registered phone behind a leg.
    pub(super) fn phone_on(&self, leg: u32) -> Option<PhoneRef> {
        match self.phones.get(&leg)?.far {
            Far::Phone(phone) | Far::Colleague(phone) => Some(phone),
            Far::Outside(_) | Far::Dialled { .. } => None,
        }
    }

    pub(super) fn phone_failed(&mut self, leg: u32, why: Failure, now: Now) {
        let Some(phone) = self.phones.remove(&leg) else {
            return;
        };
        let listener = phone.listener;
        self.media(Order::Close { stream: self.stream(leg) });
        let result = match why {
            Failure::Refused(_) => AttemptResult::Declined,
            Failure::TimedOut => AttemptResult::Unanswered,
            Failure::Unreachable | Failure::Cancelled => AttemptResult::Unreachable,
        };
        // RFC 3261 §21.6: a 6xx speaks for the person, not for the phone.
        if matches!(why, Failure::Refused(600..)) {
            for other in self.legs_of(&listener) {
                self.end_phone(other, Reason::CompletedElsewhere);
            }
        }
        self.attempt_over_if_last(listener, result, now);
    }

    /// Stops whatever rings at a listener's.
    pub(super) fn stop_ringing(&mut self, listener: &ListenerName, why: Stop, now: Now) {
        let mut legs = self.legs_of(listener);
        // A phone that was picked up rings no more: it is the conversation's to end.
        legs.retain(|leg| {
            self.phones.get(leg).is_some_and(|phone| phone.state != PhoneState::PickedUp)
        });
        if legs.is_empty() {
            return;
        }
        let all_quiet = self.phones_of(listener).all(|phone| phone.state != PhoneState::Ringing);
        let (reason, result) = match why {
            Stop::CallerLeft => (Reason::CallerHungUp, AttemptResult::Spared),
            Stop::TakenByAnother => (Reason::CompletedElsewhere, AttemptResult::Spared),
            Stop::Unanswered if all_quiet => (Reason::NoAnswer, AttemptResult::Unreachable),
            Stop::Unanswered => (Reason::NoAnswer, AttemptResult::Unanswered),
        };
        for leg in legs {
            self.end_phone(leg, reason);
        }
        self.attempt_ended(listener.clone(), result, now);
    }

    /// Ends one phone's leg.
    pub(super) fn end_phone(&mut self, leg: u32, reason: Reason) {
        if self.phones.remove(&leg).is_some() {
            self.wish(Output::End { leg, reason });
            self.media(Order::Close { stream: self.stream(leg) });
        }
    }

    /// The listener of a picked-up phone is gone: the caller goes to the head of the queue.
    pub(super) fn listener_lost(
        &mut self,
        leg: u32,
        listener: ListenerName,
        talked: Duration,
        lost: bool,
        now: Now,
    ) {
        if let Some(phone) = self.phones.remove(&leg) {
            if lost {
                self.wish(Output::End { leg, reason: Reason::MediaLost });
                if let Far::Phone(phone) = phone.far {
                    self.wish(Output::Doubt { phone });
                }
            }
            self.media(Order::Close { stream: self.stream(leg) });
        }
        self.wish(Output::HungUp { listener, talked, lost });
        self.returns(None, now);
    }

    /// The caller goes to the head of the queue, not to be given to `avoiding`.
    pub(super) fn returns(&mut self, avoiding: Option<ListenerName>, now: Now) {
        if let Some(draft) = &mut self.draft {
            draft.parted(now.steady);
        }
        self.resumes = true;
        self.place = Place::Taken;
        self.wish(Output::Return { avoiding });
    }

    /// Whether any phone rings, or is about to, with a sign of life.
    pub(super) fn is_ringing(&self) -> bool {
        self.phones.values().any(|phone| match phone.state {
            PhoneState::Inviting | PhoneState::Ringing | PhoneState::Asked => true,
            PhoneState::Quiet | PhoneState::PickedUp => false,
        })
    }

    /// Whether the caller should hear that a phone rings.
    pub(super) fn is_alerting(&self) -> bool {
        self.phones.values().any(|phone| phone.state == PhoneState::Ringing)
    }

    fn attempt_over_if_last(&mut self, listener: ListenerName, result: AttemptResult, now: Now) {
        if self.phones_of(&listener).next().is_none() {
            self.attempt_ended(listener, result, now);
        } else if self.phones_of(&listener).all(|phone| phone.state == PhoneState::Quiet) {
            self.wish(Output::Quiet { listener });
        }
    }

    pub(super) fn attempt_ended(
        &mut self,
        listener: ListenerName,
        result: AttemptResult,
        now: Now,
    ) {
        if let Some(draft) = &mut self.draft {
            draft.attempt_ended(&listener, result, now.steady);
        }
        self.wish(Output::AttemptEnded { listener, result });
    }

    fn phones_of(&self, listener: &ListenerName) -> impl Iterator<Item = &PhoneLeg> {
        let listener = listener.clone();
        self.phones.values().filter(move |phone| phone.listener == listener)
    }

    pub(super) fn legs_of(&self, listener: &ListenerName) -> Vec<u32> {
        self.phones
            .iter()
            .filter(|(_, phone)| phone.listener == *listener)
            .map(|(leg, _)| *leg)
            .collect()
    }
}
