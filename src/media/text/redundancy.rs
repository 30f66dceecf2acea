//! A packet that repeats what those before it said (RFC 2198, as RFC 4103 §4.2 uses it).
//!
//! ```text
//!   |1| number | offset (14) | length (10) |  once for each repeated block, the oldest first
//!   |0| number |                              the new block: whatever is left
//! ```

/// What a payload holds: blocks of text, the oldest first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Blocks<'a> {
    repeated: [&'a [u8]; REPEATED_MAX],
    count: usize,
    new: &'a [u8],
}

/// Why a payload is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    #[error("shorter than its headers say")]
    Short,
    #[error("more than {REPEATED_MAX} repeated blocks")]
    TooMany,
}

/// Other sides repeat two; a few more do no harm.
pub const REPEATED_MAX: usize = 8;

/// A block of ours fits into 10 bits of length, three of them into one packet.
pub const BLOCK_MAX: usize = 300;

impl<'a> Blocks<'a> {
    /// A payload without redundancy.
    pub fn single(payload: &'a [u8]) -> Self {
        Self { new: payload, ..Self::default() }
    }

    /// Reads a payload. Blocks of another number than `number` are not text, and are read as empty.
    pub fn parse(payload: &'a [u8], number: u8) -> Result<Self, Malformed> {
        let mut lengths = [(0, false); REPEATED_MAX];
        let (mut count, mut rest) = (0, payload);
        let is_text = loop {
            match rest {
                [first, tail @ ..] if first & FOLLOWED == 0 => {
                    rest = tail;
                    break *first == number;
                }
                [first, _, high, low, tail @ ..] => {
                    let length = usize::from(high & 0b11) << 8 | usize::from(*low);
                    let slot = lengths.get_mut(count).ok_or(Malformed::TooMany)?;
                    *slot = (length, first & !FOLLOWED == number);
                    count += 1;
                    rest = tail;
                }
                [..] => return Err(Malformed::Short),
            }
        };
        let mut blocks = Self { count, ..Self::default() };
        for (block, (length, is_text)) in blocks.repeated.iter_mut().zip(&lengths[..count]) {
            let (this, tail) = rest.split_at_checked(*length).ok_or(Malformed::Short)?;
            if *is_text {
                *block = this;
            }
            rest = tail;
        }
        if is_text {
            blocks.new = rest;
        }
        Ok(blocks)
    }

    /// The last `count` of the repeated blocks, the oldest first.
    pub fn repeated(&self, count: usize) -> &[&'a [u8]] {
        &self.repeated[self.count.saturating_sub(count)..self.count]
    }

    /// How many blocks are repeated.
    pub fn depth(&self) -> usize {
        self.count
    }

    pub fn new_block(&self) -> &'a [u8] {
        self.new
    }
}

/// Writes a payload: `repeated` are blocks and how many milliseconds ago they were new, the oldest
/// first. `None` if it doesn't fit.
pub fn write<'a>(
    repeated: impl Iterator<Item = (u32, &'a [u8])> + Clone,
    new: &[u8],
    number: u8,
    into: &mut [u8],
) -> Option<usize> {
    let mut at = 0;
    let mut put = |octets: &[u8]| {
        into.get_mut(at..at + octets.len())?.copy_from_slice(octets);
        at += octets.len();
        Some(at)
    };
    for (ago, block) in repeated.clone() {
        let offset = ago.min(OFFSET_MAX);
        let length = u32::try_from(block.len()).ok().filter(|length| *length < 1 << 10)?;
        let word = u32::from(FOLLOWED | number) << 24 | offset << 10 | length;
        put(&word.to_be_bytes())?;
    }
    put(&[number])?;
    for (_, block) in repeated {
        put(block)?;
    }
    put(new)
}

/// Another header follows.
const FOLLOWED: u8 = 0x80;

/// 14 bits.
const OFFSET_MAX: u32 = (1 << 14) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let repeated: [(u32, &[u8]); 2] = [(600, b"Bon"), (300, "j\u{f4}".as_bytes())];
        let mut payload = [0; 100];

        let length = write(repeated.into_iter(), b"ur", 98, &mut payload).unwrap();
        let blocks = Blocks::parse(&payload[..length], 98).unwrap();

        assert_eq!(blocks.repeated(2), [&b"Bon"[..], "j\u{f4}".as_bytes()]);
        assert_eq!(blocks.repeated(1), ["j\u{f4}".as_bytes()]);
        assert_eq!(blocks.new_block(), b"ur");
        // RFC 2198 §3: the first header, bit by bit.
        assert_eq!(payload[..4], [0x80 | 98, 0x09, 0x60, 3]);
        assert_eq!(write(repeated.into_iter(), &[0; 100], 98, &mut payload), None);
    }

    #[test]
    fn a_hostile_payload_is_no_text() {
        assert_eq!(Blocks::parse(&[], 98), Err(Malformed::Short));
        assert_eq!(Blocks::parse(&[0x80 | 98, 0, 3], 98), Err(Malformed::Short));
        assert_eq!(Blocks::parse(&[0x80 | 98, 0, 3, 255, 98, 1], 98), Err(Malformed::Short));
        let many = [[0x80 | 98, 0, 0, 0]; REPEATED_MAX + 1].concat();
        assert_eq!(Blocks::parse(&many, 98), Err(Malformed::TooMany));
        assert_eq!(Blocks::parse(&[5, b'x'], 98).unwrap().new_block(), b"");
    }
}
