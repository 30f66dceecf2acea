//! What a session description says, as types.
//!
//! Only what negotiating the sound of a telephone call needs: lines about schedules, bandwidth,
//! titles, people and keys are not kept. Streams that are not audio are kept well enough to be
//! answered with port 0 (RFC 3264 §6).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::browser::Browser;
use super::crypto::Crypto;
use crate::media::codec::Codec;

/// One side's description of a session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Description {
    pub origin: Origin,
    /// `c=` before the first `m=`: where streams without an own one are received.
    pub connection: Option<Host>,
    /// `a=group:BUNDLE` (RFC 9143): the streams that share one road, by name.
    pub bundle: Vec<String>,
    /// `a=ice-lite`: this side answers checks and makes none.
    pub ice_lite: bool,
    /// The direction of streams that don't say their own.
    pub direction: Option<Direction>,
    pub media: Vec<Media>,
}

/// `o=`: which session this is, and which edition of its description.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Origin {
    /// Digits by the RFC, anything in the field.
    pub id: String,
    /// Grows by one with every change (RFC 3264 §8).
    pub version: u64,
    pub host: Host,
}

/// One `m=` line and what follows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Media {
    /// `audio`, `video`, `image`, `text`…
    pub kind: String,
    /// Where RTP is received; 0 means that this stream is refused or over.
    pub port: u16,
    pub protocol: Protocol,
    /// In the order of the `m=` line: the first is liked best.
    pub formats: Vec<Format>,
    pub connection: Option<Host>,
    pub direction: Option<Direction>,
    /// How much sound a packet should carry to this side.
    pub packet_time: Option<Duration>,
    /// How much sound a packet may carry to this side.
    pub packet_time_max: Option<Duration>,
    /// `a=rtcp` (RFC 3605): where RTCP is received, if not one port above RTP.
    pub rtcp: Option<Rtcp>,
    /// `a=rtcp-mux` (RFC 5761): RTCP may come where RTP does.
    pub rtcp_mux: bool,
    /// `a=crypto` (RFC 4568), those we can do.
    pub crypto: Vec<Crypto>,
    /// Only where a handshake protects the stream.
    pub browser: Option<Box<Browser>>,
}

/// `a=rtcp` (RFC 3605).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rtcp {
    pub port: u16,
    /// Where RTP goes, if not given.
    pub host: Option<Host>,
}

/// One entry of the `m=` line's list of formats, with its `a=rtpmap` and `a=fmtp`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Format {
    /// A payload type for RTP, anything else otherwise (`t38`).
    pub name: String,
    /// `a=rtpmap`, if there is one.
    pub mapped: Option<Encoding>,
    /// `a=fmtp`, as it stands.
    pub parameters: Option<String>,
}

/// What a payload type means: the right side of `a=rtpmap`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Encoding {
    pub name: String,
    pub clock: u32,
    /// The number of channels, or what else a format puts there.
    pub parameters: Option<String>,
}

/// The transport of a stream.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Protocol {
    /// `RTP/AVP`: plain RTP, the one we speak.
    Plain,
    /// `RTP/AVPF` (RFC 4585).
    Feedback,
    /// `RTP/SAVP` (RFC 3711).
    Secure,
    /// `RTP/SAVPF` (RFC 5124).
    SecureFeedback,
    /// `UDP/TLS/RTP/SAVP` (RFC 5764): keys come by a handshake on the stream's own road.
    Handshake,
    /// `UDP/TLS/RTP/SAVPF`: what browsers speak.
    HandshakeFeedback,
    /// `udptl`, `TCP/MSRP`…
    Other(String),
}

/// Which way a stream flows, as the side that says it sees it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Direction {
    #[default]
    SendReceive,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

/// An address or a name that stands for one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Host {
    Address(IpAddr),
    Name(String),
}

/// A host and a port there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    pub host: Host,
    pub port: u16,
}

impl Media {
    /// Whether this stream carries sound in RTP, protected or not, and is wanted.
    pub fn is_audio(&self) -> bool {
        self.port != 0
            && self.kind.eq_ignore_ascii_case("audio")
            && (self.protocol.is_plain()
                || self.protocol.is_secure()
                || self.protocol.is_handshake())
    }
}

impl Format {
    /// The RTP payload type, if it is one (RFC 3551: seven bits).
    pub fn payload_type(&self) -> Option<u8> {
        self.name.parse().ok().filter(|number| *number < 128)
    }
}

impl Encoding {
    /// The name of `telephone-event` (RFC 4733).
    pub const TELEPHONE_EVENT: &str = "telephone-event";

    pub fn new(name: &str, clock: u32) -> Self {
        Self { name: name.to_owned(), clock, parameters: None }
    }

    /// Whether this is `name` at `clock`, one channel; names have no case (RFC 4855 §3).
    pub fn is(&self, name: &str, clock: u32) -> bool {
        self.clock == clock
            && self.name.eq_ignore_ascii_case(name)
            && matches!(self.parameters.as_deref(), None | Some("1"))
    }

    /// What `codec` is called in `a=rtpmap`.
    pub fn of(codec: Codec) -> Self {
        // RFC 7587 §7: Opus always says two channels.
        let parameters = (codec == Codec::Opus).then(|| "2".to_owned());
        Self { parameters, ..Self::new(codec.encoding(), codec.rtp_clock()) }
    }

    /// Whether this is `codec`.
    pub fn is_codec(&self, codec: Codec) -> bool {
        match codec {
            Codec::Opus => {
                self.clock == codec.rtp_clock()
                    && self.name.eq_ignore_ascii_case(codec.encoding())
                    && self.parameters.as_deref() == Some("2")
            }
            Codec::Pcma | Codec::Pcmu | Codec::G722 => self.is(codec.encoding(), codec.rtp_clock()),
        }
    }
}

impl Direction {
    pub fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendReceive,
            (true, false) => Self::SendOnly,
            (false, true) => Self::ReceiveOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Self::SendReceive | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::SendReceive | Self::ReceiveOnly)
    }

    /// The same stream seen from the other side (RFC 3264 §6.1).
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What is left when both have their say.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }
}

impl Host {
    /// Whether it is the old way to say "on hold" (RFC 3264 §8.4): `0.0.0.0` or its IPv6 likeness.
    pub fn is_nowhere(&self) -> bool {
        match self {
            Self::Address(address) => address.is_unspecified(),
            // RFC 6157 §5.1: the IPv6 way.
            Self::Name(name) => name.eq_ignore_ascii_case("invalid") || name.ends_with(".invalid"),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl Place {
    /// The address to send to; `None` for a name, nowhere, a group of many, or no port: then it
    /// has to be learnt from what arrives.
    pub fn socket(&self) -> Option<SocketAddr> {
        let Host::Address(address) = self.host else {
            return None;
        };
        let to_all = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        let usable =
            self.port != 0 && !address.is_unspecified() && !address.is_multicast() && !to_all;
        usable.then(|| SocketAddr::new(address, self.port))
    }
}

impl Protocol {
    /// Whether packets may travel as they are; RFC 8643 lets them be protected all the same.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain | Self::Feedback)
    }

    /// Whether packets must be protected, by keys of the description.
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Secure | Self::SecureFeedback)
    }

    /// Whether packets must be protected, by keys that a handshake brings.
    pub fn is_handshake(&self) -> bool {
        matches!(self, Self::Handshake | Self::HandshakeFeedback)
    }
}

impl From<&str> for Protocol {
    fn from(text: &str) -> Self {
        match text {
            "RTP/AVP" => Self::Plain,
            "RTP/AVPF" => Self::Feedback,
            "RTP/SAVP" => Self::Secure,
            "RTP/SAVPF" => Self::SecureFeedback,
            "UDP/TLS/RTP/SAVP" => Self::Handshake,
            "UDP/TLS/RTP/SAVPF" => Self::HandshakeFeedback,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "RTP/AVP",
            Self::Feedback => "RTP/AVPF",
            Self::Secure => "RTP/SAVP",
            Self::SecureFeedback => "RTP/SAVPF",
            Self::Handshake => "UDP/TLS/RTP/SAVP",
            Self::HandshakeFeedback => "UDP/TLS/RTP/SAVPF",
            Self::Other(other) => other,
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendReceive => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.clock)?;
        match &self.parameters {
            Some(parameters) => write!(f, "/{parameters}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_sends_the_other_receives() {
        assert_eq!(Direction::SendOnly.mirrored(), Direction::ReceiveOnly);
        assert_eq!(Direction::Inactive.mirrored(), Direction::Inactive);
        assert_eq!(Direction::SendReceive.mirrored(), Direction::SendReceive);
    }

    #[test]
    fn nothing_is_sent_to_many_or_to_nobody() {
        for host in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            let place = Place { host: Host::Address(host.parse().unwrap()), port: 4000 };
            assert_eq!(place.socket(), None, "{host}");
        }
        let place = Place { host: Host::Name("sbc.example".to_owned()), port: 4000 };
        assert_eq!(place.socket(), None);
        let place = Place { host: Host::Address("192.0.2.1".parse().unwrap()), port: 4000 };
        assert_eq!(place.socket(), Some("192.0.2.1:4000".parse().unwrap()));
    }
}
