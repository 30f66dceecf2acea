use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::NotAUri;

/// The longest host name (RFC 1035 §2.3.4).
const NAME_MAX: usize = 255;

/// Where a URI or a Via points.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Host {
    Name(String),
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
}

impl Host {
    /// The address, if it is one and not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Self::Ipv6(ip) => Some(IpAddr::V6(*ip)),
        }
    }

    /// Whether both are the same host; names have no case.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(two)) => one.eq_ignore_ascii_case(two),
            (one, two) => one == two,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::Ipv4(ip),
            IpAddr::V6(ip) => Self::Ipv6(ip),
        }
    }
}

impl FromStr for Host {
    type Err = NotAUri;

    /// Reads a name, `192.0.2.1`, or `[2001:db8::1]`.
    fn from_str(text: &str) -> Result<Self, NotAUri> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(NotAUri)?;
            return ipv6(inner).map(Self::Ipv6).ok_or(NotAUri);
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ipv4(ip));
        }
        if is_name(text) { Ok(Self::Name(text.to_owned())) } else { Err(NotAUri) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ipv4(ip) => ip.fmt(f),
            Self::Ipv6(ip) => write!(f, "[{ip}]"),
        }
    }
}

/// Whether [`Host`] can read this; without copying.
pub(in crate::sip) fn is_host(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').and_then(ipv6).is_some(),
        None => is_name(text),
    }
}

/// The grammar of RFC 3261 made people write three colons before an IPv4 part; RFC 5954 corrects
/// it, RFC 5118 §4.10 asks to read both.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| text.replacen(":::", "::", 1).parse().ok())
}

/// A host name; with the underscores that real networks have, and IPv4 addresses among them.
fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        && !text.starts_with(['.', '-'])
        && !text.contains("..")
}
