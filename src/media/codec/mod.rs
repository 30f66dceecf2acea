//! Codecs: sound as samples ⇄ sound as it travels.
//!
//! Samples are 16-bit, mono, at the codec's own [`Codec::sample_rate`]; [`halfband`] goes between
//! 8 and 16 kHz. Nothing here allocates once it is made: callers bring the buffers.

pub mod g711;
pub mod g722;
pub mod halfband;
pub mod opus;

use serde::{Deserialize, Serialize};

/// The codecs we speak (domain.md §2.2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 A-law: what the French network speaks.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722 at 64 kbit/s: 16 kHz sound.
    G722,
    /// Opus, mono: for listeners' phones only.
    Opus,
}

impl Codec {
    /// All, in the order we like them when nobody says otherwise.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Opus];

    /// Those of the telephone network: one byte per tick of 8 kHz, whatever is said.
    pub const TELEPHONE: [Self; 3] = [Self::Pcma, Self::Pcmu, Self::G722];

    /// The most samples 20 ms can have with any codec.
    pub const FRAME_SAMPLES_MAX: usize = 320;

    /// The static payload type (RFC 3551 §6); of Opus, which has none, the one it has in our offers.
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
            Self::Opus => 96,
        }
    }

    /// The name in `a=rtpmap`.
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The rate of RTP timestamps. RFC 3551 §4.5.2: G.722 says 8000 although it samples at 16 kHz,
    /// by an old mistake that can't be mended any more.
    /// Opus says 48 000, whatever it was made from (RFC 7587 §4.1).
    pub fn rtp_clock(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => 8000,
            Self::Opus => 48_000,
        }
    }

    /// Ticks of its RTP clock in one of ours, of 8 kHz.
    pub fn clock_ratio(self) -> u32 {
        self.rtp_clock() / 8000
    }

    /// Samples per second, of the sound.
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu => 8000,
            Self::G722 | Self::Opus => 16_000,
        }
    }

    /// Samples in `ticks` of 8 kHz; a payload of so many bytes holds them, but for Opus.
    pub fn samples(self, ticks: usize) -> usize {
        match self {
            Self::Pcma | Self::Pcmu => ticks,
            Self::G722 | Self::Opus => 2 * ticks,
        }
    }

    /// Samples of sound in 20 ms.
    pub fn samples_per_frame(self) -> usize {
        self.samples(self.bytes_per_frame())
    }

    /// Bytes of payload in 20 ms, which is also how far the RTP timestamp goes: all our codecs
    /// make one byte per tick of their RTP clock.
    pub fn bytes_per_frame(self) -> usize {
        160
    }
}

/// Turns samples into payload, remembering what the codec must remember.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Encoder {
    Pcma,
    Pcmu,
    G722(Box<g722::Encoder>),
    Opus(opus::Encoder),
}

impl Encoder {
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma,
            Codec::Pcmu => Self::Pcmu,
            Codec::G722 => Self::G722(Box::default()),
            Codec::Opus => Self::opus(codec.sample_rate()),
        }
    }

    /// Of Opus, for sound at 8 000 or 16 000 samples a second.
    pub fn opus(rate: u32) -> Self {
        Self::Opus(opus::Encoder::new(rate))
    }

    /// Fills `payload` from the start and returns how many bytes were written: as many as there
    /// are samples for and room for.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        match self {
            Self::Pcma => g711::encode_alaw(samples, payload),
            Self::Pcmu => g711::encode_ulaw(samples, payload),
            Self::G722(encoder) => encoder.encode(samples, payload),
            Self::Opus(encoder) => encoder.encode(samples, payload),
        }
    }
}

/// Turns payload into samples, remembering what the codec must remember.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Decoder {
    Pcma,
    Pcmu,
    G722(Box<g722::Decoder>),
    Opus(opus::Decoder),
}

impl Decoder {
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::Pcma,
            Codec::Pcmu => Self::Pcmu,
            Codec::G722 => Self::G722(Box::default()),
            Codec::Opus => Self::Opus(opus::Decoder::default()),
        }
    }

    /// Fills `samples` from the start and returns how many were written: as many as there are
    /// bytes for and room for.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Self::Pcma => g711::decode_alaw(payload, samples),
            Self::Pcmu => g711::decode_ulaw(payload, samples),
            Self::G722(decoder) => decoder.decode(payload, samples),
            Self::Opus(decoder) => decoder.decode(payload, samples),
        }
    }
}
