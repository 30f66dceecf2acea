//! A listener asks a centre, and leaves the caller with it (scenarios.md SC-26).

use hotline::record::Outcome;
use hotline::sim::phone::OnInvite;
use hotline::sim::plan::{with_centre, with_way_out};
use hotline::sim::{Habits, Heard, Person, Town, millis, minutes, secs};

use crate::{anna_talks_with_lea, presses_keys};

stories![
    a_listener_asks_a_centre_and_leaves_the_caller_with_it,
    a_centre_that_does_not_answer_sends_the_listener_home,
    a_centre_that_is_busy_sends_the_listener_home_at_once,
    a_listener_comes_back_to_the_caller_by_keys,
    a_caller_left_by_a_centre_is_offered_back_after_three_seconds,
    a_caller_who_hangs_up_while_a_centre_is_asked_ends_it_all,
    a_listener_who_hangs_up_on_a_ringing_centre_loses_nobody,
    a_code_that_nobody_has_does_nothing,
];

fn a_listener_asks_a_centre_and_leaves_the_caller_with_it(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    anna.hears_within("attente", secs(2));
    centre.rings_within(secs(4));
    assert_eq!(lea.hearing(), Heard::Ringback);
    centre.picks_up();
    lea.talks_with_within(&centre, secs(4));
    assert_eq!(anna.hearing(), Heard::Prompt("attente".parse().unwrap()));

    lea.hangs_up();
    anna.talks_with_within(&centre, secs(4));
    lea.comes_free();
    town.passes(minutes(10));
    anna.talks_with(&centre);
    anna.hangs_up();
    centre.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
    town.never_tells_but_to("60001234", |name| name == "anna");
}

/// No answer for 25 s: home within a tenth of a second, and never silence for the caller.
fn a_centre_that_does_not_answer_sends_the_listener_home(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(4));
    let rang = town.now();
    anna.talks_with_within(&lea, secs(27));
    if town.is_fair() {
        let took = town.now() - rang;
        assert!(took >= secs(24) && took <= secs(26), "{took:?}");
        assert!(anna.longest_silence_since(rang) <= millis(100));
    }
    centre.stops_ringing_within(secs(40));
    lea.hangs_up();
    town.last_record();
}

fn a_centre_that_is_busy_sends_the_listener_home_at_once(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    centre.changes(|habits| habits.on_invite = OnInvite::Refuse(486));
    let since = town.now();
    presses_keys(&lea, "*75#");
    town.passes(secs(if town.is_fair() { 1 } else { 30 }));
    anna.talks_with(&lea);
    if town.is_fair() {
        assert!(anna.longest_silence_since(since) <= millis(100));
    }
    lea.hangs_up();
    town.last_record();
}

fn a_listener_comes_back_to_the_caller_by_keys(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(4));
    centre.picks_up();
    lea.talks_with_within(&centre, secs(4));
    presses_keys(&lea, "*#");
    anna.talks_with_within(&lea, secs(2));
    centre.comes_free_within(secs(40));
    anna.hangs_up();
    town.last_record();
}

/// SC-26: only if they stay.
fn a_caller_left_by_a_centre_is_offered_back_after_three_seconds(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(4));
    centre.picks_up();
    lea.talks_with_within(&centre, secs(4));
    lea.hangs_up();
    anna.talks_with_within(&centre, secs(4));
    let [marc] = town.listeners(["marc"]);
    centre.hangs_up();
    anna.hears_within("retour-file", secs(5));
    marc.rings_within(secs(8));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    town.last_record();
}

fn a_caller_who_hangs_up_while_a_centre_is_asked_ends_it_all(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(4));
    centre.picks_up();
    lea.talks_with_within(&centre, secs(4));
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    centre.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn a_listener_who_hangs_up_on_a_ringing_centre_loses_nobody(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(4));
    lea.hangs_up();
    centre.stops_ringing_within(secs(40));
    anna.hears_within("retour-file", secs(2));
    assert!(anna.is_in_call());
    let [marc] = town.listeners(["marc"]);
    marc.rings_within(secs(8));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    town.last_record();
}

/// domain.md T-01: keys reach nobody but those of the directory.
fn a_code_that_nobody_has_does_nothing(town: Town) {
    let (town, lea, anna, centre) = talking(town);
    for wrong in ["*76#", "*0033899123456#", "75#", "*75", "*11#"] {
        presses_keys(&lea, wrong);
    }
    presses_keys(&anna, "*75#");
    town.passes(secs(5));
    anna.talks_with(&lea);
    centre.is_quiet();
    anna.hangs_up();
    town.last_record();
}

/// Anna talks with Léa, and there is a centre behind a trunk.
fn talking(town: Town) -> (Town, Person, Person, Person) {
    let centre = town.person("centre", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", centre.address());
    town.reloads(with_centre(plan, "alma-75", "+33199007500", "75"));
    let (anna, lea) = anna_talks_with_lea(&town);
    (town, lea, anna, centre)
}
