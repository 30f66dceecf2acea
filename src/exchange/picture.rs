//! The board: what the house looks like now, and what needs a person.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{CallRef, ListenerName, Moment, Now, Territory};
use crate::call::Aim;
use crate::exchange::{
    AskedBoard, Board, Exchange, Guest, LineBoard, ListenerBoard, QueueBoard, Stopping, TrunkBoard,
    WaitBoard,
};
use crate::roster::{Pause, Presence};
use crate::schedule::{ClockStep, Switch};

/// How long a passing trouble stays on the board.
const ALARM_SHOWN: Duration = Duration::from_secs(15 * 60);

/// A wait that a manager should know of (scenarios.md SC-17).
const LONG_WAIT: Duration = Duration::from_secs(60);

/// How long before the operator's switch lets go the board says so (scenarios.md SC-37).
const SWITCH_NOTICE: TimeDelta = TimeDelta::minutes(10);

/// How long before opening an empty room is an alarm ("à 8 h 50, personne n'est connecté").
const OPENING_NOTICE: TimeDelta = TimeDelta::minutes(10);

/// Troubles that pass, and when each was seen last.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Alarms {
    clock_step: Option<(ClockStep, Moment)>,
    unknown_number: Option<Moment>,
    refused_for_load: Option<Moment>,
    refused_for_sound: Option<Moment>,
    bad_sound: Option<Moment>,
    reload_refused: Option<String>,
    authentication_failures: u64,
}

impl Alarms {
    pub(super) fn clock_stepped(&mut self, step: ClockStep, now: Moment) {
        self.clock_step = Some((step, now));
    }

    pub(super) fn unknown_number(&mut self, now: Moment) {
        self.unknown_number = Some(now);
    }

    pub(super) fn refused_for_load(&mut self, now: Moment) {
        self.refused_for_load = Some(now);
    }

    pub(super) fn refused_for_sound(&mut self, now: Moment) {
        self.refused_for_sound = Some(now);
    }

    pub(super) fn bad_sound(&mut self, now: Moment) {
        self.bad_sound = Some(now);
    }

    pub(super) fn reload_refused(&mut self, why: String) {
        self.reload_refused = Some(why);
    }

    pub(super) fn plan_loaded(&mut self) {
        self.reload_refused = None;
    }

    pub(super) fn authentication_failed(&mut self) {
        self.authentication_failures += 1;
    }
}

impl Exchange {
    /// The picture of the house as of `now`.
    pub fn board(&self, now: Now) -> Board {
        Board {
            at: now.wall,
            plan: self.plan.version.clone(),
            lines: self.line_boards(now),
            queues: self.queue_boards(now),
            listeners: self.listener_boards(now),
            trunks: self.trunk_boards(now),
            calls: self.guests.len(),
            calls_max: self.plan.calls_max,
            calls_talking: self.talking(),
            alarms: self.alarms_in_words(now),
            stopping: self.stopping != Stopping::No,
            load: self.endpoint.load(),
            sip_malformed: self.endpoint.malformed(),
            authentication_failures: self.alarms.authentication_failures,
        }
    }

    fn talking(&self) -> usize {
        self.guests
            .values()
            .filter(|guest| match guest {
                Guest::Caller(caller) => caller.call.is_talking(),
                Guest::Errand(_) => false,
            })
            .count()
    }

    fn line_boards(&self, now: Now) -> Vec<LineBoard> {
        self.lines
            .iter()
            .map(|(line, state)| LineBoard {
                line: line.clone(),
                open: state.open.unwrap_or_default(),
                until: state.until,
                until_local: state.until.and_then(|until| {
                    let schedule = &self.plan.lines.get(line)?.schedule;
                    Some(schedule.spoken(until, now.wall, Territory::Metropole).then)
                }),
                drain_until: self.drain_until(state, now),
            })
            .collect()
    }

    fn queue_boards(&self, now: Now) -> Vec<QueueBoard> {
        self.queues
            .iter()
            .map(|(name, queue)| QueueBoard {
                queue: name.clone(),
                waiting: queue.calls().count(),
                oldest: queue
                    .calls()
                    .filter_map(|call| match self.guests.get(&call)? {
                        Guest::Caller(caller) => Some(now.steady - caller.call.since()),
                        Guest::Errand(_) => None,
                    })
                    .max()
                    .map(|wait| wait.as_secs()),
                waits: queue.calls().filter_map(|call| self.wait_board(call, now)).collect(),
            })
            .collect()
    }

    /// Who a call is, as far as a page may say it.
    fn wait_board(&self, call: CallRef, now: Now) -> Option<WaitBoard> {
        match self.guests.get(&call)? {
            Guest::Caller(caller) => Some(WaitBoard {
                line: caller.call.line().name.clone(),
                since: wall(caller.call.since(), now),
                returning: caller.call.is_returning(),
                writes: caller.call.writes(),
            }),
            Guest::Errand(_) => None,
        }
    }

    /// Whom a listener asks.
    fn asked_board(&self, call: CallRef, listener: &ListenerName) -> Option<AskedBoard> {
        let asked = self.call(call)?.asked_by(listener)?;
        Some(AskedBoard {
            name: if asked.is_colleague {
                self.called_name(asked.name)
            } else {
                asked.name.to_string()
            },
            takes_over: asked.aim == Aim::Move,
            joins: asked.aim == Aim::Join,
            answered: asked.answered,
        })
    }

    fn listener_boards(&self, now: Now) -> Vec<ListenerBoard> {
        self.roster
            .presences()
            .filter_map(|(name, presence)| {
                let plan = self.plan.listeners.get(name)?;
                let (until, why, call) = match presence {
                    Presence::Alerting { call } | Presence::Talking { call } => {
                        (None, None, Some(call))
                    }
                    Presence::AfterCallWork { until } => (Some(until), None, None),
                    Presence::Paused { why: Pause::Own } => (None, Some("own"), None),
                    Presence::Paused { why: Pause::Missed } => (None, Some("missed"), None),
                    Presence::Paused { why: Pause::Refusing { until } } => {
                        (Some(until), Some("refusing"), None)
                    }
                    Presence::Paused { why: Pause::Rest { until } } => {
                        (Some(until), Some("rest"), None)
                    }
                    Presence::Paused { why: Pause::Finished { .. } } => {
                        (None, Some("finished"), None)
                    }
                    Presence::Offline
                    | Presence::Available { .. }
                    | Presence::Elsewhere
                    | Presence::Unreachable => (None, None, None),
                };
                Some(ListenerBoard {
                    listener: name.clone(),
                    display: plan.display.clone(),
                    presence: presence.as_str().to_owned(),
                    phones: self.roster.phones_of(name),
                    until: until.map(|until| wall(until, now)),
                    why: why.map(str::to_owned),
                    caller: call.and_then(|call| self.wait_board(call, now)),
                    asked: call.and_then(|call| self.asked_board(call, name)),
                })
            })
            .collect()
    }

    fn trunk_boards(&self, now: Now) -> Vec<TrunkBoard> {
        let states = self.endpoint.trunks(now.steady).into_iter();
        states
            .map(|state| TrunkBoard {
                trunk: state.trunk,
                up: state.up,
                registered: state.registered,
                abroad: state.name.map_or(0, |name| name.abroad),
            })
            .collect()
    }

    fn alarms_in_words(&self, now: Now) -> Vec<String> {
        let mut words = Vec::new();
        let recent = |seen: Option<Moment>| seen.is_some_and(|at| now.steady - at < ALARM_SHOWN);
        if let Some(why) = &self.alarms.reload_refused {
            words.push(format!("reload refused: {why}"));
        }
        if let Some((step, at)) = self.alarms.clock_step
            && recent(Some(at))
        {
            words.push(format!(
                "clock_step: the wall clock stepped by {} s",
                step.by().num_seconds()
            ));
        }
        if recent(self.alarms.unknown_number) {
            words.push("unknown_number: a trunk delivered a number no line has".to_owned());
        }
        if recent(self.alarms.refused_for_load) {
            words.push("overload: calls were refused".to_owned());
        }
        if recent(self.alarms.refused_for_sound) {
            words.push("codec_mismatch: a call offered no codec we speak".to_owned());
        }
        if recent(self.alarms.bad_sound) {
            words.push("bad_sound: a listener could not hear a caller well".to_owned());
        }
        let since = Moment::START + now.steady.since_start().saturating_sub(ALARM_SHOWN);
        let insistent = self.admission.insistent_since(since);
        if insistent > 0 {
            words.push(format!(
                "unusual_activity: {insistent} callers wanted more calls at once than one may have"
            ));
        }
        for state in self.endpoint.trunks(now.steady) {
            if let Some(name) = state.name {
                if name.abroad > 0 {
                    words.push(format!(
                        "trunk_abroad: the DNS leads `{}` outside its addresses; that is not used",
                        state.trunk
                    ));
                }
                if name.addresses == Some(0) {
                    words.push(format!(
                        "trunk_unlocated: the name of `{}` leads nowhere",
                        state.trunk
                    ));
                }
            }
            // Whose name is not known yet, or leads nowhere, can't answer.
            let is_findable =
                state.name.is_none_or(|name| name.addresses.is_some_and(|all| all > 0));
            if !state.up && is_findable {
                words.push(format!("trunk_down: `{}` does not answer", state.trunk));
            } else if state.registered == Some(false) {
                words.push(format!("trunk_unregistered: `{}` does not know us", state.trunk));
            }
        }
        self.attendance_alarms(now, &mut words);
        for queue in self.queue_boards(now) {
            if queue.oldest.is_some_and(|oldest| oldest >= LONG_WAIT.as_secs()) {
                words.push(format!(
                    "long_wait: {} in `{}` wait, the first for {} s",
                    queue.waiting,
                    queue.queue,
                    queue.oldest.unwrap_or_default()
                ));
            }
        }
        words
    }

    fn attendance_alarms(&self, now: Now, words: &mut Vec<String>) {
        for (name, state) in &self.lines {
            let Some(line) = self.plan.lines.get(name) else {
                continue;
            };
            if line.moved_to.is_some() {
                continue;
            }
            let open = state.open.unwrap_or_default();
            let soon = state.until.is_some_and(|until| until - now.wall <= OPENING_NOTICE);
            if !self.attended.contains(&line.queue) && (open || soon) {
                let when = if open { "is open" } else { "opens soon" };
                words.push(format!("nobody_logged_in: `{name}` {when} and nobody is logged in"));
            }
            if let Switch::Closed { until, .. } = &state.switch
                && *until > now.wall
            {
                let soon = *until - now.wall <= SWITCH_NOTICE;
                let state = if soon { "reopens soon" } else { "is closed by an operator" };
                words.push(format!("switch: `{name}` {state}, until {}", until.to_rfc3339()));
            }
        }
    }
}

/// What the wall clock shows at a moment, as believed now.
fn wall(moment: Moment, now: Now) -> DateTime<Utc> {
    let ahead = TimeDelta::from_std(moment - now.steady).unwrap_or_default();
    let ago = TimeDelta::from_std(now.steady - moment).unwrap_or_default();
    now.wall + ahead - ago
}
