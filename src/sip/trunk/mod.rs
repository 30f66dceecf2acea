//! Whether the roads to the public network are open, and our registration with those that want one.
//!
//! [`Trunks`] asks every peer of every trunk by OPTIONS whether it is there (domain.md §2.2: every 30 s,
//! three misses and it is down, two replies and it is up again), and keeps the registration of trunks with
//! an account ([`registration`]). It says what is to be asked; writing, sending and reading is `endpoint`'s.
//! A peer nobody has asked yet counts as up: the first call must not wait for the first answer.

pub(crate) mod registration;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Mint, Moment, Timers, TrunkName};
use crate::sip::{Transport, TrunkAccess};

use self::registration::{Registration, Reply};

/// After so many questions without an answer a peer is down …
const MISSES_MAX: u8 = 3;
/// … and after so many answers up again.
const REPLIES_MIN: u8 = 2;

/// An address of a trunk that takes our requests.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrunkPeer {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// How a trunk is, for the board.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrunkState {
    pub trunk: TrunkName,
    /// At least one peer answers, or none is asked.
    pub up: bool,
    /// None: this trunk wants no registration.
    pub registered: Option<bool>,
    /// None: its peers are written as addresses.
    pub name: Option<NameState>,
}

/// What the DNS says of a trunk's name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NameState {
    /// How many addresses it leads to; None: nothing is known yet.
    pub addresses: Option<usize>,
    /// How many it names that are outside the trunk's ranges, and not used.
    pub abroad: usize,
}

/// All roads.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Trunks {
    trunks: BTreeMap<TrunkName, Trunk>,
    mint: Mint,
    timers: Timers<Timer>,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Trunk {
    keep_alive: Option<Duration>,
    /// It is found by the DNS; without peers it is down then, and not one that only delivers.
    named: bool,
    peers: Vec<Health>,
    registration: Option<Registration>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Health {
    peer: TrunkPeer,
    up: bool,
    /// Asked, and not answered yet.
    asked: bool,
    misses: u8,
    replies: u8,
}

/// What is to be sent, and what is to be told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Output {
    /// OPTIONS to this peer.
    Ask(TrunkName, TrunkPeer),
    /// REGISTER, with what [`Trunks::registration`] says.
    Register(TrunkName),
    Changed(TrunkName),
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    Ask(TrunkName),
    Register(TrunkName),
}

impl Trunks {
    pub(crate) fn new(mint: Mint) -> Self {
        Self { trunks: BTreeMap::new(), mint, timers: Timers::default(), outputs: VecDeque::new() }
    }

    /// A plan, the first or a new one, or news of where names are: what stays as it was keeps its
    /// state. `located` are the addresses of those that have a name.
    pub(crate) fn planned(
        &mut self,
        plans: &[TrunkAccess],
        located: &BTreeMap<TrunkName, Vec<TrunkPeer>>,
        now: Moment,
    ) {
        let gone: Vec<TrunkName> = self
            .trunks
            .keys()
            .filter(|name| plans.iter().all(|plan| plan.name != **name))
            .cloned()
            .collect();
        for name in gone {
            self.trunks.remove(&name);
            self.timers.stop(&Timer::Ask(name.clone()));
            self.timers.stop(&Timer::Register(name));
        }
        for plan in plans {
            let found = located.get(&plan.name).map_or(&[][..], Vec::as_slice);
            self.trunk_planned(plan, found, now);
        }
    }

    fn trunk_planned(&mut self, plan: &TrunkAccess, located: &[TrunkPeer], now: Moment) {
        let was_up = self.is_up(&plan.name);
        let before = self.trunks.remove(&plan.name);
        let is_known = before.is_some();
        let known = before.as_ref().map_or(&[][..], |trunk| &trunk.peers);
        let written = plan.peers.iter().filter(|peer| !located.contains(peer));
        let peers: Vec<Health> = located
            .iter()
            .chain(written)
            .map(|peer| {
                let found = known.iter().find(|health| health.peer == *peer);
                found.copied().unwrap_or(Health {
                    peer: *peer,
                    up: true,
                    asked: false,
                    misses: 0,
                    replies: 0,
                })
            })
            .collect();
        let same = before.as_ref().and_then(|trunk| trunk.registration.as_ref());
        let same = same.filter(|kept| Some(kept.account()) == plan.account.as_ref()).cloned();
        let wanted = plan.account.as_ref().filter(|account| account.registers && !peers.is_empty());
        let is_new = same.is_none();
        let registration = wanted.map(|account| {
            same.unwrap_or_else(|| Registration::new(account.clone(), &mut self.mint))
        });
        match (&registration, is_new) {
            (Some(_), true) => self.timers.set(Timer::Register(plan.name.clone()), now),
            (Some(_), false) => {}
            (None, _) => self.timers.stop(&Timer::Register(plan.name.clone())),
        }
        match plan.keep_alive.filter(|_| !peers.is_empty()) {
            None => self.timers.stop(&Timer::Ask(plan.name.clone())),
            Some(_) if self.timers.due(&Timer::Ask(plan.name.clone())).is_some() => {}
            Some(_) => self.timers.set(Timer::Ask(plan.name.clone()), now),
        }
        let named = plan.server.is_some();
        let trunk = Trunk { keep_alive: plan.keep_alive, named, peers, registration };
        self.trunks.insert(plan.name.clone(), trunk);
        if is_known {
            self.tell_if_changed(&plan.name, was_up);
        }
    }

    // ---- facts ----

    /// A peer has answered OPTIONS. A peer that says it can't serve now (503) is as good as silent.
    pub(crate) fn replied(&mut self, trunk: &TrunkName, peer: TrunkPeer, status: u16) {
        let before = self.is_up(trunk);
        let Some(health) = self.health(trunk, peer) else {
            return;
        };
        if status == 503 {
            return;
        }
        health.asked = false;
        health.misses = 0;
        health.replies = health.replies.saturating_add(1);
        health.up |= health.replies >= REPLIES_MIN;
        self.tell_if_changed(trunk, before);
    }

    /// What came of a REGISTER.
    pub(crate) fn register_answered(&mut self, trunk: &TrunkName, reply: &Reply, now: Moment) {
        let Some(registration) =
            self.trunks.get_mut(trunk).and_then(|trunk| trunk.registration.as_mut())
        else {
            return;
        };
        let before = registration.is_registered(now);
        let pause = registration.answered(reply, &mut self.mint, now);
        let after = registration.is_registered(now);
        self.timers.set(Timer::Register(trunk.clone()), now + pause);
        if before != after {
            self.outputs.push_back(Output::Changed(trunk.clone()));
        }
    }

    // ---- time and outputs ----

    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Ask(trunk) => self.ask(&trunk, now),
                Timer::Register(trunk) => self.outputs.push_back(Output::Register(trunk)),
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- questions ----

    pub(crate) fn registration(&mut self, trunk: &TrunkName) -> Option<&mut Registration> {
        self.trunks.get_mut(trunk)?.registration.as_mut()
    }

    /// Whether a peer answers; one that was never asked does.
    pub(crate) fn answers(&self, trunk: &TrunkName, peer: TrunkPeer) -> bool {
        let peers = self.trunks.get(trunk).map_or(&[][..], |trunk| &trunk.peers);
        peers.iter().find(|health| health.peer == peer).is_none_or(|health| health.up)
    }

    pub(crate) fn is_up(&self, trunk: &TrunkName) -> bool {
        self.trunks.get(trunk).is_some_and(|trunk| match trunk.peers.as_slice() {
            [] => !trunk.named,
            peers => peers.iter().any(|health| health.up),
        })
    }

    pub(crate) fn states(&self, now: Moment) -> Vec<TrunkState> {
        let state = |(name, trunk): (&TrunkName, &Trunk)| TrunkState {
            trunk: name.clone(),
            up: self.is_up(name),
            registered: trunk.registration.as_ref().map(|one| one.is_registered(now)),
            name: None,
        };
        self.trunks.iter().map(state).collect()
    }

    // ---- the parts ----

    fn ask(&mut self, trunk: &TrunkName, now: Moment) {
        let before = self.is_up(trunk);
        let Some(found) = self.trunks.get_mut(trunk) else {
            return;
        };
        let Some(pause) = found.keep_alive else {
            return;
        };
        for health in &mut found.peers {
            if health.asked {
                health.replies = 0;
                health.misses = health.misses.saturating_add(1);
                health.up &= health.misses < MISSES_MAX;
            }
            health.asked = true;
            self.outputs.push_back(Output::Ask(trunk.clone(), health.peer));
        }
        self.timers.set(Timer::Ask(trunk.clone()), now + pause);
        self.tell_if_changed(trunk, before);
    }

    fn tell_if_changed(&mut self, trunk: &TrunkName, before: bool) {
        if self.is_up(trunk) != before {
            self.outputs.push_back(Output::Changed(trunk.clone()));
        }
    }

    fn health(&mut self, trunk: &TrunkName, peer: TrunkPeer) -> Option<&mut Health> {
        self.trunks.get_mut(trunk)?.peers.iter_mut().find(|health| health.peer == peer)
    }
}

#[cfg(test)]
mod tests;
