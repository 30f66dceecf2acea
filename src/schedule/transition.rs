//! The next changes of a schedule, and the why behind each.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::schedule::{Opening, Rule, Schedule};

/// The line opens, or closes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transition {
    /// The first instant of the new state.
    pub at: DateTime<Utc>,
    /// The new state.
    pub opens: bool,
    /// The rule that decides from then on.
    pub because: Rule,
}

pub(super) fn transitions(schedule: &Schedule, from: DateTime<Utc>, n: usize) -> Vec<Transition> {
    let mut found = Vec::new();
    let mut opening: Opening = schedule.opening(from);
    while found.len() < n {
        let Some(at) = opening.until() else {
            break;
        };
        opening = schedule.opening(at);
        found.push(Transition { at, opens: opening.is_open(), because: opening.because().clone() });
    }
    found
}
