//! When a line is open: weekly hours, holidays, dated exceptions and the operator's hand.
//!
//! A [`Schedule`] answers one question, "open or closed at this instant, until when, and which rule
//! said so?", and answers it for every instant. Intervals are half-open, `[open, close)`. The day is
//! decided by the first of these that has something to say:
//!
//! | | rule | file |
//! |---|---|---|
//! | 1 | the operator's switch | `switch` |
//! | 2 | an exception with two instants, then one for a whole date | `exception` |
//! | 3 | the holiday policy, on a public holiday | `holidays` |
//! | 4 | the weekly hours | `weekly` |
//!
//! `civil` turns wall time into instants and is the only file that knows about clock changes;
//! `trust` decides which wall clock to believe. Nothing here knows what a line or a caller is, and
//! no words are chosen here: `ivr::announcement` says aloud what a [`SpokenTime`] holds.

mod civil;
mod exception;
mod holidays;
mod hours;
mod switch;
mod transition;
mod trust;
mod weekly;

#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::base::{PromptName, SpokenTime, Territory};

pub use exception::{Exception, When};
pub use holidays::{Holiday, HolidayPolicy};
pub use hours::{Hours, Span};
pub use switch::Switch;
pub use transition::Transition;
pub use trust::{ClockStep, WallTrust};
pub use weekly::{NotARule, WeeklyHours};

/// A named set of days and hours, linked with its zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Schedule {
    zone: Tz,
    weekly: WeeklyHours,
    holidays: HolidayPolicy,
    exceptions: Vec<Exception>,
}

/// The verdict at one instant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Opening {
    /// Callers are let in.
    Open {
        /// The first instant at which they no longer are; none if that is over two months away.
        until: Option<DateTime<Utc>>,
        /// The rule that opened.
        because: Rule,
    },
    /// Callers hear the closed message.
    Closed {
        /// The next opening; none if that is over a year away.
        until: Option<DateTime<Utc>>,
        /// What kind of closing it is, for the words.
        why: Closure,
        /// The rule that closed.
        because: Rule,
    },
}

/// Why a line is shut, as far as a caller is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Closure {
    /// Before the first or after the last interval of a day, or on a day without hours.
    OutOfHours,
    /// Between two intervals of the same day.
    Break,
    /// A public holiday has shut what the weekly hours would have opened.
    Holiday {
        /// Which one.
        holiday: Holiday,
    },
    /// A dated exception has shut what would have been open, or has words of its own.
    Exception {
        /// For the log; never read aloud.
        reason: String,
        /// The recording to play, if it has one.
        prompt: Option<PromptName>,
    },
    /// The operator has closed the line.
    Switch {
        /// The recording to play, if one was named.
        message: Option<PromptName>,
    },
}

/// The rule that decided, in data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Rule {
    /// The operator's switch.
    Switch {
        /// When the operator's hand is taken off.
        until: DateTime<Utc>,
    },
    /// A dated exception.
    Exception {
        /// When it applies.
        when: When,
        /// The hours it gives to its days; empty for a closed one.
        hours: Hours,
        /// Why, in the operator's words.
        reason: String,
    },
    /// The policy for public holidays.
    Holiday {
        /// Which day it is.
        holiday: Holiday,
        /// What the plan says about holidays.
        policy: HolidayPolicy,
        /// The hours that gives.
        hours: Hours,
    },
    /// The hours of the week; also on a holiday when the policy is `usual`.
    Weekly {
        /// The date that was looked up.
        date: NaiveDate,
        /// The hours of that date.
        hours: Hours,
        /// The holiday that changes nothing, if it is one.
        holiday: Option<Holiday>,
    },
}

impl Opening {
    /// Whether a call that arrives at this instant is let in.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::Closed { .. } => false,
        }
    }

    /// When the verdict changes; none if that is far away.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Open { until, .. } | Self::Closed { until, .. } => *until,
        }
    }

    /// The rule that decided.
    pub fn because(&self) -> &Rule {
        match self {
            Self::Open { because, .. } | Self::Closed { because, .. } => because,
        }
    }
}

impl Schedule {
    /// A schedule in `zone`: the weekly hours, what to do on public holidays, and the exceptions,
    /// of which an earlier one wins over a later one of the same kind.
    pub fn new(
        zone: Tz,
        weekly: WeeklyHours,
        holidays: HolidayPolicy,
        exceptions: Vec<Exception>,
    ) -> Self {
        Self { zone, weekly, holidays, exceptions }
    }

    /// A schedule that is always closed: what a house plays by when it has no plan at all.
    pub fn closed(zone: Tz) -> Self {
        Self::new(zone, WeeklyHours::never(), HolidayPolicy::Usual, Vec::new())
    }

    /// The zone its hours are written in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The exceptions, as written.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The policy for public holidays.
    pub fn holidays(&self) -> &HolidayPolicy {
        &self.holidays
    }

    /// The weekly hours.
    pub fn weekly(&self) -> &WeeklyHours {
        &self.weekly
    }

    /// Decides whether the line is open at an instant, leaving the operator's switch aside.
    pub fn opening(&self, at: DateTime<Utc>) -> Opening {
        let (open, because) = self.verdict(at);
        let until = self.change_after(at, open);
        if open {
            return Opening::Open { until, because };
        }
        let why = self.closure(at, until, &because);
        Opening::Closed { until, why, because }
    }

    /// Decides whether the line is open at an instant, the operator's switch included.
    pub fn opening_with(&self, switch: &Switch, at: DateTime<Utc>) -> Opening {
        switch.opening(self, at)
    }

    /// Until when [`Schedule::opening_with`] says exactly what it says at an instant: at least until
    /// the next edge of an interval, an exception, the switch or the day. Never later than the next
    /// midnight, so that a day is named rightly.
    pub fn holds_until(&self, switch: &Switch, at: DateTime<Utc>) -> DateTime<Utc> {
        let edge = self.edge_after(at);
        switch.holds_until(at).map_or(edge, |ends| ends.min(edge))
    }

    /// The next changes after `from`, at most `n`, and fewer if none is near.
    pub fn transitions(&self, from: DateTime<Utc>, n: usize) -> Vec<Transition> {
        transition::transitions(self, from, n)
    }

    /// The hours of one date and the rule that gave them, exceptions with two instants left aside.
    pub fn day(&self, date: NaiveDate) -> (Hours, Rule) {
        let exception = self.exceptions.iter().find(|exception| exception.when == When::Day(date));
        if let Some(exception) = exception {
            return (exception.hours.clone(), exception.rule());
        }
        let holiday = Holiday::on(date);
        if let Some(holiday) = holiday {
            let policy = self.holidays.clone();
            let hours = match &policy {
                HolidayPolicy::Usual => None,
                HolidayPolicy::AsSunday => Some(self.weekly.on_sunday_after(date)),
                HolidayPolicy::Closed => Some(Hours::closed()),
                HolidayPolicy::Own(hours) => Some(hours.clone()),
            };
            if let Some(hours) = hours {
                return (hours.clone(), Rule::Holiday { holiday, policy, hours });
            }
        }
        let hours = self.weekly.on(date);
        (hours.clone(), Rule::Weekly { date, hours, holiday })
    }

    /// An instant as a caller from `territory` hears it now: on the clock where they are if their
    /// number tells which, on the line's own clock otherwise.
    pub fn spoken(
        &self,
        instant: DateTime<Utc>,
        now: DateTime<Utc>,
        territory: Territory,
    ) -> SpokenTime {
        let zone = civil::zone_of(territory).unwrap_or(self.zone);
        let same = civil::offset_at(zone, instant) == civil::offset_at(self.zone, instant);
        let (zone, clock) =
            if same { (self.zone, Territory::Metropole) } else { (zone, territory) };
        SpokenTime { now: civil::local(zone, now), then: civil::local(zone, instant), clock }
    }

    /// The date on the line's own calendar.
    pub fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        civil::local(self.zone, at).date()
    }

    /// Whether the instant is in an open interval, and which rule said so.
    fn verdict(&self, at: DateTime<Utc>) -> (bool, Rule) {
        let period = self.exceptions.iter().find(|exception| exception.covers(at));
        if let Some(period) = period {
            return (!period.hours.is_closed(), period.rule());
        }
        let date = self.date(at);
        let (hours, rule) = self.day(date);
        (hours.covers(self.zone, date, at), rule)
    }

    /// The first instant after `at` at which the verdict is no longer `open`.
    fn change_after(&self, at: DateTime<Utc>, open: bool) -> Option<DateTime<Utc>> {
        let horizon = at + if open { HORIZON_OF_CLOSING } else { HORIZON_OF_OPENING };
        let mut edge = self.edge_after(at);
        while edge <= horizon {
            if self.verdict(edge).0 != open {
                return Some(edge);
            }
            edge = self.edge_after(edge);
        }
        None
    }

    /// The first instant after `at` at which the verdict could change. There is always one: the
    /// end of the day.
    fn edge_after(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let date = self.date(at);
        let (hours, _) = self.day(date);
        let midnight = civil::midnight_after(self.zone, date, at);
        hours
            .intervals(self.zone, date)
            .flat_map(|(open, close)| [open, close])
            .chain(self.exceptions.iter().flat_map(Exception::edges))
            .filter(|edge| *edge > at)
            .fold(midnight, DateTime::min)
    }

    fn closure(&self, at: DateTime<Utc>, until: Option<DateTime<Utc>>, because: &Rule) -> Closure {
        let date = self.date(at);
        let gap = self.is_gap(at, until, date);
        match because {
            Rule::Switch { .. } => Closure::OutOfHours,
            Rule::Exception { .. } => {
                let exception = self.exception_at(at, date);
                let prompt = exception.and_then(|exception| exception.prompt.clone());
                let reason = exception.map(|e| e.reason.clone()).unwrap_or_default();
                let whole = exception.is_some_and(|exception| exception.hours.is_closed());
                let usually_open = self.weekly.on(date).covers(self.zone, date, at);
                if prompt.is_some() || whole || (usually_open && !gap) {
                    Closure::Exception { reason, prompt }
                } else if gap {
                    Closure::Break
                } else {
                    Closure::OutOfHours
                }
            }
            Rule::Holiday { holiday, hours, .. } => {
                let usually_open = self.weekly.on(date).covers(self.zone, date, at);
                if gap {
                    Closure::Break
                } else if hours.is_closed() || usually_open {
                    Closure::Holiday { holiday: *holiday }
                } else {
                    Closure::OutOfHours
                }
            }
            Rule::Weekly { .. } if gap => Closure::Break,
            Rule::Weekly { .. } => Closure::OutOfHours,
        }
    }

    /// The exception that decides at an instant.
    fn exception_at(&self, at: DateTime<Utc>, date: NaiveDate) -> Option<&Exception> {
        let mut exceptions = self.exceptions.iter();
        exceptions
            .find(|exception| exception.covers(at))
            .or_else(|| self.exceptions.iter().find(|e| e.when == When::Day(date)))
    }

    /// Whether the line was open earlier on this date and will be again on it.
    fn is_gap(&self, at: DateTime<Utc>, until: Option<DateTime<Utc>>, date: NaiveDate) -> bool {
        let reopens = until.is_some_and(|until| self.date(until) == date);
        let (hours, _) = self.day(date);
        reopens && hours.intervals(self.zone, date).any(|(_, close)| close <= at)
    }
}

/// How far ahead the next opening is looked for: a caller may be told of next summer.
const HORIZON_OF_OPENING: TimeDelta = TimeDelta::days(400);

/// How far ahead the next closing is looked for: nobody asks, but a line that never closes must not
/// be searched for a year at each call.
const HORIZON_OF_CLOSING: TimeDelta = TimeDelta::days(61);
