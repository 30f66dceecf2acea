//! The other end of a road, for tests, fuzzers and benches: what a browser does before it talks.

use std::time::Instant;

use super::handshake::{Handshake, Step};
use super::{Identity, NoIdentity, ice};
use crate::media::sdp::{Credentials, Fingerprint, Secured, Theirs};

/// A browser without a page, a screen or a microphone.
pub struct Visitor {
    ice: Credentials,
    fingerprint: Fingerprint,
    handshake: Handshake,
    keys: Option<Secured>,
}

impl Visitor {
    /// Visits the owner of this certificate; `begins` the handshake, or waits for it.
    pub fn new(theirs: Fingerprint, begins: bool, now: Instant) -> Result<Self, NoIdentity> {
        let identity = Identity::new()?;
        let ice = Credentials { name: "them".to_owned(), password: "z".repeat(24) };
        let host = Theirs { ice: ice.clone(), fingerprint: theirs, we_begin: begins };
        let handshake = Handshake::new(&identity, &host, now).map_err(NoIdentity)?;
        Ok(Self { ice, fingerprint: identity.fingerprint(), handshake, keys: None })
    }

    pub fn ice(&self) -> &Credentials {
        &self.ice
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// A check of the road to the owner of these credentials.
    pub fn check(&self, host: &Credentials, nominates: bool) -> Vec<u8> {
        ice::request(host, &self.ice.name, nominates)
    }

    /// Takes a datagram of the handshake.
    pub fn received(&mut self, datagram: &[u8], now: Instant) {
        let step = self.handshake.received(datagram, now);
        self.stepped(step);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let step = self.handshake.handle_timeout(now);
        self.stepped(step);
    }

    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.handshake.poll_transmit().map(|datagram| datagram.to_vec())
    }

    /// What protects the sound, once the handshake is done.
    pub fn keys(&self) -> Option<&Secured> {
        self.keys.as_ref()
    }

    fn stepped(&mut self, step: Step) {
        if let Step::Done(keys, _) = step {
            self.keys = Some(keys);
        }
    }
}
