//! A recording made ready to be sent: 20 ms after 20 ms, in every codec we speak.
//!
//! Made once when a prompt is loaded; ten thousand callers who hear it share it. It also knows its
//! pauses, so that what plays can be ended between two sentences and not inside a word.

use std::time::Duration;

use super::judgement::QUIET;
use super::resample::resample;
use super::{Decibels, Recording, root_mean_square};
use crate::media::codec::{Codec, Encoder};

/// The sound in one packet of ours.
pub const FRAME: Duration = Duration::from_millis(20);

/// Bytes of a frame: all our codecs make 64 kbit/s.
pub const FRAME_OCTETS: usize = 160;

/// Sound, encoded whole in every codec.
pub struct Clip {
    pcma: Box<[u8]>,
    pcmu: Box<[u8]>,
    g722: Box<[u8]>,
    /// For each frame, whether what plays may end before it.
    pauses: Box<[bool]>,
}

impl Clip {
    /// Resamples and encodes a recording.
    pub fn new(recording: &Recording) -> Self {
        let narrow = padded(resample(recording, NARROW), FRAME_OCTETS);
        // Twice as many samples as the narrow one, whatever the resampler rounded to.
        let mut wide = resample(recording, WIDE).samples;
        wide.resize(narrow.len() * 2, 0);
        Self {
            pauses: pauses(&narrow),
            pcma: encoded(Codec::Pcma, &narrow),
            pcmu: encoded(Codec::Pcmu, &narrow),
            g722: encoded(Codec::G722, &wide),
        }
    }

    /// The `index`th 20 ms, or nothing past the end.
    pub fn frame(&self, codec: Codec, index: usize) -> Option<&[u8]> {
        let octets = match codec {
            Codec::Pcma => &self.pcma,
            Codec::Pcmu => &self.pcmu,
            Codec::G722 => &self.g722,
            // Made for the few who hear it, when they do.
            Codec::Opus => return None,
        };
        let from = index.checked_mul(FRAME_OCTETS)?;
        octets.get(from..from + FRAME_OCTETS)
    }

    /// How many frames it has.
    pub fn frames(&self) -> usize {
        self.pauses.len()
    }

    pub fn duration(&self) -> Duration {
        FRAME * u32::try_from(self.frames()).unwrap_or(u32::MAX)
    }

    /// Whether nothing is being said when the `index`th frame begins.
    pub fn is_pause(&self, index: usize) -> bool {
        self.pauses.get(index).copied().unwrap_or(true)
    }
}

fn padded(recording: Recording, multiple: usize) -> Vec<i16> {
    let mut samples = recording.samples;
    samples.resize(samples.len().next_multiple_of(multiple), 0);
    samples
}

fn encoded(codec: Codec, samples: &[i16]) -> Box<[u8]> {
    let octets = samples.len() / codec.samples(1);
    let mut payload = vec![0; octets];
    let written = Encoder::new(codec).encode(samples, &mut payload);
    payload.truncate(written);
    payload.into()
}

/// A pause is where a sentence ends: at least [`PAUSE_MIN`] of quiet. The first frames of it belong
/// to the word that rings out.
fn pauses(samples: &[i16]) -> Box<[bool]> {
    let levels: Vec<Decibels> = samples
        .chunks(FRAME_OCTETS)
        .map(|frame| Decibels::of_amplitude(root_mean_square(frame)))
        .collect();
    let loudest = levels.iter().fold(Decibels::SILENCE.0, |loudest, level| loudest.max(level.0));
    let quiet = (loudest - BELOW_SPEECH).clamp(QUIET.0, QUIET_MAX.0);
    let mut pauses = Vec::with_capacity(levels.len());
    for run in levels.chunk_by(|one, next| (one.0 < quiet) == (next.0 < quiet)) {
        let pause = run[0].0 < quiet && run.len() >= PAUSE_MIN;
        pauses.extend((0..run.len()).map(|at| pause && at >= RINGING_OUT));
    }
    // The very beginning is as good as a pause.
    if let Some(first) = pauses.first_mut() {
        *first = true;
    }
    pauses.into()
}

const NARROW: u32 = 8_000;
const WIDE: u32 = 16_000;

/// Frames of quiet that make a pause: 160 ms.
const PAUSE_MIN: usize = 8;

/// Frames at the head of a pause that are left to the word before it.
const RINGING_OUT: usize = 2;

/// Room noise lies so many decibels below the speaker's loudest.
const BELOW_SPEECH: f64 = 35.0;

/// Whatever the speaker's level, this is not quiet.
const QUIET_MAX: Decibels = Decibels(-40.0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::Decoder;
    use crate::media::sound::heard_tone;
    use crate::media::sound::tone::sine;

    /// A "sentence" of 400 ms, 300 ms of quiet, another sentence.
    fn two_sentences() -> Recording {
        let sentence = sine(600.0, 48_000, Duration::from_millis(400), 0.2);
        let mut samples = sentence.clone();
        samples.extend([0; 14_400]);
        samples.extend(sentence);
        Recording { rate: 48_000, samples }
    }

    #[test]
    fn a_clip_sounds_the_same_in_every_codec() {
        let clip = Clip::new(&two_sentences());

        assert_eq!(clip.duration(), Duration::from_millis(1_100));
        for codec in Codec::TELEPHONE {
            let mut decoder = Decoder::new(codec);
            let mut samples = vec![0; clip.frames() * codec.samples(FRAME_OCTETS)];
            for (index, frame) in samples.chunks_mut(codec.samples(FRAME_OCTETS)).enumerate() {
                decoder.decode(clip.frame(codec, index).unwrap(), frame);
            }
            let at = |millis: usize| millis * codec.sample_rate() as usize / 1_000;
            let tones = [300.0, 600.0, 1_200.0];
            assert_eq!(
                heard_tone(&samples[at(50)..at(350)], codec.sample_rate(), &tones),
                Some(600.0),
                "{codec:?}"
            );
            assert_eq!(
                heard_tone(&samples[at(450)..at(650)], codec.sample_rate(), &tones),
                None,
                "{codec:?}"
            );
        }
        assert_eq!(clip.frame(Codec::Pcma, clip.frames()), None);
        assert_eq!(clip.frame(Codec::Pcma, usize::MAX), None);
    }

    #[test]
    fn it_may_be_ended_between_sentences_only() {
        let clip = Clip::new(&two_sentences());

        let pauses: Vec<usize> = (1..clip.frames()).filter(|at| clip.is_pause(*at)).collect();

        assert!(!pauses.is_empty());
        // Quiet from 400 ms to 700 ms: frames 20 to 35.
        assert!(pauses.iter().all(|at| (21..36).contains(at)), "{pauses:?}");
    }
}
