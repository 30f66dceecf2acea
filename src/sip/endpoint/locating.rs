//! Where names are, as far as the endpoint cares: which hops can be reached from our doors, and by
//! which road.
//!
//! A trunk that is named (and not only an address range) is kept in view by [`Locator::wanted`],
//! its hops are read by [`Endpoint::hops_to`], and [`Endpoint::road_to`] makes a flow of one. A hop that
//! did not answer, or answered 503, is told by [`Locator::failed`]; one that did, by
//! [`Locator::served`].
//!
//! [`Locator::wanted`]: crate::sip::locate::Locator::wanted
//! [`Locator::failed`]: crate::sip::locate::Locator::failed
//! [`Locator::served`]: crate::sip::locate::Locator::served

use crate::base::Now;
use crate::sip::locate::{self, Destination, Hop};
use crate::sip::{Door, Flow, Transport};

use super::{Endpoint, Event, Output};

impl Endpoint {
    /// The hops that lead to a destination in view and that we have a door for, best first.
    pub(super) fn hops_to(&mut self, destination: &Destination, now: Now) -> Vec<Hop> {
        let mut hops = self.locator.hops(destination, &mut self.mint, now.steady);
        hops.retain(|hop| self.door_towards(hop).is_some());
        hops
    }

    /// The road to a hop; over TLS, whoever is at its end must be the destination.
    #[allow(dead_code, reason = "for trunks that are named, which this build has none of")]
    pub(super) fn road_to(&mut self, destination: &Destination, hop: Hop) -> Option<Flow> {
        let local = self.door_towards(&hop)?.local;
        if hop.transport == Transport::Tls {
            let name = destination.host.clone();
            self.outputs.push_back(Output::Expect { peer: hop.address, name });
        }
        Some(Flow { transport: hop.transport, local, peer: hop.address, connection: 0 })
    }

    pub(super) fn heard_from_locator(&mut self, output: locate::Output, now: Now) {
        match output {
            locate::Output::Ask(question) => self.outputs.push_back(Output::LookUp(question)),
            locate::Output::Changed(destination) => {
                let hops = self.hops_to(&destination, now).len();
                self.report(Event::Located { destination, hops });
            }
            locate::Output::Foreign { destination, address } => {
                self.report(Event::LocatedAbroad { destination, address });
            }
        }
    }

    /// A door of the same transport and family.
    fn door_towards(&self, hop: &Hop) -> Option<&Door> {
        self.setup.doors.iter().find(|door| {
            door.transport == hop.transport && door.local.is_ipv4() == hop.address.is_ipv4()
        })
    }
}
