use std::net::SocketAddr;

use super::*;
use crate::sip::Transport;
use crate::sip::headers::{NameAddr, Via};
use crate::sip::uri::{Host, SipUri};

fn opening<'a>(via: &'a str, routes: &'a [String]) -> Opening<'a> {
    Opening {
        method: Method::Invite,
        uri: "sip:lea@192.0.2.7:5060;transport=udp",
        via,
        max_forwards: 70,
        routes,
        from: "\"3977\" <sip:3977@example.org>;tag=f1",
        to: "<sip:lea@example.org>",
        call_id: "c1",
        cseq: 7,
    }
}

fn source() -> SocketAddr {
    "[2001:db8::9]:5062".parse().unwrap()
}

#[test]
fn a_request_is_written_in_good_order_and_read_back_the_same() {
    let via = Via::ours(Transport::Udp, "192.0.2.1:5060", "z9hG4bKx");
    let routes = ["<sip:p@192.0.2.3;lr>".to_owned()];

    let request = RequestBuilder::new(opening(&via, &routes))
        .header(HeaderName::Contact, "<sip:192.0.2.1:5060>")
        .extension("X-Line", 3977)
        .body("application/sdp", b"v=0\r\n");

    assert_eq!(
        request.bytes(),
        "INVITE sip:lea@192.0.2.7:5060;transport=udp SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKx\r\n\
         Max-Forwards: 70\r\n\
         Route: <sip:p@192.0.2.3;lr>\r\n\
         From: \"3977\" <sip:3977@example.org>;tag=f1\r\n\
         To: <sip:lea@example.org>\r\n\
         Call-ID: c1\r\n\
         CSeq: 7 INVITE\r\n\
         Contact: <sip:192.0.2.1:5060>\r\n\
         X-Line: 3977\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: 5\r\n\
         \r\n\
         v=0\r\n"
    );
    let Message::Request(read) = wire::parse_datagram(request.bytes()).unwrap() else {
        panic!("a response");
    };
    assert_eq!((read.uri_text(), read.cseq()), (request.uri_text(), request.cseq()));
    assert_eq!(read.all().collect::<Vec<_>>(), request.all().collect::<Vec<_>>());
    assert_eq!(read.body(), request.body());
}

#[test]
fn a_response_says_back_what_the_request_said() {
    let text = "INVITE sip:3977@example.org SIP/2.0\r\n\
        Via: SIP/2.0/UDP h:5070;rport;branch=z9hG4bKa, SIP/2.0/TCP g;branch=z9hG4bKb\r\n\
        v: SIP/2.0/TLS f;branch=z9hG4bKc\r\n\
        Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n\
        f: <sip:a@h>;tag=f\r\nt: <sip:b@h>\r\ni: c\r\nCSeq: 1 INVITE\r\nTimestamp: 54\r\n\r\n";
    let Message::Request(request) = wire::parse_datagram(&Bytes::from(text)).unwrap() else {
        panic!("a response");
    };

    let trying = ResponseBuilder::new(&request, Status::TRYING, "t", source()).finish();
    let ok = ResponseBuilder::new(&request, Status::OK, "t", source())
        .record_routes(&request)
        .body("application/sdp", b"v=0");

    assert_eq!(
        trying.bytes(),
        "SIP/2.0 100 Trying\r\n\
         Via: SIP/2.0/UDP h:5070;branch=z9hG4bKa;received=2001:db8::9;rport=5062\r\n\
         Via: SIP/2.0/TCP g;branch=z9hG4bKb\r\n\
         Via: SIP/2.0/TLS f;branch=z9hG4bKc\r\n\
         From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
         Timestamp: 54\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(trying.via().unwrap().received(), Some(source().ip()));
    assert_eq!(ok.to_tag(), Some("t"));
    let routes = ok.record_routes().map(|route| route.unwrap().uri_text()).collect::<Vec<_>>();
    assert_eq!(routes, ["sip:p1;lr", "sip:p2;lr", "sip:p3;lr"]);
    assert_eq!(ok.phrase(), "OK");
    assert_eq!(wire::parse_datagram(ok.bytes()).unwrap(), Message::Response(ok));
}

#[test]
fn no_value_can_forge_a_line() {
    let request = RequestBuilder::new(Opening {
        uri: "sip:a@h SIP/2.0\r\nX: 1",
        from: "<sip:a@h>\r\nX: 2",
        call_id: "c\0\n\r",
        ..opening("SIP/2.0/UDP h;branch=z9hG4bKx", &[])
    })
    .header(HeaderName::Subject, "a\r\n\r\nb")
    .extension("X\r\nY", "c")
    .extension("Y: Z", "d")
    .header(HeaderName::Other, "e")
    .body("application/sdp\r\nX: 3", b"");

    assert!(!request.all().any(|(name, _)| name.starts_with(['X', 'Y'])));
    assert_eq!(request.header(HeaderName::Subject), Some("a    b"));
    assert_eq!(request.bytes().windows(4).filter(|four| four == b"\r\n\r\n").count(), 1);
    assert_eq!(request.uri_text(), "sip:a@h%20SIP/2.0%20%20X:%201");
}

/// RFC 8217 §3.
#[test]
fn an_address_is_always_written_with_brackets() {
    let uri = SipUri::new(Some("3977"), Host::Name("h".to_owned()), None).with_param("x", None);

    let text = NameAddr::write(Some("3977, 2 min d'\"attente\""), &uri, Some("t"));

    assert_eq!(text, r#""3977, 2 min d'\"attente\"" <sip:3977@h;x>;tag=t"#);
    let read = NameAddr::read(&text).unwrap();
    assert_eq!(read.display().unwrap(), "3977, 2 min d'\"attente\"");
    assert_eq!((read.tag(), read.uri().unwrap()), (Some("t"), Uri::Sip(uri)));
}

#[test]
fn nothing_about_people_is_in_a_debug_line() {
    let request = RequestBuilder::new(opening("SIP/2.0/UDP h;branch=z9hG4bKx", &[])).finish();
    let line = format!("{request:?} {}", Message::from(request.clone()));

    assert!(!line.contains("3977") && !line.contains("lea"), "{line}");
}
