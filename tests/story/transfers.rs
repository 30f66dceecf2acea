//! A listener asks a colleague, or gives them the caller: by keys, by a second line, by REFER, from
//! their page. The caller is never dropped for it.

use hotline::base::ListenerName;
use hotline::exchange::{Command, Plan};
use hotline::record::Outcome;
use hotline::sim::phone::{OnInvite, Seen};
use hotline::sim::plan::{with_centre, with_colleagues, with_way_out};
use hotline::sim::{Habits, Heard, Person, Town, millis, minutes, secs};
use hotline::sip::Transport;

use crate::{anna_talks_with_lea, presses_keys};

stories![
    a_listeners_phone_moves_the_caller_to_a_colleague,
    a_colleague_who_refuses_sends_the_caller_home,
    a_colleague_who_does_not_answer_sends_the_caller_home,
    a_listener_who_hangs_up_right_after_the_transfer_loses_nobody,
    a_transfer_that_fails_after_its_listener_has_gone_finds_another,
    a_listener_who_hangs_up_as_the_transfer_fails_loses_nobody,
    a_transfer_to_anybody_else_is_declined_and_changes_nothing,
    a_caller_can_not_transfer_anybody,
    a_listener_consults_on_a_second_line_and_joins_both,
    a_second_line_that_still_rings_can_be_joined_too,
    a_colleague_who_is_busy_refuses_the_second_line_alone,
    a_second_line_reaches_a_centre,
    a_listener_asks_a_colleague_by_keys_and_leaves_the_caller_with_them,
    a_listener_comes_back_from_a_colleague_by_keys,
    a_colleague_who_hangs_up_sends_the_listener_home,
    a_caller_who_hangs_up_while_a_colleague_rings_ends_it_all,
    a_colleague_on_the_phone_is_not_rung,
    a_listener_who_knows_the_caller_gives_them_back,
    a_caller_whom_the_only_listener_gave_back_is_theirs_again,
    a_caller_given_back_is_theirs_again_when_everybody_else_has_gone,
    a_listener_moves_the_caller_from_their_page,
    a_listener_hands_over_from_their_page,
    a_listener_picks_up_what_rings_at_a_colleagues,
    a_listener_takes_the_call_over_on_another_phone,
    nobody_takes_over_the_call_of_a_colleague,
    a_replaces_that_names_no_call_of_ours_is_refused,
    a_phone_that_is_lost_while_a_colleague_is_asked_loses_nobody,
    notes_take_longer_when_the_listener_says_so,
    who_rests_after_a_difficult_call_is_not_rung_for_ten_minutes,
    who_has_finished_for_today_does_not_count_as_being_there,
];

/// RFC 3515, RFC 5589 §6: the blind transfer.
fn a_listeners_phone_moves_the_caller_to_a_colleague(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let since = town.now();
    lea.transfers_to("marc");
    marc.rings_within(secs(4));
    anna.hears_within("attente", secs(2));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(4));
    lea.comes_free_within(secs(40));
    if town.is_fair() {
        assert!(anna.longest_silence_since(since) <= millis(200));
        lea.sees(&Seen::Replied { method: "REFER".into(), status: 202 });
        lea.sees(&Seen::Transferred { status: 100 });
        lea.sees(&Seen::Transferred { status: 200 });
    }
    town.passes(minutes(10));
    anna.talks_with(&marc);
    marc.hangs_up();
    anna.comes_free_within(secs(40));
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.listener.as_ref().map(ToString::to_string).as_deref(), Some("marc"));
}

fn a_colleague_who_refuses_sends_the_caller_home(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    marc.changes(|habits| habits.on_invite = OnInvite::Refuse(486));
    let since = town.now();
    lea.transfers_to("marc");
    town.passes(secs(if town.is_fair() { 1 } else { 30 }));
    anna.talks_with_within(&lea, secs(30));
    if town.is_fair() {
        lea.sees(&Seen::Transferred { status: 486 });
        assert!(anna.longest_silence_since(since) <= millis(100));
    }
    town.passes(secs(6));
    lea.hangs_up();
    town.last_record();
}

fn a_colleague_who_does_not_answer_sends_the_caller_home(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    lea.transfers_to("marc");
    marc.rings_within(secs(4));
    anna.hears_within("attente", secs(2));
    anna.talks_with_within(&lea, secs(27));
    marc.stops_ringing_within(secs(40));
    if town.is_fair() {
        lea.sees(&Seen::Transferred { status: 480 });
    }
    anna.hangs_up();
    town.last_record();
}

/// Many phones hang up as soon as they hear 202.
fn a_listener_who_hangs_up_right_after_the_transfer_loses_nobody(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    lea.transfers_to("marc");
    marc.rings_within(secs(4));
    lea.hangs_up();
    anna.hears_within("attente", secs(2));
    if town.is_fair() {
        town.passes(secs(1));
        assert_eq!(town.presence("lea"), "after_call_work");
    }
    marc.picks_up();
    anna.talks_with_within(&marc, secs(4));
    anna.hangs_up();
    marc.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn a_transfer_that_fails_after_its_listener_has_gone_finds_another(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let [nora] = town.listeners(["nora"]);
    lea.transfers_to("marc");
    marc.rings_within(secs(4));
    lea.hangs_up();
    lea.sees(&Seen::HangUpConfirmed);
    marc.refuses(486);
    anna.hears_within("retour-file", secs(30));
    nora.rings_within(secs(8));
    nora.picks_up();
    anna.talks_with_within(&nora, secs(8));
    anna.hangs_up();
    assert_eq!(town.has_records(1).len(), 1);
}

/// They hang up because they think that it is done: the refusal has crossed their BYE.
fn a_listener_who_hangs_up_as_the_transfer_fails_loses_nobody(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    marc.changes(|habits| habits.on_invite = OnInvite::Refuse(486));
    lea.transfers_to("marc");
    town.passes(secs(2));
    lea.hangs_up();
    anna.hears_within("retour-file", secs(60));
    let [nora] = town.listeners(["nora"]);
    nora.rings_within(secs(12));
    nora.picks_up();
    anna.talks_with_within(&nora, secs(8));
    anna.hangs_up();
    town.last_record();
}

/// domain.md T-01, §1.5: nobody outside, no centre blindly, not oneself, not the lines.
fn a_transfer_to_anybody_else_is_declined_and_changes_nothing(town: Town) {
    let centre = town.person("centre", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", centre.address());
    let plan = with_centre(plan, "alma-75", "+33199007500", "75");
    let (town, lea, anna, marc) = talking_by(town, plan);
    for whom in ["0033899123456", "lea", "3977", "*10", "75", "0199007500", "nobody"] {
        lea.transfers_to(whom);
        town.passes(secs(if town.is_fair() { 1 } else { 20 }));
    }
    anna.talks_with(&lea);
    marc.is_quiet();
    centre.is_quiet();
    let declined = lea
        .seen()
        .iter()
        .filter(|(_, seen)| *seen == Seen::Replied { method: "REFER".into(), status: 603 })
        .count();
    assert_eq!(declined, 7);
    lea.hangs_up();
    town.last_record();
}

/// scenarios.md SC-28.
fn a_caller_can_not_transfer_anybody(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    anna.transfers_to("marc");
    town.passes(secs(5));
    anna.talks_with(&lea);
    marc.is_quiet();
    lea.hangs_up();
    town.last_record();
}

/// RFC 5589 §7, RFC 3891: the attended transfer.
fn a_listener_consults_on_a_second_line_and_joins_both(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let since = town.now();
    lea.dials_beside("marc");
    marc.rings_within(secs(6));
    anna.hears_within("attente", secs(6));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(6));
    assert_eq!(anna.hearing(), Heard::Prompt("attente".parse().unwrap()));

    lea.joins_both_lines();
    anna.talks_with_within(&marc, secs(6));
    lea.comes_free_within(secs(40));
    if town.is_fair() {
        assert!(anna.longest_silence_since(since) <= millis(200));
        lea.sees(&Seen::Transferred { status: 200 });
    }
    town.passes(minutes(5));
    anna.talks_with(&marc);
    anna.hangs_up();
    marc.comes_free_within(secs(40));
    assert_eq!(town.has_records(1).len(), 1);
}

/// RFC 5589 §7.1: joined before the colleague has answered.
fn a_second_line_that_still_rings_can_be_joined_too(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    lea.dials_beside("marc");
    marc.rings_within(secs(6));
    town.passes(secs(2));
    lea.joins_both_lines();
    town.passes(secs(if town.is_fair() { 1 } else { 12 }));
    let taken = Seen::Replied { method: "REFER".into(), status: 202 };
    if !lea.seen().iter().any(|(_, seen)| *seen == taken) {
        // Its 180 was lost in the weather: the phone has nothing to name the second call by.
        assert!(!town.is_fair(), "{}", town.tail());
        anna.hangs_up();
        lea.hangs_up_beside();
        town.last_record();
        return;
    }
    lea.hangs_up_beside();
    town.passes(secs(1));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    lea.comes_free_within(secs(60));
    anna.hangs_up();
    town.last_record();
}

fn a_colleague_who_is_busy_refuses_the_second_line_alone(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    marc.changes(|habits| habits.on_invite = OnInvite::Refuse(486));
    lea.dials_beside("marc");
    town.passes(secs(if town.is_fair() { 2 } else { 40 }));
    lea.resumes();
    anna.talks_with_within(&lea, secs(6));
    assert_eq!(lea.calls(), 1);
    anna.hangs_up();
    town.last_record();
}

fn a_second_line_reaches_a_centre(town: Town) {
    let centre = town.person("centre", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", centre.address());
    let plan = with_centre(plan, "alma-75", "+33199007500", "75");
    let (town, lea, anna, _) = talking_by(town, plan);
    lea.dials_beside("0199007500");
    centre.rings_within(secs(6));
    centre.picks_up();
    lea.talks_with_within(&centre, secs(6));
    lea.joins_both_lines();
    anna.talks_with_within(&centre, secs(6));
    lea.comes_free_within(secs(40));
    anna.hangs_up();
    centre.comes_free_within(secs(40));
    town.last_record();
    town.never_tells_but_to("60001234", |name| name == "anna");
}

fn a_listener_asks_a_colleague_by_keys_and_leaves_the_caller_with_them(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    presses_keys(&lea, "*21#");
    anna.hears_within("attente", secs(2));
    marc.rings_within(secs(4));
    assert_eq!(lea.hearing(), Heard::Ringback);
    marc.picks_up();
    lea.talks_with_within(&marc, secs(4));
    lea.hangs_up();
    anna.talks_with_within(&marc, secs(4));
    lea.comes_free();
    assert_eq!(town.presence("marc"), "talking");
    anna.hangs_up();
    marc.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn a_listener_comes_back_from_a_colleague_by_keys(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    presses_keys(&lea, "*21#");
    marc.rings_within(secs(4));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(4));
    presses_keys(&lea, "*#");
    anna.talks_with_within(&lea, secs(2));
    marc.comes_free_within(secs(40));
    assert_eq!(town.presence("marc"), "available");
    anna.hangs_up();
    town.last_record();
}

fn a_colleague_who_hangs_up_sends_the_listener_home(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    presses_keys(&lea, "*21#");
    marc.rings_within(secs(4));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(4));
    marc.hangs_up();
    anna.talks_with_within(&lea, secs(34));
    assert_eq!(town.presence("marc"), "available");
    lea.hangs_up();
    town.last_record();
}

fn a_caller_who_hangs_up_while_a_colleague_rings_ends_it_all(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    presses_keys(&lea, "*21#");
    marc.rings_within(secs(4));
    anna.hangs_up();
    marc.stops_ringing_within(secs(40));
    lea.comes_free_within(secs(40));
    assert_eq!(town.presence("marc"), "available");
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn a_colleague_on_the_phone_is_not_rung(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let other = marc.takes_a_call();
    presses_keys(&lea, "*21#");
    lea.transfers_to("marc");
    town.passes(secs(5));
    anna.talks_with(&lea);
    other.talks_with(&marc);
    anna.hangs_up();
    other.hangs_up();
    town.has_records(2);
}

/// domain.md §3.4: "je connais cette personne". To the head, and not to the same listener.
fn a_listener_who_knows_the_caller_gives_them_back(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    // Marc is busy; when Léa's notes are done she is free, and still not rung.
    let other = marc.takes_a_call();
    town.orders(Command::GiveBack { listener: name("lea") }).unwrap();
    anna.hears_within("retour-file", secs(2));
    lea.comes_free_within(secs(40));
    town.orders(Command::EndAfterCallWork { listener: name("lea") }).unwrap();
    town.passes(minutes(2));
    lea.is_quiet();
    other.hangs_up();
    marc.comes_free_within(secs(40));
    town.orders(Command::ComeBack { listener: name("marc") }).unwrap();
    marc.rings_within(secs(8));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

/// Nobody waits for ever because the only person there knows them.
fn a_caller_whom_the_only_listener_gave_back_is_theirs_again(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    town.orders(Command::GiveBack { listener: name("lea") }).unwrap();
    anna.hears_within("retour-file", secs(2));
    lea.comes_free_within(secs(40));

    lea.rings_within(minutes(2));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    anna.hangs_up();
    town.last_record();
}

fn a_caller_given_back_is_theirs_again_when_everybody_else_has_gone(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let other = marc.takes_a_call();
    town.orders(Command::GiveBack { listener: name("lea") }).unwrap();
    lea.comes_free_within(secs(40));
    town.orders(Command::EndAfterCallWork { listener: name("lea") }).unwrap();
    town.passes(secs(30));
    lea.is_quiet();

    // Marc wants a pause after the call he has: nobody else would come.
    town.orders(Command::Pause { listener: name("marc"), reason: None }).unwrap();
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    anna.hangs_up();
    other.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

fn a_listener_moves_the_caller_from_their_page(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let nobody = Command::MoveToColleague { listener: name("marc"), colleague: name("lea") };
    assert!(town.orders(nobody).is_err(), "Marc has no caller");
    let command = Command::MoveToColleague { listener: name("lea"), colleague: name("marc") };
    town.orders(command).unwrap();
    marc.rings_within(secs(4));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(4));
    lea.comes_free_within(secs(40));
    anna.hangs_up();
    town.last_record();
}

fn a_listener_hands_over_from_their_page(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let (listener, colleague) = (name("lea"), name("marc"));
    let ask = || Command::AskColleague { listener: listener.clone(), colleague: colleague.clone() };
    town.orders(ask()).unwrap();
    marc.rings_within(secs(4));
    assert!(town.orders(ask()).is_err(), "one at a time");
    town.orders(Command::TakeBack { listener: listener.clone() }).unwrap();
    marc.stops_ringing_within(secs(40));
    anna.talks_with_within(&lea, secs(4));

    town.orders(ask()).unwrap();
    marc.rings_within(secs(8));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(4));
    town.orders(Command::HandOver { listener }).unwrap();
    anna.talks_with_within(&marc, secs(4));
    lea.comes_free_within(secs(40));
    anna.hangs_up();
    town.last_record();
}

/// RFC 3891 §7.1: by the lamp of the colleague's phone.
fn a_listener_picks_up_what_rings_at_a_colleagues(town: Town) {
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    marc.rings_within(secs(8));
    let [lea] = town.listeners(["lea"]);
    lea.picks_up_from(&marc);
    anna.talks_with_within(&lea, secs(8));
    marc.stops_ringing_within(secs(40));
    assert_eq!(town.presence("lea"), "talking");
    if town.is_fair() {
        assert_eq!(town.presence("marc"), "available");
        assert!(marc.reason().contains("completed elsewhere"), "{}", marc.reason());
    }
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    let record = town.last_record();
    assert_eq!(record.listener.as_ref().map(ToString::to_string).as_deref(), Some("lea"));
}

/// RFC 3891: from the desk to the phone in the pocket.
fn a_listener_takes_the_call_over_on_another_phone(town: Town) {
    let (town, lea, anna, _) = talking(town);
    let since = town.now();
    let pocket = town.listeners_phone("lea", "pocket", Habits::default(), Transport::Udp);
    pocket.registers();
    pocket.picks_up_from(&lea);
    anna.talks_with_within(&pocket, secs(8));
    lea.comes_free_within(secs(40));
    town.passes(minutes(1));
    anna.talks_with(&pocket);
    if town.is_fair() {
        assert!(anna.longest_silence_since(since) <= millis(100));
    }
    pocket.hangs_up();
    anna.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn nobody_takes_over_the_call_of_a_colleague(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    marc.picks_up_from(&lea);
    if town.is_fair() {
        marc.gets_refused(603);
    } else {
        town.passes(secs(40));
    }
    anna.talks_with(&lea);
    // A network's Replaces changes nothing: its caller is served.
    let nora = town.person("nora-calls", Habits::default());
    nora.picks_up_from(&lea);
    nora.gets_through();
    anna.talks_with(&lea);
    anna.hangs_up();
    nora.hangs_up();
    town.has_records(2);
}

/// RFC 3891 §3: 481 for no dialog, 486 for one that has been picked up, 400 for no sense.
fn a_replaces_that_names_no_call_of_ours_is_refused(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    let named = lea.names_its_call();
    for (value, status) in [
        ("nothing;to-tag=a;from-tag=b".to_owned(), 481),
        (format!("{named};early-only"), 486),
        ("nothing".to_owned(), 400),
        ("nothing;to-tag=a".to_owned(), 400),
    ] {
        marc.changes(|habits| habits.headers = vec![("Replaces", value)]);
        let before = marc.seen().len();
        marc.dials("3977");
        town.passes(secs(if town.is_fair() { 1 } else { 40 }));
        let seen = marc.seen();
        let refused = seen[before..]
            .iter()
            .any(|(_, seen)| matches!(seen, Seen::Refused { status: told, .. } if *told == status));
        assert!(refused || !town.is_fair(), "{status}: {:?}", &seen[before..]);
    }
    anna.talks_with(&lea);
    anna.hangs_up();
    town.last_record();
}

/// SC-16 in the middle of a blind transfer: nobody has hung up, and the transfer goes on.
fn a_phone_that_is_lost_while_a_colleague_is_asked_loses_nobody(town: Town) {
    let (town, lea, anna, marc) = talking(town);
    lea.transfers_to("marc");
    marc.rings_within(secs(4));
    lea.unplugs();
    town.passes(secs(10));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    marc.comes_free_within(secs(40));
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn notes_take_longer_when_the_listener_says_so(town: Town) {
    let (town, lea, anna, _) = talking(town);
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    town.orders(Command::ExtendAfterCallWork { listener: name("lea"), minutes: 10 }).unwrap();
    town.passes(minutes(9));
    assert_eq!(town.presence("lea"), "after_call_work");
    town.passes(minutes(6));
    assert_eq!(town.presence("lea"), "available");
}

fn who_rests_after_a_difficult_call_is_not_rung_for_ten_minutes(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    town.orders(Command::Rest { listener: name("lea") }).unwrap();
    let anna = town.dials("anna", "3977");
    marc.rings_within(secs(9));
    town.passes(secs(3));
    lea.is_quiet();
    anna.hangs_up();
    town.passes(minutes(10));
    assert_eq!(town.presence("lea"), "available");
    town.last_record();
}

/// SC-17 tells "all paused" from "nobody": this is nobody.
fn who_has_finished_for_today_does_not_count_as_being_there(town: Town) {
    let [lea] = town.listeners(["lea"]);
    town.orders(Command::FinishForToday { listener: name("lea") }).unwrap();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    anna.hears_within("indisponible", secs(70));
    lea.is_quiet();
    town.orders(Command::ComeBack { listener: name("lea") }).unwrap();
    lea.rings_within(secs(20));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    anna.hangs_up();
    town.last_record();
}

/// Anna talks with Léa; Marc has a phone, and 21 is his code.
fn talking(town: Town) -> (Town, Person, Person, Person) {
    let plan = town.plan();
    talking_by(town, plan)
}

fn talking_by(town: Town, plan: Plan) -> (Town, Person, Person, Person) {
    town.reloads(with_colleagues(plan, &[("21", "marc"), ("22", "lea")]));
    let (anna, lea) = anna_talks_with_lea(&town);
    let [marc] = town.listeners(["marc"]);
    (town, lea, anna, marc)
}

fn name(text: &str) -> ListenerName {
    text.parse().unwrap()
}
