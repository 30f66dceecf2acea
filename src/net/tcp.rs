//! SIP over TCP: listeners, connections and who has to go when there are too many.
//!
//! Each connection is one small task: it reads, cuts the stream into messages, stamps each, and
//! writes what it is given. Strangers are bounded in every direction (domain.md §5, T-04): so many
//! connections, so many from one address, so long for a begun message, so long in silence. When the
//! house is full the connection that has been silent longest makes room; one that a phone registered
//! or calls over is never put out for a newcomer.
//!
//! A connection that can't be delivered from waits (TCP then slows the peer down); one that doesn't
//! read what it is sent is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::base::Moment;
use crate::exchange::Input;
use crate::net::framing::{Cutter, Piece};
use crate::net::{Deliver, Limits, Stamp, Taken};
use crate::sip::{Flow, Transmit, Transport};

/// Messages waiting to be written to one connection; a peer that leaves more unread is closed.
const WRITES_MAX: usize = 256;

/// How long one write may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// How long we try to reach a peer that has no connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(4);

/// A connection that has spoken but never been served may be put out after so much silence.
const SPOKEN_SILENCE: Duration = Duration::from_secs(30);

/// A connection a phone registered or calls over may be silent so long: phones that send no
/// keep-alive come back at the latest to register again.
const SERVED_SILENCE: Duration = Duration::from_secs(2 * 3600);

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

/// Every TCP address where SIP is spoken, and every connection.
#[derive(Clone)]
pub struct Tcp {
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
    refused: AtomicU64,
    evicted: AtomicU64,
}

/// Who is connected.
#[derive(Default)]
struct Table {
    last: u64,
    connections: BTreeMap<u64, Connection>,
    by_peer: BTreeMap<SocketAddr, u64>,
    by_address: BTreeMap<IpAddr, usize>,
    /// Who has to go first.
    order: BTreeSet<(Standing, Moment, u64)>,
}

struct Connection {
    peer: SocketAddr,
    standing: Standing,
    heard: Moment,
    writes: mpsc::Sender<Bytes>,
}

/// What a connection has been good for so far.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Standing {
    /// Not one whole message has come.
    Silent,
    Spoken,
    /// A REGISTER or INVITE succeeded over it.
    Served,
}

impl Tcp {
    pub fn new(limits: Limits, runtime: Handle, stamp: Stamp, deliver: Deliver) -> Self {
        let shared = Shared {
            table: Mutex::default(),
            limits,
            runtime,
            stamp,
            deliver,
            shut: watch::Sender::new(false),
            refused: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes the address and lets peers in from now on.
    pub fn open(&self, listen: SocketAddr) -> io::Result<SocketAddr> {
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
        self.shared.runtime.spawn(accept(Arc::clone(&self.shared), listener, local));
        Ok(local)
    }

    /// Sends without waiting, over the connection the flow names, any to the same peer, or a new one.
    pub fn send(&self, transmit: Transmit) {
        let Transmit { flow, bytes } = transmit;
        let served = is_success(&bytes);
        let mut table = self.shared.table();
        let id = match flow.connection {
            0 => table.by_peer.get(&flow.peer).copied(),
            id => Some(id),
        };
        match id {
            Some(id) => {
                if served {
                    table.rises(id, Standing::Served);
                }
                table.write(id, bytes);
            }
            None => {
                let (id, writes) = table.adds(flow.peer, (self.shared.stamp)().steady);
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
        self.shared.table().connections.len()
    }

    /// Connections not let in because the house, or their address's share of it, was full.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Connections that had to make room.
    pub fn evicted(&self) -> u64 {
        self.shared.evicted.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in the table is half done when a panic could strike.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a newcomer in, or doesn't.
    fn admits(&self, peer: SocketAddr) -> Option<(u64, mpsc::Receiver<Bytes>)> {
        let now = (self.stamp)().steady;
        let mut table = self.table();
        let from_there = table.by_address.get(&peer.ip()).copied().unwrap_or(0);
        let is_full = table.connections.len() >= self.limits.max;
        let is_share_spent = from_there >= self.limits.max_per_address;
        if is_share_spent && !table.evicts_from(peer.ip(), now)
            || is_full && !is_share_spent && !table.evicts(now)
        {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if is_full || is_share_spent {
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        Some(table.adds(peer, now))
    }
}

impl Table {
    fn adds(&mut self, peer: SocketAddr, now: Moment) -> (u64, mpsc::Receiver<Bytes>) {
        self.last += 1;
        let id = self.last;
        let (writes, to_write) = mpsc::channel(WRITES_MAX);
        let standing = Standing::Silent;
        self.connections.insert(id, Connection { peer, standing, heard: now, writes });
        self.by_peer.insert(peer, id);
        *self.by_address.entry(peer.ip()).or_default() += 1;
        self.order.insert((standing, now, id));
        (id, to_write)
    }

    /// Forgets a connection; its task ends when everything waiting is written.
    fn removes(&mut self, id: u64) {
        let Some(gone) = self.connections.remove(&id) else {
            return;
        };
        self.order.remove(&(gone.standing, gone.heard, id));
        if self.by_peer.get(&gone.peer) == Some(&id) {
            self.by_peer.remove(&gone.peer);
        }
        if let Some(count) = self.by_address.get_mut(&gone.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&gone.peer.ip());
            }
        }
    }

    fn write(&mut self, id: u64, bytes: Bytes) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if connection.writes.try_send(bytes).is_err() {
            self.removes(id);
        }
    }

    fn hears(&mut self, id: u64, now: Moment) {
        self.changes(id, |connection| connection.heard = now);
    }

    fn rises(&mut self, id: u64, standing: Standing) {
        self.changes(id, |connection| connection.standing = connection.standing.max(standing));
    }

    fn changes(&mut self, id: u64, change: impl FnOnce(&mut Connection)) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        self.order.remove(&(connection.standing, connection.heard, id));
        change(connection);
        self.order.insert((connection.standing, connection.heard, id));
    }

    fn standing(&self, id: u64) -> Option<Standing> {
        self.connections.get(&id).map(|connection| connection.standing)
    }

    /// Puts out whoever matters least, if they matter little enough.
    fn evicts(&mut self, now: Moment) -> bool {
        let Some((standing, heard, id)) = self.order.first().copied() else {
            return false;
        };
        let may_go = may_go(standing, heard, now);
        if may_go {
            self.removes(id);
        }
        may_go
    }

    /// The same among those from one address.
    fn evicts_from(&mut self, address: IpAddr, now: Moment) -> bool {
        let first = self.order.iter().find(|(_, _, id)| {
            self.connections.get(id).is_some_and(|connection| connection.peer.ip() == address)
        });
        let Some((standing, heard, id)) = first.copied() else {
            return false;
        };
        let may_go = may_go(standing, heard, now);
        if may_go {
            self.removes(id);
        }
        may_go
    }
}

fn may_go(standing: Standing, heard: Moment, now: Moment) -> bool {
    match standing {
        Standing::Silent => true,
        Standing::Spoken => now - heard >= SPOKEN_SILENCE,
        Standing::Served => false,
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, local: SocketAddr) {
    let mut shut = shared.shut.subscribe();
    loop {
        let accepted = tokio::select! {
            _ = shut.wait_for(|shut| *shut) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some((id, writes)) = shared.admits(peer) else {
                    continue;
                };
                let flow = Flow { transport: Transport::Tcp, local, peer, connection: id };
                shared.runtime.spawn(converse(Arc::clone(&shared), flow, stream, writes));
            }
            Err(error) => {
                // Out of file handles, most likely: connections in the backlog wait for one.
                tracing::warn!(%error, %local, "can't accept a connection");
                sleep(OUT_OF_HANDLES_PAUSE).await;
            }
        }
    }
}

async fn connect(shared: Arc<Shared>, flow: Flow, writes: mpsc::Receiver<Bytes>) {
    match timeout(CONNECT_PATIENCE, TcpStream::connect(flow.peer)).await {
        Ok(Ok(stream)) => converse(shared, flow, stream, writes).await,
        Ok(Err(_)) | Err(_) => {
            shared.table().removes(flow.connection);
            let unreachable = Input::Unreachable { local: flow.local, peer: flow.peer };
            let _ = (shared.deliver)((shared.stamp)(), unreachable);
        }
    }
}

/// One connection, from its first byte to its end.
async fn converse(
    shared: Arc<Shared>,
    flow: Flow,
    mut stream: TcpStream,
    mut writes: mpsc::Receiver<Bytes>,
) {
    prepares(&stream);
    let mut cutter = Cutter::default();
    // Whether anybody in the house has heard of this connection.
    let mut is_known = false;
    loop {
        let patience = if cutter.is_amid() {
            shared.limits.message_timeout
        } else if shared.table().standing(flow.connection) == Some(Standing::Served) {
            SERVED_SILENCE.max(shared.limits.idle_timeout)
        } else {
            shared.limits.idle_timeout
        };
        // The patience for a begun message counts from its first byte, not from its latest.
        let deadline = cutter
            .begun_at()
            .map_or(patience, |begun| patience.saturating_sub((shared.stamp)().steady - begun));
        tokio::select! {
            biased;
            bytes = writes.recv() => {
                let Some(bytes) = bytes else { break };
                is_known = true;
                if !matches!(timeout(WRITE_PATIENCE, stream.write_all(&bytes)).await, Ok(Ok(()))) {
                    break;
                }
            }
            readable = timeout(deadline, stream.readable()) => {
                if !matches!(readable, Ok(Ok(()))) {
                    break;
                }
                if !reads(&shared, flow, &mut stream, &mut cutter, &mut is_known).await {
                    break;
                }
            }
        }
    }
    shared.table().removes(flow.connection);
    // Thousands that come and go without a word are not the loop's business.
    if is_known {
        let _ = (shared.deliver)((shared.stamp)(), Input::FlowClosed { flow });
    }
}

/// Reads what is there and delivers the messages in it; false when the connection is over.
async fn reads(
    shared: &Shared,
    flow: Flow,
    stream: &mut TcpStream,
    cutter: &mut Cutter,
    is_known: &mut bool,
) -> bool {
    let at = (shared.stamp)();
    match try_read(stream, cutter, at.steady) {
        Ok(0) => return false,
        Ok(_) => shared.table().hears(flow.connection, at.steady),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
        Err(_) => return false,
    }
    loop {
        match cutter.next_piece() {
            Piece::Message(bytes) => {
                shared.table().rises(flow.connection, Standing::Spoken);
                *is_known = true;
                let input = Input::Received { flow, bytes };
                while (shared.deliver)(at, input.clone()) == Taken::Full {
                    sleep(OFFER_AGAIN).await;
                }
            }
            Piece::Ping => {
                // RFC 5626 §4.4.1: the answer to a double CRLF is a single one.
                let pong = timeout(WRITE_PATIENCE, stream.write_all(b"\r\n")).await;
                if !matches!(pong, Ok(Ok(()))) {
                    return false;
                }
            }
            Piece::Unfinished => return true,
            Piece::Broken => return false,
        }
    }
}

/// Not async, so that an idle connection holds no read buffer.
fn try_read(stream: &TcpStream, cutter: &mut Cutter, now: Moment) -> io::Result<usize> {
    let mut buffer = [0; 16 * 1024];
    let length = stream.try_read(&mut buffer)?;
    cutter.takes(&buffer[..length], now);
    Ok(length)
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
