//! What a [`Person`] notices: a phone that rings, a voice, a recording, silence.

use std::time::Duration;

use crate::base::Moment;
use crate::sim::person::Person;
use crate::sim::phone::{Light, Seen};
use crate::sim::sound::Heard;
use crate::sim::world::World;

impl Person {
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

    /// The lamp for a colleague is lit so, some time before that.
    #[track_caller]
    pub fn sees_the_lamp(&self, whom: &str, package: &str, light: Light, limit: Duration) {
        let what = format!("sees {whom} {light:?} by {package}");
        let lit = |world: &World| world.phone(&self.name).lamp(whom, package) == Some(light);
        self.notices_within(&what, limit, lit);
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

    /// How many calls somebody else began are up or ring.
    pub fn taken_calls(&self) -> usize {
        self.town.world().phone(&self.name).taken_calls()
    }

    /// How many calls ring at once.
    pub fn ringing(&self) -> usize {
        self.town.world().phone(&self.name).ringing()
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

    /// Is shown this text on their telephone.
    #[track_caller]
    pub fn reads(&self, text: &str) {
        self.notices(&format!("reads {text}"), |world| world.read_by(&self.name).contains(text));
    }

    /// All they were shown in this call.
    pub fn read(&self) -> String {
        self.town.world().read_by(&self.name)
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
                | Heard::Voice(_)
                | Heard::Voices(_) => None,
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
            | Seen::Transferred { .. }
            | Seen::Told { .. }
            | Seen::HangUpConfirmed
            | Seen::Replied { .. }
            | Seen::Reoffered { .. } => None,
        });
        told.unwrap_or_default()
    }

    /// The status with which the house refused this call.
    #[track_caller]
    pub fn gets_refused(&self, expected: u16) {
        self.is_refused_within(expected, self.town.patience());
    }

    /// The same, some time before that.
    #[track_caller]
    pub fn is_refused_within(&self, expected: u16, limit: Duration) {
        self.notices_within(&format!("is refused with {expected}"), limit, |world| {
            world.phone(&self.name).seen().iter().any(
                |(_, seen)| matches!(seen, Seen::Refused { status, .. } if *status == expected),
            )
        });
    }

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
}
