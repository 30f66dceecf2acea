//! Any bytes as an offer and as an answer: no panic, and what was read is written and read the same.

use hotline::media::codec::Codec;
use hotline::media::sdp::{Abilities, TextAbilities, Session, parse, print};

pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(read) = parse(bytes) {
        assert_eq!(parse(&print(&read)).as_ref(), Ok(&read));
    }
    let abilities =
        Abilities {
            address: [192, 0, 2, 1].into(),
            rtp_port: 20_000,
            codecs: Codec::TELEPHONE.to_vec(),
            keys: None,
            browser: None,
            offers_handshake: false,
            demands_keys: false,
            text: Some(TextAbilities { port: 20_002, keys: None }),
        };
    let mut session = Session::new(1);
    if let Ok(answer) = session.answer(bytes, &abilities, None) {
        let offered = parse(bytes).expect("it was read a moment ago");
        let answered = parse(&answer.sdp).expect("we write what can be read");
        assert_eq!(offered.media.len(), answered.media.len());
    }
    session.offer(&abilities, Some(Codec::G722));
    let _ = session.accept(bytes);
}
