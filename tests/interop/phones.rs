//! Listeners' phones that are busy, dead or silent cost nobody their time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::House;
use crate::raw::Raw;
use crate::sipp::{self, Caller, Step};
use crate::{millis, secs};

/// How far into the greeting phones ring.
const RING_AFTER: Duration = secs(5);

fn a_call(house: &House, ear: &Ear) -> Caller {
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    sipp::calls(house.sip, "3977", &steps)
}

/// When phones were to ring for the caller with this ear.
fn due(ear: &Ear) -> Instant {
    ear.first().unwrap() + RING_AFTER
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn with_one_listener_busy_and_one_dead_the_free_one_is_rung_at_once() {
    let house = House::open();
    let eager = Manner { eager: true, ..Manner::default() };
    let mut busy = Baresip::of(&house.account("adele"), eager);
    let first_ear = Ear::saying(700.0, Codec::Pcma);
    let first = a_call(&house, &first_ear);
    assert!(busy.told_within(secs(9), "CALL_ESTABLISHED", 1).is_some(), "{}", busy.log());
    let mut dead = Baresip::of(&house.account("bram"), Manner::default());
    let mut free = Baresip::of(&house.account("claire"), Manner { tone: 1_700.0, ..eager });
    dead.dies();

    let ear = Ear::saying(440.0, Codec::Pcma);
    let second = a_call(&house, &ear);

    let rang = free.rings_within(secs(9), 1).expect("the free one rings");
    let late = rang.saturating_duration_since(due(&ear));
    eprintln!("the free listener's phone rang {late:?} after it was to");
    assert!(late < millis(300), "{late:?}");
    assert_eq!(busy.rung().len(), 1);
    sleep(secs(3));
    assert_eq!(ear.tone(), Some(1_700.0));
    assert_eq!(first_ear.tone(), Some(1_100.0));
    busy.hangs_up();
    free.hangs_up();
    first.goes_as_planned_within(secs(5));
    second.goes_as_planned_within(secs(5));
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_port_that_answers_unreachable_is_passed_over_at_once() {
    let house = in_turn();
    let mut dead = Baresip::of(&house.account("adele"), Manner::default());
    let mut free = Baresip::of(&house.account("bram"), Manner::default());
    dead.dies();

    let ear = Ear::saying(440.0, Codec::Pcma);
    let caller = a_call(&house, &ear);

    let rang = free.rings_within(secs(12), 1).expect("the next one rings");
    let late = rang.saturating_duration_since(due(&ear));
    eprintln!("the next phone rang {late:?} after the dead one was to");
    assert!(late < millis(300), "{late:?}\n{}", house.log());
    free.answers();
    assert!(free.told_within(secs(2), "CALL_ESTABLISHED", 1).is_some());
    // Who hangs up at once has hit the wrong key: the caller would be first in the queue again.
    sleep(secs(3));
    free.hangs_up();
    caller.goes_as_planned_within(secs(5));
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_phone_whose_network_is_dead_costs_two_seconds_once() {
    let house = in_turn();
    let mut silent = Raw::of(&house.account("adele"));
    assert_eq!(silent.registers("MD5").status, 200);
    let mut free = Baresip::of(&house.account("bram"), Manner::default());
    let mut other = Baresip::of(&house.account("claire"), Manner::default());

    let ear = Ear::saying(440.0, Codec::Pcma);
    let caller = a_call(&house, &ear);
    assert!(silent.hears_within(secs(9), "INVITE ").is_some(), "the silent one is tried");
    let rang = free.rings_within(secs(12), 1).expect("the next one rings");
    let late = rang.saturating_duration_since(due(&ear));
    eprintln!("the next phone rang {late:?} after the silent one was to");
    assert!(late > millis(1_800) && late < millis(2_400), "{late:?}\n{}", house.log());
    free.answers();
    assert!(free.told_within(secs(2), "CALL_ESTABLISHED", 1).is_some());

    // It is known to be unreachable now: the next caller is not made to pay.
    let ear = Ear::saying(700.0, Codec::Pcma);
    let next = a_call(&house, &ear);
    let rang = other.rings_within(secs(12), 1).expect("the third one rings");
    let late = rang.saturating_duration_since(due(&ear));
    eprintln!("for the next caller, {late:?}");
    assert!(late < millis(300), "{late:?}\n{}", house.log());
    other.answers();
    assert!(other.told_within(secs(2), "CALL_ESTABLISHED", 1).is_some());
    sleep(secs(3));
    other.hangs_up();
    free.hangs_up();
    caller.goes_as_planned_within(secs(5));
    next.goes_as_planned_within(secs(5));
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_caller_who_hangs_up_silences_the_phones_that_ring() {
    let house = House::open();
    let phones = ["adele", "bram"].map(|name| Baresip::of(&house.account(name), Manner::default()));
    let ear = Ear::saying(700.0, Codec::Pcma);

    let caller = sipp::calls(
        house.sip,
        "3977",
        &[
            Step::Invite(Some(ear.sdp())),
            Step::IsAnswered,
            Step::Ack(None),
            Step::Waits(secs(8)),
            Step::HangsUp,
        ],
    );

    for phone in &phones {
        assert!(phone.rings_within(secs(9), 1).is_some(), "{}", phone.log());
    }
    caller.goes_as_planned_within(secs(9));
    let left = Instant::now();
    for phone in &phones {
        let quiet = phone.told_within(secs(2), "CALL_CLOSED", 1).expect("it stops ringing");
        assert!(quiet.saturating_duration_since(left) < millis(300));
        assert!(phone.log().contains("CANCEL sip:"), "{}", phone.log());
    }
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_listener_who_comes_while_callers_wait_is_rung_at_once() {
    let house = House::open();
    let ear = Ear::saying(700.0, Codec::Pcma);
    let caller = a_call(&house, &ear);
    sleep(secs(7));

    let mut phone = Baresip::of(&house.account("adele"), Manner::default());

    let registered = phone.registered.unwrap();
    let rang = phone.rings_within(secs(5), 1).expect("the phone rings");
    let late = rang.saturating_duration_since(registered);
    eprintln!("rung {late:?} after the registration");
    assert!(late < millis(150), "{late:?}");
    phone.answers();
    assert!(phone.told_within(secs(2), "CALL_ESTABLISHED", 1).is_some());
    sleep(secs(3));
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
}

/// A house that rings one listener after the other, by name.
fn in_turn() -> House {
    House::open_with(&[("queues.toml", "strategy = \"longest-idle\"", "strategy = \"in-turn\"")])
}
