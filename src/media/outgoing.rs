//! What one party gets: a single series of RTP packets from beginning to end (RFC 3550 §5.1).
//!
//! Greeting, wait sound and a voice relayed from another party come from different places, but a
//! phone hears one source: one SSRC, sequence numbers without gaps of our making, timestamps that
//! follow real time over silences. [`Outgoing::next`] numbers what we play ourselves;
//! [`Outgoing::carry`] carries another source's numbers over, so that what the network lost or
//! reordered on the way to us is seen as lost or reordered behind us too, and a jitter buffer there
//! can do its work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rtp::Header;
use crate::base::{Mint, Moment};

/// The series of packets one party gets.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Outgoing {
    ssrc: u32,
    /// Of the packet that was sent last in order.
    sequence: u16,
    timestamp: u32,
    /// How much sound it held.
    ticks: u32,
    sent_at: Option<Moment>,
    /// By how many ticks the timestamps were ahead of the clock when the source last changed.
    ahead: i64,
    /// The next packet begins a spurt of talk: another source, or the end of a silence.
    spurt: bool,
    carried: Option<Carried>,
    packets: u64,
    octets: u64,
}

/// Where another source's numbers land in ours.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Carried {
    ssrc: u32,
    /// To be added to theirs.
    sequence: u16,
    timestamp: u32,
    /// Packets before this one belong to the time before: the party was hearing something else.
    first: u16,
    /// The furthest of theirs, so far.
    last: u16,
    last_timestamp: u32,
}

impl Outgoing {
    pub(super) fn new(mint: &mut Mint) -> Self {
        let (ssrc, start) = (mint.number(), mint.number());
        Self {
            ssrc: ssrc as u32,
            // The lower half, as phones that mistake a wrap-around at the start for a loss exist.
            sequence: (start as u16) >> 1,
            timestamp: (start >> 32) as u32,
            ticks: 0,
            sent_at: None,
            ahead: 0,
            spurt: true,
            carried: None,
            packets: 0,
            octets: 0,
        }
    }

    /// Numbers the next packet of what we play.
    pub(super) fn next(&mut self, payload_type: u8, octets: usize, now: Moment) -> Header {
        self.next_lasting(payload_type, octets, octets, now)
    }

    /// The same, for a codec whose packets don't tell by their length how long they last.
    pub(super) fn next_lasting(
        &mut self,
        payload_type: u8,
        ticks: usize,
        octets: usize,
        now: Moment,
    ) -> Header {
        self.carried = None;
        let timestamp = self.timestamp_at(now);
        // RFC 3551 §4.1: the first packet after a silence.
        let silence = timestamp != self.timestamp.wrapping_add(self.ticks);
        let header = Header {
            marker: std::mem::take(&mut self.spurt) || silence,
            payload_type,
            sequence: self.sequence.wrapping_add(1),
            timestamp,
            ssrc: self.ssrc,
        };
        self.sent(header, ticks, octets, now);
        header
    }

    /// Carries a packet of another source over. `None` if it comes too late to be heard: the party
    /// was hearing something else when it should have come.
    pub(super) fn carry(
        &mut self,
        theirs: Header,
        payload_type: u8,
        octets: usize,
        now: Moment,
    ) -> Option<Header> {
        self.carry_lasting(theirs, payload_type, octets, octets, now)
    }

    /// The same, for a codec whose packets don't tell by their length how long they last.
    pub(super) fn carry_lasting(
        &mut self,
        theirs: Header,
        payload_type: u8,
        ticks: usize,
        octets: usize,
        now: Moment,
    ) -> Option<Header> {
        let known = self.carried.filter(|carried| carried.goes_on_with(theirs));
        let mut carried = match known {
            Some(carried) => carried,
            None => {
                self.spurt = true;
                Carried {
                    ssrc: theirs.ssrc,
                    sequence: self.sequence.wrapping_add(1).wrapping_sub(theirs.sequence),
                    timestamp: self.timestamp_at(now).wrapping_sub(theirs.timestamp),
                    first: theirs.sequence,
                    last: theirs.sequence.wrapping_sub(1),
                    last_timestamp: theirs.timestamp,
                }
            }
        };
        if behind(theirs.sequence, carried.first) {
            return None;
        }
        let header = Header {
            marker: std::mem::take(&mut self.spurt) || theirs.marker,
            payload_type,
            sequence: theirs.sequence.wrapping_add(carried.sequence),
            timestamp: theirs.timestamp.wrapping_add(carried.timestamp),
            ssrc: self.ssrc,
        };
        if behind(carried.last, theirs.sequence) {
            carried.advance(theirs);
            self.sent(header, ticks, octets, now);
        } else {
            self.count(octets);
        }
        self.carried = Some(carried);
        Some(header)
    }

    /// A packet of the other source is kept from this party: a key pressed, comfort noise. It
    /// leaves a silence, not a gap that would be taken for a loss.
    pub(super) fn pass_over(&mut self, theirs: Header) {
        if let Some(carried) = &mut self.carried
            && carried.ssrc == theirs.ssrc
            && theirs.sequence == carried.last.wrapping_add(1)
        {
            carried.sequence = carried.sequence.wrapping_sub(1);
            carried.last = theirs.sequence;
            // What is late now would take a number that was given already.
            carried.first = theirs.sequence.wrapping_add(1);
            self.spurt = true;
        }
    }

    /// What comes next comes from elsewhere.
    pub(super) fn change_source(&mut self) {
        self.carried = None;
        self.spurt = true;
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// When the last packet left; the beginning of time, if none did.
    pub(super) fn sent_at(&self) -> Moment {
        self.sent_at.unwrap_or(Moment::START)
    }

    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// The timestamp of sound that is heard at `now`, for reports.
    pub(super) fn timestamp_now(&self, now: Moment) -> u32 {
        let gap = self.sent_at.map_or(Duration::ZERO, |at| now - at);
        self.timestamp.wrapping_add(ticks(gap))
    }

    /// The timestamp of a packet sent at `now`: right behind the last one, or over a silence by as
    /// many whole frames as went by. Where one source follows another real time decides, so that
    /// however often a party is put through its timestamps stay on the clock; within one source a
    /// thread that was late is no silence.
    fn timestamp_at(&mut self, now: Moment) -> u32 {
        let gap = self.sent_at.map_or(Duration::ZERO, |at| now - at);
        if gap < SILENCE_MIN && !self.spurt {
            return self.timestamp.wrapping_add(self.ticks);
        }
        let gap = i64::from(ticks(gap));
        let frames = (gap - self.ahead + FRAME_TICKS / 2).div_euclid(FRAME_TICKS);
        let step = (frames * FRAME_TICKS).max(i64::from(self.ticks));
        self.ahead = (self.ahead + step - gap).clamp(-FRAME_TICKS, AHEAD_MAX);
        self.timestamp.wrapping_add(step as u32)
    }

    fn sent(&mut self, header: Header, ticks: usize, octets: usize, now: Moment) {
        self.sequence = header.sequence;
        self.timestamp = header.timestamp;
        self.ticks = ticks as u32;
        self.sent_at = Some(now);
        self.count(octets);
    }

    fn count(&mut self, octets: usize) {
        self.packets += 1;
        self.octets += octets as u64;
    }
}

impl Carried {
    /// Whether a packet can follow by its numbers. A source that jumps has begun anew.
    fn goes_on_with(&self, theirs: Header) -> bool {
        let step = theirs.sequence.wrapping_sub(self.last).cast_signed();
        let ticks = theirs.timestamp.wrapping_sub(self.last_timestamp).cast_signed();
        self.ssrc == theirs.ssrc
            && (-MISORDER_MAX..SEQUENCE_JUMP.cast_signed()).contains(&step)
            && ticks.unsigned_abs() < TIMESTAMP_JUMP
    }

    fn advance(&mut self, theirs: Header) {
        self.last = theirs.sequence;
        self.last_timestamp = theirs.timestamp;
        // Kept near, so that it isn't taken for the future when numbers wrap around.
        if self.last.wrapping_sub(self.first) > 2 * SEQUENCE_JUMP {
            self.first = self.last.wrapping_sub(SEQUENCE_JUMP);
        }
    }
}

/// Whether `sequence` comes before `other`.
fn behind(sequence: u16, other: u16) -> bool {
    sequence.wrapping_sub(other).cast_signed() < 0
}

/// All our codecs have an RTP clock of 8 kHz.
fn ticks(duration: Duration) -> u32 {
    (duration.as_micros() * 8 / 1_000) as u32
}

/// 20 ms.
const FRAME_TICKS: i64 = 160;

/// Of an error longer than a second nobody is reminded.
const AHEAD_MAX: i64 = 8_000;

/// A gap this long is a silence; a shorter one is a thread that was late.
const SILENCE_MIN: Duration = Duration::from_millis(50);

/// A packet may be late by this many; one that goes back further belongs to another numbering.
const MISORDER_MAX: i16 = 100;

/// RFC 3550 A.1 calls it MAX_DROPOUT.
const SEQUENCE_JUMP: u16 = 3_000;

/// A minute of silence suppressed.
const TIMESTAMP_JUMP: u32 = 60 * 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    const OCTETS: usize = 160;

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn theirs(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 7 }
    }

    #[test]
    fn what_we_play_is_numbered_without_gaps_and_silence_takes_its_time() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));

        let first = outgoing.next(8, OCTETS, at(0));
        let second = outgoing.next(8, OCTETS, at(20));
        let after_silence = {
            outgoing.change_source();
            outgoing.next(8, OCTETS, at(1_020))
        };

        assert!(first.marker && !second.marker && after_silence.marker);
        assert_eq!(second.sequence, first.sequence + 1);
        assert_eq!(second.timestamp, first.timestamp.wrapping_add(160));
        assert_eq!(after_silence.sequence, second.sequence + 1);
        assert_eq!(after_silence.timestamp, second.timestamp.wrapping_add(8_000));
    }

    #[test]
    fn a_thread_that_was_late_does_not_stretch_time() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));

        let first = outgoing.next(8, OCTETS, at(0));
        outgoing.next(8, OCTETS, at(38));
        let third = outgoing.next(8, OCTETS, at(40));

        assert_eq!(third.timestamp, first.timestamp.wrapping_add(320));
    }

    #[test]
    fn a_relayed_voice_follows_what_was_played_and_keeps_its_losses_and_its_order() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));
        let played = outgoing.next(8, OCTETS, at(0));

        let sent: Vec<Header> = [(65_534, 1_000), (65_535, 1_160), (2, 1_640), (1, 1_480)]
            .into_iter()
            .zip([20, 40, 100, 101])
            .filter_map(|((sequence, timestamp), millis)| {
                outgoing.carry(theirs(sequence, timestamp), 8, OCTETS, at(millis))
            })
            .collect();
        let played_again = outgoing.next(8, OCTETS, at(120));

        let steps: Vec<(u16, u32)> = sent
            .iter()
            .map(|sent| {
                (
                    sent.sequence.wrapping_sub(played.sequence),
                    sent.timestamp.wrapping_sub(played.timestamp),
                )
            })
            .collect();
        assert_eq!(steps, [(1, 160), (2, 320), (5, 800), (4, 640)]);
        assert!(sent[0].marker && !sent[1].marker);
        assert!(sent.iter().all(|sent| sent.ssrc == played.ssrc));
        assert_eq!(played_again.sequence, sent[2].sequence.wrapping_add(1));
        assert_eq!(played_again.timestamp, sent[2].timestamp.wrapping_add(160));
    }

    #[test]
    fn a_packet_from_before_the_join_is_not_heard() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));
        outgoing.carry(theirs(100, 16_000), 8, OCTETS, at(0)).unwrap();

        assert_eq!(outgoing.carry(theirs(99, 15_840), 8, OCTETS, at(1)), None);
    }

    #[test]
    fn a_source_that_jumps_has_begun_anew() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));
        let first = outgoing.carry(theirs(100, 16_000), 8, OCTETS, at(0)).unwrap();

        let jumped = outgoing.carry(theirs(30_000, 9), 8, OCTETS, at(20)).unwrap();
        let other = Header { ssrc: 8, ..theirs(5, 5) };
        let changed = outgoing.carry(other, 8, OCTETS, at(40)).unwrap();

        assert_eq!(jumped.sequence, first.sequence.wrapping_add(1));
        assert_eq!(jumped.timestamp, first.timestamp.wrapping_add(160));
        assert_eq!(changed.sequence, jumped.sequence.wrapping_add(1));
        assert!(jumped.marker && changed.marker);
    }

    #[test]
    fn keys_kept_from_a_listener_leave_no_loss() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));
        let before = outgoing.carry(theirs(100, 16_000), 8, OCTETS, at(0)).unwrap();
        for sequence in 101..=105 {
            outgoing.pass_over(theirs(sequence, 16_160));
        }

        let after = outgoing.carry(theirs(106, 16_960), 8, OCTETS, at(120)).unwrap();

        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert_eq!(after.timestamp, before.timestamp.wrapping_add(960));
        assert!(after.marker);
    }

    #[test]
    fn a_long_call_wraps_around_unharmed() {
        let mut outgoing = Outgoing::new(&mut Mint::from_number(1));
        let mut last = None;
        for step in 0..200_000_u32 {
            let sent = outgoing
                .carry(
                    theirs(step as u16, step.wrapping_mul(160)),
                    8,
                    OCTETS,
                    at(20 * u64::from(step)),
                )
                .unwrap();
            if let Some(last) = last {
                assert_eq!(sent.sequence.wrapping_sub(last), 1, "step {step}");
            }
            last = Some(sent.sequence);
        }
    }
}
