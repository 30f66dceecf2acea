//! The schedule of the shipped plan at the instants that hurt (scenarios.md SC-06 … SC-11, SC-37).

use chrono::Weekday;

use super::*;

const WEEK: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

#[test]
fn the_line_opens_on_the_instant_and_not_before() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    let opens = paris("2026-11-22T09:00:00");

    let before = schedule.opening(opens - TimeDelta::milliseconds(1));
    assert!(!before.is_open());
    assert_eq!(before.until(), Some(opens));
    let after = schedule.opening(opens);
    assert!(after.is_open());
    assert_eq!(after.until(), Some(paris("2026-11-22T13:00:00")));
}

#[test]
fn a_line_closes_on_the_instant_and_serves_until_then() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    let closes = paris("2026-11-23T19:00:00");

    assert!(schedule.opening(closes - TimeDelta::nanoseconds(1)).is_open());
    assert!(!schedule.opening(closes).is_open());
}

#[test]
fn the_weekend_break_is_told_from_the_night() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);

    assert_eq!(closure(&schedule, "2026-11-21T13:30:00"), Some(Closure::Break));
    assert_eq!(closure(&schedule, "2026-11-21T08:59:59"), Some(Closure::OutOfHours));
    assert_eq!(closure(&schedule, "2026-11-21T19:00:00"), Some(Closure::OutOfHours));
    assert_eq!(closure(&schedule, "2026-11-23T13:30:00"), None);
}

#[test]
fn clocks_going_back_move_no_edge_and_lengthen_the_night() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    for (year, saturday) in [(2025, "2025-10-25T17:00:00Z"), (2026, "2026-10-24T17:00:00Z")] {
        let closes: DateTime<Utc> = saturday.parse().unwrap();
        assert!(schedule.opening(closes - TimeDelta::seconds(1)).is_open(), "{year}");
        let opens = closes + TimeDelta::hours(15);
        for hours in [0, 7, 8, 14] {
            let opening = schedule.opening(closes + TimeDelta::hours(hours));
            assert!(!opening.is_open());
            assert_eq!(opening.until(), Some(opens), "{year}, {hours} h");
        }
        let edges: Vec<_> =
            schedule.transitions(opens, 3).into_iter().map(|t| t.at - opens).collect();
        assert_eq!(edges, [4, 5, 10].map(TimeDelta::hours), "{year}");
    }
}

#[test]
fn clocks_going_forward_on_easter_sunday() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    let opens: DateTime<Utc> = "2027-03-28T07:00:00Z".parse().unwrap();

    assert_eq!(schedule.opening(paris("2027-03-27T19:00:00")).until(), Some(opens));
    assert_eq!(opens - paris("2027-03-27T19:00:00"), TimeDelta::hours(13));
    assert!(schedule.opening(opens).is_open());
    assert!(!schedule.opening(opens - TimeDelta::seconds(1)).is_open());
    let monday = schedule.opening(paris("2027-03-29T13:30:00"));
    assert!(monday.is_open());
    assert!(matches!(
        monday.because(),
        Rule::Weekly { holiday: Some(Holiday::EasterMonday), hours, .. } if hours.to_string() == "9h-19h"
    ));
}

#[test]
fn a_holiday_on_a_sunday_follows_the_policy_and_an_exception_beats_it() {
    let at = "2026-11-01T10:00:00";
    assert_eq!(closure(&line_3977(HolidayPolicy::AsSunday, &[]), at), None);

    let closed = line_3977(HolidayPolicy::Closed, &[]);
    assert_eq!(closure(&closed, at), Some(Closure::Holiday { holiday: Holiday::AllSaints }));
    assert_eq!(closed.opening(paris(at)).until(), Some(paris("2026-11-02T09:00:00")));

    let exception = Exception {
        when: When::Day("2026-11-01".parse().unwrap()),
        hours: vec![Span { open: 600, close: 720 }].into(),
        reason: "renfort".into(),
        prompt: None,
    };
    let both = line_3977(HolidayPolicy::Closed, &[exception]);
    assert_eq!(both.opening(paris(at)).until(), Some(paris("2026-11-01T12:00:00")));
    assert_eq!(
        closure(&both, "2026-11-01T12:00:00"),
        Some(Closure::Exception { reason: "renfort".into(), prompt: None })
    );
    assert_eq!(closure(&both, "2026-11-01T08:00:00"), Some(Closure::OutOfHours));
}

#[test]
fn a_holiday_in_the_week_has_sunday_hours_if_the_plan_says_so() {
    let schedule = line_3977(HolidayPolicy::AsSunday, &[]);

    assert_eq!(closure(&schedule, "2026-12-25T13:30:00"), Some(Closure::Break));
    assert_eq!(closure(&schedule, "2026-12-24T13:30:00"), None);
}

#[test]
fn a_period_wins_over_a_date_and_may_span_several() {
    let period = Exception {
        when: When::Period {
            from: paris("2026-12-24T16:00:00"),
            until: paris("2026-12-26T10:30:00"),
        },
        hours: Hours::closed(),
        reason: "travaux".into(),
        prompt: Some("travaux".parse().unwrap()),
    };
    let day = Exception {
        when: When::Day("2026-12-25".parse().unwrap()),
        hours: Hours::all_day(),
        reason: "jamais".into(),
        prompt: None,
    };
    let schedule = line_3977(HolidayPolicy::Usual, &[day, period]);

    let opening = schedule.opening(paris("2026-12-24T15:00:00"));
    assert_eq!(opening.until(), Some(paris("2026-12-24T16:00:00")));
    let opening = schedule.opening(paris("2026-12-25T12:00:00"));
    assert!(!opening.is_open());
    assert_eq!(opening.until(), Some(paris("2026-12-26T10:30:00")));
    assert_eq!(
        closure(&schedule, "2026-12-25T03:00:00"),
        Some(Closure::Exception {
            reason: "travaux".into(),
            prompt: Some("travaux".parse().unwrap())
        })
    );
}

#[test]
fn the_operators_hand_wins_until_it_lets_go() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    let at = paris("2026-11-23T15:10:00");
    let closed = Switch::Closed {
        until: paris("2026-11-23T17:00:00"),
        message: Some("evacuation".parse().unwrap()),
    };

    let opening = schedule.opening_with(&closed, at);
    assert!(!opening.is_open());
    assert_eq!(opening.until(), Some(paris("2026-11-23T17:00:00")));
    let opening = schedule.opening_with(&closed, paris("2026-11-23T17:00:00"));
    assert_eq!(opening.until(), Some(paris("2026-11-23T19:00:00")));

    let overnight = Switch::Closed { until: paris("2026-11-23T20:00:00"), message: None };
    let opening = schedule.opening_with(&overnight, at);
    assert_eq!(opening.until(), Some(paris("2026-11-24T09:00:00")));

    let open = Switch::Open { until: paris("2026-11-23T20:00:00") };
    let opening = schedule.opening_with(&open, paris("2026-11-23T19:30:00"));
    assert!(opening.is_open());
    assert_eq!(opening.until(), Some(paris("2026-11-23T20:00:00")));
}

#[test]
fn overseas_callers_are_told_the_time_on_their_own_clock() {
    let schedule = line_3977(HolidayPolicy::Usual, &[]);
    let now = paris("2026-11-21T13:30:00");
    let then = schedule.opening(now).until().unwrap();

    let reunion = schedule.spoken(then, now, Territory::Reunion);
    assert_eq!(reunion.then.to_string(), "2026-11-21 17:00:00");
    assert_eq!(reunion.now.to_string(), "2026-11-21 16:30:00");
    assert_eq!(reunion.clock, Territory::Reunion);
    let anonymous = schedule.spoken(then, now, Territory::Elsewhere);
    assert_eq!(anonymous.then.to_string(), "2026-11-21 14:00:00");
    assert_eq!(anonymous.clock, Territory::Metropole);
}

#[test]
fn a_line_without_hours_is_closed_for_good_and_one_without_gaps_open() {
    let never = Schedule::closed(chrono_tz::Europe::Paris);
    let opening = never.opening(paris("2026-11-23T12:00:00"));
    assert!(!opening.is_open());
    assert_eq!(opening.until(), None);
    assert!(never.transitions(paris("2026-11-23T12:00:00"), 5).is_empty());

    let always = Schedule::new(
        chrono_tz::Europe::Paris,
        "24/7".parse().unwrap(),
        HolidayPolicy::Usual,
        Vec::new(),
    );
    let opening = always.opening(paris("2027-03-28T03:30:00"));
    assert!(opening.is_open());
    assert_eq!(opening.until(), None);
}

#[test]
fn a_night_line_is_open_through_both_passes_of_the_doubled_hour() {
    let schedule = Schedule::new(
        chrono_tz::Europe::Paris,
        "Mo-Su 22:00-02:30".parse().unwrap(),
        HolidayPolicy::Usual,
        Vec::new(),
    );
    let at: DateTime<Utc> = "2026-10-24T23:00:00Z".parse().unwrap();

    let until = schedule.opening(at).until().unwrap();
    assert_eq!(until.to_rfc3339(), "2026-10-25T01:30:00+00:00");
    assert!(schedule.opening("2026-10-25T00:45:00Z".parse().unwrap()).is_open());
}

#[test]
fn a_schedule_can_be_written_down_and_read_back() {
    let schedule = line_3977(HolidayPolicy::Own(Hours::all_day()), &[]);

    let text = serde_json::to_string(&schedule).unwrap();
    let back: Schedule = serde_json::from_str(&text).unwrap();
    assert_eq!(back, schedule);
    let at = paris("2026-11-23T12:00:00");
    assert_eq!(back.opening(at), schedule.opening(at));
}

fn closure(schedule: &Schedule, at: &str) -> Option<Closure> {
    match schedule.opening(paris(at)) {
        Opening::Open { .. } => None,
        Opening::Closed { why, .. } => Some(why),
    }
}

fn line_3977(holidays: HolidayPolicy, exceptions: &[Exception]) -> Schedule {
    let span = |open: u16, close: u16| Span { open: open * 60, close: close * 60 };
    let mut days: Vec<_> = WEEK.map(|day| (day, vec![span(9, 19)].into())).into();
    for day in [Weekday::Sat, Weekday::Sun] {
        days.push((day, vec![span(9, 13), span(14, 19)].into()));
    }
    Schedule::new(
        chrono_tz::Europe::Paris,
        WeeklyHours::from_days(&days),
        holidays,
        exceptions.to_vec(),
    )
}

fn paris(text: &str) -> DateTime<Utc> {
    let wall: chrono::NaiveDateTime = text.parse().unwrap();
    wall.and_local_timezone(chrono_tz::Europe::Paris).latest().unwrap().to_utc()
}
