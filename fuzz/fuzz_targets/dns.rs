//! Answers of the DNS, in any order and of any content: the locator never breaks, never asks without
//! end, never leaves the ranges a trunk is held to, and goes on alike after a snapshot.

#![no_main]

#[path = "../../tests/fuzzed/dns.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::fuzz(bytes));
