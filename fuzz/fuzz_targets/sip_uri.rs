//! Any text as a URI and as an address: what is read is written as it was understood, and equals
//! itself.

#![no_main]

#[path = "../../tests/fuzzed/sip_uri.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|text: &str| fuzzed::fuzz(text));
