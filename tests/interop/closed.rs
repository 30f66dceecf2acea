//! Outside the hours: the truth, word for word, and then the end.

use std::thread::sleep;

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::House;
use crate::sipp::{self, Caller, Step};
use crate::{eventually, millis, secs};

fn a_call(house: &House, number: &str, ear: &Ear) -> Caller {
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    sipp::calls(house.sip, number, &steps)
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn closed_callers_are_told_when_it_opens_and_then_let_go() {
    let night = House::open_at("2026-11-20 03:00:00");
    let pause = House::open_at("2026-11-21 13:30:00");
    let ears = [Codec::Pcma, Codec::G722, Codec::Pcmu].map(|codec| Ear::saying(700.0, codec));

    let callers = [
        a_call(&night, "3977", &ears[0]),
        a_call(&pause, "3977", &ears[1]),
        a_call(&night, "3133", &ears[2]),
    ];
    for caller in callers {
        caller.goes_as_planned_within(secs(150));
    }
    sleep(millis(500));

    let closed = |number| {
        [
            "bonjour-ici",
            number,
            "ecoutants-absents",
            "danger",
            "nous-repondons",
            "aujourdhui",
            "a-9h",
            "heure-de-paris",
            "autres-numeros",
        ]
    };
    hears(&ears[0], &[closed("le-3977"), closed("le-3977")].concat());
    hears(
        &ears[1],
        &["bonjour-ici", "le-3977", "ecoutants-reprennent", "a-14h", "heure-de-paris", "danger"],
    );
    hears(&ears[2], &[closed("le-3133"), closed("le-3133")].concat());
    for ear in &ears {
        assert!(ear.is_quiet_for(millis(400)), "sound after the end");
    }
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn who_hears_the_closed_message_when_it_opens_is_let_in() {
    let house = House::open_at("2026-11-22 08:59:45");
    let mut phone =
        Baresip::of(&house.account("adele"), Manner { eager: true, ..Manner::default() });
    let ear = Ear::saying(700.0, Codec::Pcma);

    let caller = a_call(&house, "3977", &ear);

    assert!(eventually(secs(30), || ear.finds("accueil-3977", 0).is_some()), "{}", house.log());
    assert_eq!(ear.finds("bonjour-ici", 0).map(|at| at <= 2), Some(true));
    assert!(phone.told_within(secs(8), "CALL_ESTABLISHED", 1).is_some());
    assert!(eventually(secs(3), || ear.tone() == Some(1_100.0)));
    let stream = ear.continuity();
    assert!(stream.sources == 0 && stream.missing == 0 && stream.jumps == 0, "{stream:?}");
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
}

/// Asserts that these recordings were heard one after the other, from the first packet to the last,
/// with at most a breath between them.
fn hears(ear: &Ear, prompts: &[&str]) {
    const BREATH: usize = 75;
    let mut at = 0;
    for prompt in prompts {
        let Some(found) = ear.finds(prompt, at) else {
            panic!("`{prompt}` isn't heard after packet {at}");
        };
        assert!(found - at <= BREATH, "{} packets before `{prompt}`", found - at);
        at = found + crate::ear::clip(prompt).frames();
    }
    let rest = ear.heard().len() - at.min(ear.heard().len());
    assert!(rest <= BREATH, "{rest} packets after the last word");
    let stream = ear.continuity();
    assert!(stream.sources == 0 && stream.missing == 0 && stream.jumps == 0, "{stream:?}");
}
