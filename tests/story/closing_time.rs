//! Closing while people wait or talk (scenarios.md, the closing rules).

use hotline::record::Outcome;
use hotline::sim::{Heard, Town, millis, minutes, secs};

use crate::about;

stories![
    a_caller_admitted_before_the_break_is_still_served_after_it,
    when_nobody_frees_the_drain_ends_with_words,
    a_phone_that_rings_at_the_end_of_the_drain_rings_on,
    a_call_that_arrives_one_hundredth_before_closing_is_admitted,
    a_call_that_arrives_at_closing_hears_the_break_message,
    a_caller_who_leaves_the_closed_message_early_is_told_apart,
    when_all_listeners_leave_the_drain_ends_after_half_a_minute,
    a_conversation_goes_on_past_closing_and_midnight,
    a_listener_who_logs_in_after_closing_is_offered_only_those_admitted_before,
    a_caller_whose_listener_is_lost_after_closing_is_drained_like_those_who_waited,
];

/// scenarios.md SC-01: Saturday, the break begins at 13:00.
fn a_caller_admitted_before_the_break_is_still_served_after_it(town: Town) {
    let town = town.at("2026-11-21 12:50:00");
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let leas = lea.takes_a_call();
    let _marcs = marc.takes_a_call();
    town.goes_to("12:58:10");
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");

    town.goes_to("12:59:55");
    let before = town.now();
    town.goes_to("13:00:05");
    assert_eq!(town.sent_to("anna", before), Vec::<String>::new(), "no message at all");
    assert_eq!(anna.longest_silence_since(before), secs(0), "no interruption");
    assert_eq!(town.waiting(), 1);
    assert_eq!(town.drains_until("3977").as_deref(), Some("13:15:00"));
    assert!(!town.is_open("3977"));

    town.goes_to("13:04:20");
    leas.hangs_up();
    lea.comes_free();
    town.goes_to("13:04:59");
    lea.is_quiet();
    town.goes_to("13:05:00");
    lea.rings();
    lea.picks_up();
    anna.talks_with(&lea);
    town.passes(secs(10));
    assert_eq!(town.drains_until("3977"), None, "the queue is empty: the drain is over");

    town.goes_to("13:24:00");
    anna.talks_with(&lea);
    anna.hangs_up();
    lea.comes_free();

    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    about(&town, record.waited, minutes(6) + secs(50));
}

/// scenarios.md SC-02.
fn when_nobody_frees_the_drain_ends_with_words(town: Town) {
    let town = town.at("2026-11-21 12:50:00");
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    town.goes_to("12:58:10");
    let anna = town.dials("anna", "3977");
    anna.gets_through();

    town.goes_to("13:12:59");
    assert!(!anna.recordings().contains("fin-proche"));
    anna.hears_within("fin-proche", secs(15));
    town.goes_to("13:14:59");
    let before = town.now();
    assert!(anna.is_in_call());
    anna.hears_within("fin-drain", secs(10));
    anna.comes_free_within(secs(40));

    let said = anna.recordings_since(before).join(" ");
    assert!(
        said.ends_with("fin-drain rappelez-nous aujourdhui a-14h heure-de-paris danger"),
        "{said}"
    );
    assert!(anna.reason().contains("cause=16"), "{}", anna.reason());
    assert!(anna.reason().contains("drain expired"), "{}", anna.reason());
    assert_eq!(town.last_record().outcome, Outcome::DrainExpired);
    busy.talks_with(&lea);
}

/// scenarios.md SC-02, the last sentence.
fn a_phone_that_rings_at_the_end_of_the_drain_rings_on(town: Town) {
    let town = town.at("2026-11-21 12:50:00");
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    town.goes_to("12:58:10");
    let anna = town.dials("anna", "3977");
    anna.gets_through();

    // Free at 13:14:50, with their notes done.
    town.goes_to("13:14:10");
    busy.hangs_up();
    lea.rings_within(secs(48));
    town.goes_to("13:15:02");
    lea.rings();
    assert!(anna.is_in_call());
    lea.picks_up();
    anna.talks_with(&lea);
    town.passes(minutes(5));
    anna.talks_with(&lea);
    anna.hangs_up();
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

/// scenarios.md SC-03: the first copy decides; a second copy is the same call.
fn a_call_that_arrives_one_hundredth_before_closing_is_admitted(town: Town) {
    let town = town.at("2026-11-21 12:58:00");
    let [lea] = town.listeners(["lea"]);
    town.goes_to("12:59:30");
    let anna = town.dials_to_arrive_at("anna", "3977", "12:59:59.990");
    town.goes_to("13:00:00.480");
    anna.repeats_the_invite();
    anna.gets_through();
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(4));
    anna.hangs_up();

    let records = town.has_records(1);
    assert_eq!(records[0].outcome, Outcome::TakenByListener);
}

/// scenarios.md SC-03.
fn a_call_that_arrives_at_closing_hears_the_break_message(town: Town) {
    let town = town.at("2026-11-21 12:58:00");
    let [lea] = town.listeners(["lea"]);
    town.goes_to("12:59:30");
    let anna = town.dials_to_arrive_at("anna", "3977", "13:00:00");
    town.goes_to("13:00:00");
    anna.gets_through();
    anna.comes_free_within(secs(40));

    let said = anna.recordings();
    if town.is_fair() {
        assert_eq!(said, "bonjour-ici le-3977 ecoutants-reprennent a-14h heure-de-paris danger");
    }
    assert!(said.ends_with("danger"), "{said}");
    assert!(anna.reason().contains("Q.850;cause=16"), "{}", anna.reason());
    assert_eq!(lea.rang(), 0, "closed means nobody is rung");
    assert_eq!(town.last_record().outcome, Outcome::ClosedMessageHeard);
}

/// scenarios.md SC-03, `…Cut`.
fn a_caller_who_leaves_the_closed_message_early_is_told_apart(town: Town) {
    let town = town.at("2026-11-21 21:20:00");
    let anna = town.dials("anna", "3977");
    anna.hears_that_it_is_closed();
    town.passes(secs(2));
    anna.hangs_up();
    assert_eq!(town.last_record().outcome, Outcome::ClosedMessageCut);
}

/// scenarios.md SC-04.
fn when_all_listeners_leave_the_drain_ends_after_half_a_minute(town: Town) {
    let town = town.at("2026-11-23 18:55:00");
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    let callers = ["anna", "berta", "clara"].map(|name| {
        let caller = town.dials(name, "3977");
        caller.gets_through();
        caller
    });
    town.goes_to("19:00:05");
    busy.hangs_up();
    lea.comes_free();
    town.goes_to("19:00:10");
    lea.unregisters();
    town.goes_to("19:00:39");
    for caller in &callers {
        assert!(caller.is_in_call());
        assert!(!caller.recordings().contains("fin-drain"));
    }
    for caller in &callers {
        caller.hears_within("fin-drain", secs(12));
    }
    for caller in &callers {
        caller.comes_free_within(secs(40));
        assert!(caller.reason().contains("cause=16"), "{}", caller.reason());
        assert!(
            caller.recordings().contains("rappelez-nous demain a-9h"),
            "{}",
            caller.recordings()
        );
    }
    assert_eq!(lea.rang(), 1);
    let records = town.has_records(4);
    let expired = records.iter().filter(|r| r.outcome == Outcome::DrainExpired);
    assert_eq!(expired.count(), 3);
}

/// scenarios.md SC-05.
fn a_conversation_goes_on_past_closing_and_midnight(town: Town) {
    let town = town.at("2026-11-23 18:50:00");
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let begun = town.now();

    town.goes_to("2026-11-24 00:20:00");

    anna.talks_with(&lea);
    let gaps = anna
        .heard()
        .into_iter()
        .filter(|(at, heard)| *at > begun && !matches!(heard, Heard::Voice(_)));
    assert_eq!(gaps.count(), 0, "nothing was ever played into it");
    anna.hangs_up();
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.arrived.to_rfc3339(), "2026-11-23T17:50:00+00:00");
    about(&town, record.talked, town.now() - begun);
}

/// Closing rules 3, 4 and 8; measured-peers.md, "closing time with callers waiting".
fn a_listener_who_logs_in_after_closing_is_offered_only_those_admitted_before(town: Town) {
    let town = town.at("2026-11-23 18:55:00");
    let [lea] = town.listeners(["lea"]);
    let _busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.goes_to("19:01:00");
    let berta = town.dials("berta", "3977");
    berta.hears_that_it_is_closed();

    let [marc] = town.listeners(["marc"]);
    marc.rings();
    marc.picks_up();
    anna.talks_with(&marc);
    assert!(berta.recordings().contains("danger"));
    anna.hangs_up();
    marc.comes_free();
    town.passes(minutes(2));
    assert_eq!(marc.rang(), 1);
    berta.comes_free();

    town.goes_to("19:20:00");
    let clara = town.dials("clara", "3977");
    clara.hears_that_it_is_closed();
    town.passes(millis(60_000));
    marc.is_quiet();
}

/// Found by a random evening: the drain was over, and the caller would have waited without end.
fn a_caller_whose_listener_is_lost_after_closing_is_drained_like_those_who_waited(town: Town) {
    for somebody_else in [true, false] {
        let town = town.clone().at("2026-11-23 18:50:00");
        let [lea] = town.listeners(["lea"]);
        let anna = lea.takes_a_call();
        town.goes_to("19:40:00");
        assert_eq!(town.drains_until("3977"), None);
        if somebody_else {
            town.listeners(["marc"]);
        }
        lea.unplugs();
        anna.hears_within("retour-file", secs(6));
        if somebody_else {
            let marc = town.whom("marc");
            marc.rings_within(secs(25));
            assert!(town.drains_until("3977").is_some());
            marc.picks_up();
            anna.talks_with(&marc);
        } else {
            anna.hears_within("fin-drain", secs(60));
            anna.comes_free_within(secs(40));
            assert_eq!(town.last_record().outcome, Outcome::DrainExpired);
        }
        assert_eq!(town.drains_until("3977"), None);
    }
}
