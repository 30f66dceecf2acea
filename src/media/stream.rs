//! One party's sound, both ways.
//!
//! What is sent to a party is played ([`Playout`]), relayed from another party ([`Bridge`]) or said
//! in a room ([`Mouth`]), one of them at a time; it leaves in one series ([`Outgoing`]). What comes from a party is
//! believed by its source ([`SourceLock`]) and its SSRC ([`Incoming`]), read for keys, and handed
//! back to the engine, which knows who else should hear it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::armour::{Armour, PACKET_MAX};
use super::bridge::Bridge;
use super::codec::opus::OCTETS_MAX;
use super::codec::{Codec, Decoder};
use super::comfort::Comfort;
use super::ear::{Frame, WIDE};
use super::engine::{Door, Lane, Sink};
use super::incoming::Incoming;
use super::library::Library;
use super::mouth::Mouth;
use super::outgoing::Outgoing;
use super::playout::{Playout, Step};
use super::reports::{JUDGED_FROM, Reports};
use super::rtp::rtcp::REPORT_MAX;
use super::rtp::srtp::OVERHEAD_MAX;
use super::rtp::{HEADER_LENGTH, Header, Packet};
use super::sdp::{Abilities, Meeting, OurKeys, Secured, Session};
use super::sound::FRAME_OCTETS;
use super::source_lock::SourceLock;
use super::text::TextLine;
use super::{Notice, PlayRef, Quality, Refused, Road, Score, Sources};
use crate::base::{Mint, Moment, Now, Sdp, StreamRef};

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

/// Makes Opus of prompts, while they play: few hear them so.
struct Played {
    decoder: Decoder,
    mouth: Mouth,
}

/// What a packet was.
pub(super) enum Heard {
    Nothing,
    /// For the partner's ears.
    Sound {
        header: Header,
        codec: Codec,
        payload: Range<usize>,
    },
    /// Believed, but not for the partner's ears: a key pressed.
    Unsaid {
        header: Header,
    },
    /// The party is silent, and says how its room sounds (RFC 3389).
    Quiet {
        header: Header,
        noise: Range<usize>,
    },
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

    /// Takes a packet of sound.
    pub(super) fn received(&mut self, source: SocketAddr, packet: &mut [u8], now: Moment) -> Heard {
        let Some(agreed) = self.session.agreed() else {
            return Heard::Nothing;
        };
        if self.lock.is_foreign(source) {
            self.strangers += 1;
            return Heard::Nothing;
        }
        // Before anything is believed, where the packet came from included (T-12).
        let packet = match &mut self.armour {
            None => packet,
            Some(armour) => match armour.open(packet) {
                Some(length) => &mut packet[..length],
                None => {
                    self.strangers += 1;
                    return Heard::Nothing;
                }
            },
        };
        let Ok(Packet { mut header, payload }) = Packet::parse(packet) else {
            return Heard::Nothing;
        };
        if !self.lock.hears(source) {
            self.strangers += 1;
            return Heard::Nothing;
        }
        header.timestamp = self.incoming.at_8_khz(header.timestamp, agreed.codec.clock_ratio());
        if !self.incoming.believes(header, now) {
            return Heard::Nothing;
        }
        let event = agreed.telephone_event.map(|numbers| numbers.receive);
        let codec = agreed.codec_received(header.payload_type);
        let wanted = agreed.direction.receives() && !payload.is_empty();
        let start = payload.as_ptr().addr() - packet.as_ptr().addr();
        let range = start..start + payload.len();
        self.sign_of_life(now);
        if event == Some(header.payload_type) {
            if let Some(digit) = self.incoming.key(header, &packet[range], now) {
                self.notices.push_back(Notice::Digit { stream: self.name, digit });
            }
            return Heard::Unsaid { header };
        }
        match codec {
            Some(codec) if wanted => Heard::Sound { header, codec, payload: range },
            None if wanted && header.payload_type == Comfort::PAYLOAD_TYPE => {
                Heard::Quiet { header, noise: range }
            }
            // What was never agreed on.
            Some(_) | None => Heard::Unsaid { header },
        }
    }

    /// Takes a report about what we send. A goodbye in it means nothing: signalling ends calls
    /// (T-12).
    pub(super) fn report_received(&mut self, source: SocketAddr, packet: &mut [u8], now: Now) {
        if !self.lock.hears_report(source) {
            self.strangers += 1;
            return;
        }
        let packet = match &mut self.armour {
            None => packet,
            Some(armour) => match armour.open_report(packet) {
                Some(length) => &mut packet[..length],
                None => {
                    self.strangers += 1;
                    return;
                }
            },
        };
        if self.reports.read(packet, &self.outgoing, &mut self.incoming, now) {
            self.sign_of_life(now.steady);
        }
    }

    /// Sends this party what its partner said. The header is written before the payload where it
    /// lies, over the one it came with. Says whether it could: otherwise they need a room.
    pub(super) fn relay(
        &mut self,
        door: Door,
        said: (Header, Codec),
        packet: &mut [u8],
        payload: Range<usize>,
        now: Moment,
        sink: &mut impl Sink,
    ) -> bool {
        let (header, from) = said;
        let (Some(agreed), Some(target)) = (self.session.agreed(), self.lock.target()) else {
            return true;
        };
        if self.playout.is_some() || !agreed.direction.sends() || self.is_gone(now) {
            return true;
        }
        self.comfort = None;
        let to = agreed.codec;
        let number = agreed.payload_type_send;
        let bridge = match &mut self.bridge {
            Some(bridge) if bridge.is_between(from, to) => bridge,
            // The codec was agreed on, or changed, since they were joined.
            other => match Bridge::new(from, to, self.lock.is_a_phone()) {
                Some(bridge) => other.insert(bridge),
                None => return false,
            },
        };
        let Some(header) = self.outgoing.carry(header, number, payload.len(), now) else {
            return true;
        };
        bridge.convert(&mut packet[payload.clone()]);
        let start = payload.start - HEADER_LENGTH;
        packet[start..payload.start].copy_from_slice(&header.to_bytes());
        self.send(door, target, &packet[start..payload.end], sink);
        true
    }

    /// Sends this party 20 ms of what others in its room say.
    pub(super) fn say(
        &mut self,
        door: Door,
        mouth: &mut Option<Mouth>,
        frame: &Frame,
        wide: bool,
        now: Moment,
        sink: &mut impl Sink,
    ) {
        let Some(agreed) = self.session.agreed() else { return };
        if self.playout.is_some() || !agreed.direction.sends() || self.is_gone(now) {
            return self.outgoing.change_source();
        }
        self.comfort = None;
        let mouth = match mouth {
            Some(mouth) if mouth.is_for(agreed.codec, wide) => mouth,
            other => other.insert(Mouth::new(agreed.codec, wide, self.lock.is_a_phone())),
        };
        let mut octets = [0; OCTETS_MAX];
        let length = mouth.say(frame, &mut octets);
        self.send_frame(door, &octets[..length], now, sink);
    }

    /// Sends 20 ms of sound, encoded, in one packet or two.
    fn send_frame(&mut self, door: Door, octets: &[u8], now: Moment, sink: &mut impl Sink) {
        let (Some(agreed), Some(target)) = (self.session.agreed(), self.lock.target()) else {
            return;
        };
        let (number, ratio) = (agreed.payload_type_send, agreed.codec.clock_ratio());
        let (size, ticks) = match agreed.codec {
            Codec::Opus => (octets.len().max(1), Some(FRAME_OCTETS)),
            Codec::Pcma | Codec::Pcmu | Codec::G722 => {
                let size = agreed.packet_time.as_millis() as usize * 8;
                (size.clamp(1, FRAME_OCTETS), None)
            }
        };
        for octets in octets.chunks(size) {
            let ticks = ticks.unwrap_or(octets.len());
            let mut header = self.outgoing.next_lasting(number, ticks, octets.len(), now);
            header.timestamp = header.timestamp.wrapping_mul(ratio);
            let mut packet = [0; HEADER_LENGTH + OCTETS_MAX + OVERHEAD_MAX];
            let Some(length) = header.write(octets, &mut packet) else { continue };
            if let Some(length) = armoured(&mut self.armour, &mut packet, length) {
                sink.send(door, Lane::Rtp, target, &packet[..length]);
            }
        }
    }

    /// The partner is silent: this party hears the other room's noise until the voice is back.
    pub(super) fn hear_quiet(&mut self, header: Header, noise: &[u8]) {
        self.outgoing.pass_over(header);
        if self.comfort.is_none()
            && let Some(codec) = self.codec().filter(|codec| *codec != Codec::Opus)
        {
            self.comfort = Some(Comfort::new(noise, codec));
        }
    }

    /// The partner sent something that is not for this party.
    pub(super) fn pass_over(&mut self, header: Header) {
        self.outgoing.pass_over(header);
    }

    /// Plays 20 ms, and looks after patience and reports. Called every 20 ms.
    pub(super) fn tick(&mut self, door: Door, now: Now, mint: &mut Mint, sink: &mut impl Sink) {
        self.play_on(door, now.steady, sink);
        if let Some(text) = &mut self.text {
            text.tick(now.steady, sink);
        }
        self.fill_quiet(door, now.steady, sink);
        self.keep_alive(door, now.steady, sink);
        self.lose_patience(now.steady);
        if self.reports.is_due(now.steady) {
            self.report(door, now, mint, sink);
        }
    }

    /// Tells the party that no more will come.
    pub(super) fn say_goodbye(&mut self, door: Door, now: Now, sink: &mut impl Sink) {
        if let Some(target) = self.report_target()
            && self.outgoing.packets() > 0
        {
            let mut buffer = [0; REPORT_MAX + OVERHEAD_MAX];
            let ratio = self.codec().map_or(1, Codec::clock_ratio);
            let length = self.reports.write_goodbye(
                &self.outgoing,
                &mut self.incoming,
                ratio,
                now,
                &mut buffer,
            );
            self.send_report(door, target, &mut buffer, length, sink);
        }
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

    /// RFC 8083 §4.1, with care: a party that used to report how it hears us, and of which nothing
    /// at all has come for six of its reports' intervals, isn't there. It gets what keeps its doors
    /// open, and all the rest as soon as it stirs. Who never reports is believed to be listening.
    fn is_gone(&self, now: Moment) -> bool {
        self.reports.outward().heard_at.is_some() && now - self.heard_at > GONE_AFTER
    }

    fn play_on(&mut self, door: Door, now: Moment, sink: &mut impl Sink) {
        let gone = self.is_gone(now);
        let (Some(playout), Some(agreed)) = (&mut self.playout, self.session.agreed()) else {
            return;
        };
        if self.lock.target().is_none() {
            return;
        }
        let opus = agreed.codec == Codec::Opus;
        match playout.next(if opus { Codec::G722 } else { agreed.codec }, now) {
            // Who holds us hears nothing, and time goes by all the same.
            Step::Frame(_) if gone || !agreed.direction.sends() => self.outgoing.change_source(),
            Step::Frame(octets) if opus => {
                let played = self.played.get_or_insert_with(|| {
                    let (from, to) = (Codec::G722, Codec::Opus);
                    let mouth = Mouth::new(to, true, false);
                    Box::new(Played { decoder: Decoder::new(from), mouth })
                });
                let (mut frame, mut encoded) = ([0; WIDE], [0; OCTETS_MAX]);
                played.decoder.decode(octets, &mut frame);
                let length = played.mouth.say(&frame, &mut encoded);
                self.send_frame(door, &encoded[..length], now, sink);
            }
            Step::Frame(octets) => {
                let mut frame = [0; FRAME_OCTETS];
                let length = octets.len().min(FRAME_OCTETS);
                frame[..length].copy_from_slice(&octets[..length]);
                self.send_frame(door, &frame[..length], now, sink);
            }
            Step::Over { play, cut } => {
                self.notices.push_back(Notice::Finished { stream: self.name, play, cut });
                self.hush();
            }
        }
    }

    /// A frame of the partner's room, if the partner is silent and nothing plays.
    fn fill_quiet(&mut self, door: Door, now: Moment, sink: &mut impl Sink) {
        let gone = self.is_gone(now);
        let (Some(comfort), Some(agreed)) = (&mut self.comfort, self.session.agreed()) else {
            return;
        };
        let Some(target) = self.lock.target() else {
            return;
        };
        let wanted = !gone && self.playout.is_none() && agreed.direction.sends();
        if !wanted || !comfort.is_for(agreed.codec) {
            self.comfort = None;
            return;
        }
        let octets = comfort.frame();
        let header = self.outgoing.next(agreed.payload_type_send, octets.len(), now);
        let mut packet = [0; HEADER_LENGTH + FRAME_OCTETS];
        if let Some(length) = header.write(&octets, &mut packet) {
            self.send(door, target, &packet[..length], sink);
        }
    }

    /// RFC 6263: a door on the way there closes when nothing passes through it, so something does,
    /// on hold, too. §4.6: a payload type that nobody agreed on is ignored by whoever gets it.
    fn keep_alive(&mut self, door: Door, now: Moment, sink: &mut impl Sink) {
        let Some(target) = self.lock.target() else { return };
        let due = self.outgoing.sent_at().max(self.kept_alive) + KEEP_ALIVE;
        if self.session.agreed().is_none() || now < due {
            return;
        }
        self.kept_alive = now;
        let header = self.outgoing.next(KEEP_ALIVE_TYPE, 0, now);
        self.send(door, target, &header.to_bytes(), sink);
        self.outgoing.change_source();
    }

    fn lose_patience(&mut self, now: Moment) {
        let Some(watch) = &mut self.watch else { return };
        let should_send = self.session.agreed().is_some_and(|agreed| agreed.direction.receives());
        if !should_send {
            watch.since = now;
        } else if !watch.silent && now - watch.since >= watch.patience {
            watch.silent = true;
            let never = self.heard_at == Moment::START;
            self.notices.push_back(Notice::Silent { stream: self.name, since: watch.since, never });
        }
    }

    fn sign_of_life(&mut self, now: Moment) {
        self.heard_at = now;
        let Some(watch) = &mut self.watch else { return };
        watch.since = now;
        if std::mem::take(&mut watch.silent) {
            self.notices.push_back(Notice::Heard { stream: self.name });
        }
    }

    fn report(&mut self, door: Door, now: Now, mint: &mut Mint, sink: &mut impl Sink) {
        self.reports.put_off(now.steady, mint);
        if let Some(target) = self.report_target() {
            let mut buffer = [0; REPORT_MAX + OVERHEAD_MAX];
            let ratio = self.codec().map_or(1, Codec::clock_ratio);
            let length =
                self.reports.write(&self.outgoing, &mut self.incoming, ratio, now, &mut buffer);
            self.send_report(door, target, &mut buffer, length, sink);
        }
    }

    /// Sends a packet of sound, in its armour if it needs one.
    fn send(&mut self, door: Door, target: SocketAddr, packet: &[u8], sink: &mut impl Sink) {
        if self.armour.is_none() {
            return sink.send(door, Lane::Rtp, target, packet);
        }
        let mut buffer = [0; PACKET_MAX + OVERHEAD_MAX];
        let Some(room) = buffer.get_mut(..packet.len()) else { return };
        room.copy_from_slice(packet);
        if let Some(length) = armoured(&mut self.armour, &mut buffer, packet.len()) {
            sink.send(door, Lane::Rtp, target, &buffer[..length]);
        }
    }

    fn send_report(
        &mut self,
        door: Door,
        target: SocketAddr,
        buffer: &mut [u8],
        length: usize,
        sink: &mut impl Sink,
    ) {
        let length = match &mut self.armour {
            None => Some(length),
            Some(armour) => armour.protect_report(buffer, length),
        };
        let muxed = self.session.agreed().is_some_and(|agreed| agreed.rtcp_mux);
        let lane = if muxed { Lane::Rtp } else { Lane::Rtcp };
        if let Some(length) = length {
            sink.send(door, lane, target, &buffer[..length]);
        }
    }

    fn report_target(&self) -> Option<SocketAddr> {
        let agreed = self.session.agreed()?;
        match agreed.rtcp_mux {
            true => self.lock.target(),
            false => self.lock.report_target(agreed.remote_rtcp.socket()),
        }
    }
}

/// Protects what fills `packet` up to `length`, if it needs to be.
pub(super) fn armoured(
    armour: &mut Option<Armour>,
    packet: &mut [u8],
    length: usize,
) -> Option<usize> {
    match armour {
        None => Some(length),
        Some(armour) => armour.protect(packet, length),
    }
}

/// Six intervals of reports (RFC 3550 §6.2).
const GONE_AFTER: Duration = Duration::from_secs(30);

/// RFC 6263 §4: how long a door stays open without anything passing through, with care.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// No codec has it (RFC 3551 §6).
const KEEP_ALIVE_TYPE: u8 = 20;
