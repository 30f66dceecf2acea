//! What a browser's leg costs a media thread, beside a plain one: CPU per 100 legs that are bridged to
//! callers of A-law, memory per leg, lost packets, and what the house adds between mouth and ear.
//!
//! Added from mouth to ear: everybody falls silent and speaks again; from the first packet with sound in
//! it to the first sound in what the other decodes. The phones' own packets of 20 ms and buffers are not
//! in it.
//!
//! The browsers are in this program, on loopback: they check the road, shake hands and protect their
//! sound as real ones do, and send 50 packets a second. Only the media thread's own CPU clock is
//! counted; memory is the whole program's, with the phones in it, and so is an upper bound.
//! `cargo bench --bench browser_legs [seconds]`.

#![expect(clippy::print_stdout, reason = "it is for reading")]
#![expect(clippy::unwrap_used, reason = "a measurement that can't go on should stop")]

mod shard;

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use hotline::base::Moment;
use hotline::gateway::{Visitor, is_for_the_gateway};
use hotline::media::codec::{Codec, Decoder, Encoder};
use hotline::media::library::Library;
use hotline::media::rtp::srtp::{Opener, Protector};
use hotline::media::rtp::{Header, Packet};
use hotline::media::sdp::{Credentials, parse};
use hotline::media::sound::tone::sine;
use hotline::media::{Notice, Order, Road, Sources};
use hotline::service::Clock;
use hotline::service::shards::Shards;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if !arguments.any(|argument| argument == "--bench") {
        println!("measures when it is run by `cargo bench`");
        return;
    }
    let seconds = arguments.find_map(|argument| argument.parse().ok()).unwrap_or(10);
    println!(
        "{:<40}{:>10}{:>10}{:>9}{:>12}{:>27}",
        "50 callers of A-law, each bridged to",
        "CPU/100",
        "kB/leg",
        "lost",
        "handshakes",
        "mouth to ear, to it, from"
    );
    for (what, listener) in [
        ("a plain phone, A-law", Listener::Plain),
        ("a browser, A-law", Listener::Browser(Codec::Pcma)),
        ("a browser, Opus", Listener::Browser(Codec::Opus)),
    ] {
        measure(what, listener, Duration::from_secs(seconds));
    }
}

#[derive(Clone, Copy)]
enum Listener {
    Plain,
    Browser(Codec),
}

fn measure(what: &str, listener: Listener, duration: Duration) {
    let clock = Clock::start();
    let library = Library::of_clips(BTreeMap::new());
    let (shards, notices) = shard::start(clock, &Codec::ALL, library);
    let callers: Vec<Leg> = (0..CALLS).map(|call| Leg::plain(&shards, &notices, call, 0)).collect();
    let (memory, begun) = (resident(), clock.moment());
    let mut listeners: Vec<Leg> = (0..CALLS)
        .map(|call| match listener {
            Listener::Plain => Leg::plain(&shards, &notices, call, 1),
            Listener::Browser(codec) => Leg::browser(&shards, &notices, clock, call, codec),
        })
        .collect();
    let handshakes = (clock.moment() - begun) / CALLS;
    for call in 0..CALLS {
        shards.order(Order::Join { streams: [shard::stream(call, 0), shard::stream(call, 1)] });
    }

    let mut legs = callers;
    legs.append(&mut listeners);
    let mut talk = Talk { clock, sequence: 0, turned: clock.moment(), since: None };
    talk.go_on(Duration::from_secs(1), &mut legs);
    legs.iter_mut().for_each(|leg| leg.heard = 0);
    let (begun, cpu_before, first) = (clock.moment(), shard::cpu(), talk.sequence);
    talk.go_on(duration, &mut legs);
    let took = (clock.moment() - begun).as_secs_f64();
    let cpu = (shard::cpu() - cpu_before).as_secs_f64() / took * 100.0;

    let heard: u64 = legs.iter().map(|leg| leg.heard).sum();
    let said = (talk.sequence - first) * legs.len() as u64;
    let (to, from) = talk.mouth_to_ear(&mut legs);
    println!(
        "{what:<40}{:>9.2}%{:>10}{:>9}{:>9.2} ms{:>12.1} ms{:>8.1} ms",
        cpu * 100.0 / f64::from(CALLS),
        resident().saturating_sub(memory) / u64::from(CALLS) / 1_024,
        said.saturating_sub(heard),
        handshakes.as_secs_f64() * 1_000.0,
        to.as_secs_f64() * 1_000.0,
        from.as_secs_f64() * 1_000.0,
    );
}

/// A phone or a browser.
struct Leg {
    socket: UdpSocket,
    to: SocketAddr,
    kind: u8,
    /// Ticks of 20 ms on its clock.
    step: u32,
    voice: Vec<u8>,
    silence: Vec<u8>,
    armour: Option<Protector>,
    ear: Decoder,
    opener: Option<Opener>,
    heard: u64,
    /// When sound came after the silence.
    roused: Option<Moment>,
}

impl Leg {
    fn plain(shards: &Shards, notices: &Receiver<Notice>, call: u32, index: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let name = shard::stream(call, index);
        let to = shard::plain(shards, notices, name, Codec::Pcma, &socket);
        Self::of(socket, to, (Codec::Pcma, 8), None)
    }

    /// Answers an offer for browsers, and does all that goes before the first word.
    fn browser(
        shards: &Shards,
        notices: &Receiver<Notice>,
        clock: Clock,
        call: u32,
        codec: Codec,
    ) -> Self {
        let stream = shard::stream(call, 1);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        shards.order(Order::Open { stream, sources: Sources::Anywhere, road: Road::Web });
        shards.order(Order::Offer { stream, like: Some(shard::stream(call, 0)) });
        let offer = shard::described(notices);
        let to = shard::place(&offer);
        let description = parse(offer.as_bytes()).unwrap();
        let media = &description.media[0];
        let host = media.browser.as_ref().unwrap();
        let format = media
            .formats
            .iter()
            .find(|format| format.mapped.as_ref().is_some_and(|it| it.is_codec(codec)))
            .unwrap();
        let instant = |clock: Clock| clock.beginning() + clock.moment().since_start();
        let mut visitor = Visitor::new(host.fingerprint.unwrap(), true, instant(clock)).unwrap();
        let Credentials { name: user, password } = visitor.ice();
        let answer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 0.0.0.0\r\n\
             m=audio 9 UDP/TLS/RTP/SAVPF {number}\r\na=rtpmap:{number} {mapped}\r\n\
             a=mid:0\r\na=rtcp-mux\r\na=ice-ufrag:{user}\r\na=ice-pwd:{password}\r\n\
             a=fingerprint:{print}\r\na=setup:active\r\n",
            number = format.name,
            mapped = format.mapped.as_ref().unwrap(),
            print = visitor.fingerprint(),
        );
        shards.order(Order::Accept { stream, answer: answer.into() });
        let check = visitor.check(host.ice.as_ref().unwrap(), true);
        socket.send_to(&check, to).unwrap();

        let mut buffer = [0; 2_048];
        while visitor.keys().is_none() {
            if let Ok((length, _)) = socket.recv_from(&mut buffer)
                && buffer[0] >= 20
                && is_for_the_gateway(&buffer[..length])
            {
                visitor.received(&buffer[..length], instant(clock));
            }
            visitor.handle_timeout(instant(clock));
            while let Some(datagram) = visitor.poll_transmit() {
                socket.send_to(&datagram, to).unwrap();
            }
        }
        let keys = visitor.keys().unwrap();
        let armour = (Protector::new(&keys.ours), Opener::new(&keys.theirs));
        Self::of(socket, to, (codec, format.payload_type().unwrap()), Some(armour))
    }

    fn of(
        socket: UdpSocket,
        to: SocketAddr,
        (codec, kind): (Codec, u8),
        armour: Option<(Protector, Opener)>,
    ) -> Self {
        socket.set_nonblocking(true).unwrap();
        let (armour, opener) = armour.unzip();
        Self {
            socket,
            to,
            kind,
            step: codec.rtp_clock() / 50,
            voice: packet(codec, 0.3),
            silence: packet(codec, 0.0),
            armour,
            ear: Decoder::new(codec),
            opener,
            heard: 0,
            roused: None,
        }
    }

    /// Whether there is sound in a packet.
    fn hears_sound(&mut self, packet: &mut [u8]) -> bool {
        let length = match &mut self.opener {
            Some(opener) => match opener.open(packet) {
                Ok(length) => length,
                Err(_) => return false,
            },
            None => packet.len(),
        };
        let mut samples = [0; Codec::FRAME_SAMPLES_MAX];
        let Ok(read) = Packet::parse(&packet[..length]) else { return false };
        let count = self.ear.decode(read.payload, &mut samples);
        samples[..count].iter().any(|sample| sample.unsigned_abs() > 1_000)
    }

    fn says(&mut self, sequence: u64, is_silent: bool) {
        let header = Header {
            marker: false,
            payload_type: self.kind,
            sequence: sequence as u16,
            timestamp: (sequence as u32).wrapping_mul(self.step),
            ssrc: 7,
        };
        let mut packet = [0; 512];
        let payload = if is_silent { &self.silence } else { &self.voice };
        let mut length = header.write(payload, &mut packet).unwrap();
        if let Some(armour) = &mut self.armour {
            length = armour.protect(&mut packet, length).unwrap();
        }
        let _ = self.socket.send_to(&packet[..length], self.to);
    }
}

/// 20 ms of a tone this loud.
fn packet(codec: Codec, level: f64) -> Vec<u8> {
    let samples = sine(700.0, codec.sample_rate(), Duration::from_millis(20), level);
    let mut packet = vec![0; 400];
    let length = match codec {
        Codec::Opus => Encoder::opus(codec.sample_rate()).encode(&samples, &mut packet),
        Codec::Pcma | Codec::Pcmu | Codec::G722 => {
            Encoder::new(codec).encode(&samples, &mut packet[..160]);
            160
        }
    };
    packet.truncate(length);
    packet
}

/// All legs, spread over 20 ms.
struct Talk {
    clock: Clock,
    sequence: u64,
    turned: Moment,
    /// When everybody fell silent, and until when they are: sound is listened for then.
    since: Option<(Moment, Moment)>,
}

const SILENCE: Duration = Duration::from_millis(600);

impl Talk {
    fn go_on(&mut self, duration: Duration, legs: &mut [Leg]) {
        let until = self.turned + duration;
        while self.turned < until {
            self.turned += Duration::from_millis(1);
            thread::sleep(self.turned - self.clock.moment());
            let slot = self.turned.since_start().as_millis() as usize % 20;
            if slot == 0 {
                self.sequence += 1;
            }
            let is_silent = self.since.is_some_and(|(_, end)| self.turned < end);
            for at in (slot..legs.len()).step_by(20) {
                legs[at].says(self.sequence, is_silent);
            }
            self.listen(legs);
        }
    }

    /// How long sound is on its way to the listeners, and from them: the mean.
    fn mouth_to_ear(&mut self, legs: &mut [Leg]) -> (Duration, Duration) {
        let end = self.turned + SILENCE;
        self.since = Some((self.turned, end));
        self.go_on(2 * SILENCE, legs);
        let half = legs.len() / 2;
        // A leg speaks in its own slot of 20 ms.
        let first_word = |at: usize| {
            let slot = (0..20).find(|later| {
                let moment = end + Duration::from_millis(*later);
                moment.since_start().as_millis() as usize % 20 == at % 20
            });
            end + Duration::from_millis(slot.unwrap_or(0))
        };
        let mean = |ears: std::ops::Range<usize>| {
            let delays: Vec<Duration> = ears
                .map(|at| {
                    let partner = if at < half { at + half } else { at - half };
                    legs[at].roused.expect("everybody is heard again") - first_word(partner)
                })
                .collect();
            delays.iter().sum::<Duration>() / delays.len() as u32
        };
        (mean(half..legs.len()), mean(0..half))
    }

    fn listen(&self, legs: &mut [Leg]) {
        let mut buffer = [0; 2_048];
        for leg in legs {
            while let Ok((length, _)) = leg.socket.recv_from(&mut buffer) {
                // Sound, and neither reports nor checks.
                let is_sound =
                    length > 12 && buffer[0] >> 6 == 2 && !(64..96).contains(&(buffer[1] & 0x7F));
                if !is_sound {
                    continue;
                }
                leg.heard += 1;
                let Some((_, end)) = self.since else { continue };
                // What was said before the silence has been heard by its middle.
                let now = self.clock.moment();
                let listens = now + SILENCE / 2 > end && leg.roused.is_none();
                if listens && leg.hears_sound(&mut buffer[..length]) {
                    leg.roused = Some(now);
                }
            }
        }
    }
}

/// Octets of memory that this program has in use.
fn resident() -> u64 {
    let pages: u64 =
        fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

const CALLS: u32 = 50;
