//! Any bytes as reports: no panic, and what is told stays within what can be told.

#![no_main]

#[path = "../../tests/fuzzed/rtcp.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
