//! Records on their way to the disk: a ring in memory between the house and the writer.
//!
//! Its policy when full: the oldest record goes, and is counted. The lock is held for moves in
//! memory only, never over the disk, so `push` takes microseconds whatever the database does.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::record::{CallRecord, Purged};

/// Records written in one transaction at most.
const BATCH_MAX: usize = 500;

/// How the store is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Health {
    pub condition: Condition,
    /// Records that wait to be written.
    pub spooled: usize,
    /// Records written since the start.
    pub written: u64,
    /// Records lost since the start, because too many waited.
    pub dropped: u64,
    /// Whether a purge was asked for and is not done.
    pub purging: bool,
    /// The latest purge since the start.
    pub purged: Option<Purged>,
}

/// Whether records reach the disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition {
    /// The database was not tried yet.
    Starting,
    Working,
    /// Records wait in memory. `why` is for the operator.
    Away {
        why: String,
    },
}

impl Health {
    /// What an operator must be told, if anything.
    pub fn alarm(&self) -> Option<String> {
        match &self.condition {
            Condition::Starting | Condition::Working => None,
            Condition::Away { why } => {
                Some(format!("{why}; {} wait in memory, {} lost", self.spooled, self.dropped))
            }
        }
    }
}

/// What the writer is to do.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) records: Vec<CallRecord>,
    pub(super) purge: Option<DateTime<Utc>>,
}

impl Work {
    pub(super) fn nothing() -> Self {
        Self { records: Vec::new(), purge: None }
    }
}

/// The ring, and the bell that wakes whoever waits for it to change.
#[derive(Debug)]
pub(super) struct Spool {
    ring: Mutex<Ring>,
    changed: Condvar,
}

#[derive(Debug)]
struct Ring {
    records: VecDeque<CallRecord>,
    records_max: usize,
    /// Records the writer holds.
    in_hand: usize,
    purge: Option<DateTime<Utc>>,
    purge_in_hand: bool,
    closing: bool,
    /// The store closes, and the try it still had is spent.
    last_try: bool,
    condition: Condition,
    written: u64,
    dropped: u64,
    purged: Option<Purged>,
}

impl Spool {
    pub(super) fn new(records_max: usize) -> Self {
        let ring = Ring {
            records: VecDeque::new(),
            records_max: records_max.max(1),
            in_hand: 0,
            purge: None,
            purge_in_hand: false,
            closing: false,
            last_try: false,
            condition: Condition::Starting,
            written: 0,
            dropped: 0,
            purged: None,
        };
        Self { ring: Mutex::new(ring), changed: Condvar::new() }
    }

    pub(super) fn push(&self, record: CallRecord) {
        let mut ring = self.lock();
        ring.records.push_back(record);
        ring.shed();
        // The writer sleeps until there is one, and gathers until there are many.
        let matters = ring.records.len() == 1 || ring.records.len() >= BATCH_MAX;
        drop(ring);
        if matters {
            self.changed.notify_all();
        }
    }

    pub(super) fn want_purge(&self, now: DateTime<Utc>) {
        self.lock().purge = Some(now);
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// Waits for work, and a little longer so that more comes together; none when all is done and
    /// the store closes.
    pub(super) fn next(&self, gather: Duration) -> Option<Work> {
        let idle = |ring: &mut Ring| !ring.has_work() && !ring.closing;
        let ring =
            self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let few = |ring: &mut Ring| ring.records.len() < BATCH_MAX && !ring.closing;
        let (mut ring, _) = self
            .changed
            .wait_timeout_while(ring, gather, few)
            .unwrap_or_else(PoisonError::into_inner);
        ring.hand_out()
    }

    /// Waits before the next try, whatever comes in meanwhile; a store that closes gets one more.
    pub(super) fn next_after(&self, pause: Duration) -> Option<Work> {
        let (mut ring, _) = self
            .changed
            .wait_timeout_while(self.lock(), pause, |ring| !ring.closing)
            .unwrap_or_else(PoisonError::into_inner);
        if ring.closing && std::mem::replace(&mut ring.last_try, true) {
            return None;
        }
        // Tried even with nothing to write: the alarm must end without waiting for the next call.
        Some(ring.hand_out().unwrap_or(Work::nothing()))
    }

    pub(super) fn written(&self, count: usize, purged: Option<Purged>) {
        let mut ring = self.lock();
        ring.in_hand = 0;
        ring.written += count as u64;
        ring.purge_in_hand = false;
        ring.purged = purged.or(ring.purged);
        let before = std::mem::replace(&mut ring.condition, Condition::Working);
        drop(ring);
        self.changed.notify_all();
        if matches!(before, Condition::Away { .. }) {
            tracing::info!("call records are written again");
        }
    }

    /// The work goes back to where it came from, in front of those that came meanwhile.
    pub(super) fn failed(&self, work: Work, why: String) {
        let mut ring = self.lock();
        ring.in_hand = 0;
        ring.purge_in_hand = false;
        ring.purge = ring.purge.or(work.purge);
        for record in work.records.into_iter().rev() {
            ring.records.push_front(record);
        }
        ring.shed();
        let spooled = ring.records.len();
        let away = Condition::Away { why: why.clone() };
        let before = std::mem::replace(&mut ring.condition, away);
        drop(ring);
        self.changed.notify_all();
        if !matches!(before, Condition::Away { .. }) {
            tracing::error!(why, spooled, "call records wait in memory");
        }
    }

    pub(super) fn health(&self) -> Health {
        self.lock().health()
    }

    pub(super) fn wait_for(&self, patience: Duration, done: impl Fn(&Health) -> bool) -> bool {
        let (ring, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, |ring| !done(&ring.health()))
            .unwrap_or_else(PoisonError::into_inner);
        done(&ring.health())
    }

    /// No invariant spans two fields in a way that a panic could break, so a poisoned lock is used.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn shed(&mut self) {
        while self.records.len() > self.records_max {
            self.records.pop_front();
            self.dropped += 1;
        }
    }

    fn has_work(&self) -> bool {
        !self.records.is_empty() || self.purge.is_some()
    }

    fn hand_out(&mut self) -> Option<Work> {
        if !self.has_work() {
            return None;
        }
        let count = self.records.len().min(BATCH_MAX);
        let records: Vec<_> = self.records.drain(..count).collect();
        self.in_hand = records.len();
        let purge = self.purge.take();
        self.purge_in_hand = purge.is_some();
        Some(Work { records, purge })
    }

    fn health(&self) -> Health {
        Health {
            condition: self.condition.clone(),
            spooled: self.records.len() + self.in_hand,
            written: self.written,
            dropped: self.dropped,
            purging: self.purge.is_some() || self.purge_in_hand,
            purged: self.purged,
        }
    }
}
