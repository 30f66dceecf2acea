//! One party's sound, both ways.
//!
//! What is sent to a party is played ([`Playout`]), relayed from another party ([`Bridge`]) or said
//! in a room ([`Mouth`](super::mouth::Mouth)), one of them at a time; it leaves in one series ([`Outgoing`]). What comes from a party is
//! believed by its source ([`SourceLock`]) and its SSRC ([`Incoming`]), read for keys, and handed
//! back to the engine, which knows who else should hear it.

mod hearing;
mod saying;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::armour::Armour;
use super::bridge::Bridge;
use super::codec::Codec;
use super::comfort::Comfort;
use super::engine::Door;
use super::incoming::Incoming;
use super::library::Library;
use super::outgoing::Outgoing;
use super::playout::Playout;
use super::reports::{JUDGED_FROM, Reports};
use super::sdp::{Abilities, Meeting, OurKeys, Secured, Session};
use super::source_lock::SourceLock;
use super::text::TextLine;
use super::{Notice, PlayRef, Quality, Refused, Road, Score, Sources};
use crate::base::{Mint, Moment, Sdp, StreamRef};

use saying::Played;

pub(super) use hearing::Heard;

/// One party's sound.
#[derive(Deserialize, Serialize)]
pub(super) struct Stream {
    name: StreamRef,
    port: u16,
    session: Session,
    lock: SourceLock,
    keys: Option<OurKeys>,
    offers_handshake: bool,
    demands_keys: bool,
    /// What the gateway was told of the browser at the other end.
    met: Option<Box<Meeting>>,
    armour: Option<Armour>,
    outgoing: Outgoing,
    incoming: Incoming,
    reports: Reports,
    playout: Option<Playout>,
    /// Who hears this party and is heard by it.
    partner: Option<Door>,
    /// From the partner's codec to this party's.
    bridge: Option<Bridge>,
    /// What it writes and reads, if it wants to.
    text: Option<Box<TextLine>>,
    /// The room it is in, by the door of who came first.
    room: Option<Door>,
    /// To this party's Opus, of what plays.
    #[serde(skip)]
    played: Option<Box<Played>>,
    /// What it hears while its partner is silent.
    comfort: Option<Comfort>,
    watch: Option<Watch>,
    /// The last sign of life.
    heard_at: Moment,
    /// When a door on the way was last kept open.
    kept_alive: Moment,
    strangers: u64,
    notices: VecDeque<Notice>,
}

/// Patience with a party that should be sending.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Watch {
    patience: Duration,
    /// The last sign of life, or when patience began.
    since: Moment,
    silent: bool,
}

impl Stream {
    pub(super) fn new(
        name: StreamRef,
        port: u16,
        sources: Sources,
        road: Road,
        mint: &mut Mint,
    ) -> Self {
        Self {
            name,
            port,
            session: Session::new(mint.number()),
            lock: SourceLock::new(sources),
            keys: match road {
                Road::Private | Road::Sealed => Some(OurKeys::new(|| mint.number())),
                Road::Readable | Road::Web => None,
            },
            offers_handshake: road == Road::Web,
            demands_keys: road == Road::Sealed,
            met: None,
            armour: None,
            outgoing: Outgoing::new(mint),
            incoming: Incoming::new(),
            reports: Reports::new(mint),
            playout: None,
            partner: None,
            bridge: None,
            text: None,
            room: None,
            played: None,
            comfort: None,
            watch: None,
            heard_at: Moment::START,
            kept_alive: Moment::START,
            strangers: 0,
            notices: VecDeque::new(),
        }
    }

    /// Reads an offer, and returns our answer.
    pub(super) fn answer(
        &mut self,
        offer: &[u8],
        abilities: &Abilities,
        like: Option<Codec>,
        now: Moment,
    ) -> Result<Sdp, Refused> {
        let answer = self.session.answer(offer, abilities, like)?;
        self.agree(now);
        Ok(answer.sdp)
    }

    /// Describes an offer of ours.
    pub(super) fn offer(&mut self, abilities: &Abilities, like: Option<Codec>) -> Sdp {
        self.session.offer(abilities, like)
    }

    /// Only these may be the party.
    pub(super) fn restrict(&mut self, sources: Sources) {
        if let Some(text) = &mut self.text {
            text.restrict(sources.clone());
        }
        self.lock.restrict(sources);
    }

    /// Takes the answer to it.
    pub(super) fn accept(&mut self, answer: &[u8], now: Moment) -> Result<(), Refused> {
        self.session.accept(answer)?;
        // It answers an offer that only it can have read.
        self.proven();
        self.agree(now);
        Ok(())
    }

    /// What the gateway is to do about this party's browser, if that changed.
    pub(super) fn meeting_changed(&mut self) -> Option<Option<Meeting>> {
        let meeting = match self.session.agreed() {
            Some(agreed) => agreed.meeting.clone(),
            None => self.session.offered().map(Box::new),
        };
        if meeting == self.met {
            return None;
        }
        self.met = meeting.clone();
        Some(meeting.map(|meeting| *meeting))
    }

    /// The handshake with a browser brought these keys; it is there.
    pub(super) fn secured(&mut self, secured: &Secured, place: SocketAddr) {
        if self.lock.is_led() {
            Armour::fit(&mut self.armour, Some(secured));
            self.lock.place(Some(place));
        }
    }

    /// The browser is somewhere else, or can't be reached.
    pub(super) fn placed(&mut self, place: Option<SocketAddr>, now: Moment) {
        if self.armour.is_none() {
            return;
        }
        self.lock.place(place);
        if place.is_none()
            && let Some(watch) = self.watch.as_mut().filter(|watch| !watch.silent)
        {
            watch.silent = true;
            watch.since = watch.since.min(now);
            let never = self.heard_at == Moment::START;
            self.notices.push_back(Notice::Silent { stream: self.name, since: watch.since, never });
        }
    }

    pub(super) fn is_led(&self) -> bool {
        self.met.is_some()
    }

    pub(super) fn offers_handshake(&self) -> bool {
        self.offers_handshake
    }

    pub(super) fn demands_keys(&self) -> bool {
        self.demands_keys
    }

    /// The party proved that it is where its signalling comes from.
    pub(super) fn proven(&mut self) {
        self.lock.proven();
        if let Some(text) = &mut self.text {
            text.proven();
        }
    }

    /// Plays something, instead of what is heard now.
    pub(super) fn play(&mut self, playout: Playout) {
        self.playout = Some(playout);
        self.outgoing.change_source();
    }

    pub(super) fn conclude(&mut self, now: Moment) {
        if let Some(playout) = &mut self.playout {
            playout.conclude(now);
        }
    }

    pub(super) fn hush(&mut self) {
        self.playout = None;
        self.outgoing.change_source();
    }

    /// From now on this party hears `partner`, who speaks `codec`.
    pub(super) fn join(&mut self, partner: Door, codec: Option<Codec>) {
        self.hush();
        self.comfort = None;
        self.partner = Some(partner);
        // Made now, so that the first packet need not wait for it.
        let guarded = self.lock.is_a_phone();
        self.bridge = codec.zip(self.codec()).and_then(|(from, to)| Bridge::new(from, to, guarded));
    }

    pub(super) fn part(&mut self) {
        if self.partner.take().is_some() {
            self.bridge = None;
            self.comfort = None;
            self.outgoing.change_source();
        }
    }

    pub(super) fn watch(&mut self, patience: Duration, now: Moment) {
        self.watch = Some(Watch { patience, since: now, silent: false });
    }

    /// Something broke here: all that is done with sound begins again, what was agreed on stays. `codec` is
    /// the partner's.
    pub(super) fn mend(&mut self, codec: Option<Codec>, mint: &mut Mint) {
        self.incoming = Incoming::new();
        self.reports = Reports::new(mint);
        self.played = None;
        self.comfort = None;
        let guarded = self.lock.is_a_phone();
        self.bridge = codec.zip(self.codec()).and_then(|(from, to)| Bridge::new(from, to, guarded));
        self.outgoing.change_source();
    }

    /// What plays begins again, or is over: then which it was.
    pub(super) fn play_again(&mut self) -> Option<PlayRef> {
        match self.playout.take()?.again() {
            Ok(playout) => {
                self.playout = Some(playout);
                None
            }
            Err(play) => Some(play),
        }
    }

    /// After a snapshot was taken up: finds the clips again.
    pub(super) fn find_clips(&mut self, library: &Library) {
        if let Some(playout) = &mut self.playout {
            playout.find_clips(library);
        }
    }

    pub(super) fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    pub(super) fn name(&self) -> StreamRef {
        self.name
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn partner(&self) -> Option<Door> {
        self.partner
    }

    pub(super) fn room(&self) -> Option<Door> {
        self.room
    }

    /// It is in this room from now on, or in none.
    pub(super) fn sits_in(&mut self, room: Option<Door>) {
        if self.room != room {
            self.room = room;
            self.outgoing.change_source();
        }
    }

    /// Its own text, once it has any.
    pub(super) fn text(&self) -> Option<&TextLine> {
        self.text.as_deref()
    }

    pub(super) fn text_mut(&mut self) -> Option<&mut TextLine> {
        self.text.as_deref_mut()
    }

    /// It may be asked about text from now on; a port for that was lent to it.
    pub(super) fn lend_text(&mut self, door: Door, port: u16, mint: &mut Mint) {
        let sources = self.lock.sources().clone();
        let mut text = TextLine::new(door, port, sources, self.keys.is_some(), mint);
        if self.lock.is_proven() {
            text.proven();
        }
        self.text = Some(Box::new(text));
    }

    pub(super) fn take_text(&mut self) -> Option<Box<TextLine>> {
        self.text.take()
    }

    /// The codec that was agreed on.
    pub(super) fn codec(&self) -> Option<Codec> {
        self.session.agreed().map(|agreed| agreed.codec)
    }

    /// Whether the party doesn't want to hear us now.
    pub(super) fn is_held(&self) -> bool {
        self.session.agreed().is_some_and(|agreed| agreed.held)
    }

    pub(super) fn quality(&self) -> Quality {
        let heard = self.incoming.quality();
        let outward = self.reports.outward();
        let sent = self.outgoing.packets();
        let expected = heard.received + heard.lost;
        let inward = (expected >= JUDGED_FROM).then(|| {
            let lost = heard.lost as f64 / expected as f64;
            Score::estimated(lost, heard.jitter, outward.round_trip.unwrap_or_default())
        });
        Quality {
            sent,
            strangers: self.strangers,
            lost_outward: outward.lost,
            round_trip: outward.round_trip,
            score: [inward, outward.score(sent)].into_iter().flatten().min(),
            ..heard
        }
    }

    pub(super) fn is_a_phone(&self) -> bool {
        self.lock.is_a_phone()
    }

    pub(super) fn keys(&self) -> Option<&OurKeys> {
        self.keys.as_ref()
    }

    /// Something was agreed on, for the first time or anew.
    fn agree(&mut self, now: Moment) {
        let Some(agreed) = self.session.agreed() else { return };
        self.lock.lead(agreed.meeting.is_some());
        if agreed.meeting.is_none() {
            self.lock.describe(agreed.remote_rtp.socket());
            Armour::fit(&mut self.armour, agreed.secured.as_ref());
        }
        if let Some(text) = &mut self.text {
            text.agree(agreed.text.as_deref());
        }
        // Phones begin a new series after a hold, with a new SSRC.
        self.incoming.begin_anew();
        self.reports.begin(now);
        self.kept_alive = self.kept_alive.max(now);
        if let Some(watch) = &mut self.watch {
            watch.since = now;
        }
    }
}
