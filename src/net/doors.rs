//! All doors of the house together.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use crate::net::{Deliver, Limits, Stamp, Tcp, UdpDoor, UdpReader};
use crate::sip::{Flow, Transmit, Transport};

/// The most peers whose names are remembered.
const EXPECTED_MAX: usize = 1_024;

/// Every address where SIP is spoken.
pub struct Doors {
    udp: BTreeMap<SocketAddr, Arc<UdpDoor>>,
    /// Who must be at the other end of a TLS connection of ours.
    expected: Mutex<BTreeMap<SocketAddr, String>>,
    tcp: Tcp,
    open: Vec<Opened>,
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
}

impl Doors {
    /// Takes every address; if one can't be had, none is kept. Streams are read from now on,
    /// datagrams by their [`readers`](Self::readers).
    pub fn open(
        wanted: &[(Transport, SocketAddr)],
        limits: Limits,
        runtime: Handle,
        stamp: &Stamp,
        deliver: &Deliver,
    ) -> Result<Self, NotOpened> {
        let tcp = Tcp::new(limits, runtime, Arc::clone(stamp), Arc::clone(deliver));
        let mut doors =
            Self { udp: BTreeMap::new(), expected: Mutex::default(), tcp, open: Vec::new() };
        // UDP first: a TCP door starts to accept at once.
        let mut wanted = wanted.to_vec();
        wanted.sort_by_key(|(transport, _)| transport.is_reliable());
        for (transport, listen) in wanted {
            let local = doors.take(transport, listen).map_err(|fault| NotOpened {
                transport,
                listen,
                fault,
            })?;
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
            Transport::Tcp => self.tcp.send(transmit),
            // No door of these kinds can be opened.
            Transport::Tls | Transport::Ws | Transport::Wss => {}
        }
    }

    /// Whoever answers at `peer` over TLS must prove to be `name`.
    pub fn expect(&self, peer: SocketAddr, name: String) {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if expected.len() >= EXPECTED_MAX {
            expected.pop_first();
        }
        expected.insert(peer, name);
    }

    pub fn close(&self, flow: Flow) {
        match flow.transport {
            Transport::Tcp => self.tcp.close(flow),
            Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss => {}
        }
    }

    /// What the doors have seen.
    pub fn counters(&self) -> DoorCounters {
        DoorCounters {
            datagrams_dropped: self.udp.values().map(|door| door.dropped()).sum(),
            connections: self.tcp.connections(),
            connections_refused: self.tcp.refused(),
            connections_evicted: self.tcp.evicted(),
        }
    }

    /// Closes every connection. Also done when the value is dropped.
    pub fn shut(&mut self) {
        self.tcp.close_all();
    }

    fn take(&mut self, transport: Transport, listen: SocketAddr) -> io::Result<SocketAddr> {
        match transport {
            Transport::Udp => {
                let door = UdpDoor::open(listen)?;
                let local = door.local();
                self.udp.insert(local, Arc::new(door));
                Ok(local)
            }
            Transport::Tcp => self.tcp.open(listen),
            Transport::Tls | Transport::Ws | Transport::Wss => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "only `udp` and `tcp` doors can be opened",
            )),
        }
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
