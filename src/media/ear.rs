//! One party's sound, decoded: out of its [`Jitter`] buffer come 20 ms at a time, whatever arrived.
//!
//! What is missing is made up: by Opus from the packet behind the hole, which carries it again at a
//! low rate, or from what came before; of any other codec the last 20 ms are heard again, fading.
//! Nothing is allocated once the first packets were heard, unless the party changes its codec.

use super::codec::halfband::{Doubler, Halver};
use super::codec::opus::SAMPLES_MAX;
use super::codec::{Codec, Decoder};
use super::jitter::{Due, Jitter};
use super::rtp::Header;
use crate::base::Moment;

/// 20 ms at 16 kHz; at 8 kHz half of it.
pub(super) type Frame = [i16; WIDE];

/// What one party says.
#[derive(Clone)]
pub(super) struct Ear {
    jitter: Jitter,
    decoding: Option<Decoding>,
    wide: bool,
    /// Decoded, and not heard yet.
    left: Vec<i16>,
    /// The last frame that was really said, and how often it was repeated.
    last: Frame,
    repeated: usize,
}

#[derive(Clone)]
struct Decoding {
    codec: Codec,
    decoder: Decoder,
    way: Way,
}

/// From the codec's rate to the room's.
#[derive(Clone)]
enum Way {
    AsItIs,
    Double(Doubler),
    Halve(Halver),
}

impl Ear {
    pub(super) fn new(wide: bool) -> Self {
        Self {
            jitter: Jitter::new(),
            decoding: None,
            wide,
            left: Vec::new(),
            last: [0; WIDE],
            repeated: 0,
        }
    }

    /// Takes a packet in; its timestamp counts at 8 kHz.
    pub(super) fn arrived(&mut self, codec: Codec, header: Header, payload: &[u8], now: Moment) {
        if self.decoding.as_ref().is_none_or(|decoding| decoding.codec != codec) {
            self.decoding = Some(Decoding::new(codec, self.wide));
            self.jitter = Jitter::new();
        }
        self.jitter.arrived(header, payload, now);
    }

    /// The next 20 ms, at 16 kHz if the room is `wide` and at 8 kHz otherwise; silence, if there is
    /// nothing.
    pub(super) fn hear(&mut self, wide: bool, now: Moment) -> Frame {
        if self.wide != wide {
            *self = Self::new(wide);
        }
        let samples = if wide { WIDE } else { WIDE / 2 };
        while self.left.len() < samples && self.decode_more(samples, now) {}
        let mut frame = [0; WIDE];
        let count = self.left.len().min(samples);
        frame[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        frame
    }

    /// Says whether there was anything.
    fn decode_more(&mut self, samples: usize, now: Moment) -> bool {
        let Some(Decoding { codec, decoder, way }) = &mut self.decoding else {
            return false;
        };
        let mut decoded = [0; SAMPLES_MAX];
        let (count, said) = match (self.jitter.due(now), decoder) {
            (Due::Nothing, _) => return false,
            (Due::Packet(payload), decoder) => {
                let most = if *codec == Codec::Opus { payload.len() } else { OCTETS_MAX };
                let payload = &payload[..payload.len().min(most)];
                (decoder.decode(payload, &mut decoded), true)
            }
            (Due::Lost { next: Some(next) }, Decoder::Opus(opus)) => {
                (opus.recover(next, &mut decoded), true)
            }
            (Due::Lost { next: None }, Decoder::Opus(opus)) => (opus.conceal(&mut decoded), true),
            (Due::Lost { next: _ }, Decoder::Pcma | Decoder::Pcmu | Decoder::G722(_)) => (0, false),
        };
        let mut given = [0; SAMPLES_MAX];
        let count = match way {
            Way::AsItIs => {
                given[..count].copy_from_slice(&decoded[..count]);
                count
            }
            Way::Double(doubler) => doubler.double(&decoded[..count], &mut given),
            Way::Halve(halver) => halver.halve(&decoded[..count], &mut given),
        };
        self.left.extend_from_slice(&given[..count]);
        match said && count > 0 {
            true => self.remember(samples),
            false => self.repeat(samples),
        }
        true
    }

    fn remember(&mut self, samples: usize) {
        let count = samples.min(self.left.len());
        self.last[samples - count..samples].copy_from_slice(&self.left[self.left.len() - count..]);
        self.repeated = 0;
    }

    fn repeat(&mut self, samples: usize) {
        let weight = FADING.get(self.repeated).copied().unwrap_or(0);
        self.repeated += 1;
        let faded = |sample: &i16| (i32::from(*sample) * weight / WHOLE) as i16;
        self.left.extend(self.last[..samples].iter().map(faded));
    }
}

impl Decoding {
    fn new(codec: Codec, wide: bool) -> Self {
        let way = match (codec.sample_rate() > 8_000, wide) {
            (true, true) | (false, false) => Way::AsItIs,
            (false, true) => Way::Double(Doubler::default()),
            (true, false) => Way::Halve(Halver::default()),
        };
        Self { codec, decoder: Decoder::new(codec), way }
    }
}

/// Samples of 20 ms at 16 kHz.
pub(super) const WIDE: usize = 320;

/// 120 ms of a telephone's codec.
const OCTETS_MAX: usize = 960;

/// A frame heard again for the first time, the second and the third.
const FADING: [i32; 3] = [85, 50, 20];
const WHOLE: i32 = 100;
