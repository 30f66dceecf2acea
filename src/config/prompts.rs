//! Reads and judges the recordings (domain.md §1.7): format, length, level, clipping, silence.
//!
//! What can't be played, or keeps callers longer than it may, is a problem. What is too soft, too
//! loud or begins too late is a notice: a line must not close because somebody stood too far from
//! the microphone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::PromptName;
use crate::config::catalogue::{Kind, What};
use crate::config::file::{PromptTable, PromptsFile, Word};
use crate::config::guess;
use crate::config::link::{Linker, duration};
use crate::config::report::{Place, Report};
use crate::config::source::Source;
use crate::exchange::PromptPlan;
use crate::media::sound::{Decibels, Judgement, Recording, judge, wav};

/// The words, in the folder of the recordings.
pub(super) const FILE: &str = "prompts.toml";

/// The recordings' own folder, by language.
pub(super) const LANGUAGE: &str = "fr";

/// Everything that can be played.
#[derive(Default)]
pub(super) struct Library {
    pub(super) prompts: BTreeMap<PromptName, PromptPlan>,
    pub(super) recordings: BTreeMap<PromptName, Recording>,
    /// The files that were read, and their bytes' digests, in order.
    pub(super) files: Vec<(PathBuf, Vec<u8>)>,
}

/// Reads every recording the words name; `asked` are those the plan plays, and where it says so.
pub(super) fn library(
    folder: &Path,
    asked: &BTreeMap<PromptName, Place>,
    source: &Source,
    report: &mut Report,
) -> Option<Library> {
    let file: PromptsFile = source.table(report)?;
    let mut library = Library::default();
    for (key, table) in &file {
        let mut asked_here = BTreeMap::new();
        let mut linker = Linker::new(source, report, chrono::DateTime::UNIX_EPOCH, &mut asked_here);
        let Some(name) = linker.name::<PromptName>(Kind::Prompt, key) else {
            continue;
        };
        let Some((kind, max)) = shape(table, key, &mut linker) else {
            continue;
        };
        let is_asked = asked.contains_key(&name);
        if kind == Said::Sentence && is_asked && names_an_hour(&table.words) {
            linker.notice(key, What::FixedHour { words: table.words.clone() });
        }
        let path = folder.join(LANGUAGE).join(format!("{name}.wav"));
        let place = Place { file: path.display().to_string(), position: None };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) => {
                let what = if e.kind() == std::io::ErrorKind::NotFound {
                    What::PromptFileMissing { path: place.file }
                } else {
                    What::FileUnreadable { why: e.to_string() }
                };
                if is_asked {
                    linker.problem(key, what);
                } else {
                    linker.notice(key, what);
                }
                continue;
            }
        };
        match wav::read(&bytes) {
            Ok(recording) => {
                let judgement = judge(&recording);
                judged(&judgement, kind, max, &place, report);
                let length = judgement.duration;
                let words = table.words.clone();
                library.prompts.insert(name.clone(), PromptPlan { words, length });
                library.recordings.insert(name, recording);
            }
            Err(why) => report.add(place, What::PromptUnusable { why }),
        }
        library.files.push((path, bytes));
    }
    for (name, place) in asked {
        let known = file.keys().any(|key| key.get_ref() == name.as_str());
        if !known {
            let names = file.keys().map(|key| key.get_ref().as_str());
            let suggestion = guess::nearest(name.as_str(), names).map(str::to_owned);
            let name = name.to_string();
            report.add(place.clone(), What::Unknown { kind: Kind::Prompt, name, suggestion });
        }
    }
    Some(library)
}

/// How a recording is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Sentence,
    Fragment,
    Sound,
}

fn shape(
    table: &PromptTable,
    key: &Word,
    linker: &mut Linker<'_>,
) -> Option<(Said, Option<Duration>)> {
    let kinds = [Said::Sentence, Said::Fragment, Said::Sound];
    let kind = linker.word(table.kind.as_ref(), Said::Sentence, KINDS, &kinds)?;
    if kind != Said::Sound && table.words.trim().is_empty() {
        linker.problem(key, What::PromptWithoutWords);
    }
    let max = match &table.max {
        None => None,
        Some(word) => match duration(word.get_ref()) {
            Some(max) => Some(max),
            None => {
                linker.problem(word, What::BadDuration { text: word.get_ref().clone() });
                return None;
            }
        },
    };
    Some((kind, max))
}

const KINDS: &[&str] = &["sentence", "fragment", "sound"];

fn judged(
    judgement: &Judgement,
    kind: Said,
    max: Option<Duration>,
    place: &Place,
    report: &mut Report,
) {
    if let Some(max) = max.filter(|max| judgement.duration > *max) {
        report.add(place.clone(), What::PromptTooLong { length: judgement.duration, max });
    }
    let wanted = if kind == Said::Sound { LEVEL_OF_SOUND } else { LEVEL };
    if (judgement.level.0 - wanted.0).abs() > LEVEL_MARGIN {
        let level = judgement.level;
        report.notice(place.clone(), What::PromptLevel { level, wanted });
    }
    if judgement.clipped > 0 {
        report.notice(place.clone(), What::PromptClipped { times: judgement.clipped });
    } else if judgement.peak.0 > PEAK_MAX {
        report.notice(place.clone(), What::PromptPeak { peak: judgement.peak });
    }
    let (min, max) = match kind {
        Said::Sentence => (LEAD_MIN, LEAD_MAX),
        Said::Fragment => (Duration::ZERO, LEAD_OF_FRAGMENT_MAX),
        Said::Sound => (Duration::ZERO, Duration::MAX),
    };
    let lead = judgement.leading_silence;
    if lead < min || lead > max {
        report.notice(place.clone(), What::PromptLead { lead, min, max });
    }
}

/// Whether the words name a time of day: "9 heures", "19h30".
fn names_an_hour(words: &str) -> bool {
    words.match_indices(|c: char| c.is_ascii_digit()).any(|(at, digit)| {
        let rest = words[at + digit.len()..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
        let Some(after) = rest.strip_prefix('h') else {
            return false;
        };
        after.starts_with("eure") || !after.starts_with(|c: char| c.is_alphabetic())
    })
}

const LEVEL: Decibels = Decibels(-20.0);
const LEVEL_OF_SOUND: Decibels = Decibels(-26.0);
const LEVEL_MARGIN: f64 = 6.0;
const PEAK_MAX: f64 = -1.0;
/// Voice paths swallow the first 200 ms of a call.
const LEAD_MIN: Duration = Duration::from_millis(200);
const LEAD_MAX: Duration = Duration::from_millis(600);
const LEAD_OF_FRAGMENT_MAX: Duration = Duration::from_millis(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_in_a_sentence_is_noticed() {
        for words in ["ouvert jusqu'à 19 heures", "dès 9h", "de 9h30 à midi", "à 9\u{a0}heures."]
        {
            assert!(names_an_hour(words), "{words}");
        }
        for words in ["le 39 77", "le 17, le 15 ou le 112", "dans 5 hôpitaux", "", "9"] {
            assert!(!names_an_hour(words), "{words}");
        }
    }
}
