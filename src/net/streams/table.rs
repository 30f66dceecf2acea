//! Who is connected, and who has to go when there are too many.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::base::Moment;
use crate::sip::Transport;

/// Messages waiting to be written to one connection; a peer that leaves more unread is closed.
const WRITES_MAX: usize = 256;

/// A connection that has spoken but never been served may be put out after so much silence.
const SPOKEN_SILENCE: Duration = Duration::from_secs(30);

/// Who is connected.
#[derive(Default)]
pub(super) struct Table {
    last: u64,
    connections: BTreeMap<u64, Connection>,
    /// Which connection leads to a peer. Over TLS only those we opened: whoever called us has not
    /// proved to be anybody.
    by_peer: BTreeMap<(Transport, SocketAddr), u64>,
    by_address: BTreeMap<IpAddr, usize>,
    /// Who has to go first.
    order: BTreeSet<(Standing, Moment, u64)>,
}

pub(super) struct Connection {
    transport: Transport,
    peer: SocketAddr,
    standing: Standing,
    heard: Moment,
    writes: mpsc::Sender<Bytes>,
}

/// What a connection has been good for so far.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Standing {
    /// Not one whole message has come.
    Silent,
    Spoken,
    /// A REGISTER or INVITE succeeded over it.
    Served,
}

impl Table {
    /// Takes in a connection; `is_ours` if it is we who open it.
    pub(super) fn adds(
        &mut self,
        transport: Transport,
        peer: SocketAddr,
        is_ours: bool,
        now: Moment,
    ) -> (u64, mpsc::Receiver<Bytes>) {
        self.last += 1;
        let id = self.last;
        let (writes, to_write) = mpsc::channel(WRITES_MAX);
        let standing = Standing::Silent;
        self.connections.insert(id, Connection { transport, peer, standing, heard: now, writes });
        if is_ours || transport != Transport::Tls {
            self.by_peer.insert((transport, peer), id);
        }
        *self.by_address.entry(peer.ip()).or_default() += 1;
        self.order.insert((standing, now, id));
        (id, to_write)
    }

    /// Forgets a connection; its task ends when everything waiting is written.
    pub(super) fn removes(&mut self, id: u64) {
        let Some(gone) = self.connections.remove(&id) else {
            return;
        };
        self.order.remove(&(gone.standing, gone.heard, id));
        let key = (gone.transport, gone.peer);
        if self.by_peer.get(&key) == Some(&id) {
            self.by_peer.remove(&key);
        }
        if let Some(count) = self.by_address.get_mut(&gone.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&gone.peer.ip());
            }
        }
    }

    pub(super) fn write(&mut self, id: u64, bytes: Bytes) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if connection.writes.try_send(bytes).is_err() {
            self.removes(id);
        }
    }

    pub(super) fn hears(&mut self, id: u64, now: Moment) {
        self.changes(id, |connection| connection.heard = now);
    }

    pub(super) fn rises(&mut self, id: u64, standing: Standing) {
        self.changes(id, |connection| connection.standing = connection.standing.max(standing));
    }

    pub(super) fn leading_to(&self, transport: Transport, peer: SocketAddr) -> Option<u64> {
        self.by_peer.get(&(transport, peer)).copied()
    }

    pub(super) fn count_from(&self, address: IpAddr) -> usize {
        self.by_address.get(&address).copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    fn changes(&mut self, id: u64, change: impl FnOnce(&mut Connection)) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        self.order.remove(&(connection.standing, connection.heard, id));
        change(connection);
        self.order.insert((connection.standing, connection.heard, id));
    }

    pub(super) fn standing(&self, id: u64) -> Option<Standing> {
        self.connections.get(&id).map(|connection| connection.standing)
    }

    /// Puts out whoever matters least, if they matter little enough.
    pub(super) fn evicts(&mut self, now: Moment) -> bool {
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
    pub(super) fn evicts_from(&mut self, address: IpAddr, now: Moment) -> bool {
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
