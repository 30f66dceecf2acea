//! Plans, whole and broken.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::*;
use crate::exchange::Code;

#[test]
fn the_shipped_plan_has_no_problem() {
    let loaded = shipped();

    assert_eq!(loaded.plan.lines.len(), 2);
    assert_eq!(loaded.plan.listeners.len(), 21);
    assert_eq!(loaded.plan.codes["*10"], Code::Pause);
    assert_eq!(loaded.plan.numbers.len(), 2);
    assert!(loaded.recordings.contains_key("accueil-3977"));
    assert!(loaded.house.doors.iter().all(|door| door.listen.ip().is_loopback()));
    let notices: Vec<String> = loaded
        .notices
        .problems()
        .iter()
        .filter(|notice| !matches!(notice.what, What::PasswordsMissing { .. }))
        .map(|notice| notice.told(Language::English))
        .collect();
    assert!(notices.is_empty(), "{notices:#?}");
}

fn shipped() -> Loaded {
    match load(&root().join("config"), noon()) {
        Ok(loaded) => loaded,
        Err(report) => panic!("{}", report.told(Language::English)),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T11:00:00Z".parse().unwrap()
}
