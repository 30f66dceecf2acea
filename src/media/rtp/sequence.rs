//! Which packets of one source came, which didn't, and how evenly (RFC 3550 appendices A.1, A.3
//! and A.8).
//!
//! Unlike A.1 the first packet is believed at once: the stream has already made sure who sends, and
//! a digit in the first packet must not be lost. A new SSRC needs a new tracker.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rtcp::ReportBlock;
use crate::base::Moment;

/// A gap of this many packets (a minute of them) is no longer loss but another numbering.
const DROPOUT_MAX: u16 = 3000;
/// A packet may be late by this many.
const MISORDER_MAX: u16 = 100;
/// An arrival that differs from the timeline by more than this begins another timeline.
const TRANSIT_JUMP_MAX: Duration = Duration::from_secs(2);

/// What a packet's number says about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// It is the newest so far; `missing` packets before it haven't come (yet).
    Newest { missing: u16 },
    /// A newer one came before it.
    Late,
    /// It has been here before.
    Duplicate,
    /// The numbering begins anew: the second packet of another numbering in a row.
    Restarted,
    /// Far off; not to be used, unless the next one follows it.
    Astray,
}

/// The account of one source.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SequenceTracker {
    /// Ticks of the timestamp in a second.
    clock: u32,
    numbering: Option<Numbering>,
    /// Where another numbering would go on.
    astray_next: Option<u16>,
    /// Lost in numberings that are over.
    lost_before: u64,
    received_before: u64,
    duplicates: u64,
    timeline: Option<Timeline>,
    /// Sixteen times the estimate, in ticks (A.8).
    jitter_scaled: u64,
    sender_report: Option<SenderReportHeard>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Numbering {
    first: u64,
    /// With the number of cycles above the lower 16 bits.
    newest: u64,
    received: u64,
    /// Bit n: `newest - n` has been here.
    window: u128,
    expected_at_report: u64,
    received_at_report: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Timeline {
    transit: u32,
    timestamp: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct SenderReportHeard {
    middle: u32,
    at: Moment,
}

impl SequenceTracker {
    /// `clock`: the rate of the timestamps.
    pub fn new(clock: u32) -> Self {
        Self {
            clock: clock.max(1),
            numbering: None,
            astray_next: None,
            lost_before: 0,
            received_before: 0,
            duplicates: 0,
            timeline: None,
            jitter_scaled: 0,
            sender_report: None,
        }
    }

    /// A packet came.
    pub fn heard(&mut self, sequence: u16, timestamp: u32, now: Moment) -> Arrival {
        let arrival = self.numbered(sequence);
        match arrival {
            Arrival::Newest { .. } | Arrival::Late => self.timed(timestamp, now),
            Arrival::Restarted => {
                self.timeline = None;
                self.timed(timestamp, now);
            }
            Arrival::Duplicate | Arrival::Astray => {}
        }
        arrival
    }

    /// Whether a packet of this number would go on where the newest left off, not a minute later.
    pub fn goes_on(&self, sequence: u16) -> bool {
        self.numbering.is_some_and(|numbering| {
            (1..DROPOUT_MAX).contains(&sequence.wrapping_sub(numbering.newest as u16))
        })
    }

    /// The source sent a sender report: what it needs to measure the round trip (§6.4.1).
    pub fn sender_reported(&mut self, ntp: u64, now: Moment) {
        self.sender_report = Some(SenderReportHeard { middle: (ntp >> 16) as u32, at: now });
    }

    /// Packets that came, duplicates not counted.
    pub fn received(&self) -> u64 {
        self.received_before + self.numbering.map_or(0, |it| it.received)
    }

    /// Packets that didn't come.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.numbering.map_or(0, |it| it.lost())
    }

    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The interarrival jitter (A.8).
    pub fn jitter(&self) -> Duration {
        Duration::from_nanos((self.jitter_scaled >> 4) * 1_000_000_000 / u64::from(self.clock))
    }

    /// What to report about `ssrc`, this source; the share lost counts from the last report.
    pub fn report(&mut self, ssrc: u32, now: Moment) -> ReportBlock {
        let lost = i32::try_from(self.lost()).unwrap_or(i32::MAX);
        let (highest, fraction_lost) = match &mut self.numbering {
            Some(numbering) => (numbering.newest as u32, numbering.reported()),
            None => (0, 0),
        };
        let (last_sender_report, delay) = self.sender_report.map_or((0, 0), |heard| {
            let delay = (now - heard.at).as_nanos().saturating_mul(65_536) / 1_000_000_000;
            (heard.middle, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        ReportBlock {
            ssrc,
            fraction_lost,
            lost: lost.min(ReportBlock::LOST_MAX),
            highest,
            jitter: u32::try_from(self.jitter_scaled >> 4).unwrap_or(u32::MAX),
            last_sender_report,
            delay,
        }
    }

    /// A.1, with a window that tells a late packet from one that has been here.
    fn numbered(&mut self, sequence: u16) -> Arrival {
        let Some(numbering) = &mut self.numbering else {
            self.numbering = Some(Numbering::from(sequence));
            return Arrival::Newest { missing: 0 };
        };
        let ahead = sequence.wrapping_sub(numbering.newest as u16);
        let behind = ahead.wrapping_neg();
        if ahead != 0 && ahead < DROPOUT_MAX {
            numbering.newest += u64::from(ahead);
            numbering.window = numbering.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            numbering.received += 1;
            self.astray_next = None;
            Arrival::Newest { missing: ahead - 1 }
        } else if behind <= MISORDER_MAX {
            let bit = 1_u128 << behind;
            if numbering.window & bit != 0 {
                self.duplicates += 1;
                return Arrival::Duplicate;
            }
            numbering.window |= bit;
            numbering.received += 1;
            // It may be older than what was taken for the first.
            numbering.first = numbering.first.min(numbering.newest - u64::from(behind));
            Arrival::Late
        } else if self.astray_next == Some(sequence) {
            self.lost_before += numbering.lost();
            // The one astray before this one belongs here, too.
            self.received_before += numbering.received + 1;
            self.numbering = Some(Numbering::from(sequence));
            self.astray_next = None;
            Arrival::Restarted
        } else {
            self.astray_next = Some(sequence.wrapping_add(1));
            Arrival::Astray
        }
    }

    /// A.8
    fn timed(&mut self, timestamp: u32, now: Moment) {
        let ticks = now.since_start().as_nanos() * u128::from(self.clock) / 1_000_000_000;
        let transit = (ticks as u32).wrapping_sub(timestamp);
        let Some(before) = self.timeline.replace(Timeline { transit, timestamp }) else {
            return;
        };
        // Repeats of one event share its timestamp (RFC 4733 §2.5.1.3): that is no jitter.
        if before.timestamp == timestamp {
            self.timeline = Some(before);
            return;
        }
        let difference = transit.wrapping_sub(before.transit).cast_signed().unsigned_abs();
        if u64::from(difference) > TRANSIT_JUMP_MAX.as_secs() * u64::from(self.clock) {
            return;
        }
        self.jitter_scaled += u64::from(difference);
        self.jitter_scaled -= (self.jitter_scaled - u64::from(difference) + 8) >> 4;
    }
}

impl Numbering {
    /// Counts one cycle ahead, so that packets older than the first have a number, too.
    fn from(sequence: u16) -> Self {
        let first = u64::from(sequence) + (1 << 16);
        Self {
            first,
            newest: first,
            received: 1,
            window: 1,
            expected_at_report: 0,
            received_at_report: 0,
        }
    }

    fn expected(&self) -> u64 {
        self.newest - self.first + 1
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// A.3: the share lost since the last report, in 1/256.
    fn reported(&mut self) -> u8 {
        let expected = self.expected() - self.expected_at_report;
        let received = self.received - self.received_at_report;
        self.expected_at_report = self.expected();
        self.received_at_report = self.received;
        let lost = expected.saturating_sub(received);
        (lost * 256).checked_div(expected).map_or(0, |share| share.min(255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::START + Duration::from_millis(milliseconds)
    }

    /// Packet `n` of a steady stream, arriving `late` milliseconds after its time.
    fn packet(tracker: &mut SequenceTracker, n: u32, late: u64) -> Arrival {
        let sequence = 65_530_u16.wrapping_add(n as u16);
        tracker.heard(sequence, n.wrapping_mul(160), at(u64::from(n) * 20 + late))
    }

    #[test]
    fn a_steady_stream_is_complete_and_even_across_the_wrap() {
        let mut tracker = SequenceTracker::new(8000);
        for n in 0..70_000 {
            assert_eq!(packet(&mut tracker, n, 5), Arrival::Newest { missing: 0 });
        }

        assert_eq!((tracker.received(), tracker.lost()), (70_000, 0));
        assert_eq!(tracker.jitter(), Duration::ZERO);
        assert_eq!(tracker.report(1, at(0)).fraction_lost, 0);
    }

    #[test]
    fn loss_lateness_and_duplicates_are_told_apart() {
        let mut tracker = SequenceTracker::new(8000);
        packet(&mut tracker, 0, 0);
        assert_eq!(packet(&mut tracker, 4, 0), Arrival::Newest { missing: 3 });
        assert_eq!(packet(&mut tracker, 2, 60), Arrival::Late);
        assert_eq!(packet(&mut tracker, 2, 60), Arrival::Duplicate);
        assert_eq!(packet(&mut tracker, 4, 0), Arrival::Duplicate);

        assert_eq!((tracker.received(), tracker.lost(), tracker.duplicates()), (3, 2, 2));
        assert_eq!(tracker.report(1, at(0)).fraction_lost, (2 * 256 / 5) as u8);
        packet(&mut tracker, 5, 0);
        assert_eq!(tracker.report(1, at(0)).fraction_lost, 0);
    }

    #[test]
    fn a_packet_older_than_the_first_is_late_not_lost() {
        let mut tracker = SequenceTracker::new(8000);
        packet(&mut tracker, 2, 0);
        assert_eq!(packet(&mut tracker, 1, 40), Arrival::Late);
        assert_eq!((tracker.received(), tracker.lost()), (2, 0));
    }

    #[test]
    fn one_stray_packet_is_ignored_and_two_in_a_row_are_a_new_numbering() {
        let mut tracker = SequenceTracker::new(8000);
        packet(&mut tracker, 0, 0);
        packet(&mut tracker, 2, 0);
        assert_eq!(tracker.heard(30_000, 0, at(60)), Arrival::Astray);
        assert_eq!(packet(&mut tracker, 3, 0), Arrival::Newest { missing: 0 });
        assert_eq!(tracker.heard(40_000, 0, at(80)), Arrival::Astray);
        assert_eq!(tracker.heard(40_001, 160, at(100)), Arrival::Restarted);
        assert_eq!(tracker.heard(40_002, 320, at(120)), Arrival::Newest { missing: 0 });

        assert_eq!((tracker.received(), tracker.lost()), (6, 1));
    }

    #[test]
    fn jitter_settles_at_the_mean_difference() {
        let mut tracker = SequenceTracker::new(8000);
        for n in 0..1000 {
            packet(&mut tracker, n, if n % 2 == 0 { 0 } else { 10 });
        }
        let jitter = tracker.jitter().as_millis();
        assert!((9..=10).contains(&jitter), "{jitter}");
    }

    #[test]
    fn a_jump_of_the_timeline_is_not_jitter() {
        let mut tracker = SequenceTracker::new(8000);
        tracker.heard(1, 0, at(0));
        tracker.heard(2, 0x8000_0000, at(20));
        tracker.heard(3, 0x8000_00A0, at(40));
        assert_eq!(tracker.jitter(), Duration::ZERO);
    }

    #[test]
    fn the_round_trip_can_be_measured_from_the_report() {
        let mut tracker = SequenceTracker::new(8000);
        tracker.heard(1, 0, at(0));
        tracker.sender_reported(0x0001_2345_6789_0000, at(1000));

        let block = tracker.report(9, at(1500));

        assert_eq!((block.last_sender_report, block.delay), (0x2345_6789, 32_768));
    }
}
