//! What is left at the door (domain.md §4, P-01 to P-04).
//!
//! A network's INVITE says who calls (P-Asserted-Identity, RFC 3325 and RFC 5876; Remote-Party-ID; a
//! signed Identity), where they are (P-Access-Network-Info, RFC 7315 and RFC 7913; Geolocation, RFC 6442
//! and RFC 8787), on whose behalf (P-Served-User, RFC 5502 and RFC 8498; P-Private-Network-Indication, RFC
//! 7316; Diversion; History-Info) and what they are called (Call-Info, RFC 9795; Subject). What the house
//! needs of it has been read by the time the request is kept for answering; the rest is not kept, not even
//! in memory. Headers we have no name for go too, so that one invented tomorrow is no leak.

use std::fmt::Write;

use bytes::Bytes;

use crate::base::{CallerNumber, PhoneNumber};
use crate::sip::message::{HeaderName, Message, Method, Request};
use crate::sip::uri::{Host, Uri};
use crate::sip::wire;

/// Words of Privacy (RFC 3323 §4.2, RFC 3325 §9.3) by which a caller asks not to be known.
const HIDING: [&str; 3] = ["id", "user", "header"];

/// The request without what tells of people. Only those that are kept need it.
pub(super) fn stripped(request: Request) -> Request {
    let is_kept = matches!(request.method(), Method::Invite | Method::Update);
    if !is_kept || !request.all().any(|(name, _)| tells(name)) {
        return request;
    }
    let mut text = format!("{} {} SIP/2.0\r\n", request.method(), request.uri_text());
    for (name, value) in request.all().filter(|(name, _)| !tells(name)) {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&request.body());
    match wire::parse_datagram(&Bytes::from(bytes)) {
        Ok(Message::Request(stripped)) => stripped,
        // Fewer headers of a readable request are a readable request.
        Ok(Message::Response(_)) | Err(_) => request,
    }
}

fn tells(name: &str) -> bool {
    use HeaderName as Name;
    matches!(
        Name::read(name.as_bytes()),
        Name::AlertInfo
            | Name::Diversion
            | Name::HistoryInfo
            | Name::PAssertedIdentity
            | Name::PCalledPartyId
            | Name::PPreferredIdentity
            | Name::ReferredBy
            | Name::RemotePartyId
            | Name::Subject
            | Name::Other
    )
}

/// The number of a trunk's caller, if they let us have it: P-Asserted-Identity, which is the network's
/// word (one sip, one tel at the most, RFC 5876 §3), or else From.
pub(super) fn caller_of(request: &Request) -> Option<CallerNumber> {
    let hides =
        request.privacy().any(|word| HIDING.iter().any(|hiding| hiding.eq_ignore_ascii_case(word)));
    let from = request.from().ok()?.uri().ok();
    if hides || from.as_ref().is_some_and(is_anonymous) {
        return None;
    }
    let asserted = request.asserted_identities().take(2).filter_map(|one| one.ok()?.uri().ok());
    let number: PhoneNumber = asserted.chain(from).find_map(|uri| uri.number())?;
    Some(CallerNumber::new(number))
}

/// RFC 3323 §4.1.1.3.
fn is_anonymous(from: &Uri) -> bool {
    from.dialled().eq_ignore_ascii_case("anonymous")
        || matches!(from.host(), Some(Host::Name(name))
            if name.eq_ignore_ascii_case("anonymous.invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3323, RFC 3325: one word of these, and the network's own number is forgotten.
    #[test]
    fn who_asks_for_privacy_has_no_number() {
        for privacy in ["id", "user", "header", "id;critical", "user,id", "ID ; session"] {
            let request = invite("+33600000001", &format!("Privacy: {privacy}\r\n"));

            assert_eq!(caller_of(&request), None, "{privacy}");
        }
        assert_eq!(caller_of(&invite("anonymous", "")), None);
        assert!(caller_of(&invite("+33600000001", "Privacy: none\r\n")).is_some());
        assert!(caller_of(&invite("+33600000001", "Privacy: session\r\n")).is_some());
    }

    /// RFC 5876 §3: a sip and a tel URI may stand together; From is presentation only.
    #[test]
    fn the_networks_number_counts_and_not_the_presented_one() {
        let both = "P-Asserted-Identity: \"x\" <sip:nobody@sbc.example>, <tel:+33611111111>\r\n";
        let expected = CallerNumber::new("+33611111111".parse().unwrap());

        assert_eq!(caller_of(&invite("+33600000001", both)), Some(expected));
    }

    #[test]
    fn an_opaque_number_is_none_and_no_reason_to_refuse() {
        assert_eq!(caller_of(&invite("unavailable", "P-Asserted-Identity: <sip:x@y>\r\n")), None);
    }

    /// RFC 3455, RFC 5502, RFC 6442, RFC 7315, RFC 7316, RFC 7913, RFC 8498, RFC 8787.
    #[test]
    fn what_tells_of_people_is_not_kept() {
        let canaries = "P-Asserted-Identity: <tel:+33699999999>\r\n\
             Remote-Party-ID: <sip:+33699999999@x>\r\n\
             P-Access-Network-Info: GSTN;operator-specific-GI=\"R16999999900\";network-provided\r\n\
             Geolocation: <sip:69999999@here.example>;loc-src=sbc.example\r\n\
             P-Served-User: <sip:69999999@x>;sescase=orig;regstate=unreg\r\n\
             P-Private-Network-Indication: 69999999.example\r\n\
             Diversion: <tel:+33699999999>\r\n\
             History-Info: <sip:+33699999999@x>;index=1\r\n\
             Identity: 69999999;info=<https://x/69999999>;alg=ES256\r\n\
             Call-Info: <https://x/69999999.jpg>;purpose=icon\r\n\
             X-Tomorrow: 69999999\r\n\
             s: call from 69999999\r\n\
             Supported: timer\r\n";

        let kept = stripped(invite("anonymous", canaries));

        let text = String::from_utf8_lossy(kept.bytes()).into_owned();
        assert!(!text.contains("6999999"), "{text}");
        assert!(text.contains("Supported: timer") && text.ends_with("v=0\r\n"), "{text}");
        assert_eq!(kept.call_id(), "x");
    }

    fn invite(user: &str, headers: &str) -> Request {
        let text = format!(
            "INVITE sip:3133@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bKx\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@sbc.example>;tag=a\r\nTo: <sip:3133@10.0.0.1>\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\n{headers}Content-Type: application/sdp\r\n\
             Content-Length: 5\r\n\r\nv=0\r\n"
        );
        let Ok(Message::Request(request)) = wire::parse_datagram(&Bytes::from(text)) else {
            panic!("it is an INVITE");
        };
        request
    }
}
