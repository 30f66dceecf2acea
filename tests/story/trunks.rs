//! Roads to the public network: managers who are called when nobody is there, and roads that fail.

use std::time::Duration;

use hotline::exchange::Plan;
use hotline::record::Outcome;
use hotline::sim::phone::OnInvite;
use hotline::sim::plan::{with_managers, with_named_way_out, with_way_out};
use hotline::sim::{Habits, Person, Town, minutes, secs};
use hotline::sip::locate::{Answer, Kind, Question, Record};

stories![
    nobody_is_logged_in_and_a_manager_takes_the_call_with_a_one,
    a_voicemail_never_gets_a_caller,
    of_two_managers_the_first_to_press_has_the_call,
    a_listener_who_logs_in_takes_the_call_from_the_managers,
    a_caller_who_hangs_up_stops_the_managers_telephones,
    what_goes_out_tells_nobody_who_calls,
    a_number_that_is_not_in_the_plan_is_never_called,
    a_trunk_that_does_not_answer_is_down_and_the_second_takes_our_calls,
    a_trunk_that_refuses_gives_way_to_the_second_at_once,
    no_clock_cuts_a_caller_who_talks_with_a_manager,
    a_trunk_with_a_name_is_called_where_the_dns_says,
    a_name_that_leads_nowhere_at_the_start_keeps_nobody_from_being_served,
    an_address_outside_the_trunks_ranges_is_an_alarm_and_is_never_called,
    a_server_that_is_full_or_dead_gives_way_to_the_next_of_its_name,
];

const CLAIRE: &str = "+33639980001";

/// scenarios.md SC-18.
fn nobody_is_logged_in_and_a_manager_takes_the_call_with_a_one(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    let anna = town.dials("anna", "3133");
    anna.hears("accueil-3133");
    mobile.rings_within(secs(8));
    mobile.picks_up();
    mobile.hears_within("appel-pour", secs(2));
    mobile.hears_within("le-3133", secs(4));
    mobile.hears_within("tapez-1", secs(4));
    assert!(!hears_voice(&anna, &mobile));
    mobile.presses('5');
    town.passes(secs(2));
    assert!(!hears_voice(&anna, &mobile), "only a 1 takes the call");
    mobile.presses('1');
    anna.talks_with_within(&mobile, secs(8));
    town.passes(minutes(20));
    anna.talks_with(&mobile);
    mobile.hangs_up();
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.listener.map(|name| name.to_string()).as_deref(), Some("claire"));
}

/// scenarios.md SC-18: not in 45 s, nor once more after three minutes.
fn a_voicemail_never_gets_a_caller(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    mobile.changes(|habits| habits.on_invite = OnInvite::PickUpAfter(secs(4)));
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    anna.hears_within("indisponible", secs(80));
    mobile.comes_free_within(secs(30));
    assert!(anna.is_in_call());
    let (before, since) = (mobile.rang(), town.now());
    town.passes(minutes(2));
    assert_eq!(mobile.rang(), before, "three minutes of peace");
    mobile.rings_within(secs(100));
    assert!(town.now() - since >= minutes(2));
    anna.hears_within("indisponible", minutes(2));
    anna.comes_free_within(minutes(1));
    assert!(anna.reason().contains("Q.850;cause=20"), "{}", anna.reason());
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::NoListener);
    assert_eq!(record.talked, Duration::ZERO);
}

fn of_two_managers_the_first_to_press_has_the_call(town: Town) {
    let managers = [("claire", CLAIRE), ("bruno", "+33639980002")];
    let (town, mobile) = with_mobile(town, &managers);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    town.passes(secs(if town.is_fair() { 1 } else { 20 }));
    assert_eq!(mobile.ringing(), 2);
    mobile.picks_up();
    mobile.hears_within("appel-pour", secs(8));
    mobile.presses('1');
    anna.talks_with_within(&mobile, secs(8));
    town.passes(secs(if town.is_fair() { 1 } else { 40 }));
    assert_eq!((mobile.ringing(), mobile.calls()), (0, 1));
}

fn a_listener_who_logs_in_takes_the_call_from_the_managers(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    let [lea] = town.listeners(["lea"]);
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    mobile.stops_ringing_within(secs(40));
}

fn a_caller_who_hangs_up_stops_the_managers_telephones(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    anna.hangs_up();
    mobile.stops_ringing_within(secs(40));
    town.last_record();
}

/// domain.md P-19, RFC 3323, RFC 3325: From is anonymous, Privacy is id, and the number is ours.
fn what_goes_out_tells_nobody_who_calls(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    let number = Some("+33698765432".to_owned());
    let anna = town.person("anna", Habits { number, ..Habits::default() });
    anna.dials("3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    let sent = town.sent_to(mobile.name(), hotline::base::Moment::START);
    let invite = sent.iter().find(|text| text.starts_with("INVITE ")).unwrap();
    assert!(
        invite.starts_with("INVITE sip:+33639980001@10.1.0.1:5060;user=phone SIP/2.0"),
        "{invite}"
    );
    assert!(invite.contains("From: \"Anonymous\" <sip:anonymous@anonymous.invalid>"), "{invite}");
    assert!(invite.contains("Privacy: id\r\n"), "{invite}");
    let ours = "P-Asserted-Identity: <sip:+33199003133@10.1.0.1:5060;user=phone>";
    assert!(invite.contains(ours), "{invite}");
    town.never_tells("698765432", "anna");
}

/// domain.md T-01: whoever asks for it, not a packet goes out.
fn a_number_that_is_not_in_the_plan_is_never_called(town: Town) {
    let mobile = town.person("mobile", Habits::default());
    let plan = with_way_out(town.plan(), "a-way-out", mobile.address());
    let mut plan = with_managers(plan, &[("claire", "+88213123456")]);
    plan.sip.callable.clear();
    town.reloads(plan);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    town.passes(secs(50));
    assert_eq!(town.invites_to("mobile", hotline::base::Moment::START), 0);
    assert!(anna.is_in_call(), "the caller waits all the same");
    // Nor by what listeners and callers dial.
    let [lea] = town.listeners(["lea"]);
    for number in ["+88213123456", "0033899123456", "0899123456", "+33639980001"] {
        lea.dials(number);
        lea.gets_refused(404);
    }
    assert_eq!(town.invites_to("mobile", hotline::base::Moment::START), 0);
}

/// scenarios.md SC-33.
fn a_trunk_that_does_not_answer_is_down_and_the_second_takes_our_calls(town: Town) {
    let (first, second) =
        (town.person("first", Habits::default()), town.person("second", Habits::default()));
    let plan = with_way_out(town.plan(), "a-first", first.address());
    let plan = with_way_out(plan, "b-second", second.address());
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    town.passes(secs(40));
    assert!(!is_down(&town, "a-first"));
    first.unplugs();
    town.passes(secs(if town.is_fair() { 121 } else { 200 }));
    assert!(is_down(&town, "a-first"), "{:?}", town.board().alarms);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    second.rings_within(secs(8));
    anna.hangs_up();
    second.stops_ringing_within(secs(40));

    first.plugs_in();
    town.passes(secs(if town.is_fair() { 61 } else { 200 }));
    assert!(!is_down(&town, "a-first"), "{:?}", town.board().alarms);
}

/// domain.md §2.2: fall through to the next on 5xx.
fn a_trunk_that_refuses_gives_way_to_the_second_at_once(town: Town) {
    let refusing = Habits { on_invite: OnInvite::Refuse(503), ..Habits::default() };
    let (first, second) =
        (town.person("first", refusing), town.person("second", Habits::default()));
    let plan = with_way_out(town.plan(), "a-first", first.address());
    let plan = with_way_out(plan, "b-second", second.address());
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    second.rings_within(secs(8));
    second.picks_up();
    second.hears_within("tapez-1", secs(8));
    second.presses('1');
    anna.talks_with_within(&second, secs(8));
}

/// decisions.md: no clock sends BYE to a talking leg, T-01's hour included.
fn no_clock_cuts_a_caller_who_talks_with_a_manager(town: Town) {
    let (town, mobile) = with_mobile(town, &[("claire", CLAIRE)]);
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    mobile.picks_up();
    mobile.hears_within("tapez-1", secs(8));
    mobile.presses('1');
    anna.talks_with_within(&mobile, secs(8));
    town.passes(minutes(125));
    anna.talks_with(&mobile);
    mobile.hangs_up();
    assert!(town.last_record().talked > minutes(120));
}

/// RFC 3263 §4.2.
fn a_trunk_with_a_name_is_called_where_the_dns_says(town: Town) {
    let mobile = town.person("mobile", Habits::default());
    says_address(&town, SBC, &mobile);
    let plan = with_named_way_out(town.plan(), "a-named", SBC, &[&range_of(&mobile)]);
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    mobile.rings_within(secs(8));
    let sent = town.sent_to(mobile.name(), hotline::base::Moment::START);
    let invite = sent.iter().find(|text| text.starts_with("INVITE ")).unwrap();
    // The name stays in the address, whatever it stands for today.
    assert!(invite.starts_with("INVITE sip:+33639980001@sbc.operator.example;"), "{invite}");
    assert!(!is_alarmed(&town, "trunk_"), "{:?}", town.board().alarms);
}

/// domain.md T-21: a dead DNS stops no caller; who was found late is called from then on.
fn a_name_that_leads_nowhere_at_the_start_keeps_nobody_from_being_served(town: Town) {
    let mobile = town.person("mobile", Habits::default());
    let plan = with_named_way_out(town.plan(), "a-named", SBC, &[&range_of(&mobile)]);
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    town.passes(secs(1));
    assert!(
        is_alarmed(&town, "trunk_unlocated: the name of `a-named`"),
        "{:?}",
        town.board().alarms
    );
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    anna.hears_within("accueil-3133", secs(8));
    town.passes(secs(10));
    assert_eq!(town.invites_to("mobile", hotline::base::Moment::START), 0);
    assert!(anna.is_in_call());
    anna.hangs_up();

    says_address(&town, SBC, &mobile);
    town.passes(minutes(2));
    assert!(!is_alarmed(&town, "trunk_unlocated"), "{:?}", town.board().alarms);
    let bob = town.dials("bob", "3133");
    bob.gets_through();
    mobile.rings_within(secs(8));
}

/// domain.md T-21: an answer outside the pinned ranges.
fn an_address_outside_the_trunks_ranges_is_an_alarm_and_is_never_called(town: Town) {
    let stranger = town.person("stranger", Habits::default());
    says_address(&town, SBC, &stranger);
    let plan = with_named_way_out(town.plan(), "a-named", SBC, &["192.0.2.0/24"]);
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    town.passes(minutes(1));
    assert!(
        is_alarmed(&town, "trunk_abroad: the DNS leads `a-named`"),
        "{:?}",
        town.board().alarms
    );
    let sent = town.sent_to("stranger", hotline::base::Moment::START);
    assert!(sent.is_empty(), "{sent:?}");
    assert!(anna.is_in_call(), "the caller waits all the same");
}

/// RFC 3263 §4.3, RFC 2782: 503, and silence, lead to the next server of the same name.
fn a_server_that_is_full_or_dead_gives_way_to_the_next_of_its_name(town: Town) {
    let full = Habits { on_invite: OnInvite::Refuse(503), ..Habits::default() };
    let first = town.person("first", full);
    let second = town.person("second", Habits::default());
    let third = town.person("third", Habits::default());
    let people = [(10, "one", &first), (20, "two", &second), (30, "three", &third)];
    let records = people.map(|(priority, target, _)| Record::Srv {
        priority,
        weight: 1,
        port: 5060,
        target: format!("{target}.{SBC}"),
    });
    says(&town, &format!("_sip._udp.{SBC}"), Kind::Srv, records.to_vec());
    for (_, target, person) in people {
        says_address(&town, &format!("{target}.{SBC}"), person);
    }
    let ranges = people.map(|(_, _, person)| range_of(person));
    let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
    let plan = with_named_way_out(town.plan(), "a-named", SBC, &ranges);
    town.reloads(with_managers(plan, &[("claire", CLAIRE)]));
    second.unplugs();
    let anna = town.dials("anna", "3133");
    anna.gets_through();
    third.rings_within(secs(12));
    third.picks_up();
    third.hears_within("tapez-1", secs(8));
    third.presses('1');
    anna.talks_with_within(&third, secs(8));
}

const SBC: &str = "sbc.operator.example";

fn says(town: &Town, name: &str, kind: Kind, records: Vec<Record>) {
    let answer = Answer::Records { records, ttl: minutes(5) };
    town.dns_says(Question { name: name.to_owned(), kind }, answer);
}

fn says_address(town: &Town, name: &str, person: &Person) {
    says(town, name, Kind::A, vec![Record::Address(person.address().ip())]);
}

fn range_of(person: &Person) -> String {
    person.address().ip().to_string()
}

fn is_alarmed(town: &Town, words: &str) -> bool {
    town.board().alarms.iter().any(|alarm| alarm.to_string().starts_with(words))
}

fn is_down(town: &Town, trunk: &str) -> bool {
    let words = format!("trunk_down: `{trunk}`");
    town.board().alarms.iter().any(|alarm| alarm.to_string().starts_with(&words))
}

/// A town with a telephone at the other end of a trunk.
fn with_mobile(town: Town, managers: &[(&str, &str)]) -> (Town, Person) {
    let mobile = town.person("mobile", Habits::default());
    let plan: Plan = with_way_out(town.plan(), "a-way-out", mobile.address());
    town.reloads(with_managers(plan, managers));
    (town, mobile)
}

fn hears_voice(one: &Person, other: &Person) -> bool {
    one.hearing() == hotline::sim::Heard::Voice(other.name().to_owned())
}
