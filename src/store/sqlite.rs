//! The database file: its shape, and records in and out of it.
//!
//! SQLite in WAL mode, so that reading never holds up writing. A batch is one transaction and is on the
//! disk when it is done (`synchronous=FULL`): batches are rare enough. What is forgotten is overwritten
//! (`secure_delete`) and leaves the write-ahead log too.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};

use crate::base::CallRef;
use crate::record::{Archive, CallRecord, Cause, DayTally, Party, Purged, Q850, Quality, Window};

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    #[error("its folder can't be made: {0}")]
    Folder(std::io::Error),
    #[error(
        "it was written by a newer version of this program (its shape is {found}, we know {known})"
    )]
    Newer { found: usize, known: usize },
}

/// Call records in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// Device and number of the file that was opened.
    identity: Option<(u64, u64)>,
    zone: Tz,
}

/// The shape of the file, step by step; a step is never edited once it was released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_records.sql"),
    include_str!("migrations/0002_origin.sql"),
    include_str!("migrations/0003_quality.sql"),
];

/// How long to wait for somebody else's lock, e.g. a backup.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Most rows in one answer, whatever the window asks for.
const FIND_MAX: usize = 100_000;

impl Sqlite {
    /// Opens the file for writing, making it and its folder if they aren't there; days begin and end
    /// in `zone`.
    pub fn open(path: &Path, zone: Tz) -> Result<Self, Fault> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(Fault::Folder)?;
        }
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        migrate(&mut connection)?;
        // Nobody but the house reads who worked when. Where permissions can't be kept, the folder's
        // have to do.
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
        Ok(Self { connection, path: path.to_owned(), identity: identity(path), zone })
    }

    /// Opens the file to read it, beside the one who writes.
    pub fn open_to_read(path: &Path, zone: Tz) -> Result<Self, Fault> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        Ok(Self { connection, path: path.to_owned(), identity: identity(path), zone })
    }

    /// Whether the file that was opened is still the one at its path. One that was moved away or
    /// deleted can be written to for ever without anybody finding it again.
    pub fn is_in_place(&self) -> bool {
        self.identity.is_some() && identity(&self.path) == self.identity
    }

    #[cfg(test)]
    pub(super) fn connection_for_tests(&self) -> &Connection {
        &self.connection
    }

    /// The days that are only added up: day, line, outcome, calls.
    pub fn days(&self) -> Result<Vec<(String, String, String, u64)>, Fault> {
        let mut statement = self
            .connection
            .prepare("SELECT day, line, outcome, calls FROM days ORDER BY day, line, outcome")?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, count(row.get(3)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The proofs of the purges so far, oldest first.
    pub fn purges(&self) -> Result<Vec<Purged>, Fault> {
        let mut statement =
            self.connection.prepare("SELECT at, before, records FROM purges ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            Ok(Purged {
                at: time(row.get(0)?),
                before: time(row.get(1)?),
                records: count(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Archive for Sqlite {
    type Fault = Fault;

    fn append(&mut self, records: &[CallRecord]) -> Result<(), Fault> {
        if records.is_empty() {
            // Nothing to keep, but the file must be there and writable for the next time.
            self.connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for record in records {
            insert(&transaction, record)?;
        }
        Ok(transaction.commit()?)
    }

    fn find(&self, window: &Window) -> Result<Vec<CallRecord>, Fault> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT {COLUMNS} FROM records
             WHERE arrived >= ?1 AND arrived < ?2 AND (?3 IS NULL OR line = ?3)
             ORDER BY arrived, id LIMIT ?4"
        ))?;
        let rows = statement.query_map(
            params![
                window.from.timestamp(),
                window.until.timestamp(),
                window.line.as_ref().map(|line| line.as_str()),
                whole(window.limit.min(FIND_MAX) as u64),
            ],
            record,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn purge(&mut self, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Purged, Fault> {
        let zone = self.zone;
        let transaction = self.connection.transaction()?;
        let tally = {
            let mut tally = DayTally::default();
            let mut statement = transaction
                .prepare(&format!("SELECT {COLUMNS} FROM records WHERE arrived < ?1"))?;
            for row in statement.query_map(params![before.timestamp()], record)? {
                let record = row?;
                tally.add(record.arrived.with_timezone(&zone).date_naive(), &record);
            }
            tally
        };
        for (day, line, outcome, totals) in tally.iter() {
            transaction.execute(
                "INSERT INTO days (day, line, outcome, calls, waited_ms, talked_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (day, line, outcome) DO UPDATE SET
                     calls     = calls     + excluded.calls,
                     waited_ms = waited_ms + excluded.waited_ms,
                     talked_ms = talked_ms + excluded.talked_ms",
                params![
                    day.to_string(),
                    line.as_str(),
                    outcome.as_str(),
                    whole(totals.calls),
                    millis(totals.waited),
                    millis(totals.talked),
                ],
            )?;
        }
        let records =
            transaction.execute("DELETE FROM records WHERE arrived < ?1", [before.timestamp()])?;
        transaction.execute(
            "INSERT INTO purges (at, before, records) VALUES (?1, ?2, ?3)",
            params![now.timestamp(), before.timestamp(), whole(records as u64)],
        )?;
        transaction.commit()?;
        if records > 0 {
            self.connection.execute_batch("PRAGMA incremental_vacuum")?;
            // Also out of the write-ahead log; a reader may hold it up until the next purge.
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .optional()?;
        }
        Ok(Purged { at: now, before, records: records as u64 })
    }
}

fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > MIGRATIONS.len() {
        return Err(Fault::Newer { found, known: MIGRATIONS.len() });
    }
    for migration in &MIGRATIONS[found..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", whole(MIGRATIONS.len() as u64))?;
    Ok(transaction.commit()?)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

const COLUMNS: &str = "call, line, trunk, arrived, greeting_ms, waited_ms, talked_ms, lasted_ms, \
     listener, attempts, attempts_untold, outcome, ended_by, cause, plan, packets_received, \
     packets_sent, packets_lost, packets_strange, jitter_us, origin, packets_lost_outward, round_trip_us, \
     score, listener_quality";

fn insert(transaction: &Transaction<'_>, record: &CallRecord) -> Result<(), Fault> {
    let attempts = serde_json::to_string(&record.attempts)
        .expect("attempts are names, durations and words: JSON can say them");
    let listener_quality = record
        .listener_quality
        .map(|quality| serde_json::to_string(&quality).expect("numbers: JSON can say them"));
    transaction
        .prepare_cached(&format!(
            "INSERT INTO records ({COLUMNS}) VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
             ?22, ?23, ?24, ?25)"
        ))?
        .execute(params![
            whole(record.call.0),
            record.line.as_str(),
            record.trunk.as_ref().map(|trunk| trunk.as_str()),
            record.arrived.timestamp(),
            millis(record.greeting),
            millis(record.waited),
            millis(record.talked),
            millis(record.lasted),
            record.listener.as_ref().map(|listener| listener.as_str()),
            attempts,
            record.attempts_untold,
            record.outcome.as_str(),
            record.cause.by.as_str(),
            record.cause.q850.value(),
            record.plan,
            whole(record.quality.received),
            whole(record.quality.sent),
            whole(record.quality.lost),
            whole(record.quality.strangers),
            i64::try_from(record.quality.jitter.as_micros()).unwrap_or(i64::MAX),
            record.origin.as_ref().map(|origin| origin.as_str()),
            whole(record.quality.lost_outward),
            record.quality.round_trip.map(|trip| whole(trip.as_micros() as u64)),
            record.quality.score,
            listener_quality,
        ])?;
    Ok(())
}

fn record(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    Ok(CallRecord {
        call: CallRef(count(row.get(0)?)),
        line: parsed(row, 1)?,
        origin: row.get::<_, Option<String>>(20)?.map(|_| parsed(row, 20)).transpose()?,
        trunk: row.get::<_, Option<String>>(2)?.map(|_| parsed(row, 2)).transpose()?,
        arrived: time(row.get(3)?),
        greeting: duration(row.get(4)?),
        waited: duration(row.get(5)?),
        talked: duration(row.get(6)?),
        lasted: duration(row.get(7)?),
        listener: row.get::<_, Option<String>>(8)?.map(|_| parsed(row, 8)).transpose()?,
        attempts: serde_json::from_str(&row.get::<_, String>(9)?)
            .map_err(|fault| unreadable(9, fault))?,
        attempts_untold: row.get(10)?,
        outcome: parsed(row, 11)?,
        cause: Cause { by: party(row, 12)?, q850: cause(row, 13)? },
        plan: row.get(14)?,
        quality: Quality {
            received: count(row.get(15)?),
            sent: count(row.get(16)?),
            lost: count(row.get(17)?),
            strangers: count(row.get(18)?),
            jitter: Duration::from_micros(count(row.get(19)?)),
            lost_outward: count(row.get(21)?),
            round_trip: row.get::<_, Option<i64>>(22)?.map(|it| Duration::from_micros(count(it))),
            score: row.get(23)?,
        },
        listener_quality: row
            .get::<_, Option<String>>(24)?
            .map(|text| serde_json::from_str(&text).map_err(|fault| unreadable(24, fault)))
            .transpose()?,
    })
}

fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<_, String>(column)?.parse().map_err(|fault| unreadable(column, fault))
}

fn party(row: &Row<'_>, column: usize) -> rusqlite::Result<Party> {
    let text: String = row.get(column)?;
    Party::ALL
        .into_iter()
        .find(|party| party.as_str() == text)
        .ok_or_else(|| unreadable(column, format!("`{text}` never ends a call")))
}

fn cause(row: &Row<'_>, column: usize) -> rusqlite::Result<Q850> {
    let value: u8 = row.get(column)?;
    Q850::new(value).ok_or_else(|| unreadable(column, format!("{value} is no Q.850 cause")))
}

fn unreadable(
    column: usize,
    fault: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, fault.into())
}

// SQLite's whole numbers are signed; ours never come near the difference.

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(whole: i64) -> u64 {
    u64::try_from(whole).unwrap_or_default()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(count(millis))
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
