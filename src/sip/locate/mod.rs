//! Where requests to a name go (RFC 3263): NAPTR, SRV with weights (RFC 2782), addresses of both
//! families (RFC 7984).
//!
//! The [`Locator`] asks no server itself. It says which [`Question`]s it has, is told the
//! [`Answer`]s, and can say at any time, without waiting, which [`Hop`]s lead to a [`Destination`],
//! best first. What it has learnt it keeps for as long as the answer may be kept, and longer when no
//! server answers any more: a dead DNS stops nobody who was ever found.
//!
//! Answers are strangers' words (domain.md §5, T-21): their number is bounded, and an address outside
//! the ranges a trunk is pinned to is told as [`Output::Foreign`] and not used.

mod choose;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{AddressRange, Mint, Moment, Timers};
use crate::sip::Transport;

use self::choose::{Step, choose};
pub use self::words::{Answer, Destination, Hop, Kind, Question, Record};

/// An answer is kept at least so long, whatever its TTL, and at most a day.
const KEPT_MIN: Duration = Duration::from_secs(10);
const KEPT_MAX: Duration = Duration::from_secs(24 * 3600);
/// "There is none" is believed so long.
const NONE_KEPT: Duration = Duration::from_secs(60);
/// No server answered: asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(20);
/// The answer to a question was lost in our own house (a restart): asked again after this.
const PATIENCE: Duration = Duration::from_secs(60);
/// A hop that failed comes last for so long, unless it said how long itself.
const BENCH: Duration = Duration::from_secs(60);
const BENCH_MAX: Duration = Duration::from_secs(600);
/// The most records of one answer that are looked at.
const RECORDS_MAX: usize = 16;
/// The most destinations kept in view.
const DESTINATIONS_MAX: usize = 64;
/// The most failed hops remembered.
const BENCHED_MAX: usize = 256;

/// Knows where destinations are.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Locator {
    #[serde(with = "crate::sip::transaction::pairs")]
    watched: BTreeMap<Destination, Watch>,
    #[serde(with = "crate::sip::transaction::pairs")]
    known: BTreeMap<Question, Known>,
    /// Until when a hop that failed comes last.
    #[serde(with = "crate::sip::transaction::pairs")]
    benched: BTreeMap<Hop, Moment>,
    timers: Timers<Question>,
    outputs: VecDeque<Output>,
}

/// One destination in view.
#[derive(Debug, Deserialize, Serialize)]
struct Watch {
    pins: Vec<AddressRange>,
    routes: Option<Vec<Route>>,
    foreign: BTreeSet<IpAddr>,
}

/// What is known of one question.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Known {
    /// None: never answered.
    records: Option<Vec<Record>>,
}

/// A hop with its place in the order: lower `rank` first, chance by `weight` within a rank.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Route {
    pub(crate) rank: u32,
    pub(crate) weight: u16,
    /// The hops of one server, in the order they should be tried.
    pub(crate) hops: Vec<Hop>,
}

/// What the locator wants done, or tells.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// To be asked of the DNS; the answer comes by [`Locator::answered`].
    Ask(Question),
    /// What [`Locator::hops`] says of this destination is new.
    Changed(Destination),
    /// An answer named an address outside the pinned ranges; it is not used.
    Foreign { destination: Destination, address: IpAddr },
}

impl Locator {
    // ---- facts ----

    /// Keeps a destination in view from now on, asking what there is to ask. `pins` are the ranges
    /// its addresses must be in; empty: any.
    pub fn wanted(&mut self, destination: Destination, pins: &[AddressRange], now: Moment) {
        if self.watched.get(&destination).is_some_and(|watch| watch.pins == pins)
            || self.watched.len() >= DESTINATIONS_MAX && !self.watched.contains_key(&destination)
        {
            return;
        }
        let watch = Watch { pins: pins.to_vec(), routes: None, foreign: BTreeSet::new() };
        self.watched.insert(destination.clone(), watch);
        self.follow(&destination, now);
    }

    /// A destination is not needed any more.
    pub fn unwanted(&mut self, destination: &Destination) {
        if self.watched.remove(destination).is_none() {
            return;
        }
        let needed = self.needed();
        let stale: Vec<Question> =
            self.known.keys().filter(|question| !needed.contains(question)).cloned().collect();
        for question in stale {
            self.known.remove(&question);
            self.timers.stop(&question);
        }
    }

    /// The DNS has spoken, or nobody did.
    pub fn answered(&mut self, question: &Question, answer: Answer, now: Moment) {
        let Some(known) = self.known.get_mut(question) else {
            return;
        };
        let again = match answer {
            Answer::Records { mut records, ttl } => {
                records.retain(|record| record.kind() == question.kind);
                records.sort();
                records.truncate(RECORDS_MAX);
                let kept = if records.is_empty() { NONE_KEPT } else { ttl };
                known.records = Some(records);
                kept.clamp(KEPT_MIN, KEPT_MAX)
            }
            Answer::Failed => {
                // What was known stays; what never was counts as "none" until somebody answers.
                known.records.get_or_insert_default();
                ASK_AGAIN
            }
        };
        self.timers.set(question.clone(), now + again);
        let destinations: Vec<Destination> = self.watched.keys().cloned().collect();
        for destination in destinations {
            self.follow(&destination, now);
        }
    }

    /// A hop did not answer, or answered 503 (§4.3): for a while it comes after all others.
    pub fn failed(&mut self, hop: Hop, retry_after: Option<Duration>, now: Moment) {
        self.benched.retain(|_, until| *until > now);
        if self.benched.len() < BENCHED_MAX {
            let pause = retry_after.unwrap_or(BENCH).min(BENCH_MAX);
            self.benched.insert(hop, now + pause);
        }
    }

    /// A hop answered.
    pub fn served(&mut self, hop: Hop) {
        self.benched.remove(&hop);
    }

    // ---- questions ----

    /// Whether everything there is to know of this destination is known.
    pub fn is_located(&self, destination: &Destination) -> bool {
        self.watched.get(destination).is_some_and(|watch| watch.routes.is_some())
    }

    /// How many addresses outside the pinned ranges the DNS names for it now.
    pub fn foreign(&self, destination: &Destination) -> usize {
        self.watched.get(destination).map_or(0, |watch| watch.foreign.len())
    }

    /// How many hops lead there; None: not known yet.
    pub fn reached_by(&self, destination: &Destination) -> Option<usize> {
        let routes = self.watched.get(destination)?.routes.as_ref()?;
        Some(routes.iter().map(|route| route.hops.len()).sum())
    }

    /// Everything kept in view.
    pub fn watched(&self) -> impl Iterator<Item = &Destination> {
        self.watched.keys()
    }

    /// The hops that lead there, best first, drawn anew by their weights at every asking; those that
    /// failed lately last. Empty: not known yet, or there are none. To be tried in this order until
    /// one answers with anything but 503.
    pub fn hops(&self, destination: &Destination, mint: &mut Mint, now: Moment) -> Vec<Hop> {
        let routes = self.watched.get(destination).and_then(|watch| watch.routes.as_deref());
        let mut hops = drawn(routes.unwrap_or_default(), mint);
        hops.sort_by_key(|hop| self.benched.get(hop).is_some_and(|until| *until > now));
        hops
    }

    // ---- time and outputs ----

    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, now: Moment) {
        let mut needed = None;
        while let Some(question) = self.timers.pop_due(now) {
            // What the DNS says may have made an older question pointless.
            if needed.get_or_insert_with(|| self.needed()).contains(&question) {
                self.ask(question, now);
            } else {
                self.known.remove(&question);
            }
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- private parts ----

    /// Works out what is known of a destination, and asks for what is missing.
    fn follow(&mut self, destination: &Destination, now: Moment) {
        let Step { asked, missing, routes } =
            choose(destination, |question| self.records(question));
        debug_assert!(missing.iter().all(|question| asked.contains(question)));
        for question in missing {
            if self.timers.due(&question).is_none() {
                self.known.entry(question.clone()).or_default();
                self.ask(question, now);
            }
        }
        let Some(mut routes) = routes else {
            return;
        };
        let Some(watch) = self.watched.get_mut(destination) else {
            return;
        };
        let pins = &watch.pins;
        let is_foreign = |address: SocketAddr| {
            !pins.is_empty() && !pins.iter().any(|range| range.contains(address.ip()))
        };
        let mut foreign = BTreeSet::new();
        for route in &mut routes {
            route.hops.retain(|hop| {
                if is_foreign(hop.address) {
                    foreign.insert(hop.address.ip());
                    return false;
                }
                true
            });
        }
        routes.retain(|route| !route.hops.is_empty());
        for address in foreign.difference(&watch.foreign) {
            let destination = destination.clone();
            self.outputs.push_back(Output::Foreign { destination, address: *address });
        }
        watch.foreign = foreign;
        if watch.routes.as_ref() != Some(&routes) {
            watch.routes = Some(routes);
            self.outputs.push_back(Output::Changed(destination.clone()));
        }
    }

    fn ask(&mut self, question: Question, now: Moment) {
        self.timers.set(question.clone(), now + PATIENCE);
        self.outputs.push_back(Output::Ask(question));
    }

    fn records(&self, question: &Question) -> Option<&[Record]> {
        self.known.get(question)?.records.as_deref()
    }

    /// Every question that matters for some destination in view.
    fn needed(&self) -> BTreeSet<Question> {
        let destinations = self.watched.keys();
        destinations
            .flat_map(|watched| choose(watched, |question| self.records(question)).asked)
            .collect()
    }
}

/// The hops of all routes, rank by rank, drawn by weight within one (RFC 2782, "Weight").
fn drawn(routes: &[Route], mint: &mut Mint) -> Vec<Hop> {
    let mut hops = Vec::new();
    let ranks: BTreeSet<u32> = routes.iter().map(|route| route.rank).collect();
    for rank in ranks {
        let mut left: Vec<&Route> = routes.iter().filter(|route| route.rank == rank).collect();
        // Those of weight zero come first in the running sum, which gives them a very small chance.
        left.sort_by_key(|route| route.weight != 0);
        while !left.is_empty() {
            let sum: u64 = left.iter().map(|route| u64::from(route.weight)).sum();
            let draw = mint.below(sum + 1);
            let mut running = 0;
            let found = left.iter().position(|route| {
                running += u64::from(route.weight);
                running >= draw
            });
            hops.extend(&left.remove(found.unwrap_or(0)).hops);
        }
    }
    let mut seen = BTreeSet::new();
    hops.retain(|hop| seen.insert(*hop));
    hops
}

/// The port where SIP is spoken if nobody says otherwise (RFC 3261 §19.1.2, RFC 7118 §4).
pub(crate) fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
        Transport::Ws => 80,
        Transport::Wss => 443,
    }
}

#[cfg(test)]
mod tests;
