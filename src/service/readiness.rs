//! Whether the house lives, and whether a caller would be served correctly now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::exchange::Board;
use crate::http::{Readiness, Trouble, TroubleCode};
use crate::metrics::Metrics;
use crate::net::Doors;
use crate::service::Clock;
use crate::service::inbox::Inbox;
use crate::service::pulse::Pulse;
use crate::service::reception::Reception;
use crate::service::shards::{Figures, Shards};
use crate::service::troubles::{Facts, PlanAlarm, Sightings};
use crate::store::{Condition, Store};

/// The loop sleeps half a second at most; after this much silence it stands still.
const STANDSTILL: Duration = Duration::from_secs(2);

/// Facts that wait longer than this make callers wait for the first word.
const LAG_MAX: Duration = Duration::from_secs(1);

/// Everything that can be looked at from outside.
pub(super) struct Gauges {
    pub(super) clock: Clock,
    pub(super) pulse: Arc<Pulse>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) doors: Arc<Doors>,
    pub(super) shards: Arc<Shards>,
    pub(super) store: Arc<Store>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) board: watch::Receiver<Arc<Board>>,
    pub(super) reception: Arc<Reception>,
    pub(super) sightings: Mutex<Sightings>,
    pub(super) told: watch::Sender<Arc<Vec<Trouble>>>,
}

impl Gauges {
    /// Whether the loop turns.
    pub(super) fn is_alive(&self) -> bool {
        self.pulse.age(self.clock.moment()) < STANDSTILL
    }

    /// Whether a caller would be served correctly, and what stands in the way. A closed line is
    /// ready: it tells the truth.
    pub(super) fn readiness(&self) -> Readiness {
        let board = Arc::clone(&self.board.borrow());
        let lag = self.pulse.lag();
        let mut reasons = Vec::new();
        let mut warnings = Vec::new();
        if !self.is_alive() {
            reasons.push("the loop stands still".to_owned());
        }
        if lag > LAG_MAX {
            reasons.push(format!("facts wait {lag:.1?} before they are handled"));
        }
        if board.stopping {
            reasons.push("the house is stopping".to_owned());
        }
        if board.calls_max > 0 && board.calls >= board.calls_max {
            reasons.push(format!("all {} places for calls are taken", board.calls_max));
        }
        let current = self.reception.current().clone();
        if current.plan.lines.is_empty() {
            reasons.push("the plan has no line".to_owned());
        }
        match &current.alarm {
            Some(PlanAlarm::BuiltIn(text)) => reasons.push(text.clone()),
            Some(refused @ PlanAlarm::Refused(_)) => warnings.push(refused.text()),
            Some(PlanAlarm::Broken | PlanAlarm::LastGood(_)) | None => {}
        }
        let is_no_reason = |one: &Trouble| one.code != TroubleCode::PlanBuiltIn;
        let troubles = self.troubles().into_iter().filter(is_no_reason);
        warnings.extend(troubles.map(|trouble| trouble.text));
        warnings.extend(board.alarms.iter().map(ToString::to_string));
        Readiness { ready: reasons.is_empty(), reasons, warnings }
    }

    /// What needs a person though callers are served, but for what the board says.
    fn troubles(&self) -> Vec<Trouble> {
        let facts = Facts {
            current: &self.reception.current().clone(),
            records: self.store.health(),
            doors: self.doors.counters(),
            turned_away: self.inbox.turned_away().house,
            panics: self.pulse.panics(),
            media_broke: self.shards.restarts(),
        };
        self.sightings().troubles(&facts, self.clock.now())
    }

    /// Looks around, and tells whoever wants to know what needs a person.
    pub(super) fn glance(&self) {
        let _ = self.media();
        let troubles = self.troubles();
        self.told.send_if_modified(|told| {
            let is_news = **told != troubles;
            if is_news {
                *told = Arc::new(troubles);
            }
            is_news
        });
    }

    /// How the media threads are doing. Their lateness is since they were asked last.
    fn media(&self) -> Vec<Figures> {
        let figures = self.shards.figures();
        let behind = figures.iter().filter(|figures| figures.latest > TICK_LATE).count();
        let mut sightings = self.sightings();
        sightings.late_ticks += behind as u64;
        if behind > 0 {
            sightings.was_late(self.clock.moment());
        }
        figures
    }

    fn sightings(&self) -> MutexGuard<'_, Sightings> {
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything counted, for Prometheus.
    pub(super) fn exposition(&self) -> String {
        let vitals = self.pulse.vitals();
        let doors = self.doors.counters();
        let away = self.inbox.turned_away();
        let figures = self.media();
        let health = self.store.health();
        let certificates = self.reception.current().certificates.clone();
        let certificate_end = certificates.iter().map(|one| one.at.timestamp()).min();
        let late_ticks = self.sightings().late_ticks;
        self.metrics.counted(|totals| {
            totals.exchange.lag = vitals.lag_max.as_secs_f64();
            totals.exchange.panics = vitals.panics;
            totals.sip.received = vitals.received;
            totals.sip.sent = vitals.sent;
            totals.sip.late = vitals.late;
            totals.sip.dropped = doors.datagrams_dropped + away.house;
            totals.sip.connections = doors.connections as u64;
            totals.sip.connections_refused = doors.connections_refused;
            totals.sip.connections_evicted = doors.connections_evicted;
            totals.sip.handshakes_failed = doors.handshakes_failed;
            totals.sip.certificate_end = certificate_end;
            totals.media.streams = figures.iter().map(|figures| figures.streams).sum();
            totals.media.received = figures.iter().map(|figures| figures.packets_received).sum();
            totals.media.sent = figures.iter().map(|figures| figures.packets_sent).sum();
            totals.media.unsent = figures.iter().map(|figures| figures.packets_unsent).sum();
            totals.media.late_ticks = late_ticks;
            totals.media.shards_lost = figures.iter().map(|figures| figures.restarts).sum();
            totals.records.spooled = health.spooled as u64;
            totals.records.written = health.written;
            totals.records.dropped = health.dropped;
            totals.records.away = matches!(health.condition, Condition::Away { .. });
        });
        self.metrics.exposition(&self.board.borrow())
    }
}

/// A media thread this far behind its wheel is heard.
const TICK_LATE: Duration = Duration::from_millis(10);
