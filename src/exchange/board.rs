use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{LineName, ListenerName, QueueName, TrunkName};
use crate::exchange::Alarm;
use crate::sip::Load;

/// The read-only picture of the house, for the wall, health checks and metrics. No caller's number
/// is in it, and no figure that ranks people.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Board {
    pub at: DateTime<Utc>,
    pub plan: String,
    pub lines: Vec<LineBoard>,
    pub queues: Vec<QueueBoard>,
    pub listeners: Vec<ListenerBoard>,
    /// Roads to the public network.
    #[serde(default)]
    pub trunks: Vec<TrunkBoard>,
    /// Calls alive, in whatever stage, and the most allowed.
    pub calls: usize,
    pub calls_max: usize,
    pub calls_talking: usize,
    /// What needs a person.
    pub alarms: Vec<Alarm>,
    pub stopping: bool,
    pub load: Load,
    /// Messages that could not be read, since the start.
    pub sip_malformed: u64,
    /// Requests with wrong or replayed credentials, since the start.
    pub authentication_failures: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LineBoard {
    pub line: LineName,
    pub open: bool,
    /// When that changes next.
    pub until: Option<DateTime<Utc>>,
    /// The same on the line's own clock.
    pub until_local: Option<NaiveDateTime>,
    /// Callers admitted before closing are served until then.
    pub drain_until: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct QueueBoard {
    pub queue: QueueName,
    pub waiting: usize,
    /// Seconds the first in line has waited.
    pub oldest: Option<u64>,
    /// Everybody in line, as they will be served.
    #[serde(default)]
    pub waits: Vec<WaitBoard>,
}

/// One who waits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct WaitBoard {
    pub line: LineName,
    /// When the call came.
    pub since: DateTime<Utc>,
    /// They were with a listener before, and were cut off.
    pub returning: bool,
    /// Their telephone writes, and shows what is written to it.
    #[serde(default)]
    pub writes: bool,
}

/// Somebody a listener asks in the middle of a call.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AskedBoard {
    /// As people know them.
    pub name: String,
    /// To take the caller at once, and the listener goes.
    pub takes_over: bool,
    /// To be the third, with the caller.
    pub joins: bool,
    pub answered: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ListenerBoard {
    pub listener: ListenerName,
    pub display: String,
    /// `offline`, `available`, `alerting`, `talking`, `after_call_work`, `paused`, `elsewhere`,
    /// `unreachable`.
    pub presence: String,
    pub phones: usize,
    /// When the state ends by itself: notes, or a phone that is left alone.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    /// Why they are paused: `own`, `missed`, `rest`, `finished`, `refusing`.
    #[serde(default)]
    pub why: Option<String>,
    /// The caller who rings, or whom they talk with.
    #[serde(default)]
    pub caller: Option<WaitBoard>,
    #[serde(default)]
    pub asked: Option<AskedBoard>,
}

/// A road to the public network.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TrunkBoard {
    pub trunk: TrunkName,
    /// An address of it answers, or none is asked.
    pub up: bool,
    /// None: it wants no registration.
    pub registered: Option<bool>,
    /// Addresses the DNS names for it that are outside its ranges, and not used.
    pub abroad: usize,
}
