//! A listener in a browser: Chromium and JsSIP on one side, a caller by sipp on the other, and what
//! both hear.

use std::thread::sleep;

use hotline::media::codec::Codec;

use crate::chromium::{Doorway, SAYS, Tab};
use crate::ear::Ear;
use crate::sipp::{self, Step};
use crate::{eventually, millis, secs};

#[test]
#[ignore = "needs Chromium, node and sipp: tests/interop/run installs them"]
fn a_listener_in_a_browser_is_rung_heard_and_hears() {
    let doorway = Doorway::open();
    let mut tab = doorway.tab("adele");
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(doorway.house.sip, "3977", &steps);

    assert!(tab.says_within(secs(20), "rung").is_some(), "{}", doorway.house.log());
    tab.does("answer");
    assert!(tab.says_within(secs(10), "talking").is_some());
    assert!(tab.says_within(secs(10), "connection connected").is_some());
    assert!(eventually(secs(5), || ear.tone() == Some(SAYS)), "the caller hears no listener");
    assert!(tab.hears_within(secs(5), 700.0), "the listener hears no caller");
    sleep(secs(3));
    assert_eq!(ear.tone(), Some(SAYS));

    holds_and_resumes(&mut tab, &ear);

    // RFC 8445 §9, as a laptop does that moves to another network.
    tab.does("restart");
    sleep(secs(2));
    assert!(eventually(secs(3), || ear.tone() == Some(SAYS)), "the caller hears no listener");
    assert!(tab.hears_within(secs(3), 700.0), "the listener hears no caller");

    let stats = tab.tells("stats");
    assert_eq!(stats["inbound-rtp"]["packetsLost"], 0, "{stats}");
    assert_eq!(stats["transport"]["srtpCipher"], "SRTP_AES128_CM_HMAC_SHA1_80", "{stats}");
    tab.does("hangUp");
    caller.goes_as_planned_within(secs(10));
    sleep(millis(700));
    assert!(ear.is_quiet_for(millis(500)), "sound after the end");
    let stream = ear.continuity();
    assert!(stream.sources == 0 && stream.jumps == 0, "{stream:?}");
}

/// The other library that pages are made with.
#[test]
#[ignore = "needs Chromium, node and sipp: tests/interop/run installs them"]
fn a_page_on_sip_js_is_rung_heard_and_hears() {
    let doorway = Doorway::open();
    let mut tab = doorway.sip_js_tab("adele");
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(doorway.house.sip, "3977", &steps);

    assert!(tab.says_within(secs(20), "rung").is_some(), "{}", doorway.house.log());
    tab.does("answer");
    assert!(tab.says_within(secs(10), "talking").is_some(), "{:?}", tab.said());
    assert!(eventually(secs(5), || ear.tone() == Some(SAYS)), "the caller hears no listener");
    assert!(tab.hears_within(secs(5), 700.0), "the listener hears no caller");

    holds_and_resumes(&mut tab, &ear);

    tab.does("hangUp");
    caller.goes_as_planned_within(secs(10));
    sleep(millis(700));
    assert!(ear.is_quiet_for(millis(500)), "sound after the end");
}

/// SC-16: no goodbye comes from a page that is closed.
#[test]
#[ignore = "needs Chromium, node and sipp: tests/interop/run installs them"]
fn a_page_that_is_closed_in_mid_call_costs_the_caller_four_seconds() {
    let doorway = Doorway::open();
    let mut tab = doorway.tab("adele");
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(35)),
        Step::HangsUp,
    ];
    let caller = sipp::calls(doorway.house.sip, "3977", &steps);
    assert!(tab.says_within(secs(20), "rung").is_some(), "{}", doorway.house.log());
    tab.does("answer");
    assert!(eventually(secs(10), || ear.tone() == Some(SAYS)), "the caller hears no listener");

    let before = ear.heard().len();
    tab.does("close");
    assert!(tab.says_within(secs(5), "closed").is_some());

    let told = || ear.finds_beginning("retour-file", 40, before).is_some();
    assert!(eventually(secs(8), told), "the caller isn't told to stay");
    caller.goes_as_planned_within(secs(40));
}

/// Codes are the calls that a listener makes: here the offer is the browser's.
#[test]
#[ignore = "needs Chromium and node: tests/interop/run installs them"]
fn a_listener_in_a_browser_dials_a_code_and_hears_it_confirmed() {
    let doorway = Doorway::open();
    let mut tab = doorway.tab("adele");
    assert!(eventually(secs(5), || doorway.house.listens("adele")));

    tab.does("call *10");

    assert!(tab.says_within(secs(10), "talking").is_some(), "{}", doorway.house.log());
    let speaks = |tab: &mut Tab| tab.tells("heard")[1].as_f64().is_some_and(|level| level > -60.0);
    assert!(eventually(secs(5), || speaks(&mut tab)), "nothing is confirmed aloud");
    assert!(tab.says_within(secs(10), "ended").is_some());
    assert!(!doorway.house.listens("adele"));
}

#[test]
#[ignore = "needs Chromium, node and sipp: tests/interop/run installs them"]
fn of_two_pages_of_a_listener_one_talks_and_the_other_stops_ringing() {
    let doorway = Doorway::open();
    let (mut one, other) = (doorway.tab("adele"), doorway.second_tab("adele"));
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(doorway.house.sip, "3977", &steps);
    for tab in [&one, &other] {
        assert!(tab.says_within(secs(20), "rung").is_some(), "{}", doorway.house.log());
    }

    one.does("answer");

    assert!(eventually(secs(10), || ear.tone() == Some(SAYS)), "the caller hears no listener");
    assert!(one.hears_within(secs(5), 700.0), "the listener hears no caller");
    assert!(other.says_within(secs(3), "failed").is_some(), "the other page rings on");
    one.does("hangUp");
    caller.goes_as_planned_within(secs(10));
}

/// Hold: the caller hears music, and nobody hears the other; then they are together again.
fn holds_and_resumes(tab: &mut Tab, ear: &Ear) {
    tab.does("hold");
    assert!(eventually(secs(5), || ear.tone() != Some(SAYS)), "the caller hears the listener");
    assert!(tab.is_silent_within(secs(5)), "the listener hears the caller");
    tab.does("resume");
    assert!(eventually(secs(5), || ear.tone() == Some(SAYS)), "the caller hears no listener");
    assert!(tab.hears_within(secs(5), 700.0), "the listener hears no caller");
}
