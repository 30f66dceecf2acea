//! From queues and the roster to calls: who rings for whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{CallRef, ListenerName, Moment, Now, QueueName};
use crate::exchange::{Exchange, Guest};
use crate::queue::{self, Staff};
use crate::roster::Presence;
use crate::sip::Activity;

/// Who is to be rung, for whom, in which queue.
type Found = (QueueName, CallRef, ListenerName);

impl Exchange {
    /// Finds a free listener for whoever is next, in every queue, until none is left.
    pub(super) fn match_callers(&mut self, now: Now) {
        self.match_wanted = false;
        while let Some((queue, call, listener)) = self.next_match(now) {
            self.roster.rung(&listener, call);
            self.roster_changed = true;
            if let Some(queue) = self.queues.get_mut(&queue) {
                queue.matched(call, listener, now.steady);
            }
            self.board_changed = true;
        }
    }

    /// Whom to ring for whom next. Where queues share listeners, everybody has one phone ringing before
    /// anybody has two, and whoever has waited longest comes first, whatever their queue is called.
    fn next_match(&mut self, now: Now) -> Option<Found> {
        let (mut called_off, mut writers) = (None, None);
        let mut first: Option<((bool, Moment), Found)> = None;
        for (name, queue) in &mut self.queues {
            if queue.calls().next().is_none() {
                continue;
            }
            let mut free = self.roster.free(name);
            if !free.is_empty() {
                let called_off = called_off.get_or_insert_with(|| self.endpoint.called_off());
                free.retain(|(listener, _)| !called_off.contains(listener));
            }
            if free.is_empty() {
                continue;
            }
            let writers = &*writers.get_or_insert_with(|| who_write(&self.guests));
            let on_duty = self.roster.on_duty(name);
            let reads = |listener: &&ListenerName| {
                self.endpoint.phones(listener).iter().any(|it| it.reachable && it.shows_text)
            };
            let readers = match writers.is_empty() {
                true => BTreeSet::new(),
                false => on_duty.iter().filter(reads).cloned().collect(),
            };
            let staff = Staff { free: &free, on_duty: &on_duty, readers: &readers, writers };
            let Some((call, listener)) = queue.next_match(staff, now.steady) else {
                continue;
            };
            let since = match self.guests.get(&call) {
                Some(Guest::Caller(caller)) => caller.call.since(),
                Some(Guest::Errand(_)) | None => now.steady,
            };
            let turn = (queue.rings_for(call), since);
            if first.as_ref().is_none_or(|(other, _)| turn < *other) {
                first = Some((turn, (name.clone(), call, listener)));
            }
        }
        first.map(|(_, found)| found)
    }

    /// Carries out one wish of one queue; false when none has any.
    pub(super) fn heard_from_queues(&mut self, now: Now) -> bool {
        let Some(output) = self.queues.values_mut().find_map(queue::Queue::poll_output) else {
            return false;
        };
        match output {
            queue::Output::Placed { call } => {
                self.with_call(call, now, |call, now| call.placed(now));
            }
            queue::Output::Full { call } => {
                self.with_call(call, now, |call, now| call.full(now));
            }
            queue::Output::Ring { call, listener } => {
                let phones = self.endpoint.phones(&listener);
                let phones = phones.into_iter().filter(|phone| phone.reachable).collect();
                self.with_call(call, now, |call, now| call.ring(listener, phones, now));
            }
            queue::Output::StopRinging { call, listener, why } => {
                self.with_call(call, now, |call, now| call.stop_ringing(&listener, why, now));
            }
            queue::Output::PatienceSpent { call } => {
                self.with_call(call, now, |call, now| call.patience_spent(now));
            }
        }
        self.board_changed = true;
        true
    }

    /// Tells drains and waiting calls whether anybody is logged in for them.
    pub(super) fn look_who_is_there(&mut self, now: Now) {
        self.roster_changed = false;
        let activities: Vec<_> = self
            .roster
            .presences()
            .map(|(listener, presence)| (listener.clone(), activity_of(presence)))
            .collect();
        for (listener, activity) in activities {
            self.endpoint.busies_with(&listener, activity, now);
        }
        let names: Vec<QueueName> = self.queues.keys().cloned().collect();
        for name in names {
            let attended = self.roster.logged_in(&name) > 0;
            let before = self.attended.contains(&name);
            if attended == before {
                continue;
            }
            if attended {
                self.attended.insert(name.clone());
            } else {
                self.attended.remove(&name);
            }
            let calls: Vec<_> = self
                .guests
                .iter()
                .filter(|(_, guest)| match guest {
                    Guest::Caller(caller) => caller.queue == name,
                    Guest::Errand(_) => false,
                })
                .map(|(call, _)| *call)
                .collect();
            for call in calls {
                self.with_call(call, now, |call, now| call.attended(attended, now));
            }
        }
        self.drains_attended(now);
    }
}

/// What other listeners' lamps tell of a presence.
fn activity_of(presence: Presence) -> Activity {
    match presence {
        Presence::Offline | Presence::Unreachable => Activity::Offline,
        Presence::Available { .. } => Activity::Free,
        Presence::Alerting { .. } => Activity::Rung,
        Presence::Talking { .. } | Presence::Elsewhere => Activity::Busy,
        Presence::AfterCallWork { .. } | Presence::Paused { .. } => Activity::Away,
    }
}

/// The callers who write rather than speak (scenarios.md SC-25).
fn who_write(guests: &BTreeMap<CallRef, Guest>) -> BTreeSet<CallRef> {
    let writes = |guest: &Guest| match guest {
        Guest::Caller(caller) => caller.call.writes(),
        Guest::Errand(_) => false,
    };
    guests.iter().filter(|(_, guest)| writes(guest)).map(|(call, _)| *call).collect()
}
