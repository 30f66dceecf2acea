//! Which words fit the moment: a line's plan and its hours, put together by `ivr`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::base::{Now, PromptName, Territory};
use crate::call::LinePlan;
use crate::ivr::{self, Announcement, Closed};
use crate::media::Road;
use crate::schedule::{Closure, Opening};
use crate::sip::{Phone, Transport};

/// RFC 7462: phones that know it ring in a way of their own for a caller who was cut off before.
pub(super) const RESUMES_ALERT: &str = "<urn:alert:service:call-waiting>";

/// What a listener's phone shows: the line, never the caller.
pub(super) fn display(line: &LinePlan, resumes: bool) -> String {
    if resumes { format!("{} (reprise)", line.display) } else { line.display.clone() }
}

/// The same on a colleague's phone who is asked to help with a call.
pub(super) fn display_for_colleague(line: &LinePlan) -> String {
    format!("{} (collègue)", line.display)
}

/// What a description travels by whose signalling goes this way.
pub fn road(transport: Transport) -> Road {
    match transport {
        Transport::Udp | Transport::Tcp => Road::Readable,
        Transport::Tls => Road::Private,
        Transport::Ws | Transport::Wss => Road::Web,
    }
}

/// The same for an offer to a registered phone.
pub(super) fn road_to(phone: &Phone) -> Road {
    match road(phone.flow.transport) {
        Road::Private if phone.demands_keys => Road::Sealed,
        road @ (Road::Readable | Road::Private | Road::Sealed | Road::Web) => road,
    }
}

/// The closed message for this opening, with the next one in the caller's own hours.
pub fn closed(line: &LinePlan, opening: &Opening, territory: Territory, now: Now) -> Announcement {
    let (why, until) = match opening {
        // Open lines have no closed message; the night's is the safest.
        Opening::Open { .. } => (Closed::OutOfHours, None),
        Opening::Closed { until, why, .. } => (
            match why {
                Closure::OutOfHours => Closed::OutOfHours,
                Closure::Break => Closed::Break,
                Closure::Holiday { .. } => Closed::Holiday,
                Closure::Exception { prompt, .. } => Closed::Exceptional(prompt.as_ref()),
                Closure::Switch { message } => Closed::Exceptional(message.as_ref()),
            },
            *until,
        ),
    };
    let reopens = until.map(|until| line.schedule.spoken(until, now.wall, territory));
    ivr::closed(why, &line.words.spoken_number, reopens)
}

/// "We must close, and could not answer you"; with the next opening, if there is one to name.
pub(super) fn drained(
    line: &LinePlan,
    reopens: Option<DateTime<Utc>>,
    territory: Territory,
    now: Now,
) -> Vec<PromptName> {
    let reopens = reopens.map(|reopens| line.schedule.spoken(reopens, now.wall, territory));
    ivr::drained(reopens).prompts
}

/// "We close soon and many wait", when the wait would outlast the line's day and its drain.
pub(super) fn closing_soon(
    line: &LinePlan,
    closes: Option<DateTime<Utc>>,
    wait: Option<Duration>,
    territory: Territory,
    now: Now,
) -> Option<Vec<PromptName>> {
    let closes = closes?;
    let left = (closes - now.wall).to_std().unwrap_or_default() + line.drain;
    if wait? <= left {
        return None;
    }
    let spoken = |at| line.schedule.spoken(at, now.wall, territory);
    let reopens = line.schedule.opening(closes).until().map(spoken);
    Some(ivr::closing_soon(spoken(closes), reopens).prompts)
}

/// "The wait is long at the moment", with the hour until which the line is open.
pub(super) fn long_wait(
    line: &LinePlan,
    closes: Option<DateTime<Utc>>,
    territory: Territory,
    now: Now,
) -> Vec<PromptName> {
    let closes = closes.map(|closes| line.schedule.spoken(closes, now.wall, territory));
    ivr::long_wait(closes).prompts
}
