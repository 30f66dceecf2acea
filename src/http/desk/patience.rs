//! How long somebody who guesses passwords has to wait.
//!
//! The wait grows with each failure and stops growing at [`WAIT_MAX`]; while it lasts nothing is checked, and
//! nothing is counted either. A browser that has signed in before carries a mark, and is counted by itself:
//! whoever guesses at a listener's password from elsewhere can't keep that listener out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Moment;

/// So many are forgiven.
const FREE: u32 = 4;

/// The longest wait: a guesser gets 120 tries an hour.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// After so long without a failure all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Names and browsers remembered; beyond that the one that failed longest ago is forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// Who fails how often.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: BTreeMap<String, (u32, Moment)>,
}

impl Patience {
    /// How long this one still has to wait; None if they may try.
    pub(super) fn wait(&self, who: &str, now: Moment) -> Option<Duration> {
        let (count, last) = self.failures.get(who)?;
        let wait = wait_after(*count);
        let passed = now - *last;
        (passed < wait).then(|| wait - passed)
    }

    pub(super) fn failed(&mut self, who: &str, now: Moment) {
        self.failures.retain(|_, (_, last)| now - *last < FORGOTTEN_AFTER);
        if self.failures.len() >= REMEMBERED_MAX && !self.failures.contains_key(who) {
            let oldest = self.failures.iter().min_by_key(|(_, (_, last))| *last);
            if let Some(oldest) = oldest.map(|(who, _)| who.clone()) {
                self.failures.remove(&oldest);
            }
        }
        let (count, last) = self.failures.entry(who.to_owned()).or_insert((0, now));
        *count = count.saturating_add(1);
        *last = now;
    }

    pub(super) fn succeeded(&mut self, who: &str) {
        self.failures.remove(who);
    }
}

fn wait_after(failures: u32) -> Duration {
    let Some(beyond) = failures.checked_sub(FREE).filter(|beyond| *beyond > 0) else {
        return Duration::ZERO;
    };
    Duration::from_secs(1 << beyond.min(5)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }

    #[test]
    fn the_wait_grows_and_stops_growing() {
        let mut patience = Patience::default();
        let waits: Vec<u64> = (0..12)
            .map(|_| {
                patience.failed("lea", at(10));
                patience.wait("lea", at(10)).map_or(0, |wait| wait.as_secs())
            })
            .collect();

        assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16, 30, 30, 30, 30]);
        assert_eq!(patience.wait("lea", at(40)), None);
        assert_eq!(patience.wait("another browser of lea's", at(10)), None);
    }

    #[test]
    fn a_success_or_a_quarter_of_an_hour_is_a_clean_slate() {
        let mut patience = Patience::default();
        for _ in 0..6 {
            patience.failed("lea", at(0));
            patience.failed("bram", at(0));
        }
        patience.succeeded("lea");
        assert_eq!(patience.wait("lea", at(0)), None);
        patience.failed("bram", at(16 * 60));
        assert_eq!(patience.wait("bram", at(16 * 60)), None);
    }

    #[test]
    fn made_up_names_take_a_bounded_room() {
        let mut patience = Patience::default();
        for n in 0..10_000 {
            patience.failed(&n.to_string(), at(1));
        }
        assert!(patience.failures.len() <= REMEMBERED_MAX);
    }
}
