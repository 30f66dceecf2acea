//! Which part of a body is for us (RFC 5621): the SDP, alone or inside a multipart.

use bytes::Bytes;

use crate::sip::headers::{ContentType, Params};
use crate::sip::message::{Head, HeaderName};

/// How deep multiparts are opened, and how many parts of each are looked at.
const DEPTH_MAX: usize = 2;
const PARTS_MAX: usize = 16;

/// What a message carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Body {
    /// Nothing, or nothing we must understand.
    Nothing,
    Sdp(Bytes),
    /// Something we must understand and don't: 415.
    Unsupported,
}

impl Body {
    pub(super) fn of(head: &Head) -> Self {
        let body = head.body();
        if body.is_empty() {
            return Self::Nothing;
        }
        let encoded = head
            .headers(HeaderName::ContentEncoding)
            .any(|encoding| !encoding.eq_ignore_ascii_case("identity"));
        let required = head.header(HeaderName::ContentDisposition).is_none_or(is_required);
        let found = if encoded {
            None
        } else {
            match head.header(HeaderName::ContentType) {
                Some(value) => match sdp_in(value, &body, DEPTH_MAX) {
                    Ok(sdp) => sdp,
                    Err(Indispensable) => return Self::Unsupported,
                },
                // §20.15 wants a type; a body that begins like SDP needs none to be known.
                None => body.starts_with(b"v=0").then(|| body.clone()),
            }
        };
        match found {
            Some(sdp) => Self::Sdp(sdp),
            None if required => Self::Unsupported,
            None => Self::Nothing,
        }
    }
}

/// A part that says it must be understood, and isn't.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Indispensable;

/// The SDP in a body of this type: of `multipart/mixed` the first, of `multipart/alternative` the
/// last, which is the best (RFC 2046 §5.1.4). A part beside it that nobody here reads (ISUP, a
/// location, a card) is passed over, as long as it does not itself say `handling=required`: calls
/// with such parts are calls.
fn sdp_in(content_type: &str, body: &Bytes, depth: usize) -> Result<Option<Bytes>, Indispensable> {
    let Some(content_type) = ContentType::read(content_type) else {
        return Ok(None);
    };
    if content_type.is("application", "sdp") {
        return Ok(Some(body.clone()));
    }
    let boundary = content_type.params.unquoted("boundary");
    let is_multipart = content_type.kind.eq_ignore_ascii_case("multipart") && depth > 0;
    let Some(boundary) = boundary.filter(|_| is_multipart) else {
        return Ok(None);
    };
    let is_choice = content_type.subtype.eq_ignore_ascii_case("alternative");
    let mut found = None;
    for part in parts(body, boundary.as_bytes()) {
        let Some((head, body)) = part_head(&part) else {
            continue;
        };
        let sdp = match head_value(&head, "content-type") {
            Some(value) => sdp_in(&value, &body, depth - 1),
            None => Ok(None),
        };
        match sdp {
            Ok(Some(sdp)) if found.is_none() || is_choice => found = Some(sdp),
            Ok(Some(_)) => {}
            // One form of several that say the same need not be the one we read.
            Ok(None) | Err(Indispensable) if is_choice => {}
            Ok(None) if is_indispensable(&head) => return Err(Indispensable),
            Ok(None) => {}
            Err(Indispensable) => return Err(Indispensable),
        }
    }
    Ok(found)
}

/// RFC 5621 §8: whether a part says itself that nothing works without it.
fn is_indispensable(head: &str) -> bool {
    head_value(head, "content-disposition")
        .is_some_and(|disposition| disposition.to_ascii_lowercase().contains("handling=required"))
}

/// The parts between the boundary lines (RFC 2046 §5.1.1).
fn parts(body: &Bytes, boundary: &[u8]) -> Vec<Bytes> {
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary);
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(next) = find(&body[at..], &delimiter).map(|offset| at + offset) {
        let is_at_line_start = next == 0 || body[..next].ends_with(b"\n");
        let after = next + delimiter.len();
        if is_at_line_start {
            if let Some(start) = start {
                let part: &[u8] = &body[start..next];
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                let part = part.strip_suffix(b"\r").unwrap_or(part);
                found.push(body.slice(start..start + part.len()));
            }
            if body[after..].starts_with(b"--") || found.len() >= PARTS_MAX {
                break;
            }
            let line_end = find(&body[after..], b"\n").map(|offset| after + offset + 1);
            let Some(line_end) = line_end else {
                break;
            };
            start = Some(line_end);
        }
        at = after;
    }
    found
}

fn part_head(part: &Bytes) -> Option<(String, Bytes)> {
    let (end, gap) = find(part, b"\r\n\r\n")
        .map(|end| (end, 4))
        .or_else(|| find(part, b"\n\n").map(|end| (end, 2)))?;
    let head = String::from_utf8_lossy(&part[..end]).into_owned();
    Some((head, part.slice(end + gap..)))
}

fn head_value(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// `handling=required` is what silence means (RFC 3261 §20.11).
fn is_required(disposition: &str) -> bool {
    let params = disposition.find(';').and_then(|at| Params::read(&disposition[at..]));
    !params
        .and_then(|params| params.get("handling"))
        .is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdp_is_found_inside_a_multipart() {
        let body = Bytes::from_static(
            b"preamble\r\n--xyz\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xyz\r\n\
              Content-Type: application/sdp\r\n\r\nv=0\r\no=-\r\n--xyz--\r\n",
        );

        let sdp = sdp_in("multipart/mixed;boundary=\"xyz\"", &body, DEPTH_MAX);

        assert_eq!(sdp.unwrap().as_deref(), Some(b"v=0\r\no=-".as_slice()));
    }

    #[test]
    fn a_multipart_without_end_or_type_holds_nothing() {
        for body in
            [b"--xyz".as_slice(), b"--xyz\r\n", b"--xyz\r\nx\r\n--xyz", b"", b"--xyz\r\n\r\n"]
        {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(sdp_in("multipart/mixed;boundary=xyz", &body, DEPTH_MAX), Ok(None));
        }
    }

    /// RFC 5621 §3 and §8; RFC 3372: signalling of the old network rides along, and we let it.
    #[test]
    fn a_part_we_cannot_read_matters_only_if_it_says_so() {
        let with = |disposition: &str| {
            let text = format!(
                "--x\r\nContent-Type: application/isup\r\n{disposition}\r\n\r\n\x01\x02\r\n--x\r\n\
                 Content-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n"
            );
            sdp_in("multipart/mixed;boundary=x", &Bytes::from(text), DEPTH_MAX)
        };

        assert_eq!(with("X: y").unwrap().as_deref(), Some(b"v=0".as_slice()));
        let optional = with("Content-Disposition: signal;handling=optional");
        assert_eq!(optional.unwrap().as_deref(), Some(b"v=0".as_slice()));
        assert_eq!(with("Content-Disposition: signal; handling=REQUIRED"), Err(Indispensable));
    }

    /// RFC 5621 §3.1 and RFC 2046 §5.1.4: the last form is the best.
    #[test]
    fn of_alternatives_the_last_we_read_counts() {
        let part = |kind: &str, text: &str| {
            format!(
                "--x\r\nContent-Type: {kind}\r\nContent-Disposition: session;handling=required\r\n\
                 \r\n{text}\r\n"
            )
        };
        let text = part("application/sdp", "v=0 one")
            + &part("application/sdp", "v=0 two")
            + &part("application/wonder", "three")
            + "--x--";

        let sdp = sdp_in("multipart/alternative;boundary=x", &Bytes::from(text), DEPTH_MAX);

        assert_eq!(sdp.unwrap().as_deref(), Some(b"v=0 two".as_slice()));
    }

    /// Two boxes in each other are opened, a third is not.
    #[test]
    fn a_multipart_is_opened_twice_and_no_deeper() {
        let inside = |boundary: &str, kind: &str, text: &str| {
            format!("--{boundary}\r\nContent-Type: {kind}\r\n\r\n{text}\r\n--{boundary}--\r\n")
        };
        let one = inside("a", "application/sdp", "v=0");
        let two = inside("b", "multipart/mixed;boundary=a", &one);
        let three = inside("c", "multipart/mixed;boundary=b", &two);

        let read = |kind, text: &str| sdp_in(kind, &Bytes::from(text.to_owned()), DEPTH_MAX);
        assert!(read("multipart/mixed;boundary=b", &two).unwrap().is_some());
        assert!(read("multipart/mixed;boundary=c", &three).unwrap().is_none());
    }

    #[test]
    fn handling_is_required_unless_said_otherwise() {
        assert!(is_required("session"));
        assert!(is_required("render;handling=required"));
        assert!(!is_required("render;handling=optional"));
    }
}
