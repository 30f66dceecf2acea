//! Requests of ours to trunks: OPTIONS, REGISTER, and calls to the few numbers the plan allows.
//!
//! The last door before the public network (domain.md T-01): what is not on the list is not sent, whoever
//! asks for it, and so is a call beyond [`OUTGOING_MAX`]. Answers count only from the trunk's own addresses,
//! and a challenge only from the realm the plan names (T-07). No caller's number ever goes out: From is
//! anonymous, and the number the network bills is one of the house (RFC 3323 §4.1.1.3, RFC 3325 §9.1).

use std::time::Duration;

use crate::base::{Moment, Now, PhoneNumber, TrunkName};
use crate::sip::compose;
use crate::sip::dialog::invite::{Cancel, Peer, Session, Stage};
use crate::sip::dialog::{Dialog, DialogId, Sealed};
use crate::sip::headers::{Contact, NameAddr, RouteSet};
use crate::sip::message::{HeaderName, Method, RequestBuilder, Response};
use crate::sip::trunk::registration::Reply;
use crate::sip::trunk::{self, NameState, TrunkPeer, TrunkState};
use crate::sip::{Dress, Flow, TrunkAccess};

use super::{DialogRef, Endpoint, Event, Failure, Invitation, Purpose, Timer};

/// Calls of ours to the public network at once.
pub const OUTGOING_MAX: usize = 4;
/// After this it is told how long one of them lasts: whether it may go on is decided above.
const OUTGOING_LONG: Duration = Duration::from_secs(3_600);
/// How often one INVITE of ours answers a challenge.
const CHALLENGES_MAX: u8 = 2;

impl Endpoint {
    /// How every trunk is.
    pub fn trunks(&self, now: Moment) -> Vec<TrunkState> {
        let mut states = self.trunks.states(now);
        for state in &mut states {
            let server = self.access(&state.trunk).and_then(|access| access.server.as_ref());
            let Some(server) = server else {
                continue;
            };
            state.name = Some(NameState {
                addresses: self.locator.reached_by(server),
                abroad: self.locator.foreign(server),
            });
        }
        states
    }

    /// The next address of a trunk for a call of ours: one that answers, and none of `tried`. A call
    /// that a timeout or a 503 ended goes there (RFC 3263 §4.3).
    pub fn way_out(
        &mut self,
        trunk: &TrunkName,
        tried: &[TrunkPeer],
        now: Now,
    ) -> Option<TrunkPeer> {
        let mut peers = self.peers_of(trunk, now);
        peers.retain(|peer| self.trunks.answers(trunk, *peer) && !tried.contains(peer));
        peers.first().copied()
    }

    pub(super) fn heard_from_trunks(&mut self, output: trunk::Output, now: Now) {
        match output {
            trunk::Output::Ask(name, peer) => self.ask_trunk(name, peer, now),
            trunk::Output::Register(name) => self.register_with_trunk(name, now),
            trunk::Output::Changed(trunk) => self.report(Event::TrunkChanged { trunk }),
        }
    }

    // ---- OPTIONS ----

    fn ask_trunk(&mut self, trunk: TrunkName, peer: TrunkPeer, now: Now) {
        let Some(flow) = self.road_to(&trunk, peer) else {
            return;
        };
        let target = format!("sip:{}", peer.address);
        let call_id = self.mint.token();
        let local_tag = self.mint.token();
        let ours = format!("sip:hotline@{}", self.setup.realm);
        let question = self.question(&ours, &target, call_id, local_tag, 1, flow);
        let (draft, key) = self.draft(&question, flow, Method::Options, 1);
        let bytes = draft.header(HeaderName::Accept, compose::SDP).finish().bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::TrunkProbe { trunk, peer });
    }

    // ---- REGISTER ----

    fn register_with_trunk(&mut self, trunk: TrunkName, now: Now) {
        let peers = self.peers_of(&trunk, now);
        let best = peers.iter().find(|peer| self.trunks.answers(&trunk, **peer));
        let (Some(peer), Some(access)) =
            (best.or(peers.first()).copied(), self.access(&trunk).cloned())
        else {
            return;
        };
        let Some(flow) = self.road_to(&trunk, peer) else {
            return;
        };
        let cnonce = self.mint.token();
        let Some(registration) = self.trunks.registration(&trunk) else {
            return;
        };
        let target = format!("sip:{}", access.host(peer));
        let (cseq, expiry) = registration.next();
        let credentials = registration.credentials(&target, &cnonce);
        let (call_id, tag) = (registration.call_id.clone(), registration.local_tag.clone());
        let user = registration.account().username.clone();
        let ours = format!("sip:{user}@{}", access.host(peer));
        let mut question = self.question(&ours, &target, call_id, tag, cseq, flow);
        // §10.2: To is the address of record, as From is.
        question.remote = Sealed(NameAddr::write(None, &ours, None));
        let (draft, key) = self.draft(&question, flow, Method::Register, cseq);
        let contact = format!("<sip:{user}@{}>", self.sent_by(flow));
        let mut draft = draft
            .header(HeaderName::Contact, contact)
            .header(HeaderName::Expires, expiry.as_secs());
        if let Some(credentials) = credentials {
            draft = draft.header(HeaderName::Authorization, credentials);
        }
        let bytes = draft.finish().bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::TrunkRegister { trunk, peer });
    }

    pub(super) fn register_answered(&mut self, trunk: &TrunkName, reply: &Response, now: Now) {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let read = match reply.status().0 {
            200..=299 => Reply::Accepted { granted: self.granted_by(reply).map(seconds) },
            401 | 407 => Reply::Challenged(reply.challenges().collect()),
            423 => Reply::TooBrief { min: reply.min_expires().map(seconds) },
            status => Reply::Refused {
                status,
                retry_after: reply.retry_after().map(|after| seconds(after.seconds)),
            },
        };
        self.trunks.register_answered(trunk, &read, now.steady);
    }

    /// How long our own contact was granted.
    fn granted_by(&self, reply: &Response) -> Option<u32> {
        let ours = |text: &str| {
            self.setup.doors.iter().any(|door| {
                let port = door.local.port();
                text.contains(&std::net::SocketAddr::new(door.advertised, port).to_string())
            })
        };
        let mine = reply.contacts().filter_map(Result::ok).find_map(|contact| match contact {
            Contact::Address(address) if ours(address.uri_text()) => address.expires(),
            Contact::Address(_) | Contact::Everything => None,
        });
        mine.or(reply.expires())
    }

    // ---- INVITE ----

    /// Calls a number of the public network.
    pub(super) fn invite_outside(
        &mut self,
        dialog: DialogRef,
        (trunk, peer): (&TrunkName, TrunkPeer),
        number: &PhoneNumber,
        invitation: &Invitation,
        now: Now,
    ) {
        let outgoing = self.sessions.values().filter(|session| session.outgoing).count();
        let is_allowed = self.setup.callable.contains(number) && outgoing < OUTGOING_MAX;
        let road = if is_allowed { self.road_to(trunk, peer) } else { None };
        let (Some(flow), Some(access)) = (road, self.access(trunk).cloned()) else {
            let why = if is_allowed { Failure::Unreachable } else { Failure::Refused(403) };
            self.report(Event::Failed { dialog, why, cause: None });
            return;
        };
        let host = access.host(peer);
        let target = format!("sip:{}@{host};user=phone", access.dress.wear(number));
        let local_tag = self.mint.token();
        let ours = "sip:anonymous@anonymous.invalid";
        let call_id = self.mint.token();
        let mut half = self.question(ours, &target, call_id, local_tag.clone(), 1, flow);
        half.local = Sealed(NameAddr::write(Some("Anonymous"), ours, Some(&local_tag)));
        let stage = self.begin_invite(dialog, &half, invitation, super::inviting::INTERVAL, now);
        let mut session = Session::new(half, Peer::Trunk(trunk.clone()), stage);
        session.invitation = Some(Box::new(invitation.clone()));
        session.outgoing = true;
        self.sessions.insert(dialog, session);
        self.timers.set(Timer::Outlasted(dialog), now.steady + OUTGOING_LONG);
    }

    /// What an INVITE to a trunk says besides: who pays, and that nobody is shown.
    pub(super) fn dressed_for_trunk(
        &mut self,
        draft: RequestBuilder,
        trunk: &TrunkName,
        peer: TrunkPeer,
    ) -> RequestBuilder {
        let Some(access) = self.access(trunk) else {
            return draft;
        };
        let draft = draft.header(HeaderName::Privacy, "id");
        match &access.presented {
            Some(number) => {
                let uri = format!("sip:{}@{};user=phone", number, access.host(peer));
                let value = NameAddr::write(None, uri, None);
                draft.header(HeaderName::PAssertedIdentity, value)
            }
            None => draft,
        }
    }

    /// 401 and 407: the same INVITE with credentials (RFC 3261 §22.2), if the challenge is one we may
    /// answer; false if it is not.
    pub(super) fn invite_with_credentials(
        &mut self,
        dialog: DialogRef,
        half: &Dialog,
        reply: &Response,
        now: Now,
    ) -> bool {
        let cnonce = self.mint.token();
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return false;
        };
        let is_wanted = matches!(session.stage, Stage::Inviting { cancel: Cancel::Unwanted, .. });
        let (Peer::Trunk(trunk), true) = (&session.peer, is_wanted) else {
            return false;
        };
        if session.challenged >= CHALLENGES_MAX {
            return false;
        }
        let setup = self.setup.trunks.iter().find(|access| access.name == *trunk);
        let Some(account) = setup.and_then(|access| access.account.as_ref()) else {
            return false;
        };
        let challenges: Vec<_> = reply.challenges().collect();
        let uri = &half.remote_target.0;
        let Some(credentials) = account.meets(&challenges, &Method::Invite, uri, &cnonce) else {
            return false;
        };
        let Some(invitation) = session.invitation.clone() else {
            return false;
        };
        session.challenged += 1;
        session.credentials = Some((reply.status().0, Sealed(credentials.to_string())));
        let mut half = half.clone();
        half.next_cseq();
        let interval = super::inviting::INTERVAL;
        let stage = self.begin_invite(dialog, &half, &invitation, interval, now);
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.dialog = half;
            session.stage = stage;
        }
        true
    }

    // ---- the parts ----

    /// Whether a response to a request of ours came from where the request went: trunks are held to
    /// their own addresses (T-07).
    pub(super) fn is_from_its_trunk(&self, purpose: &Purpose, source: Flow) -> bool {
        let trunk = match purpose {
            Purpose::TrunkProbe { trunk, .. } | Purpose::TrunkRegister { trunk, .. } => trunk,
            Purpose::Invite { dialog, .. } => match self.sessions.get(dialog) {
                // Where it went, though the plan may name the trunk no more.
                Some(session)
                    if session.dialog.flow.peer.ip().to_canonical()
                        == source.peer.ip().to_canonical() =>
                {
                    return true;
                }
                Some(Session { peer: Peer::Trunk(trunk), .. }) => trunk,
                Some(_) | None => return true,
            },
            Purpose::Reinvite { .. }
            | Purpose::EarlyOffer { .. }
            | Purpose::Bye { .. }
            | Purpose::DialogProbe { .. }
            | Purpose::Refresh { .. }
            | Purpose::SessionProbe { .. }
            | Purpose::PhoneProbe { .. }
            | Purpose::News { .. }
            | Purpose::Text { .. }
            | Purpose::Nothing => return true,
        };
        let address = source.peer.ip().to_canonical();
        let is_peer = self.access(trunk).is_some_and(|access| {
            access.peers.iter().any(|peer| peer.address.ip().to_canonical() == address)
        });
        is_peer || self.trunk_has(trunk, address)
    }

    fn access(&self, trunk: &TrunkName) -> Option<&TrunkAccess> {
        self.setup.trunks.iter().find(|access| access.name == *trunk)
    }

    /// The beginning of a request outside every dialog.
    fn question(
        &self,
        ours: &str,
        target: &str,
        call_id: String,
        local_tag: String,
        cseq: u32,
        flow: Flow,
    ) -> Dialog {
        Dialog {
            local: Sealed(NameAddr::write(None, ours, Some(&local_tag))),
            remote: Sealed(NameAddr::write(None, target, None)),
            id: DialogId { call_id, local_tag, remote_tag: String::new() },
            local_cseq: cseq,
            remote_cseq: None,
            route_set: RouteSet::default(),
            remote_target: Sealed(target.to_owned()),
            flow,
        }
    }
}

impl Dress {
    /// A number as this trunk wants it.
    fn wear(self, number: &PhoneNumber) -> String {
        let text = number.as_str();
        match (self, text.strip_prefix("+33"), text.strip_prefix('+')) {
            (Self::National, Some(national), _) => format!("0{national}"),
            (Self::International | Self::National, _, Some(world)) => format!("00{world}"),
            (Self::Global | Self::International | Self::National, _, _) => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_gets_numbers_in_the_dress_it_wants() {
        let wear = |dress: Dress, number: &str| dress.wear(&number.parse().unwrap());

        assert_eq!(wear(Dress::Global, "0612345678"), "+33612345678");
        assert_eq!(wear(Dress::National, "0612345678"), "0612345678");
        assert_eq!(wear(Dress::National, "0692123456"), "00262692123456");
        assert_eq!(wear(Dress::International, "0612345678"), "0033612345678");
    }
}
