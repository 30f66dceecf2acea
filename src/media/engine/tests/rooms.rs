//! Where sound is decoded: Opus, and conversations of three.

use super::*;

/// Appendix to ADR 0013: 5 % of the packets lost and 30 ms of unevenness, where sound is decoded.
#[test]
fn a_bad_network_is_smoothed_where_sound_is_decoded() {
    for theirs in [Codec::Pcma, Codec::G722] {
        let mut hall = Hall::new();
        let (caller, listener) = (hall.phone(theirs), hall.phone(Codec::Opus));
        hall.phones[caller].says = Some(800.0);
        hall.phones[listener].says = Some(1_000.0);
        for phone in [caller, listener] {
            hall.phones[phone].uneven = Some(Uneven::new(30, 5));
        }
        hall.join(caller, listener);
        hall.passes(4_000);

        for phone in [caller, listener] {
            hall.is_one_series(phone);
            // Evenly, and without a hole: 20 ms after 20 ms.
            let heard = &hall.phones[phone].heard[10..];
            let steps: BTreeSet<u128> =
                heard.windows(2).map(|two| (two[1].at - two[0].at).as_millis()).collect();
            assert_eq!(steps, BTreeSet::from([20]), "{theirs:?}");
            for from in (500..3_600).step_by(200) {
                let tone = if phone == listener { 800.0 } else { 1_000.0 };
                let level = hall.level(phone, tone, from, from + 200);
                assert!(level > -22.0, "{theirs:?} at {from}: {level}");
            }
        }
    }
}

/// SC-27: each of three hears the two others and not itself, whatever they speak.
#[test]
fn of_three_each_hears_the_two_others_and_not_itself() {
    for codecs in [
        [Codec::Pcma, Codec::Pcma, Codec::Pcma],
        [Codec::Pcma, Codec::G722, Codec::Pcmu],
        [Codec::Pcma, Codec::Opus, Codec::G722],
        [Codec::Pcma, Codec::Opus, Codec::Opus],
    ] {
        let mut hall = Hall::new();
        let tones = [600.0, 1_000.0, 1_500.0];
        let phones = codecs.map(|codec| hall.phone(codec));
        for (phone, tone) in phones.into_iter().zip(tones) {
            hall.phones[phone].says = Some(tone);
        }
        hall.join(phones[0], phones[1]);
        hall.passes(300);

        hall.gather(phones);
        hall.passes(1_200);

        for (at, phone) in phones.into_iter().enumerate() {
            hall.is_one_series(phone);
            let levels = tones.map(|tone| hall.level(phone, tone, 600, 1_400));
            for (other, level) in levels.into_iter().enumerate() {
                match other == at {
                    true => assert!(level < -30.0, "{codecs:?}: {at} hears itself, {levels:?}"),
                    false => assert!(level > -18.0, "{codecs:?}: {at} of {other}, {levels:?}"),
                }
            }
        }

        // The third leaves: the other two go on without a word from anybody.
        hall.close(phones[2]);
        hall.passes(1_000);
        for (at, other) in [(0, 1), (1, 0)] {
            let levels = tones.map(|tone| hall.level(phones[at], tone, 1_700, 1_900));
            assert!(levels[other] > -18.0 && levels[at] < -30.0, "{codecs:?}: {levels:?}");
            assert!(levels[2] < -30.0, "{codecs:?}: {levels:?}");
        }

        hall.part(phones[0], phones[1]);
        hall.passes(500);
        assert_eq!(hall.heard(phones[0], 2_600, 2_950), None, "{codecs:?}");
    }
}

#[test]
fn a_conversation_of_three_becomes_one_of_two_and_the_third_hears_nobody() {
    let mut hall = Hall::new();
    let phones = [Codec::Pcma, Codec::Pcma, Codec::G722].map(|codec| hall.phone(codec));
    for (phone, tone) in phones.into_iter().zip([600.0, 1_000.0, 1_500.0]) {
        hall.phones[phone].says = Some(tone);
    }
    hall.gather(phones);
    hall.passes(500);
    hall.join(phones[0], phones[2]);
    hall.passes(500);
    assert_eq!(hall.heard(phones[0], 600, 950), Some(1_500.0));
    assert_eq!(hall.heard(phones[2], 600, 950), Some(600.0));
    assert_eq!(hall.heard(phones[1], 600, 950), None);
}
