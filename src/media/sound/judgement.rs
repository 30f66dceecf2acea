//! Judges a recording: is it loud enough, clean, and does it begin and end as a prompt should?
//!
//! Says what is; what is good enough is for `check` to say (domain.md §1.7: −20 dBFS RMS, −3 dBFS
//! peak, 300 ms of silence first, because voice paths clip the first 200 ms).

use std::time::Duration;

use super::{Decibels, FULL_SCALE, Recording, root_mean_square, samples_last};

/// What a recording is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    pub duration: Duration,
    /// The loudest sample, relative to full scale.
    pub peak: Decibels,
    /// The level of what is not silence, relative to full scale.
    pub level: Decibels,
    /// How often three samples or more in a row stand at full scale.
    pub clipped: usize,
    pub leading_silence: Duration,
    pub trailing_silence: Duration,
}

/// Judges a recording.
pub fn judge(recording: &Recording) -> Judgement {
    let Recording { rate, samples } = recording;
    let block = (*rate as usize / BLOCKS_A_SECOND).max(1);
    let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    let loud: Vec<bool> = samples
        .chunks(block)
        .map(|block| Decibels::of_amplitude(root_mean_square(block)) > QUIET)
        .collect();
    let first = loud.iter().position(|loud| *loud);
    let last = loud.iter().rposition(|loud| *loud);
    let (leading, trailing) = match (first, last) {
        (Some(first), Some(last)) => {
            (first * block, samples.len().saturating_sub((last + 1) * block))
        }
        (None, _) | (_, None) => (samples.len(), samples.len()),
    };
    Judgement {
        duration: recording.duration(),
        peak: Decibels::of_amplitude(f64::from(peak) / FULL_SCALE),
        level: level_of_what_is_said(samples, block, &loud),
        clipped: clipped(samples),
        leading_silence: samples_last(leading, *rate),
        trailing_silence: samples_last(trailing, *rate),
    }
}

fn level_of_what_is_said(samples: &[i16], block: usize, loud: &[bool]) -> Decibels {
    let squares: Vec<f64> = samples
        .chunks(block)
        .zip(loud)
        .filter(|(_, loud)| **loud)
        .map(|(block, _)| root_mean_square(block).powi(2))
        .collect();
    if squares.is_empty() {
        return Decibels::SILENCE;
    }
    Decibels::of_amplitude((squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
}

fn clipped(samples: &[i16]) -> usize {
    let full = |sample: &i16| *sample == i16::MAX || *sample <= -i16::MAX;
    samples
        .chunk_by(|one, next| full(one) == full(next))
        .filter(|run| run.len() >= CLIPPED_RUN && full(&run[0]))
        .count()
}

/// Silence is looked for in blocks of 10 ms.
const BLOCKS_A_SECOND: usize = 100;

/// Room noise of a decent recording lies below, the softest word above.
pub(crate) const QUIET: Decibels = Decibels(-50.0);

/// A sample at full scale may be chance; three in a row are a cut-off wave.
const CLIPPED_RUN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sound::tone::sine;

    #[test]
    fn a_recording_is_judged_by_what_is_heard() {
        let tone = sine(1_000.0, 16_000, Duration::from_secs(1), Decibels(-20.0).amplitude());
        let mut samples = vec![0; 4_800];
        samples.extend(tone);
        samples.extend([0; 1_600]);

        let judgement = judge(&Recording { rate: 16_000, samples });

        assert_eq!(judgement.duration, Duration::from_millis(1_400));
        assert!((judgement.peak.0 + 20.0).abs() < 0.1, "{}", judgement.peak);
        // The level of a sine is 3 dB below its peak.
        assert!((judgement.level.0 + 23.0).abs() < 0.1, "{}", judgement.level);
        assert_eq!(judgement.leading_silence, Duration::from_millis(300));
        assert_eq!(judgement.trailing_silence, Duration::from_millis(100));
        assert_eq!(judgement.clipped, 0);
    }

    #[test]
    fn an_overdriven_recording_is_found_out() {
        let samples = sine(200.0, 16_000, Duration::from_millis(100), 3.0);

        let judgement = judge(&Recording { rate: 16_000, samples });

        // Of forty half waves the first and the last are faded.
        assert_eq!(judgement.clipped, 38);
        assert!(judgement.peak.0 > -0.1);
    }

    #[test]
    fn silence_is_silence_from_end_to_end() {
        let judgement = judge(&Recording { rate: 16_000, samples: vec![0; 16_000] });

        assert_eq!(judgement.level, Decibels::SILENCE);
        assert_eq!(judgement.leading_silence, Duration::from_secs(1));
    }
}
