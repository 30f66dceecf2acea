//! What sipp says of our sessions: timers, UPDATE, reliable ringing, REFER.

use std::thread::sleep;

use hotline::media::codec::Codec;

use crate::ear::Ear;
use crate::house::House;
use crate::secs;
use crate::sipp::{self, Step};

/// RFC 4028, the network's refresh: UPDATE, and the call goes on.
#[test]
#[ignore = "needs sipp: tests/interop/run installs it"]
fn a_session_timer_is_agreed_and_refreshed_by_the_network() {
    let house = House::open();
    let ear = Ear::saying(700.0, Codec::Pcma);
    let headers = "Supported: timer\nSession-Expires: 1800;refresher=uac\n";

    let caller = sipp::calls(
        house.sip,
        "3977",
        &[
            Step::InviteSaying(ear.sdp(), headers),
            Step::IsAnsweredSaying("Session-Expires", "1800;refresher=uac"),
            Step::Ack(None),
            Step::Waits(secs(5)),
            Step::Updates(2, headers),
            Step::Updates(3, "Supported: timer\n"),
            Step::Waits(secs(3)),
            Step::Refers(4, 403),
            Step::HangsUpWith(5),
        ],
    );

    caller.goes_as_planned_within(secs(20));
    assert!(ear.finds("accueil-3977", 0).is_some_and(|at| at <= 2));
}

/// RFC 4028, our refresh: UPDATE half an interval into the call.
#[test]
#[ignore = "needs sipp: tests/interop/run installs it"]
fn a_session_that_is_ours_to_refresh_is_refreshed_by_update() {
    let house = House::open();
    let ear = Ear::saying(700.0, Codec::Pcma);
    let headers = "Supported: timer\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\n\
                   Session-Expires: 90;refresher=uas\n";

    let caller = sipp::calls(
        house.sip,
        "3977",
        &[
            Step::InviteSaying(ear.sdp(), headers),
            Step::IsAnsweredSaying("Session-Expires", "90;refresher=uas"),
            Step::Ack(None),
            Step::IsUpdated("Require: timer\nSession-Expires: 90;refresher=uac\n"),
            Step::Waits(secs(1)),
            Step::HangsUp,
        ],
    );

    caller.goes_as_planned_within(secs(70));
}

/// RFC 3262: a phone that rings reliably gets its PRACK, and its 200 an ACK.
#[test]
#[ignore = "needs sipp: tests/interop/run installs it"]
fn a_phone_that_rings_reliably_is_acknowledged_and_heard() {
    let house = House::open();
    let listener = Ear::saying(1_100.0, Codec::Pcma);
    let phone = sipp::rings_reliably(house.sip, &house.account("adele"), &listener.sdp());
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(12)),
        Step::HangsUp,
    ];

    let caller = sipp::calls(house.sip, "3977", &steps);

    caller.goes_as_planned_within(secs(20));
    phone.goes_as_planned_within(secs(5));
    sleep(secs(1));
}
