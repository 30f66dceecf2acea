//! The answer rate, by the formulas of those who ask for it, each with its text.
//!
//! Three ways to count, because no two authorities count alike: calls picked up by a person among all that
//! came while the line was open (DITP); the same without those who hung up in the first five seconds and
//! those who were told that the line is closed or full (SNATED); and how many were picked up within twenty
//! seconds (80/20). Never by person.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::http::desk::records::{Figure, Figures};
use crate::record::{CallRecord, Outcome};

/// The twenty of "80/20".
const SOON: Duration = Duration::from_secs(20);

/// Adds up the calls of a day.
pub(super) fn of(records: &[CallRecord], since: DateTime<Utc>) -> Figures {
    let count = |is: fn(&CallRecord) -> bool| records.iter().filter(|one| is(one)).count() as u64;
    let taken = count(|one| one.outcome == Outcome::TakenByListener);
    let came_in_hours = count(|one| came_in_hours(one.outcome));
    let wanted_someone = count(|one| wanted_someone(one.outcome));
    let soon = count(|one| one.outcome == Outcome::TakenByListener && one.waited <= SOON);
    let figures = vec![
        figure(
            "decroche",
            (taken, came_in_hours),
            "Appels décrochés par un écoutant sur tous les appels reçus pendant les heures d’ouverture \
             (DITP). Le répondeur ne compte pas comme décroché.",
            "Calls picked up by a listener among all calls that came during opening hours (DITP). \
             Announcements don’t count as picked up.",
        ),
        figure(
            "snated",
            (taken, wanted_someone),
            "Appels décrochés sur les appels décrochés ou abandonnés en file ou à l’accueil ; à part : \
             raccrochés avant 5 s, dissuadés (fermé, file pleine), refusés (SNATED).",
            "Calls picked up among those picked up or given up in the queue or the greeting; apart: hung \
             up within 5 s, turned away (closed, full), refused (SNATED).",
        ),
        figure(
            "eighty_twenty",
            (soon, wanted_someone),
            "Appels décrochés en 20 s ou moins après leur arrivée, sur la même base ; l’objectif d’usage \
             est 80 %.",
            "Calls picked up within 20 s of their arrival, on the same base; the usual aim is 80 %.",
        ),
    ];
    Figures { since, calls: records.len() as u64, figures }
}

fn figure(name: &str, (counted, of): (u64, u64), french: &str, english: &str) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "a day has fewer calls than 2^52")]
    let per_cent = (of > 0).then(|| (counted as f64 * 1_000.0 / of as f64).round() / 10.0);
    Figure {
        name: name.to_owned(),
        per_cent,
        counted,
        of,
        french: french.to_owned(),
        english: english.to_owned(),
    }
}

/// The line was open for them.
fn came_in_hours(outcome: Outcome) -> bool {
    match outcome {
        Outcome::TakenByListener
        | Outcome::AbandonedInGreeting
        | Outcome::AbandonedUnder5s
        | Outcome::AbandonedInQueue
        | Outcome::Saturated
        | Outcome::NoListener
        | Outcome::DrainExpired
        | Outcome::Overload
        | Outcome::TechnicalFailure => true,
        Outcome::ClosedMessageHeard | Outcome::ClosedMessageCut | Outcome::Rejected => false,
    }
}

/// They were let in, stayed longer than a slip of the finger, and could have been served.
fn wanted_someone(outcome: Outcome) -> bool {
    match outcome {
        Outcome::TakenByListener
        | Outcome::AbandonedInGreeting
        | Outcome::AbandonedInQueue
        | Outcome::NoListener
        | Outcome::DrainExpired
        | Outcome::TechnicalFailure => true,
        Outcome::AbandonedUnder5s
        | Outcome::ClosedMessageHeard
        | Outcome::ClosedMessageCut
        | Outcome::Saturated
        | Outcome::Overload
        | Outcome::Rejected => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CallRef, Moment, Now};
    use crate::record::{Cause, Draft, Party, Q850};

    fn record(outcome: Outcome, wait: u64) -> CallRecord {
        let after = |secs| Moment::START + Duration::from_secs(secs);
        let now = Now { steady: Moment::START, wall: DateTime::UNIX_EPOCH };
        let mut draft = Draft::new(CallRef(1), "3977".parse().unwrap(), None, "v1", now);
        draft.queued(after(0));
        if outcome == Outcome::TakenByListener {
            draft.rung("lea".parse().unwrap(), after(1));
            draft.connected("lea".parse().unwrap(), after(wait));
        }
        draft.finished(outcome, Cause::new(Party::Caller, Q850::NORMAL_CLEARING), after(wait + 60))
    }

    #[test]
    fn each_formula_counts_what_its_text_says() {
        let records = [
            record(Outcome::TakenByListener, 10),
            record(Outcome::TakenByListener, 45),
            record(Outcome::AbandonedInQueue, 70),
            record(Outcome::AbandonedUnder5s, 3),
            record(Outcome::Saturated, 2),
            record(Outcome::ClosedMessageHeard, 9),
        ];

        let figures = of(&records, DateTime::UNIX_EPOCH);

        let told: Vec<_> = figures
            .figures
            .iter()
            .map(|one| (one.name.as_str(), one.counted, one.of, one.per_cent))
            .collect();
        assert_eq!(
            told,
            [
                ("decroche", 2, 5, Some(40.0)),
                ("snated", 2, 3, Some(66.7)),
                ("eighty_twenty", 1, 3, Some(33.3)),
            ]
        );
        assert_eq!(figures.calls, 6);
    }

    #[test]
    fn before_the_first_call_there_is_no_rate() {
        assert!(of(&[], DateTime::UNIX_EPOCH).figures.iter().all(|one| one.per_cent.is_none()));
    }
}
