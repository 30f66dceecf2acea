//! What neighbours are told of our load (RFC 7339): how much of what they send we would only refuse.
//!
//! The advice is never more than the truth: the share of the last calls that *were* refused for load. A
//! neighbour that follows it spares both sides the refusal and looks for another way at once; a house that
//! refuses nobody asks for nothing. Only trunks are told, and only those that ask by `oc` in their Via.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Moment, Now};

/// The share is taken over so long.
const WINDOW: Duration = Duration::from_secs(2);
/// And the advice holds for so long, unless a newer one comes.
const VALIDITY: Duration = Duration::from_secs(4);

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Overload {
    since: Option<Moment>,
    asked: u32,
    refused: u32,
    /// Of the window before this one, in per cent.
    share: u32,
    /// The highest number given to an advice, in milliseconds since 1970 (§4.4).
    sequence: i64,
}

impl Overload {
    /// A trunk wants to bring a call.
    pub(super) fn asked(&mut self, now: Moment) {
        self.turn(now);
        self.asked = self.asked.saturating_add(1);
    }

    /// The call asked for last, or one before it, was refused for load.
    pub(super) fn refused(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }

    /// What goes into the topmost Via.
    pub(super) fn advice(&mut self, now: Now) -> String {
        self.turn(now.steady);
        self.sequence = now.wall.timestamp_millis().max(self.sequence + 1);
        let (seconds, millis) = (self.sequence / 1_000, self.sequence % 1_000);
        // §5.7: a validity of zero says that we could ask, and do not.
        let validity = if self.share > 0 { VALIDITY.as_millis() } else { 0 };
        format!(
            "oc={};oc-algo=\"loss\";oc-validity={validity};oc-seq={seconds}.{millis:03}",
            self.share
        )
    }

    fn turn(&mut self, now: Moment) {
        let since = *self.since.get_or_insert(now);
        if now - since >= WINDOW {
            let share = self.refused.saturating_mul(100).checked_div(self.asked).unwrap_or(0);
            // What is two windows old says nothing any more.
            let is_recent = now - since < WINDOW * 2;
            self.share = if is_recent { share.min(100) } else { 0 };
            (self.since, self.asked, self.refused) = (Some(now), 0, 0);
        }
    }
}
