//! Where call records are kept: a SQLite file, and memory while that file is away.
//!
//! [`Store::append`] never waits for the disk: it puts the record into the [`spool`], a ring of
//! bounded size, and one writer thread takes it from there in batches. While the database can't be
//! written (disk full, folder read-only, locked, replaced), records stay in the ring and calls go on
//! (scenarios.md SC-34); [`Store::health`] says so. Only when the ring is full is the oldest record
//! dropped, and counted.
//!
//! Time is told to the store, not read: whoever owns a clock calls [`Store::purge`].

mod spool;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::record::{Archive, CallRecord, Purged, Window};
use spool::{Spool, Work};

pub use spool::{Condition, Health};
pub use sqlite::{Fault, Sqlite};

/// Records kept in memory while the database is away (scenarios.md SC-34).
pub const SPOOL_MAX: usize = 10_000;

/// Records are kept one by one for so many days, then only added up by day (domain.md §4, P-05).
pub const KEEP_DAYS: u64 = 90;

/// How a store is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The database file; made if it isn't there, with its folder.
    pub file: PathBuf,
    /// After so many days records are only added up.
    pub keep_days: u64,
    /// Where days begin and end.
    pub zone: Tz,
    /// The most records kept in memory.
    pub spool_max: usize,
    /// How long to gather records before writing them together.
    pub gather: Duration,
    /// How long to wait before trying a database that is away again; doubles up to 32 times this.
    pub retry: Duration,
}

impl Setup {
    /// The usual setup around this database file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            keep_days: KEEP_DAYS,
            zone: chrono_tz::Europe::Paris,
            spool_max: SPOOL_MAX,
            gather: Duration::from_millis(100),
            retry: Duration::from_secs(1),
        }
    }
}

/// The keeper of call records.
#[derive(Debug)]
pub struct Store {
    spool: Arc<Spool>,
    file: PathBuf,
    zone: Tz,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Starts the writer. A database that is away is not an error here: it is tried again and again,
    /// and [`Store::health`] says why.
    pub fn open(setup: Setup) -> Self {
        let spool = Arc::new(Spool::new(setup.spool_max));
        let (file, zone) = (setup.file.clone(), setup.zone);
        let writer = {
            let writer = Writer { setup, spool: Arc::clone(&spool), database: None };
            thread::Builder::new().name("store".to_owned()).spawn(move || writer.run())
        };
        let writer = writer
            .inspect_err(|fault| {
                spool.failed(Work::nothing(), format!("no thread to write: {fault}"))
            })
            .ok();
        Self { spool, file, zone, writer }
    }

    /// Keeps a record, now or as soon as possible. Never waits.
    pub fn append(&self, record: CallRecord) {
        self.spool.push(record);
    }

    /// Forgets what is too old at `now`, soon.
    pub fn purge(&self, now: DateTime<Utc>) {
        self.spool.want_purge(now);
    }

    /// How the store is doing.
    pub fn health(&self) -> Health {
        self.spool.health()
    }

    /// The records of a window, oldest first; those that still wait in memory are not among them.
    /// Reads the disk: not for a thread that must not wait.
    pub fn find(&self, window: &Window) -> Result<Vec<CallRecord>, Fault> {
        Sqlite::open_to_read(&self.file, self.zone)?.find(window)
    }

    /// Waits until nothing waits to be written, at most for `patience`; whether that was so.
    pub fn settled(&self, patience: Duration) -> bool {
        self.wait_for(patience, |health| health.spooled == 0 && !health.purging)
    }

    /// Writes what is left, tries once if the database is away, and stops.
    pub fn close(mut self) -> Health {
        self.stop();
        self.spool.health()
    }

    /// Waits until `done` holds of the health; whether it came to hold within `patience`.
    fn wait_for(&self, patience: Duration, done: impl Fn(&Health) -> bool) -> bool {
        self.spool.wait_for(patience, done)
    }

    fn stop(&mut self) {
        self.spool.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            self.spool.failed(Work::nothing(), "the writer broke".to_owned());
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The one thread that writes.
struct Writer {
    setup: Setup,
    spool: Arc<Spool>,
    database: Option<Sqlite>,
}

impl Writer {
    fn run(mut self) {
        // Opened at once, so that a database that is away is known before the first call ends.
        let mut failures = 0;
        let mut work = Some(Work::nothing());
        while let Some(todo) = work {
            match self.write(&todo) {
                Ok(purged) => {
                    failures = 0;
                    self.spool.written(todo.records.len(), purged);
                }
                Err(fault) => {
                    // Whatever is wrong with it, a fresh connection is the better start.
                    self.database = None;
                    failures += 1;
                    self.spool.failed(todo, self.words(&fault));
                }
            }
            let pause = self.setup.retry * 2_u32.pow(failures.clamp(1, 6) - 1);
            work = match failures {
                0 => self.spool.next(self.setup.gather),
                _ => self.spool.next_after(pause),
            };
        }
    }

    fn write(&mut self, work: &Work) -> Result<Option<Purged>, Fault> {
        let database = match self.database.take().filter(Sqlite::is_in_place) {
            Some(database) => self.database.insert(database),
            None => self.database.insert(Sqlite::open(&self.setup.file, self.setup.zone)?),
        };
        database.append(&work.records)?;
        match work.purge {
            Some(now) => {
                let before = keep_from(now, self.setup.keep_days, self.setup.zone);
                database.purge(before, now).map(Some)
            }
            None => Ok(None),
        }
    }

    fn words(&self, fault: &Fault) -> String {
        format!("call records can't be written to {}: {fault}", self.setup.file.display())
    }
}

/// The midnight that `keep_days` whole days before today began with.
fn keep_from(now: DateTime<Utc>, keep_days: u64, zone: Tz) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    today
        .checked_sub_days(Days::new(keep_days))
        .and_then(|day| zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest())
        .map_or(DateTime::UNIX_EPOCH, |midnight| midnight.with_timezone(&Utc))
}

#[cfg(test)]
mod tests;
