//! How long a caller will wait, as far as the last conversations tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A running mean of how long a listener is taken by one caller, notes included.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Estimate {
    holding: Duration,
}

/// What a conversation takes before any was measured (domain.md §1.4: 15 min and 3 of notes).
const HOLDING_AT_FIRST: Duration = Duration::from_secs(18 * 60);

impl Estimate {
    /// A listener was taken by a caller for this long.
    pub fn served(&mut self, holding: Duration) {
        self.holding = (self.holding * 7 + holding) / 8;
    }

    /// The wait of the caller at `place` (counted from one) with `on_duty` listeners; None when
    /// nobody is there to serve them.
    pub fn wait(&self, place: usize, on_duty: usize) -> Option<Duration> {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let on_duty = u32::try_from(on_duty).ok().filter(|count| *count > 0)?;
        Some(self.holding.saturating_mul(place) / on_duty)
    }
}

impl Default for Estimate {
    fn default() -> Self {
        Self { holding: HOLDING_AT_FIRST }
    }
}
