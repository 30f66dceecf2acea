//! What browsers say, and what they are told.

use super::*;
use crate::media::Refused;
use crate::media::codec::Codec;
use crate::media::sdp::negotiate::{Abilities, Agreed, Session};
use crate::media::sdp::{Direction, parse};

/// As Chromium 156 says it, shortened by codecs nobody has here. The first `telephone-event` goes by
/// Opus's clock.
const CHROMIUM: &str = "v=0\r\n\
    o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 1f4712db.local 54321 typ host generation 0\r\n\
    a=ice-ufrag:sQ9R\r\n\
    a=ice-pwd:V3p2kTfEwvJ6mYV0lG3BsXqn\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sendrecv\r\n\
    a=msid:- 7a0c\r\n\
    a=rtcp-mux\r\n\
    a=rtcp-rsize\r\n\
    a=rtpmap:111 opus/48000/2\r\n\
    a=rtcp-fb:111 transport-cc\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=rtpmap:63 red/48000/2\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:13 CN/8000\r\n\
    a=rtpmap:110 telephone-event/48000\r\n\
    a=rtpmap:126 telephone-event/8000\r\n\
    a=ssrc:3735928559 cname:x\r\n";

const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";

#[test]
fn a_browsers_offer_gets_all_it_needs_and_one_codec_with_keys_of_its_clock() {
    for (first, formats) in [(Codec::Opus, "111 110"), (Codec::Pcma, "8 126")] {
        let (sdp, agreed) = answered(&mut Session::new(7), CHROMIUM, first).unwrap();

        assert!(sdp.contains(&format!("m=audio 20000 UDP/TLS/RTP/SAVPF {formats}\r\n")), "{sdp}");
        for line in [
            "a=group:BUNDLE 0",
            "a=ice-lite",
            "a=mid:0",
            "a=rtcp-mux",
            "a=setup:passive",
            "a=ice-ufrag:ours1",
            "a=candidate:1 1 udp 2130706431 198.51.100.1 20000 typ host",
            "a=end-of-candidates",
            "a=sendrecv",
        ] {
            assert!(sdp.contains(&format!("{line}\r\n")), "no {line} in {sdp}");
        }
        assert!(sdp.contains(&format!("a=fingerprint:{HOUSE}\r\n")));
        assert_eq!((agreed.held, agreed.direction), (false, Direction::SendReceive));
        let meeting = agreed.meeting.unwrap();
        let theirs = meeting.theirs.unwrap();
        assert_eq!((meeting.ours.name.as_str(), theirs.ice.name.as_str()), ("ours1", "sQ9R"));
        assert_eq!(theirs.fingerprint.0[31], 0x1F);
        assert!(!theirs.we_begin);
    }
}

#[test]
fn what_stands_for_the_whole_session_stands_for_the_stream_too() {
    let stream = ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"];
    let (mut head, mut rest) = (String::new(), String::new());
    for line in CHROMIUM.split_inclusive("\r\n") {
        match stream.iter().any(|name| line.starts_with(name)) {
            true => head.push_str(line),
            false => rest.push_str(line),
        }
    }
    let moved = rest.replacen("m=audio", &format!("{head}m=audio"), 1);

    let (_, agreed) = answered(&mut Session::new(7), &moved, Codec::Pcma).unwrap();

    assert_eq!(agreed, answered(&mut Session::new(7), CHROMIUM, Codec::Pcma).unwrap().1);
}

#[test]
fn the_other_side_says_who_begins() {
    for (said, ours, we_begin) in [
        ("a=setup:actpass", "a=setup:passive", false),
        ("a=setup:active", "a=setup:passive", false),
        ("a=setup:passive", "a=setup:active", true),
    ] {
        let offer = CHROMIUM.replace("a=setup:actpass", said);
        let (sdp, agreed) = answered(&mut Session::new(7), &offer, Codec::Pcma).unwrap();
        assert!(sdp.contains(ours), "{said}: {sdp}");
        assert_eq!(agreed.meeting.unwrap().theirs.unwrap().we_begin, we_begin);
    }
}

#[test]
fn video_is_refused_in_its_place_and_out_of_the_group() {
    let offer = CHROMIUM.replace("BUNDLE 0", "BUNDLE 0 1") + VIDEO;

    let (sdp, _) = answered(&mut Session::new(7), &offer, Codec::Pcma).unwrap();

    assert!(sdp.contains("a=group:BUNDLE 0\r\n"), "{sdp}");
    assert!(sdp.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"), "{sdp}");
}

#[test]
fn a_browser_that_says_too_little_is_refused() {
    let without = |name: &str| {
        let lines = CHROMIUM.split_inclusive("\r\n").filter(|line| !line.starts_with(name));
        lines.collect::<String>()
    };
    for name in ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=rtcp-mux"] {
        let refused = answered(&mut Session::new(7), &without(name), Codec::Pcma);
        assert_eq!(refused.unwrap_err(), Refused::NoCommonCodec, "{name}");
    }
    let weak = CHROMIUM.replace("sha-256", "sha-1");
    assert!(answered(&mut Session::new(7), &weak, Codec::Pcma).is_err());
    let nobody = Abilities { browser: None, ..abilities(Codec::Pcma) };
    assert!(Session::new(7).answer(CHROMIUM.as_bytes(), &nobody, None).is_err());
}

#[test]
fn a_hold_keeps_the_road_and_new_credentials_make_a_new_one() {
    let mut session = Session::new(7);
    let (_, first) = answered(&mut session, CHROMIUM, Codec::Pcma).unwrap();

    let hold = CHROMIUM.replace("a=sendrecv", "a=sendonly");
    let (sdp, held) = answered(&mut session, &hold, Codec::Pcma).unwrap();
    assert!(held.held && sdp.contains("a=recvonly"), "{sdp}");
    assert_eq!(held.meeting, first.meeting);
    // An offer of ours in between, to a browser that began.
    let ours = session.offer(&abilities_of(Codec::Pcma, 2), None);
    let ours = String::from_utf8_lossy(&ours).into_owned();
    for line in ["UDP/TLS/RTP/SAVPF", "a=setup:actpass", "a=ice-ufrag:ours1", "BUNDLE 0", "a=mid:0"]
    {
        assert!(ours.contains(line), "no {line} in {ours}");
    }

    let anew = CHROMIUM.replace("sQ9R", "bbbb");
    let answer = session.answer(anew.as_bytes(), &abilities_of(Codec::Pcma, 3), None).unwrap();
    let meeting = answer.agreed.meeting.unwrap();
    assert_eq!(meeting.ours.name, "ours3");
    assert_eq!(meeting.theirs.unwrap().ice.name, "bbbb");
}

#[test]
fn an_offer_for_a_browser_is_one_and_its_answer_is_understood() {
    let abilities = Abilities { offers_handshake: true, ..abilities(Codec::Pcma) };
    let mut house = Session::new(7);
    let sdp = house.offer(&abilities, Some(Codec::Pcma));
    let offer = parse(&sdp).unwrap();
    assert!(offer.ice_lite && offer.bundle == ["0"]);
    assert!(offer.media[0].rtcp_mux && offer.media[0].crypto.is_empty());
    assert_eq!(house.offered().unwrap().ours.name, "ours1");

    let mut browser = Session::new(8);
    let (answer, seen) = answered_by(&mut browser, &sdp, &abilities_of(Codec::Pcma, 9));
    let agreed = house.accept(answer.as_bytes()).unwrap();

    assert_eq!(agreed.codec, Codec::Pcma);
    let (ours, theirs) = (agreed.meeting.unwrap(), seen.meeting.unwrap());
    assert_eq!((&ours.ours.name, &theirs.ours.name), (&"ours1".to_owned(), &"ours9".to_owned()));
    assert_eq!(ours.theirs.unwrap().ice, theirs.ours);
    assert_eq!(theirs.theirs.unwrap().ice, ours.ours);
}

#[test]
fn a_plain_answer_to_an_offer_for_a_browser_is_none() {
    let abilities = Abilities { offers_handshake: true, ..abilities(Codec::Pcma) };
    let mut house = Session::new(7);
    house.offer(&abilities, None);
    let plain = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n";
    assert_eq!(house.accept(plain.as_bytes()).unwrap_err(), Refused::NoCommonCodec);
    let stripped = "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n";
    assert_eq!(house.accept(stripped.as_bytes()).unwrap_err(), Refused::NoCommonCodec);
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Fingerprint(std::array::from_fn(|at| at as u8 * 7));
    assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
    let text = fingerprint.to_string();
    assert_eq!(Fingerprint::parse(&text.to_ascii_lowercase()), Some(fingerprint));
    for bad in ["", "sha-256", "sha-1 00:11", &text[..text.len() - 3], &format!("{text}:00")] {
        assert_eq!(Fingerprint::parse(bad), None, "{bad}");
    }
}

#[test]
fn credentials_are_long_enough_and_of_the_right_letters() {
    let mut next = 0_u64;
    let ours = Credentials::new(|| {
        next = next.wrapping_add(0x9E37_79B9_7F4A_7C15);
        next
    });
    assert_eq!(Credentials::read(&ours.name, &ours.password), Some(ours.clone()));
    assert!(!format!("{ours:?}").contains(&ours.password));
    assert_eq!(Credentials::read("abc", &ours.password), None);
    assert_eq!(Credentials::read("abcd", "short"), None);
    assert_eq!(Credentials::read("ab cd", &ours.password), None);
}

const HOUSE: Fingerprint = Fingerprint([0xAB; 32]);

fn abilities(first: Codec) -> Abilities {
    abilities_of(first, 1)
}

fn abilities_of(first: Codec, fresh: u8) -> Abilities {
    let others = Codec::ALL.into_iter().filter(|codec| *codec != first);
    Abilities {
        address: "198.51.100.1".parse().unwrap(),
        rtp_port: 20_000,
        codecs: std::iter::once(first).chain(others).collect(),
        keys: None,
        browser: Some(OurSide {
            fingerprint: HOUSE,
            fresh: Credentials { name: format!("ours{fresh}"), password: "p".repeat(24) },
        }),
        offers_handshake: false,
        demands_keys: false,
        text: None,
    }
}

fn answered(session: &mut Session, offer: &str, first: Codec) -> Result<(String, Agreed), Refused> {
    let answer = session.answer(offer.as_bytes(), &abilities(first), None)?;
    Ok((String::from_utf8_lossy(&answer.sdp).into_owned(), answer.agreed))
}

fn answered_by(session: &mut Session, offer: &[u8], abilities: &Abilities) -> (String, Agreed) {
    let answer = session.answer(offer, abilities, None).unwrap();
    (String::from_utf8_lossy(&answer.sdp).into_owned(), answer.agreed)
}
