//! Callers who withhold their number, and everybody else.
//!
//! Who has a number can be held to a few calls at once; who has none can't be told from the next. So that
//! a flood of calls without numbers takes the line from nobody (domain.md T-17), they are one class: while
//! others wait it has at most half of the places, and when it is more than half of those who wait the two
//! classes are served in turn, first come first served within each. On any other day there is one line of
//! callers, by arrival, and nobody is worse off for being anonymous.

use serde::{Deserialize, Serialize};

use super::{Place, Queue};

/// How much is known of a caller: never more than this.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Class {
    /// Has no number.
    Anonymous,
    /// Has one, or is one of the house.
    Known,
}

impl Queue {
    /// Whether a caller of this class may have a place.
    pub(super) fn has_room(&self, class: Class) -> bool {
        let half = self.plan.places_max / 2;
        let (known, anonymous) = (self.count(Class::Known), self.count(Class::Anonymous));
        let room = known + anonymous < self.plan.places_max;
        match class {
            Class::Anonymous => room && (known == 0 || anonymous < half),
            // The half that a flood has taken is theirs all the same.
            Class::Known => room || known < half,
        }
    }

    /// Everybody with a place, in the order in which they are to be served.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Place> {
        let returned = self.places.iter().filter(|place| place.returned);
        let others: Vec<&Place> = self.places.iter().filter(|place| !place.returned).collect();
        returned.chain(if self.is_flooded() { self.alternating(&others) } else { others })
    }

    fn is_flooded(&self) -> bool {
        let (known, anonymous) = (self.count(Class::Known), self.count(Class::Anonymous));
        known > 0 && anonymous > known
    }

    /// One of each class in turn, beginning with the one that was not served last.
    fn alternating<'a>(&self, places: &[&'a Place]) -> Vec<&'a Place> {
        let of = |class| places.iter().copied().filter(move |place| place.class == class);
        let (mut known, mut anonymous) = (of(Class::Known), of(Class::Anonymous));
        let mut turn = match self.served_last {
            Some(Class::Known) => Class::Anonymous,
            Some(Class::Anonymous) | None => Class::Known,
        };
        let mut order = Vec::with_capacity(places.len());
        while order.len() < places.len() {
            let (next, other) = match turn {
                Class::Anonymous => (anonymous.next().or_else(|| known.next()), Class::Known),
                Class::Known => (known.next().or_else(|| anonymous.next()), Class::Anonymous),
            };
            order.extend(next);
            turn = other;
        }
        order
    }

    fn count(&self, class: Class) -> usize {
        self.places.iter().filter(|place| place.class == class).count()
    }
}
