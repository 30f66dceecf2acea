//! A table of deadlines.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// Deadlines by key: at most one per key, soonest first; of two at the same moment, the lesser key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Vec<(K, Moment)>", into = "Vec<(K, Moment)>")]
#[serde(bound(
    serialize = "K: Ord + Clone + Serialize",
    deserialize = "K: Ord + Clone + Deserialize<'de>"
))]
pub struct Timers<K: Ord + Clone> {
    deadlines: BTreeMap<K, Moment>,
    order: BTreeSet<(Moment, K)>,
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets `key` to ring at `at`, replacing any earlier setting.
    pub fn set(&mut self, key: K, at: Moment) {
        if let Some(earlier) = self.deadlines.insert(key.clone(), at) {
            self.order.remove(&(earlier, key.clone()));
        }
        self.order.insert((at, key));
    }

    /// Stops `key`; stopping a timer that is not running is fine.
    pub fn stop(&mut self, key: &K) {
        if let Some(at) = self.deadlines.remove(key) {
            self.order.remove(&(at, key.clone()));
        }
    }

    /// Removes and returns one timer that is due at `now`, the soonest first.
    pub fn pop_due(&mut self, now: Moment) -> Option<K> {
        let (at, _) = self.order.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.deadlines.remove(&key);
        Some(key)
    }

    /// The next moment at which something is due; changes with `set`, `stop` and `pop_due`.
    pub fn next(&self) -> Option<Moment> {
        self.order.first().map(|(at, _)| *at)
    }

    /// When `key` is due, if it is running.
    pub fn due(&self, key: &K) -> Option<Moment> {
        self.deadlines.get(key).copied()
    }

    /// Whether no timer runs at all.
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// How many timers run.
    pub fn len(&self) -> usize {
        self.deadlines.len()
    }
}

impl<K: Ord + Clone> Default for Timers<K> {
    fn default() -> Self {
        Self { deadlines: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> From<Vec<(K, Moment)>> for Timers<K> {
    fn from(pairs: Vec<(K, Moment)>) -> Self {
        let mut timers = Self::default();
        for (key, at) in pairs {
            timers.set(key, at);
        }
        timers
    }
}

impl<K: Ord + Clone> From<Timers<K>> for Vec<(K, Moment)> {
    fn from(timers: Timers<K>) -> Self {
        timers.deadlines.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn setting_a_timer_again_moves_it() {
        let mut timers = Timers::default();
        timers.set("ring", at(5));
        timers.set("ring", at(9));

        assert_eq!(timers.pop_due(at(5)), None);
        assert_eq!(timers.pop_due(at(9)), Some("ring"));
        assert!(timers.is_empty());
    }

    #[test]
    fn the_soonest_comes_first_and_a_stopped_one_never() {
        let mut timers = Timers::default();
        timers.set("late", at(9));
        timers.set("soon", at(1));
        timers.set("never", at(0));
        timers.stop(&"never");

        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop_due(at(10)), Some("soon"));
        assert_eq!(timers.pop_due(at(10)), Some("late"));
        assert_eq!(timers.pop_due(at(10)), None);
    }

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }
}
