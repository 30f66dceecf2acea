//! INVITEs of theirs, from the first copy to the ACK of our 200.

use std::time::Duration;

use bytes::Bytes;

use crate::base::{Now, Sdp};
use crate::sip::compose::{self, Question};
use crate::sip::dialog::Dialog;
use crate::sip::dialog::expiry::Terms;
use crate::sip::dialog::invite::{Leaving, Peer, Session, Stage, Unacknowledged};
use crate::sip::dialog::offer::{Agreed, Exchange};
use crate::sip::message::{HeaderName, Method, ResponseBuilder, Status};
use crate::sip::transaction::{Kept, PATIENCE, T1, TransactionRef};
use crate::sip::{Flow, Transport};

use super::receiving::{Arrival, sdp_of};
use super::refreshing::with_terms;
use super::{DialogRef, Ending, Endpoint, Event, MergeKey, Reason, Refusal, Timer};

/// What Retry-After asks when a second node should take the call: never more than 10 s, or trunks
/// take us for down (domain.md §2.4).
const RETRY_MIN: u64 = 5;
const RETRY_SPREAD: u64 = 6;
/// How often a provisional response is sent again.
const REFRESH: Duration = Duration::from_secs(60);
/// When a description in a provisional response that nobody acknowledges is repeated over UDP for the
/// first time; each further time twice as long after, up to [`REFRESH`]. Who has not got it can't hear
/// what is said before the answer, and nothing tells us so.
const REFRESH_FIRST: Duration = Duration::from_secs(1);

impl Endpoint {
    /// A new INVITE that was let in: the dialog begins.
    pub(super) fn invited(
        &mut self,
        mut arrival: Arrival,
        peer: Peer,
        offer: bool,
        now: Now,
    ) -> DialogRef {
        let dialog = self.next_dialog();
        let id = self.open(&mut arrival, now);
        self.reply_plain(&arrival, Status::TRYING, now);
        let Arrival { question, source, .. } = arrival;
        let request = &question.request;
        let merge = MergeKey::of(request);
        self.merging.insert(merge.clone(), id);
        self.invites.insert(id, (dialog, Some(merge)));
        let half = Dialog::of_request(request, &question.tag, source);
        let takes_update = request.allows(&Method::Update);
        self.index.insert(half.id.clone(), dialog);
        let question = Box::new(question);
        let stage = Stage::Incoming { transaction: id, question, brought_offer: offer };
        let mut session = Session::new(half, peer, stage);
        session.takes_update = takes_update;
        self.sessions.insert(dialog, session);
        dialog
    }

    pub(super) fn provisional(
        &mut self,
        dialog: DialogRef,
        status: Status,
        sdp: Option<&Bytes>,
        now: Now,
    ) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let Stage::Incoming { transaction, question, .. } = &session.stage else {
            return;
        };
        if self.is_reliable(session) {
            self.provisional_reliably(dialog, status, sdp, now);
            self.refresh_after(dialog, REFRESH, now);
            return;
        }
        let response = self.with_contact(question.response(status), session.dialog.flow);
        let response = with_early_media(response, question, sdp);
        let bytes = match sdp {
            Some(sdp) => response.body(compose::SDP, sdp).bytes().clone(),
            None => response.finish().bytes().clone(),
        };
        let may_be_lost = sdp.is_some() && !session.dialog.flow.transport.is_reliable();
        self.transactions.respond(*transaction, status.0, bytes, now.steady);
        self.refresh_after(dialog, if may_be_lost { REFRESH_FIRST } else { REFRESH }, now);
    }

    fn refresh_after(&mut self, dialog: DialogRef, pause: Duration, now: Now) {
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.refresh_pause = pause;
            self.timers.set(Timer::Refresh(dialog), now.steady + pause);
        }
    }

    /// §13.3.1.1: proxies give an INVITE up that hears nothing for three minutes.
    pub(super) fn refresh_provisional(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if session.reliable.is_some() {
            // The same number again would be taken for a repetition.
            self.provisional(dialog, Status::SESSION_PROGRESS, None, now);
        } else if let Stage::Incoming { transaction, .. } = &session.stage {
            self.transactions.repeat_provisional(*transaction, now.steady);
            let pause = (session.refresh_pause * 2).min(REFRESH);
            self.refresh_after(dialog, pause, now);
        }
    }

    pub(super) fn answer_invite(&mut self, dialog: DialogRef, sdp: &Bytes, now: Now) {
        if let Some(session) = self.sessions.get_mut(&dialog)
            && let Some(ours) = session.reliable.as_mut().filter(|ours| ours.holds_ok())
        {
            // RFC 3262 §3: no 200 before the PRACK of a description of ours.
            ours.held = Some(Kept(sdp.clone()));
            return;
        }
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let Stage::Incoming { transaction, question, brought_offer } = &session.stage else {
            return;
        };
        // RFC 6337 §3.1: what was agreed in a PRACK is not said again in the 200.
        let described = session.reliable.as_ref().is_some_and(|ours| ours.described);
        let response = self.with_contact(question.response(Status::OK), session.dialog.flow);
        let terms = Terms::of(&question.request, None);
        let response = with_terms(response, terms).header(HeaderName::Accept, compose::ACCEPT);
        let response = if described { response.finish() } else { response.body(compose::SDP, sdp) };
        let bytes = response.bytes().clone();
        let ok = Unacknowledged {
            ok: Kept(bytes.clone()),
            reply: reply_of(question, session.dialog.flow),
            pause: T1,
            wants_answer: !*brought_offer && !described,
            first: true,
        };
        let cseq = question.request.cseq().number;
        let asked = sdp_of(&question.request).map(Kept);
        self.transactions.respond(*transaction, 200, bytes, now.steady);
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.stage = Stage::Confirmed;
            session.reliable = None;
            if !described {
                session.agreed = Agreed { ours: Some(Kept(sdp.clone())), asked };
            }
        }
        self.timers.stop(&Timer::Unpracked(dialog));
        self.timers.stop(&Timer::NeverPracked(dialog));
        self.expires(dialog, terms.expiry(), now);
        self.await_ack(dialog, cseq, ok, now);
    }

    /// Repeats a 200 until its ACK comes, on reliable transports too (§13.3.1.4).
    pub(super) fn await_ack(&mut self, dialog: DialogRef, cseq: u32, ok: Unacknowledged, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.unacknowledged.insert(cseq, ok);
        self.timers.set(Timer::Repeat(dialog, cseq), now.steady + T1);
        self.timers.set(Timer::GiveUp(dialog, cseq), now.steady + PATIENCE);
    }

    pub(super) fn refuse_invite(&mut self, dialog: DialogRef, refusal: &Refusal, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        let Stage::Incoming { transaction, question, .. } = &session.stage else {
            return;
        };
        let (transaction, question) = (*transaction, question.clone());
        let (status, bytes) = self.refusal(&question, refusal);
        self.transactions.respond(transaction, status.0, bytes, now.steady);
        self.forget(dialog);
    }

    /// The final response a refusal stands for.
    pub(super) fn refusal(&mut self, question: &Question, refusal: &Refusal) -> (Status, Bytes) {
        if *refusal == Refusal::Overload {
            self.overload.refused();
        }
        let status = match refusal {
            Refusal::NotFound => Status::NOT_FOUND,
            Refusal::Overload if self.setup.second_node => Status::SERVICE_UNAVAILABLE,
            Refusal::Overload => Status::BUSY_HERE,
            Refusal::NotAcceptableHere => Status::NOT_ACCEPTABLE_HERE,
            Refusal::TemporarilyUnavailable => Status::TEMPORARILY_UNAVAILABLE,
            Refusal::Forbidden => Status::FORBIDDEN,
            Refusal::BadRequest(_) => Status::BAD_REQUEST,
            Refusal::RequestPending => Status::REQUEST_PENDING,
            Refusal::ServerError => Status::SERVER_INTERNAL_ERROR,
            Refusal::Declined => Status::DECLINE,
        };
        let response = question.response(status);
        let response = match refusal {
            Refusal::Overload if self.setup.second_node => {
                let seconds = RETRY_MIN + self.mint.below(RETRY_SPREAD);
                response.header(HeaderName::RetryAfter, seconds)
            }
            Refusal::Overload => response,
            Refusal::NotAcceptableHere => {
                let warning = format!("305 {} \"Incompatible media format\"", self.setup.realm);
                response.header(HeaderName::Warning, warning)
            }
            Refusal::ServerError => {
                response.header(HeaderName::RetryAfter, self.mint.below(RETRY_SPREAD))
            }
            Refusal::BadRequest(words) => response.header(
                HeaderName::Warning,
                format!("399 {} {}", self.setup.realm, crate::sip::headers::quote(words)),
            ),
            Refusal::NotFound
            | Refusal::TemporarilyUnavailable
            | Refusal::Forbidden
            | Refusal::Declined
            | Refusal::RequestPending => response,
        };
        // RFC 6432, for whoever tells the caller in the network's own words.
        let begins_a_call = question.request.to_tag().is_none();
        let response = match cause_of_refusal(refusal).filter(|_| begins_a_call) {
            Some(cause) if status != Status::SERVICE_UNAVAILABLE => {
                response.header(HeaderName::Reason, cause)
            }
            Some(_) | None => response,
        };
        (status, response.finish().bytes().clone())
    }

    /// An ACK for a 200 of ours.
    pub(super) fn acknowledged(
        &mut self,
        dialog: DialogRef,
        cseq: u32,
        answer: Option<Bytes>,
        now: Now,
    ) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Some(ok) = session.unacknowledged.remove(&cseq) else {
            return;
        };
        let answer = answer.filter(|_| ok.wants_answer);
        let held = match session.stage {
            Stage::Leaving(Leaving::Held(reason)) => Some(reason),
            Stage::Incoming { .. }
            | Stage::Inviting { .. }
            | Stage::Confirmed
            | Stage::Leaving(Leaving::Sent) => None,
        };
        self.timers.stop(&Timer::Repeat(dialog, cseq));
        self.timers.stop(&Timer::GiveUp(dialog, cseq));
        if ok.first {
            self.report_of(dialog, Event::Confirmed { dialog, answer: answer.map(Sdp::from) });
        } else if ok.wants_answer {
            self.report_of(dialog, Event::OfferAnswered { dialog, answer: answer.map(Sdp::from) });
        }
        if let Some(reason) = held {
            self.send_bye(dialog, reason, now);
        }
    }

    pub(super) fn repeat_ok(&mut self, dialog: DialogRef, cseq: u32, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Some(ok) = session.unacknowledged.get_mut(&cseq) else {
            return;
        };
        let pause = ok.repeated();
        let (flow, bytes) = (ok.reply, ok.ok.0.clone());
        self.send(flow, bytes);
        self.timers.set(Timer::Repeat(dialog, cseq), now.steady + pause);
    }

    /// The INVITE came again after our 200: it was lost, so it goes again at once.
    pub(super) fn invited_again(&mut self, id: TransactionRef, cseq: u32) {
        let Some((dialog, _)) = self.invites.get(&id) else {
            return;
        };
        let Some(session) = self.sessions.get(dialog) else {
            return;
        };
        let ok = session.unacknowledged.get(&cseq);
        if let Some((flow, bytes)) = ok.map(|ok| (ok.reply, ok.ok.0.clone())) {
            self.send(flow, bytes);
        }
    }

    /// 64×T1 without an ACK: §13.3.1.4 wants a BYE.
    pub(super) fn never_acknowledged(&mut self, dialog: DialogRef, cseq: u32, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.unacknowledged.remove(&cseq);
        self.timers.stop(&Timer::Repeat(dialog, cseq));
        let reason = match session.stage {
            Stage::Leaving(Leaving::Held(reason)) => reason,
            Stage::Confirmed => Reason::Normal,
            Stage::Incoming { .. } | Stage::Inviting { .. } | Stage::Leaving(Leaving::Sent) => {
                return;
            }
        };
        self.report_of(
            dialog,
            Event::Ended { dialog, ending: Ending::NeverAcknowledged, cause: None },
        );
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.given_up = true;
        }
        self.send_bye(dialog, reason, now);
    }

    /// CANCEL for an INVITE of theirs (the CANCEL itself is answered by the caller).
    pub(super) fn cancelled(&mut self, id: TransactionRef, cause: Option<u8>, now: Now) {
        let Some((dialog, _)) = self.invites.get(&id) else {
            return;
        };
        let dialog = *dialog;
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let gone = Status::REQUEST_TERMINATED;
        match &session.stage {
            Stage::Incoming { transaction, question, .. } if *transaction == id => {
                self.transactions.respond(id, gone.0, question.plain(gone), now.steady);
                self.report_of(dialog, Event::Ended { dialog, ending: Ending::Cancelled, cause });
                self.forget(dialog);
            }
            Stage::Incoming { .. }
            | Stage::Inviting { .. }
            | Stage::Confirmed
            | Stage::Leaving(_) => match &session.exchange {
                Exchange::Asked { transaction, question, .. } if *transaction == id => {
                    self.transactions.respond(id, gone.0, question.plain(gone), now.steady);
                    session.exchange = Exchange::Settled;
                }
                Exchange::Settled
                | Exchange::Offered { .. }
                | Exchange::Waiting { .. }
                | Exchange::Asked { .. } => {}
            },
        }
    }

    /// Ends a dialog whatever its state.
    pub(super) fn give_up(&mut self, dialog: DialogRef, reason: Reason, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.given_up = true;
        match &session.stage {
            Stage::Incoming { .. } => {
                self.refuse_invite(dialog, &Refusal::TemporarilyUnavailable, now);
            }
            Stage::Inviting { .. } => self.call_off(dialog, reason, now),
            Stage::Confirmed => {
                self.drop_question(dialog, now);
                if self.awaits_first_ack(dialog) {
                    self.hold_bye(dialog, reason);
                } else {
                    self.send_bye(dialog, reason, now);
                }
            }
            Stage::Leaving(_) => {}
        }
    }

    fn awaits_first_ack(&self, dialog: DialogRef) -> bool {
        let session = self.sessions.get(&dialog);
        session.is_some_and(|session| session.unacknowledged.values().any(|ok| ok.first))
    }

    fn hold_bye(&mut self, dialog: DialogRef, reason: Reason) {
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.stage = Stage::Leaving(Leaving::Held(reason));
        }
    }

    /// §15.1.2: a dialog that ends answers what was still asked in it with 487; and whoever has
    /// said goodbye may never answer a re-INVITE of ours that they have only heard of.
    pub(super) fn drop_question(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        match std::mem::take(&mut session.exchange) {
            Exchange::Asked { transaction, question, .. } => {
                let gone = Status::REQUEST_TERMINATED;
                self.transactions.respond(transaction, gone.0, question.plain(gone), now.steady);
            }
            Exchange::Offered { transaction, .. } => {
                self.transactions.cancelled(transaction, now.steady);
            }
            Exchange::Settled | Exchange::Waiting { .. } => {}
        }
    }

    /// Adds what a response that makes or refreshes a dialog says of us.
    pub(super) fn with_contact(&self, response: ResponseBuilder, flow: Flow) -> ResponseBuilder {
        response
            .header(HeaderName::Contact, self.contact(flow))
            .header(HeaderName::Allow, compose::ALLOW)
            .header(HeaderName::Supported, compose::SUPPORTED)
    }
}

/// RFC 5009 §8: what we send before the answer is to be heard, for gateways that ask.
pub(super) fn with_early_media(
    response: ResponseBuilder,
    question: &Question,
    sdp: Option<&Bytes>,
) -> ResponseBuilder {
    let asks = question.request.header(HeaderName::PEarlyMedia).is_some();
    if asks && sdp.is_some() {
        response.header(HeaderName::PEarlyMedia, "sendrecv")
    } else {
        response
    }
}

/// The Q.850 cause of a refusal (RFC 3398 §8.2.6.1).
fn cause_of_refusal(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::NotFound => Some(r#"Q.850;cause=1;text="Unallocated number""#),
        Refusal::Overload => Some(r#"Q.850;cause=17;text="User busy""#),
        Refusal::NotAcceptableHere => {
            Some(r#"Q.850;cause=65;text="Bearer capability not implemented""#)
        }
        Refusal::TemporarilyUnavailable => Some(r#"Q.850;cause=18;text="No user responding""#),
        Refusal::Forbidden | Refusal::Declined => Some(r#"Q.850;cause=21;text="Call rejected""#),
        Refusal::BadRequest(_) | Refusal::RequestPending | Refusal::ServerError => None,
    }
}

/// Where the responses to a request that came by `flow` go (§18.2.2, RFC 3581).
pub(super) fn reply_of(question: &Question, flow: Flow) -> Flow {
    match (flow.transport, question.request.via()) {
        (Transport::Udp, Ok(via)) => Flow { peer: via.answer_address(question.source), ..flow },
        (_, _) => flow,
    }
}
