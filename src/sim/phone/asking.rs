//! The requests a phone has sent: repeated until answered (RFC 3261 §17.1), and what answers mean.

use std::time::Duration;

use super::digest;
use super::letter::{Letter, written};
use super::talk::State;
use super::voice::Description;
use super::{PATIENCE, Phone, REGISTER_AGAIN, Seen, T1, T2};
use crate::base::Moment;

/// A request under way.
#[derive(Debug)]
pub(super) struct Asked {
    branch: String,
    method: String,
    call: String,
    purpose: Purpose,
    text: String,
    interval: Duration,
    again: Option<Moment>,
    begun: Moment,
    until: Moment,
    /// An INVITE that has its final answer is kept to acknowledge it again.
    done: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// Something inside a call that only its answer is wanted of.
    Asking,
    Bye,
    Cancel,
    Invite,
    Register {
        again: bool,
        leaving: bool,
    },
    Reinvite,
    Subscribe {
        again: bool,
    },
}

impl Asked {
    pub(super) fn new(
        branch: String,
        method: &str,
        call: String,
        purpose: Purpose,
        text: String,
        reliable: bool,
        now: Moment,
    ) -> Self {
        Self {
            branch,
            method: method.to_owned(),
            call,
            purpose,
            text,
            interval: T1,
            again: (!reliable).then_some(now + T1),
            begun: now,
            until: now + PATIENCE,
            done: false,
        }
    }

    pub(super) fn next(&self) -> Option<Moment> {
        Some(self.again.map_or(self.until, |again| again.min(self.until)))
    }

    /// The text of an INVITE whose call lives, and that is not too old to be a copy: after that it
    /// would rightly be taken for a new call.
    pub(super) fn invite(&self, lives: impl Fn(&str) -> bool, now: Moment) -> Option<&str> {
        let fresh = now + Duration::from_secs(1) < self.begun + PATIENCE;
        (self.is_invite() && fresh && lives(&self.call)).then_some(self.text.as_str())
    }

    fn is_invite(&self) -> bool {
        self.method == "INVITE"
    }
}

impl Phone {
    /// Sends REGISTER: for a while if registration is wanted, else to be forgotten.
    pub(super) fn register(&mut self, now: Moment) {
        self.register_with(None, false, now);
    }

    fn register_with(&mut self, authorization: Option<String>, again: bool, now: Moment) {
        let Some(credentials) = &self.credentials else {
            return;
        };
        let leaving = !self.wants_registration;
        let house = self.flow.local;
        let address = format!("<sip:{}@{}>", credentials.user, house.ip());
        let expires = if leaving { 0 } else { self.habits.expires.as_secs() };
        self.register_cseq += 1;
        let branch = self.branch();
        let text = if self.habits.writes && !self.habits.modest { ";text" } else { "" };
        let mut headers = vec![
            ("Via", self.via(&branch)),
            ("Max-Forwards", "70".into()),
            ("From", format!("{address};tag={}", &self.register_id[..8])),
            ("To", address),
            ("Call-ID", self.register_id.clone()),
            ("CSeq", format!("{} REGISTER", self.register_cseq)),
            ("Contact", format!("<{}>;expires={expires}{text}", self.contact())),
            ("User-Agent", "town/1".into()),
        ];
        headers.extend(authorization.map(|value| ("Authorization", value)));
        let text = written(&format!("REGISTER sip:{house} SIP/2.0"), &headers, "");
        self.send(&text);
        let purpose = Purpose::Register { again, leaving };
        let reliable = self.flow.transport.is_reliable();
        let call = self.register_id.clone();
        self.asked.retain(|asked| asked.method != "REGISTER");
        self.asked.push(Asked::new(branch, "REGISTER", call, purpose, text, reliable, now));
    }

    /// Sends CANCEL for the INVITE of a call: same branch, same CSeq number (RFC 3261 §9.1).
    pub(super) fn cancel(&mut self, at: usize, now: Moment) {
        let call = self.talks[at].id.clone();
        let found =
            self.asked.iter().find(|a| a.call == call && a.purpose == Purpose::Invite && !a.done);
        let Some(branch) = found.map(|asked| asked.branch.clone()) else {
            return;
        };
        let text = self.composed(at, "CANCEL", self.talks[at].cseq, &branch, &[], "");
        self.send(&text);
        let reliable = self.flow.transport.is_reliable();
        self.asked.push(Asked::new(branch, "CANCEL", call, Purpose::Cancel, text, reliable, now));
    }

    /// Repeats what was not answered, and gives up in the end.
    pub(super) fn ask_again(&mut self, now: Moment) {
        let mut given_up = Vec::new();
        let mut texts = Vec::new();
        self.asked.retain_mut(|asked| {
            if asked.until <= now {
                if !asked.done {
                    given_up.push((asked.call.clone(), asked.purpose));
                }
                return false;
            }
            if asked.again.is_some_and(|again| again <= now) {
                asked.interval = if asked.is_invite() {
                    asked.interval * 2
                } else {
                    (asked.interval * 2).min(T2)
                };
                asked.again = Some(now + asked.interval);
                texts.push(asked.text.clone());
            }
            true
        });
        for text in texts {
            self.send(&text);
        }
        for (call, purpose) in given_up {
            self.never_answered(&call, purpose, now);
        }
    }

    fn never_answered(&mut self, call: &str, purpose: Purpose, now: Moment) {
        let at = self.talks.iter().position(|talk| talk.id == call);
        match purpose {
            Purpose::Register { .. } => self.register_again = Some(now + REGISTER_AGAIN),
            Purpose::Invite => {
                if let Some(at) = at
                    && matches!(self.talks[at].state, State::Dialling { .. })
                {
                    self.talks[at].ends(now);
                    let (reason, warning) = (String::new(), String::new());
                    self.saw(Seen::Refused { status: 408, reason, warning }, now);
                }
            }
            Purpose::Reinvite => self.saw(Seen::Reoffered { status: 408 }, now),
            Purpose::Asking | Purpose::Bye | Purpose::Cancel | Purpose::Subscribe { .. } => {}
        }
    }

    /// A response came.
    pub(super) fn responded(&mut self, letter: &Letter, now: Moment) {
        let found = self.asked.iter().position(|asked| {
            asked.branch == letter.branch() && asked.method == letter.cseq_method()
        });
        let Some(found) = found else {
            // A 200 to an INVITE long forgotten wants its ACK all the same.
            self.acknowledge_again(letter);
            return;
        };
        let asked = &mut self.asked[found];
        let (purpose, call) = (asked.purpose, asked.call.clone());
        if letter.status < 200 {
            if asked.is_invite() {
                asked.again = None;
                // Ringing has no end of its own.
                asked.until = now + Duration::from_secs(86_400);
            } else if asked.again.is_some() {
                asked.interval = T2;
            }
            let tag = super::letter::parameter(letter.header("to"), "tag").to_owned();
            if let Some(talk) = self.talks.iter_mut().find(|talk| talk.id == call) {
                talk.early_tag = tag;
            }
            self.progressed(&call, purpose, letter, now);
            return;
        }
        if asked.is_invite() {
            let repeated = asked.done;
            asked.done = true;
            asked.again = None;
            if !repeated {
                asked.until = now + PATIENCE;
            }
            let branch = asked.branch.clone();
            self.invite_answered(letter, &call, &branch, purpose, repeated, now);
            return;
        }
        self.asked.remove(found);
        match purpose {
            Purpose::Register { again, leaving } => self.registered(letter, again, leaving, now),
            Purpose::Asking => {
                let method = letter.cseq_method().to_owned();
                self.saw(Seen::Replied { method, status: letter.status }, now);
            }
            Purpose::Bye => self.saw(Seen::HangUpConfirmed, now),
            Purpose::Subscribe { again } => self.subscribed(letter, again, now),
            Purpose::Cancel | Purpose::Invite | Purpose::Reinvite => {}
        }
    }

    fn progressed(&mut self, call: &str, purpose: Purpose, letter: &Letter, now: Moment) {
        let at = self.talks.iter().position(|talk| talk.id == call);
        let (Some(at), Purpose::Invite) = (at, purpose) else {
            return;
        };
        if !matches!(self.talks[at].state, State::Dialling { .. }) {
            return;
        }
        if letter.status > 100
            && let Some(theirs) = Description::read(&letter.body)
        {
            self.talks[at].theirs = Some(theirs);
        }
        let State::Dialling { provisional, unwanted, .. } = &mut self.talks[at].state else {
            return;
        };
        let first = !*provisional;
        *provisional = true;
        let cancel = first && *unwanted;
        self.saw(Seen::Progress { status: letter.status }, now);
        if cancel {
            self.cancel(at, now);
        }
    }

    fn invite_answered(
        &mut self,
        letter: &Letter,
        call: &str,
        branch: &str,
        purpose: Purpose,
        repeated: bool,
        now: Moment,
    ) {
        let Some(at) = self.talks.iter().position(|talk| talk.id == call) else {
            return;
        };
        if letter.status >= 300 {
            // §17.1.1.3: the ACK for a refusal is part of the INVITE's transaction.
            let to = letter.header("to").to_owned();
            let kept = std::mem::replace(&mut self.talks[at].remote, to);
            let text = self.composed(at, "ACK", letter.cseq(), branch, &[], "");
            self.talks[at].remote = kept;
            self.send(&text);
            if !repeated {
                self.invite_refused(at, letter, purpose, now);
            }
            return;
        }
        if repeated {
            self.acknowledge_again(letter);
            return;
        }
        self.invite_accepted(at, letter, purpose, now);
    }

    fn invite_refused(&mut self, at: usize, letter: &Letter, purpose: Purpose, now: Moment) {
        if purpose == Purpose::Reinvite {
            self.talks[at].direction = super::Direction::Both;
            if matches!(letter.status, 408 | 481) {
                self.talks[at].ends(now);
            }
            self.saw(Seen::Reoffered { status: letter.status }, now);
            return;
        }
        if matches!(letter.status, 401 | 407)
            && let State::Dialling {
                authenticated: authenticated @ false,
                unwanted: false,
                number,
                ..
            } = &mut self.talks[at].state
        {
            *authenticated = true;
            let uri = format!("sip:{number}@{}", self.flow.local);
            if let Some(credentials) = self.met(letter, "INVITE", &uri) {
                self.invite(at, Some(credentials), now);
                return;
            }
        }
        self.talks[at].ends(now);
        let seen = Seen::Refused {
            status: letter.status,
            reason: letter.header("reason").to_owned(),
            warning: letter.header("warning").to_owned(),
        };
        self.saw(seen, now);
    }

    fn invite_accepted(&mut self, at: usize, letter: &Letter, purpose: Purpose, now: Moment) {
        let theirs = Description::read(&letter.body);
        let unwanted = matches!(self.talks[at].state, State::Dialling { unwanted: true, .. });
        let over = self.talks[at].is_over();
        let talk = &mut self.talks[at];
        talk.remote = letter.header("to").to_owned();
        talk.target = letter.contact();
        talk.theirs = theirs;
        let late = std::mem::take(&mut self.talks[at].offers_late) && purpose == Purpose::Reinvite;
        let body = if late || self.habits.delayed_offer && purpose == Purpose::Invite {
            let offer = self.talks[at].theirs.clone();
            self.described(at, offer.as_ref())
        } else {
            String::new()
        };
        let branch = self.branch();
        let ack = self.composed(at, "ACK", letter.cseq(), &branch, &[], &body);
        if self.habits.acknowledges {
            self.talks[at].ack = Some((letter.cseq(), ack.clone()));
            self.send(&ack);
        }
        if purpose == Purpose::Reinvite {
            self.saw(Seen::Reoffered { status: letter.status }, now);
            return;
        }
        if over {
            return;
        }
        self.talks[at].state = State::Established;
        self.saw(Seen::Answered, now);
        if unwanted {
            // The 200 crossed our CANCEL.
            self.hang_up(at, now);
        }
    }

    fn acknowledge_again(&mut self, letter: &Letter) {
        if letter.cseq_method() != "INVITE" || letter.status >= 300 {
            return;
        }
        let talk = self.talks.iter().find(|talk| talk.id == letter.call_id());
        let ack = talk.and_then(|talk| talk.ack.clone());
        if let Some((cseq, text)) = ack
            && cseq == letter.cseq()
        {
            self.send(&text);
        }
    }

    fn registered(&mut self, letter: &Letter, again: bool, leaving: bool, now: Moment) {
        match letter.status {
            200 if leaving => {
                self.registered = false;
                self.register_again = None;
                self.saw(Seen::Unregistered, now);
            }
            200 => {
                self.registered = true;
                let granted = letter.granted(&self.contact()).unwrap_or(60).max(2);
                self.register_again = Some(now + Duration::from_secs(granted / 2));
                self.saw(Seen::Registered, now);
            }
            401 | 407 if !again || letter.header("www-authenticate").contains("stale=true") => {
                let uri = format!("sip:{}", self.flow.local);
                if let Some((_, value)) = self.met(letter, "REGISTER", &uri) {
                    self.register_with(Some(value), true, now);
                }
            }
            status => {
                self.registered = false;
                self.register_again = Some(now + REGISTER_AGAIN);
                self.saw(Seen::RegistrationRefused { status }, now);
            }
        }
    }

    /// The header that meets a challenge: the first one we can.
    pub(super) fn met(
        &mut self,
        letter: &Letter,
        method: &str,
        uri: &str,
    ) -> Option<(&'static str, String)> {
        let credentials = self.credentials.clone()?;
        let cnonce = self.mint.token();
        let (challenge, header) = if letter.status == 401 {
            ("www-authenticate", "Authorization")
        } else {
            ("proxy-authenticate", "Proxy-Authorization")
        };
        letter
            .all(challenge)
            .find_map(|challenge| {
                digest::credentials(
                    challenge,
                    &credentials.user,
                    &credentials.password,
                    method,
                    uri,
                    &cnonce,
                    1,
                )
            })
            .map(|value| (header, value))
    }
}
