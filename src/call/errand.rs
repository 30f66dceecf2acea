//! A listener's own short call to the exchange: pause, come back, done with the notes.
//!
//! The wish is carried out when the INVITE comes; what is left is to say so aloud and hang up.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, ListenerName, Moment, Now, PromptName, Sdp, StreamRef, Timers};
use crate::call::{CALLER, Output};
use crate::media::{Notice, Order, PlayRef, Repeat, Road, Sources};
use crate::sip::{Reason, Refusal};

use std::time::Duration;

/// However the network behaves, an errand is over after this.
const LASTS_AT_MOST: Duration = Duration::from_secs(30);

/// A confirmation being spoken.
#[derive(Debug, Deserialize, Serialize)]
pub struct Errand {
    listener: ListenerName,
    stream: StreamRef,
    prompts: Vec<PromptName>,
    state: State,
    timers: Timers<()>,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum State {
    Answering,
    Speaking,
    Over,
}

impl Errand {
    /// Answers the call and says `prompts`.
    pub fn begin(
        call: CallRef,
        listener: ListenerName,
        offer: Option<Sdp>,
        road: Road,
        prompts: Vec<PromptName>,
        now: Now,
    ) -> Self {
        let stream = StreamRef { call, index: CALLER };
        let mut timers = Timers::default();
        timers.set((), now.steady + LASTS_AT_MOST);
        let describe = match offer {
            Some(offer) => Order::Answer { stream, offer },
            None => Order::Offer { stream, like: None },
        };
        let outputs = VecDeque::from([
            Output::Media(Order::Open { stream, sources: Sources::Anywhere, road }),
            Output::Media(describe),
        ]);
        Self { listener, stream, prompts, state: State::Answering, timers, outputs }
    }

    /// Whose errand it is: they can't be rung meanwhile.
    pub fn listener(&self) -> &ListenerName {
        &self.listener
    }

    /// ACK came, with the answer if the offer was ours.
    pub fn confirmed(&mut self, answer: Option<Sdp>) {
        if let Some(answer) = answer {
            self.outputs.push_back(Output::Media(Order::Accept { stream: self.stream, answer }));
        } else {
            self.outputs.push_back(Output::Media(Order::Proven { stream: self.stream }));
        }
        // Spoken into a 200 that was lost, so short a confirmation would be over before it is heard.
        if self.state == State::Answering {
            self.speak();
        }
    }

    /// The listener hung up first.
    pub fn ended(&mut self) {
        self.close();
    }

    pub fn noticed(&mut self, notice: &Notice) {
        match (notice, self.state) {
            (Notice::Described { sdp, .. }, State::Answering) => {
                self.outputs.push_back(Output::Accept { leg: CALLER, sdp: sdp.clone() });
            }
            (Notice::Described { sdp, .. }, State::Speaking) => {
                self.outputs.push_back(Output::Answer { leg: CALLER, sdp: sdp.clone() });
            }
            (Notice::Refused { .. }, State::Answering) => {
                let refusal = Refusal::NotAcceptableHere;
                self.outputs.push_back(Output::Refuse { leg: CALLER, refusal });
                self.close();
            }
            (Notice::Finished { .. } | Notice::Lost { .. }, State::Speaking) => {
                self.outputs.push_back(Output::End { leg: CALLER, reason: Reason::Normal });
                self.close();
            }
            (
                Notice::Described { .. }
                | Notice::Refused { .. }
                | Notice::Digit { .. }
                | Notice::Finished { .. }
                | Notice::Writes { .. }
                | Notice::Written { .. }
                | Notice::Silent { .. }
                | Notice::Heard { .. }
                | Notice::Closed { .. }
                | Notice::Lost { .. },
                _,
            ) => {}
        }
    }

    /// The other side changes its session.
    pub fn offered(&mut self, offer: Option<Sdp>) {
        let stream = self.stream;
        self.outputs.push_back(Output::Media(match offer {
            Some(offer) => Order::Answer { stream, offer },
            None => Order::Offer { stream, like: None },
        }));
    }

    pub fn handle_timeout(&mut self, now: Moment) {
        if self.timers.pop_due(now).is_some() && self.state != State::Over {
            self.outputs.push_back(Output::End { leg: CALLER, reason: Reason::Normal });
            self.close();
        }
    }

    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over && self.outputs.is_empty()
    }

    fn speak(&mut self) {
        self.state = State::Speaking;
        let (stream, prompts) = (self.stream, self.prompts.clone());
        self.outputs.push_back(Output::Media(Order::Play {
            stream,
            play: PlayRef(0),
            prompts,
            repeat: Repeat::Once,
        }));
    }

    fn close(&mut self) {
        if self.state != State::Over {
            self.state = State::Over;
            self.timers = Timers::default();
            self.outputs.push_back(Output::Media(Order::Close { stream: self.stream }));
        }
    }
}
