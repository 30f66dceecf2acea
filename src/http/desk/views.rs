//! Who signs in, what runs, and orders for the whole house, as the page writes and reads them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls.
    Listener,
    /// Sees the wall.
    ReadOnly,
    /// Runs the house: hours, the plan.
    Operator,
    /// Runs the evening: hours, listeners' states, records.
    Manager,
}

/// A sign-in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The account, as in `listeners.toml` or `people.toml`.
    pub(super) name: String,
    pub(super) password: String,
    /// Six digits, for those who have a second step.
    #[serde(default)]
    pub(super) code: Option<String>,
}

/// Who is signed in.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct SessionView {
    pub(super) name: String,
    /// What colleagues see.
    pub(super) display: String,
    pub(super) roles: Vec<Role>,
    /// To be shown in `X-CSRF-Token` by every request that changes something.
    pub(super) csrf: String,
    /// Seconds the sign-in lasts at most.
    pub(super) lasts: u64,
    /// The language of the house: `fr` or `en`.
    pub(super) language: String,
}

/// What the page's phone registers with; worth nothing once signed out.
#[derive(Clone, JsonSchema, Serialize)]
pub(super) struct PhoneView {
    /// The WebSocket door; none: no door for browsers is open.
    pub(super) url: Option<String>,
    /// The account's address.
    pub(super) uri: String,
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) secret: String,
}

/// Closing a line, or keeping it open; the end is compulsory.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwitchOrder {
    /// `close`, `open` or `automatic`.
    pub(super) switch: SwitchWord,
    /// One line only; none: all.
    #[serde(default)]
    pub(super) line: Option<String>,
    /// `17h`, `17h30`, `2026-12-24 17h`; not for `automatic`.
    #[serde(default)]
    pub(super) until: Option<String>,
    /// A recording of the plan, said besides the usual words; only for `close`.
    #[serde(default)]
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum SwitchWord {
    Close,
    Open,
    Automatic,
}

/// What came of an order.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct Done {
    pub(super) done: String,
}

/// The plan in force.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct PlanView {
    pub version: String,
    /// When it came into force.
    pub since: Option<DateTime<Utc>>,
    /// What it changed, in words; empty since the start.
    pub change: String,
    /// The files on disk are not what runs: why.
    pub alarm: Option<String>,
}
