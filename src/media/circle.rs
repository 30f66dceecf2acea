//! Three parties who hear one another (scenarios.md SC-27): what one of them hears of the others.
//!
//! Every voice is decoded as it comes and waits a moment, so that a packet that is a little late
//! leaves no hole; every 20 ms what waits is added up, held within full scale, and encoded for the
//! one ear. Nobody is louder than they were for two, and nobody hears themselves. It works at 16 kHz:
//! a telephone is widened, a softphone keeps what it has.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::bridge::RECODED_MAX;
use super::codec::halfband::{Doubler, Halver};
use super::codec::{Codec, Decoder, Encoder, opus};
use super::ear_guard::EarGuard;
use super::engine::Door;
use super::sound::mix;

/// The others, as one party hears them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Circle {
    voices: Vec<Voice>,
    mouth: Option<Mouth>,
    guard: Option<EarGuard>,
}

/// One of the others.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Voice {
    door: Door,
    codec: Option<Codec>,
    decoder: Decoder,
    doubler: Doubler,
    waiting: VecDeque<i16>,
    /// What waits is heard; else it is still being gathered.
    flows: bool,
}

/// What encodes for the one ear.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Mouth {
    codec: Codec,
    encoder: Encoder,
    halver: Halver,
}

impl Circle {
    /// `guarded`: an ear with a headset hears it.
    pub(super) fn new(others: impl Iterator<Item = Door>, guarded: bool) -> Self {
        let voices = others.map(Voice::new).collect();
        Self { voices, mouth: None, guard: guarded.then(EarGuard::default) }
    }

    pub(super) fn doors(&self) -> impl Iterator<Item = Door> {
        self.voices.iter().map(|voice| voice.door)
    }

    /// One of them is gone.
    pub(super) fn leaves(&mut self, door: Door) {
        self.voices.retain(|voice| voice.door != door);
    }

    /// One of them said something.
    pub(super) fn hears(&mut self, door: Door, codec: Codec, payload: &[u8]) {
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.door == door) {
            voice.says(codec, payload);
        }
    }

    /// The next 20 ms in this codec: how many octets of `into`.
    pub(super) fn frame(&mut self, codec: Codec, into: &mut [u8; RECODED_MAX]) -> usize {
        let mut sum = [0; FRAME];
        for voice in &mut self.voices {
            let mut said = [0; FRAME];
            voice.next(&mut said);
            mix::mix_into(&mut sum, &said);
        }
        if let Some(guard) = &mut self.guard {
            guard.guard_samples(&mut sum);
        }
        let mouth = match &mut self.mouth {
            Some(mouth) if mouth.codec == codec => mouth,
            other => other.insert(Mouth {
                codec,
                encoder: Encoder::new(codec),
                halver: Halver::default(),
            }),
        };
        let into = &mut into[..opus::OCTETS_MAX];
        if codec.sample_rate() == RATE {
            return mouth.encoder.encode(&sum, into);
        }
        let mut narrow = [0; FRAME];
        let count = mouth.halver.halve(&sum, &mut narrow);
        mouth.encoder.encode(&narrow[..count], into)
    }
}

impl Voice {
    fn new(door: Door) -> Self {
        Self {
            door,
            codec: None,
            decoder: Decoder::new(Codec::Pcma),
            doubler: Doubler::default(),
            waiting: VecDeque::new(),
            flows: false,
        }
    }

    fn says(&mut self, codec: Codec, payload: &[u8]) {
        if self.codec != Some(codec) {
            self.codec = Some(codec);
            self.decoder = Decoder::new(codec);
        }
        let mut samples = [0; opus::SAMPLES_MAX];
        let count = self.decoder.decode(payload, &mut samples);
        if codec.sample_rate() == RATE {
            self.waiting.extend(&samples[..count]);
        } else {
            let mut wide = [0; opus::SAMPLES_MAX];
            let count = count.min(wide.len() / 2);
            let count = self.doubler.double(&samples[..count], &mut wide);
            self.waiting.extend(&wide[..count]);
        }
        let excess = self.waiting.len().saturating_sub(WAITS_AT_MOST);
        self.waiting.drain(..excess);
        self.flows |= self.waiting.len() >= WAITS_AT_FIRST;
    }

    fn next(&mut self, into: &mut [i16; FRAME]) {
        if !self.flows {
            return;
        }
        // What came too late leaves a hole, and a moment is waited for the rest.
        self.flows = self.waiting.len() >= FRAME;
        let count = self.waiting.len().min(FRAME);
        for (sample, waiting) in into.iter_mut().zip(self.waiting.drain(..count)) {
            *sample = waiting;
        }
    }
}

const RATE: u32 = 16_000;

/// 20 ms.
const FRAME: usize = 320;

/// 40 ms: the jitter of an ordinary network.
const WAITS_AT_FIRST: usize = 2 * FRAME;

/// 120 ms: beyond, the oldest is given up, or the parties would talk past each other.
const WAITS_AT_MOST: usize = 6 * FRAME;
