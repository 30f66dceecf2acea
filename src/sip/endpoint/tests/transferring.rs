//! REFER from a listener's phone (RFC 3515), with Replaces (RFC 3891) and without.

use super::*;

/// RFC 3515 §2.4.2 to §2.4.5, RFC 3420.
#[test]
fn a_listeners_phone_asks_for_a_transfer_and_hears_how_it_goes() {
    let (mut house, dialog, invite) = picked_up();
    house.hears(desk(), &refer(&invite, 1, "Refer-To: <sip:0800000001@hotline.example>\r\n"));
    let to = TransferTo::Number("0800000001".into());
    assert_eq!(house.take_events(), [Event::TransferAsked { dialog, to }]);
    assert!(house.lines().is_empty(), "the floor above decides");

    house.does(|endpoint, now| endpoint.accept_transfer(dialog, now));
    let sent = house.take_sent();
    assert!(sent[0].starts_with("SIP/2.0 202 Accepted"), "{}", sent[0]);
    assert_eq!(header(&sent[1], "Event"), Some("refer"));
    assert_eq!(header(&sent[1], "Subscription-State"), Some("active;expires=60"));
    assert_eq!(header(&sent[1], "Content-Type"), Some("message/sipfrag;version=2.0"));
    assert!(sent[1].ends_with("\r\n\r\nSIP/2.0 100 Trying\r\n"), "{}", sent[1]);
    house.hears(desk(), &refer(&invite, 2, "Refer-To: <sip:0800000002@hotline.example>\r\n"));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"], "one at a time");

    house.does(|endpoint, now| endpoint.transfer_progressed(dialog, 180, now));
    assert!(house.take_sent()[0].ends_with("SIP/2.0 180 Ringing\r\n"));
    house.does(|endpoint, now| endpoint.transfer_progressed(dialog, 486, now));
    let last = house.take_sent().pop().unwrap();
    assert!(last.ends_with("SIP/2.0 486 Busy Here\r\n"), "{last}");
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=noresource"));
    house.does(|endpoint, now| endpoint.transfer_progressed(dialog, 200, now));
    assert!(house.lines().is_empty(), "the last word was said");

    house.hears(desk(), &refer(&invite, 3, "r: <sip:0800000002@hotline.example>\r\n"));
    house.does(|endpoint, now| endpoint.accept_transfer(dialog, now));
    assert_eq!(header(&house.take_sent()[1], "Event"), Some("refer;id=3"), "RFC 3515 §2.4.6");
}

/// A wish that is not granted leaves the call as it was.
#[test]
fn a_transfer_declined_is_603_and_the_call_goes_on() {
    let (mut house, dialog, invite) = picked_up();
    let refer = refer(&invite, 1, "Refer-To: <tel:+33800000001>\r\n");
    house.hears(desk(), &refer);
    let to = TransferTo::Number("+33800000001".into());
    assert_eq!(house.take_events(), [Event::TransferAsked { dialog, to }]);

    house.does(|endpoint, now| endpoint.decline_transfer(dialog, now));

    assert_eq!(house.lines(), ["SIP/2.0 603 Decline"]);
    house.hears(desk(), &refer);
    assert_eq!(house.lines(), ["SIP/2.0 603 Decline"], "the same again");
    house.does(|endpoint, now| endpoint.transfer_progressed(dialog, 200, now));
    assert!(house.lines().is_empty());
    assert!(house.take_events().is_empty());
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();
    house.hears(desk(), &answer(&bye, 200, "phone", "", ""));
    house.is_empty_in_the_end();
}

/// RFC 3891 §3 inside RFC 3515: the attended transfer names another call of the same phone.
#[test]
fn a_transfer_with_replaces_names_another_call_of_the_same_phone() {
    let (mut house, dialog, invite) = picked_up();
    let phone = house.endpoint.phones(&lea()).last().unwrap().phone;
    let (other, second) = house.rings(phone);
    house.hears(desk(), &picks_up(&second, "second"));
    house.take_events();
    house.lines();
    let call_id = header(&second, "Call-ID").unwrap().to_owned();
    let ours = header(&second, "From").unwrap().split(";tag=").nth(1).unwrap().to_owned();
    let replaces = |call: &str, to: &str, from: &str| {
        format!(
            "Refer-To: <sip:hotline@203.0.113.1?Replaces={call}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}>\r\n"
        )
    };
    for (cseq, text) in
        [(1, replaces(&call_id, &ours, "second")), (2, replaces(&call_id, "second", &ours))]
    {
        house.hears(desk(), &refer(&invite, cseq, &text));
        let to = TransferTo::Call(other);
        assert_eq!(house.take_events(), [Event::TransferAsked { dialog, to }]);
        house.does(|endpoint, now| endpoint.decline_transfer(dialog, now));
        house.lines();
    }

    let mine = header(&invite, "From").unwrap().split(";tag=").nth(1).unwrap();
    let own = replaces(header(&invite, "Call-ID").unwrap(), mine, "phone");
    for (cseq, text) in [(3, replaces(&call_id, "guess", "second")), (4, own)] {
        house.hears(desk(), &refer(&invite, cseq, &text));
        assert_eq!(house.lines(), ["SIP/2.0 603 Decline"], "{text}");
    }
    assert!(house.take_events().is_empty());
}

/// RFC 3891: nobody takes over a call that is not theirs.
#[test]
fn a_replaces_that_names_a_callers_call_is_declined() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    let phone = house.registers(desk());
    let (_, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "phone"));
    house.take_events();
    house.lines();
    let text = format!(
        "Refer-To: <sip:a@203.0.113.1?Replaces=call-1%3Bto-tag%3D{}%3Bfrom-tag%3Dcaller>\r\n",
        to_tag(&ok)
    );

    house.hears(desk(), &refer(&invite, 1, &text));

    assert_eq!(house.lines(), ["SIP/2.0 603 Decline"]);
    assert!(house.take_events().is_empty());
}

/// What is no wish for a call of ours is refused below, and nobody is troubled.
#[test]
fn a_refer_to_elsewhere_or_for_something_else_is_refused() {
    let (mut house, _, invite) = picked_up();
    for (cseq, more, line) in [
        (1, "", "SIP/2.0 400 Bad Request"),
        (2, "Refer-To: <<<\r\n", "SIP/2.0 400 Bad Request"),
        (3, "Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n", "SIP/2.0 400 Bad Request"),
        (4, "Refer-To: <sip:a@203.0.113.1;method=BYE>\r\n", "SIP/2.0 603 Decline"),
        (5, "Refer-To: <http://example.fr>\r\n", "SIP/2.0 416 Unsupported URI Scheme"),
        (6, "Require: multiple-refer\r\nRefer-To: <cid:x>\r\n", "SIP/2.0 420 Bad Extension"),
    ] {
        house.hears(desk(), &refer(&invite, cseq, more));
        assert_eq!(house.lines(), [line], "{more}");
    }
    assert!(house.take_events().is_empty());
}

/// RFC 4488; RFC 3892: who asked is known already, and a Referred-By changes nothing.
#[test]
fn a_phone_that_wants_no_news_of_its_transfer_gets_none() {
    let (mut house, dialog, invite) = picked_up();
    let more = "Refer-Sub: false\r\nRequire: norefersub\r\nReferred-By: <sip:max@hotline.example>\r\n\
                Refer-To: <sip:0800000001@hotline.example>\r\n";
    house.hears(desk(), &refer(&invite, 1, more));
    assert!(matches!(house.take_events().as_slice(), [Event::TransferAsked { .. }]));

    house.does(|endpoint, now| endpoint.accept_transfer(dialog, now));

    let sent = house.take_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(header(&sent[0], "Refer-Sub"), Some("false"));
    house.does(|endpoint, now| endpoint.transfer_progressed(dialog, 200, now));
    assert!(house.lines().is_empty());
}

/// Léa's phone was rung and has picked up.
fn picked_up() -> (House, DialogRef, String) {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "phone"));
    house.take_events();
    house.lines();
    (house, dialog, invite)
}

/// REFER in the dialog our INVITE made.
fn refer(invite: &str, cseq: u32, more: &str) -> String {
    let (from, to) = (header(invite, "To").unwrap(), header(invite, "From").unwrap());
    let call_id = header(invite, "Call-ID").unwrap();
    format!(
        "REFER sip:hotline@203.0.113.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKrefer{cseq};rport\r\n\
         Max-Forwards: 70\r\nFrom: {from};tag=phone\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} REFER\r\nContact: <sip:lea@198.51.100.7:5060>\r\n\
         {more}Content-Length: 0\r\n\r\n"
    )
}
