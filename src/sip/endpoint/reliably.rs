//! Reliable provisional responses (RFC 3262): ours repeated until their PRACK, theirs acknowledged.

use bytes::Bytes;

use crate::base::{Now, Sdp};
use crate::sip::compose;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::invite::{Peer, Session, Stage};
use crate::sip::dialog::offer::Agreed;
use crate::sip::dialog::reliable::{self, Early, Ours, RELIABLE, RSEQ_MAX, Unpracked};
use crate::sip::headers::RAck;
use crate::sip::message::{HeaderName, Method, Response, Status};
use crate::sip::transaction::{Kept, PATIENCE, T1, TransactionRef};

use super::answering::with_early_media;
use super::receiving::{Arrival, sdp_of};
use super::{DialogRef, Ending, Endpoint, Event, Purpose, Timer};

/// How many branches of a fork may ring reliably at once.
const BRANCHES_MAX: usize = 16;

impl Endpoint {
    // ---- ours ----

    /// Whether provisional responses to this dialog's INVITE go reliably: when the caller demands
    /// it, or can do it and the trunk is set so. To depend on a PRACK without need loses calls.
    pub(super) fn is_reliable(&self, session: &Session) -> bool {
        let Stage::Incoming { question, .. } = &session.stage else {
            return false;
        };
        let asks = match &session.peer {
            Peer::Trunk(name) => self.setup.reliable.contains(name),
            Peer::Phone(_) => false,
        };
        reliable::is_required(&question.request) || (asks && question.request.knows(RELIABLE))
    }

    /// A provisional response, or its place behind the one not acknowledged yet.
    pub(super) fn provisional_reliably(
        &mut self,
        dialog: DialogRef,
        status: Status,
        sdp: Option<&Bytes>,
        now: Now,
    ) {
        let first = 1 + self.mint.below(RSEQ_MAX - 1);
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let first = u32::try_from(first).unwrap_or(1);
        let ours = session.reliable.get_or_insert_with(|| Ours::counting_from(first));
        if ours.out.is_some() {
            ours.queued(status, sdp.cloned().map(Kept));
            return;
        }
        ours.rseq = ours.rseq.saturating_add(1);
        self.send_reliably(dialog, status, sdp, now);
    }

    fn send_reliably(&mut self, dialog: DialogRef, status: Status, sdp: Option<&Bytes>, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let (Stage::Incoming { transaction, question, brought_offer }, Some(ours)) =
            (&session.stage, &session.reliable)
        else {
            return;
        };
        // Said once and acknowledged, a description is not said again (RFC 6337 §3.1).
        let sdp = sdp.filter(|_| !ours.described);
        let response = self
            .with_contact(question.response(status), session.dialog.flow)
            .header(HeaderName::Require, RELIABLE)
            .header(HeaderName::RSeq, ours.rseq);
        let response = with_early_media(response, question, sdp);
        let bytes = match sdp {
            Some(sdp) => response.body(compose::SDP, sdp).bytes().clone(),
            None => response.finish().bytes().clone(),
        };
        let out = Unpracked {
            bytes: Kept(bytes.clone()),
            pause: T1,
            sdp: sdp.is_some(),
            wants_answer: sdp.is_some() && !brought_offer,
        };
        let asked = sdp_of(&question.request).map(Kept);
        self.transactions.respond(*transaction, status.0, bytes, now.steady);
        let agreed = sdp.map(|sdp| Agreed { ours: Some(Kept(sdp.clone())), asked });
        if let Some(session) = self.sessions.get_mut(&dialog) {
            if let Some(agreed) = agreed {
                session.agreed = agreed;
            }
            if let Some(ours) = &mut session.reliable {
                ours.described |= out.sdp;
                ours.out = Some(out);
            }
        }
        self.timers.set(Timer::Unpracked(dialog), now.steady + T1);
        self.timers.set(Timer::NeverPracked(dialog), now.steady + PATIENCE);
    }

    pub(super) fn repeat_reliably(&mut self, dialog: DialogRef, now: Now) {
        let session = self.sessions.get_mut(&dialog);
        let Some(Session { stage: Stage::Incoming { transaction, .. }, reliable, .. }) = session
        else {
            return;
        };
        if let Some(out) = reliable.as_mut().and_then(|ours| ours.out.as_mut()) {
            out.pause *= 2;
            self.timers.set(Timer::Unpracked(dialog), now.steady + out.pause);
            self.transactions.repeat_provisional(*transaction, now.steady);
        }
    }

    /// 64×T1 without a PRACK: the INVITE is refused (§3).
    pub(super) fn never_pracked(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if let Stage::Incoming { transaction, question, .. } = &session.stage {
            let status = Status::SERVER_TIMEOUT;
            self.transactions.respond(*transaction, status.0, question.plain(status), now.steady);
            self.report_of(
                dialog,
                Event::Ended { dialog, ending: Ending::NeverAcknowledged, cause: None },
            );
            self.forget(dialog);
        }
    }

    /// PRACK: for the response that waits, or for none (481).
    pub(super) fn prack_received(
        &mut self,
        dialog: DialogRef,
        id: TransactionRef,
        arrival: Arrival,
        now: Now,
    ) {
        let rack = arrival.request().rack();
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let invite = match &session.stage {
            Stage::Incoming { question, .. } => question.request.cseq().number,
            Stage::Inviting { .. } | Stage::Confirmed | Stage::Leaving(_) => 0,
        };
        let out = session.reliable.as_mut().and_then(|ours| {
            let is_right = rack.as_ref().is_some_and(|rack| ours.is_acknowledged_by(rack, invite));
            if is_right { ours.out.take() } else { None }
        });
        let Some(out) = out else {
            self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            return;
        };
        let sdp = sdp_of(arrival.request());
        if out.wants_answer && sdp.is_none() {
            // §5: an offer wants its answer here. Without it nothing can be heard; 504 will follow.
            if let Some(ours) = &mut session.reliable {
                ours.out = Some(out);
            }
            self.reply_plain(&arrival, Status::BAD_REQUEST, now);
            return;
        }
        self.timers.stop(&Timer::Unpracked(dialog));
        self.timers.stop(&Timer::NeverPracked(dialog));
        match sdp {
            Some(_) if out.wants_answer => {
                self.reply_plain(&arrival, Status::OK, now);
                self.report_of(dialog, Event::OfferAnswered { dialog, answer: sdp.map(Sdp::from) });
            }
            // A new offer (§5), which is answered in the 200.
            Some(_) => self.offered(dialog, id, arrival, now),
            None => self.reply_plain(&arrival, Status::OK, now),
        }
        self.go_on_reliably(dialog, now);
    }

    /// What waited for the PRACK.
    fn go_on_reliably(&mut self, dialog: DialogRef, now: Now) {
        let Some(ours) =
            self.sessions.get_mut(&dialog).and_then(|session| session.reliable.as_mut())
        else {
            return;
        };
        if let Some(held) = ours.held.take() {
            self.answer_invite(dialog, &held.0, now);
        } else if let Some((status, sdp)) = ours.next() {
            let sdp = sdp.map(|sdp| sdp.0);
            self.provisional_reliably(dialog, status, sdp.as_ref(), now);
        }
    }

    // ---- theirs ----

    /// Acknowledges a reliable provisional response to our INVITE; false if it is to be dropped.
    pub(super) fn takes_provisional(
        &mut self,
        dialog: DialogRef,
        branch: Dialog,
        reply: &Response,
        now: Now,
    ) -> bool {
        let Some(rseq) = reliable::number_of(reply) else {
            return true;
        };
        let tag = branch.id.remote_tag.clone();
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return false;
        };
        let invite = reply.cseq().number;
        let branches = session.early.len();
        match session.early.get_mut(&tag) {
            Some(early) => {
                if !early.takes(rseq) {
                    return false;
                }
            }
            None if branches >= BRANCHES_MAX => return false,
            None => {
                self.index.insert(branch.id.clone(), dialog);
                session.early.insert(tag.clone(), Early::begun(branch, rseq));
            }
        }
        let Some(early) = session.early.get_mut(&tag) else {
            return false;
        };
        early.answer = sdp_of(reply).map(Kept).or(early.answer.take());
        let cseq = early.dialog.next_cseq();
        let (copy, peer) = (early.dialog.clone(), session.peer.clone());
        let flow = self.road(&copy, &peer);
        let (draft, key) = self.draft(&copy, flow, Method::Prack, cseq);
        let rack = RAck {
            rseq,
            cseq: crate::sip::headers::CSeq { number: invite, method: Method::Invite },
        };
        let bytes = draft.header(HeaderName::RAck, rack).finish().bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::Nothing);
        true
    }

    /// The dialog of the branch that answered, with what its early life made of it, and the answer
    /// it may have given already. The other branches may only answer too, and be sent away.
    pub(super) fn settle_branches(
        &mut self,
        dialog: DialogRef,
        branch: &mut Dialog,
    ) -> Option<Bytes> {
        let session = self.sessions.get_mut(&dialog)?;
        for early in session.early.values() {
            self.index.remove(&early.dialog.id);
        }
        let early = session.early.remove(&branch.id.remote_tag)?;
        branch.local_cseq = early.dialog.local_cseq;
        branch.remote_cseq = early.dialog.remote_cseq;
        early.answer.map(|answer| answer.0)
    }
}
