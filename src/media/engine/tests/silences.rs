//! Silence, holding and going away, and what is told of them.

use super::*;

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

#[test]
fn who_holds_us_hears_nothing_and_their_music_is_heard_by_nobody() {
    let (mut hall, caller, listener) = two_who_talk();
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
fn nobody_hears_anything_after_a_part_or_a_close() {
    let (mut hall, caller, listener) = two_who_talk();

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

fn two_who_talk() -> (Hall, usize, usize) {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Pcma));
    hall.phones[caller].says = Some(800.0);
    hall.phones[listener].says = Some(1_000.0);
    hall.join(caller, listener);
    hall.passes(200);
    (hall, caller, listener)
}
