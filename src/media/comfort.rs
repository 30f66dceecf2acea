//! The quiet between words, for a party whose partner sends nothing then (RFC 3389).
//!
//! A phone that stops sending when its owner is silent says how loud the room is, and trusts the
//! other side to make that noise. What lies behind us may not know of that: it would hear the line
//! go dead. So its frames are made here until the voice comes back.

use serde::{Deserialize, Serialize};

use super::codec::{Codec, Encoder};
use super::sound::FRAME_OCTETS;

/// Noise of one room.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Comfort {
    amplitude: i32,
    seed: u32,
    codec: Codec,
    encoder: Encoder,
}

impl Comfort {
    /// The payload type of comfort noise at 8 kHz.
    pub(super) const PAYLOAD_TYPE: u8 = 13;

    /// `payload` as it came: its first byte is the level below the loudest, in dB (§3).
    pub(super) fn new(payload: &[u8], codec: Codec) -> Self {
        let below = payload.first().map_or(QUIET, |level| (level & 0x7F).max(LOUDEST));
        // White noise from −a to a has a power of a²/3.
        let amplitude = 32_768.0 * 10_f64.powf(-f64::from(below) / 20.0) * 1.732;
        Self { amplitude: amplitude as i32, seed: 1, codec, encoder: Encoder::new(codec) }
    }

    pub(super) fn is_for(&self, codec: Codec) -> bool {
        self.codec == codec
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self) -> [u8; FRAME_OCTETS] {
        let mut samples = [0; Codec::FRAME_SAMPLES_MAX];
        let samples = &mut samples[..self.codec.samples(FRAME_OCTETS)];
        for sample in samples.iter_mut() {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (self.seed >> 16) as i32 - 32_768;
            *sample = (noise * self.amplitude / 32_768) as i16;
        }
        let mut octets = [0; FRAME_OCTETS];
        self.encoder.encode(samples, &mut octets);
        octets
    }
}

/// −70 dBov, if nothing is said.
const QUIET: u8 = 70;

/// Nobody's quiet is louder than −30 dBov.
const LOUDEST: u8 = 30;
