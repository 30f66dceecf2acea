//! One browser on the road of its sound: where it is, whether it still wants to hear us, and its
//! handshake.
//!
//! An address counts when a check from there knew our password; the one the browser nominated
//! last is where we send. A browser that wants to begin anew (RFC 8445 §9) comes with new credentials:
//! the old ones are good until the new road is there, so that nothing is cut.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::handshake::{Handshake, LastWords, Step};
use super::ice::{Answer, Check};
use super::{Identity, News};
use crate::base::Moment;
use crate::media::engine::Door;
use crate::media::sdp::{Credentials, Meeting, Secured, Theirs};

/// One browser.
pub(super) struct Peer {
    meeting: Meeting,
    /// Ours and theirs before they wanted to begin anew.
    before: Option<(Credentials, Option<String>)>,
    /// Whose checks knew our password, the latest last.
    proven: Vec<SocketAddr>,
    chosen: Option<SocketAddr>,
    /// The last sign that it wants to hear us.
    consented_at: Option<Moment>,
    shaking: Shaking,
    /// Waits until the engine knows.
    secured: Option<Secured>,
    /// Where the engine thinks it is.
    told: Option<SocketAddr>,
    transmits: VecDeque<(SocketAddr, BytesMut)>,
}

enum Shaking {
    /// For their certificate's name, for a road, or for their first word.
    Waiting {
        failed: u8,
    },
    Going {
        handshake: Box<Handshake>,
        failed: u8,
    },
    /// Our last words may be asked for again for a while.
    Done {
        last_words: Option<LastWords>,
        at: Instant,
    },
    /// Tried often enough.
    GivenUp,
}

impl Peer {
    pub(super) fn new(meeting: &Meeting) -> Self {
        Self {
            meeting: meeting.clone(),
            before: None,
            proven: Vec::new(),
            chosen: None,
            consented_at: None,
            shaking: Shaking::Waiting { failed: 0 },
            secured: None,
            told: None,
            transmits: VecDeque::new(),
        }
    }

    /// Hears what was agreed on by signalling.
    pub(super) fn meet(&mut self, meeting: Meeting) {
        if self.meeting.ours != meeting.ours {
            let theirs = self.meeting.theirs.as_ref().map(|theirs| theirs.ice.name.clone());
            self.before = Some((self.meeting.ours.clone(), theirs));
        }
        let who = |theirs: &Theirs| (theirs.fingerprint, theirs.we_begin);
        if let (Some(old), Some(new)) = (&self.meeting.theirs, &meeting.theirs)
            && who(old) != who(new)
        {
            // Somebody else, or the same in another role: RFC 8842 §4 asks for a new handshake.
            self.shaking = Shaking::Waiting { failed: 0 };
        }
        self.meeting = meeting;
    }

    /// Takes a check, and returns what to answer if it knew our password.
    pub(super) fn checked(
        &mut self,
        source: SocketAddr,
        datagram: &[u8],
        now: Moment,
    ) -> Option<Answer> {
        let check = Check::read(datagram)?;
        let theirs = self.meeting.theirs.as_ref().map(|theirs| theirs.ice.name.as_str());
        if check.knows(&self.meeting.ours, theirs) {
            let answer = check.answer(source, &self.meeting.ours)?;
            if answer.succeeds {
                self.prove(source, check.nominates, now);
            }
            return Some(answer);
        }
        let (ours, theirs) = self.before.as_ref()?;
        if !check.knows(ours, theirs.as_deref()) {
            return None;
        }
        // The old road stays good; a new one is only made with the new password.
        if self.proven.contains(&source) {
            self.consented_at = Some(now);
        }
        check.answer(source, ours)
    }

    /// Takes a datagram of a handshake. T-14: from a proven address only.
    pub(super) fn shaken(&mut self, source: SocketAddr, datagram: &[u8], now: Instant) {
        if !self.proven.contains(&source) {
            return;
        }
        let step = match &mut self.shaking {
            Shaking::Going { handshake, .. } => handshake.received(datagram, now),
            Shaking::Done { last_words: Some(last_words), .. } => {
                let flight = last_words.received(datagram).iter().cloned();
                self.transmits.extend(flight.map(|datagram| (source, datagram)));
                return;
            }
            Shaking::Waiting { .. } | Shaking::Done { last_words: None, .. } | Shaking::GivenUp => {
                return;
            }
        };
        self.collect();
        self.stepped(step, now);
    }

    /// Begins what can begin, and lets time pass.
    pub(super) fn advance(&mut self, identity: &Identity, now: Moment, instant: Instant) {
        if let (Shaking::Waiting { failed }, Some(theirs), Some(_)) =
            (&self.shaking, &self.meeting.theirs, self.chosen)
        {
            let failed = *failed;
            self.shaking = match Handshake::new(identity, theirs, instant) {
                Ok(handshake) => Shaking::Going { handshake: Box::new(handshake), failed },
                Err(fault) => {
                    tracing::error!(%fault, "no handshake with a browser can be begun");
                    Shaking::GivenUp
                }
            };
        }
        let step = match &mut self.shaking {
            Shaking::Going { handshake, .. } => handshake.handle_timeout(instant),
            Shaking::Done { last_words, at } => {
                if instant >= *at + REMEMBERED {
                    *last_words = None;
                }
                Step::Going
            }
            Shaking::Waiting { .. } | Shaking::GivenUp => Step::Going,
        };
        self.collect();
        self.stepped(step, instant);
        if self.consented_at.is_some_and(|at| now >= at + CONSENT) {
            self.consented_at = None;
        }
    }

    /// When [`advance`](Self::advance) has something to do.
    pub(super) fn due(&self, beginning: Instant) -> Option<Moment> {
        let moment = |instant: Instant| Moment::START + instant.duration_since(beginning);
        let shaking = match &self.shaking {
            Shaking::Going { handshake, .. } => handshake.poll_timeout(),
            Shaking::Done { last_words: Some(_), at } => Some(*at + REMEMBERED),
            Shaking::Waiting { .. } | Shaking::Done { last_words: None, .. } | Shaking::GivenUp => {
                None
            }
        };
        let consent = self.consented_at.map(|at| at + CONSENT);
        [shaking.map(moment), consent].into_iter().flatten().min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<(SocketAddr, BytesMut)> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_news(&mut self, door: Door) -> Option<News> {
        let place = self.chosen.filter(|_| self.consented_at.is_some());
        if let (Some(_), Some(place)) = (&self.secured, place)
            && let Some(secured) = self.secured.take()
        {
            self.told = Some(place);
            return Some(News::Secured { door, secured, place });
        }
        let is_secured = matches!(self.shaking, Shaking::Done { .. }) || self.told.is_some();
        if self.secured.is_some() || !is_secured || self.told == place {
            return None;
        }
        self.told = place;
        Some(News::Placed { door, place })
    }

    /// A check from there knew our password.
    fn prove(&mut self, source: SocketAddr, nominates: bool, now: Moment) {
        self.consented_at = Some(now);
        self.proven.retain(|known| *known != source);
        if self.proven.len() >= PROVEN_MAX {
            let spare = self.proven.iter().position(|known| Some(*known) != self.chosen);
            self.proven.remove(spare.unwrap_or(0));
        }
        self.proven.push(source);
        if nominates {
            self.before = None;
        }
        if nominates || self.chosen.is_none() {
            self.chosen = Some(source);
        }
    }

    fn collect(&mut self) {
        let Shaking::Going { handshake, .. } = &mut self.shaking else { return };
        while let Some(datagram) = handshake.poll_transmit() {
            if let Some(to) = self.chosen {
                self.transmits.push_back((to, datagram));
            }
        }
    }

    fn stepped(&mut self, step: Step, now: Instant) {
        let Shaking::Going { failed, .. } = &self.shaking else { return };
        let failed = *failed + 1;
        match step {
            Step::Going => {}
            Step::Done(secured, last_words) => {
                self.secured = Some(secured);
                self.shaking = Shaking::Done { last_words, at: now };
            }
            Step::Failed(fault) => {
                tracing::warn!(%fault, "a handshake with a browser failed");
                self.shaking = match failed >= FAILURES_MAX {
                    true => Shaking::GivenUp,
                    false => Shaking::Waiting { failed },
                };
            }
        }
    }
}

/// RFC 7675 §5.1: a browser checks every few seconds, and who hasn't for so long is not there, or
/// doesn't want us.
const CONSENT: Duration = Duration::from_secs(30);

/// How long our last words may be asked for again (RFC 6347 §4.2.4).
const REMEMBERED: Duration = Duration::from_secs(20);

/// Roads a browser may have open: its addresses, each seen through some translator.
const PROVEN_MAX: usize = 16;

/// A forged word can spoil a handshake; the browser begins again by itself.
const FAILURES_MAX: u8 = 8;
