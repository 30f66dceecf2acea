//! What is told beside the call: keys, causes, wishes to send it elsewhere, bodies of other worlds.

use super::*;

const URI: &str = "sip:hotline@203.0.113.1";

/// scenarios.md SC-28; RFC 3515: nobody from outside sends our callers anywhere.
#[test]
fn a_refer_from_a_trunk_is_forbidden() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    let tag = format!(";tag={}", to_tag(&ok));
    let more = "Refer-To: <sip:+33899000000@192.0.2.1>\r\n";

    house.hears(trunk(), &request("REFER", "z9hG4bKr", URI, &tag, 2, more, ""));
    assert_eq!(house.lines(), ["SIP/2.0 403 Forbidden"]);
    house.hears(trunk(), &request("REFER", "z9hG4bKs", URI, "", 1, more, ""));
    assert_eq!(house.lines(), ["SIP/2.0 403 Forbidden"]);
    let stranger = flow(Transport::Udp, "198.51.100.66:5060");
    house.hears(stranger, &request("REFER", "z9hG4bKt", URI, "", 1, more, ""));
    assert!(house.lines().is_empty(), "strangers hear nothing (domain.md T-03)");
    assert!(house.take_events().is_empty());
}

/// scenarios.md SC-28; RFC 3261 §8.1.3.4: a phone that wants the call elsewhere is a phone that
/// can't take it.
#[test]
fn a_302_from_a_phone_is_not_followed() {
    for status in [300, 301, 302, 305, 380] {
        let mut house = House::new();
        let phone = house.registers(desk());
        let (dialog, invite) = house.rings(phone);

        let elsewhere = "Contact: <sip:+33899000000@203.0.113.99>\r\n";
        house.hears(desk(), &answer(&invite, status, "phone", elsewhere, ""));

        assert!(house.lines().iter().all(|line| line.starts_with("ACK ")), "nothing else leaves");
        let why = Failure::Refused(480);
        assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }]);
        house.is_empty_in_the_end();
    }
}

/// RFC 3312, RFC 4032, RFC 5898 (precondition), RFC 3911 (join), RFC 5363 to RFC 5368 (lists), RFC 3329
/// (sec-agree): demanded they are 420, offered they are ignored.
#[test]
fn extensions_we_do_not_have_are_refused_when_demanded_and_ignored_when_offered() {
    for tag in [
        "precondition",
        "join",
        "multiple-refer",
        "recipient-list-invite",
        "recipient-list-subscribe",
        "recipient-list-message",
        "sec-agree",
        "answermode",
    ] {
        let mut house = House::new();
        let uri = "sip:3977@203.0.113.1";
        let demands = format!("Require: {tag}\r\n");
        house.hears(trunk(), &request("INVITE", "z9hG4bKa", uri, "", 1, &demands, OFFER));
        let refusal = house.take_sent().pop().unwrap();
        assert!(refusal.starts_with("SIP/2.0 420 Bad Extension"), "{refusal}");
        assert_eq!(header(&refusal, "Unsupported"), Some(tag));

        let offers = format!("Supported: {tag}\r\n");
        house.is_invited(&request("INVITE", "z9hG4bKb", uri, "", 1, &offers, OFFER));
    }
}

/// RFC 3372 and RFC 5621: ISUP beside the SDP is passed over, unless it says that it must be read.
#[test]
fn signalling_of_the_old_network_is_ignored_or_refused_as_it_asks() {
    for (handling, status) in [("optional", "100"), ("required", "415")] {
        let mut house = House::new();
        let body = format!(
            "--x\r\nContent-Type: application/isup;version=itu-t92+\r\n\
             Content-Disposition: signal;handling={handling}\r\n\r\nabc\r\n\
             --x\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--x--\r\n"
        );
        let text = request("INVITE", "z9hG4bKisup", "sip:3977@203.0.113.1", "", 1, "", &body)
            .replace(
                "Content-Type: application/sdp\r\nContent-Length",
                "Content-Type: multipart/mixed;boundary=x\r\nContent-Length",
            );

        house.hears(trunk(), &text);

        let sent = house.take_sent().pop().unwrap();
        assert!(sent.starts_with(&format!("SIP/2.0 {status}")), "{sent}");
        if status == "415" {
            assert_eq!(header(&sent, "Accept"), Some("application/sdp, multipart/mixed"));
        } else {
            let events = house.take_events();
            let [Event::Invited { offer: Some(offer), .. }] = events.as_slice() else {
                panic!("{events:?}");
            };
            assert_eq!(&offer[..], OFFER.as_bytes());
        }
    }
}

/// RFC 3853 and RFC 8591: S/MIME is nothing we read.
#[test]
fn a_sealed_body_is_unsupported() {
    let mut house = House::new();
    let text = invite("z9hG4bKsmime").replace("application/sdp", "application/pkcs7-mime");
    house.hears(trunk(), &text);
    assert_eq!(house.lines(), ["SIP/2.0 415 Unsupported Media Type"]);
}

/// domain.md §2.2: keys by INFO, as Cisco's and others' gateways send them.
#[test]
fn keys_told_by_info_are_keys() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    for (cseq, kind, body, digit) in [
        (2, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5'),
        (3, "application/dtmf", "#", '#'),
    ] {
        house.hears(trunk(), &info(&ok, cseq, kind, body));
        assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
        assert_eq!(house.take_events(), [Event::Pressed { dialog, digit }]);
        house.hears(trunk(), &info(&ok, cseq, kind, body));
        assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
        assert!(house.take_events().is_empty(), "a repetition is no second press");
    }
}

/// RFC 6086 §4.2.2: packages we don't have are 469, bodies we don't read 415.
#[test]
fn other_infos_are_refused_each_in_its_way() {
    let mut house = House::new();
    let (_, ok) = house.is_talking();
    house.hears(trunk(), &inside("INFO", "z9hG4bKempty", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "a sign of life");

    let tag = format!(";tag={}", to_tag(&ok));
    let package = "Info-Package: conference\r\n";
    house.hears(trunk(), &request("INFO", "z9hG4bKpack", URI, &tag, 3, package, ""));
    let refusal = house.take_sent().pop().unwrap();
    assert!(refusal.starts_with("SIP/2.0 469 Bad Info Package"), "{refusal}");
    assert_eq!(header(&refusal, "Recv-Info"), Some(""));

    house.hears(trunk(), &info(&ok, 4, "application/media_control+xml", "<x/>"));
    let refusal = house.take_sent().pop().unwrap();
    assert!(refusal.starts_with("SIP/2.0 415"), "{refusal}");
    assert!(header(&refusal, "Accept").unwrap().contains("application/dtmf-relay"));
    house.hears(trunk(), &info(&ok, 5, "application/dtmf-relay", "Signal=boom"));
    assert_eq!(house.lines(), ["SIP/2.0 400 Bad Request"]);
    house.hears(trunk(), &info(&ok, 6, "application/dtmf", &"5".repeat(5_000)));
    assert_eq!(house.lines(), ["SIP/2.0 415 Unsupported Media Type"]);
    assert!(house.take_events().is_empty());
}

/// RFC 3326: browsers end calls by themselves, and say that it was a failure.
#[test]
fn a_goodbye_that_is_a_failure_is_told_apart() {
    for reason in ["SIP ;cause=408; text=\"RTP Timeout\"", "SIP;cause=500"] {
        let mut house = House::new();
        let (dialog, ok) = house.is_talking();
        let tag = format!(";tag={}", to_tag(&ok));
        let reason = format!("Reason: {reason}\r\n");
        house.hears(trunk(), &request("BYE", "z9hG4bKb", URI, &tag, 2, &reason, ""));
        let events = house.take_events();
        assert!(
            matches!(events[..], [Event::Ended { dialog: whose, ending: Ending::Broke, .. }] if whose == dialog),
            "{events:?}"
        );
    }
}

/// RFC 3326: the cause in their BYE and CANCEL goes up, as far as it is one.
#[test]
fn the_cause_of_a_hang_up_is_told() {
    for (reason, expected) in [
        ("Reason: Q.850;cause=41;text=\"Temporary failure\"\r\n", Some(41)),
        ("Reason: SIP;cause=200, Q.850 ;cause=16;location=LN\r\n", Some(16)),
        ("Reason: Q.850;cause=500\r\n", None),
        ("Reason: SIP;cause=600\r\n", None),
        ("Reason: SIP;cause=480, Q.850;cause=16\r\n", Some(16)),
        ("Reason: Q.850\r\n", None),
        ("Reason: ;;;\r\n", None),
        ("", None),
    ] {
        let mut house = House::new();
        let (dialog, ok) = house.is_talking();
        let tag = format!(";tag={}", to_tag(&ok));
        house.hears(trunk(), &request("BYE", "z9hG4bKb", URI, &tag, 2, reason, ""));
        let ended = Event::Ended { dialog, ending: Ending::HungUp, cause: expected };
        assert_eq!(house.take_events(), [ended], "{reason}");

        let mut house = House::new();
        let dialog = house.is_invited(&invite("z9hG4bKone"));
        let uri = "sip:3977@203.0.113.1";
        house.hears(trunk(), &request("CANCEL", "z9hG4bKone", uri, "", 1, reason, ""));
        let ended = Event::Ended { dialog, ending: Ending::Cancelled, cause: expected };
        assert_eq!(house.take_events(), [ended], "{reason}");
    }
}

/// RFC 6432: the cause in a refusal of our INVITE goes up too, and ours carry one.
#[test]
fn the_cause_of_a_refusal_is_told_both_ways() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 486, "phone", "Reason: Q.850;cause=17\r\n", ""));
    let why = Failure::Refused(486);
    assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: Some(17) }]);

    for (refusal, cause) in [
        (Refusal::Overload, 17),
        (Refusal::NotFound, 1),
        (Refusal::TemporarilyUnavailable, 18),
        (Refusal::NotAcceptableHere, 65),
    ] {
        let mut house = House::new();
        let dialog = house.is_invited(&super::invite("z9hG4bKone"));
        house.does(|endpoint, now| endpoint.refuse(dialog, refusal, now));
        let sent = house.take_sent().pop().unwrap();
        let expected = format!("Q.850;cause={cause};");
        assert!(header(&sent, "Reason").is_some_and(|it| it.starts_with(&expected)), "{sent}");
    }
}

/// RFC 5057 §5.1: a refusal that is about the dialog makes us ask whether anybody is there; one that
/// is about the request doesn't.
#[test]
fn a_refusal_that_ends_dialogs_is_doubted_before_it_ends_a_call() {
    for (status, asks) in [(404, true), (480, true), (604, true), (403, false), (488, false)] {
        let mut house = House::new();
        let (dialog, _) = house.is_talking();
        house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
        let ours = house.take_sent().pop().unwrap();
        house.hears(trunk(), &answer(&ours, status, "caller", "", ""));
        assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: None }]);
        let options = house.take_sent().pop().filter(|text| text.starts_with("OPTIONS "));
        assert_eq!(options.is_some(), asks, "{status}");
        if let Some(options) = options {
            house.hears(trunk(), &answer(&options, 481, "caller", "", ""));
            let ended = Event::Ended { dialog, ending: Ending::Lost, cause: None };
            assert_eq!(house.take_events(), [ended]);
        }
    }
}

/// RFC 6337 §2.2: offers stand in INVITE, 200, PRACK, UPDATE and ACK; anywhere else they are nothing.
#[test]
fn a_description_where_none_belongs_is_not_an_offer() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.hears(trunk(), &inside("OPTIONS", "z9hG4bKo", &ok, 2, NEW_OFFER));
    house.hears(trunk(), &inside("ACK", "z9hG4bKlate", &ok, 1, NEW_OFFER));
    assert!(house.take_events().is_empty());

    house.hears(trunk(), &inside("BYE", "z9hG4bKb", &ok, 3, NEW_OFFER));
    let ended = Event::Ended { dialog, ending: Ending::HungUp, cause: None };
    assert_eq!(house.take_events(), [ended]);
}

/// RFC 6141 §3 and §4.8: a re-INVITE that fails leaves media and target as they were; one that
/// succeeds moves the target.
#[test]
fn a_declined_reinvite_rolls_the_target_back() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    let moved = |cseq, sdp: &str| {
        inside("INVITE", &format!("z9hG4bKre{cseq}"), &ok, cseq, sdp)
            .replace("<sip:0612345678@192.0.2.1:5060>\r\nC", "<sip:elsewhere@192.0.2.7:5070>\r\nC")
    };
    house.hears(trunk(), &moved(2, NEW_OFFER));
    house.does(|endpoint, now| endpoint.decline(dialog, Refusal::NotAcceptableHere, now));
    house.hears(trunk(), &inside("ACK", "z9hG4bKre2", &ok, 2, ""));
    house.take_sent();
    house.does(|endpoint, now| endpoint.probe(dialog, now));
    assert!(house.lines()[0].starts_with("OPTIONS sip:0612345678@192.0.2.1:5060 "));
    // What was agreed before is agreed still.
    house.hears(trunk(), &inside("INVITE", "z9hG4bKsame", &ok, 3, OFFER));
    assert!(house.take_sent()[1].ends_with(ANSWER));
    house.hears(trunk(), &ack(&ok, 3));
    house.take_events();

    house.hears(trunk(), &moved(4, NEW_OFFER));
    house.does(|endpoint, now| endpoint.answer(dialog, ANSWER.into(), now));
    house.hears(trunk(), &ack(&ok, 4));
    house.take_sent();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    assert!(house.lines()[0].starts_with("BYE sip:elsewhere@192.0.2.7:5070 "));
}

fn info(ok: &str, cseq: u32, kind: &str, body: &str) -> String {
    let branch = format!("z9hG4bKinfo{cseq}");
    inside("INFO", &branch, ok, cseq, body).replace("application/sdp", kind)
}
