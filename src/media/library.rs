//! Everything that can be played: prompts by name, and the tones of the network.
//!
//! Immutable; a new plan brings a new library, and what plays from the old one plays on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Tone;
use super::sound::{Clip, Recording, tone};
use crate::base::PromptName;

/// Clips by name.
pub struct Library {
    prompts: BTreeMap<PromptName, Arc<Clip>>,
    /// What is said in them.
    words: BTreeMap<PromptName, String>,
    ringback: Arc<Clip>,
    busy: Arc<Clip>,
}

impl Library {
    /// Encodes these recordings, which takes a while: about a millisecond per second of sound.
    pub fn new<'a>(recordings: impl IntoIterator<Item = (PromptName, &'a Recording)>) -> Self {
        let prompts = recordings
            .into_iter()
            .map(|(name, recording)| (name, Arc::new(Clip::new(recording))))
            .collect();
        Self::of_clips(prompts)
    }

    /// A library of clips made before, so that a new plan need not encode again what didn't change.
    pub fn of_clips(prompts: BTreeMap<PromptName, Arc<Clip>>) -> Self {
        let tone = |tone| Arc::new(Clip::new(&tone::cadence(tone, TONE_RATE)));
        Self {
            prompts,
            words: BTreeMap::new(),
            ringback: tone(Tone::Ringback),
            busy: tone(Tone::Busy),
        }
    }

    /// The same library, which knows what is said in its prompts, for those who read.
    #[must_use]
    pub fn with_words(self, words: impl IntoIterator<Item = (PromptName, String)>) -> Self {
        Self { words: words.into_iter().collect(), ..self }
    }

    /// What is said in these prompts, as one piece of text.
    pub fn words(&self, prompts: &[PromptName]) -> String {
        let words: Vec<&str> = prompts
            .iter()
            .filter_map(|name| self.words.get(name))
            .map(|words| words.trim())
            .filter(|words| !words.is_empty())
            .collect();
        words.join(" ")
    }

    pub fn prompt(&self, name: &PromptName) -> Option<&Arc<Clip>> {
        self.prompts.get(name)
    }

    pub fn tone(&self, tone: Tone) -> &Arc<Clip> {
        match tone {
            Tone::Ringback => &self.ringback,
            Tone::Busy => &self.busy,
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.prompts.keys()).finish()
    }
}

const TONE_RATE: u32 = 16_000;
