//! Somebody else a listener asks in the middle of a call (scenarios.md SC-26, SC-27).
//!
//! A centre of the directory, a colleague, or the emergency services of the caller's department; asked by keys
//! on the line itself (`*`, a code, `#`), by the phone's own second line, by REFER (RFC 3515), or from
//! the listener's page. What is the same for all of them is here: legs that ring, the one that
//! answers, how it ends. What it means for the caller is decided in `handing_over`.
//!
//! ```text
//!   calling ──answered──► speaking ──the listener hangs up──► the caller is theirs
//!      └──failed, 25 s, *#──┴──*#, hung up──► the listener has the caller again
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment, Now, Sdp, StreamRef};
use crate::call::body::{Body, Place, Talks};
use crate::call::plan::Helper;
use crate::call::ringing::{Far, PhoneLeg, PhoneState};
use crate::call::{CALLER, Output, Timer, words};
use crate::media::{Order, Road, Sources};
use crate::queue::Stop;
use crate::record::AttemptResult;
use crate::sip::{Phone, Reason};

/// How long somebody's telephone rings before the listener has the caller again.
const RINGS_AT_MOST: Duration = Duration::from_secs(25);
/// The emergency services may have a queue of their own.
const EMERGENCY_RINGS_AT_MOST: Duration = Duration::from_secs(90);
/// The longest code, its star and hash left out.
const CODE_MAX: usize = 6;

/// Whom a listener may ask.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Whom {
    Centre(Helper),
    Colleague(ListenerName),
    Emergency(Helper),
}

/// What they are asked for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Aim {
    /// To speak with the listener first; the caller waits.
    Ask,
    /// To take the caller at once.
    Move,
    /// To be the third in the conversation.
    Join,
}

/// Somebody a listener wants, and how they are reached.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub whom: Whom,
    pub aim: Aim,
    /// The phones of a colleague.
    pub phones: Vec<Phone>,
    /// The leg whose phone has asked by REFER, and is told how it goes.
    pub refer: Option<u32>,
}

/// Somebody a listener asks, as their page shows it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub name: &'a ListenerName,
    pub is_colleague: bool,
    pub aim: Aim,
    pub answered: bool,
}

/// Somebody being asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Consult {
    name: ListenerName,
    is_colleague: bool,
    pub aim: Aim,
    /// The leg the listener asks on: that of the conversation, or one their phone has dialled.
    pub ear: u32,
    pub refer: Option<u32>,
    legs: Vec<u32>,
    state: State,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum State {
    Calling { told: bool },
    Speaking { leg: u32, since: Moment },
}

/// What the keys of a listener come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Keys {
    Nothing,
    /// Whom they want to ask.
    Whom(Whom),
    /// They want the caller back.
    Back,
}

/// The keys a listener has pressed since the last star.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Pad(String);

impl Pad {
    pub(super) fn pressed(&mut self, digit: char, body: &Body) -> Keys {
        match digit {
            '*' => {
                self.0.clear();
                self.0.push('*');
            }
            '#' => {
                let code = std::mem::take(&mut self.0);
                let Some(code) = code.strip_prefix('*') else {
                    return Keys::Nothing;
                };
                if code.is_empty() {
                    return Keys::Back;
                }
                return body.line.whom(code).map_or(Keys::Nothing, Keys::Whom);
            }
            _ if self.0.starts_with('*') && self.0.len() <= CODE_MAX => self.0.push(digit),
            _ => self.0.clear(),
        }
        Keys::Nothing
    }
}

impl Consult {
    /// They are called.
    pub(super) fn begin(body: &mut Body, ear: u32, wanted: Wanted, now: Now) -> Self {
        let like = body.stream(ear);
        let (name, is_colleague, legs, patience) = match wanted.whom {
            Whom::Centre(helper) => {
                (helper.name.clone(), false, vec![body.call_outside(helper, like)], RINGS_AT_MOST)
            }
            Whom::Emergency(helper) => {
                let leg = body.call_outside(helper.clone(), like);
                (helper.name, false, vec![leg], EMERGENCY_RINGS_AT_MOST)
            }
            Whom::Colleague(name) => {
                let legs = body.ring_colleague(&name, wanted.phones, like, now);
                (name, true, legs, RINGS_AT_MOST)
            }
        };
        body.timers.set(Timer::ConsultOver, now.steady + patience);
        let (aim, refer) = (wanted.aim, wanted.refer);
        Self { name, is_colleague, aim, ear, refer, legs, state: State::Calling { told: false } }
    }

    pub(super) fn has(&self, leg: u32) -> bool {
        self.legs.contains(&leg)
    }

    pub(super) fn name(&self) -> &ListenerName {
        &self.name
    }

    /// Who has answered, and when; None while it rings.
    pub(super) fn speaking(&self) -> Option<(u32, Moment)> {
        match self.state {
            State::Speaking { leg, since } => Some((leg, since)),
            State::Calling { .. } => None,
        }
    }

    /// The colleague who is asked, if it is one.
    pub(super) fn colleague(&self) -> Option<&ListenerName> {
        self.is_colleague.then_some(&self.name)
    }

    /// Their telephone rings; whoever waits for news is told once.
    pub(super) fn rings(&mut self, body: &mut Body) {
        if let State::Calling { told: told @ false } = &mut self.state {
            *told = true;
            if let Some(leg) = self.refer {
                body.wish(Output::Transfer { leg, status: 180 });
            }
        }
    }

    /// One of their phones was picked up; false if nobody can be talked to over it.
    pub(super) fn answered(
        &mut self,
        body: &mut Body,
        leg: u32,
        answer: Option<Sdp>,
        now: Now,
    ) -> bool {
        let (Some(answer), State::Calling { .. }) = (answer, self.state) else {
            body.end_phone(leg, Reason::CompletedElsewhere);
            let is_last = self.lost(body, leg);
            if is_last && self.is_colleague {
                body.attempt_ended(self.name.clone(), AttemptResult::Declined, now);
            }
            return !is_last;
        };
        body.timers.stop(&Timer::ConsultOver);
        self.state = State::Speaking { leg, since: now.steady };
        for other in std::mem::replace(&mut self.legs, vec![leg]) {
            if other != leg {
                body.end_phone(other, Reason::CompletedElsewhere);
            }
        }
        if let Some(phone) = body.phones.get_mut(&leg) {
            phone.state = PhoneState::PickedUp;
        }
        let stream = body.stream(leg);
        body.media(Order::Accept { stream, answer });
        if self.is_colleague {
            if let Some(draft) = &mut body.draft {
                draft.attempt_ended(&self.name, AttemptResult::Answered, now.steady);
            }
            body.wish(Output::PickedUp { listener: self.name.clone() });
        }
        true
    }

    /// A leg of theirs is gone by itself; true if it was the last.
    pub(super) fn lost(&mut self, body: &Body, leg: u32) -> bool {
        self.legs.retain(|other| *other != leg && body.phones.contains_key(other));
        self.legs.is_empty()
    }

    /// Nothing came of it: what is left of them is ended, and whoever asked by REFER is told.
    pub(super) fn end(self, body: &mut Body, status: u16, result: AttemptResult, now: Now) {
        body.timers.stop(&Timer::ConsultOver);
        let rings = matches!(self.state, State::Calling { .. });
        let reason = if rings { Reason::NoAnswer } else { Reason::Normal };
        let had_legs = !self.legs.is_empty();
        for leg in &self.legs {
            body.end_phone(*leg, reason);
        }
        if self.is_colleague && !rings {
            body.wish(Output::Released { listener: self.name });
        } else if self.is_colleague && had_legs {
            body.attempt_ended(self.name, result, now);
        }
        if let Some(leg) = self.refer {
            body.wish(Output::Transfer { leg, status });
        }
    }
}

impl Body {
    /// Invites every phone of a colleague.
    fn ring_colleague(
        &mut self,
        name: &ListenerName,
        phones: Vec<Phone>,
        like: StreamRef,
        now: Now,
    ) -> Vec<u32> {
        if let Some(draft) = &mut self.draft {
            draft.rung(name.clone(), now.steady);
        }
        let mut legs = Vec::new();
        for phone in phones {
            let leg = self.fresh_leg();
            let stream = self.stream(leg);
            let road = words::road_to(&phone);
            let leg_of = PhoneLeg {
                listener: name.clone(),
                far: Far::Colleague(phone.phone),
                like: like.index,
                road,
                insisted: false,
                state: PhoneState::Inviting,
                talks: Talks::opening(),
            };
            self.phones.insert(leg, leg_of);
            self.media(Order::Open { stream, sources: Sources::Anywhere, road });
            self.media(Order::Offer { stream, like: Some(like) });
            legs.push(leg);
        }
        legs
    }

    /// A listener's phone dials somebody on a line of its own: what we answer waits until they do.
    pub(super) fn dialled(
        &mut self,
        listener: ListenerName,
        offer: Option<Sdp>,
        road: Road,
    ) -> u32 {
        let leg = self.fresh_leg();
        let stream = self.stream(leg);
        let leg_of = PhoneLeg {
            listener,
            far: Far::Dialled { answer: None, is_wanted: false },
            like: CALLER,
            road,
            insisted: false,
            state: PhoneState::PickedUp,
            talks: Talks::opening(),
        };
        self.phones.insert(leg, leg_of);
        self.media(Order::Open { stream, sources: Sources::Anywhere, road });
        self.media(match offer {
            Some(offer) => Order::Answer { stream, offer },
            None => Order::Offer { stream, like: None },
        });
        leg
    }

    /// Whether this leg is a phone that rings for the caller.
    pub(super) fn may_be_picked_up(&self, leg: u32) -> bool {
        let is_taken = self.phones.values().any(|phone| phone.state == PhoneState::PickedUp);
        let rings = |phone: &PhoneLeg| matches!(phone.far, Far::Phone(_));
        !is_taken && self.phones.get(&leg).is_some_and(rings)
    }

    /// A listener picks up from their own phone what rings at somebody else's.
    pub(super) fn picks_up_elsewhere(
        &mut self,
        listener: &ListenerName,
        offer: Option<Sdp>,
        road: Road,
        now: Now,
    ) -> u32 {
        for other in self.legs_of(listener) {
            self.end_phone(other, Reason::CompletedElsewhere);
        }
        let leg = self.dialled(listener.clone(), offer, road);
        self.accept_dialled(leg);
        if let Some(draft) = &mut self.draft {
            draft.rung(listener.clone(), now.steady);
            draft.attempt_ended(listener, AttemptResult::Answered, now.steady);
        }
        self.dismiss_help(Stop::TakenByAnother, now);
        self.place = Place::None;
        self.wish(Output::PickedUp { listener: listener.clone() });
        leg
    }

    /// Whom they dialled has answered: so do we.
    pub(super) fn accept_dialled(&mut self, leg: u32) {
        let Some(PhoneLeg { far: Far::Dialled { answer, is_wanted }, .. }) =
            self.phones.get_mut(&leg)
        else {
            return;
        };
        *is_wanted = true;
        if let Some(sdp) = answer.take() {
            self.wish(Output::Accept { leg, sdp });
        }
    }
}
