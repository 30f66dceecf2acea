use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// The time, twice.
///
/// `steady` never jumps: timers and durations use it. `wall` is what a clock on the wall says:
/// opening hours and call records use it. They always travel together so that no one reads only
/// the one that is at hand.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Now {
    /// Never jumps, means nothing to people.
    pub steady: Moment,
    /// Means something to people, may jump.
    pub wall: DateTime<Utc>,
}

impl Now {
    /// The same moment, later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self { steady: self.steady + duration, wall: self.wall + duration }
    }
}
