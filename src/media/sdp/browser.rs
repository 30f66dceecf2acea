//! What a browser's description says beside its sound: who it is (RFC 8122), how to reach it
//! (RFC 8839), and who begins the handshake (RFC 8842).
//!
//! We are reachable by ourselves, so our side is ICE-lite (RFC 8445 §2.5): one candidate, no
//! checks of our own. Their candidates are not read at all: the address their checks come from is
//! the better truth, whether it was trickled, hidden behind a name, or neither.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The attributes of a stream that is protected by a handshake on its own road.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Browser {
    pub ice: Option<Credentials>,
    pub fingerprint: Option<Fingerprint>,
    pub setup: Option<Setup>,
    /// `a=mid` (RFC 5888): how a group names this stream.
    pub mid: Option<String>,
    /// Where we are, to be written; theirs is never read.
    pub candidate: Option<SocketAddr>,
}

/// `a=ice-ufrag` and `a=ice-pwd`: what a check must know to be answered.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Credentials {
    pub name: String,
    pub password: String,
}

/// `a=fingerprint:sha-256`: the hash of the certificate that will be shown.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fingerprint(pub [u8; 32]);

/// `a=setup` (RFC 4145): who begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Setup {
    Active,
    Passive,
    /// Either, as the answerer likes.
    ActPass,
}

/// What our side brings along to every browser.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OurSide {
    /// Of the house's certificate.
    pub fingerprint: Fingerprint,
    /// Used when there are none yet, or new ones are called for.
    pub fresh: Credentials,
}

/// What the gateway needs to know to meet a browser on the road of its sound.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Meeting {
    pub ours: Credentials,
    /// Not known before it answered.
    pub theirs: Option<Theirs>,
}

/// The other side of a [`Meeting`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Theirs {
    pub ice: Credentials,
    pub fingerprint: Fingerprint,
    /// We send the first word of the handshake.
    pub we_begin: bool,
}

impl Browser {
    /// A stream that is refused keeps its name in the group.
    pub(super) fn named(mid: Option<String>) -> Self {
        Self { mid, ..Self::default() }
    }
}

impl Credentials {
    /// `random` should be unguessable: 48 bits of name, 144 of password (RFC 8445 §5.3 asks for 24
    /// and 128).
    pub fn new(mut random: impl FnMut() -> u64) -> Self {
        let mut text = |words: usize, length: usize| {
            let octets: Vec<u8> = (0..words).flat_map(|_| random().to_be_bytes()).collect();
            super::crypto::to_base64(&octets)[..length].to_owned()
        };
        Self { name: text(1, 8), password: text(3, 24) }
    }

    /// `None` if they break the grammar of RFC 8839 §5.4.
    pub(super) fn read(name: &str, password: &str) -> Option<Self> {
        let sound = |text: &str, range: std::ops::RangeInclusive<usize>| {
            let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
            range.contains(&text.len()) && text.bytes().all(letter)
        };
        (sound(name, 4..=256) && sound(password, 22..=256))
            .then(|| Self { name: name.to_owned(), password: password.to_owned() })
    }
}

impl fmt::Debug for Credentials {
    /// Not the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.name)
    }
}

impl Fingerprint {
    /// `sha-256 AB:CD:…`; other hashes are passed over, as every browser speaks this one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hash, digits) = text.trim().split_once(' ')?;
        if !hash.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let mut octets = [0; 32];
        let mut pairs = digits.trim().split(':');
        for octet in &mut octets {
            let pair = pairs.next().filter(|pair| pair.len() == 2)?;
            *octet = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(octets))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256 ")?;
        for (at, octet) in self.0.iter().enumerate() {
            write!(f, "{}{octet:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setup {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            "actpass" => Some(Self::ActPass),
            _ => None,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        })
    }
}

/// The highest there is: a host, its first address, RTP (RFC 8445 §5.1.2.1).
pub(super) const PRIORITY: u32 = 126 << 24 | 65_535 << 8 | 255;

/// A name of a stream in a group; Chromium's have one digit.
pub(super) const MID_MAX: usize = 64;

#[cfg(test)]
mod tests;
