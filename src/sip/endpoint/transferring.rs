//! REFER: a listener's phone wants the call somewhere else (RFC 3515, RFC 7647, RFC 4488).
//!
//! Only inside a call with a listener's phone, and only to an address of ours or, with Replaces
//! (RFC 3891), to another call of the same phone: the attended transfer. What becomes of the wish is
//! for the floor above to say ([`Endpoint::accept_transfer`], [`Endpoint::decline_transfer`]); the
//! phone is told by NOTIFY with a line of SIP in it (`message/sipfrag`, RFC 3420). Trunks and strangers
//! refer nobody (scenarios.md SC-28).

use crate::base::Now;
use crate::sip::dialog::DialogId;
use crate::sip::dialog::invite::{Peer, Session, Stage};
use crate::sip::dialog::transfer::Transfer;
use crate::sip::headers::Params;
use crate::sip::message::{HeaderName, Method, Request, Status};
use crate::sip::transaction::TransactionRef;
use crate::sip::uri::{self, Uri};

use super::receiving::Arrival;
use super::{DialogRef, Endpoint, Event, Origin, Purpose, Refusal, TransferTo};

/// How long a phone may wait for the end of a transfer, as told to it, in seconds.
const PATIENCE_TOLD: u32 = 60;

impl Endpoint {
    /// A transfer that was asked for is tried: 202, and the phone hears how it goes.
    pub fn accept_transfer(&mut self, dialog: DialogRef, now: Now) {
        let Some((transaction, question, quiet)) = self.answers_transfer(dialog) else {
            return;
        };
        let flow = self.sessions.get(&dialog).map(|session| session.dialog.flow);
        let response = question.response(Status::ACCEPTED);
        let response = match flow {
            Some(flow) => self.with_contact(response, flow),
            None => response,
        };
        let response = if quiet { response.extension("Refer-Sub", "false") } else { response };
        let bytes = response.finish().bytes().clone();
        self.transactions.respond(transaction, Status::ACCEPTED.0, bytes, now.steady);
        self.tell_transfer(dialog, Status::TRYING, now);
        self.settle(now);
    }

    /// A transfer that was asked for is not tried (603); the call goes on.
    pub fn decline_transfer(&mut self, dialog: DialogRef, now: Now) {
        let Some((transaction, question, _)) = self.answers_transfer(dialog) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.transfer = None;
        }
        let (status, bytes) = self.refusal(&question, &Refusal::Declined);
        self.transactions.respond(transaction, status.0, bytes, now.steady);
        self.settle(now);
    }

    /// How an accepted transfer goes: 180 while it rings, 200 when it is done, 486 or another
    /// refusal when nothing came of it. A final status is the last word.
    pub fn transfer_progressed(&mut self, dialog: DialogRef, status: u16, now: Now) {
        self.tell_transfer(dialog, Status(status), now);
        self.settle(now);
    }

    pub(super) fn refer_received(
        &mut self,
        dialog: DialogRef,
        id: TransactionRef,
        arrival: Arrival,
        now: Now,
    ) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if matches!(session.peer, Peer::Trunk(_)) {
            self.reply_plain(&arrival, Status::FORBIDDEN, now);
            return;
        }
        if !matches!(session.stage, Stage::Confirmed) || session.given_up {
            self.reply_plain(&arrival, Status::DECLINE, now);
            return;
        }
        if session.transfer.is_some() {
            self.reply_plain(&arrival, Status::REQUEST_PENDING, now);
            return;
        }
        let to = match self.destination(dialog, arrival.request()) {
            Ok(to) => to,
            Err(status) => {
                self.reply_plain(&arrival, status, now);
                return;
            }
        };
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let request = arrival.request();
        let quiet = request
            .extension("Refer-Sub")
            .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("false"));
        session.refers = session.refers.saturating_add(1);
        // §2.4.6: the second transfer asked for in a dialog is told apart by its number.
        let event = match session.refers {
            1 => "refer".to_owned(),
            _ => format!("refer;id={}", request.cseq().number),
        };
        session.transfer =
            Some(Transfer { asked: Some((id, Box::new(arrival.question))), event, quiet });
        self.report_of(dialog, Event::TransferAsked { dialog, to });
    }

    /// The REFER that waits for its answer; it is answered once.
    fn answers_transfer(
        &mut self,
        dialog: DialogRef,
    ) -> Option<(TransactionRef, Box<crate::sip::compose::Question>, bool)> {
        let transfer = self.sessions.get_mut(&dialog)?.transfer.as_mut()?;
        let (transaction, question) = transfer.asked.take()?;
        Some((transaction, question, transfer.quiet))
    }

    fn tell_transfer(&mut self, dialog: DialogRef, status: Status, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Some(transfer) = session.transfer.as_ref().filter(|one| one.asked.is_none()) else {
            return;
        };
        let (event, quiet) = (transfer.event.clone(), transfer.quiet);
        if status.is_final() {
            session.transfer = None;
        }
        if quiet || !session.is_confirmed() {
            return;
        }
        let state = match status.is_final() {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={PATIENCE_TOLD}"),
        };
        let (draft, key, flow) = self.draft_in(dialog, Method::Notify);
        let line = format!("SIP/2.0 {status} {}\r\n", status.phrase());
        let bytes = draft
            .header(HeaderName::Contact, self.contact(flow))
            .header(HeaderName::Event, event)
            .header(HeaderName::SubscriptionState, state)
            .body("message/sipfrag;version=2.0", line.as_bytes())
            .bytes()
            .clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::Nothing);
    }

    /// Where a REFER wants the call, or why it can't go there.
    fn destination(&self, dialog: DialogRef, request: &Request) -> Result<TransferTo, Status> {
        let mut targets = request.headers(HeaderName::ReferTo);
        let (Some(_), None) = (targets.next(), targets.next()) else {
            return Err(Status::BAD_REQUEST);
        };
        let target = request.address(HeaderName::ReferTo).map_err(|_| Status::BAD_REQUEST)?;
        let target = target.uri().map_err(|_| Status::BAD_REQUEST)?;
        if target.param("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
            return Err(Status::DECLINE);
        }
        let replaces = match &target {
            Uri::Sip(uri) => uri.headers().find(|(name, _)| name.eq_ignore_ascii_case("replaces")),
            Uri::Tel(_) => None,
            Uri::Other { .. } => return Err(Status::UNSUPPORTED_URI_SCHEME),
        };
        if let Some((_, value)) = replaces {
            let value = uri::decode(value);
            let replaced = self.replaced(dialog, &value).ok_or(Status::DECLINE)?;
            return Ok(TransferTo::Call(replaced));
        }
        if !self.is_our_host(target.host()) {
            return Err(Status::DECLINE);
        }
        Ok(TransferTo::Number(target.dialled().into_owned()))
    }

    /// The dialog of ours an INVITE is to take the place of (RFC 3891 §3), or why it can't. A
    /// network's Replaces changes nothing: its caller is served as any other.
    pub(super) fn replaced_by(
        &self,
        request: &Request,
        origin: &Origin,
    ) -> Result<Option<DialogRef>, Status> {
        let named = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("replaces");
        let mut values = request.all().filter(named).map(|(_, value)| value);
        let (Some(value), Origin::Listener(_)) = (values.next(), origin) else {
            return Ok(None);
        };
        let params = value.find(';').and_then(|at| {
            let (call_id, params) = value.split_at(at);
            Some((call_id.trim(), Params::read(params)?))
        });
        let (Some((call_id, params)), None) = (params, values.next()) else {
            return Err(Status::BAD_REQUEST);
        };
        let (Some(to), Some(from)) = (params.get("to-tag"), params.get("from-tag")) else {
            return Err(Status::BAD_REQUEST);
        };
        let found = self.replaceable(call_id, to, from);
        let Some((dialog, session)) = found else {
            return Err(Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        };
        match (&session.stage, &session.peer) {
            (_, Peer::Trunk(_)) => Err(Status::DECLINE),
            _ if session.given_up => Err(Status::DECLINE),
            (Stage::Confirmed, Peer::Phone(_)) if params.has("early-only") => {
                Err(Status::BUSY_HERE)
            }
            (Stage::Confirmed | Stage::Inviting { .. }, Peer::Phone(_)) => Ok(Some(dialog)),
            // An early dialog that we have not begun.
            (Stage::Incoming { .. }, Peer::Phone(_)) => {
                Err(Status::CALL_OR_TRANSACTION_DOES_NOT_EXIST)
            }
            (Stage::Leaving(_), Peer::Phone(_)) => Err(Status::DECLINE),
        }
    }

    fn replaceable(&self, call_id: &str, to: &str, from: &str) -> Option<(DialogRef, &Session)> {
        let id = |local: &str, remote: &str| DialogId {
            call_id: call_id.to_owned(),
            local_tag: local.to_owned(),
            remote_tag: remote.to_owned(),
        };
        let known = self.index.get(&id(to, from)).or_else(|| self.index.get(&id(from, to)));
        if let Some(dialog) = known {
            return self.sessions.get(dialog).map(|session| (*dialog, session));
        }
        // What rings has no tag of the phone's that we would have kept.
        let rings = |session: &&Session| {
            let id = &session.dialog.id;
            let ours = id.local_tag == to || id.local_tag == from;
            matches!(session.stage, Stage::Inviting { .. }) && id.call_id == call_id && ours
        };
        let found = self.sessions.iter().find(|(_, session)| rings(session));
        found.map(|(dialog, session)| (*dialog, session))
    }

    /// The other call of the same phone that a Replaces names (RFC 3891 §3). Some phones write its
    /// tags the wrong way round; nobody else has both.
    fn replaced(&self, dialog: DialogRef, value: &str) -> Option<DialogRef> {
        let (call_id, params) = value.split_at(value.find(';')?);
        let params = Params::read(params)?;
        let (to, from) = (params.get("to-tag")?, params.get("from-tag")?);
        let id = |local: &str, remote: &str| DialogId {
            call_id: call_id.trim().to_owned(),
            local_tag: local.to_owned(),
            remote_tag: remote.to_owned(),
        };
        let found = self.index.get(&id(to, from)).or_else(|| self.index.get(&id(from, to)))?;
        let phone = |one: &DialogRef| match self.sessions.get(one) {
            Some(Session { peer: Peer::Phone(address), given_up: false, .. }) => {
                Some(address.to_canonical())
            }
            Some(_) | None => None,
        };
        let same = phone(found).is_some() && phone(found) == phone(&dialog);
        (same && *found != dialog).then_some(*found)
    }
}
