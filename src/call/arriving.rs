//! The call has come and is being answered.
//!
//! Whatever the hour, the call is answered before anything is said (decisions.md §12): a network's
//! own failure message would tell a victim that the line does not exist.

use serde::{Deserialize, Serialize};

use crate::base::{Now, PromptName};
use crate::call::body::{Body, Early, Place};
use crate::call::greeting::Greeting;
use crate::call::leaving::Leaving;
use crate::call::{Arrival, CALLER, Output, Stage};
use crate::media::Order;
use crate::record::Draft;
use crate::schedule::Opening;

/// Being answered.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Arriving {
    opening: Opening,
    /// The INVITE had no offer: ours goes with the 200, and nothing plays before its answer came
    /// with the ACK (scenarios.md SC-29).
    delayed: bool,
    drain_is_over: bool,
    /// What is said before anything else; empty once it is said.
    preface: Vec<PromptName>,
    /// The line opened meanwhile.
    has_opened: bool,
}

impl Arriving {
    pub(super) fn begin(arrival: Arrival, now: Now) -> (Body, Self) {
        let Arrival { call, line, origin, preface, plan, trunk, .. } = arrival;
        let Arrival {
            sources, road, early, offer, territory, opening, attended, has_enough, ..
        } = arrival;
        let mut draft = Draft::new(call, line.name.clone(), trunk, plan, now);
        if let Some(origin) = origin {
            draft.came_from(origin);
        }
        let mut body = Body::new(call, line, territory, attended, draft, now);
        // Who is let in is answered, and so is a caller whose offer we are to make.
        if early && !opening.is_open() && offer.is_some() {
            body.early = Early::Wanted;
        }
        let stream = body.stream(CALLER);
        body.media(Order::Open { stream, sources, road });
        let delayed = offer.is_none();
        body.media(match offer {
            Some(offer) => Order::Answer { stream, offer },
            None => Order::Offer { stream, like: None },
        });
        if opening.is_open() && has_enough {
            body.place = Place::Full;
        } else if opening.is_open() {
            body.open_until = opening.until();
            body.place = Place::Asked;
            body.wish(Output::Knock);
        }
        (body, Self { opening, delayed, drain_is_over: false, preface, has_opened: false })
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.opening.is_open() || self.has_opened
    }

    pub(super) fn drain_over(&mut self) {
        self.drain_is_over = true;
    }

    /// The line opened while the caller heard that the number has changed.
    pub(super) fn line_opened(&mut self, body: &mut Body) {
        if !self.is_admitted() {
            self.has_opened = true;
            body.place = Place::Asked;
            body.wish(Output::Knock);
        }
    }

    /// The 200 is on its way.
    pub(super) fn described(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if self.delayed { None } else { self.answered(body, now) }
    }

    pub(super) fn confirmed(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if self.delayed { self.answered(body, now) } else { None }
    }

    fn answered(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        body.watch_caller();
        if self.preface.is_empty() {
            return Some(self.prefaced(body, now));
        }
        self.delayed = false;
        body.play(std::mem::take(&mut self.preface));
        None
    }

    /// What comes before everything else has been said.
    pub(super) fn prefaced(&mut self, body: &mut Body, now: Now) -> Stage {
        match (self.is_admitted(), body.place) {
            (false, _) => Leaving::closed(body, &self.opening, now),
            (true, Place::Full) => {
                body.answers();
                Leaving::saturated(body, now)
            }
            (true, Place::None | Place::Asked | Place::Taken) => {
                body.answers();
                Greeting::begin(body, self.drain_is_over, now)
            }
        }
    }
}
