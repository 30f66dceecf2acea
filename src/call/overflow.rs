//! Nobody is logged in: managers are called on their own telephones (scenarios.md SC-18).
//!
//! They hear for which line somebody calls, and only a `1` brings caller and manager together: a voicemail
//! presses nothing. Whoever presses first has the call; the other telephones stop ringing.

use crate::base::{ListenerName, Now, Sdp, StreamRef};
use crate::call::body::{Body, Place, Talks};
use crate::call::plan::Helper;
use crate::call::ringing::{Far, PhoneLeg, PhoneState};
use crate::call::{CALLER, Output, Timer};
use crate::ivr;
use crate::media::{Order, PlayRef, Repeat, Road, Sources};
use crate::queue::Stop;
use crate::record::AttemptResult;
use crate::sip::Reason;

/// The most telephones called at once for one caller.
const HELPERS_MAX: usize = 4;

impl Body {
    /// Calls every manager of the line, unless they are being called already.
    pub(super) fn call_for_help(&mut self, now: Now) {
        if self.attended || self.phones.values().any(PhoneLeg::is_outside) {
            return;
        }
        let helpers: Vec<_> = self.line.overflow.iter().take(HELPERS_MAX).cloned().collect();
        if helpers.is_empty() {
            return;
        }
        self.timers.set(Timer::HelpOver, now.steady + self.line.nobody_after);
        for helper in helpers {
            if let Some(draft) = &mut self.draft {
                draft.rung(helper.name.clone(), now.steady);
            }
            self.call_outside(helper, self.stream(CALLER));
        }
    }

    /// Begins a call to the public network, in the codec of the stream it will be joined to.
    pub(super) fn call_outside(&mut self, helper: Helper, like: StreamRef) -> u32 {
        let leg = self.fresh_leg();
        let stream = self.stream(leg);
        let phone = PhoneLeg {
            listener: helper.name,
            far: Far::Outside(helper.number),
            like: like.index,
            road: Road::Readable,
            insisted: false,
            state: PhoneState::Inviting,
            talks: Talks::opening(),
        };
        self.phones.insert(leg, phone);
        // Nobody's yet: which trunk carries the call is decided when it goes out.
        let sources = Sources::Within(Vec::new());
        self.media(Order::Open { stream, sources, road: Road::Readable });
        self.media(Order::Offer { stream, like: Some(like) });
        leg
    }

    /// Makes the offer of such a call anew, for a road of another kind.
    pub(super) fn offers_by(&mut self, leg: u32, road: Road) {
        self.offers_anew(leg, Sources::Within(Vec::new()), road);
    }

    /// Whether this leg is a manager's who has not taken the call yet.
    pub(super) fn is_asked_outside(&self, leg: u32) -> bool {
        self.phones
            .get(&leg)
            .is_some_and(|phone| phone.is_outside() && phone.state != PhoneState::PickedUp)
    }

    /// Somebody, or a machine, has answered: they are asked.
    pub(super) fn helper_answered(&mut self, leg: u32, answer: Option<Sdp>) {
        let stream = self.stream(leg);
        let Some(answer) = answer else {
            self.end_phone(leg, Reason::Normal);
            return;
        };
        if let Some(phone) = self.phones.get_mut(&leg) {
            phone.state = PhoneState::Asked;
        }
        self.media(Order::Accept { stream, answer });
        let play = PlayRef(self.next_play());
        let prompts = ivr::a_call_for(&self.line.words.spoken_number);
        self.media(Order::Play { stream, play, prompts, repeat: Repeat::Forever });
    }

    /// A key was pressed on a manager's telephone; who takes the call, if that was the key.
    pub(super) fn helper_pressed(
        &mut self,
        leg: u32,
        digit: char,
        now: Now,
    ) -> Option<ListenerName> {
        let phone = self.phones.get_mut(&leg)?;
        if digit != '1' || phone.state != PhoneState::Asked {
            return None;
        }
        phone.state = PhoneState::PickedUp;
        let listener = phone.listener.clone();
        self.dismiss_help(Stop::TakenByAnother, now);
        if let Some(draft) = &mut self.draft {
            draft.attempt_ended(&listener, AttemptResult::Answered, now.steady);
        }
        self.place = Place::None;
        self.wish(Output::PickedUp { listener: listener.clone() });
        Some(listener)
    }

    /// No manager is needed any more, or none answered.
    pub(super) fn dismiss_help(&mut self, why: Stop, now: Now) {
        self.timers.stop(&Timer::HelpOver);
        let asked = self
            .phones
            .values()
            .filter(|phone| phone.is_outside() && phone.state != PhoneState::PickedUp);
        let helpers: Vec<ListenerName> = asked.map(|phone| phone.listener.clone()).collect();
        for helper in helpers {
            self.stop_ringing(&helper, why, now);
        }
    }
}
