//! Requests of theirs inside a dialog: BYE, re-INVITE, UPDATE, OPTIONS.

use bytes::Bytes;

use crate::base::{Now, Sdp};
use crate::sip::compose::{self, Question};
use crate::sip::dialog::expiry::Terms;
use crate::sip::dialog::invite::{Peer, Stage, Unacknowledged};
use crate::sip::dialog::offer::{Agreed, Exchange};
use crate::sip::dialog::{DialogId, Sealed, contact_of};
use crate::sip::message::{HeaderName, Method, Status};
use crate::sip::transaction::{Kept, T1, TransactionRef};

use super::answering::reply_of;
use super::asking::{cause_of, tells_failure};
use super::receiving::{Arrival, sdp_of};
use super::refreshing::with_terms;
use super::{DialogRef, Ending, Endpoint, Event, Refusal, Timer};

/// §14.2: how long a side waits that offered twice, at most.
const PATIENCE_FOR_OFFERS: u64 = 11;

impl Endpoint {
    /// The dialog a request belongs to, if it comes from where it may (T-13).
    pub(super) fn dialog_of(&self, arrival: &Arrival) -> Option<DialogRef> {
        let request = arrival.request();
        let id = DialogId {
            call_id: request.call_id().to_owned(),
            local_tag: request.to_tag()?.to_owned(),
            remote_tag: request.from_tag().unwrap_or_default().to_owned(),
        };
        let dialog = *self.index.get(&id)?;
        let session = self.sessions.get(&dialog)?;
        let address = arrival.address();
        let may_speak = match &session.peer {
            Peer::Phone(ip) => ip.to_canonical() == address,
            Peer::Trunk(name) => {
                self.trunk_has(name, address)
                    || session.dialog.flow.peer.ip().to_canonical() == address
            }
        };
        may_speak.then_some(dialog)
    }

    pub(super) fn within(&mut self, mut arrival: Arrival, now: Now) {
        let Some(dialog) = self.dialog_of(&arrival) else {
            if let Some(arrival) = self.subscribed_again(arrival, now) {
                self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            }
            return;
        };
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let method = arrival.request().method().clone();
        let is_bye = method == Method::Bye;
        if matches!(session.stage, Stage::Leaving(_)) && !is_bye {
            self.reply_plain(&arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            return;
        }
        if !is_bye && session.asks_too_much(now.steady) {
            self.refuse_statelessly(arrival, &Refusal::ServerError);
            return;
        }
        let tag = arrival.request().from_tag().unwrap_or_default();
        let branch = session.dialog_of(tag);
        if !branch.takes(arrival.request().cseq().number) {
            self.reply_plain(&arrival, Status::SERVER_INTERNAL_ERROR, now);
            return;
        }
        session.heard(arrival.request());
        if matches!(session.peer, Peer::Phone(_)) {
            // A new port of its NAT, or a new connection after the old one broke.
            session.dialog_of(tag).flow = arrival.source;
        }
        // From here on its number is taken, so its answer must be kept for its repetitions.
        let id = self.open(&mut arrival, now);
        if method == Method::Invite {
            self.invites.insert(id, (dialog, None));
        }
        if self.lacks_ability(&arrival, now) {
            return;
        }
        match method {
            Method::Bye => self.bye_received(dialog, &arrival, now),
            Method::Invite | Method::Update => self.offered(dialog, id, arrival, now),
            Method::Prack => self.prack_received(dialog, id, arrival, now),
            Method::Options => self.options_received(&arrival, now),
            Method::Info => self.info_received(dialog, &arrival, now),
            Method::Refer => self.refer_received(dialog, id, arrival, now),
            Method::Ack
            | Method::Cancel
            | Method::Message
            | Method::Notify
            | Method::Publish
            | Method::Register
            | Method::Subscribe
            | Method::Extension(_) => self.refuse_method(&arrival, now),
        }
    }

    fn bye_received(&mut self, dialog: DialogRef, arrival: &Arrival, now: Now) {
        let stage = self.sessions.get(&dialog).map(|session| &session.stage);
        if matches!(stage, Some(Stage::Inviting { .. })) {
            // §15: a phone that rings refuses; goodbye is said to those who have spoken.
            self.reply_plain(arrival, Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST, now);
            return;
        }
        self.reply_plain(arrival, Status::OK, now);
        let cause = cause_of(arrival.request());
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if let Stage::Incoming { transaction, question, .. } = &session.stage {
            // A caller may leave an early dialog this way too (§15).
            let gone = Status::REQUEST_TERMINATED;
            self.transactions.respond(*transaction, gone.0, question.plain(gone), now.steady);
            self.report_of(dialog, Event::Ended { dialog, ending: Ending::Cancelled, cause });
        } else {
            self.drop_question(dialog, now);
            let broke = tells_failure(arrival.request());
            let ending = if broke { Ending::Broke } else { Ending::HungUp };
            self.report_of(dialog, Event::Ended { dialog, ending, cause });
        }
        self.forget(dialog);
    }

    /// A re-INVITE or UPDATE.
    pub(super) fn offered(
        &mut self,
        dialog: DialogRef,
        id: TransactionRef,
        arrival: Arrival,
        now: Now,
    ) {
        if self.has_strange_body(&arrival, now) || self.wants_too_short_a_session(&arrival, now) {
            return;
        }
        let is_invite = *arrival.request().method() == Method::Invite;
        if *arrival.request().method() == Method::Update && sdp_of(arrival.request()).is_none() {
            // Only a sign of life, or a new target.
            let contact = contact_of(arrival.request());
            let mut terms = Terms::None;
            if let Some(session) = self.sessions.get_mut(&dialog) {
                let tag = arrival.request().from_tag().unwrap_or_default();
                session.dialog_of(tag).retargeted(contact.as_deref());
                terms = Terms::of(arrival.request(), session.expiry);
            }
            let response = self.with_contact(arrival.question.response(Status::OK), arrival.source);
            self.reply(&arrival, with_terms(response, terms), now);
            self.expires(dialog, terms.expiry(), now);
            return;
        }
        if let Some(refusal) = self.is_crossed(dialog, is_invite) {
            let (status, bytes) = self.refusal_of_offer(&arrival, &refusal);
            self.respond(&arrival, status, bytes, now);
            return;
        }
        if is_invite {
            self.reply_plain(&arrival, Status::TRYING, now);
        }
        self.asked(dialog, id, arrival.question, now);
    }

    fn asked(&mut self, dialog: DialogRef, id: TransactionRef, question: Question, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let offer = sdp_of(&question.request);
        let waiting = matches!(session.exchange, Exchange::Waiting { refresh: false, .. });
        // The same words again ask for nothing new, so the media is left alone (RFC 4028 §7.4).
        let same = session.agreed.ours.clone().filter(|_| {
            offer.is_some() && offer == session.agreed.asked.as_ref().map(|asked| asked.0.clone())
        });
        session.exchange = Exchange::Asked {
            transaction: id,
            brought_offer: offer.is_some(),
            contact: contact_of(&question.request).map(Sealed),
            question: Box::new(question),
        };
        if waiting {
            // Theirs came first: ours is over.
            self.timers.stop(&Timer::Glare(dialog));
            self.report_of(dialog, Event::OfferAnswered { dialog, answer: None });
        }
        match same {
            Some(ours) => self.answer_offer(dialog, &ours.0, now),
            None => self.report_of(dialog, Event::Offered { dialog, offer: offer.map(Sdp::from) }),
        }
    }

    /// §14.2: 500 while an earlier request of theirs waits for us, 491 while one of ours waits for
    /// them.
    fn is_crossed(&self, dialog: DialogRef, is_invite: bool) -> Option<Refusal> {
        let session = self.sessions.get(&dialog)?;
        match &session.stage {
            Stage::Confirmed => {}
            // RFC 3311 §5.2: once the first offer has its answer, another may be made early.
            Stage::Incoming { .. } if !is_invite && session.is_described_early() => {}
            Stage::Incoming { .. } if !is_invite && session.awaits_answer_in_prack() => {
                return Some(Refusal::RequestPending);
            }
            Stage::Incoming { .. } | Stage::Leaving(_) => return Some(Refusal::ServerError),
            // Our offer has no answer yet, or a phone that only rings wants other sound than it
            // will get once it is picked up: that can be asked then.
            Stage::Inviting { .. } if session.early.values().any(|one| one.answer.is_some()) => {
                return Some(Refusal::NotAcceptableHere);
            }
            Stage::Inviting { .. } => return Some(Refusal::RequestPending),
        }
        match &session.exchange {
            Exchange::Asked { .. } => Some(Refusal::ServerError),
            Exchange::Offered { .. } => Some(Refusal::RequestPending),
            Exchange::Settled | Exchange::Waiting { .. } => {
                session.awaits_answer_in_ack().then_some(Refusal::RequestPending)
            }
        }
    }

    fn refusal_of_offer(&mut self, arrival: &Arrival, refusal: &Refusal) -> (Status, Bytes) {
        if *refusal != Refusal::ServerError {
            return self.refusal(&arrival.question, refusal);
        }
        let status = Status::SERVER_INTERNAL_ERROR;
        let seconds = self.mint.below(PATIENCE_FOR_OFFERS);
        let response = arrival.question.response(status).header(HeaderName::RetryAfter, seconds);
        (status, response.finish().bytes().clone())
    }

    pub(super) fn answer_offer(&mut self, dialog: DialogRef, sdp: &Bytes, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        if !session.is_asked() {
            return;
        }
        let Exchange::Asked { transaction, question, brought_offer, contact } =
            std::mem::take(&mut session.exchange)
        else {
            return;
        };
        session.dialog.retargeted(contact.as_ref().map(|contact| contact.0.as_str()));
        let flow = session.dialog.flow;
        session.agreed =
            Agreed { ours: Some(Kept(sdp.clone())), asked: sdp_of(&question.request).map(Kept) };
        let terms = Terms::of(&question.request, session.expiry);
        let response = self.with_contact(question.response(Status::OK), flow);
        let bytes = with_terms(response, terms).body(compose::SDP, sdp).bytes().clone();
        self.expires(dialog, terms.expiry(), now);
        self.transactions.respond(transaction, 200, bytes.clone(), now.steady);
        if *question.request.method() == Method::Invite {
            let ok = Unacknowledged {
                ok: Kept(bytes),
                reply: reply_of(&question, flow),
                pause: T1,
                wants_answer: !brought_offer,
                first: false,
            };
            self.await_ack(dialog, question.request.cseq().number, ok, now);
        }
    }

    pub(super) fn decline_offer(&mut self, dialog: DialogRef, refusal: &Refusal, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        if !session.is_asked() {
            return;
        }
        let Exchange::Asked { transaction, question, .. } = std::mem::take(&mut session.exchange)
        else {
            return;
        };
        let (status, bytes) = self.refusal(&question, refusal);
        self.transactions.respond(transaction, status.0, bytes, now.steady);
    }
}
