//! Any bytes as an offer and as an answer: no panic, and what was read is written and read the same.

#![no_main]

#[path = "../../tests/fuzzed/sdp.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
