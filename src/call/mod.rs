//! One caller's journey, from the first INVITE to the record.
//!
//! A [`Call`] is told what happens to its legs, its sound, its place in the queue and its line's
//! hours, and says what it wants done. Every opinion about what a caller should hear lives here, one
//! file a stage:
//!
//! ```text
//!   arriving ──► greeting ──► waiting ◄──► talking ──► leaving ──► (record)
//!       └──────────────(closed, full)──────────────────────▲
//! ```
//!
//! It doesn't know who else waits, which listeners are free, or how SIP and RTP are written. Leg 0
//! is the caller's; every phone that rings for them is a leg of its own, with the stream of the same
//! number.

mod arriving;
mod asking;
mod body;
mod consulting;
mod errand;
mod greeting;
mod handing_over;
mod leaving;
mod output;
mod overflow;
mod plan;
mod ringing;
mod sounding;
mod talking;
mod timing;
mod waiting;
mod words;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment, Now, Sdp, Text};
use crate::media::{Notice, Order, Road};
use crate::queue::{DrainOutput, Stop};
use crate::record::{AttemptResult, Q850};
use crate::sip::{Ending, Failure, Phone, Reason};

pub use consulting::{Aim, Asked, Wanted, Whom};
pub use errand::Errand;
pub use output::{Arrival, Output};
pub use plan::{Helper, LinePlan, LineWords, Moved};
pub use words::{closed as closed_message, road};

use arriving::Arriving;
use body::Body;
use greeting::Greeting;
use leaving::{Gone, Leaving};
use talking::Talking;
use timing::Timer;
use waiting::Waiting;

/// The caller's leg and stream.
pub const CALLER: u32 = 0;

/// One caller's passage through the house.
#[derive(Debug, Deserialize, Serialize)]
pub struct Call {
    body: Body,
    stage: Stage,
}

/// Where a call is.
#[derive(Debug, Deserialize, Serialize)]
enum Stage {
    Arriving(Arriving),
    Greeting(Greeting),
    Waiting(Waiting),
    Talking(Talking),
    Leaving(Leaving),
    Gone(Gone),
}

impl Stage {
    fn conversation(&self) -> Option<&Talking> {
        match self {
            Stage::Talking(talking) => Some(talking),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Waiting(_)
            | Stage::Leaving(_)
            | Stage::Gone(_) => None,
        }
    }
}

impl Call {
    /// A call came. It is answered, whatever the hour: see the first outputs.
    pub fn arrived(arrival: Arrival, now: Now) -> Self {
        let (body, arriving) = Arriving::begin(arrival, now);
        Self { body, stage: Stage::Arriving(arriving) }
    }

    // ---- facts: the queue ----

    /// The queue has a place for us.
    pub fn placed(&mut self, now: Now) {
        self.body.place = body::Place::Taken;
        self.step(now, |stage, body, _| match stage {
            Stage::Leaving(leaving) => leaving.placed(body),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Waiting(_)
            | Stage::Talking(_)
            | Stage::Gone(_) => None,
        });
    }

    /// The queue has none.
    pub fn full(&mut self, now: Now) {
        self.body.place = body::Place::Full;
        self.step(now, |stage, body, now| match stage {
            Stage::Greeting(_) => Some(Leaving::saturated(body, now)),
            Stage::Arriving(_)
            | Stage::Waiting(_)
            | Stage::Talking(_)
            | Stage::Leaving(_)
            | Stage::Gone(_) => None,
        });
    }

    /// Ring this listener's phones for us.
    pub fn ring(&mut self, listener: ListenerName, phones: Vec<Phone>, now: Now) {
        let may_ring = match &self.stage {
            Stage::Greeting(_) | Stage::Waiting(_) => true,
            Stage::Arriving(_) | Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_) => false,
        };
        if may_ring {
            self.body.ring(listener, phones, now);
            self.rings_changed(now);
        } else {
            let result = AttemptResult::Spared;
            self.body.outputs.push_back(Output::AttemptEnded { listener, result });
        }
    }

    /// Stop ringing them.
    pub fn stop_ringing(&mut self, listener: &ListenerName, why: Stop, now: Now) {
        self.body.stop_ringing(listener, why, now);
        self.rings_changed(now);
    }

    /// We have waited as long as the plan allows.
    pub fn patience_spent(&mut self, now: Now) {
        self.body.place = body::Place::None;
        self.step(now, |stage, body, now| match stage {
            Stage::Greeting(_) | Stage::Waiting(_) => Some(Leaving::unavailable(body, now)),
            Stage::Arriving(_) | Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_) => None,
        });
    }

    /// How long the wait is likely to be, as asked.
    pub fn estimated(&mut self, wait: Option<Duration>, now: Now) {
        if let Stage::Waiting(waiting) = &mut self.stage {
            waiting.estimated(&mut self.body, wait, now);
        }
    }

    // ---- facts: the line ----

    /// Somebody is logged in for this line, or nobody any more.
    pub fn attended(&mut self, attended: bool, now: Now) {
        if self.body.attended != attended {
            self.body.attended = attended;
            if let Stage::Waiting(waiting) = &mut self.stage {
                waiting.attended(&mut self.body, now);
            }
        }
    }

    /// The line opened while we heard that it is closed (scenarios.md SC-06).
    pub fn line_opened(&mut self, until: Option<DateTime<Utc>>) {
        self.body.open_until = until;
        match &mut self.stage {
            Stage::Arriving(arriving) => arriving.line_opened(&mut self.body),
            Stage::Leaving(leaving) => leaving.line_opened(&mut self.body),
            Stage::Greeting(_) | Stage::Waiting(_) | Stage::Talking(_) | Stage::Gone(_) => {}
        }
    }

    /// The line's drain nears its end, or is over; then it opens again at `reopens`.
    pub fn drained(&mut self, told: DrainOutput, reopens: Option<DateTime<Utc>>, now: Now) {
        self.body.reopens = reopens;
        self.step(now, |stage, body, now| match (stage, told) {
            (Stage::Waiting(waiting), DrainOutput::Near) => {
                waiting.drain_near(body);
                None
            }
            (Stage::Waiting(waiting), DrainOutput::Over) => waiting.drain_over(body, now),
            (Stage::Greeting(greeting), DrainOutput::Over) => {
                greeting.drain_over(body);
                None
            }
            // Let in, but not greeted yet: the greeting finds it.
            (Stage::Arriving(arriving), DrainOutput::Over) => {
                arriving.drain_over();
                None
            }
            (Stage::Arriving(_) | Stage::Greeting(_), DrainOutput::Near)
            | (Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_), _) => None,
        });
    }

    // ---- facts: SIP ----

    /// ACK came for our 200.
    pub fn confirmed(&mut self, leg: u32, answer: Option<Sdp>, now: Now) {
        if let Some(answer) = answer {
            self.body.media(Order::Accept { stream: self.body.stream(leg), answer });
        } else {
            self.body.media(Order::Proven { stream: self.body.stream(leg) });
        }
        if leg == CALLER {
            self.step(now, |stage, body, now| match stage {
                Stage::Arriving(arriving) => arriving.confirmed(body, now),
                Stage::Greeting(_)
                | Stage::Waiting(_)
                | Stage::Talking(_)
                | Stage::Leaving(_)
                | Stage::Gone(_) => None,
            });
        }
    }

    /// A phone rings.
    pub fn ringing(&mut self, leg: u32, now: Now) {
        self.body.phone_rings(leg);
        self.talking(now, |talking, body, _| {
            talking.party_rings(body, leg);
            None
        });
        self.rings_changed(now);
    }

    /// A phone gives no sign of life.
    pub fn quiet(&mut self, leg: u32, now: Now) {
        self.body.phone_quiet(leg);
        self.rings_changed(now);
    }

    /// A phone was picked up.
    pub fn answered(&mut self, leg: u32, answer: Option<Sdp>, now: Now) {
        if let Stage::Talking(talking) = &self.stage
            && talking.has_party(leg)
        {
            self.talking(now, |talking, body, now| talking.party_answered(body, leg, answer, now));
            return;
        }
        if self.body.is_asked_outside(leg) {
            self.body.helper_answered(leg, answer);
            self.rings_changed(now);
            return;
        }
        let Some(listener) = self.body.picked_up(leg, answer, now) else {
            return;
        };
        self.taken(leg, listener, now);
    }

    /// Somebody takes the call.
    fn taken(&mut self, leg: u32, listener: ListenerName, now: Now) {
        self.step(now, |stage, body, now| match stage {
            Stage::Greeting(greeting) => greeting.picked_up(body, leg, listener, now),
            // Whoever comes at the last moment is better than the last words.
            Stage::Waiting(_) | Stage::Leaving(_) => Some(Talking::begin(body, leg, listener, now)),
            Stage::Arriving(_) | Stage::Talking(_) | Stage::Gone(_) => {
                body.end_phone(leg, Reason::CompletedElsewhere);
                let talked = Duration::ZERO;
                body.wish(Output::HungUp { listener, talked, lost: false });
                None
            }
        });
    }

    /// A phone could not be had.
    pub fn failed(&mut self, leg: u32, why: Failure, now: Now) {
        if self.body.insists(leg, why) {
            return;
        }
        self.body.phone_failed(leg, why, now);
        self.talking(now, |talking, body, now| talking.party_failed(body, leg, why, now));
        self.rings_changed(now);
    }

    /// A key was pressed, told beside the sound (SIP INFO): the same as one heard in it.
    pub fn pressed(&mut self, leg: u32, digit: char, now: Now) {
        let stream = self.body.stream(leg);
        self.noticed(Notice::Digit { stream, digit }, now);
    }

    /// The offer of a leg of ours to the public network is to be made anew: it goes by a road of another
    /// kind.
    pub fn offers_by(&mut self, leg: u32, road: Road) {
        self.body.offers_by(leg, road);
    }

    /// The listener has written to the caller, from their page.
    pub fn written_to(&mut self, text: Text) {
        let stream = self.body.stream(CALLER);
        self.body.media(Order::Write { stream, text });
    }

    /// The other side of a leg ended it; `told` is the cause they gave.
    pub fn ended(&mut self, leg: u32, ending: &Ending, told: Option<Q850>, now: Now) {
        if leg == CALLER {
            self.body.caller_gone = true;
            self.step(now, |stage, body, now| leaving::caller_left(stage, body, ending, told, now));
            return;
        }
        self.step(now, |stage, body, now| match stage {
            Stage::Talking(talking) if talking.leg() == leg => {
                talking.listener_ended(body, ending, told, now)
            }
            Stage::Greeting(greeting) => {
                greeting.listener_left(body, leg, now);
                None
            }
            Stage::Talking(talking) => {
                body.phone_failed(leg, Failure::Unreachable, now);
                talking.party_left(body, leg, 480, now)
            }
            Stage::Arriving(_) | Stage::Waiting(_) | Stage::Leaving(_) | Stage::Gone(_) => {
                body.phone_failed(leg, Failure::Unreachable, now);
                None
            }
        });
    }

    /// The other side of a leg changes its session.
    pub fn offered(&mut self, leg: u32, offer: Option<Sdp>) {
        self.body.offered(leg, offer);
    }

    /// The answer to [`Output::Probe`].
    pub fn probed(&mut self, leg: u32, alive: bool, now: Now) {
        if leg == CALLER {
            self.body.caller_probed(alive, now);
        } else {
            self.talking(now, |talking, body, now| talking.listener_probed(body, leg, alive, now));
        }
    }

    // ---- time and outputs ----

    /// When to call [`Call::handle_timeout`] next; may change after every fact.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.body.timers.next()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.body.outputs.pop_front()
    }

    // ---- questions ----

    /// The line that was dialled, as planned when the call came.
    pub fn line(&self) -> &Arc<LinePlan> {
        &self.body.line
    }

    /// When the call came.
    pub fn since(&self) -> Moment {
        self.body.arrived
    }

    /// Whether the caller was with a listener before and was cut off.
    pub fn is_returning(&self) -> bool {
        self.body.resumes
    }

    /// Whether the caller can write, and read what is written to them.
    pub fn writes(&self) -> bool {
        self.body.writes
    }

    /// What the description of one leg travels by.
    pub fn road_of(&self, leg: u32) -> Option<Road> {
        self.body.phones.get(&leg).map(|phone| phone.road)
    }

    /// Whether a listener is on the line with the caller.
    pub fn is_talking(&self) -> bool {
        matches!(self.stage, Stage::Talking(_))
    }

    /// Whether somebody talks by this leg: with the caller, or with the listener on the caller's behalf.
    pub fn talks_by(&self, leg: u32) -> bool {
        let is_theirs = |talking: &Talking| talking.leg() == leg || talking.has_party(leg);
        self.stage.conversation().is_some_and(is_theirs)
    }

    /// Whether the caller was let in and is yet to be served: what a drain is for.
    pub fn is_to_be_served(&self) -> bool {
        match &self.stage {
            Stage::Arriving(arriving) => arriving.is_admitted(),
            Stage::Greeting(_) | Stage::Waiting(_) => true,
            Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_) => false,
        }
    }

    /// Whether the caller is still to be given to somebody.
    fn is_in_line(&self) -> bool {
        match &self.stage {
            Stage::Greeting(_) | Stage::Waiting(_) => true,
            Stage::Arriving(_) | Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_) => false,
        }
    }

    /// Whether the caller hears that the line is closed.
    pub fn hears_closed(&self) -> bool {
        match &self.stage {
            Stage::Arriving(arriving) => !arriving.is_admitted(),
            Stage::Leaving(leaving) => leaving.is_closed_message(),
            Stage::Greeting(_) | Stage::Waiting(_) | Stage::Talking(_) | Stage::Gone(_) => false,
        }
    }

    // ---- the rest ----

    /// What rings for us changed: what the caller hears may too, and a drain may be over.
    fn rings_changed(&mut self, now: Now) {
        self.waiting(now, Waiting::rings_changed);
    }

    /// Lets a call that waits work, and goes where it leads; no other does.
    fn waiting(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut Waiting, &mut Body, Now) -> Option<Stage>,
    ) {
        self.step(now, |stage, body, now| match stage {
            Stage::Waiting(waiting) => work(waiting, body, now),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Talking(_)
            | Stage::Leaving(_)
            | Stage::Gone(_) => None,
        });
    }

    /// Lets a conversation work, and goes where it leads.
    fn talking(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut Talking, &mut Body, Now) -> Option<Stage>,
    ) {
        self.step(now, |stage, body, now| match stage {
            Stage::Talking(talking) => work(talking, body, now),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Waiting(_)
            | Stage::Leaving(_)
            | Stage::Gone(_) => None,
        });
    }

    /// Lets the stage work, and goes where it leads.
    fn step(&mut self, now: Now, work: impl FnOnce(&mut Stage, &mut Body, Now) -> Option<Stage>) {
        if let Some(next) = work(&mut self.stage, &mut self.body, now) {
            self.stage = next;
        }
    }
}
