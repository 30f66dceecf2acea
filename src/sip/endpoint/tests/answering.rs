//! Calls that come in: the first INVITE, its repetitions, its answer, its end.

use super::*;

#[test]
fn a_caller_is_answered_and_hangs_up() {
    let mut house = House::new();
    house.hears(trunk(), &invite("z9hG4bKone"));
    assert_eq!(house.lines(), ["SIP/2.0 100 Trying"]);
    let events = house.take_events();
    let [Event::Invited { dialog, origin, dialled, caller, offer, .. }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(*origin, Origin::Trunk("operator".parse().unwrap()));
    assert_eq!((dialled.user.as_str(), dialled.first.len()), ("3977", 0));
    assert!(caller.is_some());
    assert_eq!(offer.as_deref(), Some(OFFER.as_bytes()));

    let dialog = *dialog;
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200 OK"), "{ok}");
    assert!(ok.contains("received=192.0.2.1") || ok.contains("rport=5060"), "{ok}");
    assert!(ok.contains("Contact: <sip:hotline@203.0.113.1:5060>"), "{ok}");

    house.hears(trunk(), &ack(&ok, 1));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }]);
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending: Ending::HungUp, cause: None }]);

    house.is_empty_in_the_end();
}

#[test]
fn a_second_copy_of_an_invite_makes_no_second_call() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.lines();

    house.hears(trunk(), &invite("z9hG4bKone"));
    assert_eq!(house.lines(), ["SIP/2.0 100 Trying"]);
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    house.lines();
    house.hears(trunk(), &invite("z9hG4bKone"));
    assert_eq!(house.lines(), ["SIP/2.0 180 Ringing"]);
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    house.lines();
    house.hears(trunk(), &invite("z9hG4bKone"));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);

    assert!(house.take_events().is_empty());
}

#[test]
fn a_provisional_is_sent_again_every_minute() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    house.lines();

    house.passes(secs(121));

    assert_eq!(house.lines(), ["SIP/2.0 180 Ringing"; 2]);
}

/// RFC 3960 §2: whoever missed the description can't hear what is said before the answer.
#[test]
fn a_description_before_the_answer_is_repeated_with_doubling_pauses() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let first = house.take_sent().pop().unwrap();
    assert!(first.ends_with(ANSWER), "{first}");

    house.passes(secs(80));
    let sent = house.take_sent();
    assert_eq!(
        sent.iter().filter(|sent| **sent == first).count(),
        6,
        "after 1, 3, 7, 15, 31 and 63 s"
    );
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    assert!(house.lines().contains(&"SIP/2.0 200 OK".to_owned()));
}

#[test]
fn our_200_is_repeated_until_its_ack() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();

    house.passes(millis(7_600));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"; 4], "at 0.5, 1.5, 3.5 and 7.5 s");
    house.hears(trunk(), &ack(&ok, 1));
    house.passes(secs(20));
    assert!(house.lines().is_empty());
}

#[test]
fn a_200_never_acknowledged_ends_with_bye_on_reliable_roads_too() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut house = House::new();
        let road = flow(transport, "192.0.2.1:5060");
        house.hears(road, &invite("z9hG4bKone"));
        let dialog = DialogRef(1);
        house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
        house.take_events();
        house.lines();

        house.passes(secs(33));

        let ending = Ending::NeverAcknowledged;
        assert_eq!(house.take_events(), [Event::Ended { dialog, ending, cause: None }]);
        let sent = house.take_sent();
        assert!(sent.iter().filter(|text| text.starts_with("SIP/2.0 200")).count() >= 10);
        assert!(sent.iter().any(|text| text.starts_with("BYE sip:0612345678@192.0.2.1:5060")));
        house.is_empty_in_the_end();
    }
}

#[test]
fn a_goodbye_waits_for_the_ack_of_our_200() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::NoListener, now));
    assert!(house.lines().is_empty());

    house.hears(trunk(), &ack(&ok, 1));

    let bye = house.take_sent().pop().unwrap();
    assert!(bye.starts_with("BYE "), "{bye}");
    assert_eq!(header(&bye, "Reason"), Some("Q.850;cause=20;text=\"No listener\""));
    house.hears(trunk(), &answer(&bye, 200, "x", "", ""));
    assert!(house.take_events().is_empty(), "the dialog was given up");
    house.is_empty_in_the_end();
}

#[test]
fn a_cancelled_call_hears_200_and_487_once_and_a_second_cancel_200_again() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.lines();
    let cancel = request("CANCEL", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", "");

    house.hears(trunk(), &cancel);
    assert_eq!(house.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(
        house.take_events(),
        [Event::Ended { dialog, ending: Ending::Cancelled, cause: None }]
    );
    house.hears(trunk(), &cancel);
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house
        .hears(trunk(), &request("ACK", "z9hG4bKone", "sip:3977@203.0.113.1", ";tag=x", 1, "", ""));
    house.passes(secs(10));
    house.hears(trunk(), &cancel);
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "also when the INVITE is forgotten");

    house.is_empty_in_the_end();
}

#[test]
fn a_cancel_from_elsewhere_or_for_nothing_cancels_nothing() {
    let mut house = House::new();
    house.is_invited(&invite("z9hG4bKone"));
    house.lines();
    let cancel = request("CANCEL", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", "");

    house.hears(flow(Transport::Udp, "192.0.2.99:5060"), &cancel);
    let other = request("CANCEL", "z9hG4bKother", "sip:3977@203.0.113.1", "", 1, "", "");
    house.hears(trunk(), &other);

    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"; 2]);
    assert!(house.take_events().is_empty());
}

#[test]
fn a_cancel_that_crosses_our_200_changes_nothing() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    let cancel = request("CANCEL", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", "");

    house.hears(trunk(), &cancel);
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert!(house.take_events().is_empty());
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending: Ending::HungUp, cause: None }]);
}

/// RFC 3264 §4 and RFC 3261 §13.2.1.
#[test]
fn a_delayed_offer_is_answered_in_the_ack() {
    let mut house = House::new();
    let without = request("INVITE", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", "");
    house.hears(trunk(), &without);
    let events = house.take_events();
    assert!(matches!(events.as_slice(), [Event::Invited { offer: None, .. }]), "{events:?}");
    let dialog = DialogRef(1);
    house.does(|endpoint, now| endpoint.accept(dialog, OFFER.into(), now));
    let ok = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("ACK", "z9hG4bKack", &ok, 1, ANSWER));

    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: Some(ANSWER.into()) }]);
}

#[test]
fn refusals_carry_what_their_readers_need() {
    for (refusal, line, name, value) in [
        (Refusal::Overload, "SIP/2.0 486 Busy Here", "Reason", "Q.850;cause=17;text=\"User busy\""),
        (
            Refusal::NotAcceptableHere,
            "SIP/2.0 488 Not Acceptable Here",
            "Warning",
            "305 hotline.example \"Incompatible media format\"",
        ),
        (Refusal::NotFound, "SIP/2.0 404 Not Found", "Server", "hotline"),
    ] {
        let mut house = House::new();
        let dialog = house.is_invited(&invite("z9hG4bKone"));
        house.lines();

        house.does(|endpoint, now| endpoint.refuse(dialog, refusal, now));

        let sent = house.take_sent().pop().unwrap();
        assert!(sent.starts_with(line), "{sent}");
        assert_eq!(header(&sent, name), Some(value));
        house.passes(millis(600));
        assert_eq!(house.lines(), [line], "repeated until the ACK");
        house.hears(
            trunk(),
            &request("ACK", "z9hG4bKone", "sip:3977@203.0.113.1", ";tag=x", 1, "", ""),
        );
        house.passes(secs(3));
        assert!(house.lines().is_empty());
        house.is_empty_in_the_end();
    }
}

/// RFC 3261 §8.2.2.2; RFC 5393: a fork that comes together again rings nobody twice.
#[test]
fn the_same_call_by_two_roads_is_one_call() {
    let mut house = House::new();
    house.is_invited(&invite("z9hG4bKone"));
    house.lines();

    house.hears(trunk(), &invite("z9hG4bKtwo"));

    assert_eq!(house.lines(), ["SIP/2.0 482 Loop Detected"]);
    assert!(house.take_events().is_empty());
}

#[test]
fn an_anonymous_caller_leaves_no_number() {
    for more in ["Privacy: id\r\n", "Privacy: header;critical\r\n", "Privacy: USER\r\n"] {
        let mut house = House::new();
        let asserted = format!("{more}P-Asserted-Identity: <tel:+33612345678>\r\n");
        let uri = "sip:3977@203.0.113.1";
        house.hears(trunk(), &request("INVITE", "z9hG4bKone", uri, "", 1, &asserted, OFFER));

        let events = house.take_events();
        assert!(matches!(events.as_slice(), [Event::Invited { caller: None, .. }]), "{more}");
    }
}

/// RFC 2543 and RFC 3261 §17.2.3.
#[test]
fn old_phones_without_a_cookie_in_their_branch_are_told_apart_too() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("1"));
    house.lines();
    house.hears(trunk(), &invite("1"));
    assert_eq!(house.lines(), ["SIP/2.0 100 Trying"]);

    let cancel = request("CANCEL", "1", "sip:3977@203.0.113.1", "", 1, "", "");
    house.hears(trunk(), &cancel);

    assert_eq!(
        house.take_events(),
        [Event::Ended { dialog, ending: Ending::Cancelled, cause: None }]
    );
    house.is_empty_in_the_end();
}
