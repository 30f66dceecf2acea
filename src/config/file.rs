//! The operator's files as they are written: one struct per table, in the order of the files.
//!
//! Dull and public inside `config`. Unknown keys are errors; `Spanned` values remember where they
//! stand, so that a problem of meaning can point at them. What the words mean is `link`'s business.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Value};

pub(super) type Word = Spanned<String>;
/// A table of tables by name, the place of each name kept.
pub(super) type Named<T> = BTreeMap<Word, T>;

/// `lines.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinesFile {
    pub(super) prompts: Word,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    pub(super) lines: Named<LineTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsTable {
    pub(super) calls: Option<Spanned<i64>>,
    pub(super) calls_per_caller: Option<Spanned<i64>>,
    pub(super) grace: Option<Word>,
    #[serde(default)]
    pub(super) second_node: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineTable {
    pub(super) numbers: Vec<Word>,
    pub(super) display: Option<String>,
    pub(super) calendar: Word,
    pub(super) queue: Word,
    pub(super) greeting: Spanned<OneOrMany>,
    pub(super) ring_after: Option<Word>,
    pub(super) moved_to: Option<Word>,
    pub(super) moved: Option<Word>,
    pub(super) spoken_number: Word,
    #[serde(default)]
    pub(super) waiting: WaitingTable,
    #[serde(default)]
    pub(super) closing: ClosingTable,
    #[serde(default)]
    pub(super) nobody: NobodyTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitingTable {
    pub(super) sound: Option<Word>,
    pub(super) first: Option<Word>,
    pub(super) first_after: Option<Word>,
    pub(super) danger: Option<Word>,
    pub(super) danger_after: Option<Word>,
    pub(super) danger_every: Option<Spanned<i64>>,
    pub(super) again: Option<Vec<Word>>,
    pub(super) again_after: Option<Word>,
    pub(super) long_after: Option<Word>,
    pub(super) long_estimate: Option<Word>,
    pub(super) saturated: Option<Word>,
    pub(super) back_in_queue: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClosingTable {
    pub(super) drain: Option<Word>,
    pub(super) drain_after_closure: Option<Word>,
    pub(super) drain_without_listener: Option<Word>,
    pub(super) near: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NobodyTable {
    pub(super) after: Option<Word>,
    pub(super) patience: Option<Word>,
    pub(super) unavailable: Option<Word>,
    #[serde(default)]
    pub(super) overflow: Vec<Word>,
}

/// `calendars.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarsFile {
    pub(super) calendars: Named<CalendarTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarTable {
    pub(super) zone: Word,
    pub(super) holidays: Option<Spanned<OneOrMany>>,
    pub(super) week: Option<Named<Spanned<OneOrMany>>>,
    pub(super) rule: Option<Word>,
    #[serde(default)]
    pub(super) exceptions: Vec<Spanned<ExceptionTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionTable {
    pub(super) date: Option<Spanned<Value>>,
    pub(super) from: Option<Spanned<Value>>,
    pub(super) until: Option<Spanned<Value>>,
    pub(super) hours: Option<Spanned<OneOrMany>>,
    pub(super) open: Option<bool>,
    pub(super) reason: String,
    pub(super) prompt: Option<Word>,
}

/// `queues.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueuesFile {
    pub(super) queues: Named<QueueTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueTable {
    pub(super) strategy: Option<Word>,
    pub(super) listeners_at_once: Option<Spanned<i64>>,
    pub(super) ring_for: Option<Word>,
    pub(super) places: Option<Spanned<i64>>,
    pub(super) patience: Option<Word>,
    pub(super) after_call_work: Option<Word>,
    pub(super) misses: Option<Spanned<i64>>,
    pub(super) refusal_pause: Option<Word>,
}

/// `listeners.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenersFile {
    #[serde(default)]
    pub(super) registration: RegistrationTable,
    #[serde(default)]
    pub(super) codes: CodesTable,
    pub(super) listeners: Named<ListenerTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationTable {
    pub(super) realm: Option<Word>,
    #[serde(default)]
    pub(super) domains: Vec<String>,
    pub(super) expiry_min: Option<Word>,
    pub(super) expiry_max: Option<Word>,
    pub(super) expiry_default: Option<Word>,
    pub(super) phones: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodesTable {
    pub(super) pause: Option<Word>,
    pub(super) come_back: Option<Word>,
    pub(super) end_after_call_work: Option<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenerTable {
    pub(super) name: String,
    pub(super) queues: Vec<Word>,
    pub(super) phones: Option<Spanned<i64>>,
    pub(super) code: Option<Word>,
    pub(super) algorithms: Option<Vec<Word>>,
}

/// `trunks.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrunksFile {
    #[serde(default)]
    pub(super) trunks: Named<TrunkTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrunkTable {
    pub(super) addresses: Vec<Word>,
    #[serde(default)]
    pub(super) media: Vec<Word>,
    #[serde(default)]
    pub(super) numbers: Vec<Word>,
    pub(super) calls: Option<Spanned<i64>>,
    pub(super) profile: Option<Word>,
    pub(super) server: Option<Word>,
    #[serde(default)]
    pub(super) peers: Vec<Word>,
    pub(super) keep_alive: Option<Word>,
    pub(super) domain: Option<String>,
    pub(super) presented: Option<Word>,
    pub(super) numbers_as: Option<Word>,
    pub(super) closed_message: Option<Word>,
    pub(super) protection: Option<Word>,
    pub(super) reliable: Option<bool>,
    pub(super) account: Option<AccountTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountTable {
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) register: Option<bool>,
    pub(super) expiry: Option<Word>,
}

/// `directory.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DirectoryFile {
    #[serde(default)]
    pub(super) managers: Named<ManagerTable>,
    #[serde(default)]
    pub(super) centres: Named<CentreTable>,
    #[serde(default)]
    pub(super) emergency: Named<CentreTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CentreTable {
    pub(super) number: Word,
    pub(super) code: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManagerTable {
    pub(super) number: Word,
}

/// `people.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PeopleFile {
    #[serde(default)]
    pub(super) people: Named<PersonTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonTable {
    pub(super) name: String,
    pub(super) role: Word,
}

/// `prompts.toml`, in the folder of the recordings.
pub(super) type PromptsFile = Named<PromptTable>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptTable {
    #[serde(default)]
    pub(super) words: String,
    pub(super) max: Option<Word>,
    pub(super) kind: Option<Word>,
    /// What a synthetic voice reads instead of `words`; not for us.
    #[serde(default)]
    #[expect(dead_code, reason = "belongs to prompts/make")]
    pub(super) spoken: Option<String>,
}

/// `"9h-19h"` or `["9h-13h", "14h-19h"]`.
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<Word>),
}

/// The words of one value or of a list, each with its place.
pub(super) fn words(value: &Spanned<OneOrMany>) -> Vec<Word> {
    match value.get_ref() {
        OneOrMany::One(word) => vec![Spanned::new(value.span(), word.clone())],
        OneOrMany::Many(words) => words.clone(),
    }
}

// By hand, because serde's untagged enums forget where a value stands.
impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element()? {
                    words.push(word);
                }
                Ok(OneOrMany::Many(words))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
