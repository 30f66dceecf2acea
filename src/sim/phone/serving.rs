//! The requests a phone has received: each is answered once, and the answer repeated to whoever
//! asks again (RFC 3261 §17.2).

use std::time::Duration;

use super::letter::{Letter, response};
use super::talk::{State, Talk};
use super::voice::Description;
use super::{PATIENCE, Phone, Seen, T1, T2};
use crate::base::Moment;

/// A request and the last answer to it.
#[derive(Debug)]
pub(super) struct Served {
    branch: String,
    method: String,
    call: String,
    cseq: u32,
    status: u16,
    text: String,
    interval: Duration,
    /// A final answer to an INVITE is repeated until the ACK comes.
    again: Option<Moment>,
    forget_at: Moment,
}

impl Served {
    pub(super) fn next(&self) -> Moment {
        self.again.map_or(self.forget_at, |again| again.min(self.forget_at))
    }
}

impl Phone {
    pub(super) fn serve(&mut self, letter: &Letter, now: Moment) {
        let method = letter.method.as_deref().unwrap_or_default();
        if method == "ACK" {
            self.acknowledged(letter, now);
            return;
        }
        let known = self
            .served
            .iter()
            .find(|served| served.branch == letter.branch() && served.method == method);
        if let Some(served) = known {
            let text = served.text.clone();
            self.send(&text);
            return;
        }
        let at = self.talks.iter().position(|talk| talk.id == letter.call_id());
        match (method, at) {
            ("INVITE", None) => self.called(letter, now),
            ("INVITE" | "UPDATE", Some(at)) if self.talks[at].is_established() => {
                self.reoffered(at, letter, now);
            }
            ("CANCEL", _) => self.cancelled(letter, now),
            ("BYE", Some(at)) if !self.talks[at].is_over() => self.hung_up(at, letter, now),
            ("BYE", Some(_)) | ("OPTIONS", None) => self.simply(letter, 200, now),
            ("OPTIONS", Some(at)) if !self.talks[at].is_over() => self.simply(letter, 200, now),
            ("NOTIFY", Some(at)) if !self.talks[at].is_over() => {
                self.simply(letter, 200, now);
                let status = letter.body.split(' ').nth(1).and_then(|status| status.parse().ok());
                self.saw(Seen::Transferred { status: status.unwrap_or_default() }, now);
            }
            ("NOTIFY", None) => {
                let known = self.lit(letter);
                self.simply(letter, if known { 200 } else { 481 }, now);
            }
            ("MESSAGE", None) => {
                self.simply(letter, 200, now);
                self.saw(Seen::Told { text: letter.body.clone() }, now);
            }
            (_, Some(_)) | ("BYE" | "UPDATE", None) => self.simply(letter, 481, now),
            _ => self.simply(letter, 405, now),
        }
    }

    /// Sends the answer to a request, and keeps it.
    pub(super) fn answer(&mut self, request: &Letter, status: u16, text: &str, now: Moment) {
        self.send(text);
        let method = request.method.clone().unwrap_or_default();
        let repeats = method == "INVITE"
            && status >= 200
            && (status < 300 || !self.flow.transport.is_reliable());
        self.served.retain(|served| served.branch != request.branch() || served.method != method);
        let ringing = method == "INVITE" && status < 200;
        self.served.push(Served {
            branch: request.branch().to_owned(),
            method,
            call: request.call_id().to_owned(),
            cseq: request.cseq(),
            status,
            text: text.to_owned(),
            interval: T1,
            again: repeats.then_some(now + T1),
            forget_at: if ringing { now + Duration::from_secs(86_400) } else { now + PATIENCE },
        });
    }

    /// Repeats final answers that were not acknowledged, and forgets old ones.
    pub(super) fn serve_again(&mut self, now: Moment) {
        let mut texts = Vec::new();
        let mut unacknowledged = Vec::new();
        self.served.retain_mut(|served| {
            if served.forget_at <= now {
                if served.again.is_some() && served.status < 300 {
                    unacknowledged.push(served.call.clone());
                }
                return false;
            }
            if served.again.is_some_and(|again| again <= now) {
                served.interval = (served.interval * 2).min(T2);
                served.again = Some(now + served.interval);
                texts.push(served.text.clone());
            }
            true
        });
        for text in texts {
            self.send(&text);
        }
        for call in unacknowledged {
            if let Some(at) = self.talks.iter().position(|talk| talk.id == call) {
                self.hang_up(at, now);
            }
        }
    }

    fn simply(&mut self, request: &Letter, status: u16, now: Moment) {
        let tag = self.mint.token();
        let more = [("Allow", "INVITE, ACK, CANCEL, BYE, MESSAGE, OPTIONS, UPDATE".to_owned())];
        let text = response(request, status, &tag, &more, "");
        self.answer(request, status, &text, now);
    }

    fn acknowledged(&mut self, ack: &Letter, now: Moment) {
        let mut first = false;
        for served in &mut self.served {
            if served.method == "INVITE"
                && served.call == ack.call_id()
                && served.cseq == ack.cseq()
            {
                first |= served.again.take().is_some() && served.status < 300;
            }
        }
        let Some(talk) = self.talks.iter_mut().find(|talk| talk.id == ack.call_id()) else {
            return;
        };
        if talk.awaits_answer && ack.has_body() {
            talk.awaits_answer = false;
            talk.theirs = Description::read(&ack.body);
        }
        if first && talk.is_established() {
            self.saw(Seen::Connected, now);
        }
    }

    fn cancelled(&mut self, cancel: &Letter, now: Moment) {
        let found = self
            .served
            .iter()
            .any(|served| served.method == "INVITE" && served.branch == cancel.branch());
        self.simply(cancel, if found { 200 } else { 481 }, now);
        let rings_on = self.habits.rings_on;
        let ringing = |talk: &Talk| talk.id == cancel.call_id() && talk.is_ringing() && !rings_on;
        if let Some(at) = self.talks.iter().position(ringing) {
            self.refuse(at, 487, now);
            let reason = cancel.header("reason").to_owned();
            self.saw(Seen::RingingStopped { reason }, now);
        }
    }

    fn hung_up(&mut self, at: usize, bye: &Letter, now: Moment) {
        self.simply(bye, 200, now);
        if let State::Ringing { .. } = self.talks[at].state {
            self.refuse(at, 487, now);
        }
        self.talks[at].ends(now);
        let call = self.talks[at].id.clone();
        for served in self.served.iter_mut().filter(|served| served.call == call) {
            served.again = None;
        }
        self.saw(Seen::HungUp { reason: bye.header("reason").to_owned() }, now);
    }

    /// A re-INVITE or UPDATE: we agree to whatever it asks.
    fn reoffered(&mut self, at: usize, request: &Letter, now: Moment) {
        let offer = Description::read(&request.body);
        let invite = request.method.as_deref() == Some("INVITE");
        if !request.has_body() && !invite {
            self.simply(request, 200, now);
            return;
        }
        let talk = &mut self.talks[at];
        talk.version += 1;
        talk.awaits_answer = offer.is_none();
        if let Some(offer) = &offer {
            talk.direction = offer.direction.mirrored();
            talk.theirs = Some(offer.clone());
        }
        let tag = talk.tag.clone();
        let body = self.described(at, offer.as_ref());
        let more = [("Contact", format!("<{}>", self.contact()))];
        let text = response(request, 200, &tag, &more, &body);
        self.answer(request, 200, &text, now);
    }
}
