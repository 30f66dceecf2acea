//! Session timers (RFC 4028): refreshing, and doubting a session that nobody refreshes.
//!
//! A refresh never touches the media: UPDATE without a body where it may be sent, else INVITE with
//! the very description that is agreed (the same `o=` version, so nothing changes). A session that
//! the other side should have refreshed is not given up by the clock alone: it is asked for by
//! OPTIONS first, and ends only when nobody knows of it any more.

use std::time::Duration;

use crate::base::Now;
use crate::sip::compose;
use crate::sip::dialog::contact_of;
use crate::sip::dialog::expiry::{Expiry, INTERVAL_MIN, Terms, raised};
use crate::sip::dialog::offer::Exchange;
use crate::sip::dialog::usage::Toll;
use crate::sip::message::{HeaderName, Method, RequestBuilder, Response, ResponseBuilder, Status};
use crate::sip::transaction::{T2, TransactionRef};

use super::receiving::Arrival;
use super::{DialogRef, Endpoint, Purpose, Timer};

/// The pause before a refresh that failed is tried again.
const PAUSE: Duration = Duration::from_secs(10);

impl Endpoint {
    /// 422 for a session timer that is too short for us; true if that was its answer.
    pub(super) fn wants_too_short_a_session(&mut self, arrival: &Arrival, now: Now) -> bool {
        if Terms::of(arrival.request(), None) != Terms::TooSmall {
            return false;
        }
        let response = arrival
            .question
            .response(Status::SESSION_INTERVAL_TOO_SMALL)
            .header(HeaderName::MinSe, INTERVAL_MIN);
        self.reply(arrival, response, now);
        true
    }

    /// The timer a dialog has from now on.
    pub(super) fn expires(&mut self, dialog: DialogRef, expiry: Option<Expiry>, now: Now) {
        self.timers.stop(&Timer::SessionRefresh(dialog));
        self.timers.stop(&Timer::SessionDoubt(dialog));
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.expiry = expiry;
        let Some(expiry) = expiry else {
            return;
        };
        if expiry.ours {
            let due = now.steady + expiry.refresh_after();
            self.timers.set(Timer::SessionRefresh(dialog), due);
        }
        self.timers.set(Timer::SessionDoubt(dialog), now.steady + expiry.doubt_after());
    }

    /// Half the interval is over, and the refresh is ours.
    pub(super) fn refresh_session(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if session.given_up || !session.is_confirmed() || session.expiry.is_none() {
            return;
        }
        let is_quiet =
            matches!(session.exchange, Exchange::Settled) && session.unacknowledged.is_empty();
        match (is_quiet, session.takes_update, session.agreed.ours.clone()) {
            // What goes on may refresh it by itself.
            (false, ..) => self.timers.set(Timer::SessionRefresh(dialog), now.steady + T2),
            (true, false, Some(ours)) => self.send_reinvite(dialog, &ours.0, 0, true, now),
            (true, ..) => self.send_refresh(dialog, now),
        }
    }

    fn send_refresh(&mut self, dialog: DialogRef, now: Now) {
        let (draft, key, flow) = self.draft_in(dialog, Method::Update);
        let bytes = self.refreshing(dialog, draft).finish().bytes().clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::Refresh { dialog });
    }

    /// Adds what a re-INVITE or UPDATE of ours says of us and of the session timer.
    pub(super) fn refreshing(&self, dialog: DialogRef, draft: RequestBuilder) -> RequestBuilder {
        let Some(session) = self.sessions.get(&dialog) else {
            return draft;
        };
        let draft = draft
            .header(HeaderName::Contact, self.contact(session.dialog.flow))
            .header(HeaderName::Allow, compose::ALLOW)
            .header(HeaderName::Supported, compose::SUPPORTED);
        match session.expiry {
            Some(expiry) => draft
                .header(HeaderName::SessionExpires, expiry.asked())
                .header(HeaderName::MinSe, INTERVAL_MIN),
            None => draft,
        }
    }

    /// The final answer to an UPDATE of ours that only refreshes.
    pub(super) fn refresh_responded(&mut self, id: TransactionRef, reply: &Response, now: Now) {
        let Some(Purpose::Refresh { dialog }) = self.purposes.get(&id) else {
            return;
        };
        let dialog = *dialog;
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        session.heard(reply);
        match reply.status().0 {
            200..=299 => {
                session.dialog.retargeted(contact_of(reply).as_deref());
                self.expires(dialog, Expiry::settled_by(reply), now);
            }
            408 | 481 => self.lost_in_dialog(dialog, now),
            405 | 501 => {
                // Allow said otherwise; INVITE is known by everybody.
                session.takes_update = false;
                self.refresh_session(dialog, now);
            }
            422 if self.raise_interval(dialog, reply) => self.refresh_session(dialog, now),
            _ => {
                self.refresh_failed(dialog, Some(reply), now);
                if Toll::of(reply.status()) > Toll::Transaction {
                    self.doubt_session(dialog, now);
                }
            }
        }
    }

    /// Takes their Min-SE; false if it is none we can take.
    pub(super) fn raise_interval(&mut self, dialog: DialogRef, reply: &Response) -> bool {
        let expiry = self.sessions.get_mut(&dialog).and_then(|session| session.expiry.as_mut());
        let Some(expiry) = expiry else {
            return false;
        };
        let Some(interval) = raised(reply, expiry.interval) else {
            return false;
        };
        expiry.interval = interval;
        true
    }

    /// A refresh came to nothing, which ends nothing by itself: it is tried again until the doubt.
    pub(super) fn refresh_failed(&mut self, dialog: DialogRef, reply: Option<&Response>, now: Now) {
        let asked = reply.and_then(|reply| reply.retry_after());
        let pause = asked.map_or(PAUSE, |after| Duration::from_secs(after.seconds.into()));
        self.timers.set(Timer::SessionRefresh(dialog), now.steady + pause.clamp(T2, 6 * PAUSE));
    }

    /// The session was not refreshed in time: is anybody there?
    pub(super) fn doubt_session(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        if session.given_up || !session.is_confirmed() {
            return;
        }
        let (draft, key, flow) = self.draft_in(dialog, Method::Options);
        let bytes = draft.header(HeaderName::Accept, compose::SDP).finish();
        let id = self.transactions.request(key, flow, bytes.bytes().clone(), now.steady);
        self.purposes.insert(id, Purpose::SessionProbe { dialog });
    }

    /// Somebody who still knows the call keeps it; nobody loses it.
    pub(super) fn doubt_answered(&mut self, dialog: DialogRef, alive: bool, now: Now) {
        let expiry = self.sessions.get(&dialog).and_then(|session| session.expiry);
        match (alive, expiry) {
            (false, _) => self.lost_in_dialog(dialog, now),
            (true, Some(_)) => self.expires(dialog, expiry, now),
            (true, None) => {}
        }
    }
}

/// Adds what a 2xx of ours says of the session timer.
pub(super) fn with_terms(response: ResponseBuilder, terms: Terms) -> ResponseBuilder {
    let Some(expires) = terms.answered() else {
        return response;
    };
    let response = response.header(HeaderName::SessionExpires, expires);
    match terms {
        Terms::Agreed { require: true, .. } => {
            response.header(HeaderName::Require, crate::sip::dialog::expiry::TIMER)
        }
        Terms::Agreed { require: false, .. } | Terms::None | Terms::TooSmall => response,
    }
}
