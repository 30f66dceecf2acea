//! Evenings on which everybody does everything, and whatever they do, what must hold holds: nobody waits
//! while somebody is there for them, no listener is left engaged with nobody, no caller is left in
//! silence, and every call has its record.
//!
//! Callers who speak and who write; listeners who hold, ask, hand over, give back, bring in the emergency
//! services, pause, log off and pull cables; an operator who closes, opens and reloads plans that lack
//! what is in use; words that arrive in the very instant in which the house means to act, and a house
//! that stalls. The seed that fails is in the message: `HOTLINE_EVENING` tells it alone.

use std::collections::BTreeSet;

use hotline::base::{ListenerName, QueueName, Text};
use hotline::exchange::{ClosedMessage, Command, Plan};
use hotline::queue::RingStrategy;
use hotline::schedule::HolidayPolicy;
use hotline::sim::phone::{Answer, OnInvite};
use hotline::sim::plan::{self, with_centre, with_colleagues, with_emergency, with_way_out};
use hotline::sim::{FAIR_DELAY, Habits, Person, Restoring, Town, Weather, millis, minutes, secs};
use hotline::sip::Transport;

use crate::presses_keys;
use crate::races::with_queue_renamed;

/// How many are told; `HOTLINE_SEEDS` says otherwise, eight for each of its seeds.
const EVENINGS: u64 = if cfg!(debug_assertions) { 8 } else { 120 };
const DEEDS: u64 = 70;
const CALLERS_MAX: usize = 5;

#[test]
fn whatever_everybody_does_nobody_is_lost_and_nobody_is_stuck() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match (number("HOTLINE_EVENING"), number("HOTLINE_SEEDS")) {
        (Some(one), _) => vec![one],
        (None, Some(seeds)) => (1..=8 * seeds).collect(),
        (None, None) => (1..=EVENINGS).collect(),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let mine: Vec<u64> = seeds.iter().skip(worker).step_by(threads).copied().collect();
                scope.spawn(move || {
                    let goes_wrong = |seed: &u64| std::panic::catch_unwind(|| tell(*seed)).is_err();
                    mine.into_iter().filter(goes_wrong).collect::<Vec<u64>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "these evenings went wrong: {failed:?}");
}

fn tell(seed: u64) {
    let weather = if seed.is_multiple_of(3) { Weather::Bad } else { Weather::Fair };
    let town = Town::new().weather(weather).seed(seed).restoring(Restoring::OneIn(20));
    let outside = town.person("outside", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", outside.address());
    let plan = with_centre(plan, "alma-75", "+33199007500", "75");
    let plan = with_emergency(plan, "samu-974", "+33261910974", "15974");
    let mut plan = with_colleagues(plan, &[("21", "lea"), ("22", "marc"), ("23", "nora")]);
    let manager = plan::with_managers(plan.clone(), &[("claire", "+33639980001")]);
    plan.lines = manager.lines;
    plan.sip.callable.extend(manager.sip.callable);
    plan = plan::with_queue(plan, |queue| match seed % 7 {
        1 => queue.strategy = RingStrategy::RingAll,
        2 => queue.strategy = RingStrategy::InTurn,
        3 => queue.patience = Some(secs(40)),
        4 => queue.places_max = 2,
        5 => {
            queue.listeners_at_once = 1;
            queue.ring_for = secs(5);
        }
        6 => queue.after_call_work = secs(0),
        _ => {}
    });
    if seed.is_multiple_of(4) {
        let name: QueueName = "aa-other".parse().unwrap();
        let queue = plan.queues.values().next().unwrap().clone();
        plan.queues.insert(name.clone(), queue);
        plan = plan::with_line(plan, "3133", |line| line.queue = name.clone());
        for listener in ["lea", "nora"] {
            let listener: ListenerName = listener.parse().unwrap();
            plan.listeners.get_mut(&listener).unwrap().queues.insert(name.clone());
        }
    }
    if seed.is_multiple_of(5) {
        plan.trunks.values_mut().for_each(|trunk| trunk.closed_message = ClosedMessage::EarlyMedia);
    }
    town.reloads(plan.clone());
    let writes = Habits { writes: true, modest: seed.is_multiple_of(2), ..Habits::default() };
    let listeners = vec![
        town.listener("lea", Habits::default()),
        town.listener("marc", writes),
        town.listeners_phone("nora", "nora", Habits::default(), Transport::Tcp),
        town.listeners_phone("lea", "lea-2", Habits::default(), Transport::Tls),
    ];
    for listener in listeners.iter().take(3) {
        listener.tries_to_register();
    }
    let mut evening = Evening {
        town,
        plan,
        listeners,
        outside,
        callers: Vec::new(),
        dialled: 0,
        excused: BTreeSet::new(),
    };
    for _ in 0..DEEDS {
        evening.deed();
    }
    if seed.is_multiple_of(9) {
        evening.town.stops();
    }
    evening.ends();
}

struct Evening {
    town: Town,
    plan: Plan,
    listeners: Vec<Person>,
    outside: Person,
    callers: Vec<Person>,
    dialled: usize,
    /// Callers who may have heard nothing by their own doing.
    excused: BTreeSet<String>,
}

impl Evening {
    fn deed(&mut self) {
        if self.town.below(3) > 0 {
            self.listener().picks_up_if_ringing();
        }
        match self.town.below(10) {
            0 | 1 => self.a_callers_deed(),
            2..=4 => self.a_listeners_deed(),
            5 => self.a_phones_deed(),
            6 | 7 => self.an_order(),
            8 => self.the_operators_deed(),
            _ => match self.town.below(4) {
                0 => self.outside.hangs_up(),
                1 => self.outside.presses('1'),
                _ => self.outside.picks_up_if_ringing(),
            },
        }
        self.time_passes();
    }

    /// Often just so long that the next word meets what the house does by itself.
    fn time_passes(&self) {
        let town = &self.town;
        let due = town
            .next_deadline()
            .filter(|due| *due >= town.now() + FAIR_DELAY && *due <= town.now() + minutes(2));
        match (town.below(12), due) {
            (0..=3, Some(due)) => town.goes_to_be_heard_at(due),
            (4, _) => town.stalls(millis(town.below(1_900))),
            (5, _) => town.passes(secs(town.below(60))),
            (6, _) => {}
            // So that words cross on the way.
            (7 | 8, _) => town.passes(millis(town.below(12))),
            _ => town.passes(millis(town.below(5_000))),
        }
    }

    fn a_callers_deed(&mut self) {
        let alive = self.callers.iter().filter(|caller| caller.calls() > 0).count();
        if self.callers.is_empty() || (alive < CALLERS_MAX && self.town.below(2) == 0) {
            return self.somebody_dials();
        }
        let at = usize::try_from(self.town.below(self.callers.len() as u64)).unwrap();
        let caller = self.callers[at].clone();
        match self.town.below(12) {
            0 | 1 => caller.hangs_up(),
            2 => {
                self.excused.insert(caller.name().to_owned());
                caller.holds();
            }
            3 | 4 => caller.resumes(),
            5 => caller.presses('4'),
            6 => caller.repeats_the_invite(),
            7 => caller.refreshes(),
            8 => caller.types("oui"),
            9 => caller.transfers_to("marc"),
            10 => caller.asks_for_an_offer(),
            _ => {
                self.excused.insert(caller.name().to_owned());
                caller.unplugs();
            }
        }
    }

    fn somebody_dials(&mut self) {
        self.dialled += 1;
        let name = format!("caller-{}", self.dialled);
        let mut habits = self.town.habits_of_a_caller();
        match self.town.below(8) {
            0 => habits.anonymous = true,
            1 => habits.delayed_offer = true,
            2 | 3 => habits.writes = true,
            _ => {}
        }
        match self.town.below(6) {
            0 => habits.headers.push(("Session-Expires", "90;refresher=uac".to_owned())),
            1 => habits.headers.push(("Session-Expires", "90;refresher=uas".to_owned())),
            3 if self.town.below(3) == 0 => {
                self.excused.insert(name.clone());
                habits.acknowledges = false;
            }
            _ => {}
        }
        let caller = self.town.person(&name, habits);
        caller.dials(if self.town.below(4) == 0 { "3133" } else { "3977" });
        self.callers.push(caller);
    }

    fn listener(&self) -> Person {
        let at = usize::try_from(self.town.below(self.listeners.len() as u64)).unwrap();
        self.listeners[at].clone()
    }

    fn a_listeners_deed(&self) {
        let (who, whom) = (self.listener(), self.listener());
        match self.town.below(22) {
            0..=2 => who.hangs_up(),
            3 => who.holds(),
            4 | 5 => who.resumes(),
            6 => who.asks_for_an_offer(),
            7 => who.refreshes(),
            8 => who.transfers_to(whom.name()),
            9 => who.transfers_to("75"),
            10 => who.dials_beside(whom.name()),
            11 => who.dials_beside("75"),
            12 | 13 => who.joins_both_lines(),
            14 => who.hangs_up_beside(),
            15 if who.name() != whom.name() => {
                who.picks_up_from(&whom);
                who.changes(|habits| habits.headers.clear());
            }
            15 | 16 => presses_keys(&who, "*22#"),
            17 => presses_keys(&who, "*75#"),
            18 => presses_keys(&who, "*#"),
            19 => presses_keys(&who, "*15974#*15974#"),
            20 if who.calls() == 0 => {
                let codes = ["*10", "*11", "*11", "*12"];
                who.dials(codes[usize::try_from(self.town.below(4)).unwrap()]);
            }
            _ => who.asks("INFO", ("X-Nothing", "nothing")),
        }
    }

    fn a_phones_deed(&self) {
        let who = self.listener();
        match self.town.below(12) {
            0 => who.unregisters(),
            1..=3 => who.tries_to_register(),
            4 => who.unplugs(),
            5 | 6 => who.plugs_in(),
            7 => who.closes_the_port(),
            8 => who.opens_the_port(),
            9 => {
                let answers = [
                    Answer::Sound,
                    Answer::Sound,
                    Answer::Nothing,
                    Answer::Nonsense,
                    Answer::Declined,
                    Answer::Strange,
                ];
                let answer = answers[usize::try_from(self.town.below(6)).unwrap()];
                who.changes(|habits| habits.answer = answer);
            }
            10 => {
                let rings_on = self.town.below(2) == 0;
                who.changes(|habits| habits.rings_on = rings_on);
            }
            _ => {
                let habits = [
                    OnInvite::Ring,
                    OnInvite::Ring,
                    OnInvite::Ignore,
                    OnInvite::Refuse(486),
                    OnInvite::Refuse(603),
                    OnInvite::PickUpAfter(millis(10)),
                ];
                let on_invite = habits[usize::try_from(self.town.below(6)).unwrap()];
                who.changes(|habits| habits.on_invite = on_invite);
            }
        }
    }

    fn an_order(&self) {
        let of = |n: u64| -> ListenerName { ["lea", "marc", "nora"][n as usize].parse().unwrap() };
        let (listener, colleague) = (of(self.town.below(3)), of(self.town.below(3)));
        let (centre, service) = ("alma-75".parse().unwrap(), "samu-974".parse().unwrap());
        let command = match self.town.below(18) {
            0 | 1 => Command::AskColleague { listener, colleague },
            2 => Command::MoveToColleague { listener, colleague },
            3 => Command::HandOver { listener },
            4 => Command::TakeBack { listener },
            5 | 6 => Command::GiveBack { listener },
            7 | 8 => Command::AskCentre { listener, centre },
            9 | 10 => Command::CallEmergency { listener, service },
            11 => Command::Pause { listener, reason: None },
            12 => Command::ComeBack { listener },
            13 => Command::EndAfterCallWork { listener },
            14 => Command::ExtendAfterCallWork { listener, minutes: 1 },
            15 => Command::Rest { listener },
            16 => Command::Write { listener, text: Text::new("oui") },
            _ => Command::FinishForToday { listener },
        };
        // Most are refused, and nothing comes of it.
        let _ = self.town.orders(command);
    }

    fn the_operators_deed(&self) {
        let town = &self.town;
        let mut plan = self.plan.clone();
        let until = town.wall() + chrono::TimeDelta::minutes(1 + town.below(5).cast_signed());
        match town.below(14) {
            0 => drop(town.orders(Command::Close { line: None, until, message: None })),
            1 | 2 => drop(town.orders(Command::Automatic { line: None })),
            3 => drop(town.orders(Command::Open { line: None, until })),
            4 => town.reloads(with_queue_renamed(plan)),
            5 => {
                let marc: ListenerName = "marc".parse().unwrap();
                plan.listeners.remove(&marc);
                plan.sip.accounts.remove(&marc);
                town.reloads(plan);
            }
            6 => {
                plan.lines.retain(|name, _| name.as_str() != "3133");
                plan.numbers.retain(|_, line| line.as_str() != "3133");
                town.reloads(plan);
            }
            7 => {
                plan.sip.trunks.retain(|trunk| trunk.name.as_str() != "a-way-out");
                plan.trunks.retain(|name, _| name.as_str() != "a-way-out");
                town.reloads(plan);
            }
            8 => {
                plan.sip.callable.clear();
                for line in ["3977", "3133"] {
                    plan = plan::with_line(plan, line, |line| {
                        line.centres.clear();
                        line.emergency.clear();
                        line.overflow.clear();
                    });
                }
                town.reloads(plan);
            }
            9 => {
                let never = plan::hours("");
                let closed = plan::schedule(&never, &never, HolidayPolicy::Usual, Vec::new());
                town.reloads(plan::with_schedule(plan, "3977", closed));
            }
            _ => town.reloads(plan),
        }
    }

    /// Everybody comes back and does their best: then everybody who waits is served.
    fn ends(self) {
        let Self { town, plan, listeners, outside, callers, excused, .. } = self;
        town.reloads(plan);
        let _ = town
            .orders(Command::Open { line: None, until: town.wall() + chrono::TimeDelta::hours(2) });
        for listener in &listeners {
            listener.plugs_in();
            listener.opens_the_port();
            listener.changes(|habits| {
                habits.on_invite = OnInvite::PickUpAfter(millis(500));
                habits.answer = Answer::Sound;
                habits.rings_on = false;
            });
        }
        town.passes(secs(40));
        for _ in 0..14 {
            for person in listeners.iter().chain([&outside]) {
                for _ in 0..person.calls() {
                    person.hangs_up();
                }
            }
            // Who keeps us on hold is not rung for.
            callers.iter().filter(|caller| caller.is_in_call()).for_each(Person::resumes);
            town.passes(secs(5));
            for listener in listeners.iter().take(3) {
                listener.tries_to_register();
                let name: ListenerName = listener.name().parse().unwrap();
                let _ = town.orders(Command::ComeBack { listener: name });
            }
            town.passes(secs(45));
        }
        assert_eq!(town.waiting(), 0, "somebody still waits\n{:#?}\n{}", town.board(), town.tail());
        if town.is_fair() {
            for caller in callers.iter().filter(|caller| !excused.contains(caller.name())) {
                let silence = caller.longest_silence_in_calls();
                assert!(
                    silence <= secs(6),
                    "{} heard nothing for {silence:?}\n{:?}",
                    caller.name(),
                    caller.heard()
                );
            }
        }
        for person in listeners.iter().chain([&outside]).chain(&callers) {
            for _ in 0..person.calls() {
                person.hangs_up();
            }
        }
        town.ends();
        let expected = town.calls_that_need_a_record_of(|name| name.starts_with("caller"));
        let records = town.records().iter().filter(|record| record.trunk.is_some()).count();
        assert_eq!(records, expected, "one record for each call\n{}", town.tail());
    }
}
