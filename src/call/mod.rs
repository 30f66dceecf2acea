//! One caller's journey.

mod plan;

pub use plan::{LinePlan, LineWords};
