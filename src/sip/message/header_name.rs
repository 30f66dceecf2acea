use std::fmt;

use serde::{Deserialize, Serialize};

/// A header field's name: those the house reads or writes, or [`Other`](HeaderName::Other).
///
/// Compact forms (RFC 3261 §7.3.3) are folded in while reading; we never write them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum HeaderName {
    Accept,
    AcceptContact,
    AlertInfo,
    Allow,
    AllowEvents,
    Authorization,
    CallId,
    Contact,
    ContentDisposition,
    ContentEncoding,
    ContentLength,
    ContentType,
    CSeq,
    Date,
    Diversion,
    Event,
    Expires,
    FlowTimer,
    From,
    HistoryInfo,
    MaxForwards,
    MinExpires,
    MinSe,
    PAssertedIdentity,
    PCalledPartyId,
    PEarlyMedia,
    PPreferredIdentity,
    Path,
    Privacy,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyRequire,
    RAck,
    Reason,
    RecordRoute,
    ReferTo,
    ReferredBy,
    RemotePartyId,
    Replaces,
    Require,
    RetryAfter,
    Route,
    RSeq,
    Server,
    SessionExpires,
    Subject,
    SubscriptionState,
    Supported,
    Timestamp,
    To,
    Unsupported,
    UserAgent,
    Via,
    Warning,
    WwwAuthenticate,
    /// A name not in this list; read it with `Head::extension`.
    Other,
}

/// Every name with its usual spelling, its compact form, and how its values stand on a line.
const NAMES: &[(HeaderName, &str, Option<u8>, Shape)] = &[
    (HeaderName::Accept, "Accept", None, Shape::List),
    (HeaderName::AcceptContact, "Accept-Contact", Some(b'a'), Shape::List),
    (HeaderName::AlertInfo, "Alert-Info", None, Shape::List),
    (HeaderName::Allow, "Allow", None, Shape::List),
    (HeaderName::AllowEvents, "Allow-Events", Some(b'u'), Shape::List),
    (HeaderName::Authorization, "Authorization", None, Shape::Lines),
    (HeaderName::CallId, "Call-ID", Some(b'i'), Shape::Single),
    (HeaderName::Contact, "Contact", Some(b'm'), Shape::List),
    (HeaderName::ContentDisposition, "Content-Disposition", None, Shape::Lines),
    (HeaderName::ContentEncoding, "Content-Encoding", Some(b'e'), Shape::List),
    (HeaderName::ContentLength, "Content-Length", Some(b'l'), Shape::Single),
    (HeaderName::ContentType, "Content-Type", Some(b'c'), Shape::Lines),
    (HeaderName::CSeq, "CSeq", None, Shape::Single),
    (HeaderName::Date, "Date", None, Shape::Lines),
    (HeaderName::Diversion, "Diversion", None, Shape::List),
    (HeaderName::Event, "Event", Some(b'o'), Shape::Lines),
    (HeaderName::Expires, "Expires", None, Shape::Lines),
    (HeaderName::FlowTimer, "Flow-Timer", None, Shape::Lines),
    (HeaderName::From, "From", Some(b'f'), Shape::Single),
    (HeaderName::HistoryInfo, "History-Info", None, Shape::List),
    (HeaderName::MaxForwards, "Max-Forwards", None, Shape::Single),
    (HeaderName::MinExpires, "Min-Expires", None, Shape::Lines),
    (HeaderName::MinSe, "Min-SE", None, Shape::Lines),
    (HeaderName::PAssertedIdentity, "P-Asserted-Identity", None, Shape::List),
    (HeaderName::PCalledPartyId, "P-Called-Party-ID", None, Shape::Lines),
    (HeaderName::PEarlyMedia, "P-Early-Media", None, Shape::List),
    (HeaderName::PPreferredIdentity, "P-Preferred-Identity", None, Shape::List),
    (HeaderName::Path, "Path", None, Shape::List),
    (HeaderName::Privacy, "Privacy", None, Shape::Lines),
    (HeaderName::ProxyAuthenticate, "Proxy-Authenticate", None, Shape::Lines),
    (HeaderName::ProxyAuthorization, "Proxy-Authorization", None, Shape::Lines),
    (HeaderName::ProxyRequire, "Proxy-Require", None, Shape::List),
    (HeaderName::RAck, "RAck", None, Shape::Lines),
    (HeaderName::Reason, "Reason", None, Shape::List),
    (HeaderName::RecordRoute, "Record-Route", None, Shape::List),
    (HeaderName::ReferTo, "Refer-To", Some(b'r'), Shape::Lines),
    (HeaderName::ReferredBy, "Referred-By", Some(b'b'), Shape::Lines),
    (HeaderName::RemotePartyId, "Remote-Party-ID", None, Shape::List),
    (HeaderName::Replaces, "Replaces", None, Shape::Lines),
    (HeaderName::Require, "Require", None, Shape::List),
    (HeaderName::RetryAfter, "Retry-After", None, Shape::Lines),
    (HeaderName::Route, "Route", None, Shape::List),
    (HeaderName::RSeq, "RSeq", None, Shape::Lines),
    (HeaderName::Server, "Server", None, Shape::Lines),
    (HeaderName::SessionExpires, "Session-Expires", Some(b'x'), Shape::Lines),
    (HeaderName::Subject, "Subject", Some(b's'), Shape::Lines),
    (HeaderName::SubscriptionState, "Subscription-State", None, Shape::Lines),
    (HeaderName::Supported, "Supported", Some(b'k'), Shape::List),
    (HeaderName::Timestamp, "Timestamp", None, Shape::Lines),
    (HeaderName::To, "To", Some(b't'), Shape::Single),
    (HeaderName::Unsupported, "Unsupported", None, Shape::List),
    (HeaderName::UserAgent, "User-Agent", None, Shape::Lines),
    (HeaderName::Via, "Via", Some(b'v'), Shape::List),
    (HeaderName::Warning, "Warning", None, Shape::List),
    (HeaderName::WwwAuthenticate, "WWW-Authenticate", None, Shape::Lines),
];

/// How the values of a header stand on its lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// One line only; a second one makes the message malformed.
    Single,
    /// One value a line. Commas may be part of it.
    Lines,
    /// Values separated by commas, over any number of lines.
    List,
}

impl HeaderName {
    /// Reads a name as it stands before the colon, whatever its case.
    pub fn read(text: &[u8]) -> Self {
        if let [letter] = text {
            return Self::compact(letter.to_ascii_lowercase());
        }
        // The table is sorted by spelling; its first letters narrow the search to a few entries.
        NAMES
            .iter()
            .find(|(_, spelling, ..)| spelling.as_bytes().eq_ignore_ascii_case(text))
            .map_or(Self::Other, |(name, ..)| *name)
    }

    fn compact(letter: u8) -> Self {
        NAMES
            .iter()
            .find(|(_, _, compact, _)| *compact == Some(letter))
            .map_or(Self::Other, |(name, ..)| *name)
    }

    /// The usual spelling.
    pub fn as_str(self) -> &'static str {
        NAMES.get(self as usize).map_or("X-Other", |(_, spelling, ..)| spelling)
    }

    /// Whether a comma outside quotes and angle brackets separates values.
    pub fn is_list(self) -> bool {
        self.shape() == Shape::List
    }

    /// Whether a second line of this name makes a message malformed.
    pub fn is_single(self) -> bool {
        self.shape() == Shape::Single
    }

    fn shape(self) -> Shape {
        NAMES.get(self as usize).map_or(Shape::Lines, |(_, _, _, shape)| *shape)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (at, (name, spelling, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*name as usize, at, "{spelling}");
            assert_eq!(HeaderName::read(spelling.to_lowercase().as_bytes()), *name);
        }
        assert_eq!(NAMES.len(), HeaderName::Other as usize);
    }

    #[test]
    fn compact_forms_are_folded_in() {
        for (letter, name) in [
            ("v", HeaderName::Via),
            ("F", HeaderName::From),
            ("t", HeaderName::To),
            ("i", HeaderName::CallId),
            ("m", HeaderName::Contact),
            ("l", HeaderName::ContentLength),
            ("x", HeaderName::SessionExpires),
            ("z", HeaderName::Other),
        ] {
            assert_eq!(HeaderName::read(letter.as_bytes()), name);
        }
    }
}
