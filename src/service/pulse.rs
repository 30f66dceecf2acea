//! Signs of life of the loop, readable from anywhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::Moment;

/// Written by the loop, read by health checks, metrics and the watchdog.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Microseconds since the start of the house.
    last_turn: AtomicU64,
    lag: AtomicU64,
    lag_max: AtomicU64,
    turns: AtomicU64,
    received: AtomicU64,
    late: AtomicU64,
    sent: AtomicU64,
    panics: AtomicU64,
}

/// One look at a [`Pulse`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Vitals {
    /// Facts handled.
    pub turns: u64,
    /// SIP messages taken in.
    pub received: u64,
    /// Those among them that were too old to be begun, or came when too much else began.
    pub late: u64,
    /// SIP messages sent.
    pub sent: u64,
    /// Facts that broke something and were dropped.
    pub panics: u64,
    /// How long the latest fact had waited.
    pub lag: Duration,
    /// The longest a fact had waited since this was asked last.
    pub lag_max: Duration,
}

impl Pulse {
    pub(super) fn turned(&self, now: Moment) {
        self.last_turn.store(micros(now.since_start()), Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lagged(&self, lag: Duration) {
        self.lag.store(micros(lag), Ordering::Relaxed);
        self.lag_max.fetch_max(micros(lag), Ordering::Relaxed);
    }

    pub(super) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn was_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// How long ago the loop last turned; it never sleeps for more than half a second.
    pub fn age(&self, now: Moment) -> Duration {
        now.since_start()
            .saturating_sub(Duration::from_micros(self.last_turn.load(Ordering::Relaxed)))
    }

    /// How long the latest fact had waited.
    pub fn lag(&self) -> Duration {
        Duration::from_micros(self.lag.load(Ordering::Relaxed))
    }

    /// Facts that broke something and were dropped.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    pub fn vitals(&self) -> Vitals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Vitals {
            turns: read(&self.turns),
            received: read(&self.received),
            late: read(&self.late),
            sent: read(&self.sent),
            panics: read(&self.panics),
            lag: Duration::from_micros(read(&self.lag)),
            lag_max: Duration::from_micros(self.lag_max.swap(0, Ordering::Relaxed)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
