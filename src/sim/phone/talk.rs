//! One call of a phone, and what a person does with it.

use std::net::SocketAddr;

use super::asking::{Asked, Purpose};
use super::letter::{Letter, response, written};
use super::voice::{self, Codec, Description, Direction, PROTECTED};
use super::{Answer, OnInvite, PATIENCE, Phone, Seen};
use crate::base::Moment;

/// One call, from either side.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) id: String,
    /// From and To as we write them, with tags where they are known.
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) tag: String,
    /// Where requests go.
    pub(super) target: String,
    pub(super) cseq: u32,
    pub(super) state: State,
    pub(super) ours: SocketAddr,
    pub(super) theirs: Option<Description>,
    pub(super) direction: Direction,
    pub(super) version: u32,
    /// The ACK for the last 2xx, sent again whenever that comes again.
    pub(super) ack: Option<(u32, String)>,
    /// The ACK will bring the answer to our offer.
    pub(super) awaits_answer: bool,
    pub(super) pick_up_at: Option<Moment>,
    /// Somebody else began it.
    pub(super) taken: bool,
    /// Their tag, as told while it rang.
    pub(super) early_tag: String,
    /// A re-INVITE without an offer is out.
    pub(super) offers_late: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Dialling {
        provisional: bool,
        unwanted: bool,
        authenticated: bool,
        number: String,
    },
    Ringing {
        invite: Box<Letter>,
    },
    Established,
    /// Kept a while, so that stragglers are answered.
    Over {
        forget_at: Moment,
    },
}

impl Talk {
    pub(super) fn is_taken(&self) -> bool {
        self.taken
    }

    pub(super) fn is_ringing(&self) -> bool {
        matches!(self.state, State::Ringing { .. })
    }

    pub(super) fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    pub(super) fn is_dialling(&self) -> bool {
        matches!(self.state, State::Dialling { .. })
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over { .. })
    }

    pub(super) fn ends(&mut self, now: Moment) {
        self.state = State::Over { forget_at: now + PATIENCE + PATIENCE };
        self.pick_up_at = None;
    }
}

impl Phone {
    pub(super) fn dial(&mut self, number: &str, now: Moment) {
        let tag = self.mint.token();
        let house = self.flow.local;
        let host = house.ip();
        let from = match (&self.credentials, &self.habits) {
            (Some(credentials), habits) => {
                format!("<sip:{}@{host}>", habits.claims.as_ref().unwrap_or(&credentials.user))
            }
            (None, habits) if habits.anonymous => {
                "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned()
            }
            (None, habits) => match &habits.number {
                Some(number) => format!("<sip:{number}@{};user=phone>", self.flow.peer.ip()),
                None => format!("<sip:anonymous@{}>", self.flow.peer.ip()),
            },
        };
        let from = match &self.habits.display {
            Some(display) if !self.habits.anonymous => format!("\"{display}\" {from}"),
            Some(_) | None => from,
        };
        let ours = self.rtp();
        let talk = Talk {
            id: self.mint.token(),
            local: format!("{from};tag={tag}"),
            remote: format!("<sip:{number}@{host}>"),
            tag,
            target: format!("sip:{number}@{house}"),
            cseq: 0,
            state: State::Dialling {
                provisional: false,
                unwanted: false,
                authenticated: false,
                number: number.to_owned(),
            },
            ours,
            theirs: None,
            direction: Direction::Both,
            version: 1,
            ack: None,
            awaits_answer: false,
            pick_up_at: None,
            taken: false,
            early_tag: String::new(),
            offers_late: false,
        };
        self.talks.push(talk);
        self.invite(self.talks.len() - 1, None, now);
    }

    /// Sends the INVITE of a call that is being dialled.
    pub(super) fn invite(&mut self, at: usize, credentials: Option<(&str, String)>, now: Moment) {
        let mut more: Vec<(&str, String)> = Vec::new();
        if let Some(number) = self.habits.number.as_ref().filter(|_| self.credentials.is_none()) {
            more.push(("P-Asserted-Identity", format!("<tel:{number}>")));
        }
        if self.habits.anonymous {
            more.push(("Privacy", "id".to_owned()));
        }
        more.extend(self.habits.headers.iter().cloned());
        more.extend(credentials);
        let body = if self.habits.delayed_offer { String::new() } else { self.described(at, None) };
        self.request(at, "INVITE", &more, &body, Purpose::Invite, now);
    }

    pub(super) fn reoffer(&mut self, at: usize, direction: Direction, now: Moment) {
        self.talks[at].direction = direction;
        self.talks[at].version += 1;
        let body = self.described(at, None);
        self.request(at, "INVITE", &[], &body, Purpose::Reinvite, now);
    }

    pub(super) fn hang_up(&mut self, at: usize, now: Moment) {
        match &mut self.talks[at].state {
            State::Dialling { provisional, unwanted, .. } => {
                let ready = *provisional && !*unwanted;
                *unwanted = true;
                if ready {
                    self.cancel(at, now);
                }
            }
            State::Ringing { .. } => self.refuse(at, 603, now),
            State::Established => {
                self.talks[at].ends(now);
                self.request(at, "BYE", &[], "", Purpose::Bye, now);
            }
            State::Over { .. } => {}
        }
    }

    pub(super) fn pick_up(&mut self, at: usize, now: Moment) {
        let talk = &mut self.talks[at];
        let State::Ringing { invite } = &talk.state else {
            return;
        };
        let invite = invite.clone();
        let offer = Description::read(&invite.body);
        if let Some(offer) = &offer
            && !offer.offers_any(&self.habits.codecs)
        {
            self.refuse(at, 488, now);
            return;
        }
        talk.direction = offer.as_ref().map_or(Direction::Both, |offer| offer.direction.mirrored());
        talk.awaits_answer = offer.is_none();
        talk.theirs.clone_from(&offer);
        talk.state = State::Established;
        talk.pick_up_at = None;
        let tag = talk.tag.clone();
        let body = match self.habits.answer {
            Answer::Sound => self.described(at, offer.as_ref()),
            Answer::Nothing => String::new(),
            Answer::Nonsense => "v=0\r\nthis is no description\r\n".to_owned(),
            Answer::Declined => {
                let sdp = self.described(at, offer.as_ref());
                let port = self.talks[at].ours.port();
                sdp.replace(&format!("m=audio {port} "), "m=audio 0 ")
            }
            Answer::Strange => {
                voice::written(self.talks[at].ours, &[Codec::G729], Direction::Both, 1, None, None)
            }
        };
        let more = [("Contact", format!("<{}>", self.contact()))];
        let text = response(&invite, 200, &tag, &more, &body);
        self.answer(&invite, 200, &text, now);
    }

    pub(super) fn refuse(&mut self, at: usize, status: u16, now: Moment) {
        let talk = &mut self.talks[at];
        let State::Ringing { invite } = &talk.state else {
            return;
        };
        let invite = invite.clone();
        let tag = talk.tag.clone();
        talk.ends(now);
        let text = response(&invite, status, &tag, &[], "");
        self.answer(&invite, status, &text, now);
    }

    /// A call comes in.
    pub(super) fn called(&mut self, invite: &Letter, now: Moment) {
        let tag = self.mint.token();
        let busy = self.talks.iter().any(Talk::is_established);
        let refusal = match self.habits.on_invite {
            OnInvite::Ignore => return,
            OnInvite::Refuse(status) => Some(status),
            OnInvite::Ring | OnInvite::PickUpAfter(_) => {
                let protected = invite.body.contains(PROTECTED);
                let strange = self.habits.protects && !protected
                    || self.habits.leaves_open && protected
                    || self.habits.knows_no_keys && invite.body.contains("a=crypto");
                if strange { Some(488) } else { busy.then_some(486) }
            }
        };
        let ringing =
            response(invite, 180, &tag, &[("Contact", format!("<{}>", self.contact()))], "");
        let ours = self.rtp();
        let mut talk = Talk {
            id: invite.call_id().to_owned(),
            local: format!("{};tag={tag}", invite.header("to")),
            remote: invite.header("from").to_owned(),
            tag,
            target: invite.contact(),
            cseq: 0,
            state: State::Ringing { invite: Box::new(invite.clone()) },
            ours,
            theirs: None,
            direction: Direction::Both,
            version: 1,
            ack: None,
            awaits_answer: false,
            pick_up_at: None,
            taken: true,
            early_tag: String::new(),
            offers_late: false,
        };
        if let OnInvite::PickUpAfter(after) = self.habits.on_invite {
            talk.pick_up_at = Some(now + after);
        }
        self.talks.push(talk);
        if let Some(status) = refusal {
            self.refuse(self.talks.len() - 1, status, now);
            return;
        }
        self.answer(invite, 180, &ringing, now);
        let from = invite.header("from");
        let display = from.split_once('<').map_or("", |(display, _)| display.trim());
        let display = display.trim_matches('"').to_owned();
        self.saw(Seen::Rang { display, alert: invite.header("alert-info").to_owned() }, now);
    }

    /// Our SDP for a call: an offer, or the answer to `offer`.
    pub(super) fn described(&self, at: usize, offer: Option<&Description>) -> String {
        let talk = &self.talks[at];
        // One call writes beside its sound, one port above it.
        let text = self.habits.writes.then(|| talk.ours.port() + 1);
        let Talk { ours, direction, version, .. } = talk;
        let sdp = voice::written(*ours, &self.habits.codecs, *direction, *version, offer, text);
        if self.habits.protects { voice::protected(&sdp) } else { sdp }
    }

    /// Sends a request inside a call.
    pub(super) fn request(
        &mut self,
        at: usize,
        method: &str,
        more: &[(&str, String)],
        body: &str,
        purpose: Purpose,
        now: Moment,
    ) {
        self.talks[at].cseq += 1;
        let branch = self.branch();
        let text = self.composed(at, method, self.talks[at].cseq, &branch, more, body);
        let call = self.talks[at].id.clone();
        self.send(&text);
        let reliable = self.flow.transport.is_reliable();
        self.asked.push(Asked::new(branch, method, call, purpose, text, reliable, now));
    }

    pub(super) fn composed(
        &self,
        at: usize,
        method: &str,
        cseq: u32,
        branch: &str,
        more: &[(&str, String)],
        body: &str,
    ) -> String {
        let talk = &self.talks[at];
        let mut headers: Vec<(&str, String)> = vec![
            ("Via", self.via(branch)),
            ("Max-Forwards", "70".into()),
            ("From", talk.local.clone()),
            ("To", talk.remote.clone()),
            ("Call-ID", talk.id.clone()),
            ("CSeq", format!("{cseq} {method}")),
        ];
        if method == "INVITE" {
            headers.push(("Contact", format!("<{}>", self.contact())));
            headers.push(("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE".into()));
            headers.push(("Supported", "timer".into()));
        }
        headers.extend(more.iter().cloned());
        written(&format!("{method} {} SIP/2.0", talk.target), &headers, body)
    }
}
