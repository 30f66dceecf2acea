//! What one party writes: every character once and in order, whatever the network does.
//!
//! A packet that was lost is found again in those behind it; what is not found leaves one `U+FFFD`
//! (RFC 4103 §5.4). More than a person writes, or pastes, is dropped.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redundancy::Blocks;
use super::writing::GENERATIONS;
use crate::base::Moment;
use crate::media::rtp::Header;
use crate::media::sdp::TextNumbers;

/// How far one party's text has been read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Reading {
    /// The series, and the furthest packet of it.
    last: Option<(u32, u16)>,
    /// Characters of these ten seconds.
    since: Option<Moment>,
    count: usize,
    /// Too many came, and it was shown.
    is_cut: bool,
}

impl Reading {
    /// What this packet tells that was not known.
    pub fn received(
        &mut self,
        header: Header,
        payload: &[u8],
        numbers: TextNumbers,
        now: Moment,
    ) -> String {
        let blocks = if Some(header.payload_type) == numbers.redundancy {
            Blocks::parse(payload, numbers.text).ok()
        } else if header.payload_type == numbers.text {
            Some(Blocks::single(payload))
        } else {
            None
        };
        let Some(blocks) = blocks else {
            return String::new();
        };
        let mut text = String::new();
        let Some(missing) = self.missing(header) else {
            return text;
        };
        // Before the first packet that came there may have been others; nobody has missed them.
        // And who begins after a pause without repeating has lost repetitions at most.
        let after_pause = header.marker && missing <= GENERATIONS;
        if missing > blocks.depth() && !after_pause && self.last.is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        self.last = Some((header.ssrc, header.sequence));
        for block in blocks.repeated(missing).iter().chain([&blocks.new_block()]) {
            self.read(block, now, &mut text);
        }
        text
    }

    /// How many packets before this one have not come; `None` if it came before.
    fn missing(&self, header: Header) -> Option<usize> {
        let Some((ssrc, last)) = self.last else {
            return Some(usize::from(u16::MAX));
        };
        let step = header.sequence.wrapping_sub(last).cast_signed();
        // Another series, or one that began anew.
        if ssrc != header.ssrc || step < -BEHIND_MAX {
            return Some(0);
        }
        usize::try_from(step).ok()?.checked_sub(1)
    }

    fn read(&mut self, block: &[u8], now: Moment, text: &mut String) {
        for character in String::from_utf8_lossy(block).chars() {
            if !is_written(character) {
                continue;
            }
            if self.since.is_none_or(|since| now - since >= WINDOW) {
                (self.since, self.count, self.is_cut) = (Some(now), 0, false);
            }
            self.count += 1;
            if self.count <= CHARACTERS_MAX {
                text.push(character);
            } else if !std::mem::replace(&mut self.is_cut, true) {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

/// Letters, line ends and the backspace; not the byte order mark, which says nothing, and none of
/// the codes that move a terminal's cursor or paint it.
fn is_written(character: char) -> bool {
    match character {
        '\u{FEFF}' => false,
        '\u{8}' | '\n' | '\r' => true,
        other => !other.is_control(),
    }
}

/// Packets of so long ago are repetitions.
const BEHIND_MAX: i16 = 1_000;

const WINDOW: Duration = Duration::from_secs(10);

/// In ten seconds: five times what RFC 4103 §6 lets anybody write who was not told otherwise.
const CHARACTERS_MAX: usize = 1_500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Mint;
    use crate::media::rtp::Packet;
    use crate::media::text::{PACKET_MAX, Writing};

    const NUMBERS: TextNumbers = TextNumbers { text: 98, redundancy: Some(100) };

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    /// What is read of a long text if the network does this to its packets.
    fn through(text: &str, mut network: impl FnMut(Vec<Vec<u8>>) -> Vec<Vec<u8>>) -> String {
        let mut writing = Writing::new(&mut Mint::from_number(1));
        writing.begin();
        let mut packets = Vec::new();
        for (step, piece) in text.as_bytes().chunks(3).enumerate() {
            writing.write(std::str::from_utf8(piece).unwrap());
            for tick in 0..15 {
                let now = at(300 * step as u64 + 20 * tick);
                let mut packet = [0; PACKET_MAX];
                if writing.is_due(now)
                    && let Some(length) = writing.packet(NUMBERS, 1_000, now, &mut packet)
                {
                    packets.push(packet[..length].to_vec());
                }
            }
        }
        let mut reading = Reading::default();
        network(packets)
            .into_iter()
            .map(|packet| {
                let packet = Packet::parse(&packet).unwrap();
                reading.received(packet.header, packet.payload, NUMBERS, at(1))
            })
            .collect()
    }

    const TEXT: &str = "bonjour, je suis sourde et je voudrais parler avec quelqu'un";

    /// RFC 4103 §4: two lost in a row are found again, whichever they are.
    #[test]
    fn every_second_and_third_packet_may_be_lost_and_no_letter_is() {
        let lossy = |packets: Vec<Vec<u8>>| {
            packets
                .into_iter()
                .enumerate()
                .filter_map(|(at, packet)| (at % 3 == 2).then_some(packet))
                .collect()
        };
        let read = through(TEXT, lossy);
        assert!(TEXT.starts_with(&read[..read.len()]) && read.len() > TEXT.len() - 9, "{read}");
    }

    #[test]
    fn repeated_and_overtaken_packets_are_read_once() {
        let mixed = |packets: Vec<Vec<u8>>| {
            let mut mixed: Vec<Vec<u8>> =
                packets.into_iter().flat_map(|packet| [packet.clone(), packet]).collect();
            for pair in mixed.chunks_mut(4) {
                pair.reverse();
            }
            mixed
        };
        assert_eq!(through(TEXT, mixed), TEXT);
    }

    #[test]
    fn what_can_not_be_found_leaves_one_mark() {
        let gone = |mut packets: Vec<Vec<u8>>| {
            packets.drain(4..9);
            packets
        };
        let read = through(TEXT, gone);
        assert_eq!(read.matches(char::REPLACEMENT_CHARACTER).count(), 1, "{read}");
        assert!(read.ends_with("quelqu'un"), "{read}");
    }

    /// T.140: what moves a cursor or paints a screen is not for a listener's page.
    #[test]
    fn hostile_text_is_cleaned_and_bounded() {
        let mut reading = Reading::default();
        let mut send = |sequence, payload: &[u8], now| {
            let header =
                Header { marker: false, payload_type: 98, sequence, timestamp: 0, ssrc: 1 };
            reading.received(header, payload, NUMBERS, now)
        };
        assert_eq!(send(1, b"a\x1b[2J\xff\x07b\x08", at(0)), "a[2J\u{fffd}b\u{8}");
        let flood = "x".repeat(1_000);
        let read: usize =
            (2..50).map(|at_| send(at_, flood.as_bytes(), at(10)).chars().count()).sum();
        assert!(read <= CHARACTERS_MAX + 1, "{read}");
        assert_eq!(send(50, b"again", at(10_001)), "again");
        assert_eq!(send(51, &[], at(10_001)), "");
    }
}
