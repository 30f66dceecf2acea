//! The operator's hand on the switch: open or closed until an instant, whatever the schedule says.
//!
//! An end is compulsory: a switch that is forgotten lets go by itself (scenarios.md SC-37).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::PromptName;
use crate::schedule::{Closure, Opening, Rule, Schedule};

/// The operator's hand on the switch.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Switch {
    /// The schedule decides.
    #[default]
    Automatic,
    /// Closed until an instant.
    Closed {
        /// When the schedule decides again.
        until: DateTime<Utc>,
        /// What callers hear first.
        message: Option<PromptName>,
    },
    /// Open until an instant.
    Open {
        /// When the schedule decides again.
        until: DateTime<Utc>,
    },
}

impl Switch {
    /// Until when the switch itself decides; none when it is the schedule, or the end is past.
    pub fn holds_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Automatic => None,
            Self::Closed { until, .. } | Self::Open { until } => Some(*until).filter(|u| at < *u),
        }
    }

    pub(super) fn opening(&self, schedule: &Schedule, at: DateTime<Utc>) -> Opening {
        let Some(ends) = self.holds_until(at) else {
            return schedule.opening(at);
        };
        let because = Rule::Switch { until: ends };
        let after = schedule.opening(ends);
        match self {
            Self::Automatic => schedule.opening(at),
            Self::Closed { message, .. } => {
                let until = if after.is_open() { Some(ends) } else { after.until() };
                Opening::Closed {
                    until,
                    why: Closure::Switch { message: message.clone() },
                    because,
                }
            }
            Self::Open { .. } => {
                let until = if after.is_open() { after.until() } else { Some(ends) };
                Opening::Open { until, because }
            }
        }
    }
}
