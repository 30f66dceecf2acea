//! Two things in one instant: what a phone says meets what the house has just decided.
//!
//! In fair weather these come at exactly the same moment. Whichever is taken first, nobody is lost
//! and nobody is stuck.

use hotline::exchange::{Command, Plan};
use hotline::sim::phone::OnInvite;
use hotline::sim::plan::{with_line, with_queue};
use hotline::sim::{FAIR_DELAY, Habits, Town, minutes, secs};

use crate::anna_talks_with_lea;

stories![
    a_phone_picked_up_as_its_ringing_ends_has_the_caller,
    a_phone_picked_up_as_patience_ends_has_the_caller,
    a_queue_that_gets_another_name_loses_nobody_who_waits,
    a_queue_that_gets_another_name_keeps_no_listener,
    a_queue_that_gets_another_name_takes_a_caller_given_back,
];

fn a_phone_picked_up_as_its_ringing_ends_has_the_caller(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    lea.rings_within(secs(8));

    if town.is_fair() {
        town.goes_to_be_heard_at(lea.rang_at() + (secs(20) - FAIR_DELAY));
    }
    lea.picks_up();

    anna.talks_with_within(&lea, secs(8));
    town.passes(minutes(1));
    anna.talks_with(&lea);
    lea.hangs_up();
    town.last_record();
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
    lea.picks_up();

    anna.talks_with_within(&lea, secs(8));
    town.passes(minutes(1));
    anna.talks_with(&lea);
    lea.hangs_up();
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
