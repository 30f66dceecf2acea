//! What a stream of theirs has for us.

use super::terms::{Abilities, Agreed, EventNumbers, OurKeys, Secured};
use super::{DYNAMIC, PACKET_TIME, PACKET_TIME_SHORT};
use crate::media::codec::Codec;
use crate::media::sdp::browser::{Browser, Meeting, Theirs};
use crate::media::sdp::crypto::Crypto;
use crate::media::sdp::description::{Description, Direction, Encoding, Format, Media, Place};

/// What one of their audio streams has for us.
pub(super) struct Heard {
    /// Common codecs, ours first, with their numbers.
    pub(super) codecs: Vec<(Codec, u8)>,
    /// Its number and its clock.
    pub(super) event: Option<(u8, u32)>,
    /// Our line, and what it means.
    pub(super) secured: Option<(Crypto, Secured)>,
}

impl Heard {
    pub(super) fn of(media: &Media, preference: &[Codec], abilities: &Abilities) -> Option<Self> {
        let secured = secured(media, abilities.keys.as_ref());
        if media.protocol.is_secure() && secured.is_none() {
            return None;
        }
        // RFC 8834 §4.5: reports share the road of the sound.
        let secured = match &media.browser {
            None => secured,
            Some(browser) => {
                let complete = browser.ice.is_some() && browser.fingerprint.is_some();
                if abilities.browser.is_none() || !complete || !media.rtcp_mux {
                    return None;
                }
                None
            }
        };
        let offered: Vec<(u8, Codec)> = media.formats.iter().filter_map(codec_of).collect();
        let codecs: Vec<(Codec, u8)> = preference
            .iter()
            .filter_map(|codec| {
                offered.iter().find(|(_, theirs)| theirs == codec).map(|it| (*codec, it.0))
            })
            .collect();
        // RFC 4733 §2.1: by the clock of the sound, if they offer it so.
        let event = event_clocks(codecs.first()?.0).into_iter().find_map(|clock| {
            let number = media.formats.iter().find_map(|format| event_of(format, clock))?;
            Some((number, clock))
        });
        (!codecs.is_empty()).then_some(Self { codecs, event, secured })
    }
}

/// Reads from `theirs` what the codecs don't say. `None` if it doesn't say where it receives.
pub(super) fn agreed(
    description: &Description,
    theirs: &Media,
    codec: Codec,
    payload_type_send: u8,
    receives: Vec<(u8, Codec)>,
    telephone_event: Option<EventNumbers>,
    secured: Option<Secured>,
) -> Option<Agreed> {
    let host = theirs.connection.as_ref().or(description.connection.as_ref())?;
    let remote_rtp = Place { host: host.clone(), port: theirs.port };
    // RFC 3550 §11: one above, if nothing else is said.
    let remote_rtcp = match &theirs.rtcp {
        Some(rtcp) => {
            Place { host: rtcp.host.clone().unwrap_or_else(|| host.clone()), port: rtcp.port }
        }
        None => Place { host: host.clone(), port: theirs.port.checked_add(1).unwrap_or(0) },
    };
    let said = theirs.direction.or(description.direction).unwrap_or_default();
    // RFC 3264 §8.4: an address of nowhere means that they don't receive. A browser that hasn't
    // looked for its addresses yet says the same, and means nothing by it (RFC 8840 §4.1.1).
    let nowhere = host.is_nowhere() && theirs.browser.is_none();
    let theirs_direction = Direction::new(said.sends(), said.receives() && !nowhere);
    let direction = theirs_direction.mirrored();
    let packet_time = match theirs.packet_time_max {
        Some(most) if most < PACKET_TIME => PACKET_TIME_SHORT,
        Some(_) | None => PACKET_TIME,
    };
    Some(Agreed {
        remote_rtp,
        remote_rtcp,
        codec,
        payload_type_send,
        payload_type_receive: receives
            .iter()
            .find(|(_, received)| *received == codec)
            .map_or(payload_type_send, |it| it.0),
        receives,
        telephone_event,
        secured,
        meeting: None,
        rtcp_mux: theirs.rtcp_mux,
        packet_time,
        bits_max: bits_max(theirs, payload_type_send),
        direction,
        held: !direction.sends(),
        text: None,
    })
}

/// Which of our keys their line answers to.
pub(super) fn taken(ours: &Media, theirs: &Crypto) -> Option<Secured> {
    let line = ours.crypto.iter().find(|ours| ours.tag == theirs.tag)?;
    let same = line.key.suite() == theirs.key.suite();
    same.then(|| Secured { ours: line.key.clone(), theirs: theirs.key.clone() })
}

/// Our line of keys for theirs, and what it means.
pub(super) fn secured(theirs: &Media, keys: Option<&OurKeys>) -> Option<(Crypto, Secured)> {
    let theirs = theirs.crypto.first()?;
    let ours = keys?.of(theirs.key.suite())?.clone();
    let line = Crypto { tag: theirs.tag, key: ours.clone() };
    Some((line, Secured { ours, theirs: theirs.key.clone() }))
}

/// What both sides said, taken together; `None` if they said too little.
pub(super) fn met(ours: &Browser, theirs: &Browser, we_begin: bool) -> Option<Meeting> {
    let theirs = Theirs { ice: theirs.ice.clone()?, fingerprint: theirs.fingerprint?, we_begin };
    Some(Meeting { ours: ours.ice.clone()?, theirs: Some(theirs) })
}

/// Our codecs, with those in `first` put first if they are among them.
pub(super) fn preference(abilities: &Abilities, first: [Option<Codec>; 2]) -> Vec<Codec> {
    let liked = first.into_iter().flatten().filter(|codec| abilities.codecs.contains(codec));
    let mut ordered: Vec<Codec> = Vec::with_capacity(abilities.codecs.len());
    for codec in liked.chain(abilities.codecs.iter().copied()) {
        if !ordered.contains(&codec) {
            ordered.push(codec);
        }
    }
    ordered
}

/// Our codec behind a format: by its `rtpmap`, or by its number if it has none (RFC 3551 §6).
pub(super) fn codec_of(format: &Format) -> Option<(u8, Codec)> {
    let number = format.payload_type()?;
    let codec = Codec::ALL.into_iter().find(|codec| match &format.mapped {
        Some(encoding) => encoding.is_codec(*codec),
        None => codec.payload_type() == number && !DYNAMIC.contains(&number),
    })?;
    Some((number, codec))
}

/// RFC 7587 §6.1: what lies outside these bounds is ignored.
fn bits_max(theirs: &Media, number: u8) -> Option<u32> {
    let format = theirs.formats.iter().find(|format| format.payload_type() == Some(number))?;
    let mut settings = format.parameters.as_deref()?.split(';').map(str::trim);
    let bits = settings.find_map(|setting| setting.strip_prefix("maxaveragebitrate="))?;
    bits.parse().ok().filter(|bits| (6_000..=510_000).contains(bits))
}

pub(super) fn event_of(format: &Format, clock: u32) -> Option<u8> {
    let encoding = format.mapped.as_ref()?;
    encoding.is(Encoding::TELEPHONE_EVENT, clock).then(|| format.payload_type())?
}

/// What `telephone-event` may go by beside a codec, best first.
pub(super) fn event_clocks(codec: Codec) -> [u32; 2] {
    [codec.rtp_clock(), EVENT_CLOCK]
}

/// The codecs of telephones have an RTP clock of 8000, and `telephone-event` goes by the same clock
/// (RFC 4733 §2.1).
pub(super) const EVENT_CLOCK: u32 = 8000;
