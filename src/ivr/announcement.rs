//! Announcements: recordings, days and hours put into spoken order (domain.md §1.7).
//!
//! No sentence with an hour in it is recorded whole: the hour always comes from the schedule, so
//! what is said can't contradict what is done. Where to turn in danger comes before anything long.

use serde::{Deserialize, Serialize};

use crate::base::{PromptName, SpokenTime, Territory};
use crate::ivr::fragments::{self, name};

/// Recordings in the order they are played.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Announcement {
    /// One pass.
    pub prompts: Vec<PromptName>,
    /// How many times the whole is said.
    pub times: u32,
}

/// What kind of closing is to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed<'a> {
    /// The night, or a day without hours.
    OutOfHours,
    /// Between two intervals of the same day.
    Break,
    /// A public holiday: the day of reopening is said in full, because "tomorrow" may be one too.
    Holiday,
    /// An exception or the operator's switch, with a recording of its own if there is one.
    Exceptional(Option<&'a PromptName>),
}

/// What callers of a closed line hear: `ferme`, `ferme-pause` or `ferme-exceptionnel`.
///
/// `number` is the line's number in words. Without a time to reopen (none within a year), no time
/// is promised. A recording chosen by the operator comes after the words for danger, however long
/// it is.
pub fn closed(
    closed: Closed<'_>,
    number: &PromptName,
    reopens: Option<SpokenTime>,
) -> Announcement {
    let mut said = vec![name(fragments::HELLO_HERE), number.clone()];
    match (closed, reopens) {
        (Closed::Break, Some(reopens)) => {
            said.push(name(fragments::LISTENERS_RESUME));
            said.extend(fragments::at(fragments::not_before(reopens.then)));
            said.push(name(fragments::clock(reopens.clock)));
            said.push(name(fragments::DANGER));
            return Announcement { prompts: said, times: 1 };
        }
        (Closed::Break | Closed::OutOfHours | Closed::Holiday, _) => {
            said.push(name(fragments::LISTENERS_AWAY));
            said.push(name(fragments::DANGER));
        }
        (Closed::Exceptional(recording), _) => {
            said.push(name(fragments::EXCEPTIONALLY_CLOSED));
            said.push(name(fragments::DANGER));
            said.extend(recording.cloned());
        }
    }
    if let Some(reopens) = reopens {
        said.push(name(fragments::WE_ANSWER_AGAIN));
        said.extend(reopening(reopens, closed == Closed::Holiday));
    }
    said.push(name(fragments::OTHER_NUMBERS));
    Announcement { prompts: said, times: 2 }
}

/// What those still waiting hear when nobody serves them any more: `fin-drain`.
pub fn drained(reopens: Option<SpokenTime>) -> Announcement {
    let mut said = vec![name(fragments::DRAINED)];
    if let Some(reopens) = reopens {
        said.push(name(fragments::CALL_AGAIN));
        said.extend(reopening(reopens, false));
    }
    said.push(name(fragments::DANGER));
    once(said)
}

/// What a caller hears who will probably not be served before closing: `attente-fin-de-journee`.
pub fn closing_soon(closes: SpokenTime, reopens: Option<SpokenTime>) -> Announcement {
    let mut said = vec![name(fragments::WE_CLOSE)];
    said.extend(fragments::at(fragments::not_after(closes.then)));
    said.push(name(fragments::MANY_WAIT));
    match reopens {
        Some(reopens) => said.extend(reopening(reopens, false)),
        None => said.push(name(fragments::LATER)),
    }
    once(said)
}

/// What a manager hears on their own telephone: "a call for 31 33, press 1 to take it". `number` is the
/// number in words.
pub fn a_call_for(number: &PromptName) -> Vec<PromptName> {
    vec![name(fragments::A_CALL_FOR), number.clone(), name(fragments::PRESS_ONE)]
}

/// What a caller hears when the wait is long: `attente-longue`, with the closing time if the line
/// closes today.
pub fn long_wait(closes: Option<SpokenTime>) -> Announcement {
    let mut said = vec![name(fragments::LONG_WAIT)];
    let today = closes.filter(|closes| {
        let last = closes.then - chrono::TimeDelta::nanoseconds(1);
        last.date() == closes.now.date()
    });
    if let Some(closes) = today {
        said.push(name(fragments::WE_ARE_OPEN));
        said.extend(fragments::until(fragments::not_after(closes.then)));
        if closes.clock != Territory::Metropole {
            said.push(name(fragments::clock(closes.clock)));
        }
    }
    once(said)
}

/// "demain à 9 heures, heure de Paris".
fn reopening(reopens: SpokenTime, in_full: bool) -> Vec<PromptName> {
    let then = fragments::not_before(reopens.then);
    let mut said = fragments::day(reopens.now, then, in_full);
    said.extend(fragments::at(then));
    said.push(name(fragments::clock(reopens.clock)));
    said
}

fn once(prompts: Vec<PromptName>) -> Announcement {
    Announcement { prompts, times: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_message_says_when_the_line_opens_and_where_to_turn_before_that() {
        for (now, then, words) in [
            ("2026-11-22T08:59:59", "2026-11-22T09:00:00", "aujourdhui a-9h heure-de-paris"),
            ("2026-11-22T20:00:00", "2026-11-23T09:30:00", "demain a-9h minute-30 heure-de-paris"),
            ("2026-11-20T20:00:00", "2026-11-23T09:00:00", "lundi a-9h heure-de-paris"),
            (
                "2026-11-16T20:00:00",
                "2026-12-01T12:00:00",
                "mardi jour-1 mois-12 a-12h heure-de-paris",
            ),
        ] {
            let said = closed(Closed::OutOfHours, &line(), Some(time(now, then)));

            assert_eq!(
                spoken(&said),
                format!(
                    "bonjour-ici le-3977 ecoutants-absents danger nous-repondons {words} autres-numeros"
                )
            );
            assert_eq!(said.times, 2);
        }
    }

    #[test]
    fn the_weekend_break_has_its_own_message_on_the_callers_own_clock() {
        let mut reopens = time("2026-11-21T16:30:00", "2026-11-21T17:00:00");
        reopens.clock = Territory::Reunion;
        let said = closed(Closed::Break, &line(), Some(reopens));

        assert_eq!(
            spoken(&said),
            "bonjour-ici le-3977 ecoutants-reprennent a-17h heure-de-la-reunion danger"
        );
    }

    #[test]
    fn after_a_holiday_the_day_is_said_in_full() {
        let reopens = time("2026-11-01T10:00:00", "2026-11-02T09:00:00");
        let said = closed(Closed::Holiday, &line(), Some(reopens));

        assert!(spoken(&said).contains("nous-repondons lundi jour-2 mois-11 a-9h"));
    }

    #[test]
    fn an_operators_own_recording_never_delays_the_words_for_danger() {
        let recording = "evacuation".parse().unwrap();
        let reopens = time("2026-11-23T15:10:00", "2026-11-23T17:00:00");
        let said = closed(Closed::Exceptional(Some(&recording)), &line(), Some(reopens));

        assert_eq!(
            spoken(&said),
            "bonjour-ici le-3977 fermee-exceptionnellement danger evacuation nous-repondons \
             aujourdhui a-17h heure-de-paris autres-numeros"
        );
    }

    #[test]
    fn without_a_reopening_no_time_is_promised() {
        let said = closed(Closed::OutOfHours, &line(), None);
        assert_eq!(spoken(&said), "bonjour-ici le-3977 ecoutants-absents danger autres-numeros");
        assert_eq!(spoken(&drained(None)), "fin-drain danger");
    }

    #[test]
    fn those_who_were_not_served_are_told_when_to_call_again() {
        let reopens = time("2026-11-23T19:15:00", "2026-11-24T09:00:00");
        assert_eq!(
            spoken(&drained(Some(reopens))),
            "fin-drain rappelez-nous demain a-9h heure-de-paris danger"
        );
        let closes = time("2026-11-23T18:55:00", "2026-11-23T19:00:00");
        assert_eq!(
            spoken(&closing_soon(closes, Some(reopens))),
            "nous-fermons a-19h attente-fin-de-journee demain a-9h heure-de-paris"
        );
        assert_eq!(
            spoken(&long_wait(Some(closes))),
            "attente-longue nous-sommes-ouverts jusqua-19h"
        );
        assert_eq!(spoken(&long_wait(Some(reopens))), "attente-longue");
    }

    fn line() -> PromptName {
        "le-3977".parse().unwrap()
    }

    fn time(now: &str, then: &str) -> SpokenTime {
        SpokenTime {
            now: now.parse().unwrap(),
            then: then.parse().unwrap(),
            clock: Territory::Metropole,
        }
    }

    fn spoken(said: &Announcement) -> String {
        said.prompts.iter().map(PromptName::as_str).collect::<Vec<_>>().join(" ")
    }
}
