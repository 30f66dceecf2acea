//! Where records are kept, as far as the rest of the house needs to know.
//!
//! An archive takes finished records, finds those of a window, and forgets: details go after 90 days
//! (domain.md §4, P-05), and what stays is one line per day, line and outcome. [`DayTally`] is the
//! sum both sides agree on; SQL lives in `store`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::base::LineName;
use crate::record::{CallRecord, Outcome};

/// A place where call records are kept.
pub trait Archive {
    /// What can go wrong there.
    type Fault;

    /// Keeps these records, all or none.
    fn append(&mut self, records: &[CallRecord]) -> Result<(), Self::Fault>;

    /// The records of a window, oldest first.
    fn find(&self, window: &Window) -> Result<Vec<CallRecord>, Self::Fault>;

    /// Forgets every record of a call that came before `before`, and says what is left of them.
    fn purge(&mut self, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Purged, Self::Fault>;
}

/// Which records are wanted: those that came in `[from, until)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// Only this line's.
    pub line: Option<LineName>,
    /// At most so many.
    pub limit: usize,
}

/// The proof of a purge.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Purged {
    pub at: DateTime<Utc>,
    /// Everything older is gone.
    pub before: DateTime<Utc>,
    /// Records forgotten.
    pub records: u64,
}

/// Calls added up by day, line and outcome.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DayTally {
    totals: BTreeMap<(NaiveDate, LineName, Outcome), Totals>,
}

/// A sum over calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    pub calls: u64,
    pub waited: Duration,
    pub talked: Duration,
}

impl DayTally {
    /// Adds a call that came on `day`, in the line's own time zone.
    pub fn add(&mut self, day: NaiveDate, record: &CallRecord) {
        let totals = self.totals.entry((day, record.line.clone(), record.outcome)).or_default();
        totals.calls += 1;
        totals.waited += record.waited;
        totals.talked += record.talked;
    }

    /// The sums, by day, line and outcome.
    pub fn iter(&self) -> impl Iterator<Item = (NaiveDate, &LineName, Outcome, Totals)> {
        self.totals.iter().map(|((day, line, outcome), totals)| (*day, line, *outcome, *totals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CallRef, Moment, Now};
    use crate::record::{Cause, Draft, Party, Q850};

    #[test]
    fn a_tally_adds_up_by_day_line_and_outcome() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let mut tally = DayTally::default();
        for secs in [10, 20] {
            tally.add(day, &record(Outcome::AbandonedInQueue, secs));
        }
        tally.add(day, &record(Outcome::Saturated, 5));

        let sums: Vec<_> = tally
            .iter()
            .map(|(_, line, outcome, totals)| {
                (line.as_str(), outcome, totals.calls, totals.waited.as_secs())
            })
            .collect();

        assert_eq!(
            sums,
            [("3977", Outcome::AbandonedInQueue, 2, 30), ("3977", Outcome::Saturated, 1, 5)]
        );
    }

    fn record(outcome: Outcome, secs: u64) -> CallRecord {
        let now = Now { steady: Moment::START, wall: DateTime::UNIX_EPOCH };
        let mut draft = Draft::new(CallRef(secs), "3977".parse().unwrap(), None, "v1", now);
        draft.queued(now.steady);
        draft.finished(
            outcome,
            Cause::new(Party::Caller, Q850::NORMAL_CLEARING),
            now.steady + Duration::from_secs(secs),
        )
    }
}
