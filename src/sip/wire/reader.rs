//! One pass over the bytes makes the index; then what every message must have is checked.

use bytes::Bytes;

use super::malformed::Rescued;
use super::{Fault, HEADER_NAME_MAX, HEADER_VALUE_MAX, HEADERS_MAX, MESSAGE_MAX, Malformed};
use crate::sip::headers::{CSeq, digits, is_token, is_token_text};
use crate::sip::message::{
    Head, HeaderName, Line, Message, Method, Request, Response, Span, Status, clean,
};
use crate::sip::uri;

/// How much is read before we give up.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    message: usize,
    headers: usize,
    value: usize,
}

impl Limits {
    pub(super) const OF_STRANGERS: Self =
        Self { message: MESSAGE_MAX, headers: HEADERS_MAX, value: HEADER_VALUE_MAX };
    pub(super) const NONE: Self =
        Self { message: u32::MAX as usize, headers: usize::MAX, value: u32::MAX as usize };
}

pub(super) fn read(bytes: &Bytes, limits: Limits) -> Result<Message, Malformed> {
    if bytes.len() > limits.message {
        return Err(Malformed::dropped(Fault::MessageTooLong));
    }
    // RFC 3261 §7.5: line breaks before the first line are passed over.
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let Some(start) = start else {
        return Err(Malformed::dropped(Fault::KeepAlive));
    };
    let mut reader = Reader::new(bytes.slice(start..), limits);
    let first = reader.first_line()?;
    reader.headers();
    match first {
        FirstLine::Request { method, uri } => reader.into_request(method, uri),
        FirstLine::Response { status, phrase } => reader.into_response(status, phrase),
    }
}

enum FirstLine {
    Request { method: Method, uri: Span },
    Response { status: Status, phrase: Span },
}

/// A message being read. The first fault is remembered and reading goes on, so that a request can
/// still be answered; only limits end it.
struct Reader {
    bytes: Bytes,
    limits: Limits,
    at: usize,
    lines: Vec<Line>,
    /// Which known names have been seen, a bit each.
    seen: u64,
    is_last_folded: bool,
    cleaned: Vec<(u32, Box<str>)>,
    fault: Option<Fault>,
}

impl Reader {
    fn new(bytes: Bytes, limits: Limits) -> Self {
        Self {
            bytes,
            limits,
            at: 0,
            lines: Vec::with_capacity(24),
            seen: 0,
            is_last_folded: false,
            cleaned: Vec::new(),
            fault: None,
        }
    }

    fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    // ---- the first line ----

    fn first_line(&mut self) -> Result<FirstLine, Malformed> {
        let Some(line) = self.next_line() else {
            return Err(Malformed::dropped(Fault::NotSip));
        };
        let text = &self.bytes[span_range(line)];
        if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
            return status_line(text, line).ok_or(Malformed::dropped(Fault::FirstLine));
        }
        let (first, fault) = request_line(text, line).ok_or(Malformed::dropped(Fault::NotSip))?;
        if let Some(fault) = fault {
            self.blame(fault);
        }
        Ok(first)
    }

    // ---- header lines ----

    fn headers(&mut self) {
        loop {
            let Some(line) = self.next_line() else {
                return;
            };
            let text = &self.bytes[span_range(line)];
            match text.first() {
                None => break,
                Some(b' ' | b'\t') => self.continuation(line),
                Some(_) => self.header(line),
            }
            if self.lines.len() > self.limits.headers {
                return self.blame(Fault::TooManyHeaders);
            }
            let is_too_long =
                self.lines.last().is_some_and(|line| length(line.value) > self.limits.value);
            if is_too_long {
                return self.blame(Fault::HeaderTooLong);
            }
        }
        self.header_ended();
    }

    /// The next line without its CRLF; None if reading ends here, and why is remembered.
    fn next_line(&mut self) -> Option<Span> {
        let rest = &self.bytes[self.at..];
        let longest = self.limits.value.saturating_add(HEADER_NAME_MAX);
        let window = &rest[..rest.len().min(longest)];
        let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
            let is_whole = window.len() == rest.len();
            self.blame(if is_whole { Fault::Cut } else { Fault::HeaderTooLong });
            return None;
        };
        let start = self.at;
        self.at += end + 1;
        let (length, fault) = match window[..end].strip_suffix(b"\r") {
            Some(text) if !has_controls(text) => (text.len(), None),
            Some(text) if text.contains(&b'\r') => (text.len(), Some(Fault::LineEnd)),
            Some(text) => (text.len(), Some(Fault::ControlCharacter)),
            None => (end, Some(Fault::LineEnd)),
        };
        if let Some(fault) = fault {
            self.blame(fault);
        }
        Some(span(start, start + length))
    }

    fn header(&mut self, line: Span) {
        self.header_ended();
        let text = &self.bytes[span_range(line)];
        let start = line.start as usize;
        let Some(colon) = text.iter().take(HEADER_NAME_MAX).position(|byte| *byte == b':') else {
            return self.blame(Fault::HeaderLine);
        };
        // T-06: whatever else stands before the colon, another reader may skip it and see a header
        // that this one does not.
        let spelling = trim_end(&text[..colon]);
        if spelling.is_empty() || !spelling.iter().copied().all(is_token) {
            return self.blame(Fault::HeaderLine);
        }
        let name = HeaderName::read(spelling);
        let bit = 1 << (name as u64);
        if name.is_single() && self.seen & bit != 0 {
            self.fault.get_or_insert(Fault::Twice(name));
        }
        self.seen |= bit;
        let value = trim_start(&text[colon + 1..]);
        let value_start = start + text.len() - value.len();
        let value_length = trim_end(value).len();
        self.lines.push(Line {
            name,
            spelling: span(start, start + spelling.len()),
            value: span(value_start, value_start + value_length),
        });
    }

    /// RFC 3261 §7.3.1: a line that begins with a space belongs to the one before.
    fn continuation(&mut self, line: Span) {
        let trimmed = trim_end(&self.bytes[span_range(line)]).len();
        let Some(last) = self.lines.last_mut() else {
            return self.blame(Fault::HeaderLine);
        };
        if trimmed > 0 {
            last.value.end = line.start + u32::try_from(trimmed).unwrap_or(0);
        }
        self.is_last_folded = true;
    }

    /// Keeps a clean copy of the last header's value if it needs one.
    fn header_ended(&mut self) {
        let Some(last) = self.lines.last() else {
            return;
        };
        let raw = &self.bytes[span_range(last.value)];
        let is_folded = std::mem::take(&mut self.is_last_folded);
        if is_folded || (!raw.is_ascii() && std::str::from_utf8(raw).is_err()) {
            let line = u32::try_from(self.lines.len() - 1).unwrap_or(u32::MAX);
            self.cleaned.push((line, clean(raw).into_boxed_str()));
        }
    }

    // ---- the whole ----

    fn into_request(self, method: Method, uri: Span) -> Result<Message, Malformed> {
        let earlier = self.fault;
        let mut head = self.into_head(&method);
        let fault = earlier.or_else(|| request_fault(&mut head, &method, uri));
        match fault {
            None => Ok(Message::Request(Request { method, uri, head })),
            Some(fault) => Err(Malformed::rescuing(fault, Rescued { method, head })),
        }
    }

    /// Nobody answers a response, so a bad one is dropped.
    fn into_response(self, status: Status, phrase: Span) -> Result<Message, Malformed> {
        let earlier = self.fault;
        let mut head = self.into_head(&Method::Ack);
        match earlier.or_else(|| head_fault(&mut head)) {
            None => Ok(Message::Response(Response { status, phrase, head })),
            Some(fault) => Err(Malformed::dropped(fault)),
        }
    }

    fn into_head(self, method: &Method) -> Head {
        Head {
            body: u32::try_from(self.at).unwrap_or(u32::MAX),
            bytes: self.bytes,
            lines: self.lines,
            cleaned: self.cleaned,
            cseq: CSeq { number: 0, method: method.clone() },
        }
    }
}

// ---- first lines ----

/// `INVITE sip:3977@example.org SIP/2.0`, with exactly these spaces (RFC 3261 §7.1). None if it is
/// nothing like it.
fn request_line(text: &[u8], line: Span) -> Option<(FirstLine, Option<Fault>)> {
    let text = std::str::from_utf8(text).ok()?;
    let (rest, version) = text.trim_end_matches([' ', '\t']).rsplit_once([' ', '\t'])?;
    let number = version.get(..4).filter(|name| name.eq_ignore_ascii_case("SIP/"));
    number?;
    let (method, target) = rest.split_once([' ', '\t'])?;
    if !is_token_text(method) {
        return None;
    }
    let start = line.start + u32::try_from(method.len()).ok()? + 1;
    let uri = Span { start, end: start + u32::try_from(target.len()).ok()? };
    let is_spaced_right = target.bytes().all(|byte| byte > b' ')
        && length(line) == method.len() + target.len() + version.len() + 2
        && !text.contains('\t');
    let fault = match &version[4..] {
        "2.0" if is_spaced_right => None,
        "2.0" => Some(Fault::FirstLine),
        other if is_version(other) => Some(Fault::Version),
        _ => Some(Fault::FirstLine),
    };
    Some((FirstLine::Request { method: Method::from(method), uri }, fault))
}

fn is_version(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(major, minor)| digits(major).is_some() && digits(minor).is_some())
}

/// `SIP/2.0 200 OK`; the phrase may be empty, and of any bytes.
fn status_line(text: &[u8], line: Span) -> Option<FirstLine> {
    let (version, rest) = text.split_at_checked(8)?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0 ") {
        return None;
    }
    let (code, phrase) = rest.split_at_checked(3)?;
    let code = digits(std::str::from_utf8(code).ok()?)?;
    // Some leave out the space when there is no phrase.
    if !(100..700).contains(&code) || !matches!(phrase.first(), None | Some(b' ')) {
        return None;
    }
    let phrase_start = (line.start + 12).min(line.end);
    Some(FirstLine::Response {
        status: Status(u16::try_from(code).ok()?),
        phrase: Span { start: phrase_start, end: line.end },
    })
}

// ---- what every message must have ----

fn request_fault(head: &mut Head, method: &Method, uri: Span) -> Option<Fault> {
    if let Some(fault) = head_fault(head) {
        return Some(fault);
    }
    if head.cseq.method != *method {
        return Some(Fault::MethodMismatch);
    }
    let target = head.text(uri);
    // RFC 3261 §19.1.1: a Request-URI has no headers. Only SIP URIs end in `?`.
    let is_sip = target.get(..3).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip"));
    if !uri::is_readable(target) || (is_sip && has_headers(target)) {
        return Some(Fault::RequestUri);
    }
    if head.contacts().any(|contact| contact.is_err()) {
        return Some(Fault::Unreadable(HeaderName::Contact));
    }
    [HeaderName::Route, HeaderName::RecordRoute]
        .into_iter()
        .find(|name| head.addresses(*name).any(|address| address.is_err()))
        .map(Fault::Unreadable)
}

/// Whether a `?` stands after the user part, where it can't be anything else.
fn has_headers(uri: &str) -> bool {
    uri.split_once('@').map_or(uri, |(_, rest)| rest).contains('?')
}

fn head_fault(head: &mut Head) -> Option<Fault> {
    let missing = [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId]
        .into_iter()
        .find(|name| !head.has(*name));
    if let Some(name) = missing {
        return Some(Fault::Unreadable(name));
    }
    let Some(cseq) = head.header(HeaderName::CSeq).and_then(CSeq::read) else {
        return Some(Fault::Unreadable(HeaderName::CSeq));
    };
    head.cseq = cseq;
    if head.via().is_err() || head.vias().any(|via| via.is_err()) {
        return Some(Fault::Unreadable(HeaderName::Via));
    }
    if head.from().is_err() {
        return Some(Fault::Unreadable(HeaderName::From));
    }
    if head.to().is_err() {
        return Some(Fault::Unreadable(HeaderName::To));
    }
    if head.call_id().is_empty() || head.call_id().contains([' ', '\t', ',']) {
        return Some(Fault::Unreadable(HeaderName::CallId));
    }
    let hops = head.header(HeaderName::MaxForwards);
    if hops.is_some_and(|hops| digits(hops).is_none_or(|hops| hops > u64::from(u8::MAX))) {
        return Some(Fault::Unreadable(HeaderName::MaxForwards));
    }
    body_fault(head)
}

/// RFC 3261 §18.3: Content-Length counts; bytes after it are not ours, bytes missing are an error.
fn body_fault(head: &mut Head) -> Option<Fault> {
    let text = head.header(HeaderName::ContentLength)?;
    let Some(promised) = digits(text) else {
        return Some(Fault::Unreadable(HeaderName::ContentLength));
    };
    let end = u64::from(head.body).saturating_add(promised);
    match usize::try_from(end) {
        Ok(end) if end <= head.bytes.len() => {
            head.bytes.truncate(end);
            None
        }
        Ok(_) | Err(_) => Some(Fault::BodyCut),
    }
}

// ---- spans ----

/// Messages are below 4 GiB (see [`Limits`]), so their places fit.
fn span(start: usize, end: usize) -> Span {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end) }
}

fn span_range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

fn length(span: Span) -> usize {
    (span.end - span.start) as usize
}

/// Control characters that RFC 3261 §25.1 has no place for. Inside quotes a backslash may escape
/// one (RFC 4475 §3.1.1.2 does); that such a pair stands in quotes, its header's reader sees.
fn has_controls(text: &[u8]) -> bool {
    let is_control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    // Without an early end, so that it runs many bytes at a time.
    let has_any = text.iter().fold(false, |found, byte| found | is_control(*byte));
    has_any
        && text.iter().enumerate().any(|(at, byte)| {
            is_control(*byte) && (*byte == b'\r' || at == 0 || text[at - 1] != b'\\')
        })
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[..text.len() - blanks]
}
