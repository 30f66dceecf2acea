//! What listeners dial, and the words that confirm it.

use std::thread::sleep;

use hotline::media::codec::{Codec, Decoder};

use crate::baresip::{Baresip, Manner};
use crate::ear::{Ear, clip};
use crate::house::House;
use crate::sipp::{self, Step};
use crate::{millis, secs};

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_listener_pauses_comes_back_and_ends_the_after_call_work_by_dialling() {
    let house = House::open();
    let mut phone = Baresip::of(&house.account("adele"), Manner::default());

    confirms(&mut phone, "*10", "pause-oui", 1);
    let ear = Ear::saying(700.0, Codec::Pcma);
    let caller = a_call(&house, &ear);
    sleep(secs(7));
    assert_eq!(phone.rings_within(millis(1), 1), None, "a paused listener is rung");

    confirms(&mut phone, "*11", "pause-non", 2);
    assert!(phone.rings_within(secs(3), 1).is_some(), "who came back isn't rung");
    phone.answers();
    sleep(secs(3));
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
    assert!(phone.told_within(secs(3), "CALL_CLOSED", 3).is_some());

    let ear = Ear::saying(700.0, Codec::Pcma);
    let caller = a_call(&house, &ear);
    sleep(secs(7));
    assert_eq!(phone.rings_within(millis(1), 2), None, "rung during the after-call work");
    confirms(&mut phone, "*12", "fin-post-appel", 4);
    assert!(phone.rings_within(secs(3), 2).is_some(), "who is done isn't rung");
    phone.answers();
    sleep(secs(3));
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
}

fn a_call(house: &House, ear: &Ear) -> sipp::Caller {
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    sipp::calls(house.sip, "3977", &steps)
}

/// Dials a code, and hears these words until the house hangs up. `call` counts the phone's calls.
fn confirms(phone: &mut Baresip, code: &str, prompt: &str, call: usize) {
    phone.dials(code);
    assert!(
        phone.told_within(secs(12), "CALL_CLOSED", call).is_some(),
        "{code} is never over: {:?}\n{}",
        phone.events(),
        phone.log()
    );
    sleep(millis(200));
    let (rate, heard) = phone.heard(call - 1).expect("it recorded something");
    assert_eq!(rate, 8_000);
    let words = spoken(prompt);
    // From the middle of the words, so that neither silence nor a lost beginning matters.
    let middle = &words[words.len() / 3..words.len() * 2 / 3];
    assert!(
        heard.windows(middle.len()).any(|some| some == middle),
        "{code}: other words are heard"
    );
}

/// A recording as it comes out of an A-law decoder.
fn spoken(prompt: &str) -> Vec<i16> {
    let clip = clip(prompt);
    let mut decoder = Decoder::new(Codec::Pcma);
    let mut words = vec![0; clip.frames() * 160];
    for (index, frame) in words.chunks_mut(160).enumerate() {
        decoder.decode(clip.frame(Codec::Pcma, index).unwrap(), frame);
    }
    words
}
