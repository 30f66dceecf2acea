//! Any bytes as a datagram and as a stream: no panic, no endless loop, and what was let in can be
//! read, answered and sent on.

#![no_main]

#[path = "../../tests/fuzzed/sip_wire.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
