//! A small adaptive jitter buffer, for where sound is decoded (RFC 3550 §6.4.1, appendix A.8's idea
//! of transit).
//!
//! What is only relayed keeps its unevenness: the phone behind us has a buffer of its own. What is
//! decoded here, to be mixed or to be spoken in Opus, must come in order, and a decoder wants to be
//! told what is missing. Packets wait in slots by number until the wheel asks for them:
//!
//! ```text
//!   Empty ──first packet──► Filling ──waited long enough──► Playing ──nothing for 60 ms──► Empty
//! ```
//!
//! How long is long enough follows the latest packets of the last seconds, between [`WAIT_MIN`] and
//! [`WAIT_MAX`]; it takes effect when sound begins anew, and what lies here for longer than needed
//! is shortened a packet a second. A slot takes the room of the longest packet that lay in it, so that
//! nothing is allocated once each has been used.

use crate::base::Moment;
use crate::media::rtp::Header;

/// The packets of one source, in order.
#[derive(Clone)]
pub(super) struct Jitter {
    slots: Box<[Slot; SLOTS]>,
    state: State,
    ssrc: u32,
    /// The packet that is due next, and the furthest that came.
    next: u16,
    furthest: u16,
    furthest_timestamp: u32,
    /// How long a packet lasts, by its neighbours.
    packet: u32,
    /// Arrival minus timestamp of a packet that was not delayed.
    transit: Option<u32>,
    /// How late the latest are.
    late: u32,
    /// Asked in vain, in a row.
    dry: u8,
    /// Asked while more lay here than needed, in a row.
    rich: u8,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Empty,
    Filling { since: Moment },
    Playing,
}

#[derive(Clone, Default)]
struct Slot {
    sequence: Option<u16>,
    payload: Vec<u8>,
}

/// What the decoder should do next.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Due<'a> {
    /// Nothing: the party is silent, or its sound is being gathered.
    Nothing,
    Packet(&'a [u8]),
    /// A packet's worth is missing; the packet behind it, if that is here already.
    Lost {
        next: Option<&'a [u8]>,
    },
}

impl Jitter {
    pub(super) fn new() -> Self {
        Self {
            slots: Box::default(),
            state: State::Empty,
            ssrc: 0,
            next: 0,
            furthest: 0,
            furthest_timestamp: 0,
            packet: FRAME_TICKS,
            transit: None,
            late: 0,
            dry: 0,
            rich: 0,
        }
    }

    /// Takes a packet in; its timestamp counts at 8 kHz.
    pub(super) fn arrived(&mut self, header: Header, payload: &[u8], now: Moment) {
        let Header { sequence, timestamp, ssrc, marker, .. } = header;
        if payload.is_empty() || payload.len() > PAYLOAD_MAX {
            return;
        }
        let ahead = sequence.wrapping_sub(self.next).cast_signed();
        let is_known = self.state != State::Empty && self.ssrc == ssrc;
        // Numbers that jump are another series.
        if !is_known || !(-BEHIND_MAX..SLOTS as i16).contains(&ahead) {
            self.begin(ssrc, sequence, now);
        } else if marker && self.is_dry() && ahead >= 0 {
            // A spurt of talk begins: now the delay can change without being heard.
            self.begin(ssrc, sequence, now);
        } else if ahead < 0 && matches!(self.state, State::Filling { .. }) {
            // It was overtaken by the first one.
            if self.furthest.wrapping_sub(sequence) < SLOTS as u16 {
                self.next = sequence;
            }
        }
        self.note_lateness(timestamp, now);
        if sequence.wrapping_sub(self.next).cast_signed() < 0 {
            return;
        }
        let step = sequence.wrapping_sub(self.furthest);
        if step.cast_signed() > 0 {
            let ticks = timestamp.wrapping_sub(self.furthest_timestamp) / u32::from(step);
            if (PACKET_MIN..=PACKET_MAX).contains(&ticks) {
                self.packet = ticks;
            }
        }
        if step.cast_signed() >= 0 {
            (self.furthest, self.furthest_timestamp) = (sequence, timestamp);
        }
        let slot = &mut self.slots[usize::from(sequence) % SLOTS];
        if slot.sequence == Some(sequence) {
            return;
        }
        slot.sequence = Some(sequence);
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
    }

    /// What should be heard next. Asked whenever the decoder has less than a frame left.
    pub(super) fn due(&mut self, now: Moment) -> Due<'_> {
        match self.state {
            State::Empty => return Due::Nothing,
            State::Filling { since } => {
                if ticks_between(since, now) < self.wait() {
                    return Due::Nothing;
                }
                self.state = State::Playing;
            }
            State::Playing => {}
        }
        if self.is_dry() {
            self.dry += 1;
            if self.dry > DRY_MAX {
                self.state = State::Empty;
                return Due::Nothing;
            }
            return Due::Lost { next: None };
        }
        self.dry = 0;
        self.shorten();
        let at = self.next;
        self.next = at.wrapping_add(1);
        if self.take(at).is_some() {
            let slot = &self.slots[usize::from(at) % SLOTS];
            return Due::Packet(&slot.payload);
        }
        let behind = &self.slots[usize::from(self.next) % SLOTS];
        let is_here = behind.sequence == Some(self.next);
        Due::Lost { next: is_here.then_some(&behind.payload) }
    }

    fn begin(&mut self, ssrc: u32, sequence: u16, now: Moment) {
        self.slots.iter_mut().for_each(|slot| slot.sequence = None);
        if self.ssrc != ssrc {
            self.transit = None;
        }
        self.ssrc = ssrc;
        (self.next, self.furthest) = (sequence, sequence);
        (self.dry, self.rich) = (0, 0);
        self.state = State::Filling { since: now };
    }

    /// Everything that came has been heard.
    fn is_dry(&self) -> bool {
        self.furthest.wrapping_sub(self.next).cast_signed() < 0
    }

    /// How much lies here, holes included, in ticks.
    fn depth(&self) -> u32 {
        let packets = self.furthest.wrapping_sub(self.next).wrapping_add(1);
        u32::from(packets.min(SLOTS as u16)) * self.packet
    }

    fn wait(&self) -> u32 {
        self.late.clamp(WAIT_MIN, WAIT_MAX)
    }

    /// More than needed, for a second, or more than allowed: a packet is left out.
    fn shorten(&mut self) {
        let depth = self.depth();
        let much = depth > self.wait() + 2 * self.packet.max(FRAME_TICKS);
        self.rich = if much { self.rich.saturating_add(1) } else { 0 };
        if depth > WAIT_MAX + 2 * self.packet || self.rich >= RICH_MAX {
            self.rich = 0;
            let at = self.next;
            self.take(at);
            self.next = at.wrapping_add(1);
        }
    }

    /// Empties a packet's slot; `None` if it is not there. Its bytes stay until the next one comes.
    fn take(&mut self, sequence: u16) -> Option<()> {
        let slot = &mut self.slots[usize::from(sequence) % SLOTS];
        (slot.sequence == Some(sequence)).then(|| slot.sequence = None)
    }

    /// The earliest packet tells how long the road is; it may slowly become longer, as no two clocks
    /// agree.
    fn note_lateness(&mut self, timestamp: u32, now: Moment) {
        let transit = ticks_between(Moment::START, now).wrapping_sub(timestamp);
        let floor = self.transit.map_or(transit, |floor| floor.wrapping_add(1));
        let late = transit.wrapping_sub(floor).cast_signed();
        if !(0..ASTRAY).contains(&late) {
            self.transit = Some(transit);
            return;
        }
        self.transit = Some(floor);
        let late = late.unsigned_abs();
        self.late = match late > self.late {
            true => late.min(WAIT_MAX),
            false => self.late - (self.late - late) / FORGETTING,
        };
    }
}

/// In ticks of 8 kHz; wraps around.
fn ticks_between(from: Moment, to: Moment) -> u32 {
    ((to - from).as_micros() * 8 / 1_000) as u32
}

/// More than [`WAIT_MAX`] of packets of 20 ms.
const SLOTS: usize = 16;

/// The longest packet of Opus (RFC 6716 §3.4).
const PAYLOAD_MAX: usize = 1_275;

/// 20 ms.
const FRAME_TICKS: u32 = 160;

/// 20 ms and 100 ms.
const WAIT_MIN: u32 = 160;
const WAIT_MAX: u32 = 800;

/// 2.5 ms and 120 ms.
const PACKET_MIN: u32 = 20;
const PACKET_MAX: u32 = 960;

/// A packet so far behind is of a series that began anew.
const BEHIND_MAX: i16 = 100;

/// A lateness is forgotten in some three seconds.
const FORGETTING: u32 = 128;

/// Ticks: a second; whatever is later than that, the road is another.
const ASTRAY: i32 = 8_000;

/// Frames that are made up when nothing comes: 60 ms.
const DRY_MAX: u8 = 3;

/// A second.
const RICH_MAX: u8 = 50;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn header(sequence: u16) -> Header {
        let timestamp = u32::from(sequence).wrapping_mul(160);
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 7 }
    }

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn number(due: Due<'_>) -> Option<u16> {
        match due {
            Due::Packet(payload) => Some(u16::from_be_bytes([payload[0], payload[1]])),
            Due::Nothing | Due::Lost { .. } => None,
        }
    }

    proptest! {
        /// Whatever the network does within the window, the decoder hears every packet once and in
        /// order.
        #[test]
        fn packets_in_any_order_and_any_number_come_out_once_and_in_order(
            first in any::<u16>(),
            delays in prop::collection::vec(0_u64..70, 45),
            again in prop::collection::vec(any::<bool>(), 45),
        ) {
            let mut arrivals: Vec<(u64, u16)> = Vec::new();
            for (at, (delay, again)) in delays.iter().zip(&again).enumerate() {
                let sequence = first.wrapping_add(at as u16);
                let delay = if at == 0 { 0 } else { *delay };
                arrivals.push((20 * at as u64 + 80 + delay, sequence));
                if *again {
                    arrivals.push((20 * at as u64 + 80 + (delay * 7) % 90, sequence));
                }
            }
            // The road's worst is known from before.
            let mut jitter = Jitter::new();
            jitter.late = WAIT_MAX;
            arrivals.sort_unstable();
            let mut arrivals = arrivals.into_iter().peekable();
            let mut heard = Vec::new();
            for millis in 0..1_500 {
                while let Some((_, sequence)) = arrivals.next_if(|(when, _)| *when <= millis) {
                    let timestamp = u32::from(sequence.wrapping_sub(first)) * 160;
                    let header = Header { timestamp, ..header(sequence) };
                    jitter.arrived(header, &sequence.to_be_bytes(), at(millis));
                }
                if millis % 20 == 7 {
                    heard.extend(number(jitter.due(at(millis))));
                }
            }
            let expected: Vec<u16> = (0..45).map(|step| first.wrapping_add(step)).collect();
            prop_assert_eq!(heard, expected);
        }
    }

    #[test]
    fn a_hole_is_told_with_the_packet_behind_it() {
        let mut jitter = Jitter::new();
        for sequence in [5_u16, 7, 8] {
            jitter.arrived(header(sequence), &sequence.to_be_bytes(), at(0));
        }

        assert_eq!(jitter.due(at(10)), Due::Nothing);
        assert_eq!(number(jitter.due(at(20))), Some(5));
        assert_eq!(jitter.due(at(40)), Due::Lost { next: Some(&[0, 7]) });
        assert_eq!(number(jitter.due(at(60))), Some(7));
        assert_eq!(number(jitter.due(at(80))), Some(8));
        // 60 ms are made up, then it is silence.
        for millis in [100, 120, 140] {
            assert_eq!(jitter.due(at(millis)), Due::Lost { next: None });
        }
        assert_eq!(jitter.due(at(160)), Due::Nothing);
    }

    #[test]
    fn it_waits_as_long_as_the_road_is_uneven_and_never_longer_than_100_ms() {
        for (uneven, least, most) in [(0, 160, 160), (30, 200, 300), (2_000, 160, 800)] {
            let mut jitter = Jitter::new();
            for sequence in 0..400_u16 {
                let delay = if sequence % 5 == 0 { uneven } else { 0 };
                let when = at(20 * u64::from(sequence) + delay);
                jitter.arrived(header(sequence), &[1], when);
                jitter.due(when);
            }
            assert!((least..=most).contains(&jitter.wait()), "{uneven}: {}", jitter.wait());
            assert!(jitter.depth() <= WAIT_MAX + 4 * FRAME_TICKS, "{}", jitter.depth());
        }
    }

    #[test]
    fn a_flood_of_numbers_takes_no_room_and_a_new_series_is_heard() {
        let mut jitter = Jitter::new();
        for step in 0..50_000_u32 {
            let sequence = (step.wrapping_mul(40_503) >> 3) as u16;
            let ssrc = step % 3;
            jitter.arrived(Header { ssrc, ..header(sequence) }, &[1; 40], at(u64::from(step / 50)));
            if step % 7 == 0 {
                jitter.due(at(u64::from(step / 50)));
            }
        }

        jitter.arrived(Header { ssrc: 99, ..header(9) }, &[0, 9], at(2_000));
        assert_eq!(number(jitter.due(at(2_100))), Some(9));
        jitter.arrived(header(1), &[1; PAYLOAD_MAX + 1], at(2_100));
    }
}
