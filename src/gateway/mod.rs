//! Browsers' sound: what a plain telephone doesn't need before it can talk.
//!
//! A browser won't send a packet before it has found the road (ICE, RFC 8445) and shaken hands on it
//! (DTLS-SRTP, RFC 5764). Both happen here, on the stream's own port, beside its media thread; then
//! the [`engine`](crate::media::engine) gets the keys and the address, and the stream is like any
//! other protected one. The handshake is webrtc-rs's (`rtc-dtls`); the packets stay ours.
//!
//! ```text
//!  engine ── Meeting ──►  Gateway  ── News: Secured, Placed ──► engine
//!                            ▲ checks and handshakes, told apart by their first byte (RFC 7983)
//! ```
//!
//! We are ICE-lite: browsers find us, we answer. Nothing is believed or answered that doesn't know the
//! password of our description, and no handshake is begun but from an address that proved it
//! (domain.md T-14). Pure but for the certificate: time comes as an argument, datagrams leave
//! through a [`Sink`].
//!
//! | file | |
//! |---|---|
//! | `ice` | checks: read, judged, answered |
//! | `guard` | which handshake datagrams may be looked at |
//! | `handshake` | one handshake, on `rtc-dtls` |
//! | `identity` | our certificate |
//! | `peer` | one browser: its road, its handshake, its consent |
//! | `visitor` | the other end, for tests |

mod guard;
mod handshake;
pub mod ice;
mod identity;
mod peer;
mod visitor;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

pub use guard::Guard;
pub use identity::{Identity, NoIdentity};
pub use visitor::Visitor;

use self::peer::Peer;
use crate::base::Moment;
use crate::media::engine::{Door, Lane, Sink};
use crate::media::sdp::{Meeting, Secured};

/// The browsers of one media thread.
pub struct Gateway {
    identity: Arc<Identity>,
    /// [`Moment::START`], for `rtc-dtls`, which counts otherwise.
    beginning: Instant,
    peers: BTreeMap<Door, Peer>,
    due: Option<Moment>,
    news: VecDeque<News>,
}

/// What the engine should know.
#[derive(Clone, Debug)]
pub enum News {
    /// The handshake is done: these are the keys, and the browser is there.
    Secured { door: Door, secured: Secured, place: SocketAddr },
    /// It is somewhere else now; `None`: it hasn't let us know for too long that it still wants to
    /// hear us (RFC 7675).
    Placed { door: Door, place: Option<SocketAddr> },
}

impl News {
    fn door(&self) -> Door {
        match self {
            Self::Secured { door, .. } | Self::Placed { door, .. } => *door,
        }
    }
}

/// Whether a datagram is for the gateway: STUN and DTLS, and what never was sound (RFC 7983).
pub fn is_for_the_gateway(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < FIRST_OF_OTHERS)
}

impl Gateway {
    pub fn new(identity: Arc<Identity>, beginning: Instant) -> Self {
        Self { identity, beginning, peers: BTreeMap::new(), due: None, news: VecDeque::new() }
    }

    /// Expects a browser at a door, or hears more of it; or none any longer.
    pub fn meet(
        &mut self,
        door: Door,
        meeting: Option<Meeting>,
        now: Moment,
        sink: &mut impl Sink,
    ) {
        let Some(meeting) = meeting else {
            self.peers.remove(&door);
            self.news.retain(|news| news.door() != door);
            return;
        };
        let peer = self.peers.entry(door).or_insert_with(|| Peer::new(&meeting));
        peer.meet(meeting);
        self.advance(door, now, sink);
    }

    /// Takes a datagram that [`is_for_the_gateway`].
    pub fn received(
        &mut self,
        door: Door,
        source: SocketAddr,
        datagram: &[u8],
        now: Moment,
        sink: &mut impl Sink,
    ) {
        let instant = self.instant(now);
        let Some(peer) = self.peers.get_mut(&door) else { return };
        match datagram.first() {
            Some(0..4) => {
                if let Some(answer) = peer.checked(source, datagram, now) {
                    sink.send(door, Lane::Rtp, source, answer.octets());
                }
            }
            Some(20..64) => peer.shaken(source, datagram, instant),
            Some(_) | None => return,
        }
        self.advance(door, now, sink);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Moment, sink: &mut impl Sink) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = None;
        let doors: Vec<Door> = self.peers.keys().copied().collect();
        for door in doors {
            self.advance(door, now, sink);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.due
    }

    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Every browser is gone.
    pub fn clear(&mut self) {
        self.peers.clear();
        self.news.clear();
        self.due = None;
    }

    /// Does what is due for one browser, sends what it wants sent, and tells what changed.
    fn advance(&mut self, door: Door, now: Moment, sink: &mut impl Sink) {
        let instant = self.instant(now);
        let Some(peer) = self.peers.get_mut(&door) else { return };
        peer.advance(&self.identity, now, instant);
        while let Some((to, datagram)) = peer.poll_transmit() {
            sink.send(door, Lane::Rtp, to, &datagram);
        }
        while let Some(news) = peer.poll_news(door) {
            self.news.push_back(news);
        }
        let due = peer.due(self.beginning);
        self.due = [self.due, due].into_iter().flatten().min();
    }

    fn instant(&self, now: Moment) -> Instant {
        self.beginning + now.since_start()
    }
}

/// STUN has 0–3, ZRTP 16–19, DTLS 20–63; TURN and RTP come after.
const FIRST_OF_OTHERS: u8 = 64;

#[cfg(test)]
mod tests;
