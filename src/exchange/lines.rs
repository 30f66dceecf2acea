//! Hours, drains and the operator's switch, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{CallRef, LineName, ListenerName, Moment, Now, QueueName};
use crate::call::Call;
use crate::exchange::{
    Exchange, Guest, HEARTBEAT, Level, LinePlan, Plan, Stopping, Timer, limits, setup,
};
use crate::queue::{Drain, DrainOutput, Queue};
use crate::schedule::{Closure, Opening, Switch};

/// How far the two clocks may drift apart before every line's next change is worked out anew.
const DRIFT_MAX: TimeDelta = TimeDelta::milliseconds(5);

/// A line's hours as they stand.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct LineState {
    pub switch: Switch,
    pub drain: Drain,
    /// Open, when last looked at; None before that.
    pub open: Option<bool>,
    pub until: Option<DateTime<Utc>>,
    verdict: Option<Verdict>,
}

/// What the schedule and the switch said when last looked at, and for which instants it is true:
/// working it out anew for every call would cost more than all the rest of the call.
#[derive(Debug, Deserialize, Serialize)]
struct Verdict {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    opening: Opening,
}

impl LineState {
    fn verdict_at(&self, at: DateTime<Utc>) -> Option<&Opening> {
        let verdict = self.verdict.as_ref()?;
        (verdict.from <= at && at < verdict.to).then_some(&verdict.opening)
    }
}

impl Exchange {
    /// A plan: the first, or a new one. Calls in progress keep theirs.
    pub(super) fn planned(&mut self, plan: &Arc<Plan>, now: Now) {
        self.plan = Arc::clone(plan);
        self.endpoint.reconfigured(setup(plan), now);
        let listeners = self.queues_of_listeners(plan);
        self.roster.planned(listeners, now.steady);
        for (name, queue_plan) in &plan.queues {
            match self.queues.get_mut(name) {
                Some(queue) => queue.replanned(queue_plan.clone()),
                None => {
                    self.queues.insert(name.clone(), Queue::new(queue_plan.clone()));
                }
            }
        }
        // A queue that is planned no more serves those who came to it, and then goes.
        let used = self.queues_used();
        self.queues.retain(|name, _| plan.queues.contains_key(name) || used.contains(name));
        for name in plan.lines.keys() {
            self.lines.entry(name.clone()).or_default();
        }
        self.lines_that_left(plan, now);
        self.admission.limits_changed(limits(plan));
        self.alarms.plan_loaded();
        self.timers.set(Timer::Heartbeat, now.steady + HEARTBEAT);
        self.roster_has_changed();
        self.review_lines(now);
    }

    /// The queues every listener serves by this plan; and those it names no more, while callers came to
    /// them: served by who served them, and by who serves what took their place.
    fn queues_of_listeners(&self, plan: &Plan) -> BTreeMap<ListenerName, BTreeSet<QueueName>> {
        let mut queues: BTreeMap<_, _> = plan
            .listeners
            .iter()
            .map(|(name, listener)| (name.clone(), listener.queues.clone()))
            .collect();
        for retired in self.queues_used() {
            if plan.queues.contains_key(&retired) {
                continue;
            }
            let lines = self.guests.values().filter_map(|guest| match guest {
                Guest::Caller(caller) => Some(caller).filter(|caller| caller.queue == retired),
                Guest::Errand(_) => None,
            });
            let lines = lines.filter_map(|caller| plan.lines.get(&caller.call.line().name));
            let successors: BTreeSet<&QueueName> = lines.map(|line| &line.queue).collect();
            for (listener, serves) in &mut queues {
                let takes_over = successors.iter().any(|queue| serves.contains(*queue));
                if takes_over || self.roster.serves(listener, &retired) {
                    serves.insert(retired.clone());
                }
            }
        }
        queues
    }

    fn queues_used(&self) -> BTreeSet<QueueName> {
        let callers = self.guests.values().filter_map(|guest| match guest {
            Guest::Caller(caller) => Some(caller.queue.clone()),
            Guest::Errand(_) => None,
        });
        callers.collect()
    }

    /// Lines the plan has no more: who waits for one is drained, as when it closes.
    fn lines_that_left(&mut self, plan: &Plan, now: Now) {
        let left: Vec<LineName> =
            self.lines.keys().filter(|name| !plan.lines.contains_key(*name)).cloned().collect();
        for name in left {
            self.lines.remove(&name);
            for call in self.to_be_served(&name) {
                self.drain_again(call, now);
            }
        }
    }

    /// A call has gone, and perhaps with it the last that a queue was kept for.
    pub(super) fn queue_may_go(&mut self, queue: &QueueName) {
        if !self.plan.queues.contains_key(queue) && !self.queues_used().contains(queue) {
            self.queues.remove(queue);
            self.attended.remove(queue);
        }
    }

    /// The verdict for one line at one believed instant, the operator's switch included.
    pub(super) fn opening(&self, line: &LinePlan, at: DateTime<Utc>) -> Opening {
        match self.lines.get(&line.name) {
            Some(state) => match state.verdict_at(at) {
                Some(opening) => opening.clone(),
                None => line.schedule.opening_with(&state.switch, at),
            },
            None => line.schedule.opening(at),
        }
    }

    /// Looks at every line's hours if the time for it has come, or if the wall clock has left the
    /// steady one since the last look.
    pub(super) fn review_lines_when_due(&mut self, now: Now) {
        let steady = now.steady - self.reviewed.steady;
        let wall = now.wall - self.reviewed.wall;
        let drift = (wall - TimeDelta::from_std(steady).unwrap_or_default()).abs();
        let due = self.timers.due(&Timer::Lines).is_some_and(|due| due <= now.steady);
        if due || drift > DRIFT_MAX {
            self.review_lines(now);
        }
    }

    /// Looks at every line's hours and acts on what changed.
    pub(super) fn review_lines(&mut self, now: Now) {
        self.reviewed = now;
        let mut next: Option<Moment> = None;
        let plan = Arc::clone(&self.plan);
        for (name, line) in &plan.lines {
            let Some(state) = self.lines.get_mut(name) else {
                continue;
            };
            let opening = line.schedule.opening_with(&state.switch, now.wall);
            let before = state.open.replace(opening.is_open());
            state.until = opening.until();
            let to = line.schedule.holds_until(&state.switch, now.wall);
            state.verdict = Some(Verdict { from: now.wall, to, opening: opening.clone() });
            let due = now.steady + (to - now.wall).to_std().unwrap_or(Duration::ZERO);
            next = Some(next.map_or(due, |first| first.min(due)));
            match (before, opening.is_open()) {
                (Some(true), false) => self.line_closed(line, &opening, now),
                (Some(false), true) => self.line_opened(line, &opening, now),
                (None, _) | (Some(true), true) | (Some(false), false) => {}
            }
        }
        if let Some(due) = next {
            self.timers.set(Timer::Lines, due);
        }
    }

    fn line_closed(&mut self, line: &LinePlan, opening: &Opening, now: Now) {
        let lasting = drain_of(line, opening);
        let field = vec![("line".to_owned(), line.name.to_string())];
        self.note(Level::Info, "a line closed", None, field);
        self.board_changed = true;
        if self.to_be_served(&line.name).is_empty() {
            return;
        }
        let attended = self.attended.contains(&line.queue);
        if let Some(state) = self.lines.get_mut(&line.name) {
            state.drain.began(lasting, line.drain_without_listener, now.steady);
            state.drain.attended(attended, now.steady);
        }
    }

    fn line_opened(&mut self, line: &LinePlan, opening: &Opening, now: Now) {
        let field = vec![("line".to_owned(), line.name.to_string())];
        self.note(Level::Info, "a line opened", None, field);
        self.board_changed = true;
        if let Some(state) = self.lines.get_mut(&line.name) {
            state.drain.stopped();
        }
        let until = opening.until();
        for call in self.calls_of(&line.name, Call::hears_closed) {
            self.with_call(call, now, |call, _| call.line_opened(until));
        }
    }

    /// A caller was given back to the queue by a lost listener, or was asked in by a line that closed
    /// again in that moment. After closing time, when the drain is over or there never was one, they
    /// are drained like those who waited at closing: neither turned away nor left to wait without
    /// end.
    pub(super) fn drain_again(&mut self, call: CallRef, now: Now) {
        let Some(Guest::Caller(caller)) = self.guests.get(&call) else {
            return;
        };
        let line = caller.call.line();
        let lasting = drain_of(line, &self.opening(line, now.wall));
        let attended = self.attended.contains(&line.queue);
        if !self.plan.lines.contains_key(&line.name) {
            let gone = || LineState { open: Some(false), ..LineState::default() };
            self.lines.entry(line.name.clone()).or_insert_with(gone);
        }
        if let Some(state) = self.lines.get_mut(&line.name)
            && state.open == Some(false)
            && state.drain.until().is_none()
        {
            state.drain.began(lasting, line.drain_without_listener, now.steady);
            state.drain.attended(attended, now.steady);
            self.board_changed = true;
        }
    }

    /// Tells running drains whether anybody is logged in.
    pub(super) fn drains_attended(&mut self, now: Now) {
        let plan = Arc::clone(&self.plan);
        for (name, line) in &plan.lines {
            let attended = self.attended.contains(&line.queue);
            if let Some(state) = self.lines.get_mut(name) {
                state.drain.attended(attended, now.steady);
            }
        }
    }

    /// Moves the drains on; false when none has anything to say.
    pub(super) fn run_drains(&mut self, now: Now) -> bool {
        let running: Vec<LineName> = self
            .lines
            .iter()
            .filter(|(_, state)| state.drain.until().is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let mut worked = false;
        for name in running {
            let waiting = self.to_be_served(&name);
            let Some(state) = self.lines.get_mut(&name) else {
                continue;
            };
            if waiting.is_empty() {
                state.drain.stopped();
                self.board_changed = true;
                if !self.plan.lines.contains_key(&name) {
                    self.lines.remove(&name);
                }
                continue;
            }
            state.drain.handle_timeout(now.steady);
            if let Some(told) = state.drain.poll_output() {
                self.tell_drained(&name, &waiting, told, now);
                worked = true;
            }
        }
        worked
    }

    fn tell_drained(&mut self, line: &LineName, calls: &[CallRef], told: DrainOutput, now: Now) {
        let reopens =
            self.plan.lines.get(line).and_then(|line| match self.opening(line, now.wall) {
                Opening::Closed { until, .. } => until,
                Opening::Open { .. } => None,
            });
        for call in calls {
            self.with_call(*call, now, |call, now| call.drained(told, reopens, now));
        }
        self.board_changed = true;
    }

    fn to_be_served(&self, line: &LineName) -> Vec<CallRef> {
        self.calls_of(line, Call::is_to_be_served)
    }

    fn calls_of(&self, line: &LineName, which: impl Fn(&Call) -> bool) -> Vec<CallRef> {
        self.guests
            .iter()
            .filter(|(_, guest)| match guest {
                Guest::Caller(caller) => caller.call.line().name == *line && which(&caller.call),
                Guest::Errand(_) => false,
            })
            .map(|(call, _)| *call)
            .collect()
    }

    /// Calls run to their end; those still waiting when the grace is over are told.
    pub(super) fn asked_to_stop(&mut self, now: Now) {
        if self.stopping == Stopping::No {
            self.stopping = Stopping::InGrace;
            self.timers.set(Timer::GraceOver, now.steady + self.plan.grace);
            self.note(Level::Info, "asked to stop: calls run to their end", None, Vec::new());
            self.board_changed = true;
        }
    }

    pub(super) fn grace_over(&mut self, now: Now) {
        self.stopping = Stopping::GraceOver;
        let names: Vec<LineName> = self.lines.keys().cloned().collect();
        for name in names {
            let calls = self.to_be_served(&name);
            self.tell_drained(&name, &calls, DrainOutput::Over, now);
        }
    }

    /// When the drain of a line ends on the wall.
    pub(super) fn drain_until(&self, state: &LineState, now: Now) -> Option<DateTime<Utc>> {
        let until: Moment = state.drain.until()?;
        Some(now.wall + (until - now.steady))
    }
}

/// How long those who wait when the line closes are still served.
fn drain_of(line: &LinePlan, opening: &Opening) -> Duration {
    match opening {
        Opening::Closed { why: Closure::Switch { .. }, .. } => line.drain_after_closure,
        Opening::Closed { .. } | Opening::Open { .. } => line.drain,
    }
}
