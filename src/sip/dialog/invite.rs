//! The life of one INVITE dialog.
//!
//! ```text
//!  theirs: Incoming ──200──► Confirmed ──BYE──► Leaving ──► (gone)
//!              │ refused, CANCEL: (gone)   ▲        ▲ BYE waits for the ACK of our 200 (§15)
//!  ours:   Inviting ──200, ACK────────────┘
//!              │ refused, CANCEL (waits for a provisional, §9.1): (gone)
//! ```
//!
//! Beside the stage run the 200s of ours that were not acknowledged yet (first INVITE and
//! re-INVITEs alike, each found by its CSeq) and the offers ([`Exchange`]). What to send is put
//! together by `endpoint`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Moment, TrunkName};
use crate::sip::compose::{Question, Twin};
use crate::sip::message::{Head, HeaderName, Method};
use crate::sip::transaction::{Kept, T2, TransactionRef};
use crate::sip::{Flow, Invitation, PhoneRef, Reason};

use super::expiry::Expiry;
use super::offer::{Agreed, Exchange};
use super::reliable::{Early, Ours};
use super::transfer::Transfer;
use super::{Dialog, Sealed};

/// One INVITE dialog, from the first INVITE to the last response.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    pub(crate) dialog: Dialog,
    pub(crate) peer: Peer,
    pub(crate) stage: Stage,
    pub(crate) exchange: Exchange,
    /// By the CSeq of the INVITE each belongs to: an ACK is for its own 200, not for the latest.
    pub(crate) unacknowledged: BTreeMap<u32, Unacknowledged>,
    /// The INVITE that began it was ours, and so is its Call-ID.
    pub(crate) ours: bool,
    /// The phone we invited.
    pub(crate) phone: Option<PhoneRef>,
    /// The floor above has ended this dialog and hears no more of it.
    pub(crate) given_up: bool,
    /// An OPTIONS of ours is out.
    pub(crate) probing: bool,
    /// The INVITE of ours that began it, to be sent again with what its refusal asked for.
    pub(crate) invitation: Option<Box<Invitation>>,
    /// It goes to the public network (domain.md T-01).
    pub(crate) outgoing: bool,
    /// How often its INVITE was challenged, and what answers the last time: the status, and the value.
    pub(crate) challenged: u8,
    pub(crate) credentials: Option<(u16, Sealed)>,
    /// What both sides said last of their media.
    pub(crate) agreed: Agreed,
    /// The floor above made an offer while we refreshed: it goes next.
    pub(crate) postponed: Option<Kept>,
    /// Their Allow lists UPDATE.
    pub(crate) takes_update: bool,
    /// A transfer their phone has asked for, and how many there were.
    pub(crate) transfer: Option<Transfer>,
    pub(crate) refers: u32,
    /// The pause before our last provisional response is sent again.
    pub(crate) refresh_pause: Duration,
    /// Our reliable provisional responses, once there was one.
    pub(crate) reliable: Option<Ours>,
    /// The early dialogs of our INVITE in which a PRACK went, by to-tag.
    pub(crate) early: BTreeMap<String, Early>,
    /// The session timer that runs, if one does.
    pub(crate) expiry: Option<Expiry>,
    /// When their latest requests began to be counted, and how many there were.
    pub(crate) requests: (Moment, u32),
}

/// Who may speak inside the dialog (T-13).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Peer {
    /// A listener's phone: whoever has its address.
    Phone(IpAddr),
    /// Anybody in the trunk's ranges.
    Trunk(TrunkName),
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Stage {
    /// Their INVITE waits for our final answer.
    Incoming {
        transaction: TransactionRef,
        question: Box<Question>,
        brought_offer: bool,
    },
    /// Our INVITE waits for theirs. `heard`: a provisional came.
    Inviting {
        transaction: TransactionRef,
        twin: Box<Twin>,
        heard: bool,
        cancel: Cancel,
    },
    Confirmed,
    Leaving(Leaving),
}

/// Where our CANCEL is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Cancel {
    Unwanted,
    /// RFC 3261 §9.1: a CANCEL before any provisional may overtake its INVITE, so it waits for one.
    Held(Reason),
    Sent(Reason),
}

impl Cancel {
    /// Why we cancel, if we do.
    pub(crate) fn reason(self) -> Option<Reason> {
        match self {
            Self::Unwanted => None,
            Self::Held(reason) | Self::Sent(reason) => Some(reason),
        }
    }
}

/// Where our BYE is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Leaving {
    /// RFC 3261 §15: no BYE before our 200 was acknowledged or given up.
    Held(Reason),
    Sent,
}

/// A 200 of ours, repeated until its ACK comes (§13.3.1.4), on reliable transports too.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Unacknowledged {
    pub(crate) ok: Kept,
    pub(crate) reply: Flow,
    /// The pause before the next repetition.
    pub(crate) pause: Duration,
    /// Our 200 held an offer: the ACK brings the answer.
    pub(crate) wants_answer: bool,
    /// It answered the INVITE that began the dialog.
    pub(crate) first: bool,
}

impl Unacknowledged {
    /// It was repeated: the pause before the next time doubles up to T2.
    pub(crate) fn repeated(&mut self) -> Duration {
        self.pause = (self.pause * 2).min(T2);
        self.pause
    }
}

impl Session {
    pub(crate) fn new(dialog: Dialog, peer: Peer, stage: Stage) -> Self {
        Self {
            ours: matches!(stage, Stage::Inviting { .. }),
            dialog,
            peer,
            stage,
            exchange: Exchange::Settled,
            unacknowledged: BTreeMap::new(),
            phone: None,
            given_up: false,
            probing: false,
            invitation: None,
            outgoing: false,
            challenged: 0,
            credentials: None,
            agreed: Agreed::default(),
            postponed: None,
            takes_update: false,
            transfer: None,
            refers: 0,
            refresh_pause: Duration::ZERO,
            reliable: None,
            early: BTreeMap::new(),
            expiry: None,
            requests: (Moment::START, 0),
        }
    }

    /// Whether this request of theirs is one too many: each is remembered for half a minute, and one
    /// phone that asks without end must not take the room in which others hang up.
    pub(crate) fn asks_too_much(&mut self, now: Moment) -> bool {
        let (since, count) = self.requests;
        self.requests = match now - since >= REQUESTS_WINDOW {
            true => (now, 1),
            false => (since, count.saturating_add(1)),
        };
        self.requests.1 > REQUESTS_MAX
    }

    /// Our INVITE was given up and has no final answer yet: our CANCEL waits for any answer (§9.1), or
    /// was sent and may still cross a 200.
    pub(crate) fn is_called_off(&self) -> bool {
        let Stage::Inviting { cancel, .. } = self.stage else { return false };
        matches!(cancel, Cancel::Held(_) | Cancel::Sent(_))
    }

    /// The dialog a request of theirs belongs to: one of the early ones, or the one.
    pub(crate) fn dialog_of(&mut self, tag: &str) -> &mut Dialog {
        match self.early.get_mut(tag) {
            Some(early) => &mut early.dialog,
            None => &mut self.dialog,
        }
    }

    /// Whether the first offer has its answer already, though the INVITE has none.
    pub(crate) fn is_described_early(&self) -> bool {
        self.reliable.as_ref().is_some_and(|ours| ours.described && !ours.holds_ok())
    }

    /// Whether we may make an offer: in a confirmed dialog by INVITE, before that by UPDATE to who
    /// takes it (RFC 3311 §5.1).
    pub(crate) fn may_offer(&self) -> bool {
        let early = matches!(self.stage, Stage::Incoming { .. })
            && self.is_described_early()
            && self.takes_update;
        self.is_confirmed() || early
    }

    /// Whether an offer of ours went out in a provisional response and has no answer yet.
    pub(crate) fn awaits_answer_in_prack(&self) -> bool {
        let out = self.reliable.as_ref().and_then(|ours| ours.out.as_ref());
        out.is_some_and(|out| out.wants_answer)
    }

    /// A message of theirs may say what they can.
    pub(crate) fn heard(&mut self, head: &Head) {
        if head.has(HeaderName::Allow) {
            self.takes_update = head.allows(&Method::Update);
        }
    }

    /// Whether both sides have agreed and neither has left.
    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(self.stage, Stage::Confirmed)
    }

    /// Whether a re-INVITE or UPDATE of theirs waits for our answer.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.exchange, Exchange::Asked { .. })
    }

    /// Whether an offer of ours went out in a 200 whose ACK has not come.
    pub(crate) fn awaits_answer_in_ack(&self) -> bool {
        self.unacknowledged.values().any(|ok| ok.wants_answer)
    }
}

/// Far more than keys told by INFO and a phone that holds and comes back.
const REQUESTS_MAX: u32 = 200;
const REQUESTS_WINDOW: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;
    use crate::sip::transaction::T1;

    #[test]
    fn the_pause_between_200s_doubles_up_to_t2() {
        let address = "192.0.2.1:5060".parse().unwrap();
        let mut ok = Unacknowledged {
            ok: Kept(bytes::Bytes::new()),
            reply: Flow { transport: Transport::Udp, local: address, peer: address, connection: 0 },
            pause: T1,
            wants_answer: false,
            first: true,
        };

        let pauses: Vec<_> = (0..5).map(|_| ok.repeated().as_millis()).collect();

        assert_eq!(pauses, [1000, 2000, 4000, 4000, 4000]);
    }
}
