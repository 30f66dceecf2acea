//! Ports for RTP, lent in pairs and returned.
//!
//! The even port is RTP's, the one above it RTCP's (RFC 3550 §11). Which pair is lent is chance, so
//! that nobody guesses where the next call will listen; and a pair that was used rests for a
//! minute, so that late packets of an old call don't reach a new one. When every pair is lent or
//! resting, the one that rested longest is lent early: a stranger's late packets are not heard
//! anyway, and a caller refused for want of a port is.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Mint, Moment};

/// How long a pair rests after use, as long as there are others.
pub const QUARANTINE: Duration = Duration::from_secs(60);

/// How long it rests at least: what is still on its way then is lost, not late.
pub const QUARANTINE_MIN: Duration = Duration::from_secs(2);

/// The pairs of one range.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PortRange {
    free: Vec<u16>,
    lent: BTreeSet<u16>,
    /// Soonest free first.
    resting: VecDeque<Resting>,
    mint: Mint,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Resting {
    port: u16,
    until: Moment,
}

/// Why two numbers are not a range of ports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAPortRange {
    #[error("ports below 1024 belong to the system")]
    TooLow,
    #[error("there is no pair of an even port and the one above it between them")]
    Empty,
}

impl PortRange {
    /// All pairs whose both ports are between `first` and `last`, these included.
    pub fn new(first: u16, last: u16, mint: Mint) -> Result<Self, NotAPortRange> {
        if first < 1024 {
            return Err(NotAPortRange::TooLow);
        }
        let free: Vec<u16> = (first..last).filter(|port| port.is_multiple_of(2)).collect();
        if free.is_empty() {
            return Err(NotAPortRange::Empty);
        }
        Ok(Self { free, lent: BTreeSet::new(), resting: VecDeque::new(), mint })
    }

    /// The even port of a pair; `None` if every pair is lent, or has only just been returned.
    pub fn lend(&mut self, now: Moment) -> Option<u16> {
        while let Some(rested) = self.resting.pop_front_if(|resting| resting.until <= now) {
            self.free.push(rested.port);
        }
        if self.free.is_empty() {
            let tired = |resting: &mut Resting| resting.until + QUARANTINE_MIN <= now + QUARANTINE;
            self.free.push(self.resting.pop_front_if(tired)?.port);
        }
        let at = usize::try_from(self.mint.below(self.free.len() as u64)).unwrap_or(0);
        let port = self.free.swap_remove(at);
        self.lent.insert(port);
        Some(port)
    }

    /// A pair comes back, used or found to be in use by somebody else; it rests before it is lent
    /// again. A pair that isn't lent is ignored.
    pub fn returned(&mut self, port: u16, now: Moment) {
        if self.lent.remove(&port) {
            self.resting.push_back(Resting { port, until: now + QUARANTINE });
        }
    }

    /// How many pairs are lent.
    pub fn lent(&self) -> usize {
        self.lent.len()
    }

    /// How many pairs there are.
    pub fn size(&self) -> usize {
        self.free.len() + self.lent.len() + self.resting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> PortRange {
        PortRange::new(20_000, 20_199, Mint::from_number(1)).unwrap()
    }

    #[test]
    fn every_pair_is_lent_once() {
        let mut range = range();

        let ports: BTreeSet<u16> = std::iter::from_fn(|| range.lend(Moment::START)).collect();

        assert_eq!(ports.len(), 100);
        assert!(ports.iter().all(|port| port % 2 == 0 && (20_000..20_199).contains(port)));
        assert_eq!((range.lent(), range.size()), (100, 100));
    }

    #[test]
    fn the_next_pair_can_not_be_guessed() {
        let mut range = range();
        let ports: Vec<u16> = std::iter::from_fn(|| range.lend(Moment::START)).collect();
        let in_order = ports.windows(2).filter(|pair| pair[0] + 2 == pair[1]).count();
        assert!(in_order < 10, "{in_order}");
    }

    #[test]
    fn a_pair_that_was_used_rests_for_a_minute() {
        let mut range = PortRange::new(3000, 3003, Mint::from_number(1)).unwrap();
        let used = range.lend(Moment::START).unwrap();
        range.returned(used, Moment::START);
        range.returned(used, Moment::START);
        range.returned(9999, Moment::START);

        let almost = Moment::START + (QUARANTINE - Duration::from_millis(1));
        let other = range.lend(almost).unwrap();
        assert_ne!(other, used);
        assert_eq!(range.lend(Moment::START + QUARANTINE), Some(used));
        assert_eq!(range.size(), 2);
    }

    #[test]
    fn with_no_other_left_the_longest_rested_pair_is_lent_early_but_never_at_once() {
        let mut range = PortRange::new(3000, 3003, Mint::from_number(1)).unwrap();
        let first = range.lend(Moment::START).unwrap();
        let second = range.lend(Moment::START).unwrap();
        range.returned(first, Moment::START);
        range.returned(second, Moment::START + Duration::from_secs(1));

        let almost = Moment::START + (QUARANTINE_MIN - Duration::from_millis(1));
        assert_eq!(range.lend(almost), None);
        assert_eq!(range.lend(Moment::START + QUARANTINE_MIN), Some(first));
        assert_eq!(range.lend(Moment::START + QUARANTINE_MIN), None);
    }

    #[test]
    fn a_range_needs_a_whole_pair() {
        let new =
            |first, last| PortRange::new(first, last, Mint::from_number(1)).map(|it| it.size());
        assert_eq!(new(80, 9000), Err(NotAPortRange::TooLow));
        assert_eq!(new(3001, 3002), Err(NotAPortRange::Empty));
        assert_eq!(new(3000, 3000), Err(NotAPortRange::Empty));
        assert_eq!(new(4000, 3000), Err(NotAPortRange::Empty));
        assert_eq!(new(65_534, 65_535), Ok(1));
    }
}
