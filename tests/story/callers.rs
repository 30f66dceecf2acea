//! Callers of every kind: silent, anonymous, on hold, lost.

use hotline::exchange::AlarmCode;
use hotline::record::{Outcome, Party};
use hotline::sim::{Habits, Heard, Town, minutes, secs};

stories![
    an_anonymous_caller_is_served_like_any_other_and_their_number_never_told,
    a_callers_number_is_never_told_to_anybody,
    a_caller_who_says_nothing_for_ten_minutes_is_left_in_peace,
    a_caller_whose_network_dies_is_noticed_and_the_listener_freed,
    a_caller_whose_sound_stops_but_who_answers_is_kept,
    a_caller_of_whom_nothing_is_ever_heard_is_an_alarm_and_stays,
    a_listener_of_whom_nothing_is_ever_heard_is_an_alarm_and_the_caller_finds_another,
    a_waiting_caller_on_hold_keeps_their_place_and_their_music_is_not_passed_on,
    a_caller_on_hold_for_long_lets_the_next_go_first_and_keeps_the_head,
    a_talking_caller_holds_and_resumes,
    keys_on_a_line_without_a_menu_do_nothing,
];

/// scenarios.md SC-24.
fn an_anonymous_caller_is_served_like_any_other_and_their_number_never_told(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let habits =
        Habits { number: Some("+33612345678".into()), anonymous: true, ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    anna.hangs_up();
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
    town.never_tells("612345678", "anna");
}

/// architecture.md, invariant 10; the canary.
fn a_callers_number_is_never_told_to_anybody(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let habits = Habits { number: Some("+33698765432".into()), ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.gets_through();
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    let board = format!("{:?}", town.board());
    assert!(!board.contains("698765432"));
    lea.unplugs();
    town.passes(secs(40));
    anna.hangs_up();
    town.last_record();
    town.never_tells("698765432", "anna");
}

/// scenarios.md SC-22: comfort noise, RTP present.
fn a_caller_who_says_nothing_for_ten_minutes_is_left_in_peace(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let before = anna.sent_messages();
    town.passes(minutes(10));
    anna.talks_with(&lea);
    if town.is_fair() {
        assert_eq!(anna.sent_messages(), before);
    }
}

/// scenarios.md SC-22: no RTP for 30 s, a probe without an answer, BYE at 60 s.
fn a_caller_whose_network_dies_is_noticed_and_the_listener_freed(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    anna.unplugs();
    let died = town.now();
    town.passes(secs(29));
    assert!(lea.is_in_call());
    lea.comes_free_within(secs(60));
    let took = town.now() - died;
    assert!(took >= secs(55) && took <= secs(75), "{took:?}");
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.cause.by, Party::Network);
}

/// scenarios.md SC-22: the probe is answered with 200.
fn a_caller_whose_sound_stops_but_who_answers_is_kept(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    anna.changes(|habits| habits.sounds = false);
    town.passes(minutes(5));
    assert!(anna.is_in_call());
    assert!(lea.is_in_call());
    anna.changes(|habits| habits.sounds = true);
    anna.talks_with(&lea);
}

/// domain.md, "one-way audio": it is felt as indifference.
fn a_caller_of_whom_nothing_is_ever_heard_is_an_alarm_and_stays(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let berta = lea.takes_a_call();
    let [marc] = town.listeners(["marc"]);
    let anna = town.person("anna", Habits { sounds: false, ..town.habits_of_a_caller() });
    anna.dials("3977");
    marc.rings_within(secs(30));
    marc.picks_up();
    town.passes(minutes(3));

    assert!(anna.is_in_call() && marc.is_in_call());
    let alarms = town.board().alarms;
    let alarms: Vec<_> =
        alarms.iter().filter(|alarm| alarm.code == AlarmCode::OneWaySound).collect();
    assert!(matches!(alarms[..], [alarm] if alarm.count == Some(1)), "{alarms:?}");
    assert_eq!(alarms[0].about.as_deref(), Some("loopback"));
    assert_eq!(told(&town, "no sound at all comes from a caller"), 1);

    // Of those whose sound only stops it is not said: somebody on a bad road, and a phone that died.
    berta.changes(|habits| habits.sounds = false);
    town.passes(minutes(3));
    assert_eq!(told(&town, "no sound at all"), 1);
}

/// scenarios.md SC-16, and domain.md on one-way audio.
fn a_listener_of_whom_nothing_is_ever_heard_is_an_alarm_and_the_caller_finds_another(town: Town) {
    let lea = town.listener("lea", Habits { sounds: false, ..Habits::default() });
    lea.registers();
    let anna = town.dials("anna", "3977");
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.hears_within("retour-file", secs(20));

    assert_eq!(told(&town, "no sound at all comes from a listener's phone"), 1);
    let alarms = town.board().alarms;
    assert!(
        alarms.iter().any(|alarm| {
            alarm.code == AlarmCode::OneWaySound && alarm.about.as_deref() == Some("lea")
        }),
        "{alarms:?}"
    );
    let [marc] = town.listeners(["marc"]);
    marc.rings_within(secs(40));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(10));
}

fn told(town: &Town, words: &str) -> usize {
    town.notes().iter().filter(|note| note.what.starts_with(words)).count()
}

/// scenarios.md SC-23.
fn a_waiting_caller_on_hold_keeps_their_place_and_their_music_is_not_passed_on(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(20));
    anna.holds();
    town.passes(secs(if town.is_fair() { 1 } else { 20 }));
    assert_eq!(town.waiting(), 1);

    busy.hangs_up();
    lea.comes_free();
    town.passes(secs(60));
    assert_eq!(lea.rang(), 1, "the ring is deferred while they hold");
    assert!(!matches!(lea.hearing(), Heard::Voice(_)));
    anna.resumes();
    lea.rings_within(secs(3));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// scenarios.md SC-23: deferred up to 60 s, then the next; and the head afterwards.
fn a_caller_on_hold_for_long_lets_the_next_go_first_and_keeps_the_head(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let busy = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(5));
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    town.passes(secs(20));
    anna.holds();
    town.passes(secs(5));
    busy.hangs_up();
    lea.comes_free();
    lea.rings_within(secs(130));
    lea.picks_up();
    berta.talks_with(&lea);
    anna.resumes();
    town.passes(secs(5));
    let clara = town.dials("clara", "3977");
    clara.gets_through();
    town.passes(secs(10));
    berta.hangs_up();
    lea.rings_within(secs(60));
    lea.picks_up();
    anna.talks_with(&lea);
    assert!(clara.is_in_call());
}

/// RFC 3264 §8.4, from the caller's side.
fn a_talking_caller_holds_and_resumes(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    anna.holds();
    lea.hears("attente");
    town.passes(minutes(2));
    assert!(anna.is_in_call() && lea.is_in_call(), "held is not silent");
    anna.resumes();
    anna.talks_with(&lea);
}

/// The issue: telephone-event.
fn keys_on_a_line_without_a_menu_do_nothing(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    for digit in ['1', '*', '#'] {
        anna.presses(digit);
        lea.presses(digit);
    }
    town.passes(secs(5));
    anna.talks_with(&lea);
}
