//! The town: an exchange with an imagined world around it.
//!
//! | | |
//! |---|---|
//! | [`town`] | the handle stories are told with |
//! | [`person`] | somebody with a telephone: what they do and notice |
//! | `world` | all of it as one value, going from deadline to deadline |
//! | [`phone`] | a small user agent of its own, for callers and listeners |
//! | [`network`] | packets that are late, lost, doubled and overtaken, from a seed |
//! | [`sound`] | stands in for the media shards, and knows who hears what |
//! | [`plan`] | the lines, listeners and recordings of the town |
//! | [`transcript`] | everything that was said |
//! | [`witness`] | reads every message the exchange sends, with a parser that isn't ours |
//! | [`written`] | the whole exchange as bytes and back |
//!
//! Time here is made up: an evening passes in milliseconds, the same way every time.

pub mod network;
mod noticing;
pub mod person;
pub mod phone;
pub mod plan;
mod questions;
pub mod sound;
pub mod town;
pub mod transcript;
pub mod witness;
mod world;
pub mod written;

pub use network::{FAIR_DELAY, Weather};
pub use person::Person;
pub use phone::Habits;
pub use sound::Heard;
pub use town::{Town, millis, minutes, paris, secs};
pub use world::Restoring;
