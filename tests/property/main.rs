//! Laws that hold for every input, tried on thousands of made-up ones.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod config;
mod locate;
mod negotiate;
mod packets;
mod schedule;
mod sip_readers;
mod transaction;
