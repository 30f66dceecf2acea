//! What other readers get wrong (dependencies.md §1.5), read right.

use bytes::Bytes;
use hotline::sip::headers::{Contact, NameAddr, Via};
use hotline::sip::message::{HeaderName, Message, Request};
use hotline::sip::wire::parse_datagram;
use hotline::sip::{Algorithm, Transport};

fn read(bytes: &[u8]) -> Request {
    match parse_datagram(&Bytes::copy_from_slice(bytes)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

fn with(target: &str, more: &str) -> Request {
    read(
        format!(
            "INVITE {target} SIP/2.0\r\n\
             v: SIP/2.0/WSS df7jal23ls0d.invalid ; branch = z9hG4bKa ; rport , \
             SIP/2.0/TCP h2:5061;branch=z9hG4bKb\r\n\
             f: \"A <b> \\\"c\\\"\" <sip:a@[2001:db8::1]> ; tag = r\r\n\
             t: Bob\r\n\t<sip:b@h>\r\n\
             i: c@h\r\n\
             CSeq: 1 INVITE\r\n\
             {more}\r\n\
             \r\n"
        )
        .as_bytes(),
    )
}

#[test]
fn compact_names_folding_and_odd_spaces() {
    let request = with("sip:a@h", "m: <sip:a@h>");

    assert_eq!(request.via().unwrap().branch(), Some("z9hG4bKa"));
    assert_eq!(request.vias().count(), 2);
    assert_eq!(request.vias().nth(1).unwrap().unwrap().host(), "h2");
    assert_eq!(request.via().unwrap().transport(), Some(Transport::Wss));
    assert_eq!(request.from().unwrap().display().unwrap(), "A <b> \"c\"");
    assert_eq!(request.from_tag(), Some("r"));
    assert_eq!(request.to().unwrap().display().unwrap(), "Bob");
    assert_eq!(request.call_id(), "c@h");
    assert_eq!(request.contact().unwrap().uri_text(), "sip:a@h");
}

#[test]
fn request_uris_of_every_kind() {
    for (target, dialled) in [
        ("sip:a@[2001:db8::1]", "a"),
        ("tel:+33800000000", "+33800000000"),
        ("urn:service:sos", ""),
        ("tel:112", "112"),
    ] {
        assert_eq!(with(target, "X: y").uri().unwrap().dialled(), dialled, "{target}");
    }
}

#[test]
fn contacts_of_every_kind() {
    let request = with(
        "sip:a@h",
        "Contact: <sip:a@h;transport=ws>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\
         ;reg-id=1;q=0.7;expires=600, \"B, <b>\" <sip:b@h?x=%2C>",
    );
    let contacts = request.contacts().map(Result::unwrap).collect::<Vec<_>>();
    let [Contact::Address(first), Contact::Address(second)] = contacts[..] else {
        panic!("{contacts:?}");
    };

    assert_eq!(first.instance().unwrap(), "urn:uuid:00000000-0000-1000-8000-000A95A0E128");
    assert_eq!((first.reg_id(), first.q(), first.expires()), (Some(1), Some(700), Some(600)));
    assert_eq!(first.uri().unwrap().to_string(), "sip:a@h;transport=ws");
    assert_eq!(second.display().unwrap(), "B, <b>");
    let star = with("sip:a@h", "Contact: *");
    assert_eq!(star.contacts().next().unwrap(), Ok(Contact::Everything));
}

#[test]
fn spaces_around_parameters() {
    for text in ["<sip:a@h> ;tag=r", "<sip:a@h>; tag=r", "<sip:a@h>;tag = r", "sip:a@h;tag=r"] {
        assert_eq!(NameAddr::read(text).unwrap().tag(), Some("r"), "{text}");
    }
    assert_eq!(Via::read("SIP/2.0/UDP h; branch = x").unwrap().branch(), Some("x"));
}

#[test]
fn digest_fields_with_quotes_in_quotes_and_sha_256() {
    let request = with(
        "sip:a@h",
        "Authorization: Digest username=\"a\\\"b\", realm=\"r, s\", nonce=\"n\", uri=\"sip:a@h\", \
         response=\"0\", algorithm=SHA-256",
    );
    let credentials = request.credentials().next().unwrap();

    assert_eq!(credentials.username, "a\"b");
    assert_eq!(credentials.realm, "r, s");
    assert_eq!(credentials.algorithm, Some(Algorithm::Sha256));
}

#[test]
fn bytes_that_are_not_utf_8_disturb_nothing() {
    let head = "MESSAGE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n\
                From: \"L\u{e9}a\" <sip:a@h>;tag=1\r\nX: y\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n\
                CSeq: 1 MESSAGE\r\nContent-Length: 3\r\n\r\n\u{ff}\u{0}\u{fe}junk";
    let latin1 = head.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>();
    let request = read(&latin1);

    assert_eq!(request.from().unwrap().display().unwrap(), "Léa");
    assert_eq!(request.extension("x"), Some("y"));
    assert_eq!(request.call_id(), "c");
    assert_eq!(request.body()[..], [0xff, 0x00, 0xfe]);
    assert_eq!(request.bytes()[..], latin1[..latin1.len() - 4]);
    assert_eq!(request.header(HeaderName::ContentLength), Some("3"));
}
