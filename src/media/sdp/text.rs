//! Offer and answer about text (RFC 4103 §10): `t140`, and `red`, which repeats it.

use serde::{Deserialize, Serialize};

use super::crypto::Crypto;
use super::description::{Description, Direction, Encoding, Format, Host, Media, Place, Protocol};
use super::negotiate::{OurKeys, Secured};

/// What our side of a stream can do about text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TextAbilities {
    /// Where we receive it.
    pub port: u16,
    /// Keys of its own: no index may be used twice.
    pub keys: Option<OurKeys>,
}

/// What both sides hold to about text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AgreedText {
    pub remote: Place,
    pub sends: TextNumbers,
    pub receives: TextNumbers,
    /// Characters a second the other side can read (§6).
    pub per_second: u16,
    pub direction: Direction,
    pub secured: Option<Secured>,
}

/// Payload types.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TextNumbers {
    pub text: u8,
    pub redundancy: Option<u8>,
}

impl Media {
    /// Whether this stream carries text in RTP, and is wanted.
    pub fn is_text(&self) -> bool {
        self.port != 0
            && self.kind.eq_ignore_ascii_case(KIND)
            && (self.protocol.is_plain() || self.protocol.is_secure())
    }

    /// Which numbers text has here.
    pub(super) fn text_numbers(&self) -> Option<TextNumbers> {
        let number = |encoding: &str| {
            let is = |format: &&Format| {
                format.mapped.as_ref().is_some_and(|mapped| mapped.is(encoding, CLOCK))
            };
            self.formats.iter().find(is).and_then(Format::payload_type)
        };
        Some(TextNumbers { text: number(TEXT)?, redundancy: number(REDUNDANCY) })
    }

    /// `cps=` (§6, §9): how fast the other side reads.
    fn per_second(&self, number: u8) -> u16 {
        let format = self.formats.iter().find(|format| format.payload_type() == Some(number));
        let parameters = format.and_then(|format| format.parameters.as_deref()).unwrap_or("");
        parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().strip_prefix("cps=")?.trim().parse().ok())
            .find(|speed| (1..=PER_SECOND_MAX).contains(speed))
            .unwrap_or(PER_SECOND)
    }
}

/// Whether an offer may be about text at all: cheap, and before a port is lent for it.
pub fn mentions_text(offer: &[u8]) -> bool {
    offer.windows(6).any(|six| six == b"m=text")
}

/// What their words about text mean beside our numbers. `None` if they don't say where they read.
pub(super) fn agreed(
    description: &Description,
    theirs: &Media,
    receives: TextNumbers,
    secured: Option<Secured>,
) -> Option<AgreedText> {
    let sends = theirs.text_numbers()?;
    let host: &Host = theirs.connection.as_ref().or(description.connection.as_ref())?;
    let said = theirs.direction.or(description.direction).unwrap_or_default();
    let theirs_direction = Direction::new(said.sends(), said.receives() && !host.is_nowhere());
    let redundancy = sends.redundancy.filter(|_| receives.redundancy.is_some());
    Some(AgreedText {
        remote: Place { host: host.clone(), port: theirs.port },
        sends: TextNumbers { redundancy, ..sends },
        receives,
        per_second: theirs.per_second(sends.text),
        direction: theirs_direction.mirrored(),
        secured,
    })
}

/// Our line about text.
pub(super) fn our_media(
    port: u16,
    numbers: TextNumbers,
    protocol: Protocol,
    crypto: Vec<Crypto>,
    direction: Direction,
) -> Media {
    let TextNumbers { text, redundancy } = numbers;
    let format = |number: u8, name: &str, parameters: Option<String>| Format {
        name: number.to_string(),
        mapped: Some(Encoding::new(name, CLOCK)),
        parameters,
    };
    let mut formats = Vec::new();
    // §4.2: liked best, with two generations.
    if let Some(number) = redundancy {
        formats.push(format(number, REDUNDANCY, Some(format!("{text}/{text}/{text}"))));
    }
    formats.push(format(text, TEXT, None));
    Media {
        kind: KIND.to_owned(),
        port,
        protocol,
        formats,
        connection: None,
        direction: Some(direction),
        packet_time: None,
        packet_time_max: None,
        rtcp: None,
        rtcp_mux: false,
        crypto,
        browser: None,
    }
}

pub(super) const KIND: &str = "text";
pub(super) const TEXT: &str = "t140";
pub(super) const REDUNDANCY: &str = "red";
/// Milliseconds.
pub(super) const CLOCK: u32 = 1_000;

/// The numbers they have in our offers.
pub(super) const TEXT_NUMBER: u8 = 98;
pub(super) const REDUNDANCY_NUMBER: u8 = 100;

/// §6: who says nothing reads so fast.
const PER_SECOND: u16 = 30;
const PER_SECOND_MAX: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::Codec;
    use crate::media::sdp::{Abilities, Session, parse};

    fn abilities() -> Abilities {
        Abilities {
            address: "198.51.100.1".parse().unwrap(),
            rtp_port: 20_000,
            codecs: Codec::TELEPHONE.to_vec(),
            keys: None,
            browser: None,
            offers_handshake: false,
            demands_keys: false,
            text: Some(TextAbilities { port: 20_002, keys: None }),
        }
    }

    fn offer(text: &str) -> Vec<u8> {
        let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
        format!("{head}m=audio 4000 RTP/AVP 8\r\n{text}").into_bytes()
    }

    const RED: &str = "m=text 4002 RTP/AVP 99 97\r\na=rtpmap:97 T140/1000\r\na=fmtp:97 cps=10\r\n\
        a=rtpmap:99 red/1000\r\na=fmtp:99 97/97/97\r\n";

    /// RFC 4103 §10.
    #[test]
    fn text_is_answered_with_their_numbers() {
        let mut session = Session::new(1);

        let answer = session.answer(&offer(RED), &abilities(), None).unwrap();

        let said = parse(&answer.sdp).unwrap();
        assert_eq!((said.media[1].kind.as_str(), said.media[1].port), ("text", 20_002));
        let numbers = TextNumbers { text: 97, redundancy: Some(99) };
        assert_eq!(said.media[1].text_numbers(), Some(numbers));
        let text = answer.agreed.text.unwrap();
        assert_eq!((text.sends, text.receives, text.per_second), (numbers, numbers, 10));
        assert_eq!(text.remote.socket(), Some("192.0.2.1:4002".parse().unwrap()));
    }

    #[test]
    fn text_that_can_not_be_had_is_declined_and_the_call_goes_on() {
        let without = Abilities { text: None, ..abilities() };
        let secure = RED.replace("AVP", "SAVP");
        for (text, abilities) in [
            (RED, &without),
            ("m=text 4002 RTP/AVP 97\r\na=rtpmap:97 x/1000\r\n", &abilities()),
            ("m=text 0 RTP/AVP 97\r\na=rtpmap:97 t140/1000\r\n", &abilities()),
            ("m=text 4002 TCP/MSRP *\r\n", &abilities()),
            (secure.as_str(), &abilities()),
        ] {
            let answer = Session::new(1).answer(&offer(text), abilities, None).unwrap();
            let said = parse(&answer.sdp).unwrap();
            assert_eq!((said.media.len(), said.media[1].port), (2, 0), "{text}");
            assert_eq!(answer.agreed.text, None, "{text}");
        }
    }

    #[test]
    fn our_offer_of_text_may_be_taken_without_redundancy_or_left() {
        for (answer, expected) in [
            (RED, Some((97, Some(99)))),
            ("m=text 4002 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n", Some((98, None))),
            ("m=text 0 RTP/AVP 98\r\n", None),
            ("", None),
        ] {
            let mut session = Session::new(1);
            let ours = session.offer(&abilities(), None);
            let ours = parse(&ours).unwrap();
            assert_eq!(ours.media[1].text_numbers().unwrap().text, TEXT_NUMBER);
            let agreed = session.accept(&offer(answer)).unwrap();
            let sends = agreed.text.map(|text| (text.sends.text, text.sends.redundancy));
            assert_eq!(sends, expected, "{answer}");
        }
    }
}
