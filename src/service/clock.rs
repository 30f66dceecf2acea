//! The only reader of clocks.
#![expect(clippy::disallowed_methods, reason = "this is where time enters the house")]

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;

use crate::base::{Moment, Now};
use crate::net::Stamp;

/// The clocks of the machine, read together.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// What both clocks show.
    pub fn now(&self) -> Now {
        Now { steady: Moment::START + self.start.elapsed(), wall: Utc::now() }
    }

    /// The steady clock alone.
    pub fn moment(&self) -> Moment {
        Moment::START + self.start.elapsed()
    }

    /// When it started counting, for those who count otherwise.
    pub fn beginning(&self) -> Instant {
        self.start
    }

    /// The same clock, for those below this floor who stamp facts.
    pub fn stamp(&self) -> Stamp {
        let clock = *self;
        Arc::new(move || clock.now())
    }
}
