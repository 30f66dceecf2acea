//! Text with redundancy: whatever arrives, what is read is bounded, clean, and never comes twice.

use std::time::Duration;

use hotline::base::Moment;
use hotline::media::rtp::Packet;
use hotline::media::sdp::TextNumbers;
use hotline::media::text::Reading;
use hotline::media::text::redundancy::{Blocks, REPEATED_MAX, write};

pub(crate) fn fuzz(datagrams: &[Vec<u8>]) {
    let numbers = TextNumbers { text: 98, redundancy: Some(100) };
    let mut reading = Reading::default();
    let mut read = 0;
    for (at, datagram) in datagrams.iter().enumerate() {
        if let Ok(blocks) = Blocks::parse(datagram, 98) {
            let repeated = blocks.repeated(REPEATED_MAX);
            assert!(repeated.len() <= REPEATED_MAX);
            let told: usize = repeated.iter().map(|block| block.len()).sum();
            assert!(told + blocks.new_block().len() <= datagram.len());
            let mut again = [0; 65_536];
            let blocks_again = repeated.iter().map(|block| (0, *block));
            if let Some(length) = write(blocks_again, blocks.new_block(), 98, &mut again) {
                let again = Blocks::parse(&again[..length], 98).expect("what we write is read");
                assert_eq!(again.repeated(REPEATED_MAX), repeated);
                assert_eq!(again.new_block(), blocks.new_block());
            }
        }
        let Ok(Packet { header, payload }) = Packet::parse(datagram) else { continue };
        let now = Moment::START + Duration::from_millis(at as u64);
        let text = reading.received(header, payload, numbers, now);
        let is_clean = |letter: char| {
            !letter.is_control() || matches!(letter, '\u{8}' | '\n' | '\r')
        };
        assert!(text.chars().all(is_clean) && !text.contains('\u{feff}'));
        read += text.chars().count();
        assert_eq!(reading.received(header, payload, numbers, now), "", "nothing comes twice");
    }
    // All of it within ten seconds, as long as there are fewer than ten thousand packets.
    assert!(datagrams.len() > 9_000 || read <= 1_501 + datagrams.len());
}
