//! How we say what we can do.

use std::net::SocketAddr;

use super::PACKET_TIME;
use super::terms::Abilities;
use crate::media::codec::Codec;
use crate::media::sdp::browser::Browser;
use crate::media::sdp::description::{Direction, Encoding, Format, Media, Protocol};

pub(super) fn our_media(port: u16, formats: Vec<Format>, direction: Direction) -> Media {
    Media {
        kind: "audio".to_owned(),
        port,
        protocol: Protocol::Plain,
        formats,
        connection: None,
        direction: Some(direction),
        packet_time: Some(PACKET_TIME),
        packet_time_max: None,
        rtcp: None,
        rtcp_mux: false,
        crypto: Vec::new(),
        browser: None,
    }
}

pub(super) fn codec_format(codec: Codec, number: u8) -> Format {
    Format {
        name: number.to_string(),
        mapped: Some(Encoding::of(codec)),
        parameters: (codec == Codec::Opus).then(|| OPUS.to_owned()),
    }
}

pub(super) fn event_format(number: u8, clock: u32) -> Format {
    Format {
        name: number.to_string(),
        mapped: Some(Encoding::new(Encoding::TELEPHONE_EVENT, clock)),
        parameters: Some(EVENTS.to_owned()),
    }
}

/// The same stream, not wanted (RFC 3264 §6): port 0; the formats don't matter but must be there.
pub(super) fn refusal(theirs: &Media) -> Media {
    let formats = theirs.formats.iter().take(1);
    Media {
        kind: theirs.kind.clone(),
        port: 0,
        protocol: theirs.protocol.clone(),
        formats: formats
            .map(|format| Format { mapped: None, parameters: None, ..format.clone() })
            .collect(),
        connection: None,
        direction: None,
        packet_time: None,
        packet_time_max: None,
        rtcp: None,
        rtcp_mux: false,
        crypto: Vec::new(),
        browser: theirs.browser.as_ref().map(|theirs| Box::new(Browser::named(theirs.mid.clone()))),
    }
}

/// With the address where we are found.
pub(super) fn placed(said: Browser, abilities: &Abilities) -> Browser {
    let candidate = Some(SocketAddr::new(abilities.address, abilities.rtp_port));
    Browser { candidate, ..said }
}

/// Keys 0–9, `*`, `#`, A–D (RFC 4733 §3.2).
const EVENTS: &str = "0-15";

/// RFC 7587 §6.1: what we like to hear, and what we send.
const OPUS: &str = "useinbandfec=1;cbr=1;maxplaybackrate=16000;sprop-maxcapturerate=16000";
