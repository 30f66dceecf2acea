//! From one party's codec to the other's.
//!
//! When both speak the same it is a copy. Between the two laws of G.711 each byte has its
//! counterpart; G.722 is decoded, taken from 8 to 16 kHz or back, and encoded. All these make one
//! byte per tick of the RTP clock, so a payload keeps its length, and is changed in place. Where one
//! speaks Opus there is no bridge but a [`room`](super::room).
//!
//! What a listener hears goes past an [`EarGuard`] on its way.

use serde::{Deserialize, Serialize};

use super::codec::halfband::{Doubler, Halver};
use super::codec::{Codec, Decoder, Encoder, g711};
use super::ear_guard::EarGuard;

/// One direction between two parties.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Bridge {
    from: Codec,
    to: Codec,
    work: Work,
    guard: Option<EarGuard>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum Work {
    Copy,
    AlawToUlaw,
    UlawToAlaw,
    /// G.722 to G.722, past a guard.
    Reencode {
        decoder: Decoder,
        encoder: Encoder,
    },
    Widen {
        decoder: Decoder,
        doubler: Doubler,
        encoder: Encoder,
    },
    Narrow {
        decoder: Decoder,
        halver: Halver,
        encoder: Encoder,
    },
}

impl Bridge {
    /// `guarded`: an ear is at the other end. `None` if a [`Room`](super::room) is needed.
    pub(super) fn new(from: Codec, to: Codec, guarded: bool) -> Option<Self> {
        let work = match (from, to) {
            (Codec::Opus, Codec::Opus) if !guarded => Work::Copy,
            (Codec::Opus, _) | (_, Codec::Opus) => return None,
            (Codec::G722, Codec::G722) if guarded => {
                Work::Reencode { decoder: Decoder::new(from), encoder: Encoder::new(to) }
            }
            (Codec::Pcma, Codec::Pcma)
            | (Codec::Pcmu, Codec::Pcmu)
            | (Codec::G722, Codec::G722) => Work::Copy,
            (Codec::Pcma, Codec::Pcmu) => Work::AlawToUlaw,
            (Codec::Pcmu, Codec::Pcma) => Work::UlawToAlaw,
            (Codec::Pcma | Codec::Pcmu, Codec::G722) => Work::Widen {
                decoder: Decoder::new(from),
                doubler: Doubler::default(),
                encoder: Encoder::new(to),
            },
            (Codec::G722, Codec::Pcma | Codec::Pcmu) => Work::Narrow {
                decoder: Decoder::new(from),
                halver: Halver::default(),
                encoder: Encoder::new(to),
            },
        };
        Some(Self { from, to, work, guard: guarded.then(EarGuard::default) })
    }

    pub(super) fn is_between(&self, from: Codec, to: Codec) -> bool {
        self.from == from && self.to == to
    }

    /// Changes a payload in place.
    pub(super) fn convert(&mut self, payload: &mut [u8]) {
        let guard = &mut self.guard;
        match &mut self.work {
            Work::Copy => {}
            Work::AlawToUlaw => g711::alaw_to_ulaw(payload),
            Work::UlawToAlaw => g711::ulaw_to_alaw(payload),
            Work::Reencode { decoder, encoder } => {
                for octets in payload.chunks_mut(OCTETS) {
                    let mut wide = [0; 2 * OCTETS];
                    let count = decoder.decode(octets, &mut wide);
                    watched(guard, &mut wide[..count]);
                    encoder.encode(&wide[..count], octets);
                }
                return;
            }
            Work::Widen { decoder, doubler, encoder } => {
                for octets in payload.chunks_mut(OCTETS) {
                    let (mut narrow, mut wide) = ([0; OCTETS], [0; 2 * OCTETS]);
                    let count = decoder.decode(octets, &mut narrow);
                    let count = doubler.double(&narrow[..count], &mut wide);
                    // Behind the filter, which draws peaks between the samples.
                    watched(guard, &mut wide[..count]);
                    encoder.encode(&wide[..count], octets);
                }
            }
            Work::Narrow { decoder, halver, encoder } => {
                for octets in payload.chunks_mut(OCTETS) {
                    let (mut narrow, mut wide) = ([0; OCTETS], [0; 2 * OCTETS]);
                    let count = decoder.decode(octets, &mut wide);
                    let count = halver.halve(&wide[..count], &mut narrow);
                    encoder.encode(&narrow[..count], octets);
                }
            }
        }
        if let Some(guard) = guard {
            guard.guard_payload(self.to, payload);
        }
    }
}

fn watched(guard: &mut Option<EarGuard>, samples: &mut [i16]) {
    if let Some(guard) = guard {
        guard.guard_samples(samples);
    }
}

/// Worked on at once; a packet of 20 ms is one piece.
const OCTETS: usize = 160;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::sound::mix::EAR_CEILING;
    use crate::media::sound::tone::sine;
    use crate::media::sound::{Decibels, Goertzel, heard_tone};

    #[test]
    fn a_tone_crosses_every_bridge_at_its_level() {
        for from in Codec::TELEPHONE {
            for to in Codec::TELEPHONE {
                let tone = sine(1_000.0, from.sample_rate(), Duration::from_secs(1), 0.25);
                let mut payload = vec![0; 8_000];
                Encoder::new(from).encode(&tone, &mut payload);
                let mut bridge = Bridge::new(from, to, true).unwrap();

                // Packets of 20 ms, of 30 ms, and odd ones.
                let (mut rest, mut sizes) = (&mut payload[..], [160, 240, 33].into_iter().cycle());
                while !rest.is_empty() {
                    let size = sizes.next().unwrap().min(rest.len());
                    let (packet, behind) = rest.split_at_mut(size);
                    bridge.convert(packet);
                    rest = behind;
                }

                let mut heard = vec![0; to.samples(8_000)];
                Decoder::new(to).decode(&payload, &mut heard);
                let (rate, middle) =
                    (to.sample_rate(), &heard[heard.len() / 4..heard.len() * 3 / 4]);
                assert_eq!(
                    heard_tone(middle, rate, &[500.0, 1_000.0, 2_000.0]),
                    Some(1_000.0),
                    "{from:?} to {to:?}"
                );
                let level = Decibels::of_amplitude(Goertzel::new(1_000.0, rate).amplitude(middle));
                assert!((level.0 + 12.04).abs() < 0.5, "{from:?} to {to:?}: {level}");
            }
        }
    }

    /// T-26
    #[test]
    fn nothing_louder_than_the_ceiling_crosses_a_guarded_bridge() {
        for from in Codec::TELEPHONE {
            for to in Codec::TELEPHONE {
                for frequency in [200.0, 1_000.0, 2_800.0] {
                    let tone = sine(frequency, from.sample_rate(), Duration::from_secs(1), 0.99);
                    // With edges, too.
                    let loud: Vec<i16> = tone.iter().map(|it| it.saturating_mul(20)).collect();
                    let mut payload = vec![0; 8_000];
                    Encoder::new(from).encode(&loud, &mut payload);
                    let mut bridge = Bridge::new(from, to, true).unwrap();
                    payload.chunks_mut(160).for_each(|packet| bridge.convert(packet));

                    let mut heard = vec![0; to.samples(8_000)];
                    Decoder::new(to).decode(&payload, &mut heard);

                    let peak = heard.iter().map(|it| it.unsigned_abs()).max().unwrap();
                    assert!(peak <= EAR_CEILING as u16, "{from:?} to {to:?} {frequency}: {peak}");
                    assert!(peak > 5_000, "{from:?} to {to:?} {frequency}: {peak}");
                }
            }
        }
    }
}
