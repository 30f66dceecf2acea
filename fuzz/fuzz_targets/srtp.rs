//! Any bytes on a protected leg open nothing; and what we protect is opened whatever came between.

#![no_main]

#[path = "../../tests/fuzzed/srtp.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
