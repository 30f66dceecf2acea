//! What comes from one party: who it is from, what it is, and whether anything comes at all.

use std::mem;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::Stream;
use crate::base::{Moment, Now};
use crate::media::Notice;
use crate::media::codec::Codec;
use crate::media::comfort::Comfort;
use crate::media::rtp::{Header, Packet};

/// What a packet was.
pub(in crate::media) enum Heard {
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

impl Stream {
    /// Takes a packet of sound.
    pub(in crate::media) fn received(
        &mut self,
        source: SocketAddr,
        packet: &mut [u8],
        now: Moment,
    ) -> Heard {
        let Some(agreed) = self.session.agreed() else {
            return Heard::Nothing;
        };
        let is_foreign = self.lock.is_foreign(source);
        if is_foreign && !self.may_have_moved(source, now) {
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
        let is_party = match is_foreign {
            false => self.lock.hears(source),
            true => self.incoming.goes_on(header) && self.lock.moves(source),
        };
        if !is_party {
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

    /// A router at the phone's home gave it another port, or it went to another network: nothing has
    /// come from where it was, and something comes from where it may be.
    fn may_have_moved(&self, source: SocketAddr, now: Moment) -> bool {
        now - self.heard_at >= MOVED_AFTER && self.lock.may_have_moved(source)
    }

    /// Takes a report about what we send. A goodbye in it means nothing: signalling ends calls
    /// (T-12).
    pub(in crate::media) fn report_received(
        &mut self,
        source: SocketAddr,
        packet: &mut [u8],
        now: Now,
    ) {
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

    pub(super) fn lose_patience(&mut self, now: Moment) {
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
        if mem::take(&mut watch.silent) {
            self.notices.push_back(Notice::Heard { stream: self.name });
        }
    }
}

/// How long a phone is silent before it is looked for elsewhere.
const MOVED_AFTER: Duration = Duration::from_secs(1);
