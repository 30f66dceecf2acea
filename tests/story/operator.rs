//! The operator: new plans, the switch, and stopping (scenarios.md SC-32, SC-36, SC-37).

use hotline::exchange::Command;
use hotline::record::Outcome;
use hotline::schedule::HolidayPolicy;
use hotline::sim::{Town, millis, minutes, paris, plan, secs};

stories![
    a_planned_stop_cuts_nobody,
    a_new_plan_that_closes_the_line_now_drains_it,
    a_running_call_keeps_its_plan,
    an_emergency_closure_lets_those_who_talk_talk_on,
    a_line_kept_open_past_closing_time_serves_callers,
    the_switch_is_taken_off_by_hand,
    a_line_opened_and_closed_in_one_moment_leaves_nobody_waiting_without_end,
];

/// scenarios.md SC-32, the planned path without a second node.
fn a_planned_stop_cuts_nobody(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let with_lea = lea.takes_a_call();
    let with_marc = marc.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(10));

    town.stops();
    assert!(town.board().stopping);
    town.passes(minutes(1));
    with_lea.talks_with(&lea);
    with_marc.talks_with(&marc);
    assert!(anna.is_in_call());
    // Without a second node a new call is served as ever.
    let berta = town.dials("berta", "3977");
    berta.hears("accueil-3977");
    with_lea.hangs_up();
    lea.rings_within(secs(60));
    lea.picks_up();
    anna.talks_with(&lea);
    assert!(!town.is_idle());

    anna.hangs_up();
    berta.hangs_up();
    with_marc.hangs_up();
    town.passes(secs(if town.is_fair() { 1 } else { 40 }));
    assert!(town.is_idle());
}

/// scenarios.md SC-36, with the yes given: drain and the exceptional message.
fn a_new_plan_that_closes_the_line_now_drains_it(town: Town) {
    let town = town.at("2026-11-23 15:00:00");
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(10));

    let hours = plan::hours("09:00-12:00");
    let schedule = plan::schedule(&hours, &hours, HolidayPolicy::Usual, Vec::new());
    town.reloads(plan::with_schedule(town.plan(), "3977", schedule));

    assert!(!town.is_open("3977"));
    assert!(town.drains_until("3977").is_some());
    let berta = town.dials("berta", "3977");
    berta.hears_that_it_is_closed();
    busy.talks_with(&lea);
    busy.hangs_up();
    lea.rings_within(secs(60));
    lea.picks_up();
    anna.talks_with(&lea);
    town.passes(minutes(30));
    anna.talks_with(&lea);
}

/// architecture.md, invariant 9.
fn a_running_call_keeps_its_plan(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let mut next = town.plan();
    next.version = "next".into();
    town.reloads(next);
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    town.passes(secs(10));
    anna.talks_with(&lea);
    anna.hangs_up();
    assert_eq!(town.last_record().plan, "town");
    berta.hangs_up();
    let records = town.has_records(2);
    assert_eq!(records[1].plan, "next");
}

/// scenarios.md SC-37.
fn an_emergency_closure_lets_those_who_talk_talk_on(town: Town) {
    let town = town.at("2026-11-23 15:00:00");
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.goes_to("15:10:00");

    town.orders(Command::Close {
        line: Some("3977".parse().unwrap()),
        until: paris("2026-11-23 17:00:00"),
        message: Some("evacuation".parse().unwrap()),
    })
    .unwrap();

    assert!(!town.is_open("3977"));
    assert!(town.is_open("3133"));
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    town.passes(secs(30));
    assert!(
        berta.recordings().contains("fermee-exceptionnellement danger evacuation"),
        "{}",
        berta.recordings()
    );
    assert!(anna.is_in_call());
    assert!(!anna.recordings().contains("fin-drain"));
    anna.hears_within("fin-drain", secs(50));
    anna.comes_free_within(secs(60));
    assert!(anna.recordings().contains("rappelez-nous aujourdhui a-17h"), "{}", anna.recordings());
    let records = town.records();
    assert!(records.iter().any(|record| record.outcome == Outcome::DrainExpired));
    talking.talks_with(&lea);

    town.goes_to("16:59:59");
    assert!(!town.is_open("3977"));
    town.goes_to("17:00:00");
    town.passes(millis(10));
    assert!(town.is_open("3977"));
    talking.talks_with(&lea);
}

/// Closing rule 8: the opening extension.
fn a_line_kept_open_past_closing_time_serves_callers(town: Town) {
    let town = town.at("2026-11-23 18:50:00");
    let [lea] = town.listeners(["lea"]);
    town.orders(Command::Open { line: None, until: paris("2026-11-23 20:30:00") }).unwrap();
    town.goes_to("20:15:00");
    assert!(town.is_open("3977"));
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    town.goes_to("20:30:01");
    assert!(!town.is_open("3977"));
    anna.talks_with(&lea);
}

/// The way back from a closure made too long.
fn the_switch_is_taken_off_by_hand(town: Town) {
    let town = town.at("2026-11-23 10:00:00");
    let until = paris("2026-11-23 17:00:00");
    town.orders(Command::Close { line: None, until, message: None }).unwrap();
    assert!(!town.is_open("3977"));
    let anna = town.dials("anna", "3977");
    anna.hears_that_it_is_closed();
    town.orders(Command::Automatic { line: None }).unwrap();
    assert!(town.is_open("3977"));
    anna.hears_within("accueil-3977", secs(4));
    let past = paris("2026-11-23 09:00:00");
    assert!(town.orders(Command::Close { line: None, until: past, message: None }).is_err());
    let gone = Some("0000".parse().unwrap());
    assert!(town.orders(Command::Automatic { line: gone }).is_err());
}

/// Whoever was asked in while the operator changed their mind is served as those who wait at closing
/// time are, and told when that is over.
fn a_line_opened_and_closed_in_one_moment_leaves_nobody_waiting_without_end(town: Town) {
    let town = town.at("2026-11-23 10:00:00");
    let [lea] = town.listeners(["lea"]);
    let until = paris("2026-11-23 17:00:00");
    town.orders(Command::Close { line: None, until, message: None }).unwrap();
    let anna = town.dials("anna", "3977");
    anna.hears_that_it_is_closed();
    town.orders(Command::Open { line: None, until }).unwrap();
    town.orders(Command::Close { line: None, until, message: None }).unwrap();
    anna.hears_within("accueil-3977", secs(4));
    lea.rings_within(secs(12));
    assert!(town.drains_until("3977").is_some());
    anna.hears_within("fin-drain", secs(90));
    anna.comes_free_within(secs(60));
    lea.stops_ringing();
    assert_eq!(town.last_record().outcome, Outcome::DrainExpired);
}
