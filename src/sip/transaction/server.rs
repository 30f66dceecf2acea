//! A request from the other side other than INVITE (RFC 3261 §17.2.2, figure 8; RFC 4320).
//!
//! ```text
//!  Trying ──200-699──► Completed ──J──► (gone)
//!    │ request: nothing    │ request: the response again
//!    └──J──► (gone, silently: RFC 4320 §4.2 wants no late answer)
//! ```
//!
//! There is no Proceeding: we send no provisional response to a non-INVITE (RFC 4320 §4.1).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sip::Flow;

use super::{Hands, Kept, PATIENCE, Timer};

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Server {
    reply: Flow,
    state: State,
}

#[derive(Debug, Deserialize, Serialize)]
enum State {
    Trying,
    Completed { response: Kept },
}

impl Server {
    pub(super) fn new(reply: Flow) -> Self {
        Self { reply, state: State::Trying }
    }

    pub(super) fn opened(&mut self, hands: &mut Hands<'_>) {
        hands.start(Timer::J, PATIENCE);
    }

    pub(super) fn flow_closed(&mut self, flow: Flow) {
        if self.reply == flow {
            self.reply.connection = 0;
        }
    }

    pub(super) fn requested_again(&mut self, hands: &mut Hands<'_>) {
        match &self.state {
            State::Trying => {}
            State::Completed { response } => hands.send(self.reply, response),
        }
    }

    pub(super) fn respond(&mut self, status: u16, bytes: Bytes, hands: &mut Hands<'_>) {
        match self.state {
            State::Trying if status >= 200 => {
                let response = Kept(bytes);
                hands.send(self.reply, &response);
                self.state = State::Completed { response };
                if self.reply.transport.is_reliable() {
                    hands.terminate();
                } else {
                    hands.start(Timer::J, PATIENCE);
                }
            }
            State::Trying | State::Completed { .. } => {}
        }
    }

    pub(super) fn rang(&mut self, timer: Timer, hands: &mut Hands<'_>) {
        if timer == Timer::J {
            hands.terminate();
        }
    }
}
