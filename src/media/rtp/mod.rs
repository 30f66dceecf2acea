//! Packets of sound and what is said about them (RFC 3550, RFC 3551, RFC 4733).
//!
//! | file | |
//! |---|---|
//! | [`extended`] | what phones say about how they hear (RFC 3611) |
//! | [`packet`] | RTP packets, read and written in place; RTP or RTCP? |
//! | [`sequence`] | which packets came, which didn't, how evenly |
//! | [`rtcp`] | reports, sender's and receiver's |
//! | [`srtp`] | packets sealed and opened (RFC 3711) |
//! | [`telephone_event`] | keys pressed |

pub mod extended;
pub mod packet;
pub mod rtcp;
pub mod sequence;
pub mod srtp;
pub mod telephone_event;

pub use packet::{HEADER_LENGTH, Header, Kind, NotRtp, Packet};
pub use rtcp::{Report, ReportBlock, SenderInfo};
pub use sequence::{Arrival, SequenceTracker};
