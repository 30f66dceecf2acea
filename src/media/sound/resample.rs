//! Changes the rate of a whole recording, once, when it is loaded: the only home of `rubato`.
//!
//! Quality first: an FFT resampler over the whole clip. What is converted while people talk goes
//! through the half-band filter of `codec` instead.

use rubato::audioadapter::Adapter;
use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::Recording;

/// The same sound at another rate.
pub fn resample(recording: &Recording, rate: u32) -> Recording {
    if recording.rate == rate || recording.samples.is_empty() {
        return Recording { rate, samples: recording.samples.clone() };
    }
    let input: Vec<f32> =
        recording.samples.iter().map(|sample| f32::from(*sample) / FULL_SCALE).collect();
    let mut resampler =
        Fft::<f32>::new(recording.rate as usize, rate as usize, CHUNK, 1, FixedSync::Both)
            .expect("both rates are above zero, and so is the chunk");
    let adapter = SequentialSlice::new(&input, 1, input.len()).expect("one channel, its length");
    let output = resampler
        .process_all(&adapter, input.len(), None)
        .expect("the buffers are of the size the resampler asked for");
    let samples = (0..output.frames())
        .filter_map(|frame| output.read_sample(0, frame))
        .map(|sample| (sample * FULL_SCALE).round().clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16)
        .collect();
    Recording { rate, samples }
}

/// Long enough for a steep filter.
const CHUNK: usize = 1_024;

const FULL_SCALE: f32 = 32_768.0;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::sound::heard_tone;
    use crate::media::sound::tone::sine;

    #[test]
    fn a_tone_keeps_its_pitch_its_level_and_its_length() {
        for from in [16_000, 22_050, 44_100, 48_000] {
            let samples = sine(440.0, from, Duration::from_secs(1), 0.25);
            let resampled = resample(&Recording { rate: from, samples }, 8_000);

            let middle = &resampled.samples[2_000..6_000];
            let peak = middle.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert_eq!(resampled.samples.len(), 8_000, "from {from}");
            assert_eq!(heard_tone(middle, 8_000, &[220.0, 440.0, 880.0]), Some(440.0));
            assert!((8_000..8_400).contains(&peak), "from {from}: {peak}");
        }
    }

    #[test]
    fn what_a_telephone_can_not_carry_is_filtered_out() {
        let samples = sine(6_000.0, 16_000, Duration::from_secs(1), 0.5);

        let resampled = resample(&Recording { rate: 16_000, samples }, 8_000);

        let peak = resampled.samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(peak < 1_000, "{peak}");
    }
}
