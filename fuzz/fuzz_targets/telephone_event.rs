//! Any series of event packets: never more digits than packets, and only keys.

#![no_main]

#[path = "../../tests/fuzzed/telephone_event.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
