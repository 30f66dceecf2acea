//! What callers hear and press: announcements put together from recordings.
//!
//! Nothing here plays anything; `media` does. Nothing here knows when a line is open; `schedule`
//! does, and hands over a [`SpokenTime`](crate::base::SpokenTime) to be said aloud.

mod announcement;
pub mod fragments;

pub use announcement::{
    Announcement, Closed, a_call_for, closed, closing_soon, drained, long_wait,
};
