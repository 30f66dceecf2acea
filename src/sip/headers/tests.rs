use super::*;
use crate::sip::message::Method;

/// RFC 3261 §12.2.1.1.
#[test]
fn a_request_inside_a_dialog_passes_loose_and_strict_routers_as_the_rfc_says() {
    let routes =
        |values: &[&str]| serde_json::from_value::<RouteSet>(serde_json::json!(values)).unwrap();
    let target = "sip:lea@192.0.2.7";

    let (uri, route) = routes(&[]).towards(target);
    assert_eq!((uri.as_str(), route.len()), (target, 0));

    let loose = routes(&["<sip:p1;lr>", "<sip:p2>"]);
    assert_eq!(
        loose.towards(target),
        (target.to_owned(), vec!["<sip:p1;lr>".to_owned(), "<sip:p2>".to_owned()])
    );
    assert_eq!(loose.next_hop(target).unwrap().to_string(), "sip:p1;lr");

    let strict = routes(&["<sip:p1>", "<sip:p2;lr>"]);
    assert_eq!(
        strict.towards(target),
        ("sip:p1".to_owned(), vec!["<sip:p2;lr>".to_owned(), "<sip:lea@192.0.2.7>".to_owned()])
    );
}

/// RFC 3581 §4; RFC 3261 §18.2.2.
#[test]
fn a_via_says_where_the_answer_goes() {
    let source = "198.51.100.1:40000".parse().unwrap();
    for (text, expected) in [
        ("SIP/2.0/UDP h;branch=x;rport", "198.51.100.1:40000"),
        ("SIP/2.0/UDP h:5070;branch=x", "198.51.100.1:5070"),
        ("SIP/2.0/UDP h;branch=x;maddr=203.0.113.5", "198.51.100.1:5060"),
    ] {
        let via = Via::read(text).unwrap();
        assert_eq!(
            via.answer_address(source),
            expected.parse::<std::net::SocketAddr>().unwrap(),
            "{text}"
        );
    }
    let same = Via::read("SIP/2.0/UDP 198.51.100.1:5070;branch=x;received=1.2.3.4").unwrap();
    assert_eq!(same.answering(source, None).to_string(), "SIP/2.0/UDP 198.51.100.1:5070;branch=x");
}

#[test]
fn a_branch_is_unique_only_with_the_cookie_and_something_after_it() {
    for (branch, is_unique) in
        [("z9hG4bKa", true), ("Z9HG4BKa", true), ("z9hG4bK", false), ("1", false)]
    {
        let text = format!("SIP/2.0/UDP h;branch={branch}");
        assert_eq!(Via::read(&text).unwrap().unique_branch().is_some(), is_unique, "{branch}");
    }
}

#[test]
fn small_values_are_read_and_written() {
    let reason = Reason::read("Q.850 ;cause=16;text=\"Normal \\\"call\\\" clearing\"").unwrap();
    assert_eq!((reason.protocol.as_str(), reason.cause), ("Q.850", Some(16)));
    assert_eq!(reason.to_string(), "Q.850;cause=16;text=\"Normal \\\"call\\\" clearing\"");

    let warning = Warning::read("305 example.org \"Incompatible media format\"").unwrap();
    assert_eq!(warning.to_string(), "305 example.org \"Incompatible media format\"");
    assert_eq!(Warning::read("305 example.org \""), None);

    let retry = RetryAfter::read("120 (I'm in a meeting);duration=3600").unwrap();
    assert_eq!(retry, RetryAfter { seconds: 120, duration: Some(3600) });
    assert_eq!(RetryAfter::read("soon"), None);

    let session = SessionExpires::read("1800 ; refresher=UAC").unwrap();
    assert_eq!(session.to_string(), "1800;refresher=uac");

    let rack = RAck::read("776656 1 INVITE").unwrap();
    assert_eq!((rack.rseq, rack.cseq.method), (776_656, Method::Invite));

    let kind = ContentType::read("Application/SDP ; charset=utf-8").unwrap();
    assert!(kind.is("application", "sdp"));
    assert_eq!(ContentType::read("application"), None);

    assert_eq!(seconds("99999999999999999999"), Some(u32::MAX));
    assert_eq!(seconds("-1"), None);
}

#[test]
fn q_is_read_in_thousandths() {
    for (q, expected) in [
        ("1", Some(1000)),
        ("0", Some(0)),
        ("0.5", Some(500)),
        ("0.05", Some(50)),
        ("1.000", Some(1000)),
        ("1.1", None),
        ("2", None),
        ("0.1234", None),
        ("0.-1", None),
    ] {
        let text = format!("<sip:a@h>;q={q}");
        assert_eq!(NameAddr::read(&text).unwrap().q(), expected, "{q}");
    }
}

/// RFC 8217 §3.
#[test]
fn addresses_that_could_be_read_two_ways_are_refused() {
    for text in [
        "",
        "<>",
        "<sip:a@h",
        "sip:a@h>",
        "\"a <sip:a@h>",
        "a\"b\" <sip:a@h>",
        "<sip:a@h>x",
        "sip:a@h?x=y",
        "sip:a@h,sip:b@h",
        "a@b <sip:a@h>",
        "<sip:a@h>;",
        "\"a\" sip:a@h",
        "\"a\"\"b\" <sip:a@h>",
        "<<sip:a@h>>",
    ] {
        assert!(NameAddr::read(text).is_err(), "{text}");
    }
}
