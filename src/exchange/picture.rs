//! The board: what the house looks like now.

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::{CallRef, ListenerName, Moment, Now, Territory};
use crate::call::Aim;
use crate::exchange::{
    AskedBoard, Board, Exchange, Guest, LineBoard, ListenerBoard, QueueBoard, Stopping, TrunkBoard,
    WaitBoard,
};
use crate::roster::{Pause, Presence};

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
            alarms: self.alarms_shown(now),
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

    pub(super) fn queue_boards(&self, now: Now) -> Vec<QueueBoard> {
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
}

/// What the wall clock shows at a moment, as believed now.
fn wall(moment: Moment, now: Now) -> DateTime<Utc> {
    let ahead = TimeDelta::from_std(moment - now.steady).unwrap_or_default();
    let ago = TimeDelta::from_std(now.steady - moment).unwrap_or_default();
    now.wall + ahead - ago
}
