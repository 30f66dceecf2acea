//! Sockets: bytes come in with the moment they came, and go out without waiting.
//!
//! The rest of the house sees [`Doors`]: open them, send, close a connection. What arrives is handed
//! to a [`Deliver`]; nothing here reads SIP beyond finding where a message ends on a stream. RTP has
//! its own sockets (`rtp`).

mod doors;
mod entrance;
mod framing;
mod posting;
mod resolver;
pub mod rtp;
mod streams;
pub mod tls;
mod udp;

use std::sync::Arc;
use std::time::Duration;

use crate::base::Now;
use crate::exchange::Input;

pub use doors::{DoorCounters, Doors, NotOpened, Opened, Wanted};
pub use entrance::{Entrance, Guest, Place};
pub use posting::{PostFault, Poster};
pub use resolver::Resolver;
pub use streams::{Streams, WebRules};
pub use udp::{UdpDoor, UdpReader, read_when_ready};

/// Reads the clocks; `service::clock` makes it.
pub type Stamp = Arc<dyn Fn() -> Now + Send + Sync>;

/// Takes a fact to the loop, without waiting.
pub type Deliver = Arc<dyn Fn(Now, Input) -> Taken + Send + Sync>;

/// Whether a fact found room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Taken {
    Yes,
    /// The loop has more to do than it can; a datagram is dropped, a stream waits.
    Full,
}

/// How much strangers may hold open on streams.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at once.
    pub max: usize,
    pub max_per_address: usize,
    /// How long a begun message may take to come whole.
    pub message_timeout: Duration,
    /// How long a connection may say nothing.
    pub idle_timeout: Duration,
}
