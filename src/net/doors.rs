//! All doors of the house together.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::net::tls::{ServerKeys, Trust};
use crate::net::{Deliver, Limits, Stamp, Streams, UdpDoor, UdpReader, WebRules};
use crate::sip::{Flow, Transmit, Transport};

/// Every address where SIP is spoken.
pub struct Doors {
    udp: BTreeMap<SocketAddr, Arc<UdpDoor>>,
    streams: Streams,
    open: Vec<Opened>,
}

/// An address to be taken.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub transport: Transport,
    pub listen: SocketAddr,
    /// What TLS shows; a `tls` or `wss` door needs it.
    pub keys: Option<ServerKeys>,
    /// Who may come in by a WebSocket door.
    pub web: Option<WebRules>,
}

impl Wanted {
    /// A UDP or TCP door.
    pub fn plain(transport: Transport, listen: SocketAddr) -> Self {
        Self { transport, listen, keys: None, web: None }
    }
}

/// An address that was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Opened {
    pub transport: Transport,
    /// As it was asked for.
    pub listen: SocketAddr,
    /// With the port the kernel chose, if none was asked for.
    pub local: SocketAddr,
}

/// An address that could not be taken.
#[derive(Debug, thiserror::Error)]
pub struct NotOpened {
    pub transport: Transport,
    pub listen: SocketAddr,
    #[source]
    pub fault: io::Error,
}

/// What the doors have seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DoorCounters {
    /// Datagrams neither the kernel nor the loop had room for.
    pub datagrams_dropped: u64,
    pub connections: usize,
    pub connections_refused: u64,
    pub connections_evicted: u64,
    /// TLS handshakes and WebSocket upgrades that came to nothing.
    pub handshakes_failed: u64,
}

impl Doors {
    /// Takes every address; if one can't be had, none is kept. Streams are read from now on,
    /// datagrams by their [`readers`](Self::readers).
    pub fn open(
        wanted: &[Wanted],
        limits: Limits,
        runtime: Handle,
        stamp: &Stamp,
        deliver: &Deliver,
    ) -> Result<Self, NotOpened> {
        let streams = Streams::new(limits, runtime, Arc::clone(stamp), Arc::clone(deliver));
        let mut doors = Self { udp: BTreeMap::new(), streams, open: Vec::new() };
        // UDP first: a TCP door starts to accept at once.
        let mut wanted = wanted.iter().collect::<Vec<_>>();
        wanted.sort_by_key(|wanted| wanted.transport.is_reliable());
        for wanted in wanted {
            let Wanted { transport, listen, .. } = *wanted;
            let local =
                doors.take(wanted).map_err(|fault| NotOpened { transport, listen, fault })?;
            doors.open.push(Opened { transport, listen, local });
        }
        Ok(doors)
    }

    /// What reads the datagrams of every UDP door; to be asked for once.
    pub fn readers(&self, stamp: &Stamp, deliver: &Deliver) -> Vec<UdpReader> {
        self.udp.values().map(|door| UdpReader::new(Arc::clone(door), stamp, deliver)).collect()
    }

    /// The addresses taken, UDP first.
    pub fn opened(&self) -> &[Opened] {
        &self.open
    }

    /// Sends without waiting.
    pub fn send(&self, transmit: Transmit) {
        match transmit.flow.transport {
            Transport::Udp => {
                // A plan that changed its addresses needs a restart, so the socket may be gone.
                if let Some(door) = self.udp.get(&transmit.flow.local) {
                    door.send(transmit.flow.peer, &transmit.bytes);
                }
            }
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                self.streams.send(transmit);
            }
        }
    }

    /// Whoever answers at `peer` over TLS must prove to be `name`.
    pub fn expect(&self, peer: SocketAddr, name: String) {
        self.streams.expect(peer, name);
    }

    /// Whom to believe on TLS connections of ours, from now on.
    pub fn trust(&self, trust: Trust) {
        self.streams.trust(trust);
    }

    /// New certificates for an open door; connections there are go on with the old ones.
    pub fn rekey(
        &self,
        transport: Transport,
        listen: SocketAddr,
        keys: &ServerKeys,
    ) -> Result<(), rustls::Error> {
        self.streams.rekey(transport, listen, keys)
    }

    pub fn close(&self, flow: Flow) {
        if flow.transport.is_reliable() {
            self.streams.close(flow);
        }
    }

    /// What the doors have seen.
    pub fn counters(&self) -> DoorCounters {
        DoorCounters {
            datagrams_dropped: self.udp.values().map(|door| door.dropped()).sum(),
            connections: self.streams.connections(),
            connections_refused: self.streams.refused(),
            connections_evicted: self.streams.evicted(),
            handshakes_failed: self.streams.unshaken(),
        }
    }

    /// Closes every connection. Also done when the value is dropped.
    pub fn shut(&mut self) {
        self.streams.close_all();
    }

    fn take(&mut self, wanted: &Wanted) -> io::Result<SocketAddr> {
        let Wanted { transport, listen, keys, web } = wanted;
        if *transport == Transport::Udp {
            let door = UdpDoor::open(*listen)?;
            let local = door.local();
            self.udp.insert(local, Arc::new(door));
            return Ok(local);
        }
        if keys.is_none() && matches!(transport, Transport::Tls | Transport::Wss) {
            return Err(io::Error::other("it has no certificate that can be used"));
        }
        self.streams.open(*transport, *listen, keys.as_ref(), web.clone())
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.shut();
    }
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport, listen, fault } = self;
        let (token, port, ip) = (transport.token(), listen.port(), listen.ip());
        let kind = fault.kind();
        if kind == io::ErrorKind::AddrInUse {
            write!(
                f,
                "port {port} ({token}) on {ip} is in use by another program: stop it, or give this \
                 house another port in `hotline.toml`"
            )
        } else if kind == io::ErrorKind::PermissionDenied {
            write!(
                f,
                "port {port} ({token}) needs a privilege this program was not given: choose a port \
                 above 1023, or grant it the right to bind low ports"
            )
        } else if kind == io::ErrorKind::AddrNotAvailable {
            write!(
                f,
                "{ip} is no address of this machine: write one that is (`ip address` lists them), \
                 or `0.0.0.0` for all"
            )
        } else {
            write!(f, "can't listen on {listen} ({token}): {fault}")
        }
    }
}
