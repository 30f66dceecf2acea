//! Reports about a stream (RFC 3550 §6): read in place, written into the caller's buffer.
//!
//! We write what a telephone needs: a sender or receiver report and our CNAME, at the end a
//! goodbye. Of what arrives only the reports, a phone's opinion ([`extended`](super::extended)) and the
//! goodbye matter; everything else (feedback, requests of video) is checked for its length and skipped. Reduced-size packets (RFC 5506) are
//! read, too.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::extended::{VoipMetrics, voip_metrics};

/// How often a side reports (§6.2).
pub const INTERVAL: Duration = Duration::from_secs(5);

/// No report of ours is longer.
pub const REPORT_MAX: usize = 28 + ReportBlock::LENGTH + 268 + 8;

/// Longer names are cut (§6.5: the length is one byte).
const CNAME_MAX: usize = 255;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const EXTENDED: u8 = 207;

/// What a sender says about its own stream (§6.4.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SenderInfo {
    /// The wall clock, as [`ntp`] writes it.
    pub ntp: u64,
    /// The same moment on the stream's clock.
    pub timestamp: u32,
    pub packets: u32,
    /// Of payload.
    pub octets: u32,
}

/// What a receiver says about one source (§6.4.1).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Since the last report, in 1/256.
    pub fraction_lost: u8,
    /// 24 bits with a sign: duplicates can make it negative.
    pub lost: i32,
    /// Cycles and sequence number.
    pub highest: u32,
    /// In ticks of the stream's clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP; 0 if none came.
    pub last_sender_report: u32,
    /// Since that report came, in 1/65536 s.
    pub delay: u32,
}

/// What a compound packet said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Heard {
    /// Who said it.
    pub ssrc: u32,
    /// What it sends.
    pub sender: Option<SenderInfo>,
    /// What it hears of us.
    pub about_us: Option<ReportBlock>,
    /// How it likes what it hears of us.
    pub opinion: Option<VoipMetrics>,
    /// It leaves.
    pub goodbye: bool,
}

/// What we say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Report<'a> {
    pub ssrc: u32,
    /// If we have sent since the last report.
    pub sender: Option<SenderInfo>,
    /// If we hear a source.
    pub heard: Option<ReportBlock>,
    /// RFC 7022: random, the same while the session lives.
    pub cname: &'a str,
}

/// Why a datagram is not RTCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotRtcp {
    #[error("lengths that don't add up")]
    Length,
    #[error("not version 2")]
    Version,
}

/// Reads a compound packet; `ours` is the SSRC we send with.
pub fn parse(datagram: &[u8], ours: u32) -> Result<Heard, NotRtcp> {
    let mut heard = Heard::default();
    let mut rest = datagram;
    let mut first = true;
    while !rest.is_empty() || first {
        let (head, _) = rest.split_first_chunk::<4>().ok_or(NotRtcp::Length)?;
        if head[0] >> 6 != 2 {
            return Err(NotRtcp::Version);
        }
        let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
        let packet = rest.get(..length).ok_or(NotRtcp::Length)?;
        rest = &rest[length..];
        let count = usize::from(head[0] & 0x1F);
        if first {
            heard.ssrc = word(packet, 4).unwrap_or(0);
            first = false;
        }
        match head[1] {
            SENDER_REPORT => {
                heard.sender = Some(SenderInfo::read(packet.get(8..28).ok_or(NotRtcp::Length)?)?);
                heard.hear_blocks(&packet[28..], count, ours)?;
            }
            RECEIVER_REPORT => {
                let blocks = packet.get(8..).ok_or(NotRtcp::Length)?;
                heard.hear_blocks(blocks, count, ours)?;
            }
            GOODBYE => heard.goodbye = true,
            EXTENDED => heard.opinion = heard.opinion.or(voip_metrics(packet, ours)),
            _ => {}
        }
    }
    Ok(heard)
}

/// Seconds since 1900 above, fraction of a second below (§4).
pub fn ntp(wall: DateTime<Utc>) -> u64 {
    const FROM_1900_TO_1970: i64 = 2_208_988_800;
    let seconds = wall.timestamp().wrapping_add(FROM_1900_TO_1970).cast_unsigned();
    let nanoseconds = u64::from(wall.timestamp_subsec_nanos().min(999_999_999));
    (seconds << 32) | ((nanoseconds << 32) / 1_000_000_000)
}

impl Heard {
    fn hear_blocks(&mut self, blocks: &[u8], count: usize, ours: u32) -> Result<(), NotRtcp> {
        let blocks = blocks.get(..count * ReportBlock::LENGTH).ok_or(NotRtcp::Length)?;
        for block in blocks.chunks_exact(ReportBlock::LENGTH) {
            let block = ReportBlock::read(block)?;
            if block.ssrc == ours {
                self.about_us = Some(block);
            }
        }
        Ok(())
    }
}

impl SenderInfo {
    fn read(bytes: &[u8]) -> Result<Self, NotRtcp> {
        let word = |at| word(bytes, at).ok_or(NotRtcp::Length);
        Ok(Self {
            ntp: (u64::from(word(0)?) << 32) | u64::from(word(4)?),
            timestamp: word(8)?,
            packets: word(12)?,
            octets: word(16)?,
        })
    }
}

impl ReportBlock {
    /// Bytes of a block.
    pub const LENGTH: usize = 24;

    /// The most that 24 bits with a sign can say.
    pub const LOST_MAX: i32 = 0x7F_FFFF;

    /// The round trip that this block, heard at `ntp`, tells (§6.4.1); `None` if the other side
    /// has not heard a report of ours or its clock goes wrong.
    pub fn round_trip(&self, ntp: u64) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let now = (ntp >> 16) as u32;
        let trip = now.wrapping_sub(self.last_sender_report).wrapping_sub(self.delay);
        let nanoseconds = (u64::from(trip) * 1_000_000_000) >> 16;
        (trip.cast_signed() >= 0).then(|| Duration::from_nanos(nanoseconds))
    }

    fn read(bytes: &[u8]) -> Result<Self, NotRtcp> {
        let word = |at| word(bytes, at).ok_or(NotRtcp::Length);
        let lost = word(4)?;
        Ok(Self {
            ssrc: word(0)?,
            fraction_lost: (lost >> 24) as u8,
            // Shifted up and down again, so that the sign spreads.
            lost: (lost << 8).cast_signed() >> 8,
            highest: word(8)?,
            jitter: word(12)?,
            last_sender_report: word(16)?,
            delay: word(20)?,
        })
    }
}

impl Report<'_> {
    /// Writes the report and the name, and returns their length; `None` if `into` is too small
    /// ([`REPORT_MAX`] is enough).
    pub fn write(&self, into: &mut [u8]) -> Option<usize> {
        let mut page = Page { bytes: into, length: 0 };
        self.write_report(&mut page)?;
        self.write_name(&mut page)?;
        Some(page.length)
    }

    /// The same, and that we leave (§6.6).
    pub fn write_with_goodbye(&self, into: &mut [u8]) -> Option<usize> {
        let mut page = Page { bytes: into, length: 0 };
        self.write_report(&mut page)?;
        self.write_name(&mut page)?;
        page.put(&[0x81, GOODBYE, 0, 1])?;
        page.put_word(self.ssrc)?;
        Some(page.length)
    }

    fn write_report(&self, page: &mut Page<'_>) -> Option<()> {
        let blocks = u8::from(self.heard.is_some());
        let (kind, words) = match self.sender {
            Some(_) => (SENDER_REPORT, 6),
            None => (RECEIVER_REPORT, 1),
        };
        page.put(&[0x80 | blocks, kind, 0, words + 6 * blocks])?;
        page.put_word(self.ssrc)?;
        if let Some(sender) = self.sender {
            page.put(&sender.ntp.to_be_bytes())?;
            page.put_word(sender.timestamp)?;
            page.put_word(sender.packets)?;
            page.put_word(sender.octets)?;
        }
        if let Some(block) = self.heard {
            page.put_word(block.ssrc)?;
            let lost = block.lost.clamp(-Self::LOST_LIMIT, ReportBlock::LOST_MAX).cast_unsigned();
            page.put_word((u32::from(block.fraction_lost) << 24) | (lost & 0xFF_FFFF))?;
            page.put_word(block.highest)?;
            page.put_word(block.jitter)?;
            page.put_word(block.last_sender_report)?;
            page.put_word(block.delay)?;
        }
        Some(())
    }

    const LOST_LIMIT: i32 = 0x80_0000;

    fn write_name(&self, page: &mut Page<'_>) -> Option<()> {
        let name = self.cname.as_bytes();
        let name = &name[..name.len().min(CNAME_MAX)];
        // The item's two bytes, the name, and at least one zero up to a whole word (§6.5).
        let chunk = 4 + (2 + name.len() + 1).next_multiple_of(4);
        page.put(&[0x81, SOURCE_DESCRIPTION, 0, (chunk / 4) as u8])?;
        page.put_word(self.ssrc)?;
        page.put(&[1, name.len() as u8])?;
        page.put(name)?;
        page.put(&[0; 4][..chunk - 4 - 2 - name.len()])
    }
}

/// Where a report is written.
struct Page<'a> {
    bytes: &'a mut [u8],
    length: usize,
}

impl Page<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length + bytes.len();
        self.bytes.get_mut(self.length..end)?.copy_from_slice(bytes);
        self.length = end;
        Some(())
    }

    fn put_word(&mut self, word: u32) -> Option<()> {
        self.put(&word.to_be_bytes())
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: SenderInfo =
        SenderInfo { ntp: 0xE5A1_0000_8000_0000, timestamp: 16_000, packets: 100, octets: 16_000 };
    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 7,
        fraction_lost: 12,
        lost: -3,
        highest: 0x1_0005,
        jitter: 40,
        last_sender_report: 0x0000_8000,
        delay: 0x8000,
    };

    #[test]
    fn what_we_report_is_what_is_heard() {
        for (sender, heard) in
            [(Some(SENDER), Some(BLOCK)), (None, Some(BLOCK)), (Some(SENDER), None), (None, None)]
        {
            for cname in ["", "a", "ab", "abc", "abcd", "q8f5m2"] {
                let mut buffer = [0xAA; REPORT_MAX];
                let report = Report { ssrc: 42, sender, heard, cname };

                let length = report.write(&mut buffer).unwrap();
                assert_eq!(length % 4, 0);
                let expected =
                    Heard { ssrc: 42, sender, about_us: heard, opinion: None, goodbye: false };
                assert_eq!(parse(&buffer[..length], 7), Ok(expected));
                // Somebody else's block is not about us.
                assert_eq!(parse(&buffer[..length], 8).unwrap().about_us, None);

                let length = report.write_with_goodbye(&mut buffer).unwrap();
                assert!(parse(&buffer[..length], 7).unwrap().goodbye);
            }
        }
    }

    #[test]
    fn the_longest_report_fits_and_a_short_buffer_is_refused() {
        let name = "n".repeat(300);
        let report = Report { ssrc: 1, sender: Some(SENDER), heard: Some(BLOCK), cname: &name };
        let mut buffer = [0; REPORT_MAX];
        let length = report.write_with_goodbye(&mut buffer).unwrap();
        assert!(parse(&buffer[..length], 1).is_ok());
        for short in 0..length {
            assert_eq!(report.write_with_goodbye(&mut buffer[..short]), None);
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        let mut buffer = [0; REPORT_MAX];
        let report = Report { ssrc: 1, sender: Some(SENDER), heard: Some(BLOCK), cname: "x" };
        let length = report.write(&mut buffer).unwrap();
        for short in 0..length {
            let whole_packets = short == 52;
            assert_eq!(parse(&buffer[..short], 1).is_ok(), whole_packets, "{short}");
        }
        // More blocks than there is room for.
        buffer[0] = 0x80 | 31;
        assert_eq!(parse(&buffer[..length], 1), Err(NotRtcp::Length));
        assert_eq!(parse(&[0x00, 200, 0, 0], 1), Err(NotRtcp::Version));
        assert_eq!(parse(&[0x80, 200, 0, 0], 1), Err(NotRtcp::Length));
    }

    #[test]
    fn what_we_do_not_know_is_skipped() {
        // An extended report (RFC 3611) after an empty receiver report.
        let bytes = [0x80, 201, 0, 1, 0, 0, 0, 9, 0x80, 207, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4];
        assert_eq!(parse(&bytes, 1), Ok(Heard { ssrc: 9, ..Heard::default() }));
    }

    #[test]
    fn the_wall_clock_is_written_from_1900() {
        let wall = DateTime::from_timestamp(0, 500_000_000).unwrap();
        assert_eq!(ntp(wall), (2_208_988_800 << 32) | 0x8000_0000);
    }

    #[test]
    fn the_round_trip_is_what_is_left_after_the_others_delay() {
        // Sent at 0.5 s, held for 0.5 s, back at 1.25 s.
        let ntp = (1_u64 << 32) | 0x4000_0000;
        assert_eq!(BLOCK.round_trip(ntp), Some(Duration::from_millis(250)));
        assert_eq!(BLOCK.round_trip(0), None);
    }
}
