//! From 8 to 16 kHz and back, as it flows: a half-band filter of 47 taps.
//!
//! Every other tap of such a filter is zero and the middle one is a half, so 12 multiplications do.
//! Flat within 0.02 dB up to 3.4 kHz, 54 dB down from 4.6 kHz; 1.5 ms of delay each way.
//! Recordings are converted once, when they are loaded, with better means; this is for calls.

use serde::{Deserialize, Serialize};

/// One side of the taps at odd distances from the middle, nearest first, in 1/32768: a Kaiser
/// window of 55 dB over the ideal filter, adjusted so that they add up to exactly a quarter.
const TAPS: [i32; 12] = [10_389, -3345, 1871, -1201, 807, -546, 364, -235, 144, -81, 40, -15];

/// The last 24 samples, oldest first.
type Past = [i16; 24];

/// 8 → 16 kHz.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Doubler {
    past: Past,
}

impl Doubler {
    /// Writes two samples for each one, as far as there is room for both, and returns how many.
    pub fn double(&mut self, samples: &[i16], into: &mut [i16]) -> usize {
        let mut written = 0;
        for (sample, pair) in samples.iter().zip(into.chunks_exact_mut(2)) {
            push(&mut self.past, *sample);
            pair[0] = self.past[11];
            // Half of the doubled stream is zeros, so what is left is doubled.
            pair[1] = rounded(filtered(&self.past), 14);
            written += 2;
        }
        written
    }
}

/// 16 → 8 kHz.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Halver {
    /// The first samples of the pairs: they meet the taps.
    past: Past,
    /// The second ones: they meet the middle.
    middle: Past,
}

impl Halver {
    /// Writes one sample for every two, as far as there is room, and returns how many. The last of
    /// an odd number of samples is left out.
    pub fn halve(&mut self, samples: &[i16], into: &mut [i16]) -> usize {
        let mut written = 0;
        for (pair, sample) in samples.chunks_exact(2).zip(into.iter_mut()) {
            push(&mut self.past, pair[0]);
            push(&mut self.middle, pair[1]);
            let middle = i32::from(self.middle[11]) << 14;
            *sample = rounded(filtered(&self.past) + middle, 15);
            written += 1;
        }
        written
    }
}

fn push(past: &mut Past, sample: i16) {
    past.copy_within(1.., 0);
    past[23] = sample;
}

/// Stays below 2^30 whatever the samples are: the taps add up to less than 20 000 each side.
fn filtered(past: &Past) -> i32 {
    TAPS.iter()
        .enumerate()
        .map(|(i, tap)| tap * (i32::from(past[11 - i]) + i32::from(past[12 + i])))
        .sum()
}

fn rounded(value: i32, shift: i32) -> i16 {
    let value = (value + (1 << (shift - 1))) >> shift;
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_tone_keeps_its_level_both_ways() {
        for frequency in [300.0, 1000.0, 2500.0, 3400.0] {
            let low = tone(frequency, 8000.0, 4000);
            let high = doubled(&low);
            assert!((level(&high[200..]) - level(&low)).abs() < 0.1, "{frequency} up");
            let back = halved(&high);
            assert!((level(&back[200..]) - level(&low)).abs() < 0.1, "{frequency} down");
        }
    }

    #[test]
    fn what_8_khz_cannot_carry_is_taken_out() {
        for frequency in [4600.0, 5000.0, 6000.0, 7500.0] {
            let high = tone(frequency, 16_000.0, 8000);
            let low = halved(&high);
            assert!(level(&low[200..]) < level(&high) - 45.0, "{frequency}");
        }
    }

    #[test]
    fn no_mirror_image_is_made_on_the_way_up() {
        let high = doubled(&tone(1000.0, 8000.0, 8000));
        let image = strength(&high[1000..9000], 7000.0, 16_000.0);
        let voice = strength(&high[1000..9000], 1000.0, 16_000.0);
        assert!(20.0 * (voice / image).log10() > 45.0);
    }

    #[test]
    fn frames_join_without_a_seam() {
        let low = tone(700.0, 8000.0, 1600);
        let whole = doubled(&low);
        let mut doubler = Doubler::default();
        let mut parts = Vec::new();
        for frame in low.chunks(160) {
            let mut out = [0; 320];
            assert_eq!(doubler.double(frame, &mut out), 320);
            parts.extend(out);
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn the_loudest_sound_is_clipped_not_wrapped() {
        for sign in [1.0, -1.0] {
            // The pattern that meets every tap with its own sign.
            let worst: Vec<i16> = (0..400)
                .map(|i| if (i / 3 % 2 == 0) == (sign > 0.0) { i16::MAX } else { i16::MIN })
                .collect();
            doubled(&worst);
            halved(&worst);
        }
        assert!(halved(&[i16::MAX; 400])[100..].iter().all(|sample| *sample > 32_000));
    }

    fn doubled(samples: &[i16]) -> Vec<i16> {
        let mut out = vec![0; samples.len() * 2];
        Doubler::default().double(samples, &mut out);
        out
    }

    fn halved(samples: &[i16]) -> Vec<i16> {
        let mut out = vec![0; samples.len() / 2];
        Halver::default().halve(samples, &mut out);
        out
    }

    fn tone(frequency: f64, rate: f64, count: usize) -> Vec<i16> {
        (0..count)
            .map(|i| {
                ((i as f64 * frequency / rate * std::f64::consts::TAU).sin() * 12_000.0) as i16
            })
            .collect()
    }

    fn level(samples: &[i16]) -> f64 {
        let power: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (power / samples.len() as f64 + 1e-6).log10()
    }

    fn strength(samples: &[i16], frequency: f64, rate: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, sample) in samples.iter().enumerate() {
            let phase = i as f64 * frequency / rate * std::f64::consts::TAU;
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
        }
        re.hypot(im).max(1e-9)
    }
}
