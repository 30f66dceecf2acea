//! What the house counts, for Prometheus.
//!
//! [`Metrics`] is told facts (a record, a number somebody else counted) and writes them down together
//! with the [`Board`] when it is asked, in the OpenMetrics text format. It counts nothing by itself
//! and decides nothing; names, units and help sentences are in [`exposition`] and are a promise to
//! whoever drew a dashboard.
//!
//! No label is a caller's number, an address or a listener's name (domain.md §4, P-18).

mod exposition;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::base::LineName;
use crate::exchange::Board;
use crate::record::{AttemptResult, CallRecord, Outcome};
use exposition::Picture;

/// The `Content-Type` of an exposition.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything counted since the start.
#[derive(Debug)]
pub struct Metrics {
    started: DateTime<Utc>,
    counts: Mutex<Counts>,
}

impl Metrics {
    /// A house that has seen nothing yet.
    pub fn new(started: DateTime<Utc>) -> Self {
        Self { started, counts: Mutex::new(Counts::new()) }
    }

    /// A call ended.
    pub fn recorded(&self, record: &CallRecord) {
        self.lock().recorded(record);
    }

    /// Something was counted elsewhere: sets or adds to its total.
    pub fn counted(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.lock().totals);
    }

    /// Everything, as text.
    pub fn exposition(&self, board: &Board) -> String {
        Picture { started: self.started, counts: self.lock().clone(), board: board.clone() }.text()
    }

    /// Counts are whole after every statement, so a poisoned lock is used.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Totals since the start that other parts of the house keep, and a few states the board does not
/// know. Everything named like a fact only ever grows.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub sip: SipTotals,
    pub media: MediaTotals,
    pub records: RecordTotals,
    pub clock: ClockTotals,
    pub exchange: LoopTotals,
    pub plans_loaded: u64,
    pub plans_refused: u64,
}

/// What came and went at the SIP doors.
#[derive(Clone, Debug, Default)]
pub struct SipTotals {
    pub received: u64,
    pub sent: u64,
    /// Messages that had waited too long when they were read.
    pub late: u64,
    /// Datagrams nobody had time to read.
    pub dropped: u64,
    /// TCP connections now.
    pub connections: u64,
    pub connections_refused: u64,
    /// Connections closed to make room, or because they said nothing.
    pub connections_evicted: u64,
    /// TLS handshakes and WebSocket upgrades that came to nothing.
    pub handshakes_failed: u64,
    /// When the first certificate of our doors ends, in seconds since 1970; none: there is none.
    pub certificate_end: Option<i64>,
}

/// What came and went as sound.
#[derive(Clone, Debug, Default)]
pub struct MediaTotals {
    /// Streams now.
    pub streams: u64,
    pub received: u64,
    pub sent: u64,
    pub lost: u64,
    /// Packets from a source that is not the stream's.
    pub strangers: u64,
    /// Packets the network did not take from us.
    pub unsent: u64,
    /// Times a media thread was more than 10 ms behind.
    pub late_ticks: u64,
    /// Media threads that broke.
    pub shards_lost: u64,
}

/// What became of call records.
#[derive(Clone, Debug, Default)]
pub struct RecordTotals {
    /// Waiting in memory now.
    pub spooled: u64,
    pub written: u64,
    pub dropped: u64,
    /// Whether the database can't be written now.
    pub away: bool,
}

/// How the one loop fares.
#[derive(Clone, Debug, Default)]
pub struct LoopTotals {
    /// The longest a fact had waited since it was asked last, in seconds.
    pub lag: f64,
    /// Facts that broke something and were dropped.
    pub panics: u64,
}

/// What the wall clock did.
#[derive(Clone, Debug, Default)]
pub struct ClockTotals {
    /// By how much the wall clock differs from the time we believe, in seconds.
    pub step: f64,
    pub steps: u64,
}

#[derive(Clone, Debug)]
struct Counts {
    calls: BTreeMap<(LineName, Outcome), u64>,
    attempts: BTreeMap<AttemptResult, u64>,
    wait: Histogram,
    talk: Histogram,
    ring: Histogram,
    /// Legs by how they sounded.
    sound: BTreeMap<&'static str, u64>,
    one_way: u64,
    totals: Totals,
}

impl Counts {
    fn new() -> Self {
        Self {
            calls: BTreeMap::new(),
            attempts: BTreeMap::new(),
            wait: Histogram::new(WAITS),
            talk: Histogram::new(TALKS),
            ring: Histogram::new(RINGS),
            sound: BTreeMap::new(),
            one_way: 0,
            totals: Totals::default(),
        }
    }

    fn recorded(&mut self, record: &CallRecord) {
        *self.calls.entry((record.line.clone(), record.outcome)).or_default() += 1;
        for attempt in &record.attempts {
            *self.attempts.entry(attempt.result).or_default() += 1;
            self.ring.observe(attempt.rang);
        }
        for quality in std::iter::once(&record.quality).chain(&record.listener_quality) {
            *self.sound.entry(sounded(quality.score)).or_default() += 1;
            self.one_way += u64::from(quality.is_one_way());
        }
        if record.waited > Duration::ZERO {
            self.wait.observe(record.waited);
        }
        if record.talked > Duration::ZERO {
            self.talk.observe(record.talked);
        }
    }
}

/// The words of ITU-T G.107 Annex B for what most people would say.
fn sounded(score: Option<u16>) -> &'static str {
    match score {
        None => "unknown",
        Some(403..) => "good",
        Some(360..) => "fair",
        Some(310..) => "poor",
        Some(_) => "bad",
    }
}

const SOUNDS: [&str; 5] = ["good", "fair", "poor", "bad", "unknown"];

/// Seconds; a wait of an hour happens.
const WAITS: &[f64] = &[5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];
const TALKS: &[f64] = &[10.0, 60.0, 300.0, 600.0, 1200.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0];
const RINGS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0];

/// Durations, sorted into buckets.
#[derive(Clone, Debug)]
struct Histogram {
    /// Upper bounds in seconds, each with what fell under it and not under the one before.
    buckets: Vec<(f64, u64)>,
    sum: f64,
    count: u64,
}

impl Histogram {
    fn new(bounds: &[f64]) -> Self {
        let bounds = bounds.iter().copied().chain([f64::INFINITY]);
        Self { buckets: bounds.map(|bound| (bound, 0)).collect(), sum: 0.0, count: 0 }
    }

    fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some((_, count)) = self.buckets.iter_mut().find(|(bound, _)| seconds <= *bound) {
            *count += 1;
        }
        self.sum += seconds;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests;
