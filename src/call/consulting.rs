//! A listener asks a centre of the directory, and may leave the caller with it (scenarios.md SC-26).
//!
//! Any phone can do it, with keys on the line itself: `*`, the centre's code, `#`. The caller hears the wait
//! sound meanwhile, never silence. When the centre has answered, the listener hangs up to leave the two with
//! each other, or presses `*#` to come back. Whatever fails comes home: the listener has the caller again
//! at once, and no caller is ever left with a telephone that only rings.
//!
//! ```text
//!   joined ──*75#──► calling ──answered──► speaking ──listener hangs up──► caller and centre
//!      ▲────failed, 25 s, *#──┘──────*#, hung up──┘
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Now, Sdp};
use crate::call::body::Body;
use crate::call::plan::Helper;
use crate::call::ringing::PhoneState;
use crate::call::{CALLER, Output, Timer};
use crate::media::{Order, Tone};
use crate::sip::Reason;

/// How long a centre's telephone rings before the listener has the caller again.
const RINGS_AT_MOST: Duration = Duration::from_secs(25);
/// The longest code, its star and hash left out.
const CODE_MAX: usize = 6;

/// Another party being asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Consult {
    Calling { leg: u32 },
    Speaking { leg: u32 },
}

/// What the keys of a listener come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Keys {
    Nothing,
    /// Whom they want to ask.
    Centre(Helper),
    /// They want the caller back.
    Back,
}

/// The keys a listener has pressed since the last star.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Pad(String);

impl Pad {
    pub(super) fn pressed(&mut self, digit: char, body: &Body) -> Keys {
        match digit {
            '*' => {
                self.0.clear();
                self.0.push('*');
            }
            '#' => {
                let code = std::mem::take(&mut self.0);
                let Some(code) = code.strip_prefix('*') else {
                    return Keys::Nothing;
                };
                if code.is_empty() {
                    return Keys::Back;
                }
                if let Some(centre) = body.line.centres.get(code) {
                    return Keys::Centre(centre.clone());
                }
            }
            _ if self.0.starts_with('*') && self.0.len() <= CODE_MAX => self.0.push(digit),
            _ => self.0.clear(),
        }
        Keys::Nothing
    }
}

impl Consult {
    /// The listener wants to ask a centre: it is called, and the caller hears the wait sound.
    pub(super) fn begin(body: &mut Body, listeners_leg: u32, centre: Helper, now: Now) -> Self {
        let streams = [body.stream(CALLER), body.stream(listeners_leg)];
        body.media(Order::Part { streams });
        body.play_wait_sound(CALLER);
        body.media(Order::Tone { stream: streams[1], tone: Tone::Ringback });
        let leg = body.call_outside(centre, streams[1]);
        body.timers.set(Timer::ConsultOver, now.steady + RINGS_AT_MOST);
        Self::Calling { leg }
    }

    pub(super) fn leg(self) -> u32 {
        match self {
            Self::Calling { leg } | Self::Speaking { leg } => leg,
        }
    }

    /// The centre has answered: listener and centre speak.
    #[must_use]
    pub(super) fn answered(self, body: &mut Body, listeners_leg: u32, answer: Sdp) -> Self {
        let leg = self.leg();
        body.timers.stop(&Timer::ConsultOver);
        if let Some(phone) = body.phones.get_mut(&leg) {
            phone.state = PhoneState::PickedUp;
        }
        let stream = body.stream(leg);
        body.media(Order::Accept { stream, answer });
        body.media(Order::Join { streams: [body.stream(listeners_leg), stream] });
        Self::Speaking { leg }
    }

    /// It is over, and nothing came of it: the centre's leg is ended if it is still there.
    pub(super) fn end(self, body: &mut Body, listeners_leg: u32) {
        body.timers.stop(&Timer::ConsultOver);
        let streams = [body.stream(listeners_leg), body.stream(self.leg())];
        match self {
            Self::Speaking { .. } => body.media(Order::Part { streams }),
            Self::Calling { .. } => body.media(Order::Hush { stream: streams[0] }),
        }
        body.end_phone(self.leg(), Reason::Normal);
    }

    /// The listener leaves the caller with the centre.
    pub(super) fn handed_over(self, body: &mut Body, listeners_leg: u32) {
        let stream = body.stream(self.leg());
        body.media(Order::Part { streams: [body.stream(listeners_leg), stream] });
        body.end_phone(listeners_leg, Reason::Normal);
        body.playing = None;
        body.media(Order::Join { streams: [body.stream(CALLER), stream] });
        body.wish(Output::HandedOver);
    }
}
