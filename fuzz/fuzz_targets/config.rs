//! Any bytes as a file of the plan, and as hours, days, dates and rules: every one is read or refused
//! in words, and what is read as a rule answers for any instant.

#![no_main]

#[path = "../../tests/fuzzed/config.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
