//! Two things in one instant: what a phone says meets what the house has just decided.
//!
//! In fair weather these come at exactly the same moment. Whichever is taken first, nobody is lost
//! and nobody is stuck.

use hotline::exchange::{Command, Plan};
use hotline::record::Outcome;
use hotline::sim::phone::{Answer, OnInvite};
use hotline::sim::plan::{with_centre, with_line, with_queue, with_way_out};
use hotline::sim::{FAIR_DELAY, Habits, Person, Town, minutes, secs};

use crate::{anna_talks_with_lea, presses_keys};

stories![
    a_phone_picked_up_as_its_ringing_ends_has_the_caller,
    a_phone_picked_up_as_patience_ends_has_the_caller,
    a_queue_that_gets_another_name_loses_nobody_who_waits,
    a_queue_that_gets_another_name_keeps_no_listener,
    a_queue_that_gets_another_name_takes_a_caller_given_back,
    who_waits_for_a_line_that_leaves_the_plan_is_served_or_told,
    a_centre_that_answers_after_its_trunk_has_left_the_plan_is_heard,
    a_listener_who_leaves_the_plan_in_the_middle_of_a_call_talks_on,
    a_phone_that_rings_on_after_it_was_called_off_has_nobodys_caller,
    phones_that_answer_with_nothing_to_talk_over_lose_nobody,
    a_caller_who_never_acknowledges_keeps_nobody,
];

fn a_phone_picked_up_as_its_ringing_ends_has_the_caller(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    lea.rings_within(secs(8));

    if town.is_fair() {
        town.goes_to_be_heard_at(lea.rang_at() + (secs(20) - FAIR_DELAY));
    }
    picks_up_and_has(&town, &lea, &anna);
}

fn a_phone_picked_up_as_patience_ends_has_the_caller(town: Town) {
    let plan = with_queue(town.plan(), |queue| queue.patience = Some(secs(30)));
    town.reloads(plan);
    let anna = town.dials("anna", "3977");
    let dialled = town.now();
    anna.gets_through();
    town.passes(secs(15));
    let [lea] = town.listeners(["lea"]);
    lea.rings_within(secs(8));

    if town.is_fair() {
        town.goes_to_be_heard_at(dialled + FAIR_DELAY + secs(30));
    }
    picks_up_and_has(&town, &lea, &anna);
}

fn picks_up_and_has(town: &Town, listener: &Person, caller: &Person) {
    listener.picks_up();
    caller.talks_with_within(listener, secs(8));
    town.passes(minutes(1));
    caller.talks_with(listener);
    listener.hangs_up();
    town.last_record();
}

fn a_queue_that_gets_another_name_loses_nobody_who_waits(town: Town) {
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(20));
    town.reloads(with_queue_renamed(town.plan()));
    let bert = town.dials("bert", "3977");
    bert.gets_through();

    for name in ["lea", "marc"] {
        let on_invite = OnInvite::PickUpAfter(secs(1));
        town.listener(name, Habits { on_invite, ..Habits::default() }).registers();
    }
    town.passes(minutes(1));

    assert!(anna.is_in_call() && bert.is_in_call());
    assert_eq!(town.waiting(), 0, "{}", town.tail());
    anna.hangs_up();
    bert.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

fn a_queue_that_gets_another_name_keeps_no_listener(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    let [marc] = town.listeners(["marc"]);
    let (listener, colleague) = ("lea".parse().unwrap(), "marc".parse().unwrap());
    town.orders(Command::AskColleague { listener, colleague }).unwrap();
    marc.rings_within(secs(8));
    town.reloads(with_queue_renamed(town.plan()));

    marc.refuses(486);
    anna.talks_with_within(&lea, secs(40));
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    town.passes(minutes(3));

    assert_eq!([town.presence("lea"), town.presence("marc")], ["available", "available"]);
    town.last_record();
}

fn a_queue_that_gets_another_name_takes_a_caller_given_back(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    let [marc] = town.listeners(["marc"]);
    town.reloads(with_queue_renamed(town.plan()));

    town.orders(Command::GiveBack { listener: "lea".parse().unwrap() }).unwrap();

    marc.rings_within(secs(20));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    town.last_record();
}

fn who_waits_for_a_line_that_leaves_the_plan_is_served_or_told(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let pause = || Command::Pause { listener: "lea".parse().unwrap(), reason: None };
    town.orders(pause()).unwrap();
    let (anna, bert) = (town.dials("anna", "3133"), town.dials("bert", "3133"));
    anna.gets_through();
    bert.gets_through();
    town.passes(secs(20));
    let mut plan = town.plan();
    plan.lines.retain(|name, _| name.as_str() != "3133");
    plan.numbers.retain(|_, line| line.as_str() != "3133");
    town.reloads(plan);

    town.orders(Command::ComeBack { listener: "lea".parse().unwrap() }).unwrap();
    lea.rings_within(secs(8));
    lea.picks_up();
    town.passes(secs(5));
    assert_eq!(town.waiting(), 1);
    town.orders(pause()).unwrap();
    // Nobody will come for the other one, and the line they dialled is no more.
    town.passes(minutes(17));

    assert_eq!(town.waiting(), 0);
    assert_eq!(town.last_record().outcome, Outcome::DrainExpired);
    lea.hangs_up();
    assert_eq!(town.has_records(2)[1].outcome, Outcome::TakenByListener);
}

fn a_centre_that_answers_after_its_trunk_has_left_the_plan_is_heard(town: Town) {
    let centre = town.stranger("centre", Habits::default());
    let without = town.plan();
    let plan = with_way_out(town.plan(), "a-way-out", centre.address());
    town.reloads(with_centre(plan, "alma-75", "+33199007500", "75"));
    let (anna, lea) = anna_talks_with_lea(&town);
    presses_keys(&lea, "*75#");
    centre.rings_within(secs(8));

    town.reloads(without);
    centre.picks_up();

    lea.talks_with_within(&centre, secs(8));
    lea.hangs_up();
    anna.talks_with_within(&centre, secs(8));
    anna.hangs_up();
    centre.comes_free_within(secs(40));
    town.last_record();
}

fn a_listener_who_leaves_the_plan_in_the_middle_of_a_call_talks_on(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    let mut plan = town.plan();
    let name: hotline::base::ListenerName = "lea".parse().unwrap();
    plan.listeners.remove(&name);
    plan.sip.accounts.remove(&name);
    town.reloads(plan);

    town.passes(minutes(17));
    anna.talks_with(&lea);
    lea.holds();
    anna.hears_within("attente", secs(6));
    lea.resumes();
    anna.talks_with_within(&lea, secs(6));
    lea.hangs_up();
    anna.comes_free_within(secs(40));
    town.reloads(town.plan());
    lea.registers();
    town.passes(minutes(1));
    assert_eq!(town.presence("lea"), "available");
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

/// RFC 3261 §9.1: its 200 crosses our CANCEL, or it has never heard of CANCEL.
fn a_phone_that_rings_on_after_it_was_called_off_has_nobodys_caller(town: Town) {
    let lea = town.listener("lea", Habits { rings_on: true, ..Habits::default() });
    lea.registers();
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    lea.rings_within(secs(8));
    marc.rings_within(secs(8));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    town.passes(secs(3));
    lea.picks_up_if_ringing();
    lea.comes_free_within(secs(70));

    anna.talks_with(&marc);
    let bert = town.dials("bert", "3977");
    lea.rings_within(secs(30));
    lea.picks_up();
    bert.talks_with_within(&lea, secs(8));
    bert.hangs_up();
    anna.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

fn phones_that_answer_with_nothing_to_talk_over_lose_nobody(town: Town) {
    let broken = [
        ("lea", Answer::Nothing),
        ("marc", Answer::Nonsense),
        ("nora", Answer::Declined),
        ("oscar", Answer::Strange),
    ];
    for (name, answer) in broken {
        let on_invite = OnInvite::PickUpAfter(secs(1));
        town.listener(name, Habits { answer, on_invite, ..Habits::default() }).registers();
    }
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    let since = town.now();
    town.passes(secs(40));
    if town.is_fair() {
        let silence = anna.longest_silence_since(since);
        assert!(silence <= secs(1), "{silence:?}");
    }

    let on_invite = OnInvite::PickUpAfter(secs(1));
    let paul = town.listener("paul", Habits { on_invite, ..Habits::default() });
    paul.registers();
    anna.talks_with_within(&paul, secs(if town.is_fair() { 20 } else { 180 }));
    anna.hangs_up();
    town.last_record();
}

fn a_caller_who_never_acknowledges_keeps_nobody(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.person("anna", Habits { acknowledges: false, ..town.habits_of_a_caller() });
    anna.dials("3977");
    lea.rings_within(secs(12));
    lea.picks_up();
    town.passes(minutes(1));

    lea.comes_free_within(secs(60));
    assert_ne!(town.presence("lea"), "talking");
    town.last_record();
}

/// The same listeners and lines, with another name for the queue between them.
pub(crate) fn with_queue_renamed(mut plan: Plan) -> Plan {
    let name: hotline::base::QueueName = "benevoles".parse().unwrap();
    let queue = plan.queues.pop_first().unwrap().1;
    plan.queues.insert(name.clone(), queue);
    for line in ["3977", "3133"] {
        plan = with_line(plan, line, |line| line.queue = name.clone());
    }
    for listener in plan.listeners.values_mut() {
        listener.queues = [name.clone()].into();
    }
    plan
}
