//! Somebody in the town, with a telephone: what they do, and what they notice.
//!
//! Verbs act at once. Statements (`rings`, `hears`, `talks_with`) wait for the network, then hold
//! or stop the story; those named `is_…` and `has_…` are about this very moment.

use std::time::Duration;

use crate::base::Moment;
use crate::sim::phone::{Direction, Phone, Seen};
use crate::sim::sound::Heard;
use crate::sim::town::Town;
use crate::sim::world::World;

/// How long it may take until a listener has a call, from the moment their caller dials.
const BUSY_WITHIN: Duration = Duration::from_secs(120);

/// A handle on somebody.
#[derive(Clone)]
pub struct Person {
    town: Town,
    name: String,
}

impl Person {
    pub(super) fn new(town: Town, name: &str) -> Self {
        Self { town, name: name.to_owned() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    // ---- what they do ----

    pub fn dials(&self, number: &str) {
        self.did(&format!("dials {number}"));
        self.with(|phone, now| phone.dials(number, now));
    }

    /// Lets it ring until it does, and picks up.
    #[track_caller]
    pub fn picks_up(&self) {
        self.rings();
        self.did("picks up");
        self.with(Phone::picks_up);
    }

    /// Picks up if it rings at this moment, and does nothing else.
    pub fn picks_up_if_ringing(&self) {
        if self.is_ringing() {
            self.did("picks up");
        }
        self.with(Phone::picks_up);
    }

    #[track_caller]
    pub fn refuses(&self, status: u16) {
        self.rings();
        self.did(&format!("refuses with {status}"));
        self.with(|phone, now| phone.refuses(status, now));
    }

    pub fn hangs_up(&self) {
        self.did("hangs up");
        self.with(Phone::hangs_up);
    }

    pub fn holds(&self) {
        self.did("puts the line on hold");
        self.with(Phone::holds);
    }

    pub fn resumes(&self) {
        self.did("comes back from hold");
        self.with(Phone::resumes);
    }

    /// Sends a re-INVITE with the codecs of its present habits.
    pub fn reoffers(&self) {
        self.did("offers anew");
        self.with(|phone, now| phone.reoffers(Direction::Both, now));
    }

    /// The network brings the INVITE a second time.
    pub fn repeats_the_invite(&self) {
        self.did("sends the INVITE again");
        self.with(Phone::repeats_the_invite);
    }

    pub fn presses(&self, digit: char) {
        self.did(&format!("presses {digit}"));
        let mut world = self.town.world_mut();
        let to = world.phone(&self.name).voices().next().map(|voice| voice.theirs);
        if let Some(to) = to {
            world.sound.pressed(to, digit);
            world.settle();
        }
    }

    /// Registers and waits until it is done.
    #[track_caller]
    pub fn registers(&self) {
        self.did("registers");
        self.with(Phone::registers);
        self.town.awaits(&format!("{} is registered", self.name), |world| {
            world.phone(&self.name).is_registered()
        });
    }

    /// Registers, and doesn't wait for what comes of it.
    pub fn tries_to_register(&self) {
        self.did("tries to register");
        self.with(Phone::registers);
    }

    /// Unregisters, as a phone does that is switched off properly.
    pub fn unregisters(&self) {
        self.did("unregisters");
        self.with(Phone::unregisters);
    }

    /// The cable is pulled: nothing more is heard from there.
    pub fn unplugs(&self) {
        self.did("pulls the cable");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.died(address);
        world.settle();
    }

    pub fn plugs_in(&self) {
        self.did("puts the cable back");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.revived(address);
        world.settle();
    }

    /// The program is closed: the machine answers that nobody is on that port.
    pub fn closes_the_port(&self) {
        self.did("closes the port");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.shut(address);
        world.settle();
    }

    pub fn opens_the_port(&self) {
        self.did("opens the port");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.opened(address);
        world.settle();
    }

    /// The TCP connection breaks.
    pub fn loses_the_connection(&self) {
        self.did("loses the connection");
        let mut world = self.town.world_mut();
        let (flow, now) = (world.phone(&self.name).flow(), world.now);
        world.network.closed(flow, now);
        world.settle();
    }

    /// Changes what the phone does by itself from now on.
    pub fn changes(&self, change: impl FnOnce(&mut crate::sim::phone::Habits)) {
        self.with(|phone, _| change(&mut phone.habits));
    }

    /// A listener gets busy: somebody calls, and they pick up. Returns the caller.
    #[track_caller]
    pub fn takes_a_call(&self) -> Self {
        let caller = self.town.dials(&format!("{}-caller", self.name), "3977");
        let end = self.town.now() + BUSY_WITHIN;
        loop {
            // The phone may still ring for somebody who is served already: it is picked up in vain.
            self.picks_up_if_ringing();
            let theirs = Heard::Voice(caller.name.clone());
            if self.hearing() == theirs && caller.hearing() == Heard::Voice(self.name.clone()) {
                return caller;
            }
            if !self.town.world_mut().steps_to(end) {
                self.town.world().fails(&format!("{} should have taken a call", self.name));
            }
        }
    }

    /// Hears that the line is closed.
    #[track_caller]
    pub fn hears_that_it_is_closed(&self) {
        self.gets_through();
        self.hears_within("danger", Duration::from_secs(10));
    }

    // ---- what they notice ----

    /// The phone rings.
    #[track_caller]
    pub fn rings(&self) {
        self.rings_within(self.town.patience());
    }

    /// The phone rings some time before that.
    #[track_caller]
    pub fn rings_within(&self, limit: Duration) {
        self.notices_within("rings", limit, |world| world.phone(&self.name).is_ringing());
    }

    /// The phone stops ringing.
    #[track_caller]
    pub fn stops_ringing(&self) {
        self.notices("stops ringing", |world| !world.phone(&self.name).is_ringing());
    }

    /// The same, some time before that.
    #[track_caller]
    pub fn stops_ringing_within(&self, limit: Duration) {
        let rings = |world: &World| !world.phone(&self.name).is_ringing();
        self.notices_within("stops ringing", limit, rings);
    }

    /// The phone does not ring, at this moment.
    #[track_caller]
    pub fn is_quiet(&self) {
        if self.is_ringing() {
            self.town.world().fails(&format!("{} should not be ringing", self.name));
        }
    }

    pub fn is_ringing(&self) -> bool {
        self.town.world().phone(&self.name).is_ringing()
    }

    pub fn is_in_call(&self) -> bool {
        self.town.world().phone(&self.name).is_in_call()
    }

    /// How many calls are up, ring or are dialled.
    pub fn calls(&self) -> usize {
        self.town.world().phone(&self.name).calls()
    }

    /// How many calls ring at once.
    pub fn ringing(&self) -> usize {
        self.town.world().phone(&self.name).ringing()
    }

    /// Whether the cable is in.
    pub fn is_plugged_in(&self) -> bool {
        let world = self.town.world();
        world.network.is_alive(world.phone(&self.name).flow().peer)
    }

    /// Has no call any more: the other side ended it, or we did.
    #[track_caller]
    pub fn comes_free(&self) {
        self.notices("is free", |world| world.phone(&self.name).is_free());
    }

    /// The same, some time before that.
    #[track_caller]
    pub fn comes_free_within(&self, limit: Duration) {
        self.notices_within("is free", limit, |world| world.phone(&self.name).is_free());
    }

    /// The call is up.
    #[track_caller]
    pub fn gets_through(&self) {
        self.notices("is answered", |world| world.phone(&self.name).is_in_call());
    }

    /// Each hears the other.
    #[track_caller]
    pub fn talks_with(&self, other: &Self) {
        self.talks_with_within(other, self.town.patience());
    }

    /// Each hears the other, some time before that.
    #[track_caller]
    pub fn talks_with_within(&self, other: &Self, limit: Duration) {
        self.notices_within(&format!("talks with {}", other.name), limit, |world| {
            world.heard_by(&self.name) == Heard::Voice(other.name.clone())
                && world.heard_by(&other.name) == Heard::Voice(self.name.clone())
        });
    }

    /// Hears this recording.
    #[track_caller]
    pub fn hears(&self, prompt: &str) {
        let heard = Heard::Prompt(prompt.parse().expect("a name"));
        self.notices(&format!("hears {prompt}"), |world| world.heard_by(&self.name) == heard);
    }

    /// Hears this recording some time before that.
    #[track_caller]
    pub fn hears_within(&self, prompt: &str, limit: Duration) {
        let heard = Heard::Prompt(prompt.parse().expect("a name"));
        let what = format!("hears {prompt}");
        self.notices_within(&what, limit, |world| world.heard_by(&self.name) == heard);
    }

    #[track_caller]
    pub fn hears_ringback(&self) {
        self.notices("hears the ringback", |world| world.heard_by(&self.name) == Heard::Ringback);
    }

    #[track_caller]
    pub fn hears_nothing(&self) {
        self.notices("hears nothing", |world| world.heard_by(&self.name) == Heard::Nothing);
    }

    /// What they hear at this moment.
    pub fn hearing(&self) -> Heard {
        self.town.world().heard_by(&self.name)
    }

    /// All they heard, with the moment it began, oldest first.
    pub fn heard(&self) -> Vec<(Moment, Heard)> {
        self.town.world().hearing[&self.name].clone()
    }

    /// The recordings they heard since a moment, in order, wait sounds left out.
    pub fn recordings_since(&self, since: Moment) -> Vec<String> {
        self.heard()
            .into_iter()
            .filter(|(at, _)| *at >= since)
            .filter_map(|(_, heard)| match heard {
                Heard::Prompt(prompt) if prompt.as_str() != "attente" => Some(prompt.to_string()),
                Heard::Prompt(_)
                | Heard::Nothing
                | Heard::Ringback
                | Heard::Busy
                | Heard::Voice(_) => None,
            })
            .collect()
    }

    /// The recordings they heard, as one line.
    pub fn recordings(&self) -> String {
        self.recordings_since(Moment::START).join(" ")
    }

    /// The longest time they heard nothing, since a moment.
    pub fn longest_silence_since(&self, since: Moment) -> Duration {
        let now = self.town.now();
        let heard = self.heard();
        let ends = heard.iter().skip(1).map(|(at, _)| *at).chain([now]);
        heard
            .iter()
            .zip(ends)
            .filter(|((_, heard), _)| *heard == Heard::Nothing)
            .map(|((begin, _), end)| end - (*begin).max(since))
            .max()
            .unwrap_or_default()
    }

    /// The longest time they heard nothing between two things they heard: what was before the
    /// answer or after the end was no call.
    pub fn longest_silence_in_calls(&self) -> Duration {
        let heard = self.heard();
        heard
            .windows(3)
            .filter(|three| three[0].1 != Heard::Nothing && three[1].1 == Heard::Nothing)
            .map(|three| three[2].0 - three[1].0)
            .max()
            .unwrap_or_default()
    }

    /// Everything the phone's display showed.
    pub fn seen(&self) -> Vec<(Moment, Seen)> {
        self.town.world().phone(&self.name).seen().to_vec()
    }

    /// The phone's display shows this, now or soon.
    #[track_caller]
    pub fn sees(&self, expected: &Seen) {
        self.notices(&format!("sees {expected:?}"), |world| {
            world.phone(&self.name).seen().iter().any(|(_, seen)| seen == expected)
        });
    }

    /// How many messages the house has sent to this phone.
    pub fn sent_messages(&self) -> usize {
        self.town.sent_to(&self.name, Moment::START).len()
    }

    /// How often the phone began to ring.
    pub fn rang(&self) -> usize {
        self.seen().iter().filter(|(_, seen)| matches!(seen, Seen::Rang { .. })).count()
    }

    /// When the phone began to ring last.
    #[track_caller]
    pub fn rang_at(&self) -> Moment {
        let seen = self.seen();
        let rang = seen.iter().rev().find(|(_, seen)| matches!(seen, Seen::Rang { .. }));
        rang.unwrap_or_else(|| panic!("{} never rang", self.name)).0
    }

    /// The Reason with which the house ended this call or stopped this phone, last.
    pub fn reason(&self) -> String {
        let seen = self.seen();
        let told = seen.iter().rev().find_map(|(_, seen)| match seen {
            Seen::HungUp { reason }
            | Seen::RingingStopped { reason }
            | Seen::Refused { reason, .. } => Some(reason.clone()),
            Seen::Registered
            | Seen::Unregistered
            | Seen::RegistrationRefused { .. }
            | Seen::Progress { .. }
            | Seen::Answered
            | Seen::Rang { .. }
            | Seen::Connected
            | Seen::Told { .. }
            | Seen::HangUpConfirmed
            | Seen::Reoffered { .. } => None,
        });
        told.unwrap_or_default()
    }

    /// The status with which the house refused this call.
    #[track_caller]
    pub fn gets_refused(&self, expected: u16) {
        self.notices(&format!("is refused with {expected}"), |world| {
            world.phone(&self.name).seen().iter().any(
                |(_, seen)| matches!(seen, Seen::Refused { status, .. } if *status == expected),
            )
        });
    }

    // ---- the parts ----

    #[track_caller]
    fn notices(&self, what: &str, condition: impl Fn(&World) -> bool) {
        self.notices_within(what, self.town.patience(), condition);
    }

    #[track_caller]
    fn notices_within(&self, what: &str, limit: Duration, condition: impl Fn(&World) -> bool) {
        let limit = limit.max(self.town.patience());
        self.town.awaits_until(
            self.town.now() + limit,
            &format!("{} {what}", self.name),
            condition,
        );
    }

    fn with(&self, act: impl FnOnce(&mut Phone, Moment)) {
        self.town.world_mut().with(&self.name, act);
    }

    fn did(&self, what: &str) {
        self.town.world_mut().did(format!("{} {what}", self.name));
    }
}
