//! The road bytes travel, and what is to be sent along it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How bytes travel (RFC 3261 §18; RFC 7118 for the WebSocket ones).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Transport {
    /// Whether lost bytes are sent again below us; timers A, E, G then rest, and D, I, J, K are zero.
    pub fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether a browser is at the other end.
    pub fn is_web(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Whether nobody on the road can read what travels.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// As written in a Via: `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

/// The road one message came by, or shall go: a name only, the world keeps the socket.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Flow {
    pub transport: Transport,
    /// The address we listen on; names the socket on UDP.
    pub local: SocketAddr,
    pub peer: SocketAddr,
    /// Which connection, on stream transports. 0 on UDP; on a stream, 0 asks `net` for any open
    /// connection to `peer`, or a new one.
    pub connection: u64,
}

/// Bytes to be sent.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transmit {
    pub flow: Flow,
    pub bytes: Bytes,
}

impl fmt::Debug for Transmit {
    /// Not the bytes: they can name a caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmit({:?}, {} bytes)", self.flow, self.bytes.len())
    }
}

/// An address the house listens on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Door {
    pub transport: Transport,
    pub local: SocketAddr,
    /// What we write into Via and Contact: an address peers can reach.
    pub advertised: IpAddr,
    /// The digest algorithms offered here, best first. Some phones give up when they see SHA-256.
    pub algorithms: Vec<Algorithm>,
}

/// A digest algorithm (RFC 8760).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Algorithm {
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "MD5")]
    Md5,
}
