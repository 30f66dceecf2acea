//! The exchange: owns everything alive and sorts the mail.
//!
//! It has no opinions about telephony: those live in `call` and the crafts. Facts come in by
//! [`Exchange::handle`], are told to whom they concern, and everything that follows from them is
//! settled before it returns. Wishes wait in [`Exchange::poll_output`] for the service to carry out.
//!
//! | file | |
//! |---|---|
//! | `input`, `output`, `commands`, `plan`, `board` | what is said at the edge |
//! | `events` | from SIP to calls |
//! | `numbers` | which line a call is for |
//! | `mail` | from calls to SIP, sound, queues and the roster |
//! | `outgoing` | our own calls to the public network |
//! | `transferring` | listeners who ask somebody else, and leave their caller with them |
//! | `matching` | from queues and the roster to calls |
//! | `lines` | hours, drains, the operator's switch |
//! | `picture`, `alarms` | the board, and what on it needs a person |

mod alarms;
mod board;
mod commands;
mod events;
mod input;
mod lines;
mod mail;
mod matching;
mod numbers;
mod orders;
mod outgoing;
mod output;
mod picture;
mod plan;
mod transferring;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::admission::{Admission, Limits};
use crate::base::{
    CallRef, LineName, ListenerName, Mint, Moment, Now, QueueName, StreamRef, Timers,
};
use crate::call::{self, Call, Errand};
use crate::media::Notice;
use crate::queue::{Class, Estimate, Queue};
use crate::roster::Roster;
use crate::schedule::WallTrust;
use crate::sip::{DialogRef, Endpoint, Setup};

pub use crate::call::{Helper, LinePlan, LineWords, Moved};
pub use alarms::{Alarm, AlarmCode};
pub use board::{AskedBoard, Board, LineBoard, ListenerBoard, QueueBoard, TrunkBoard, WaitBoard};
pub use commands::{Command, CommandRef};
pub use input::Input;
pub use output::{Level, Note, Output};
pub use plan::{ClosedMessage, Code, ListenerPlan, Plan, PromptPlan, Protection, TrunkPlan};

use alarms::Alarms;
use lines::LineState;
use outgoing::Outgoing;
use transferring::Emergencies;

/// Rounds of settling after one fact; no plan comes near it, so reaching it is a mistake of ours,
/// told and survived rather than a house that hangs.
const ROUNDS_MAX: usize = 100_000;

/// How often the clocks are compared though nothing happens: a step of the wall clock must not wait
/// for the next call to be noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The telephone exchange as one value.
#[derive(Debug, Deserialize, Serialize)]
pub struct Exchange {
    plan: Arc<Plan>,
    endpoint: Endpoint,
    roster: Roster,
    queues: BTreeMap<QueueName, Queue>,
    estimates: BTreeMap<QueueName, Estimate>,
    lines: BTreeMap<LineName, LineState>,
    admission: Admission,
    trust: WallTrust,
    /// When the lines' hours were looked at last.
    reviewed: Now,

    guests: BTreeMap<CallRef, Guest>,
    next_call: u64,
    /// Which leg of which call a dialog is, both ways.
    dialogs: BTreeMap<DialogRef, (CallRef, u32)>,
    #[serde(with = "pairs")]
    legs: BTreeMap<(CallRef, u32), DialogRef>,
    /// Calls of ours to the public network.
    outgoing: BTreeMap<DialogRef, Outgoing>,
    /// Those whose offer is being made anew, for a road of another kind.
    #[serde(with = "pairs")]
    redrawn: BTreeMap<(CallRef, u32), Outgoing>,

    timers: Timers<Timer>,
    /// What calls have said and nobody has acted on yet.
    mail: VecDeque<(CallRef, call::Output)>,
    /// Who waits or who is free may have changed.
    match_wanted: bool,
    /// Listeners came, went, or changed state.
    roster_changed: bool,
    /// Queues whose line had somebody logged in when last looked at.
    attended: BTreeSet<QueueName>,
    stopping: Stopping,
    alarms: Alarms,
    /// When each listener called the emergency services in the last hour.
    emergencies: Emergencies,
    board_changed: bool,
    outputs: VecDeque<Output>,
    latest: Now,
}

/// Whoever has a call reference.
#[derive(Debug, Deserialize, Serialize)]
enum Guest {
    Caller(Box<Caller>),
    Errand(Box<Errand>),
}

#[derive(Debug, Deserialize, Serialize)]
struct Caller {
    call: Call,
    queue: QueueName,
    class: Class,
    /// Set when a listener calls the line themselves: they can't be rung meanwhile.
    is_listener: Option<ListenerName>,
}

/// How far the house is in stopping.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stopping {
    No,
    /// Calls run to their end.
    InGrace,
    /// Those still waiting have been told; nobody new is let in.
    GraceOver,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    Call(CallRef),
    GraceOver,
    Heartbeat,
    /// The hours of a line may change then.
    Lines,
}

impl Exchange {
    /// A house with nobody in it.
    pub fn new(plan: Arc<Plan>, mut mint: Mint, now: Now) -> Self {
        let limits = limits(&plan);
        let mut exchange = Self {
            endpoint: Endpoint::new(setup(&plan), mint.split()),
            roster: Roster::default(),
            queues: BTreeMap::new(),
            estimates: BTreeMap::new(),
            lines: BTreeMap::new(),
            admission: Admission::new(limits, &mut mint, now),
            trust: WallTrust::new(),
            reviewed: now,
            guests: BTreeMap::new(),
            next_call: 1,
            dialogs: BTreeMap::new(),
            legs: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            redrawn: BTreeMap::new(),
            timers: Timers::default(),
            mail: VecDeque::new(),
            match_wanted: false,
            roster_changed: false,
            attended: BTreeSet::new(),
            stopping: Stopping::No,
            alarms: Alarms::default(),
            emergencies: Emergencies::default(),
            board_changed: true,
            outputs: VecDeque::new(),
            latest: now,
            plan: Arc::clone(&plan),
        };
        exchange.planned(&plan, now);
        exchange.settle(now);
        exchange
    }

    /// Takes in one fact and works until nothing more follows from it.
    ///
    /// `at` is when the fact was received. Facts from different doors may overtake each other, so
    /// the steady clock stands still rather than going back; the wall time of the fact is kept,
    /// because a call that came in time is in time however late it is read (scenarios.md SC-03).
    pub fn handle(&mut self, input: Input, at: Now) {
        let steady = self.latest.steady.max(at.steady);
        let believed = self.trust.believed(at);
        let now = Now { steady, wall: believed };
        self.latest = now;
        self.notice_clock_step();
        self.take_in(input, now);
        // Settled before anything that is due: a phone picked up in the instant in which its ringing
        // ends has been picked up, and nobody may go on to end what is a conversation by now.
        self.settle(now);
        self.run_timers(now);
        self.settle(now);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Exchange::handle`] next at the latest; may change after every call to it.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let queues = self.queues.values().filter_map(Queue::poll_timeout);
        let drains = self.lines.values().filter_map(|line| line.drain.poll_timeout());
        [
            self.endpoint.poll_timeout(),
            self.timers.next(),
            self.roster.poll_timeout(),
            self.admission.poll_timeout(),
            self.trust.due(),
        ]
        .into_iter()
        .flatten()
        .chain(queues)
        .chain(drains)
        .min()
    }

    /// Whether no call is alive: a house that was asked to stop may then stop.
    pub fn is_idle(&self) -> bool {
        self.guests.is_empty() && self.endpoint.load().dialogs == 0
    }

    fn take_in(&mut self, input: Input, now: Now) {
        match input {
            Input::Received { flow, bytes } => self.endpoint.received(flow, &bytes, now),
            Input::Late { flow, bytes } => self.endpoint.overloaded(flow, &bytes, now),
            Input::FlowClosed { flow } => self.endpoint.flow_closed(flow, now),
            Input::Unreachable { local, peer } => self.endpoint.unreachable(local, peer, now),
            Input::Unconnected { flow } => self.endpoint.unconnected(flow, now),
            Input::LookedUp { question, answer } => self.endpoint.looked_up(&question, answer, now),
            Input::Media(notice) => self.noticed(notice, now),
            Input::Command { from, command } => self.ordered(from, command, now),
            Input::Plan(plan) => self.planned(&plan, now),
            Input::Stopping => self.asked_to_stop(now),
            Input::Tick => {}
        }
    }

    fn run_timers(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.admission.handle_timeout(now);
        if self.roster.poll_timeout().is_some_and(|due| due <= now.steady) {
            self.roster.handle_timeout(now.steady);
            self.roster_has_changed();
        }
        for queue in self.queues.values_mut() {
            if queue.poll_timeout().is_some_and(|due| due <= now.steady) {
                queue.handle_timeout(now.steady);
                self.match_wanted = true;
            }
        }
        self.review_lines_when_due(now);
        while let Some(timer) = self.timers.pop_due(now.steady) {
            match timer {
                Timer::Call(call) => self.with_guest(call, now, |guest, now| match guest {
                    Guest::Caller(caller) => caller.call.handle_timeout(now),
                    Guest::Errand(errand) => errand.handle_timeout(now.steady),
                }),
                Timer::GraceOver => self.grace_over(now),
                Timer::Heartbeat => {
                    self.timers.set(Timer::Heartbeat, now.steady + HEARTBEAT);
                    self.board_changed = true;
                }
                // Every line has been looked at above.
                Timer::Lines => {}
            }
        }
    }

    fn settle(&mut self, now: Now) {
        for _ in 0..ROUNDS_MAX {
            if let Some((call, output)) = self.mail.pop_front() {
                self.deliver(call, output, now);
            } else if let Some(output) = self.endpoint.poll_output() {
                self.heard_from_sip(output, now);
            } else if self.heard_from_queues(now) || self.heard_from_roster(now) {
                continue;
            } else if self.roster_changed {
                self.look_who_is_there(now);
            } else if self.match_wanted {
                self.match_callers(now);
            } else if !self.run_drains(now) {
                if std::mem::take(&mut self.board_changed) {
                    self.outputs.push_back(Output::Changed);
                }
                return;
            }
        }
        self.note(Level::Error, "settling does not end", None, Vec::new());
        self.mail.clear();
    }

    /// Lets one guest act, collects what they say, and keeps their alarm clock set.
    fn with_guest(&mut self, call: CallRef, now: Now, act: impl FnOnce(&mut Guest, Now)) {
        let Some(guest) = self.guests.get_mut(&call) else {
            return;
        };
        act(guest, now);
        while let Some(output) = guest.poll_output() {
            self.mail.push_back((call, output));
        }
        match guest.poll_timeout() {
            Some(due) => self.timers.set(Timer::Call(call), due),
            None => self.timers.stop(&Timer::Call(call)),
        }
        if let Guest::Errand(errand) = guest
            && errand.is_over()
            && !self.mail.iter().any(|(from, _)| *from == call)
        {
            self.forget(call);
        }
    }

    /// Lets one caller's call act.
    fn with_call(&mut self, call: CallRef, now: Now, act: impl FnOnce(&mut Call, Now)) {
        self.with_guest(call, now, |guest, now| match guest {
            Guest::Caller(caller) => act(&mut caller.call, now),
            Guest::Errand(_) => {}
        });
    }

    fn noticed(&mut self, notice: Notice, now: Now) {
        let stream = stream_of(&notice);
        self.with_guest(stream.call, now, |guest, now| match guest {
            Guest::Caller(caller) => caller.call.noticed(notice, now),
            Guest::Errand(errand) => errand.noticed(&notice),
        });
    }

    fn fresh_call(&mut self) -> CallRef {
        let call = CallRef(self.next_call);
        self.next_call += 1;
        call
    }

    /// The end of a call reference: nothing of it may remain anywhere.
    fn forget(&mut self, call: CallRef) {
        let guest = self.guests.remove(&call);
        self.timers.stop(&Timer::Call(call));
        let legs: Vec<_> =
            self.legs.range((call, 0)..=(call, u32::MAX)).map(|(leg, _)| *leg).collect();
        for leg in legs {
            if let Some(dialog) = self.legs.remove(&leg) {
                self.dialogs.remove(&dialog);
                self.outgoing.remove(&dialog);
            }
        }
        self.redrawn.retain(|(of, _), _| *of != call);
        self.admission.left(call);
        let listener = match guest {
            Some(Guest::Caller(caller)) => {
                self.queue_may_go(&caller.queue);
                caller.is_listener
            }
            Some(Guest::Errand(errand)) => Some(errand.listener().clone()),
            None => None,
        };
        if let Some(listener) = listener {
            self.roster.back_from_elsewhere(&listener, call);
            self.roster_has_changed();
        }
        self.board_changed = true;
    }

    fn roster_has_changed(&mut self) {
        self.roster_changed = true;
        self.match_wanted = true;
        self.board_changed = true;
    }

    fn note(
        &mut self,
        level: Level,
        what: &str,
        call: Option<CallRef>,
        fields: Vec<(String, String)>,
    ) {
        self.outputs.push_back(Output::Note(Note { level, what: what.to_owned(), call, fields }));
    }

    fn notice_clock_step(&mut self) {
        if let Some(step) = self.trust.alarm() {
            let by = ("seconds".to_owned(), step.by().num_seconds().to_string());
            self.note(Level::Warn, "the wall clock stepped", None, vec![by]);
            self.alarms.clock_stepped(step, self.latest.steady);
            self.board_changed = true;
        }
    }
}

impl Guest {
    fn poll_output(&mut self) -> Option<call::Output> {
        match self {
            Self::Caller(caller) => caller.call.poll_output(),
            Self::Errand(errand) => errand.poll_output(),
        }
    }

    fn poll_timeout(&self) -> Option<Moment> {
        match self {
            Self::Caller(caller) => caller.call.poll_timeout(),
            Self::Errand(errand) => errand.poll_timeout(),
        }
    }
}

fn limits(plan: &Plan) -> Limits {
    let trunks = plan.trunks.iter();
    Limits {
        calls_max: plan.calls_max,
        trunk_calls_max: trunks
            .filter_map(|(name, trunk)| Some((name.clone(), trunk.calls_max?)))
            .collect(),
        caller_calls_max: plan.caller_calls_max,
    }
}

/// What the endpoint must know of the plan.
fn setup(plan: &Plan) -> Setup {
    let numbers = plan.numbers.keys().cloned().collect();
    Setup { numbers, ..plan.sip.clone() }
}

fn stream_of(notice: &Notice) -> StreamRef {
    match notice {
        Notice::Described { stream, .. }
        | Notice::Refused { stream, .. }
        | Notice::Digit { stream, .. }
        | Notice::Finished { stream, .. }
        | Notice::Silent { stream, .. }
        | Notice::Heard { stream }
        | Notice::Writes { stream }
        | Notice::Written { stream, .. }
        | Notice::Closed { stream, .. }
        | Notice::Lost { stream } => *stream,
    }
}

/// Maps whose keys are pairs, written as lists so that every format can hold them.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_can_be_sent_to_another_thread() {
        fn is_send<T: Send>() {}

        is_send::<Exchange>();
        is_send::<crate::sip::Event>();
    }
}
