//! The town: an exchange with an imagined world around it.
//!
//! | | |
//! |---|---|
//! | [`network`] | packets that are late, lost, doubled and overtaken, from a seed |
//! | [`witness`] | reads every message the exchange sends, with a parser that isn't ours |
//! | [`written`] | the whole exchange as bytes and back |
//!
//! Time here is made up: an evening passes in milliseconds, the same way every time.

pub mod network;
pub mod witness;
pub mod written;
