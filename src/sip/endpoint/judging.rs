//! What a request is refused for by its head and its body alone (RFC 3261 §8.2).

use crate::base::Now;
use crate::sip::compose;
use crate::sip::dialog::watch::Package;
use crate::sip::message::{HeaderName, Method, Request, Status};
use crate::sip::transaction::ClientKey;
use crate::sip::uri::Uri;

use super::Endpoint;
use super::body::Body;
use super::receiving::Arrival;

impl Endpoint {
    pub(super) fn judged_by_its_head(&self, request: &Request) -> Option<Status> {
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
    pub(super) fn lacks_ability(&mut self, arrival: &Arrival, now: Now) -> bool {
        let knows =
            |tag: &str| compose::SUPPORTED.split(", ").any(|known| known.eq_ignore_ascii_case(tag));
        let required: Vec<&str> = arrival.request().require().filter(|tag| !knows(tag)).collect();
        if required.is_empty() {
            return false;
        }
        let response = arrival
            .question
            .response(Status::BAD_EXTENSION)
            .header(HeaderName::Unsupported, required.join(", "));
        self.reply(arrival, response, now);
        true
    }

    /// 415 for a body we must understand and don't; true if that was its answer.
    pub(super) fn has_strange_body(&mut self, arrival: &Arrival, now: Now) -> bool {
        if Body::of(arrival.request()) != Body::Unsupported {
            return false;
        }
        let response = arrival
            .question
            .response(Status::UNSUPPORTED_MEDIA_TYPE)
            .header(HeaderName::Accept, compose::ACCEPT)
            .header(HeaderName::AllowEvents, Package::ALL);
        let response = if arrival.request().has(HeaderName::ContentEncoding) {
            response.extension("Accept-Encoding", "identity")
        } else {
            response
        };
        self.reply(arrival, response, now);
        true
    }

    /// 405 for methods of this world, 501 for others.
    pub(super) fn refuse_method(&mut self, arrival: &Arrival, now: Now) {
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
        self.reply(arrival, response, now);
    }

    pub(super) fn options_received(&mut self, arrival: &Arrival, now: Now) {
        let response = arrival.question.response(Status::OK);
        let response =
            self.with_contact(response, arrival.source).header(HeaderName::Accept, compose::ACCEPT);
        self.reply(arrival, response, now);
    }
}
