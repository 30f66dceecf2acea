//! Our SIP reader and `rsip`, which shares no line with it, understand a message the same way; and
//! no bytes, however bent, do harm or make a stream fall into other messages.

use bytes::Bytes;
use hotline::sip::message::{HeaderName, Message};
use hotline::sip::wire::{Frame, Framer, parse_datagram};
use proptest::prelude::*;
use proptest::sample::Index;
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;

/// What `rsip` 0.4 can't read or reads otherwise, though it is sound SIP: the reason it is a witness
/// and not the reader (dependencies.md §1.5). Each is added to [`sound`] as it stands.
const GAPS: &[(&str, &str, &str)] = &[
    ("compact names", "Via:", "v:"),
    ("folding", "Subject: x", "Subject: x\r\n y"),
    ("an IPv6 literal in the Request-URI", "sip:3977@example.org SIP", "sip:a@[2001:db8::1] SIP"),
    ("an IPv6 literal in Via", "UDP 192.0.2.1", "UDP [2001:db8::1]"),
    ("an extension method", "INVITE", "HELLO"),
    ("another scheme in the Request-URI", "sip:3977@example.org SIP", "urn:service:sos SIP"),
    ("a space before a parameter's semicolon", ">;tag=f1", "> ;tag=f1"),
    ("a bracket in a display name", "\"Anna\"", "\"An<n>a\""),
    ("bytes after the body that Content-Length promised", "Content-Length: 4", "Content-Length: 3"),
    ("bytes in Latin-1", "Subject: x", "Subject: \u{e9}"),
    ("line breaks before the first line", "INVITE sip", "\r\n\r\nINVITE sip"),
];

proptest! {
    #[test]
    fn two_readers_understand_a_message_the_same_way(bytes in message()) {
        let witness = witnessed(&bytes);
        prop_assert!(witness.is_some(), "rsip can't read {}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(understood(&bytes), witness);
    }

    #[test]
    fn bent_messages_do_no_harm(original in seed(), bends in prop::collection::vec(bend(), 1..8)) {
        let mut bytes = original;
        for bend in bends {
            bend.apply(&mut bytes);
        }
        look_at_everything(&bytes);
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        look_at_everything(&bytes);
    }

    #[test]
    fn a_stream_holds_the_same_messages_however_it_is_cut(
        sent in prop::collection::vec(frame(), 1..6),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let stream = sent.concat();
        let mut places = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect::<Vec<_>>();
        places.push(stream.len());
        places.sort_unstable();
        let mut framer = Framer::new();
        let mut found = Vec::new();
        let mut from = 0;
        for to in places {
            framer.push(&stream[from..to]);
            from = to;
            while let Some(frame) = framer.pop().unwrap() {
                found.push(match frame {
                    Frame::Message(bytes) => bytes.to_vec(),
                    Frame::Ping => PING.to_vec(),
                });
            }
        }
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn bent_streams_do_no_harm(
        mut stream in seed(),
        bends in prop::collection::vec(bend(), 1..8),
        step in 1..200_usize,
    ) {
        for bend in bends {
            bend.apply(&mut stream);
        }
        let mut framer = Framer::new();
        for piece in stream.chunks(step) {
            framer.push(piece);
            while let Ok(Some(frame)) = framer.pop() {
                if let Frame::Message(bytes) = frame {
                    look_at_everything(&bytes);
                }
            }
        }
    }
}

#[test]
fn what_the_witness_cannot_read_is_known_by_name() {
    let sound = String::from_utf8(sound("f1", "1")).unwrap();
    assert_eq!(understood(sound.as_bytes()), witnessed(sound.as_bytes()));
    for (name, from, to) in GAPS {
        let text = sound.replace(from, to);
        assert_ne!(text, sound, "{name}");
        // One byte a character, so that é is no UTF-8.
        let bytes = text.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>();
        let ours = understood(&bytes);
        assert!(ours.is_some(), "we can't read {name} either");
        assert_ne!(witnessed(&bytes), ours, "rsip has learnt {name}: take it off the list");
    }
}

/// What both readers are asked about a message.
#[derive(Debug, Eq, PartialEq)]
struct Understood {
    method: Option<String>,
    status: Option<u16>,
    call_id: String,
    cseq: (u32, String),
    branch: Option<String>,
    from_tag: Option<String>,
    to_tag: Option<String>,
    body: Vec<u8>,
}

fn understood(bytes: &[u8]) -> Option<Understood> {
    let message = parse_datagram(&Bytes::copy_from_slice(bytes)).ok()?;
    let (method, status) = match &message {
        Message::Request(request) => (Some(request.method().to_string()), None),
        Message::Response(response) => (None, Some(response.status().0)),
    };
    Some(Understood {
        method,
        status,
        call_id: message.call_id().to_owned(),
        cseq: (message.cseq().number, message.cseq().method.to_string()),
        branch: message.via().unwrap().branch().map(str::to_owned),
        from_tag: message.from_tag().map(str::to_owned),
        to_tag: message.to_tag().map(str::to_owned),
        body: message.body().to_vec(),
    })
}

fn witnessed(bytes: &[u8]) -> Option<Understood> {
    let message = rsip::SipMessage::try_from(bytes).ok()?;
    let (method, status) = match &message {
        rsip::SipMessage::Request(request) => (Some(request.method().to_string()), None),
        rsip::SipMessage::Response(response) => (None, Some(response.status_code().code())),
    };
    let cseq = message.cseq_header().ok()?.typed().ok()?;
    let via = message.via_header().ok()?.typed().ok()?;
    let from = message.from_header().ok()?.typed().ok()?;
    let to = message.to_header().ok()?.typed().ok()?;
    Some(Understood {
        method,
        status,
        call_id: message.call_id_header().ok()?.value().to_owned(),
        cseq: (cseq.seq, cseq.method.to_string()),
        branch: via.branch().map(|branch| branch.value().to_owned()),
        from_tag: from.tag().map(|tag| tag.value().to_owned()),
        to_tag: to.tag().map(|tag| tag.value().to_owned()),
        body: message.body().clone(),
    })
}

/// Reads whatever can be read, as the endpoint might.
fn look_at_everything(bytes: &[u8]) {
    let message = match parse_datagram(&Bytes::copy_from_slice(bytes)) {
        Ok(message) => message,
        Err(malformed) => {
            let answer = malformed.answer("t", "192.0.2.1:5060".parse().unwrap());
            assert_eq!(answer.is_some(), malformed.status().is_some());
            return;
        }
    };
    for via in message.vias() {
        via.unwrap();
    }
    assert!(!message.call_id().is_empty());
    for name in [HeaderName::From, HeaderName::To, HeaderName::ReferTo] {
        if let Ok(address) = message.address(name) {
            let _ = (address.display(), address.tag(), address.q(), address.instance());
            let uri = address.uri().unwrap();
            assert_eq!(uri.to_string().parse(), Ok(uri.clone()));
            let _ = uri.dialled();
        }
    }
    let _ = message.contacts().count() + message.record_routes().count();
    let _ = message.credentials().count() + message.challenges().count();
    let _ = message.reasons().count() + message.warnings().count() + message.privacy().count();
    let _ = (message.expires(), message.retry_after(), message.session_expires(), message.min_se());
    let _ = (message.content_type(), message.rack(), message.rseq(), message.max_forwards());
    let restored = serde_json::from_str::<Message>(&serde_json::to_string(&message).unwrap());
    assert_eq!(restored.unwrap(), message);
}

// ---- messages out of nothing ----

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9._-]{0,11}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof!["192\\.0\\.2\\.[1-9]", "[a-z]{1,8}\\.example\\.(org|net)"]
}

fn address() -> impl Strategy<Value = String> {
    let display = prop_oneof![
        Just(String::new()),
        "\"[A-Za-z0-9 ,.;']{1,16}\" ".prop_map(|text| text),
        "[A-Za-z]{1,8} ".prop_map(|text| text),
    ];
    (display, word(), host())
        .prop_map(|(display, user, host)| format!("{display}<sip:{user}@{host}>"))
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        (
            prop::sample::select(vec!["INVITE", "BYE", "OPTIONS", "REGISTER", "UPDATE", "ACK"]),
            word(),
            host(),
        )
            .prop_map(|(method, user, host)| {
                (format!("{method} sip:{user}@{host} SIP/2.0"), method)
            }),
        prop::sample::select(vec![100_u16, 180, 183, 200, 302, 401, 404, 486, 487, 503, 603])
            .prop_map(|status| (format!("SIP/2.0 {status} Whatever"), "INVITE")),
    ];
    let who = (address(), word(), address(), prop::option::of(word()));
    let what = (host(), prop::option::of(1..u16::MAX), word(), word(), 0..i32::MAX as u32);
    let rest = (prop::option::of(address()), prop::option::of(0..=255_u8), "[ -~]{0,40}");
    (first, who, what, rest).prop_map(|((first, method), who, what, (contact, hops, body))| {
        let (from, from_tag, to, to_tag) = who;
        let (via, port, branch, call_id, number) = what;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let to_tag = to_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let mut text = format!(
            "{first}\r\nVia: SIP/2.0/UDP {via}{port};branch=z9hG4bK{branch}\r\n\
             From: {from};tag={from_tag}\r\nTo: {to}{to_tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {number} {method}\r\n"
        );
        if let Some(contact) = contact {
            text += &format!("Contact: {contact}\r\n");
        }
        if let Some(hops) = hops {
            text += &format!("Max-Forwards: {hops}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        text.into_bytes()
    })
}

fn sound(tag: &str, number: &str) -> Vec<u8> {
    format!(
        "INVITE sip:3977@example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n\
         Max-Forwards: 70\r\n\
         From: \"Anna\" <sip:+33600000000@example.net>;tag={tag}\r\n\
         To: <sip:3977@example.org>\r\n\
         Call-ID: a84b4c76e66710@example.net\r\n\
         CSeq: {number} INVITE\r\n\
         Contact: <sip:anna@192.0.2.1:5060>\r\n\
         Subject: x\r\n\
         Content-Length: 4\r\n\r\nv=0\n"
    )
    .into_bytes()
}

const PING: &[u8] = b"\r\n\r\n";

/// A message or a ping, as it stands on a stream.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => message(), 1 => Just(PING.to_vec())]
}

// ---- messages out of shape ----

/// A torture message, or one of ours.
fn seed() -> impl Strategy<Value = Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture");
    let mut seeds = vec![sound("f1", "1")];
    for rfc in ["rfc4475", "rfc5118"] {
        let mut files = std::fs::read_dir(folder.join(rfc))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>();
        files.sort();
        seeds.extend(files.iter().map(|file| std::fs::read(file).unwrap()));
    }
    prop::sample::select(seeds)
}

#[derive(Clone, Debug)]
enum Bend {
    Flip { at: Index, mask: u8 },
    Insert { at: Index, what: &'static str },
    Drop { from: Index, length: usize },
    Repeat { from: Index, length: usize, to: Index },
}

/// Pieces that mean something to a reader.
const TOKENS: &[&str] = &[
    "\r\n",
    "\r\n ",
    "\r",
    "\n",
    "\0",
    ":",
    ";",
    ",",
    "<",
    ">",
    "\"",
    "\\",
    "@",
    "%",
    "?",
    "=",
    "*",
    "[",
    "]",
    "::",
    "é",
    "%00",
    "%4",
    ";tag=",
    ";branch=",
    "Via: ",
    "v:",
    "l: 1\r\n",
    "CSeq: 1 ",
    "Content-Length: 4294967296\r\n",
    "SIP/2.0",
    "SIP/2.0/UDP ",
    "sip:",
    "tel:",
    "<sip:a@b>",
    "99999999999",
    "Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"d\", response=\"e\"\r\n",
    "Contact: *\r\n",
    "Reason: Q.850;cause=16\r\n",
    "Refer-To: <sip:a@b?x=%0d>\r\n",
];

fn bend() -> impl Strategy<Value = Bend> {
    prop_oneof![
        (any::<Index>(), 1..=255_u8).prop_map(|(at, mask)| Bend::Flip { at, mask }),
        (any::<Index>(), prop::sample::select(TOKENS))
            .prop_map(|(at, what)| Bend::Insert { at, what }),
        (any::<Index>(), 1..40_usize).prop_map(|(from, length)| Bend::Drop { from, length }),
        (any::<Index>(), 1..200_usize, any::<Index>())
            .prop_map(|(from, length, to)| Bend::Repeat { from, length, to }),
    ]
}

impl Bend {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let size = bytes.len();
        if size == 0 {
            return;
        }
        match self {
            Self::Flip { at, mask } => bytes[at.index(size)] ^= mask,
            Self::Insert { at, what } => {
                let at = at.index(size);
                bytes.splice(at..at, what.bytes());
            }
            Self::Drop { from, length } => {
                let from = from.index(size);
                bytes.drain(from..size.min(from + length));
            }
            Self::Repeat { from, length, to } => {
                let from = from.index(size);
                let piece = bytes[from..size.min(from + length)].to_vec();
                let to = to.index(size);
                bytes.splice(to..to, piece);
            }
        }
    }
}
