use std::fmt::{self, Display, Write};
use std::net::SocketAddr;

use bytes::{BufMut, BytesMut};

use crate::sip::headers::CSeq;
use crate::sip::message::{Head, HeaderName, Line, Method, Request, Response, Span, Status};

/// The lines every request begins with.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    pub method: Method,
    /// The Request-URI.
    pub uri: &'a str,
    /// Our Via, see [`Via::ours`](crate::sip::headers::Via::ours).
    pub via: &'a str,
    pub max_forwards: u8,
    /// Values of Route, topmost first.
    pub routes: &'a [String],
    /// The values of From and To, tags included: [`NameAddr::write`](crate::sip::headers::NameAddr::write).
    pub from: &'a str,
    pub to: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
}

/// A request being written.
#[derive(Debug)]
pub struct RequestBuilder {
    method: Method,
    uri: Span,
    draft: Draft,
}

impl RequestBuilder {
    /// Writes the first line, Via, Max-Forwards, Route, From, To, Call-ID and CSeq.
    pub fn new(opening: Opening<'_>) -> Self {
        let mut draft = Draft::new(opening.cseq, opening.method.clone());
        draft.bytes.put_slice(opening.method.as_str().as_bytes());
        draft.bytes.put_u8(b' ');
        let start = draft.at();
        for byte in opening.uri.bytes() {
            if byte <= b' ' || byte == 0x7f {
                draft.bytes.put_slice(b"%20");
            } else {
                draft.bytes.put_u8(byte);
            }
        }
        let uri = Span { start, end: draft.at() };
        draft.bytes.put_slice(b" SIP/2.0\r\n");
        draft.header(HeaderName::Via, opening.via);
        draft.header(HeaderName::MaxForwards, opening.max_forwards);
        for route in opening.routes {
            draft.header(HeaderName::Route, route);
        }
        draft.header(HeaderName::From, opening.from);
        draft.header(HeaderName::To, opening.to);
        draft.header(HeaderName::CallId, opening.call_id);
        let cseq = draft.cseq.clone();
        draft.header(HeaderName::CSeq, cseq);
        Self { method: opening.method, uri, draft }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        self.draft.header(name, value);
        self
    }

    /// Adds a header line of a name that [`HeaderName`] does not list.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl Display) -> Self {
        self.draft.extension(name, value);
        self
    }

    /// Adds the body's headers and the body.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Request {
        self.draft.body(Some(content_type), body);
        self.into_request()
    }

    /// Ends the request without a body.
    pub fn finish(mut self) -> Request {
        self.draft.body(None, b"");
        self.into_request()
    }

    fn into_request(self) -> Request {
        Request { method: self.method, uri: self.uri, head: self.draft.into_head() }
    }
}

/// A response being written.
#[derive(Debug)]
pub struct ResponseBuilder {
    status: Status,
    phrase: Span,
    draft: Draft,
}

impl ResponseBuilder {
    /// Writes what RFC 3261 §8.2.6.2 copies from the request: every Via (the topmost with
    /// `received` and `rport` for `source`, §18.2.1 and RFC 3581), From, To, Call-ID, CSeq, and
    /// Timestamp into a 100. `to_tag` is added unless To has one or the status is 100.
    pub fn new(request: &Request, status: Status, to_tag: &str, source: SocketAddr) -> Self {
        Self::copying(request, &request.method, status, to_tag, source, None)
    }

    /// The same, with advice on overload in the topmost Via if its sender asks for it (RFC 7339).
    pub fn advising(
        request: &Request,
        status: Status,
        to_tag: &str,
        source: SocketAddr,
        advice: Option<&str>,
    ) -> Self {
        Self::copying(request, &request.method, status, to_tag, source, advice)
    }

    pub(in crate::sip) fn copying(
        head: &Head,
        method: &Method,
        status: Status,
        to_tag: &str,
        source: SocketAddr,
        advice: Option<&str>,
    ) -> Self {
        let mut draft = Draft::new(head.cseq.number, method.clone());
        draft.cseq = head.cseq.clone();
        draft.bytes.put_slice(b"SIP/2.0 ");
        draft.put(status);
        draft.bytes.put_u8(b' ');
        let start = draft.at();
        draft.bytes.put_slice(status.phrase().as_bytes());
        let phrase = Span { start, end: draft.at() };
        draft.bytes.put_slice(b"\r\n");
        draft.copy_answered(head, status, to_tag, (source, advice));
        Self { status, phrase, draft }
    }

    /// Copies Record-Route, as a response that makes a dialog must (§12.1.1).
    #[must_use]
    pub fn record_routes(mut self, request: &Head) -> Self {
        for value in request.whole(HeaderName::RecordRoute) {
            self.draft.header(HeaderName::RecordRoute, value);
        }
        self
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        self.draft.header(name, value);
        self
    }

    /// Adds a header line of a name that [`HeaderName`] does not list.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl Display) -> Self {
        self.draft.extension(name, value);
        self
    }

    /// Adds the body's headers and the body.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Response {
        self.draft.body(Some(content_type), body);
        self.into_response()
    }

    /// Ends the response without a body.
    pub fn finish(mut self) -> Response {
        self.draft.body(None, b"");
        self.into_response()
    }

    fn into_response(self) -> Response {
        Response { status: self.status, phrase: self.phrase, head: self.draft.into_head() }
    }
}

/// Bytes and their index, growing together.
#[derive(Debug)]
struct Draft {
    bytes: BytesMut,
    lines: Vec<Line>,
    cseq: CSeq,
    body: u32,
}

impl Draft {
    fn new(number: u32, method: Method) -> Self {
        Self {
            bytes: BytesMut::with_capacity(1024),
            lines: Vec::with_capacity(20),
            cseq: CSeq { number, method },
            body: 0,
        }
    }

    fn at(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    fn header(&mut self, name: HeaderName, value: impl Display) {
        if name != HeaderName::Other {
            self.line(name, name.as_str(), value);
        }
    }

    /// A name that is not a token is left out with its value: nothing may forge a line.
    fn extension(&mut self, name: &str, value: impl Display) {
        if !name.is_empty() && name.bytes().all(crate::sip::headers::is_token) {
            self.line(HeaderName::read(name.as_bytes()), name, value);
        }
    }

    fn line(&mut self, name: HeaderName, spelling: &str, value: impl Display) {
        let start = self.at();
        self.bytes.put_slice(spelling.as_bytes());
        let spelling = Span { start, end: self.at() };
        self.bytes.put_slice(b": ");
        let start = self.at();
        self.put(value);
        let value = Span { start, end: self.at() };
        self.bytes.put_slice(b"\r\n");
        self.lines.push(Line { name, spelling, value });
    }

    fn put(&mut self, value: impl Display) {
        write!(OneLine(&mut self.bytes), "{value}").expect("writing to memory can't fail");
    }

    fn copy_answered(
        &mut self,
        head: &Head,
        status: Status,
        to_tag: &str,
        (source, advice): (SocketAddr, Option<&str>),
    ) {
        for (at, via) in head.headers(HeaderName::Via).enumerate() {
            match crate::sip::headers::Via::read(via) {
                Ok(top) if at == 0 => self.header(HeaderName::Via, top.answering(source, advice)),
                Ok(_) | Err(_) => self.header(HeaderName::Via, via),
            }
        }
        self.copy(head, HeaderName::From);
        let needs_tag = status != Status::TRYING && !to_tag.is_empty() && head.to_tag().is_none();
        match head.header(HeaderName::To) {
            Some(to) if needs_tag => self.header(HeaderName::To, format_args!("{to};tag={to_tag}")),
            Some(to) => self.header(HeaderName::To, to),
            None => {}
        }
        self.copy(head, HeaderName::CallId);
        self.copy(head, HeaderName::CSeq);
        if status == Status::TRYING {
            self.copy(head, HeaderName::Timestamp);
        }
    }

    /// Copies a header that stands once; a malformed request may lack it.
    fn copy(&mut self, head: &Head, name: HeaderName) {
        if let Some(value) = head.header(name) {
            self.header(name, value);
        }
    }

    fn body(&mut self, content_type: Option<&str>, body: &[u8]) {
        if let Some(content_type) = content_type {
            self.header(HeaderName::ContentType, content_type);
        }
        self.header(HeaderName::ContentLength, body.len());
        self.bytes.put_slice(b"\r\n");
        self.body = self.at();
        self.bytes.put_slice(body);
    }

    fn into_head(self) -> Head {
        Head {
            bytes: self.bytes.freeze(),
            lines: self.lines,
            cleaned: Vec::new(),
            cseq: self.cseq,
            body: self.body,
        }
    }
}

/// Writes text that stays on its line: control characters become spaces, so no value can forge a
/// header or end the head (T-06, T-19).
struct OneLine<'a>(&'a mut BytesMut);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(|c: char| c.is_ascii_control()) {
            match piece.as_bytes() {
                [plain @ .., last] if last.is_ascii_control() => {
                    self.0.put_slice(plain);
                    self.0.put_u8(b' ');
                }
                plain => self.0.put_slice(plain),
            }
        }
        Ok(())
    }
}
