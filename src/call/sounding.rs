//! What the media side tells a call, and which stage it is for.

use crate::base::{Moment, Now, Sdp};
use crate::call::body::{self, Body};
use crate::call::{CALLER, Call, Output, Stage, leaving};
use crate::media::{Notice, PlayRef, Quality};
use crate::record::{Draft, Party};

impl Call {
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
                self.party_may_be_gone(stream.index, now);
                self.rings_changed(now);
            }
            // Keys mean nothing on a line without a menu; who listens sees them.
            Notice::Digit { stream, digit } => {
                if stream.index == CALLER
                    && let Some(listener) = self.listener().cloned()
                {
                    self.body.wish(Output::Pressed { listener, digit });
                }
                self.talking(now, |talking, body, now| {
                    let is_theirs = talking.leg() == stream.index;
                    is_theirs.then(|| talking.pressed(body, digit, now)).flatten()
                });
                if self.is_in_line()
                    && let Some(listener) = self.body.helper_pressed(stream.index, digit, now)
                {
                    self.taken(stream.index, listener, now);
                }
            }
            Notice::Writes { stream } => {
                self.body.writes |= stream.index == CALLER;
                if let Some(phone) = self.body.phone_on(stream.index) {
                    self.body.wish(Output::ShowsText { phone });
                }
            }
            Notice::Written { stream, text } => {
                let by = if stream.index == CALLER { Party::Caller } else { Party::Listener };
                match (self.listener().cloned(), by) {
                    (Some(listener), _) => {
                        self.body.wish(Output::Written { by, listener, text });
                    }
                    (None, Party::Caller) => self.body.keep_unread(&text),
                    (None, _) => {}
                }
            }
            Notice::Finished { play, cut, .. } => self.finished(play, cut, now),
            Notice::Silent { stream, since, never } => {
                if never {
                    self.never_heard(stream.index);
                }
                self.silent(stream.index, since, now);
            }
            Notice::Heard { stream } => self.heard(stream.index, now),
            Notice::Closed { stream, quality } => self.closed(stream.index, quality, now),
            Notice::Lost { stream } => {
                let step = |stage: &mut Stage, body: &mut Body, now| {
                    leaving::stream_lost(stage, body, stream.index, now)
                };
                self.step(now, step);
                self.party_may_be_gone(stream.index, now);
                self.rings_changed(now);
            }
        }
    }

    fn described(&mut self, leg: u32, sdp: Sdp, held: bool, now: Now) {
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

    /// Not one packet of sound has come from who should be talking: a door on the way is shut in one
    /// direction. Whoever writes may well say nothing.
    fn never_heard(&mut self, leg: u32) {
        let listener = match &self.stage {
            Stage::Talking(talking) if talking.leg() == leg => Some(talking.listener.clone()),
            Stage::Arriving(_)
            | Stage::Greeting(_)
            | Stage::Waiting(_)
            | Stage::Talking(_)
            | Stage::Leaving(_)
            | Stage::Gone(_) => None,
        };
        if listener.is_some() || (leg == CALLER && !self.body.writes) {
            let trunk = self.body.draft.as_ref().and_then(Draft::trunk).cloned();
            self.body.wish(Output::NeverHeard { listener, trunk });
        }
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
}
