//! The eleven public holidays of France (Code du travail, L3133-1), computed.
//!
//! Those of Alsace-Moselle and the overseas abolition days don't apply to a national line.

use std::fmt;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::schedule::Hours;

/// What the line does on a public holiday. The plan must say; there is no silent default.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum HolidayPolicy {
    /// The hours of that day of the week.
    Usual,
    /// The hours of a Sunday.
    AsSunday,
    /// Closed all day.
    Closed,
    /// Hours of its own.
    Own(Hours),
}

/// A public holiday.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Holiday {
    NewYear,
    EasterMonday,
    LabourDay,
    VictoryDay,
    Ascension,
    WhitMonday,
    NationalDay,
    Assumption,
    AllSaints,
    Armistice,
    Christmas,
}

impl Holiday {
    /// The holiday a date is, if it is one.
    pub fn on(date: NaiveDate) -> Option<Self> {
        let fixed = match (date.month(), date.day()) {
            (1, 1) => Some(Self::NewYear),
            (5, 1) => Some(Self::LabourDay),
            (5, 8) => Some(Self::VictoryDay),
            (7, 14) => Some(Self::NationalDay),
            (8, 15) => Some(Self::Assumption),
            (11, 1) => Some(Self::AllSaints),
            (11, 11) => Some(Self::Armistice),
            (12, 25) => Some(Self::Christmas),
            _ => None,
        };
        if fixed.is_some() {
            return fixed;
        }
        if !(3..=6).contains(&date.month()) {
            return None;
        }
        let easter = easter(date.year())?;
        match date.signed_duration_since(easter).num_days() {
            1 => Some(Self::EasterMonday),
            39 => Some(Self::Ascension),
            50 => Some(Self::WhitMonday),
            _ => None,
        }
    }

    /// Its name in French.
    pub fn in_french(self) -> &'static str {
        match self {
            Self::NewYear => "jour de l'an",
            Self::EasterMonday => "lundi de Pâques",
            Self::LabourDay => "fête du Travail",
            Self::VictoryDay => "victoire de 1945",
            Self::Ascension => "Ascension",
            Self::WhitMonday => "lundi de Pentecôte",
            Self::NationalDay => "fête nationale",
            Self::Assumption => "Assomption",
            Self::AllSaints => "Toussaint",
            Self::Armistice => "armistice de 1918",
            Self::Christmas => "Noël",
        }
    }

    /// Its name in English.
    pub fn in_english(self) -> &'static str {
        match self {
            Self::NewYear => "New Year's Day",
            Self::EasterMonday => "Easter Monday",
            Self::LabourDay => "Labour Day",
            Self::VictoryDay => "Victory Day",
            Self::Ascension => "Ascension",
            Self::WhitMonday => "Whit Monday",
            Self::NationalDay => "Bastille Day",
            Self::Assumption => "Assumption",
            Self::AllSaints => "All Saints' Day",
            Self::Armistice => "Armistice Day",
            Self::Christmas => "Christmas Day",
        }
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_english())
    }
}

/// Easter Sunday by the Gregorian computus (Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let b = year.div_euclid(100);
    let c = year.rem_euclid(100);
    let d = b.div_euclid(4);
    let e = b.rem_euclid(4);
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let i = c.div_euclid(4);
    let k = c.rem_euclid(4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l).div_euclid(451);
    let days = h + l - 7 * m + 114;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(days.div_euclid(31)).ok()?, 1)?;
    first.checked_add_days(Days::new(u64::try_from(days.rem_euclid(31)).ok()?))
}

#[cfg(test)]
mod tests {
    use opening_hours::localization::Country;

    use super::*;

    #[test]
    fn the_movable_days_of_2027() {
        for (date, holiday) in [
            ("2027-03-29", Some(Holiday::EasterMonday)),
            ("2027-05-06", Some(Holiday::Ascension)),
            ("2027-05-17", Some(Holiday::WhitMonday)),
            ("2027-03-28", None),
            ("2026-12-26", None),
        ] {
            assert_eq!(Holiday::on(date.parse().unwrap()), holiday, "{date}");
        }
    }

    #[test]
    fn every_holiday_agrees_with_the_published_calendar_until_2076() {
        let published = Country::FR.holidays();
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        for date in first.iter_days().take_while(|date| date.year() < 2077) {
            assert_eq!(
                Holiday::on(date).is_some(),
                published.get_public().contains(date),
                "{date}"
            );
        }
    }

    #[test]
    fn a_year_has_eleven_holidays_unless_two_fall_together() {
        for year in 1970..2100 {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days = first.iter_days().take_while(|date| date.year() == year);
            let count = days.filter(|date| Holiday::on(*date).is_some()).count();
            assert!(count == 11 || count == 10, "{year}: {count}");
        }
    }
}
