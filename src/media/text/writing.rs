//! What one party reads: characters go out in a packet every 300 ms, and twice more in those behind
//! it (RFC 4103 §5.1, §5.2).

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::redundancy::{self, BLOCK_MAX};
use crate::base::{Mint, Moment};
use crate::media::rtp::{HEADER_LENGTH, Header};
use crate::media::sdp::TextNumbers;

/// The longest packet: a header, and three blocks with theirs.
pub const PACKET_MAX: usize = HEADER_LENGTH + 3 * (BLOCK_MAX + 4);

/// One party's way to read us.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Writing {
    ssrc: u32,
    sequence: u16,
    /// Of the beginning of time; a clock of 1000 Hz (§3).
    timestamp: u32,
    waiting: String,
    /// Letters were dropped, and a mark stands for them.
    is_cut: bool,
    /// What was sent and when, the oldest first.
    past: VecDeque<(Moment, String)>,
    /// Packets in which something must be repeated still.
    owed: usize,
    sent_at: Option<Moment>,
    /// Something was written, so that the next line begins on its own.
    has_written: bool,
    /// Characters of each of the last seconds, by the second.
    seconds: VecDeque<(u64, usize)>,
}

impl Writing {
    pub fn new(mint: &mut Mint) -> Self {
        let (ssrc, start) = (mint.number(), mint.number());
        Self {
            ssrc: ssrc as u32,
            sequence: (start as u16) >> 1,
            timestamp: (start >> 32) as u32,
            waiting: String::new(),
            is_cut: false,
            past: VecDeque::new(),
            owed: 0,
            sent_at: None,
            has_written: false,
            seconds: VecDeque::new(),
        }
    }

    /// T.140 §8: a conversation begins with a byte order mark; it opens the doors on the way, too.
    pub fn begin(&mut self) {
        self.waiting.insert(0, MARK);
    }

    pub fn write(&mut self, text: &str) {
        for character in text.chars() {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(character);
                self.is_cut = false;
            } else if !std::mem::replace(&mut self.is_cut, true) {
                self.waiting.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.has_written |= !text.is_empty();
    }

    /// Writes on a line of its own.
    pub fn write_line(&mut self, text: &str) {
        if self.has_written {
            self.write(LINE);
        }
        self.write(text);
    }

    /// Whether a packet is to be made now.
    pub fn is_due(&self, now: Moment) -> bool {
        let Some(sent_at) = self.sent_at else {
            return true;
        };
        let busy = !self.waiting.is_empty() || self.owed > 0;
        now - sent_at >= if busy { PACE } else { KEEP_ALIVE }
    }

    /// The next packet, in `into`; `per_second` is how much the party can read.
    pub fn packet(
        &mut self,
        numbers: TextNumbers,
        per_second: u16,
        now: Moment,
        into: &mut [u8],
    ) -> Option<usize> {
        let was_idle = self.owed == 0;
        let mut new = self.take(per_second, now);
        if new.is_empty() && was_idle {
            if !self.is_due_to_keep_alive(now) {
                return None;
            }
            new.push(MARK);
        }
        let mut payload = [0; PACKET_MAX];
        let payload_type = numbers.redundancy.unwrap_or(numbers.text);
        let length = match numbers.redundancy {
            Some(_) => {
                let repeated = self.past.iter().map(|(at, text)| {
                    let ago = u32::try_from((now - *at).as_millis()).unwrap_or(u32::MAX);
                    (ago, text.as_bytes())
                });
                redundancy::write(repeated, new.as_bytes(), numbers.text, &mut payload)?
            }
            None => {
                payload[..new.len()].copy_from_slice(new.as_bytes());
                new.len()
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        let header = Header {
            marker: was_idle,
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp.wrapping_add(now.since_start().as_millis() as u32),
            ssrc: self.ssrc,
        };
        self.sent_at = Some(now);
        self.owed = match (numbers.redundancy, new.is_empty()) {
            (None, _) => 0,
            (Some(_), true) => self.owed.saturating_sub(1),
            (Some(_), false) => GENERATIONS,
        };
        self.past.push_back((now, new));
        while self.past.len() > GENERATIONS {
            self.past.pop_front();
        }
        header.write(&payload[..length], into)
    }

    fn is_due_to_keep_alive(&self, now: Moment) -> bool {
        self.sent_at.is_some_and(|sent_at| now - sent_at >= KEEP_ALIVE)
    }

    /// As much as fits, and as the party can read: so many characters a second, over any ten (§6).
    fn take(&mut self, per_second: u16, now: Moment) -> String {
        let second = now.since_start().as_secs();
        while self.seconds.front().is_some_and(|(at, _)| at + 10 < second) {
            self.seconds.pop_front();
        }
        let written: usize = self.seconds.iter().map(|(_, count)| count).sum();
        let mut left = (usize::from(per_second) * 10).saturating_sub(written);
        let end = self
            .waiting
            .char_indices()
            .find(|(at, character)| {
                let fits = at + character.len_utf8() <= BLOCK_MAX && left > 0;
                left = left.saturating_sub(1);
                !fits
            })
            .map_or(self.waiting.len(), |(at, _)| at);
        let rest = self.waiting.split_off(end);
        let taken = std::mem::replace(&mut self.waiting, rest);
        let count = taken.chars().count();
        match self.seconds.back_mut() {
            Some((at, known)) if *at == second => *known += count,
            Some(_) | None if count > 0 => self.seconds.push_back((second, count)),
            Some(_) | None => {}
        }
        taken
    }
}

/// §5.1: letters wait so long for others.
const PACE: Duration = Duration::from_millis(300);

/// RFC 6263: a door on the way stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// §4.2, §5.2: every letter is sent three times.
pub(in crate::media) const GENERATIONS: usize = 2;

/// U+FEFF, which says nothing.
const MARK: char = '\u{FEFF}';

/// T.140: the end of a line.
const LINE: &str = "\u{2028}";

/// Bytes that may wait for a slow reader.
const WAITING_MAX: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: TextNumbers = TextNumbers { text: 98, redundancy: Some(100) };

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn packets(writing: &mut Writing, per_second: u16, from: u64, to: u64) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for millis in (from..to).step_by(20) {
            let mut packet = [0; PACKET_MAX];
            if writing.is_due(at(millis))
                && let Some(length) = writing.packet(NUMBERS, per_second, at(millis), &mut packet)
            {
                packets.push(packet[..length].to_vec());
            }
        }
        packets
    }

    #[test]
    fn a_word_is_sent_at_once_twice_more_and_then_a_mark_every_fifteen_seconds() {
        let mut writing = Writing::new(&mut Mint::from_number(1));
        writing.begin();
        writing.write("oui");

        let sent = packets(&mut writing, 30, 0, 3_000);
        assert_eq!(sent.len(), 3);
        for packet in &sent {
            assert!(packet.windows(3).any(|three| three == b"oui"));
        }
        let marked: Vec<bool> = sent.iter().map(|packet| packet[1] & 0x80 != 0).collect();
        assert_eq!(marked, [true, false, false]);
        assert_eq!(packets(&mut writing, 30, 3_000, 33_000).len(), 6);
    }

    /// RFC 4103 §6: whoever can't read so fast is not written to so fast.
    #[test]
    fn nobody_is_sent_more_than_they_can_read() {
        let mut writing = Writing::new(&mut Mint::from_number(1));
        writing.write(&"x".repeat(700));

        let count = |packets: &[Vec<u8>]| {
            let letters = packets.iter().flatten().filter(|octet| **octet == b'x').count();
            letters / 3
        };
        let first = packets(&mut writing, 30, 0, 9_900);
        let later = packets(&mut writing, 30, 9_900, 40_000);
        assert!((290..=300).contains(&count(&first)), "{}", count(&first));
        assert_eq!(count(&first) + count(&later), 700);
    }

    #[test]
    fn a_flood_is_cut_and_marked_once() {
        let mut writing = Writing::new(&mut Mint::from_number(1));
        for _ in 0..100 {
            writing.write(&"x".repeat(1_000));
        }
        assert!(writing.waiting.len() <= WAITING_MAX + 3);
        assert_eq!(writing.waiting.matches(char::REPLACEMENT_CHARACTER).count(), 1);
    }
}
