//! The plan of a house that has none: every caller is answered, and hears that the line is closed
//! and where to turn in danger.
//!
//! Used only when neither the files on disk nor the last copy that worked can be read. It knows the
//! two numbers of the helpline, lets a call in from anywhere (whose addresses the trunk has was
//! written in the files that can't be read), rings nobody, and promises no hour. Its words are the
//! shipped recordings, if they can still be found; a caller hears silence in place of one that can't, for as
//! long as it lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Europe::Paris;

use crate::base::PromptName;
use crate::call::{LinePlan, LineWords};
use crate::config::{self, House};
use crate::exchange::{ClosedMessage, Plan, PromptPlan, Protection, TrunkPlan};
use crate::media::sound::{Recording, wav};
use crate::queue::{QueuePlan, RingStrategy};
use crate::schedule::Schedule;
use crate::sip::{Door, Setup, TrunkAccess};

/// The numbers that mean this helpline wherever it runs.
const NUMBERS: [&str; 2] = ["3977", "3133"];

/// Announcements at once: nobody stays long.
const CALLS_MAX: usize = 200;

/// Makes the plan, and finds what recordings there are.
pub(super) fn make(folder: &Path, house: &House) -> (Plan, BTreeMap<PromptName, Recording>) {
    let recordings = recordings(folder);
    let prompts = recordings
        .iter()
        .map(|(name, sound)| {
            (name.clone(), PromptPlan { words: String::new(), length: sound.duration() })
        })
        .collect();
    let numbers = NUMBERS
        .iter()
        .filter_map(|number| Some((number.parse().ok()?, number.parse().ok()?)))
        .collect();
    let lines = NUMBERS
        .iter()
        .filter_map(|number| Some((number.parse().ok()?, Arc::new(line(number)))))
        .collect();
    let anywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|range| range.parse().ok());
    let anywhere = anywhere.collect::<Vec<_>>();
    let trunk = known("anywhere");
    let plan = Plan {
        version: "safe".to_owned(),
        lines,
        numbers,
        codes: BTreeMap::new(),
        queues: BTreeMap::from([(known("nobody"), queue())]),
        listeners: BTreeMap::new(),
        trunks: BTreeMap::from([(
            trunk,
            TrunkPlan {
                closed_message: ClosedMessage::Answered,
                addresses: anywhere.clone(),
                media: anywhere.clone(),
                numbers: BTreeSet::new(),
                calls_max: None,
                protection: Protection::Never,
            },
        )]),
        prompts,
        sip: setup(house, anywhere),
        calls_max: CALLS_MAX,
        caller_calls_max: None,
        grace: Duration::from_secs(60),
    };
    (plan, recordings)
}

fn line(number: &str) -> LinePlan {
    let minute = Duration::from_secs(60);
    LinePlan {
        name: known(number),
        display: number.to_owned(),
        schedule: Schedule::closed(Paris),
        queue: known("nobody"),
        moved_to: None,
        greeting: vec![known(&format!("accueil-{number}"))],
        ring_after: Duration::from_secs(5),
        words: LineWords {
            spoken_number: known(&format!("le-{number}")),
            wait_sound: known("attente"),
            first: known("attente-1"),
            first_after: Duration::from_secs(20),
            danger: known("attente-urgence"),
            danger_after: Duration::from_secs(45),
            danger_every: 4,
            again: vec![known("attente-n-1")],
            again_after: Duration::from_secs(40),
            long_after: 5 * minute,
            long_estimate: 10 * minute,
            saturated: known("sature"),
            unavailable: known("indisponible"),
            back_in_queue: known("retour-file"),
            drain_near: known("fin-proche"),
        },
        drain: minute,
        drain_after_closure: minute,
        drain_without_listener: minute / 2,
        nobody_after: minute / 2,
        nobody_patience: minute,
        overflow: Vec::new(),
        centres: BTreeMap::new(),
        colleagues: BTreeMap::new(),
        emergency: BTreeMap::new(),
    }
}

/// Nobody is in it and nobody serves it; a line must have one.
fn queue() -> QueuePlan {
    QueuePlan {
        strategy: RingStrategy::LongestIdle,
        listeners_at_once: 1,
        ring_for: Duration::from_secs(20),
        places_max: 0,
        patience: None,
        after_call_work: Duration::ZERO,
        misses_max: 1,
        refusal_pause: Duration::from_secs(5),
    }
}

fn setup(house: &House, anywhere: Vec<crate::base::AddressRange>) -> Setup {
    let doors = house.doors.iter().map(|door| Door {
        transport: door.transport,
        local: door.listen,
        advertised: door.advertised.unwrap_or_else(|| config::reachable(door.listen.ip())),
        algorithms: door.algorithms.clone(),
    });
    Setup {
        doors: doors.collect(),
        realm: "hotline".to_owned(),
        domains: BTreeSet::new(),
        trunks: vec![TrunkAccess::delivering(known("anywhere"), anywhere)],
        accounts: BTreeMap::new(),
        numbers: BTreeSet::new(),
        callable: Default::default(),
        reserved: BTreeSet::new(),
        expiry_min: Duration::from_secs(60),
        expiry_max: Duration::from_secs(3_600),
        expiry_default: Duration::from_secs(300),
        dialogs_max: CALLS_MAX * 2,
        ..Setup::default()
    }
}

/// Every recording that can be read, where a plan usually has them.
fn recordings(folder: &Path) -> BTreeMap<PromptName, Recording> {
    let places = [
        folder.join("prompts/fr"),
        folder.join("../prompts/fr"),
        PathBuf::from("/usr/share/hotline/prompts/fr"),
    ];
    let Some(place) = places.into_iter().find(|place| place.is_dir()) else {
        return BTreeMap::new();
    };
    let Ok(entries) = fs::read_dir(place) else {
        return BTreeMap::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?.parse().ok()?;
            if path.extension()? != "wav" {
                return None;
            }
            Some((name, wav::read(&fs::read(path).ok()?).ok()?))
        })
        .collect()
}

/// A name written in this file.
fn known<N: std::str::FromStr<Err = crate::base::NotAName>>(name: &str) -> N {
    name.parse().expect("every name in this file can be one")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn both_numbers_are_answered_and_closed_for_ever() {
        let (plan, recordings) = make(Path::new("config"), &House::default());

        assert_eq!(plan.numbers.len(), 2);
        assert_eq!(plan.sip.doors.len(), 2);
        assert!(plan.listeners.is_empty() && plan.sip.accounts.is_empty());
        assert!(recordings.contains_key("danger"), "the shipped recordings are used");
        assert_eq!(plan.prompts.len(), recordings.len());
        for line in plan.lines.values() {
            assert!(!line.schedule.opening(DateTime::UNIX_EPOCH).is_open());
        }
    }

    #[test]
    fn a_house_without_even_recordings_has_a_plan() {
        let (plan, _) = make(Path::new("/nowhere/at/all"), &House::default());

        assert_eq!(plan.lines.len(), 2);
    }
}
