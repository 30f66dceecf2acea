//! A new call at the door: whom it is from, what it dialled, whether there is room.

use crate::base::{Now, Sdp};
use crate::sip::dialog::invite::Peer;
use crate::sip::message::Status;
use crate::sip::uri::Host;

use super::door::Proof;
use super::door::claimed;
use super::privacy::caller_of;
use super::receiving::{Arrival, sdp_of};
use super::{Endpoint, Event, MergeKey, Origin, Refusal, evidence};

impl Endpoint {
    pub(super) fn invite_received(&mut self, mut arrival: Arrival, now: Now) {
        if self.merging.contains_key(&MergeKey::of(arrival.request())) {
            self.reply_plain(&arrival, Status::LOOP_DETECTED, now);
            return;
        }
        if self.has_strange_body(&arrival, now) {
            return;
        }
        let Some(origin) = self.origin_of(&arrival, now) else {
            return;
        };
        if self.wants_too_short_a_session(&arrival, now) {
            return;
        }
        if self.sessions.len() >= self.setup.dialogs_max {
            self.refuse_statelessly(arrival, &Refusal::Overload);
            return;
        }
        let request = arrival.request();
        let Ok(uri) = request.uri() else {
            return;
        };
        if matches!(origin, Origin::Listener(_)) && !self.is_our_host(uri.host()) {
            self.refuse_statelessly(arrival, &Refusal::NotFound);
            return;
        }
        let replaces = match self.replaced_by(request, &origin) {
            Ok(replaces) => replaces,
            Err(status) => {
                self.reply_plain(&arrival, status, now);
                return;
            }
        };
        let dialled = evidence::dialled(request, &self.setup.numbers);
        let offer = sdp_of(request);
        let (peer, caller) = match &origin {
            Origin::Trunk(name) => (Peer::Trunk(name.clone()), caller_of(request)),
            Origin::Listener(_) => (Peer::Phone(arrival.address()), None),
        };
        let flow = arrival.source;
        arrival.question.tag = self.mint.token();
        let dialog = self.invited(arrival, peer, offer.is_some(), now);
        let offer = offer.map(Sdp::from);
        let at = now;
        self.report(Event::Invited { dialog, origin, dialled, caller, offer, flow, at, replaces });
    }

    /// Whom an INVITE is from; None if it was challenged or left alone.
    fn origin_of(&mut self, arrival: &Arrival, now: Now) -> Option<Origin> {
        let request = arrival.request();
        let trunk = self.trunk_at(arrival.address()).cloned();
        let is_reserved =
            request.uri().is_ok_and(|uri| self.setup.reserved.contains(uri.dialled().as_ref()));
        let claims = request.credentials().any(|one| one.realm == self.setup.realm);
        if let Some(trunk) = trunk
            && !is_reserved
            && !claims
            && !self.is_a_listeners_phone(arrival)
        {
            return Some(Origin::Trunk(trunk));
        }
        match self.prove(arrival, now) {
            Proof::Listener(listener) => Some(Origin::Listener(listener)),
            Proof::Challenged => None,
        }
    }

    /// Whether an INVITE says it is from a listener, and comes by the road on which that listener's phone
    /// is registered: a trunk's ranges may hold phones too. It is asked to prove it, and gains nothing
    /// before; what a border controller brings along the same road names callers, and no listener.
    fn is_a_listeners_phone(&self, arrival: &Arrival) -> bool {
        claimed(arrival.request())
            .is_some_and(|listener| self.registrar.is_at(&listener, arrival.source))
    }

    /// Addresses count as ours, whichever they are: doors are reached under many. Names must be
    /// known once any are.
    pub(super) fn is_our_host(&self, host: Option<&Host>) -> bool {
        let Some(Host::Name(name)) = host else {
            return true;
        };
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        self.setup.domains.is_empty()
            || same(&self.setup.realm)
            || same("localhost")
            || self.setup.domains.iter().any(|domain| same(domain))
    }
}
