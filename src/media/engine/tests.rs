//! What each party hears, packet by packet, in virtual time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::DateTime;

use super::*;
use crate::base::{CallRef, Text};
use crate::media::armour::Armour;
use crate::media::armour::armoured;
use crate::media::codec::{Decoder, Encoder};
use crate::media::rtp::srtp::{MasterKey, OVERHEAD_MAX, Suite};
use crate::media::rtp::telephone_event::Sender as KeySender;
use crate::media::rtp::{Header, Packet, rtcp};
use crate::media::sdp::{Encoding, Secured, parse, print_key};
use crate::media::sound::tone::sine;
use crate::media::sound::{Decibels, Goertzel, Recording, heard_tone, root_mean_square};
use crate::media::{Quality, Road, Tone};
mod hall;
mod opus;
mod phone;
mod rooms;
mod series;
mod silences;
mod strangers;
mod text;

use hall::*;
use phone::*;

/// Of 20 ms at 40 kbit/s, as phones made of our encoder send.
const OPUS_OCTETS: usize = 100;

const TONES: [f64; 6] = [300.0, 440.0, 600.0, 800.0, 1_000.0, 1_500.0];

#[test]
fn a_caller_hears_the_prompt_that_was_recorded_and_call_control_hears_when_it_is_over() {
    for codec in Codec::TELEPHONE {
        let mut hall = Hall::new();
        let caller = hall.phone(codec);
        hall.play(caller, &["greeting"], Repeat::Once);

        hall.passes(1_100);

        assert_eq!(hall.heard(caller, 100, 900), Some(600.0), "{codec:?}");
        assert_eq!(hall.phones[caller].heard.len(), 50);
        assert!(hall.notices().contains(&Notice::Finished {
            stream: hall.phones[caller].name,
            play: PlayRef(1),
            cut: false
        }));
        hall.is_one_series(caller);
    }
}

#[test]
fn a_conversation_is_heard_both_ways_whatever_the_codecs() {
    for one in Codec::TELEPHONE {
        for other in Codec::TELEPHONE {
            let mut hall = Hall::new();
            let (caller, listener) = (hall.phone(one), hall.phone(other));
            hall.phones[caller].says = Some(800.0);
            hall.phones[listener].says = Some(1_000.0);
            hall.join(caller, listener);

            hall.passes(1_000);

            assert_eq!(hall.heard(caller, 200, 900), Some(1_000.0), "{one:?} hears {other:?}");
            assert_eq!(hall.heard(listener, 200, 900), Some(800.0), "{other:?} hears {one:?}");
            assert_eq!(hall.phones[caller].heard.len(), 50);
            assert!(hall.phones[caller].heard.iter().all(|heard| heard.octets.len() == 160));
            hall.is_one_series(caller);
            hall.is_one_series(listener);
        }
    }
}

#[test]
fn what_plays_is_concluded_at_a_pause() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.play(caller, &["sentences"], Repeat::Once);
    hall.passes(500);
    hall.notices();

    hall.order(|stream| Order::Conclude { stream }, caller);
    hall.passes(2_000);

    // The first sentence ends after 1 s.
    let heard = hall.phones[caller].heard.len();
    assert!((50..60).contains(&heard), "{heard} frames");
    let stream = hall.phones[caller].name;
    assert_eq!(hall.notices(), [Notice::Finished { stream, play: PlayRef(1), cut: true }]);
}

#[test]
fn a_key_is_told_once_and_kept_from_the_other_party() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[caller].says = Some(800.0);
    hall.join(caller, listener);
    hall.passes(200);
    hall.forget_what_was_heard();

    hall.presses(caller, '7');
    hall.passes(200);
    hall.presses(caller, '7');
    hall.passes(200);

    let stream = hall.phones[caller].name;
    let digit = Notice::Digit { stream, digit: '7' };
    assert_eq!(hall.notices(), [digit.clone(), digit]);
    let heard = &hall.phones[listener].heard;
    assert!(heard.iter().all(|heard| heard.header.payload_type == 8 && heard.octets.len() == 160));
    assert!(
        heard.windows(2).all(|pair| pair[1].header.sequence == pair[0].header.sequence + 1),
        "the key left a gap"
    );
}

#[test]
fn a_port_that_somebody_else_took_is_passed_over() {
    let mut hall = Hall::new();
    hall.wires.taken = (20_000..20_090).collect();
    let caller = hall.phone(Codec::Pcma);

    assert!(hall.wires.open[&hall.phones[caller].door.0] >= 20_090);

    hall.wires.taken = (0..=65_535).collect();
    let name = StreamRef { call: CallRef(77), index: 0 };
    hall.tell(Order::Open { stream: name, sources: Sources::Anywhere, road: Road::Readable });
    assert_eq!(hall.notices(), [Notice::Refused { stream: name, why: Refused::NoPort }]);
}

#[test]
fn a_listener_who_has_not_answered_yet_may_be_joined_already() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::G722);
    hall.phones[caller].says = Some(800.0);
    let listener = hall.called_phone(Codec::Pcmu);
    let (stream, like) = (hall.phones[listener].name, hall.phones[caller].name);
    hall.tell(Order::Offer { stream, like: Some(like) });
    let [Notice::Described { sdp, .. }] = &hall.notices()[..] else { panic!("no offer") };
    let offer = String::from_utf8_lossy(sdp).into_owned();
    assert!(offer.contains("RTP/AVP 9 "), "the caller's codec comes first: {offer}");

    hall.join(caller, listener);
    hall.passes(300);
    assert!(hall.phones[listener].heard.is_empty());

    let answer = hall.phones[listener].describes("sendrecv");
    hall.tell(Order::Accept { stream, answer: answer.into() });
    hall.passes(500);
    assert_eq!(hall.heard(listener, 0, 500), Some(800.0));
    assert_eq!(hall.notices(), []);
}

#[test]
fn an_engine_that_was_written_down_goes_on_where_it_was() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::G722));
    let waiting = hall.phone(Codec::Pcmu);
    hall.play(waiting, &["sentences", "music"], Repeat::Forever);
    hall.phones[caller].says = Some(800.0);
    hall.join(caller, listener);
    hall.passes(730);

    let written = serde_json::to_string(&hall.engine).unwrap();
    let mut twin = hall.clone_with(serde_json::from_str(&written).unwrap());
    twin.engine.resume(library(), &mut twin.wires);
    hall.passes(12_000);
    twin.passes(12_000);

    for (phone, its_twin) in hall.phones.iter().zip(&twin.phones) {
        assert!(!phone.heard.is_empty() || phone.name.index == 0);
        assert!(phone.heard == its_twin.heard, "{} hears something else", phone.name);
    }
}

#[test]
fn orders_for_streams_that_are_gone_are_ignored() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    let (gone, here) = (StreamRef { call: CallRef(9), index: 9 }, hall.phones[caller].name);
    for order in [
        Order::Answer { stream: gone, offer: "v=0".into() },
        Order::Offer { stream: gone, like: None },
        Order::Accept { stream: gone, answer: "v=0".into() },
        Order::Proven { stream: gone },
        Order::Play { stream: gone, play: PlayRef(3), prompts: vec![], repeat: Repeat::Once },
        Order::Conclude { stream: gone },
        Order::Tone { stream: gone, tone: Tone::Busy },
        Order::Hush { stream: gone },
        Order::Join { streams: [gone, here] },
        Order::Join { streams: [here, here] },
        Order::Part { streams: [here, gone] },
        Order::Watch { stream: gone, patience: Duration::ZERO },
        Order::Close { stream: gone },
    ] {
        hall.tell(order);
    }
    hall.passes(100);

    assert_eq!(hall.notices(), []);
    assert_eq!(hall.wires.sent, 0);
}
