//! How packets of sound are numbered, timed and spread.

use super::*;

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
