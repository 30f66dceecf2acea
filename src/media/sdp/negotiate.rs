//! Offer and answer (RFC 3264): what two sides agree on, and our words for it.
//!
//! A [`Session`] remembers what has been said on one stream, so that a change is a new edition of
//! the same description: payload numbers, the order of streams and the origin stay, the version
//! grows. A refused offer or answer leaves it as it was. It answers with one codec and
//! `telephone-event`; it offers all it speaks. Of several audio streams the first that fits is
//! taken, and of several of text; all others, and what is neither, are answered with port 0. A browser
//! is told apart by its profile alone, and gets the handshake's lines ([`browser`](super::browser))
//! beside.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::browser::{Browser, Meeting, OurSide, Setup, Theirs};
use super::crypto::Crypto;
use super::description::{
    Description, Direction, Encoding, Format, Host, Media, Origin, Place, Protocol,
};
use super::parse::parse;
use super::print::print;
use super::text::{self, AgreedText, TextAbilities, TextNumbers};
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
    /// Without it we neither answer nor call browsers.
    pub browser: Option<OurSide>,
    /// Our offers are for a browser.
    pub offers_handshake: bool,
    /// Our offers are for a phone that takes nothing plain.
    pub demands_keys: bool,
    /// What we can do about text; without it text is declined.
    pub text: Option<TextAbilities>,
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
    /// Nothing is sent or believed before this led to keys, if there is this.
    pub meeting: Option<Box<Meeting>>,
    /// RTCP travels with RTP.
    pub rtcp_mux: bool,
    /// How much sound we put in a packet.
    pub packet_time: Duration,
    /// Ours: what we may do.
    pub direction: Direction,
    /// The other side does not want to hear us now.
    pub held: bool,
    /// Text beside the sound.
    pub text: Option<Box<AgreedText>>,
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
        let mut agreed =
            agreed(&offer, theirs, codec, number, vec![(number, codec)], events, secured)
                .ok_or(Refused::Unreadable)?;
        let browser = theirs.browser.as_deref().zip(abilities.browser.as_ref());
        let browser = browser.and_then(|(browser, side)| self.meet(browser, side));
        agreed.meeting = browser.as_ref().map(|(_, meeting)| Box::new(meeting.clone()));
        let browser = browser.map(|(said, _)| Box::new(placed(said, abilities)));
        let mut text = answer_text(&offer, abilities.text.as_ref());
        agreed.text = text.as_ref().map(|(_, _, agreed)| Box::new(agreed.clone()));

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
                    browser: browser.clone(),
                    ..our_media(abilities.rtp_port, formats.clone(), agreed.direction)
                },
                false => match text.take_if(|(index, _, _)| *index == at) {
                    Some((_, media, _)) => media,
                    None => refusal(theirs),
                },
            })
            .collect();
        let mid = browser.as_ref().and_then(|browser| browser.mid.clone());
        let bundle = mid.filter(|mid| offer.bundle.contains(mid)).into_iter().collect();
        let sdp = self.say(abilities, bundle, media);
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
        let protocol = match before {
            Some(before) => before.protocol.clone(),
            None if abilities.offers_handshake && abilities.browser.is_some() => {
                Protocol::HandshakeFeedback
            }
            None if abilities.demands_keys && abilities.keys.is_some() => Protocol::Secure,
            None => Protocol::Plain,
        };
        let browser = abilities.browser.as_ref().filter(|_| protocol.is_handshake()).map(|side| {
            let said = before.and_then(|before| before.browser.as_deref());
            let ice = said.and_then(|said| said.ice.clone());
            Box::new(placed(
                Browser {
                    ice: Some(ice.unwrap_or_else(|| side.fresh.clone())),
                    fingerprint: Some(side.fingerprint),
                    // RFC 8842 §5.2: an offer leaves it to the answer, whatever was before.
                    setup: Some(Setup::ActPass),
                    mid: said.map_or(Some("0".to_owned()), |said| said.mid.clone()),
                    candidate: None,
                },
                abilities,
            ))
        });
        let bundle: Vec<String> = match (&self.local, &browser) {
            (Some(local), Some(_)) => local.bundle.clone(),
            (None, Some(browser)) => browser.mid.iter().cloned().collect(),
            (Some(_) | None, None) => Vec::new(),
        };
        let handshake = browser.is_some();
        let audio = Media {
            protocol,
            crypto: match handshake {
                true => Vec::new(),
                false => abilities.keys.as_ref().map(OurKeys::lines).unwrap_or_default(),
            },
            rtcp_mux: handshake || before.is_some_and(|before| before.rtcp_mux),
            browser,
            ..our_media(abilities.rtp_port, formats, Direction::SendReceive)
        };
        // RFC 3264 §8: streams once described keep their places.
        let mut media: Vec<Media> =
            self.local.iter().flat_map(|local| &local.media).map(refusal).collect();
        let protocol = audio.protocol.clone();
        match self.audio_line() {
            Some(index) => media[index] = audio,
            None => media = vec![audio],
        }
        if let Some(text) = abilities.text.as_ref().filter(|_| !abilities.offers_handshake) {
            let text = self.text_offered(text, protocol);
            match media.iter().position(|media| media.kind == text::KIND) {
                Some(index) => media[index] = text,
                None => media.push(text),
            }
        }
        self.say(abilities, bundle, media)
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
        let secured = theirs.crypto.first().and_then(|theirs| taken(ours, theirs));
        // RFC 4568 §5.1.3: an answer that takes no line of the offer, where one is needed, is none.
        let needed = ours.protocol.is_secure() || theirs.protocol.is_secure();
        if secured.is_none() && (needed || !theirs.crypto.is_empty()) {
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
            let (send, usual) = (number(theirs)?, number(ours)?);
            // Some (Twinkle) take the number we gave the other clock, and keep to it themselves.
            let is_ours = |format: &Format| {
                let events = |clock| event_of(format, clock) == Some(send);
                event_clocks(Codec::Opus).into_iter().any(events)
            };
            let receive = if ours.formats.iter().any(is_ours) { send } else { usual };
            Some(EventNumbers { send, receive })
        });
        let agreed = agreed(&answer, theirs, codec, payload_type_send, receives, events, secured)
            .ok_or(Refused::Unreadable)?;
        let meeting = match (&ours.browser, &theirs.browser) {
            (None, None) => None,
            (Some(ours), Some(theirs)) => {
                let met = met(ours, theirs, theirs.setup == Some(Setup::Passive));
                Some(Box::new(met.ok_or(Refused::NoCommonCodec)?))
            }
            // RFC 3264 §6: an answer keeps to the profile of the offer.
            (Some(_), None) | (None, Some(_)) => return Err(Refused::NoCommonCodec),
        };
        let text = self.text_accepted(&answer).map(Box::new);
        let rtcp_mux = agreed.rtcp_mux && ours.rtcp_mux;
        let agreed = Agreed { rtcp_mux, meeting, text, ..agreed };
        self.agreed = Some(agreed.clone());
        Ok(agreed)
    }

    fn text_offered(&mut self, ours: &TextAbilities, protocol: Protocol) -> Media {
        let text = Encoding::new(text::TEXT, text::CLOCK);
        let redundancy = Encoding::new(text::REDUNDANCY, text::CLOCK);
        let numbers = TextNumbers {
            text: self.number_of(&text, text::TEXT_NUMBER),
            redundancy: Some(self.number_of(&redundancy, text::REDUNDANCY_NUMBER)),
        };
        let crypto = ours.keys.as_ref().map(OurKeys::lines).unwrap_or_default();
        text::our_media(ours.port, numbers, protocol, crypto, Direction::SendReceive)
    }

    /// What they answered to our offer of text; a call without is a call all the same.
    fn text_accepted(&self, answer: &Description) -> Option<AgreedText> {
        let local = self.local.as_ref()?;
        let index = local.media.iter().position(Media::is_text)?;
        let (ours, theirs) = (&local.media[index], answer.media.get(index)?);
        let secured = theirs.crypto.first().and_then(|theirs| taken(ours, theirs));
        if !theirs.is_text() || (secured.is_none() && !theirs.crypto.is_empty()) {
            return None;
        }
        if secured.is_none() && theirs.protocol.is_secure() {
            return None;
        }
        text::agreed(answer, theirs, ours.text_numbers()?, secured)
    }

    /// Makes `media` our words: the version grows if they differ from the last ones.
    fn say(&mut self, abilities: &Abilities, bundle: Vec<String>, media: Vec<Media>) -> Sdp {
        let version = self.local.as_ref().map_or(1, |local| local.origin.version);
        let host = Host::from(abilities.address);
        let mut description = Description {
            origin: Origin { id: self.id.to_string(), version, host: host.clone() },
            connection: Some(host),
            bundle,
            ice_lite: media.iter().any(|media: &Media| {
                media.browser.as_ref().is_some_and(|browser| browser.ice.is_some())
            }),
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

    /// What our answer to a browser says, and how the two will meet. What was said before stays,
    /// but for new credentials of theirs: they want to begin anew (RFC 8445 §9), and so do we.
    fn meet(&self, theirs: &Browser, side: &OurSide) -> Option<(Browser, Meeting)> {
        let before = self.agreed.as_ref().and_then(|agreed| agreed.meeting.as_deref());
        let known = before.and_then(|before| Some((&before.ours, before.theirs.as_ref()?)));
        let ice = match known {
            Some((ours, known)) if Some(&known.ice) == theirs.ice.as_ref() => ours.clone(),
            Some(_) | None => side.fresh.clone(),
        };
        let we_begin = match theirs.setup {
            Some(Setup::Passive) => true,
            Some(Setup::Active) | None => false,
            // RFC 8842 §5.3: roles stay while the handshake does.
            Some(Setup::ActPass) => known.is_some_and(|(_, known)| {
                Some(known.fingerprint) == theirs.fingerprint && known.we_begin
            }),
        };
        let said = Browser {
            ice: Some(ice),
            fingerprint: Some(side.fingerprint),
            setup: Some(if we_begin { Setup::Active } else { Setup::Passive }),
            mid: theirs.mid.clone(),
            candidate: None,
        };
        let meeting = met(&said, theirs, we_begin)?;
        Some((said, meeting))
    }

    /// How a browser will find us that has our offer and hasn't answered yet.
    pub fn offered(&self) -> Option<Meeting> {
        let media = self.local.as_ref()?.media.get(self.audio_line()?)?;
        let ours = media.browser.as_ref()?.ice.clone()?;
        Some(Meeting { ours, theirs: None })
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

/// Which of our keys their line answers to.
fn taken(ours: &Media, theirs: &Crypto) -> Option<Secured> {
    let line = ours.crypto.iter().find(|ours| ours.tag == theirs.tag)?;
    let same = line.key.suite() == theirs.key.suite();
    same.then(|| Secured { ours: line.key.clone(), theirs: theirs.key.clone() })
}

/// Which of the offered streams is text that we can do, and our answer to it.
fn answer_text(
    offer: &Description,
    ours: Option<&TextAbilities>,
) -> Option<(usize, Media, AgreedText)> {
    let ours = ours?;
    offer.media.iter().enumerate().filter(|(_, media)| media.is_text()).find_map(|(at, theirs)| {
        let (crypto, secured) = secured(theirs, ours.keys.as_ref()).unzip();
        if theirs.protocol.is_secure() && secured.is_none() {
            return None;
        }
        let agreed = text::agreed(offer, theirs, theirs.text_numbers()?, secured)?;
        let (protocol, crypto) = (theirs.protocol.clone(), crypto.into_iter().collect());
        let numbers = agreed.receives;
        let media = text::our_media(ours.port, numbers, protocol, crypto, agreed.direction);
        Some((at, media, agreed))
    })
}

/// Our line of keys for theirs, and what it means.
fn secured(theirs: &Media, keys: Option<&OurKeys>) -> Option<(Crypto, Secured)> {
    let theirs = theirs.crypto.first()?;
    let ours = keys?.of(theirs.key.suite())?.clone();
    let line = Crypto { tag: theirs.tag, key: ours.clone() };
    Some((line, Secured { ours, theirs: theirs.key.clone() }))
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

/// What both sides said, taken together; `None` if they said too little.
fn met(ours: &Browser, theirs: &Browser, we_begin: bool) -> Option<Meeting> {
    let theirs = Theirs { ice: theirs.ice.clone()?, fingerprint: theirs.fingerprint?, we_begin };
    Some(Meeting { ours: ours.ice.clone()?, theirs: Some(theirs) })
}

/// With the address where we are found.
fn placed(said: Browser, abilities: &Abilities) -> Browser {
    let candidate = Some(SocketAddr::new(abilities.address, abilities.rtp_port));
    Browser { candidate, ..said }
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
        direction,
        held: !direction.sends(),
        text: None,
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
        browser: None,
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
        browser: theirs.browser.as_ref().map(|theirs| Box::new(Browser::named(theirs.mid.clone()))),
    }
}

#[cfg(test)]
mod tests;
