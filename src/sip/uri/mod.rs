//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), with IPv6 as RFC 5954 corrects it.
//!
//! A URI keeps its text pieces as written, so that it is sent on unchanged; percent-encoding is
//! undone when asked ([`SipUri::user`]). A password in a URI is dropped while reading: it would
//! end in logs. Schemes we don't know are kept whole, for 416 or for display only.

mod compare;
mod host;
mod number;
mod split;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use host::Host;
pub(in crate::sip) use host::is_host;
pub(in crate::sip) use split::{is_readable, port};

use split::{SipParts, TelParts, pairs};

/// A Uniform Resource Identifier, as far as a telephone exchange understands them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Uri {
    Sip(SipUri),
    Tel(TelUri),
    /// Another scheme: `urn:service:sos`, `mailto:…`.
    Other {
        scheme: String,
        /// What follows the colon.
        text: String,
    },
}

/// Text that is not a URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a SIP, tel or other URI")]
pub struct NotAUri;

/// `sip:user@host:port;params?headers`, or `sips:`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SipUri {
    pub secure: bool,
    user: Option<String>,
    pub host: Host,
    pub port: Option<u16>,
    params: Vec<(String, Option<String>)>,
    headers: Vec<(String, String)>,
}

/// `tel:+33-1-23;phone-context=…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TelUri {
    /// As written, visual separators included.
    number: String,
    params: Vec<(String, Option<String>)>,
}

impl Uri {
    /// The host, of a SIP or SIPS URI.
    pub fn host(&self) -> Option<&Host> {
        match self {
            Self::Sip(uri) => Some(&uri.host),
            Self::Tel(_) | Self::Other { .. } => None,
        }
    }

    /// What was dialled: the user part without its parameters, percent-decoded; the number of a tel
    /// URI; empty for everything else.
    pub fn dialled(&self) -> Cow<'_, str> {
        match self {
            Self::Sip(uri) => match &uri.user {
                Some(user) => decode(user.split(';').next().unwrap_or_default()),
                None => Cow::Borrowed(""),
            },
            Self::Tel(uri) => Cow::Borrowed(uri.number()),
            Self::Other { .. } => Cow::Borrowed(""),
        }
    }

    /// A parameter's value as written; `Some("")` if it stands without a value.
    pub fn param(&self, name: &str) -> Option<&str> {
        let params = match self {
            Self::Sip(uri) => &uri.params,
            Self::Tel(uri) => &uri.params,
            Self::Other { .. } => return None,
        };
        params
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    pub fn has_param(&self, name: &str) -> bool {
        self.param(name).is_some()
    }

    /// Whether both mean the same resource (RFC 3261 §19.1.4, RFC 3966 §4). Not transitive, hence
    /// not `==`, which compares what is written.
    pub fn matches(&self, other: &Self) -> bool {
        compare::matches(self, other)
    }
}

impl SipUri {
    /// `sip:user@host`; what can't stand in a user part is percent-encoded.
    pub fn new(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        let user = user.map(encode_user);
        Self { secure: false, user, host, port, params: Vec::new(), headers: Vec::new() }
    }

    /// Adds a parameter; what can't stand in one is percent-encoded.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.push((encode_param(name), value.map(encode_param)));
        self
    }

    /// The user part, percent-decoded.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(decode)
    }

    /// The user part as written.
    pub fn user_text(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Headers a click on this URI would send; never obeyed here.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl TelUri {
    /// The number as written, visual separators included.
    pub fn number(&self) -> &str {
        &self.number
    }

    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl FromStr for Uri {
    type Err = NotAUri;

    fn from_str(text: &str) -> Result<Self, NotAUri> {
        let (scheme, rest) = split::scheme(text).ok_or(NotAUri)?;
        let owned = |params| {
            pairs(params, ';')
                .map(|(name, value): (&str, Option<&str>)| {
                    (name.to_owned(), value.map(str::to_owned))
                })
                .collect()
        };
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            let parts = SipParts::read(rest).ok_or(NotAUri)?;
            return Ok(Self::Sip(SipUri {
                secure: scheme.len() == 4,
                user: parts.user.map(str::to_owned),
                host: parts.host.parse().map_err(|_| NotAUri)?,
                port: parts.port,
                params: owned(parts.params),
                headers: pairs(parts.headers, '&')
                    .map(|(name, value)| (name.to_owned(), value.unwrap_or_default().to_owned()))
                    .collect(),
            }));
        }
        if scheme.eq_ignore_ascii_case("tel") {
            let parts = TelParts::read(rest).ok_or(NotAUri)?;
            return Ok(Self::Tel(TelUri {
                number: parts.number.to_owned(),
                params: owned(parts.params),
            }));
        }
        if !split::is_opaque(rest) {
            return Err(NotAUri);
        }
        Ok(Self::Other { scheme: scheme.to_owned(), text: rest.to_owned() })
    }
}

impl TryFrom<String> for Uri {
    type Error = NotAUri;

    fn try_from(text: String) -> Result<Self, NotAUri> {
        text.parse()
    }
}

impl From<Uri> for String {
    fn from(uri: Uri) -> Self {
        uri.to_string()
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Tel(uri) => {
                write!(f, "tel:{}", uri.number)?;
                write_params(f, &uri.params)
            }
            Self::Other { scheme, text } => write!(f, "{scheme}:{text}"),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write_params(f, &self.params)?;
        for (at, (name, value)) in self.headers.iter().enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

fn write_params(f: &mut fmt::Formatter<'_>, params: &[(String, Option<String>)]) -> fmt::Result {
    for (name, value) in params {
        match value {
            Some(value) => write!(f, ";{name}={value}")?,
            None => write!(f, ";{name}")?,
        }
    }
    Ok(())
}

/// A person or line under which phones register: `sip:user@host`, in the canonical form of RFC 3261
/// §10.3 (percent-decoded, no port, no parameters, host in small letters).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct AddressOfRecord {
    pub user: String,
    pub host: String,
}

impl AddressOfRecord {
    /// The address of record a SIP or SIPS URI with a user part stands for.
    pub fn of(uri: &Uri) -> Option<Self> {
        match uri {
            Uri::Sip(uri) => Some(Self {
                user: uri.user()?.into_owned(),
                host: uri.host.to_string().to_ascii_lowercase(),
            }),
            Uri::Tel(_) | Uri::Other { .. } => None,
        }
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sip:{}@{}", encode_user(&self.user), self.host)
    }
}

/// Undoes percent-encoding; what is not UTF-8 afterwards is taken for Latin-1.
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = decode_bytes(text);
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    })
}

fn decode_bytes(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2)));
        match pair {
            Some((high, low)) if *byte == b'%' => {
                decoded.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits"));
                at += 3;
            }
            Some(_) | None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

fn encode_user(text: &str) -> String {
    encode(text, b"&=+$,?/")
}

fn encode_param(text: &str) -> String {
    encode(text, b"[]/:&+$")
}

/// Percent-encodes everything but unreserved characters and `also`.
fn encode(text: &str, also: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_unreserved = byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
        if is_unreserved || also.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
