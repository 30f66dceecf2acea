//! Extended reports (RFC 3611), as far as they tell how a phone likes what it hears: the VoIP
//! metrics block (§4.7). Every other block is stepped over; one that lies about its length ends
//! the reading.

/// What a phone says about one stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VoipMetrics {
    /// The stream.
    pub ssrc: u32,
    /// Of all packets, in 1/256.
    pub loss_rate: u8,
    /// Of all packets, in 1/256: they came, but too late to be played.
    pub discard_rate: u8,
    /// Tenths, 10–50; `None` if the phone doesn't know.
    pub mos_listening: Option<u8>,
    pub mos_conversation: Option<u8>,
}

/// The block about `ours` in one RTCP packet of extended reports, its header included.
pub fn voip_metrics(packet: &[u8], ours: u32) -> Option<VoipMetrics> {
    let mut rest = packet.get(8..)?;
    loop {
        let (head, body) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let block = body.get(..length)?;
        rest = &body[length..];
        if head[0] != VOIP_METRICS || length != VOIP_METRICS_LENGTH {
            continue;
        }
        let ssrc = u32::from_be_bytes(*block.first_chunk()?);
        if ssrc == ours {
            let score = |octet: u8| (10..=50).contains(&octet).then_some(octet);
            return Some(VoipMetrics {
                ssrc,
                loss_rate: block[4],
                discard_rate: block[5],
                mos_listening: score(block[22]),
                mos_conversation: score(block[23]),
            });
        }
    }
}

const VOIP_METRICS: u8 = 7;

/// Without the block's header: eight words.
const VOIP_METRICS_LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(blocks: &[&[u8]]) -> Vec<u8> {
        let mut packet = vec![0x80, 207, 0, 0, 0, 0, 0, 9];
        blocks.iter().for_each(|block| packet.extend_from_slice(block));
        packet
    }

    fn metrics(ssrc: u32) -> Vec<u8> {
        let mut block = vec![7, 0, 0, 8];
        block.extend(ssrc.to_be_bytes());
        block.extend([12, 3, 0, 0]);
        block.extend([0; 14]);
        block.extend([41, 127]);
        block.extend([0; 8]);
        block
    }

    /// RFC 3611 §4.7.
    #[test]
    fn a_phones_opinion_is_found_among_other_blocks() {
        let times = [4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        let packet = report(&[&times, &metrics(6), &metrics(7)]);

        let heard = voip_metrics(&packet, 7).unwrap();

        assert_eq!((heard.loss_rate, heard.discard_rate), (12, 3));
        assert_eq!((heard.mos_listening, heard.mos_conversation), (Some(41), None));
        assert_eq!(voip_metrics(&packet, 8), None);
    }

    #[test]
    fn lies_about_lengths_end_the_reading() {
        for lie in [&[7, 0, 0xFF, 0xFF][..], &[7, 0, 0, 8, 1], &[7, 0, 0, 0], &[7]] {
            assert_eq!(voip_metrics(&report(&[lie]), 7), None);
        }
        let whole = report(&[&metrics(7)]);
        for length in 0..whole.len() {
            assert_eq!(voip_metrics(&whole[..length], 7), None);
        }
    }
}
