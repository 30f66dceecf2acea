//! Dated exceptions: what a date or a period does instead of its usual hours.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::base::PromptName;
use crate::schedule::{Hours, Rule};

/// A dated exception.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exception {
    /// When it applies.
    pub when: When,
    /// The hours its date has. A period is open all through, or closed all through when empty.
    pub hours: Hours,
    /// Why, for the log and for `explain`; never read aloud.
    pub reason: String,
    /// What callers hear first while it keeps the line closed.
    pub prompt: Option<PromptName>,
}

/// When an exception applies.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum When {
    /// A whole date on the line's own calendar.
    Day(NaiveDate),
    /// From one instant up to, and not including, another. Wins over whole dates.
    Period {
        /// The first instant.
        from: DateTime<Utc>,
        /// The first instant after it.
        until: DateTime<Utc>,
    },
}

impl Exception {
    pub(super) fn rule(&self) -> Rule {
        Rule::Exception { when: self.when, hours: self.hours.clone(), reason: self.reason.clone() }
    }

    /// Whether it is a period that holds the instant.
    pub(super) fn covers(&self, at: DateTime<Utc>) -> bool {
        match self.when {
            When::Day(_) => false,
            When::Period { from, until } => from <= at && at < until,
        }
    }

    /// The instants at which a period begins and ends.
    pub(super) fn edges(&self) -> impl Iterator<Item = DateTime<Utc>> + use<> {
        let edges = match self.when {
            When::Day(_) => None,
            When::Period { from, until } => Some([from, until]),
        };
        edges.into_iter().flatten()
    }
}
