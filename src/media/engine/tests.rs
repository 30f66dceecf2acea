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

mod rooms;
mod text;

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
fn greeting_music_and_conversation_are_one_series() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::G722));
    hall.phones[listener].says = Some(1_500.0);

    hall.play(caller, &["greeting"], Repeat::Once);
    hall.passes(1_200);
    hall.play(caller, &["music"], Repeat::Forever);
    hall.passes(2_000);
    hall.join(caller, listener);
    hall.passes(1_000);
    hall.part(caller, listener);
    hall.passes(500);
    hall.order(|stream| Order::Tone { stream, tone: Tone::Busy }, caller);
    hall.passes(400);

    hall.is_one_series(caller);
    assert_eq!(hall.heard(caller, 100, 900), Some(600.0));
    assert_eq!(hall.heard(caller, 1_300, 3_000), Some(300.0));
    assert_eq!(hall.heard(caller, 3_300, 4_150), Some(1_500.0));
    assert_eq!(hall.heard(caller, 4_240, 4_680), None, "nothing between the two");
    assert_eq!(hall.heard(caller, 4_750, 5_050), Some(440.0));
}

/// RFC 3550 §5.1, RFC 3551 §4.1: a phone hears one source from the greeting to the goodbye, however
/// often it is put through, and its clock is not pulled about.
#[test]
fn timestamps_advance_by_what_went_by_across_greeting_wait_sound_and_bridges() {
    for offset in [0, 3, 9, 14, 19] {
        let mut hall = Hall::new();
        let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
        hall.phones[listener].says = Some(1_500.0);
        let mut begins = Vec::new();
        hall.play(caller, &["greeting"], Repeat::Once);
        hall.passes(1_100 + offset);
        for _ in 0..40 {
            begins.push(hall.now.steady);
            hall.play(caller, &["music"], Repeat::Forever);
            hall.passes(213 + offset);
            begins.push(hall.now.steady);
            hall.join(caller, listener);
            hall.passes(171 + offset);
            hall.part(caller, listener);
            hall.passes(40 + 7 * offset);
        }
        hall.is_strictly_continuous(caller, &begins);
    }
}

/// T-11: an INVITE whose description names a victim makes us send nothing before an ACK.
#[test]
fn the_victim_of_a_forged_invite_gets_nothing() {
    let mut hall = Hall::new();
    let victim = hall.opened(Codec::Pcma, Sources::Anywhere);
    hall.offers(victim, "sendrecv");
    hall.play(victim, &["greeting"], Repeat::Once);
    let listener = hall.phone(Codec::Pcma);
    hall.phones[listener].says = Some(1_000.0);

    hall.passes(5_000);
    hall.join(victim, listener);
    hall.passes(10_000);
    hall.close(victim);

    let address = hall.phones[victim].address;
    let reports = SocketAddr::new(address.ip(), address.port() + 1);
    assert_eq!((hall.wires.to(address), hall.wires.to(reports)), (0, 0));
}

/// And whoever called in earnest misses nothing of what is said.
#[test]
fn the_greeting_waits_for_the_acknowledgement_or_the_first_sound() {
    for acknowledged in [true, false] {
        let mut hall = Hall::new();
        let caller = hall.opened(Codec::Pcma, Sources::Anywhere);
        hall.offers(caller, "sendrecv");
        hall.play(caller, &["greeting"], Repeat::Once);
        hall.passes(700);
        assert_eq!(hall.phones[caller].heard.len(), 0);

        if acknowledged {
            hall.order(|stream| Order::Proven { stream }, caller);
        } else {
            hall.phones[caller].says = Some(300.0);
        }
        hall.passes(1_100);

        assert_eq!(hall.phones[caller].heard.len(), 50);
        assert_eq!(hall.heard(caller, 0, 950), Some(600.0));
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

/// T-26: a caller who whistles into the receiver, or whose line howls.
#[test]
fn a_listener_is_never_hurt_and_a_trunk_gets_what_was_said() {
    let within = || Sources::Within(vec!["192.0.2.0/24".parse().unwrap()]);
    for (codec, theirs) in [(Codec::Pcma, Codec::Pcma), (Codec::Pcma, Codec::G722)] {
        let mut hall = Hall::new();
        let caller = hall.phone_with(codec, within());
        let listener = hall.phone(theirs);
        hall.phones[caller].amplitude = 0.99;
        hall.phones[listener].amplitude = 0.9;
        hall.phones[caller].says = Some(1_000.0);
        hall.phones[listener].says = Some(800.0);
        hall.join(caller, listener);

        hall.passes(1_000);

        let peak = |phone: usize, from: usize| {
            let heard = hall.phones[phone].plays();
            heard[from..].iter().map(|sample| sample.unsigned_abs()).max().unwrap()
        };
        assert!(peak(listener, 0) <= 16_422, "{}", peak(listener, 0));
        assert!(peak(listener, 4_000) < 9_000, "{}", peak(listener, 4_000));
        assert_eq!(hall.heard(listener, 200, 900), Some(1_000.0));
        assert!(peak(caller, 0) > 26_000);
    }
}

/// RFC 3711, RFC 4568: sound that nobody on the road can hear, from greeting to bridge and back,
/// through a change of the session; and what is plain, forged or replayed is refused (T-12).
#[test]
fn a_protected_phone_hears_and_is_heard_and_nobody_else_is() {
    for suite in Suite::ALL {
        let mut hall = Hall::new();
        let caller = hall.phone(Codec::Pcma);
        let listener = hall.secure_phone(Codec::Pcma, suite);
        hall.phones[caller].says = Some(800.0);
        hall.phones[listener].says = Some(1_000.0);
        hall.play(listener, &["greeting"], Repeat::Once);
        hall.passes(1_000);
        hall.join(caller, listener);
        hall.passes(500);
        // Another description with the same key: nothing begins anew.
        hall.offers(listener, "sendrecv");
        hall.passes(500);
        // Plain sound, as from one who doesn't hold the key but sits at the right address.
        let (door, address) = (hall.phones[listener].door, hall.phones[listener].address);
        for sequence in 0..200 {
            let (mut packet, now) = (packet_of(77, sequence, 300.0), hall.now);
            hall.engine.received(door, Lane::Rtp, address, &mut packet, now, &mut hall.wires);
        }
        hall.passes(5_000);

        assert_eq!(hall.heard(listener, 100, 900), Some(600.0));
        assert_eq!(hall.heard(listener, 1_200, 6_900), Some(800.0));
        assert_eq!(hall.heard(caller, 100, 5_900), Some(1_000.0));
        assert!(hall.phones[listener].reports > 0);
        hall.is_one_series(listener);
        hall.close(listener);
        assert_eq!(hall.quality(listener).strangers, 200);
    }
}

/// RFC 4568 §7, RFC 8643: keys only where nobody can read them, plain sound where they are ignored.
#[test]
fn keys_are_offered_inside_tls_only_and_may_be_declined() {
    let mut hall = Hall::new();
    let offer = |hall: &mut Hall, phone: usize| {
        hall.order(|stream| Order::Offer { stream, like: None }, phone);
        match hall.notices().pop() {
            Some(Notice::Described { sdp, .. }) => String::from_utf8(sdp.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let plain = hall.opened(Codec::Pcma, Sources::Anywhere);
    assert!(!offer(&mut hall, plain).contains("crypto"));

    let secure = hall.opened_with(Codec::Pcma, Sources::Anywhere, Road::Private);
    let offered = offer(&mut hall, secure);
    assert!(offered.contains("RTP/AVP ") && offered.matches("a=crypto:").count() == 3, "{offered}");
    let answer = hall.phones[secure].describes("sendrecv");
    hall.order(|stream| Order::Accept { stream, answer: answer.into() }, secure);
    hall.play(secure, &["greeting"], Repeat::Once);
    hall.passes(1_000);
    assert_eq!(hall.heard(secure, 100, 900), Some(600.0));
}

/// RFC 3389: a phone that sends nothing while its owner is silent. Its partner hears the room, then
/// the voice, in one series.
#[test]
fn a_silence_that_a_phone_does_not_send_is_filled_with_its_rooms_noise() {
    for theirs in [Codec::Pcma, Codec::G722] {
        let mut hall = Hall::new();
        let (caller, listener) = (hall.phone(theirs), hall.phone(Codec::Pcma));
        hall.phones[listener].says = Some(1_000.0);
        hall.join(caller, listener);
        hall.passes(400);

        hall.phones[listener].says = None;
        hall.falls_silent(listener, 50);
        hall.passes(2_000);
        hall.phones[listener].timestamp += 16_000;
        hall.phones[listener].says = Some(1_000.0);
        hall.passes(400);

        let heard = &hall.phones[caller].heard;
        let middle = |from: u64, to: u64| {
            let from_start = |it: &&HeardPacket| (it.at - heard[0].at).as_millis() as u64;
            heard.iter().filter(|it| (from..to).contains(&from_start(it))).count()
        };
        assert!((95..=105).contains(&middle(400, 2_400)), "{}", middle(400, 2_400));
        assert_eq!(hall.heard(caller, 500, 2_300), None);
        assert_eq!(hall.heard(caller, 2_550, 2_750), Some(1_000.0));
        let sound = hall.phones[caller].plays();
        let rate = theirs.sample_rate() as usize;
        let level = root_mean_square(&sound[rate..2 * rate]);
        assert!((0.001..0.01).contains(&level), "{theirs:?}: {level}");
        hall.is_one_series(caller);
    }
}

/// RFC 6263: a held leg, and one that nobody says anything on, keeps its doors open.
#[test]
fn a_held_leg_gets_a_packet_every_fifteen_seconds() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.offers(caller, "inactive");
    hall.passes(61_000);

    let heard = &hall.phones[caller].heard;
    assert_eq!(heard.len(), 4);
    assert!(heard.iter().all(|it| it.header.payload_type == 20 && it.octets.is_empty()));
}

/// RFC 8083 §4.1: nobody is shouted at who isn't there any more; who never reported is.
#[test]
fn who_reported_and_then_vanished_gets_no_more_sound_until_it_stirs() {
    for reports in [true, false] {
        let mut hall = Hall::new();
        let caller = hall.phone(Codec::Pcma);
        hall.play(caller, &["music"], Repeat::Forever);
        if reports {
            hall.reports(caller);
        }
        hall.passes(40_000);
        let before = hall.phones[caller].heard.len();
        assert_eq!(before, if reports { 1_500 } else { 2_000 });

        hall.phones[caller].says = Some(300.0);
        hall.passes(1_000);
        let since = hall.phones[caller].heard.len() - before;
        assert!((48..=50).contains(&since), "{since}");
    }
}

/// RFC 3550 §6.4.1, RFC 3611 §4.7, RFC 5506: what reports tell is in the stream's quality.
/// RFC 8079 §3: each leg has reports of its own.
#[test]
fn quality_tells_loss_both_ways_the_round_trip_and_how_it_sounds() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[caller].says = Some(800.0);
    hall.join(caller, listener);
    hall.passes(4_000);
    let about = |hall: &Hall, ssrc: u32| rtcp::ReportBlock {
        ssrc,
        fraction_lost: 10,
        lost: 7,
        highest: 5,
        jitter: 16,
        // 250 ms ago, of which 50 ms were spent there.
        last_sender_report: ((rtcp::ntp(hall.now.wall) >> 16) as u32).wrapping_sub(65_536 / 4),
        delay: 65_536 / 20,
    };
    let ssrc = hall.phones[listener].heard[0].header.ssrc;
    let block = about(&hall, ssrc);
    hall.reports_about(listener, Some(block));
    hall.passes(100);
    hall.close(listener);
    hall.close(caller);

    let quality = hall.quality(listener);
    assert_eq!(quality.lost_outward, 7);
    let trip = quality.round_trip.unwrap();
    assert!((190..=210).contains(&trip.as_millis()), "{trip:?}");
    let score = quality.score.unwrap();
    assert!((300..=430).contains(&score.0), "{score:?}");
    assert!(hall.quality(caller).score.unwrap() > score);
}

/// RFC 6716, RFC 7587: prompts and voices, both ways, beside every codec of the network.
#[test]
fn a_phone_that_speaks_opus_hears_and_is_heard() {
    for theirs in Codec::ALL {
        let mut hall = Hall::new();
        let (caller, listener) = (hall.phone(theirs), hall.phone(Codec::Opus));
        hall.phones[caller].says = Some(800.0);
        hall.phones[listener].says = Some(1_000.0);
        hall.play(listener, &["greeting"], Repeat::Once);
        hall.passes(1_100);
        hall.join(caller, listener);
        hall.passes(1_500);

        assert_eq!(hall.heard(listener, 100, 900), Some(600.0), "{theirs:?}");
        assert_eq!(hall.heard(listener, 1_300, 2_500), Some(800.0), "{theirs:?}");
        assert_eq!(hall.heard(caller, 200, 1_400), Some(1_000.0), "{theirs:?}");
        hall.is_one_series(listener);
        hall.is_one_series(caller);
    }
}

/// RFC 6716 §2.1.7: what was lost is made up from the packet behind it, which only we can read.
#[test]
fn what_an_opus_phone_loses_is_made_up_for_the_caller() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Opus));
    hall.phones[listener].says = Some(600.0);
    hall.join(caller, listener);
    for _ in 0..20 {
        hall.passes(140);
        hall.phones[listener].loses(1);
    }

    hall.is_one_series(caller);
    let steps = hall.phones[caller].heard.windows(2);
    let marked = steps.filter(|pair| pair[1].header.marker).count();
    assert_eq!(marked, 0);
    assert_eq!(hall.heard(caller, 200, 2_000), Some(600.0));
}

/// Opus is for phones: a network is never asked to speak it.
#[test]
fn a_trunk_is_not_offered_opus() {
    let mut hall = Hall::new();
    let trunk = hall.opened(Codec::Pcma, Sources::Within(vec!["192.0.2.0/24".parse().unwrap()]));
    hall.order(|stream| Order::Offer { stream, like: None }, trunk);

    let Some(Notice::Described { sdp, .. }) = hall.notices().pop() else { panic!("no offer") };
    assert!(!String::from_utf8(sdp.to_vec()).unwrap().contains("opus"));
}

#[test]
fn a_join_takes_effect_at_the_next_packet_and_nobody_hears_two_voices() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[listener].says = Some(1_000.0);
    hall.play(caller, &["music"], Repeat::Forever);
    hall.passes(500);
    let before = hall.phones[caller].heard.len();

    hall.join(caller, listener);
    hall.passes(200);

    let after = &hall.phones[caller].heard[before..];
    assert_eq!(after.len(), 10);
    assert!(after[0].at - hall.phones[caller].heard[before - 1].at <= Duration::from_millis(40));
    let marked: Vec<bool> = after.iter().map(|heard| heard.header.marker).collect();
    assert!(marked[0] && !marked[1..].contains(&true));
}

/// RFC 8079 §3: each leg has reports of its own.
#[test]
fn what_the_network_lost_is_lost_behind_us_too() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[listener].says = Some(1_000.0);
    hall.join(caller, listener);
    hall.passes(100);

    hall.phones[listener].loses(3);
    hall.passes(100);

    let heard = &hall.phones[caller].heard;
    let steps: Vec<u16> = heard
        .windows(2)
        .map(|pair| pair[1].header.sequence.wrapping_sub(pair[0].header.sequence))
        .collect();
    assert_eq!(steps.iter().filter(|step| **step == 4).count(), 1);
    hall.close(listener);
    assert_eq!(hall.quality(listener).lost, 3);
}

#[test]
fn a_stranger_is_counted_and_never_heard() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[listener].says = Some(1_000.0);
    hall.join(caller, listener);
    hall.passes(200);

    let stranger: SocketAddr = "203.0.113.66:4000".parse().unwrap();
    let sent_before = hall.wires.to(stranger);
    for sequence in 0..500 {
        let door = hall.phones[listener].door;
        let mut packet = packet_of(9, sequence, 300.0);
        let now = hall.now;
        hall.engine.received(door, Lane::Rtp, stranger, &mut packet, now, &mut hall.wires);
    }
    hall.passes(500);

    assert_eq!(hall.heard(caller, 100, 650), Some(1_000.0));
    assert_eq!(hall.phones[caller].heard.len(), 35);
    assert_eq!((sent_before, hall.wires.to(stranger)), (0, 0));
    hall.close(listener);
    assert_eq!(hall.quality(listener).strangers, 500);
}

#[test]
fn a_hostile_packet_changes_nothing() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::G722), hall.phone(Codec::Pcma));
    hall.join(caller, listener);
    let mut mint = Mint::from_number(5);

    for length in 0..400 {
        let bytes: Vec<u8> = (0..length).map(|_| mint.number() as u8).collect();
        for first in [0x80, 0x8F, 0x90, 0xA0, 0xBF, 0x00] {
            for second in [8, 9, 101, 200, 203] {
                let mut packet = bytes.clone();
                packet.iter_mut().zip([first, second]).for_each(|(byte, set)| *byte = set);
                let (door, source) = (hall.phones[caller].door, hall.phones[caller].address);
                let now = hall.now;
                for lane in [Lane::Rtp, Lane::Rtcp] {
                    hall.engine.received(door, lane, source, &mut packet, now, &mut hall.wires);
                }
            }
        }
    }
    hall.phones[caller].says = Some(800.0);
    hall.phones[caller].sequence = 40_000;
    hall.passes(500);

    assert_eq!(hall.heard(listener, 250, 500), Some(800.0));
}

#[test]
fn nobody_hears_anything_after_a_part_or_a_close() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[caller].says = Some(800.0);
    hall.phones[listener].says = Some(1_000.0);
    hall.join(caller, listener);
    hall.passes(200);

    hall.part(caller, listener);
    hall.forget_what_was_heard();
    hall.passes(200);
    assert_eq!(hall.phones[caller].heard.len() + hall.phones[listener].heard.len(), 0);

    hall.join(caller, listener);
    hall.passes(200);
    hall.close(listener);
    hall.forget_what_was_heard();
    hall.passes(10_000);
    assert_eq!(hall.phones[caller].heard.len() + hall.phones[listener].heard.len(), 0);
    assert_eq!(hall.wires.open.len(), 1);
    assert_eq!(hall.quality(listener).received, 30);
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
fn who_holds_us_hears_nothing_and_their_music_is_heard_by_nobody() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[caller].says = Some(800.0);
    hall.phones[listener].says = Some(1_000.0);
    hall.join(caller, listener);
    hall.passes(200);
    hall.notices();

    hall.offers(caller, "sendonly");
    assert!(matches!(hall.notices()[..], [Notice::Described { held: true, .. }]));
    hall.forget_what_was_heard();
    hall.passes(10_000);
    assert_eq!(hall.phones[caller].heard.len() + hall.phones[listener].heard.len(), 0);
    assert!(hall.phones[caller].reports >= 1, "reports go on");

    hall.offers(caller, "sendrecv");
    assert!(matches!(hall.notices()[..], [Notice::Described { held: false, .. }]));
    hall.forget_what_was_heard();
    hall.passes(500);
    assert_eq!(hall.heard(caller, 0, 500), Some(1_000.0));
    assert_eq!(hall.heard(listener, 0, 500), Some(800.0));
}

#[test]
fn music_goes_on_unheard_while_the_caller_holds_us() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.offers(caller, "sendonly");
    hall.notices();

    hall.play(caller, &["greeting"], Repeat::Once);
    hall.passes(1_100);

    assert!(hall.phones[caller].heard.is_empty());
    assert!(matches!(hall.notices()[..], [Notice::Finished { .. }]));
}

#[test]
fn a_party_that_falls_silent_is_noticed_and_so_is_its_return() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    let stream = hall.phones[caller].name;
    hall.phones[caller].says = Some(800.0);
    hall.order(|stream| Order::Watch { stream, patience: Duration::from_secs(4) }, caller);
    hall.passes(5_000);
    assert_eq!(hall.notices(), []);

    hall.phones[caller].says = None;
    let last = hall.now.steady;
    hall.passes(3_900);
    assert_eq!(hall.notices(), []);
    hall.passes(200);
    let [Notice::Silent { since, .. }] = hall.notices()[..] else { panic!("not noticed") };
    assert!(last - since <= Duration::from_millis(20));
    hall.passes(60_000);
    assert_eq!(hall.notices(), []);

    hall.reports(caller);
    assert_eq!(hall.notices(), [Notice::Heard { stream }]);
    hall.passes(3_900);
    assert_eq!(hall.notices(), []);
}

#[test]
fn a_party_that_should_not_send_is_not_missed() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.order(|stream| Order::Watch { stream, patience: Duration::from_secs(4) }, caller);
    hall.offers(caller, "inactive");
    hall.notices();

    hall.passes(60_000);

    assert_eq!(hall.notices(), []);
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
fn a_thread_that_stood_still_does_not_send_all_it_missed_at_once() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.play(caller, &["music"], Repeat::Forever);
    hall.passes(200);
    hall.forget_what_was_heard();

    hall.now = hall.now.plus(Duration::from_secs(1));
    hall.passes(1);

    assert_eq!(hall.phones[caller].heard.len(), 3);
    hall.passes(100);
    hall.is_one_series(caller);
}

#[test]
fn streams_are_spread_over_the_wheel() {
    let mut hall = Hall::new();
    for _ in 0..40 {
        let caller = hall.phone(Codec::Pcma);
        hall.play(caller, &["music"], Repeat::Forever);
    }

    for _ in 0..40 {
        let before: usize = hall.phones.iter().map(|phone| phone.heard.len()).sum();
        hall.passes(1);
        let after: usize = hall.phones.iter().map(|phone| phone.heard.len()).sum();
        assert_eq!(after - before, 2);
    }
}

#[test]
fn a_phone_that_wants_short_packets_gets_them() {
    let mut hall = Hall::new();
    let caller = hall.phone(Codec::Pcma);
    hall.phones[caller].packet_time_max = Some(10);
    hall.offers(caller, "sendrecv");
    hall.play(caller, &["greeting"], Repeat::Once);

    hall.passes(1_000);

    let heard = &hall.phones[caller].heard;
    assert!(heard.iter().all(|heard| heard.octets.len() == 80));
    assert!(
        heard
            .windows(2)
            .all(|pair| { pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) == 80 })
    );
}

#[test]
fn nothing_is_sent_to_a_trunk_outside_its_range() {
    let mut hall = Hall::new();
    let range = "198.51.100.0/24".parse().unwrap();
    let caller = hall.phone_with(Codec::Pcma, Sources::Within(vec![range]));
    hall.play(caller, &["music"], Repeat::Forever);

    hall.passes(10_000);

    assert_eq!(hall.wires.sent, 0);
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

/// Our engine, a world of phones around it, and the time.
struct Hall {
    engine: Engine,
    wires: Wires,
    now: Now,
    phones: Vec<Phone>,
    closed: BTreeMap<StreamRef, Quality>,
}

/// Everything that leaves the engine.
#[derive(Clone, Default)]
struct Wires {
    open: BTreeMap<u32, u16>,
    taken: BTreeSet<u16>,
    packets: Vec<(Lane, SocketAddr, Vec<u8>)>,
    recipients: BTreeMap<SocketAddr, usize>,
    sent: usize,
}

#[derive(Clone)]
struct Phone {
    name: StreamRef,
    door: Door,
    address: SocketAddr,
    codec: Codec,
    packet_time_max: Option<u32>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    says: Option<f64>,
    amplitude: f64,
    voice: Vec<u8>,
    heard: Vec<HeardPacket>,
    reports: usize,
    key: Option<MasterKey>,
    armour: Option<Armour>,
    uneven: Option<Uneven>,
}

/// A bad road to us: packets are held up by as many milliseconds, and some are lost.
#[derive(Clone)]
struct Uneven {
    millis: u64,
    loss: u64,
    mint: Mint,
    under_way: Vec<(Moment, Vec<u8>)>,
}

impl Uneven {
    fn new(millis: u64, loss: u64) -> Self {
        Self { millis, loss, mint: Mint::from_number(9), under_way: Vec::new() }
    }

    fn takes(&mut self, packet: Vec<u8>, now: Moment) {
        if self.mint.below(100) >= self.loss {
            let due = now + Duration::from_millis(self.mint.below(self.millis + 1));
            self.under_way.push((due, packet));
        }
    }

    fn brings(&mut self, now: Moment) -> Option<Vec<u8>> {
        let at = self.under_way.iter().position(|(due, _)| *due <= now)?;
        Some(self.under_way.remove(at).1)
    }
}

#[derive(Clone, PartialEq)]
struct HeardPacket {
    at: Moment,
    header: Header,
    octets: Vec<u8>,
}

impl Hall {
    fn new() -> Self {
        let settings = Settings {
            address: "192.0.2.200".parse().unwrap(),
            ports: PortRange::new(20_000, 20_199, Mint::from_number(3)).unwrap(),
            codecs: Codec::ALL.to_vec(),
            fingerprint: None,
        };
        Self {
            engine: Engine::new(settings, library(), Mint::from_number(4)),
            wires: Wires::default(),
            now: Now {
                steady: Moment::START + Duration::from_millis(123_456),
                wall: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            },
            phones: Vec::new(),
            closed: BTreeMap::new(),
        }
    }

    fn clone_with(&self, engine: Engine) -> Self {
        Self {
            engine,
            wires: self.wires.clone(),
            now: self.now,
            phones: self.phones.clone(),
            closed: self.closed.clone(),
        }
    }

    /// A phone that has called us, has been answered, and has acknowledged it.
    fn phone(&mut self, codec: Codec) -> usize {
        self.phone_with(codec, Sources::Anywhere)
    }

    fn phone_with(&mut self, codec: Codec, sources: Sources) -> usize {
        let phone = self.opened(codec, sources);
        self.offers(phone, "sendrecv");
        self.order(|stream| Order::Proven { stream }, phone);
        assert!(matches!(self.notices()[..], [.., Notice::Described { held: false, .. }]));
        phone
    }

    /// A phone that we are about to call.
    fn called_phone(&mut self, codec: Codec) -> usize {
        self.opened(codec, Sources::Anywhere)
    }

    fn opened(&mut self, codec: Codec, sources: Sources) -> usize {
        self.opened_with(codec, sources, Road::Readable)
    }

    /// A phone that calls by TLS and speaks with keys.
    fn secure_phone(&mut self, codec: Codec, suite: Suite) -> usize {
        let phone = self.opened_with(codec, Sources::Anywhere, Road::Private);
        let key = MasterKey::new(suite, &vec![9; suite.key_length() + 14]).unwrap();
        self.phones[phone].key = Some(key);
        self.offers(phone, "sendrecv");
        self.order(|stream| Order::Proven { stream }, phone);
        let ours = self.notices().into_iter().find_map(|notice| {
            let Notice::Described { sdp, .. } = notice else { return None };
            Some(parse(&sdp).unwrap().media.remove(0).crypto.remove(0).key)
        });
        let keys = Secured { ours: self.phones[phone].key.clone().unwrap(), theirs: ours.unwrap() };
        let mut armour = None;
        Armour::fit(&mut armour, Some(&keys));
        self.phones[phone].armour = armour;
        phone
    }

    fn opened_with(&mut self, codec: Codec, sources: Sources, road: Road) -> usize {
        let index = self.phones.len() as u32;
        let name = StreamRef { call: CallRef(1), index };
        self.tell(Order::Open { stream: name, sources, road });
        let door = self.engine.doors[&name];
        self.phones.push(Phone {
            name,
            door,
            address: SocketAddr::new([192, 0, 2, 1].into(), 4_000 + 2 * index as u16),
            codec,
            packet_time_max: None,
            ssrc: 1_000 + index,
            sequence: 65_500,
            timestamp: u32::MAX - 2_000,
            says: None,
            amplitude: 0.25,
            voice: Vec::new(),
            heard: Vec::new(),
            reports: 0,
            key: None,
            armour: None,
            uneven: None,
        });
        self.phones.len() - 1
    }

    fn offers(&mut self, phone: usize, direction: &str) {
        let offer = self.phones[phone].describes(direction);
        self.order(|stream| Order::Answer { stream, offer: offer.into() }, phone);
    }

    fn order(&mut self, order: impl FnOnce(StreamRef) -> Order, phone: usize) {
        self.tell(order(self.phones[phone].name));
    }

    fn tell(&mut self, order: Order) {
        self.engine.handle(order, self.now, &mut self.wires);
        self.deliver();
    }

    fn play(&mut self, phone: usize, prompts: &[&str], repeat: Repeat) {
        let prompts = prompts.iter().map(|name| name.parse().unwrap()).collect();
        self.order(|stream| Order::Play { stream, play: PlayRef(1), prompts, repeat }, phone);
    }

    fn join(&mut self, one: usize, other: usize) {
        self.tell(Order::Join { streams: [self.phones[one].name, self.phones[other].name] });
    }

    fn gather(&mut self, phones: [usize; 3]) {
        let streams = phones.map(|phone| self.phones[phone].name).to_vec();
        self.tell(Order::Gather { streams });
    }

    /// How loud a tone is, in decibels below full scale.
    fn level(&self, phone: usize, tone: f64, from: u64, to: u64) -> f64 {
        let (samples, rate) = self.sound_of(phone, from, to);
        Decibels::of_amplitude(Goertzel::new(tone, rate).amplitude(&samples)).0
    }

    fn part(&mut self, one: usize, other: usize) {
        self.tell(Order::Part { streams: [self.phones[one].name, self.phones[other].name] });
    }

    fn close(&mut self, phone: usize) {
        self.order(|stream| Order::Close { stream }, phone);
    }

    /// Milliseconds pass; who has something to say says it every 20 ms.
    fn passes(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now = self.now.plus(Duration::from_millis(1));
            for phone in 0..self.phones.len() {
                let due = millisecond(self.now.steady) % 20 == (3 + 7 * phone as u64) % 20;
                if due && let Some(mut packet) = self.phones[phone].speaks() {
                    let length = packet.len();
                    packet.resize(length + OVERHEAD_MAX, 0);
                    let length = armoured(&mut self.phones[phone].armour, &mut packet, length);
                    packet.truncate(length.unwrap());
                    match &mut self.phones[phone].uneven {
                        None => self.receives(phone, Lane::Rtp, &mut packet),
                        Some(uneven) => uneven.takes(packet, self.now.steady),
                    }
                }
                let now = self.now.steady;
                let brings = |uneven: &mut Uneven| uneven.brings(now);
                while let Some(mut packet) = self.phones[phone].uneven.as_mut().and_then(brings) {
                    self.receives(phone, Lane::Rtp, &mut packet);
                }
            }
            self.engine.tick(self.now, &mut self.wires);
            self.deliver();
        }
    }

    fn receives(&mut self, phone: usize, lane: Lane, packet: &mut [u8]) {
        let Phone { door, mut address, .. } = self.phones[phone];
        if lane == Lane::Rtcp {
            address.set_port(address.port() + 1);
        }
        self.engine.received(door, lane, address, packet, self.now, &mut self.wires);
        self.deliver();
    }

    fn presses(&mut self, phone: usize, digit: char) {
        let mut press = KeySender::new(digit, self.phones[phone].timestamp, 800).unwrap();
        while let Some(telling) = press.next(160) {
            let header = Header {
                marker: telling.marker,
                payload_type: 101,
                sequence: self.phones[phone].next_sequence(),
                timestamp: telling.timestamp,
                ssrc: self.phones[phone].ssrc,
            };
            let mut packet = [0; 16];
            header.write(&telling.payload, &mut packet).unwrap();
            self.receives(phone, Lane::Rtp, &mut packet);
        }
    }

    /// The phone sends a receiver report.
    fn reports(&mut self, phone: usize) {
        self.reports_about(phone, None);
    }

    /// RFC 3389: so many dB below the loudest.
    fn falls_silent(&mut self, phone: usize, below: u8) {
        let header = Header {
            marker: false,
            payload_type: 13,
            sequence: self.phones[phone].next_sequence(),
            timestamp: self.phones[phone].timestamp,
            ssrc: self.phones[phone].ssrc,
        };
        let mut packet = [0; 13];
        header.write(&[below], &mut packet).unwrap();
        self.receives(phone, Lane::Rtp, &mut packet);
    }

    fn reports_about(&mut self, phone: usize, heard: Option<rtcp::ReportBlock>) {
        let report = rtcp::Report { ssrc: 5, sender: None, heard, cname: "a" };
        let mut packet = [0; 100];
        let length = report.write(&mut packet).unwrap();
        self.receives(phone, Lane::Rtcp, &mut packet[..length]);
    }

    fn deliver(&mut self) {
        for (lane, to, mut bytes) in self.wires.packets.drain(..) {
            let Some(phone) =
                self.phones.iter_mut().find(|phone| phone.address.port() == to.port() & !1)
            else {
                continue;
            };
            match lane {
                Lane::Rtcp => {
                    if let Some(armour) = &mut phone.armour {
                        let length = armour.open_report(&mut bytes).unwrap();
                        bytes.truncate(length);
                    }
                    rtcp::parse(&bytes, 0).unwrap();
                    phone.reports += 1;
                }
                Lane::Rtp => {
                    if let Some(armour) = &mut phone.armour {
                        let length = armour.open(&mut bytes).expect("sound in our armour");
                        bytes.truncate(length);
                    }
                    let packet = Packet::parse(&bytes).unwrap();
                    let (header, octets) = (packet.header, packet.payload.to_vec());
                    phone.heard.push(HeardPacket { at: self.now.steady, header, octets });
                }
            }
        }
    }

    fn notices(&mut self) -> Vec<Notice> {
        let notices: Vec<Notice> = std::iter::from_fn(|| self.engine.poll_notice()).collect();
        for notice in &notices {
            if let Notice::Closed { stream, quality } = notice {
                self.closed.insert(*stream, *quality);
            }
        }
        notices
    }

    fn quality(&mut self, phone: usize) -> Quality {
        self.notices();
        self.closed[&self.phones[phone].name]
    }

    fn forget_what_was_heard(&mut self) {
        for phone in &mut self.phones {
            phone.heard.clear();
            phone.reports = 0;
        }
    }

    /// The tone a phone plays to its owner between two times after the first packet, its jitter
    /// buffer going by timestamps.
    fn heard(&self, phone: usize, from: u64, to: u64) -> Option<f64> {
        let (samples, rate) = self.sound_of(phone, from, to);
        heard_tone(&samples, rate, &TONES)
    }

    fn sound_of(&self, phone: usize, from: u64, to: u64) -> (Vec<i16>, u32) {
        let phone = &self.phones[phone];
        let rate = phone.codec.sample_rate();
        let samples = phone.plays();
        let at = |millis: u64| (millis * u64::from(rate) / 1_000) as usize;
        let to = at(to).min(samples.len());
        (samples[at(from).min(to)..to].to_vec(), rate)
    }

    /// Besides: from each packet to the next the timestamp goes by whole frames, as many as went by
    /// in real time, and a mark stands where something else begins and after a silence only.
    fn is_strictly_continuous(&self, phone: usize, begins: &[Moment]) {
        self.is_one_series(phone);
        let heard = &self.phones[phone].heard;
        let first = &heard[0];
        for pair in heard.windows(2) {
            let [one, next] = [&pair[0], &pair[1]];
            let ticks = next.header.timestamp.wrapping_sub(one.header.timestamp);
            assert_eq!(ticks % 160, 0, "a step of {ticks}");
            let told = i64::from(next.header.timestamp.wrapping_sub(first.header.timestamp)) / 8;
            let went_by = (next.at - first.at).as_millis() as i64;
            assert!((told - went_by).abs() <= 30, "{told} ms told, {went_by} ms went by");
            let begins_here = begins.iter().any(|at| one.at <= *at && *at < next.at);
            assert_eq!(next.header.marker, begins_here || ticks > 160, "at {}", next.at);
        }
    }

    /// One SSRC, no sequence number missing, no sound lying over another.
    fn is_one_series(&self, phone: usize) {
        for pair in self.phones[phone].heard.windows(2) {
            let [one, next] = [&pair[0], &pair[1]];
            let ratio = self.phones[phone].codec.clock_ratio();
            let ticks = next.header.timestamp.wrapping_sub(one.header.timestamp) / ratio;
            assert_eq!(one.header.ssrc, next.header.ssrc);
            assert_eq!(next.header.sequence, one.header.sequence.wrapping_add(1));
            assert!((160..=80_000).contains(&ticks), "a step of {ticks}");
            assert!(ticks == 160 || next.header.marker, "a silence without a mark");
        }
    }
}

impl Phone {
    fn describes(&self, direction: &str) -> bytes::Bytes {
        let number = self.codec.payload_type();
        let most = self.packet_time_max.map(|most| format!("a=maxptime:{most}\r\n"));
        let crypto = self.key.clone().map(|key| {
            let text = print_key(&key);
            format!("a=crypto:1 {} inline:{text}\r\n", key.suite().name())
        });
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {number} 101\r\na=rtpmap:{number} {}\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n{}{}",
            self.address.port(),
            Encoding::of(self.codec),
            most.unwrap_or_default(),
            crypto.unwrap_or_default(),
        )
        .into()
    }

    fn speaks(&mut self) -> Option<Vec<u8>> {
        let frequency = self.says?;
        if self.voice.is_empty() {
            // A second is a whole number of waves, so that it goes round.
            let rate = self.codec.sample_rate();
            let mut tone = sine(frequency, rate, Duration::from_secs(4), self.amplitude);
            let second = rate as usize;
            let middle: Vec<i16> = tone.drain(second..3 * second).collect();
            self.voice = vec![0; 16_000];
            let mut encoder = Encoder::new(self.codec);
            if self.codec == Codec::Opus {
                // A hundred packets, each in its place of 160 bytes.
                let frames = middle.chunks(320).zip(self.voice.chunks_mut(160));
                frames.for_each(|(frame, packet)| {
                    assert_eq!(encoder.encode(frame, packet), OPUS_OCTETS)
                });
            } else {
                encoder.encode(&middle, &mut self.voice);
            }
        }
        let header = Header {
            marker: false,
            payload_type: self.codec.payload_type(),
            sequence: self.next_sequence(),
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        let mut packet = vec![0; 172];
        let length = if self.codec == Codec::Opus { OPUS_OCTETS } else { 160 };
        let length = header.write(&self.voice[..length], &mut packet).unwrap();
        packet.truncate(length);
        self.voice.rotate_left(160);
        self.timestamp = self.timestamp.wrapping_add(160 * self.codec.clock_ratio());
        Some(packet)
    }

    fn next_sequence(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// So many packets are lost on their way to us.
    fn loses(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
        let ticks = 160 * self.codec.clock_ratio();
        self.timestamp = self.timestamp.wrapping_add(u32::from(packets) * ticks);
        let length = self.voice.len().max(1);
        self.voice.rotate_left(160 * usize::from(packets) % length);
    }

    fn plays(&self) -> Vec<i16> {
        let mut decoder = Decoder::new(self.codec);
        let mut samples = Vec::new();
        let Some(first) = self.heard.first() else {
            return samples;
        };
        for heard in &self.heard {
            let ticks = heard.header.timestamp.wrapping_sub(first.header.timestamp);
            let ticks = (ticks / self.codec.clock_ratio()) as usize;
            samples.resize(self.codec.samples(ticks), 0);
            let length = if self.codec == Codec::Opus { 160 } else { heard.octets.len() };
            let mut frame = vec![0; self.codec.samples(length)];
            decoder.decode(&heard.octets, &mut frame);
            samples.extend(frame);
        }
        samples
    }
}

impl Wires {
    fn to(&self, address: SocketAddr) -> usize {
        self.recipients.get(&address).copied().unwrap_or(0)
    }
}

impl Sink for Wires {
    fn open(&mut self, door: Door, port: u16) -> bool {
        if self.taken.contains(&port) {
            return false;
        }
        self.open.insert(door.0, port);
        true
    }

    fn shut(&mut self, door: Door) {
        self.open.remove(&door.0);
    }

    fn send(&mut self, door: Door, lane: Lane, to: SocketAddr, packet: &[u8]) {
        assert!(self.open.contains_key(&door.0), "sent through a door that is shut");
        self.sent += 1;
        *self.recipients.entry(to).or_default() += 1;
        self.packets.push((lane, to, packet.to_vec()));
    }
}

/// A packet of A-law.
fn packet_of(ssrc: u32, sequence: u16, frequency: f64) -> Vec<u8> {
    let mut payload = [0; 160];
    let tone = sine(frequency, 8_000, Duration::from_millis(20), 0.5);
    Encoder::new(Codec::Pcma).encode(&tone, &mut payload);
    let timestamp = u32::from(sequence) * 160;
    let header = Header { marker: false, payload_type: 8, sequence, timestamp, ssrc };
    let mut packet = vec![0; 172];
    header.write(&payload, &mut packet).unwrap();
    packet
}

/// `greeting`: 1 s of 600 Hz. `music`: 2 s of 300 Hz, again and again. `sentences`: 1 s of 800 Hz,
/// a pause, 5 s more.
fn library() -> Arc<Library> {
    static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(recorded);
    Arc::clone(&LIBRARY)
}

fn recorded() -> Arc<Library> {
    let tone = |frequency, millis| sine(frequency, 16_000, Duration::from_millis(millis), 0.2);
    let recording = |samples| Recording { rate: 16_000, samples };
    let mut sentences = tone(800.0, 1_000);
    sentences.extend([0; 8_000]);
    sentences.extend(tone(800.0, 5_000));
    let recordings = [
        ("greeting", recording(tone(600.0, 1_000))),
        ("music", recording(tone(300.0, 2_000))),
        ("sentences", recording(sentences)),
    ];
    Arc::new(Library::new(
        recordings.iter().map(|(name, recording)| (name.parse().unwrap(), recording)),
    ))
}
