//! The exchange: owns everything alive and sorts the mail.
//!
//! It has no opinions about telephony: those live in `call` and the crafts. Facts come in by
//! [`Exchange::handle`], are told to whom they concern, and everything that follows from them is
//! settled before it returns. Wishes wait in [`Exchange::poll_output`] for the service to carry out.

mod board;
mod commands;
mod input;
mod output;
mod plan;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Mint, Moment, Now};
use crate::sip::Endpoint;

pub use crate::call::{LinePlan, LineWords};
pub use board::{Board, LineBoard, ListenerBoard, QueueBoard};
pub use commands::{Command, CommandRef};
pub use input::Input;
pub use output::{Level, Note, Output};
pub use plan::{Code, ListenerPlan, Plan, PromptPlan, TrunkPlan};

/// The telephone exchange as one value.
#[derive(Debug, Deserialize, Serialize)]
pub struct Exchange {
    plan: Arc<Plan>,
    endpoint: Endpoint,
    outputs: VecDeque<Output>,
    latest: Now,
}

#[expect(unused_variables, reason = "signatures first")]
impl Exchange {
    pub fn new(plan: Arc<Plan>, mut mint: Mint, now: Now) -> Self {
        let endpoint = Endpoint::new(plan.sip.clone(), mint.split());
        Self { plan, endpoint, outputs: VecDeque::new(), latest: now }
    }

    /// Takes in one fact and works until nothing more follows from it. `at` is when the fact was
    /// received; facts from different doors may overtake each other, so time stands still rather
    /// than going back. Due timers run too.
    pub fn handle(&mut self, input: Input, at: Now) {
        unimplemented!()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Exchange::handle`] next at the latest; may change after every call to it.
    pub fn poll_timeout(&self) -> Option<Moment> {
        unimplemented!()
    }

    /// The picture of the house as of `now`.
    pub fn board(&self, now: Now) -> Board {
        unimplemented!()
    }

    /// Whether no call is alive (a house that is asked to stop may then stop).
    pub fn is_idle(&self) -> bool {
        unimplemented!()
    }
}
