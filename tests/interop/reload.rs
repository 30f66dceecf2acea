//! A change of the plan while the line is open.

use std::thread::sleep;

use hotline::media::codec::Codec;
use nix::sys::signal::Signal;

use crate::ear::Ear;
use crate::house::House;
use crate::sipp::{self, Step};
use crate::{eventually, secs};

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_broken_file_changes_nothing_and_a_good_one_says_what_it_changes() {
    let house = House::open();
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(16)),
        Step::HangsUp,
    ];
    let waiting = sipp::calls(house.sip, "3977", &steps);

    house.edit("calendars.toml", "monday-friday = [\"9h-19h\"]", "monday-friday = [\"9h_19h\"]");
    let refused = house.command(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(said.contains("calendars.toml") && said.contains("9h_19h"), "{said}");
    house.signal(Signal::SIGHUP);
    sleep(secs(2));
    still_open(&house);

    house.edit("calendars.toml", "\"9h_19h\"", "\"9h-18h\"");
    let taken = house.command(&["reload"]);
    let said = String::from_utf8_lossy(&taken.stdout).into_owned();
    let aside = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(taken.status.success(), "{said}{aside}");
    assert!(said.contains("18"), "no difference is told: {said}{aside}");
    still_open(&house);

    waiting.goes_as_planned_within(secs(20));
    let stream = ear.continuity();
    assert!(stream.missing == 0 && stream.sources == 0, "{stream:?}");
}

/// A caller is greeted now.
fn still_open(house: &House) {
    let ear = Ear::saying(440.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(2)),
        Step::HangsUp,
    ];
    sipp::calls(house.sip, "3977", &steps).goes_as_planned_within(secs(6));
    assert!(eventually(secs(1), || ear.finds_beginning("accueil-3977", 50, 0).is_some()));
}
