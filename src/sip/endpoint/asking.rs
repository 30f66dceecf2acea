//! Requests of ours inside a dialog: BYE, re-INVITE, OPTIONS, and what comes of them.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Mint, Now, Sdp};
use crate::sip::compose::{self, Twin};
use crate::sip::dialog::expiry::Expiry;
use crate::sip::dialog::invite::{Leaving, Peer, Session, Stage};
use crate::sip::dialog::offer::{Agreed, Exchange};
use crate::sip::dialog::usage::Toll;
use crate::sip::dialog::{Dialog, Sealed, contact_of};
use crate::sip::headers::Via;
use crate::sip::message::{Head, HeaderName, Method, Opening, RequestBuilder, Response};
use crate::sip::transaction::{ClientKey, Kept, T1, TransactionRef};
use crate::sip::uri::Uri;
use crate::sip::{Flow, Transport};

use super::receiving::sdp_of;
use super::{DialogRef, Ending, Endpoint, Event, Output, Purpose, Reason, Timer};

/// A peer that answers 491 this often doesn't mean "in a moment".
const GLARES_MAX: u8 = 5;

impl Endpoint {
    /// BYE: our last word in a confirmed dialog.
    pub(super) fn send_bye(&mut self, dialog: DialogRef, reason: Reason, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.stage = Stage::Leaving(Leaving::Sent);
        self.timers.stop(&Timer::Glare(dialog));
        let (draft, key, flow) = self.draft_in(dialog, Method::Bye);
        let bytes = draft.header(HeaderName::Reason, reason_value(reason)).finish();
        let id = self.transactions.request(key, flow, bytes.bytes().clone(), now.steady);
        self.purposes.insert(id, Purpose::Bye { dialog });
    }

    /// BYE for a branch that is no dialog of the house's.
    pub(super) fn send_stray_bye(&mut self, mut branch: Dialog, peer: &Peer, now: Now) {
        let flow = self.road(&branch, peer);
        let cseq = branch.next_cseq();
        let (draft, key) = self.draft(&branch, flow, Method::Bye, cseq);
        let reason = reason_value(Reason::CompletedElsewhere);
        let bytes = draft.header(HeaderName::Reason, reason).finish();
        let id = self.transactions.request(key, flow, bytes.bytes().clone(), now.steady);
        self.purposes.insert(id, Purpose::Nothing);
    }

    pub(super) fn probe_dialog(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        if !session.is_confirmed() || session.probing {
            return;
        }
        session.probing = true;
        let (draft, key, flow) = self.draft_in(dialog, Method::Options);
        let bytes = draft.header(HeaderName::Accept, compose::SDP).finish();
        let id = self.transactions.request(key, flow, bytes.bytes().clone(), now.steady);
        self.purposes.insert(id, Purpose::DialogProbe { dialog });
    }

    /// The OPTIONS inside a dialog came back, or did not. RFC 5057 §5.1: 481 ends the dialog, and
    /// 408 is as good as silence; any other answer is a sign of life.
    pub(super) fn probe_answered(&mut self, dialog: DialogRef, alive: bool) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.probing = false;
        if session.is_confirmed() {
            self.report_of(dialog, Event::Probed { dialog, alive });
        }
    }

    pub(super) fn send_offer(&mut self, dialog: DialogRef, sdp: &Bytes, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        if !session.may_offer() {
            self.report_of(dialog, Event::OfferAnswered { dialog, answer: None });
            return;
        }
        match &session.exchange {
            // §14.1: no INVITE while one is in progress. Our 200 is, until its ACK.
            Exchange::Settled if !session.unacknowledged.is_empty() => {
                session.exchange =
                    Exchange::Waiting { sdp: Kept(sdp.clone()), glares: 0, refresh: false };
                self.timers.set(Timer::Glare(dialog), now.steady + T1);
            }
            Exchange::Settled => self.send_reinvite(dialog, sdp, 0, false, now),
            Exchange::Waiting { glares, .. } => {
                let glares = *glares;
                session.exchange =
                    Exchange::Waiting { sdp: Kept(sdp.clone()), glares, refresh: false };
            }
            Exchange::Offered { refresh: true, .. } => session.postponed = Some(Kept(sdp.clone())),
            // Their offer, or an earlier one of ours, is open: nothing can come of this one.
            Exchange::Offered { .. } | Exchange::Asked { .. } => {
                self.report_of(dialog, Event::OfferAnswered { dialog, answer: None });
            }
        }
    }

    /// The pause after glare is over.
    pub(super) fn offer_again(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let Exchange::Waiting { sdp, glares, refresh } = &session.exchange else {
            return;
        };
        if session.given_up || !session.may_offer() {
            return;
        }
        if session.unacknowledged.is_empty() {
            let (sdp, glares, refresh) = (sdp.0.clone(), *glares, *refresh);
            self.send_reinvite(dialog, &sdp, glares, refresh, now);
        } else {
            self.timers.set(Timer::Glare(dialog), now.steady + T1);
        }
    }

    /// `refresh`: the offer is what is agreed already.
    pub(super) fn send_reinvite(
        &mut self,
        dialog: DialogRef,
        sdp: &Bytes,
        glares: u8,
        refresh: bool,
        now: Now,
    ) {
        if !self.sessions.get(&dialog).is_some_and(Session::is_confirmed) {
            self.send_early_offer(dialog, sdp, glares, now);
            return;
        }
        let (draft, key, flow) = self.draft_in(dialog, Method::Invite);
        let bytes = self.refreshing(dialog, draft).body(compose::SDP, sdp);
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let was = Box::new(session.dialog.clone());
        let twin = self.twin(&was, flow, &key.branch);
        let cseq = was.local_cseq;
        let id = self.transactions.invite(key, flow, bytes.bytes().clone(), twin, now.steady);
        self.purposes.insert(id, Purpose::Reinvite { dialog, was, cseq });
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.exchange =
                Exchange::Offered { transaction: id, sdp: Kept(sdp.clone()), glares, refresh };
        }
    }

    /// RFC 3311: an offer before the INVITE has its answer goes by UPDATE.
    fn send_early_offer(&mut self, dialog: DialogRef, sdp: &Bytes, glares: u8, now: Now) {
        let (draft, key, flow) = self.draft_in(dialog, Method::Update);
        let bytes = self.refreshing(dialog, draft).body(compose::SDP, sdp).bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::EarlyOffer { dialog });
        if let Some(session) = self.sessions.get_mut(&dialog) {
            let sdp = Kept(sdp.clone());
            session.exchange = Exchange::Offered { transaction: id, sdp, glares, refresh: false };
        }
    }

    /// An UPDATE with an offer of ours came to nothing.
    pub(super) fn early_offer_lost(&mut self, dialog: DialogRef, now: Now) {
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.exchange = Exchange::Settled;
            self.offer_answered(dialog, false, None, now);
        }
    }

    /// A final answer to a re-INVITE of ours (refusals are ACKed below us already).
    pub(super) fn reinvite_responded(&mut self, id: TransactionRef, reply: &Response, now: Now) {
        let Some(Purpose::Reinvite { dialog, was, cseq }) = self.purposes.get(&id) else {
            return;
        };
        let (dialog, cseq) = (*dialog, *cseq);
        if reply.status().is_success() {
            // Even if the dialog has ended meanwhile: without the ACK the 200 comes for 32 s.
            let mut was = was.as_ref().clone();
            was.retargeted(contact_of(reply).as_deref());
            let peer = self.sessions.get(&dialog).map(|session| session.peer.clone());
            let flow = peer.map_or(was.flow, |peer| self.road(&was, &peer));
            let (draft, _) = self.draft(&was, flow, Method::Ack, cseq);
            let ack = draft.finish().bytes().clone();
            let to_tag = reply.to_tag().unwrap_or_default();
            self.transactions.acknowledged(id, to_tag, flow, ack, now.steady);
        }
        self.offer_responded(dialog, id, reply, now);
    }

    /// A final answer to a request of ours that made an offer.
    pub(super) fn offer_responded(
        &mut self,
        dialog: DialogRef,
        id: TransactionRef,
        reply: &Response,
        now: Now,
    ) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.heard(reply);
        let Exchange::Offered { transaction, sdp, glares, refresh } = &session.exchange else {
            return;
        };
        if *transaction != id {
            return;
        }
        let (sdp, glares, refresh) = (sdp.clone(), glares.saturating_add(1), *refresh);
        session.exchange = Exchange::Settled;
        match reply.status().0 {
            200..=299 => {
                session.dialog.retargeted(contact_of(reply).as_deref());
                session.agreed = Agreed { ours: Some(sdp), asked: None };
                self.expires(dialog, Expiry::settled_by(reply), now);
                self.offer_answered(dialog, refresh, sdp_of(reply), now);
            }
            491 if glares < GLARES_MAX => {
                let pause = glare_pause(session.ours, &mut self.mint);
                session.exchange = Exchange::Waiting { sdp, glares, refresh };
                self.timers.set(Timer::Glare(dialog), now.steady + pause);
            }
            408 | 481 => self.lost_in_dialog(dialog, now),
            422 if self.raise_interval(dialog, reply) => {
                self.send_reinvite(dialog, &sdp.0, glares, refresh, now);
            }
            _ => {
                if refresh {
                    self.refresh_failed(dialog, Some(reply), now);
                }
                if Toll::of(reply.status()) > Toll::Transaction {
                    self.doubt_session(dialog, now);
                }
                self.offer_answered(dialog, refresh, None, now);
            }
        }
    }

    /// A re-INVITE of ours is over. Nobody asked for a refresh, so nobody is told of it.
    fn offer_answered(
        &mut self,
        dialog: DialogRef,
        refresh: bool,
        answer: Option<Bytes>,
        now: Now,
    ) {
        if !refresh {
            self.report_of(dialog, Event::OfferAnswered { dialog, answer: answer.map(Sdp::from) });
        }
        let session = self.sessions.get_mut(&dialog);
        if let Some(postponed) = session.and_then(|session| session.postponed.take()) {
            self.send_offer(dialog, &postponed.0, now);
        }
    }

    /// A re-INVITE of ours found nobody (§12.2.1.2): the dialog is over.
    pub(super) fn lost_in_dialog(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if !session.is_confirmed() {
            return;
        }
        self.report_of(dialog, Event::Ended { dialog, ending: Ending::Lost, cause: None });
        self.give_up(dialog, Reason::Normal, now);
    }

    // ---- putting requests together ----

    /// The next request in a dialog of ours.
    pub(super) fn draft_in(
        &mut self,
        dialog: DialogRef,
        method: Method,
    ) -> (RequestBuilder, ClientKey, Flow) {
        let session = self.sessions.get_mut(&dialog).expect("the caller holds this dialog");
        let cseq = session.dialog.next_cseq();
        let (copy, peer) = (session.dialog.clone(), session.peer.clone());
        let flow = self.road(&copy, &peer);
        let (draft, key) = self.draft(&copy, flow, method, cseq);
        (draft, key, flow)
    }

    /// A request in `dialog` (§12.2.1.1), as far as every method has it.
    pub(super) fn draft(
        &mut self,
        dialog: &Dialog,
        flow: Flow,
        method: Method,
        cseq: u32,
    ) -> (RequestBuilder, ClientKey) {
        let branch = self.branch();
        let (uri, routes) = dialog.route_set.towards(&dialog.remote_target.0);
        let draft = RequestBuilder::new(Opening {
            method: method.clone(),
            uri: &uri,
            via: &self.via(flow, &branch),
            max_forwards: compose::HOPS,
            routes: &routes,
            from: &dialog.local.0,
            to: &dialog.remote.0,
            call_id: &dialog.id.call_id,
            cseq,
        })
        .header(HeaderName::UserAgent, compose::PRODUCT);
        (draft, ClientKey { branch, method })
    }

    pub(super) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.mint.token())
    }

    /// The Via of a request of ours over `flow`.
    fn via(&self, flow: Flow, branch: &str) -> String {
        Via::ours(flow.transport, self.sent_by(flow), branch)
    }

    /// What the CANCEL and ACK of the INVITE with this branch share with it.
    pub(super) fn twin(&self, dialog: &Dialog, flow: Flow, branch: &str) -> Twin {
        let (uri, routes) = dialog.route_set.towards(&dialog.remote_target.0);
        Twin {
            uri: Sealed(uri),
            via: self.via(flow, branch),
            branch: branch.to_owned(),
            routes,
            from: dialog.local.clone(),
            to: dialog.remote.clone(),
            call_id: dialog.id.call_id.clone(),
            cseq: dialog.local_cseq,
        }
    }

    /// Where requests to us should go: a Contact value.
    pub(super) fn contact(&self, flow: Flow) -> String {
        let address = self.sent_by(flow);
        match flow.transport {
            Transport::Udp => format!("<sip:hotline@{address}>"),
            Transport::Tcp => format!("<sip:hotline@{address};transport=tcp>"),
            Transport::Tls => format!("<sip:hotline@{address};transport=tls>"),
            Transport::Ws | Transport::Wss => format!("<sip:hotline@{address};transport=ws>"),
        }
    }

    /// The road of a request in `dialog`. A phone's is the one it came by, whatever its Contact
    /// says: it is behind a NAT as often as not. A trunk may move within its own ranges (its
    /// Contact or Record-Route names another of its machines), and nowhere else; over TLS that machine
    /// must prove to be the trunk (RFC 5922 §7.3), which is known by its name and not by its address.
    pub(super) fn road(&mut self, dialog: &Dialog, peer: &Peer) -> Flow {
        let Peer::Trunk(name) = peer else {
            return dialog.flow;
        };
        let next = dialog.route_set.next_hop(&dialog.remote_target.0);
        let Some(address) = next.as_ref().and_then(address_of) else {
            return dialog.flow;
        };
        if address == dialog.flow.peer || !self.trunk_has(name, address.ip()) {
            return dialog.flow;
        }
        if let (Transport::Tls, Some(name)) = (dialog.flow.transport, self.name_of_trunk(name)) {
            self.outputs.push_back(Output::Expect { peer: address, name });
        }
        Flow { peer: address, connection: 0, ..dialog.flow }
    }
}

/// The address a URI names, if it names one and not a host to be looked up.
fn address_of(uri: &Uri) -> Option<SocketAddr> {
    match uri {
        Uri::Sip(uri) => {
            let port = uri.port.unwrap_or(if uri.secure { 5061 } else { 5060 });
            Some(SocketAddr::new(uri.host.ip()?, port))
        }
        Uri::Tel(_) | Uri::Other { .. } => None,
    }
}

/// §14.1: who made the Call-ID waits longer, in steps of 10 ms, so that the two don't meet again.
fn glare_pause(ours: bool, mint: &mut Mint) -> Duration {
    let steps = if ours { 210 + mint.below(191) } else { mint.below(201) };
    Duration::from_millis(steps * 10)
}

/// The Q.850 cause a message tells (RFC 3326; in responses RFC 6432), if it tells one.
pub(super) fn cause_of(head: &Head) -> Option<u8> {
    let mut causes = head.reasons().filter(|reason| reason.protocol.eq_ignore_ascii_case("Q.850"));
    let cause = causes.find_map(|reason| reason.cause)?;
    u8::try_from(cause).ok().filter(|cause| (1..=127).contains(cause))
}

/// Whether a BYE says that something failed at the phone: browsers end a call so whose sound is cut off
/// (`SIP;cause=408`), or whose hold was refused (`SIP;cause=500`). A network that says beside it that this
/// is the usual end of a call (Q.850, 16) means that.
pub(super) fn tells_failure(head: &Head) -> bool {
    if cause_of(head) == Some(NORMAL_CLEARING) {
        return false;
    }
    let mut reasons = head.reasons().filter(|one| one.protocol.eq_ignore_ascii_case("SIP"));
    reasons.any(|reason| reason.cause.is_some_and(|cause| (400..600).contains(&cause)))
}

/// Q.850: somebody has hung up.
const NORMAL_CLEARING: u8 = 16;

/// The value of Reason (RFC 3326).
pub(super) fn reason_value(reason: Reason) -> &'static str {
    match reason {
        Reason::Normal => r#"Q.850;cause=16;text="Normal call clearing""#,
        Reason::CompletedElsewhere => r#"SIP;cause=200;text="Call completed elsewhere""#,
        Reason::CallerHungUp => r#"Q.850;cause=16;text="Caller hung up""#,
        Reason::DrainExpired => r#"Q.850;cause=16;text="drain expired""#,
        Reason::NoListener => r#"Q.850;cause=20;text="No listener""#,
        Reason::NoAnswer => r#"Q.850;cause=19;text="No answer""#,
        Reason::MediaLost => r#"Q.850;cause=41;text="Media timeout""#,
        Reason::Busy => r#"Q.850;cause=17;text="User busy""#,
    }
}
