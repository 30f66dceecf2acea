//! Telling repeat callers apart without knowing them.
//!
//! A pseudonym is HMAC-SHA-256 of the number under a key that lives until four in the morning, Paris
//! time, and is cut to 64 bits (domain.md §4, P-03). The next key is made from the one before by a step
//! that can't be taken back, and the one before is overwritten: yesterday's pseudonyms can't be made again,
//! from today's memory neither. A caller who withholds their number has no pseudonym at all.

use std::fmt;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::base::{CallerNumber, Mint, Moment, Now};

/// A caller, for one day, under a name that means nothing.
#[derive(Clone, Copy, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Pseudonym(u64);

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonym(·)")
    }
}

/// The maker of pseudonyms, with a key for one day.
#[derive(Clone, Deserialize, Serialize)]
pub struct Pseudonyms {
    key: [u8; 32],
    /// The next four o'clock.
    until: DateTime<Utc>,
    due: Moment,
}

impl Pseudonyms {
    /// Begins with a key of its own, drawn from `mint`.
    pub fn new(mint: &mut Mint, now: Now) -> Self {
        let until = next_night(now.wall);
        Self { key: mint.bytes(), until, due: moment_of(until, now) }
    }

    /// Changes the key if its night has come, and says whether it did.
    pub fn handle_timeout(&mut self, now: Now) -> bool {
        let changes = now.wall >= self.until;
        if changes {
            self.key = hash(&self.key, NEXT_KEY, |_| ());
        }
        // Also after a step of the wall clock: a key never lives beyond the next four o'clock.
        self.until = next_night(now.wall);
        self.due = moment_of(self.until, now);
        changes
    }

    /// When the key changes, as the two clocks stood at the last `handle_timeout`.
    pub fn due(&self) -> Moment {
        self.due
    }

    /// This number's pseudonym, until the next night.
    pub fn of(&self, number: &CallerNumber) -> Pseudonym {
        let bytes = hash(&self.key, NUMBER, |feed| number.feed(feed));
        let mut first = [0; 8];
        first.copy_from_slice(&bytes[..8]);
        Pseudonym(u64::from_be_bytes(first))
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonyms").field("until", &self.until).finish_non_exhaustive()
    }
}

/// What is hashed begins with what it is for, so that no number gives the next key.
const NUMBER: &[u8] = b"number:";
const NEXT_KEY: &[u8] = b"next key:";

const ZONE: Tz = chrono_tz::Europe::Paris;
/// Nobody rings at four: the line is closed, and the clock change (two to three) is past.
const NIGHT: NaiveTime = NaiveTime::from_hms_opt(4, 0, 0).expect("four o'clock is a time");

fn hash(key: &[u8; 32], purpose: &[u8], feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    hmac.update(purpose);
    feed(&mut |bytes| hmac.update(bytes));
    hmac.finalize().into_bytes().into()
}

/// The first four o'clock after `at`.
fn next_night(at: DateTime<Utc>) -> DateTime<Utc> {
    let today = at.with_timezone(&ZONE).date_naive();
    (0..3)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter_map(|day| ZONE.from_local_datetime(&day.and_time(NIGHT)).earliest())
        .map(|night| night.with_timezone(&Utc))
        .find(|night| *night > at)
        // Not in Paris, where four o'clock comes every day.
        .unwrap_or(at + TimeDelta::days(1))
}

fn moment_of(until: DateTime<Utc>, now: Now) -> Moment {
    now.steady + (until - now.wall).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_caller_has_one_pseudonym_a_day_and_another_the_next() {
        let mut pseudonyms = Pseudonyms::new(&mut Mint::from_number(1), noon());
        let (anna, bea) = (number("+33612345678"), number("+33612345679"));
        let today = pseudonyms.of(&anna);

        assert_eq!(pseudonyms.of(&anna), today);
        assert_ne!(pseudonyms.of(&bea), today);
        assert!(pseudonyms.handle_timeout(noon().plus(Duration::from_secs(86_400))));
        assert_ne!(pseudonyms.of(&anna), today);
    }

    #[test]
    fn a_restart_forgets() {
        let mut mint = Mint::from_number(1);
        let before = Pseudonyms::new(&mut mint, noon());
        let after = Pseudonyms::new(&mut mint, noon());

        assert_ne!(before.of(&number("+33612345678")), after.of(&number("+33612345678")));
    }

    #[test]
    fn the_key_changes_at_four_in_paris_in_winter_and_in_summer() {
        let table = [
            ("2026-11-21T12:00:00Z", "2026-11-22T03:00:00Z"),
            ("2026-11-22T02:59:59Z", "2026-11-22T03:00:00Z"),
            ("2026-11-22T03:00:00Z", "2026-11-23T03:00:00Z"),
            ("2026-07-14T12:00:00Z", "2026-07-15T02:00:00Z"),
            // The nights of the clock changes.
            ("2026-03-28T12:00:00Z", "2026-03-29T02:00:00Z"),
            ("2026-10-24T12:00:00Z", "2026-10-25T03:00:00Z"),
        ];
        for (at, night) in table {
            assert_eq!(next_night(at.parse().unwrap()), night.parse::<DateTime<Utc>>().unwrap());
        }
    }

    #[test]
    fn a_wall_clock_set_back_does_not_lengthen_a_keys_life() {
        let mut pseudonyms = Pseudonyms::new(&mut Mint::from_number(1), noon());
        let year_before = Now { steady: noon().steady, wall: noon().wall - TimeDelta::days(365) };

        assert!(!pseudonyms.handle_timeout(year_before));
        assert!(pseudonyms.due() - noon().steady <= Duration::from_secs(25 * 3600));
    }

    #[test]
    fn neither_key_nor_number_is_seen_when_printed() {
        let pseudonyms = Pseudonyms::new(&mut Mint::from_number(1), noon());

        assert_eq!(format!("{pseudonyms:?}"), "Pseudonyms { until: 2026-11-22T03:00:00Z, .. }");
    }

    fn noon() -> Now {
        Now { steady: Moment::START, wall: "2026-11-21T12:00:00Z".parse().unwrap() }
    }

    fn number(text: &str) -> CallerNumber {
        CallerNumber::new(text.parse().unwrap())
    }
}
