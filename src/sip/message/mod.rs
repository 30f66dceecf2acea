//! A SIP message: one buffer, and an index of what stands where in it.
//!
//! Reading makes no copies: [`Head`] remembers where each value begins and ends, and typed readers
//! ([`Head::via`], [`Head::from`], …) look at the text when asked. Only a value that was folded over
//! several lines, or that is not UTF-8, is kept a second time in clean form. A message that was read
//! is sent on as the very bytes that came.
//!
//! [`wire`] makes messages of bytes, [`RequestBuilder`] and [`ResponseBuilder`]
//! make them of values. What the values mean is in [`headers`](crate::sip::headers).

mod build;
mod head;
mod header_name;
mod method;
mod status;

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use build::{Opening, RequestBuilder, ResponseBuilder};
pub use head::Head;
pub(in crate::sip) use head::{Line, Span, clean};
pub use header_name::HeaderName;
pub use method::Method;
pub use status::Status;

use crate::sip::uri::{NotAUri, Uri};
use crate::sip::wire;

/// A request or a response.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Message {
    Request(Request),
    Response(Response),
}

impl Message {
    /// The bytes as they came, or as they were built.
    pub fn bytes(&self) -> &Bytes {
        self.deref().bytes()
    }
}

impl Deref for Message {
    type Target = Head;

    fn deref(&self) -> &Head {
        match self {
            Self::Request(request) => &request.head,
            Self::Response(response) => &response.head,
        }
    }
}

/// A request. All of [`Head`]'s readers work on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Request {
    pub(in crate::sip) method: Method,
    pub(in crate::sip) uri: Span,
    pub(in crate::sip) head: Head,
}

impl Request {
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI as written.
    pub fn uri_text(&self) -> &str {
        self.head.text(self.uri)
    }

    /// The Request-URI in pieces.
    pub fn uri(&self) -> Result<Uri, NotAUri> {
        self.uri_text().parse()
    }
}

impl Deref for Request {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// A response. All of [`Head`]'s readers work on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Response {
    pub(in crate::sip) status: Status,
    pub(in crate::sip) phrase: Span,
    pub(in crate::sip) head: Head,
}

impl Response {
    pub fn status(&self) -> Status {
        self.status
    }

    /// The reason phrase as it came: words of a stranger, for people only.
    pub fn phrase(&self) -> String {
        self.head.lossy(self.phrase)
    }
}

impl Deref for Response {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// A message in a snapshot: its bytes, each as the character of the same number, so that any bytes
/// survive and a person can read them.
#[derive(Deserialize, Serialize)]
struct Written(String);

impl Written {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| char::from(*byte)).collect())
    }

    fn read(self) -> Result<Message, NotRestored> {
        let bytes = self.0.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
        wire::parse_own(&Bytes::from(bytes.map_err(|_| NotRestored)?)).map_err(|_| NotRestored)
    }
}

/// A snapshot held a message that can't be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a message in the snapshot is not readable SIP")]
struct NotRestored;

impl From<Request> for Written {
    fn from(request: Request) -> Self {
        Self::of(request.bytes())
    }
}

impl From<Response> for Written {
    fn from(response: Response) -> Self {
        Self::of(response.bytes())
    }
}

impl TryFrom<Written> for Request {
    type Error = NotRestored;

    fn try_from(written: Written) -> Result<Self, NotRestored> {
        match written.read()? {
            Message::Request(request) => Ok(request),
            Message::Response(_) => Err(NotRestored),
        }
    }
}

impl TryFrom<Written> for Response {
    type Error = NotRestored;

    fn try_from(written: Written) -> Result<Self, NotRestored> {
        match written.read()? {
            Message::Response(response) => Ok(response),
            Message::Request(_) => Err(NotRestored),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// Only what is safe in a log: no numbers, names or addresses of people.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => write!(f, "{}", request.method),
            Self::Response(response) => write!(f, "{} to {}", response.status, self.cseq()),
        }
    }
}

#[cfg(test)]
mod tests;
