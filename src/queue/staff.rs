//! Which of those who are free may be rung for whom.
//!
//! Two things set callers apart: who has given a caller back, because they know them, is not rung for
//! them while anybody else might be; and a caller who writes (RFC 4103) is for whoever can read it on
//! their phone, before others.

use std::collections::BTreeSet;

use super::Place;
use crate::base::{CallRef, ListenerName, Moment};

/// Listeners, as the exchange finds them now.
#[derive(Clone, Copy, Debug)]
pub struct Staff<'a> {
    /// Who can be rung, longest free first.
    pub free: &'a [(ListenerName, Moment)],
    /// They, and those who will be free in a while.
    pub on_duty: &'a BTreeSet<ListenerName>,
    /// Who has a phone that shows text.
    pub readers: &'a BTreeSet<ListenerName>,
    /// The callers who write.
    pub writers: &'a BTreeSet<CallRef>,
}

impl Place {
    /// Who of the free may be rung for this caller.
    pub(super) fn takers(&self, staff: Staff<'_>) -> Vec<(ListenerName, Moment)> {
        let mut takers = staff.free.to_vec();
        takers.retain(|(one, _)| self.takes(one, staff));
        if self.writes(staff) {
            let reads = |listener: &ListenerName| staff.readers.contains(listener);
            let mut rung = self.attempts.iter().filter(|attempt| !attempt.quiet);
            if rung.any(|attempt| reads(&attempt.listener))
                || takers.iter().any(|(listener, _)| reads(listener))
            {
                takers.retain(|(listener, _)| reads(listener));
            }
        }
        takers
    }

    /// Whether anybody of them may.
    pub(super) fn has_taker(&self, staff: Staff<'_>) -> bool {
        match self.writes(staff) {
            true => !self.takers(staff).is_empty(),
            false => staff.free.iter().any(|(one, _)| self.takes(one, staff)),
        }
    }

    /// When nobody else would ever come, being known is better than waiting for ever.
    fn takes(&self, listener: &ListenerName, staff: Staff<'_>) -> bool {
        self.avoids.as_ref() != Some(listener) || staff.on_duty.iter().all(|one| one == listener)
    }

    pub(super) fn writes(&self, staff: Staff<'_>) -> bool {
        staff.writers.contains(&self.call)
    }
}
