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
    Ask(TrunkName, usize),
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

    /// A plan, the first or a new one: what stays as it was keeps its state.
    pub(crate) fn planned(&mut self, plans: &[TrunkAccess], now: Moment) {
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
            self.trunk_planned(plan, now);
        }
    }

    fn trunk_planned(&mut self, plan: &TrunkAccess, now: Moment) {
        let before = self.trunks.remove(&plan.name);
        let known = before.as_ref().map_or(&[][..], |trunk| &trunk.peers);
        let peers: Vec<Health> = plan
            .peers
            .iter()
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
        let trunk = Trunk { keep_alive: plan.keep_alive, peers, registration };
        self.trunks.insert(plan.name.clone(), trunk);
    }

    // ---- facts ----

    /// A peer has answered OPTIONS. A peer that says it can't serve now (503) is as good as silent.
    pub(crate) fn replied(&mut self, trunk: &TrunkName, peer: usize, status: u16) {
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

    /// The peer our requests should go to: the first that is up, or the first of all.
    pub(crate) fn peer(&self, trunk: &TrunkName) -> Option<TrunkPeer> {
        let peers = &self.trunks.get(trunk)?.peers;
        peers.iter().find(|health| health.up).or(peers.first()).map(|health| health.peer)
    }

    /// A peer by its place in the plan.
    pub(crate) fn peer_at(&self, trunk: &TrunkName, at: usize) -> Option<TrunkPeer> {
        Some(self.trunks.get(trunk)?.peers.get(at)?.peer)
    }

    pub(crate) fn is_up(&self, trunk: &TrunkName) -> bool {
        self.trunks.get(trunk).is_some_and(|trunk| {
            trunk.peers.is_empty() || trunk.peers.iter().any(|health| health.up)
        })
    }

    pub(crate) fn states(&self, now: Moment) -> Vec<TrunkState> {
        let state = |(name, trunk): (&TrunkName, &Trunk)| TrunkState {
            trunk: name.clone(),
            up: self.is_up(name),
            registered: trunk.registration.as_ref().map(|one| one.is_registered(now)),
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
        for (at, health) in found.peers.iter_mut().enumerate() {
            if health.asked {
                health.replies = 0;
                health.misses = health.misses.saturating_add(1);
                health.up &= health.misses < MISSES_MAX;
            }
            health.asked = true;
            self.outputs.push_back(Output::Ask(trunk.clone(), at));
        }
        self.timers.set(Timer::Ask(trunk.clone()), now + pause);
        self.tell_if_changed(trunk, before);
    }

    fn tell_if_changed(&mut self, trunk: &TrunkName, before: bool) {
        if self.is_up(trunk) != before {
            self.outputs.push_back(Output::Changed(trunk.clone()));
        }
    }

    fn health(&mut self, trunk: &TrunkName, peer: usize) -> Option<&mut Health> {
        self.trunks.get_mut(trunk)?.peers.get_mut(peer)
    }
}

#[cfg(test)]
mod tests;
