//! How long a session lives without a sign of life (RFC 4028).
//!
//! ```text
//!  ours to refresh:    2xx ──half the interval──► UPDATE, or INVITE with the same description
//!  theirs to refresh:  2xx ──interval − min(32 s, a third)──► no refresh: are they there?
//! ```
//!
//! A session has a timer only when the other side can have one, or asks for one: phones that know
//! nothing of them are left alone. What is sent, and when a session is given up, is `endpoint`'s.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sip::headers::{Refresher, SessionExpires};
use crate::sip::message::Head;

/// The option tag.
pub(crate) const TIMER: &str = "timer";
/// The interval we propose, in seconds.
pub(crate) const INTERVAL: u32 = 1800;
/// The shortest interval we take (§4: it must be 90 at least).
pub(crate) const INTERVAL_MIN: u32 = 90;
/// A Min-SE beyond this is nobody's wish.
const INTERVAL_MAX: u32 = 86_400;
/// How long before the end a session that was not refreshed is doubted (§10).
const MARGIN: Duration = Duration::from_secs(32);

/// A session timer that runs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Expiry {
    /// In seconds.
    pub(crate) interval: u32,
    /// We refresh, not they.
    pub(crate) ours: bool,
}

impl Expiry {
    /// After how long we refresh (§7.2).
    pub(crate) fn refresh_after(self) -> Duration {
        Duration::from_secs(self.interval.into()) / 2
    }

    /// After how long without a refresh we doubt that anybody is there (§10).
    pub(crate) fn doubt_after(self) -> Duration {
        let interval = Duration::from_secs(self.interval.into());
        interval - MARGIN.min(interval / 3)
    }

    /// As it stands in a request of ours that refreshes too: the roles stay as they are (§7.4).
    pub(crate) fn asked(self) -> SessionExpires {
        let refresher = if self.ours { Refresher::Uac } else { Refresher::Uas };
        SessionExpires { seconds: self.interval, refresher: Some(refresher) }
    }

    /// What a 2xx to a request of ours settles; None if it wants no timer.
    pub(crate) fn settled_by(response: &Head) -> Option<Self> {
        let expires = response.session_expires()?;
        let ours = expires.refresher != Some(Refresher::Uas);
        Some(Self { interval: expires.seconds.clamp(INTERVAL_MIN, INTERVAL_MAX), ours })
    }
}

/// What a request of theirs comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Terms {
    /// No timer: they can't have one, and nobody on the way asked for one.
    None,
    /// 422 with our Min-SE.
    TooSmall,
    /// `require`: they know timers, so our 2xx may demand one.
    Agreed { expiry: Expiry, require: bool },
}

impl Terms {
    /// Judges an INVITE or UPDATE (§9); `running` is what was settled before.
    pub(crate) fn of(request: &Head, running: Option<Expiry>) -> Self {
        let knows = request.knows(TIMER);
        let least = request.min_se().unwrap_or(INTERVAL_MIN).clamp(INTERVAL_MIN, INTERVAL_MAX);
        let (interval, ours) = match (request.session_expires(), knows) {
            (None, false) => return Self::None,
            (None, true) => {
                let interval = running.map_or(INTERVAL, |running| running.interval);
                (interval, running.is_some_and(|running| running.ours))
            }
            (Some(asked), true) if asked.seconds < INTERVAL_MIN => return Self::TooSmall,
            (Some(asked), true) => (asked.seconds, asked.refresher == Some(Refresher::Uas)),
            // A proxy asked: the refreshing is left to us. It can't be told 422 (§9).
            (Some(asked), false) => (asked.seconds, true),
        };
        let expiry = Expiry { interval: interval.clamp(least, INTERVAL_MAX), ours };
        Self::Agreed { expiry, require: knows }
    }

    /// The timer that runs from our 2xx on.
    pub(crate) fn expiry(self) -> Option<Expiry> {
        match self {
            Self::Agreed { expiry, .. } => Some(expiry),
            Self::None | Self::TooSmall => None,
        }
    }

    /// As it stands in our 2xx.
    pub(crate) fn answered(self) -> Option<SessionExpires> {
        let expiry = self.expiry()?;
        let refresher = if expiry.ours { Refresher::Uas } else { Refresher::Uac };
        Some(SessionExpires { seconds: expiry.interval, refresher: Some(refresher) })
    }
}

/// The interval to ask for after a 422, if it is one we can ask for.
pub(crate) fn raised(response: &Head, asked: u32) -> Option<u32> {
    response.min_se().filter(|least| *least > asked && *least <= INTERVAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_doubted_before_its_end_and_refreshed_in_its_middle() {
        for (interval, refresh, doubt) in [(1800, 900, 1768), (90, 45, 60), (96, 48, 64)] {
            let expiry = Expiry { interval, ours: true };

            assert_eq!(expiry.refresh_after().as_secs(), refresh);
            assert_eq!(expiry.doubt_after().as_secs(), doubt);
        }
    }
}
