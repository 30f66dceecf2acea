//! Any series of event packets: never more digits than packets, and only keys.

use std::time::Duration;

use hotline::base::Moment;
use hotline::media::rtp::telephone_event::Receiver;

pub(crate) fn fuzz(bytes: &[u8]) {
    let mut receiver = Receiver::default();
    let mut now = Moment::START;
    for packet in bytes.chunks(9) {
        let Some((head, payload)) = packet.split_first_chunk::<5>() else { break };
        now += Duration::from_millis(u64::from(head[0]));
        let timestamp = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        if let Some(digit) = receiver.heard(timestamp, payload, now) {
            assert!(digit.is_ascii_digit() || "*#ABCD".contains(digit));
        }
        receiver.pressed(now);
    }
}
