//! Whatever listeners do with a caller, and whenever: nobody is stuck, the caller is never left in
//! silence, and there is one record.
//!
//! Made-up quarters of an hour, in fair and in bad weather; the seed that fails is in the message.

use hotline::base::ListenerName;
use hotline::exchange::Command;
use hotline::sim::plan::{with_centre, with_colleagues, with_emergency, with_way_out};
use hotline::sim::{Habits, Person, Town, Weather, millis, minutes, secs};

use crate::presses_keys;

/// How many are made up; `HOTLINE_SEEDS` says otherwise, eight for each of its seeds.
const SEEDS: u64 = if cfg!(debug_assertions) { 6 } else { 200 };
const DEEDS: u64 = 30;

#[test]
fn a_transfer_at_any_moment_leaves_nobody_stuck() {
    let seeds =
        std::env::var("HOTLINE_SEEDS").map_or(SEEDS, |seeds| 8 * seeds.parse::<u64>().unwrap());
    for seed in 1..=seeds {
        let weather = if seed % 2 == 0 { Weather::Fair } else { Weather::Bad };
        let town = Town::new().weather(weather).seed(seed);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| happens(&town)));
        assert!(told.is_ok(), "seed {seed}");
    }
}

fn happens(town: &Town) {
    let outside = town.person("outside", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", outside.address());
    let plan = with_centre(plan, "alma-75", "+33199007500", "75");
    let plan = with_emergency(plan, "samu-974", "+33261910974", "15974");
    town.reloads(with_colleagues(plan, &[("21", "lea"), ("22", "marc"), ("23", "nora")]));
    let listeners = town.listeners(["lea", "marc", "nora"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(6));
    let begun = town.now();
    for _ in 0..DEEDS {
        // Mostly somebody picks up: else nothing would go on.
        for person in listeners.iter().chain([&outside]) {
            if town.below(3) > 0 {
                person.picks_up_if_ringing();
            }
        }
        deed(town, &listeners, &outside);
        town.passes(millis(town.below(4_000)));
    }
    if town.is_fair() && anna.is_in_call() {
        let silence = anna.longest_silence_since(begun);
        assert!(silence <= secs(5), "{silence:?} of silence\n{}", town.tail());
    }
    for person in listeners.iter().chain([&anna, &outside]) {
        for _ in 0..person.calls() {
            person.hangs_up();
        }
    }
    town.passes(minutes(3));
    for person in listeners.iter().chain([&anna, &outside]) {
        for _ in 0..person.calls() {
            person.hangs_up();
        }
    }
    town.ends();
    assert_eq!(town.records().len(), 1, "{}", town.tail());
    for listener in &listeners {
        let presence = town.presence(listener.name());
        assert!(
            ["available", "after_call_work", "paused", "unreachable", "offline"]
                .contains(&presence.as_str()),
            "{} is {presence}\n{}",
            listener.name(),
            town.tail()
        );
    }
}

fn deed(town: &Town, listeners: &[Person; 3], outside: &Person) {
    let any = |n: usize| &listeners[town.below(n as u64) as usize];
    let (who, whom) = (any(3), any(3));
    let (listener, colleague) = (named(who), named(whom));
    let (centre, service) = ("alma-75".parse().unwrap(), "samu-974".parse().unwrap());
    let command = match town.below(22) {
        0 => return who.transfers_to(whom.name()),
        1 => return who.transfers_to("75"),
        2 => return who.dials_beside(whom.name()),
        3 => return who.dials_beside("75"),
        4 | 5 => return who.joins_both_lines(),
        6 => return who.hangs_up_beside(),
        7 => return who.hangs_up(),
        8 => return outside.hangs_up(),
        9 => return presses_keys(who, "*21#"),
        10 => return presses_keys(who, "*22#"),
        11 => return presses_keys(who, "*75#"),
        12 => return presses_keys(who, "*#"),
        13 => return presses_keys(who, "*15974#*15974#"),
        14 => return who.holds(),
        15 => return who.resumes(),
        16 => Command::AskColleague { listener, colleague },
        17 => Command::MoveToColleague { listener, colleague },
        18 => Command::HandOver { listener },
        19 => Command::GiveBack { listener },
        20 => Command::AskCentre { listener, centre },
        _ => Command::CallEmergency { listener, service },
    };
    // Most are refused, and nothing comes of it.
    let _ = town.orders(command);
}

fn named(person: &Person) -> ListenerName {
    person.name().parse().unwrap()
}
