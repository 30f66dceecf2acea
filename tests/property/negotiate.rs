//! Whatever is offered, our answer is a valid one (RFC 3264), and nothing written is misread.

use std::fmt::Write;

use hotline::media::Refused;
use hotline::media::codec::Codec;
use hotline::media::sdp::{
    Abilities, Description, Direction, Encoding, Format, Media, Session, parse, print,
};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

proptest! {
    #[test]
    fn every_answer_is_valid(offer in offer(), codecs in codecs(), like in like()) {
        let abilities = abilities(codecs, 20_000);
        let offered = parse(offer.as_bytes()).unwrap();
        let mut session = Session::new(77);

        match session.answer(offer.as_bytes(), &abilities, like) {
            Ok(answer) => {
                prop_assert!(answer.sdp.ends_with(b"\r\n"));
                prop_assert!(answer.sdp.split(|b| *b == b'\n').all(|l| l.is_empty() || l.ends_with(b"\r")));
                let described = parse(&answer.sdp).unwrap();
                prop_assert_eq!(described.media.len(), offered.media.len());
                let taken: Vec<usize> =
                    (0..described.media.len()).filter(|i| described.media[*i].port != 0).collect();
                prop_assert_eq!(taken.len(), 1);
                for (ours, theirs) in described.media.iter().zip(&offered.media) {
                    prop_assert_eq!(&ours.kind, &theirs.kind);
                    prop_assert_eq!(&ours.protocol, &theirs.protocol);
                    prop_assert!(!ours.formats.is_empty());
                    for format in &ours.formats {
                        prop_assert!(theirs.formats.iter().any(|it| it.name == format.name));
                    }
                }
                let (ours, theirs) = (&described.media[taken[0]], &offered.media[taken[0]]);
                prop_assert!(theirs.port != 0 && theirs.protocol.is_plain());

                let spoken: Vec<Codec> = ours.formats.iter().filter_map(meaning).collect();
                prop_assert_eq!(&spoken[..], &[answer.agreed.codec][..]);
                prop_assert!(abilities.codecs.contains(&answer.agreed.codec));
                let number = answer.agreed.payload_type_send.to_string();
                let named = theirs.formats.iter().find(|format| format.name == number).unwrap();
                prop_assert_eq!(meaning(named), Some(answer.agreed.codec));

                let said = theirs.direction.or(offered.direction).unwrap_or_default();
                let allowed = match said {
                    Direction::SendReceive => &[
                        Direction::SendReceive,
                        Direction::SendOnly,
                        Direction::ReceiveOnly,
                        Direction::Inactive,
                    ][..],
                    Direction::SendOnly => &[Direction::ReceiveOnly, Direction::Inactive],
                    Direction::ReceiveOnly => &[Direction::SendOnly, Direction::Inactive],
                    Direction::Inactive => &[Direction::Inactive],
                };
                prop_assert!(allowed.contains(&ours.direction.unwrap()));
                prop_assert_eq!(answer.agreed.held, !answer.agreed.direction.sends());

                // Answered again, it is the same edition.
                let again = session.answer(offer.as_bytes(), &abilities, None).unwrap();
                prop_assert_eq!(again.sdp, answer.sdp);
            }
            Err(Refused::NoCommonCodec) => {
                let possible = offered.media.iter().filter(|media| is_ours(media)).any(|media| {
                    media.formats.iter().filter_map(meaning).any(|it| abilities.codecs.contains(&it))
                });
                prop_assert!(!possible);
                prop_assert_eq!(&session, &Session::new(77));
            }
            Err(Refused::Unreadable) => prop_assert!(offered.connection.is_none()),
            Err(Refused::NoPort) => prop_assert!(false, "ports are not negotiated"),
        }
    }

    #[test]
    fn a_new_edition_counts_one_up(offers in prop::collection::vec(offer(), 1..6)) {
        let mut session = Session::new(5);
        let mut last: Option<Description> = None;
        for offer in offers {
            let before = session.clone();
            let Ok(answer) = session.answer(offer.as_bytes(), &abilities(Codec::TELEPHONE.to_vec(), 9000), None)
            else {
                prop_assert_eq!(&session, &before);
                continue;
            };
            let described = parse(&answer.sdp).unwrap();
            if let Some(last) = last.replace(described.clone()) {
                let step = described.origin.version - last.origin.version;
                prop_assert_eq!(step, u64::from(described.media != last.media));
                prop_assert_eq!(described.origin.id, last.origin.id);
            }
        }
    }

    #[test]
    fn two_houses_understand_each_other(
        theirs in codecs(),
        ours in codecs(),
        first in offer(),
        likes in (like(), like()),
    ) {
        let (mut caller, mut called) = (Session::new(1), Session::new(2));
        let (theirs, ours) = (abilities(theirs, 4000), abilities(ours, 6000));
        // What was said before must not confuse them.
        let _ = caller.answer(first.as_bytes(), &theirs, None);
        let offer = caller.offer(&theirs, likes.0);

        match called.answer(&offer, &ours, likes.1) {
            Ok(answer) => {
                let heard = caller.accept(&answer.sdp).unwrap();
                let said = answer.agreed;
                prop_assert_eq!(heard.codec, said.codec);
                prop_assert_eq!(heard.payload_type_send, said.payload_type_receive);
                prop_assert_eq!(heard.payload_type_receive, said.payload_type_send);
                let events = (heard.telephone_event.unwrap(), said.telephone_event.unwrap());
                prop_assert_eq!(events.0.send, events.1.receive);
                prop_assert_eq!(heard.remote_rtp.socket(), Some("198.51.100.1:6000".parse().unwrap()));
                prop_assert_eq!(said.remote_rtcp.socket(), Some("198.51.100.1:4001".parse().unwrap()));
                prop_assert!(!heard.held && !said.held);
            }
            Err(refused) => {
                prop_assert_eq!(refused, Refused::NoCommonCodec);
                prop_assert!(!theirs.codecs.iter().any(|codec| ours.codecs.contains(codec)));
            }
        }
    }

    #[test]
    fn what_is_written_is_read_the_same(offer in offer()) {
        let read = parse(offer.as_bytes()).unwrap();
        prop_assert_eq!(parse(&print(&read)).unwrap(), read);
    }

    #[test]
    fn damage_does_no_harm(offer in offer(), wounds in prop::collection::vec(wound(), 1..8)) {
        let mut bytes = offer.into_bytes();
        for wound in wounds {
            wound.strike(&mut bytes);
        }
        if let Ok(read) = parse(&bytes) {
            prop_assert_eq!(parse(&print(&read)).unwrap(), read);
        }
        let abilities = abilities(Codec::TELEPHONE.to_vec(), 20_000);
        let mut session = Session::new(3);
        let _ = session.answer(&bytes, &abilities, None);
        session.offer(&abilities, None);
        let _ = session.accept(&bytes);
    }

    #[test]
    fn noise_is_no_description(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }
}

fn abilities(codecs: Vec<Codec>, rtp_port: u16) -> Abilities {
    Abilities {
        address: "198.51.100.1".parse().unwrap(),
        rtp_port,
        codecs,
        keys: None,
        browser: None,
        offers_handshake: false,
        demands_keys: false,
        text: None,
    }
}

fn is_ours(media: &Media) -> bool {
    media.kind == "audio" && media.port != 0 && media.protocol.is_plain()
}

/// What a format means, told anew and simply.
fn meaning(format: &Format) -> Option<Codec> {
    let by_name = |encoding: &Encoding| match encoding.to_string().to_uppercase().as_str() {
        "PCMA/8000" | "PCMA/8000/1" => Some(Codec::Pcma),
        "PCMU/8000" | "PCMU/8000/1" => Some(Codec::Pcmu),
        "G722/8000" | "G722/8000/1" => Some(Codec::G722),
        _ => None,
    };
    match (&format.mapped, format.name.as_str()) {
        (Some(encoding), _) => by_name(encoding),
        (None, "8") => Some(Codec::Pcma),
        (None, "0") => Some(Codec::Pcmu),
        (None, "9") => Some(Codec::G722),
        (None, _) => None,
    }
}

fn codecs() -> impl Strategy<Value = Vec<Codec>> {
    subsequence(Codec::TELEPHONE.to_vec(), 1..=3).prop_shuffle()
}

fn like() -> impl Strategy<Value = Option<Codec>> {
    prop::option::of(select(&Codec::TELEPHONE[..]))
}

/// An offer that the grammar allows.
fn offer() -> impl Strategy<Value = String> {
    (
        prop::option::weighted(0.9, connection()),
        prop::option::of(direction()),
        prop::collection::vec(media(), 0..5),
        any::<u32>(),
    )
        .prop_map(|(connection, direction, media, id)| {
            let mut text = format!("v=0\r\no=- {id} {id} IN IP4 192.0.2.1\r\ns=-\r\n");
            text.extend(connection);
            text.push_str("t=0 0\r\n");
            text.extend(direction);
            text.extend(media);
            text
        })
}

fn media() -> impl Strategy<Value = String> {
    (
        prop_oneof![4 => Just("audio"), 1 => Just("video"), 1 => Just("image"), 1 => Just("text")],
        prop_oneof![1 => Just(0_u16), 5 => 1..=u16::MAX],
        prop_oneof![
            5 => Just("RTP/AVP"), 1 => Just("RTP/SAVP"), 1 => Just("RTP/AVPF"), 1 => Just("udptl"),
        ],
        subsequence(FORMATS.to_vec(), 1..FORMATS.len()).prop_shuffle(),
        prop::option::weighted(0.3, connection()),
        prop::option::of(direction()),
        prop::option::of(1..300_u16),
    )
        .prop_map(|(kind, port, protocol, formats, connection, direction, ptime)| {
            let mut text = format!("m={kind} {port} {protocol}");
            for (number, _) in &formats {
                write!(text, " {number}").unwrap();
            }
            text.push_str("\r\n");
            text.extend(connection);
            for (number, map) in formats {
                if !map.is_empty() {
                    write!(text, "a=rtpmap:{number} {map}\r\n").unwrap();
                }
            }
            text.extend(direction);
            if let Some(ptime) = ptime {
                write!(text, "a=ptime:{ptime}\r\na=maxptime:{ptime}\r\na=rtcp:{ptime}\r\n")
                    .unwrap();
            }
            text
        })
}

const FORMATS: &[(&str, &str)] = &[
    ("0", ""),
    ("8", ""),
    ("9", "G722/8000"),
    ("18", "G729/8000"),
    ("3", ""),
    ("13", "CN/8000"),
    ("96", "pcma/8000"),
    ("97", "PCMU/8000/1"),
    ("98", "PCMA/8000/2"),
    ("99", "telephone-event/16000"),
    ("101", "telephone-event/8000"),
    ("111", "opus/48000/2"),
    ("127", "G722/16000"),
    ("t38", ""),
];

fn connection() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "c=IN IP4 192.0.2.7\r\n",
            "c=IN IP4 0.0.0.0\r\n",
            "c=IN IP6 2001:db8::9\r\n",
            "c=IN IP4 sbc.example.net\r\n",
        ][..],
    )
}

fn direction() -> impl Strategy<Value = &'static str> {
    select(&["a=sendrecv\r\n", "a=sendonly\r\n", "a=recvonly\r\n", "a=inactive\r\n"][..])
}

/// What can happen to bytes.
#[derive(Clone, Debug)]
enum Wound {
    Changed { at: Index, to: u8 },
    Cut { at: Index, length: u8 },
    Doubled { at: Index, length: u8 },
    Inserted { at: Index, what: &'static str },
}

fn wound() -> impl Strategy<Value = Wound> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, to)| Wound::Changed { at, to }),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Wound::Cut { at, length }),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Wound::Doubled { at, length }),
        (
            any::<Index>(),
            select(&["\r\n", "\0", " ", "/", "4294967296", "-1", "é", "m=audio "][..])
        )
            .prop_map(|(at, what)| Wound::Inserted { at, what }),
    ]
}

impl Wound {
    fn strike(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match *self {
            Self::Changed { at, to } => {
                let at = at.index(bytes.len());
                bytes[at] = to;
            }
            Self::Cut { at, length } => {
                let at = at.index(bytes.len());
                let end = (at + usize::from(length)).min(bytes.len());
                bytes.drain(at..end);
            }
            Self::Doubled { at, length } => {
                let at = at.index(bytes.len());
                let end = (at + usize::from(length)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            Self::Inserted { at, what } => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, what.bytes());
            }
        }
    }
}
