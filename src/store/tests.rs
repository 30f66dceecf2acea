//! The store against a real file, in a folder of its own per test; nothing here needs to be any
//! particular user, so "away" is a folder where the file should be, a lock, or a full database.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::*;
use crate::base::{CallRef, ListenerName, Moment, Now};
use crate::record::{AttemptResult, Cause, Draft, Outcome, Party, Q850, Quality};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_record_comes_back_as_it_went_in() {
    let folder = Folder::new();
    let store = Store::open(folder.setup());
    let record = full_record(7, "2026-11-21T12:58:10Z");
    store.append(record.clone());
    assert!(store.settled(PATIENCE));

    let found = store.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();

    assert_eq!(found, [record]);
    assert_eq!(store.health().condition, Condition::Working);
}

#[test]
fn a_window_is_half_open_and_may_name_a_line() {
    let folder = Folder::new();
    let mut database = folder.database();
    let arrivals = ["2026-11-21T12:00:00Z", "2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z"];
    let records: Vec<_> = arrivals.iter().zip(1..).map(|(at, call)| record(call, at)).collect();
    database.append(&records).unwrap();

    let mut window = window(arrivals[0], arrivals[2]);
    assert_eq!(database.find(&window).unwrap(), records[..2]);
    window.limit = 1;
    assert_eq!(database.find(&window).unwrap(), records[..1]);
    window.line = Some("3133".parse().unwrap());
    assert_eq!(database.find(&window).unwrap(), []);
}

/// scenarios.md SC-34.
#[test]
fn while_the_database_is_away_records_wait_in_memory_and_are_written_when_it_is_back() {
    let folder = Folder::new();
    fs::create_dir_all(folder.file()).unwrap();
    let store = Store::open(folder.setup());
    for call in 0..10 {
        store.append(record(call, "2026-11-21T12:00:00Z"));
    }
    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));
    let health = store.health();
    assert_eq!((health.spooled, health.written, health.dropped), (10, 0, 0));
    let alarm = health.alarm().unwrap();
    assert!(alarm.contains("10 wait in memory"), "{alarm}");

    fs::remove_dir(folder.file()).unwrap();

    assert!(store.settled(PATIENCE));
    assert_eq!(store.health().alarm(), None);
    let found = store.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();
    assert_eq!(calls(&found), (0..10).collect::<Vec<_>>());
}

#[test]
fn when_memory_is_full_the_oldest_records_go_and_are_counted() {
    let folder = Folder::new();
    fs::create_dir_all(folder.file()).unwrap();
    let store = Store::open(Setup { spool_max: 100, ..folder.setup() });
    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));
    // While nothing is tried, so that none is in the writer's hands.
    for call in 0..1000 {
        store.append(record(call, "2026-11-21T12:00:00Z"));
    }
    fs::remove_dir(folder.file()).unwrap();

    assert!(store.settled(PATIENCE));
    let found = store.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();

    let health = store.health();
    assert_eq!(health.written + health.dropped, 1000);
    assert!(health.dropped >= 400, "{health:?}");
    assert_eq!(found.len() as u64, health.written);
    assert_eq!(calls(&found).last(), Some(&999));
}

#[test]
fn a_database_locked_by_somebody_else_is_waited_for() {
    let folder = Folder::new();
    drop(folder.database());
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let store = Store::open(folder.setup());
    store.append(record(1, "2026-11-21T12:00:00Z"));
    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));

    other.execute_batch("ROLLBACK").unwrap();

    assert!(store.settled(PATIENCE));
    assert_eq!(store.health().written, 1);
}

#[test]
fn a_full_disk_loses_and_doubles_nothing() {
    let folder = Folder::new();
    let mut database = folder.database();
    database.connection_for_tests().execute_batch("PRAGMA max_page_count = 12").unwrap();
    let records: Vec<_> = (0..2000).map(|call| record(call, "2026-11-21T12:00:00Z")).collect();

    let full = database.append(&records).unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    database.connection_for_tests().execute_batch("PRAGMA max_page_count = 100000").unwrap();
    database.append(&records).unwrap();

    let found = database.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();
    assert_eq!(calls(&found), (0..2000).collect::<Vec<_>>());
}

/// `mount -t tmpfs -o size=1m tmpfs /mnt` and `HOTLINE_TEST_SMALL_DISK=/mnt`.
#[test]
#[ignore = "needs a small file system of its own"]
fn a_disk_that_is_really_full_is_an_alarm_until_there_is_room() {
    let folder = PathBuf::from(std::env::var_os("HOTLINE_TEST_SMALL_DISK").unwrap());
    let ballast = folder.join("ballast");
    let setup = Setup {
        gather: Duration::from_millis(1),
        retry: Duration::from_millis(20),
        ..Setup::new(folder.join("records.sqlite"))
    };
    let store = Store::open(setup);
    store.append(record(0, "2026-11-21T12:00:00Z"));
    assert!(store.settled(PATIENCE));
    let full = fs::write(&ballast, vec![0; 100_000_000]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    for call in 1..=1000 {
        store.append(record(call, "2026-11-21T12:00:00Z"));
    }
    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));
    fs::remove_file(&ballast).unwrap();

    assert!(store.settled(PATIENCE));
    let found = store.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();
    assert_eq!(calls(&found), (0..=1000).collect::<Vec<_>>());
    assert_eq!(store.health().dropped, 0);
}

#[test]
fn a_database_moved_away_is_made_anew_where_it_should_be() {
    let folder = Folder::new();
    let store = Store::open(folder.setup());
    store.append(record(1, "2026-11-21T12:00:00Z"));
    assert!(store.settled(PATIENCE));
    for end in ["", "-wal", "-shm"] {
        let file = format!("{}{end}", folder.file().display());
        fs::rename(&file, format!("{file}.away")).unwrap();
    }

    store.append(record(2, "2026-11-21T12:00:00Z"));
    assert!(store.settled(PATIENCE));

    let found = store.find(&window("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")).unwrap();
    assert_eq!(calls(&found), [2]);
}

#[test]
fn a_file_that_is_no_database_is_an_alarm_and_is_left_alone() {
    let folder = Folder::new();
    let text = "not a database at all, but somebody's letter ".repeat(100);
    fs::write(folder.file(), &text).unwrap();
    let store = Store::open(folder.setup());
    store.append(record(1, "2026-11-21T12:00:00Z"));

    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));
    let health = store.close();

    assert_eq!(health.spooled, 1);
    assert!(health.alarm().unwrap().contains("not a database"), "{health:?}");
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), text);
}

#[test]
fn a_database_of_a_newer_version_is_not_touched() {
    let folder = Folder::new();
    drop(folder.database());
    Connection::open(folder.file()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();

    let fault = Sqlite::open(&folder.file(), chrono_tz::Europe::Paris).unwrap_err();

    assert!(fault.to_string().contains("newer version"), "{fault}");
}

#[test]
fn closing_writes_what_is_left() {
    let folder = Folder::new();
    let store = Store::open(Setup { gather: Duration::from_secs(60), ..folder.setup() });
    for call in 0..1200 {
        store.append(record(call, "2026-11-21T12:00:00Z"));
    }

    let health = store.close();

    assert_eq!((health.spooled, health.written), (0, 1200));
}

#[test]
fn after_ninety_days_only_sums_by_day_are_left_and_a_proof() {
    let folder = Folder::new();
    let store = Store::open(folder.setup());
    // 21:59Z is 23:59 in Paris, still on the 22nd; a minute later is the 23rd, which is kept.
    for (call, at) in [
        "2026-08-21T12:00:00Z",
        "2026-08-22T12:00:00Z",
        "2026-08-22T21:59:00Z",
        "2026-08-22T22:00:00Z",
    ]
    .iter()
    .enumerate()
    {
        store.append(record(call as u64, at));
    }
    assert!(store.settled(PATIENCE));

    let now = "2026-11-21T04:30:00Z".parse().unwrap();
    store.purge(now);
    assert!(store.settled(PATIENCE));

    let all = store.find(&window("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")).unwrap();
    assert_eq!(calls(&all), [3]);
    let database = Sqlite::open_to_read(&folder.file(), chrono_tz::Europe::Paris).unwrap();
    let outcome = "abandoned_in_queue".to_owned();
    assert_eq!(
        database.days().unwrap(),
        [
            ("2026-08-21".to_owned(), "3977".to_owned(), outcome.clone(), 1),
            ("2026-08-22".to_owned(), "3977".to_owned(), outcome, 2),
        ]
    );
    let proof = database.purges().unwrap()[0];
    assert_eq!((proof.records, proof.at), (3, now));
    assert_eq!(store.health().purged, Some(proof));
}

#[test]
fn what_is_forgotten_is_in_none_of_the_files() {
    let folder = Folder::new();
    let store = Store::open(folder.setup());
    let mut canary = record(1, "2026-01-01T12:00:00Z");
    canary.listener = Some("canari-qui-chante".parse().unwrap());
    store.append(canary);
    assert!(store.settled(PATIENCE));
    assert!(folder.holds(b"canari-qui-chante"));

    store.purge("2026-11-21T04:30:00Z".parse().unwrap());
    assert!(store.settled(PATIENCE));

    assert!(!folder.holds(b"canari-qui-chante"));
}

#[test]
fn a_purge_asked_for_while_the_database_is_away_happens_when_it_is_back() {
    let folder = Folder::new();
    let mut database = folder.database();
    database.append(&[record(1, "2026-01-01T12:00:00Z")]).unwrap();
    drop(database);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let store = Store::open(folder.setup());
    store.purge("2026-11-21T04:30:00Z".parse().unwrap());
    assert!(store.wait_for(PATIENCE, |health| health.alarm().is_some()));

    other.execute_batch("ROLLBACK").unwrap();

    assert!(store.settled(PATIENCE));
    assert_eq!(store.health().purged.map(|purged| purged.records), Some(1));
}

/// A folder that goes when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("hotline-store-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("records.sqlite")
    }

    fn setup(&self) -> Setup {
        Setup {
            gather: Duration::from_millis(1),
            retry: Duration::from_millis(20),
            ..Setup::new(self.file())
        }
    }

    fn database(&self) -> Sqlite {
        Sqlite::open(&self.file(), chrono_tz::Europe::Paris).unwrap()
    }

    /// Whether any file in the folder has these bytes.
    fn holds(&self, bytes: &[u8]) -> bool {
        files(&self.0).iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn window(from: &str, until: &str) -> Window {
    Window { from: from.parse().unwrap(), until: until.parse().unwrap(), line: None, limit: 10_000 }
}

fn calls(records: &[CallRecord]) -> Vec<u64> {
    records.iter().map(|record| record.call.0).collect()
}

fn record(call: u64, arrived: &str) -> CallRecord {
    let now = Now { steady: Moment::START, wall: arrived.parse().unwrap() };
    let mut draft = Draft::new(CallRef(call), "3977".parse().unwrap(), None, "v1", now);
    draft.queued(now.steady);
    let cause = Cause::new(Party::Caller, Q850::NORMAL_CLEARING);
    draft.finished(Outcome::AbandonedInQueue, cause, now.steady + Duration::from_secs(30))
}

fn full_record(call: u64, arrived: &str) -> CallRecord {
    let now = Now { steady: Moment::START, wall: arrived.parse().unwrap() };
    let after = |millis| now.steady + Duration::from_millis(millis);
    let lea: ListenerName = "léa".parse().unwrap();
    let trunk = Some("orange".parse().unwrap());
    let mut draft = Draft::new(CallRef(call), "3133".parse().unwrap(), trunk, "v1-ab12", now);
    draft.came_from("3977".parse().unwrap());
    draft.greeted(after(6_500));
    draft.queued(after(5_000));
    draft.rung("marc".parse().unwrap(), after(5_001));
    draft.attempt_ended(&"marc".parse().unwrap(), AttemptResult::Unreachable, after(7_001));
    draft.rung(lea.clone(), after(7_001));
    draft.connected(lea, after(11_250));
    draft.measured(Quality {
        received: 5_000,
        sent: 5_100,
        lost: 3,
        jitter: Duration::from_micros(1_250),
        strangers: 1,
        lost_outward: 4,
        round_trip: Some(Duration::from_micros(31_250)),
        score: Some(412),
    });
    draft.listener_measured(Quality { received: 7, score: Some(390), ..Quality::default() });
    draft.finished(
        Outcome::TakenByListener,
        Cause::new(Party::Listener, Q850::NORMAL_CLEARING),
        after(600_000),
    )
}
