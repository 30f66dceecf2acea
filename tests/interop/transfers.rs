//! A listener gives the caller to a colleague: with a real phone, and heard by the caller.

use std::thread::sleep;

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::House;
use crate::sipp::{self, Step};
use crate::{eventually, secs};

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_baresip_moves_the_caller_to_a_colleague_who_is_heard_and_hears() {
    let house = House::open();
    let mut adele =
        Baresip::of(&house.account("adele"), Manner { eager: true, ..Manner::default() });
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);
    assert!(eventually(secs(12), || ear.tone() == Some(1_100.0)), "no listener\n{}", adele.log());
    let mut bram =
        Baresip::of(&house.account("bram"), Manner { tone: 1_700.0, ..Manner::default() });

    adele.transfers_to("bram");

    assert!(bram.rings_within(secs(4), 1).is_some(), "{}", adele.log());
    let since = ear.heard().len();
    sleep(secs(2));
    let waits = ear.finds_beginning("attente", 25, since.saturating_sub(150)).is_some();
    assert!(waits, "the caller hears no wait sound");
    bram.answers();
    assert!(eventually(secs(4), || ear.tone() == Some(1_700.0)), "the caller hears no colleague");
    assert!(
        eventually(secs(4), || adele.log().contains("SIP/2.0 200 OK")
            && adele.log().contains("sipfrag")),
        "{}",
        adele.log()
    );
    sleep(secs(3));
    bram.hangs_up();
    caller.goes_as_planned_within(secs(5));
    eventually(secs(3), || !bram.heard_tones(0).is_empty());
    let heard = bram.heard_tones(0);
    let right = heard.iter().filter(|tone| **tone == Some(700.0)).count();
    assert!(right >= 2, "the colleague hears {heard:?}");
}
