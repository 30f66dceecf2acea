//! Text typed and read while one speaks, or instead of it (T.140 over RTP, RFC 4103).
//!
//! | file | |
//! |---|---|
//! | [`redundancy`] | a packet and what it repeats of those before it (RFC 2198) |
//! | `reading` | packets → characters, each once, `U+FFFD` where some were lost |
//! | `writing` | characters → a packet every 300 ms, each repeated twice |
//!
//! A [`TextLine`] is one party's text, both ways, with a port of its own: only who offers text has
//! one. Characters are the parties' own words: no packet and no letter is logged or kept.

mod reading;
pub mod redundancy;
mod writing;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::armour::{Armour, armoured};
use super::engine::{Door, Lane, Sink};
use super::rtp::Packet;
use super::rtp::srtp::OVERHEAD_MAX;
use super::sdp::{AgreedText, OurKeys};
use super::source_lock::SourceLock;
use super::{Sources, TextAbilities};
use crate::base::{Mint, Moment};

pub use reading::Reading;
pub use writing::{PACKET_MAX, Writing};

/// One party's text.
#[derive(Deserialize, Serialize)]
pub(super) struct TextLine {
    door: Door,
    port: u16,
    keys: Option<OurKeys>,
    lock: SourceLock,
    armour: Option<Armour>,
    agreed: Option<AgreedText>,
    reading: Reading,
    writing: Writing,
    /// Written before anybody was there to read it.
    unread: String,
    /// Call control knows that it was agreed on.
    told: bool,
}

impl TextLine {
    pub(super) fn new(
        door: Door,
        port: u16,
        sources: Sources,
        secure: bool,
        mint: &mut Mint,
    ) -> Self {
        Self {
            door,
            port,
            keys: secure.then(|| OurKeys::new(|| mint.number())),
            lock: SourceLock::new(sources),
            armour: None,
            agreed: None,
            reading: Reading::default(),
            writing: Writing::new(mint),
            unread: String::new(),
            told: false,
        }
    }

    pub(super) fn abilities(&self) -> TextAbilities {
        TextAbilities { port: self.port, keys: self.keys.clone() }
    }

    pub(super) fn door(&self) -> Door {
        self.door
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// Whether it was agreed on since this was asked last.
    pub(super) fn is_newly_agreed(&mut self) -> bool {
        let is_new = self.is_agreed() && !self.told;
        self.told |= is_new;
        is_new
    }

    /// Something was agreed on, for the first time or anew; or that there is no text any more.
    pub(super) fn agree(&mut self, agreed: Option<&AgreedText>) {
        if let Some(agreed) = agreed {
            self.lock.describe(agreed.remote.socket());
            Armour::fit(&mut self.armour, agreed.secured.as_ref());
            if self.agreed.is_none() {
                self.writing.begin();
            }
        }
        self.agreed = agreed.cloned();
    }

    pub(super) fn restrict(&mut self, sources: Sources) {
        self.lock.restrict(sources);
    }

    pub(super) fn proven(&mut self) {
        self.lock.proven();
    }

    /// The party reads this, as soon as it can be sent.
    pub(super) fn write(&mut self, text: &str) {
        if self.agreed.is_some() {
            self.writing.write(text);
        }
    }

    /// The same, on a line of its own.
    pub(super) fn write_line(&mut self, text: &str) {
        if self.agreed.is_some() {
            self.writing.write_line(text);
        }
    }

    /// What the party writes waits for a reader.
    pub(super) fn keep(&mut self, text: &str) {
        for character in text.chars() {
            if self.unread.len() >= UNREAD_MAX {
                return;
            }
            self.unread.push(character);
        }
    }

    pub(super) fn take_unread(&mut self) -> String {
        std::mem::take(&mut self.unread)
    }

    /// Takes a packet; `None` if it is not the party's, and what it tells otherwise.
    pub(super) fn received(
        &mut self,
        source: SocketAddr,
        packet: &mut [u8],
        now: Moment,
    ) -> Option<String> {
        let agreed = self.agreed.as_ref()?;
        if self.lock.is_foreign(source) {
            return None;
        }
        let packet = match &mut self.armour {
            None => packet,
            Some(armour) => {
                let length = armour.open(packet)?;
                &mut packet[..length]
            }
        };
        let Packet { header, payload } = Packet::parse(packet).ok()?;
        if !self.lock.hears(source) {
            return None;
        }
        if !agreed.direction.receives() {
            return Some(String::new());
        }
        Some(self.reading.received(header, payload, agreed.receives, now))
    }

    /// Sends what is due. Called every 20 ms.
    pub(super) fn tick(&mut self, now: Moment, sink: &mut impl Sink) {
        let (Some(agreed), Some(target)) = (&self.agreed, self.lock.target()) else {
            return;
        };
        if !agreed.direction.sends() || !self.writing.is_due(now) {
            return;
        }
        let mut packet = [0; PACKET_MAX + OVERHEAD_MAX];
        let Some(length) = self.writing.packet(agreed.sends, agreed.per_second, now, &mut packet)
        else {
            return;
        };
        if let Some(length) = armoured(&mut self.armour, &mut packet, length) {
            sink.send(self.door, Lane::Rtp, target, &packet[..length]);
        }
    }
}

/// What somebody may write before anybody reads it, in bytes.
const UNREAD_MAX: usize = 4_096;
