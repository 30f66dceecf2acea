//! SIP over streams: TCP, TLS and WebSocket. Listeners, connections, and who has to go when there
//! are too many.
//!
//! | file | |
//! |---|---|
//! | `table` | who is connected |
//! | `conversation` | one connection of TCP or TLS |
//! | `web` | one connection of WebSocket (RFC 7118) |
//!
//! Each connection is one small task. Strangers are bounded in every direction (domain.md §5, T-04):
//! so many connections, so many from one address, so long for a handshake, so long for a begun
//! message, so long in silence. When the house is full the connection that has been silent longest
//! makes room; one that a phone registered or calls over is never put out for a newcomer. All of
//! this holds for every transport alike: a half-open TLS handshake is a connection that has said
//! nothing.
//!
//! A connection that can't be delivered from waits (TCP then slows the peer down); one that doesn't
//! read what it is sent is closed.

mod conversation;
mod patient;
mod table;
mod web;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::exchange::Input;
use crate::net::tls::{ServerKeys, TlsDoor, Trust};
use crate::net::{Deliver, Limits, Stamp, Taken};
use crate::sip::{Flow, Transmit, Transport};

use self::conversation::converse;
use self::table::{Standing, Table};
pub use self::web::WebRules;

/// How long one write may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// How long we try to reach a peer that has no connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(4);

/// How long a TLS handshake and the upgrade to WebSocket may take together (domain.md T-04).
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(3);

/// The kernel asks a silent peer so often whether it is still there.
const KERNEL_KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long a full house makes a connection wait before it offers its message again.
const OFFER_AGAIN: Duration = Duration::from_millis(10);

/// Listening when there is no file handle left to accept with.
const OUT_OF_HANDLES_PAUSE: Duration = Duration::from_millis(100);

/// Connections the kernel may hold before they are accepted.
const BACKLOG: i32 = 1024;

/// Class selector 3, as on UDP.
const SIGNALLING: u32 = 24 << 2;

/// The most peers whose names are remembered.
const EXPECTED_MAX: usize = 1_024;

/// Every address where SIP is spoken over streams, and every connection.
#[derive(Clone)]
pub struct Streams {
    shared: Arc<Shared>,
}

struct Shared {
    table: Mutex<Table>,
    limits: Limits,
    runtime: Handle,
    stamp: Stamp,
    deliver: Deliver,
    /// True once the doors are shut.
    shut: watch::Sender<bool>,
    /// The TLS doors, by the address they were asked for.
    tls: Mutex<BTreeMap<(Transport, SocketAddr), Arc<TlsDoor>>>,
    /// Whom we believe, on connections of ours.
    trust: Mutex<Arc<Trust>>,
    /// Who must be at the other end of a TLS connection of ours.
    expected: Mutex<BTreeMap<SocketAddr, String>>,
    refused: AtomicU64,
    evicted: AtomicU64,
    /// TLS handshakes and WebSocket upgrades that came to nothing.
    unshaken: AtomicU64,
}

/// How a stream is spoken over once it is accepted.
#[derive(Clone)]
struct Manner {
    tls: Option<Arc<TlsDoor>>,
    web: Option<Arc<WebRules>>,
}

impl Streams {
    pub fn new(limits: Limits, runtime: Handle, stamp: Stamp, deliver: Deliver) -> Self {
        let shared = Shared {
            table: Mutex::default(),
            limits,
            runtime,
            stamp,
            deliver,
            shut: watch::Sender::new(false),
            tls: Mutex::default(),
            trust: Mutex::new(Arc::new(Trust::default())),
            expected: Mutex::default(),
            refused: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            unshaken: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes the address and lets peers in from now on.
    pub fn open(
        &self,
        transport: Transport,
        listen: SocketAddr,
        keys: Option<&ServerKeys>,
        web: Option<WebRules>,
    ) -> io::Result<SocketAddr> {
        let tls = match keys {
            Some(keys) => Some(Arc::new(TlsDoor::new(keys).map_err(io::Error::other)?)),
            None => None,
        };
        let socket = Socket::new(Domain::for_address(listen), Type::STREAM, Some(Protocol::TCP))?;
        if listen.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Lets a house start again while connections of its predecessor fade away; two listeners
        // still can't share an address.
        socket.set_reuse_address(true)?;
        socket.bind(&listen.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let _entered = self.shared.runtime.enter();
        let listener = TcpListener::from_std(socket.into())?;
        let local = listener.local_addr()?;
        if let Some(tls) = &tls {
            locked(&self.shared.tls).insert((transport, listen), Arc::clone(tls));
        }
        let manner = Manner { tls, web: web.map(Arc::new) };
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.spawn(accept(shared, transport, listener, local, manner));
        Ok(local)
    }

    /// New certificates for a door that is open; connections there are go on with the old ones.
    pub fn rekey(
        &self,
        transport: Transport,
        listen: SocketAddr,
        keys: &ServerKeys,
    ) -> Result<(), rustls::Error> {
        match locked(&self.shared.tls).get(&(transport, listen)) {
            Some(door) => door.rekey(keys),
            None => Ok(()),
        }
    }

    /// Whom to believe on connections of ours, from now on.
    pub fn trust(&self, trust: Trust) {
        *locked(&self.shared.trust) = Arc::new(trust);
    }

    /// Whoever answers at `peer` over TLS must prove to be `name`; otherwise they must prove to be
    /// that address.
    pub fn expect(&self, peer: SocketAddr, name: String) {
        let mut expected = locked(&self.shared.expected);
        if expected.len() >= EXPECTED_MAX {
            expected.pop_first();
        }
        expected.insert(peer, name);
    }

    /// Sends without waiting, over the connection the flow names, any to the same peer, or a new one.
    pub fn send(&self, transmit: Transmit) {
        let Transmit { flow, bytes } = transmit;
        let served = is_success(&bytes);
        let mut table = self.shared.table();
        let id = match flow.connection {
            0 => table.leading_to(flow.transport, flow.peer),
            id => Some(id),
        };
        match id {
            Some(id) => {
                if served {
                    table.rises(id, Standing::Served);
                }
                table.write(id, bytes);
            }
            // A browser can't be called: it is no server (RFC 7118 §5).
            None if matches!(flow.transport, Transport::Ws | Transport::Wss) => {
                drop(table);
                self.shared.unconnected(flow);
            }
            None => {
                let now = (self.shared.stamp)().steady;
                let (id, writes) = table.adds(flow.transport, flow.peer, true, now);
                table.rises(id, Standing::Served);
                table.write(id, bytes);
                drop(table);
                let shared = Arc::clone(&self.shared);
                self.shared.runtime.spawn(connect(shared, Flow { connection: id, ..flow }, writes));
            }
        }
    }

    /// Closes a connection after what is already waiting to be written.
    pub fn close(&self, flow: Flow) {
        self.shared.table().removes(flow.connection);
    }

    /// Closes everything and lets nobody in any more.
    pub fn close_all(&self) {
        self.shared.shut.send_replace(true);
        *self.shared.table() = Table::default();
    }

    pub fn connections(&self) -> usize {
        self.shared.table().len()
    }

    /// Connections not let in because the house, or their address's share of it, was full.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Connections that had to make room.
    pub fn evicted(&self) -> u64 {
        self.shared.evicted.load(Ordering::Relaxed)
    }

    /// TLS handshakes and WebSocket upgrades that came to nothing.
    pub fn unshaken(&self) -> u64 {
        self.shared.unshaken.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        locked(&self.table)
    }

    /// Lets a newcomer in, or doesn't.
    fn admits(
        &self,
        transport: Transport,
        peer: SocketAddr,
    ) -> Option<(u64, mpsc::Receiver<Bytes>)> {
        let now = (self.stamp)().steady;
        let mut table = self.table();
        let is_full = table.len() >= self.limits.max;
        let is_share_spent = table.count_from(peer.ip()) >= self.limits.max_per_address;
        if is_share_spent && !table.evicts_from(peer.ip(), now)
            || is_full && !is_share_spent && !table.evicts(now)
        {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if is_full || is_share_spent {
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        Some(table.adds(transport, peer, false, now))
    }

    fn unconnected(&self, flow: Flow) {
        let flow = Flow { connection: 0, ..flow };
        let _ = (self.deliver)((self.stamp)(), Input::Unconnected { flow });
    }

    /// A message came; waits while the loop has no room for it.
    async fn tells(&self, flow: Flow, bytes: Bytes, at: crate::base::Now) {
        self.table().rises(flow.connection, Standing::Spoken);
        let input = Input::Received { flow, bytes };
        while (self.deliver)(at, input.clone()) == Taken::Full {
            sleep(OFFER_AGAIN).await;
        }
    }
}

async fn accept(
    shared: Arc<Shared>,
    transport: Transport,
    listener: TcpListener,
    local: SocketAddr,
    manner: Manner,
) {
    let mut shut = shared.shut.subscribe();
    loop {
        let accepted = tokio::select! {
            _ = shut.wait_for(|shut| *shut) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some((id, writes)) = shared.admits(transport, peer) else {
                    continue;
                };
                let flow = Flow { transport, local, peer, connection: id };
                let welcome = welcome(Arc::clone(&shared), flow, stream, writes, manner.clone());
                shared.runtime.spawn(welcome);
            }
            Err(error) => {
                // Out of file handles, most likely: connections in the backlog wait for one.
                tracing::warn!(%error, %local, "can't accept a connection");
                sleep(OUT_OF_HANDLES_PAUSE).await;
            }
        }
    }
}

/// One connection somebody made to us, from its first byte to its end.
///
/// Its parts are boxed: a connection that is silent takes the room of what it is at, not of the
/// largest thing that it could be at.
async fn welcome(
    shared: Arc<Shared>,
    flow: Flow,
    stream: TcpStream,
    mut writes: mpsc::Receiver<Bytes>,
    manner: Manner,
) {
    prepares(&stream);
    // Whether anybody in the house has heard of this connection.
    let is_known = match (manner.tls, manner.web) {
        (None, None) => Box::pin(converse(&shared, flow, stream, &mut writes)).await,
        (None, Some(rules)) => {
            let handshake = Box::pin(web::upgrade(stream, rules));
            match shakes(&shared, &mut writes, handshake).await {
                Some(socket) => Box::pin(web::converse(&shared, flow, socket, &mut writes)).await,
                None => false,
            }
        }
        (Some(door), None) => {
            let handshake = Box::pin(TlsAcceptor::from(door.config()).accept(stream));
            match shakes(&shared, &mut writes, handshake).await {
                Some(stream) => Box::pin(converse(&shared, flow, stream, &mut writes)).await,
                None => false,
            }
        }
        (Some(door), Some(rules)) => {
            let handshake = Box::pin(async move {
                let stream = TlsAcceptor::from(door.config()).accept(stream).await?;
                web::upgrade(stream, rules).await
            });
            match shakes(&shared, &mut writes, handshake).await {
                Some(socket) => Box::pin(web::converse(&shared, flow, socket, &mut writes)).await,
                None => false,
            }
        }
    };
    farewell(&shared, flow, is_known);
}

/// A handshake that takes no longer than it may, and ends when the connection must make room.
async fn shakes<S>(
    shared: &Shared,
    writes: &mut mpsc::Receiver<Bytes>,
    handshake: impl Future<Output = io::Result<S>>,
) -> Option<S> {
    let put_out = async { while writes.recv().await.is_some() {} };
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_PATIENCE, handshake) => shaken.ok().and_then(Result::ok),
        () = put_out => None,
    };
    if shaken.is_none() {
        shared.unshaken.fetch_add(1, Ordering::Relaxed);
    }
    shaken
}

/// One connection of ours, from the call to its end.
async fn connect(shared: Arc<Shared>, flow: Flow, mut writes: mpsc::Receiver<Bytes>) {
    let reached = timeout(CONNECT_PATIENCE, async {
        let stream = TcpStream::connect(flow.peer).await?;
        prepares(&stream);
        if flow.transport != Transport::Tls {
            return Ok((Some(stream), None));
        }
        let expected = locked(&shared.expected).get(&flow.peer).cloned();
        let trust = Arc::clone(&locked(&shared.trust));
        let name = match &expected {
            Some(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            None => ServerName::IpAddress(flow.peer.ip().into()),
        };
        let config = trust.config_for(expected.as_deref()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        io::Result::Ok((None, Some(stream)))
    });
    let is_known = match reached.await {
        Ok(Ok((Some(stream), _))) => converse(&shared, flow, stream, &mut writes).await,
        Ok(Ok((None, Some(stream)))) => converse(&shared, flow, stream, &mut writes).await,
        Ok(Ok((None, None))) | Err(_) => {
            shared.table().removes(flow.connection);
            return shared.unconnected(flow);
        }
        Ok(Err(error)) => {
            if flow.transport == Transport::Tls {
                tracing::warn!(%error, peer = %flow.peer, "no TLS connection");
            }
            shared.table().removes(flow.connection);
            return shared.unconnected(flow);
        }
    };
    farewell(&shared, flow, is_known);
}

fn farewell(shared: &Shared, flow: Flow, is_known: bool) {
    shared.table().removes(flow.connection);
    // Thousands that come and go without a word are not the loop's business.
    if is_known {
        let _ = (shared.deliver)((shared.stamp)(), Input::FlowClosed { flow });
    }
}

fn prepares(stream: &TcpStream) {
    // All of these are courtesies; a connection works without them.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KERNEL_KEEP_ALIVE));
    let _ = if stream.peer_addr().is_ok_and(|peer| peer.is_ipv6()) {
        socket.set_tclass_v6(SIGNALLING)
    } else {
        socket.set_tos_v4(SIGNALLING)
    };
}

/// Whether this is a 2xx of ours to a REGISTER or INVITE: its connection is worth keeping.
fn is_success(bytes: &[u8]) -> bool {
    let names = |method: &[u8]| bytes.windows(method.len()).any(|window| window == method);
    bytes.starts_with(b"SIP/2.0 2") && (names(b" REGISTER\r\n") || names(b" INVITE\r\n"))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing behind these locks is half done when a panic could strike.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address as it stands in a Host or Origin header.
fn bare(host: &str) -> &str {
    let end = match host.strip_prefix('[') {
        Some(rest) => rest.find(']').map_or(host.len(), |end| end + 2),
        None => host.find(':').unwrap_or(host.len()),
    };
    host.get(..end).unwrap_or(host).trim_matches(['[', ']'])
}
