//! Any bytes as what a phone that speaks Opus says, packet after packet, some of them lost: no panic
//! inside the codec, and never more sound than there is room for.

use hotline::media::codec::opus::{Decoder, SAMPLES_MAX};

/// An octet says what becomes of a packet, the next how long it is.
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    let mut samples = [0; SAMPLES_MAX];
    let mut rest = bytes;
    while let [fate, length, after @ ..] = rest {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        let count = match fate % 4 {
            0 | 1 => decoder.decode(packet, &mut samples),
            2 => decoder.recover(packet, &mut samples),
            _ => decoder.conceal(&mut samples),
        };
        assert!(count <= SAMPLES_MAX);
        rest = after;
    }
}
