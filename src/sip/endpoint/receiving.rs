//! What arrives: read, matched, judged, sorted.
//!
//! The order is the one of RFC 3261 §8.2 with the cheap and stateless first: a response or ACK finds
//! what it belongs to, a repeated request its transaction, a CANCEL its INVITE, a request with a
//! To tag its dialog. What is left is new, and makes no state before it is let in; refusals are
//! stateless (§8.2.7), with To tags that repeat when the request does. Strangers hear nothing but
//! challenges (domain.md T-03).

use std::net::IpAddr;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::base::{CallerNumber, Now, PhoneNumber, TrunkName};
use crate::sip::Flow;
use crate::sip::compose::{self, Question};
use crate::sip::dialog::invite::Peer;
use crate::sip::message::{
    Head, HeaderName, Message, Method, Request, Response, ResponseBuilder, Status,
};
use crate::sip::transaction::{self, ClientKey, ServerKey};
use crate::sip::uri::{Host, Uri};
use crate::sip::wire::{self, Fault, Malformed};

use super::answering::reply_of;
use super::body::Body;
use super::door::Proof;
use super::{Dialled, Endpoint, Event, MergeKey, Origin, Output, Purpose, Refusal};

/// A request on its way to whoever answers it.
pub(super) struct Arrival {
    pub(super) question: Question,
    pub(super) key: ServerKey,
    /// Where it came from.
    pub(super) source: Flow,
    /// Where its responses go.
    pub(super) reply: Flow,
}

impl Arrival {
    pub(super) fn request(&self) -> &Request {
        &self.question.request
    }

    pub(super) fn address(&self) -> IpAddr {
        self.source.peer.ip().to_canonical()
    }
}

impl MergeKey {
    pub(super) fn of(request: &Request) -> Self {
        let from_tag = request.from_tag().unwrap_or_default().to_owned();
        Self(request.call_id().to_owned(), from_tag, request.cseq().number)
    }
}

impl Endpoint {
    pub(super) fn read(&mut self, flow: Flow, bytes: &[u8], now: Now) {
        match wire::parse_datagram(&Bytes::copy_from_slice(bytes)) {
            Ok(Message::Request(request)) => self.requested(flow, request, now),
            Ok(Message::Response(response)) => self.responded(&response, now),
            Err(malformed) => self.unreadable(flow, &malformed),
        }
    }

    /// While the house has no breath left: what was begun goes on, nothing is begun.
    pub(super) fn read_under_load(&mut self, flow: Flow, bytes: &[u8], now: Now) {
        match wire::parse_datagram(&Bytes::copy_from_slice(bytes)) {
            Ok(Message::Request(request)) => {
                let goes_on = request.to_tag().is_some()
                    || matches!(request.method(), Method::Ack | Method::Cancel);
                let arrival = self.arrival(flow, request);
                let is_known = self.transactions.find(&arrival.key).is_some();
                if goes_on || is_known {
                    self.judge(arrival, now);
                } else if *arrival.request().method() == Method::Invite
                    && self.trunk_at(arrival.address()).is_some()
                {
                    self.refuse_statelessly(arrival, &Refusal::Overload);
                }
            }
            Ok(Message::Response(response)) => self.responded(&response, now),
            Err(_) => {}
        }
    }

    fn unreadable(&mut self, flow: Flow, malformed: &Malformed) {
        let tag = self.mint.token();
        match malformed.answer(&tag, flow.peer) {
            Some(answer) => {
                let reply = match answer.via() {
                    Ok(via) if !flow.transport.is_reliable() => {
                        Flow { peer: via.answer_address(flow.peer), ..flow }
                    }
                    Ok(_) | Err(_) => flow,
                };
                self.send(reply, answer.bytes().clone());
            }
            // Framing a stream was the road's work: what is not SIP on one is no phone.
            None if flow.transport.is_reliable() && malformed.fault() != Fault::KeepAlive => {
                self.outputs.push_back(Output::Close(flow));
            }
            None => {}
        }
    }

    // ---- responses ----

    fn responded(&mut self, response: &Response, now: Now) {
        let branch = response.via().ok().and_then(|via| via.branch().map(str::to_owned));
        let Some(branch) = branch else {
            return;
        };
        let key = ClientKey { branch, method: response.cseq().method.clone() };
        let to = response.header(HeaderName::To).unwrap_or_default();
        let to_tag = response.to_tag().unwrap_or_default();
        let status = response.status();
        let found = self.transactions.responded(&key, status.0, to_tag, to, now.steady);
        let transaction::Response::ForUser(id) = found else {
            return;
        };
        match self.purposes.get(&id) {
            Some(Purpose::Invite { .. }) => self.invite_responded(id, response, now),
            Some(Purpose::Reinvite { .. }) if status.is_final() => {
                self.reinvite_responded(id, response, now);
            }
            // Whatever the answer, a challenge included (T-07): we have said goodbye.
            Some(Purpose::Bye { dialog }) if status.is_final() => {
                let dialog = *dialog;
                self.forget(dialog);
            }
            Some(Purpose::DialogProbe { dialog }) if status.is_final() => {
                let gone = Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                let alive = status != gone && status != Status::REQUEST_TIMEOUT;
                self.probe_answered(*dialog, alive);
            }
            Some(Purpose::PhoneProbe { phone }) => self.registrar.found(*phone),
            Some(Purpose::Text { phone }) if status.is_failure() => {
                self.registrar.takes_no_text(*phone);
            }
            Some(
                Purpose::Reinvite { .. }
                | Purpose::Bye { .. }
                | Purpose::DialogProbe { .. }
                | Purpose::Text { .. }
                | Purpose::Nothing,
            )
            | None => {}
        }
    }

    // ---- requests ----

    fn requested(&mut self, flow: Flow, request: Request, now: Now) {
        let arrival = self.arrival(flow, request);
        self.judge(arrival, now);
    }

    fn arrival(&self, source: Flow, request: Request) -> Arrival {
        let key = server_key(&request);
        let tag = self.stateless_tag(&request);
        let question = Question { request, tag, source: source.peer };
        let reply = reply_of(&question, source);
        Arrival { question, key, source, reply }
    }

    fn judge(&mut self, arrival: Arrival, now: Now) {
        let method = arrival.request().method().clone();
        let is_ack = method == Method::Ack;
        match self.transactions.requested(&arrival.key, is_ack, now.steady) {
            transaction::Request::Acknowledged => return,
            transaction::Request::Again(id) => {
                if method == Method::Invite {
                    self.invited_again(id, arrival.request().cseq().number);
                }
                return;
            }
            transaction::Request::New => {}
        }
        if is_ack {
            self.ack_received(&arrival, now);
        } else if self.transactions.is_full() {
            // Its sender will try again; there may be room then.
        } else if method == Method::Cancel {
            self.cancel_received(&arrival, now);
        } else if arrival.request().to_tag().is_some() {
            self.within(arrival, now);
        } else {
            self.outside(arrival, now);
        }
    }

    fn ack_received(&mut self, arrival: &Arrival, now: Now) {
        let Some(dialog) = self.dialog_of(arrival) else {
            return;
        };
        let cseq = arrival.request().cseq().number;
        let answer = sdp_of(arrival.request());
        self.acknowledged(dialog, cseq, answer, now);
    }

    /// RFC 3261 §9.2: by the key of its INVITE, and only from where that came from (T-13). The
    /// CANCEL has a transaction of its own, so a repeated one gets its 200 again.
    fn cancel_received(&mut self, arrival: &Arrival, now: Now) {
        let invite = self.transactions.find(&arrival.key.with_method(Method::Invite));
        let invite = invite.filter(|id| {
            self.transactions.source(*id).is_some_and(|source| {
                source.transport == arrival.source.transport
                    && source.peer.ip() == arrival.source.peer.ip()
            })
        });
        let Some(invite) = invite else {
            self.reply_plain(arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return;
        };
        let id = self.open(arrival, now);
        let bytes = arrival.question.plain(Status::OK);
        self.transactions.respond(id, 200, bytes, now.steady);
        self.cancelled(invite, now);
    }

    /// A request outside every dialog.
    fn outside(&mut self, arrival: Arrival, now: Now) {
        let request = arrival.request();
        let method = request.method().clone();
        let is_known =
            self.trunk_at(arrival.address()).is_some() || self.registrar.knows(arrival.source);
        if !is_known && !matches!(method, Method::Invite | Method::Register) {
            return;
        }
        if let Some(status) = self.judged_by_its_head(request) {
            self.reply_plain(&arrival, status);
            return;
        }
        if self.lacks_ability(&arrival) {
            return;
        }
        match method {
            Method::Invite => self.invite_received(arrival, now),
            Method::Register => self.register_received(&arrival, now),
            Method::Options => self.options_received(&arrival),
            Method::Ack | Method::Bye | Method::Cancel | Method::Update => {
                self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            }
            Method::Info
            | Method::Message
            | Method::Notify
            | Method::Prack
            | Method::Publish
            | Method::Refer
            | Method::Subscribe
            | Method::Extension(_) => self.refuse_method(&arrival),
        }
    }

    fn judged_by_its_head(&self, request: &Request) -> Option<Status> {
        match request.uri() {
            Ok(Uri::Sip(_) | Uri::Tel(_)) => {}
            Ok(Uri::Other { .. }) => return Some(Status::UNSUPPORTED_URI_SCHEME),
            Err(_) => return Some(Status::BAD_REQUEST),
        }
        if request.max_forwards() == Some(0) {
            return Some(Status::TOO_MANY_HOPS);
        }
        let is_ours = |branch: &str| {
            let key =
                ClientKey { branch: branch.to_owned(), method: request.cseq().method.clone() };
            self.transactions.is_asking(&key)
        };
        let vias = request.vias().filter_map(Result::ok);
        if vias.filter_map(|via| via.branch()).any(is_ours) {
            // Our own request came home.
            return Some(Status::LOOP_DETECTED);
        }
        None
    }

    /// 420 for what a request requires and we don't have; true if that was its answer.
    pub(super) fn lacks_ability(&mut self, arrival: &Arrival) -> bool {
        let required: Vec<&str> = arrival.request().require().collect();
        if required.is_empty() {
            return false;
        }
        let response = arrival
            .question
            .response(Status::BAD_EXTENSION)
            .header(HeaderName::Unsupported, required.join(", "));
        self.reply(arrival, response);
        true
    }

    /// 415 for a body we must understand and don't; true if that was its answer.
    pub(super) fn has_strange_body(&mut self, arrival: &Arrival) -> bool {
        if Body::of(arrival.request()) != Body::Unsupported {
            return false;
        }
        let response = arrival
            .question
            .response(Status::UNSUPPORTED_MEDIA_TYPE)
            .header(HeaderName::Accept, compose::ACCEPT);
        let response = if arrival.request().has(HeaderName::ContentEncoding) {
            response.extension("Accept-Encoding", "identity")
        } else {
            response
        };
        self.reply(arrival, response);
        true
    }

    /// 405 for methods of this world, 501 for others.
    pub(super) fn refuse_method(&mut self, arrival: &Arrival) {
        let status = match arrival.request().method() {
            Method::Extension(_) => Status::NOT_IMPLEMENTED,
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Info
            | Method::Invite
            | Method::Message
            | Method::Notify
            | Method::Options
            | Method::Prack
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe
            | Method::Update => Status::METHOD_NOT_ALLOWED,
        };
        let response = arrival.question.response(status).header(HeaderName::Allow, compose::ALLOW);
        self.reply(arrival, response);
    }

    pub(super) fn options_received(&mut self, arrival: &Arrival) {
        let response = arrival.question.response(Status::OK);
        let response = self
            .with_contact(response, arrival.source)
            .header(HeaderName::Accept, compose::ACCEPT)
            .header(HeaderName::Supported, "");
        self.reply(arrival, response);
    }

    // ---- a new call ----

    fn invite_received(&mut self, mut arrival: Arrival, now: Now) {
        if self.merging.contains_key(&MergeKey::of(arrival.request())) {
            self.reply_plain(&arrival, Status::LOOP_DETECTED);
            return;
        }
        if self.has_strange_body(&arrival) {
            return;
        }
        let Some(origin) = self.origin_of(&arrival, now) else {
            return;
        };
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
        let dialled = Dialled {
            user: uri.dialled().into_owned(),
            to_user: request
                .to()
                .ok()
                .and_then(|to| to.uri().ok())
                .map(|to| to.dialled().into_owned())
                .unwrap_or_default(),
        };
        let offer = sdp_of(request);
        let (peer, caller) = match &origin {
            Origin::Trunk(name) => (Peer::Trunk(name.clone()), caller_of(request)),
            Origin::Listener(_) => (Peer::Phone(arrival.address()), None),
        };
        let flow = arrival.source;
        arrival.question.tag = self.mint.token();
        let dialog = self.invited(arrival, peer, offer.is_some(), now);
        self.report(Event::Invited { dialog, origin, dialled, caller, offer, flow, at: now });
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
        {
            return Some(Origin::Trunk(trunk));
        }
        match self.prove(arrival, now) {
            Proof::Listener(listener) => Some(Origin::Listener(listener)),
            Proof::Challenged => None,
        }
    }

    /// Addresses count as ours, whichever they are: doors are reached under many. Names must be
    /// known once any are.
    fn is_our_host(&self, host: Option<&Host>) -> bool {
        let Some(Host::Name(name)) = host else {
            return true;
        };
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        self.setup.domains.is_empty()
            || same(&self.setup.realm)
            || same("localhost")
            || self.setup.domains.iter().any(|domain| same(domain))
    }

    // ---- answers without state ----

    pub(super) fn reply_plain(&mut self, arrival: &Arrival, status: Status) {
        self.reply(arrival, arrival.question.response(status));
    }

    pub(super) fn reply(&mut self, arrival: &Arrival, response: ResponseBuilder) {
        self.send(arrival.reply, response.finish().bytes().clone());
    }

    pub(super) fn refuse_statelessly(&mut self, arrival: Arrival, refusal: &Refusal) {
        let (_, bytes) = self.refusal(&arrival.question, refusal);
        self.send(arrival.reply, bytes);
    }

    /// Opens a transaction for a request other than INVITE.
    pub(super) fn open(
        &mut self,
        arrival: &Arrival,
        now: Now,
    ) -> crate::sip::transaction::TransactionRef {
        let (source, reply) = (arrival.source, arrival.reply);
        self.transactions.open(arrival.key.clone(), false, source, reply, now.steady)
    }

    /// §8.2.7: the same request gets the same To tag, though we remember nothing of it.
    fn stateless_tag(&self, request: &Request) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(request.call_id());
        hash.update(request.header(HeaderName::Via).unwrap_or_default());
        hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The trunk an address belongs to.
    pub(super) fn trunk_at(&self, address: IpAddr) -> Option<&TrunkName> {
        let has = |range: &crate::base::AddressRange| range.contains(address);
        let trunk = self.setup.trunks.iter().find(|trunk| trunk.addresses.iter().any(has));
        trunk.map(|trunk| &trunk.name)
    }

    pub(super) fn trunk_has(&self, name: &TrunkName, address: IpAddr) -> bool {
        let has = |range: &crate::base::AddressRange| range.contains(address);
        let mut trunks = self.setup.trunks.iter().filter(|trunk| trunk.name == *name);
        trunks.any(|trunk| trunk.addresses.iter().any(has))
    }
}

/// The SDP of a message, wherever in it.
pub(super) fn sdp_of(head: &Head) -> Option<Bytes> {
    match Body::of(head) {
        Body::Sdp(sdp) => Some(sdp),
        Body::Nothing | Body::Unsupported => None,
    }
}

/// §17.2.3. An ACK has the key of its INVITE.
fn server_key(request: &Request) -> ServerKey {
    let is_ack = *request.method() == Method::Ack;
    let method = if is_ack { Method::Invite } else { request.method().clone() };
    let top = request.header(HeaderName::Via).unwrap_or_default();
    let via = request.via();
    if let Ok(via) = &via
        && let Some(branch) = via.unique_branch()
    {
        let sent_by = format!("{}:{}", via.host().to_ascii_lowercase(), via.port_or_default());
        return ServerKey::Branch { branch: branch.to_owned(), sent_by, method };
    }
    ServerKey::Old {
        via: top.to_owned(),
        call_id: request.call_id().to_owned(),
        from_tag: request.from_tag().unwrap_or_default().to_owned(),
        cseq: request.cseq().number,
        uri: request.uri_text().to_owned(),
        method,
    }
}

/// The number of a trunk's caller, if they let us have it: P-Asserted-Identity, which is the
/// network's word, or else From.
fn caller_of(request: &Request) -> Option<CallerNumber> {
    let hides = request.privacy().any(|word| {
        ["id", "user", "header"].iter().any(|hidden| hidden.eq_ignore_ascii_case(word))
    });
    let from = request.from().ok()?.uri().ok();
    let is_anonymous = from.as_ref().is_some_and(|from| {
        from.dialled().eq_ignore_ascii_case("anonymous")
            || matches!(from.host(), Some(Host::Name(name))
                if name.eq_ignore_ascii_case("anonymous.invalid"))
    });
    if hides || is_anonymous {
        return None;
    }
    let asserted = request.asserted_identities().filter_map(|one| one.ok()?.uri().ok());
    asserted
        .chain(from)
        .find_map(|uri| uri.dialled().parse::<PhoneNumber>().ok())
        .map(CallerNumber::new)
}
