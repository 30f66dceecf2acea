//! Opening hours against a naive model: every minute of several years, clock changes included.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use hotline::schedule::{
    Exception, HolidayPolicy, Hours, Schedule, Span, Switch, WeeklyHours, When,
};
use proptest::prelude::*;

/// The model: read the clock on the wall, look it up. No intervals, no edges, no instants.
#[derive(Clone, Debug)]
struct Naive {
    zone: Tz,
    days: [Vec<(u32, u32)>; 7],
    closed_holidays: bool,
    exceptions: Vec<(NaiveDate, Vec<(u32, u32)>)>,
}

impl Naive {
    fn is_open(&self, at: DateTime<Utc>) -> bool {
        let wall = at.with_timezone(&self.zone).naive_local();
        let minute = wall.hour() * 60 + wall.minute();
        let exception = self.exceptions.iter().find(|(date, _)| *date == wall.date());
        let spans = match exception {
            Some((_, spans)) => spans,
            None if self.closed_holidays && is_holiday(wall) => return false,
            None => &self.days[wall.weekday().num_days_from_monday() as usize],
        };
        spans.iter().any(|(open, close)| *open <= minute && minute < *close)
    }

    fn schedule(&self) -> Schedule {
        let hours = |spans: &[(u32, u32)]| -> Hours {
            let spans: Vec<Span> = spans
                .iter()
                .map(|(open, close)| Span {
                    open: u16::try_from(*open).unwrap(),
                    close: u16::try_from(*close).unwrap(),
                })
                .collect();
            spans.into()
        };
        let week = [
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
            Weekday::Sat,
            Weekday::Sun,
        ];
        let days: Vec<_> =
            week.into_iter().zip(&self.days).map(|(day, spans)| (day, hours(spans))).collect();
        let exceptions = self.exceptions.iter().map(|(date, spans)| Exception {
            when: When::Day(*date),
            hours: hours(spans),
            reason: "exception".into(),
            prompt: None,
        });
        let policy =
            if self.closed_holidays { HolidayPolicy::Closed } else { HolidayPolicy::Usual };
        Schedule::new(self.zone, WeeklyHours::from_days(&days), policy, exceptions.collect())
    }
}

/// A table, not a computation: the movable days of the years under test, by hand.
fn is_holiday(wall: NaiveDateTime) -> bool {
    const FIXED: [(u32, u32); 8] =
        [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    const MOVABLE: [(i32, u32, u32); 9] = [
        (2025, 4, 21),
        (2025, 5, 29),
        (2025, 6, 9),
        (2026, 4, 6),
        (2026, 5, 14),
        (2026, 5, 25),
        (2027, 3, 29),
        (2027, 5, 6),
        (2027, 5, 17),
    ];
    FIXED.contains(&(wall.month(), wall.day()))
        || MOVABLE.contains(&(wall.year(), wall.month(), wall.day()))
}

#[test]
fn every_minute_of_three_years_agrees_with_the_clock_on_the_wall() {
    for closed_holidays in [false, true] {
        let naive = line_3977(chrono_tz::Europe::Paris, closed_holidays);
        let schedule = naive.schedule();
        let end: DateTime<Utc> = "2028-01-01T00:00:00Z".parse().unwrap();
        let mut at: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let mut checked = 0;
        // One answer holds until the next change, so every minute is asked of the model and every
        // stretch of the schedule.
        while at < end {
            let opening = schedule.opening(at);
            let until = opening.until().unwrap_or(end).min(end);
            assert!(until > at, "{at}");
            let mut minute = at;
            while minute < until {
                assert_eq!(naive.is_open(minute), opening.is_open(), "{minute}");
                minute += TimeDelta::minutes(1);
                checked += 1;
            }
            assert_eq!(naive.is_open(until - TimeDelta::nanoseconds(1)), opening.is_open());
            at = until;
        }
        assert_eq!(checked, (365 * 3) * 24 * 60);
    }
}

#[test]
fn the_open_minutes_of_a_year_are_those_of_the_contract() {
    // 52 weeks of 68 h, and one day more: 1 January 2027 is a Friday.
    let schedule = line_3977(chrono_tz::Europe::Paris, false).schedule();
    let open: i64 = days(2027)
        .flat_map(|date| {
            let (hours, _) = schedule.day(date);
            let spans: Vec<_> = hours.intervals(schedule.zone(), date).collect();
            spans.into_iter().map(|(open, close)| (close - open).num_minutes())
        })
        .sum();

    assert_eq!(open, (52 * 68 + 10) * 60);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_week_agrees_with_the_clock_on_the_wall(
        naive in any_naive(),
        minutes in prop::collection::vec(0..3 * 365 * 24 * 60_i64, 200),
    ) {
        let schedule = naive.schedule();
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let changes = clock_changes(naive.zone);
        let near = changes.iter().flat_map(|change| {
            (-180..180).map(|minute| *change + TimeDelta::minutes(minute))
        });
        for at in minutes.iter().map(|minute| start + TimeDelta::minutes(*minute)).chain(near) {
            // An edge inside the hour that happens twice is open from its first pass to its second,
            // where the wall alone would shut in between.
            if is_doubled(naive.zone, at) {
                continue;
            }
            prop_assert_eq!(schedule.opening(at).is_open(), naive.is_open(at), "{}", at);
        }
    }

    #[test]
    fn an_opening_holds_until_it_says_and_then_changes(
        naive in any_naive(),
        minute in 0..3 * 365 * 24 * 60_i64,
        fraction in 0.0..1.0,
    ) {
        let schedule = naive.schedule();
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let at = start + TimeDelta::minutes(minute);
        let opening = schedule.opening(at);
        if let Some(until) = opening.until() {
            prop_assert!(until > at);
            prop_assert_ne!(schedule.opening(until).is_open(), opening.is_open());
            let last = until - TimeDelta::nanoseconds(1);
            prop_assert_eq!(schedule.opening(last).is_open(), opening.is_open());
            #[expect(clippy::cast_possible_truncation, reason = "a part of a year in seconds")]
            let part = ((until - at).num_seconds() as f64 * fraction) as i64;
            let between = at + TimeDelta::seconds(part);
            prop_assert_eq!(schedule.opening(between).until(), Some(until));
        }
    }

    #[test]
    fn a_schedule_read_back_gives_the_same_answers(
        naive in any_naive(),
        minute in 0..3 * 365 * 24 * 60_i64,
        hours in 0..100_i64,
    ) {
        let schedule = naive.schedule();
        let text = serde_json::to_string(&schedule).unwrap();
        let back: Schedule = serde_json::from_str(&text).unwrap();
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let at = start + TimeDelta::minutes(minute);
        let switch = Switch::Closed { until: at + TimeDelta::hours(hours), message: None };

        prop_assert_eq!(back.opening(at), schedule.opening(at));
        prop_assert_eq!(back.opening_with(&switch, at), schedule.opening_with(&switch, at));
        prop_assert_eq!(back.transitions(at, 3), schedule.transitions(at, 3));
    }

    #[test]
    fn hours_written_by_anybody_are_read_or_refused(text in ".{0,40}") {
        let _ = hotline::config::span(&text);
        let _ = hotline::config::days(&text);
        let _ = hotline::config::wall(&text);
        let _ = text.parse::<WeeklyHours>();
    }
}

fn line_3977(zone: Tz, closed_holidays: bool) -> Naive {
    let week = vec![(540, 1140)];
    let weekend = vec![(540, 780), (840, 1140)];
    let days =
        [week.clone(), week.clone(), week.clone(), week.clone(), week, weekend.clone(), weekend];
    Naive { zone, days, closed_holidays, exceptions: Vec::new() }
}

fn any_naive() -> impl Strategy<Value = Naive> {
    let zones = prop::sample::select(vec![
        chrono_tz::Europe::Paris,
        chrono_tz::Indian::Reunion,
        chrono_tz::America::Miquelon,
        chrono_tz::America::Sao_Paulo,
        chrono_tz::Australia::Lord_Howe,
    ]);
    let days = prop::array::uniform7(any_spans());
    let date = (2025..2028, 1..366_u32)
        .prop_map(|(year, day)| NaiveDate::from_yo_opt(year, day.min(365)).unwrap());
    let exceptions = prop::collection::vec((date, any_spans()), 0..4);
    (zones, days, any::<bool>(), exceptions).prop_map(
        |(zone, days, closed_holidays, mut exceptions)| {
            exceptions.sort();
            exceptions.dedup_by_key(|(date, _)| *date);
            Naive { zone, days, closed_holidays, exceptions }
        },
    )
}

fn any_spans() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::btree_set(0..=1440_u32, 0..5).prop_map(|edges| {
        let edges: Vec<u32> = edges.into_iter().collect();
        edges.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    })
}

fn clock_changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
    let wall = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local() - at.naive_utc();
    (0..3 * 365 * 24)
        .map(|hour| start + TimeDelta::hours(hour))
        .filter(|at| wall(*at) != wall(*at - TimeDelta::hours(1)))
        .collect()
}

fn is_doubled(zone: Tz, at: DateTime<Utc>) -> bool {
    let wall = at.with_timezone(&zone).naive_local();
    zone.from_local_datetime(&wall).single().is_none()
}

fn days(year: i32) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    first.iter_days().take_while(move |date| date.year() == year)
}
