//! What the operator wants, checked and linked.
//!
//! `config::link` is the only maker of a [`Plan`]; every name in it exists, every number parses,
//! every prompt is on disk. It is plain data: a running call keeps the `Arc<Plan>` it began with,
//! and the sound of the prompts lives with the media shards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{
    AddressRange, LineName, ListenerName, PhoneNumber, PromptName, QueueName, TrunkName,
};
use crate::queue::QueuePlan;
use crate::schedule::Schedule;
use crate::sip;

/// The whole of the operator's wishes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// A short hash of the files it was made from; stamped on every record.
    pub version: String,
    pub lines: BTreeMap<LineName, LinePlan>,
    /// What trunks deliver, and what listeners may dial to reach a line.
    pub numbers: BTreeMap<PhoneNumber, LineName>,
    /// What listeners dial to change their own state (`*10`).
    pub codes: BTreeMap<String, Code>,
    pub queues: BTreeMap<QueueName, QueuePlan>,
    pub listeners: BTreeMap<ListenerName, ListenerPlan>,
    pub trunks: BTreeMap<TrunkName, TrunkPlan>,
    pub prompts: BTreeMap<PromptName, PromptPlan>,
    pub sip: sip::Setup,
    /// The most calls at once, waiting and closed messages included.
    pub calls_max: usize,
    /// How long a stop waits for calls to end by themselves (scenarios.md SC-32).
    pub grace: Duration,
}

/// One dialable line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LinePlan {
    pub name: LineName,
    /// The number as listeners see it: `3977`.
    pub display: String,
    pub schedule: Schedule,
    pub queue: QueueName,
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

/// What a listener's dialled code does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    Pause,
    ComeBack,
    EndAfterCallWork,
}

/// A person who may answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ListenerPlan {
    pub display: String,
    pub queues: BTreeSet<QueueName>,
}

/// A road to the public network.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TrunkPlan {
    pub addresses: Vec<AddressRange>,
    /// Where its sound may come from; empty: the addresses above.
    pub media: Vec<AddressRange>,
}

/// A recording, as far as call control needs it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PromptPlan {
    pub words: String,
    pub length: Duration,
}
