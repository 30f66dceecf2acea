//! `hotline check DIR`: everything that is wrong with a plan, or what it means in the coming weeks.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::call::LinePlan;
use crate::config::{self, Language, Loaded, Weight, words};
use crate::schedule::Rule;

/// What to check.
#[derive(clap::Args, Clone, Debug)]
pub struct CheckArgs {
    /// The folder of the plan
    #[arg(default_value = "config", value_name = "DIR")]
    pub folder: PathBuf,
}

/// Checks a plan as of `now`, in the plan's language unless another is asked for; fails if the plan
/// can't be used.
pub fn run(args: &CheckArgs, language: Option<Language>, now: DateTime<Utc>) -> ExitCode {
    let (told, code) = check(args, language, now);
    // Nobody is left to tell when the reader has gone.
    let _ = io::stdout().write_all(told.as_bytes());
    code
}

/// What `check` says.
pub fn check(
    args: &CheckArgs,
    language: Option<Language>,
    now: DateTime<Utc>,
) -> (String, ExitCode) {
    match config::load(&args.folder, now) {
        Err(report) => {
            let house = config::house_of(&args.folder);
            let language = language.unwrap_or(house.language);
            (report.told(language), ExitCode::FAILURE)
        }
        Ok(loaded) => {
            let language = language.unwrap_or(loaded.house.language);
            let is_whole = loaded.notices.count(Weight::Broken) == 0;
            let code = if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            (summary(&loaded, language, now), code)
        }
    }
}

/// How many days ahead are shown.
const DAYS: usize = 14;

/// How many changes ahead are shown.
const TRANSITIONS: usize = 5;

fn summary(loaded: &Loaded, language: Language, now: DateTime<Utc>) -> String {
    let mut text = loaded.notices.told(language);
    for line in loaded.plan.lines.values() {
        coming_days(line, language, now, &mut text);
    }
    let plan = &loaded.plan;
    let named = |count: usize, [english, englishes]: [&str; 2], [french, frenches]: [&str; 2]| {
        let word = match (language, count) {
            (Language::English, 1) => english,
            (Language::English, _) => englishes,
            (Language::French, 0 | 1) => french,
            (Language::French, _) => frenches,
        };
        format!("{count} {word}")
    };
    let notes = loaded.notices.count(Weight::Notice);
    let counted = [
        named(notes, ["note", "notes"], ["remarque", "remarques"]),
        named(plan.lines.len(), ["line", "lines"], ["ligne", "lignes"]),
        named(plan.queues.len(), ["queue", "queues"], ["file", "files"]),
        named(plan.listeners.len(), ["listener", "listeners"], ["écoutant", "écoutants"]),
        named(plan.prompts.len(), ["prompt", "prompts"], ["annonce", "annonces"]),
        format!("version {}", plan.version),
    ];
    let broken = loaded.notices.count(Weight::Broken);
    let good = match (language, broken) {
        (Language::English, 0) => "no problem",
        (Language::French, 0) => "aucun problème",
        (Language::English, _) => "the plan can be used, but not all of it works",
        (Language::French, _) => "le plan est utilisable, mais tout n'y fonctionne pas",
    };
    text.push_str(&format!("{good}, {}\n", counted.join(", ")));
    text
}

fn coming_days(line: &LinePlan, language: Language, now: DateTime<Utc>, text: &mut String) {
    let schedule = &line.schedule;
    let zone = schedule.zone();
    let today = schedule.date(now);
    text.push_str(&format!("{} ({zone})\n\n", line.name));
    for date in today.iter_days().take(DAYS) {
        let (hours, rule) = schedule.day(date);
        let why = match &rule {
            Rule::Weekly { holiday: None, .. } => String::new(),
            Rule::Weekly { holiday: Some(_), .. }
            | Rule::Holiday { .. }
            | Rule::Exception { .. }
            | Rule::Switch { .. } => format!("   ({})", words::rule(&rule, zone, language)),
        };
        let day = words::date(date, language);
        text.push_str(&format!("  {day:<30} {}{why}\n", words::hours(&hours, language)));
        if let Some(change) = clock_change(line, date, language) {
            text.push_str(&format!("  {:<30} {change}\n", ""));
        }
    }
    text.push('\n');
    for transition in schedule.transitions(now, TRANSITIONS) {
        let at = words::instant(transition.at, zone, language);
        let what = match (language, transition.opens) {
            (Language::English, true) => "opens",
            (Language::English, false) => "closes",
            (Language::French, true) => "ouvre",
            (Language::French, false) => "ferme",
        };
        text.push_str(&format!("  {what:<6} {at}\n"));
    }
    let year = today.year() + 1;
    let hours = open_minutes(line, year) / 60;
    text.push_str(&match language {
        Language::English => format!("\n  open {hours} hours in {year}\n\n"),
        Language::French => format!("\n  {hours} heures d'ouverture en {year}\n\n"),
    });
}

/// Says so if the clocks change on a date.
fn clock_change(line: &LinePlan, date: NaiveDate, language: Language) -> Option<&'static str> {
    let noon = |date: NaiveDate| date.and_hms_opt(12, 0, 0);
    let before = noon(date.checked_sub_days(Days::new(1))?)?;
    let after = noon(date)?;
    let zone = line.schedule.zone();
    let instant = |wall: chrono::NaiveDateTime| wall.and_local_timezone(zone).earliest();
    let hours = (instant(after)? - instant(before)?).num_minutes();
    match (language, hours.cmp(&(24 * 60))) {
        (_, std::cmp::Ordering::Equal) => None,
        (Language::English, std::cmp::Ordering::Less) => Some("clocks go forward in this night"),
        (Language::English, std::cmp::Ordering::Greater) => Some("clocks go back in this night"),
        (Language::French, std::cmp::Ordering::Less) => {
            Some("passage à l'heure d'été cette nuit-là")
        }
        (Language::French, std::cmp::Ordering::Greater) => {
            Some("passage à l'heure d'hiver cette nuit-là")
        }
    }
}

/// What a contract counts: the open minutes of a year.
fn open_minutes(line: &LinePlan, year: i32) -> i64 {
    let Some(first) = NaiveDate::from_ymd_opt(year, 1, 1) else {
        return 0;
    };
    let zone = line.schedule.zone();
    first
        .iter_days()
        .take_while(|date| date.year() == year)
        .map(|date| {
            let (hours, _) = line.schedule.day(date);
            let minutes = hours.intervals(zone, date).map(|(open, close)| close - open);
            minutes.map(|open| open.num_minutes()).sum::<i64>()
        })
        .sum()
}
