//! The record while the call lives.
//!
//! A draft is told milestones in the past tense and measures between them on the steady clock, so
//! that a step of the wall clock lengthens nobody's wait. It has no opinion about the order in which
//! milestones come: a milestone that makes no sense changes nothing. `finished` takes it by value,
//! so a call can't have two records.
//!
//! ```text
//!   arrived ─► greeted ─► queued ─► rung … ─► connected ─► parted ─► … finished
//!   └──────────────── waited ──────────────────┘└─ talked ─┘└ waited ┘
//! ```

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{CallRef, LineName, ListenerName, Moment, Now, TrunkName};
use crate::record::{Attempt, AttemptResult, CallRecord, Cause, Outcome, Quality};

/// Attempts kept one by one, the latest ones; an hour's wait at 20 s a ring makes 180.
const ATTEMPTS_MAX: usize = 256;

/// A call record being written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Draft {
    call: CallRef,
    line: LineName,
    origin: Option<LineName>,
    trunk: Option<TrunkName>,
    plan: String,
    /// To the minute from the start: the exact time is not kept even while the call lives.
    arrived: DateTime<Utc>,
    since: Moment,
    greeted: Option<Moment>,
    queued: Option<Moment>,
    /// Waits and talks that are over.
    waited: Duration,
    talked: Duration,
    stretch: Stretch,
    listener: Option<ListenerName>,
    attempts: Vec<Ringing>,
    attempts_untold: u32,
    quality: Quality,
    listener_quality: Option<Quality>,
}

/// What the caller is doing now, and since when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stretch {
    Waiting { since: Moment },
    Talking { since: Moment },
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Ringing {
    listener: ListenerName,
    since: Moment,
    end: Option<(Moment, AttemptResult)>,
}

impl Draft {
    /// A call came; `plan` is the version it runs under.
    pub fn new(
        call: CallRef,
        line: LineName,
        trunk: Option<TrunkName>,
        plan: impl Into<String>,
        now: Now,
    ) -> Self {
        Self {
            call,
            line,
            origin: None,
            trunk,
            plan: plan.into(),
            arrived: to_the_minute(now.wall),
            since: now.steady,
            greeted: None,
            queued: None,
            waited: Duration::ZERO,
            talked: Duration::ZERO,
            stretch: Stretch::Waiting { since: now.steady },
            listener: None,
            attempts: Vec::new(),
            attempts_untold: 0,
            quality: Quality::default(),
            listener_quality: None,
        }
    }

    /// Another line was dialled, and this one serves in its place.
    pub fn came_from(&mut self, origin: LineName) {
        self.origin = Some(origin);
    }

    /// The first words are over: the greeting, or the message in its place; heard out or cut.
    pub fn greeted(&mut self, now: Moment) {
        self.greeted.get_or_insert(now);
    }

    /// The caller was let into the queue. Their wait counts from their arrival all the same.
    pub fn queued(&mut self, now: Moment) {
        self.queued.get_or_insert(now);
    }

    /// A listener's phones began to ring for this caller.
    pub fn rung(&mut self, listener: ListenerName, now: Moment) {
        if self.attempts.len() >= ATTEMPTS_MAX {
            // The last of them is the one that may be answered.
            self.attempts.remove(0);
            self.attempts_untold = self.attempts_untold.saturating_add(1);
        }
        self.attempts.push(Ringing { listener, since: now, end: None });
    }

    /// They stopped.
    pub fn attempt_ended(&mut self, listener: &ListenerName, result: AttemptResult, now: Moment) {
        let ringing = self
            .attempts
            .iter_mut()
            .rev()
            .find(|attempt| attempt.listener == *listener && attempt.end.is_none());
        if let Some(attempt) = ringing {
            attempt.end = Some((now, result));
        }
    }

    /// Caller and listener hear each other.
    pub fn connected(&mut self, listener: ListenerName, now: Moment) {
        self.attempt_ended(&listener, AttemptResult::Answered, now);
        self.listener = Some(listener);
        self.greeted.get_or_insert(now);
        if let Stretch::Waiting { since } = self.stretch {
            self.waited += now - since;
            self.stretch = Stretch::Talking { since: now };
        }
    }

    /// The listener was lost, and the caller waits again.
    pub fn parted(&mut self, now: Moment) {
        if let Stretch::Talking { since } = self.stretch {
            self.talked += now - since;
            self.stretch = Stretch::Waiting { since: now };
        }
    }

    /// The trunk the call came by.
    pub fn trunk(&self) -> Option<&TrunkName> {
        self.trunk.as_ref()
    }

    /// The caller's stream closed and told what its network was like; several streams add up.
    pub fn measured(&mut self, quality: Quality) {
        self.quality.received += quality.received;
        self.quality.sent += quality.sent;
        self.quality.lost += quality.lost;
        self.quality.jitter = self.quality.jitter.max(quality.jitter);
        self.quality.strangers += quality.strangers;
        self.quality.lost_outward += quality.lost_outward;
        self.quality.round_trip = self.quality.round_trip.max(quality.round_trip);
        self.quality.score = [self.quality.score, quality.score].into_iter().flatten().min();
    }

    /// The same for the phone of the listener they talked with.
    pub fn listener_measured(&mut self, quality: Quality) {
        self.listener_quality = Some(quality);
    }

    /// The call is over. Phones that still ring were spared.
    #[must_use = "every call ends in exactly one record"]
    pub fn finished(mut self, outcome: Outcome, cause: Cause, now: Moment) -> CallRecord {
        match self.stretch {
            Stretch::Waiting { since } => self.waited += now - since,
            Stretch::Talking { since } => self.talked += now - since,
        }
        let was_let_in = self.queued.is_some() || self.listener.is_some();
        CallRecord {
            call: self.call,
            line: self.line,
            origin: self.origin,
            trunk: self.trunk,
            arrived: self.arrived,
            greeting: self.greeted.unwrap_or(now) - self.since,
            waited: if was_let_in { self.waited } else { Duration::ZERO },
            talked: self.talked,
            lasted: now - self.since,
            listener: self.listener,
            attempts: self.attempts.into_iter().map(|ringing| ringing.told(now)).collect(),
            attempts_untold: self.attempts_untold,
            outcome,
            cause,
            plan: self.plan,
            quality: self.quality,
            listener_quality: self.listener_quality,
        }
    }

    /// When the call came, on the steady clock.
    pub fn since(&self) -> Moment {
        self.since
    }

    /// The line that was dialled.
    pub fn line(&self) -> &LineName {
        &self.line
    }

    /// Whether a listener has ever picked up.
    pub fn was_connected(&self) -> bool {
        self.listener.is_some()
    }
}

impl Ringing {
    fn told(self, now: Moment) -> Attempt {
        let (until, result) = self.end.unwrap_or((now, AttemptResult::Spared));
        Attempt { listener: self.listener, rang: until - self.since, result }
    }
}

fn to_the_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    // Rounding fails only for years no clock shows (before 1677, after 2262); the epoch then says
    // so without telling anything.
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Party, Q850};

    #[test]
    fn a_wait_counts_from_arrival_to_the_listeners_voice() {
        // scenarios.md SC-01: admitted 12:58:10, bridged 13:05:00.
        let mut draft = draft();
        draft.greeted(at(6));
        draft.queued(at(5));
        draft.rung(lea(), at(405));
        draft.connected(lea(), at(410));

        let record = draft.finished(Outcome::TakenByListener, hung_up(), at(1500));

        assert_eq!(record.waited, Duration::from_secs(6 * 60 + 50));
        assert_eq!(record.talked, Duration::from_secs(1090));
        assert_eq!(record.greeting, Duration::from_secs(6));
        assert_eq!(record.lasted, Duration::from_secs(1500));
        assert_eq!(record.listener, Some(lea()));
        assert_eq!(
            record.attempts,
            [Attempt {
                listener: lea(),
                rang: Duration::from_secs(5),
                result: AttemptResult::Answered
            }]
        );
    }

    #[test]
    fn a_record_says_when_a_call_came_to_the_minute_only() {
        let record = draft().finished(Outcome::AbandonedUnder5s, hung_up(), at(2));

        assert_eq!(record.arrived.to_rfc3339(), "2026-11-21T11:58:00+00:00");
    }

    #[test]
    fn a_lost_listener_adds_a_second_wait_and_the_next_one_a_second_talk() {
        let mut draft = draft();
        draft.queued(at(5));
        draft.rung(lea(), at(5));
        draft.connected(lea(), at(10));
        draft.parted(at(70));
        draft.rung(marc(), at(71));
        draft.connected(marc(), at(80));

        let record = draft.finished(Outcome::TakenByListener, hung_up(), at(200));

        assert_eq!(record.waited, Duration::from_secs(20));
        assert_eq!(record.talked, Duration::from_secs(180));
        assert_eq!(record.listener, Some(marc()));
    }

    #[test]
    fn phones_that_still_ring_when_the_caller_leaves_are_spared() {
        let mut draft = draft();
        draft.queued(at(5));
        draft.rung(lea(), at(5));
        draft.rung(marc(), at(5));
        draft.attempt_ended(&marc(), AttemptResult::Declined, at(7));

        let record = draft.finished(Outcome::AbandonedInQueue, hung_up(), at(9));

        let told: Vec<_> = record
            .attempts
            .iter()
            .map(|a| (a.listener.as_str(), a.rang.as_secs(), a.result))
            .collect();
        assert_eq!(told, [("lea", 4, AttemptResult::Spared), ("marc", 2, AttemptResult::Declined)]);
        assert_eq!(record.waited, Duration::from_secs(9));
    }

    #[test]
    fn who_was_never_let_in_has_not_waited() {
        let mut draft = draft();
        draft.greeted(at(28));

        let record = draft.finished(Outcome::ClosedMessageHeard, hung_up(), at(28));

        assert_eq!(record.waited, Duration::ZERO);
        assert_eq!(record.greeting, Duration::from_secs(28));
    }

    #[test]
    fn attempts_without_end_are_counted_and_not_kept() {
        let mut draft = draft();
        for second in 0..1000 {
            draft.rung(lea(), at(second));
            draft.attempt_ended(&lea(), AttemptResult::Unanswered, at(second));
        }

        let record = draft.finished(Outcome::AbandonedInQueue, hung_up(), at(1000));

        assert_eq!(record.attempts.len(), ATTEMPTS_MAX);
        assert_eq!(record.attempts_untold, 1000 - ATTEMPTS_MAX as u32);
    }

    #[test]
    fn milestones_that_make_no_sense_change_nothing() {
        let mut draft = draft();
        draft.parted(at(1));
        draft.attempt_ended(&lea(), AttemptResult::Declined, at(2));
        draft.greeted(at(3));
        draft.greeted(at(4));

        let record = draft.finished(Outcome::AbandonedInGreeting, hung_up(), at(6));

        assert_eq!(record.talked, Duration::ZERO);
        assert!(record.attempts.is_empty());
        assert_eq!(record.greeting, Duration::from_secs(3));
    }

    #[test]
    fn a_draft_written_down_and_read_again_ends_the_same() {
        let mut draft = draft();
        draft.queued(at(5));
        draft.rung(lea(), at(5));

        let text = serde_json::to_string(&draft).unwrap();
        let again: Draft = serde_json::from_str(&text).unwrap();

        assert_eq!(
            again.finished(Outcome::AbandonedInQueue, hung_up(), at(9)),
            draft.finished(Outcome::AbandonedInQueue, hung_up(), at(9))
        );
    }

    fn draft() -> Draft {
        let wall = "2026-11-21T11:58:10.250Z".parse().unwrap();
        let line = "3977".parse().unwrap();
        let now = Now { steady: Moment::START, wall };
        Draft::new(CallRef(1), line, Some("loopback".parse().unwrap()), "v1", now)
    }

    fn hung_up() -> Cause {
        Cause { by: Party::Caller, q850: Q850::NORMAL_CLEARING }
    }

    fn lea() -> ListenerName {
        "lea".parse().unwrap()
    }

    fn marc() -> ListenerName {
        "marc".parse().unwrap()
    }

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }
}
