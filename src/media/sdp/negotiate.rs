//! Offer and answer (RFC 3264): what two sides agree on, and our words for it.
//!
//! A [`Session`] remembers what has been said on one stream, so that a change is a new edition of
//! the same description: payload numbers, the order of streams and the origin stay, the version
//! grows. A refused offer or answer leaves it as it was. It answers with one codec and
//! `telephone-event`; it offers all it speaks. Of several audio streams the first that fits is
//! taken; all others, and all that is not sound, are answered with port 0.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::crypto::Crypto;
use super::description::{
    Description, Direction, Encoding, Format, Host, Media, Origin, Place, Protocol,
};
use super::parse::parse;
use super::print::print;
use crate::base::Sdp;
use crate::media::Refused;
use crate::media::codec::Codec;
use crate::media::rtp::srtp::{MasterKey, Suite};

/// How much sound we put in a packet, unless the other side can't take so much.
pub const PACKET_TIME: Duration = Duration::from_millis(20);
/// How much if it can't.
pub const PACKET_TIME_SHORT: Duration = Duration::from_millis(10);
/// The number `telephone-event` has in our offers, as nearly everywhere.
pub const EVENT_NUMBER: u8 = 101;
/// Keys 0–9, `*`, `#`, A–D (RFC 4733 §3.2).
const EVENTS: &str = "0-15";
/// Numbers that mean what a description says they mean (RFC 3551 §6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// What our side of a stream can do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Abilities {
    /// Where we receive.
    pub address: IpAddr,
    /// The port of RTP; RTCP is received one above.
    pub rtp_port: u16,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Keys of ours, if the description travels where nobody can read it (RFC 4568 §7: inside TLS).
    /// Without them we neither offer nor accept protection.
    pub keys: Option<OurKeys>,
}

/// A key of ours for each suite; the same while a stream lives, so that no index is used twice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OurKeys(Vec<MasterKey>);

/// What protects a stream: both sides' keys, of one suite.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Secured {
    pub ours: MasterKey,
    pub theirs: MasterKey,
}

/// What both sides hold to from now on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Agreed {
    /// Where the other side says it receives; [`Place::socket`] tells whether it can be sent to.
    pub remote_rtp: Place,
    pub remote_rtcp: Place,
    /// What we send.
    pub codec: Codec,
    pub payload_type_send: u8,
    /// The number of `codec` in what we receive.
    pub payload_type_receive: u8,
    /// All that may arrive; more than one only if their answer left it open.
    pub receives: Vec<(u8, Codec)>,
    pub telephone_event: Option<EventNumbers>,
    /// Nothing plain is sent or believed, if there is this.
    pub secured: Option<Secured>,
    /// RTCP travels with RTP.
    pub rtcp_mux: bool,
    /// How much sound we put in a packet.
    pub packet_time: Duration,
    /// Ours: what we may do.
    pub direction: Direction,
    /// The other side does not want to hear us now.
    pub held: bool,
}

/// The numbers of `telephone-event` each way.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EventNumbers {
    pub send: u8,
    pub receive: u8,
}

/// Our answer and what it means.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answer {
    pub sdp: Sdp,
    pub agreed: Agreed,
}

/// All that has been said on one stream.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Session {
    id: u64,
    /// Our last words; the version is in there.
    local: Option<Description>,
    /// What was agreed last.
    agreed: Option<Agreed>,
    /// What our payload numbers mean; they may not change their meaning while the session lives
    /// (RFC 3264 §8.3.2).
    numbers: Vec<(u8, Encoding)>,
}

impl Agreed {
    /// The codec of a payload type that arrives.
    pub fn codec_received(&self, payload_type: u8) -> Option<Codec> {
        self.receives.iter().find(|(number, _)| *number == payload_type).map(|(_, codec)| *codec)
    }
}

impl OurKeys {
    /// `random` should be unguessable.
    pub fn new(mut random: impl FnMut() -> u64) -> Self {
        let key = |suite| {
            let octets: Vec<u8> = (0..KEY_WORDS).flat_map(|_| random().to_be_bytes()).collect();
            let length = Suite::key_length(suite) + SALT_LENGTH;
            MasterKey::new(suite, &octets[..length]).expect("it has the suite's length")
        };
        Self(Suite::ALL.into_iter().map(key).collect())
    }

    fn of(&self, suite: Suite) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.suite() == suite)
    }

    fn lines(&self) -> Vec<Crypto> {
        (1..).zip(&self.0).map(|(tag, key)| Crypto { tag, key: key.clone() }).collect()
    }
}

impl Session {
    /// A session nothing has been said on. `id` goes into `o=`; it should be unguessable, and is
    /// cut to 62 bits, as some phones keep it in a signed number.
    pub fn new(id: u64) -> Self {
        Self { id: id >> 2, local: None, agreed: None, numbers: Vec::new() }
    }

    /// What was agreed last.
    pub fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// Answers an offer, first or new.
    ///
    /// The codec is `like` if it is on offer, else the one in use, else our first. Refused again
    /// and again, the session stays as it was.
    pub fn answer(
        &mut self,
        offer: &[u8],
        abilities: &Abilities,
        like: Option<Codec>,
    ) -> Result<Answer, Refused> {
        let offer = parse(offer).map_err(|_| Refused::Unreadable)?;
        let in_use = self.agreed.as_ref().map(|agreed| agreed.codec);
        let preference = preference(abilities, [like, in_use]);
        let (index, heard) = offer
            .media
            .iter()
            .enumerate()
            .filter(|(_, media)| media.is_audio())
            .find_map(|(index, media)| Some((index, Heard::of(media, &preference, abilities)?)))
            .ok_or(Refused::NoCommonCodec)?;
        let (codec, number) = heard.codecs[0];
        let theirs = &offer.media[index];

        let events = heard.event.map(|(number, _)| EventNumbers { send: number, receive: number });
        let (crypto, secured) = heard.secured.unzip();
        let agreed = agreed(&offer, theirs, codec, number, vec![(number, codec)], events, secured)
            .ok_or(Refused::Unreadable)?;

        let mut formats = vec![codec_format(codec, number)];
        formats.extend(heard.event.map(|(number, clock)| event_format(number, clock)));
        let media = offer
            .media
            .iter()
            .enumerate()
            .map(|(at, theirs)| match at == index {
                true => Media {
                    protocol: theirs.protocol.clone(),
                    crypto: crypto.iter().cloned().collect(),
                    rtcp_mux: theirs.rtcp_mux,
                    ..our_media(abilities.rtp_port, formats.clone(), agreed.direction)
                },
                false => refusal(theirs),
            })
            .collect();
        let sdp = self.say(abilities, media);
        self.agreed = Some(agreed.clone());
        Ok(Answer { sdp, agreed })
    }

    /// Describes an offer of ours, first or new: all our codecs, `like` first, then the one in
    /// use.
    pub fn offer(&mut self, abilities: &Abilities, like: Option<Codec>) -> Sdp {
        let in_use = self.agreed.as_ref().map(|agreed| agreed.codec);
        let mut formats: Vec<Format> = preference(abilities, [like, in_use])
            .into_iter()
            .map(|codec| {
                codec_format(codec, self.number_of(&Encoding::of(codec), codec.payload_type()))
            })
            .collect();
        for clock in [EVENT_CLOCK, Codec::Opus.rtp_clock()] {
            if abilities.codecs.iter().any(|codec| codec.rtp_clock() == clock) {
                let event = Encoding::new(Encoding::TELEPHONE_EVENT, clock);
                formats.push(event_format(self.number_of(&event, EVENT_NUMBER), clock));
            }
        }

        // RFC 8643: protected if they can, plain if they can't; but what was agreed on stays.
        let before = self.audio_line().and_then(|at| self.local.as_ref()?.media.get(at));
        let audio = Media {
            protocol: before.map_or(Protocol::Plain, |before| before.protocol.clone()),
            crypto: abilities.keys.as_ref().map(OurKeys::lines).unwrap_or_default(),
            rtcp_mux: before.is_some_and(|before| before.rtcp_mux),
            ..our_media(abilities.rtp_port, formats, Direction::SendReceive)
        };
        // RFC 3264 §8: streams once described keep their places.
        let mut media: Vec<Media> =
            self.local.iter().flat_map(|local| &local.media).map(refusal).collect();
        match self.audio_line() {
            Some(index) => media[index] = audio,
            None => media = vec![audio],
        }
        self.say(abilities, media)
    }

    /// Takes the answer to our last [`offer`](Self::offer).
    pub fn accept(&mut self, answer: &[u8]) -> Result<Agreed, Refused> {
        let answer = parse(answer).map_err(|_| Refused::Unreadable)?;
        let index = self.audio_line().ok_or(Refused::Unreadable)?;
        let ours = self.local.as_ref().and_then(|local| local.media.get(index));
        let (Some(ours), Some(theirs)) = (ours, answer.media.get(index)) else {
            return Err(Refused::Unreadable);
        };
        if !theirs.is_audio() {
            return Err(Refused::NoCommonCodec);
        }
        let secured = theirs.crypto.first().and_then(|theirs| {
            let line = ours.crypto.iter().find(|ours| ours.tag == theirs.tag)?;
            let same = line.key.suite() == theirs.key.suite();
            same.then(|| Secured { ours: line.key.clone(), theirs: theirs.key.clone() })
        });
        // RFC 4568 §5.1.3: an answer that takes no line of the offer, where one is needed, is none.
        if secured.is_none() && (theirs.protocol.is_secure() || !theirs.crypto.is_empty()) {
            return Err(Refused::NoCommonCodec);
        }
        // Their order counts: the first is what they like to receive.
        let offered: Vec<(u8, Codec)> = ours.formats.iter().filter_map(codec_of).collect();
        let receive = |codec| offered.iter().find(|(_, ours)| *ours == codec).map(|it| it.0);
        let answered: Vec<(u8, Codec)> = theirs.formats.iter().filter_map(codec_of).collect();
        let receives: Vec<(u8, Codec)> =
            answered.iter().filter_map(|(_, codec)| Some((receive(*codec)?, *codec))).collect();
        let (payload_type_send, codec) = answered
            .into_iter()
            .find(|(_, codec)| receive(*codec).is_some())
            .ok_or(Refused::NoCommonCodec)?;
        let events = event_clocks(codec).into_iter().find_map(|clock| {
            let number = |media: &Media| media.formats.iter().find_map(|it| event_of(it, clock));
            Some(EventNumbers { send: number(theirs)?, receive: number(ours)? })
        });
        let agreed = agreed(&answer, theirs, codec, payload_type_send, receives, events, secured)
            .ok_or(Refused::Unreadable)?;
        let agreed = Agreed { rtcp_mux: agreed.rtcp_mux && ours.rtcp_mux, ..agreed };
        self.agreed = Some(agreed.clone());
        Ok(agreed)
    }

    /// Makes `media` our words: the version grows if they differ from the last ones.
    fn say(&mut self, abilities: &Abilities, media: Vec<Media>) -> Sdp {
        let version = self.local.as_ref().map_or(1, |local| local.origin.version);
        let host = Host::from(abilities.address);
        let mut description = Description {
            origin: Origin { id: self.id.to_string(), version, host: host.clone() },
            connection: Some(host),
            direction: None,
            media,
        };
        if self.local.as_ref().is_some_and(|local| *local != description) {
            description.origin.version += 1;
        }
        for format in description.media.iter().flat_map(|media| &media.formats) {
            if let (Some(number), Some(encoding)) = (format.payload_type(), &format.mapped)
                && !self.numbers.iter().any(|(known, _)| *known == number)
            {
                self.numbers.push((number, encoding.clone()));
            }
        }
        let sdp = print(&description).into();
        self.local = Some(description);
        sdp
    }

    /// Which of our described streams is the sound.
    fn audio_line(&self) -> Option<usize> {
        self.local.as_ref()?.media.iter().position(Media::is_audio)
    }

    /// The number `encoding` has had, else its usual one, else one that never meant anything else.
    fn number_of(&mut self, encoding: &Encoding, usual: u8) -> u8 {
        let known = |(_, known): &&(u8, Encoding)| {
            known.name.eq_ignore_ascii_case(&encoding.name) && known.clock == encoding.clock
        };
        if let Some((number, _)) = self.numbers.iter().rev().find(known) {
            return *number;
        }
        let taken = |number: &u8| self.numbers.iter().any(|(known, _)| known == number);
        let free = std::iter::once(usual).chain(DYNAMIC).find(|number| !taken(number));
        let number = free.unwrap_or(usual);
        self.numbers.push((number, encoding.clone()));
        number
    }
}

/// Enough random words for the longest key and its salt.
const KEY_WORDS: usize = 6;

const SALT_LENGTH: usize = 14;

/// The codecs of telephones have an RTP clock of 8000, and `telephone-event` goes by the same clock
/// (RFC 4733 §2.1).
const EVENT_CLOCK: u32 = 8000;

/// What `telephone-event` may go by beside a codec, best first.
fn event_clocks(codec: Codec) -> [u32; 2] {
    [codec.rtp_clock(), EVENT_CLOCK]
}

/// RFC 7587 §6.1: what we like to hear, and what we send.
const OPUS: &str = "useinbandfec=1;cbr=1;maxplaybackrate=16000;sprop-maxcapturerate=16000";

/// What one of their audio streams has for us.
struct Heard {
    /// Common codecs, ours first, with their numbers.
    codecs: Vec<(Codec, u8)>,
    /// Its number and its clock.
    event: Option<(u8, u32)>,
    /// Our line, and what it means.
    secured: Option<(Crypto, Secured)>,
}

impl Heard {
    fn of(media: &Media, preference: &[Codec], abilities: &Abilities) -> Option<Self> {
        let secured = abilities.keys.as_ref().and_then(|keys| {
            let theirs = media.crypto.first()?;
            let ours = keys.of(theirs.key.suite())?.clone();
            let line = Crypto { tag: theirs.tag, key: ours.clone() };
            Some((line, Secured { ours, theirs: theirs.key.clone() }))
        });
        if media.protocol.is_secure() && secured.is_none() {
            return None;
        }
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

/// Our codecs, with those in `first` put first if they are among them.
fn preference(abilities: &Abilities, first: [Option<Codec>; 2]) -> Vec<Codec> {
    let liked = first.into_iter().flatten().filter(|codec| abilities.codecs.contains(codec));
    let mut ordered: Vec<Codec> = Vec::with_capacity(abilities.codecs.len());
    for codec in liked.chain(abilities.codecs.iter().copied()) {
        if !ordered.contains(&codec) {
            ordered.push(codec);
        }
    }
    ordered
}

/// Reads from `theirs` what the codecs don't say. `None` if it doesn't say where it receives.
fn agreed(
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
    // RFC 3264 §8.4: an address of nowhere means that they don't receive.
    let theirs_direction = Direction::new(said.sends(), said.receives() && !host.is_nowhere());
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
        rtcp_mux: theirs.rtcp_mux,
        packet_time,
        direction,
        held: !direction.sends(),
    })
}

/// Our codec behind a format: by its `rtpmap`, or by its number if it has none (RFC 3551 §6).
fn codec_of(format: &Format) -> Option<(u8, Codec)> {
    let number = format.payload_type()?;
    let codec = Codec::ALL.into_iter().find(|codec| match &format.mapped {
        Some(encoding) => encoding.is_codec(*codec),
        None => codec.payload_type() == number && !DYNAMIC.contains(&number),
    })?;
    Some((number, codec))
}

fn event_of(format: &Format, clock: u32) -> Option<u8> {
    let encoding = format.mapped.as_ref()?;
    encoding.is(Encoding::TELEPHONE_EVENT, clock).then(|| format.payload_type())?
}

fn codec_format(codec: Codec, number: u8) -> Format {
    Format {
        name: number.to_string(),
        mapped: Some(Encoding::of(codec)),
        parameters: (codec == Codec::Opus).then(|| OPUS.to_owned()),
    }
}

fn event_format(number: u8, clock: u32) -> Format {
    Format {
        name: number.to_string(),
        mapped: Some(Encoding::new(Encoding::TELEPHONE_EVENT, clock)),
        parameters: Some(EVENTS.to_owned()),
    }
}

fn our_media(port: u16, formats: Vec<Format>, direction: Direction) -> Media {
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
    }
}

/// The same stream, not wanted (RFC 3264 §6): port 0; the formats don't matter but must be there.
fn refusal(theirs: &Media) -> Media {
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
    }
}

#[cfg(test)]
mod tests;
