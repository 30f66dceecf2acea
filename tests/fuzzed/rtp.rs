//! Any bytes as a datagram on a media port: no panic.

use hotline::base::Moment;
use hotline::media::codec::{Codec, Decoder};
use hotline::media::rtp::telephone_event::Receiver;
use hotline::media::rtp::{Kind, Packet, SequenceTracker, rtcp};

pub(crate) fn fuzz(bytes: &[u8]) {
    match Kind::of(bytes) {
        Kind::Rtp => {
            let Ok(packet) = Packet::parse(bytes) else { return };
            let mut tracker = SequenceTracker::new(8000);
            for word in packet.payload.chunks_exact(2) {
                let sequence = u16::from_be_bytes([word[0], word[1]]);
                tracker.heard(sequence, packet.header.timestamp, Moment::START);
            }
            tracker.report(packet.header.ssrc, Moment::START);
            let mut receiver = Receiver::default();
            for event in packet.payload.chunks_exact(4) {
                receiver.heard(packet.header.timestamp, event, Moment::START);
            }
            let mut samples = [0; 320];
            for codec in Codec::TELEPHONE {
                Decoder::new(codec).decode(packet.payload, &mut samples);
            }
        }
        Kind::Rtcp => {
            if let Ok(heard) = rtcp::parse(bytes, 1)
                && let Some(block) = heard.about_us
            {
                block.round_trip(u64::MAX / 3);
            }
        }
        Kind::Other => {}
    }
}
