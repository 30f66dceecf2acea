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

use crate::base::{AddressRange, Now, TrunkName, in_hexadecimal};
use crate::sip::Flow;
use crate::sip::compose::Question;
use crate::sip::message::{
    Head, HeaderName, Message, Method, Request, Response, ResponseBuilder, Status,
};
use crate::sip::transaction::{self, ClientKey, ServerKey, TransactionRef};
use crate::sip::wire::{self, Fault, Malformed};

use super::answering::reply_of;
use super::asking::cause_of;
use super::body::Body;
use super::{Endpoint, MergeKey, Output, Purpose, Refusal, privacy};

/// A request on its way to whoever answers it.
pub(super) struct Arrival {
    pub(super) question: Question,
    pub(super) key: ServerKey,
    /// Where it came from.
    pub(super) source: Flow,
    /// Where its responses go.
    pub(super) reply: Flow,
    /// Its transaction, once it has one.
    pub(super) transaction: Option<TransactionRef>,
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
            Ok(Message::Response(response)) => self.responded(flow, &response, now),
            Err(malformed) => self.unreadable(flow, &malformed),
        }
    }

    /// While the house has no breath left: what was begun goes on, nothing is begun.
    pub(super) fn read_under_load(&mut self, flow: Flow, bytes: &[u8], now: Now) {
        match wire::parse_datagram(&Bytes::copy_from_slice(bytes)) {
            Ok(Message::Request(request)) => {
                let goes_on = request.to_tag().is_some()
                    || matches!(request.method(), Method::Ack | Method::Cancel);
                let arrival = self.arrival(flow, request, now);
                let is_known = self.transactions.find(&arrival.key).is_some();
                if goes_on || is_known {
                    self.judge(arrival, now);
                } else if *arrival.request().method() == Method::Invite
                    && self.trunk_at(arrival.address()).is_some()
                {
                    self.refuse_statelessly(arrival, &Refusal::Overload);
                }
            }
            Ok(Message::Response(response)) => self.responded(flow, &response, now),
            Err(_) => {}
        }
    }

    fn unreadable(&mut self, flow: Flow, malformed: &Malformed) {
        self.malformed += 1;
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

    fn responded(&mut self, source: Flow, response: &Response, now: Now) {
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
        if let Some(purpose) = self.purposes.get(&id)
            && !self.is_from_its_trunk(purpose, source)
        {
            return;
        }
        self.hop_answered(id, response, now);
        match self.purposes.get(&id) {
            Some(Purpose::TrunkProbe { trunk, peer }) if status.is_final() => {
                let (trunk, peer) = (trunk.clone(), *peer);
                self.trunks.replied(&trunk, peer, status.0);
            }
            Some(Purpose::TrunkRegister { trunk, .. }) if status.is_final() => {
                let trunk = trunk.clone();
                self.register_answered(&trunk, response, now);
            }
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
            Some(Purpose::EarlyOffer { dialog }) if status.is_final() => {
                self.offer_responded(*dialog, id, response, now);
            }
            Some(Purpose::Refresh { .. }) if status.is_final() => {
                self.refresh_responded(id, response, now);
            }
            Some(Purpose::News { watch }) if status.is_final() => {
                self.news_answered(*watch, Some(response), now);
            }
            Some(Purpose::SessionProbe { dialog }) if status.is_final() => {
                let gone = Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                let alive = status != gone && status != Status::REQUEST_TIMEOUT;
                self.doubt_answered(*dialog, alive, now);
            }
            Some(Purpose::PhoneProbe { phone }) => self.registrar.found(*phone),
            Some(Purpose::Text { phone }) if status.is_failure() => {
                self.registrar.takes_no_text(*phone);
            }
            Some(
                Purpose::Reinvite { .. }
                | Purpose::EarlyOffer { .. }
                | Purpose::Bye { .. }
                | Purpose::DialogProbe { .. }
                | Purpose::Refresh { .. }
                | Purpose::SessionProbe { .. }
                | Purpose::News { .. }
                | Purpose::TrunkProbe { .. }
                | Purpose::TrunkRegister { .. }
                | Purpose::Text { .. }
                | Purpose::Nothing,
            )
            | None => {}
        }
    }

    // ---- requests ----

    fn requested(&mut self, flow: Flow, request: Request, now: Now) {
        let arrival = self.arrival(flow, request, now);
        self.judge(arrival, now);
    }

    fn arrival(&mut self, source: Flow, request: Request, now: Now) -> Arrival {
        let key = server_key(&request);
        let tag = self.stateless_tag(&request);
        let is_trunk = self.trunk_at(source.peer.ip().to_canonical()).is_some();
        if is_trunk && *request.method() == Method::Invite && request.to_tag().is_none() {
            self.overload.asked(now.steady);
        }
        let wants_advice = is_trunk && request.via().is_ok_and(|via| via.wants_advice());
        let advice = wants_advice.then(|| self.overload.advice(now));
        let question = Question { request, tag, source: source.peer, advice };
        let reply = reply_of(&question, source);
        Arrival { question, key, source, reply, transaction: None }
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
            return;
        }
        let within_a_call = method == Method::Cancel || arrival.request().to_tag().is_some();
        if self.transactions.is_full(within_a_call) {
            // Its sender will try again; there may be room then.
        } else if method == Method::Cancel {
            self.cancel_received(arrival, now);
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
    fn cancel_received(&mut self, mut arrival: Arrival, now: Now) {
        let invite = self.transactions.find(&arrival.key.with_method(Method::Invite));
        let invite = invite.filter(|id| {
            self.transactions.source(*id).is_some_and(|source| {
                source.transport == arrival.source.transport
                    && source.peer.ip() == arrival.source.peer.ip()
            })
        });
        let Some(invite) = invite else {
            self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            return;
        };
        self.open(&mut arrival, now);
        self.reply_plain(&arrival, Status::OK, now);
        let cause = cause_of(arrival.request());
        self.cancelled(invite, cause, now);
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
            self.reply_plain(&arrival, status, now);
            return;
        }
        if self.lacks_ability(&arrival, now) {
            return;
        }
        match method {
            Method::Invite => self.invite_received(arrival, now),
            Method::Register => self.register_received(arrival, now),
            Method::Options => self.options_received(&arrival, now),
            Method::Subscribe => self.subscribe_received(arrival, now),
            Method::Ack | Method::Bye | Method::Cancel | Method::Update => {
                self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            }
            Method::Info
            | Method::Message
            | Method::Notify
            | Method::Prack
            | Method::Publish
            | Method::Extension(_) => self.refuse_method(&arrival, now),
            // Nobody sends a caller of ours anywhere (scenarios.md SC-28).
            Method::Refer => self.reply_plain(&arrival, Status::FORBIDDEN, now),
        }
    }

    // ---- answers ----

    pub(super) fn reply_plain(&mut self, arrival: &Arrival, status: Status, now: Now) {
        self.reply(arrival, arrival.question.response(status), now);
    }

    pub(super) fn reply(&mut self, arrival: &Arrival, response: ResponseBuilder, now: Now) {
        let response = response.finish();
        self.respond(arrival, response.status(), response.bytes().clone(), now);
    }

    /// Through the transaction if there is one, else straight to where responses go.
    pub(super) fn respond(&mut self, arrival: &Arrival, status: Status, bytes: Bytes, now: Now) {
        match arrival.transaction {
            Some(id) => self.transactions.respond(id, status.0, bytes, now.steady),
            None => self.send(arrival.reply, bytes),
        }
    }

    pub(super) fn refuse_statelessly(&mut self, arrival: Arrival, refusal: &Refusal) {
        let (_, bytes) = self.refusal(&arrival.question, refusal);
        self.send(arrival.reply, bytes);
    }

    /// Opens a transaction for a request.
    pub(super) fn open(&mut self, arrival: &mut Arrival, now: Now) -> TransactionRef {
        let (key, source, reply) = (arrival.key.clone(), arrival.source, arrival.reply);
        let is_invite = *arrival.request().method() == Method::Invite;
        let id = self.transactions.open(key, is_invite, source, reply, now.steady);
        arrival.transaction = Some(id);
        // From here on it may be kept.
        arrival.question.request = privacy::stripped(arrival.question.request.clone());
        id
    }

    /// §8.2.7: the same request gets the same To tag, though we remember nothing of it.
    fn stateless_tag(&self, request: &Request) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(request.call_id());
        hash.update(request.header(HeaderName::Via).unwrap_or_default());
        in_hexadecimal(&hash.finalize()[..10])
    }

    /// The trunk an address belongs to.
    pub(super) fn trunk_at(&self, address: IpAddr) -> Option<&TrunkName> {
        let has = |range: &AddressRange| range.contains(address);
        let trunk = self.setup.trunks.iter().find(|trunk| trunk.addresses.iter().any(has));
        trunk.map(|trunk| &trunk.name)
    }

    pub(super) fn trunk_has(&self, name: &TrunkName, address: IpAddr) -> bool {
        let has = |range: &AddressRange| range.contains(address);
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
