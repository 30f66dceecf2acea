//! What the operator wants, checked and linked.
//!
//! `config::link` is the only maker of a [`Plan`]; every name in it exists, every number parses,
//! every prompt is on disk. It is plain data: a running call keeps the `Arc<Plan>` it began with,
//! and the sound of the prompts lives with the media shards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{
    AddressRange, LineName, ListenerName, PhoneNumber, PromptName, QueueName, TrunkName,
};
use crate::call::LinePlan;
use crate::queue::QueuePlan;
use crate::sip;

/// The whole of the operator's wishes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// A short hash of the files it was made from; stamped on every record.
    pub version: String,
    pub lines: BTreeMap<LineName, Arc<LinePlan>>,
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
    /// The most calls of one caller at once; more hear that all lines are taken. None: not counted.
    pub caller_calls_max: Option<usize>,
    /// How long a stop waits for calls to end by themselves (scenarios.md SC-32).
    pub grace: Duration,
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
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct TrunkPlan {
    pub addresses: Vec<AddressRange>,
    /// Where its sound may come from; empty: the addresses above.
    pub media: Vec<AddressRange>,
    pub closed_message: ClosedMessage,
    /// The numbers it may deliver; empty: every number of the house.
    pub numbers: BTreeSet<PhoneNumber>,
    /// The most calls at once by this road; None: as many as the house takes.
    pub calls_max: Option<usize>,
    pub protection: Protection,
}

/// How the sound of our calls to a trunk is protected, where its signalling is. Whatever is asked for, a
/// trunk that refuses it gets the call with plain sound.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Protection {
    Never,
    /// Keys beside a plain profile: who knows them takes them (RFC 8643).
    #[default]
    Offered,
    /// `RTP/SAVP`, for trunks that overlook keys anywhere else.
    Demanded,
}

/// How callers of a trunk are told that a line is closed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum ClosedMessage {
    /// In a call that is answered: heard on every network.
    #[default]
    Answered,
    /// Before it is answered, and refused after that: nobody is billed, and the network counts no answer.
    EarlyMedia,
}

/// A recording, as far as call control needs it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PromptPlan {
    pub words: String,
    pub length: Duration,
}
