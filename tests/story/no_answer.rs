//! Phones that don't answer: nobody there, refused, dead, gone (the issue, "better than the peers").

use hotline::record::{AttemptResult, Outcome};
use hotline::sim::phone::{OnInvite, Seen};
use hotline::sim::{Habits, Town, millis, minutes, secs};

use crate::about;

stories![
    after_twenty_seconds_the_next_listener_is_rung_and_the_caller_keeps_the_head,
    a_listener_who_misses_twice_is_paused_and_told,
    a_phone_that_refuses_sends_the_call_on_at_once,
    a_lone_phone_that_refuses_is_backed_off,
    a_dead_phone_costs_a_caller_two_seconds,
    a_dead_phone_is_probed_and_offered_again_when_it_answers,
    a_closed_port_costs_no_time_at_all,
    a_phone_that_unregisters_while_it_rings_sends_the_call_on_at_once,
    a_phone_whose_connection_breaks_while_it_rings_sends_the_call_on_at_once,
    nobody_on_duty_is_said_and_the_caller_may_wait_for_somebody,
];

/// scenarios.md SC-15.
fn after_twenty_seconds_the_next_listener_is_rung_and_the_caller_keeps_the_head(town: Town) {
    let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
    let town = town.with_plan(plan);
    let [lea] = town.listeners(["lea"]);
    town.passes(secs(1));
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(10));
    let rang = town.now();
    town.passes(secs(16));
    let berta = town.dials("berta", "3977");
    berta.gets_through();

    lea.stops_ringing_within(secs(20));
    assert!(lea.reason().contains("cause=19"), "{}", lea.reason());
    marc.rings();
    if town.is_fair() {
        about(&town, marc.rang_at() - rang, secs(20));
    }
    assert!(anna.longest_silence_since(rang) <= millis(100));
    town.passes(secs(6));
    marc.picks_up();
    anna.talks_with(&marc);
    assert!(berta.is_in_call());
}

/// scenarios.md SC-15: the second RONA pauses.
fn a_listener_who_misses_twice_is_paused_and_told(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(10));
    town.passes(secs(41));
    lea.stops_ringing();
    assert_eq!(town.presence("lea"), "paused");
    if town.is_fair() {
        assert_eq!(lea.rang(), 2);
    }
    // In bad weather the text may have to be sent again.
    town.passes(secs(5));
    let told = lea
        .seen()
        .into_iter()
        .any(|(_, seen)| matches!(seen, Seen::Told { text } if text.contains("*11")));
    assert!(told, "{:?}", lea.seen());
    let rang = lea.rang();
    town.passes(minutes(5));
    assert_eq!(lea.rang(), rang, "not rung any more");
    assert!(anna.is_in_call());
    assert_eq!(town.waiting(), 1);

    lea.dials("*11");
    lea.hears_within("pause-non", secs(5));
    lea.rings_within(secs(if town.is_fair() { 5 } else { 60 }));
    lea.picks_up();
    anna.talks_with(&lea);
    anna.hangs_up();
    let record = town.last_record();
    let missed = record.attempts.iter().filter(|a| a.result == AttemptResult::Unanswered);
    if town.is_fair() {
        assert_eq!(missed.count(), 2);
    }
}

/// scenarios.md SC-15: 480, 486, 603, 408.
fn a_phone_that_refuses_sends_the_call_on_at_once(town: Town) {
    for status in [408, 480, 486, 603] {
        let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
        let town = town.clone().with_plan(plan);
        let lea = town
            .listener("lea", Habits { on_invite: OnInvite::Refuse(status), ..Habits::default() });
        lea.registers();
        town.passes(secs(1));
        let [marc] = town.listeners(["marc"]);
        let anna = town.dials("anna", "3977");
        anna.hears("accueil-3977");
        let answered = town.now();
        marc.rings_within(secs(8));
        about(&town, marc.rang_at() - answered, secs(5));
        marc.picks_up();
        anna.talks_with_within(&marc, secs(3));
        anna.hangs_up();
        marc.comes_free();
    }
}

/// The issue: a lone phone that refuses is not INVITEd for ever.
fn a_lone_phone_that_refuses_is_backed_off(town: Town) {
    let refusing = Habits { on_invite: OnInvite::Refuse(486), ..Habits::default() };
    let lea = town.listener("lea", refusing);
    lea.registers();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    let begun = town.now();

    town.passes(minutes(10));

    let invites = town.invites_to("lea", begun);
    assert!((2..=8).contains(&invites), "{invites} INVITEs in ten minutes");
    assert!(anna.is_in_call());
    lea.changes(|habits| habits.on_invite = OnInvite::Ring);
    lea.rings_within(minutes(10));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// The issue: no provisional within 2 s, and the next phone rings.
fn a_dead_phone_costs_a_caller_two_seconds(town: Town) {
    let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
    let town = town.with_plan(plan);
    let [lea] = town.listeners(["lea"]);
    town.passes(secs(1));
    let [marc] = town.listeners(["marc"]);
    lea.unplugs();

    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    let answered = town.now();
    marc.rings_within(secs(10));
    about(&town, marc.rang_at() - answered, secs(7));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(3));
    assert_eq!(town.presence("lea"), "unreachable");

    // The next caller pays nothing.
    let [nora] = town.listeners(["nora"]);
    let berta = town.dials("berta", "3977");
    berta.hears("accueil-3977");
    let answered = town.now();
    nora.rings_within(secs(8));
    about(&town, nora.rang_at() - answered, secs(5));
}

/// The issue: the silent one is probed, and offered again when it answers.
fn a_dead_phone_is_probed_and_offered_again_when_it_answers(town: Town) {
    let [lea] = town.listeners(["lea"]);
    lea.unplugs();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(40));
    assert_eq!(town.presence("lea"), "unreachable");
    assert!(anna.is_in_call());

    lea.plugs_in();
    lea.rings_within(secs(60));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// The issue: an ICMP error, and the next phone rings.
fn a_closed_port_costs_no_time_at_all(town: Town) {
    let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
    let town = town.with_plan(plan);
    let [lea] = town.listeners(["lea"]);
    town.passes(secs(1));
    let [marc] = town.listeners(["marc"]);
    lea.closes_the_port();
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    let answered = town.now();
    marc.rings_within(secs(8));
    about(&town, marc.rang_at() - answered, secs(5));
    assert_eq!(town.presence("lea"), "unreachable");
}

/// measured-peers.md: "phone unregisters while ringing".
fn a_phone_that_unregisters_while_it_rings_sends_the_call_on_at_once(town: Town) {
    let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
    let town = town.with_plan(plan);
    let [lea] = town.listeners(["lea"]);
    town.passes(secs(1));
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(10));
    marc.is_quiet();
    let left = town.now();
    lea.unregisters();
    marc.rings_within(secs(3));
    if town.is_fair() {
        assert!(marc.rang_at() - left <= millis(100));
    }
    lea.stops_ringing();
    assert_eq!(town.presence("lea"), "offline");
    marc.picks_up();
    anna.talks_with_within(&marc, secs(3));
}

/// The issue: a lost flow.
fn a_phone_whose_connection_breaks_while_it_rings_sends_the_call_on_at_once(town: Town) {
    let plan = hotline::sim::plan::with_queue(town.plan(), |queue| queue.listeners_at_once = 1);
    let town = town.with_plan(plan);
    let lea = town.listeners_phone("lea", "lea", Habits::default(), hotline::sip::Transport::Tcp);
    lea.registers();
    town.passes(secs(1));
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    lea.rings_within(secs(10));
    let left = town.now();
    lea.loses_the_connection();
    marc.rings_within(secs(3));
    if town.is_fair() {
        assert!(marc.rang_at() - left <= millis(100));
    }
    assert_eq!(town.presence("lea"), "offline");
    marc.picks_up();
    anna.talks_with_within(&marc, secs(3));
    // The phone itself rings until its owner notices.
    lea.hangs_up();
}

/// scenarios.md SC-18, without the overflow group.
fn nobody_on_duty_is_said_and_the_caller_may_wait_for_somebody(town: Town) {
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    anna.hears_within("indisponible", secs(60));
    assert!(anna.is_in_call());
    berta.hears_within("indisponible", secs(60));
    town.passes(secs(30));

    let [lea] = town.listeners(["lea"]);
    lea.rings();
    lea.picks_up();
    anna.talks_with(&lea);
    lea.unregisters();
    town.passes(secs(10));
    anna.talks_with(&lea);
    anna.hangs_up();
    berta.comes_free_within(minutes(6));

    assert!(berta.recordings().ends_with("indisponible"), "{}", berta.recordings());
    assert!(berta.reason().contains("Q.850;cause=20"), "{}", berta.reason());
    assert_eq!(town.last_record().outcome, Outcome::NoListener);
}
