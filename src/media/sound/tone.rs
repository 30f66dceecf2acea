//! Tones: making them, and hearing them.
//!
//! The network's own tones are made here with their cadence (domain.md §1.7). [`Goertzel`] hears a
//! single frequency; tests use [`heard_tone`] to say what a party hears.

use std::f64::consts::TAU;
use std::time::Duration;

use super::{Decibels, FULL_SCALE, Recording, root_mean_square};
use crate::media::Tone;

/// A tone of the French network, one cadence long.
pub fn cadence(tone: Tone, rate: u32) -> Recording {
    let (on, off) = match tone {
        Tone::Ringback => (Duration::from_millis(1_500), Duration::from_millis(3_500)),
        Tone::Busy => (Duration::from_millis(500), Duration::from_millis(500)),
    };
    let mut samples = sine(NETWORK_TONE, rate, on, amplitude_of(NETWORK_LEVEL));
    samples.resize(samples.len() + count(off, rate), 0);
    Recording { rate, samples }
}

/// A sine, begun and ended softly so that it doesn't click.
pub fn sine(frequency: f64, rate: u32, duration: Duration, amplitude: f64) -> Vec<i16> {
    let count = count(duration, rate);
    let ramp = (rate as usize / 200).min(count / 2).max(1);
    (0..count)
        .map(|i| {
            let edge = i.min(count - 1 - i).min(ramp) as f64 / ramp as f64;
            let wave = (TAU * frequency * i as f64 / f64::from(rate)).sin();
            (wave * amplitude * edge * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16
        })
        .collect()
}

/// The amplitude, 1 being full scale, of a sine of this level on the network. A full-scale sine in
/// A-law is +3.14 dBm0 (ITU-T G.711 §4).
#[expect(clippy::approx_constant, reason = "it is a level, and not a circle")]
pub fn amplitude_of(dbm0: Decibels) -> f64 {
    Decibels(dbm0.0 - 3.14).amplitude()
}

/// Listens for one frequency.
#[derive(Clone, Copy, Debug)]
pub struct Goertzel {
    coefficient: f64,
}

impl Goertzel {
    pub fn new(frequency: f64, rate: u32) -> Self {
        Self { coefficient: 2.0 * (TAU * frequency / f64::from(rate)).cos() }
    }

    /// The amplitude of this frequency in the samples, 1 being full scale.
    pub fn amplitude(&self, samples: &[i16]) -> f64 {
        let (mut last, mut before) = (0.0, 0.0);
        for sample in samples {
            let next = f64::from(*sample) + self.coefficient * last - before;
            before = last;
            last = next;
        }
        let power = last * last + before * before - self.coefficient * last * before;
        if samples.is_empty() {
            return 0.0;
        }
        2.0 * power.max(0.0).sqrt() / samples.len() as f64 / FULL_SCALE
    }
}

/// Which of these frequencies the samples are, if they are one of them and hardly anything else.
pub fn heard_tone(samples: &[i16], rate: u32, frequencies: &[f64]) -> Option<f64> {
    let all = root_mean_square(samples);
    if all < HEARD_MIN.amplitude() {
        return None;
    }
    let (frequency, amplitude) = frequencies
        .iter()
        .map(|frequency| (*frequency, Goertzel::new(*frequency, rate).amplitude(samples)))
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    // A pure sine has all of its power in one frequency.
    let share = (amplitude * amplitude / 2.0) / (all * all);
    (share > PURE_ENOUGH).then_some(frequency)
}

fn count(duration: Duration, rate: u32) -> usize {
    (duration.as_micros() as u64 * u64::from(rate) / 1_000_000) as usize
}

/// Ringback and busy are 440 Hz in France.
const NETWORK_TONE: f64 = 440.0;

const NETWORK_LEVEL: Decibels = Decibels(-18.0);

/// Softer than this is no tone that anybody means.
const HEARD_MIN: Decibels = Decibels(-50.0);

/// The share of the power that must be in the tone; coding and edges take the rest.
const PURE_ENOUGH: f64 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringback_rings_for_a_second_and_a_half_out_of_five() {
        let ringback = cadence(Tone::Ringback, 8_000);

        assert_eq!(ringback.samples.len(), 40_000);
        assert_eq!(heard_tone(&ringback.samples[..12_000], 8_000, &[400.0, 440.0]), Some(440.0));
        assert!(ringback.samples[12_000..].iter().all(|sample| *sample == 0));
        let level = Goertzel::new(440.0, 8_000).amplitude(&ringback.samples[800..8_800]);
        assert!((Decibels::of_amplitude(level).0 + 21.14).abs() < 0.1);
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        let noise: Vec<i16> =
            (0..800_i32).map(|i| ((i * 7_919 % 1_009) * 20 - 10_000) as i16).collect();

        assert_eq!(heard_tone(&[0; 800], 8_000, &[440.0]), None);
        assert_eq!(heard_tone(&noise, 8_000, &[440.0, 1_000.0]), None);
    }

    #[test]
    fn one_tone_is_not_taken_for_another() {
        let tones = [350.0, 440.0, 620.0, 800.0, 1_000.0, 1_336.0];
        for tone in tones {
            let samples = sine(tone, 8_000, Duration::from_millis(100), 0.1);
            assert_eq!(heard_tone(&samples, 8_000, &tones), Some(tone));
        }
    }
}
