//! What linking a file needs: where each word stands, and a report for what is wrong with it.
//!
//! [`Linker`] reads the values that all files share (names, durations, counts, words) and gathers
//! every problem, not the first. `calendars`, `lines`, `listeners` and `queues` use it, a file each.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use toml::Spanned;

use crate::base::{NotAName, PromptName};
use crate::config::catalogue::{Kind, What};
use crate::config::file::{Named, Word};
use crate::config::guess;
use crate::config::report::{Place, Report};
use crate::config::source::Source;

/// One file while it is linked: says where a problem is, and in the report.
pub(super) struct Linker<'a> {
    source: &'a Source,
    report: &'a mut Report,
    now: DateTime<Utc>,
    /// Recordings asked for so far, and where first.
    pub(super) prompts: &'a mut BTreeMap<PromptName, Place>,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        source: &'a Source,
        report: &'a mut Report,
        now: DateTime<Utc>,
        prompts: &'a mut BTreeMap<PromptName, Place>,
    ) -> Self {
        Self { source, report, now, prompts }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub(super) fn place<T>(&self, at: &Spanned<T>) -> Place {
        self.source.place(at.span().start)
    }

    pub(super) fn problem<T>(&mut self, at: &Spanned<T>, what: What) {
        self.report.add(self.source.place(at.span().start), what);
    }

    pub(super) fn notice<T>(&mut self, at: &Spanned<T>, what: What) {
        self.report.notice(self.source.place(at.span().start), what);
    }

    pub(super) fn problem_in_file(&mut self, what: What) {
        self.report.add(Place { file: self.source.name.clone(), position: None }, what);
    }

    /// A name that can be one; a prompt's is remembered, to be looked for later.
    pub(super) fn name<N>(&mut self, kind: Kind, word: &Word) -> Option<N>
    where
        N: FromStr<Err = NotAName>,
    {
        match word.get_ref().parse::<N>() {
            Ok(name) => {
                if kind == Kind::Prompt
                    && let Ok(prompt) = word.get_ref().parse()
                {
                    let place = self.source.place(word.span().start);
                    self.prompts.entry(prompt).or_insert(place);
                }
                Some(name)
            }
            Err(why) => {
                self.problem(word, What::BadName { kind, name: word.get_ref().clone(), why });
                None
            }
        }
    }

    /// Reports a name that is not one of those written.
    pub(super) fn known<V>(&mut self, kind: Kind, word: &Word, written: &Named<V>) {
        let name = word.get_ref();
        if written.keys().all(|key| key.get_ref() != name) {
            let names = written.keys().map(|key| key.get_ref().as_str());
            let suggestion = guess::nearest(name, names).map(str::to_owned);
            self.problem(word, What::Unknown { kind, name: name.clone(), suggestion });
        }
    }

    /// A recording, or the one that is usual.
    pub(super) fn prompt(&mut self, word: Option<&Word>, usual: &str) -> Option<PromptName> {
        match word {
            Some(word) => self.name(Kind::Prompt, word),
            None => {
                let name: PromptName = usual.parse().ok()?;
                let place = Place { file: self.source.name.clone(), position: None };
                self.prompts.entry(name.clone()).or_insert(place);
                Some(name)
            }
        }
    }

    /// A duration within limits, or the usual one.
    pub(super) fn duration(
        &mut self,
        word: Option<&Word>,
        usual: Duration,
        min: Duration,
        max: Duration,
    ) -> Option<Duration> {
        let Some(word) = word else {
            return Some(usual);
        };
        let text = word.get_ref().clone();
        match duration(&text) {
            None => {
                self.problem(word, What::BadDuration { text });
                None
            }
            Some(duration) if duration < min || duration > max => {
                let (min, max) = (spelled(min), spelled(max));
                self.problem(word, What::OutOfRange { text, min, max });
                None
            }
            Some(duration) => Some(duration),
        }
    }

    /// A whole number within limits, or the usual one.
    pub(super) fn count<N>(
        &mut self,
        value: Option<&Spanned<i64>>,
        usual: N,
        min: i64,
        max: i64,
    ) -> Option<N>
    where
        N: TryFrom<i64>,
    {
        let Some(value) = value else {
            return Some(usual);
        };
        let count = *value.get_ref();
        if count < min || count > max {
            let text = count.to_string();
            self.problem(
                value,
                What::OutOfRange { text, min: min.to_string(), max: max.to_string() },
            );
            return None;
        }
        N::try_from(count).ok()
    }

    /// One of a few words.
    pub(super) fn word<V: Clone>(
        &mut self,
        word: Option<&Word>,
        usual: V,
        allowed: &'static [&'static str],
        values: &[V],
    ) -> Option<V> {
        let Some(word) = word else {
            return Some(usual);
        };
        let text = word.get_ref();
        let found = allowed.iter().position(|allowed| allowed == text);
        if found.is_none() {
            self.problem(word, What::UnknownWord { text: text.clone(), allowed });
        }
        found.and_then(|place| values.get(place).cloned())
    }
}

/// Durations as people write them: `500ms`, `20s`, `10m`, `2h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let millis = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    count.checked_mul(millis).map(Duration::from_millis)
}

/// A duration in the operator's spelling.
pub(crate) fn spelled(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(super) fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_spelled() {
        for (text, millis) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("10m", 600_000),
            ("5 min", 300_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "20", "s", "-1s", "1.5s", "2 days", "99999999999999999999h", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(spelled(seconds(90)), "90s");
        assert_eq!(spelled(hours(2)), "2h");
    }
}
