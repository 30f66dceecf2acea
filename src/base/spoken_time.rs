use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::base::Territory;

/// An instant a caller is to be told, beside the present, both as the clock where they are shows
/// them.
///
/// `schedule` makes it, because it knows zones; `ivr` says it aloud, because it knows words.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SpokenTime {
    /// The present.
    pub now: NaiveDateTime,
    /// The instant to be told.
    pub then: NaiveDateTime,
    /// Whose clock it is: `Metropole` for the line's own.
    pub clock: Territory,
}
