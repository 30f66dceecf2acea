//! Digest authentication (RFC 7616, RFC 8760).

use serde::{Deserialize, Serialize};

use crate::base::{Mint, Moment};
use crate::sip::headers::{Challenge, Credentials};
use crate::sip::message::Method;
use crate::sip::{Account, Algorithm};

/// Asks strangers who they are and checks what they answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Authenticator {
    realm: String,
    mint: Mint,
}

/// What credentials are worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The password is right and the nonce fresh.
    Proved,
    /// The password is right but the nonce too old or used up: challenge again with `stale`.
    Stale,
    /// Anything else: challenge again, and count it.
    Refused,
}

#[expect(unused_variables, reason = "signatures first")]
impl Authenticator {
    pub fn new(realm: &str, mint: Mint) -> Self {
        Self { realm: realm.to_owned(), mint }
    }

    /// The values of WWW-Authenticate, one for each algorithm, best first.
    pub fn challenge(
        &mut self,
        algorithms: &[Algorithm],
        stale: bool,
        now: Moment,
    ) -> Vec<Challenge> {
        unimplemented!()
    }

    /// Checks credentials. `account` is None for a user we don't know; the work is the same.
    pub fn verify(
        &mut self,
        credentials: &Credentials,
        method: &Method,
        request_uri: &str,
        account: Option<&Account>,
        algorithms: &[Algorithm],
        now: Moment,
    ) -> Verdict {
        unimplemented!()
    }
}
