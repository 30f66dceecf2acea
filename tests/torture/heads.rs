//! Malformed heads and the verdict on each (domain.md T-05, T-06): one good request, changed in one
//! place. A head that two readers could understand differently is refused.

use super::{Answered, Dropped, Read, Verdict, verdict};

const GOOD: &str = "INVITE sip:3977@example.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"Anna\" <sip:+33600000000@example.net>;tag=f1\r\n\
    To: <sip:3977@example.org>\r\n\
    Call-ID: a84b4c76e66710@example.net\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:anna@192.0.2.1:5060>\r\n\
    Subject: none\r\n\
    Content-Length: 4\r\n\
    \r\n\
    v=0\n";

const REPLY: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n\
    From: <sip:a@example.net>;tag=f1\r\n\
    To: <sip:b@example.org>;tag=t1\r\n\
    Call-ID: a84b4c76e66710@example.net\r\n\
    CSeq: 1 INVITE\r\n\
    Content-Length: 0\r\n\
    \r\n";

/// What is replaced, by what, and what becomes of it. Each piece stands in [`GOOD`] once.
const REQUESTS: &[(&str, &str, Verdict)] = &[
    // The first line.
    ("INVITE sip", "INVITE  sip", Answered(400)),
    ("INVITE sip", " INVITE sip", Dropped),
    ("INVITE sip", "\tINVITE sip", Dropped),
    ("INVITE sip", "INV(ITE sip", Dropped),
    ("INVITE sip", "\r\n\r\nINVITE sip", Read),
    ("INVITE sip:3977@example.org", "invite sip:3977@example.org", Answered(400)),
    ("org SIP/2.0", "org\tSIP/2.0", Answered(400)),
    ("org SIP/2.0", "org SIP/2.0 ", Answered(400)),
    ("org SIP/2.0", "org sip/2.0", Read),
    ("org SIP/2.0", "org SIP/3.0", Answered(505)),
    ("org SIP/2.0", "org SIP/2.x", Answered(400)),
    ("org SIP/2.0", "org HTTP/1.1", Dropped),
    ("org SIP/2.0", "org", Dropped),
    ("INVITE sip:3977@example.org", "INVITE <sip:3977@example.org>", Answered(400)),
    ("INVITE sip:3977@example.org", "INVITE 3977", Answered(400)),
    ("INVITE sip:3977@example.org", "INVITE sip:3977@2001:db8::1", Answered(400)),
    ("INVITE sip:3977@example.org", "INVITE sip:3977@example.org?Subject=x", Answered(400)),
    ("INVITE sip:3977@example.org", "INVITE tel:3977", Read),
    ("INVITE sip:3977@example.org", "INVITE urn:service:sos", Read),
    // Line ends and control characters.
    ("Subject: none\r\n", "Subject: none\n", Answered(400)),
    ("Subject: none\r\n", "Subject: none\r", Answered(400)),
    ("Subject: none", "Subject: no\rne", Answered(400)),
    ("Subject: none", "Subject: no\r\r\nX: y", Answered(400)),
    ("Subject: none", "Subject: no\0ne", Answered(400)),
    ("Subject: none", "Subject: no\u{7f}ne", Answered(400)),
    ("Subject: none", "Subject: no\u{1b}[31mne", Answered(400)),
    ("Subject: none", "Subject: \tno\tne\t", Read),
    ("Subject: none", "Subject: no\r\n ne", Read),
    ("Subject: none", "Subject: no\r\n \r\n ne", Read),
    ("Subject: none", "Subject:", Read),
    ("Via: ", " Via: ", Dropped), // continues nothing, so there is no Via
    // Before the colon (AST-2016-009).
    ("Subject: none", "Subject : none", Read),
    ("Subject: none", "Subject\t: none", Read),
    ("Subject: none", "Subject\u{a0}: none", Answered(400)),
    ("Subject: none", "To\u{1}: <sip:x@y>", Answered(400)),
    ("Subject: none", "To\u{b}: <sip:x@y>", Answered(400)),
    ("Subject: none", "Sub ject: none", Answered(400)),
    ("Subject: none", "Subject none", Answered(400)),
    ("Subject: none", ": none", Answered(400)),
    ("Subject: none", "\"Subject\": none", Answered(400)),
    // Once only.
    ("Subject: none", "CSeq: 1 INVITE", Answered(400)),
    ("Subject: none", "i: another", Answered(400)),
    ("Subject: none", "t: <sip:x@y>", Answered(400)),
    ("Subject: none", "FROM: <sip:x@y>;tag=x", Answered(400)),
    ("Subject: none", "Max-Forwards: 70", Answered(400)),
    ("Subject: none", "l: 4", Answered(400)),
    ("Subject: none", "Content-Length : 4", Answered(400)),
    ("Subject: none", "Subject: none\r\nSubject: none", Read),
    // Content-Length.
    ("Content-Length: 4", "Content-Length: 5", Answered(400)),
    ("Content-Length: 4", "Content-Length: 3", Read),
    ("Content-Length: 4", "Content-Length: -4", Answered(400)),
    ("Content-Length: 4", "Content-Length: +4", Answered(400)),
    ("Content-Length: 4", "Content-Length: 4, 4", Answered(400)),
    ("Content-Length: 4", "Content-Length: 0x4", Answered(400)),
    ("Content-Length: 4", "Content-Length: ", Answered(400)),
    ("Content-Length: 4", "Content-Length: 99999999999999999999999999", Answered(400)),
    ("Content-Length: 4", "X: y", Read),
    // What must be there.
    ("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n", "", Dropped),
    ("CSeq: 1 INVITE\r\n", "", Dropped),
    ("From: \"Anna\" <sip:+33600000000@example.net>;tag=f1\r\n", "", Answered(400)),
    ("To: <sip:3977@example.org>\r\n", "", Answered(400)),
    ("Call-ID: a84b4c76e66710@example.net\r\n", "", Answered(400)),
    ("Max-Forwards: 70\r\n", "", Read),
    ("Max-Forwards: 70", "Max-Forwards: 256", Answered(400)),
    ("Max-Forwards: 70", "Max-Forwards: -1", Answered(400)),
    ("Max-Forwards: 70", "Max-Forwards: 7 0", Answered(400)),
    ("Call-ID: a84b4c76e66710", "Call-ID: a b", Answered(400)),
    ("Call-ID: a84b4c76e66710@example.net", "Call-ID:", Answered(400)),
    // CSeq.
    ("CSeq: 1 INVITE", "CSeq: 1 BYE", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: 1 invite", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: 1\tINVITE", Read),
    ("CSeq: 1 INVITE", "CSeq: INVITE", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: -1 INVITE", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: 1 INVITE INVITE", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE", Answered(400)),
    ("CSeq: 1 INVITE", "CSeq: 2147483647 INVITE", Read),
    ("CSeq: 1 INVITE", "CSeq: 0001 INVITE", Read),
    // Via.
    ("Via: SIP/2.0/UDP 192.0.2.1:5060", "Via: SIP/2.0/UDP", Answered(400)),
    ("Via: SIP/2.0/UDP 192.0.2.1:5060", "Via: SIP / 2.0 / UDP 192.0.2.1 : 5060 ", Read),
    ("Via: SIP/2.0/UDP 192.0.2.1:5060", "Via: SIP/2.0/UDP 192.0.2.1:0", Answered(400)),
    ("Via: SIP/2.0/UDP 192.0.2.1:5060", "Via: SIP/2.0/UDP 192.0.2.1:65536", Answered(400)),
    ("Via: SIP/2.0/UDP 192.0.2.1:5060", "Via: SIP/2.0/UDP 2001:db8::1", Answered(400)),
    (";branch=z9hG4bKabc;rport", ";branch=z9hG4bKabc;;rport", Answered(400)),
    (";branch=z9hG4bKabc;rport", ";branch=z9hG4bKabc, SIP/2.0/UDP", Answered(400)),
    (";branch=z9hG4bKabc;rport", "", Read),
    // Addresses.
    ("From: \"Anna\" <", "From: \"Anna <", Answered(400)),
    ("From: \"Anna\" <", "From: \"Anna\" \"Eve\" <", Answered(400)),
    ("From: \"Anna\" <", "From: Anna, Eve <", Answered(400)),
    ("From: \"Anna\" <", "From: L\u{e9}a <", Read),
    ("From: \"Anna\" <", "From: ", Answered(400)), // the > has no <
    ("example.net>;tag=f1", "example.net;tag=f1", Answered(400)),
    ("example.net>;tag=f1", "example.net> tag=f1", Answered(400)),
    ("To: <sip:3977@example.org>", "To: < sip:3977@example.org >", Answered(400)),
    ("To: <sip:3977@example.org>", "To: <sip:3977@example.org><sip:x@y>", Answered(400)),
    ("To: <sip:3977@example.org>", "To: sip:3977@example.org;user=phone", Read),
    ("To: <sip:3977@example.org>", "To: sip:3977@example.org, <sip:x@y>", Answered(400)),
    ("To: <sip:3977@example.org>", "To: tel:3977", Read),
    ("Contact: <sip:anna@192.0.2.1:5060>", "Contact: anna", Answered(400)),
    ("Contact: <sip:anna@192.0.2.1:5060>", "Contact: *", Read),
    ("Subject: none", "Record-Route: <sip:p@h;lr", Answered(400)),
    ("Subject: none", "Route: sip:p@h;lr, , <sip:q@h;lr>", Read),
];

const RESPONSES: &[(&str, &str, Verdict)] = &[
    ("200 OK", "200", Read),
    ("200 OK", "200 ", Read),
    ("200 OK", "20 OK", Dropped),
    ("200 OK", "2000 OK", Dropped),
    ("200 OK", "099 OK", Dropped),
    ("200 OK", "700 OK", Dropped),
    ("SIP/2.0 200", "SIP/2.0  200", Dropped),
    ("SIP/2.0 200", "SIP/7.0 200", Dropped),
    ("CSeq: 1 INVITE", "CSeq: 1", Dropped),
    ("Content-Length: 0", "Content-Length: 1", Dropped),
];

fn changed(good: &str, old: &str, new: &str) -> String {
    assert_eq!(good.matches(old).count(), 1, "{old:?} must stand once");
    good.replacen(old, new, 1)
}

#[test]
fn every_malformed_head_gets_its_verdict() {
    assert_eq!(verdict(GOOD.as_bytes()), Read);
    assert_eq!(verdict(REPLY.as_bytes()), Read);
    let mut faults = Vec::new();
    for (good, table) in [(GOOD, REQUESTS), (REPLY, RESPONSES)] {
        for (old, new, expected) in table {
            let found = verdict(changed(good, old, new).as_bytes());
            if found != *expected {
                faults.push(format!("{old:?} → {new:?}: {found:?}, should be {expected:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_malformed_ack_is_never_answered() {
    let ack = GOOD.replace("INVITE", "ACK").replace("Length: 4", "Length: -4");

    assert_eq!(verdict(ack.as_bytes()), Dropped);
}

#[test]
fn nothing_but_line_breaks_is_no_message_and_no_fault() {
    for bytes in ["", "\r\n", "\r\n\r\n", "\n"] {
        assert_eq!(verdict(bytes.as_bytes()), Dropped);
    }
}

#[test]
fn a_message_cut_anywhere_is_refused() {
    for length in 0..GOOD.len() {
        assert_ne!(verdict(&GOOD.as_bytes()[..length]), Read, "{length}");
    }
}

#[test]
fn limits_hold_and_just_below_them_all_is_well() {
    let with = |text: String| changed(GOOD, "Subject: none", &text);
    for (message, expected) in [
        (with(format!("Subject: {}", "x".repeat(4096))), Read),
        (with(format!("Subject: {}", "x".repeat(4097))), Answered(513)),
        (with(format!("Subject: {}", "x".repeat(20_000))), Answered(513)),
        (with(format!("Subject: x{}", "\r\n x".repeat(5000))), Answered(513)),
        (with(format!("{}: x", "n".repeat(128))), Answered(400)),
        (with(vec!["X: 1"; 120].join("\r\n")), Read),
        (with(vec!["X: 1"; 121].join("\r\n")), Answered(513)),
        (with(format!("Contact: <sip:a@h>{}", ";a".repeat(65))), Answered(400)),
        (changed(GOOD, "INVITE sip:", &format!("INVITE sip:{}", "x".repeat(20_000))), Dropped),
        ("x".repeat(65_536), Dropped),
    ] {
        assert_eq!(verdict(message.as_bytes()), expected, "{}", &message[..80]);
    }
    let body = GOOD.replace("Content-Length: 4", "Content-Length: 60000");
    assert_eq!(verdict((body + &"x".repeat(59_996)).as_bytes()), Read);
}
