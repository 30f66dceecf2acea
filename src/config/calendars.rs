//! `calendars.toml` → [`Schedule`]s.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use toml::{Spanned, Value};

use crate::base::PromptName;
use crate::config::catalogue::{Kind, What};
use crate::config::file::{CalendarTable, CalendarsFile, ExceptionTable, OneOrMany, Word, words};
use crate::config::guess;
use crate::config::hours::{self, NotHours};
use crate::config::link::Linker;
use crate::schedule::{Exception, HolidayPolicy, Hours, Schedule, Span, WeeklyHours, When};

/// Links every calendar; those that can't be are left out and reported.
pub(super) fn link(file: &CalendarsFile, linker: &mut Linker<'_>) -> BTreeMap<String, Schedule> {
    let mut schedules = BTreeMap::new();
    for (name, table) in &file.calendars {
        if let Some(schedule) = calendar(table, name, linker) {
            schedules.insert(name.get_ref().clone(), schedule);
        }
    }
    schedules
}

fn calendar(table: &CalendarTable, name: &Word, linker: &mut Linker<'_>) -> Option<Schedule> {
    let zone = zone(&table.zone, linker);
    let weekly = weekly(table, name, linker);
    let holidays = holidays(table, name, linker);
    let zone = zone?;
    let exceptions = exceptions(table, zone, linker);
    let schedule = Schedule::new(zone, weekly?, holidays?, exceptions);
    if !schedule.opening(linker.now()).is_open() && schedule.opening(linker.now()).until().is_none()
    {
        linker.notice(name, What::NeverOpen);
    }
    Some(schedule)
}

fn zone(word: &Word, linker: &mut Linker<'_>) -> Option<Tz> {
    let text = word.get_ref();
    match text.parse() {
        Ok(zone) => Some(zone),
        Err(_) => {
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let suggestion = guess::nearest(text, names).map(str::to_owned);
            linker.problem(word, What::Zone { text: text.clone(), suggestion });
            None
        }
    }
}

fn weekly(table: &CalendarTable, name: &Word, linker: &mut Linker<'_>) -> Option<WeeklyHours> {
    match (&table.week, &table.rule) {
        (Some(_), Some(rule)) => {
            linker.problem(rule, What::WeekAndRule);
            None
        }
        (None, None) => {
            linker.problem(name, What::NeitherWeekNorRule);
            None
        }
        (None, Some(rule)) => match rule.get_ref().parse::<WeeklyHours>() {
            Ok(weekly) => {
                if goes_past_midnight(rule.get_ref()) {
                    linker.notice(rule, What::RuleOvernight);
                }
                Some(weekly)
            }
            Err(e) => {
                linker.problem(rule, What::Rule { message: e.to_string() });
                None
            }
        },
        (Some(week), None) => {
            let mut days: BTreeMap<u32, (Weekday, Hours)> = BTreeMap::new();
            let mut whole = true;
            for (key, spans) in week {
                let hours = hours_of(spans, linker);
                match hours::days(key.get_ref()) {
                    Err(suggestion) => {
                        linker.problem(key, What::Day { text: key.get_ref().clone(), suggestion });
                        whole = false;
                    }
                    Ok(named) => {
                        for day in named {
                            let place = day.num_days_from_monday();
                            if days.contains_key(&place) {
                                linker.problem(key, What::DayTwice { text: key.get_ref().clone() });
                                whole = false;
                                break;
                            }
                            days.insert(place, (day, hours.clone().unwrap_or_default()));
                        }
                    }
                }
                whole &= hours.is_some();
            }
            let days: Vec<_> = days.into_values().collect();
            whole.then(|| WeeklyHours::from_days(&days))
        }
    }
}

/// Reads a list of spans; an empty one is a closed day.
fn hours_of(value: &Spanned<OneOrMany>, linker: &mut Linker<'_>) -> Option<Hours> {
    let mut spans: Vec<(Span, String)> = Vec::new();
    let mut whole = true;
    for word in words(value) {
        let text = word.get_ref().clone();
        match hours::span(&text) {
            Ok(span) => {
                let clash = spans
                    .iter()
                    .find(|(other, _)| span.open < other.close && other.open < span.close);
                if let Some((_, other)) = clash {
                    linker
                        .problem(&word, What::Overlap { one: other.clone(), other: text.clone() });
                    whole = false;
                }
                spans.push((span, text));
            }
            Err(why) => {
                linker.problem(&word, What::Hours { text, why });
                whole = false;
            }
        }
    }
    whole.then(|| spans.into_iter().map(|(span, _)| span).collect::<Vec<_>>().into())
}

fn holidays(table: &CalendarTable, name: &Word, linker: &mut Linker<'_>) -> Option<HolidayPolicy> {
    let Some(value) = &table.holidays else {
        linker.problem(name, What::HolidayPolicyMissing);
        return None;
    };
    if let OneOrMany::One(word) = value.get_ref() {
        match word.as_str() {
            "usual" => return Some(HolidayPolicy::Usual),
            "as-sunday" => return Some(HolidayPolicy::AsSunday),
            "closed" => return Some(HolidayPolicy::Closed),
            text => {
                let unreadable =
                    matches!(hours::span(text), Err(NotHours::Unreadable { suggestion: None }));
                if unreadable {
                    let what = What::UnknownWord { text: text.to_owned(), allowed: HOLIDAY_WORDS };
                    linker.problem(value, what);
                    return None;
                }
            }
        }
    }
    hours_of(value, linker).map(HolidayPolicy::Own)
}

const HOLIDAY_WORDS: &[&str] = &["usual", "as-sunday", "closed", "10h-16h"];

fn exceptions(table: &CalendarTable, zone: Tz, linker: &mut Linker<'_>) -> Vec<Exception> {
    let mut exceptions: Vec<Exception> = Vec::new();
    for entry in &table.exceptions {
        let Some(exception) = exception(entry, zone, linker) else {
            continue;
        };
        if exceptions.iter().any(|earlier| speak_of_the_same_time(earlier, &exception)) {
            linker.notice(entry, What::ExceptionTwice);
        }
        if is_over(&exception, zone, linker.now()) {
            linker.notice(entry, What::ExceptionPast);
        }
        exceptions.push(exception);
    }
    exceptions
}

fn exception(
    entry: &Spanned<ExceptionTable>,
    zone: Tz,
    linker: &mut Linker<'_>,
) -> Option<Exception> {
    let table = entry.get_ref();
    let prompt: Option<PromptName> =
        table.prompt.as_ref().and_then(|word| linker.name(Kind::Prompt, word));
    let (when, hours) = match (&table.date, &table.from, &table.until) {
        (Some(date), None, None) if table.open.is_none() => {
            let hours = match &table.hours {
                Some(hours) => hours_of(hours, linker),
                None => Some(Hours::closed()),
            };
            let when = day(date, linker).map(When::Day);
            (when, hours)
        }
        (None, Some(from), Some(until)) if table.hours.is_none() => {
            let (from, until) = (instant(from, zone, linker), instant(until, zone, linker));
            let hours = if table.open == Some(true) { Hours::all_day() } else { Hours::closed() };
            let when = from.zip(until).map(|(from, until)| When::Period { from, until });
            if from.zip(until).is_some_and(|(from, until)| until <= from) {
                linker.problem(entry, What::ExceptionInverted);
                return None;
            }
            (when, Some(hours))
        }
        _ => {
            linker.problem(entry, What::ExceptionWhen);
            return None;
        }
    };
    Some(Exception { when: when?, hours: hours?, reason: table.reason.clone(), prompt })
}

fn day(value: &Spanned<Value>, linker: &mut Linker<'_>) -> Option<NaiveDate> {
    let text = written(value.get_ref());
    let date = text.trim().parse().ok();
    if date.is_none() {
        linker.problem(value, What::DateUnreadable { text });
    }
    date
}

fn instant(value: &Spanned<Value>, zone: Tz, linker: &mut Linker<'_>) -> Option<DateTime<Utc>> {
    let text = written(value.get_ref());
    let Some(wall) = wall(text.trim()) else {
        linker.problem(value, What::DateUnreadable { text });
        return None;
    };
    let instant = zone.from_local_datetime(&wall).earliest();
    if instant.is_none() {
        linker.problem(value, What::TimeSkipped { text });
    }
    instant.map(|at| at.to_utc())
}

/// `2026-12-24 16:00`, `2026-12-24T16:00:00`, `2026-12-24 16h30`, or a date alone for midnight.
pub fn wall(text: &str) -> Option<NaiveDateTime> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(NaiveTime::MIN));
    }
    let (date, time) = text.split_once(['T', ' '])?;
    let date: NaiveDate = date.parse().ok()?;
    let time = time.trim().to_lowercase();
    let time = match time.split_once('h') {
        Some((hour, "")) => format!("{hour}:00"),
        Some((hour, minute)) => format!("{hour}:{minute}"),
        None => time,
    };
    let formats = ["%H:%M", "%H:%M:%S"];
    let time = formats.iter().find_map(|format| NaiveTime::parse_from_str(&time, format).ok())?;
    Some(date.and_time(time))
}

/// A date is a text, or a date of TOML.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => value.to_string(),
    }
}

fn speak_of_the_same_time(one: &Exception, other: &Exception) -> bool {
    match (one.when, other.when) {
        (When::Day(one), When::Day(other)) => one == other,
        (When::Period { from, until }, When::Period { from: other_from, until: other_until }) => {
            from < other_until && other_from < until
        }
        (When::Day(_), When::Period { .. }) | (When::Period { .. }, When::Day(_)) => false,
    }
}

fn is_over(exception: &Exception, zone: Tz, now: DateTime<Utc>) -> bool {
    match exception.when {
        When::Day(date) => date < now.with_timezone(&zone).date_naive(),
        When::Period { until, .. } => until <= now,
    }
}

/// The grammar allows nights (`22:00-02:00`) and days beyond 24 hours (`09:00-25:00`); both are
/// seldom meant.
fn goes_past_midnight(rule: &str) -> bool {
    let Ok(weekly) = rule.parse::<WeeklyHours>() else {
        return false;
    };
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    first.iter_days().take(370).any(|date| {
        let until_midnight = weekly.on(date).spans().last().is_some_and(|span| span.close == 1440);
        let next = date.succ_opt().map(|next| weekly.on(next)).unwrap_or_default();
        let on = next.spans().first().is_some_and(|span| span.open == 0 && span.close < 1440);
        until_midnight && on
    })
}
