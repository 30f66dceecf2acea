//! Bytes to messages: the only door for SIP from outside.
//!
//! [`parse_datagram`] reads one message; [`Framer`] cuts a stream into such messages. Reading is
//! strict where two readers could understand a message differently (line ends, the colon, repeated
//! headers, Content-Length), because that is how messages are smuggled past one of them. It is
//! generous where nobody is confused (spaces, folding, bytes that are not UTF-8). Whatever comes
//! in, the work is bounded by the limits below and nothing panics.
//!
//! What a header's value means is left to [`headers`](crate::sip::headers); whether we like it, to
//! the endpoint.

mod framer;
mod malformed;
mod reader;

use bytes::Bytes;

pub use framer::{Frame, Framer, Lost};
pub use malformed::{Fault, Malformed};

use crate::sip::message::Message;
use reader::Limits;

/// The longest message: what a UDP datagram can hold.
pub const MESSAGE_MAX: usize = 65_535;

/// The most header lines. Each costs a little memory before anybody has proved who they are.
pub const HEADERS_MAX: usize = 128;

/// The longest value of a header, and the longest first line. Identity tokens (RFC 8224) stay
/// below; a line of 64 KiB is not read to its end.
pub const HEADER_VALUE_MAX: usize = 4096;

/// The longest header name.
pub const HEADER_NAME_MAX: usize = 128;

/// Reads one datagram, one framed message of a stream, or one WebSocket message. The message shares
/// the memory of `bytes`.
pub fn parse_datagram(bytes: &Bytes) -> Result<Message, Malformed> {
    reader::read(bytes, Limits::OF_STRANGERS)
}

/// Reads a message of our own from a snapshot, without limits.
pub(in crate::sip) fn parse_own(bytes: &Bytes) -> Result<Message, Malformed> {
    reader::read(bytes, Limits::NONE)
}

#[cfg(test)]
mod tests;
