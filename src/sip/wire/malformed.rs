use std::net::SocketAddr;

use crate::sip::message::{Head, HeaderName, Method, Response, ResponseBuilder, Status};

/// Bytes that are not a message we take.
///
/// If it was a request, and a response would find its way home, it can be answered (RFC 3261 §16.3;
/// RFC 4475 §3.3.1): a phone that hears 400 stops sending, one that hears nothing goes on for 32 s.
/// The answer repeats what there is, right or wrong.
#[derive(Clone, Debug)]
pub struct Malformed {
    fault: Fault,
    rescued: Option<Box<Rescued>>,
}

/// As much of a request as could be read.
#[derive(Clone, Debug)]
pub(super) struct Rescued {
    pub(super) method: Method,
    pub(super) head: Head,
}

/// What was wrong with a message, in the order in which it is looked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// Nothing but line breaks: somebody keeps a hole in a firewall open (RFC 5626 §4.4.1).
    KeepAlive,
    /// Nothing like SIP in the first line.
    NotSip,
    /// More than [`MESSAGE_MAX`](super::MESSAGE_MAX) bytes.
    MessageTooLong,
    /// The first line is not as it should be: spaces, characters, or the status code.
    FirstLine,
    /// Another version of SIP.
    Version,
    /// A line that ends with a bare LF, or a CR within a line.
    LineEnd,
    /// A control character in a header.
    ControlCharacter,
    /// A line that is neither header nor continuation.
    HeaderLine,
    /// A header longer than [`HEADER_VALUE_MAX`](super::HEADER_VALUE_MAX).
    HeaderTooLong,
    /// More than [`HEADERS_MAX`](super::HEADERS_MAX) headers.
    TooManyHeaders,
    /// The empty line after the headers never came.
    Cut,
    /// A header that may stand once stands twice.
    Twice(HeaderName),
    /// A header without which nothing can be done is missing, or is not what its grammar says.
    Unreadable(HeaderName),
    /// The Request-URI is no URI, or holds headers.
    RequestUri,
    /// CSeq names another method than the first line.
    MethodMismatch,
    /// Content-Length promises more than came.
    BodyCut,
}

impl Malformed {
    pub(super) fn dropped(fault: Fault) -> Self {
        Self { fault, rescued: None }
    }

    pub(super) fn rescuing(fault: Fault, rescued: Rescued) -> Self {
        // A client finds its transaction by Via and CSeq; without them an answer helps nobody.
        // Nobody answers an ACK.
        let can_answer = rescued.method != Method::Ack
            && rescued.head.has(HeaderName::Via)
            && rescued.head.has(HeaderName::CSeq);
        Self { fault, rescued: can_answer.then(|| Box::new(rescued)) }
    }

    /// What was wrong; for a counter and a log line.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The status it deserves; None: drop it silently.
    pub fn status(&self) -> Option<Status> {
        self.rescued.as_ref()?;
        match self.fault {
            Fault::KeepAlive | Fault::NotSip => None,
            Fault::MessageTooLong | Fault::HeaderTooLong | Fault::TooManyHeaders => {
                Some(Status::MESSAGE_TOO_LARGE)
            }
            Fault::Version => Some(Status::VERSION_NOT_SUPPORTED),
            Fault::FirstLine
            | Fault::LineEnd
            | Fault::ControlCharacter
            | Fault::HeaderLine
            | Fault::Cut
            | Fault::Twice(_)
            | Fault::Unreadable(_)
            | Fault::RequestUri
            | Fault::MethodMismatch
            | Fault::BodyCut => Some(Status::BAD_REQUEST),
        }
    }

    /// The answer it deserves, if enough of it could be read. It belongs to no transaction: send it
    /// to where the request came from (its Via may be what was wrong) and forget.
    pub fn answer(&self, to_tag: &str, source: SocketAddr) -> Option<Response> {
        let (status, rescued) = (self.status()?, self.rescued.as_ref()?);
        let builder =
            ResponseBuilder::copying(&rescued.head, &rescued.method, status, to_tag, source, None);
        Some(builder.finish())
    }
}
