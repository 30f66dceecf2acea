//! What two user agents remember of each other (RFC 3261 §12).
//!
//! A [`Dialog`] is tags, sequence numbers, route set and remote target: enough to make the next
//! request and to judge the next one received. What is going on inside it (an INVITE, an offer, a
//! goodbye) is [`invite`]'s.

pub(crate) mod expiry;
pub(crate) mod invite;
pub(crate) mod offer;
pub(crate) mod reliable;
pub(crate) mod transfer;
pub(crate) mod usage;
pub(crate) mod watch;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sip::Flow;
use crate::sip::headers::RouteSet;
use crate::sip::message::{Head, HeaderName, Request, Response};

/// Text of a header that can name a caller: kept to build requests, never printed.
#[derive(Clone, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Sealed(pub(crate) String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("·")
    }
}

/// What finds a dialog (§12): both tags and the Call-ID.
#[derive(Clone, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct DialogId {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    pub(crate) remote_tag: String,
}

impl fmt::Debug for DialogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DialogId({})", self.local_tag)
    }
}

/// One side's memory of a dialog.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Dialog {
    pub(crate) id: DialogId,
    /// Our address as it goes into From, with our tag.
    pub(crate) local: Sealed,
    /// Their address as it goes into To, with their tag once there is one.
    pub(crate) remote: Sealed,
    /// The number of our last request.
    pub(crate) local_cseq: u32,
    /// The number of their last request, once one came.
    pub(crate) remote_cseq: Option<u32>,
    pub(crate) route_set: RouteSet,
    /// Where they want requests: the URI of their Contact.
    pub(crate) remote_target: Sealed,
    /// The road our requests take.
    pub(crate) flow: Flow,
}

impl Dialog {
    /// The number for our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.local_cseq
    }

    /// Takes the number of a request received; false if it comes out of order (§12.2.2: 500).
    pub(crate) fn takes(&mut self, cseq: u32) -> bool {
        if self.remote_cseq.is_some_and(|last| cseq <= last) {
            return false;
        }
        self.remote_cseq = Some(cseq);
        true
    }

    /// A target refresh request or its 2xx brought a Contact (§12.2.1.2).
    pub(crate) fn retargeted(&mut self, contact: Option<&str>) {
        if let Some(contact) = contact {
            self.remote_target = Sealed(contact.to_owned());
        }
    }

    /// The dialog their INVITE makes (§12.1.1); `tag` is ours.
    pub(crate) fn of_request(request: &Request, tag: &str, flow: Flow) -> Self {
        let from = request.header(HeaderName::From).unwrap_or_default();
        let to = request.header(HeaderName::To).unwrap_or_default();
        Self {
            id: DialogId {
                call_id: request.call_id().to_owned(),
                local_tag: tag.to_owned(),
                remote_tag: request.from_tag().unwrap_or_default().to_owned(),
            },
            local: Sealed(format!("{to};tag={tag}")),
            remote: Sealed(from.to_owned()),
            local_cseq: 0,
            remote_cseq: Some(request.cseq().number),
            route_set: RouteSet::of_request(request),
            remote_target: Sealed(contact_of(request).unwrap_or_default()),
            flow,
        }
    }

    /// The dialog one branch of a fork makes of a request of ours (§12.1.2).
    #[must_use]
    pub(crate) fn branch(&self, response: &Response) -> Self {
        let mut dialog = self.clone();
        dialog.id.remote_tag = response.to_tag().unwrap_or_default().to_owned();
        dialog.remote = Sealed(response.header(HeaderName::To).unwrap_or_default().to_owned());
        dialog.route_set = RouteSet::of_response(response);
        dialog.retargeted(contact_of(response).as_deref());
        dialog
    }
}

/// The URI of the first Contact.
pub(crate) fn contact_of(head: &Head) -> Option<String> {
    head.contact().ok().map(|contact| contact.uri_text().to_owned())
}

impl fmt::Debug for Dialog {
    /// Nothing of the other side.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog")
            .field("local_tag", &self.id.local_tag)
            .field("local_cseq", &self.local_cseq)
            .field("remote_cseq", &self.remote_cseq)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    #[test]
    fn a_request_with_a_number_not_higher_than_the_last_is_out_of_order() {
        let mut dialog = dialog();

        assert!(dialog.takes(7));
        assert!(!dialog.takes(7));
        assert!(!dialog.takes(6));
        assert!(dialog.takes(9));
    }

    #[test]
    fn a_dialog_does_not_print_whom_it_is_with() {
        let text = format!("{:?}", dialog());

        assert!(!text.contains("0612345678"), "{text}");
    }

    fn dialog() -> Dialog {
        Dialog {
            id: DialogId {
                call_id: "0612345678@host".into(),
                local_tag: "a".into(),
                remote_tag: String::new(),
            },
            local: Sealed("<sip:3977@example.fr>;tag=a".into()),
            remote: Sealed("<sip:0612345678@example.fr>".into()),
            local_cseq: 0,
            remote_cseq: None,
            route_set: RouteSet::default(),
            remote_target: Sealed("sip:0612345678@192.0.2.1".into()),
            flow: Flow {
                transport: Transport::Udp,
                local: "192.0.2.2:5060".parse().unwrap(),
                peer: "192.0.2.1:5060".parse().unwrap(),
                connection: 0,
            },
        }
    }
}
