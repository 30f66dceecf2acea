//! Somebody hangs up: in the greeting, while phones ring, while a 200 is under way.

use hotline::record::{AttemptResult, Outcome};
use hotline::sim::phone::Seen;
use hotline::sim::{Habits, Town, millis, minutes, secs};

stories![
    a_caller_who_hangs_up_while_three_phones_ring_stops_them_all,
    a_pick_up_that_crosses_the_callers_hang_up_leaves_nobody_in_a_call,
    a_caller_who_leaves_in_the_greeting_has_rung_nobody,
    a_caller_who_leaves_later_in_the_greeting_is_told_apart,
    a_caller_who_cancels_before_the_answer_leaves_nothing,
    of_two_listeners_who_pick_up_together_one_talks_and_the_other_is_told,
    callers_who_hang_up_early_are_not_held_against_the_listener,
    a_caller_in_the_queue_who_hangs_up_gives_the_place_up,
    a_bye_that_is_repeated_is_answered_again,
];

/// scenarios.md SC-13.
fn a_caller_who_hangs_up_while_three_phones_ring_stops_them_all(town: Town) {
    let listeners = town.listeners(["lea", "marc", "nora"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(7));
    for listener in &listeners {
        listener.rings();
    }

    let hung_up = town.now();
    anna.hangs_up();
    for listener in &listeners {
        listener.stops_ringing();
        assert_eq!(listener.reason(), "Q.850;cause=16;text=\"Caller hung up\"");
    }
    if town.is_fair() {
        let confirmed = anna.seen().into_iter().find(|(_, seen)| *seen == Seen::HangUpConfirmed);
        assert!(confirmed.is_some_and(|(at, _)| at - hung_up < millis(50)));
        town.passes(millis(200));
    } else {
        town.passes(secs(10));
    }
    for listener in &listeners {
        assert_eq!(town.presence(listener.name()), "available");
    }
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::AbandonedInQueue);
    assert!(record.attempts.iter().all(|attempt| attempt.result == AttemptResult::Spared));
}

/// scenarios.md SC-13, the crossing; measured-peers.md.
fn a_pick_up_that_crosses_the_callers_hang_up_leaves_nobody_in_a_call(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(7));
    marc.rings();

    anna.hangs_up();
    marc.picks_up_if_ringing();

    marc.comes_free();
    lea.stops_ringing();
    marc.hears_nothing();
    town.passes(secs(if town.is_fair() { 1 } else { 20 }));
    assert_eq!(town.presence("lea"), "available");
    let outcome = town.last_record().outcome;
    if outcome == Outcome::AbandonedInQueue {
        assert_eq!(town.presence("marc"), "available", "no after-call work, no fault");
    }
    if town.is_fair() {
        assert_eq!(outcome, Outcome::AbandonedInQueue);
        assert!(marc.reason().contains("Q.850;cause=16"), "{}", marc.reason());
    }
}

/// scenarios.md SC-21.
fn a_caller_who_leaves_in_the_greeting_has_rung_nobody(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    town.passes(secs(3));
    if !town.is_fair() {
        // Three seconds and the network's share may be more than five.
        town.passes(secs(0));
    }
    anna.hangs_up();
    anna.comes_free();
    let record = town.last_record();
    if town.is_fair() {
        assert_eq!(record.outcome, Outcome::AbandonedUnder5s);
        town.passes(secs(30));
        assert_eq!(lea.rang(), 0);
        assert!(record.attempts.is_empty());
        assert!(record.greeting >= secs(3) && record.greeting < millis(3_100));
    }
    assert_eq!(record.waited, secs(0));
}

/// scenarios.md, outcomes.
fn a_caller_who_leaves_later_in_the_greeting_is_told_apart(town: Town) {
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    if !town.is_fair() {
        return;
    }
    town.passes(millis(5_200));
    anna.hangs_up();
    assert_eq!(town.last_record().outcome, Outcome::AbandonedInGreeting);
}

/// RFC 3261 §9; answered mode makes the window small, but it is there.
fn a_caller_who_cancels_before_the_answer_leaves_nothing(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hangs_up();
    anna.comes_free();
    town.passes(minutes(2));
    anna.comes_free();
    assert_eq!(lea.rang(), 0);
    let records = town.records();
    assert!(records.len() <= 1);
    assert!(records.iter().all(|record| record.outcome == Outcome::AbandonedUnder5s
        || record.outcome == Outcome::AbandonedInGreeting));
}

/// scenarios.md SC-14.
fn of_two_listeners_who_pick_up_together_one_talks_and_the_other_is_told(town: Town) {
    let [lea, marc, nora] = town.listeners(["lea", "marc", "nora"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(8));
    lea.rings();
    marc.rings();
    nora.rings();

    let picked_up = town.now();
    lea.picks_up_if_ringing();
    marc.picks_up_if_ringing();
    town.passes(secs(if town.is_fair() { 1 } else { 20 }));

    let (with, other) = if lea.is_in_call() { (&lea, &marc) } else { (&marc, &lea) };
    anna.talks_with(with);
    other.comes_free();
    nora.stops_ringing();
    assert!(other.reason().contains("SIP;cause=200"), "{}", other.reason());
    assert!(nora.reason().contains("SIP;cause=200"), "{}", nora.reason());
    assert!(anna.longest_silence_since(picked_up) <= millis(100));
    town.passes(secs(1));
    assert_eq!(town.presence(other.name()), "available");
    anna.hangs_up();
    let record = town.last_record();
    let answered =
        record.attempts.iter().filter(|attempt| attempt.result == AttemptResult::Answered);
    assert_eq!(answered.count(), 1);
}

/// architecture.md §2.6: "stop ringing" must say why.
fn callers_who_hang_up_early_are_not_held_against_the_listener(town: Town) {
    let [lea] = town.listeners(["lea"]);
    for n in 0..5 {
        let caller = town.dials(&format!("caller-{n}"), "3977");
        caller.gets_through();
        lea.rings_within(secs(10));
        caller.hangs_up();
        lea.stops_ringing();
        caller.comes_free();
    }
    assert_eq!(town.presence("lea"), "available");
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(10));
}

/// The queue's order, and its places.
fn a_caller_in_the_queue_who_hangs_up_gives_the_place_up(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(1));
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    town.passes(secs(10));
    assert_eq!(town.waiting(), 2);

    anna.hangs_up();
    anna.comes_free();
    town.passes(secs(if town.is_fair() { 1 } else { 10 }));
    assert_eq!(town.waiting(), 1);
    busy.hangs_up();
    lea.rings_within(secs(60));
    lea.picks_up();
    berta.talks_with(&lea);
}

/// The answer to a BYE may be lost.
fn a_bye_that_is_repeated_is_answered_again(town: Town) {
    let habits = Habits { number: Some("+33612345678".into()), ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.hears("accueil-3977");
    anna.hangs_up();
    anna.sees(&Seen::HangUpConfirmed);
    town.has_records(1);
}
