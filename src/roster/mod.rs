//! Who may be rung now.
//!
//! The [`Roster`] is told what listeners' phones and calls do, and works out every listener's
//! [`Presence`] from it. It does not ring anybody and does not know who waits: the exchange asks it
//! who is free and tells the queue.
//!
//! Presence follows from facts that end by themselves: registrations expire, calls end, after-call
//! work and back-off are leases. Only a pause of one's own has no end, and that one goes when the
//! listener has been away for a while.

mod presence;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, ListenerName, Moment, QueueName};

pub use presence::{Pause, Presence};

/// A listener who was offline this long comes back without the pause they left with: yesterday's
/// `*10` must not keep this morning's calls away.
const PAUSE_FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// How long a listener whose phones could not be reached is left alone, whatever else is known of
/// them: a phone that fails at once must not be rung in a circle.
const UNREACHED_PAUSE: Duration = Duration::from_secs(1);

/// How long a rest after a difficult call lasts, unless they come back before (domain.md §6).
const REST: Duration = Duration::from_secs(10 * 60);

/// How long "finished for today" holds for a phone that is never switched off.
const DAY_OFF: Duration = Duration::from_secs(12 * 60 * 60);

/// The back-off after refusals doubles this often at the most.
const REFUSALS_COUNTED: u32 = 4;

/// Listeners and what they are doing.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Roster {
    desks: BTreeMap<ListenerName, Desk>,
    outputs: VecDeque<Output>,
}

/// What a listener should be told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// Too many rings in vain: paused until they come back themselves.
    PausedForMisses { listener: ListenerName },
    /// Their phone refuses: left alone until then.
    LeftAlone { listener: ListenerName, until: Moment },
}

#[derive(Debug, Deserialize, Serialize)]
struct Desk {
    queues: BTreeSet<QueueName>,
    registered: usize,
    reachable: usize,
    engagement: Engagement,
    pause: Option<Pause>,
    after_call_work_until: Option<Moment>,
    misses: u32,
    refusals: u32,
    idle_since: Moment,
    offline_since: Option<Moment>,
}

/// What a listener's line is taken by; one thing at a time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Engagement {
    Free,
    Alerting(CallRef),
    Talking(CallRef),
    Elsewhere(CallRef),
}

impl Roster {
    /// A plan came: new listeners get a desk, those who are gone lose theirs once their call ends.
    pub fn planned(
        &mut self,
        listeners: impl IntoIterator<Item = (ListenerName, BTreeSet<QueueName>)>,
        now: Moment,
    ) {
        let planned: BTreeMap<_, _> = listeners.into_iter().collect();
        for (listener, desk) in &mut self.desks {
            desk.queues = planned.get(listener).cloned().unwrap_or_default();
        }
        for (listener, queues) in planned {
            self.desks.entry(listener).or_insert_with(|| Desk {
                queues,
                registered: 0,
                reachable: 0,
                engagement: Engagement::Free,
                pause: None,
                after_call_work_until: None,
                misses: 0,
                refusals: 0,
                idle_since: now,
                offline_since: None,
            });
        }
    }

    /// A listener's phones came, went, or stopped answering.
    pub fn phones_changed(
        &mut self,
        listener: &ListenerName,
        registered: usize,
        reachable: usize,
        now: Moment,
    ) {
        let Some(desk) = self.desks.get_mut(listener) else {
            return;
        };
        let was_ready = desk.reachable > 0;
        let was_registered = desk.registered > 0;
        desk.registered = registered;
        desk.reachable = reachable;
        match (was_registered, registered > 0) {
            (false, true) => {
                let away = desk.offline_since.take().map_or(Duration::ZERO, |since| now - since);
                match desk.pause {
                    Some(Pause::Own | Pause::Rest { .. } | Pause::Finished { .. })
                        if away < PAUSE_FORGOTTEN_AFTER => {}
                    Some(
                        Pause::Own
                        | Pause::Rest { .. }
                        | Pause::Finished { .. }
                        | Pause::Missed
                        | Pause::Refusing { .. },
                    )
                    | None => desk.pause = None,
                }
                desk.misses = 0;
                desk.refusals = 0;
            }
            (true, false) => desk.offline_since = Some(now),
            (true, true) | (false, false) => {}
        }
        if !was_ready && reachable > 0 {
            desk.idle_since = now;
        }
    }

    /// Their phones ring for this call.
    pub fn rung(&mut self, listener: &ListenerName, call: CallRef) {
        self.with(listener, |desk| desk.engagement = Engagement::Alerting(call));
    }

    /// They picked up.
    pub fn answered(&mut self, listener: &ListenerName, call: CallRef) {
        self.with(listener, |desk| {
            desk.engagement = Engagement::Talking(call);
            desk.after_call_work_until = None;
            desk.misses = 0;
            desk.refusals = 0;
        });
    }

    /// The phone rang in vain; after `misses_max` of that in a row they have walked off.
    pub fn missed(&mut self, listener: &ListenerName, call: CallRef, misses_max: u32, now: Moment) {
        let Some(desk) = self.alerting(listener, call) else {
            return;
        };
        desk.engagement = Engagement::Free;
        desk.idle_since = now;
        desk.misses += 1;
        if desk.misses >= misses_max && desk.pause.is_none() {
            desk.pause = Some(Pause::Missed);
            self.outputs.push_back(Output::PausedForMisses { listener: listener.clone() });
        }
    }

    /// Their phone refused; it is left alone for a while that grows.
    pub fn refused(
        &mut self,
        listener: &ListenerName,
        call: CallRef,
        pause: Duration,
        now: Moment,
    ) {
        let Some(desk) = self.alerting(listener, call) else {
            return;
        };
        let until = now + pause * 2u32.pow(desk.refusals.min(REFUSALS_COUNTED));
        desk.engagement = Engagement::Free;
        desk.idle_since = now;
        desk.refusals += 1;
        if matches!(desk.pause, Some(Pause::Refusing { .. }) | None) {
            desk.pause = Some(Pause::Refusing { until });
            self.outputs.push_back(Output::LeftAlone { listener: listener.clone(), until });
        }
    }

    /// None of their phones could be reached.
    pub fn unreached(&mut self, listener: &ListenerName, call: CallRef, now: Moment) {
        if let Some(desk) = self.alerting(listener, call) {
            desk.engagement = Engagement::Free;
            if desk.pause.is_none() {
                desk.pause = Some(Pause::Refusing { until: now + UNREACHED_PAUSE });
            }
        }
    }

    /// The phone stopped ringing through no fault of the listener: they are as free as before.
    pub fn spared(&mut self, listener: &ListenerName, call: CallRef) {
        if let Some(desk) = self.alerting(listener, call) {
            desk.engagement = Engagement::Free;
        }
    }

    /// The conversation is over; they have `after_call_work` for their notes.
    pub fn hung_up(
        &mut self,
        listener: &ListenerName,
        call: CallRef,
        after_call_work: Duration,
        now: Moment,
    ) {
        self.with(listener, |desk| {
            if desk.engagement == Engagement::Talking(call) {
                desk.engagement = Engagement::Free;
                desk.idle_since = now + after_call_work;
                desk.after_call_work_until =
                    (!after_call_work.is_zero()).then_some(now + after_call_work);
            }
        });
    }

    /// They make a call of their own.
    pub fn calls_elsewhere(&mut self, listener: &ListenerName, call: CallRef) {
        self.with(listener, |desk| {
            if desk.engagement == Engagement::Free {
                desk.engagement = Engagement::Elsewhere(call);
            }
        });
    }

    /// That call is over.
    pub fn back_from_elsewhere(&mut self, listener: &ListenerName, call: CallRef) {
        self.with(listener, |desk| {
            if desk.engagement == Engagement::Elsewhere(call) {
                desk.engagement = Engagement::Free;
            }
        });
    }

    /// They ask not to be rung.
    pub fn paused(&mut self, listener: &ListenerName) {
        self.with(listener, |desk| desk.pause = Some(Pause::Own));
    }

    /// They rest after a difficult call.
    pub fn rests(&mut self, listener: &ListenerName, now: Moment) {
        self.with(listener, |desk| desk.pause = Some(Pause::Rest { until: now + REST }));
    }

    /// They have finished for today.
    pub fn finished(&mut self, listener: &ListenerName, now: Moment) {
        self.with(listener, |desk| desk.pause = Some(Pause::Finished { until: now + DAY_OFF }));
    }

    /// They need more time for their notes, or some after all. In a call it does nothing: the notes
    /// begin when it is over.
    pub fn after_call_work_extended(&mut self, listener: &ListenerName, by: Duration, now: Moment) {
        self.with(listener, |desk| {
            let is_talking = matches!(desk.engagement, Engagement::Talking(_));
            if !is_talking {
                let until = desk.after_call_work_until.unwrap_or(now).max(now) + by;
                desk.after_call_work_until = Some(until);
                desk.idle_since = until;
            }
        });
    }

    /// They ask to be rung again; this also ends after-call work.
    pub fn came_back(&mut self, listener: &ListenerName, now: Moment) {
        self.with(listener, |desk| {
            if desk.pause.take().is_some() {
                desk.idle_since = now;
            }
            desk.misses = 0;
            desk.refusals = 0;
        });
        self.after_call_work_ended(listener, now);
    }

    /// They have finished their notes early.
    pub fn after_call_work_ended(&mut self, listener: &ListenerName, now: Moment) {
        self.with(listener, |desk| {
            if desk.after_call_work_until.take().is_some() {
                desk.idle_since = now;
            }
        });
    }

    /// Ends the leases that are over.
    pub fn handle_timeout(&mut self, now: Moment) {
        for desk in self.desks.values_mut() {
            if desk.after_call_work_until.is_some_and(|until| until <= now) {
                desk.after_call_work_until = None;
            }
            if let Some(
                Pause::Refusing { until } | Pause::Rest { until } | Pause::Finished { until },
            ) = desk.pause
                && until <= now
            {
                desk.pause = None;
            }
        }
    }

    /// When a lease ends next.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.desks.values().filter_map(Desk::next_lease).min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What a listener is doing; None for nobody we know.
    pub fn presence_of(&self, listener: &ListenerName) -> Option<Presence> {
        self.desks.get(listener).map(Desk::presence)
    }

    /// Everybody, by name.
    pub fn presences(&self) -> impl Iterator<Item = (&ListenerName, Presence)> {
        self.desks.iter().map(|(listener, desk)| (listener, desk.presence()))
    }

    /// Whether a listener takes calls of this queue at all.
    pub fn serves(&self, listener: &ListenerName, queue: &QueueName) -> bool {
        self.desks.get(listener).is_some_and(|desk| desk.queues.contains(queue))
    }

    /// How many of a listener's phones are registered.
    pub fn phones_of(&self, listener: &ListenerName) -> usize {
        self.desks.get(listener).map_or(0, |desk| desk.registered)
    }

    /// The free listeners of a queue and since when each is free, longest first; of two equals, the
    /// first by name.
    pub fn free(&self, queue: &QueueName) -> Vec<(ListenerName, Moment)> {
        let mut free: Vec<_> = self
            .desks
            .iter()
            .filter(|(_, desk)| desk.queues.contains(queue))
            .filter_map(|(listener, desk)| match desk.presence() {
                Presence::Available { since } => Some((listener.clone(), since)),
                Presence::Offline
                | Presence::Alerting { .. }
                | Presence::Talking { .. }
                | Presence::AfterCallWork { .. }
                | Presence::Paused { .. }
                | Presence::Elsewhere
                | Presence::Unreachable => None,
            })
            .collect();
        free.sort_by_key(|(_, since)| *since);
        free
    }

    /// How many listeners of a queue are logged in, whatever they do: with none, nobody will come
    /// (scenarios.md SC-17 tells this from "all paused").
    pub fn logged_in(&self, queue: &QueueName) -> usize {
        self.of(queue).filter(|desk| desk.is_logged_in()).count()
    }

    /// The listeners of a queue who take calls: free, ringing, talking or at their notes, and not about
    /// to pause.
    pub fn on_duty(&self, queue: &QueueName) -> BTreeSet<ListenerName> {
        let desks = self.desks.iter().filter(|(_, desk)| desk.queues.contains(queue));
        desks.filter(|(_, desk)| desk.is_on_duty()).map(|(name, _)| name.clone()).collect()
    }

    fn of(&self, queue: &QueueName) -> impl Iterator<Item = &Desk> {
        self.desks.values().filter(|desk| desk.queues.contains(queue))
    }

    fn with(&mut self, listener: &ListenerName, act: impl FnOnce(&mut Desk)) {
        if let Some(desk) = self.desks.get_mut(listener) {
            act(desk);
        }
    }

    fn alerting(&mut self, listener: &ListenerName, call: CallRef) -> Option<&mut Desk> {
        self.desks.get_mut(listener).filter(|desk| desk.engagement == Engagement::Alerting(call))
    }
}

impl Desk {
    fn presence(&self) -> Presence {
        match (self.engagement, self.pause, self.after_call_work_until) {
            (Engagement::Alerting(call), _, _) => Presence::Alerting { call },
            (Engagement::Talking(call), _, _) => Presence::Talking { call },
            (Engagement::Elsewhere(_), _, _) => Presence::Elsewhere,
            (Engagement::Free, _, _) if self.registered == 0 => Presence::Offline,
            (Engagement::Free, Some(Pause::Refusing { .. }), _) if self.reachable == 0 => {
                Presence::Unreachable
            }
            (Engagement::Free, Some(why), _) => Presence::Paused { why },
            (Engagement::Free, None, Some(until)) => Presence::AfterCallWork { until },
            (Engagement::Free, None, None) if self.reachable == 0 => Presence::Unreachable,
            (Engagement::Free, None, None) => Presence::Available { since: self.idle_since },
        }
    }

    fn is_logged_in(&self) -> bool {
        match self.presence() {
            Presence::Offline
            | Presence::Unreachable
            | Presence::Paused { why: Pause::Finished { .. } } => false,
            Presence::Available { .. }
            | Presence::Alerting { .. }
            | Presence::Talking { .. }
            | Presence::AfterCallWork { .. }
            | Presence::Paused {
                why: Pause::Own | Pause::Missed | Pause::Rest { .. } | Pause::Refusing { .. },
            }
            | Presence::Elsewhere => true,
        }
    }

    fn is_on_duty(&self) -> bool {
        self.pause.is_none()
            && match self.presence() {
                Presence::Available { .. }
                | Presence::Alerting { .. }
                | Presence::Talking { .. }
                | Presence::AfterCallWork { .. } => true,
                // A call of a moment: they have pressed a code, as a rule.
                Presence::Elsewhere => self.reachable > 0,
                Presence::Offline | Presence::Paused { .. } | Presence::Unreachable => false,
            }
    }

    fn next_lease(&self) -> Option<Moment> {
        let paused = match self.pause {
            Some(Pause::Refusing { until } | Pause::Rest { until } | Pause::Finished { until }) => {
                Some(until)
            }
            Some(Pause::Own | Pause::Missed) | None => None,
        };
        paused.into_iter().chain(self.after_call_work_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: CallRef = CallRef(1);

    #[test]
    fn the_one_who_rested_longest_comes_first_and_a_miss_sends_them_back() {
        let mut roster = roster(&["lea", "marc"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        roster.phones_changed(&name("marc"), 1, 1, at(5));
        assert_eq!(free(&roster), ["lea", "marc"]);

        roster.rung(&name("lea"), ANNA);
        assert_eq!(free(&roster), ["marc"]);
        roster.missed(&name("lea"), ANNA, 2, at(30));

        assert_eq!(free(&roster), ["marc", "lea"]);
    }

    #[test]
    fn two_rings_in_vain_are_a_pause_and_coming_back_ends_it() {
        let mut roster = roster(&["lea"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        for n in 1..=2 {
            roster.rung(&name("lea"), ANNA);
            roster.missed(&name("lea"), ANNA, 2, at(20 * n));
        }
        assert_eq!(roster.presence_of(&name("lea")), Some(Presence::Paused { why: Pause::Missed }));
        assert_eq!(roster.poll_output(), Some(Output::PausedForMisses { listener: name("lea") }));
        assert_eq!(roster.logged_in(&queue()), 1);

        roster.came_back(&name("lea"), at(60));

        assert_eq!(free(&roster), ["lea"]);
    }

    #[test]
    fn a_phone_that_refuses_is_left_alone_longer_each_time() {
        let mut roster = roster(&["lea"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        let mut waits = Vec::new();
        let mut now = at(0);
        for _ in 0..6 {
            roster.rung(&name("lea"), ANNA);
            roster.refused(&name("lea"), ANNA, Duration::from_secs(10), now);
            assert!(free(&roster).is_empty());
            let until = roster.poll_timeout().expect("a lease");
            waits.push((until - now).as_secs());
            now = until;
            roster.handle_timeout(now);
        }

        assert_eq!(waits, [10, 20, 40, 80, 160, 160]);
        assert_eq!(free(&roster), ["lea"]);
    }

    #[test]
    fn after_call_work_ends_by_itself_or_early() {
        let mut roster = roster(&["lea"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        roster.answered(&name("lea"), ANNA);
        roster.hung_up(&name("lea"), ANNA, Duration::from_secs(40), at(100));
        assert_eq!(
            roster.presence_of(&name("lea")),
            Some(Presence::AfterCallWork { until: at(140) })
        );

        roster.after_call_work_ended(&name("lea"), at(110));
        assert_eq!(free(&roster), ["lea"]);

        roster.answered(&name("lea"), ANNA);
        roster.hung_up(&name("lea"), ANNA, Duration::from_secs(40), at(200));
        roster.handle_timeout(at(240));
        assert_eq!(free(&roster), ["lea"]);
    }

    #[test]
    fn a_listener_without_a_phone_that_answers_is_not_free() {
        let mut roster = roster(&["lea"]);
        assert_eq!(roster.presence_of(&name("lea")), Some(Presence::Offline));

        roster.phones_changed(&name("lea"), 2, 0, at(0));
        assert_eq!(roster.presence_of(&name("lea")), Some(Presence::Unreachable));
        assert_eq!(roster.logged_in(&queue()), 0);

        roster.phones_changed(&name("lea"), 2, 1, at(9));
        assert_eq!(free(&roster), ["lea"]);
    }

    #[test]
    fn yesterdays_pause_does_not_keep_this_mornings_calls_away() {
        let mut roster = roster(&["lea"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        roster.paused(&name("lea"));
        roster.phones_changed(&name("lea"), 0, 0, at(10));
        roster.phones_changed(&name("lea"), 1, 1, at(20));
        assert_eq!(roster.presence_of(&name("lea")), Some(Presence::Paused { why: Pause::Own }));

        roster.phones_changed(&name("lea"), 0, 0, at(30));
        roster.phones_changed(&name("lea"), 1, 1, at(50_000));

        assert_eq!(free(&roster), ["lea"]);
    }

    #[test]
    fn a_late_word_about_another_call_changes_nothing() {
        let mut roster = roster(&["lea"]);
        roster.phones_changed(&name("lea"), 1, 1, at(0));
        roster.rung(&name("lea"), ANNA);
        roster.answered(&name("lea"), ANNA);

        roster.missed(&name("lea"), ANNA, 2, at(5));
        roster.spared(&name("lea"), CallRef(9));
        roster.hung_up(&name("lea"), CallRef(9), Duration::ZERO, at(6));

        assert_eq!(roster.presence_of(&name("lea")), Some(Presence::Talking { call: ANNA }));
    }

    fn roster(listeners: &[&str]) -> Roster {
        let mut roster = Roster::default();
        roster.planned(
            listeners.iter().map(|listener| (name(listener), BTreeSet::from([queue()]))),
            at(0),
        );
        roster
    }

    fn free(roster: &Roster) -> Vec<String> {
        roster.free(&queue()).into_iter().map(|(listener, _)| listener.to_string()).collect()
    }

    fn name(text: &str) -> ListenerName {
        text.parse().expect("a name")
    }

    fn queue() -> QueueName {
        "helpline".parse().expect("a name")
    }

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }
}
