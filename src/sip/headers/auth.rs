use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::{find_outside, is_token_text, quote, trim, unquote};
use crate::sip::Algorithm;

/// The most parameters a challenge or credentials may have.
const FIELDS_MAX: usize = 32;

/// `WWW-Authenticate: Digest realm="…", nonce="…", …` (RFC 7616 §3.3).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub algorithm: Algorithm,
    /// The server knows the password to be right, only the nonce is too old.
    pub stale: bool,
    /// The server offers `qop=auth`; without, it speaks the digest of RFC 2069.
    pub qop_auth: bool,
}

/// `Authorization: Digest username="…", …` (RFC 7616 §3.4).
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Credentials {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    /// Lower-case hexadecimal.
    pub response: String,
    /// None if it names an algorithm we don't know; MD5 when it names none.
    pub algorithm: Option<Algorithm>,
    pub opaque: Option<String>,
    /// The value of `qop`.
    pub qop: Option<String>,
    /// The nonce count as written, eight hexadecimal digits.
    pub nc: Option<String>,
    pub cnonce: Option<String>,
}

impl Challenge {
    /// Reads a challenge; None if it is not Digest, lacks realm or nonce, or names an algorithm we
    /// don't know.
    pub fn read(value: &str) -> Option<Self> {
        let fields = Fields::read(value)?;
        let qop = fields.get("qop");
        let algorithm = algorithm(fields.get("algorithm").as_deref())?;
        Some(Self {
            realm: fields.get("realm")?,
            nonce: fields.get("nonce")?,
            opaque: fields.get("opaque"),
            algorithm,
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            qop_auth: qop.is_some_and(|qop| {
                qop.split(',').any(|option| trim(option).eq_ignore_ascii_case("auth"))
            }),
        })
    }
}

impl Credentials {
    /// Reads credentials; None if they are not Digest or lack username, realm, nonce, uri or
    /// response.
    pub fn read(value: &str) -> Option<Self> {
        let fields = Fields::read(value)?;
        Some(Self {
            username: fields.get("username")?,
            realm: fields.get("realm")?,
            nonce: fields.get("nonce")?,
            uri: fields.get("uri")?,
            response: fields.get("response")?.to_ascii_lowercase(),
            algorithm: algorithm(fields.get("algorithm").as_deref()),
            opaque: fields.get("opaque"),
            qop: fields.get("qop"),
            nc: fields.get("nc"),
            cnonce: fields.get("cnonce"),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (realm, nonce) = (quote(&self.realm), quote(&self.nonce));
        write!(f, "Digest realm={realm}, nonce={nonce}")?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quote(opaque))?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        write!(f, ", algorithm={}", token(self.algorithm))?;
        if self.qop_auth {
            f.write_str(", qop=\"auth\"")?;
        }
        Ok(())
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (username, realm) = (quote(&self.username), quote(&self.realm));
        let (nonce, uri) = (quote(&self.nonce), quote(&self.uri));
        write!(f, "Digest username={username}, realm={realm}, nonce={nonce}, uri={uri}")?;
        write!(f, ", response={}", quote(&self.response))?;
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={}", token(algorithm))?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quote(opaque))?;
        }
        if let Some(qop) = &self.qop {
            write!(f, ", qop={qop}")?;
        }
        if let Some(nc) = &self.nc {
            write!(f, ", nc={nc}")?;
        }
        if let Some(cnonce) = &self.cnonce {
            write!(f, ", cnonce={}", quote(cnonce))?;
        }
        Ok(())
    }
}

/// A listener's name is somebody's; a response could be guessed at. Neither goes into a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(·)")
    }
}

/// `MD5` when nothing is said; None for an algorithm we don't know.
fn algorithm(text: Option<&str>) -> Option<Algorithm> {
    match text {
        None => Some(Algorithm::Md5),
        Some(name) if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
        Some(name) if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
        Some(_) => None,
    }
}

fn token(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha256 => "SHA-256",
    }
}

/// The fields after `Digest`. Phones quote what should not be quoted and leave out quotes that
/// should be there; both are read.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(value: &'a str) -> Option<Self> {
        let (scheme, mut rest) = trim(value).split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut fields: Vec<(&str, &str)> = Vec::with_capacity(12);
        loop {
            let end = find_outside(rest, b',');
            let field = trim(&rest[..end.unwrap_or(rest.len())]);
            if !field.is_empty() {
                let (name, value) = field.split_once('=')?;
                let (name, value) = (trim(name), trim(value));
                let is_twice = fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
                if !is_token_text(name) || is_twice || fields.len() == FIELDS_MAX {
                    return None;
                }
                fields.push((name, value));
            }
            match end {
                Some(at) => rest = &rest[at + 1..],
                None => return Some(Self(fields)),
            }
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquote(value).into_owned())
    }
}
