//! Waiting, and being served in order.

use hotline::record::{Outcome, Party};
use hotline::sim::phone::OnInvite;
use hotline::sim::{Habits, Heard, Person, Town, millis, minutes, plan, secs};

use crate::about;

stories![
    a_caller_is_greeted_waits_and_talks_to_a_listener,
    a_listener_who_picks_up_during_the_greeting_is_joined_at_its_end,
    ten_callers_and_three_listeners_are_matched_in_order,
    a_listener_who_comes_while_callers_wait_is_rung_at_once,
    a_phone_is_rung_for_one_caller_at_a_time,
    a_waiting_caller_is_never_left_in_silence,
    when_all_listeners_are_paused_callers_queue_as_ever,
    the_twenty_first_caller_hears_that_all_lines_are_taken,
    a_place_freed_goes_to_the_first_who_was_told_there_is_none,
    a_ring_all_queue_rings_everybody,
    an_in_turn_queue_rings_one_after_the_other,
    a_listener_has_time_for_notes_after_a_call,
    two_lines_share_their_listeners,
    two_queues_that_share_a_listener_are_served_by_who_waits_longest,
    after_the_listener_hangs_up_the_caller_is_gone_and_the_next_one_served,
];

/// The issue, "what a person can do", 3.
fn a_caller_is_greeted_waits_and_talks_to_a_listener(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    let answered = town.now();

    if town.is_fair() {
        town.passes(millis(4_900));
        lea.is_quiet();
    }
    lea.rings_within(secs(8));
    if town.is_fair() {
        about(&town, lea.rang_at() - answered, secs(5));
    }
    town.passes(secs(7));
    anna.hears_ringback();
    lea.picks_up();
    anna.talks_with(&lea);
    town.passes(minutes(20));
    anna.talks_with(&lea);
    anna.hangs_up();
    lea.comes_free();

    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.cause.by, Party::Caller);
    assert_eq!(record.listener.as_ref().map(|name| name.as_str()), Some("lea"));
    about(&town, record.talked, minutes(20));
    assert_eq!(anna.recordings(), "accueil-3977");
}

/// scenarios.md, defaults: a listener who answers before the greeting's end is bridged at its end.
fn a_listener_who_picks_up_during_the_greeting_is_joined_at_its_end(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    lea.rings_within(secs(6));
    lea.picks_up();
    if town.is_fair() {
        anna.hears("accueil-3977");
    }
    anna.talks_with_within(&lea, secs(2));
    lea.hangs_up();
    anna.comes_free();
    assert_eq!(town.last_record().cause.by, Party::Listener);
}

/// measured-peers.md: "ten callers, three free listeners".
fn ten_callers_and_three_listeners_are_matched_in_order(town: Town) {
    let listeners = town.listeners(["lea", "marc", "nora"]);
    let callers: Vec<Person> = (0..10)
        .map(|n| {
            let caller = town.dials(&format!("caller-{n}"), "3977");
            caller.gets_through();
            town.passes(millis(200));
            caller
        })
        .collect();
    town.passes(secs(8));

    let mut served: Vec<usize> = Vec::new();
    while served.len() < callers.len() {
        // Whoever rings picks up; whoever talks hangs up after a while.
        for listener in &listeners {
            if listener.is_ringing() {
                listener.picks_up();
                town.passes(secs(1));
            }
        }
        for (n, caller) in callers.iter().enumerate() {
            let talks = matches!(caller.hearing(), Heard::Voice(_));
            if talks && !served.contains(&n) {
                served.push(n);
            }
        }
        town.passes(secs(5));
        for (n, caller) in callers.iter().enumerate() {
            if served.contains(&n) && caller.is_in_call() {
                caller.hangs_up();
                caller.comes_free();
            }
        }
        town.passes(secs(41));
        assert!(town.now().since_start() < minutes(60), "not all served: {served:?}");
    }
    if town.is_fair() {
        assert_eq!(served, (0..10).collect::<Vec<_>>());
    }
    let records = town.has_records(10);
    assert!(records.iter().all(|record| record.outcome == Outcome::TakenByListener));
    for record in &records {
        let answered =
            record.attempts.iter().filter(|a| a.result == hotline::record::AttemptResult::Answered);
        assert_eq!(answered.count(), 1, "a call has one listener");
    }
}

/// The issue, "better than the peers": rung within 50 ms.
fn a_listener_who_comes_while_callers_wait_is_rung_at_once(town: Town) {
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(20));
    let lea = town.listener("lea", hotline::sim::Habits::default());
    lea.registers();
    let registered = town.now();
    lea.rings();
    if town.is_fair() {
        assert!(lea.rang_at() - registered <= millis(50));
    }
    lea.picks_up();
    anna.talks_with(&lea);
}

/// The first caller leaves in the moment the phone is being invited. RFC 3261 §9.1 holds the CANCEL
/// back until the phone has said something; the next caller's INVITE must not overtake it, or a
/// phone with one line refuses it and its listener rests without cause.
fn a_phone_is_rung_for_one_caller_at_a_time(town: Town) {
    let [anna, bruno] = ["anna", "bruno"].map(|name| town.dials(name, "3977"));
    for caller in [&anna, &bruno] {
        caller.gets_through();
    }
    town.passes(secs(20));
    let lea = town.listener("lea", Habits::default());
    lea.changes(|habits| habits.on_invite = OnInvite::PickUpAfter(millis(500)));
    lea.tries_to_register();
    town.passes(millis(15));
    anna.hangs_up();
    for _ in 0..100 {
        town.passes(millis(1));
        if town.is_fair() {
            assert!(lea.ringing() <= 1, "lea's phone rings twice at once\n{}", town.tail());
        }
    }
    // In bad weather they may first meet anna, whose goodbye is late.
    bruno.talks_with_within(&lea, secs(60));
    bruno.hangs_up();
    lea.comes_free();
}

/// Invariant of architecture.md §2.10; domain.md §1.7 for what is said when.
fn a_waiting_caller_is_never_left_in_silence(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let _busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    let begun = town.now();

    town.passes(minutes(12));

    assert!(anna.longest_silence_since(begun) <= millis(100), "{:?}", anna.heard());
    let said = anna.recordings();
    assert!(
        said.starts_with(
            "accueil-3977 attente-1 attente-urgence attente-n-1 attente-n-2 attente-n-3 attente-urgence"
        ) || said.starts_with("accueil-3977 attente-1 attente-urgence attente-n-"),
        "{said}"
    );
    assert!(said.matches("attente-urgence").count() >= 3, "danger is said again and again: {said}");
    assert!(
        anna.heard()
            .iter()
            .any(|(_, heard)| matches!(heard, Heard::Prompt(p) if p.as_str() == "attente"))
    );
    assert_eq!(town.waiting(), 1);
}

/// scenarios.md SC-17: paused is not "nobody".
fn when_all_listeners_are_paused_callers_queue_as_ever(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    for name in ["lea", "marc"] {
        let listener = name.parse().unwrap();
        town.orders(hotline::exchange::Command::Pause { listener, reason: None }).unwrap();
        assert_eq!(town.presence(name), "paused");
    }
    let anna = town.dials("anna", "3977");
    anna.gets_through();

    town.passes(minutes(11));

    lea.is_quiet();
    marc.is_quiet();
    assert_eq!((lea.rang(), marc.rang()), (0, 0));
    assert!(anna.is_in_call());
    assert!(!anna.recordings().contains("indisponible"), "{}", anna.recordings());
    assert!(anna.recordings().contains("attente-n-"));
    assert!(!town.board().alarms.is_empty(), "somebody is told that callers wait");
    assert_eq!(town.presence("lea"), "paused");

    let listener = "lea".parse().unwrap();
    town.orders(hotline::exchange::Command::ComeBack { listener }).unwrap();
    lea.picks_up();
    anna.talks_with(&lea);
    marc.is_quiet();
}

/// scenarios.md SC-19.
fn the_twenty_first_caller_hears_that_all_lines_are_taken(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let _busy = lea.takes_a_call();
    let _waiting = fills_the_queue(&town);
    assert_eq!(town.waiting(), 20);

    let late = town.dials("late", "3977");
    late.gets_through();
    let begun = town.now();
    late.hears("sature");
    town.passes(secs(35));

    late.comes_free();
    assert_eq!(late.recordings(), "sature");
    assert!(town.now() - begun <= secs(40));
    assert!(late.reason().contains("cause=16"), "{}", late.reason());
    assert_eq!(town.last_record().outcome, Outcome::Saturated);
    assert_eq!(town.waiting(), 20);
}

/// scenarios.md SC-19, the second half.
fn a_place_freed_goes_to_the_first_who_was_told_there_is_none(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let _busy = lea.takes_a_call();
    let waiting = fills_the_queue(&town);
    let first = town.dials("first", "3977");
    first.hears("sature");
    let second = town.dials("second", "3977");
    second.hears("sature");

    waiting[7].hangs_up();
    first.hears_within("attente", secs(5));

    assert_eq!(town.waiting(), 20);
    second.comes_free_within(secs(40));
    assert!(first.is_in_call());
    assert_eq!(town.last_record().outcome, Outcome::Saturated);
}

/// The issue: strategies.
fn a_ring_all_queue_rings_everybody(town: Town) {
    let plan = plan::with_queue(town.plan(), |queue| {
        queue.strategy = hotline::queue::RingStrategy::RingAll;
    });
    let town = town.with_plan(plan);
    let listeners = town.listeners(["lea", "marc", "nora", "oscar", "paul", "quentin", "rose"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(5));
    for listener in &listeners {
        listener.rings();
    }
    listeners[4].picks_up();
    anna.talks_with_within(&listeners[4], secs(3));
    for listener in listeners.iter().filter(|l| l.name() != "paul") {
        listener.stops_ringing();
        assert!(listener.reason().contains("SIP;cause=200"), "{}", listener.reason());
    }
}

/// The issue: strategies.
fn an_in_turn_queue_rings_one_after_the_other(town: Town) {
    let plan = plan::with_queue(town.plan(), |queue| {
        queue.strategy = hotline::queue::RingStrategy::InTurn;
    });
    let town = town.with_plan(plan);
    let listeners = town.listeners(["marc", "lea", "nora"]);
    let [marc, lea, nora] = &listeners;
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(6));
    marc.is_quiet();
    nora.is_quiet();
    lea.picks_up();
    anna.talks_with_within(lea, secs(3));

    let berta = town.dials("berta", "3977");
    berta.gets_through();
    marc.rings_within(secs(6));
    nora.is_quiet();
    marc.picks_up();
    berta.talks_with_within(marc, secs(3));
}

/// domain.md: after-call work; and `*12` in `listeners_phones`.
fn a_listener_has_time_for_notes_after_a_call(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let first = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(10));
    first.hangs_up();
    lea.comes_free();
    let free = town.now();
    town.passes(secs(1));
    assert_eq!(town.presence("lea"), "after_call_work");

    town.passes(secs(37));
    lea.is_quiet();
    lea.rings_within(secs(2));

    about(&town, lea.rang_at() - free, secs(40));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// Two numbers, one queue; the shipped plan.
fn two_lines_share_their_listeners(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let anna = town.dials("anna", "3977");
    let berta = town.dials("berta", "3133");
    anna.hears("accueil-3977");
    berta.hears("accueil-3133");
    town.passes(secs(8));
    lea.rings();
    lea.picks_up();
    town.passes(secs(2));
    marc.rings();
    marc.picks_up();
    town.passes(secs(2));
    let pairs = [(&anna, &lea), (&anna, &marc)];
    let (with, other) = if anna.hearing() == Heard::Voice("lea".into()) {
        (pairs[0].1, &marc)
    } else {
        (pairs[1].1, &lea)
    };
    anna.talks_with(with);
    berta.talks_with(other);
}

/// The lesson of measured-peers.md: nobody is left ringing, held or charged afterwards.
fn after_the_listener_hangs_up_the_caller_is_gone_and_the_next_one_served(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(6));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    let berta = town.dials("berta", "3977");
    berta.gets_through();

    lea.hangs_up();
    anna.comes_free();
    anna.hears_nothing();
    lea.rings_within(secs(45));
    lea.picks_up();
    berta.talks_with(&lea);
}

/// Twenty callers who wait, one after the other.
fn fills_the_queue(town: &Town) -> Vec<Person> {
    (0..20)
        .map(|n| {
            let caller = town.dials(&format!("waiting-{n}"), "3977");
            caller.gets_through();
            caller
        })
        .collect()
}

/// Whatever the queues are called.
fn two_queues_that_share_a_listener_are_served_by_who_waits_longest(town: Town) {
    let name: hotline::base::QueueName = "zz-other".parse().unwrap();
    let mut plan = plan::with_line(town.plan(), "3133", |line| line.queue = name.clone());
    let queue = plan.queues.values().next().unwrap().clone();
    plan.queues.insert(name.clone(), queue);
    for listener in plan.listeners.values_mut() {
        listener.queues.insert(name.clone());
    }
    town.reloads(plan);
    let anna = town.dials("anna", "3133");
    town.passes(secs(20));
    let bert = town.dials("bert", "3977");
    town.passes(secs(20));

    let [lea] = town.listeners(["lea"]);
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    anna.hangs_up();
    lea.rings_within(minutes(2));
    lea.picks_up();
    bert.talks_with_within(&lea, secs(8));
    bert.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}
