//! To be written.
use serde::{Deserialize, Serialize};

/// A line's rule for its opening hours.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Schedule {}
