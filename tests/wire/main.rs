//! A few tests over real loopback sockets.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod house;
mod rtp;
mod tcp;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::base::Now;
use hotline::exchange::Input;
use hotline::net::{Doors, Limits, Taken};
use hotline::service::Clock;
use hotline::sip::Transport;

/// Long enough for a busy machine, short enough for a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// One open door and what came in by it.
struct Porch {
    doors: Doors,
    local: SocketAddr,
    facts: Receiver<(Now, Input)>,
    clock: Clock,
    _runtime: tokio::runtime::Runtime,
}

impl Porch {
    fn open(transport: Transport, limits: Limits) -> Self {
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
        let wanted = [(transport, "127.0.0.1:0".parse().unwrap())];
        let doors =
            Doors::open(&wanted, limits, runtime.handle().clone(), &clock.stamp(), &deliver)
                .unwrap();
        let local = doors.opened()[0].local;
        Self { doors, local, facts, clock, _runtime: runtime }
    }

    fn next(&self) -> Input {
        self.facts.recv_timeout(PATIENCE).unwrap().1
    }

    fn has_nothing(&self) -> bool {
        self.facts.recv_timeout(Duration::from_millis(150)).is_err()
    }
}

fn limits() -> Limits {
    Limits {
        max: 8,
        max_per_address: 8,
        message_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_secs(60),
    }
}
