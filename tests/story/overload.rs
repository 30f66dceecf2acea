//! More than can be served (the issue, "better than the peers": overload).

use hotline::record::Outcome;
use hotline::sim::{Town, millis, minutes, secs};

stories![
    beyond_the_houses_limit_callers_get_the_busy_tone_at_once,
    a_house_that_falls_behind_refuses_what_is_new_and_goes_on_with_what_it_has,
    thirty_callers_in_a_minute_are_all_answered_at_once_and_served_in_order,
];

/// scenarios.md SC-20: beyond our own cap, 486 with Q.850 17; those inside notice nothing.
fn beyond_the_houses_limit_callers_get_the_busy_tone_at_once(town: Town) {
    let mut plan = town.plan();
    plan.calls_max = 3;
    let town = town.with_plan(plan);
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    let waiting = ["anna", "berta"].map(|name| {
        let caller = town.dials(name, "3977");
        caller.gets_through();
        caller
    });

    let late = town.dials("late", "3977");
    late.gets_refused(486);
    assert!(late.reason().contains("Q.850;cause=17"), "{}", late.reason());
    assert_eq!(town.last_record().outcome, Outcome::Overload);
    talking.talks_with(&lea);
    assert!(waiting.iter().all(hotline::sim::Person::is_in_call));

    talking.hangs_up();
    lea.comes_free();
    town.passes(secs(if town.is_fair() { 1 } else { 40 }));
    let clara = town.dials("clara", "3977");
    clara.gets_through();
}

/// The issue: what is older than 2 s is not begun; full service within 1 s of the load going away.
fn a_house_that_falls_behind_refuses_what_is_new_and_goes_on_with_what_it_has(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    town.passes(secs(10));

    town.falls_behind();
    let records = town.records().len();
    let refused = ["anna", "berta", "clara"].map(|name| town.dials(name, "3977"));
    for caller in &refused {
        caller.gets_refused(486);
        assert!(caller.reason().contains("Q.850;cause=17"), "{}", caller.reason());
    }
    assert_eq!(town.board().calls, 1, "no state was made");
    assert!(town.records().len() <= records + refused.len());
    talking.talks_with(&lea);

    town.catches_up();
    let dora = town.dials("dora", "3977");
    dora.gets_through();
    talking.hangs_up();
    lea.comes_free();
}

/// scenarios.md SC-20, the evening after the programme.
fn thirty_callers_in_a_minute_are_all_answered_at_once_and_served_in_order(town: Town) {
    let mut plan = town.plan();
    plan = hotline::sim::plan::with_queue(plan, |queue| queue.places_max = 40);
    let town = town.with_plan(plan);
    let listeners = town.listeners(["lea", "marc", "nora", "oscar", "paul"]);
    let callers: Vec<_> = (0..30)
        .map(|n| {
            let dialled = town.now();
            let caller = town.dials(&format!("caller-{n}"), "3977");
            caller.gets_through();
            if town.is_fair() {
                assert!(town.now() - dialled < millis(300));
            }
            town.passes(secs(2));
            listeners.iter().for_each(hotline::sim::Person::picks_up_if_ringing);
            caller
        })
        .collect();
    for _ in 0..40 {
        for listener in &listeners {
            listener.picks_up_if_ringing();
        }
        town.passes(secs(15));
        for listener in listeners.iter().filter(|listener| listener.is_in_call()) {
            listener.hangs_up();
        }
        town.passes(secs(41));
        if town.board().calls == 0 {
            break;
        }
    }
    assert!(town.now().since_start() < minutes(45));
    for caller in &callers {
        caller.comes_free();
    }
    let records = town.has_records(30);
    assert!(records.iter().all(|record| record.outcome == Outcome::TakenByListener));
    if town.is_fair() {
        let calls: Vec<_> = records.iter().map(|record| record.call).collect();
        let mut sorted = calls.clone();
        sorted.sort_by_key(|call| call.0);
        // Those who talk at once leave at once, in any order: five places is all it may differ.
        for (n, call) in calls.iter().enumerate() {
            let place = sorted.iter().position(|other| other == call).unwrap();
            assert!(place.abs_diff(n) < 5, "{calls:?}");
        }
    }
}
