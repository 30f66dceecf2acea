//! The streams of one media thread: orders, packets and ticks in; packets and notices out.
//!
//! Pure: it owns no socket and reads no clock. Its driver opens the ports it asks for, hands it
//! every packet that arrives, and turns its wheel: 20 slots of a millisecond, over which the
//! streams are spread, so that the packets of a thousand callers leave evenly and no stream needs
//! a timer. Packets are changed in the buffer they came in and sent from there; on their way
//! nothing is allocated. What a single stream does is in [`stream`](super::stream).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::codec::Codec;
use super::library::Library;
use super::playout::Playout;
use super::ports::PortRange;
use super::room::Room;
use super::rtp::{Header, Kind};
use super::sdp::{Abilities, Credentials, Fingerprint, Meeting, OurSide, Secured, mentions_text};
use super::stream::{Heard, Stream};
use super::text::TextLine;
use super::{Notice, Order, PlayRef, Refused, Repeat, Road, Sources};
use crate::base::{Mint, Moment, Now, PromptName, StreamRef};

pub use mending::STRIKES_MAX;

/// The streams of one media thread.
#[derive(Deserialize, Serialize)]
pub struct Engine {
    address: IpAddr,
    codecs: Vec<Codec>,
    ports: PortRange,
    mint: Mint,
    #[serde(skip, default = "nothing")]
    library: Arc<Library>,
    /// By door.
    streams: Vec<Option<Stream>>,
    #[serde(skip)]
    doors: BTreeMap<StreamRef, Door>,
    free: Vec<Door>,
    /// By the door whose wheel turns for it.
    rooms: BTreeMap<Door, Room>,
    /// Whose text comes through a door that is no stream's.
    texts: BTreeMap<Door, Door>,
    wheel: [Vec<Door>; SLOTS],
    /// The millisecond up to which the wheel was turned.
    turned: Option<u64>,
    notices: VecDeque<Notice>,
    fingerprint: Option<Fingerprint>,
    /// For the gateway.
    meetings: VecDeque<(Door, Option<Meeting>)>,
    /// Whose sound is being worked on, for the case that it breaks.
    #[serde(skip)]
    at_work: Option<Door>,
    /// Streams that will break, once.
    #[cfg(test)]
    #[serde(skip)]
    mistakes: BTreeSet<Door>,
}

/// What an engine is told at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Written into our descriptions.
    pub address: IpAddr,
    pub ports: PortRange,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Of the certificate that is shown to browsers; without one they are not met.
    pub fingerprint: Option<Fingerprint>,
}

/// Names a stream's pair of sockets: a small number, used again when the stream is gone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Door(pub u32);

/// Which socket of a pair.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lane {
    Rtp,
    Rtcp,
}

/// The sockets, as the engine sees them.
pub trait Sink {
    /// Opens `port` for RTP and the one above for RTCP; says whether they could be had.
    fn open(&mut self, door: Door, port: u16) -> bool;
    fn shut(&mut self, door: Door);
    /// Sends a packet, or loses it: nobody waits for the network.
    fn send(&mut self, door: Door, lane: Lane, to: SocketAddr, packet: &[u8]);
}

impl Engine {
    pub fn new(settings: Settings, library: Arc<Library>, mint: Mint) -> Self {
        Self {
            address: settings.address,
            codecs: settings.codecs,
            ports: settings.ports,
            mint,
            library,
            streams: Vec::new(),
            doors: BTreeMap::new(),
            free: Vec::new(),
            rooms: BTreeMap::new(),
            texts: BTreeMap::new(),
            wheel: std::array::from_fn(|_| Vec::new()),
            turned: None,
            notices: VecDeque::new(),
            fingerprint: settings.fingerprint,
            meetings: VecDeque::new(),
            at_work: None,
            #[cfg(test)]
            mistakes: BTreeSet::new(),
        }
    }

    /// After a snapshot was taken up: finds the clips again and opens the ports.
    pub fn resume(&mut self, library: Arc<Library>, sink: &mut impl Sink) {
        self.library = library;
        self.doors.clear();
        for (at, stream) in self.streams.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            let door = Door(at as u32);
            stream.find_clips(&self.library);
            self.doors.insert(stream.name(), door);
            sink.open(door, stream.port());
            if let Some(text) = stream.text() {
                sink.open(text.door(), text.port());
            }
        }
    }

    /// From now on this is what can be played; what plays, plays on.
    pub fn library_changed(&mut self, library: Arc<Library>) {
        self.library = library;
    }

    /// Does what call control asks.
    pub fn handle(&mut self, order: Order, now: Now, sink: &mut impl Sink) {
        match order {
            Order::Open { stream, sources, road } => {
                self.open(stream, sources, road, now, sink);
            }
            Order::Answer { stream, offer } => self.answer(stream, &offer, now, sink),
            Order::Restrict { stream, sources } => {
                if let Some(stream) = self.stream_mut(stream) {
                    stream.restrict(sources);
                }
            }
            Order::Offer { stream, like } => self.offer(stream, like, now, sink),
            Order::Accept { stream, answer } => self.accept(stream, &answer, now, sink),
            Order::Proven { stream } => {
                if let Some(stream) = self.stream_mut(stream) {
                    stream.proven();
                }
            }
            Order::Play { stream, play, prompts, repeat } => {
                self.play(stream, play, prompts, repeat);
            }
            Order::Conclude { stream } => {
                if let Some(stream) = self.stream_mut(stream) {
                    stream.conclude(now.steady);
                }
            }
            Order::Tone { stream, tone } => {
                let playout = Playout::of_tone(&self.library, tone);
                if let Some(stream) = self.stream_mut(stream) {
                    stream.play(playout);
                }
            }
            Order::Hush { stream } => {
                if let Some(stream) = self.stream_mut(stream) {
                    stream.hush();
                }
            }
            Order::Join { streams } => self.join(streams),
            Order::Gather { streams } => self.gather(&streams),
            Order::Part { streams: [one, other] } => {
                if let (Some(one), Some(other)) = (self.door(one), self.door(other))
                    && self.at(one).is_some_and(|stream| stream.partner() == Some(other))
                {
                    self.part(one);
                }
            }
            Order::Watch { stream, patience } => {
                if let Some(stream) = self.stream_mut(stream) {
                    stream.watch(patience, now.steady);
                }
            }
            Order::Write { stream, text } => {
                if let Some(line) = self.stream_mut(stream).and_then(Stream::text_mut) {
                    line.write_line(text.shown());
                }
            }
            Order::Close { stream } => self.close(stream, now, sink),
        }
    }

    /// Takes a packet that came through a door. It may be changed, and sent on to another stream.
    pub fn received(
        &mut self,
        door: Door,
        lane: Lane,
        source: SocketAddr,
        packet: &mut [u8],
        now: Now,
        sink: &mut impl Sink,
    ) {
        self.at_work = Some(door);
        self.take_packet(door, lane, source, packet, now, sink);
        self.at_work = None;
    }

    fn take_packet(
        &mut self,
        door: Door,
        lane: Lane,
        source: SocketAddr,
        packet: &mut [u8],
        now: Now,
        sink: &mut impl Sink,
    ) {
        let Some(stream) = self.streams.get_mut(door.0 as usize).and_then(Option::as_mut) else {
            return self.text_received(door, lane, source, packet, now);
        };
        match (Kind::of(packet), lane) {
            (Kind::Rtp, Lane::Rtp) => {}
            // RFC 5761: some send their reports to the port of the sound.
            (Kind::Rtcp, Lane::Rtp | Lane::Rtcp) => {
                stream.report_received(source, packet, now);
                return self.tell(door);
            }
            (Kind::Rtp, Lane::Rtcp) | (Kind::Other, _) => return,
        }
        let heard = stream.received(source, packet, now.steady);
        let (partner, held) = (stream.partner(), stream.is_held());
        let room = stream.room();
        match heard {
            // Who holds us plays their own music, which is not for the other party.
            Heard::Nothing | Heard::Sound { .. } if held => {}
            Heard::Nothing => {}
            Heard::Sound { header, codec, payload } => {
                self.at_work = partner.or(self.at_work);
                let relayed = room.is_none()
                    && self.partner(partner).is_none_or(|(door, partner)| {
                        let (said, payload) = ((header, codec), payload.clone());
                        partner.relay(door, said, packet, payload, now.steady, sink)
                    });
                if !relayed {
                    self.say_in_room(door, (header, codec), &packet[payload], now.steady);
                }
            }
            Heard::Quiet { header, noise } => {
                if let Some((_, partner)) =
                    self.partner(partner).filter(|_| !held && room.is_none())
                {
                    partner.hear_quiet(header, &packet[noise]);
                }
            }
            Heard::Unsaid { header } => {
                if let Some((_, partner)) = self.partner(partner) {
                    partner.pass_over(header);
                }
            }
        }
        self.tell(door);
    }

    /// Turns the wheel up to `now`: every stream plays 20 ms each time its slot comes by, and looks
    /// after its reports and its patience. After a standstill only the last [`CATCH_UP_MAX`] slots
    /// are made up for; the rest was silence.
    pub fn tick(&mut self, now: Now, sink: &mut impl Sink) {
        let due = millisecond(now.steady);
        let turned = self.turned.unwrap_or(due.saturating_sub(1)).min(due);
        let from = turned.max(due.saturating_sub(CATCH_UP_MAX));
        for slot in from + 1..=due {
            // Said first: if a stream breaks, the others go on with the next slot.
            self.turned = Some(slot);
            let at = Now { steady: Moment::START + Duration::from_millis(slot), wall: now.wall };
            let row = (slot % SLOTS as u64) as usize;
            for index in 0..self.wheel[row].len() {
                let door = self.wheel[row][index];
                self.at_work = Some(door);
                #[cfg(test)]
                self.break_here(door);
                if let Some(stream) = self.streams.get_mut(door.0 as usize).and_then(Option::as_mut)
                {
                    stream.tick(door, at, &mut self.mint, sink);
                }
                if let Some(room) = self.rooms.get_mut(&door) {
                    room.tick(&mut self.streams, at.steady, sink);
                }
                self.tell(door);
            }
        }
        self.at_work = None;
        self.turned = Some(due);
    }

    /// Whom the gateway should meet on the road of which stream; `None`: nobody any more.
    pub fn poll_meeting(&mut self) -> Option<(Door, Option<Meeting>)> {
        self.meetings.pop_front()
    }

    /// The gateway met a stream's browser: these keys protect it, and it is there.
    pub fn secured(&mut self, door: Door, secured: &Secured, place: SocketAddr) {
        if let Some(stream) = self.at_mut(door) {
            stream.secured(secured, place);
        }
    }

    /// A stream's browser is somewhere else now, or nowhere: then nothing is sent, and who waits for
    /// it need not wait longer.
    pub fn placed(&mut self, door: Door, place: Option<SocketAddr>, now: Moment) {
        if let Some(stream) = self.at_mut(door) {
            stream.placed(place, now);
        }
        self.tell(door);
    }

    /// What call control should hear next.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// When the wheel should be turned next; never, if there is nothing on it.
    pub fn next_tick(&self) -> Option<Moment> {
        if self.doors.is_empty() {
            return None;
        }
        let turned = self.turned.unwrap_or(0);
        let has_streams = |slot: &u64| !self.wheel[(slot % SLOTS as u64) as usize].is_empty();
        let slot = (turned + 1..=turned + SLOTS as u64).find(has_streams).unwrap_or(turned + 1);
        Some(Moment::START + Duration::from_millis(slot))
    }

    /// The streams that live here.
    pub fn streams(&self) -> impl ExactSizeIterator<Item = StreamRef> {
        self.doors.keys().copied()
    }

    fn open(
        &mut self,
        name: StreamRef,
        sources: Sources,
        road: Road,
        now: Now,
        sink: &mut impl Sink,
    ) {
        if self.doors.contains_key(&name) {
            return;
        }
        if self.doors.is_empty() {
            // The wheel stood still: nothing was missed.
            self.turned = Some(millisecond(now.steady));
        }
        let door = self.free.pop().unwrap_or(Door(self.streams.len() as u32));
        let Some(port) = self.open_port(door, now.steady, sink) else {
            if (door.0 as usize) < self.streams.len() {
                self.free.push(door);
            }
            self.notices.push_back(Notice::Refused { stream: name, why: Refused::NoPort });
            return;
        };
        let stream = Stream::new(name, port, sources, road, &mut self.mint);
        let at = door.0 as usize;
        if at == self.streams.len() {
            self.streams.push(Some(stream));
        } else {
            self.streams[at] = Some(stream);
        }
        self.doors.insert(name, door);
        if let Some(row) = self.wheel.iter_mut().min_by_key(|row| row.len()) {
            row.push(door);
        }
    }

    /// Somebody else may sit on a port of ours: then another one is tried.
    fn open_port(&mut self, door: Door, now: Moment, sink: &mut impl Sink) -> Option<u16> {
        (0..PORTS_TRIED).find_map(|_| {
            let port = self.ports.lend(now)?;
            let opened = sink.open(door, port);
            if !opened {
                self.ports.returned(port, now);
            }
            opened.then_some(port)
        })
    }

    fn answer(&mut self, name: StreamRef, offer: &[u8], now: Now, sink: &mut impl Sink) {
        let Some(door) = self.door(name) else { return };
        if mentions_text(offer) && self.may_write(door) {
            self.lend_text(door, now.steady, sink);
        }
        let abilities = self.abilities(door);
        let like = self.at(door).and_then(Stream::partner).and_then(|door| self.at(door)?.codec());
        let Some(stream) = self.stream_mut(name) else { return };
        let notice = match stream.answer(offer, &abilities, like, now.steady) {
            Ok(sdp) => Notice::Described { stream: name, sdp, held: stream.is_held() },
            Err(why) => Notice::Refused { stream: name, why },
        };
        self.notices.push_back(notice);
        self.meet(door);
        self.settle_text(door, now.steady, sink);
    }

    fn offer(&mut self, name: StreamRef, like: Option<StreamRef>, now: Now, sink: &mut impl Sink) {
        let Some(door) = self.door(name) else { return };
        let writes = |stream: &Stream| stream.text().is_some_and(TextLine::is_agreed);
        if like.and_then(|like| self.at(self.door(like)?)).is_some_and(writes) {
            self.lend_text(door, now.steady, sink);
        }
        let abilities = self.abilities(door);
        let like = like.and_then(|like| self.at(self.door(like)?)?.codec());
        let Some(stream) = self.stream_mut(name) else { return };
        let sdp = stream.offer(&abilities, like);
        let held = stream.is_held();
        self.notices.push_back(Notice::Described { stream: name, sdp, held });
        self.meet(door);
    }

    fn accept(&mut self, name: StreamRef, answer: &[u8], now: Now, sink: &mut impl Sink) {
        let Some(door) = self.door(name) else { return };
        let Some(stream) = self.at_mut(door) else { return };
        if let Err(why) = stream.accept(answer, now.steady) {
            self.notices.push_back(Notice::Refused { stream: name, why });
        }
        self.meet(door);
        self.settle_text(door, now.steady, sink);
        self.show_unread(door);
    }

    /// What the gateway should know of this stream's browser, if there is one, or was.
    fn meet(&mut self, door: Door) {
        let Some(stream) = self.at_mut(door) else { return };
        if let Some(meeting) = stream.meeting_changed() {
            self.meetings.push_back((door, meeting));
        }
    }

    fn play(&mut self, name: StreamRef, play: PlayRef, prompts: Vec<PromptName>, repeat: Repeat) {
        let Some(door) = self.door(name) else { return };
        if self.at(door).and_then(Stream::text).is_some_and(TextLine::is_agreed) {
            let words = self.library.words(&prompts);
            if let Some(line) = self.at_mut(door).and_then(Stream::text_mut) {
                line.write_line(&words);
            }
        }
        let playout = Playout::of_prompts(&self.library, play, prompts, repeat);
        let Some(stream) = self.at_mut(door) else { return };
        match playout {
            Some(playout) => stream.play(playout),
            None => {
                stream.hush();
                // Nothing played for ever is silence; nothing played once is over.
                if repeat == Repeat::Once {
                    self.notices.push_back(Notice::Finished { stream: name, play, cut: false });
                }
            }
        }
    }

    fn join(&mut self, [one, other]: [StreamRef; 2]) {
        let (Some(one), Some(other)) = (self.door(one), self.door(other)) else {
            return;
        };
        if one == other {
            return;
        }
        for (door, partner) in [(one, other), (other, one)] {
            if self.at(door).and_then(Stream::partner).is_some_and(|old| old != partner) {
                self.part(door);
            }
            if self.at(door).and_then(Stream::partner).is_none() {
                self.leave_room(door);
            }
        }
        self.pair([one, other]);
    }

    fn pair(&mut self, [one, other]: [Door; 2]) {
        for (door, partner) in [(one, other), (other, one)] {
            let codec = self.at(partner).and_then(Stream::codec);
            if let Some(stream) = self.at_mut(door) {
                stream.join(partner, codec);
            }
        }
        self.show_unread(one);
        self.show_unread(other);
    }

    /// Ends the conversation of a stream and its partner, for both.
    fn part(&mut self, door: Door) {
        let Some(partner) = self.at(door).and_then(Stream::partner) else { return };
        self.empty_room(door);
        for door in [door, partner] {
            if let Some(stream) = self.at_mut(door) {
                stream.part();
            }
        }
    }

    /// Each hears all the others.
    fn gather(&mut self, names: &[StreamRef]) {
        let doors: BTreeSet<Door> = names.iter().filter_map(|name| self.door(*name)).collect();
        for door in &doors {
            self.part(*door);
            self.leave_room(*door);
            if let Some(stream) = self.at_mut(*door) {
                stream.hush();
            }
        }
        self.gather_doors(doors);
    }

    /// Two need no room before they say something that can't be copied.
    fn gather_doors(&mut self, doors: BTreeSet<Door>) {
        let mut each = doors.iter().copied();
        match (each.next(), each.next(), each.next()) {
            (Some(one), Some(other), None) => self.pair([one, other]),
            (Some(_), Some(_), Some(_)) => self.open_room(Room::new(doors)),
            (_, _, _) => {}
        }
    }

    fn open_room(&mut self, room: Room) {
        let Some(leader) = room.leader() else { return };
        for door in room.doors() {
            if let Some(stream) = self.at_mut(door) {
                stream.sits_in(Some(leader));
            }
        }
        self.rooms.insert(leader, room);
    }

    /// What a party says where a copy won't do: in the room of the three, or in one for itself and
    /// its partner.
    fn say_in_room(&mut self, door: Door, said: (Header, Codec), payload: &[u8], now: Moment) {
        let Some(stream) = self.at(door) else { return };
        let leader = match (stream.room(), stream.partner()) {
            (Some(leader), _) => leader,
            (None, Some(partner)) => {
                self.open_room(Room::new([door, partner]));
                door
            }
            (None, None) => return,
        };
        if let Some(room) = self.rooms.get_mut(&leader) {
            room.heard(door, said.1, said.0, payload, now);
        }
    }

    /// The room is closed; who was in it.
    fn empty_room(&mut self, door: Door) -> Option<Room> {
        let room = self.rooms.remove(&self.at(door)?.room()?)?;
        for door in room.doors() {
            if let Some(stream) = self.at_mut(door) {
                stream.sits_in(None);
            }
        }
        Some(room)
    }

    /// One of several goes; the others stay together.
    fn leave_room(&mut self, door: Door) {
        if let Some(room) = self.empty_room(door) {
            self.gather_doors(room.doors().filter(|other| *other != door).collect());
        }
    }

    fn close(&mut self, name: StreamRef, now: Now, sink: &mut impl Sink) {
        let Some(door) = self.door(name) else { return };
        self.part(door);
        self.leave_room(door);
        self.doors.remove(&name);
        for row in &mut self.wheel {
            row.retain(|other| *other != door);
        }
        let Some(mut stream) = self.streams[door.0 as usize].take() else { return };
        stream.say_goodbye(door, now, sink);
        if let Some(text) = stream.take_text() {
            self.return_text(&text, now.steady, sink);
        }
        sink.shut(door);
        if stream.is_led() {
            self.meetings.push_back((door, None));
        }
        self.free.push(door);
        self.ports.returned(stream.port(), now.steady);
        while let Some(notice) = stream.poll_notice() {
            self.notices.push_back(notice);
        }
        self.notices.push_back(Notice::Closed { stream: name, quality: stream.quality() });
    }

    fn tell(&mut self, door: Door) {
        let Some(stream) = self.streams.get_mut(door.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        while let Some(notice) = stream.poll_notice() {
            self.notices.push_back(notice);
        }
    }

    fn abilities(&mut self, door: Door) -> Abilities {
        let browser = self.fingerprint.map(|fingerprint| OurSide {
            fingerprint,
            fresh: Credentials::new(|| self.mint.number()),
        });
        Abilities {
            browser,
            offers_handshake: self.at(door).is_some_and(Stream::offers_handshake),
            demands_keys: self.at(door).is_some_and(Stream::demands_keys),
            address: self.address,
            rtp_port: self.at(door).map_or(0, Stream::port),
            // A network speaks what telephones speak; Opus is for phones.
            codecs: match self.at(door).is_some_and(Stream::is_a_phone) {
                true => self.codecs.clone(),
                false => {
                    let opus = |codec: &&Codec| **codec != Codec::Opus;
                    self.codecs.iter().filter(opus).copied().collect()
                }
            },
            keys: self.at(door).and_then(Stream::keys).cloned(),
            text: self.at(door).and_then(Stream::text).map(TextLine::abilities),
        }
    }

    fn door(&self, name: StreamRef) -> Option<Door> {
        self.doors.get(&name).copied()
    }

    fn at(&self, door: Door) -> Option<&Stream> {
        self.streams.get(door.0 as usize)?.as_ref()
    }

    fn at_mut(&mut self, door: Door) -> Option<&mut Stream> {
        self.streams.get_mut(door.0 as usize)?.as_mut()
    }

    fn stream_mut(&mut self, name: StreamRef) -> Option<&mut Stream> {
        self.at_mut(self.door(name)?)
    }

    fn partner(&mut self, door: Option<Door>) -> Option<(Door, &mut Stream)> {
        let door = door?;
        self.at_mut(door).map(|stream| (door, stream))
    }
}

fn millisecond(moment: Moment) -> u64 {
    moment.since_start().as_millis() as u64
}

fn nothing() -> Arc<Library> {
    Arc::new(Library::of_clips(BTreeMap::new()))
}

mod mending;
mod writing;

/// One turn of the wheel is a frame of sound.
const SLOTS: usize = 20;

/// Three frames: more at once would overrun a phone's jitter buffer.
const CATCH_UP_MAX: u64 = 3 * SLOTS as u64;

/// Ports tried before saying that there is none.
const PORTS_TRIED: usize = 32;

#[cfg(test)]
mod tests;
