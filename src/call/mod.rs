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
mod body;
mod consulting;
mod errand;
mod greeting;
mod leaving;
mod overflow;
mod plan;
mod ringing;
mod talking;
mod waiting;
mod words;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{
    CallRef, LineName, ListenerName, Moment, Now, PhoneNumber, PromptName, Territory, TrunkName,
};
use crate::media::{Notice, Order, PlayRef, Quality, Sources};
use crate::queue::{DrainOutput, Stop};
use crate::record::{AttemptResult, CallRecord, Q850};
use crate::schedule::Opening;
use crate::sip::{Ending, Failure, Phone, PhoneRef, Reason, Refusal};

pub use errand::Errand;
pub use plan::{Helper, LinePlan, LineWords, Moved};
pub use words::closed as closed_message;

use arriving::Arriving;
use body::Body;
use greeting::Greeting;
use leaving::{Gone, Leaving};
use talking::Talking;
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

/// All there is to know about a call when it comes.
#[derive(Debug)]
pub struct Arrival {
    pub call: CallRef,
    /// The line that serves the call.
    pub line: Arc<LinePlan>,
    /// The line that was dialled, if it is another.
    pub origin: Option<LineName>,
    /// Said before anything else.
    pub preface: Vec<PromptName>,
    /// The plan's version, for the record.
    pub plan: String,
    pub trunk: Option<TrunkName>,
    /// Whose packets may be the caller's.
    pub sources: Sources,
    /// The caller's signalling can't be read on the road.
    pub secure: bool,
    /// Whose packets may be those of somebody we call outside.
    pub outside: Sources,
    pub offer: Option<Bytes>,
    pub territory: Territory,
    /// The line's hours at the instant the first copy of the INVITE came.
    pub opening: Opening,
    /// Whether any listener of the line is logged in.
    pub attended: bool,
    /// The caller holds all the calls one caller may: they hear that the lines are taken.
    pub has_enough: bool,
}

/// What a call wants done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Output {
    /// 200 to the INVITE of this leg.
    Accept {
        leg: u32,
        sdp: Bytes,
    },
    /// A final refusal.
    Refuse {
        leg: u32,
        refusal: Refusal,
    },
    /// 200 to a re-INVITE.
    Answer {
        leg: u32,
        sdp: Bytes,
    },
    Decline {
        leg: u32,
        refusal: Refusal,
    },
    Invite {
        leg: u32,
        phone: PhoneRef,
        display: String,
        alert_info: Option<String>,
        offer: Bytes,
    },
    /// An INVITE to the public network.
    CallOut {
        leg: u32,
        number: PhoneNumber,
        offer: Bytes,
    },
    /// CANCEL, BYE or a refusal, whichever fits.
    End {
        leg: u32,
        reason: Reason,
    },
    /// OPTIONS inside the dialog.
    Probe {
        leg: u32,
    },
    /// The phone behind this leg has stopped answering: it isn't rung before it gives a sign of life.
    Doubt {
        phone: PhoneRef,
    },
    Media(Order),
    /// Asks for a place in the queue.
    Knock,
    /// Phones may ring from now on.
    Ready,
    /// No more phones may begin to ring.
    Unready,
    /// Asks for the head of the queue: the listener was lost.
    Return,
    /// Gives the place up.
    Leave,
    /// The caller put us on hold, or took us back.
    Held(bool),
    /// Asks how long the wait will be; told by [`Call::estimated`].
    Estimate,
    /// None of the listener's phones gave a sign of life yet.
    Quiet {
        listener: ListenerName,
    },
    /// One did after all.
    Stirred {
        listener: ListenerName,
    },
    /// The listener's phones ring no more, and why. Never `Answered`.
    AttemptEnded {
        listener: ListenerName,
        result: AttemptResult,
    },
    /// The listener picked up.
    PickedUp {
        listener: ListenerName,
    },
    /// The listener's part is over, by whomever; `lost` when their phone stopped answering.
    HungUp {
        listener: ListenerName,
        talked: Duration,
        lost: bool,
    },
    /// The listener has left the caller with a centre.
    HandedOver,
    /// The call is over; nothing of it is left.
    Finished(Box<CallRecord>),
}

/// A deadline of a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    /// The next announcement of the wait is due.
    Announce,
    /// The caller has been silent long enough after a probe that failed.
    CallerGone,
    /// The long wait is admitted to.
    LongWait,
    /// A lost listener had their time to come back.
    ListenerGone,
    /// A centre has rung for long enough.
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
    pub fn confirmed(&mut self, leg: u32, answer: Option<Bytes>, now: Now) {
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
        self.rings_changed(now);
    }

    /// A phone gives no sign of life.
    pub fn quiet(&mut self, leg: u32, now: Now) {
        self.body.phone_quiet(leg);
        self.rings_changed(now);
    }

    /// A phone was picked up.
    pub fn answered(&mut self, leg: u32, answer: Option<Bytes>, now: Now) {
        if let Stage::Talking(talking) = &mut self.stage
            && talking.is_consulting(leg)
        {
            talking.centre_answered(&mut self.body, answer);
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
            Stage::Waiting(_) => Some(Talking::begin(body, leg, listener, now)),
            Stage::Arriving(_) | Stage::Talking(_) | Stage::Leaving(_) | Stage::Gone(_) => {
                body.end_phone(leg, Reason::CompletedElsewhere);
                None
            }
        });
    }

    /// A phone could not be had.
    pub fn failed(&mut self, leg: u32, why: Failure, now: Now) {
        self.body.phone_failed(leg, why, now);
        if let Stage::Talking(talking) = &mut self.stage {
            talking.centre_gone(&mut self.body, leg);
        }
        self.rings_changed(now);
    }

    /// A key was pressed, told beside the sound (SIP INFO): the same as one heard in it.
    pub fn pressed(&mut self, leg: u32, digit: char, now: Now) {
        let stream = self.body.stream(leg);
        self.noticed(Notice::Digit { stream, digit }, now);
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
                talking.centre_gone(body, leg);
                None
            }
            Stage::Arriving(_) | Stage::Waiting(_) | Stage::Leaving(_) | Stage::Gone(_) => {
                body.phone_failed(leg, Failure::Unreachable, now);
                None
            }
        });
    }

    /// The other side of a leg changes its session.
    pub fn offered(&mut self, leg: u32, offer: Option<Bytes>) {
        self.body.offered(leg, offer);
    }

    /// The answer to [`Output::Probe`].
    pub fn probed(&mut self, leg: u32, alive: bool, now: Now) {
        if leg == CALLER {
            self.body.caller_probed(alive, now);
        }
    }

    // ---- facts: sound ----

    /// A notice about one of our streams.
    pub fn noticed(&mut self, notice: Notice, now: Now) {
        match notice {
            Notice::Described { stream, sdp, held } => {
                self.described(stream.index, sdp, held, now);
            }
            Notice::Refused { stream, why } => {
                let step = |stage: &mut Stage, body: &mut Body, now| {
                    leaving::media_refused(stage, body, stream.index, why, now)
                };
                self.step(now, step);
                self.centre_may_be_gone(stream.index);
                self.rings_changed(now);
            }
            // Keys mean nothing on a line without a menu; they are not passed on either.
            Notice::Digit { stream, digit } => {
                if let Stage::Talking(talking) = &mut self.stage
                    && talking.leg() == stream.index
                {
                    talking.pressed(&mut self.body, digit, now);
                }
                if self.is_in_line()
                    && let Some(listener) = self.body.helper_pressed(stream.index, digit, now)
                {
                    self.taken(stream.index, listener, now);
                }
            }
            Notice::Finished { play, cut, .. } => self.finished(play, cut, now),
            Notice::Silent { stream, since } => self.silent(stream.index, since, now),
            Notice::Heard { stream } => self.heard(stream.index, now),
            Notice::Closed { stream, quality } => self.closed(stream.index, quality, now),
            Notice::Lost { stream } => {
                let step = |stage: &mut Stage, body: &mut Body, now| {
                    leaving::stream_lost(stage, body, stream.index, now)
                };
                self.step(now, step);
                self.centre_may_be_gone(stream.index);
                self.rings_changed(now);
            }
        }
    }

    // ---- time and outputs ----

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
                Timer::ConsultOver => {
                    if let Stage::Talking(talking) = stage {
                        talking.comes_home(body);
                    }
                    None
                }
                Timer::ListenerGone => match stage {
                    Stage::Talking(talking) => Some(talking.given_up(body, now)),
                    Stage::Arriving(_)
                    | Stage::Greeting(_)
                    | Stage::Waiting(_)
                    | Stage::Leaving(_)
                    | Stage::Gone(_) => None,
                },
            });
        }
    }

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

    /// Whether a listener is on the line with the caller.
    pub fn is_talking(&self) -> bool {
        matches!(self.stage, Stage::Talking(_))
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

    fn described(&mut self, leg: u32, sdp: Bytes, held: bool, now: Now) {
        match self.body.described(leg, sdp, held) {
            body::Described::Arrived => {
                self.step(now, |stage, body, now| match stage {
                    Stage::Arriving(arriving) => arriving.described(body, now),
                    Stage::Greeting(_)
                    | Stage::Waiting(_)
                    | Stage::Talking(_)
                    | Stage::Leaving(_)
                    | Stage::Gone(_) => None,
                });
            }
            body::Described::HoldChanged => match &mut self.stage {
                Stage::Talking(talking) => talking.hold_changed(&mut self.body),
                Stage::Greeting(_) | Stage::Waiting(_) if leg == CALLER => {
                    self.body.outputs.push_back(Output::Held(held));
                }
                Stage::Arriving(_)
                | Stage::Greeting(_)
                | Stage::Waiting(_)
                | Stage::Leaving(_)
                | Stage::Gone(_) => {}
            },
            body::Described::Nothing => {}
        }
    }

    fn finished(&mut self, play: PlayRef, cut: bool, now: Now) {
        if self.body.playing != Some(play) {
            return;
        }
        self.body.playing = None;
        self.step(now, |stage, body, now| match stage {
            Stage::Greeting(greeting) => greeting.finished(body, now),
            Stage::Waiting(waiting) => waiting.finished(body, now),
            Stage::Talking(talking) => {
                talking.finished(body);
                None
            }
            Stage::Leaving(leaving) => leaving.finished(body, cut, now),
            Stage::Arriving(arriving) => Some(arriving.prefaced(body, now)),
            Stage::Gone(_) => None,
        });
    }

    fn silent(&mut self, leg: u32, since: Moment, now: Now) {
        if leg == CALLER {
            self.body.caller_silent(since, now);
        } else if let Stage::Talking(talking) = &mut self.stage
            && talking.leg() == leg
        {
            talking.listener_silent(&mut self.body, now);
        }
    }

    fn heard(&mut self, leg: u32, now: Now) {
        if leg == CALLER {
            self.body.caller_heard();
        } else if let Stage::Talking(talking) = &mut self.stage
            && talking.leg() == leg
        {
            talking.listener_heard(&mut self.body, now);
        }
    }

    fn closed(&mut self, leg: u32, quality: Quality, now: Now) {
        if leg == CALLER {
            leaving::measured(&mut self.stage, &mut self.body, quality, now);
        } else {
            leaving::listener_measured(&mut self.body, quality);
        }
    }

    /// A leg may have gone with its sound; if a listener was asking there, they come home.
    fn centre_may_be_gone(&mut self, leg: u32) {
        if let Stage::Talking(talking) = &mut self.stage
            && !self.body.phones.contains_key(&leg)
        {
            talking.centre_gone(&mut self.body, leg);
        }
    }

    /// What rings for us changed: what the caller hears may too, and a drain may be over.
    fn rings_changed(&mut self, now: Now) {
        self.step(now, |stage, body, now| match stage {
            Stage::Waiting(waiting) => waiting.rings_changed(body, now),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Talking(_)
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
