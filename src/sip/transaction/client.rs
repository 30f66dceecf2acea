//! A request of ours other than INVITE (RFC 3261 §17.1.2, figure 6).
//!
//! ```text
//!  Trying ─1xx─► Proceeding        E: request again (doubling to T2; T2 once Proceeding)
//!    │               │             F: timed out
//!    └──200-699──────┴──► Completed ──K──► (gone)
//! ```

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sip::Flow;

use super::widening::narrow;
use super::{Hands, Kept, PATIENCE, T1, T2, T4, Timer, Told};

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Client {
    flow: Flow,
    request: Kept,
    state: State,
}

#[derive(Debug, Deserialize, Serialize)]
enum State {
    /// `pause` is timer E's next.
    Trying {
        pause: Duration,
    },
    Proceeding,
    Completed,
}

impl Client {
    pub(super) fn new(flow: Flow, request: Bytes) -> Self {
        Self { flow, request: Kept(request), state: State::Trying { pause: T1 } }
    }

    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    pub(super) fn started(&mut self, hands: &mut Hands<'_>) {
        hands.ask(self.flow, &self.request);
        if !self.flow.transport.is_reliable() {
            hands.start(Timer::E, T1);
        }
        hands.start(Timer::F, PATIENCE);
    }

    /// Returns whether the user should see this response.
    pub(super) fn responded(&mut self, status: u16, hands: &mut Hands<'_>) -> bool {
        match (&self.state, status) {
            (State::Trying { .. }, 100..=199) => {
                self.state = State::Proceeding;
                true
            }
            (State::Proceeding, 100..=199) => true,
            (State::Trying { .. } | State::Proceeding, _) => {
                hands.stop(Timer::E);
                hands.stop(Timer::F);
                self.state = State::Completed;
                if self.flow.transport.is_reliable() {
                    hands.terminate();
                } else {
                    hands.start(Timer::K, T4);
                }
                true
            }
            (State::Completed, _) => false,
        }
    }

    /// No connection can be had.
    pub(super) fn unconnected(&mut self, hands: &mut Hands<'_>) {
        match (&self.state, narrow(self.flow, &self.request.0)) {
            (State::Trying { .. }, Some(narrow)) => {
                self.flow = narrow;
                hands.ask(self.flow, &self.request);
                hands.start(Timer::E, T1);
            }
            (State::Trying { .. } | State::Proceeding | State::Completed, _) => {
                self.unreachable(hands);
            }
        }
    }

    pub(super) fn unreachable(&mut self, hands: &mut Hands<'_>) {
        match self.state {
            State::Trying { .. } | State::Proceeding => {
                hands.tell(Told::Unreachable);
                hands.terminate();
            }
            State::Completed => {}
        }
    }

    pub(super) fn rang(&mut self, timer: Timer, hands: &mut Hands<'_>) {
        match (&mut self.state, timer) {
            (State::Trying { pause }, Timer::E) => {
                hands.ask(self.flow, &self.request);
                *pause = (*pause * 2).min(T2);
                hands.start(Timer::E, *pause);
            }
            (State::Proceeding, Timer::E) => {
                hands.ask(self.flow, &self.request);
                hands.start(Timer::E, T2);
            }
            (State::Trying { .. } | State::Proceeding, Timer::F) => {
                hands.tell(Told::TimedOut);
                hands.terminate();
            }
            (State::Completed, Timer::K) => hands.terminate(),
            (_, _) => {}
        }
    }
}
