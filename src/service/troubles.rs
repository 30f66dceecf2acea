//! What needs a person though calls go on: gathered once, for `/readyz`, the page and its wall, `hotline status` and
//! webhooks alike.
//!
//! What is broken is said for as long as it is; what happened and is over, for a while: long enough for the manager who
//! comes in the morning, not so long that nobody looks at the wall any more.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Moment, Now};
use crate::http::{Trouble, TroubleCode as Code};
use crate::net::DoorCounters;
use crate::service::boot::Origin;
use crate::service::reception::Current;
use crate::store::Health;

/// Why the files on disk are not what runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PlanAlarm {
    /// A reload was refused; the board says so too.
    Refused(String),
    /// All but some of it is in force: a door with no certificate, a webhook with no secret.
    Broken,
    LastGood(String),
    BuiltIn(String),
}

impl PlanAlarm {
    pub fn of(origin: &Origin) -> Option<Self> {
        let text = origin.alarm()?;
        match origin {
            Origin::Asked => None,
            Origin::LastGood { .. } => Some(Self::LastGood(text)),
            Origin::Safe { .. } => Some(Self::BuiltIn(text)),
        }
    }

    /// The whole sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(why) => format!("the files on disk were refused: {why}"),
            Self::Broken => {
                "not all of the files on disk can be used: see `hotline check`".to_owned()
            }
            Self::LastGood(text) | Self::BuiltIn(text) => text.clone(),
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let code = match self {
            Self::Refused(_) => return None,
            Self::Broken => Code::FilesBroken,
            Self::LastGood(_) => Code::PlanLastGood,
            Self::BuiltIn(_) => Code::PlanBuiltIn,
        };
        Some(Trouble::new(code, self.text()))
    }
}

/// What is asked after.
pub(super) struct Facts<'a> {
    pub(super) current: &'a Current,
    pub(super) records: Health,
    pub(super) doors: DoorCounters,
    /// Facts the loop had no room for, and facts that broke something.
    pub(super) turned_away: u64,
    pub(super) panics: u64,
    /// How often a media thread broke.
    pub(super) media_broke: u64,
}

/// What was seen before, to tell what is new.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// How often a media thread was late, for the figures.
    pub(super) late_ticks: u64,
    /// When, within the last minute.
    late: VecDeque<Moment>,
    media_broke: Counted,
    panics: Counted,
    sip_dropped: Counted,
}

/// A count that only grows, and since when it grew.
#[derive(Debug, Default)]
struct Counted {
    total: u64,
    /// As it was before that.
    before: u64,
    grew: Option<Moment>,
}

/// What happened is on the wall for so long: a night and the morning after, or a quarter of an hour.
const SHOWN_LONG: Duration = Duration::from_secs(24 * 3_600);
const SHOWN: Duration = Duration::from_secs(15 * 60);

/// A media thread that is late in so many seconds of a minute can carry no more.
const LATE_MAX: usize = 10;
const LATE_WITHIN: Duration = Duration::from_secs(60);
const LATE_APART: Duration = Duration::from_millis(900);

impl Sightings {
    /// A media thread was so late that it is heard.
    pub(super) fn was_late(&mut self, now: Moment) {
        if self.late.back().is_none_or(|last| now - *last >= LATE_APART) {
            self.late.push_back(now);
        }
    }

    /// Everything that needs a person now.
    pub(super) fn troubles(&mut self, facts: &Facts<'_>, now: Now) -> Vec<Trouble> {
        let Facts { current, records, doors, turned_away, panics, media_broke } = facts;
        let mut found: Vec<Trouble> = Vec::new();
        found.extend(current.alarm.as_ref().and_then(PlanAlarm::trouble));
        found.extend(current.certificates.iter().filter_map(|one| one.trouble(now.wall)));
        found.extend(current.shut.iter().map(|door| {
            let text = format!("{door} is shut: see `hotline check`");
            Trouble::new(Code::DoorShut, text).about(door.clone())
        }));
        if let Some(count) = self.media_broke.grows(*media_broke, now.steady, SHOWN_LONG) {
            let text = format!("media threads broke {count} times within a day: see the log");
            found.push(Trouble::new(Code::MediaBroke, text).count(count));
        }
        self.late.retain(|late| now.steady - *late < LATE_WITHIN);
        if self.late.len() >= LATE_MAX {
            let text = "a media thread can carry no more: sound comes late";
            found.push(Trouble::new(Code::MediaLimit, text));
        }
        if let Some(count) = self.panics.grows(*panics, now.steady, SHOWN_LONG) {
            let text = format!("{count} facts broke something and were dropped");
            found.push(Trouble::new(Code::FactsDropped, text).count(count));
        }
        let dropped = doors.datagrams_dropped + turned_away;
        if let Some(count) = self.sip_dropped.grows(dropped, now.steady, SHOWN) {
            let text = format!("{count} SIP messages found no room and were dropped");
            found.push(Trouble::new(Code::SipDropped, text).count(count));
        }
        if let Some(text) = records.alarm() {
            found.push(Trouble::new(Code::RecordsWait, text).count(records.spooled as u64));
        }
        if records.dropped > 0 {
            let text = format!("{} records of calls were lost", records.dropped);
            found.push(Trouble::new(Code::RecordsLost, text).count(records.dropped));
        }
        found
    }
}

impl Counted {
    /// By how much it grew lately.
    fn grows(&mut self, total: u64, now: Moment, shown: Duration) -> Option<u64> {
        if self.grew.is_some_and(|grew| now - grew >= shown) {
            self.grew = None;
        }
        if total > self.total {
            if self.grew.is_none() {
                self.before = self.total;
            }
            self.total = total;
            self.grew = Some(now);
        }
        self.grew.map(|_| self.total - self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    #[test]
    fn what_happened_is_said_for_a_while_and_counted_anew_after_it() {
        let mut dropped = Counted::default();

        assert_eq!(dropped.grows(0, at(0), SHOWN), None);
        assert_eq!(dropped.grows(3, at(10), SHOWN), Some(3));
        assert_eq!(dropped.grows(5, at(600), SHOWN), Some(5));
        assert_eq!(dropped.grows(5, at(600 + 899), SHOWN), Some(5), "since it grew last");
        assert_eq!(dropped.grows(5, at(600 + 900), SHOWN), None);
        assert_eq!(
            dropped.grows(6, at(9_000), SHOWN),
            Some(1),
            "what is over is not counted again"
        );
    }

    #[test]
    fn one_late_tick_is_no_trouble_and_late_sound_all_the_time_is() {
        let mut sightings = Sightings::default();
        let is_told = |sightings: &Sightings| sightings.late.len() >= LATE_MAX;

        for tick in 0..50 {
            sightings.was_late(at(0) + Duration::from_millis(tick));
        }
        assert!(!is_told(&sightings), "one bad moment");
        for second in 1..10 {
            sightings.was_late(at(second));
        }
        assert!(is_told(&sightings));
    }
}
