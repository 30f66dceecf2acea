//! What comes from one party: which SSRC is believed, what was lost on the way, which keys were
//! pressed.
//!
//! The source of a packet was judged before ([`SourceLock`](super::source_lock)). An SSRC that
//! changes in mid call is believed after [`PROBATION`] packets in a row, so that a single forged
//! one can't take a voice over (T-12); after a new description at once, as phones begin a new
//! series then.

use serde::{Deserialize, Serialize};

use super::Quality;
use super::rtp::sequence::{Arrival, SequenceTracker};
use super::rtp::telephone_event::Receiver;
use super::rtp::{Header, ReportBlock};
use crate::base::Moment;

/// The account of what one party sends.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Incoming {
    ssrc: Option<u32>,
    /// The next packet is believed whatever its SSRC.
    begins_anew: bool,
    contender: Option<Contender>,
    tracker: SequenceTracker,
    /// What earlier SSRCs brought.
    received_before: u64,
    lost_before: u64,
    keys: Receiver,
    /// The last timestamp of a clock faster than ours, and how often it went around.
    clock: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Contender {
    ssrc: u32,
    next: u16,
    heard: u8,
}

impl Incoming {
    pub(super) fn new() -> Self {
        Self {
            ssrc: None,
            begins_anew: true,
            contender: None,
            tracker: SequenceTracker::new(CLOCK),
            received_before: 0,
            lost_before: 0,
            keys: Receiver::default(),
            clock: None,
        }
    }

    /// Whether a packet is to be heard. Those that came before are not.
    pub(super) fn believes(&mut self, header: Header, now: Moment) -> bool {
        if self.ssrc != Some(header.ssrc) {
            if !self.begins_anew && !self.passes_probation(header) {
                return false;
            }
            self.follow(header.ssrc);
        }
        self.begins_anew = false;
        self.contender = None;
        match self.tracker.heard(header.sequence, header.timestamp, now) {
            Arrival::Newest { .. } | Arrival::Restarted | Arrival::Late => true,
            Arrival::Duplicate | Arrival::Astray => false,
        }
    }

    /// Whether a packet goes on where the series that is heard left off.
    pub(super) fn goes_on(&self, header: Header) -> bool {
        self.ssrc == Some(header.ssrc) && self.tracker.goes_on(header.sequence)
    }

    /// A timestamp of a clock that is `ratio` times as fast as the house's, on ours. What wraps
    /// around is followed, so that a long call goes on.
    pub(super) fn at_8_khz(&mut self, timestamp: u32, ratio: u32) -> u32 {
        if ratio == 1 {
            return timestamp;
        }
        let unwrapped = match self.clock {
            None => u64::from(timestamp) + (1 << 32),
            Some(last) => {
                let step = timestamp.wrapping_sub(last as u32).cast_signed();
                last.wrapping_add_signed(step.into())
            }
        };
        self.clock = Some(unwrapped);
        (unwrapped / u64::from(ratio)) as u32
    }

    /// A new description was agreed on.
    pub(super) fn begin_anew(&mut self) {
        self.begins_anew = true;
    }

    /// The digit, if this packet is the first that tells of a press.
    pub(super) fn key(&mut self, header: Header, payload: &[u8], now: Moment) -> Option<char> {
        self.keys.heard(header.timestamp, payload, now)
    }

    /// The party reported what it sends.
    pub(super) fn sender_reported(&mut self, ssrc: u32, ntp: u64, now: Moment) {
        if self.ssrc == Some(ssrc) {
            self.tracker.sender_reported(ntp, now);
        }
    }

    /// What we report about it, if we hear it.
    pub(super) fn report(&mut self, now: Moment) -> Option<ReportBlock> {
        self.ssrc.map(|ssrc| self.tracker.report(ssrc, now))
    }

    pub(super) fn quality(&self) -> Quality {
        Quality {
            received: self.received_before + self.tracker.received(),
            lost: self.lost_before + self.tracker.lost(),
            jitter: self.tracker.jitter(),
            ..Quality::default()
        }
    }

    fn passes_probation(&mut self, header: Header) -> bool {
        let heard = match self.contender {
            Some(contender)
                if contender.ssrc == header.ssrc && contender.next == header.sequence =>
            {
                contender.heard + 1
            }
            Some(_) | None => 1,
        };
        let next = header.sequence.wrapping_add(1);
        self.contender = Some(Contender { ssrc: header.ssrc, next, heard });
        heard >= PROBATION
    }

    fn follow(&mut self, ssrc: u32) {
        self.received_before += self.tracker.received();
        self.lost_before += self.tracker.lost();
        self.tracker = SequenceTracker::new(CLOCK);
        self.ssrc = Some(ssrc);
    }
}

/// Packets in a row with another SSRC: 100 ms.
const PROBATION: u8 = 5;

/// All our codecs, and `telephone-event` beside them, have this clock.
const CLOCK: u32 = 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ssrc: u32, sequence: u16) -> Header {
        let timestamp = u32::from(sequence) * 160;
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc }
    }

    #[test]
    fn a_forged_series_is_not_heard_and_a_new_one_is_after_five() {
        let mut incoming = Incoming::new();
        let mut believes =
            |ssrc, sequence| incoming.believes(header(ssrc, sequence), Moment::START);
        assert!(believes(1, 100));

        // Between packets of the true one, and with gaps.
        for step in 1..20 {
            assert!(!believes(2, 5_000 + step));
            assert!(believes(1, 100 + step));
        }
        for step in 0..20 {
            assert!(!believes(3, 7 + 2 * step));
        }
        let new: Vec<bool> = (200..206).map(|sequence| believes(4, sequence)).collect();

        assert_eq!(new, [false, false, false, false, true, true]);
        assert!(!believes(1, 121));
    }

    #[test]
    fn after_a_new_description_a_new_series_is_heard_at_once() {
        let mut incoming = Incoming::new();
        assert!(incoming.believes(header(1, 100), Moment::START));

        incoming.begin_anew();

        assert!(incoming.believes(header(2, 7), Moment::START));
        assert_eq!(incoming.quality().received, 2);
    }

    #[test]
    fn a_packet_that_comes_twice_is_heard_once() {
        let mut incoming = Incoming::new();

        let heard = [100, 102, 101, 102, 101, 103]
            .map(|sequence| incoming.believes(header(1, sequence), Moment::START));

        assert_eq!(heard, [true, true, true, false, false, true]);
        assert_eq!(incoming.quality().lost, 0);
    }
}
