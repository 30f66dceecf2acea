//! Requests too large for a datagram (RFC 3261 §18.1.1).
//!
//! A request of more than [`DATAGRAM_MAX`] bytes that would go to a trunk over UDP goes over TCP, where we
//! have a door of the same address; if nobody there takes connections, it goes over UDP after all.
//! A phone is reached by the flow it registered with and no other (RFC 5626): behind its NAT nobody
//! would take a connection.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::base::AddressRange;
use crate::sip::{Flow, Transport};

/// The path's MTU is unknown, so this is the limit.
const DATAGRAM_MAX: usize = 1_300;

/// The first line of our Via on UDP; TCP's is as long.
const OVER_UDP: &[u8] = b"\r\nVia: SIP/2.0/UDP ";
const OVER_TCP: &[u8] = b"\r\nVia: SIP/2.0/TCP ";

/// Where a large request may change its transport.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Widening {
    /// Our TCP doors.
    doors: BTreeSet<SocketAddr>,
    /// The trunks' addresses.
    peers: Vec<AddressRange>,
}

impl Widening {
    pub(crate) fn new(doors: BTreeSet<SocketAddr>, peers: Vec<AddressRange>) -> Self {
        Self { doors, peers }
    }

    /// The road of a request.
    pub(super) fn road(&self, flow: Flow, request: &[u8]) -> Flow {
        let is_wide = flow.transport == Transport::Udp
            && request.len() > DATAGRAM_MAX
            && self.doors.contains(&flow.local)
            && self.peers.iter().any(|range| range.contains(flow.peer.ip()));
        if is_wide { Flow { transport: Transport::Tcp, connection: 0, ..flow } } else { flow }
    }
}

/// The road back to UDP of a request that was meant for it.
pub(super) fn narrow(flow: Flow, request: &[u8]) -> Option<Flow> {
    let was_meant_for_udp = flow.transport == Transport::Tcp && via_of_udp(request).is_some();
    was_meant_for_udp.then_some(Flow { transport: Transport::Udp, connection: 0, ..flow })
}

/// The bytes as they go over `flow`: the top Via names the transport that is really used.
pub(super) fn over(flow: Flow, bytes: &Bytes) -> Bytes {
    match via_of_udp(bytes) {
        Some(at) if flow.transport == Transport::Tcp => {
            let mut changed = BytesMut::from(&bytes[..]);
            changed[at..at + OVER_TCP.len()].copy_from_slice(OVER_TCP);
            changed.freeze()
        }
        Some(_) | None => bytes.clone(),
    }
}

/// Where the top Via of a request of ours says UDP. It is the first header we write.
fn via_of_udp(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    bytes.get(at..)?.starts_with(OVER_UDP).then_some(at)
}
