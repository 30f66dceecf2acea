//! Who is inside at the page's door, and who makes room when it is full.
//!
//! Whoever has said nothing for longest goes: strangers first, then those who have shown a sign-in. Nobody goes
//! while they are being answered. A stranger is answered in [`ANSWER_PATIENCE`] or may go after all, so that
//! reading slowly holds no place; somebody signed in may take for ever, because a page that is open is one long
//! answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::base::Moment;
use crate::net::{Limits, Stamp};

/// How long a stranger's answer is safe from newcomers.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// Who is inside.
pub(super) struct Crowd {
    limits: Limits,
    stamp: Stamp,
    inside: Mutex<Inside>,
}

/// A place inside, free again when it is dropped.
pub struct Place {
    crowd: Arc<Crowd>,
    id: u64,
    /// The answer is said, but perhaps not sent.
    is_answered: AtomicBool,
}

/// Is over when the place is somebody else's.
pub(super) type Stay = oneshot::Receiver<()>;

#[derive(Default)]
struct Inside {
    last: u64,
    people: BTreeMap<u64, Person>,
    by_address: BTreeMap<IpAddr, usize>,
    /// Who may go, from when on, and who first.
    order: BTreeSet<(Standing, Moment, u64)>,
    order_by_address: BTreeSet<(IpAddr, Standing, Moment, u64)>,
}

struct Person {
    from: IpAddr,
    standing: Standing,
    /// May go for a newcomer from then on; none: never.
    leaves: Option<Moment>,
    _stay: oneshot::Sender<()>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Standing {
    Stranger,
    /// Has shown a sign-in.
    Known,
}

impl Crowd {
    pub(super) fn new(limits: Limits, stamp: Stamp) -> Self {
        Self { limits, stamp, inside: Mutex::default() }
    }

    /// A place for a newcomer, somebody else's if need be. Whoever comes from this machine may be a proxy that
    /// speaks for many.
    pub(super) fn admits(crowd: &Arc<Self>, from: IpAddr) -> Option<(Place, Stay)> {
        let now = crowd.now();
        let mut inside = crowd.inside();
        let own = inside.by_address.get(&from).copied().unwrap_or(0);
        let is_share_spent = own >= crowd.limits.max_per_address && !from.is_loopback();
        if is_share_spent && !inside.makes_room_among(from, now) {
            return None;
        }
        if inside.people.len() >= crowd.limits.max && !inside.makes_room(now) {
            return None;
        }
        let (stays, stay) = oneshot::channel();
        let id = inside.comes(from, stays, now);
        Some((Place { crowd: Arc::clone(crowd), id, is_answered: AtomicBool::new(false) }, stay))
    }

    fn now(&self) -> Moment {
        (self.stamp)().steady
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A whole request has come, and will be answered.
    pub fn asked(&self) {
        let until = self.crowd.now() + ANSWER_PATIENCE;
        self.is_answered.store(false, Ordering::Relaxed);
        self.crowd.inside().changes(self.id, |person| {
            person.leaves = Some(until);
        });
    }

    /// Whoever is being answered is signed in.
    pub fn known(&self) {
        self.crowd.inside().changes(self.id, |person| {
            person.standing = Standing::Known;
            person.leaves = None;
        });
    }

    /// All of the answer is said.
    pub fn answered(&self) {
        self.is_answered.store(true, Ordering::Relaxed);
    }

    /// Nothing is left to be sent.
    pub(super) fn sent(&self) {
        if !self.is_answered.swap(false, Ordering::Relaxed) {
            return;
        }
        let now = self.crowd.now();
        self.crowd.inside().changes(self.id, |person| person.leaves = Some(now));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.inside().goes(self.id);
    }
}

impl Inside {
    fn comes(&mut self, from: IpAddr, stay: oneshot::Sender<()>, now: Moment) -> u64 {
        self.last += 1;
        let id = self.last;
        let person = Person { from, standing: Standing::Stranger, leaves: Some(now), _stay: stay };
        self.lines_up(id, &person);
        self.people.insert(id, person);
        *self.by_address.entry(from).or_default() += 1;
        id
    }

    fn goes(&mut self, id: u64) {
        let Some(gone) = self.people.remove(&id) else {
            return;
        };
        self.steps_out_of_line(id, &gone);
        if let Some(count) = self.by_address.get_mut(&gone.from) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&gone.from);
            }
        }
    }

    fn changes(&mut self, id: u64, change: impl FnOnce(&mut Person)) {
        // Whoever was put out has no place any more.
        let Some(mut person) = self.people.remove(&id) else {
            return;
        };
        self.steps_out_of_line(id, &person);
        change(&mut person);
        self.lines_up(id, &person);
        self.people.insert(id, person);
    }

    fn lines_up(&mut self, id: u64, person: &Person) {
        if let Some(leaves) = person.leaves {
            self.order.insert((person.standing, leaves, id));
            self.order_by_address.insert((person.from, person.standing, leaves, id));
        }
    }

    fn steps_out_of_line(&mut self, id: u64, person: &Person) {
        if let Some(leaves) = person.leaves {
            self.order.remove(&(person.standing, leaves, id));
            self.order_by_address.remove(&(person.from, person.standing, leaves, id));
        }
    }

    fn makes_room(&mut self, now: Moment) -> bool {
        let first = [Standing::Stranger, Standing::Known].into_iter().find_map(|standing| {
            let may_go = (standing, Moment::START, 0)..=(standing, now, u64::MAX);
            self.order.range(may_go).next().map(|(_, _, id)| *id)
        });
        self.loses(first)
    }

    /// The same among those from one address.
    fn makes_room_among(&mut self, from: IpAddr, now: Moment) -> bool {
        let first = [Standing::Stranger, Standing::Known].into_iter().find_map(|standing| {
            let may_go = (from, standing, Moment::START, 0)..=(from, standing, now, u64::MAX);
            self.order_by_address.range(may_go).next().map(|(_, _, _, id)| *id)
        });
        self.loses(first)
    }

    fn loses(&mut self, id: Option<u64>) -> bool {
        id.inspect(|id| self.goes(*id)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::base::Now;

    const HOME: &str = "192.0.2.1";

    #[test]
    fn the_stranger_who_has_been_silent_longest_makes_room() {
        let town = Town::new(2, 2);
        let mut first = town.lets_in(HOME).unwrap();
        town.passes(1);
        let mut second = town.lets_in("192.0.2.2").unwrap();
        town.passes(1);
        first.is_served();

        let newcomer = town.lets_in("192.0.2.3");

        assert!(newcomer.is_some());
        assert!(first.is_inside() && !second.is_inside());
    }

    #[test]
    fn a_spent_share_makes_room_among_its_own_and_nobody_elses() {
        let town = Town::new(9, 2);
        let mut other = town.lets_in("192.0.2.9").unwrap();
        town.passes(1);
        let mut first = town.lets_in(HOME).unwrap();
        let mut second = town.lets_in(HOME).unwrap();

        let mut newcomer = town.lets_in(HOME).unwrap();

        assert!(!first.is_inside());
        assert!(other.is_inside() && second.is_inside() && newcomer.is_inside());
    }

    #[test]
    fn who_is_being_answered_stays_and_a_stranger_not_for_ever() {
        let town = Town::new(1, 1);
        let mut slow = town.lets_in(HOME).unwrap();
        slow.place.asked();
        town.passes(19);
        assert!(town.lets_in("192.0.2.2").is_none());

        // All is said, but they have not taken it.
        slow.place.answered();
        assert!(town.lets_in("192.0.2.2").is_none());
        town.passes(1);

        let newcomer = town.lets_in("192.0.2.2");
        assert!(newcomer.is_some() && !slow.is_inside());
    }

    #[test]
    fn somebody_signed_in_is_answered_for_as_long_as_it_takes_and_goes_after_all_strangers() {
        let town = Town::new(2, 2);
        let mut listener = town.lets_in(HOME).unwrap();
        listener.place.asked();
        listener.place.known();
        town.passes(100_000);
        let mut stranger = town.lets_in(HOME).unwrap();
        let mut newcomer = town.lets_in("192.0.2.2").unwrap();
        assert!(listener.is_inside() && !stranger.is_inside());

        // At rest they go after whoever came later.
        listener.place.answered();
        listener.place.sent();
        town.passes(1);
        let mut last = town.lets_in("192.0.2.3").unwrap();
        assert!(listener.is_inside() && !newcomer.is_inside());
        last.place.asked();
        assert!(town.lets_in("192.0.2.4").is_some());
        assert!(!listener.is_inside() && last.is_inside());
    }

    #[test]
    fn places_are_free_again_when_people_leave() {
        let town = Town::new(3, 3);
        for _ in 0..5 {
            let guest = town.lets_in(HOME).unwrap();
            guest.place.asked();
        }

        let inside = town.crowd.inside();
        assert!(inside.people.is_empty() && inside.by_address.is_empty());
        assert!(inside.order.is_empty() && inside.order_by_address.is_empty());
    }

    struct Town {
        crowd: Arc<Crowd>,
        seconds: Arc<AtomicU64>,
    }

    struct Visit {
        place: Place,
        stay: Stay,
    }

    impl Town {
        fn new(max: usize, max_per_address: usize) -> Self {
            let seconds = Arc::new(AtomicU64::new(0));
            let read = Arc::clone(&seconds);
            let stamp: Stamp = Arc::new(move || Now {
                steady: Moment::START + Duration::from_secs(read.load(Ordering::Relaxed)),
                wall: chrono::DateTime::UNIX_EPOCH,
            });
            let patience = Duration::from_secs(1);
            let limits =
                Limits { max, max_per_address, message_timeout: patience, idle_timeout: patience };
            Self { crowd: Arc::new(Crowd::new(limits, stamp)), seconds }
        }

        fn passes(&self, seconds: u64) {
            self.seconds.fetch_add(seconds, Ordering::Relaxed);
        }

        fn lets_in(&self, from: &str) -> Option<Visit> {
            let (place, stay) = Crowd::admits(&self.crowd, from.parse().unwrap())?;
            Some(Visit { place, stay })
        }
    }

    impl Visit {
        fn is_inside(&mut self) -> bool {
            self.stay.try_recv() == Err(oneshot::error::TryRecvError::Empty)
        }

        fn is_served(&self) {
            self.place.asked();
            self.place.answered();
            self.place.sent();
        }
    }
}
