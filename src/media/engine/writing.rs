//! Text between the streams of an engine: ports lent for it, and who reads what who wrote.
//!
//! Only who offers text, or is called for somebody who writes, has a port for it.

use std::net::SocketAddr;

use super::{Door, Engine, Lane, Sink};
use crate::base::{Moment, Now, Text};
use crate::media::Notice;
use crate::media::rtp::Kind;
use crate::media::stream::Stream;
use crate::media::text::TextLine;

impl Engine {
    /// Takes a packet that came through a door of text.
    pub(super) fn text_received(
        &mut self,
        door: Door,
        lane: Lane,
        source: SocketAddr,
        packet: &mut [u8],
        now: Now,
    ) {
        let Some(owner) = self.texts.get(&door).copied() else { return };
        if lane != Lane::Rtp || Kind::of(packet) != Kind::Rtp {
            return;
        }
        let Some(stream) = self.at_mut(owner) else { return };
        let name = stream.name();
        let line = stream.text_mut();
        let said = line.and_then(|line| line.received(source, packet, now.steady));
        let Some(said) = said.filter(|said| !said.is_empty()) else { return };
        if !self.readers(owner).iter().any(|reader| self.reads(*reader)) {
            if let Some(line) = self.at_mut(owner).and_then(Stream::text_mut) {
                line.keep(&said);
            }
        } else {
            self.show(owner, &said);
        }
        self.notices.push_back(Notice::Written { stream: name, text: Text::new(said) });
    }

    /// What was written before anybody was there is read by who is there now.
    pub(super) fn show_unread(&mut self, door: Door) {
        let partner = self.at(door).and_then(Stream::partner);
        for writer in [Some(door), partner].into_iter().flatten() {
            let reads = |door: &Door| self.reads(*door);
            if self.readers(writer).iter().any(reads)
                && let Some(line) = self.at_mut(writer).and_then(Stream::text_mut)
            {
                let unread = line.take_unread();
                self.show(writer, &unread);
            }
        }
    }

    fn show(&mut self, writer: Door, text: &str) {
        for reader in self.readers(writer) {
            if let Some(line) = self.at_mut(reader).and_then(Stream::text_mut) {
                line.write(text);
            }
        }
    }

    /// Who hears a party.
    fn readers(&self, door: Door) -> Vec<Door> {
        let Some(stream) = self.at(door) else { return Vec::new() };
        let room = stream.room().and_then(|room| self.rooms.get(&room));
        let others = room.into_iter().flat_map(|room| room.doors()).chain(stream.partner());
        let mut readers: Vec<Door> = others.filter(|other| *other != door).collect();
        readers.dedup();
        readers
    }

    fn reads(&self, door: Door) -> bool {
        self.at(door).and_then(Stream::text).is_some_and(TextLine::is_agreed)
    }

    /// Nobody is left to write to somebody who can't read it.
    pub(super) fn may_write(&self, door: Door) -> bool {
        let Some(stream) = self.at(door) else { return false };
        !stream.is_a_phone()
            || stream.text().is_some()
            || stream.partner().is_none_or(|partner| self.reads(partner))
    }

    /// A port for text, unless there is one already. Without one text is declined, and the call goes
    /// on.
    pub(super) fn lend_text(&mut self, owner: Door, now: Moment, sink: &mut impl Sink) {
        if self.at(owner).is_none_or(|stream| stream.text().is_some()) {
            return;
        }
        let door = self.free.pop().unwrap_or(Door(self.streams.len() as u32));
        if door.0 as usize == self.streams.len() {
            self.streams.push(None);
        }
        let Some(port) = self.open_port(door, now, sink) else {
            self.free.push(door);
            return;
        };
        let mut mint = self.mint.split();
        if let Some(stream) = self.at_mut(owner) {
            stream.lend_text(door, port, &mut mint);
            self.texts.insert(door, owner);
        }
    }

    /// Text was agreed on, which is told once; or it was not after all, and its port goes back.
    pub(super) fn settle_text(&mut self, owner: Door, now: Moment, sink: &mut impl Sink) {
        let Some(stream) = self.at_mut(owner) else { return };
        let name = stream.name();
        if stream.text_mut().is_some_and(TextLine::is_newly_agreed) {
            self.notices.push_back(Notice::Writes { stream: name });
            return;
        }
        if stream.text().is_some_and(|text| !text.is_agreed())
            && let Some(text) = stream.take_text()
        {
            self.return_text(&text, now, sink);
        }
    }

    pub(super) fn return_text(&mut self, text: &TextLine, now: Moment, sink: &mut impl Sink) {
        sink.shut(text.door());
        self.texts.remove(&text.door());
        self.free.push(text.door());
        self.ports.returned(text.port(), now);
    }
}
