//! Where names are, as far as the endpoint cares: which hops can be reached from our doors, by which
//! road, and which of them serve.
//!
//! A trunk with a name is kept in view by [`Locator::wanted`], pinned to the ranges its calls come from:
//! an address outside them is told and never used (domain.md T-21). What is known of the name becomes
//! peers like those that are written as addresses. A hop that did not answer, or answered 503, comes last
//! for a while (RFC 3263 §4.3); one that did answer is forgiven. Nothing waits for the DNS.
//!
//! [`Locator::wanted`]: crate::sip::locate::Locator::wanted

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{AddressRange, Now, TrunkName};
use crate::sip::dialog::invite::{Peer, Session};
use crate::sip::locate::{self, Destination, Hop};
use crate::sip::message::Response;
use crate::sip::transaction::TransactionRef;
use crate::sip::trunk::TrunkPeer;
use crate::sip::{Door, Flow, Transport};

use super::{Endpoint, Event, Output, Purpose};

/// The most addresses of a name that are used.
const PEERS_MAX: usize = 16;

impl Endpoint {
    /// Keeps the names of the plan in view, and no others.
    pub(super) fn names_of_trunks(&mut self, now: Now) {
        let mut wanted: BTreeMap<Destination, BTreeSet<AddressRange>> = BTreeMap::new();
        for access in &self.setup.trunks {
            if let Some(server) = &access.server {
                wanted.entry(server.clone()).or_default().extend(access.addresses.iter().cloned());
            }
        }
        let unwanted: Vec<Destination> =
            self.locator.watched().filter(|one| !wanted.contains_key(*one)).cloned().collect();
        for destination in unwanted {
            self.locator.unwanted(&destination);
        }
        for (destination, pins) in wanted {
            let pins: Vec<AddressRange> = pins.into_iter().collect();
            self.locator.wanted(destination, &pins, now.steady);
        }
    }

    /// Tells the trunks where they are, as far as that is known.
    pub(super) fn trunks_planned(&mut self, now: Now) {
        let servers: BTreeMap<TrunkName, Destination> = self
            .setup
            .trunks
            .iter()
            .filter_map(|access| Some((access.name.clone(), access.server.clone()?)))
            .collect();
        let mut located = BTreeMap::new();
        for (name, server) in servers {
            located.insert(name, self.located(&server, now));
        }
        self.trunks.planned(&self.setup.trunks, &located, now.steady);
    }

    /// The addresses of a trunk that we have a door for, the best first.
    pub(super) fn peers_of(&mut self, trunk: &TrunkName, now: Now) -> Vec<TrunkPeer> {
        let Some(access) = self.setup.trunks.iter().find(|access| access.name == *trunk) else {
            return Vec::new();
        };
        let (server, written) = (access.server.clone(), access.peers.clone());
        let mut peers = server.map(|server| self.located(&server, now)).unwrap_or_default();
        for peer in written {
            if !peers.contains(&peer) {
                peers.push(peer);
            }
        }
        peers
    }

    /// The road to a peer of a trunk; over TLS, whoever is at its end must prove to be the trunk.
    pub(super) fn road_to(&mut self, trunk: &TrunkName, peer: TrunkPeer) -> Option<Flow> {
        let TrunkPeer { transport, address } = peer;
        let local = self.door_towards(&Hop { transport, address })?.local;
        if let (Transport::Tls, Some(name)) = (transport, self.name_of_trunk(trunk)) {
            self.outputs.push_back(Output::Expect { peer: address, name });
        }
        Some(Flow { transport, local, peer: address, connection: 0 })
    }

    /// What its certificate must say.
    pub(super) fn name_of_trunk(&self, trunk: &TrunkName) -> Option<String> {
        let access = self.setup.trunks.iter().find(|access| access.name == *trunk)?;
        let server = access.server.as_ref().map(|server| &server.host);
        server.or(access.domain.as_ref()).cloned()
    }

    pub(super) fn heard_from_locator(&mut self, output: locate::Output, now: Now) {
        match output {
            locate::Output::Ask(question) => self.outputs.push_back(Output::LookUp(question)),
            locate::Output::Changed(destination) => {
                self.trunks_planned(now);
                let hops = self.located(&destination, now).len();
                self.report(Event::Located { destination, hops });
            }
            locate::Output::Foreign { destination, address } => {
                self.report(Event::LocatedAbroad { destination, address });
            }
        }
    }

    /// A request of ours to a trunk has an answer: the hop serves, or says that it can't (§4.3).
    pub(super) fn hop_answered(&mut self, id: TransactionRef, response: &Response, now: Now) {
        let Some(hop) = self.hop_asked(id) else {
            return;
        };
        if response.status().0 == 503 {
            let after = response.retry_after();
            let pause = after.map(|after| Duration::from_secs(after.seconds.into()));
            self.locator.failed(hop, pause, now.steady);
        } else {
            self.locator.served(hop);
        }
    }

    /// A request of ours to a trunk has none, and will have none.
    pub(super) fn hop_was_silent(&mut self, id: TransactionRef, now: Now) {
        if let Some(hop) = self.hop_asked(id) {
            self.locator.failed(hop, None, now.steady);
        }
    }

    /// The hop of a trunk that this request of ours went to.
    fn hop_asked(&self, id: TransactionRef) -> Option<Hop> {
        match self.purposes.get(&id)? {
            Purpose::TrunkRegister { peer, .. } => {
                Some(Hop { transport: peer.transport, address: peer.address })
            }
            Purpose::Invite { dialog, half } => match self.sessions.get(dialog)? {
                Session { peer: Peer::Trunk(_), .. } => Some(hop_of(half.flow)),
                Session { peer: Peer::Phone(_), .. } => None,
            },
            // Its answers are counted elsewhere.
            Purpose::TrunkProbe { .. }
            | Purpose::Reinvite { .. }
            | Purpose::EarlyOffer { .. }
            | Purpose::Bye { .. }
            | Purpose::DialogProbe { .. }
            | Purpose::Refresh { .. }
            | Purpose::SessionProbe { .. }
            | Purpose::PhoneProbe { .. }
            | Purpose::News { .. }
            | Purpose::Text { .. }
            | Purpose::Nothing => None,
        }
    }

    /// Where a name is, from our doors.
    fn located(&mut self, destination: &Destination, now: Now) -> Vec<TrunkPeer> {
        let mut hops = self.locator.hops(destination, &mut self.mint, now.steady);
        hops.retain(|hop| self.door_towards(hop).is_some());
        hops.truncate(PEERS_MAX);
        hops.into_iter()
            .map(|Hop { transport, address }| TrunkPeer { transport, address })
            .collect()
    }

    /// A door of the same transport and family.
    fn door_towards(&self, hop: &Hop) -> Option<&Door> {
        self.setup.doors.iter().find(|door| {
            door.transport == hop.transport && door.local.is_ipv4() == hop.address.is_ipv4()
        })
    }
}

pub(super) fn hop_of(flow: Flow) -> Hop {
    Hop { transport: flow.transport, address: flow.peer }
}
