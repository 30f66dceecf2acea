use std::net::SocketAddr;

use super::*;
use crate::sip::message::{HeaderName, Method, Request, Status};

const OPTIONS: &str = "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa;rport\r\n\
    From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";

fn with_body(body: &str) -> String {
    format!("{OPTIONS}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn request(text: &str) -> Request {
    match parse_datagram(&Bytes::copy_from_slice(text.as_bytes())).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

fn frames(framer: &mut Framer) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(frame) = framer.pop().unwrap() {
        found.push(match frame {
            Frame::Message(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Frame::Ping => "ping".to_owned(),
        });
    }
    found
}

#[test]
fn a_stream_is_cut_into_messages_and_pings() {
    let (one, two) = (with_body("hello\r\n\r\n"), with_body(""));
    let mut framer = Framer::new();

    framer.push(format!("\r\n\r\n{one}\r\n{two}\r\n\r\n\r\n").as_bytes());

    assert_eq!(frames(&mut framer), ["ping", &one, &two, "ping"]);
    assert!(!framer.is_in_message());
    framer.push(b"\r\nOPT");
    assert_eq!(frames(&mut framer), ["ping"]);
    assert!(framer.is_in_message());
}

#[test]
fn a_content_length_in_compact_or_folded_form_is_found() {
    for length in ["l: 2", "CONTENT-LENGTH\t:2", "Content-Length:\r\n 2", "X: a\r\n b\r\nl:2"] {
        let message = format!("{OPTIONS}{length}\r\n\r\nab");
        let mut framer = Framer::new();

        framer.push(message.as_bytes());
        framer.push(b"SIP/2.0");

        assert_eq!(frames(&mut framer), [message]);
    }
}

#[test]
fn a_stream_whose_messages_have_no_clear_end_is_lost() {
    let long = "X: ".to_owned() + &"x".repeat(MESSAGE_MAX);
    for text in [
        format!("{OPTIONS}\r\n"),
        format!("{OPTIONS}l: 2\r\nContent-Length: 2\r\n\r\n"),
        format!("{OPTIONS}l: two\r\n\r\n"),
        format!("{OPTIONS}l: -2\r\n\r\n"),
        format!("{OPTIONS}l: 65535\r\n\r\n"),
        format!("{OPTIONS}l: 99999999999999999999999\r\n\r\n"),
        format!("{OPTIONS}{long}"),
        "\rx".to_owned(),
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
    ] {
        let mut framer = Framer::new();
        framer.push(text.as_bytes());

        assert_eq!(framer.pop(), Err(Lost), "{}", &text[..text.len().min(300)]);
    }
}

#[test]
fn a_malformed_request_is_answered_with_what_it_said() {
    let text = with_body("").replace("Content-Length: 0", "Content-Length: -1");
    let malformed = parse_datagram(&Bytes::from(text)).unwrap_err();
    let source: SocketAddr = "192.0.2.9:5062".parse().unwrap();

    let answer = malformed.answer("t1", source).unwrap();

    assert_eq!(malformed.fault(), Fault::Unreadable(HeaderName::ContentLength));
    assert_eq!(
        answer.bytes(),
        "SIP/2.0 400 Bad Request\r\n\
         Via: SIP/2.0/TCP h;branch=z9hG4bKa;received=192.0.2.9;rport=5062\r\n\
         From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>;tag=t1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    assert_eq!(parse_datagram(answer.bytes()).unwrap(), Message::Response(answer));
}

#[test]
fn a_value_that_stands_before_the_colon_of_another_is_not_read_twice() {
    let request = request(&with_body("").replace("Call-ID: c", "X: y\r\n  To: <sip:x@y>\r\ni: c"));

    assert_eq!(request.to().unwrap().uri_text(), "sip:b@h");
    assert_eq!(request.extension("X"), Some("y To: <sip:x@y>"));
}

#[test]
fn what_is_read_says_what_was_written() {
    let request =
        request(&with_body("v=0").replace("CSeq", "k: timer, 100rel\r\nRequire: x\r\nCSeq"));

    assert_eq!(request.method(), &Method::Options);
    assert_eq!(request.supported().collect::<Vec<_>>(), ["timer", "100rel"]);
    assert!(request.knows("100REL") && request.knows("x") && !request.knows("y"));
    assert_eq!(request.body(), "v=0");
    assert_eq!(request.max_forwards(), None);
    assert_eq!(Status(299).phrase(), "OK");
}
