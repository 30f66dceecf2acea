//! Provisional responses that can't get lost (RFC 3262), both ways.
//!
//! Ours go one at a time: repeated until their PRACK, the next only then, and no 200 while a
//! description of ours waits for its PRACK. Theirs are acknowledged branch by branch (a fork numbers
//! its responses in each), in order; what comes again or too early is dropped.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sip::headers::RAck;
use crate::sip::message::{Head, Method, Response, Status};
use crate::sip::transaction::Kept;

use super::Dialog;

/// The option tag.
pub(crate) const RELIABLE: &str = "100rel";
/// How many provisional responses of ours wait for the one before them.
const QUEUE_MAX: usize = 4;
/// The first RSeq is chosen below this, so that the numbers never wrap (§3).
pub(crate) const RSEQ_MAX: u64 = 1 << 31;

/// The reliable provisional responses of ours to one INVITE.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Ours {
    /// The RSeq of the last one.
    pub(crate) rseq: u32,
    pub(crate) out: Option<Unpracked>,
    queue: VecDeque<(Status, Option<Kept>)>,
    /// Our description has gone reliably: the 200 has none.
    pub(crate) described: bool,
    /// The 200 waits for the PRACK. The description is left out if one has gone already.
    pub(crate) held: Option<Kept>,
}

/// One that waits for its PRACK.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Unpracked {
    pub(crate) bytes: Kept,
    /// The pause before the next repetition; it doubles without end (§3).
    pub(crate) pause: Duration,
    /// It held a description of ours.
    pub(crate) sdp: bool,
    /// That was an offer: the PRACK brings the answer.
    pub(crate) wants_answer: bool,
}

impl Ours {
    pub(crate) fn counting_from(rseq: u32) -> Self {
        Self { rseq, ..Self::default() }
    }

    /// Puts a response off until the one before it is acknowledged.
    pub(crate) fn queued(&mut self, status: Status, sdp: Option<Kept>) {
        if self.queue.len() < QUEUE_MAX {
            self.queue.push_back((status, sdp));
        }
    }

    pub(crate) fn next(&mut self) -> Option<(Status, Option<Kept>)> {
        self.queue.pop_front()
    }

    /// Whether a 200 must wait (§5): a description of ours is not acknowledged.
    pub(crate) fn holds_ok(&self) -> bool {
        self.out.as_ref().is_some_and(|out| out.sdp)
    }

    /// Whether this RAck is for the response that waits.
    pub(crate) fn is_acknowledged_by(&self, rack: &RAck, invite: u32) -> bool {
        self.out.is_some()
            && rack.rseq == self.rseq
            && rack.cseq.number == invite
            && rack.cseq.method == Method::Invite
    }
}

/// An early dialog one branch of a fork made with a reliable provisional response to our INVITE.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Early {
    pub(crate) dialog: Dialog,
    /// The last number taken.
    rseq: u32,
    /// The answer it brought, for a 200 that brings none.
    pub(crate) answer: Option<Kept>,
}

impl Early {
    pub(crate) fn begun(dialog: Dialog, rseq: u32) -> Self {
        Self { dialog, rseq, answer: None }
    }

    /// Takes the next in order; false for repetitions and for what came too early (§4).
    pub(crate) fn takes(&mut self, rseq: u32) -> bool {
        if self.rseq.checked_add(1) != Some(rseq) {
            return false;
        }
        self.rseq = rseq;
        true
    }
}

/// The number of a response that wants a PRACK. One without a To tag makes no dialog to send it in.
pub(crate) fn number_of(response: &Response) -> Option<u32> {
    let status = response.status();
    let is_reliable = status.is_provisional()
        && status != Status::TRYING
        && is_required(response)
        && response.to_tag().is_some_and(|tag| !tag.is_empty());
    response.rseq().filter(|_| is_reliable)
}

/// Whether a message requires reliable provisional responses.
pub(crate) fn is_required(head: &Head) -> bool {
    head.require().any(|tag| tag.eq_ignore_ascii_case(RELIABLE))
}
