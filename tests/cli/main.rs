//! What operators read: `check` and `explain`, word for word.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod check;
mod explain;
mod plan_folder;

use chrono::{DateTime, Utc};

/// A Saturday in the weekend break.
fn now() -> DateTime<Utc> {
    "2026-11-21T12:30:00Z".parse().unwrap()
}
