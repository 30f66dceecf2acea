//! One handshake (RFC 5764), on webrtc-rs's `rtc-dtls`.
//!
//! What goes in was admitted by the [`Guard`]. A mistake of the library ends this handshake and
//! nothing else. One is made up for here: its timer stops for good when the other side repeats
//! itself, so a flight that was lost would never be said again; then it is repeated from here.

use std::collections::VecDeque;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

use super::identity::FLIGHT_INTERVAL;
use super::{Guard, Identity};
use crate::media::rtp::srtp::{MasterKey, Suite};
use crate::media::sdp::{Secured, Theirs};

/// A handshake that is going on, or was.
pub(super) struct Handshake {
    endpoint: Endpoint,
    guard: Guard,
    we_begin: bool,
    seen: Arc<AtomicBool>,
    transmits: VecDeque<BytesMut>,
    /// Our last flight, as long as it may have to be repeated from here.
    flight: Vec<BytesMut>,
    repeat_at: Option<Instant>,
    repeated: u8,
}

/// What is left of a handshake that is done: our last flight, which the other side asks for by repeating
/// its own if it was lost (RFC 6347 §4.2.4).
#[derive(Debug)]
pub(super) struct LastWords {
    guard: Guard,
    flight: Vec<BytesMut>,
}

/// What came of a step.
#[derive(Debug)]
pub(super) enum Step {
    Going,
    /// Who began has heard the other side's last words, and is asked for nothing any more.
    Done(Secured, Option<LastWords>),
    Failed(String),
}

impl Handshake {
    /// Begins, or waits for the other side to begin.
    pub(super) fn new(identity: &Identity, theirs: &Theirs, now: Instant) -> Result<Self, String> {
        let seen = Arc::new(AtomicBool::new(false));
        let terms = identity.terms(theirs.fingerprint, theirs.we_begin, Arc::clone(&seen))?;
        let server = (!theirs.we_begin).then(|| Arc::clone(&terms));
        let mut endpoint = Endpoint::new(HERE, Default::default(), server);
        if theirs.we_begin {
            guarded(|| endpoint.connect(now, THERE, terms, None).map_err(|it| it.to_string()))?;
        }
        let mut handshake = Self {
            endpoint,
            guard: Guard::default(),
            we_begin: theirs.we_begin,
            seen,
            transmits: VecDeque::new(),
            flight: Vec::new(),
            repeat_at: None,
            repeated: 0,
        };
        handshake.collect();
        Ok(handshake)
    }

    pub(super) fn received(&mut self, datagram: &[u8], now: Instant) -> Step {
        if !self.guard.admits(datagram) {
            return Step::Going;
        }
        let endpoint = &mut self.endpoint;
        let events = guarded(|| {
            let datagram = BytesMut::from(datagram);
            endpoint.read(now, THERE, None, datagram).map_err(|fault| fault.to_string())
        });
        if self.collect() {
            self.repeated = 0;
        }
        let done = match events {
            Err(fault) => return Step::Failed(fault),
            Ok(events) => {
                events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete))
            }
        };
        match done {
            false => {
                let forgotten = self.endpoint.poll_timeout(&THERE).is_none();
                self.repeat_at = match forgotten && !self.flight.is_empty() {
                    true => self.repeat_at.or(Some(now + FLIGHT_INTERVAL)),
                    false => None,
                };
                Step::Going
            }
            true => match self.keys() {
                Some(secured) => {
                    self.repeat_at = None;
                    let flight = mem::take(&mut self.flight);
                    let last_words = LastWords { guard: self.guard, flight };
                    Step::Done(secured, (!self.we_begin).then_some(last_words))
                }
                None => Step::Failed("the other side agreed to other keys than ours".to_owned()),
            },
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Step {
        if self.repeat_at.is_some_and(|due| due <= now) {
            if self.repeated >= REPETITIONS_MAX {
                return Step::Failed("the other side doesn't answer".to_owned());
            }
            // Word for word: what arrived the first time is recognized by its numbers.
            self.transmits.extend(self.flight.iter().cloned());
            self.repeated += 1;
            self.repeat_at = Some(now + FLIGHT_INTERVAL);
        }
        if self.endpoint.poll_timeout(&THERE).is_none_or(|due| due > now) {
            return Step::Going;
        }
        let endpoint = &mut self.endpoint;
        let stepped =
            guarded(|| endpoint.handle_timeout(THERE, now).map_err(|fault| fault.to_string()));
        self.collect();
        match stepped {
            Ok(()) => Step::Going,
            Err(fault) => Step::Failed(fault),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.endpoint.poll_timeout(&THERE), self.repeat_at].into_iter().flatten().min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.transmits.pop_front()
    }

    /// Takes what the library wants sent; whether there was anything.
    fn collect(&mut self) -> bool {
        let flight: Vec<BytesMut> =
            std::iter::from_fn(|| self.endpoint.poll_transmit()).map(|it| it.message).collect();
        if flight.is_empty() {
            return false;
        }
        self.transmits.extend(flight.iter().cloned());
        self.flight = flight;
        true
    }

    /// RFC 5764 §4.2: both keys, then both salts, the client's first.
    fn keys(&self) -> Option<Secured> {
        let state = self.endpoint.get_connection_state(THERE)?;
        let profile = state.srtp_protection_profile();
        if profile != SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80
            || !self.seen.load(Ordering::Relaxed)
        {
            return None;
        }
        let material = state.export_keying_material(LABEL, &[], 2 * (KEY + SALT)).ok()?;
        let (keys, salts) = material.as_ref().split_at_checked(2 * KEY)?;
        let of = |at: usize| {
            let octets = [keys.chunks(KEY).nth(at)?, salts.chunks(SALT).nth(at)?].concat();
            MasterKey::new(Suite::AesCm128Sha1Tag80, &octets)
        };
        let (client, server) = (of(0)?, of(1)?);
        Some(match self.we_begin {
            true => Secured { ours: client, theirs: server },
            false => Secured { ours: server, theirs: client },
        })
    }
}

impl LastWords {
    /// What to answer, word for word: what arrived the first time is recognized by its numbers.
    pub(super) fn received(&mut self, datagram: &[u8]) -> &[BytesMut] {
        if self.guard.admits_repetition(datagram) { &self.flight } else { &[] }
    }
}

/// Lets the library make its mistakes.
fn guarded<T>(step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| Err("the library broke".to_owned()))
}

/// The library tells its peers apart by address; here each has a library of its own, and roads may
/// change under a handshake.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
const THERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 2);

/// As often as the library would.
const REPETITIONS_MAX: u8 = 7;

const LABEL: &str = "EXTRACTOR-dtls_srtp";
const KEY: usize = 16;
const SALT: usize = 14;
