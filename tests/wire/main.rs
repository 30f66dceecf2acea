//! A few tests over real loopback sockets.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![expect(clippy::disallowed_methods, reason = "real sockets live in real time")]

mod desk;
mod house;
mod page;
mod rtp;
mod tcp;
mod tls;
mod udp;
mod web;

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hotline::base::Now;
use hotline::exchange::Input;
use hotline::net::{Doors, Limits, Taken, UdpReader, Wanted, read_when_ready};
use hotline::service::Clock;
use hotline::sip::Transport;
use nix::sys::eventfd::EventFd;
use socket2::{Domain, Socket, Type};

/// Long enough for a busy machine, short enough for a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// One open door and what came in by it.
struct Porch {
    doors: Doors,
    local: SocketAddr,
    facts: Receiver<(Now, Input)>,
    clock: Clock,
    _reader: Reader,
    _runtime: tokio::runtime::Runtime,
}

impl Porch {
    fn open(transport: Transport, limits: Limits) -> Self {
        Self::with(Wanted::plain(transport, "127.0.0.1:0".parse().unwrap()), limits)
    }

    fn with(wanted: Wanted, limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (sender, facts) = channel();
        let clock = Clock::start();
        let deliver: hotline::net::Deliver = Arc::new(move |at, input| {
            let _ = sender.send((at, input));
            Taken::Yes
        });
        let wanted = [wanted];
        let doors =
            Doors::open(&wanted, limits, runtime.handle().clone(), &clock.stamp(), &deliver)
                .unwrap();
        let local = doors.opened()[0].local;
        let reader = Reader::begin(doors.readers(&clock.stamp(), &deliver));
        Self { doors, local, facts, clock, _reader: reader, _runtime: runtime }
    }

    fn next(&self) -> Input {
        self.facts.recv_timeout(PATIENCE).unwrap().1
    }

    /// Waits until so many handshakes have come to nothing.
    fn sees_failed_handshakes(&self, count: u64) -> bool {
        let began = std::time::Instant::now();
        while self.doors.counters().handshakes_failed < count && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.doors.counters().handshakes_failed == count
    }

    fn has_nothing(&self) -> bool {
        self.facts.recv_timeout(Duration::from_millis(150)).is_err()
    }
}

/// Reads datagrams as the loop would, until it is dropped.
struct Reader {
    bell: Arc<EventFd>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn begin(mut readers: Vec<UdpReader>) -> Self {
        let bell = Arc::new(EventFd::new().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let (rung, stopped) = (Arc::clone(&bell), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                read_when_ready(&mut readers, rung.as_fd(), PATIENCE, || {});
            }
        });
        Self { bell, stop, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bell.write(1).unwrap();
        let _ = self.thread.take().unwrap().join();
    }
}

/// Connects as the machine 127.0.0.x.
fn connect_from(number: u8, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, number], 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

fn limits() -> Limits {
    Limits {
        max: 8,
        max_per_address: 8,
        message_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_secs(60),
    }
}
