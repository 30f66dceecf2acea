//! Where sound is decoded: two who can't be bridged by a copy, because one of them speaks Opus, or
//! three who talk with each other.
//!
//! Every 20 ms each [`Ear`] gives what its party said, in order and without holes, and each party
//! gets the sum of the others: never its own voice. The wheel of the party that came first turns for
//! the room. What only needs a copy, a table or G.722 is relayed without any of this
//! ([`Bridge`](super::bridge)).

use serde::{Deserialize, Serialize};

use super::codec::Codec;
use super::ear::{Ear, Frame, WIDE};
use super::engine::{Door, Sink};
use super::mouth::Mouth;
use super::rtp::Header;
use super::sound::mix::mix_into;
use super::stream::Stream;
use crate::base::Moment;

/// Parties who hear each other.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Room {
    seats: Vec<Seat>,
}

/// What was being said is not written down: it begins anew after a few packets.
#[derive(Clone, Deserialize, Serialize)]
#[serde(from = "Door", into = "Door")]
struct Seat {
    door: Door,
    ear: Ear,
    mouth: Option<Mouth>,
    said: Frame,
}

impl Room {
    pub(super) fn new(doors: impl IntoIterator<Item = Door>) -> Self {
        Self { seats: doors.into_iter().map(Seat::from).collect() }
    }

    /// Whose wheel turns for it.
    pub(super) fn leader(&self) -> Option<Door> {
        self.seats.first().map(|seat| seat.door)
    }

    pub(super) fn doors(&self) -> impl Iterator<Item = Door> {
        self.seats.iter().map(|seat| seat.door)
    }

    /// One of them said something.
    pub(super) fn heard(
        &mut self,
        door: Door,
        codec: Codec,
        header: Header,
        payload: &[u8],
        now: Moment,
    ) {
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.door == door) {
            seat.ear.arrived(codec, header, payload, now);
        }
    }

    /// 20 ms for everybody.
    pub(super) fn tick(
        &mut self,
        streams: &mut [Option<Stream>],
        now: Moment,
        sink: &mut impl Sink,
    ) {
        // Sound that nobody else could hear need not be wide.
        let is_wide = |seat: &&Seat| {
            let stream = streams.get(seat.door.0 as usize).and_then(Option::as_ref);
            stream.and_then(Stream::codec).is_some_and(|codec| codec.sample_rate() > 8_000)
        };
        let wide = self.seats.iter().filter(is_wide).count() > 1;
        for seat in &mut self.seats {
            seat.said = seat.ear.hear(wide, now);
        }
        for at in 0..self.seats.len() {
            let mut sum = [0; WIDE];
            for (other, seat) in self.seats.iter().enumerate() {
                if other != at {
                    mix_into(&mut sum, &seat.said);
                }
            }
            let Seat { door, mouth, .. } = &mut self.seats[at];
            if let Some(stream) = streams.get_mut(door.0 as usize).and_then(Option::as_mut) {
                stream.say(*door, mouth, &sum, wide, now, sink);
            }
        }
    }
}

impl From<Door> for Seat {
    fn from(door: Door) -> Self {
        Self { door, ear: Ear::new(false), mouth: None, said: [0; WIDE] }
    }
}

impl From<Seat> for Door {
    fn from(seat: Seat) -> Self {
        seat.door
    }
}
