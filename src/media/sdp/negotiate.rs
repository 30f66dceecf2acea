//! Offer and answer (RFC 3264): what two sides agree on, and our words for it.
//!
//! A [`Session`] remembers what has been said on one stream, so that a change is a new edition of
//! the same description: payload numbers, the order of streams and the origin stay, the version
//! grows. A refused offer or answer leaves it as it was. It answers with one codec and
//! `telephone-event`; it offers all it speaks. Of several audio streams the first that fits is
//! taken, and of several of text; all others, and what is neither, are answered with port 0. A browser
//! is told apart by its profile alone, and gets the handshake's lines ([`browser`](super::browser))
//! beside.

mod reading;
mod terms;
mod wording;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::browser::{Browser, Meeting, OurSide, Setup};
use super::description::{Description, Direction, Encoding, Format, Host, Media, Origin, Protocol};
use super::parse::parse;
use super::print::print;
use super::text::{self, AgreedText, TextAbilities, TextNumbers};
use crate::base::Sdp;
use crate::media::Refused;
use crate::media::codec::Codec;

use reading::{
    EVENT_CLOCK, Heard, agreed, codec_of, event_clocks, event_of, met, preference, secured, taken,
};
use wording::{codec_format, event_format, our_media, placed, refusal};

pub use terms::{Abilities, Agreed, Answer, EventNumbers, OurKeys, Secured};

/// How much sound we put in a packet, unless the other side can't take so much.
pub const PACKET_TIME: Duration = Duration::from_millis(20);

/// How much if it can't.
pub const PACKET_TIME_SHORT: Duration = Duration::from_millis(10);

/// The number `telephone-event` has in our offers, as nearly everywhere.
pub const EVENT_NUMBER: u8 = 101;

/// Numbers that mean what a description says they mean (RFC 3551 §6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

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

#[cfg(test)]
mod tests;
