//! Listeners' phones that protect their sound inside TLS (RFC 4568, RFC 8643), and those that speak
//! Opus (RFC 7587): rung through the queue, heard and hearing.
//!
//! Several phones and callers share a house: who has whom at the other end is told by the tones, each
//! party having its own.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::{Account, House, free_port};
use crate::linphone::{Habits, Linphone};
use crate::secure::Papers;
use crate::sipp::{self, Caller, Step};
use crate::{eventually, millis, secs};

/// How long callers stay: the greeting, and some seconds with a listener.
const STAY: Duration = secs(12);

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_baresip_that_protects_its_sound_and_one_with_opus_are_heard_and_hear() {
    let papers = Papers::new();
    let (house, port) = guarded(&papers);
    let inside =
        |name| Account { house: SocketAddr::from(([127, 0, 0, 1], port)), ..house.account(name) };
    let authority = Some(&*Box::leak(papers.authority().into_boxed_path()));
    let eager = Manner { eager: true, ..Manner::default() };
    let safe = Manner { transport: "tls", authority, protection: Some("srtp"), ..eager };
    let protected = Baresip::of(&inside("adele"), safe);
    let opus =
        Baresip::of(&house.account("bram"), Manner { codec: "opus", tone: 1_700.0, ..eager });

    talk_with_both(&house, &|tone| {
        let phone = if tone == 1_100.0 { &protected } else { &opus };
        (phone.heard_tones(0), phone.log())
    });
    assert!(protected.log().contains("SRTP is Enabled"), "{}", protected.log());
    assert!(opus.log().contains("opus/48000/2"), "{}", opus.log());
}

#[test]
#[ignore = "needs sipp and linphone: tests/interop/run installs them"]
fn a_linphone_that_takes_no_plain_sound_and_one_with_opus_are_heard_and_hear() {
    let papers = Papers::new();
    let (house, port) = guarded(&papers);
    let inside =
        Account { house: SocketAddr::from(([127, 0, 0, 1], port)), ..house.account("gael") };
    let authority = papers.authority();
    let habits = Habits {
        tone: 1_100.0,
        transport: "tls",
        codec: Some(("PCMA", 8_000)),
        protects: Some(&authority),
    };
    let protected = Linphone::with(&inside, &habits);
    let habits =
        Habits { tone: 1_700.0, transport: "udp", codec: Some(("opus", 48_000)), protects: None };
    let opus = Linphone::with(&house.account("helene"), &habits);
    let registered = || house.listens("gael") && house.listens("helene");
    assert!(eventually(secs(20), registered), "{}\n{}", protected.log(), opus.log());

    talk_with_both(&house, &|tone| {
        let phone = if tone == 1_100.0 { &protected } else { &opus };
        eventually(secs(5), || !phone.heard().is_empty());
        (phone.heard(), phone.log())
    });
}

/// Two callers talk with the two listeners, who say 1,100 and 1,700 Hz, whoever has whom; `heard`
/// tells afterwards what one of them heard, and its log.
fn talk_with_both(house: &House, heard: &dyn Fn(f64) -> (Vec<Option<f64>>, String)) {
    let said = [700.0, 440.0];
    let ears = said.map(|tone| Ear::saying(tone, Codec::Pcma));
    let callers = ears.each_ref().map(|ear| a_caller(house, ear));
    let listeners = ears.each_ref().map(listener_of);
    for tone in [1_100.0, 1_700.0] {
        let (_, log) = heard(tone);
        assert!(listeners.contains(&Some(tone)), "{listeners:?}\n{log}\n{}", house.log());
    }

    for caller in callers {
        caller.goes_as_planned_within(STAY + secs(3));
    }
    sleep(millis(700));
    for ((ear, said), listener) in ears.iter().zip(said).zip(listeners) {
        assert!(ear.is_quiet_for(millis(500)), "sound after the end");
        let (tones, log) = heard(listener.unwrap());
        let right = tones.iter().filter(|tone| **tone == Some(said)).count();
        assert!(right >= 2, "the listener hears {tones:?}, not {said}\n{log}");
    }
}

/// A house with a door for TLS on this port.
fn guarded(papers: &Papers) -> (House, u16) {
    let port = free_port();
    (House::open_with_doors(&papers.door("tls", port, "")), port)
}

fn a_caller(house: &House, ear: &Ear) -> Caller {
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(STAY),
        Step::HangsUp,
    ];
    sipp::calls(house.sip, "3977", &steps)
}

/// The tone of the listener this caller talks with.
fn listener_of(ear: &Ear) -> Option<f64> {
    eventually(STAY, || ear.tone().is_some());
    ear.tone()
}
