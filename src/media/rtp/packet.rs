//! RTP packets (RFC 3550 §5.1), read where they lie and written into the caller's buffer.
//!
//! Contributing sources, extensions (RFC 8285) and padding are checked and skipped: nothing on a
//! telephone call needs them.

/// Bytes of a header without contributing sources and extension: all that we write.
pub const HEADER_LENGTH: usize = 12;

/// One packet, borrowed from the datagram it came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    pub header: Header,
    /// Without padding.
    pub payload: &'a [u8],
}

/// The fixed header, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Begins a spurt of talk, or a key pressed.
    pub marker: bool,
    /// Seven bits.
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// What a datagram on a media port is (RFC 5761 §4, RFC 7983 §7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Rtp,
    Rtcp,
    /// STUN, DTLS, or nothing we know.
    Other,
}

/// Why a datagram is not RTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotRtp {
    #[error("shorter than its own header")]
    Short,
    #[error("not version 2")]
    Version,
    #[error("more padding than payload")]
    Padding,
}

impl Kind {
    /// Tells RTP from RTCP by the second byte: RTCP types 192–223 are payload types 64–95 with a
    /// marker, which RTP sessions don't use (RFC 5761 §4).
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [first, second, ..] if first >> 6 == 2 => match second {
                192..=223 => Self::Rtcp,
                0..=191 | 224..=255 => Self::Rtp,
            },
            [..] => Self::Other,
        }
    }
}

impl<'a> Packet<'a> {
    pub fn parse(datagram: &'a [u8]) -> Result<Self, NotRtp> {
        let (fixed, rest) = datagram.split_first_chunk::<HEADER_LENGTH>().ok_or(NotRtp::Short)?;
        if fixed[0] >> 6 != 2 {
            return Err(NotRtp::Version);
        }
        let header = Header {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        let contributors = usize::from(fixed[0] & 0x0F) * 4;
        let mut payload = rest.get(contributors..).ok_or(NotRtp::Short)?;
        if fixed[0] & 0x10 != 0 {
            // RFC 3550 §5.3.1: 16 bits of profile, 16 bits of length in words.
            let (extension, rest) = payload.split_first_chunk::<4>().ok_or(NotRtp::Short)?;
            let length = usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
            payload = rest.get(length..).ok_or(NotRtp::Short)?;
        }
        if fixed[0] & 0x20 != 0 {
            // The last byte counts the padding, itself included.
            let padding = usize::from(*payload.last().ok_or(NotRtp::Padding)?);
            let end = payload.len().checked_sub(padding).filter(|_| padding > 0);
            payload = &payload[..end.ok_or(NotRtp::Padding)?];
        }
        Ok(Self { header, payload })
    }
}

impl Header {
    /// The header as it travels.
    pub fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
        let second = (u8::from(self.marker) << 7) | (self.payload_type & 0x7F);
        [0x80, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
    }

    /// Writes header and payload, and returns the length of the packet; `None` if `into` is too
    /// small.
    pub fn write(self, payload: &[u8], into: &mut [u8]) -> Option<usize> {
        let length = HEADER_LENGTH + payload.len();
        let packet = into.get_mut(..length)?;
        packet[..HEADER_LENGTH].copy_from_slice(&self.to_bytes());
        packet[HEADER_LENGTH..].copy_from_slice(payload);
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        marker: true,
        payload_type: 8,
        sequence: 0xFFFE,
        timestamp: 160,
        ssrc: 0xDEAD_BEEF,
    };

    #[test]
    fn what_is_written_is_read_back() {
        let mut buffer = [0; 200];

        let length = HEADER.write(&[0xD5; 160], &mut buffer).unwrap();

        let packet = Packet::parse(&buffer[..length]).unwrap();
        assert_eq!(packet, Packet { header: HEADER, payload: &[0xD5; 160] });
        assert_eq!(Kind::of(&buffer), Kind::Rtp);
        assert_eq!(HEADER.write(&[0; 200], &mut buffer), None);
    }

    #[test]
    fn contributors_extension_and_padding_are_skipped() {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes[0] |= 0x32; // padding, extension, two contributors
        bytes.extend([9; 8]);
        bytes.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        bytes.extend([7, 7, 7]);
        bytes.extend([0, 0, 3]);

        assert_eq!(Packet::parse(&bytes).unwrap().payload, [7, 7, 7]);
    }

    #[test]
    fn lies_about_lengths_are_found_out() {
        let header = HEADER.to_bytes();
        assert_eq!(Packet::parse(&header[..11]), Err(NotRtp::Short));
        assert!(Packet::parse(&header).unwrap().payload.is_empty());

        let with = |first: u8, rest: &[u8]| {
            let mut bytes = header.to_vec();
            bytes[0] = first;
            bytes.extend(rest);
            Packet::parse(&bytes).map(|packet| packet.payload.len())
        };
        assert_eq!(with(0x00, &[]), Err(NotRtp::Version));
        assert_eq!(with(0x81, &[1, 2, 3]), Err(NotRtp::Short));
        assert_eq!(with(0x90, &[0, 0, 0]), Err(NotRtp::Short));
        assert_eq!(with(0x90, &[0, 0, 0, 2, 1, 1, 1, 1]), Err(NotRtp::Short));
        assert_eq!(with(0xA0, &[]), Err(NotRtp::Padding));
        assert_eq!(with(0xA0, &[0]), Err(NotRtp::Padding));
        assert_eq!(with(0xA0, &[1, 3]), Err(NotRtp::Padding));
        assert_eq!(with(0xA0, &[1, 2]), Ok(0));
    }

    /// RFC 5761 §4; what a relay of RFC 5766 or RFC 8656 says is passed over with it.
    #[test]
    fn rtcp_stun_and_dtls_are_told_from_rtp() {
        assert_eq!(Kind::of(&[0x80, 200, 0, 6]), Kind::Rtcp);
        assert_eq!(Kind::of(&[0x81, 201, 0, 7]), Kind::Rtcp);
        assert_eq!(Kind::of(&[0x80, 0x80 | 8]), Kind::Rtp);
        assert_eq!(Kind::of(&[0x80, 101]), Kind::Rtp);
        assert_eq!(Kind::of(&[0x00, 0x01, 0, 0]), Kind::Other);
        assert_eq!(Kind::of(&[22, 254, 253]), Kind::Other);
        assert_eq!(Kind::of(&[0x80]), Kind::Other);
        assert_eq!(Kind::of(&[]), Kind::Other);
    }
}
