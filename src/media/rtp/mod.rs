//! Packets of sound and what is said about them (RFC 3550, RFC 3551, RFC 4733).
//!
//! | file | |
//! |---|---|
//! | [`packet`] | RTP packets, read and written in place; RTP or RTCP? |

pub mod packet;

pub use packet::{HEADER_LENGTH, Header, Kind, NotRtp, Packet};
