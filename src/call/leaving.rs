//! Every way a call can end, in one place; the last words before it; and the record after it.
//!
//! While this process lives a caller never hears a network's failure message (domain.md §0.6): a
//! closed line, a full queue and an empty room are told in words, and the call ends after them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Moment, Now, PromptName};
use crate::call::body::{Body, Place};
use crate::call::greeting::Greeting;
use crate::call::waiting::Waiting;
use crate::call::{CALLER, Output, Stage, Timer, words};
use crate::media::{Order, Quality, Refused};
use crate::queue::Stop;
use crate::record::{self, Cause, Outcome, Party, Q850};
use crate::schedule::Opening;
use crate::sip::{Ending, Failure, Reason, Refusal};

/// A caller who leaves before this was never to be had: "un appel de moins de 5 secondes ne peut
/// pas être décroché" (domain.md §3.5).
const UNDER_5S: Duration = Duration::from_secs(5);

/// How long the record waits for the stream's figures.
const MEASURING_MAX: Duration = Duration::from_secs(2);

/// Hearing the last words.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Leaving {
    message: Message,
    prompts: Vec<PromptName>,
    passes_left: u32,
    heard_once: bool,
    /// The message is no longer true and ends at the next pause.
    concluding: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Message {
    Closed,
    DrainOver,
    Saturated,
    Unavailable,
}

/// The legs are gone; the record is about to be.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Gone {
    outcome: Outcome,
    cause: Cause,
    /// When it ended: what comes after is no part of the record.
    at: Moment,
}

impl Leaving {
    pub(super) fn closed(body: &mut Body, opening: &Opening, now: Now) -> Stage {
        let said = words::closed(&body.line, opening, body.territory, now);
        Self::begin(body, Message::Closed, said.prompts, said.times)
    }

    pub(super) fn saturated(body: &mut Body, _now: Now) -> Stage {
        let said = vec![body.line.words.saturated.clone()];
        // The place at the door is kept: whoever hears this first gets the next free place.
        Self::begin(body, Message::Saturated, said, 2)
    }

    pub(super) fn unavailable(body: &mut Body, now: Now) -> Stage {
        body.leave_queue();
        body.dismiss_help(Stop::Unanswered, now);
        let said = vec![body.line.words.unavailable.clone()];
        Self::begin(body, Message::Unavailable, said, 1)
    }

    pub(super) fn drain_over(body: &mut Body, now: Now) -> Stage {
        body.leave_queue();
        body.dismiss_help(Stop::Unanswered, now);
        let said = words::drained(&body.line, body.reopens, body.territory, now);
        Self::begin(body, Message::DrainOver, said, 1)
    }

    fn begin(body: &mut Body, message: Message, prompts: Vec<PromptName>, passes: u32) -> Stage {
        for timer in [Timer::Announce, Timer::LongWait, Timer::Nobody, Timer::RingAfter] {
            body.timers.stop(&timer);
        }
        body.play(prompts.clone());
        let passes_left = passes.saturating_sub(1);
        Stage::Leaving(Self { message, prompts, passes_left, heard_once: false, concluding: false })
    }

    pub(super) fn is_closed_message(&self) -> bool {
        self.message == Message::Closed
    }

    /// The line opened under us: sending away somebody already on the line would be absurd.
    pub(super) fn line_opened(&mut self, body: &mut Body) {
        if self.message == Message::Closed {
            self.conclude(body);
        }
    }

    /// A place was freed: it is for whoever hears first that there is none.
    pub(super) fn placed(&mut self, body: &mut Body) -> Option<Stage> {
        if self.message == Message::Saturated {
            self.conclude(body);
        }
        None
    }

    fn conclude(&mut self, body: &mut Body) {
        if !self.concluding {
            self.concluding = true;
            let stream = body.stream(CALLER);
            body.media(Order::Conclude { stream });
        }
    }

    pub(super) fn finished(&mut self, body: &mut Body, _cut: bool, now: Now) -> Option<Stage> {
        if self.concluding {
            return Some(self.let_in(body, now));
        }
        self.heard_once = true;
        if self.passes_left > 0 {
            self.passes_left -= 1;
            body.play(self.prompts.clone());
            return None;
        }
        let reason = match self.message {
            Message::Closed | Message::Saturated => Reason::Normal,
            Message::DrainOver => Reason::DrainExpired,
            Message::Unavailable => Reason::NoListener,
        };
        let cause = Cause::new(Party::House, Q850::NORMAL_CLEARING);
        Some(finish(body, self.outcome(), cause, reason, now))
    }

    fn let_in(&self, body: &mut Body, now: Now) -> Stage {
        body.answers();
        if self.message == Message::Saturated {
            body.ready(now);
            return Waiting::begin(body, false, now);
        }
        body.place = Place::Asked;
        body.wish(Output::Knock);
        Greeting::begin(body, false, now)
    }

    fn outcome(&self) -> Outcome {
        match self.message {
            Message::Closed if self.heard_once => Outcome::ClosedMessageHeard,
            Message::Closed => Outcome::ClosedMessageCut,
            Message::DrainOver => Outcome::DrainExpired,
            Message::Saturated => Outcome::Saturated,
            Message::Unavailable => Outcome::NoListener,
        }
    }
}

/// The caller hung up, cancelled, or is no longer known at their end.
pub(super) fn caller_left(
    stage: &mut Stage,
    body: &mut Body,
    ending: &Ending,
    told: Option<Q850>,
    now: Now,
) -> Option<Stage> {
    let cause = match ending {
        Ending::HungUp | Ending::Broke | Ending::Cancelled => hung_up(Party::Caller, told),
        Ending::NeverAcknowledged | Ending::Lost => {
            Cause::new(Party::Network, Q850::RECOVERY_ON_TIMER_EXPIRY)
        }
    };
    let outcome = match stage {
        Stage::Arriving(_) | Stage::Greeting(_) | Stage::Waiting(_)
            if now.steady - body.arrived < UNDER_5S =>
        {
            Outcome::AbandonedUnder5s
        }
        Stage::Arriving(_) | Stage::Greeting(_) => Outcome::AbandonedInGreeting,
        Stage::Waiting(_) => Outcome::AbandonedInQueue,
        Stage::Talking(_) => Outcome::TakenByListener,
        Stage::Leaving(leaving) => leaving.outcome(),
        Stage::Gone(_) => return None,
    };
    if let Stage::Talking(talking) = stage
        && talking.is_three()
    {
        talking.caller_left_three(body, cause, now);
        return None;
    }
    part_listener(stage, body, now);
    Some(finish(body, outcome, cause, Reason::CallerHungUp, now))
}

/// Somebody hung up, unless the cause they told is a failure on the way to us (RFC 3326).
pub(super) fn hung_up(by: Party, told: Option<Q850>) -> Cause {
    match told {
        None => Cause::new(by, Q850::NORMAL_CLEARING),
        Some(cause @ (Q850::NORMAL_CLEARING | Q850::NORMAL_UNSPECIFIED)) => Cause::new(by, cause),
        Some(cause) => Cause::new(Party::Network, cause),
    }
}

/// No sound, and nobody who answers for the caller.
pub(super) fn caller_gone_silently(stage: &mut Stage, body: &mut Body, now: Now) -> Option<Stage> {
    caller_left(stage, body, &Ending::Lost, None, now)
}

/// A session could not be agreed on.
pub(super) fn media_refused(
    stage: &mut Stage,
    body: &mut Body,
    leg: u32,
    why: Refused,
    now: Now,
) -> Option<Stage> {
    use crate::call::body::TalksState;
    if leg == CALLER {
        if body.caller.state == TalksState::Again {
            // The session stays as it was, and so does the call (scenarios.md SC-30).
            body.caller.state = TalksState::Settled;
            body.wish(Output::Decline { leg, refusal: Refusal::NotAcceptableHere });
            return None;
        }
        if !matches!(stage, Stage::Arriving(_)) {
            return None;
        }
        return Some(refused(body, why, now));
    }
    let talks = body.phones.get_mut(&leg).map(|phone| &mut phone.talks)?;
    if talks.state == TalksState::Again {
        talks.state = TalksState::Settled;
        body.wish(Output::Decline { leg, refusal: Refusal::NotAcceptableHere });
        return None;
    }
    match stage {
        Stage::Talking(talking) if talking.leg() == leg => {
            body.wish(Output::End { leg, reason: Reason::Normal });
            Some(talking.never_spoke(body, now))
        }
        Stage::Greeting(greeting) if greeting.holds().is_some_and(|(held, _)| *held == leg) => {
            body.wish(Output::End { leg, reason: Reason::Normal });
            greeting.listener_left(body, leg, now);
            None
        }
        Stage::Arriving(_)
        | Stage::Greeting(_)
        | Stage::Waiting(_)
        | Stage::Talking(_)
        | Stage::Leaving(_)
        | Stage::Gone(_) => {
            body.wish(Output::End { leg, reason: Reason::Normal });
            body.phone_failed(leg, Failure::Refused(488), now);
            None
        }
    }
}

/// The INVITE can't be answered with sound; the only calls that are refused after being let in.
fn refused(body: &mut Body, why: Refused, now: Now) -> Stage {
    let (refusal, outcome, q850) = match why {
        Refused::NoCommonCodec | Refused::Unreadable => {
            (Refusal::NotAcceptableHere, Outcome::TechnicalFailure, Q850::of_status(488))
        }
        Refused::NoPort => (Refusal::Overload, Outcome::Overload, Q850::USER_BUSY),
    };
    if body.caller.state == crate::call::body::TalksState::Settled {
        // Answered already, by an offer of ours that their ACK does not fit.
        let cause = Cause::new(Party::House, q850);
        return finish(body, outcome, cause, Reason::MediaLost, now);
    }
    body.caller_gone = true;
    body.wish(Output::Refuse { leg: CALLER, refusal });
    finish(body, outcome, Cause::new(Party::House, q850), Reason::Normal, now)
}

/// The media shard of a stream is gone, and its sound with it.
pub(super) fn stream_lost(stage: &mut Stage, body: &mut Body, leg: u32, now: Now) -> Option<Stage> {
    if matches!(stage, Stage::Gone(_)) {
        return None;
    }
    if leg == CALLER {
        part_listener(stage, body, now);
        let cause = Cause::new(Party::House, Q850::TEMPORARY_FAILURE);
        return Some(finish(body, Outcome::TechnicalFailure, cause, Reason::MediaLost, now));
    }
    match stage {
        Stage::Talking(talking) if talking.leg() == leg => talking.lost(body, now),
        Stage::Arriving(_)
        | Stage::Greeting(_)
        | Stage::Waiting(_)
        | Stage::Talking(_)
        | Stage::Leaving(_)
        | Stage::Gone(_) => {
            body.wish(Output::End { leg, reason: Reason::MediaLost });
            body.phone_failed(leg, Failure::Unreachable, now);
            None
        }
    }
}

/// Ends all that lives of a call; the record follows when the caller's stream has told its figures.
pub(super) fn finish(
    body: &mut Body,
    outcome: Outcome,
    cause: Cause,
    reason: Reason,
    now: Now,
) -> Stage {
    finish_as_of(body, outcome, cause, reason, now.steady, now)
}

/// The same for a call that was over for its caller at `at`.
pub(super) fn finish_as_of(
    body: &mut Body,
    outcome: Outcome,
    cause: Cause,
    reason: Reason,
    at: Moment,
    now: Now,
) -> Stage {
    body.leave_queue();
    let legs: Vec<u32> = body.phones.keys().copied().collect();
    for leg in legs {
        if let Some(phone) = body.phones.get(&leg)
            && phone.state != crate::call::ringing::PhoneState::PickedUp
        {
            let listener = phone.listener.clone();
            body.stop_ringing(&listener, crate::queue::Stop::CallerLeft, now);
        } else {
            body.end_phone(leg, reason);
        }
    }
    if !body.caller_gone {
        body.caller_gone = true;
        body.wish(Output::End { leg: CALLER, reason });
    }
    body.timers = crate::base::Timers::default();
    body.playing = None;
    let stream = body.stream(CALLER);
    body.media(Order::Close { stream });
    body.timers.set(Timer::Unmeasured, now.steady + MEASURING_MAX);
    Stage::Gone(Gone { outcome, cause, at })
}

/// The caller's stream told what its network was like.
pub(super) fn measured(stage: &mut Stage, body: &mut Body, quality: Quality, now: Now) {
    if let Some(draft) = &mut body.draft {
        draft.measured(recorded(quality));
    }
    unmeasured(stage, body, now);
}

/// The stream of a listener's phone told the same, if they talked at all.
pub(super) fn listener_measured(body: &mut Body, quality: Quality) {
    let quality = recorded(quality);
    if let Some(draft) = &mut body.draft
        && (quality.received > 0 || quality.is_one_way())
    {
        draft.listener_measured(quality);
    }
}

fn recorded(quality: Quality) -> record::Quality {
    record::Quality {
        received: quality.received,
        sent: quality.sent,
        lost: quality.lost,
        jitter: quality.jitter,
        strangers: quality.strangers,
        lost_outward: quality.lost_outward,
        round_trip: quality.round_trip,
        score: quality.score.map(|score| score.0),
    }
}

/// Writes the record with what is known.
pub(super) fn unmeasured(stage: &mut Stage, body: &mut Body, _now: Now) {
    if let Stage::Gone(gone) = stage
        && let Some(draft) = body.draft.take()
    {
        body.timers = crate::base::Timers::default();
        let record = draft.finished(gone.outcome, gone.cause, gone.at);
        body.wish(Output::Finished(Box::new(record)));
    }
}

/// Lets go of a listener who talks, or has picked up, because the caller is gone.
fn part_listener(stage: &mut Stage, body: &mut Body, now: Now) {
    match stage {
        Stage::Talking(talking) => {
            talking.drop_consult(body, now);
            if body.phones.contains_key(&talking.leg()) {
                talking.over(body, now);
            }
            body.end_phone(talking.leg(), Reason::Normal);
        }
        Stage::Greeting(greeting) => {
            if let Some((leg, listener)) = greeting.holds().cloned() {
                // Picked up, and never joined: no conversation, so no notes to write.
                body.wish(Output::HungUp { listener, talked: Duration::ZERO, lost: false });
                body.end_phone(leg, Reason::CallerHungUp);
            }
        }
        Stage::Arriving(_) | Stage::Waiting(_) | Stage::Leaving(_) | Stage::Gone(_) => {}
    }
}
