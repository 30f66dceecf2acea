//! Callers waiting for a listener.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an operator decides about a queue.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct QueuePlan {
    pub strategy: RingStrategy,
    /// How many listeners are rung at once for one caller (`longest-idle`).
    pub listeners_at_once: usize,
    /// How long one listener's phones ring before the next is tried.
    pub ring_for: Duration,
    /// The most callers waiting; the next one hears that all lines are taken.
    pub places_max: usize,
    /// How long a caller may wait at the most; None: as long as they wish.
    pub patience: Option<Duration>,
    /// How long a listener has for their notes after a conversation.
    pub after_call_work: Duration,
    /// After this many rings in vain in a row a listener is taken to have walked off.
    pub misses_max: u32,
    /// How long a listener whose phone refuses is left alone at first; doubles up to 16 times it.
    pub refusal_pause: Duration,
}

/// Who is rung.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RingStrategy {
    /// Those who have been free longest, a few at once.
    LongestIdle,
    /// Everybody who is free.
    RingAll,
    /// One after the other, by name, beginning after the one rung last.
    InTurn,
}
