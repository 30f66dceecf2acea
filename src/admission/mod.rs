//! Being let in: how many calls at once, by trunk and by caller.
//!
//! [`Admission`] counts the calls that live and says whether one more can be served; it never decides
//! what is said to those who can't be (that is `call`), and it never bans anybody: a place is free
//! again as soon as a call ends. Callers are told apart by a [`pseudonym`](Pseudonym) that is
//! forgotten every night; callers without a number have none and are admitted like all others.
//!
//! Overload of the machine itself, refused before any state is made, is the exchange's business.

mod pseudonym;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, CallerNumber, Mint, Moment, Now, TrunkName};

pub use pseudonym::{Pseudonym, Pseudonyms};

/// The most insistent callers remembered.
const INSISTENT_MAX: usize = 1_024;

/// How many calls may live at once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// In the whole house.
    pub calls_max: usize,
    /// By trunk; a trunk not named here has the house's limit only.
    pub trunk_calls_max: BTreeMap<TrunkName, usize>,
    /// From one caller; none to not count them.
    pub caller_calls_max: Option<usize>,
}

/// What admission says to one more call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Verdict {
    Admitted,
    /// The house is full.
    HouseFull,
    /// This trunk has its share.
    TrunkFull,
    /// This caller has theirs.
    CallerFull,
}

/// The calls that live, counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Admission {
    limits: Limits,
    calls: BTreeMap<CallRef, Entry>,
    by_trunk: BTreeMap<TrunkName, usize>,
    by_caller: BTreeMap<Pseudonym, usize>,
    /// Callers who wanted more calls than one may have, and when last.
    insistent: BTreeMap<Pseudonym, Moment>,
    pseudonyms: Pseudonyms,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Entry {
    trunk: Option<TrunkName>,
    caller: Option<Pseudonym>,
}

impl Admission {
    /// A house without calls; `mint` gives the first night's key.
    pub fn new(limits: Limits, mint: &mut Mint, now: Now) -> Self {
        Self {
            limits,
            calls: BTreeMap::new(),
            by_trunk: BTreeMap::new(),
            by_caller: BTreeMap::new(),
            insistent: BTreeMap::new(),
            pseudonyms: Pseudonyms::new(mint, now),
        }
    }

    /// The plan changed. Calls that live stay, even if they are now too many.
    pub fn limits_changed(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// A call was let in and lives from now on. `caller` is none when the network withheld it.
    pub fn admitted(
        &mut self,
        call: CallRef,
        trunk: Option<TrunkName>,
        caller: Option<&CallerNumber>,
    ) {
        self.left(call);
        let caller = self.pseudonym(caller);
        if let Some(trunk) = &trunk {
            *self.by_trunk.entry(trunk.clone()).or_default() += 1;
        }
        if let Some(caller) = caller {
            *self.by_caller.entry(caller).or_default() += 1;
        }
        self.calls.insert(call, Entry { trunk, caller });
    }

    /// A caller wanted more than their share.
    pub fn turned_away(&mut self, caller: &CallerNumber, now: Moment) {
        if self.insistent.len() >= INSISTENT_MAX {
            let oldest = self.insistent.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(caller, _)| *caller) {
                self.insistent.remove(&oldest);
            }
        }
        if let Some(caller) = self.pseudonym(Some(caller)) {
            self.insistent.insert(caller, now);
        }
    }

    /// A call ended; its place is free. A call that was never admitted frees nothing.
    pub fn left(&mut self, call: CallRef) {
        let Some(entry) = self.calls.remove(&call) else {
            return;
        };
        if let Some(trunk) = entry.trunk {
            count_down(&mut self.by_trunk, trunk);
        }
        if let Some(caller) = entry.caller {
            count_down(&mut self.by_caller, caller);
        }
    }

    /// Forgets all callers when their night has come. Cheap, and harmless when called early.
    pub fn handle_timeout(&mut self, now: Now) {
        if !self.pseudonyms.handle_timeout(now) {
            return;
        }
        // Calls that outlive the night keep their place in the house and lose their name.
        self.by_caller.clear();
        self.insistent.clear();
        for entry in self.calls.values_mut() {
            entry.caller = None;
        }
    }

    /// When callers are forgotten next; changes with `handle_timeout` only.
    pub fn poll_timeout(&self) -> Option<Moment> {
        Some(self.pseudonyms.due())
    }

    /// Whether one more call could be let in.
    pub fn verdict(&self, trunk: Option<&TrunkName>, caller: Option<&CallerNumber>) -> Verdict {
        if self.calls.len() >= self.limits.calls_max {
            return Verdict::HouseFull;
        }
        if trunk.is_some_and(|trunk| self.is_full(trunk)) {
            return Verdict::TrunkFull;
        }
        if let (Some(caller_calls_max), Some(caller)) =
            (self.limits.caller_calls_max, self.pseudonym(caller))
            && self.by_caller.get(&caller).copied().unwrap_or_default() >= caller_calls_max
        {
            return Verdict::CallerFull;
        }
        Verdict::Admitted
    }

    /// How many callers have wanted more than their share since a moment.
    pub fn insistent_since(&self, since: Moment) -> usize {
        self.insistent.values().filter(|at| **at >= since).count()
    }

    /// How many calls live.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// How many calls live on this trunk.
    pub fn calls_of(&self, trunk: &TrunkName) -> usize {
        self.by_trunk.get(trunk).copied().unwrap_or_default()
    }

    fn is_full(&self, trunk: &TrunkName) -> bool {
        self.limits
            .trunk_calls_max
            .get(trunk)
            .is_some_and(|calls_max| self.calls_of(trunk) >= *calls_max)
    }

    /// Callers are not told apart, even under a pseudonym, unless the plan asks for it.
    fn pseudonym(&self, caller: Option<&CallerNumber>) -> Option<Pseudonym> {
        self.limits.caller_calls_max?;
        caller.map(|number| self.pseudonyms.of(number))
    }
}

fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_full_house_admits_again_when_a_call_has_left() {
        let mut admission = admission(2, None);
        admission.admitted(CallRef(1), None, None);
        admission.admitted(CallRef(2), None, None);

        assert_eq!(admission.verdict(None, None), Verdict::HouseFull);
        admission.left(CallRef(1));
        assert_eq!(admission.verdict(None, None), Verdict::Admitted);
    }

    #[test]
    fn a_trunk_that_has_its_share_leaves_the_others_room() {
        let mut admission = admission(10, None);
        let (orange, other) = (trunk("orange"), trunk("other"));
        admission.admitted(CallRef(1), Some(orange.clone()), None);
        admission.admitted(CallRef(2), Some(orange.clone()), None);

        assert_eq!(admission.verdict(Some(&orange), None), Verdict::TrunkFull);
        assert_eq!(admission.verdict(Some(&other), None), Verdict::Admitted);
        assert_eq!(admission.verdict(None, None), Verdict::Admitted);
    }

    #[test]
    fn one_caller_may_hold_two_places_and_not_three() {
        let mut admission = admission(100, Some(2));
        let (troll, anna) = (number("+33612345678"), number("+33698765432"));
        admission.admitted(CallRef(1), None, Some(&troll));
        admission.admitted(CallRef(2), None, Some(&troll));

        assert_eq!(admission.verdict(None, Some(&troll)), Verdict::CallerFull);
        assert_eq!(admission.verdict(None, Some(&anna)), Verdict::Admitted);
        admission.left(CallRef(2));
        assert_eq!(admission.verdict(None, Some(&troll)), Verdict::Admitted);
    }

    #[test]
    fn callers_without_a_number_are_never_taken_for_one_another() {
        let mut admission = admission(100, Some(2));
        for call in 0..50 {
            assert_eq!(admission.verdict(None, None), Verdict::Admitted);
            admission.admitted(CallRef(call), None, None);
        }
    }

    #[test]
    fn at_four_in_the_morning_all_callers_are_forgotten_and_their_calls_stay() {
        let mut admission = admission(100, Some(1));
        let anna = number("+33698765432");
        admission.admitted(CallRef(1), None, Some(&anna));
        assert_eq!(admission.verdict(None, Some(&anna)), Verdict::CallerFull);

        let night = start().plus(Duration::from_secs(24 * 3600));
        admission.handle_timeout(night);

        assert_eq!(admission.verdict(None, Some(&anna)), Verdict::Admitted);
        assert_eq!(admission.calls(), 1);
        admission.left(CallRef(1));
        assert_eq!(admission.calls(), 0);
    }

    #[test]
    fn admitting_or_leaving_twice_counts_once() {
        let mut admission = admission(100, Some(2));
        let (orange, anna) = (trunk("orange"), number("+33698765432"));
        for _ in 0..3 {
            admission.admitted(CallRef(1), Some(orange.clone()), Some(&anna));
        }
        assert_eq!(admission.calls_of(&orange), 1);
        assert_eq!(admission.verdict(None, Some(&anna)), Verdict::Admitted);

        admission.left(CallRef(1));
        admission.left(CallRef(1));
        admission.left(CallRef(7));
        assert_eq!((admission.calls(), admission.calls_of(&orange)), (0, 0));
    }

    #[test]
    fn nobody_is_told_apart_when_the_plan_does_not_ask_for_it() {
        let mut admission = admission(100, None);
        admission.admitted(CallRef(1), None, Some(&number("+33612345678")));

        assert!(admission.by_caller.is_empty());
    }

    #[test]
    fn an_admission_written_down_and_read_again_says_the_same() {
        let mut admission = admission(100, Some(1));
        let anna = number("+33698765432");
        admission.admitted(CallRef(1), Some(trunk("orange")), Some(&anna));

        let text = serde_json::to_string(&admission).unwrap();
        let again: Admission = serde_json::from_str(&text).unwrap();

        assert_eq!(again.verdict(None, Some(&anna)), Verdict::CallerFull);
        assert_eq!(again.poll_timeout(), admission.poll_timeout());
    }

    fn admission(calls_max: usize, caller_calls_max: Option<usize>) -> Admission {
        let trunk_calls_max = BTreeMap::from([(trunk("orange"), 2)]);
        let limits = Limits { calls_max, trunk_calls_max, caller_calls_max };
        Admission::new(limits, &mut Mint::from_number(1), start())
    }

    fn start() -> Now {
        Now { steady: Moment::START, wall: "2026-11-21T12:00:00Z".parse().unwrap() }
    }

    fn trunk(name: &str) -> TrunkName {
        name.parse().unwrap()
    }

    fn number(text: &str) -> CallerNumber {
        CallerNumber::new(text.parse().unwrap())
    }
}
