//! The town: an exchange with an imagined world around it.
//!
//! | | |
//! |---|---|
//! | [`network`] | packets that are late, lost, doubled and overtaken, from a seed |
//! | [`phone`] | a small user agent of its own, for callers and listeners |
//! | [`plan`] | the lines, listeners and recordings of the town |
//! | [`sound`] | stands in for the media shards, and knows who hears what |
//! | [`witness`] | reads every message the exchange sends, with a parser that isn't ours |
//! | [`written`] | the whole exchange as bytes and back |
//!
//! Time here is made up: an evening passes in milliseconds, the same way every time.

pub mod network;
pub mod phone;
pub mod plan;
pub mod sound;
pub mod witness;
pub mod written;
