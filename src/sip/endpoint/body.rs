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
                Some(value) => sdp_in(value, &body, DEPTH_MAX),
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

/// The SDP in a body of this type.
fn sdp_in(content_type: &str, body: &Bytes, depth: usize) -> Option<Bytes> {
    let content_type = ContentType::read(content_type)?;
    if content_type.is("application", "sdp") {
        return Some(body.clone());
    }
    if !content_type.kind.eq_ignore_ascii_case("multipart") || depth == 0 {
        return None;
    }
    let boundary = content_type.params.unquoted("boundary")?;
    parts(body, boundary.as_bytes()).into_iter().find_map(|part| {
        let (head, body) = part_head(&part)?;
        let value = head_value(&head, "content-type")?;
        sdp_in(&value, &body, depth - 1)
    })
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

        assert_eq!(sdp.as_deref(), Some(b"v=0\r\no=-".as_slice()));
    }

    #[test]
    fn a_multipart_without_end_or_type_holds_nothing() {
        for body in
            [b"--xyz".as_slice(), b"--xyz\r\n", b"--xyz\r\nx\r\n--xyz", b"", b"--xyz\r\n\r\n"]
        {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(sdp_in("multipart/mixed;boundary=xyz", &body, DEPTH_MAX), None);
        }
    }

    #[test]
    fn handling_is_required_unless_said_otherwise() {
        assert!(is_required("session"));
        assert!(is_required("render;handling=required"));
        assert!(!is_required("render;handling=optional"));
    }
}
