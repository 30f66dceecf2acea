//! G.722 at 64 kbit/s (mode 1): 16 kHz sound in two bands, each with its own adaptive predictor.
//!
//! Two samples make one byte: six bits for the lower band, two for the upper. Names of blocks are
//! those of ITU-T G.722 §3–5. Written anew because the one maintained crate allocates for every
//! frame and its state can't be written down; that crate is the witness in the tests.

use serde::{Deserialize, Serialize};

/// Sound → payload.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Encoder {
    history: History,
    lower: Band<LOWER_START>,
    upper: Band<UPPER_START>,
}

impl Encoder {
    /// Returns how many bytes were written: one per pair of samples, as far as there is room. The
    /// last of an odd number of samples is left out.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        let mut written = 0;
        for (byte, pair) in payload.iter_mut().zip(samples.chunks_exact(2)) {
            *byte = self.encode_pair(pair[0], pair[1]);
            written += 1;
        }
        written
    }

    fn encode_pair(&mut self, first: i16, second: i16) -> u8 {
        // Transmit QMF (§3.1): split into two bands at half the rate.
        self.history.push(i32::from(first), i32::from(second));
        let (odd, even) = self.history.filtered();
        let low = (even + odd) >> 14;
        let high = (even - odd) >> 14;

        // SUBTRA and QUANTL: the lower band in 60 steps.
        let error = saturated(low - self.lower.prediction);
        let magnitude = if error >= 0 { error } else { -(error + 1) };
        let scale = self.lower.scale;
        let step = LOWER_DECISIONS.partition_point(|level| magnitude >= (level * scale) >> 12);
        let lower_bits =
            if error < 0 { LOWER_CODES_NEGATIVE[step] } else { LOWER_CODES_POSITIVE[step] };
        self.lower.adapt_lower(lower_bits >> 2);

        // SUBTRA and QUANTH: the upper band in 4 steps.
        let error = saturated(high - self.upper.prediction);
        let magnitude = if error >= 0 { error } else { -(error + 1) };
        let outer = magnitude >= (564 * self.upper.scale) >> 12;
        let upper_bits = match (error < 0, outer) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        self.upper.adapt_upper(upper_bits);

        ((upper_bits << 6) | lower_bits) as u8
    }
}

/// Payload → sound.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Decoder {
    history: History,
    lower: Band<LOWER_START>,
    upper: Band<UPPER_START>,
}

impl Decoder {
    /// Returns how many samples were written: two per byte, as far as there is room for both.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        let mut written = 0;
        for (byte, pair) in payload.iter().zip(samples.chunks_exact_mut(2)) {
            let (first, second) = self.decode_pair(*byte);
            pair[0] = first;
            pair[1] = second;
            written += 2;
        }
        written
    }

    fn decode_pair(&mut self, byte: u8) -> (i16, i16) {
        let lower_bits = usize::from(byte & 0x3F);
        let upper_bits = usize::from(byte >> 6);

        // INVQBL, RECONS and LIMIT, with all six bits; the predictor adapts with four of them.
        let low = self.lower.prediction + ((self.lower.scale * LOWER_STEPS_64[lower_bits]) >> 15);
        let low = low.clamp(-16_384, 16_383);
        self.lower.adapt_lower(lower_bits >> 2);

        let high = self.upper.prediction + ((self.upper.scale * UPPER_STEPS[upper_bits]) >> 15);
        let high = high.clamp(-16_384, 16_383);
        self.upper.adapt_upper(upper_bits);

        // Receive QMF (§4.4): both bands back into one.
        self.history.push(low + high, low - high);
        let (second, first) = self.history.filtered();
        (sample(first >> 11), sample(second >> 11))
    }
}

/// The last 24 values of the quadrature mirror filter.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct History([i32; 24]);

impl History {
    fn push(&mut self, first: i32, second: i32) {
        self.0.copy_within(2.., 0);
        self.0[22] = first;
        self.0[23] = second;
    }

    /// The sums over every other value: from the first, and from the second.
    ///
    /// Wrapping: values of 17 bits and coefficients that add up to 13 bits can't overflow, and loops
    /// that needn't check for it become vector instructions.
    fn filtered(&self) -> (i32, i32) {
        let mut odd = 0_i32;
        let mut even = 0_i32;
        for i in 0..12 {
            odd = odd.wrapping_add(self.0[2 * i].wrapping_mul(MIRROR_FILTER[i]));
            even = even.wrapping_add(self.0[2 * i + 1].wrapping_mul(MIRROR_FILTER[11 - i]));
        }
        (odd, even)
    }
}

/// The smallest scale of the lower band (§6.2.1.3).
const LOWER_START: i32 = 32;
/// The smallest scale of the upper band.
const UPPER_START: i32 = 8;

/// One band's predictor and quantiser scale, the same in encoder and decoder.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Band<const START: i32> {
    /// What the next sample is expected to be.
    prediction: i32,
    /// The part of it that comes from the zeros.
    zeros: i32,
    /// DETL, DETH: the step of the quantiser.
    scale: i32,
    /// NBL, NBH: its logarithm.
    scale_log: i32,
    /// Reconstructed signal, one and two samples ago.
    reconstructed: [i32; 2],
    /// Partly reconstructed signal, one and two samples ago.
    partial: [i32; 2],
    /// Coefficients of the two poles.
    poles: [i32; 2],
    /// Quantised differences, one to six samples ago.
    differences: [i32; 6],
    /// Coefficients of the six zeros.
    zero_coefficients: [i32; 6],
}

impl<const START: i32> Default for Band<START> {
    fn default() -> Self {
        Self {
            prediction: 0,
            zeros: 0,
            scale: START,
            scale_log: 0,
            reconstructed: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            differences: [0; 6],
            zero_coefficients: [0; 6],
        }
    }
}

impl<const START: i32> Band<START> {
    /// INVQAL, LOGSCL, SCALEL, then the predictor, with the four upper bits of the code.
    fn adapt_lower(&mut self, code: usize) {
        let difference = (self.scale * LOWER_STEPS_16[code]) >> 15;
        let log = ((self.scale_log * 127) >> 7) + LOWER_LOG_STEPS[LOWER_LOG_INDEX[code]];
        self.scale_log = log.clamp(0, 18_432);
        self.scale = antilog(self.scale_log, 8);
        self.predict(difference);
    }

    /// INVQAH, LOGSCH, SCALEH, then the predictor, with both bits of the code.
    fn adapt_upper(&mut self, code: usize) {
        let difference = (self.scale * UPPER_STEPS[code]) >> 15;
        let log = ((self.scale_log * 127) >> 7) + UPPER_LOG_STEPS[code];
        self.scale_log = log.clamp(0, 22_528);
        self.scale = antilog(self.scale_log, 10);
        self.predict(difference);
    }

    /// Block 4: adapts two poles and six zeros, and predicts the next sample (§3.6).
    fn predict(&mut self, difference: i32) {
        // RECONS, PARREC
        let reconstructed = saturated(self.prediction + difference);
        let partial = saturated(self.zeros + difference);
        let same_sign = |one: i32, other: i32| (one < 0) == (other < 0);

        // UPPOL2
        let first_pole = saturated(self.poles[0] << 2);
        let turned = if same_sign(partial, self.partial[0]) { -first_pole } else { first_pole };
        let pushed = if same_sign(partial, self.partial[1]) { 128 } else { -128 };
        let second_pole = (turned.min(32_767) >> 7) + pushed + ((self.poles[1] * 32_512) >> 15);
        let second_pole = second_pole.clamp(-12_288, 12_288);

        // UPPOL1
        let pushed = if same_sign(partial, self.partial[0]) { 192 } else { -192 };
        let limit = saturated(15_360 - second_pole);
        let first_pole = saturated(pushed + ((self.poles[0] * 32_640) >> 15));
        let first_pole = first_pole.clamp(-limit, limit);

        // UPZERO
        let push = if difference == 0 { 0 } else { 128 };
        for (coefficient, past) in self.zero_coefficients.iter_mut().zip(&self.differences) {
            let pushed = if same_sign(*past, difference) { push } else { -push };
            let leaked = coefficient.wrapping_mul(32_640) >> 15;
            *coefficient = saturated(leaked.wrapping_add(pushed));
        }

        // DELAYA
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];
        self.poles = [first_pole, second_pole];

        // FILTEP, FILTEZ, PREDIC
        // All of them are of 16 bits, so nothing overflows.
        let weighed = |value: i32, weight: i32| {
            weight.wrapping_mul(saturated(value.wrapping_add(value))) >> 15
        };
        let from_poles = saturated(
            weighed(self.reconstructed[0], self.poles[0])
                + weighed(self.reconstructed[1], self.poles[1]),
        );
        let from_zeros = self
            .differences
            .iter()
            .zip(&self.zero_coefficients)
            .map(|(past, coefficient)| weighed(*past, *coefficient))
            .fold(0, i32::wrapping_add);
        self.zeros = saturated(from_zeros);
        self.prediction = saturated(from_poles + self.zeros);
    }
}

/// SCALEL, SCALEH: from the logarithm of the step to the step.
fn antilog(log: i32, shift: i32) -> i32 {
    let mantissa = ANTILOG[(log >> 6 & 31) as usize];
    let shift = shift - (log >> 11);
    let value = if shift < 0 { mantissa << -shift } else { mantissa >> shift };
    value << 2
}

fn saturated(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

fn sample(value: i32) -> i16 {
    saturated(value) as i16
}

/// Half of the 24 coefficients of the mirror filter (table 11); the other half is its mirror image.
const MIRROR_FILTER: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band (table 14).
const LOWER_DECISIONS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
    1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const LOWER_CODES_NEGATIVE: [usize; 30] = [
    63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
    9, 8, 7, 6, 5, 4,
];
const LOWER_CODES_POSITIVE: [usize; 30] = [
    61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38,
    37, 36, 35, 34, 33, 32,
];

/// Output levels of the lower band with four bits (table 17).
const LOWER_STEPS_16: [i32; 16] = [
    0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// Output levels of the lower band with six bits.
const LOWER_STEPS_64: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168,
    -2776, -2400, -2032, -1688, -1360, -1040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512,
    12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168,
    2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Output levels of the upper band (table 19).
const UPPER_STEPS: [i32; 4] = [-7408, -1616, 7408, 1616];

/// Multipliers of the logarithmic scale (tables 18 and 20).
const LOWER_LOG_STEPS: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const LOWER_LOG_INDEX: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const UPPER_LOG_STEPS: [i32; 4] = [798, -214, 798, -214];

/// 2048 · 2^(i/32) (table 15).
const ANTILOG: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

#[cfg(test)]
mod tests {
    use ezk_g722::libg722::{Bitrate, decoder, encoder};

    use super::*;

    #[test]
    fn encodes_as_the_witness_does() {
        let mut ours = Encoder::default();
        start_as_the_witness(&mut ours.lower, &mut ours.upper);
        let mut theirs = encoder::Encoder::new(Bitrate::Mode1_64000, false, false);
        let sound = [vec![0; 320], speech_like(32_000), vec![0; 320]].concat();
        let mut payload = vec![0; sound.len() / 2];

        assert_eq!(ours.encode(&sound, &mut payload), sound.len() / 2);

        let witnessed = theirs.encode(&sound);
        let differs = (0..payload.len()).find(|i| payload[*i] != witnessed[*i]);
        assert_eq!(differs, None);
    }

    #[test]
    fn decodes_as_the_witness_does_whatever_arrives() {
        let mut ours = Decoder::default();
        start_as_the_witness(&mut ours.lower, &mut ours.upper);
        let mut theirs = decoder::Decoder::new(Bitrate::Mode1_64000, false, false);
        let mut payload = Vec::new();
        let mut noise = 1_u32;
        for _ in 0..16_000 {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            payload.push((noise >> 24) as u8);
        }
        let mut samples = vec![0; payload.len() * 2];

        assert_eq!(ours.decode(&payload, &mut samples), payload.len() * 2);

        let witnessed = theirs.decode(&payload);
        let differs = (0..samples.len()).find(|i| samples[*i] != witnessed[*i]);
        assert_eq!(differs, None);
    }

    #[test]
    fn a_tone_comes_through_clearly() {
        for frequency in [300.0, 1000.0, 3000.0] {
            let sound = tone(frequency, 10_000.0, 16_000);
            let heard = through(&sound);
            let ratio = signal_to_noise(&sound[2000..10_000], &heard[2000..]);
            assert!(ratio > 20.0, "{frequency} Hz: {ratio} dB");
        }
    }

    #[test]
    fn silence_stays_silent() {
        let heard = through(&[0; 3200]);

        assert!(heard.iter().all(|sample| sample.abs() <= 4), "{:?}", heard.iter().max());
    }

    #[test]
    fn the_loudest_sound_and_the_oddest_lengths_do_no_harm() {
        let loud: Vec<i16> =
            (0..4001).map(|i| if i % 7 < 3 { i16::MAX } else { i16::MIN }).collect();
        let mut payload = [0; 3000];
        let mut encoder = Encoder::default();
        assert_eq!(encoder.encode(&loud, &mut payload), 2000);
        assert_eq!(encoder.encode(&loud[..1], &mut payload), 0);
        let mut samples = [0; 101];
        assert_eq!(Decoder::default().decode(&payload, &mut samples), 100);
    }

    /// The witness starts with a scale of nothing, which is a mistake of its first sample only.
    fn start_as_the_witness(lower: &mut Band<LOWER_START>, upper: &mut Band<UPPER_START>) {
        lower.scale = 0;
        upper.scale = 0;
    }

    fn through(sound: &[i16]) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let mut heard = Vec::new();
        for frame in sound.chunks(320) {
            let mut payload = [0; 160];
            let mut samples = [0; 320];
            let bytes = encoder.encode(frame, &mut payload);
            let count = decoder.decode(&payload[..bytes], &mut samples);
            heard.extend_from_slice(&samples[..count]);
        }
        heard
    }

    /// In decibels, at the delay where both fit best.
    fn signal_to_noise(sound: &[i16], heard: &[i16]) -> f64 {
        (0..64)
            .map(|delay| {
                let (mut signal, mut noise) = (0.0, 1e-9);
                for (s, h) in sound.iter().zip(&heard[delay..]) {
                    signal += f64::from(*s).powi(2);
                    noise += (f64::from(*s) - f64::from(*h)).powi(2);
                }
                10.0 * (signal / noise).log10()
            })
            .fold(f64::MIN, f64::max)
    }

    fn tone(frequency: f64, amplitude: f64, count: usize) -> Vec<i16> {
        (0..count)
            .map(|i| {
                let phase = i as f64 * frequency / 16_000.0 * std::f64::consts::TAU;
                (phase.sin() * amplitude) as i16
            })
            .collect()
    }

    /// Tones that swell and change, and noise.
    fn speech_like(count: usize) -> Vec<i16> {
        let mut noise = 7_u32;
        (0..count)
            .map(|i| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let t = i as f64 / 16_000.0;
                let swell = (t * 19.0).sin().abs();
                let voice = (t * 900.0).sin() * 9000.0 + (t * 14_000.0).sin() * 5000.0;
                let hiss = f64::from(noise >> 20) - 2048.0;
                (voice * swell + hiss) as i16
            })
            .collect()
    }
}
