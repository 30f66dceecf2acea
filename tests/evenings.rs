//! Random evenings: people do whatever they like, and what must always hold, holds.
//!
//! Callers dial, hold, press keys and hang up; listeners pick up, refuse, go away, come back and
//! pull cables; the operator reloads, closes and opens; the clock jumps; packets are lost. After
//! every move the invariants of architecture.md §2.10 are looked at. A failing evening prints its
//! number: `HOTLINE_EVENING=4711` tells it again alone, `HOTLINE_EVENINGS=10000` tells many.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chrono::TimeDelta;
use hotline::base::Moment;
use hotline::exchange::Command;
use hotline::record::{AttemptResult, CallRecord, Outcome};
use hotline::schedule::HolidayPolicy;
use hotline::sim::phone::{Codec, OnInvite};
use hotline::sim::{Habits, Heard, Person, Restoring, Town, Weather, millis, minutes, plan, secs};

/// How many evenings an ordinary run tells; `HOTLINE_EVENINGS` says otherwise.
const EVENINGS: u64 = if cfg!(debug_assertions) { 40 } else { 400 };
const MOVES: u64 = 80;
const CALLERS_MAX: usize = 8;
const LISTENERS: [&str; 4] = ["lea", "marc", "nora", "oscar"];

/// How long a caller may hear nothing: a listener's phone may die under them.
const SILENCE_MAX: Duration = Duration::from_millis(4_200);

#[test]
fn whatever_an_evening_brings_what_must_hold_holds() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let (from, to) = match number("HOTLINE_EVENING") {
        Some(one) => (one, one + 1),
        None => (0, number("HOTLINE_EVENINGS").unwrap_or(EVENINGS)),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    (from..to)
                        .filter(|seed| seed % threads == worker)
                        .filter(|seed| catch_unwind(AssertUnwindSafe(|| evening(*seed))).is_err())
                        .collect::<Vec<u64>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "these evenings went wrong: {failed:?}");
}

fn evening(seed: u64) {
    let weather = if seed % 3 == 2 { Weather::Bad } else { Weather::Fair };
    let starts = ["2026-11-21 12:40:00", "2026-11-23 18:40:00", "2026-11-23 11:00:00"];
    let start = starts[usize::try_from(seed / 3 % 3).unwrap()];
    let town = Town::new().seed(seed).weather(weather).restoring(Restoring::OneIn(25)).at(start);
    let mut evening = Evening {
        listeners: LISTENERS.iter().map(|name| town.listener(name, Habits::default())).collect(),
        town,
        callers: Vec::new(),
        dialled: 0,
        held: BTreeSet::new(),
        cut_off: BTreeSet::new(),
        mute: BTreeSet::new(),
        holding: BTreeSet::new(),
        apart_since: None,
        closed_since: None,
    };
    for listener in evening.listeners.iter().take(2) {
        listener.tries_to_register();
    }
    for _ in 0..MOVES {
        evening.moves();
        evening.must_hold();
    }
    evening.comes_to_an_end();
}

struct Evening {
    town: Town,
    listeners: Vec<Person>,
    callers: Vec<Person>,
    dialled: usize,
    /// Callers who put us on hold at some time: they hear nothing of us by their own wish.
    held: BTreeSet<String>,
    /// Listeners whose cable was out at some time.
    cut_off: BTreeSet<String>,
    /// Listeners whose phone said nothing to INVITEs at some time.
    mute: BTreeSet<String>,
    /// Listeners who put their caller on hold and did not come back.
    holding: BTreeSet<String>,
    /// Since when somebody is free and somebody waits.
    apart_since: Option<Moment>,
    /// Since when the line is closed and the drain over.
    closed_since: Option<Moment>,
}

impl Evening {
    fn moves(&mut self) {
        match self.town.below(100) {
            0..=17 => self.somebody_dials(),
            18..=25 => self.a_caller(|_, caller| caller.hangs_up()),
            26..=45 => self.a_listener(|town, listener| {
                if listener.is_ringing() {
                    match town.below(8) {
                        0 => listener.hangs_up(),
                        _ => listener.picks_up_if_ringing(),
                    }
                } else if listener.is_in_call() && town.below(3) == 0 {
                    listener.hangs_up();
                }
            }),
            46..=49 => self.a_listener(|_, listener| listener.tries_to_register()),
            50..=51 => self.a_listener(|_, listener| listener.unregisters()),
            52..=53 => {
                if let Some(listener) = chosen(&self.town, &self.listeners) {
                    self.cut_off.insert(listener.name().to_owned());
                    listener.unplugs();
                }
            }
            54..=57 => self.a_listener(|_, listener| listener.plugs_in()),
            58 => {
                if let Some(listener) = chosen(&self.town, &self.listeners) {
                    self.cut_off.insert(listener.name().to_owned());
                    listener.closes_the_port();
                }
            }
            59..=60 => self.a_listener(|_, listener| listener.opens_the_port()),
            61..=62 => self.a_listener(|town, listener| {
                let codes = ["*10", "*11", "*11", "*12"];
                if !listener.is_in_call() && !listener.is_ringing() {
                    listener.dials(codes[usize::try_from(town.below(4)).unwrap()]);
                }
            }),
            63..=64 => {
                if let Some(listener) = chosen(&self.town, &self.listeners) {
                    let habits = [
                        OnInvite::Ring,
                        OnInvite::Ring,
                        OnInvite::Refuse(486),
                        OnInvite::PickUpAfter(millis(50)),
                        OnInvite::Ignore,
                    ];
                    let habit = habits[usize::try_from(self.town.below(5)).unwrap()];
                    if habit == OnInvite::Ignore {
                        self.mute.insert(listener.name().to_owned());
                    }
                    listener.changes(|habits| habits.on_invite = habit);
                }
            }
            65..=66 => {
                let held = &mut self.held;
                if let Some(caller) = chosen(&self.town, &self.callers) {
                    held.insert(caller.name().to_owned());
                    caller.holds();
                }
            }
            67..=68 => self.a_caller(|_, caller| caller.resumes()),
            69 => {
                if let Some(listener) = chosen(&self.town, &self.listeners) {
                    self.holding.insert(listener.name().to_owned());
                    listener.holds();
                }
            }
            70..=71 => {
                if let Some(listener) = chosen(&self.town, &self.listeners) {
                    self.holding.remove(listener.name());
                    listener.resumes();
                }
            }
            72 => self.a_caller(|_, caller| caller.unplugs()),
            73 => self.a_caller(|_, caller| caller.presses('5')),
            74 => self.a_caller(|_, caller| caller.repeats_the_invite()),
            75..=76 => self.reloads(),
            77..=78 => self.operates(),
            79 => {
                let by = i64::try_from(self.town.below(240)).unwrap() - 120;
                self.town.wall_steps(TimeDelta::seconds(by));
            }
            80..=81 => self.town.passes(minutes(self.town.below(20))),
            82 => self.town.passes(minutes(60)),
            83..=90 => self.town.passes(secs(self.town.below(30))),
            _ => self.town.passes(millis(self.town.below(3000))),
        }
    }

    fn somebody_dials(&mut self) {
        let alive = self.callers.iter().filter(|caller| caller.is_in_call()).count();
        if alive >= CALLERS_MAX {
            return;
        }
        self.dialled += 1;
        let name = format!("caller-{}", self.dialled);
        let mut habits = self.town.habits_of_a_caller();
        match self.town.below(12) {
            0 => habits.anonymous = true,
            1 => habits.delayed_offer = true,
            2 => habits.codecs = vec![Codec::G729],
            3 => habits.codecs = vec![Codec::G722],
            4 => habits.sounds = false,
            _ => {}
        }
        let caller = self.town.person(&name, habits);
        caller.dials(if self.town.below(4) == 0 { "3133" } else { "3977" });
        self.callers.push(caller);
    }

    fn a_caller(&self, act: impl FnOnce(&Town, &Person)) {
        if let Some(caller) = chosen(&self.town, &self.callers) {
            act(&self.town, caller);
        }
    }

    fn a_listener(&self, act: impl FnOnce(&Town, &Person)) {
        if let Some(listener) = chosen(&self.town, &self.listeners) {
            act(&self.town, listener);
        }
    }

    fn reloads(&self) {
        let hours = ["09:00-19:00", "09:00-12:30,14:00-19:00", "09:00-20:00", "10:00-18:45"];
        let hours = plan::hours(hours[usize::try_from(self.town.below(4)).unwrap()]);
        let schedule = plan::schedule(&hours, &hours, HolidayPolicy::Usual, Vec::new());
        self.town.reloads(plan::with_schedule(self.town.plan(), "3977", schedule));
    }

    fn operates(&self) {
        let until = self.town.wall() + TimeDelta::minutes(1 + self.town.below(40).cast_signed());
        let listener = LISTENERS[usize::try_from(self.town.below(4)).unwrap()].parse().unwrap();
        let command = match self.town.below(5) {
            0 => Command::Close { line: None, until, message: None },
            1 => Command::Open { line: None, until },
            2 => Command::Automatic { line: None },
            3 => Command::Pause { listener, reason: None },
            _ => Command::ComeBack { listener },
        };
        let _ = self.town.orders(command);
    }

    fn must_hold(&mut self) {
        let town = &self.town;
        let board = town.board();
        let now = town.now();
        if town.is_fair() {
            // A phone that was cut off may ring on for a call the house has given up.
            for listener in self.listeners.iter().filter(|l| !self.cut_off.contains(l.name())) {
                let calls = listener.taken_calls();
                assert!(calls <= 2, "{} has {calls} calls\n{}", listener.name(), town.tail());
                let ringing_twice = listener.ringing() > 1;
                assert!(!ringing_twice, "{} rings twice\n{}", listener.name(), town.tail());
            }
            let voices: Vec<String> = self
                .callers
                .iter()
                .filter_map(|caller| match caller.hearing() {
                    Heard::Voice(name) => Some(name),
                    Heard::Nothing
                    | Heard::Prompt(_)
                    | Heard::Ringback
                    | Heard::Busy
                    | Heard::Voices(_) => None,
                })
                .collect();
            let distinct: BTreeSet<&String> = voices.iter().collect();
            assert_eq!(distinct.len(), voices.len(), "one listener, two callers: {voices:?}");
        }

        // A free listener and a waiting caller find each other. A listener who has put the line on
        // hold makes their caller hear the same.
        let waiting = self.callers.iter().filter(|caller| {
            let hears_wait =
                matches!(caller.hearing(), Heard::Prompt(p) if p.as_str() == "attente");
            hears_wait && !self.held.contains(caller.name())
        });
        let on_hold = self
            .listeners
            .iter()
            .filter(|listener| listener.is_in_call() && self.holding.contains(listener.name()));
        let waits = waiting.count() > on_hold.count();
        let free = board.listeners.iter().any(|listener| listener.presence == "available");
        let apart = waits && free && board.lines.iter().all(|line| line.open);
        self.apart_since = if apart { self.apart_since.or(Some(now)) } else { None };
        // A caller who put us on hold keeps a listener for themselves for a minute (SC-23).
        let patience = secs(if self.held.is_empty() { 2 } else { 62 });
        if town.is_fair() && self.apart_since.is_some_and(|since| now - since > patience) {
            panic!("somebody is free and somebody waits\n{board:#?}\n{}", town.tail());
        }

        // Closed means nobody is rung.
        let closed = board.lines.iter().all(|line| !line.open && line.drain_until.is_none());
        self.closed_since = if closed { self.closed_since.or(Some(now)) } else { None };
        let tail = if town.is_fair() { secs(21) } else { secs(60) };
        if self.closed_since.is_some_and(|since| now - since > tail) {
            // Nobody can tell a phone whose cable was out that the call is over, nor one that says
            // nothing to an INVITE (RFC 3261 §9.1 forbids the CANCEL).
            let reachable = |listener: &&Person| {
                !self.cut_off.contains(listener.name()) && !self.mute.contains(listener.name())
            };
            for listener in self.listeners.iter().filter(reachable) {
                assert!(
                    !listener.is_ringing(),
                    "{} rings though the line is closed\n{}",
                    listener.name(),
                    town.tail()
                );
            }
        }
    }

    fn comes_to_an_end(self) {
        let Self { town, callers, held, .. } = self;
        if town.is_fair() {
            for caller in callers.iter().filter(|caller| !held.contains(caller.name())) {
                let silence = caller.longest_silence_in_calls();
                assert!(
                    silence <= SILENCE_MAX,
                    "{} heard nothing for {silence:?}\n{:?}",
                    caller.name(),
                    caller.heard()
                );
            }
        }
        town.ends();
        let records = town.records();
        let expected = town.calls_that_need_a_record();
        assert_eq!(records.len(), expected, "one record for each call\n{}", town.tail());
        for record in &records {
            makes_sense(record);
        }
    }
}

fn chosen<'a>(town: &Town, people: &'a [Person]) -> Option<&'a Person> {
    let count = u64::try_from(people.len()).unwrap();
    (count > 0).then(|| &people[usize::try_from(town.below(count)).unwrap()])
}

/// Milestones in order, and an outcome that fits them.
fn makes_sense(record: &CallRecord) {
    let slack = millis(1);
    assert!(record.greeting <= record.lasted + slack, "{record:?}");
    assert!(record.waited + record.talked <= record.lasted + slack, "{record:?}");
    let mut answered: BTreeMap<_, usize> = BTreeMap::new();
    for attempt in &record.attempts {
        assert!(attempt.rang <= record.lasted + slack, "{record:?}");
        if attempt.result == AttemptResult::Answered {
            *answered.entry(attempt.listener.clone()).or_default() += 1;
        }
    }
    match record.outcome {
        Outcome::TakenByListener => {
            assert!(record.listener.is_some(), "{record:?}");
            assert!(!answered.is_empty(), "{record:?}");
        }
        Outcome::ClosedMessageHeard | Outcome::ClosedMessageCut | Outcome::AbandonedUnder5s => {
            assert!(record.attempts.is_empty(), "closed means nobody is rung: {record:?}");
        }
        Outcome::AbandonedInGreeting
        | Outcome::AbandonedInQueue
        | Outcome::Saturated
        | Outcome::NoListener
        | Outcome::DrainExpired
        | Outcome::Overload
        | Outcome::Rejected
        | Outcome::TechnicalFailure => {}
    }
}
