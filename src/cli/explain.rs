//! `hotline explain 2026-12-25T10:00`: open or closed at an instant, which rule won, until when, and
//! word for word what a caller would hear.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, LocalResult, TimeZone, Utc};

use crate::base::{Moment, Now, PromptName, Territory};
use crate::call::{LinePlan, closed_message};
use crate::config::{self, Language, words};
use crate::exchange::Plan;
use crate::schedule::Opening;

/// What to explain.
#[derive(clap::Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The instant, on the line's own clock: 2026-12-25T10:00, or 2026-12-25T09:00Z; now if left out
    #[arg(value_name = "WHEN")]
    pub when: Option<String>,
    /// The folder of the plan
    #[arg(long, default_value = "config", value_name = "DIR")]
    pub config: PathBuf,
    /// Only this line
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// Where the caller's number is from
    #[arg(long, value_name = "TERRITORY", default_value = "metropole")]
    pub territory: Origin,
}

/// Where a caller's number is from.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub enum Origin {
    /// An anonymous caller, or one from abroad
    Elsewhere,
    Guadeloupe,
    Guyane,
    Martinique,
    Mayotte,
    Metropole,
    NouvelleCaledonie,
    Polynesie,
    Reunion,
    SaintPierreEtMiquelon,
    WallisEtFutuna,
}

/// Explains an instant, in the plan's language unless another is asked for; fails if there is no usable plan, line or instant.
pub fn run(args: &ExplainArgs, language: Option<Language>, now: DateTime<Utc>) -> ExitCode {
    match explain(args, language, now) {
        Ok(told) => {
            // Nobody is left to tell when the reader has gone.
            let _ = io::stdout().write_all(told.as_bytes());
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = io::stderr().write_all(why.as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// What `explain` says, or why it can't.
pub fn explain(
    args: &ExplainArgs,
    language: Option<Language>,
    now: DateTime<Utc>,
) -> Result<String, String> {
    let loaded = config::load(&args.config, now).map_err(|report| {
        let house = config::house_of(&args.config);
        report.told(language.unwrap_or(house.language))
    })?;
    let language = language.unwrap_or(loaded.house.language);
    let lines: Vec<&LinePlan> = loaded
        .plan
        .lines
        .values()
        .map(std::convert::AsRef::as_ref)
        .filter(|line| args.line.as_ref().is_none_or(|name| line.name.as_str() == name))
        .collect();
    if lines.is_empty() {
        let name = args.line.as_deref().unwrap_or_default();
        let known: Vec<&str> = loaded.plan.lines.keys().map(|name| name.as_str()).collect();
        let known = known.join(", ");
        return Err(match language {
            Language::English => format!("there is no line `{name}`\n\nhint: there are {known}\n"),
            Language::French => {
                format!("il n'y a pas de ligne « {name} »\n\nconseil : il y a {known}\n")
            }
        });
    }
    let mut text = String::new();
    for line in lines {
        let at = match &args.when {
            Some(when) => instant(when, line, language)?,
            None => now,
        };
        if !text.is_empty() {
            text.push('\n');
        }
        verdict(line, at, language, &mut text);
        let opening = line.schedule.opening(at);
        match opening {
            Opening::Open { .. } => open(line, &loaded.plan, language, &mut text),
            Opening::Closed { .. } => {
                let territory = Territory::from(args.territory);
                closed(line, &loaded.plan, &opening, (at, territory), language, &mut text);
            }
        }
    }
    Ok(text)
}

/// An instant with its own offset, or a time on the line's clock.
fn instant(when: &str, line: &LinePlan, language: Language) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(when) {
        return Ok(at.to_utc());
    }
    if let Some(at) = when.strip_suffix('Z').and_then(config::wall) {
        return Ok(at.and_utc());
    }
    let Some(wall) = config::wall(when) else {
        return Err(match language {
            Language::English => format!(
                "`{when}` is no instant\n\nhint: write 2026-12-25T10:00, or \"2026-12-25 10h\"\n"
            ),
            Language::French => format!(
                "« {when} » n'est pas un instant\n\nconseil : écrivez 2026-12-25T10:00, ou \"2026-12-25 10h\"\n"
            ),
        });
    };
    match line.schedule.zone().from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(at.to_utc()),
        LocalResult::None => Err(match language {
            Language::English => format!(
                "`{when}` never happens: the clocks go forward over it\n\nhint: write it with a Z, in universal time\n"
            ),
            Language::French => format!(
                "« {when} » n'existe pas : l'heure d'été passe par-dessus\n\nconseil : écrivez-le avec un Z, en temps universel\n"
            ),
        }),
    }
}

fn verdict(line: &LinePlan, at: DateTime<Utc>, language: Language, text: &mut String) {
    let zone = line.schedule.zone();
    let opening = line.schedule.opening(at);
    let when = words::instant(at, zone, language);
    let until = opening.until().map(|until| words::instant(until, zone, language));
    let rule = words::rule(opening.because(), zone, language);
    let name = &line.name;
    let told = match (language, opening.is_open(), until) {
        (Language::English, true, Some(until)) => format!("OPEN until {until}"),
        (Language::English, true, None) => "OPEN, for more than two months".to_owned(),
        (Language::English, false, Some(until)) => format!("CLOSED until {until}"),
        (Language::English, false, None) => "CLOSED, for more than a year".to_owned(),
        (Language::French, true, Some(until)) => format!("OUVERT jusqu'au {until}"),
        (Language::French, true, None) => "OUVERT, pour plus de deux mois".to_owned(),
        (Language::French, false, Some(until)) => format!("FERMÉ jusqu'au {until}"),
        (Language::French, false, None) => "FERMÉ, pour plus d'un an".to_owned(),
    };
    let (because, colon) = match language {
        Language::English => ("rule", ":"),
        Language::French => ("règle", " :"),
    };
    text.push_str(&format!("{name}, {when}\n{told}\n{because}{colon} {rule}\n\n"));
}

fn closed(
    line: &LinePlan,
    plan: &Plan,
    opening: &Opening,
    (at, territory): (DateTime<Utc>, Territory),
    language: Language,
    text: &mut String,
) {
    let now = Now { steady: Moment::START, wall: at };
    let announcement = closed_message(line, opening, territory, now);
    let length = spoken(plan, &announcement.prompts, Duration::ZERO, text);
    let end = seconds(length * announcement.times);
    text.push_str(&match (language, announcement.times) {
        (Language::English, 1) => format!("  {end:>6} the call ends\n"),
        (Language::English, _) => format!("  {end:>6} the call ends; all of it was said twice\n"),
        (Language::French, 1) => format!("  {end:>6} l'appel se termine\n"),
        (Language::French, _) => {
            format!("  {end:>6} l'appel se termine ; tout a été dit deux fois\n")
        }
    });
}

fn open(line: &LinePlan, plan: &Plan, language: Language, text: &mut String) {
    let greeting = spoken(plan, &line.greeting, Duration::ZERO, text);
    let rings = seconds(line.ring_after.min(greeting));
    let waits = seconds(greeting);
    let words = &line.words;
    let said = |prompt: &PromptName| {
        plan.prompts.get(prompt).map_or_else(String::new, |prompt| prompt.words.clone())
    };
    let (first, danger) = (said(&words.first), said(&words.danger));
    let first_at = seconds(greeting + words.first_after);
    let danger_at = seconds(greeting + words.danger_after);
    let again: Vec<String> =
        words.again.iter().map(|prompt| format!("« {} »", said(prompt))).collect();
    let again = again.join(", ");
    let (every, nth) = (words.again_after.as_secs(), words.danger_every);
    text.push_str(&match language {
        Language::English => format!(
            "  {rings:>6} the phones of free listeners begin to ring\n\
             \x20 {waits:>6} the wait sound, until a listener picks up\n\
             \x20 {first_at:>6} « {first} »\n\
             \x20 {danger_at:>6} « {danger} »\n\
             \x20        then every {every} s, in turn: {again}; every {nth}th time what to do in danger\n"
        ),
        Language::French => format!(
            "  {rings:>6} les téléphones des écoutants libres commencent à sonner\n\
             \x20 {waits:>6} le son d'attente, jusqu'à ce qu'un écoutant décroche\n\
             \x20 {first_at:>6} « {first} »\n\
             \x20 {danger_at:>6} « {danger} »\n\
             \x20        puis toutes les {every} s, à tour de rôle : {again} ; une fois sur {nth}, que faire en cas de danger\n"
        ),
    });
}

/// Writes recordings down as sentences, each with the second it begins; returns how long they last.
fn spoken(plan: &Plan, prompts: &[PromptName], from: Duration, text: &mut String) -> Duration {
    let mut at = from;
    let mut sentence = String::new();
    let mut begun = at;
    for name in prompts {
        let Some(prompt) = plan.prompts.get(name) else {
            continue;
        };
        if sentence.is_empty() {
            begun = at;
        } else {
            sentence.push(' ');
        }
        sentence.push_str(&prompt.words);
        at += prompt.length;
        if sentence.ends_with(['.', '!', '?', '…']) {
            text.push_str(&format!("  {:>6} « {sentence} »\n", seconds(begun)));
            sentence.clear();
        }
    }
    if !sentence.is_empty() {
        text.push_str(&format!("  {:>6} « {sentence} »\n", seconds(begun)));
    }
    at - from
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

impl From<Origin> for Territory {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Elsewhere => Self::Elsewhere,
            Origin::Guadeloupe => Self::Guadeloupe,
            Origin::Guyane => Self::Guyane,
            Origin::Martinique => Self::Martinique,
            Origin::Mayotte => Self::Mayotte,
            Origin::Metropole => Self::Metropole,
            Origin::NouvelleCaledonie => Self::NouvelleCaledonie,
            Origin::Polynesie => Self::Polynesie,
            Origin::Reunion => Self::Reunion,
            Origin::SaintPierreEtMiquelon => Self::SaintPierreEtMiquelon,
            Origin::WallisEtFutuna => Self::WallisEtFutuna,
        }
    }
}
