//! Callers waiting for a listener.
//!
//! A [`Queue`] keeps the order in which callers came, says for whom a listener should ring next, and
//! ends what lasts too long. It does not know which listeners are free: the exchange asks the
//! roster and tells the queue, so that two queues can share listeners without sharing state.
//!
//! ```text
//!   knocked ──► at the door ──(a place is freed)──┐
//!      └──────► placed ──ready──► waiting ──matched──► ringing ──answered──► left
//!                                    ▲                    │
//!                                    └── declined, failed, unanswered
//! ```
//!
//! Order is by arrival; see [`Class`] for the one exception. Every caller in line has one phone ringing before any has two, so that three
//! free listeners take three callers at once; those first in line are given the first choice.

mod drain;
mod estimate;
mod fairness;
mod staff;
mod strategy;

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, ListenerName, Moment, Timers};

pub use drain::{Drain, Output as DrainOutput};
pub use estimate::Estimate;
pub use fairness::Class;
pub use staff::Staff;
pub use strategy::RingStrategy;

/// How long a caller who put us on hold keeps a listener free for themselves before the next
/// caller is served (scenarios.md SC-23).
const HELD_TURN_MAX: Duration = Duration::from_secs(60);

/// What an operator decides about a queue.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct QueuePlan {
    pub strategy: RingStrategy,
    /// How many listeners are rung at once for one caller (`longest-idle`).
    pub listeners_at_once: usize,
    /// How long one listener's phones ring before the next is tried.
    pub ring_for: Duration,
    /// The most callers waiting; the next one hears that all lines are taken.
    pub places_max: usize,
    /// How long a caller may wait at the most; None: as long as they wish.
    pub patience: Option<Duration>,
    /// How long a listener has for their notes after a conversation.
    pub after_call_work: Duration,
    /// After this many rings in vain in a row a listener is taken to have walked off.
    pub misses_max: u32,
    /// How long a listener whose phone refuses is left alone at first; doubles up to 16 times it.
    pub refusal_pause: Duration,
}

/// A first-come, first-served line of callers.
#[derive(Debug, Deserialize, Serialize)]
pub struct Queue {
    plan: QueuePlan,
    places: VecDeque<Place>,
    /// Callers who found the queue full and hear so; the first of them gets the next place
    /// (scenarios.md SC-19).
    at_door: VecDeque<(CallRef, Class)>,
    /// Whose turn it was last, for when the classes alternate.
    served_last: Option<Class>,
    rung_last: Option<ListenerName>,
    timers: Timers<Timer>,
    outputs: VecDeque<Output>,
}

/// What the queue wants done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// The caller has a place.
    Placed { call: CallRef },
    /// There is none; they may get one as long as they stay.
    Full { call: CallRef },
    /// Ring this listener for this caller.
    Ring { call: CallRef, listener: ListenerName },
    /// Stop ringing this listener.
    StopRinging { call: CallRef, listener: ListenerName, why: Stop },
    /// The caller has waited as long as the plan lets them; their place is gone.
    PatienceSpent { call: CallRef },
}

/// Why a phone stops ringing: only `Unanswered` is the listener's doing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Stop {
    /// The caller left.
    CallerLeft,
    /// Another listener picked up.
    TakenByAnother,
    /// It rang long enough.
    Unanswered,
}

#[derive(Debug, Deserialize, Serialize)]
struct Place {
    call: CallRef,
    class: Class,
    /// Given back by a lost listener: before everybody, whatever their class.
    returned: bool,
    /// Who has given them back, because they know the caller.
    avoids: Option<ListenerName>,
    ready: bool,
    attempts: Vec<Attempt>,
    hold: Hold,
}

/// One listener being rung for one caller.
#[derive(Debug, Deserialize, Serialize)]
struct Attempt {
    listener: ListenerName,
    /// The phone has given no sign of life: somebody else may ring beside it.
    quiet: bool,
}

/// Whether the caller put us on hold, and what that did to their turn.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Hold {
    None,
    Held,
    /// It was their turn: a listener is kept for them for a while.
    TurnKept,
    /// That while is over: others are served, they keep their place.
    Yielded,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    HeldTurn(CallRef),
    Patience(CallRef),
    RingFor(CallRef, ListenerName),
}

impl Queue {
    pub fn new(plan: QueuePlan) -> Self {
        Self {
            plan,
            places: VecDeque::new(),
            at_door: VecDeque::new(),
            served_last: None,
            rung_last: None,
            timers: Timers::default(),
            outputs: VecDeque::new(),
        }
    }

    /// A new plan: counts from now on; nobody loses a place by it.
    pub fn replanned(&mut self, plan: QueuePlan) {
        self.plan = plan;
        self.fill_from_door();
    }

    pub fn plan(&self) -> &QueuePlan {
        &self.plan
    }

    // ---- facts ----

    /// A caller wants a place: the last one, or none is left.
    pub fn knocked(&mut self, call: CallRef, class: Class, now: Moment) {
        if self.knows(call) {
            return;
        }
        if !self.has_room(class) {
            self.at_door.push_back((call, class));
            self.outputs.push_back(Output::Full { call });
            return;
        }
        self.place(call, class);
        if let Some(patience) = self.plan.patience {
            self.timers.set(Timer::Patience(call), now + patience);
        }
    }

    /// The caller has heard enough of the greeting: phones may ring for them.
    pub fn ready(&mut self, call: CallRef) {
        if let Some(place) = self.find(call) {
            place.ready = true;
        }
    }

    /// No more phones may begin to ring for this caller; those that ring go on.
    pub fn unready(&mut self, call: CallRef) {
        if let Some(place) = self.find(call) {
            place.ready = false;
        }
    }

    /// A caller whose listener was lost, or who was given back, goes to the head, full or not
    /// (decisions.md §15). Who has given them back is not rung for them again while anybody else is on
    /// duty.
    pub fn returned(&mut self, call: CallRef, class: Class, avoids: Option<ListenerName>) {
        if !self.knows(call) {
            self.places.push_front(Place {
                call,
                class,
                returned: true,
                avoids,
                ready: true,
                attempts: Vec::new(),
                hold: Hold::None,
            });
        }
    }

    /// A free listener was found for this caller.
    pub fn matched(&mut self, call: CallRef, listener: ListenerName, now: Moment) {
        let ring_for = self.plan.ring_for;
        let Some(place) = self.find(call) else {
            return;
        };
        place.attempts.push(Attempt { listener: listener.clone(), quiet: false });
        self.timers.set(Timer::RingFor(call, listener.clone()), now + ring_for);
        self.rung_last = Some(listener.clone());
        self.outputs.push_back(Output::Ring { call, listener });
    }

    /// None of the listener's phones gave a sign of life: somebody else rings beside them.
    pub fn quiet(&mut self, call: CallRef, listener: &ListenerName) {
        if let Some(attempt) = self.attempt(call, listener) {
            attempt.quiet = true;
        }
    }

    /// One of them gave a sign of life after all.
    pub fn stirred(&mut self, call: CallRef, listener: &ListenerName) {
        if let Some(attempt) = self.attempt(call, listener) {
            attempt.quiet = false;
        }
    }

    /// The listener refused, or their phones failed: the caller keeps their place.
    pub fn attempt_failed(&mut self, call: CallRef, listener: &ListenerName) {
        self.timers.stop(&Timer::RingFor(call, listener.clone()));
        if let Some(place) = self.find(call) {
            place.attempts.retain(|attempt| attempt.listener != *listener);
        }
    }

    /// The listener picked up: the others stop ringing, the place is free.
    pub fn answered(&mut self, call: CallRef, listener: &ListenerName) {
        self.attempt_failed(call, listener);
        if let Some(place) = self.find(call) {
            self.served_last = Some(place.class);
        }
        self.leave(call, Stop::TakenByAnother);
    }

    /// The caller hung up, or is served no more.
    pub fn left(&mut self, call: CallRef) {
        self.at_door.retain(|(waiting, _)| *waiting != call);
        self.leave(call, Stop::CallerLeft);
    }

    /// The caller put us on hold.
    pub fn held(&mut self, call: CallRef) {
        if let Some(place) = self.find(call)
            && place.hold == Hold::None
        {
            place.hold = Hold::Held;
        }
    }

    /// And took us back.
    pub fn resumed(&mut self, call: CallRef) {
        self.timers.stop(&Timer::HeldTurn(call));
        if let Some(place) = self.find(call) {
            place.hold = Hold::None;
        }
    }

    // ---- time and outputs ----

    pub fn handle_timeout(&mut self, now: Moment) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::HeldTurn(call) => {
                    if let Some(place) = self.find(call) {
                        place.hold = Hold::Yielded;
                    }
                }
                Timer::Patience(call) => {
                    self.left(call);
                    self.outputs.push_back(Output::PatienceSpent { call });
                }
                Timer::RingFor(call, listener) => {
                    self.attempt_failed(call, &listener);
                    let why = Stop::Unanswered;
                    self.outputs.push_back(Output::StopRinging { call, listener, why });
                }
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- questions ----

    /// For whom one of the free listeners should ring now, and which. Asks again after
    /// [`Queue::matched`] until the answer is None.
    pub fn next_match(&mut self, staff: Staff<'_>, now: Moment) -> Option<(CallRef, ListenerName)> {
        let kept = self.keep_turns(staff.free.len(), now);
        if kept >= staff.free.len() {
            return None;
        }
        let at_once = self.plan.strategy.at_once(self.plan.listeners_at_once);
        let wants = |place: &&Place, most: usize| {
            place.ready
                && place.hold == Hold::None
                && place.ringing() < most
                && place.has_taker(staff)
        };
        let first_round = match self.plan.strategy {
            // Everybody rings for the first in line, whoever else waits.
            RingStrategy::RingAll => None,
            RingStrategy::LongestIdle | RingStrategy::InTurn => {
                self.in_turn().find(|place| wants(place, 1))
            }
        };
        let place = first_round.or_else(|| self.in_turn().find(|place| wants(place, at_once)))?;
        let mut takers = place.takers(staff);
        let is_for_others = |other: &&Place| other.writes(staff) && wants(other, 1);
        if !place.writes(staff) && self.places.iter().any(|other| is_for_others(&other)) {
            // Whoever reads is left for who writes, as long as there is somebody else.
            let (readers, others): (Vec<_>, Vec<_>) =
                takers.into_iter().partition(|(one, _)| staff.readers.contains(one));
            takers = if others.is_empty() { readers } else { others };
        }
        let listener = self.plan.strategy.choose(&takers, self.rung_last.as_ref())?;
        Some((place.call, listener))
    }

    /// How far a caller is from the front, counting from one.
    pub fn place_of(&self, call: CallRef) -> Option<usize> {
        self.in_turn().position(|place| place.call == call).map(|index| index + 1)
    }

    /// Everybody with a place, first in line first.
    pub fn calls(&self) -> impl Iterator<Item = CallRef> {
        self.places.iter().map(|place| place.call)
    }

    /// Whether any phone rings for this caller.
    pub fn rings_for(&self, call: CallRef) -> bool {
        self.places.iter().any(|place| place.call == call && !place.attempts.is_empty())
    }

    /// Whether nobody waits, and nobody is at the door.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.at_door.is_empty()
    }

    fn knows(&self, call: CallRef) -> bool {
        self.at_door.iter().any(|(waiting, _)| *waiting == call)
            || self.places.iter().any(|place| place.call == call)
    }

    fn find(&mut self, call: CallRef) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.call == call)
    }

    fn attempt(&mut self, call: CallRef, listener: &ListenerName) -> Option<&mut Attempt> {
        self.find(call)?.attempts.iter_mut().find(|attempt| attempt.listener == *listener)
    }

    fn place(&mut self, call: CallRef, class: Class) {
        self.places.push_back(Place {
            call,
            class,
            returned: false,
            avoids: None,
            ready: false,
            attempts: Vec::new(),
            hold: Hold::None,
        });
        self.outputs.push_back(Output::Placed { call });
    }

    /// Keeps one free listener for each caller on hold whose turn it is; returns how many are kept.
    fn keep_turns(&mut self, free: usize, now: Moment) -> usize {
        let mut kept = 0;
        for place in self.places.iter_mut().filter(|place| place.ready).take(free) {
            match place.hold {
                Hold::None | Hold::Yielded => {}
                Hold::Held => {
                    place.hold = Hold::TurnKept;
                    self.timers.set(Timer::HeldTurn(place.call), now + HELD_TURN_MAX);
                    kept += 1;
                }
                Hold::TurnKept => kept += 1,
            }
        }
        kept
    }

    fn leave(&mut self, call: CallRef, why: Stop) {
        self.timers.stop(&Timer::Patience(call));
        self.timers.stop(&Timer::HeldTurn(call));
        let Some(at) = self.places.iter().position(|place| place.call == call) else {
            return;
        };
        let Some(place) = self.places.remove(at) else {
            return;
        };
        for Attempt { listener, .. } in place.attempts {
            self.timers.stop(&Timer::RingFor(call, listener.clone()));
            self.outputs.push_back(Output::StopRinging { call, listener, why });
        }
        self.fill_from_door();
    }

    fn fill_from_door(&mut self) {
        while let Some(at) = self.at_door.iter().position(|(_, class)| self.has_room(*class))
            && let Some((call, class)) = self.at_door.remove(at)
        {
            self.place(call, class);
        }
    }
}

impl Place {
    fn ringing(&self) -> usize {
        self.attempts.iter().filter(|attempt| !attempt.quiet).count()
    }
}

#[cfg(test)]
mod tests;
