//! Who guesses passwords, and how long nobody listens to them (domain.md T-02).
//!
//! Counts failed authentications per source; beyond [`FAILURES_MAX`] within [`WINDOW`] the source
//! hears nothing for [`SILENCE`]. IPv6 sources count by their /64, which is what one customer has.
//! A trunk's addresses never get here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// A phone with a wrong password tries a few times a minute; a guesser tries thousands.
const FAILURES_MAX: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(60);
/// The most sources remembered; the one longest untouched is forgotten first.
const SOURCES_MAX: usize = 4_096;

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Guard {
    #[serde(with = "crate::sip::transaction::pairs")]
    sources: BTreeMap<IpAddr, Source>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Source {
    failures: u32,
    since: Moment,
    silent_until: Option<Moment>,
}

impl Guard {
    /// An authentication failed.
    pub(super) fn failed(&mut self, address: IpAddr, now: Moment) {
        let address = customer(address);
        if !self.sources.contains_key(&address) && self.sources.len() >= SOURCES_MAX {
            self.make_room(now);
        }
        let source = self.sources.entry(address).or_insert(Source {
            failures: 0,
            since: now,
            silent_until: None,
        });
        if now - source.since > WINDOW {
            source.failures = 0;
            source.since = now;
        }
        source.failures = source.failures.saturating_add(1);
        if source.failures > FAILURES_MAX {
            source.silent_until = Some(now + SILENCE);
        }
    }

    /// Whether this source is to hear nothing now.
    pub(super) fn ignores(&self, address: IpAddr, now: Moment) -> bool {
        self.sources
            .get(&customer(address))
            .and_then(|source| source.silent_until)
            .is_some_and(|until| now < until)
    }

    /// Forgets whoever has been quiet, or else the source longest untouched.
    fn make_room(&mut self, now: Moment) {
        self.sources.retain(|_, source| {
            now - source.since <= WINDOW || source.silent_until.is_some_and(|until| now < until)
        });
        if self.sources.len() < SOURCES_MAX {
            return;
        }
        let oldest = self.sources.iter().min_by_key(|(_, source)| source.since);
        if let Some(oldest) = oldest.map(|(address, _)| *address) {
            self.sources.remove(&oldest);
        }
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

    #[test]
    fn a_guesser_is_ignored_for_a_while_and_nobody_else() {
        let mut guard = Guard::default();
        let guesser = "192.0.2.66".parse().unwrap();
        for _ in 0..=FAILURES_MAX {
            guard.failed(guesser, Moment::START);
        }

        assert!(guard.ignores(guesser, Moment::START + Duration::from_secs(59)));
        assert!(!guard.ignores(guesser, Moment::START + Duration::from_secs(61)));
        assert!(!guard.ignores("192.0.2.67".parse().unwrap(), Moment::START));
    }

    #[test]
    fn a_forgotten_password_now_and_then_is_forgiven() {
        let mut guard = Guard::default();
        let phone = "192.0.2.7".parse().unwrap();
        for minute in 0..100 {
            guard.failed(phone, Moment::START + Duration::from_secs(60 * minute));
        }

        assert!(!guard.ignores(phone, Moment::START + Duration::from_secs(6_000)));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut guard = Guard::default();
        for n in 0..10_000_u32 {
            guard.failed(IpAddr::V4(n.into()), Moment::START);
        }

        assert!(guard.sources.len() <= SOURCES_MAX);
    }
}
