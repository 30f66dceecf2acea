//! The four transactions of RFC 3261 §17, and the table that finds them.
//!
//! One file per figure: [`invite_client`] (17.1.1), [`client`] (17.1.2), [`invite_server`] (17.2.1),
//! [`server`] (17.2.2), with RFC 6026 (Accepted, timers L and M) and RFC 4320 (nothing late is sent
//! to a non-INVITE). Each is a table of states and facts; here they are kept, found by branch,
//! sent-by and method, and given their timers.
//!
//! Nothing here reads SIP: `endpoint` hands in keys, statuses and finished bytes. Nothing here
//! knows dialogs either; the user of a transaction is told what became of it by [`Told`].

mod client;
mod invite_client;
mod invite_server;
mod server;
pub(crate) mod widening;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base::{Moment, Timers};
use crate::sip::compose::Twin;
use crate::sip::message::Method;
use crate::sip::{Flow, Transmit};

use self::client::Client;
use self::invite_client::InviteClient;
use self::invite_server::InviteServer;
use self::server::Server;
use self::widening::Widening;

/// The round trip we assume (RFC 3261 §17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);
/// The longest pause between retransmissions.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// How long a message may linger in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// How long anybody tries anything: 64×T1.
pub(crate) const PATIENCE: Duration = Duration::from_secs(32);

/// The most transactions at once; a request beyond is ignored, and its sender tries again.
pub(crate) const TRANSACTIONS_MAX: usize = 65_536;

/// How many of them are left to calls that live: a hang-up comes through whoever else is knocking.
const FOR_CALLS: usize = 8_192;

/// The most refusals that wait for their ACK; the oldest, which has been said most often, makes room.
/// Who floods the house with calls and acknowledges nothing would fill it with them, and have each said
/// again for half a minute to whomever it names.
const REFUSALS_MAX: usize = 4_096;

/// Names one transaction.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct TransactionRef(pub(crate) u64);

/// What makes a request ours to answer once (RFC 3261 §17.2.3). An ACK has the key of its INVITE.
#[derive(Clone, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum ServerKey {
    /// The branch starts with the magic cookie, so it is unique.
    Branch { branch: String, sent_by: String, method: Method },
    /// RFC 2543: everything that could tell two requests apart.
    Old { via: String, call_id: String, from_tag: String, cseq: u32, uri: String, method: Method },
}

impl ServerKey {
    /// The key the same request would have with another method: how a CANCEL finds its INVITE.
    #[must_use]
    pub(crate) fn with_method(&self, other: Method) -> Self {
        let mut key = self.clone();
        match &mut key {
            Self::Branch { method, .. } | Self::Old { method, .. } => *method = other,
        }
        key
    }
}

impl fmt::Debug for ServerKey {
    /// Only the method: the rest can name a caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch { method, .. } | Self::Old { method, .. } => {
                write!(f, "ServerKey({method})")
            }
        }
    }
}

/// What makes a response ours (RFC 3261 §17.1.3): the branch we made, and the method in CSeq.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct ClientKey {
    pub(crate) branch: String,
    pub(crate) method: Method,
}

/// Bytes of a message kept for repeating. They may name a caller, so they can't be printed.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Kept(pub(crate) Bytes);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} bytes)", self.0.len())
    }
}

/// The timers of RFC 3261 table 4 and RFC 6026, by their letters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
}

/// What the user of a transaction learns without asking.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Told {
    /// A request of ours got no final response in time (timers B and F).
    TimedOut,
    /// A request of ours can't be delivered.
    Unreachable,
    /// The transaction is over and forgotten; the last thing told of it.
    Gone,
}

/// What the table wants done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Output {
    Send(Transmit),
    Tell(TransactionRef, Told),
}

/// What a received request is to the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Request {
    /// Never seen: the user should open a transaction for it.
    New,
    /// Seen; answered again as far as the figure wants it.
    Again(TransactionRef),
    /// An ACK for a refusal of ours: settled.
    Acknowledged,
}

/// What a received response is to the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Response {
    /// For the user of this transaction.
    ForUser(TransactionRef),
    /// A repetition, settled.
    Absorbed,
    /// Belongs to nothing we sent.
    Stray,
}

/// All transactions alive.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Transactions {
    last: u64,
    alive: BTreeMap<TransactionRef, Machine>,
    #[serde(with = "pairs")]
    servers: BTreeMap<ServerKey, TransactionRef>,
    #[serde(with = "pairs")]
    clients: BTreeMap<ClientKey, TransactionRef>,
    /// INVITEs that were refused, the oldest first; of some the ACK has come.
    refused: VecDeque<TransactionRef>,
    widening: Widening,
    timers: Timers<(TransactionRef, Timer)>,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Deserialize, Serialize)]
enum Machine {
    InviteClient(ClientKey, InviteClient),
    Client(ClientKey, Client),
    InviteServer(ServerKey, InviteServer),
    Server(ServerKey, Server),
}

impl Transactions {
    /// Where large requests may go over TCP, from now on.
    pub(crate) fn widens(&mut self, widening: Widening) {
        self.widening = widening;
    }

    /// Sends an INVITE of ours. `twin` makes the ACK of a refusal (§17.1.1.3).
    pub(crate) fn invite(
        &mut self,
        key: ClientKey,
        flow: Flow,
        bytes: Bytes,
        twin: Twin,
        now: Moment,
    ) -> TransactionRef {
        let id = self.next_id();
        self.clients.insert(key.clone(), id);
        let flow = self.widening.road(flow, &bytes);
        let mut machine = InviteClient::new(flow, bytes, twin);
        machine.started(&mut self.hands(id, now));
        self.alive.insert(id, Machine::InviteClient(key, machine));
        id
    }

    /// Sends any other request of ours.
    pub(crate) fn request(
        &mut self,
        key: ClientKey,
        flow: Flow,
        bytes: Bytes,
        now: Moment,
    ) -> TransactionRef {
        let id = self.next_id();
        self.clients.insert(key.clone(), id);
        let flow = self.widening.road(flow, &bytes);
        let mut machine = Client::new(flow, bytes);
        machine.started(&mut self.hands(id, now));
        self.alive.insert(id, Machine::Client(key, machine));
        id
    }

    /// Opens a transaction for a request that was [`Request::New`]. `reply` is where responses go.
    pub(crate) fn open(
        &mut self,
        key: ServerKey,
        invite: bool,
        source: Flow,
        reply: Flow,
        now: Moment,
    ) -> TransactionRef {
        let id = self.next_id();
        self.servers.insert(key.clone(), id);
        let machine = if invite {
            Machine::InviteServer(key, InviteServer::new(source, reply))
        } else {
            let mut server = Server::new(reply);
            server.opened(&mut self.hands(id, now));
            Machine::Server(key, server)
        };
        self.alive.insert(id, machine);
        id
    }

    // ---- facts ----

    /// A request arrived (ACKs with the key of their INVITE, and `ack` set).
    pub(crate) fn requested(&mut self, key: &ServerKey, ack: bool, now: Moment) -> Request {
        let Some(&id) = self.servers.get(key) else {
            return Request::New;
        };
        let mut outcome = Request::Again(id);
        self.with(id, now, |machine, hands| match machine {
            Machine::InviteServer(_, server) if ack => {
                outcome =
                    if server.acknowledged(hands) { Request::Acknowledged } else { Request::New };
            }
            Machine::InviteServer(_, server) => server.invited_again(hands),
            Machine::Server(_, server) => server.requested_again(hands),
            Machine::InviteClient(..) | Machine::Client(..) => {}
        });
        outcome
    }

    /// A response arrived. `to_tag` tells the branches of a fork apart; `to` is the whole value of
    /// To, for the ACK of a refusal.
    pub(crate) fn responded(
        &mut self,
        key: &ClientKey,
        status: u16,
        to_tag: &str,
        to: &str,
        now: Moment,
    ) -> Response {
        let Some(&id) = self.clients.get(key) else {
            return Response::Stray;
        };
        let mut up = false;
        self.with(id, now, |machine, hands| {
            up = match machine {
                Machine::InviteClient(_, client) => client.responded(status, to_tag, to, hands),
                Machine::Client(_, client) => client.responded(status, hands),
                Machine::InviteServer(..) | Machine::Server(..) => false,
            }
        });
        if up { Response::ForUser(id) } else { Response::Absorbed }
    }

    /// The user acknowledges a 2xx with this to-tag; repetitions of it are acknowledged alike.
    pub(crate) fn acknowledged(
        &mut self,
        id: TransactionRef,
        to_tag: &str,
        flow: Flow,
        ack: Bytes,
        now: Moment,
    ) {
        self.with(id, now, |machine, hands| match machine {
            Machine::InviteClient(_, client) => client.acknowledge(to_tag, flow, ack, hands),
            Machine::Client(..) | Machine::InviteServer(..) | Machine::Server(..) => {}
        });
    }

    /// A CANCEL for this INVITE was sent (§9.1), or its dialog is over: its final response must come
    /// in 64×T1.
    pub(crate) fn cancelled(&mut self, id: TransactionRef, now: Moment) {
        self.with(id, now, |machine, hands| match machine {
            Machine::InviteClient(_, client) => client.cancelled(hands),
            Machine::Client(..) | Machine::InviteServer(..) | Machine::Server(..) => {}
        });
    }

    /// The user answers a request. A transaction that is gone answers nothing (RFC 4320).
    pub(crate) fn respond(&mut self, id: TransactionRef, status: u16, bytes: Bytes, now: Moment) {
        let mut refuses = false;
        self.with(id, now, |machine, hands| match machine {
            Machine::InviteServer(_, server) => {
                let refused = server.waits_for_ack();
                server.respond(status, bytes, hands);
                refuses = !refused && server.waits_for_ack();
            }
            Machine::Server(_, server) => server.respond(status, bytes, hands),
            Machine::InviteClient(..) | Machine::Client(..) => {}
        });
        if refuses {
            self.refused.push_back(id);
            if self.refused.len() > REFUSALS_MAX
                && let Some(oldest) = self.refused.pop_front()
                && let Some(Machine::InviteServer(_, server)) = self.alive.get(&oldest)
                && server.waits_for_ack()
            {
                self.forget(oldest);
            }
        }
    }

    /// Sends the last provisional response to an INVITE again.
    pub(crate) fn repeat_provisional(&mut self, id: TransactionRef, now: Moment) {
        self.with(id, now, |machine, hands| match machine {
            Machine::InviteServer(_, server) => server.invited_again(hands),
            Machine::InviteClient(..) | Machine::Client(..) | Machine::Server(..) => {}
        });
    }

    /// Nobody is at `peer`: requests of ours to it have failed.
    pub(crate) fn unreachable(&mut self, local: SocketAddr, peer: SocketAddr, now: Moment) {
        self.fail(|flow| flow.local == local && flow.peer == peer, now);
    }

    /// Nobody takes a connection at `flow.peer`: requests of ours that wanted one have failed, or go
    /// over UDP if they were only too large for it (§18.1.1).
    pub(crate) fn unconnected(&mut self, flow: Flow, now: Moment) {
        let any = Flow { connection: 0, ..flow };
        let hit = |mine: &Flow| Flow { connection: 0, ..*mine } == any;
        for id in self.asking(hit) {
            self.with(id, now, |machine, hands| match machine {
                Machine::InviteClient(_, client) => client.unconnected(hands),
                Machine::Client(_, client) => client.unconnected(hands),
                Machine::InviteServer(..) | Machine::Server(..) => {}
            });
        }
    }

    /// A connection is lost: requests of ours over it have failed. Answers we owe on it take any
    /// other to the same peer (§18.2.2).
    pub(crate) fn flow_closed(&mut self, flow: Flow, now: Moment) {
        let any = Flow { connection: 0, ..flow };
        self.fail(|mine| *mine == flow || *mine == any, now);
        for machine in self.alive.values_mut() {
            match machine {
                Machine::InviteServer(_, server) => server.flow_closed(flow),
                Machine::Server(_, server) => server.flow_closed(flow),
                Machine::InviteClient(..) | Machine::Client(..) => {}
            }
        }
    }

    // ---- time and outputs ----

    /// When to call [`Self::handle_timeout`] next; may change after every call to `&mut self`.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        while let Some((id, timer)) = self.timers.pop_due(now) {
            self.with(id, now, |machine, hands| match machine {
                Machine::InviteClient(_, client) => client.rang(timer, hands),
                Machine::Client(_, client) => client.rang(timer, hands),
                Machine::InviteServer(_, server) => server.rang(timer, hands),
                Machine::Server(_, server) => server.rang(timer, hands),
            });
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- questions ----

    /// The INVITE or other request with this key, if it is alive.
    pub(crate) fn find(&self, key: &ServerKey) -> Option<TransactionRef> {
        self.servers.get(key).copied()
    }

    /// Where an INVITE that is alive came from: a CANCEL must come from there too.
    pub(crate) fn source(&self, id: TransactionRef) -> Option<Flow> {
        match self.alive.get(&id)? {
            Machine::InviteServer(_, server) => Some(server.source()),
            Machine::InviteClient(..) | Machine::Client(..) | Machine::Server(..) => None,
        }
    }

    /// Whether a request of ours has this key.
    pub(crate) fn is_asking(&self, key: &ClientKey) -> bool {
        self.clients.contains_key(key)
    }

    /// Where a request of ours went.
    pub(crate) fn destination(&self, id: TransactionRef) -> Option<Flow> {
        match self.alive.get(&id)? {
            Machine::InviteClient(_, client) => Some(client.flow()),
            Machine::Client(_, client) => Some(client.flow()),
            Machine::InviteServer(..) | Machine::Server(..) => None,
        }
    }

    /// Whether no more requests can be taken in, of calls that live or of others.
    pub(crate) fn is_full(&self, within_a_call: bool) -> bool {
        let kept_free = if within_a_call { 0 } else { FOR_CALLS };
        self.alive.len() + kept_free >= TRANSACTIONS_MAX
    }

    /// How many transactions are alive.
    pub(crate) fn len(&self) -> usize {
        self.alive.len()
    }

    // ---- private parts ----

    fn next_id(&mut self) -> TransactionRef {
        self.last += 1;
        TransactionRef(self.last)
    }

    fn hands(&mut self, id: TransactionRef, now: Moment) -> Hands<'_> {
        Hands { id, now, gone: false, timers: &mut self.timers, outputs: &mut self.outputs }
    }

    /// The requests of ours whose road is hit.
    fn asking(&self, hit: impl Fn(&Flow) -> bool) -> Vec<TransactionRef> {
        let hits = self.alive.iter().filter(|(_, machine)| match machine {
            Machine::InviteClient(_, client) => hit(&client.flow()),
            Machine::Client(_, client) => hit(&client.flow()),
            Machine::InviteServer(..) | Machine::Server(..) => false,
        });
        hits.map(|(id, _)| *id).collect()
    }

    fn fail(&mut self, hit: impl Fn(&Flow) -> bool, now: Moment) {
        for id in self.asking(hit) {
            self.with(id, now, |machine, hands| match machine {
                Machine::InviteClient(_, client) => client.unreachable(hands),
                Machine::Client(_, client) => client.unreachable(hands),
                Machine::InviteServer(..) | Machine::Server(..) => {}
            });
        }
    }

    /// Lets one machine act, and forgets it if that was its end.
    fn with(
        &mut self,
        id: TransactionRef,
        now: Moment,
        act: impl FnOnce(&mut Machine, &mut Hands<'_>),
    ) {
        let Some(machine) = self.alive.get_mut(&id) else {
            return;
        };
        let mut hands =
            Hands { id, now, gone: false, timers: &mut self.timers, outputs: &mut self.outputs };
        act(machine, &mut hands);
        if hands.gone {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: TransactionRef) {
        for timer in [
            Timer::A,
            Timer::B,
            Timer::D,
            Timer::E,
            Timer::F,
            Timer::G,
            Timer::H,
            Timer::I,
            Timer::J,
            Timer::K,
            Timer::L,
            Timer::M,
        ] {
            self.timers.stop(&(id, timer));
        }
        match self.alive.remove(&id) {
            Some(Machine::InviteClient(key, _) | Machine::Client(key, _)) => {
                self.clients.remove(&key);
                self.outputs.push_back(Output::Tell(id, Told::Gone));
            }
            Some(Machine::InviteServer(key, _) | Machine::Server(key, _)) => {
                self.servers.remove(&key);
                self.outputs.push_back(Output::Tell(id, Told::Gone));
            }
            None => {}
        }
    }
}

/// What a machine may do while it acts.
struct Hands<'a> {
    id: TransactionRef,
    now: Moment,
    gone: bool,
    timers: &'a mut Timers<(TransactionRef, Timer)>,
    outputs: &'a mut VecDeque<Output>,
}

impl Hands<'_> {
    fn send(&mut self, flow: Flow, bytes: &Kept) {
        self.outputs.push_back(Output::Send(Transmit { flow, bytes: bytes.0.clone() }));
    }

    /// Sends a request of ours, whose Via names the transport it goes over.
    fn ask(&mut self, flow: Flow, request: &Kept) {
        let bytes = widening::over(flow, &request.0);
        self.outputs.push_back(Output::Send(Transmit { flow, bytes }));
    }

    fn start(&mut self, timer: Timer, after: Duration) {
        self.timers.set((self.id, timer), self.now + after);
    }

    fn stop(&mut self, timer: Timer) {
        self.timers.stop(&(self.id, timer));
    }

    fn tell(&mut self, told: Told) {
        self.outputs.push_back(Output::Tell(self.id, told));
    }

    /// The machine is in its Terminated state.
    fn terminate(&mut self) {
        self.gone = true;
    }
}

/// A map whose keys are not text is written as a list of pairs, so that JSON can hold it too.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
