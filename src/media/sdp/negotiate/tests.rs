use super::*;
use crate::media::rtp::srtp::Suite;

const TRUNK: &str = "v=0\r\no=SBC 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.11\r\nt=0 0\r\n";

#[test]
fn the_usual_offer_gets_the_usual_answer() {
    let mut session = Session::new(400);
    let offer =
        offer_of("m=audio 4000 RTP/AVP 18 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");

    let answer = session.answer(&offer, &abilities(), None).unwrap();

    assert_eq!(
        text(&answer.sdp),
        "v=0\r\n\
         o=- 100 1 IN IP4 198.51.100.1\r\n\
         s=-\r\n\
         c=IN IP4 198.51.100.1\r\n\
         t=0 0\r\n\
         m=audio 20000 RTP/AVP 8 101\r\n\
         a=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n"
    );
    let agreed = answer.agreed;
    assert_eq!(agreed.codec, Codec::Pcma);
    assert_eq!((agreed.payload_type_send, agreed.payload_type_receive), (8, 8));
    assert_eq!(agreed.codec_received(8), Some(Codec::Pcma));
    assert_eq!(agreed.codec_received(0), None);
    assert_eq!(agreed.telephone_event, Some(EventNumbers { send: 101, receive: 101 }));
    assert_eq!(agreed.remote_rtp.socket(), Some("192.0.2.11:4000".parse().unwrap()));
    assert_eq!(agreed.remote_rtcp.socket(), Some("192.0.2.11:4001".parse().unwrap()));
    assert_eq!(agreed.packet_time, PACKET_TIME);
    assert_eq!((agreed.direction, agreed.held), (Direction::SendReceive, false));
}

#[test]
fn our_order_counts_and_what_the_other_leg_speaks_comes_first() {
    let offer = offer_of("m=audio 4000 RTP/AVP 9 0 8\r\n");
    let codec = |like| Session::new(1).answer(&offer, &abilities(), like).unwrap().agreed.codec;

    assert_eq!(codec(None), Codec::Pcma);
    assert_eq!(codec(Some(Codec::G722)), Codec::G722);

    let only_alaw = offer_of("m=audio 4000 RTP/AVP 8\r\n");
    let answer = Session::new(1).answer(&only_alaw, &abilities(), Some(Codec::G722)).unwrap();
    assert_eq!(answer.agreed.codec, Codec::Pcma);
}

#[test]
fn a_phone_that_only_speaks_ulaw_or_numbers_oddly_is_understood() {
    let ulaw = offer_of("m=audio 4000 RTP/AVP 0\r\n");
    let agreed = Session::new(1).answer(&ulaw, &abilities(), None).unwrap().agreed;
    assert_eq!((agreed.codec, agreed.telephone_event), (Codec::Pcmu, None));

    let odd = offer_of(
        "m=audio 4000 RTP/AVP 8 98 97 96\r\na=rtpmap:8 G729/8000\r\na=rtpmap:97 pcma/8000/1\r\n\
         a=rtpmap:98 telephone-event/16000\r\na=rtpmap:96 Telephone-Event/8000\r\n",
    );
    let agreed = Session::new(1).answer(&odd, &abilities(), None).unwrap().agreed;
    assert_eq!((agreed.codec, agreed.payload_type_send), (Codec::Pcma, 97));
    assert_eq!(agreed.telephone_event, Some(EventNumbers { send: 96, receive: 96 }));
}

#[test]
fn nothing_in_common_is_refused_and_a_better_offer_then_works() {
    let mut session = Session::new(1);
    let g729 = offer_of("m=audio 4000 RTP/AVP 18\r\n");
    assert_eq!(session.answer(&g729, &abilities(), None), Err(Refused::NoCommonCodec));
    assert_eq!(session, Session::new(1));

    let alaw = offer_of("m=audio 4000 RTP/AVP 8\r\n");
    let answer = session.answer(&alaw, &abilities(), None).unwrap();
    assert!(text(&answer.sdp).contains("o=- 0 1 "));

    let before = session.clone();
    for refused in [&g729[..], &offer_of("m=image 4000 udptl t38\r\n"), &offer_of(""), b"rubbish"] {
        assert!(session.answer(refused, &abilities(), None).is_err());
        assert_eq!(session, before, "the call goes on as it was");
    }
}

#[test]
fn sound_with_keys_we_have_not_and_switched_off_streams_are_not_taken() {
    for media in [
        "m=audio 4000 RTP/SAVP 8\r\n",
        "m=audio 4000 RTP/SAVPF 8\r\n",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n",
        "m=audio 0 RTP/AVP 8\r\n",
    ] {
        let refused = Session::new(1).answer(&offer_of(media), &abilities(), None);
        assert_eq!(refused, Err(Refused::NoCommonCodec), "{media}");
    }
}

#[test]
fn every_stream_is_answered_in_its_place() {
    let offer = offer_of(
        "m=video 5000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n\
         m=audio 4002 RTP/SAVP 8\r\n\
         m=audio 4000 RTP/AVP 8\r\n\
         m=audio 4004 RTP/AVP 8\r\n\
         m=image 0 udptl t38\r\n\
         m=application 9 TCP/MRCPv2 1\r\n",
    );

    let answer = Session::new(1).answer(&offer, &abilities(), None).unwrap();

    let lines: Vec<&str> =
        text(&answer.sdp).lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 96",
            "m=audio 0 RTP/SAVP 8",
            "m=audio 20000 RTP/AVP 8",
            "m=audio 0 RTP/AVP 8",
            "m=image 0 udptl t38",
            "m=application 0 TCP/MRCPv2 1",
        ]
    );
    assert_eq!(answer.agreed.remote_rtp.port, 4000);
}

#[test]
fn hold_is_mirrored_whichever_way_it_is_said() {
    for (lines, ours) in [
        ("a=sendonly\r\n", Direction::ReceiveOnly),
        ("a=inactive\r\n", Direction::Inactive),
        ("a=recvonly\r\n", Direction::SendOnly),
        ("a=sendrecv\r\n", Direction::SendReceive),
        ("c=IN IP4 0.0.0.0\r\n", Direction::ReceiveOnly),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", Direction::Inactive),
        ("c=IN IP6 ::\r\na=sendonly\r\n", Direction::ReceiveOnly),
    ] {
        let offer = offer_of(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}"));
        let answer = Session::new(1).answer(&offer, &abilities(), None).unwrap();
        assert_eq!(answer.agreed.direction, ours, "{lines}");
        assert_eq!(answer.agreed.held, !ours.sends(), "{lines}");
        assert!(text(&answer.sdp).ends_with(&format!("a={ours}\r\n")));
    }
    let for_all = offer_of("a=sendonly\r\nm=audio 4000 RTP/AVP 8\r\n");
    assert!(Session::new(1).answer(&for_all, &abilities(), None).unwrap().agreed.held);
}

#[test]
fn the_version_grows_with_changes_and_only_then() {
    let mut session = Session::new(4);
    let talk = offer_of("m=audio 4000 RTP/AVP 0 8\r\n");
    let hold = offer_of("m=audio 4000 RTP/AVP 0 8\r\na=sendonly\r\n");
    let mut version = |offer: &[u8]| {
        let answer = session.answer(offer, &abilities(), None).unwrap();
        parse(&answer.sdp).unwrap().origin.version
    };

    assert_eq!([&talk, &talk, &hold, &hold, &talk].map(|offer| version(offer)), [1, 1, 2, 2, 3]);
}

#[test]
fn a_new_offer_does_not_change_the_codec_in_use_without_need() {
    let mut session = Session::new(1);
    let all = offer_of("m=audio 4000 RTP/AVP 9 8 0\r\n");
    assert_eq!(
        session.answer(&all, &abilities(), Some(Codec::G722)).unwrap().agreed.codec,
        Codec::G722
    );
    assert_eq!(session.answer(&all, &abilities(), None).unwrap().agreed.codec, Codec::G722);
    let without = offer_of("m=audio 4000 RTP/AVP 0\r\n");
    assert_eq!(session.answer(&without, &abilities(), None).unwrap().agreed.codec, Codec::Pcmu);
}

#[test]
fn we_offer_all_we_speak_and_take_what_is_answered() {
    let mut session = Session::new(8);
    let offer = session.offer(&abilities(), Some(Codec::G722));

    assert!(text(&offer).contains("m=audio 20000 RTP/AVP 9 8 0 101\r\n"));

    let answer = offer_of(
        "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=maxptime:10\r\n",
    );
    let agreed = session.accept(&answer).unwrap();
    assert_eq!(agreed.codec, Codec::Pcmu);
    assert_eq!(agreed.telephone_event, Some(EventNumbers { send: 96, receive: 101 }));
    assert_eq!(agreed.packet_time, PACKET_TIME_SHORT);
    assert_eq!(session.agreed(), Some(&agreed));
}

#[test]
fn an_answer_may_number_differently_and_leave_several_codecs_open() {
    let mut session = Session::new(8);
    session.offer(&abilities(), None);
    let answer = offer_of("m=audio 4000 RTP/AVP 97 0\r\na=rtpmap:97 PCMA/8000\r\n");

    let agreed = session.accept(&answer).unwrap();

    assert_eq!((agreed.codec, agreed.payload_type_send), (Codec::Pcma, 97));
    assert_eq!(agreed.payload_type_receive, 8);
    assert_eq!(agreed.codec_received(8), Some(Codec::Pcma));
    assert_eq!(agreed.codec_received(0), Some(Codec::Pcmu));
    assert_eq!(agreed.codec_received(97), None);
}

#[test]
fn answers_that_are_none_are_refused() {
    let mut session = Session::new(8);
    assert_eq!(session.accept(&offer_of("m=audio 4000 RTP/AVP 8\r\n")), Err(Refused::Unreadable));
    session.offer(&abilities(), None);
    let before = session.clone();
    for (answer, why) in [
        (&offer_of("m=audio 0 RTP/AVP 8\r\n")[..], Refused::NoCommonCodec),
        (&offer_of("m=audio 4000 RTP/AVP 18\r\n"), Refused::NoCommonCodec),
        (&offer_of("m=video 4000 RTP/AVP 8\r\n"), Refused::NoCommonCodec),
        (&offer_of(""), Refused::Unreadable),
        (b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n", Refused::Unreadable),
        (b"", Refused::Unreadable),
    ] {
        assert_eq!(session.accept(answer), Err(why));
        assert_eq!(session, before);
    }
}

#[test]
fn our_new_offer_keeps_places_and_numbers() {
    let mut session = Session::new(8);
    let offer = offer_of(
        "m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 98 99\r\n\
         a=rtpmap:98 PCMA/8000\r\na=rtpmap:99 telephone-event/8000\r\n",
    );
    session.answer(&offer, &abilities(), None).unwrap();

    let again = session.offer(&abilities(), None);

    let description = parse(&again).unwrap();
    assert_eq!(description.origin.version, 2);
    assert_eq!(description.media[0].port, 0);
    let numbers: Vec<&str> =
        description.media[1].formats.iter().map(|format| format.name.as_str()).collect();
    assert_eq!(numbers, ["98", "0", "9", "99"]);
    // Offered again unchanged, it is the same edition.
    assert_eq!(session.offer(&abilities(), None), again);
}

#[test]
fn a_number_that_means_something_else_already_is_not_used_again() {
    let mut session = Session::new(8);
    let offer = offer_of("m=audio 4000 RTP/AVP 101 0\r\na=rtpmap:101 PCMA/8000\r\n");
    session.answer(&offer, &abilities(), None).unwrap();

    let again = parse(&session.offer(&abilities(), None)).unwrap();

    let event = again.media[0].formats.iter().find_map(|format| event_of(format, 8000));
    assert_eq!(event, Some(96));
}

#[test]
fn places_that_can_not_be_sent_to_are_left_to_be_learnt() {
    for (connection, rtp) in [
        ("c=IN IP4 sbc.example.net\r\n", None),
        ("c=IN IP4 224.2.1.1/127\r\n", None),
        ("c=IN IP6 2001:db8::7\r\n", Some("[2001:db8::7]:65535")),
    ] {
        let offer = format!("v=0\r\n{connection}m=audio 65535 RTP/AVP 8\r\n");
        let agreed = Session::new(1).answer(offer.as_bytes(), &abilities(), None).unwrap().agreed;
        assert_eq!(agreed.remote_rtp.socket(), rtp.map(|text| text.parse().unwrap()));
        assert_eq!(agreed.remote_rtcp.socket(), None, "there is no port above the last");
    }
    let named = offer_of("m=audio 4000 RTP/AVP 8\r\na=rtcp:4008 IN IP4 192.0.2.99\r\n");
    let agreed = Session::new(1).answer(&named, &abilities(), None).unwrap().agreed;
    assert_eq!(agreed.remote_rtcp.socket(), Some("192.0.2.99:4008".parse().unwrap()));
}

#[test]
fn an_ipv6_house_says_so() {
    let abilities = Abilities { address: "2001:db8::1".parse().unwrap(), ..abilities() };
    let answer =
        Session::new(1).answer(&offer_of("m=audio 4000 RTP/AVP 8\r\n"), &abilities, None).unwrap();
    assert!(text(&answer.sdp).contains("c=IN IP6 2001:db8::1\r\n"));
}

#[test]
fn a_session_written_down_goes_on_where_it_was() {
    let mut session = Session::new(8);
    let offer = offer_of("m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    session.answer(&offer, &abilities(), None).unwrap();

    let json = serde_json::to_string(&session).unwrap();
    let mut restored: Session = serde_json::from_str(&json).unwrap();

    assert_eq!(restored, session);
    assert_eq!(restored.offer(&abilities(), None), session.offer(&abilities(), None));
}

fn abilities() -> Abilities {
    Abilities {
        address: "198.51.100.1".parse().unwrap(),
        rtp_port: 20_000,
        codecs: Codec::TELEPHONE.to_vec(),
        keys: None,
        browser: None,
        offers_handshake: false,
        demands_keys: false,
        text: None,
    }
}

fn offer_of(media: &str) -> Vec<u8> {
    format!("{TRUNK}{media}").into_bytes()
}

fn text(sdp: &[u8]) -> &str {
    std::str::from_utf8(sdp).unwrap()
}

/// RFC 4568: what a phone that insists on protection says, and gets.
#[test]
fn a_secure_offer_gets_a_secure_answer_inside_tls_and_none_outside() {
    let offer = offer_of(
        "m=audio 4000 RTP/SAVP 8\r\n\
         a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
         a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
    );
    assert_eq!(Session::new(1).answer(&offer, &abilities(), None), Err(Refused::NoCommonCodec));

    let answer = Session::new(1).answer(&offer, &secure(), None).unwrap();
    let secured = answer.agreed.secured.unwrap();
    assert_eq!(secured.theirs.suite(), Suite::AesCm128Sha1Tag32);
    let said = text(&answer.sdp);
    assert!(said.contains("m=audio 20000 RTP/SAVP 8\r\n"), "{said}");
    assert!(said.contains("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:"), "{said}");
    assert_eq!(said.matches("a=crypto").count(), 1);
    assert_ne!(secured.ours, secured.theirs);

    // RFC 8643: the same with plain RTP on offer; and keys that came where anybody reads are ignored.
    let either = String::from_utf8(offer.clone()).unwrap().replace("RTP/SAVP", "RTP/AVP");
    let answer = Session::new(1).answer(either.as_bytes(), &secure(), None).unwrap();
    assert!(answer.agreed.secured.is_some());
    let answer = Session::new(1).answer(either.as_bytes(), &abilities(), None).unwrap();
    assert!(answer.agreed.secured.is_none() && !text(&answer.sdp).contains("crypto"));

    // Of two streams, the one we can do.
    let both = [&offer[..], b"m=audio 4002 RTP/AVP 8\r\n"].concat();
    let answer = Session::new(1).answer(&both, &abilities(), None).unwrap();
    assert!(text(&answer.sdp).contains("m=audio 0 RTP/SAVP 8\r\nm=audio 20000 RTP/AVP 8\r\n"));
}

#[test]
fn an_answer_that_takes_none_of_our_keys_or_one_we_did_not_offer_is_refused() {
    let key = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let accept = |lines: &str| {
        let mut session = Session::new(1);
        session.offer(&secure(), None);
        session.accept(&offer_of(lines))
    };
    let with = |line: &str| accept(&format!("m=audio 4000 RTP/AVP 8\r\na=crypto:{line} {key}\r\n"));
    assert!(with("1 AES_CM_128_HMAC_SHA1_80").unwrap().secured.is_some());
    assert!(with("3 AES_CM_128_HMAC_SHA1_32").unwrap().secured.is_some());
    assert!(with("4 AES_CM_128_HMAC_SHA1_80").is_err());
    assert!(with("3 AES_CM_128_HMAC_SHA1_80").is_err());
    assert!(accept("m=audio 4000 RTP/AVP 8\r\n").unwrap().secured.is_none());
    assert!(accept("m=audio 4000 RTP/SAVP 8\r\n").is_err());
}

/// RFC 3711: phones that speak `RTP/SAVP` alone are offered just that, and held to it.
#[test]
fn who_takes_nothing_plain_is_offered_nothing_plain() {
    let abilities = Abilities { demands_keys: true, ..secure() };
    let accept = |lines: &str| {
        let mut session = Session::new(1);
        let offer = session.offer(&abilities, None);
        let ours = text(&offer).to_owned();
        assert!(ours.contains("RTP/SAVP 8") && ours.contains("a=crypto:1 "), "{ours}");
        session.accept(&offer_of(lines))
    };
    let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    let agreed = accept(&format!("m=audio 4000 RTP/SAVP 8\r\n{line}\r\n")).unwrap();

    assert!(agreed.secured.is_some());
    assert!(accept("m=audio 4000 RTP/AVP 8\r\n").is_err());
    assert!(accept("m=audio 4000 RTP/SAVP 8\r\n").is_err());
}

/// Twinkle 1.10 answers with the number of the last `telephone-event` it saw, and the clock of the first.
#[test]
fn keys_are_understood_under_either_number_we_gave_them() {
    let abilities = Abilities { codecs: Codec::ALL.to_vec(), ..abilities() };
    let mut session = Session::new(1);
    let offer = session.offer(&abilities, None);
    assert!(text(&offer).contains("a=rtpmap:97 telephone-event/48000"), "{}", text(&offer));

    let answer = offer_of("m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\n");
    let agreed = session.accept(&answer).unwrap();

    assert_eq!(agreed.telephone_event, Some(EventNumbers { send: 97, receive: 97 }));
}

#[test]
fn the_same_keys_are_said_again_with_every_description() {
    let abilities = secure();
    let mut session = Session::new(1);
    let offer = offer_of(
        "m=audio 4000 RTP/SAVP 8\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
    );
    let first = session.answer(&offer, &abilities, None).unwrap().agreed.secured;
    let again = session.answer(&offer, &abilities, None).unwrap().agreed.secured;
    assert_eq!(first, again);
    let offer = session.offer(&abilities, None);
    let ours = text(&offer);
    assert!(ours.contains("RTP/SAVP"), "{ours}");
}

/// RFC 4585, RFC 5124: profiles with feedback are accepted as such; RFC 5761: reports beside the
/// sound, if they like.
#[test]
fn feedback_and_multiplexed_reports_are_accepted() {
    let offer = offer_of("m=audio 4000 RTP/AVPF 8\r\na=rtcp-mux\r\na=rtcp-fb:8 nack\r\n");
    let answer = Session::new(1).answer(&offer, &abilities(), None).unwrap();
    assert!(answer.agreed.rtcp_mux);
    let said = text(&answer.sdp);
    assert!(said.contains("RTP/AVPF 8") && said.contains("a=rtcp-mux\r\n"), "{said}");

    let offer = offer_of(
        "m=audio 4000 RTP/SAVPF 8\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
    );
    let answer = Session::new(1).answer(&offer, &secure(), None).unwrap();
    assert!(!answer.agreed.rtcp_mux && text(&answer.sdp).contains("RTP/SAVPF 8\r\n"));
}

fn secure() -> Abilities {
    let mut number = 0;
    let keys = OurKeys::new(|| {
        number += 1;
        number
    });
    Abilities { keys: Some(keys), ..abilities() }
}

/// RFC 7587: in an answer to a phone that has nothing else, and last in our own offers.
#[test]
fn opus_is_spoken_with_phones_that_want_it_and_liked_least() {
    let phone = || Abilities { codecs: Codec::ALL.to_vec(), ..abilities() };
    let opus = offer_of(
        "m=audio 4000 RTP/AVP 107 110 101\r\na=rtpmap:107 opus/48000/2\r\n\
         a=fmtp:107 useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=rtpmap:101 telephone-event/8000\r\n",
    );
    let answer = Session::new(1).answer(&opus, &phone(), None).unwrap();
    assert_eq!((answer.agreed.codec, answer.agreed.payload_type_send), (Codec::Opus, 107));
    assert_eq!(answer.agreed.telephone_event, Some(EventNumbers { send: 110, receive: 110 }));
    let said = text(&answer.sdp);
    assert!(said.contains("a=rtpmap:107 opus/48000/2\r\n"), "{said}");
    assert!(said.contains("a=fmtp:107 useinbandfec=1;cbr=1;maxplaybackrate=16000"), "{said}");
    assert!(said.contains("a=rtpmap:110 telephone-event/48000\r\n"), "{said}");

    let both = offer_of("m=audio 4000 RTP/AVP 107 8\r\na=rtpmap:107 opus/48000/2\r\n");
    assert_eq!(Session::new(1).answer(&both, &phone(), None).unwrap().agreed.codec, Codec::Pcma);
    assert_eq!(Session::new(1).answer(&opus, &abilities(), None), Err(Refused::NoCommonCodec));
    // A number without a meaning is not Opus because ours would be.
    let bare = offer_of("m=audio 4000 RTP/AVP 96\r\n");
    assert_eq!(Session::new(1).answer(&bare, &phone(), None), Err(Refused::NoCommonCodec));

    let mut session = Session::new(1);
    let offered = session.offer(&phone(), None);
    assert!(text(&offered).contains("RTP/AVP 8 0 9 96 101 97\r\n"), "{}", text(&offered));
    let taken = offer_of(
        "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 opus/48000/2\r\n\
         a=rtpmap:97 telephone-event/48000\r\n",
    );
    let agreed = session.accept(&taken).unwrap();
    assert_eq!(agreed.codec, Codec::Opus);
    assert_eq!(agreed.telephone_event, Some(EventNumbers { send: 97, receive: 97 }));
}
