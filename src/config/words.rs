//! Dates, hours and rules in words, French and English, for `check` and `explain`.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use crate::config::Language;
use crate::schedule::{Holiday, HolidayPolicy, Hours, Rule, When};

/// "dimanche 22 novembre 2026".
pub fn date(date: NaiveDate, language: Language) -> String {
    let day = weekday(date.weekday(), language);
    let month = month(date.month(), language);
    let number = match (language, date.day()) {
        (Language::French, 1) => "1er".to_owned(),
        (_, number) => number.to_string(),
    };
    format!("{day} {number} {month} {}", date.year())
}

/// "9h", "9h30"; in English "09:00".
pub fn time(at: NaiveDateTime, language: Language) -> String {
    let seconds = at.second();
    match language {
        Language::English if seconds > 0 => format!("{}", at.format("%H:%M:%S")),
        Language::English => format!("{}", at.format("%H:%M")),
        Language::French if seconds > 0 => {
            format!("{}h{:02}m{seconds:02}s", at.hour(), at.minute())
        }
        Language::French if at.minute() > 0 => format!("{}h{:02}", at.hour(), at.minute()),
        Language::French => format!("{}h", at.hour()),
    }
}

/// "dimanche 22 novembre 2026 à 9h", on a zone's clock.
pub fn instant(at: DateTime<Utc>, zone: Tz, language: Language) -> String {
    let wall = at.with_timezone(&zone).naive_local();
    let at = match language {
        Language::English => "at",
        Language::French => "à",
    };
    format!("{} {at} {}", date(wall.date(), language), time(wall, language))
}

/// "9h-13h, 14h-19h", or "closed".
pub fn hours(hours: &Hours, language: Language) -> String {
    match language {
        _ if !hours.is_closed() => hours.to_string(),
        Language::English => "closed".to_owned(),
        Language::French => "fermé".to_owned(),
    }
}

/// Which holiday it is.
pub fn holiday(holiday: Holiday, language: Language) -> &'static str {
    match language {
        Language::English => holiday.in_english(),
        Language::French => holiday.in_french(),
    }
}

/// The rule that decided: `lundi de Pâques → holidays = "usual" → 9h-19h`.
pub fn rule(rule: &Rule, zone: Tz, language: Language) -> String {
    match rule {
        Rule::Switch { until } => {
            let until = instant(*until, zone, language);
            match language {
                Language::English => format!("operator's switch, until {until}"),
                Language::French => format!("main de l'opérateur, jusqu'au {until}"),
            }
        }
        Rule::Exception { when, hours: given, reason } => {
            let named = match language {
                Language::English => "exception",
                Language::French => "exception",
            };
            let when = match when {
                When::Day(day) => date(*day, language),
                When::Period { from, until } => {
                    let dash = "–";
                    let from = instant(*from, zone, language);
                    format!("{from} {dash} {}", instant(*until, zone, language))
                }
            };
            format!("{named} ({when}, « {reason} ») → {}", hours(given, language))
        }
        Rule::Holiday { holiday: day, policy: chosen, hours: given } => format!(
            "{} → holidays = {} → {}",
            holiday(*day, language),
            policy(chosen),
            hours(given, language)
        ),
        Rule::Weekly { hours: given, holiday: Some(day), .. } => {
            let day = holiday(*day, language);
            format!("{day} → holidays = \"usual\" → {}", hours(given, language))
        }
        Rule::Weekly { date, hours: given, holiday: None } => {
            format!("{} → {}", weekday(date.weekday(), language), hours(given, language))
        }
    }
}

/// As it is written in `calendars.toml`.
pub fn policy(policy: &HolidayPolicy) -> String {
    match policy {
        HolidayPolicy::Usual => "\"usual\"".to_owned(),
        HolidayPolicy::AsSunday => "\"as-sunday\"".to_owned(),
        HolidayPolicy::Closed => "\"closed\"".to_owned(),
        HolidayPolicy::Own(hours) => {
            let spans: Vec<String> =
                hours.spans().iter().map(|span| format!("\"{span}\"")).collect();
            format!("[{}]", spans.join(", "))
        }
    }
}

fn weekday(day: Weekday, language: Language) -> &'static str {
    let place = day.num_days_from_monday() as usize;
    match language {
        Language::English => {
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][place]
        }
        Language::French => {
            ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"][place]
        }
    }
}

fn month(number: u32, language: Language) -> &'static str {
    let place = number.clamp(1, 12) as usize - 1;
    match language {
        Language::English => [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ][place],
        Language::French => [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ][place],
    }
}
