//! Phones that speak Opus.

use super::*;

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

/// RFC 7587 §6.1: a phone on a narrow road says how much may come, and hears the same.
#[test]
fn a_phone_that_wants_fewer_bits_gets_fewer() {
    let mut hall = Hall::new();
    let (caller, listener) = (hall.phone(Codec::Pcma), hall.phone(Codec::Opus));
    hall.offers(listener, "sendrecv\r\na=fmtp:96 useinbandfec=1; maxaveragebitrate=20000");
    hall.phones[caller].says = Some(440.0);
    hall.join(caller, listener);
    hall.passes(1_500);

    assert!(hall.phones[listener].heard.iter().all(|heard| heard.octets.len() <= 50));
    assert_eq!(hall.heard(listener, 100, 1_400), Some(440.0));
}
