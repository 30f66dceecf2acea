//! Any bytes as what a phone that speaks Opus says: no panic, and no more sound than there is room for.

#![no_main]

#[path = "../../tests/fuzzed/opus.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
