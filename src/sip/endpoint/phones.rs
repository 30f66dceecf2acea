//! REGISTER, and looking for phones that do not answer.

use std::time::Duration;

use crate::base::{ListenerName, Now};
use crate::sip::Flow;
use crate::sip::compose;
use crate::sip::dialog::invite::Peer;
use crate::sip::dialog::{Dialog, DialogId, Sealed};
use crate::sip::headers::{Contact, NameAddr, RouteSet};
use crate::sip::message::{HeaderName, Method, Request, RequestBuilder, Status};
use crate::sip::registrar::{Bounds, Contacts, Listed, Refused, Registration, Wish};
use crate::sip::transaction::ClientKey;
use crate::sip::uri::{AddressOfRecord, Uri};

use super::door::Proof;
use super::receiving::Arrival;
use super::{Endpoint, PhoneRef, Purpose};

/// The most contacts one REGISTER may bring.
const CONTACTS_MAX: usize = 16;
/// The option tag of RFC 5626.
const OUTBOUND: &str = "outbound";
/// How long a flow may be silent before its phone should say something (RFC 5626 §4.4).
const FLOW_TIMER: Duration = Duration::from_secs(120);
/// The longest text, so that a MESSAGE fits into a datagram (RFC 3428 §8).
const TEXT_MAX: usize = 200;

impl Endpoint {
    /// Always challenged, from a trunk's addresses too.
    pub(super) fn register_received(&mut self, mut arrival: Arrival, now: Now) {
        let listener = match self.prove(&arrival, now) {
            Proof::Listener(listener) => listener,
            Proof::Challenged => return,
        };
        self.open(&mut arrival, now);
        let (status, headers) = self.register(&listener, &arrival, now);
        let mut response = arrival.question.response(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        self.reply(&arrival, response, now);
    }

    fn register(
        &mut self,
        listener: &ListenerName,
        arrival: &Arrival,
        now: Now,
    ) -> (Status, Vec<(HeaderName, String)>) {
        let request = arrival.request();
        let to = request.to().ok().and_then(|to| to.uri().ok());
        let is_own = to.is_some_and(|to| to.dialled() == listener.as_str());
        if !is_own {
            return (Status::FORBIDDEN, Vec::new());
        }
        let Some(mut contacts) = contacts_of(request) else {
            return (Status::BAD_REQUEST, Vec::new());
        };
        let outbound = match self.outbound(arrival, &mut contacts) {
            Ok(outbound) => outbound,
            Err(status) => return (status, Vec::new()),
        };
        let phones_max = self.setup.accounts.get(listener).map_or(1, |account| account.phones_max);
        let bounds = Bounds {
            expiry_min: self.setup.expiry_min,
            expiry_max: self.setup.expiry_max,
            expiry_default: self.setup.expiry_default,
            phones_max,
        };
        let registration = Registration {
            contacts,
            call_id: request.call_id().to_owned(),
            cseq: request.cseq().number,
            flow: arrival.source,
            user_agent: request.user_agent().unwrap_or_default().to_owned(),
        };
        match self.registrar.registered(listener, registration, bounds, now.steady) {
            Ok(()) => {
                let listed = self.registrar.listed(listener, now.steady);
                let contacts = listed.iter().map(|one| (HeaderName::Contact, contact_value(one)));
                let mut headers: Vec<_> = contacts.collect();
                headers.push((HeaderName::Supported, OUTBOUND.to_owned()));
                if outbound {
                    headers.push((HeaderName::Require, OUTBOUND.to_owned()));
                    headers.push((HeaderName::FlowTimer, FLOW_TIMER.as_secs().to_string()));
                }
                (Status::OK, headers)
            }
            Err(Refused::TooBrief) => {
                let seconds = self.setup.expiry_min.as_secs().to_string();
                (Status::INTERVAL_TOO_BRIEF, vec![(HeaderName::MinExpires, seconds)])
            }
            Err(Refused::OutOfOrder) => (Status::SERVER_INTERNAL_ERROR, Vec::new()),
        }
    }

    /// RFC 5626 §6: whether this REGISTER keeps a flow, or a reg-id that means nothing to us is
    /// forgotten. Over streams only: on UDP it would take STUN on the same port to keep one.
    fn outbound(&self, arrival: &Arrival, contacts: &mut Contacts) -> Result<bool, Status> {
        let Contacts::These(wishes) = contacts else {
            return Ok(false);
        };
        let request = arrival.request();
        let is_asked = request.knows(OUTBOUND) || request.require().any(|tag| tag == OUTBOUND);
        let has_one = wishes.iter().any(|wish| wish.reg_id.is_some() && wish.instance.is_some());
        let can = is_asked && has_one && arrival.source.transport.is_reliable();
        if can && wishes.iter().filter(|wish| wish.reg_id.is_some()).count() > 1 {
            // One flow, one contact.
            return Err(Status::BAD_REQUEST);
        }
        if can && request.vias().count() > 1 {
            return Err(Status::FIRST_HOP_LACKS_OUTBOUND_SUPPORT);
        }
        if !can {
            for wish in wishes {
                wish.reg_id = None;
            }
        }
        Ok(can)
    }

    /// A phone that is in a call has registered by another road: its router gave it another port, or it
    /// is on another network. What is still to be said in its calls goes there, and it is believed
    /// from there.
    pub(super) fn phone_moved(&mut self, phone: PhoneRef, to: Flow) {
        for session in self.sessions.values_mut().filter(|one| one.phone == Some(phone)) {
            session.dialog.flow = to;
            session.peer = Peer::Phone(to.peer.ip());
        }
    }

    /// Asks a lost phone whether it is there. One question at a time: on UDP it repeats itself for
    /// half a minute.
    pub(super) fn probe_phone(&mut self, phone: PhoneRef, now: Now) {
        let is_asked = self.purposes.values().any(
            |purpose| matches!(purpose, Purpose::PhoneProbe { phone: other } if *other == phone),
        );
        if is_asked {
            return;
        }
        let Some((draft, key, flow)) = self.draft_to(phone, Method::Options) else {
            return;
        };
        let bytes = draft.header(HeaderName::Accept, compose::SDP).finish().bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::PhoneProbe { phone });
    }

    pub(super) fn send_text(&mut self, listener: &ListenerName, text: &str, now: Now) {
        let text: String = text.chars().take(TEXT_MAX).collect();
        for phone in self.registrar.readers(listener) {
            let Some((draft, key, flow)) = self.draft_to(phone, Method::Message) else {
                continue;
            };
            let request = draft.body("text/plain;charset=UTF-8", text.as_bytes());
            let bytes = request.bytes().clone();
            let id = self.transactions.request(key, flow, bytes, now.steady);
            self.purposes.insert(id, Purpose::Text { phone });
        }
    }

    /// A request to a phone outside every dialog.
    fn draft_to(
        &mut self,
        phone: PhoneRef,
        method: Method,
    ) -> Option<(RequestBuilder, ClientKey, Flow)> {
        let (listener, target, flow) = self.registrar.reach(phone)?;
        let host = &self.setup.realm;
        let address = |user: &str| AddressOfRecord { user: user.to_owned(), host: host.clone() };
        let (ours, theirs) = (address(compose::PRODUCT), address(listener.as_str()));
        let local_tag = self.mint.token();
        let call_id = self.mint.token();
        let question = Dialog {
            local: Sealed(NameAddr::write(None, ours, Some(&local_tag))),
            remote: Sealed(NameAddr::write(None, theirs, None)),
            id: DialogId { call_id, local_tag, remote_tag: String::new() },
            local_cseq: 1,
            remote_cseq: None,
            route_set: RouteSet::default(),
            remote_target: Sealed(target),
            flow,
        };
        let (draft, key) = self.draft(&question, flow, method, 1);
        Some((draft, key, flow))
    }
}

/// What a REGISTER asks; None if it can't be understood (400).
fn contacts_of(request: &Request) -> Option<Contacts> {
    let header = request.expires();
    let mut wishes = Vec::new();
    let mut everything = false;
    for contact in request.contacts() {
        match contact.ok()? {
            Contact::Everything => everything = true,
            Contact::Address(address) => {
                let uri = address.uri().ok()?;
                if !matches!(uri, Uri::Sip(_)) || wishes.len() >= CONTACTS_MAX {
                    return None;
                }
                let expires = address.expires().or(header);
                wishes.push(Wish {
                    uri,
                    instance: address.instance().map(std::borrow::Cow::into_owned),
                    reg_id: address.reg_id(),
                    q: address.q(),
                    expires: expires.map(|seconds| Duration::from_secs(seconds.into())),
                    shows_text: address.shows_text(),
                });
            }
        }
    }
    match (everything, wishes.is_empty(), header) {
        // §10.3 step 6: `*` stands alone and with `Expires: 0`.
        (true, true, Some(0)) => Some(Contacts::RemoveAll),
        (true, _, _) => None,
        (false, true, _) => Some(Contacts::Fetch),
        (false, false, _) => Some(Contacts::These(wishes)),
    }
}

fn contact_value(listed: &Listed) -> String {
    let mut text = format!("<{}>;expires={}", listed.uri, listed.expires.as_secs());
    if let Some((instance, reg_id)) = &listed.outbound {
        text.push_str(&format!(";+sip.instance=\"<{instance}>\";reg-id={reg_id}"));
    }
    if let Some(q) = listed.q {
        text.push_str(&format!(";q={}.{:03}", q / 1000, q % 1000));
    }
    text
}
