//! Where the pieces of a URI begin and end; checks them without copying.

use super::host::is_host;
use crate::sip::headers::PARAMETERS_MAX;

/// The pieces of a SIP URI after its scheme.
pub(super) struct SipParts<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) params: &'a str,
    pub(super) headers: &'a str,
}

/// The pieces of a tel URI after its scheme.
pub(super) struct TelParts<'a> {
    pub(super) number: &'a str,
    pub(super) params: &'a str,
}

/// Whether [`Uri`](super::Uri) can read this; without copying.
pub(in crate::sip) fn is_readable(text: &str) -> bool {
    let Some((scheme, rest)) = scheme(text) else {
        return false;
    };
    if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
        SipParts::read(rest).is_some()
    } else if scheme.eq_ignore_ascii_case("tel") {
        TelParts::read(rest).is_some()
    } else {
        is_opaque(rest)
    }
}

/// Scheme and the rest after the colon.
pub(super) fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_right = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(is_letter)
        && !rest.is_empty();
    is_right.then_some((scheme, rest))
}

/// Text that may follow an unknown scheme.
pub(super) fn is_opaque(text: &str) -> bool {
    text.bytes().all(|byte| byte > b' ' && byte != 0x7f && !matches!(byte, b'<' | b'>' | b'"'))
}

/// A port from 1 to 65 535.
pub(in crate::sip) fn port(text: &str) -> Option<u16> {
    let is_number = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().filter(|port| *port > 0)
}

/// The pairs of `;a=b;c` or `a=b&c=d`, without the first separator.
pub(super) fn pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, Option<&str>)> {
    let is_empty = text.is_empty();
    text.split(separator).filter(move |_| !is_empty).map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (pair, None),
    })
}

impl<'a> SipParts<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        // An @ must be encoded everywhere else, so the first one ends the user part.
        let (user, rest) = match text.split_once('@') {
            Some((userinfo, rest)) => (Some(user(userinfo)?), rest),
            None => (None, text),
        };
        let (place_and_params, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, params) = place_and_params.split_once(';').unwrap_or((place_and_params, ""));
        let host_end = match place.strip_prefix('[') {
            Some(inner) => inner.find(']')? + 2,
            None => place.find(':').unwrap_or(place.len()),
        };
        let (host, rest) = place.split_at(host_end);
        let port = if rest.is_empty() { None } else { Some(port(rest.strip_prefix(':')?)?) };
        let is_right = is_host(host)
            && are_params(params, ';')
            && are_params(headers, '&')
            && !text.ends_with([';', '?', '&'])
            && !place_and_params.ends_with(';');
        is_right.then_some(Self { user, host, port, params, headers })
    }
}

impl<'a> TelParts<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (number, params) = text.split_once(';').unwrap_or((text, ""));
        let is_digit = |byte: u8| {
            byte.is_ascii_hexdigit()
                || matches!(byte, b'+' | b'*' | b'#' | b'-' | b'.' | b'(' | b')')
        };
        let is_right = number.bytes().all(is_digit)
            && number
                .bytes()
                .any(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'#'))
            && !number.get(1..)?.contains('+')
            && are_params(params, ';')
            && !text.ends_with(';');
        is_right.then_some(Self { number, params })
    }
}

/// The user part without its password. An empty one is an error, as is a `%` that encodes nothing.
fn user(userinfo: &str) -> Option<&str> {
    let user = userinfo.split_once(':').map_or(userinfo, |(user, _)| user);
    (!user.is_empty() && is_opaque(userinfo) && is_encoded(user)).then_some(user)
}

fn are_params(text: &str, separator: char) -> bool {
    text.is_empty()
        || (is_opaque(text)
            && is_encoded(text)
            && text.split(separator).count() <= PARAMETERS_MAX
            && pairs(text, separator).all(|(name, _)| !name.is_empty()))
}

/// Whether every `%` is followed by two hexadecimal digits.
fn is_encoded(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}
