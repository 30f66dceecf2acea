//! Any bytes as checks and handshakes on a browser's road, from it and from strangers: no panic, and no
//! more sent than came.

#![no_main]

#[path = "../../tests/fuzzed/gateway.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
