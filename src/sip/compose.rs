//! Messages of ours, put together.
//!
//! Responses are made from the [`Question`] they answer; CANCEL and the ACK of a refusal from the
//! [`Twin`] of their INVITE. Requests inside a dialog are begun by `endpoint`.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sip::dialog::Sealed;
use crate::sip::message::{
    HeaderName, Method, Opening, Request, RequestBuilder, ResponseBuilder, Status,
};

/// What we call ourselves in Server and User-Agent.
pub(crate) const PRODUCT: &str = "hotline";
/// The methods we take.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, REFER, UPDATE, REGISTER, SUBSCRIBE";
/// The extensions we have.
pub(crate) const SUPPORTED: &str = "100rel, norefersub, replaces, timer";
/// The bodies we read.
pub(crate) const ACCEPT: &str = "application/sdp, multipart/mixed";
pub(crate) const SDP: &str = "application/sdp";
pub(crate) const HOPS: u8 = 70;

/// A request that waits for our answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Question {
    pub(crate) request: Request,
    /// Our To tag, unless the request has one.
    pub(crate) tag: String,
    /// Where it really came from.
    pub(crate) source: SocketAddr,
    /// What its sender is to be told of our load.
    #[serde(default)]
    pub(crate) advice: Option<String>,
}

impl Question {
    /// A response with everything it must repeat.
    pub(crate) fn response(&self, status: Status) -> ResponseBuilder {
        let advice = self.advice.as_deref();
        let response =
            ResponseBuilder::advising(&self.request, status, &self.tag, self.source, advice);
        // §12.1.1: the route goes back in everything that can make a dialog.
        let makes_a_dialog = *self.request.method() == Method::Invite
            && (status.is_success() || (status.is_provisional() && status != Status::TRYING));
        let response =
            if makes_a_dialog { response.record_routes(&self.request) } else { response };
        response.header(HeaderName::Server, PRODUCT)
    }

    /// A response with nothing else to say.
    pub(crate) fn plain(&self, status: Status) -> Bytes {
        self.response(status).finish().bytes().clone()
    }
}

/// What CANCEL and ACK share with their INVITE (§9.1, §17.1.1.3): all but the method.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Twin {
    pub(crate) uri: Sealed,
    pub(crate) via: String,
    pub(crate) branch: String,
    pub(crate) routes: Vec<String>,
    pub(crate) from: Sealed,
    pub(crate) to: Sealed,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
}

impl fmt::Debug for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Twin({})", self.branch)
    }
}

impl Twin {
    /// The ACK of a refusal, with the refusal's To.
    pub(crate) fn ack(&self, to: &str) -> Bytes {
        self.begin(Method::Ack, to).finish().bytes().clone()
    }

    /// The CANCEL, with its Reason.
    pub(crate) fn cancel(&self, reason: &str) -> Bytes {
        let cancel = self.begin(Method::Cancel, &self.to.0).header(HeaderName::Reason, reason);
        cancel.finish().bytes().clone()
    }

    fn begin(&self, method: Method, to: &str) -> RequestBuilder {
        RequestBuilder::new(Opening {
            method,
            uri: &self.uri.0,
            via: &self.via,
            max_forwards: HOPS,
            routes: &self.routes,
            from: &self.from.0,
            to,
            call_id: &self.call_id,
            cseq: self.cseq,
        })
        .header(HeaderName::UserAgent, PRODUCT)
    }
}
