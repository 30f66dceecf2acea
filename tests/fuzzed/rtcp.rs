//! Any bytes as reports: no panic, and what is told stays within what can be told.

use hotline::media::rtp::extended::voip_metrics;
use hotline::media::rtp::rtcp;

pub(crate) fn fuzz(bytes: &[u8]) {
    let ours = bytes.get(8..12).map_or(1, |ssrc| u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]));
    if let Ok(heard) = rtcp::parse(bytes, ours) {
        if let Some(block) = heard.about_us {
            assert_eq!(block.ssrc, ours);
            assert!((-0x80_0000..=0x7F_FFFF).contains(&block.lost));
            block.round_trip(0xE5A1_0000_8000_0000);
        }
        if let Some(opinion) = heard.opinion {
            assert!(opinion.mos_listening.is_none_or(|tenths| (10..=50).contains(&tenths)));
        }
    }
    voip_metrics(bytes, ours);
}
