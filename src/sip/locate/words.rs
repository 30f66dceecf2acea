//! What is looked for, what is asked, what was answered.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sip::Transport;

/// Somewhere requests are to go: the parts of a SIP URI that say where.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Destination {
    /// A name, or an address.
    pub host: String,
    /// A port that was written: then nothing but addresses is looked up.
    pub port: Option<u16>,
    /// A transport that was written.
    pub transport: Option<Transport>,
    /// `sips:`, so TLS only.
    pub secure: bool,
}

impl Destination {
    pub fn new(host: &str, port: Option<u16>, transport: Option<Transport>) -> Self {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        Self { host, port, transport, secure: false }
    }
}

/// One address to try.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Hop {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// A question for the DNS.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Question {
    /// In lower case, without the dot at the end.
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Kind {
    Naptr,
    Srv,
    A,
    Aaaa,
}

/// What the DNS said.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// These; none at all if there is no such name or no such record.
    Records { records: Vec<Record>, ttl: Duration },
    /// No server answered, or none that could.
    Failed,
}

/// One record.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Record {
    Naptr { order: u16, preference: u16, flags: String, service: String, replacement: String },
    Srv { priority: u16, weight: u16, port: u16, target: String },
    Address(IpAddr),
}

impl Record {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Naptr { .. } => Kind::Naptr,
            Self::Srv { .. } => Kind::Srv,
            Self::Address(IpAddr::V4(_)) => Kind::A,
            Self::Address(IpAddr::V6(_)) => Kind::Aaaa,
        }
    }
}
