use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{LineName, ListenerName, PhoneNumber, PromptName, QueueName};
use crate::call::consulting::Whom;
use crate::schedule::Schedule;

/// One dialable line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LinePlan {
    pub name: LineName,
    /// The number as listeners see it: `3977`.
    pub display: String,
    pub schedule: Schedule,
    pub queue: QueueName,
    /// Another line has taken this one's place (scenarios.md SC-12).
    pub moved_to: Option<Moved>,
    pub greeting: Vec<PromptName>,
    /// How far into the greeting phones start ringing.
    pub ring_after: Duration,
    pub words: LineWords,
    /// How long callers admitted before closing are still served after it.
    pub drain: Duration,
    /// The same after an emergency closure (scenarios.md SC-37).
    pub drain_after_closure: Duration,
    /// Closing, with nobody logged in for this long, ends the drain.
    pub drain_without_listener: Duration,
    /// Open, with nobody logged in for this long: `unavailable` is said (scenarios.md SC-18).
    pub nobody_after: Duration,
    /// And this much later, with still nobody, it is said again and the call ends.
    pub nobody_patience: Duration,
    /// Managers who are called when nobody is logged in, on their own telephones.
    pub overflow: Vec<Helper>,
    /// Whom a listener may ask in the middle of a call, by the code they key in.
    pub centres: BTreeMap<String, Helper>,
    /// Which colleague, likewise.
    pub colleagues: BTreeMap<String, ListenerName>,
    /// The emergency services of a department, likewise (scenarios.md SC-27).
    pub emergency: BTreeMap<String, Helper>,
}

impl LinePlan {
    /// Whom a code is for.
    pub fn whom(&self, code: &str) -> Option<Whom> {
        let centre = self.centres.get(code).cloned().map(Whom::Centre);
        let colleague = || self.colleagues.get(code).cloned().map(Whom::Colleague);
        let emergency = || self.emergency.get(code).cloned().map(Whom::Emergency);
        centre.or_else(colleague).or_else(emergency)
    }
}

/// Somebody with an ordinary telephone who may take a call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Helper {
    /// Stands in records where a listener's name would.
    pub name: ListenerName,
    pub number: PhoneNumber,
}

/// Where a line's callers are served from now on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Moved {
    pub line: LineName,
    /// Said before anything else: "this number is replaced by that one".
    pub words: PromptName,
}

/// What a caller of a line hears besides the greeting; slots for hours and days are filled by
/// `ivr::announcement`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LineWords {
    /// The number in words, as a fragment ("le 39 77").
    pub spoken_number: PromptName,
    pub wait_sound: PromptName,
    /// Said `first_after` into the wait.
    pub first: PromptName,
    pub first_after: Duration,
    /// Where to turn in danger: said `danger_after` into the wait, then every `danger_every`th time.
    pub danger: PromptName,
    pub danger_after: Duration,
    pub danger_every: u32,
    /// Said in turn, every `again_after`.
    pub again: Vec<PromptName>,
    pub again_after: Duration,
    /// Said once, `long_after` into the wait, if the estimate is beyond `long_estimate`.
    pub long_after: Duration,
    pub long_estimate: Duration,
    pub saturated: PromptName,
    pub unavailable: PromptName,
    /// The listener was lost: "ne quittez pas".
    pub back_in_queue: PromptName,
    /// Two minutes before the drain's end.
    pub drain_near: PromptName,
}
