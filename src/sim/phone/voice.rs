//! What a phone says about its sound, and understands about the house's: a little SDP of its own.

use std::net::{IpAddr, SocketAddr};

/// A codec a phone may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codec {
    G722,
    /// Nobody here speaks it.
    G729,
    Pcma,
    Pcmu,
}

impl Codec {
    fn payload(self) -> u8 {
        match self {
            Self::G722 => 9,
            Self::G729 => 18,
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }

    fn map(self) -> &'static str {
        match self {
            Self::G722 => "9 G722/8000",
            Self::G729 => "18 G729/8000",
            Self::Pcma => "8 PCMA/8000",
            Self::Pcmu => "0 PCMU/8000",
        }
    }
}

/// Which way sound is wished.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    Both,
    Inactive,
    ReceiveOnly,
    SendOnly,
}

impl Direction {
    pub fn sends(self) -> bool {
        matches!(self, Self::Both | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::Both | Self::ReceiveOnly)
    }

    /// What an answerer says to this, if it wishes for both ways itself.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Both => Self::Both,
            Self::Inactive => Self::Inactive,
            Self::ReceiveOnly => Self::SendOnly,
            Self::SendOnly => Self::ReceiveOnly,
        }
    }

    fn token(self) -> &'static str {
        match self {
            Self::Both => "sendrecv",
            Self::Inactive => "inactive",
            Self::ReceiveOnly => "recvonly",
            Self::SendOnly => "sendonly",
        }
    }
}

/// A description of one party's sound, as far as a phone cares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    pub address: SocketAddr,
    /// Audio formats by number, in order of preference.
    pub payloads: Vec<u8>,
    pub direction: Direction,
    /// Where text is read, if it is wanted; the port is zero if it was declined.
    pub text: Option<SocketAddr>,
}

impl Description {
    /// Reads the first audio medium; none if there is none, or its port is zero.
    pub fn read(text: &str) -> Option<Self> {
        let mut host: Option<IpAddr> = None;
        let mut media: Option<(u16, Vec<u8>)> = None;
        let mut direction = Direction::Both;
        let mut in_audio = false;
        let mut text_port = None;
        for line in text.lines() {
            let (kind, value) = line.trim_end().split_once('=')?;
            match kind {
                "c" if media.is_none() || in_audio => {
                    host = value.split_whitespace().nth(2)?.parse().ok();
                }
                "m" => {
                    if let Some(rest) = value.strip_prefix("text ") {
                        text_port = rest.split_whitespace().next()?.parse::<u16>().ok();
                    }
                    in_audio = value.starts_with("audio ") && media.is_none();
                    if in_audio {
                        let mut words = value.split_whitespace().skip(1);
                        let port = words.next()?.parse().ok()?;
                        let payloads = words.skip(1).filter_map(|word| word.parse().ok());
                        media = Some((port, payloads.collect()));
                    }
                }
                "a" if media.is_none() || in_audio => match value {
                    "sendrecv" => direction = Direction::Both,
                    "sendonly" => direction = Direction::SendOnly,
                    "recvonly" => direction = Direction::ReceiveOnly,
                    "inactive" => direction = Direction::Inactive,
                    _ => {}
                },
                _ => {}
            }
        }
        let (port, payloads) = media.filter(|(port, _)| *port != 0)?;
        let host = host?;
        if host.is_unspecified() {
            // RFC 3264 §8.4: the old way to hold.
            direction = Direction::SendOnly;
        }
        let text = text_port.map(|port| SocketAddr::new(host, port));
        Some(Self { address: SocketAddr::new(host, port), payloads, direction, text })
    }

    /// Whether any of these codecs is on offer.
    pub fn offers_any(&self, codecs: &[Codec]) -> bool {
        codecs.iter().any(|codec| self.payloads.contains(&codec.payload()))
    }
}

/// What a phone with these codecs writes: an offer, or an answer to `offer` (its first codec that
/// is ours, and keys if it has them).
pub(super) fn written(
    ours: SocketAddr,
    codecs: &[Codec],
    direction: Direction,
    version: u32,
    offer: Option<&Description>,
    text: Option<u16>,
) -> String {
    let mut chosen: Vec<Codec> = match offer {
        None => codecs.to_vec(),
        Some(offer) => offer
            .payloads
            .iter()
            .filter_map(|payload| codecs.iter().find(|codec| codec.payload() == *payload))
            .copied()
            .take(1)
            .collect(),
    };
    chosen.dedup();
    let family = if ours.is_ipv4() { "IP4" } else { "IP6" };
    let keys = offer.is_none_or(|offer| offer.payloads.contains(&101));
    let mut payloads: Vec<String> =
        chosen.iter().map(|codec| codec.payload().to_string()).collect();
    if keys {
        payloads.push("101".into());
    }
    let mut sdp = format!(
        "v=0\r\no=- 4711 {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {payloads}\r\n",
        ip = ours.ip(),
        port = ours.port(),
        payloads = payloads.join(" "),
    );
    for codec in chosen {
        sdp += &format!("a=rtpmap:{}\r\n", codec.map());
    }
    if keys {
        sdp += "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";
    }
    sdp += &format!("a=ptime:20\r\na={}\r\n", direction.token());
    let asked = offer.map(|offer| offer.text.is_some_and(|text| text.port() != 0));
    match (asked, text) {
        (None | Some(true), Some(port)) => {
            sdp += &format!(
                "m=text {port} RTP/AVP 100 98\r\na=rtpmap:98 t140/1000\r\n\
                 a=rtpmap:100 red/1000\r\na=fmtp:100 98/98/98\r\n"
            );
        }
        (Some(true), None) => sdp += "m=text 0 RTP/AVP 98\r\n",
        (None, None) | (Some(false), _) => {}
    }
    sdp
}

/// The same with keys, and nothing without them (RFC 3711, RFC 4568).
pub(super) fn protected(sdp: &str) -> String {
    let key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    sdp.replace(" RTP/AVP ", PROTECTED).replace("a=ptime:20", &format!("{key}\r\na=ptime:20"))
}

/// The profile of protected sound.
pub(super) const PROTECTED: &str = " RTP/SAVP ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        let ours = "10.2.0.1:40000".parse().unwrap();
        let text = written(ours, &[Codec::Pcma, Codec::G722], Direction::SendOnly, 1, None, None);

        let description = Description::read(&text).unwrap();

        assert_eq!(description.address, ours);
        assert_eq!(description.payloads, [8, 9, 101]);
        assert_eq!(description.direction, Direction::SendOnly);
    }

    #[test]
    fn an_answer_names_the_first_codec_of_the_offer_that_both_have() {
        let offer = Description {
            address: "10.0.0.1:30000".parse().unwrap(),
            payloads: vec![18, 0, 8, 101],
            direction: Direction::Both,
            text: None,
        };
        let ours = "10.2.0.1:40000".parse().unwrap();
        let text =
            written(ours, &[Codec::Pcma, Codec::Pcmu], Direction::Both, 1, Some(&offer), None);

        assert_eq!(Description::read(&text).unwrap().payloads, [0, 101]);
    }
}
