//! Inside a dialog: offers both ways, glare, probes, goodbyes, and who may speak.

use super::*;

/// RFC 3264 §8.4.
#[test]
fn a_caller_puts_us_on_hold_and_takes_us_back() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();

    house.hears(trunk(), &inside("INVITE", "z9hG4bKhold", &ok, 2, "v=0\r\na=sendonly\r\n"));
    assert_eq!(house.lines(), ["SIP/2.0 100 Trying"]);
    let offer = Some("v=0\r\na=sendonly\r\n".into());
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer }]);
    house.does(|endpoint, now| endpoint.answer(dialog, "v=0\r\na=recvonly\r\n".into(), now));
    let sent = house.take_sent().pop().unwrap();
    assert!(sent.starts_with("SIP/2.0 200 OK") && sent.ends_with("a=recvonly\r\n"), "{sent}");
    house.hears(trunk(), &inside("INVITE", "z9hG4bKhold", &ok, 2, "v=0\r\na=sendonly\r\n"));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "the re-INVITE came again: so does the 200");
    house.passes(millis(600));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "repeated until its ACK");
    house.hears(trunk(), &ack(&ok, 2));
    house.passes(secs(40));
    assert!(house.lines().is_empty());
    assert!(house.take_events().is_empty());
}

/// A re-INVITE that was heard of and never answered leaves nothing behind when the call is over.
#[test]
fn a_goodbye_ends_the_wait_for_an_answer_to_our_offer() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    let reinvite = house.take_sent().pop().unwrap();
    house.hears(trunk(), &answer(&reinvite, 100, "", "", ""));

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    house.take_events();
    house.lines();

    house.is_empty_in_the_end();
}

#[test]
fn an_ack_belongs_to_its_own_200() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));
    house.does(|endpoint, now| endpoint.answer(dialog, ANSWER.into(), now));
    house.take_events();

    house.hears(trunk(), &ack(&ok, 2));
    assert!(house.take_events().is_empty(), "not the ACK of the first");
    house.hears(trunk(), &ack(&ok, 1));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }]);
}

/// RFC 3264 §8 and RFC 6141 §3.3.
#[test]
fn a_declined_offer_leaves_the_call_as_it_was() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.hears(trunk(), &inside("INVITE", "z9hG4bKfax", &ok, 2, "v=0\r\nm=image\r\n"));
    house.lines();

    house.does(|endpoint, now| endpoint.decline(dialog, Refusal::NotAcceptableHere, now));

    assert_eq!(house.lines(), ["SIP/2.0 488 Not Acceptable Here"]);
    let ack = inside("ACK", "z9hG4bKfax", &ok, 2, "");
    house.hears(trunk(), &ack);
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 3, ""));
    assert!(house.take_events().contains(&Event::Ended {
        dialog,
        ending: Ending::HungUp,
        cause: None
    }));
    house.is_empty_in_the_end();
}

#[test]
fn a_second_offer_while_the_first_waits_is_put_off() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    house.hears(trunk(), &inside("INVITE", "z9hG4bKa", &ok, 2, NEW_OFFER));
    house.lines();

    house.hears(trunk(), &inside("INVITE", "z9hG4bKb", &ok, 3, NEW_OFFER));

    let sent = house.take_sent().pop().unwrap();
    assert!(sent.starts_with("SIP/2.0 500"), "{sent}");
    assert!(header(&sent, "Retry-After").unwrap().parse::<u64>().unwrap() <= 10);
}

#[test]
fn a_refused_request_is_refused_alike_when_it_comes_again() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    house.lines();

    for _ in 0..2 {
        house.hears(trunk(), &inside("INVITE", "z9hG4bKtheirs", &ok, 2, NEW_OFFER));
        house.hears(trunk(), &inside("MESSAGE", "z9hG4bKinfo", &ok, 3, ""));
        assert_eq!(
            house.lines(),
            ["SIP/2.0 491 Request Pending", "SIP/2.0 405 Method Not Allowed"]
        );
    }
}

/// RFC 3264 §4 and RFC 3261 §14.1.
#[test]
fn glare_is_491_both_ways_and_ours_is_tried_again() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    assert!(ours.starts_with("INVITE sip:0612345678@192.0.2.1:5060 "), "{ours}");

    house.hears(trunk(), &inside("INVITE", "z9hG4bKtheirs", &ok, 2, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"]);
    house.hears(trunk(), &inside("ACK", "z9hG4bKtheirs", &ok, 2, ""));
    house.hears(trunk(), &answer(&ours, 491, "caller", "", ""));
    assert!(house.lines()[0].starts_with("ACK "));
    assert!(house.take_events().is_empty());

    // The caller made the Call-ID, so we wait at most 2 s.
    house.passes(millis(2_010));
    let again = house.take_sent().pop().unwrap();
    assert!(again.starts_with("INVITE "), "{again}");
    assert_eq!(header(&again, "CSeq"), Some("2 INVITE"));
    house.hears(trunk(), &answer(&again, 200, "caller", "", ANSWER));
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: Some(ANSWER.into()) }]);
    let ack = house.take_sent().pop().unwrap();
    assert_eq!(header(&ack, "CSeq"), Some("2 ACK"));
}

#[test]
fn a_refused_offer_of_ours_is_no_answer_and_a_lost_dialog_is_lost() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    house.hears(trunk(), &answer(&ours, 488, "caller", "", ""));
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: None }]);
    house.lines();

    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    house.hears(trunk(), &answer(&ours, 481, "caller", "", ""));
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending: Ending::Lost, cause: None }]);
    house.is_empty_in_the_end();
}

#[test]
fn a_200_to_our_reinvite_is_acknowledged_even_after_their_bye() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    house.lines();

    house.hears(trunk(), &answer(&ours, 200, "caller", "", ANSWER));

    assert!(house.lines()[0].starts_with("ACK "));
    house.is_empty_in_the_end();
}

/// RFC 3311 §5.2.
#[test]
fn an_update_is_an_offer_too() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu1", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu2", &ok, 3, NEW_OFFER));
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer: Some(NEW_OFFER.into()) }]);

    house.does(|endpoint, now| endpoint.answer(dialog, ANSWER.into(), now));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.passes(secs(40));
    assert!(house.lines().is_empty(), "an UPDATE has no ACK to wait for");
}

#[test]
fn a_probe_tells_whether_the_other_side_still_knows_the_call() {
    for (status, alive) in [(200, true), (501, true), (481, false), (408, false)] {
        let mut house = House::new();
        let (dialog, _) = house.is_talking();
        house.does(|endpoint, now| endpoint.probe(dialog, now));
        let options = house.take_sent().pop().unwrap();
        house.hears(trunk(), &answer(&options, status, "caller", "", ""));
        assert_eq!(house.take_events(), [Event::Probed { dialog, alive }], "{status}");
    }
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.probe(dialog, now));
    house.passes(secs(32));
    assert_eq!(house.take_events(), [Event::Probed { dialog, alive: false }]);
}

#[test]
fn nobody_else_may_speak_in_a_dialog() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    let bye = inside("BYE", "z9hG4bKspoof", &ok, 2, "");

    house.hears(flow(Transport::Udp, "198.51.100.66:5060"), &bye);

    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    assert!(house.take_events().is_empty());
    house.hears(flow(Transport::Udp, "192.0.2.2:5060"), &inside("BYE", "z9hG4bKb", &ok, 2, ""));
    assert_eq!(house.take_events().len(), 1, "but another machine of the trunk may");
}

#[test]
fn a_request_out_of_order_is_refused_and_one_for_no_dialog_is_told_so() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    house.hears(trunk(), &inside("OPTIONS", "z9hG4bKo", &ok, 5, ""));
    house.hears(trunk(), &inside("OPTIONS", "z9hG4bKp", &ok, 4, ""));
    let stranger = request("BYE", "z9hG4bKq", "sip:a@203.0.113.1", ";tag=nobody", 6, "", "");
    house.hears(trunk(), &stranger);

    assert_eq!(
        house.lines(),
        [
            "SIP/2.0 200 OK",
            "SIP/2.0 500 Server Internal Error",
            "SIP/2.0 481 Call/Transaction Does Not Exist"
        ]
    );
}

#[test]
fn goodbyes_that_cross_are_both_answered() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let ours = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("BYE", "z9hG4bKtheirs", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(trunk(), &answer(&ours, 481, "caller", "", ""));

    assert!(house.take_events().is_empty());
    house.is_empty_in_the_end();
}

#[test]
fn a_challenge_to_our_goodbye_is_not_answered() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();

    let more = "Proxy-Authenticate: Digest realm=\"hotline.example\", nonce=\"n\"\r\n";
    house.hears(trunk(), &answer(&bye, 407, "caller", more, ""));

    assert!(house.lines().is_empty());
    assert_eq!(house.endpoint.load().dialogs, 0);
}

#[test]
fn requests_follow_the_route_and_the_contact_but_stay_inside_the_trunk() {
    for (route, peer) in [("192.0.2.9:5070", "192.0.2.9:5070"), ("10.0.0.1", "192.0.2.1:5060")] {
        let mut house = House::new();
        let more = format!("Record-Route: <sip:{route};lr>\r\n");
        let uri = "sip:3977@203.0.113.1";
        let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", uri, "", 1, &more, OFFER));
        house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
        let ok = house.take_sent().pop().unwrap();
        assert_eq!(header(&ok, "Record-Route"), Some(format!("<sip:{route};lr>").as_str()));
        house.hears(trunk(), &ack(&ok, 1));

        house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));

        let (flow, bye) = house.sent.pop().unwrap();
        assert!(bye.starts_with("BYE sip:0612345678@192.0.2.1:5060 "), "{bye}");
        assert_eq!(header(&bye, "Route"), Some(format!("<sip:{route};lr>").as_str()));
        assert_eq!(flow.peer, peer.parse::<SocketAddr>().unwrap());
    }
}

/// RFC 4787 §4.3: a router that forgets. The phone's next REGISTER says where the call goes on.
#[test]
fn a_call_goes_where_its_phone_registers_next() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "p1"));
    house.passes(secs(20));
    house.take_sent();

    let elsewhere = flow(Transport::Udp, "203.0.113.99:40000");
    house.registers_with(elsewhere, "<sip:lea@198.51.100.7:5060>", 600);
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));

    let (went, bye) = house.sent.pop().unwrap();
    assert!(bye.starts_with("BYE "), "{bye}");
    assert_eq!(went, elsewhere);
    house.hears(elsewhere, &answer(&bye, 200, "p1", "", ""));
    house.is_empty_in_the_end();
}

#[test]
fn a_phone_that_moved_hangs_up_from_where_it_is_and_nobody_else_does() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (_, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "p1"));
    let elsewhere = flow(Transport::Udp, "203.0.113.99:40000");
    let bye = theirs("BYE", &invite, "p1");

    house.passes(secs(20));
    house.take_sent();
    house.hears(elsewhere, &bye);
    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);

    house.registers_with(elsewhere, "<sip:lea@198.51.100.7:5060>", 600);
    house.hears(elsewhere, &bye.replace("z9hG4bKtheirs", "z9hG4bKagain"));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.is_empty_in_the_end();
}

/// A request of the phone's own, in the call that our INVITE began.
fn theirs(method: &str, invite: &str, tag: &str) -> String {
    let ours = |name: &str| header(invite, name).unwrap();
    format!(
        "{method} sip:hotline@203.0.113.1:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKtheirs;rport\r\n\
         Max-Forwards: 70\r\n\
         From: {};tag={tag}\r\n\
         To: {}\r\n\
         Call-ID: {}\r\n\
         CSeq: 1 {method}\r\n\
         Content-Length: 0\r\n\r\n",
        ours("To"),
        ours("From"),
        ours("Call-ID"),
    )
}
