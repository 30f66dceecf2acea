//! What goes to one party: played, relayed or said, in one series, with reports and what keeps doors open.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::Stream;
use crate::base::{Mint, Moment, Now};
use crate::media::Notice;
use crate::media::armour::{PACKET_MAX, armoured};
use crate::media::bridge::Bridge;
use crate::media::codec::opus::OCTETS_MAX;
use crate::media::codec::{Codec, Decoder};
use crate::media::comfort::Comfort;
use crate::media::ear::{Frame, WIDE};
use crate::media::engine::{Door, Lane, Sink};
use crate::media::mouth::Mouth;
use crate::media::playout::Step;
use crate::media::rtp::rtcp::REPORT_MAX;
use crate::media::rtp::srtp::OVERHEAD_MAX;
use crate::media::rtp::{HEADER_LENGTH, Header};
use crate::media::sound::FRAME_OCTETS;

/// Makes Opus of prompts, while they play: few hear them so.
pub(super) struct Played {
    decoder: Decoder,
    mouth: Mouth,
}

impl Stream {
    /// Sends this party what its partner said. The header is written before the payload where it
    /// lies, over the one it came with. Says whether it could: otherwise they need a room.
    pub(in crate::media) fn relay(
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
    pub(in crate::media) fn say(
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
        mouth.limit(agreed.bits_max);
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
    pub(in crate::media) fn hear_quiet(&mut self, header: Header, noise: &[u8]) {
        self.outgoing.pass_over(header);
        if self.comfort.is_none()
            && let Some(codec) = self.codec().filter(|codec| *codec != Codec::Opus)
        {
            self.comfort = Some(Comfort::new(noise, codec));
        }
    }

    /// The partner sent something that is not for this party.
    pub(in crate::media) fn pass_over(&mut self, header: Header) {
        self.outgoing.pass_over(header);
    }

    /// Plays 20 ms, and looks after patience and reports. Called every 20 ms.
    pub(in crate::media) fn tick(
        &mut self,
        door: Door,
        now: Now,
        mint: &mut Mint,
        sink: &mut impl Sink,
    ) {
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
    pub(in crate::media) fn say_goodbye(&mut self, door: Door, now: Now, sink: &mut impl Sink) {
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
                played.mouth.limit(agreed.bits_max);
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

/// Six intervals of reports (RFC 3550 §6.2).
const GONE_AFTER: Duration = Duration::from_secs(30);

/// RFC 6263 §4: how long a door stays open without anything passing through, with care.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// No codec has it (RFC 3551 §6).
const KEEP_ALIVE_TYPE: u8 = 20;
