//! Who guesses passwords, and how long nobody listens to them (domain.md T-02, scenarios.md SC-39).
//!
//! Three measures, each bounded in memory, none of them for a trunk's addresses:
//!
//! * a source gets [`CHALLENGES_BURST`] challenges at once and [`CHALLENGES_EACH_SECOND`] more; then nothing;
//! * a source that fails more than [`FAILURES_MAX`] times within [`WINDOW`] hears nothing for [`SILENCE`];
//! * guesses at one name, by whomever, are checked [`GUESSES_BURST`] times and then
//!   [`GUESSES_EACH_SECOND`]; beyond that they get the answer of a wrong password, unchecked. A source that
//!   has hardly ever failed is always checked, so that a listener with the right password comes in
//!   while others guess at it.
//!
//! IPv6 sources count by their /64, which is what one customer has. Names that don't exist are
//! counted like those that do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// A phone with a wrong password tries a few times a minute; a guesser tries thousands.
const FAILURES_MAX: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(60);
/// An office of a hundred phones behind one address, all at once after a power cut.
const CHALLENGES_BURST: u32 = 400;
const CHALLENGES_EACH_SECOND: u32 = 40;
/// A whole centre with last week's passwords, or one guesser.
const GUESSES_BURST: u32 = 30;
const GUESSES_EACH_SECOND: u32 = 1;
/// A source that failed no more than this is a person with a slip of the finger.
const FAILURES_FORGIVEN: u32 = 3;
/// The most sources remembered; the one longest untouched is forgotten first.
const SOURCES_MAX: usize = 4_096;
/// The most names remembered.
const NAMES_MAX: usize = 1_024;
/// The longest part of a name that counts.
const NAME_MAX: usize = 64;

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Guard {
    #[serde(with = "crate::sip::transaction::pairs")]
    sources: BTreeMap<IpAddr, Source>,
    /// Who is forgotten first.
    order: BTreeSet<(Moment, IpAddr)>,
    names: BTreeMap<String, Bucket>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Source {
    touched: Moment,
    challenges: Bucket,
    failures: u32,
    since: Moment,
    silent_until: Option<Moment>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Bucket {
    /// In thousandths.
    tokens: u64,
    filled: Moment,
}

impl Bucket {
    fn full(burst: u32, now: Moment) -> Self {
        Self { tokens: u64::from(burst) * 1_000, filled: now }
    }

    /// Takes one token, if there is one.
    fn takes(&mut self, burst: u32, each_second: u32, now: Moment) -> bool {
        let passed = u64::try_from((now - self.filled).as_millis()).unwrap_or(u64::MAX);
        let fresh = passed.saturating_mul(u64::from(each_second));
        self.tokens = self.tokens.saturating_add(fresh).min(u64::from(burst) * 1_000);
        self.filled = now;
        let has_one = self.tokens >= 1_000;
        if has_one {
            self.tokens -= 1_000;
        }
        has_one
    }
}

impl Guard {
    /// Whether this source is to be answered at all; takes one of its challenges.
    pub(super) fn admits(&mut self, address: IpAddr, now: Moment) -> bool {
        let source = self.source(address, now);
        if source.silent_until.is_some_and(|until| now < until) {
            return false;
        }
        source.challenges.takes(CHALLENGES_BURST, CHALLENGES_EACH_SECOND, now)
    }

    /// An authentication succeeded: its challenge and this answer cost the source nothing.
    pub(super) fn proved(&mut self, address: IpAddr, now: Moment) {
        let challenges = &mut self.source(address, now).challenges;
        challenges.tokens =
            (challenges.tokens + 2 * 1_000).min(u64::from(CHALLENGES_BURST) * 1_000);
    }

    /// Whether credentials for this name are to be checked.
    pub(super) fn checks(&mut self, address: IpAddr, name: &str, now: Moment) -> bool {
        let source = self.sources.get(&customer(address));
        if source.is_none_or(|source| source.failures <= FAILURES_FORGIVEN) {
            return true;
        }
        let name: String = name.chars().take(NAME_MAX).collect();
        if !self.names.contains_key(&name) && self.names.len() >= NAMES_MAX {
            // The fullest bucket is the one least guessed at.
            let fullest = self.names.iter().max_by_key(|(_, bucket)| bucket.tokens);
            if let Some(fullest) = fullest.map(|(name, _)| name.clone()) {
                self.names.remove(&fullest);
            }
        }
        let bucket = self.names.entry(name).or_insert_with(|| Bucket::full(GUESSES_BURST, now));
        bucket.takes(GUESSES_BURST, GUESSES_EACH_SECOND, now)
    }

    /// An authentication failed.
    pub(super) fn failed(&mut self, address: IpAddr, now: Moment) {
        let source = self.source(address, now);
        if now - source.since > WINDOW {
            source.failures = 0;
            source.since = now;
        }
        source.failures = source.failures.saturating_add(1);
        if source.failures > FAILURES_MAX {
            source.silent_until = Some(now + SILENCE);
        }
    }

    fn source(&mut self, address: IpAddr, now: Moment) -> &mut Source {
        let address = customer(address);
        match self.sources.get(&address) {
            Some(source) => {
                self.order.remove(&(source.touched, address));
            }
            None if self.sources.len() >= SOURCES_MAX => {
                if let Some((_, oldest)) = self.order.pop_first() {
                    self.sources.remove(&oldest);
                }
            }
            None => {}
        }
        self.order.insert((now, address));
        let source = self.sources.entry(address).or_insert_with(|| Source {
            touched: now,
            challenges: Bucket::full(CHALLENGES_BURST, now),
            failures: 0,
            since: now,
            silent_until: None,
        });
        source.touched = now;
        source
    }
}

/// The part of an address that stands for one customer.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let half = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(half))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Moment = Moment::START;

    #[test]
    fn a_guesser_is_ignored_for_a_while_and_nobody_else() {
        let mut guard = Guard::default();
        let guesser = "192.0.2.66".parse().unwrap();
        for _ in 0..=FAILURES_MAX {
            guard.failed(guesser, T0);
        }

        assert!(!guard.admits(guesser, T0 + Duration::from_secs(59)));
        assert!(guard.admits(guesser, T0 + Duration::from_secs(61)));
        assert!(guard.admits("192.0.2.67".parse().unwrap(), T0));
    }

    #[test]
    fn a_forgotten_password_now_and_then_is_forgiven() {
        let mut guard = Guard::default();
        let phone = "192.0.2.7".parse().unwrap();
        for minute in 0..100 {
            guard.failed(phone, T0 + Duration::from_secs(60 * minute));
        }

        assert!(guard.admits(phone, T0 + Duration::from_secs(6_000)));
    }

    #[test]
    fn a_source_gets_a_burst_of_challenges_and_then_a_trickle() {
        let mut guard = Guard::default();
        let flood = "192.0.2.66".parse().unwrap();
        let admitted =
            |guard: &mut Guard, at| (0..2_000).filter(|_| guard.admits(flood, at)).count();

        assert_eq!(admitted(&mut guard, T0), 400);
        assert_eq!(admitted(&mut guard, T0 + Duration::from_secs(2)), 80);
        assert!(guard.admits("192.0.2.7".parse().unwrap(), T0));
    }

    #[test]
    fn guesses_at_one_name_from_everywhere_are_checked_sparingly() {
        let mut guard = Guard::default();
        let mut checked = 0;
        for n in 0..200_u32 {
            let guesser = IpAddr::V4(n.into());
            for _ in 0..10 {
                checked += u32::from(guard.checks(guesser, "lea", T0));
                guard.failed(guesser, T0);
            }
        }

        // Three slips each, and thirty more for all of them together.
        assert_eq!(checked, 200 * (FAILURES_FORGIVEN + 1) + GUESSES_BURST);
        assert!(guard.checks("198.51.100.7".parse().unwrap(), "lea", T0), "léa's own phone");
    }

    #[test]
    fn the_tables_are_bounded() {
        let mut guard = Guard::default();
        for n in 0..10_000_u32 {
            let guesser = IpAddr::V4(n.into());
            for _ in 0..5 {
                guard.admits(guesser, T0 + Duration::from_millis(n.into()));
                guard.failed(guesser, T0 + Duration::from_millis(n.into()));
                guard.checks(guesser, &format!("name{n}"), T0 + Duration::from_millis(n.into()));
            }
        }

        assert!(guard.sources.len() <= SOURCES_MAX);
        assert_eq!(guard.sources.len(), guard.order.len());
        assert!(guard.names.len() <= NAMES_MAX);
    }
}
