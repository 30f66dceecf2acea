//! What networks deliver: numbers in every dress, numbers that moved, numbers nobody knows.

use hotline::call::Moved;
use hotline::exchange::Plan;
use hotline::record::Outcome;
use hotline::sim::phone::Seen;
use hotline::sim::plan::with_line;
use hotline::sim::{Habits, Town, secs};

stories![
    whatever_dress_a_number_wears_the_same_line_answers,
    a_caller_of_the_old_number_hears_of_the_new_one_and_is_served_under_its_hours,
    a_number_that_moved_is_open_while_its_own_calendar_says_closed,
    a_caller_of_a_number_that_moved_hears_the_other_lines_closed_message,
    a_line_that_opens_while_the_move_is_told_lets_the_caller_in,
    hanging_up_while_the_move_is_told_leaves_nothing_behind,
    the_network_tells_which_of_two_numbers_was_dialled,
    evidence_never_closes_a_door_that_was_dialled_open,
    a_number_the_trunk_may_not_deliver_is_unknown,
];

/// domain.md §2.2.
fn whatever_dress_a_number_wears_the_same_line_answers(town: Town) {
    let mut plan = town.plan();
    plan.numbers.insert("+33199003133".parse().unwrap(), "3133".parse().unwrap());
    let town = town.with_plan(plan);
    let dresses = [
        "3133",
        "+333133",
        "+33199003133",
        "0199003133",
        "0033199003133",
        "33199003133",
        "+33199003133;npdi;rn=+33610",
        "199003133;phone-context=+33",
        "%2B33199003133",
    ];
    for (at, dress) in dresses.into_iter().enumerate() {
        let caller = town.dials(&format!("caller-{at}"), dress);
        caller.hears("accueil-3133");
        caller.hangs_up();
    }
    town.has_records(dresses.len());
}

/// scenarios.md SC-12.
fn a_caller_of_the_old_number_hears_of_the_new_one_and_is_served_under_its_hours(town: Town) {
    let town = town.clone().with_plan(moved(town.plan()));
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    anna.hears("numero-remplace");
    let began = town.now();
    anna.hears_within("accueil-3133", secs(10));
    if town.is_fair() {
        assert!(town.now() - began <= secs(9));
    }
    lea.rings_within(secs(8));
    let shown = |seen: &Seen| matches!(seen, Seen::Rang { display, .. } if display == "3133");
    assert!(lea.seen().iter().any(|(_, seen)| shown(seen)), "{:?}", lea.seen());
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    anna.hangs_up();
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.line.as_str(), "3133");
    assert_eq!(record.origin.map(|line| line.to_string()).as_deref(), Some("3977"));
}

/// scenarios.md SC-12: at half past one on a Saturday 3977 would rest, and at half past seven it would be over.
fn a_number_that_moved_is_open_while_its_own_calendar_says_closed(town: Town) {
    let plan = moved(town.plan());
    let town = town.with_plan(plan).at("2026-11-21 13:30:00");
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears("numero-remplace");
    anna.hears_within("accueil-3133", secs(10));
    lea.rings_within(secs(8));
    anna.hangs_up();
    town.last_record();
}

fn a_caller_of_a_number_that_moved_hears_the_other_lines_closed_message(town: Town) {
    let plan = moved(town.plan());
    let town = town.with_plan(plan).at("2026-11-21 21:00:00");
    let anna = town.dials("anna", "3977");
    anna.hears("numero-remplace");
    anna.hears_within("le-3133", secs(20));
    anna.comes_free_within(secs(90));
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::ClosedMessageHeard);
    assert_eq!(record.origin.map(|line| line.to_string()).as_deref(), Some("3977"));
}

/// scenarios.md SC-06, for a number that moved.
fn a_line_that_opens_while_the_move_is_told_lets_the_caller_in(town: Town) {
    let plan = moved(town.plan());
    let town = town.with_plan(plan).at("2026-11-21 08:59:00");
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials_to_arrive_at("anna", "3977", "08:59:58");
    anna.hears("numero-remplace");
    anna.hears_within("accueil-3133", secs(12));
    lea.rings_within(secs(8));
    anna.hangs_up();
    town.last_record();
}

fn hanging_up_while_the_move_is_told_leaves_nothing_behind(town: Town) {
    let town = town.clone().with_plan(moved(town.plan()));
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears("numero-remplace");
    anna.hangs_up();
    let record = town.last_record();
    assert!(matches!(record.outcome, Outcome::AbandonedUnder5s | Outcome::AbandonedInGreeting));
    lea.is_quiet();
}

/// domain.md §2.2: both short numbers are delivered as one long number.
fn the_network_tells_which_of_two_numbers_was_dialled(town: Town) {
    let mut plan = town.plan();
    plan.numbers.insert("+33199003133".parse().unwrap(), "3133".parse().unwrap());
    let town = town.with_plan(plan);
    let evidence = [
        ("Diversion", "<sip:3977@sbc.example;user=phone>;reason=unconditional"),
        ("History-Info", "<sip:3977@sbc.example>;index=1, <sip:+33199003133@house>;index=1.1"),
        ("P-Called-Party-ID", "<tel:3977;phone-context=+33>"),
    ];
    for (at, (header, value)) in evidence.into_iter().enumerate() {
        let caller = town.person(&format!("caller-{at}"), with_header(header, value));
        caller.dials("+33199003133");
        caller.hears("accueil-3977");
        caller.hangs_up();
        town.has_records(at + 1);
        assert_eq!(town.last_record().line.as_str(), "3977");
    }
}

/// At half past one on a Saturday 3977 rests and 3133 does not: who was forwarded there is served.
fn evidence_never_closes_a_door_that_was_dialled_open(town: Town) {
    let town = town.at("2026-11-21 13:30:00");
    let anna = town.person("anna", with_header("Diversion", "<tel:3977;phone-context=+33>"));
    anna.dials("3133");
    anna.hears("accueil-3133");
    anna.hangs_up();
    let record = town.last_record();
    assert_eq!(record.origin.map(|line| line.to_string()).as_deref(), Some("3977"));
}

/// domain.md §2.4: the only 404, with an alarm; Diversion permits nothing.
fn a_number_the_trunk_may_not_deliver_is_unknown(town: Town) {
    let mut plan = town.plan();
    let trunk = plan.trunks.values_mut().next().unwrap();
    trunk.numbers.insert("3133".parse().unwrap());
    let town = town.with_plan(plan);
    let anna = town.person("anna", with_header("Diversion", "<tel:3133;phone-context=+33>"));
    anna.dials("3977");
    anna.gets_refused(404);
    assert!(
        town.board().alarms.iter().any(|alarm| alarm.to_string().starts_with("unknown_number"))
    );
    let berta = town.dials("berta", "3133");
    berta.gets_through();
}

fn moved(plan: Plan) -> Plan {
    with_line(plan, "3977", |line| {
        line.moved_to = Some(Moved {
            line: "3133".parse().unwrap(),
            words: "numero-remplace".parse().unwrap(),
        });
    })
}

fn with_header(name: &'static str, value: &str) -> Habits {
    let number = Some("+33600000001".to_owned());
    Habits { number, headers: vec![(name, value.to_owned())], ..Habits::default() }
}
