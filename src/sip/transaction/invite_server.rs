//! An INVITE from the other side (RFC 3261 §17.2.1, figure 7, as changed by RFC 6026 §8.2).
//!
//! ```text
//!  Proceeding ──2xx──► Accepted ──L──► (gone)          the user repeats its 2xx until ACK
//!      │   INVITE: last response again
//!      └──300-699──► Completed ──ACK──► Confirmed ──I──► (gone)
//!                       │ INVITE, G: refusal again
//!                       └──H──► (gone)
//! ```
//!
//! The ACK for a 2xx is a transaction of its own and is matched by its dialog.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sip::Flow;

use super::{Hands, Kept, PATIENCE, T1, T2, T4, Timer};

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct InviteServer {
    source: Flow,
    reply: Flow,
    state: State,
}

#[derive(Debug, Deserialize, Serialize)]
enum State {
    Proceeding {
        last: Option<Kept>,
    },
    /// `pause` is timer G's next.
    Completed {
        refusal: Kept,
        pause: Duration,
    },
    Confirmed,
    Accepted,
}

impl InviteServer {
    pub(super) fn new(source: Flow, reply: Flow) -> Self {
        Self { source, reply, state: State::Proceeding { last: None } }
    }

    pub(super) fn source(&self) -> Flow {
        self.source
    }

    /// Whether it was refused, and the ACK has not come.
    pub(super) fn waits_for_ack(&self) -> bool {
        matches!(self.state, State::Completed { .. })
    }

    pub(super) fn flow_closed(&mut self, flow: Flow) {
        if self.reply == flow {
            self.reply.connection = 0;
        }
    }

    pub(super) fn invited_again(&mut self, hands: &mut Hands<'_>) {
        match &self.state {
            State::Proceeding { last: Some(last) } | State::Completed { refusal: last, .. } => {
                hands.send(self.reply, last);
            }
            State::Proceeding { last: None } | State::Confirmed | State::Accepted => {}
        }
    }

    pub(super) fn respond(&mut self, status: u16, bytes: Bytes, hands: &mut Hands<'_>) {
        let bytes = Kept(bytes);
        match (&mut self.state, status) {
            (State::Proceeding { last }, 100..=199) => {
                hands.send(self.reply, &bytes);
                *last = Some(bytes);
            }
            (State::Proceeding { .. }, 200..=299) => {
                hands.send(self.reply, &bytes);
                hands.start(Timer::L, PATIENCE);
                self.state = State::Accepted;
            }
            (State::Proceeding { .. }, _) => {
                hands.send(self.reply, &bytes);
                if !self.reply.transport.is_reliable() {
                    hands.start(Timer::G, T1);
                }
                hands.start(Timer::H, PATIENCE);
                self.state = State::Completed { refusal: bytes, pause: T1 };
            }
            (State::Accepted, 200..=299) => hands.send(self.reply, &bytes),
            (State::Accepted | State::Completed { .. } | State::Confirmed, _) => {}
        }
    }

    /// Returns whether the ACK was for a refusal of ours, and is settled.
    pub(super) fn acknowledged(&mut self, hands: &mut Hands<'_>) -> bool {
        match &self.state {
            State::Completed { .. } => {
                hands.stop(Timer::G);
                hands.stop(Timer::H);
                self.state = State::Confirmed;
                if self.reply.transport.is_reliable() {
                    hands.terminate();
                } else {
                    hands.start(Timer::I, T4);
                }
                true
            }
            State::Confirmed => true,
            // An RFC 2543 client acknowledges a 2xx with the INVITE's own branch: the dialog wants it.
            State::Accepted => false,
            State::Proceeding { .. } => true,
        }
    }

    pub(super) fn rang(&mut self, timer: Timer, hands: &mut Hands<'_>) {
        match (&mut self.state, timer) {
            (State::Completed { refusal, pause }, Timer::G) => {
                hands.send(self.reply, refusal);
                *pause = (*pause * 2).min(T2);
                hands.start(Timer::G, *pause);
            }
            (State::Completed { .. }, Timer::H)
            | (State::Confirmed, Timer::I)
            | (State::Accepted, Timer::L) => hands.terminate(),
            (_, _) => {}
        }
    }
}
