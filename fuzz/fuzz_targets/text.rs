//! Text with redundancy: whatever arrives, what is read is bounded, clean, and never comes twice.

#![no_main]

#[path = "../../tests/fuzzed/text.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|datagrams: Vec<Vec<u8>>| fuzzed::fuzz(&datagrams));
