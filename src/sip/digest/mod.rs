//! Digest authentication (RFC 7616, with the algorithms of RFC 8760), both sides of it.
//!
//! [`Authenticator`] challenges and checks. A nonce carries its own age and proof, so a challenge
//! costs no memory, however many strangers ask for one. Memory is spent only on nonces that somebody
//! with the right password has used, to refuse the same request a second time.
//! [`Credentials::answer`] is the other side, for phones of our own and for trunks.
//!
//! A user that does not exist gets the same challenge, and the same work is done on what he answers
//! (T-02). Who failed too often, and what then, is decided elsewhere.

mod nonce;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base::{Mint, Moment, in_hexadecimal};
use crate::sip::headers::{Challenge, Credentials};
use crate::sip::message::Method;
use crate::sip::uri::Uri;
use crate::sip::{Account, Algorithm};
use nonce::{Nonces, Use};

/// Asks strangers who they are and checks what they answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Authenticator {
    realm: String,
    opaque: String,
    nonces: Nonces,
}

/// What credentials are worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The password is right and the nonce fresh.
    Proved,
    /// The password is right but the nonce too old, used up, or from before a restart: challenge
    /// again with `stale`, and don't count it.
    Stale,
    /// Anything else: challenge again, and count it.
    Refused,
}

impl Authenticator {
    pub fn new(realm: &str, mut mint: Mint) -> Self {
        Self { realm: realm.to_owned(), opaque: mint.token(), nonces: Nonces::new(mint) }
    }

    /// The values of WWW-Authenticate, one for each algorithm in the order given. They hold nothing
    /// about the user asked for.
    pub fn challenge(
        &mut self,
        algorithms: &[Algorithm],
        stale: bool,
        now: Moment,
    ) -> Vec<Challenge> {
        let nonce = self.nonces.issue(now);
        algorithms
            .iter()
            .map(|algorithm| Challenge {
                realm: self.realm.clone(),
                nonce: nonce.clone(),
                opaque: Some(self.opaque.clone()),
                algorithm: *algorithm,
                stale,
                qop_auth: true,
            })
            .collect()
    }

    /// Checks credentials for our realm. `account` is that of [`Credentials::username`], or None if
    /// there is none; `algorithms` are those we take from it.
    pub fn verify(
        &mut self,
        credentials: &Credentials,
        method: &Method,
        request_uri: &str,
        account: Option<&Account>,
        algorithms: &[Algorithm],
        now: Moment,
    ) -> Verdict {
        let algorithm = credentials.algorithm.unwrap_or(Algorithm::Md5);
        let ha1 = match (account, algorithm) {
            (Some(account), Algorithm::Md5) => account.ha1_md5.as_str(),
            (Some(account), Algorithm::Sha256) => account.ha1_sha256.as_str(),
            // Nobody's digest: work for the sake of the time it takes.
            (None, Algorithm::Md5) => "00000000000000000000000000000000",
            (None, Algorithm::Sha256) => {
                "0000000000000000000000000000000000000000000000000000000000000000"
            }
        };
        let expected = response(credentials, algorithm, ha1, method);
        let is_right = bool::from(expected.as_bytes().ct_eq(credentials.response.as_bytes()));
        let count = self.count(credentials);
        let is_proof = is_right
            && account.is_some_and(|account| !account_digest(account, algorithm).is_empty())
            && credentials.algorithm.is_some_and(|algorithm| algorithms.contains(&algorithm))
            && credentials.realm == self.realm
            && is_for(&credentials.uri, request_uri);
        let Some(count) = count.filter(|_| is_proof) else {
            return Verdict::Refused;
        };
        match self.nonces.spend(&credentials.nonce, count, now) {
            Use::First => Verdict::Proved,
            Use::Again | Use::TooOld | Use::NotOurs => Verdict::Stale,
        }
    }

    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The nonce count; None unless the credentials are of `qop=auth`, whole, or older than that
    /// (RFC 2069, as RFC 2617 §3.2.2 lets clients be): some phones still are, and their nonce is
    /// worth one request.
    fn count(&self, credentials: &Credentials) -> Option<u32> {
        let Some(qop) = &credentials.qop else { return Some(ONLY) };
        let is_auth = qop.eq_ignore_ascii_case("auth");
        let has_cnonce = credentials.cnonce.as_deref().is_some_and(|cnonce| !cnonce.is_empty());
        let nc = credentials.nc.as_deref().filter(|nc| {
            (1..=8).contains(&nc.len()) && nc.bytes().all(|byte| byte.is_ascii_hexdigit())
        })?;
        u32::from_str_radix(nc, 16).ok().filter(|count| is_auth && has_cnonce && *count > 0)
    }
}

/// How a client proves itself.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    Password(&'a str),
    /// H(user:realm:password) in the challenge's algorithm, hexadecimal.
    Ha1(&'a str),
}

impl Credentials {
    /// Answers a challenge. `count` is 1 for the first use of its nonce, then 2, …; `cnonce` is
    /// fresh chance.
    pub fn answer(
        challenge: &Challenge,
        username: &str,
        secret: Secret<'_>,
        method: &Method,
        uri: &str,
        count: u32,
        cnonce: &str,
    ) -> Self {
        let ha1 = match secret {
            Secret::Password(password) => {
                ha1(challenge.algorithm, username, &challenge.realm, password)
            }
            Secret::Ha1(ha1) => ha1.to_owned(),
        };
        let mut credentials = Self {
            username: username.to_owned(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: String::new(),
            algorithm: Some(challenge.algorithm),
            opaque: challenge.opaque.clone(),
            qop: challenge.qop_auth.then(|| "auth".to_owned()),
            nc: challenge.qop_auth.then(|| format!("{count:08x}")),
            cnonce: challenge.qop_auth.then(|| cnonce.to_owned()),
        };
        credentials.response = response(&credentials, challenge.algorithm, &ha1, method);
        credentials
    }
}

/// H(user:realm:password), lower-case hexadecimal: what an [`Account`] keeps.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    hash(algorithm, &[username, realm, password])
}

/// The count of a nonce that is used without counting.
const ONLY: u32 = 1;

/// The response that these credentials should have (RFC 7616 §3.4.1).
fn response(credentials: &Credentials, algorithm: Algorithm, ha1: &str, method: &Method) -> String {
    let ha2 = hash(algorithm, &[method.as_str(), &credentials.uri]);
    let nonce = credentials.nonce.as_str();
    let Some(qop) = &credentials.qop else {
        return hash(algorithm, &[ha1, nonce, &ha2]);
    };
    let nc = credentials.nc.as_deref().unwrap_or_default();
    let cnonce = credentials.cnonce.as_deref().unwrap_or_default();
    hash(algorithm, &[ha1, nonce, nc, cnonce, qop, &ha2])
}

fn account_digest(account: &Account, algorithm: Algorithm) -> &str {
    match algorithm {
        Algorithm::Md5 => &account.ha1_md5,
        Algorithm::Sha256 => &account.ha1_sha256,
    }
}

/// Whether credentials made for `uri` are for this Request-URI: the same user at the same host.
/// Phones write port and parameters differently in the two places.
fn is_for(uri: &str, request_uri: &str) -> bool {
    if uri == request_uri {
        return true;
    }
    match (uri.parse(), request_uri.parse()) {
        (Ok(Uri::Sip(one)), Ok(Uri::Sip(two))) => {
            one.user() == two.user() && one.host.matches(&two.host)
        }
        (Ok(one), Ok(two)) => Uri::matches(&one, &two),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// The hash of the parts with colons between, in lower-case hexadecimal.
fn hash(algorithm: Algorithm, parts: &[&str]) -> String {
    fn of<D: Digest>(parts: &[&str]) -> String {
        let mut digest = D::new();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                digest.update(b":");
            }
            digest.update(part.as_bytes());
        }
        in_hexadecimal(&digest.finalize())
    }
    match algorithm {
        Algorithm::Md5 => of::<Md5>(parts),
        Algorithm::Sha256 => of::<Sha256>(parts),
    }
}

#[cfg(test)]
mod tests;
