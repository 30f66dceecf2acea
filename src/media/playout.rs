//! Something playing to one party: recordings one after the other, or a tone.
//!
//! Knows what comes next and when it is over. Which clip is meant stays written by name, so that a
//! playout can be put down in a snapshot and taken up again with the library at hand.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::codec::Codec;
use super::library::Library;
use super::sound::Clip;
use super::{PlayRef, Repeat, Tone};
use crate::base::{Moment, PromptName};

/// What plays, and how far it has come.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Playout {
    programme: Programme,
    /// Which clip, and which frame of it, comes next.
    clip: usize,
    frame: usize,
    concluding: Option<Moment>,
    #[serde(skip)]
    clips: Vec<Arc<Clip>>,
}

#[derive(Clone, Deserialize, Serialize)]
enum Programme {
    Prompts { play: PlayRef, prompts: Vec<PromptName>, repeat: Repeat },
    Tone(Tone),
}

/// What comes next.
pub(super) enum Step<'a> {
    Frame(&'a [u8]),
    Over { play: PlayRef, cut: bool },
}

impl Playout {
    /// Prompts the library doesn't hold are passed over. `None` if nothing is left to be heard.
    pub(super) fn of_prompts(
        library: &Library,
        play: PlayRef,
        prompts: Vec<PromptName>,
        repeat: Repeat,
    ) -> Option<Self> {
        let playout = Self::new(library, Programme::Prompts { play, prompts, repeat });
        (!playout.clips.is_empty()).then_some(playout)
    }

    pub(super) fn of_tone(library: &Library, tone: Tone) -> Self {
        Self::new(library, Programme::Tone(tone))
    }

    fn new(library: &Library, programme: Programme) -> Self {
        let mut playout = Self { programme, clip: 0, frame: 0, concluding: None, clips: vec![] };
        playout.find_clips(library);
        playout
    }

    /// After a snapshot was taken up: finds the clips again. A clip that changed meanwhile goes on
    /// at the same place, or is over if it is shorter now.
    pub(super) fn find_clips(&mut self, library: &Library) {
        self.clips = match &self.programme {
            Programme::Prompts { prompts, .. } => prompts
                .iter()
                .filter_map(|name| library.prompt(name))
                .filter(|clip| clip.frames() > 0)
                .cloned()
                .collect(),
            Programme::Tone(tone) => vec![Arc::clone(library.tone(*tone))],
        };
    }

    /// What plays for ever, from its beginning; else which it is, for somebody waits for its end.
    pub(super) fn again(mut self) -> Result<Self, PlayRef> {
        match self.programme {
            Programme::Prompts { play, repeat: Repeat::Once, .. } => Err(play),
            Programme::Prompts { repeat: Repeat::Forever, .. } | Programme::Tone(_) => {
                (self.clip, self.frame) = (0, 0);
                Ok(self)
            }
        }
    }

    /// Ends at the next pause. A tone has none and goes on.
    pub(super) fn conclude(&mut self, now: Moment) {
        if matches!(self.programme, Programme::Prompts { .. }) && self.concluding.is_none() {
            self.concluding = Some(now);
        }
    }

    /// The next 20 ms.
    pub(super) fn next(&mut self, codec: Codec, now: Moment) -> Step<'_> {
        if self.may_end_here(now)
            && let Programme::Prompts { play, .. } = self.programme
        {
            return Step::Over { play, cut: true };
        }
        if self.clips.get(self.clip).is_none_or(|clip| self.frame >= clip.frames()) {
            self.clip += 1;
            self.frame = 0;
            if self.clip >= self.clips.len() {
                match self.programme {
                    Programme::Prompts { play, repeat: Repeat::Once, .. } => {
                        return Step::Over { play, cut: false };
                    }
                    Programme::Prompts { repeat: Repeat::Forever, .. } | Programme::Tone(_) => {
                        self.clip = 0;
                    }
                }
            }
        }
        let frame = self.frame;
        self.frame += 1;
        let octets = self.clips.get(self.clip).and_then(|clip| clip.frame(codec, frame));
        Step::Frame(octets.unwrap_or(&[]))
    }

    fn may_end_here(&self, now: Moment) -> bool {
        let Some(since) = self.concluding else {
            return false;
        };
        now - since >= CONCLUDE_MAX
            || self.clips.get(self.clip).is_none_or(|clip| clip.is_pause(self.frame))
    }
}

/// A speaker who makes no pause is cut off.
const CONCLUDE_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sound::Recording;
    use crate::media::sound::tone::sine;

    fn name(name: &str) -> PromptName {
        name.parse().unwrap()
    }

    /// `word` is 100 ms, `speech` 10 s without a pause.
    fn library() -> Library {
        let tone = |millis| Recording {
            rate: 16_000,
            samples: sine(500.0, 16_000, Duration::from_millis(millis), 0.3),
        };
        Library::new([(name("word"), &tone(100)), (name("speech"), &tone(10_000))])
    }

    /// Plays until it is over: how long it took, and whether it was cut.
    fn played(playout: &mut Playout, from: Moment, most: usize) -> Option<(usize, bool)> {
        (0..most).find_map(|tick| {
            let now = from + Duration::from_millis(20 * tick as u64);
            match playout.next(Codec::Pcma, now) {
                Step::Frame(octets) => {
                    assert_eq!(octets.len(), 160);
                    None
                }
                Step::Over { cut, .. } => Some((tick, cut)),
            }
        })
    }

    #[test]
    fn prompts_play_one_after_the_other_and_unknown_ones_are_passed_over() {
        let prompts = vec![name("word"), name("lost"), name("word")];
        let library = library();
        let mut playout = Playout::of_prompts(&library, PlayRef(1), prompts, Repeat::Once).unwrap();

        assert_eq!(played(&mut playout, Moment::START, 100), Some((10, false)));
    }

    #[test]
    fn music_begins_again_for_ever() {
        let library = library();
        let mut playout =
            Playout::of_prompts(&library, PlayRef(1), vec![name("word")], Repeat::Forever).unwrap();

        assert_eq!(played(&mut playout, Moment::START, 1_000), None);
    }

    #[test]
    fn nothing_to_play_is_no_playout() {
        let nothing =
            Playout::of_prompts(&library(), PlayRef(1), vec![name("lost")], Repeat::Forever);

        assert!(nothing.is_none());
    }

    #[test]
    fn it_concludes_at_the_end_of_a_prompt_or_after_three_seconds() {
        let library = library();
        let words = vec![name("word"); 50];
        let mut playout = Playout::of_prompts(&library, PlayRef(1), words, Repeat::Once).unwrap();
        assert_eq!(played(&mut playout, Moment::START, 7), None);
        playout.conclude(Moment::START);
        assert_eq!(played(&mut playout, Moment::START, 100), Some((3, true)));

        let speech = vec![name("speech")];
        let mut playout = Playout::of_prompts(&library, PlayRef(2), speech, Repeat::Once).unwrap();
        assert_eq!(played(&mut playout, Moment::START, 5), None);
        playout.conclude(Moment::START);
        assert_eq!(played(&mut playout, Moment::START, 1_000), Some((150, true)));
    }
}
