//! Who is heard, who is sent to, and what protects both.

use super::*;

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

/// RFC 4787 §4.3: a router at home forgets which port was whose, and gives the phone another one.
#[test]
fn a_phone_whose_router_gives_it_another_port_is_heard_again_and_hears() {
    for protected in [false, true] {
        let mut hall = Hall::new();
        let caller = hall.phone(Codec::Pcma);
        let listener = match protected {
            false => hall.phone(Codec::Pcma),
            true => hall.secure_phone(Codec::Pcma, Suite::AesCm128Sha1Tag80),
        };
        hall.phones[caller].says = Some(800.0);
        hall.phones[listener].says = Some(1_000.0);
        hall.join(caller, listener);
        hall.passes(1_000);

        hall.phones[listener].address.set_port(61_000);
        hall.passes(1_200);
        hall.phones[listener].heard.clear();
        hall.phones[caller].heard.clear();
        hall.passes(1_000);

        assert_eq!(hall.heard(caller, 100, 900), Some(1_000.0), "{protected}");
        assert_eq!(hall.heard(listener, 100, 900), Some(800.0), "{protected}");
    }
}

/// T-10: who only waits for a phone to fall silent doesn't get its call: it doesn't know the phone's
/// series, and what was heard before is worth nothing. A trunk is never looked for elsewhere.
#[test]
fn a_stranger_who_waits_for_a_silence_is_neither_heard_nor_sent_to() {
    let trunk = Sources::Within(vec!["192.0.2.0/24".parse().unwrap()]);
    let of_another_series = |phone: &Phone, step| (phone.ssrc ^ 1, phone.sequence + 1 + step);
    let once_more = |phone: &Phone, step| (phone.ssrc, phone.sequence - 100 + step % 100);
    let what_comes_next = |phone: &Phone, step| (phone.ssrc, phone.sequence + 1 + step);
    type Attack = fn(&Phone, u16) -> (u32, u16);
    let attacks: [(Sources, Attack); 3] = [
        (Sources::Anywhere, of_another_series),
        (Sources::Anywhere, once_more),
        (trunk, what_comes_next),
    ];
    for (sources, attack) in attacks {
        let mut hall = Hall::new();
        let caller = hall.phone(Codec::Pcma);
        let party = hall.opened(Codec::Pcma, sources.clone());
        hall.phones[party].sequence = 1_000;
        hall.phones[caller].says = Some(800.0);
        hall.phones[party].says = Some(1_000.0);
        hall.join(caller, party);
        hall.passes(3_000);
        hall.phones[party].says = None;
        hall.passes(1_500);

        let Phone { door, address, .. } = hall.phones[party];
        let stranger = SocketAddr::new(address.ip(), 61_000);
        let heard = hall.phones[caller].heard.len();
        for step in 0..500 {
            let (ssrc, sequence) = attack(&hall.phones[party], step);
            let mut packet = packet_of(ssrc, sequence, 300.0);
            let now = hall.now;
            hall.engine.received(door, Lane::Rtp, stranger, &mut packet, now, &mut hall.wires);
            hall.passes(2);
        }

        assert_eq!(hall.wires.to(stranger), 0, "{sources:?}");
        assert_eq!(hall.phones[caller].heard.len(), heard, "{sources:?}");
    }
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
fn nothing_is_sent_to_a_trunk_outside_its_range() {
    let mut hall = Hall::new();
    let range = "198.51.100.0/24".parse().unwrap();
    let caller = hall.phone_with(Codec::Pcma, Sources::Within(vec![range]));
    hall.play(caller, &["music"], Repeat::Forever);

    hall.passes(10_000);

    assert_eq!(hall.wires.sent, 0);
}
