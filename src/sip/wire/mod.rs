//! Bytes to messages.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::message::{Message, Response, Status};

/// Bytes that are not a message we take.
#[derive(Clone, Debug)]
pub struct Malformed {
    fault: Fault,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    Empty,
}

#[expect(unused_variables, reason = "signatures first")]
impl Malformed {
    /// What was wrong, for a counter.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The status it deserves; None: drop it silently.
    pub fn status(&self) -> Option<Status> {
        unimplemented!()
    }

    /// The answer, if it deserves one and enough of it could be read. Stateless: send it and forget.
    pub fn answer(&self, to_tag: &str, source: SocketAddr) -> Option<Response> {
        unimplemented!()
    }
}

/// Reads one datagram, or one framed message of a stream or WebSocket.
#[expect(unused_variables, reason = "signatures first")]
pub fn parse_datagram(bytes: &Bytes) -> Result<Message, Malformed> {
    unimplemented!()
}

/// Reads a message of our own from a snapshot: no limits.
pub(in crate::sip) fn parse_own(bytes: &Bytes) -> Result<Message, Malformed> {
    parse_datagram(bytes)
}

/// Cuts a byte stream into messages (RFC 3261 §18.3).
#[derive(Debug, Default)]
pub struct Framer {}

/// What a [`Framer`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// The bytes of one message, for [`parse_datagram`].
    Message(Bytes),
    /// CRLF CRLF: the other side wants a CRLF back (RFC 5626 §4.4.1).
    Ping,
}

/// The stream can't be followed any more: close the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the stream is not SIP")]
pub struct Lost;

#[expect(unused_variables, reason = "signatures first")]
impl Framer {
    pub fn new() -> Self {
        Self {}
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        unimplemented!()
    }

    /// The next whole message or ping; `Ok(None)` when more bytes are needed.
    pub fn pop(&mut self) -> Result<Option<Frame>, Lost> {
        unimplemented!()
    }
}
