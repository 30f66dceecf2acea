//! What one media thread costs: CPU per 100 callers who hear music, per 100 bridged calls, and how
//! late its packets are.
//!
//! The phones are in this program, on loopback, and send 50 packets a second each; only the media
//! thread's own CPU clock is counted. `cargo bench --bench media_shard [seconds]`.

#![expect(clippy::print_stdout, reason = "it is for reading")]
#![expect(clippy::unwrap_used, reason = "a measurement that can't go on should stop")]

mod shard;

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use hotline::base::Moment;
use hotline::media::codec::Codec;
use hotline::media::library::Library;
use hotline::media::rtp::{Header, Packet};
use hotline::media::sound::Recording;
use hotline::media::sound::tone::sine;
use hotline::media::{Order, PlayRef, Repeat};
use hotline::service::Clock;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

fn main() {
    let mut arguments = std::env::args().skip(1);
    if !arguments.any(|argument| argument == "--bench") {
        println!("measures when it is run by `cargo bench`");
        return;
    }
    let seconds = arguments.find_map(|argument| argument.parse().ok()).unwrap_or(5);
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();

    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>9}{:>12}{:>12}{:>12}",
        "", "CPU/100", "CPU", "in/s", "out/s", "lost", "late, worst", "jitter, mean"
    );
    let (a, u, g) = (Codec::Pcma, Codec::Pcmu, Codec::G722);
    for (what, load, size) in [
        ("idle streams", Load::Silence, 200),
        ("callers hearing music", Load::Music { talking: false }, 200),
        ("callers hearing music, talking", Load::Music { talking: true }, 200),
        ("callers hearing music, talking", Load::Music { talking: true }, 1_000),
        ("bridged calls, copied", Load::Bridges([a, a]), 100),
        ("bridged calls, copied", Load::Bridges([a, a]), 500),
        ("bridged calls, A-law to mu-law", Load::Bridges([a, u]), 100),
        ("bridged calls, A-law to G.722", Load::Bridges([a, g]), 100),
    ] {
        measure(what, load, size, Duration::from_secs(seconds));
    }
}

#[derive(Clone, Copy)]
enum Load {
    Silence,
    Music { talking: bool },
    Bridges([Codec; 2]),
}

fn measure(what: &str, load: Load, size: u32, duration: Duration) {
    let clock = Clock::start();
    let music =
        Recording { rate: 16_000, samples: sine(440.0, 16_000, Duration::from_secs(30), 0.2) };
    let library = Library::new([("music".parse().unwrap(), &music)]);
    let (shards, notices) = shard::start(clock, &Codec::TELEPHONE, library);
    let exchange: Vec<UdpSocket> = (0..PHONE_SOCKETS).map(|_| phone_socket()).collect();
    let mut phones = Vec::new();
    let (streams_each, talking) = match load {
        Load::Silence => (1, false),
        Load::Music { talking } => (1, talking),
        Load::Bridges(_) => (2, true),
    };
    for call in 0..size {
        for index in 0..streams_each {
            let name = shard::stream(call, index);
            let codec = match load {
                Load::Silence | Load::Music { .. } => Codec::Pcma,
                Load::Bridges(codecs) => codecs[index as usize],
            };
            let socket = phones.len() % PHONE_SOCKETS;
            let to = shard::plain(&shards, &notices, name, codec, &exchange[socket]);
            phones.push(Phone { socket, to, codec });
            if let Load::Music { .. } = load {
                let prompts = vec!["music".parse().unwrap()];
                let repeat = Repeat::Forever;
                shards.order(Order::Play { stream: name, play: PlayRef(1), prompts, repeat });
            }
        }
        if let Load::Bridges(_) = load {
            let streams = [0, 1].map(|index| shard::stream(call, index));
            shards.order(Order::Join { streams });
        }
    }

    let mut ears = Ears::new();
    let mut talk = Talk { clock, phones, talking, sequence: 0, turned: clock.moment() };
    talk.go_on(Duration::from_secs(1), &exchange, &mut ears);
    shards.figures();
    ears.forget();
    let (begun, before, cpu_before) = (clock.moment(), shards.figures()[0], shard::cpu());
    talk.go_on(duration, &exchange, &mut ears);
    let (took, after) = (clock.moment() - begun, shards.figures()[0]);
    let cpu = (shard::cpu() - cpu_before).as_secs_f64() / took.as_secs_f64() * 100.0;

    let rate = |count: u64| (count as f64 / took.as_secs_f64()).round();
    println!(
        "{:<34}{:>8.2}%{:>8.2}%{:>9}{:>9}{:>12}{:>9.2} ms{:>9.2} ms",
        format!("{size} {what}"),
        cpu / f64::from(size) * 100.0,
        cpu,
        rate(after.packets_received - before.packets_received),
        rate(after.packets_sent - before.packets_sent),
        ears.lost,
        after.latest.as_secs_f64() * 1_000.0,
        ears.unevenness.as_secs_f64() * 1_000.0 / ears.heard.max(1) as f64,
    );
}

struct Phone {
    socket: usize,
    to: SocketAddr,
    codec: Codec,
}

/// All phones, spread over 20 ms.
struct Talk {
    clock: Clock,
    phones: Vec<Phone>,
    talking: bool,
    sequence: u64,
    turned: Moment,
}

impl Talk {
    fn go_on(&mut self, duration: Duration, exchange: &[UdpSocket], ears: &mut Ears) {
        let until = self.clock.moment() + duration;
        while self.turned < until {
            self.turned += Duration::from_millis(1);
            let now = self.clock.moment();
            thread::sleep(self.turned - now);
            let slot = self.turned.since_start().as_millis() as usize % 20;
            if slot == 0 {
                self.sequence += 1;
            }
            if self.talking {
                for phone in self.phones.iter().skip(slot).step_by(20) {
                    let header = Header {
                        marker: false,
                        payload_type: phone.codec.payload_type(),
                        sequence: self.sequence as u16,
                        timestamp: 160 * self.sequence as u32,
                        ssrc: 7,
                    };
                    let mut packet = [0x55; 172];
                    header.write(&[0x55; 160], &mut packet).unwrap();
                    let _ = exchange[phone.socket].send_to(&packet, phone.to);
                }
            }
            ears.listen(exchange, self.clock.moment());
        }
    }
}

/// Counts what the phones hear, by the port it comes from.
struct Ears {
    last: Vec<Option<(u16, Moment)>>,
    heard: u64,
    lost: u64,
    /// All deviations from 20 ms, added up.
    unevenness: Duration,
}

impl Ears {
    fn new() -> Self {
        Self { last: vec![None; 65_536], heard: 0, lost: 0, unevenness: Duration::ZERO }
    }

    fn forget(&mut self) {
        *self = Self { last: std::mem::take(&mut self.last), ..Self::new() };
    }

    fn listen(&mut self, exchange: &[UdpSocket], now: Moment) {
        let mut buffer = [0; 512];
        for socket in exchange {
            while let Ok((length, source)) = socket.recv_from(&mut buffer) {
                let Ok(packet) = Packet::parse(&buffer[..length]) else { continue };
                let sequence = packet.header.sequence;
                if let Some((last, at)) = self.last[usize::from(source.port())] {
                    self.lost += u64::from(sequence.wrapping_sub(last).saturating_sub(1));
                    self.unevenness += (now - at).abs_diff(Duration::from_millis(20));
                }
                self.heard += 1;
                self.last[usize::from(source.port())] = Some((sequence, now));
            }
        }
    }
}

fn phone_socket() -> UdpSocket {
    let socket = socket2::Socket::from(UdpSocket::bind("127.0.0.1:0").unwrap());
    socket.set_recv_buffer_size(4 << 20).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

/// Many phones share a socket, so that this program's own work stays small.
const PHONE_SOCKETS: usize = 8;
