//! A stop that nobody who talks will notice (scenarios.md SC-32).

use std::thread::sleep;

use hotline::media::codec::Codec;
use nix::sys::signal::Signal;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::House;
use crate::sipp::{self, Step};
use crate::{eventually, secs};

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_stop_lets_a_conversation_finish_and_then_ends_by_itself() {
    let mut house = House::open();
    let mut phone =
        Baresip::of(&house.account("adele"), Manner { eager: true, ..Manner::default() });
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);
    assert!(phone.told_within(secs(9), "CALL_ESTABLISHED", 1).is_some(), "{}", phone.log());
    assert!(eventually(secs(3), || ear.tone() == Some(1_100.0)));

    house.signal(Signal::SIGTERM);

    assert_eq!(house.ends_within(secs(5)), None, "{}", house.log());
    assert_eq!(ear.tone(), Some(1_100.0), "the sound stops");
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
    let status = house.ends_within(secs(10));
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", house.log());
    sleep(secs(1));
    let heard = phone.heard_tones(0);
    let right = heard.iter().filter(|tone| **tone == Some(700.0)).count();
    assert!(right >= 5, "the listener hears {heard:?}");
    let stream = ear.continuity();
    assert!(stream.missing == 0 && stream.sources == 0, "{stream:?}");
}
