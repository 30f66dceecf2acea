//! An INVITE of ours (RFC 3261 §17.1.1, figure 5, as changed by RFC 6026 §8.4).
//!
//! ```text
//!              ┌───────── A: INVITE again, B: timed out
//!  Calling ────┤
//!     │1xx     ├─2xx──► Accepted ──M──► (gone)      2xx: the user ACKs; repeated ones alike
//!     ▼        │
//!  Proceeding ─┴─3xx+─► Completed ─D──► (gone)      3xx-6xx: ACKed here, each time
//! ```
//!
//! RFC 6026 gives every 2xx to the user. Here the user leaves its ACK behind instead
//! ([`InviteClient::acknowledge`]), and only the first 2xx of each to-tag goes up.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sip::Flow;
use crate::sip::compose::Twin;

use super::widening::narrow;
use super::{Hands, Kept, PATIENCE, T1, Timer, Told};

/// How many branches of one fork are acknowledged; what is beyond ends by its own timers.
const FORKS_MAX: usize = 16;

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct InviteClient {
    flow: Flow,
    invite: Kept,
    twin: Twin,
    state: State,
    /// Nobody waits for the answer: a provisional response buys it no more time.
    given_up: bool,
}

#[derive(Debug, Deserialize, Serialize)]
enum State {
    /// `pause` is timer A's next.
    Calling {
        pause: std::time::Duration,
    },
    Proceeding,
    /// The ACK for the refusal, for its repetitions.
    Completed {
        ack: Kept,
    },
    /// The ACK of each branch of the fork, by to-tag.
    Accepted {
        acks: BTreeMap<String, (Flow, Kept)>,
    },
}

impl InviteClient {
    pub(super) fn new(flow: Flow, invite: Bytes, twin: Twin) -> Self {
        Self {
            flow,
            invite: Kept(invite),
            twin,
            state: State::Calling { pause: T1 },
            given_up: false,
        }
    }

    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    pub(super) fn started(&mut self, hands: &mut Hands<'_>) {
        hands.ask(self.flow, &self.invite);
        if !self.flow.transport.is_reliable() {
            hands.start(Timer::A, T1);
        }
        hands.start(Timer::B, PATIENCE);
    }

    /// Returns whether the user should see this response.
    pub(super) fn responded(
        &mut self,
        status: u16,
        to_tag: &str,
        to: &str,
        hands: &mut Hands<'_>,
    ) -> bool {
        match (&mut self.state, status) {
            (State::Calling { .. }, 100..=199) => {
                hands.stop(Timer::A);
                if !self.given_up {
                    hands.stop(Timer::B);
                }
                self.state = State::Proceeding;
                true
            }
            (State::Proceeding, 100..=199) => true,
            (State::Calling { .. } | State::Proceeding, 200..=299) => {
                hands.stop(Timer::A);
                hands.stop(Timer::B);
                hands.start(Timer::M, PATIENCE);
                self.state = State::Accepted { acks: BTreeMap::new() };
                true
            }
            (State::Calling { .. } | State::Proceeding, _) => {
                hands.stop(Timer::A);
                hands.stop(Timer::B);
                let ack = Kept(self.twin.ack(to));
                hands.ask(self.flow, &ack);
                self.state = State::Completed { ack };
                if self.flow.transport.is_reliable() {
                    hands.terminate();
                } else {
                    hands.start(Timer::D, PATIENCE);
                }
                true
            }
            (State::Completed { ack }, 300..) => {
                hands.ask(self.flow, ack);
                false
            }
            (State::Completed { .. }, _) => false,
            (State::Accepted { acks }, 200..=299) => match acks.get(to_tag) {
                Some((flow, ack)) => {
                    hands.send(*flow, ack);
                    false
                }
                None => acks.len() < FORKS_MAX,
            },
            (State::Accepted { .. }, _) => false,
        }
    }

    /// The user's ACK for the 2xx with this to-tag: sent now, and again whenever the 2xx comes again.
    pub(super) fn acknowledge(
        &mut self,
        to_tag: &str,
        flow: Flow,
        ack: Bytes,
        hands: &mut Hands<'_>,
    ) {
        let ack = Kept(ack);
        hands.send(flow, &ack);
        match &mut self.state {
            State::Accepted { acks } => {
                acks.insert(to_tag.to_owned(), (flow, ack));
            }
            State::Calling { .. } | State::Proceeding | State::Completed { .. } => {}
        }
    }

    pub(super) fn cancelled(&mut self, hands: &mut Hands<'_>) {
        match self.state {
            State::Calling { .. } | State::Proceeding => {
                self.given_up = true;
                hands.start(Timer::B, PATIENCE);
            }
            State::Completed { .. } | State::Accepted { .. } => {}
        }
    }

    /// No connection can be had.
    pub(super) fn unconnected(&mut self, hands: &mut Hands<'_>) {
        match (&self.state, narrow(self.flow, &self.invite.0)) {
            (State::Calling { .. }, Some(narrow)) => {
                self.flow = narrow;
                hands.ask(self.flow, &self.invite);
                hands.start(Timer::A, T1);
            }
            (
                State::Calling { .. }
                | State::Proceeding
                | State::Completed { .. }
                | State::Accepted { .. },
                _,
            ) => self.unreachable(hands),
        }
    }

    pub(super) fn unreachable(&mut self, hands: &mut Hands<'_>) {
        match self.state {
            State::Calling { .. } | State::Proceeding => {
                hands.tell(Told::Unreachable);
                hands.terminate();
            }
            State::Completed { .. } | State::Accepted { .. } => {}
        }
    }

    pub(super) fn rang(&mut self, timer: Timer, hands: &mut Hands<'_>) {
        match (&mut self.state, timer) {
            (State::Calling { pause }, Timer::A) => {
                hands.ask(self.flow, &self.invite);
                *pause *= 2;
                hands.start(Timer::A, *pause);
            }
            // In Proceeding, B runs only after a CANCEL (RFC 3261 §9.1).
            (State::Calling { .. } | State::Proceeding, Timer::B) => {
                hands.tell(Told::TimedOut);
                hands.terminate();
            }
            (State::Completed { .. }, Timer::D) | (State::Accepted { .. }, Timer::M) => {
                hands.terminate();
            }
            (_, _) => {}
        }
    }
}
