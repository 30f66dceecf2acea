//! A listener brings the emergency services into the conversation (scenarios.md SC-27, domain.md T-28).

use std::collections::BTreeSet;

use hotline::exchange::Command;
use hotline::record::{Outcome, Party};
use hotline::sim::phone::{OnInvite, Seen};
use hotline::sim::plan::{with_emergency, with_way_out};
use hotline::sim::{Habits, Heard, Person, Town, millis, minutes, secs};

use crate::{anna_talks_with_lea, presses_keys};

stories![
    all_three_hear_each_other_and_the_caller_is_never_put_out_of_the_sound,
    one_press_does_nothing,
    a_listener_may_leave_the_caller_with_the_emergency_services,
    who_is_left_when_the_emergency_services_hang_up_are_caller_and_listener,
    when_the_caller_is_gone_the_listener_can_still_say_where_help_is_needed,
    when_the_callers_network_dies_the_listener_can_still_say_where_help_is_needed,
    emergency_services_that_do_not_answer_change_nothing,
    the_sixth_call_in_an_hour_is_refused,
    the_page_brings_them_in_with_two_clicks,
];

fn all_three_hear_each_other_and_the_caller_is_never_put_out_of_the_sound(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    let since = town.now();
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(6));
    anna.talks_with(&lea);
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    town.passes(minutes(10));
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    if town.is_fair() {
        assert!(anna.longest_silence_since(since) <= millis(50), "{:?}", anna.heard());
        let heard = anna.heard();
        let since = heard.iter().filter(|(at, _)| *at > since);
        assert!(since.clone().all(|(_, heard)| is_voice(heard)), "{heard:?}");
    }
    presses_keys(&lea, "*#");
    town.passes(secs(2));
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    anna.hangs_up();
    lea.hangs_up();
    samu.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
    town.never_tells_but_to("60001234", |name| name == "anna");
}

fn one_press_does_nothing(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    presses_keys(&lea, "*15974#");
    town.passes(secs(20));
    presses_keys(&lea, "*15974#");
    presses_keys(&anna, "*15974#*15974#");
    town.passes(secs(20));
    samu.is_quiet();
    anna.talks_with(&lea);
    lea.hangs_up();
    town.last_record();
}

fn a_listener_may_leave_the_caller_with_the_emergency_services(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(6));
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    lea.hangs_up();
    anna.talks_with_within(&samu, secs(6));
    town.passes(minutes(5));
    anna.talks_with(&samu);
    samu.hangs_up();
    anna.hears_within("retour-file", secs(40));
    anna.hangs_up();
    town.last_record();
}

fn who_is_left_when_the_emergency_services_hang_up_are_caller_and_listener(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(6));
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    samu.hangs_up();
    samu.sees(&Seen::HangUpConfirmed);
    anna.talks_with_within(&lea, secs(40));
    lea.hangs_up();
    town.last_record();
}

fn when_the_caller_is_gone_the_listener_can_still_say_where_help_is_needed(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(6));
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    anna.hangs_up();
    lea.talks_with_within(&samu, secs(40));
    town.passes(minutes(3));
    lea.talks_with(&samu);
    lea.hangs_up();
    samu.comes_free_within(secs(40));
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.cause.by, Party::Caller);
    if town.is_fair() {
        assert!(record.talked < minutes(1), "the caller's part is over: {:?}", record.talked);
    }
}

/// Whoever is beaten may lose their telephone first.
fn when_the_callers_network_dies_the_listener_can_still_say_where_help_is_needed(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(6));
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);

    anna.unplugs();
    town.passes(minutes(4));

    lea.talks_with(&samu);
    assert_eq!(town.presence("lea"), "talking");
    lea.hangs_up();
    samu.comes_free_within(secs(40));
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.cause.by, Party::Network);
    lea.comes_free_within(secs(40));
    assert_ne!(town.presence("lea"), "talking");
}

fn emergency_services_that_do_not_answer_change_nothing(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    samu.changes(|habits| habits.on_invite = OnInvite::Refuse(503));
    presses_keys(&lea, "*15974#*15974#");
    town.passes(secs(40));
    anna.talks_with(&lea);
    samu.changes(|habits| habits.on_invite = OnInvite::Ring);
    presses_keys(&lea, "*15974#*15974#");
    samu.rings_within(secs(40));
    lea.hangs_up();
    anna.hears_within("attente", secs(6));
    samu.picks_up();
    anna.talks_with_within(&samu, secs(6));
    anna.hangs_up();
    town.last_record();
}

/// domain.md T-28.
fn the_sixth_call_in_an_hour_is_refused(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    for _ in 0..5 {
        presses_keys(&lea, "*15974#*15974#");
        samu.rings_within(secs(10));
        samu.picks_up();
        all_hear_each_other(&town, [&lea, &anna, &samu]);
        samu.hangs_up();
        town.passes(secs(if town.is_fair() { 1 } else { 40 }));
        anna.talks_with(&lea);
    }
    presses_keys(&lea, "*15974#*15974#");
    town.passes(secs(20));
    samu.is_quiet();
    anna.talks_with(&lea);
    let audited = town.notes().into_iter();
    let audited = audited.filter(|note| note.what == "a listener calls the emergency services");
    assert_eq!(audited.count(), 6);
    lea.hangs_up();
    town.last_record();
}

fn the_page_brings_them_in_with_two_clicks(town: Town) {
    let (town, lea, anna, samu) = talking(town);
    let (listener, service) = ("lea".parse().unwrap(), "samu-974".parse().unwrap());
    let click = Command::CallEmergency { listener, service };
    town.orders(click.clone()).unwrap();
    town.passes(secs(2));
    samu.is_quiet();
    town.orders(click).unwrap();
    samu.rings_within(secs(6));
    samu.picks_up();
    all_hear_each_other(&town, [&lea, &anna, &samu]);
    let back = Command::GiveBack { listener: "lea".parse().unwrap() };
    assert!(town.orders(back).is_err(), "nobody is sent away from an emergency");
    lea.hangs_up();
    anna.talks_with_within(&samu, secs(6));
    anna.hangs_up();
    town.last_record();
}

/// Anna talks with Léa, and there are emergency services behind a trunk.
fn talking(town: Town) -> (Town, Person, Person, Person) {
    let samu = town.person("samu", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", samu.address());
    town.reloads(with_emergency(plan, "samu-974", "+33261910974", "15974"));
    let (anna, lea) = anna_talks_with_lea(&town);
    (town, lea, anna, samu)
}

#[track_caller]
fn all_hear_each_other(town: &Town, three: [&Person; 3]) {
    town.passes(secs(if town.is_fair() { 1 } else { 8 }));
    for person in three {
        let others: BTreeSet<String> = three
            .iter()
            .filter(|other| other.name() != person.name())
            .map(|other| other.name().to_owned())
            .collect();
        assert_eq!(person.hearing(), Heard::Voices(others), "{}\n{}", person.name(), town.tail());
    }
}

fn is_voice(heard: &Heard) -> bool {
    matches!(heard, Heard::Voice(_) | Heard::Voices(_))
}
