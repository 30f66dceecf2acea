use bytes::{Buf, Bytes, BytesMut};

use super::MESSAGE_MAX;
use crate::sip::headers::digits;
use crate::sip::message::{HeaderName, clean};

/// Cuts a byte stream into messages (RFC 3261 §18.3). Sans-IO: push what came, pop what is whole.
///
/// Nothing here judges a message; it only finds its end. Where that can't be known for sure (no
/// Content-Length, two of them, one that is no number, or a message too long) the stream is
/// [`Lost`]: whatever is read after a wrong cut is what an attacker wrote into a body.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Bytes at the front in which the end of the head was looked for in vain.
    searched: usize,
    /// The length of the whole message at the front, once its head is here.
    expected: Option<usize>,
}

/// What a [`Framer`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// The bytes of one message, for [`parse_datagram`](super::parse_datagram).
    Message(Bytes),
    /// CRLF CRLF: the other side wants one CRLF back (RFC 5626 §4.4.1).
    Ping,
}

/// The stream can't be followed any more: close the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the stream is not SIP, or its messages have no clear end")]
pub struct Lost;

impl Framer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they came. Pop until `None` before pushing more: that bounds the memory.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message or ping; `Ok(None)` when more bytes are needed.
    pub fn pop(&mut self) -> Result<Option<Frame>, Lost> {
        if self.expected.is_none() {
            if self.pop_ping() {
                return Ok(Some(Frame::Ping));
            }
            self.expected = self.find_length()?;
        }
        match self.expected {
            Some(length) if self.buffer.len() >= length => {
                self.expected = None;
                self.searched = 0;
                Ok(Some(Frame::Message(self.buffer.split_to(length).freeze())))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Whether a message has begun and not ended; such a connection must not idle for long.
    pub fn is_in_message(&self) -> bool {
        !matches!(&self.buffer[..], b"" | b"\r" | b"\r\n" | b"\r\n\r")
    }

    /// Takes line breaks off the front; true if they were a ping.
    fn pop_ping(&mut self) -> bool {
        loop {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.advance(4);
                return true;
            }
            // One CRLF alone may be half of a ping: wait for what follows.
            let is_pong = self.buffer.starts_with(b"\r\n")
                && self.buffer.get(2).is_some_and(|next| *next != b'\r');
            if !is_pong {
                return false;
            }
            self.buffer.advance(2);
        }
    }

    fn find_length(&mut self) -> Result<Option<usize>, Lost> {
        if self.buffer.first() == Some(&b'\r') {
            let is_half_ping = b"\r\n\r\n".starts_with(&self.buffer);
            return if is_half_ping { Ok(None) } else { Err(Lost) };
        }
        let from = self.searched.saturating_sub(3);
        let window = &self.buffer[..self.buffer.len().min(MESSAGE_MAX)];
        let Some(end) = window[from..].windows(4).position(|four| four == b"\r\n\r\n") else {
            self.searched = window.len();
            return if window.len() == MESSAGE_MAX { Err(Lost) } else { Ok(None) };
        };
        let head = &window[..from + end + 2];
        let length = content_length(head).ok_or(Lost)?.saturating_add(head.len() + 2);
        if length > MESSAGE_MAX { Err(Lost) } else { Ok(Some(length)) }
    }
}

/// The one Content-Length in a head whose every line ends with CRLF.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    let mut at = line_end(head, 0)?;
    while at < head.len() {
        let mut end = line_end(head, at)?;
        while matches!(head.get(end), Some(b' ' | b'\t')) {
            end = line_end(head, end)?;
        }
        let line = &head[at..end - 2];
        at = end;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        if HeaderName::read(line[..colon].trim_ascii_end()) == HeaderName::ContentLength {
            let text = clean(&line[colon + 1..]);
            let length = usize::try_from(digits(text.trim())?).ok()?;
            if found.replace(length).is_some() {
                return None;
            }
        }
    }
    found
}

/// The place after the CRLF that ends the line beginning at `from`.
fn line_end(head: &[u8], from: usize) -> Option<usize> {
    head.get(from..)?.windows(2).position(|two| two == b"\r\n").map(|at| from + at + 2)
}
