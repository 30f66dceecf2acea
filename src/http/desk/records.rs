//! Calls that are over, one by one and counted.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::CallRecord;

/// One call that is over.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct RecordView {
    /// To the minute.
    pub(super) arrived: DateTime<Utc>,
    pub(super) line: String,
    pub(super) origin: Option<String>,
    pub(super) trunk: Option<String>,
    pub(super) outcome: String,
    /// Seconds.
    pub(super) waited: u64,
    pub(super) talked: u64,
    pub(super) lasted: u64,
    /// How many listeners were rung.
    pub(super) rung: usize,
    pub(super) cause: String,
    pub(super) plan: String,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordsWanted {
    /// The first day, as `2026-11-22`; none: 90 days back.
    #[serde(default)]
    pub(super) from: Option<chrono::NaiveDate>,
    /// The last day, whole; none: today.
    #[serde(default)]
    pub(super) until: Option<chrono::NaiveDate>,
    #[serde(default)]
    pub(super) line: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<String>,
}

/// One figure, with the words that say what it counts.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct Figure {
    /// `decroche`, `snated`, `eighty_twenty`.
    pub(super) name: String,
    /// None while nothing was counted.
    pub(super) per_cent: Option<f64>,
    pub(super) counted: u64,
    pub(super) of: u64,
    pub(super) french: String,
    pub(super) english: String,
}

/// Today's figures of one line, or of all.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Since midnight, on the house's own clock.
    pub(super) since: DateTime<Utc>,
    pub(super) calls: u64,
    pub(super) figures: Vec<Figure>,
}

impl From<&CallRecord> for RecordView {
    fn from(record: &CallRecord) -> Self {
        Self {
            arrived: record.arrived,
            line: record.line.to_string(),
            origin: record.origin.as_ref().map(ToString::to_string),
            trunk: record.trunk.as_ref().map(ToString::to_string),
            outcome: record.outcome.to_string(),
            waited: record.waited.as_secs(),
            talked: record.talked.as_secs(),
            lasted: record.lasted.as_secs(),
            rung: record.attempts.len() + record.attempts_untold as usize,
            cause: format!("{} {}", record.cause.by.as_str(), record.cause.q850.value()),
            plan: record.plan.clone(),
        }
    }
}
