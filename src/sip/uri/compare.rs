//! Whether two URIs mean the same (RFC 3261 §19.1.4, RFC 3966 §4).

use super::{SipUri, TelUri, Uri, decode_bytes};

/// Parameters that make a difference even if only one URI has them. `transport` is not in the
/// RFC's list but in its examples ("can resolve to different transports").
const DECISIVE: &[&str] = &["user", "ttl", "method", "maddr", "transport"];

type Params = [(String, Option<String>)];

pub(super) fn matches(one: &Uri, two: &Uri) -> bool {
    match (one, two) {
        (Uri::Sip(one), Uri::Sip(two)) => sip(one, two),
        (Uri::Tel(one), Uri::Tel(two)) => tel(one, two),
        (Uri::Other { scheme, text }, Uri::Other { scheme: scheme_two, text: text_two }) => {
            scheme.eq_ignore_ascii_case(scheme_two) && text == text_two
        }
        (Uri::Sip(_) | Uri::Tel(_) | Uri::Other { .. }, _) => false,
    }
}

fn sip(one: &SipUri, two: &SipUri) -> bool {
    one.secure == two.secure
        && one.user.as_deref().map(decode_bytes) == two.user.as_deref().map(decode_bytes)
        && one.host.matches(&two.host)
        && one.port == two.port
        && fit(&one.params, &two.params)
        && fit(&two.params, &one.params)
        && one.headers.len() == two.headers.len()
        && one.headers.iter().all(|(name, value)| {
            two.headers.iter().any(|(other, text)| {
                is_same(other, name) && decode_bytes(text) == decode_bytes(value)
            })
        })
}

/// Whether each parameter of `one` is the same in `two`, or missing there and of no weight.
fn fit(one: &Params, two: &Params) -> bool {
    one.iter().all(|(name, value)| {
        has(two, name, value.as_deref())
            || (!two.iter().any(|(other, _)| is_same(other, name))
                && !DECISIVE.iter().any(|decisive| is_same(decisive, name)))
    })
}

fn tel(one: &TelUri, two: &TelUri) -> bool {
    digits(&one.number).eq(digits(&two.number))
        && one.params.len() == two.params.len()
        && one.params.iter().all(|(name, value)| has(&two.params, name, value.as_deref()))
        && two.params.iter().all(|(name, value)| has(&one.params, name, value.as_deref()))
}

/// A number without its visual separators.
fn digits(number: &str) -> impl Iterator<Item = char> {
    number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).map(|c| c.to_ascii_lowercase())
}

/// Whether the parameter is there with this value. A name that stands there twice (which RFC 3261
/// §19.1.1 forbids, and networks do) has both its values.
fn has(params: &Params, name: &str, value: Option<&str>) -> bool {
    params.iter().any(|(other, text)| {
        is_same(other, name)
            && is_same(text.as_deref().unwrap_or_default(), value.unwrap_or_default())
    })
}

/// Same after percent-decoding, whatever the case.
fn is_same(one: &str, two: &str) -> bool {
    decode_bytes(one).eq_ignore_ascii_case(&decode_bytes(two))
}
