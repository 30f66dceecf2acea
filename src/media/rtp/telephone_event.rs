//! Keys pressed, as packets say them (RFC 4733).
//!
//! A press is told in many packets that share the timestamp of its beginning; the last one is sent
//! three times. [`Receiver`] hears one digit per press, at its first packet, whatever is lost,
//! repeated or overtaken on the way. [`Sender`] says a press where packets can't be passed on as
//! they are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// Bytes of an event in a packet.
pub const EVENT_LENGTH: usize = 4;
/// A key is taken for released if nothing is heard of it for so long: three intervals of 50 ms
/// (§2.5.2.2), and some patience.
pub const RELEASED_AFTER: Duration = Duration::from_millis(200);
/// For so long a packet with a known timestamp belongs to the press it began.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Presses that are remembered.
const MEMORY: usize = 8;
/// The end of a press is sent so often (§2.5.1.4).
const ENDS: u8 = 3;
/// The longest duration 16 bits can say; longer presses come in segments (§2.5.1.3).
const SEGMENT: u32 = 0xFFFF;
/// −10 dBm0: for events we make.
const VOLUME: u8 = 10;

const DIGITS: &[u8; 16] = b"0123456789*#ABCD";

/// What one packet says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Event {
    /// 0–15 are keys (§3.2).
    pub code: u8,
    pub end: bool,
    /// Below 0 dBm0.
    pub volume: u8,
    /// Since the timestamp, in ticks of the clock.
    pub duration: u16,
}

impl Event {
    /// The first event of a payload; `None` if it is too short.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, high, low] = *payload.first_chunk::<EVENT_LENGTH>()?;
        Some(Self {
            code,
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    pub fn to_bytes(self) -> [u8; EVENT_LENGTH] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, (u8::from(self.end) << 7) | (self.volume & 0x3F), high, low]
    }

    /// The key, if it is one.
    pub fn digit(&self) -> Option<char> {
        DIGITS.get(usize::from(self.code)).copied().map(char::from)
    }

    /// The code of a key.
    pub fn code_of(digit: char) -> Option<u8> {
        let digit = digit.to_ascii_uppercase();
        let position = DIGITS.iter().position(|known| char::from(*known) == digit)?;
        u8::try_from(position).ok()
    }
}

/// Hears digits in packets.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Receiver {
    /// Newest last; at most [`MEMORY`].
    presses: [Option<Press>; MEMORY],
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Press {
    code: u8,
    timestamp: u32,
    ended: bool,
    last_heard: Moment,
}

impl Receiver {
    /// A packet of events came; the digit if it is a new press.
    pub fn heard(&mut self, timestamp: u32, payload: &[u8], now: Moment) -> Option<char> {
        let event = Event::parse(payload)?;
        let digit = event.digit()?;
        let fresh = |press: &&mut Press| now - press.last_heard < REMEMBERED;
        let known = self
            .presses
            .iter_mut()
            .flatten()
            .filter(fresh)
            .find(|press| press.timestamp == timestamp && press.code == event.code);
        if let Some(press) = known {
            press.ended |= event.end;
            press.last_heard = now;
            return None;
        }
        let press = Press { code: event.code, timestamp, ended: event.end, last_heard: now };
        let goes_on = self.newest().is_some_and(|before| before.goes_on_with(&press));
        self.presses.copy_within(1.., 0);
        self.presses[MEMORY - 1] = Some(press);
        (!goes_on).then_some(digit)
    }

    /// The key that is down now.
    pub fn pressed(&self, now: Moment) -> Option<char> {
        let press = self.newest().filter(|press| !press.ended)?;
        let heard_lately = now - press.last_heard < RELEASED_AFTER;
        DIGITS.get(usize::from(press.code)).copied().map(char::from).filter(|_| heard_lately)
    }

    fn newest(&self) -> Option<&Press> {
        self.presses[MEMORY - 1].as_ref()
    }
}

impl Press {
    /// Whether `next` is the next segment of this press (§2.5.1.3): it begins where 16 bits of
    /// duration end. Some senders count 65 536 instead of 65 535.
    fn goes_on_with(&self, next: &Press) -> bool {
        let later = next.timestamp.wrapping_sub(self.timestamp);
        !self.ended
            && self.code == next.code
            && (SEGMENT..=SEGMENT + 1).contains(&later)
            && next.last_heard - self.last_heard < REMEMBERED
    }
}

/// Says one press, packet by packet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sender {
    code: u8,
    timestamp: u32,
    /// How long the key is down, from `timestamp`.
    length: u32,
    /// How much of that has been told.
    told: u32,
    begun: bool,
    ends_left: u8,
}

/// What goes into the next packet of a [`Sender`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Telling {
    /// Set on the first packet of the press.
    pub marker: bool,
    /// Of the packet: where the press, or its segment, began.
    pub timestamp: u32,
    pub payload: [u8; EVENT_LENGTH],
}

impl Sender {
    /// A press that begins at `timestamp` and lasts `ticks` of the clock; `None` if there is no
    /// such key.
    pub fn new(digit: char, timestamp: u32, ticks: u32) -> Option<Self> {
        Some(Self {
            code: Event::code_of(digit)?,
            timestamp,
            length: ticks.max(1),
            told: 0,
            begun: false,
            ends_left: ENDS,
        })
    }

    /// What to send after `ticks` more of the clock; `None` when all has been told.
    pub fn next(&mut self, ticks: u32) -> Option<Telling> {
        if self.ends_left == 0 {
            return None;
        }
        let marker = !self.begun;
        self.begun = true;
        self.told = self.told.saturating_add(ticks).min(self.length);
        while self.told > SEGMENT {
            self.timestamp = self.timestamp.wrapping_add(SEGMENT);
            self.told -= SEGMENT;
            self.length -= SEGMENT;
        }
        let end = self.told == self.length;
        if end {
            self.ends_left -= 1;
        }
        let duration = u16::try_from(self.told).expect("segments are no longer than 16 bits say");
        let event = Event { code: self.code, end, volume: VOLUME, duration };
        Some(Telling { marker, timestamp: self.timestamp, payload: event.to_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::START + Duration::from_millis(milliseconds)
    }

    fn packets(digit: char, timestamp: u32, ticks: u32) -> Vec<Telling> {
        let mut sender = Sender::new(digit, timestamp, ticks).unwrap();
        std::iter::from_fn(|| sender.next(160)).collect()
    }

    fn digits(packets: &[Telling]) -> String {
        let mut receiver = Receiver::default();
        packets
            .iter()
            .zip(0..)
            .filter_map(|(it, n)| receiver.heard(it.timestamp, &it.payload, at(n * 20)))
            .collect()
    }

    #[test]
    fn a_press_is_told_with_marker_growing_duration_and_three_ends() {
        let packets = packets('5', 1000, 800);

        let events: Vec<Event> =
            packets.iter().map(|it| Event::parse(&it.payload).unwrap()).collect();
        assert_eq!(
            events.iter().map(|it| it.duration).collect::<Vec<_>>(),
            [160, 320, 480, 640, 800, 800, 800]
        );
        assert_eq!(events.iter().filter(|it| it.end).count(), 3);
        assert!(events.iter().all(|it| it.code == 5));
        assert!(packets[0].marker && packets[1..].iter().all(|it| !it.marker));
        assert!(packets.iter().all(|it| it.timestamp == 1000));
    }

    #[test]
    fn every_key_is_heard_once() {
        for digit in DIGITS.iter().map(|digit| char::from(*digit)) {
            assert_eq!(digits(&packets(digit, 7, 800)), digit.to_string());
        }
        assert_eq!(Sender::new('x', 0, 800), None);
    }

    #[test]
    fn one_packet_is_enough_and_the_same_key_twice_is_two_digits() {
        let (one, two) = (packets('1', 1000, 800), packets('1', 4000, 800));
        for packet in &one {
            assert_eq!(digits(&[*packet]), "1");
        }
        // All ends of the first press are lost.
        assert_eq!(digits(&[&one[..3], &two[..]].concat()), "11");
        assert_eq!(digits(&[&one[6..], &two[6..]].concat()), "11");
    }

    #[test]
    fn repeats_that_come_after_the_next_press_are_not_a_third_one() {
        let (one, two) = (packets('1', 1000, 800), packets('2', 4000, 800));
        let mixed = [&one[..5], &two[..2], &one[5..], &two[2..]].concat();
        assert_eq!(digits(&mixed), "12");
    }

    #[test]
    fn a_key_held_for_long_is_one_digit_in_segments() {
        let packets = packets('#', u32::MAX - 100, 200_000);

        assert!(packets.iter().any(|it| it.timestamp != packets[0].timestamp));
        assert_eq!(digits(&packets), "#");
    }

    #[test]
    fn a_duration_that_wraps_under_one_timestamp_is_one_digit() {
        let mut receiver = Receiver::default();
        let mut heard = String::new();
        for n in 0..1000_u64 {
            let event = Event { code: 3, end: false, volume: 10, duration: (n * 160) as u16 };
            heard.extend(receiver.heard(77, &event.to_bytes(), at(n * 20)));
        }
        assert_eq!(heard, "3");
    }

    #[test]
    fn a_key_is_released_by_its_end_or_by_silence() {
        let mut receiver = Receiver::default();
        let told = packets('9', 0, 800);
        receiver.heard(0, &told[0].payload, at(0));
        assert_eq!(receiver.pressed(at(100)), Some('9'));
        assert_eq!(receiver.pressed(at(200)), None);
        receiver.heard(0, &told[6].payload, at(210));
        assert_eq!(receiver.pressed(at(211)), None);
    }

    #[test]
    fn what_is_no_key_is_not_heard() {
        let mut receiver = Receiver::default();
        for payload in [&[][..], &[1, 0, 0], &[16, 0x8A, 1, 2], &[255, 0, 0, 0]] {
            assert_eq!(receiver.heard(5, payload, at(0)), None);
        }
    }
}
