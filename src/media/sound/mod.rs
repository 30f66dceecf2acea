//! Sound as such: recordings, tones, levels, and clips ready to be sent.
//!
//! A [`Recording`] is what a person recorded. It is resampled and encoded once, when it is loaded,
//! into a [`Clip`]: twenty milliseconds after twenty milliseconds in every codec we speak, shared
//! by everyone who hears it. Nothing here knows packets or calls.

pub mod clip;
pub mod judgement;
pub mod mix;
pub mod resample;
pub mod tone;
pub mod wav;

pub use clip::{Clip, FRAME, FRAME_OCTETS};
pub use judgement::{Judgement, judge};
pub use tone::{Goertzel, heard_tone};

use std::fmt;
use std::time::Duration;

/// One channel of 16 bit samples.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    pub samples: Vec<i16>,
}

impl Recording {
    pub fn duration(&self) -> Duration {
        samples_last(self.samples.len(), self.rate)
    }
}

/// A level. What it is relative to is said where it is used: full scale (dBFS) or the level of the
/// telephone network (dBm0).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Decibels(pub f64);

impl Decibels {
    /// No sound at all.
    pub const SILENCE: Self = Self(f64::NEG_INFINITY);

    /// The level of an amplitude, 1 being full scale.
    pub fn of_amplitude(amplitude: f64) -> Self {
        Self(20.0 * amplitude.log10())
    }

    /// The amplitude of a level, 1 being full scale.
    pub fn amplitude(self) -> f64 {
        10_f64.powf(self.0 / 20.0)
    }
}

impl fmt::Display for Decibels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { write!(f, "{:.1} dB", self.0) } else { f.write_str("silence") }
    }
}

/// How long `count` samples last.
pub(crate) fn samples_last(count: usize, rate: u32) -> Duration {
    if rate == 0 {
        return Duration::ZERO;
    }
    Duration::from_micros(count as u64 * 1_000_000 / u64::from(rate))
}

/// The root mean square of samples, 1 being full scale.
pub(crate) fn root_mean_square(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len() as f64).sqrt() / FULL_SCALE
}

/// The largest amplitude of a 16 bit sample.
pub(crate) const FULL_SCALE: f64 = 32_768.0;
