//! Any bytes as a datagram and as a stream: no panic, no endless loop, and what was let in can be
//! read, answered and sent on.

use bytes::Bytes;
use hotline::sip::message::{HeaderName, Message, ResponseBuilder, Status};
use hotline::sip::wire::{Frame, Framer, parse_datagram};

pub(crate) fn fuzz(bytes: &[u8]) {
    datagram(&Bytes::copy_from_slice(bytes));
    let mut framer = Framer::new();
    for piece in bytes.chunks(97) {
        framer.push(piece);
        loop {
            match framer.pop() {
                Ok(Some(Frame::Message(message))) => datagram(&message),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fn datagram(bytes: &Bytes) {
    let source = "192.0.2.1:5060".parse().expect("an address");
    let message = match parse_datagram(bytes) {
        Ok(message) => message,
        Err(malformed) => {
            let answer = malformed.answer("t", source);
            assert_eq!(answer.is_some(), malformed.status().is_some());
            return;
        }
    };
    for via in message.vias() {
        let via = via.expect("checked while reading");
        let _ = (via.branch(), via.received(), via.answer_address(source));
    }
    let from = message.from().expect("checked while reading");
    let uri = from.uri().expect("checked while reading");
    assert_eq!(uri.to_string().parse(), Ok(uri.clone()));
    let _ = (from.display(), from.tag(), from.q(), from.instance(), uri.dialled());
    let _ = message.contacts().count() + message.record_routes().count();
    let _ = message.credentials().count() + message.challenges().count();
    let _ = message.reasons().count() + message.warnings().count();
    let _ = (message.expires(), message.retry_after(), message.session_expires());
    let _ = (message.content_type(), message.rack(), message.header(HeaderName::Subject));
    if let Message::Request(request) = &message {
        let uri = request.uri().expect("checked while reading");
        assert_eq!(uri.to_string().parse(), Ok(uri));
        let answer = ResponseBuilder::new(request, Status::OK, "t", source).finish();
        // Ours is longer by `received`, so what was just below a limit may be above it.
        if let Ok(read) = parse_datagram(answer.bytes()) {
            assert_eq!(read.call_id(), request.call_id());
            assert_eq!(read.cseq(), request.cseq());
            assert!(read.to_tag().is_some());
        }
    }
}
