//! A second pair of eyes on what the exchange sends: `rsip`, which shares no line with our parser.
//!
//! A mistake made the same way in our printer and in our parser would go unseen if our messages
//! were only ever read by ourselves (decisions.md §16). The witness reads every message with
//! `rsip`, headers and all, and says what is wrong. What `rsip` itself can't read is a named list.

use rsip::headers::ToTypedHeader;
use rsip::message::HeadersExt;
use rsip::{Header, SipMessage};

/// A message the witness could not make sense of.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what}\n{message}")]
pub struct Fault {
    /// What is wrong with it.
    pub what: String,
    /// The message as it was sent.
    pub message: String,
}

/// What `rsip` 0.4 can't read although it is well-formed; these messages are read only as far as
/// their headers' names.
const GAPS: &[(&str, &str)] = &[
    // RFC 8760: the algorithm names of `rsip` end where RFC 2617 does.
    ("algorithm=SHA-256", "SHA-256 in a challenge"),
    // An IPv6 reference in a Via or a URI.
    ("[", "an IPv6 address"),
];

/// Reads one message the exchange has sent.
pub fn read(bytes: &[u8]) -> Result<SipMessage, Fault> {
    let fault = |what: String| Fault { what, message: String::from_utf8_lossy(bytes).into() };
    let message = SipMessage::try_from(bytes).map_err(|e| fault(format!("rsip: {e}")))?;
    let whole = message.body().len();
    let headers = match &message {
        SipMessage::Request(request) => &request.headers,
        SipMessage::Response(response) => &response.headers,
    };
    for header in headers.iter() {
        if let Err(what) = typed(header) {
            let text = header.to_string();
            if !GAPS.iter().any(|(sign, _)| text.contains(sign)) {
                return Err(fault(format!("`{text}`: {what}")));
            }
        }
    }
    let must = |found: bool, name: &str| {
        if found { Ok(()) } else { Err(fault(format!("there is no {name}"))) }
    };
    must(message.via_header().is_ok(), "Via")?;
    must(message.from_header().is_ok(), "From")?;
    must(message.to_header().is_ok(), "To")?;
    must(message.call_id_header().is_ok(), "Call-ID")?;
    must(message.cseq_header().is_ok(), "CSeq")?;
    // RFC 3261 §20.14: without it a body on a stream has no end.
    let length = headers.iter().find_map(|header| {
        if let Header::ContentLength(length) = header { length.length().ok() } else { None }
    });
    match length {
        Some(length) if length as usize == whole => {}
        Some(length) => return Err(fault(format!("Content-Length {length}, body {whole}"))),
        None => return Err(fault("there is no Content-Length".into())),
    }
    if let SipMessage::Request(request) = &message {
        must(request.max_forwards_header().is_ok(), "Max-Forwards")?;
        let cseq = request.cseq_header().ok().and_then(|cseq| cseq.typed().ok());
        must(cseq.is_some_and(|cseq| cseq.method == request.method), "CSeq of the same method")?;
        let needs_contact = matches!(request.method, rsip::Method::Invite);
        must(!needs_contact || request.contact_header().is_ok(), "Contact")?;
    }
    Ok(message)
}

/// Reads what stands in a header, where `rsip` knows how.
#[expect(clippy::wildcard_enum_match_arm, reason = "headers that are plain text say nothing more")]
fn typed(header: &Header) -> Result<(), rsip::Error> {
    match header.clone() {
        Header::Allow(header) => header.into_typed().map(drop),
        Header::Authorization(header) => header.into_typed().map(drop),
        Header::CSeq(header) => header.into_typed().map(drop),
        Header::Contact(header) if header.to_string().contains('<') => {
            header.into_typed().map(drop)
        }
        Header::ContentLength(header) => header.length().map(drop),
        Header::ContentType(header) => header.into_typed().map(drop),
        Header::Expires(header) => header.seconds().map(drop),
        Header::From(header) => header.into_typed().map(drop),
        Header::MaxForwards(header) => header.num().map(drop),
        Header::To(header) => header.into_typed().map(drop),
        Header::Via(header) => header.into_typed().map(drop),
        Header::WwwAuthenticate(header) => header.into_typed().map(drop),
        Header::ProxyAuthenticate(header) => header.into_typed().map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_message_is_read() {
        let text = "INVITE sip:lea@10.2.0.1:5060 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport\r\n\
            Max-Forwards: 70\r\n\
            From: \"3977, 2 min\" <sip:3977@10.0.0.1>;tag=abc\r\n\
            To: <sip:lea@10.2.0.1:5060>\r\n\
            Call-ID: abc\r\n\
            CSeq: 1 INVITE\r\n\
            Contact: <sip:10.0.0.1:5060>\r\n\
            Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n\
            Content-Length: 0\r\n\r\n";

        let read = read(text.as_bytes());

        assert!(read.is_ok(), "{}", read.unwrap_err());
    }

    #[test]
    fn a_missing_contact_a_wrong_length_and_a_torn_header_are_told() {
        let good = "INVITE sip:lea@10.2.0.1 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKabc\r\n\
            Max-Forwards: 70\r\n\
            From: <sip:3977@10.0.0.1>;tag=abc\r\n\
            To: <sip:lea@10.2.0.1>\r\n\
            Call-ID: abc\r\n\
            CSeq: 1 INVITE\r\n\
            Contact: <sip:10.0.0.1>\r\n\
            Content-Length: 0\r\n\r\n";
        let table = [
            ("Contact: <sip:10.0.0.1>\r\n", "", "there is no Contact"),
            ("Content-Length: 0", "Content-Length: 3", "Content-Length 3, body 0"),
            ("CSeq: 1 INVITE", "CSeq: 1 BYE", "there is no CSeq of the same method"),
            ("Max-Forwards: 70", "Max-Forwards: many", "`Max-Forwards: many`"),
        ];
        assert!(read(good.as_bytes()).is_ok());
        for (from, to, what) in table {
            let fault = read(good.replace(from, to).as_bytes()).unwrap_err();
            assert!(fault.what.starts_with(what), "{}", fault.what);
        }
    }
}
