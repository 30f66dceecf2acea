//! The real binary, real phones, real sound.
//!
//! Each test opens a house of its own with the shipped plan on free loopback ports, at a time of
//! its choosing (libfaketime), and lets sipp and baresip call it. What a party hears is measured:
//! sipp's share of the sound goes through an [`ear`] of ours, baresip's is recorded by baresip.
//! They need sipp, baresip, linphone, Twinkle, Kamailio and libfaketime, so they are ignored unless asked for;
//! `tests/interop/run` asks.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![expect(clippy::disallowed_methods, reason = "real phones live in real time")]

mod baresip;
mod chromium;
mod ear;
mod house;
mod raw;
mod script;
mod siege;
mod sipp;

mod closed;
mod codes;
mod hostile;
mod kamailio;
mod linphone;
mod locating;
mod passwords;
mod phones;
mod protected;
mod reload;
mod secure;
mod sessions;
mod stopping;
mod talking;
mod transfers;
mod twinkle;
mod webrtc;

use std::time::{Duration, Instant};

/// Asks again and again until it is so, or `patience` is over.
pub(crate) fn eventually(patience: Duration, mut so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !so() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

pub(crate) const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
