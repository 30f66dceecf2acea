//! The torture messages of RFC 4475 and RFC 5118, and a table of malformed heads of our own, each
//! with the verdict of the text layer.
//!
//! The text layer lets a message in, answers it with a status of its own, or drops it. What the
//! floors above make of a message that was let in (420, 416, 483, …) stands beside it as a note.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod differences;
mod heads;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use hotline::sip::message::{HeaderName, Message, Method, Request};
use hotline::sip::wire::parse_datagram;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Read,
    Answered(u16),
    Dropped,
}
use Verdict::{Answered, Dropped, Read};

/// RFC 4475, in the order of its sections.
const RFC_4475: &[(&str, Verdict)] = &[
    // 3.1.1: valid messages.
    ("wsinv", Read),
    ("intmeth", Read), // endpoint: 405, the method is not ours
    ("esc01", Read),
    ("escnull", Read),
    ("esc02", Read), // endpoint: 405
    ("lwsdisp", Read),
    ("longreq", Read),
    ("dblreq", Read), // the second request in the datagram is not ours to read
    ("semiuri", Read),
    ("transports", Read),
    ("mpart01", Read), // endpoint: 405, MESSAGE is not ours
    ("unreason", Read),
    ("noreason", Read),
    // 3.1.2: invalid messages.
    ("badinv01", Answered(400)),
    ("clerr", Answered(400)),
    ("ncl", Answered(400)),
    ("scalar02", Answered(400)),
    ("scalarlg", Dropped),
    ("quotbal", Answered(400)),
    ("ltgtruri", Answered(400)),
    ("lwsruri", Answered(400)),
    ("lwsstart", Answered(400)),
    ("trws", Answered(400)),
    ("escruri", Answered(400)),
    ("baddate", Read), // Date is not looked at
    ("regbadct", Answered(400)),
    ("badaspec", Answered(400)),
    ("baddn", Answered(400)),
    ("badvers", Answered(505)),
    ("mismatch01", Answered(400)),
    ("mismatch02", Answered(400)),
    ("bigcode", Dropped),
    // 3.2: transaction layer.
    ("badbranch", Read), // transactions: matched as in RFC 2543, the branch promises nothing
    // 3.3: application layer.
    ("insuf", Answered(400)),
    ("unkscm", Read),   // endpoint: 416
    ("novelsc", Read),  // endpoint: 416
    ("unksm2", Read),   // endpoint: REGISTER for no account of ours
    ("bext01", Read),   // endpoint: 420
    ("invut", Read),    // endpoint: 415
    ("regaut01", Read), // endpoint: 401, the scheme is not Digest
    ("multi01", Answered(400)),
    ("mcl01", Answered(400)),
    ("bcast", Read),  // transactions: no such transaction, dropped
    ("zeromf", Read), // endpoint: 200 to OPTIONS for us, 483 otherwise
    ("cparam01", Read),
    ("cparam02", Read),
    ("regescrt", Read),
    ("sdp01", Read), // media: 488
    // 3.4: backward compatibility.
    ("inv2543", Read),
];

/// RFC 5118, section 4.
const RFC_5118: &[(&str, Verdict)] = &[
    ("ipv6-good", Read),
    ("ipv6-bad", Answered(400)),
    ("port-ambiguous", Read),
    ("port-unambiguous", Read),
    ("via-received-param-with-delim", Read),
    ("via-received-param-no-delim", Read),
    ("ipv6-in-sdp", Read),
    ("mult-ip-in-header", Read),
    ("mult-ip-in-sdp", Read),
    ("ipv4-mapped-ipv6", Read),
    ("ipv6-bug-abnf-3-colons", Read),
    ("ipv6-correct-abnf-2-colons", Read),
];

fn peer() -> SocketAddr {
    "192.0.2.99:5066".parse().unwrap()
}

fn verdict(bytes: &[u8]) -> Verdict {
    match parse_datagram(&Bytes::copy_from_slice(bytes)) {
        Ok(_) => Read,
        Err(malformed) => {
            let answer = malformed.answer("t", peer());
            assert_eq!(answer.as_ref().map(|answer| answer.status()), malformed.status());
            answer.map_or(Dropped, |answer| Answered(answer.status().0))
        }
    }
}

fn file(rfc: &str, name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture").join(rfc);
    fs::read(folder.join(name).with_extension("dat")).unwrap()
}

fn message(rfc: &str, name: &str) -> Message {
    parse_datagram(&Bytes::from(file(rfc, name))).unwrap()
}

fn request(rfc: &str, name: &str) -> Request {
    match message(rfc, name) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a response"),
    }
}

/// RFC 4475 and RFC 5118.
#[test]
fn every_torture_message_gets_its_verdict() {
    let mut faults = Vec::new();
    for (rfc, table) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        for (name, expected) in table {
            let bytes = file(rfc, name);
            let found = verdict(&bytes);
            if found != *expected {
                let why = parse_datagram(&Bytes::from(bytes)).err().map(|it| it.fault());
                faults.push(format!("{rfc} {name}: {found:?} {why:?}, should be {expected:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_torture_message_stands_in_the_table() {
    for (rfc, table) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture").join(rfc);
        let found = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "dat"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>();
        let known = table.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(found, known);
    }
}

#[test]
fn what_the_valid_messages_say_is_read_right() {
    let wsinv = request("rfc4475", "wsinv");
    assert_eq!(wsinv.method(), &Method::Invite);
    assert_eq!(wsinv.to().unwrap().tag(), Some("1918181833n"));
    assert_eq!(wsinv.from().unwrap().display().unwrap(), r#"J Rosenberg \""#);
    assert_eq!(wsinv.from_tag(), Some("98asjd8"));
    assert_eq!(wsinv.max_forwards(), Some(68));
    assert_eq!(wsinv.cseq().number, 9);
    assert_eq!(wsinv.vias().count(), 3);
    assert_eq!(wsinv.via().unwrap().branch(), Some("390skdjuw"));
    assert_eq!(wsinv.header(HeaderName::Subject), Some(""));
    assert_eq!(
        wsinv.routes().next().unwrap().unwrap().uri_text(),
        "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    );
    assert_eq!(wsinv.contact().unwrap().params().get("newparam"), Some("newvalue"));
    assert_eq!(wsinv.body().len(), 150);

    let intmeth = request("rfc4475", "intmeth");
    assert_eq!(intmeth.cseq().method, *intmeth.method());
    assert_eq!(intmeth.to().unwrap().display().unwrap(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    assert_eq!(intmeth.from_tag(), Some("_token~1'+`*%!-."));
    assert_eq!(intmeth.extension("EXTENSIONHEADER-!.%*+_`'~"), Some("\u{feff}大停電"));

    let esc01 = request("rfc4475", "esc01");
    assert_eq!(esc01.uri().unwrap().dialled(), "sips:user@example.com");

    let escnull = request("rfc4475", "escnull");
    assert_eq!(escnull.to().unwrap().uri().unwrap().dialled(), "null-\0-null");
    assert_eq!(escnull.contacts().count(), 2);

    let lwsdisp = request("rfc4475", "lwsdisp");
    assert_eq!(lwsdisp.from().unwrap().display().unwrap(), "caller");

    let longreq = request("rfc4475", "longreq");
    assert_eq!(longreq.vias().count(), 34);

    let dblreq = request("rfc4475", "dblreq");
    assert_eq!(dblreq.method(), &Method::Register);
    assert_eq!(dblreq.body().len(), 0);
    assert!(dblreq.bytes().ends_with(b"\r\n\r\n"));

    let semiuri = request("rfc4475", "semiuri");
    assert_eq!(semiuri.uri_text(), "sip:user;par=u%40example.net@example.com");
    assert_eq!(semiuri.uri().unwrap().dialled(), "user");

    let transports = request("rfc4475", "transports");
    let names = transports.vias().map(|via| via.unwrap().transport_text()).collect::<Vec<_>>();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);

    let regescrt = request("rfc4475", "regescrt");
    assert!(regescrt.contact().unwrap().uri_text().contains("?Route=%3C"));

    let cparam01 = request("rfc4475", "cparam01");
    assert_eq!(cparam01.contact().unwrap().params().get("unknownparam"), Some(""));
    let cparam02 = request("rfc4475", "cparam02");
    assert!(cparam02.contact().unwrap().uri().unwrap().has_param("unknownparam"));
}

/// RFC 5118 §4.
#[test]
fn ipv6_is_read_right() {
    let unclear = request("rfc5118", "port-ambiguous").uri().unwrap();
    assert_eq!(unclear.host().unwrap().to_string(), "[2001:db8::10:5070]");
    let clear = request("rfc5118", "port-unambiguous").uri().unwrap();
    assert_eq!(clear.to_string(), "sip:[2001:db8::10]:5070");
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let received = request("rfc5118", name).via().unwrap().received();
        assert_eq!(received, Some("2001:db8::9:255".parse().unwrap()), "{name}");
    }
    let mapped = request("rfc5118", "ipv4-mapped-ipv6");
    assert_eq!(mapped.via().unwrap().host(), "[::ffff:192.0.2.10]");
    assert_eq!(mapped.via().unwrap().port(), Some(19823));
}

#[test]
fn a_message_that_was_read_is_the_bytes_that_came_and_survives_a_snapshot() {
    for (rfc, table) in [("rfc4475", RFC_4475), ("rfc5118", RFC_5118)] {
        for (name, _) in table.iter().filter(|(_, verdict)| *verdict == Read) {
            let message = message(rfc, name);
            assert!(file(rfc, name).starts_with(message.bytes()), "{name}");
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message, "{name}");
        }
    }
}
