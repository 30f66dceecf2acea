//! Which line a call is for.
//!
//! The number in the Request-URI decides whether a call is let in at all; what else is known of the
//! way it took (To, Diversion, History-Info, as the endpoint has read them) tells one line of the house
//! from another, and can't close a door that the Request-URI opens. A line that has moved sends its
//! callers on, with a word about it.

use std::sync::Arc;

use crate::base::{LineName, PhoneNumber, PromptName};
use crate::exchange::events::Invited;
use crate::exchange::{Exchange, LinePlan};
use crate::sip::{Dialled, Origin};

/// Where a call goes.
pub(super) struct Destination {
    /// The line that serves it.
    pub line: Arc<LinePlan>,
    /// The line that was dialled, if it is another.
    pub origin: Option<LineName>,
    /// Said before anything else.
    pub preface: Vec<PromptName>,
}

impl Exchange {
    /// Where what was dialled leads; None if it is no number of this house, or not one this trunk
    /// may deliver.
    pub(super) fn destination(&self, dialled: &Dialled, invited: &Invited) -> Option<Destination> {
        let number = dialled.number.as_ref()?;
        let delivered = self.line_at(number)?;
        if let Origin::Trunk(trunk) = &invited.origin
            && let Some(plan) = self.plan.trunks.get(trunk)
            && !plan.numbers.is_empty()
            && !plan.numbers.contains(number)
        {
            return None;
        }
        let first = dialled.first.iter().find_map(|number| self.line_at(number));
        let line = first.filter(|first| {
            // The network has sent the caller on to a line that would serve them: so do we.
            self.serves(first, invited) || !self.serves(delivered, invited)
        });
        Some(self.moved(line.unwrap_or(delivered), delivered, first))
    }

    /// Follows a line that has moved; one step, which is all that a plan may ask.
    fn moved(
        &self,
        line: &Arc<LinePlan>,
        delivered: &Arc<LinePlan>,
        first: Option<&Arc<LinePlan>>,
    ) -> Destination {
        let dialled = first.unwrap_or(delivered);
        let target = line.moved_to.as_ref().and_then(|moved| self.plan.lines.get(&moved.line));
        let serving = target.unwrap_or(line);
        let words = line.moved_to.as_ref().filter(|_| target.is_some());
        Destination {
            origin: (dialled.name != serving.name).then(|| dialled.name.clone()),
            preface: words.map(|moved| moved.words.clone()).into_iter().collect(),
            line: Arc::clone(serving),
        }
    }

    /// Whether a call to this line would be let in by its hours.
    fn serves(&self, line: &Arc<LinePlan>, invited: &Invited) -> bool {
        let target = line.moved_to.as_ref().and_then(|moved| self.plan.lines.get(&moved.line));
        self.opening(target.unwrap_or(line), invited.at.wall).is_open()
    }

    fn line_at(&self, number: &PhoneNumber) -> Option<&Arc<LinePlan>> {
        self.plan.lines.get(self.plan.numbers.get(number)?)
    }
}
