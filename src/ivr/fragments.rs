//! The recordings announcements are put together from, by name.
//!
//! Only names are here; the words are in `prompts/prompts.toml`, and a test holds the two together.
//! Recordings a line chooses for itself (greeting, wait sound) are named in the plan instead.

use chrono::{Datelike, NaiveDateTime, TimeDelta, Timelike, Weekday};

use crate::base::{PromptName, Territory};

pub(super) const HELLO_HERE: &str = "bonjour-ici";
pub(super) const LISTENERS_AWAY: &str = "ecoutants-absents";
pub(super) const LISTENERS_RESUME: &str = "ecoutants-reprennent";
pub(super) const EXCEPTIONALLY_CLOSED: &str = "fermee-exceptionnellement";
pub(super) const DANGER: &str = "danger";
pub(super) const WE_ANSWER_AGAIN: &str = "nous-repondons";
pub(super) const OTHER_NUMBERS: &str = "autres-numeros";
pub(super) const WE_CLOSE: &str = "nous-fermons";
pub(super) const MANY_WAIT: &str = "attente-fin-de-journee";
pub(super) const LATER: &str = "plus-tard";
pub(super) const DRAINED: &str = "fin-drain";
pub(super) const CALL_AGAIN: &str = "rappelez-nous";
pub(super) const LONG_WAIT: &str = "attente-longue";
pub(super) const WE_ARE_OPEN: &str = "nous-sommes-ouverts";
const TODAY: &str = "aujourdhui";
const TOMORROW: &str = "demain";

/// Confirms to a listener that they are paused.
pub const PAUSED: &str = "pause-oui";
/// Confirms to a listener that they may be rung again.
pub const BACK: &str = "pause-non";
/// Confirms to a listener that after-call work is over.
pub const NOTES_DONE: &str = "fin-post-appel";
/// Tells somebody who is no listener that the code is not for them.
pub const NOT_A_LISTENER: &str = "compte-inconnu";

pub(super) const A_CALL_FOR: &str = "appel-pour";
pub(super) const PRESS_ONE: &str = "tapez-1";

/// Every recording an announcement may ask for; `config` sees to it that each is there.
pub fn every() -> Vec<PromptName> {
    let fixed = [
        HELLO_HERE,
        LISTENERS_AWAY,
        LISTENERS_RESUME,
        EXCEPTIONALLY_CLOSED,
        DANGER,
        WE_ANSWER_AGAIN,
        OTHER_NUMBERS,
        WE_CLOSE,
        MANY_WAIT,
        LATER,
        DRAINED,
        CALL_AGAIN,
        LONG_WAIT,
        WE_ARE_OPEN,
        TODAY,
        TOMORROW,
        PAUSED,
        BACK,
        NOTES_DONE,
        NOT_A_LISTENER,
        A_CALL_FOR,
        PRESS_ONE,
    ];
    let days = WEEK.into_iter().map(|day| name(weekday(day)));
    let counted = |prefix: &'static str, from, to, step| {
        (from..=to).step_by(step).map(move |n: u32| numbered(prefix, n))
    };
    fixed
        .into_iter()
        .map(name)
        .chain(days)
        .chain(counted("jour-", 1, 31, 1))
        .chain(counted("mois-", 1, 12, 1))
        .chain((0..24).map(|hour| at_hour("a-", hour)))
        .chain((0..24).map(|hour| at_hour("jusqua-", hour)))
        .chain(counted("minute-", MINUTES, 60 - MINUTES, MINUTES as usize))
        .chain(TERRITORIES.into_iter().map(|territory| name(clock(territory))))
        .collect()
}

/// A recording by one of the names above.
pub fn name(name: &str) -> PromptName {
    name.parse().expect("the names in this file are names")
}

/// "aujourd'hui", "demain", "lundi", and from a week on, or if `in_full`, "lundi 2 novembre".
pub(super) fn day(now: NaiveDateTime, then: NaiveDateTime, in_full: bool) -> Vec<PromptName> {
    let date = then.date();
    let days = date.signed_duration_since(now.date()).num_days();
    match days {
        0 => vec![name(TODAY)],
        1 if !in_full => vec![name(TOMORROW)],
        2..=6 if !in_full => vec![name(weekday(date.weekday()))],
        _ => vec![
            name(weekday(date.weekday())),
            numbered("jour-", date.day()),
            numbered("mois-", date.month()),
        ],
    }
}

/// "à 9 heures", "à 9 heures 30".
pub(super) fn at(then: NaiveDateTime) -> Vec<PromptName> {
    hour("a-", then)
}

/// "jusqu'à 19 heures".
pub(super) fn until(then: NaiveDateTime) -> Vec<PromptName> {
    hour("jusqua-", then)
}

/// "heure de Paris".
pub(super) fn clock(territory: Territory) -> &'static str {
    match territory {
        Territory::Elsewhere | Territory::Metropole => "heure-de-paris",
        Territory::Guadeloupe => "heure-de-guadeloupe",
        Territory::Guyane => "heure-de-guyane",
        Territory::Martinique => "heure-de-martinique",
        Territory::Mayotte => "heure-de-mayotte",
        Territory::NouvelleCaledonie => "heure-de-nouvelle-caledonie",
        Territory::Polynesie => "heure-de-tahiti",
        Territory::Reunion => "heure-de-la-reunion",
        Territory::SaintPierreEtMiquelon => "heure-de-saint-pierre",
        Territory::WallisEtFutuna => "heure-de-wallis",
    }
}

/// The next time that can be said: nobody is sent to a door that is still shut.
pub(super) fn not_before(then: NaiveDateTime) -> NaiveDateTime {
    let earlier = not_after(then);
    if earlier == then { then } else { earlier + TimeDelta::minutes(MINUTES.into()) }
}

/// The last time that can be said: nobody is told of hours that don't exist.
pub(super) fn not_after(then: NaiveDateTime) -> NaiveDateTime {
    let excess = then.minute() % MINUTES * 60 + then.second();
    then - TimeDelta::seconds(excess.into()) - TimeDelta::nanoseconds(then.nanosecond().into())
}

/// Times are said to this many minutes.
const MINUTES: u32 = 5;

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

const TERRITORIES: [Territory; 10] = [
    Territory::Guadeloupe,
    Territory::Guyane,
    Territory::Martinique,
    Territory::Mayotte,
    Territory::Metropole,
    Territory::NouvelleCaledonie,
    Territory::Polynesie,
    Territory::Reunion,
    Territory::SaintPierreEtMiquelon,
    Territory::WallisEtFutuna,
];

fn hour(prefix: &str, then: NaiveDateTime) -> Vec<PromptName> {
    let mut said = vec![at_hour(prefix, then.hour())];
    if then.minute() > 0 {
        said.push(numbered("minute-", then.minute()));
    }
    said
}

fn at_hour(prefix: &str, hour: u32) -> PromptName {
    name(&format!("{prefix}{hour}h"))
}

fn numbered(prefix: &str, number: u32) -> PromptName {
    name(&format!("{prefix}{number}"))
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "lundi",
        Weekday::Tue => "mardi",
        Weekday::Wed => "mercredi",
        Weekday::Thu => "jeudi",
        Weekday::Fri => "vendredi",
        Weekday::Sat => "samedi",
        Weekday::Sun => "dimanche",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fragment_has_words_in_the_shipped_prompts() {
        let words = include_str!("../../prompts/prompts.toml");
        for prompt in every() {
            assert!(words.contains(&format!("\n[{prompt}]\n")), "{prompt} has no words");
        }
    }

    #[test]
    fn a_time_between_two_that_can_be_said_is_moved_to_the_kind_side() {
        let then: NaiveDateTime = "2026-11-23T23:57:01".parse().unwrap();

        assert_eq!(not_before(then).to_string(), "2026-11-24 00:00:00");
        assert_eq!(not_after(then).to_string(), "2026-11-23 23:55:00");
        let nine: NaiveDateTime = "2026-11-23T09:00:00".parse().unwrap();
        assert_eq!(not_before(nine), nine);
        assert_eq!(not_after(nine), nine);
    }
}
