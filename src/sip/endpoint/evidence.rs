//! What was dialled, and what was dialled first.
//!
//! The Request-URI says where the network delivers the call, and alone decides whether it is for this
//! house. A short number is translated on its way, and a caller may have been forwarded: the number they
//! really dialled is then in To, P-Called-Party-ID (RFC 7315 §4.2), History-Info (RFC 7044) or Diversion
//! (RFC 5806; RFC 7544 tells how the two correspond). That is evidence for telling one of our lines from
//! another, never a permission; of all the numbers in it only our own are remembered, because the others
//! can be private people's.

use std::collections::BTreeSet;

use crate::base::PhoneNumber;
use crate::sip::headers::NameAddr;
use crate::sip::message::{HeaderName, Request};

use super::Dialled;

/// The most entries of Diversion, and of History-Info, that are looked at.
const ENTRIES_MAX: usize = 10;
/// The deepest index of a History-Info entry (`1.1.2` is three deep).
const INDEX_MAX: usize = 10;

/// What this INVITE dialled; `ours` are the numbers of the house.
pub(super) fn dialled(request: &Request, ours: &BTreeSet<PhoneNumber>) -> Dialled {
    let uri = request.uri().ok();
    let number = uri.as_ref().and_then(crate::sip::uri::Uri::number);
    let mut first = Vec::new();
    let to = request.to().ok().as_ref().and_then(number_of);
    let called = request.address(HeaderName::PCalledPartyId).ok().as_ref().and_then(number_of);
    let evidence =
        [to, called].into_iter().flatten().chain(history(request)).chain(diversions(request));
    for evident in evidence {
        if Some(&evident) != number.as_ref() && ours.contains(&evident) && !first.contains(&evident)
        {
            first.push(evident);
        }
    }
    let user = uri.map(|uri| uri.dialled().into_owned()).unwrap_or_default();
    Dialled { user, number, first }
}

/// The numbers of History-Info, the oldest first.
fn history(request: &Request) -> Vec<PhoneNumber> {
    let entries = request.addresses(HeaderName::HistoryInfo).take(ENTRIES_MAX);
    let mut entries: Vec<(Vec<u32>, PhoneNumber)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((index_of(&entry), number_of(&entry)?))
        })
        .collect();
    // Proxies may mix their lines up; the index says the order (RFC 7044 §10.3).
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries.into_iter().map(|(_, number)| number).collect()
}

/// The numbers of Diversion, the oldest first: each diverting party puts its own on top (RFC 5806 §3).
fn diversions(request: &Request) -> Vec<PhoneNumber> {
    let entries = request.addresses(HeaderName::Diversion).take(ENTRIES_MAX);
    let mut numbers: Vec<PhoneNumber> =
        entries.filter_map(|entry| number_of(&entry.ok()?)).collect();
    numbers.reverse();
    numbers
}

fn number_of(address: &NameAddr<'_>) -> Option<PhoneNumber> {
    address.uri().ok()?.number()
}

/// `index=1.2.1`; an entry without one comes last.
fn index_of(entry: &NameAddr<'_>) -> Vec<u32> {
    let text = entry.params().get("index").unwrap_or("4294967295");
    text.split('.').take(INDEX_MAX).map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sip::message::Message;
    use crate::sip::wire;

    /// RFC 5806: the original number is at the bottom.
    #[test]
    fn diversion_tells_what_was_dialled_first() {
        let dialled = dialled_with(
            "Diversion: <tel:+33199000001>;reason=unconditional;counter=1\r\n\
             Diversion: <sip:3977@sbc.example;user=phone>;reason=unknown;privacy=off\r\n",
        );

        assert_eq!(first(&dialled), ["3977"]);
    }

    /// RFC 7044 §10.3: the index says the order, not the place on the line.
    #[test]
    fn history_info_is_read_in_the_order_of_its_indices() {
        let dialled = dialled_with(
            "History-Info: <sip:+33199003977@sbc.example>;index=1.1;mp=1, \
             <sip:3977@sbc.example?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1, \
             <sip:3133@10.0.0.1>;index=1.1.1\r\n",
        );

        assert_eq!(first(&dialled), ["3977", "+33199003977"]);
    }

    /// RFC 7315 §4.2, and To.
    #[test]
    fn the_called_party_and_to_are_evidence_too() {
        assert_eq!(
            first(&dialled_with("P-Called-Party-ID: <tel:3977;phone-context=+33>\r\n")),
            ["3977"]
        );
        assert_eq!(first(&dialled_to("tel:3977;phone-context=+33", "")), ["3977"]);
        assert!(first(&dialled_to("sip:3133@10.0.0.1", "")).is_empty());
    }

    /// RFC 7544: both headers in one call tell the same story once.
    #[test]
    fn history_info_and_diversion_agree() {
        let dialled = dialled_with(
            "Diversion: <sip:3977@sbc.example>;reason=unconditional\r\n\
             History-Info: <sip:3977@sbc.example;cause=302>;index=1,<sip:3133@10.0.0.1>;index=1.1\r\n",
        );

        assert_eq!(first(&dialled), ["3977"]);
    }

    /// A private person who forwards their telephone to us leaves no trace.
    #[test]
    fn numbers_that_are_not_ours_are_forgotten_at_once() {
        let dialled = dialled_with("Diversion: <tel:+33612345678>;reason=no-answer\r\n");

        assert!(dialled.first.is_empty());
        assert!(!format!("{dialled:?}").contains("612345678"));
    }

    #[test]
    fn a_thousand_entries_cost_no_more_than_ten() {
        let bomb = "Diversion: <tel:+33199000001>\r\n".repeat(60) + "Diversion: <tel:3977>\r\n";

        assert!(dialled_with(&bomb).first.is_empty());
    }

    fn first(dialled: &Dialled) -> Vec<&str> {
        dialled.first.iter().map(PhoneNumber::as_str).collect()
    }

    fn dialled_with(headers: &str) -> Dialled {
        dialled_to("sip:3133@10.0.0.1", headers)
    }

    fn dialled_to(to: &str, headers: &str) -> Dialled {
        let text = format!(
            "INVITE sip:3133@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bKx\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+33600000001@sbc.example>;tag=a\r\nTo: <{to}>\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\n{headers}Content-Length: 0\r\n\r\n"
        );
        let Ok(Message::Request(request)) = wire::parse_datagram(&Bytes::from(text)) else {
            panic!("it is an INVITE");
        };
        let ours = ["3977", "3133", "+33199003977"].map(|number| number.parse().unwrap());
        dialled(&request, &ours.into())
    }
}
