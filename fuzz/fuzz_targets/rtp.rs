//! Any bytes as a datagram on a media port: no panic.

#![no_main]

#[path = "../../tests/fuzzed/rtp.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
