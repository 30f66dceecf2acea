//! Sound on its way to one party: from samples to what is sent, past an [`EarGuard`] if a person
//! wears the headset at the other end.

use super::codec::halfband::{Doubler, Halver};
use super::codec::opus::OCTETS_MAX;
use super::codec::{Codec, Encoder};
use super::ear::{Frame, WIDE};
use super::ear_guard::EarGuard;

/// 20 ms, encoded.
pub(super) type Encoded = [u8; OCTETS_MAX];

/// Encodes what one party hears.
#[derive(Clone)]
pub(super) struct Mouth {
    codec: Codec,
    wide: bool,
    way: Way,
    encoder: Encoder,
    guard: Option<EarGuard>,
}

/// From the room's rate to the codec's.
#[derive(Clone)]
enum Way {
    AsItIs,
    Double(Doubler),
    Halve(Halver),
}

impl Mouth {
    /// `wide`: it is given sound at 16 kHz. `guarded`: an ear is at the other end.
    pub(super) fn new(codec: Codec, wide: bool, guarded: bool) -> Self {
        let (way, encoder) = match (codec, wide) {
            (Codec::Opus, _) => {
                let rate = if wide { 16_000 } else { 8_000 };
                (Way::AsItIs, Encoder::opus(rate))
            }
            (Codec::Pcma | Codec::Pcmu, true) => {
                (Way::Halve(Halver::default()), Encoder::new(codec))
            }
            (Codec::G722, false) => (Way::Double(Doubler::default()), Encoder::new(codec)),
            (Codec::Pcma | Codec::Pcmu, false) | (Codec::G722, true) => {
                (Way::AsItIs, Encoder::new(codec))
            }
        };
        Self { codec, wide, way, encoder, guard: guarded.then(EarGuard::default) }
    }

    pub(super) fn is_for(&self, codec: Codec, wide: bool) -> bool {
        self.codec == codec && self.wide == wide
    }

    /// Whoever hears it wants no more than so many bits a second; only Opus has a choice.
    pub(super) fn limit(&mut self, bits_max: Option<u32>) {
        if let Encoder::Opus(encoder) = &mut self.encoder {
            encoder.limit(bits_max);
        }
    }

    /// Encodes 20 ms, and returns how many octets it takes.
    pub(super) fn say(&mut self, frame: &Frame, into: &mut Encoded) -> usize {
        let given = &frame[..if self.wide { WIDE } else { WIDE / 2 }];
        let mut samples = [0; WIDE];
        let count = match &mut self.way {
            Way::AsItIs => {
                samples[..given.len()].copy_from_slice(given);
                given.len()
            }
            Way::Double(doubler) => doubler.double(given, &mut samples),
            Way::Halve(halver) => halver.halve(given, &mut samples),
        };
        let samples = &mut samples[..count];
        if let Some(guard) = &mut self.guard
            && matches!(self.codec, Codec::G722 | Codec::Opus)
        {
            guard.guard_samples(samples);
        }
        let length = self.encoder.encode(samples, into);
        if let Some(guard) = &mut self.guard {
            guard.guard_payload(self.codec, &mut into[..length]);
        }
        length
    }
}
