//! Packets that only the two sides can read and make (RFC 3711, RFC 6188).
//!
//! A [`Protector`] seals what we send, an [`Opener`] opens what arrives; both work in the buffer
//! the packet lies in and allocate nothing. Counter mode of AES with HMAC-SHA1, as SDES names them
//! (RFC 4568 §6.2); keys come from the description and are not changed while a stream lives
//! (a derivation rate of zero). ADR 0012 says why this is ours.
//!
//! Every index is used once in each direction: a packet that would use one again is neither opened
//! nor sent.

mod keys;

pub use keys::{MasterKey, Suite};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::packet::HEADER_LENGTH;
use keys::SessionKeys;

/// A protected packet is longer than a plain one by at most this: an index and a tag.
pub const OVERHEAD_MAX: usize = 4 + TAG_LONG;

/// Seals what we send with one SSRC.
#[derive(Clone, Deserialize, Serialize)]
pub struct Protector {
    keys: SessionKeys,
    sent: Window,
    /// Of the next report; 31 bits (§3.4).
    report_index: u32,
}

/// Opens what arrives, from whichever SSRC holds the key.
#[derive(Clone, Deserialize, Serialize)]
pub struct Opener {
    keys: SessionKeys,
    /// The last heard first.
    sources: Vec<Source>,
    reports: Vec<ReportSource>,
}

/// Why a packet was not opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unopened {
    #[error("shorter than what protects it")]
    Short,
    #[error("not made by the other side")]
    Forged,
    #[error("it came before, or too late to tell")]
    Replayed,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Source {
    ssrc: u32,
    window: Window,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct ReportSource {
    ssrc: u32,
    window: Window,
}

impl Protector {
    pub fn new(key: &MasterKey) -> Self {
        Self { keys: SessionKeys::new(key), sent: Window::default(), report_index: 0 }
    }

    /// Seals the packet that fills `buffer` up to `length`, and returns its new length. `None` if
    /// there is no room, if it is no RTP, or if its number was used before.
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let packet = buffer.get(..length)?;
        let (sequence, ssrc) = numbers(packet)?;
        let start = payload_start(packet)?;
        let index = self.sent.estimate(sequence)?;
        if !self.sent.is_fresh(index) {
            return None;
        }
        let tag_length = self.keys.suite.tag_length();
        let end = length.checked_add(tag_length).filter(|end| *end <= buffer.len())?;
        self.keys.rtp.apply(ssrc, index, &mut buffer[start..length]);
        let rollover = ((index >> 16) as u32).to_be_bytes();
        let tag = tag(&self.keys.rtp_authentication, [&buffer[..length], &rollover]);
        buffer[length..end].copy_from_slice(&tag[..tag_length]);
        self.sent.note(index);
        Some(end)
    }

    /// The same for a report (§3.4).
    pub fn protect_report(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let packet = buffer.get(..length).filter(|packet| packet.len() >= REPORT_HEADER)?;
        let ssrc = word(packet, 4)?;
        let end = length.checked_add(4 + TAG_LONG).filter(|end| *end <= buffer.len())?;
        let index = self.report_index;
        // §9.2: after so many the key is used up; at a report every 5 s that is 340 years.
        self.report_index = index.checked_add(1).filter(|next| *next < ENCRYPTED)?;
        self.keys.rtcp.apply(ssrc, u64::from(index), &mut buffer[REPORT_HEADER..length]);
        buffer[length..length + 4].copy_from_slice(&(index | ENCRYPTED).to_be_bytes());
        let tag = tag(&self.keys.rtcp_authentication, [&buffer[..length + 4], &[]]);
        buffer[length + 4..end].copy_from_slice(&tag[..TAG_LONG]);
        Some(end)
    }
}

impl Opener {
    pub fn new(key: &MasterKey) -> Self {
        Self {
            keys: SessionKeys::new(key),
            sources: Vec::with_capacity(SOURCES_MAX),
            reports: Vec::with_capacity(SOURCES_MAX),
        }
    }

    /// Opens a packet where it lies, and returns its length without the tag.
    pub fn open(&mut self, packet: &mut [u8]) -> Result<usize, Unopened> {
        let tag_length = self.keys.suite.tag_length();
        let length = packet.len().checked_sub(tag_length).ok_or(Unopened::Short)?;
        let (sequence, ssrc) = numbers(&packet[..length]).ok_or(Unopened::Short)?;
        let start = payload_start(&packet[..length]).ok_or(Unopened::Short)?;
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let mut window = known.map_or_else(Window::default, |at| self.sources[at].window);
        let index = window.estimate(sequence).ok_or(Unopened::Replayed)?;
        if !window.is_fresh(index) {
            return Err(Unopened::Replayed);
        }
        let rollover = ((index >> 16) as u32).to_be_bytes();
        let (sealed, tag_here) = packet.split_at(length);
        let expected = tag(&self.keys.rtp_authentication, [sealed, &rollover]);
        if !bool::from(expected[..tag_length].ct_eq(tag_here)) {
            return Err(Unopened::Forged);
        }
        self.keys.rtp.apply(ssrc, index, &mut packet[start..length]);
        // Only now: what isn't authentic must not move the window or take a place.
        window.note(index);
        remember(&mut self.sources, known, Source { ssrc, window });
        Ok(length)
    }

    /// The same for a report.
    pub fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, Unopened> {
        let signed = packet.len().checked_sub(TAG_LONG).ok_or(Unopened::Short)?;
        let length = signed.checked_sub(4).ok_or(Unopened::Short)?;
        if length < REPORT_HEADER {
            return Err(Unopened::Short);
        }
        let ssrc = word(packet, 4).ok_or(Unopened::Short)?;
        let said = word(packet, length).ok_or(Unopened::Short)?;
        let index = u64::from(said & !ENCRYPTED);
        let known = self.reports.iter().position(|source| source.ssrc == ssrc);
        let mut window = known.map_or_else(Window::default, |at| self.reports[at].window);
        if !window.is_fresh(index) {
            return Err(Unopened::Replayed);
        }
        let (sealed, tag_here) = packet.split_at(signed);
        let expected = tag(&self.keys.rtcp_authentication, [sealed, &[]]);
        if !bool::from(expected[..TAG_LONG].ct_eq(tag_here)) {
            return Err(Unopened::Forged);
        }
        if said & ENCRYPTED != 0 {
            self.keys.rtcp.apply(ssrc, index, &mut packet[REPORT_HEADER..length]);
        }
        window.note(index);
        remember(&mut self.reports, known, ReportSource { ssrc, window });
        Ok(length)
    }
}

/// Which indices were used: the newest, and 128 back from there (§3.3.2 asks for 64).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
struct Window {
    /// Rollovers above the sixteen bits of the sequence number.
    newest: Option<u64>,
    /// Bit n: `newest - n` was used.
    used: u128,
}

impl Window {
    /// The index of a sequence number (§3.3.1): with whichever rollover brings it nearest to the
    /// newest. `None` if it would lie before the first.
    fn estimate(&self, sequence: u16) -> Option<u64> {
        let Some(newest) = self.newest else {
            return Some(u64::from(sequence));
        };
        let ahead = sequence.wrapping_sub(newest as u16).cast_signed();
        let index = newest.checked_add_signed(i64::from(ahead))?;
        // 32 bits of rollovers above 16 of sequence: then the key is used up (§9.2).
        (index >> 48 == 0).then_some(index)
    }

    fn is_fresh(&self, index: u64) -> bool {
        match self.newest {
            None => true,
            Some(newest) if index > newest => true,
            Some(newest) => {
                let back = newest - index;
                back < u64::from(u128::BITS) && self.used & (1 << back) == 0
            }
        }
    }

    fn note(&mut self, index: u64) {
        let newest = self.newest.unwrap_or(index);
        if index >= newest {
            let ahead = u32::try_from(index - newest).unwrap_or(u32::MAX);
            self.used = self.used.checked_shl(ahead).unwrap_or(0) | 1;
            self.newest = Some(index);
        } else if newest - index < u64::from(u128::BITS) {
            self.used |= 1 << (newest - index);
        }
    }
}

/// Puts a source first; the one heard of longest ago leaves when there are too many.
fn remember<S>(sources: &mut Vec<S>, known: Option<usize>, source: S) {
    match known {
        Some(at) => {
            sources[at] = source;
            sources.swap(0, at);
        }
        None => {
            sources.truncate(SOURCES_MAX - 1);
            sources.insert(0, source);
        }
    }
}

/// Where the part begins that is encrypted: behind contributing sources and extension (§3.1).
fn payload_start(packet: &[u8]) -> Option<usize> {
    let mut start = HEADER_LENGTH + 4 * usize::from(packet.first()? & 0x0F);
    if packet[0] & 0x10 != 0 {
        let words = packet.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (start <= packet.len()).then_some(start)
}

/// Sequence number and SSRC.
fn numbers(packet: &[u8]) -> Option<(u16, u32)> {
    let header = packet.first_chunk::<HEADER_LENGTH>()?;
    Some((u16::from_be_bytes([header[2], header[3]]), word(header, 8)?))
}

fn tag(key: &Hmac<Sha1>, parts: [&[u8]; 2]) -> [u8; 20] {
    let mut mac = key.clone();
    parts.into_iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn authentication(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// 80 bits, by the first two suites and by all reports.
const TAG_LONG: usize = 10;

/// A report's header and SSRC stay readable.
const REPORT_HEADER: usize = 8;

/// The bit above a report's index.
const ENCRYPTED: u32 = 1 << 31;

/// A phone begins a new SSRC now and then; only who holds the key can.
const SOURCES_MAX: usize = 4;

#[cfg(test)]
mod tests;
