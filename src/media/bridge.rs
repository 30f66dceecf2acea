//! From one party's codec to the other's.
//!
//! When both speak the same it is a copy. Between the two laws of G.711 each byte has its
//! counterpart; G.722 is decoded, taken from 8 to 16 kHz or back, and encoded. All our codecs make
//! one byte per tick of the RTP clock, so a payload keeps its length, and is changed in place.

use serde::{Deserialize, Serialize};

use super::codec::halfband::{Doubler, Halver};
use super::codec::{Codec, Decoder, Encoder, g711};

/// One direction between two parties.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Bridge {
    from: Codec,
    to: Codec,
    work: Work,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum Work {
    Copy,
    AlawToUlaw,
    UlawToAlaw,
    Widen { decoder: Decoder, doubler: Doubler, encoder: Encoder },
    Narrow { decoder: Decoder, halver: Halver, encoder: Encoder },
}

impl Bridge {
    pub(super) fn new(from: Codec, to: Codec) -> Self {
        let work = match (from, to) {
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
        Self { from, to, work }
    }

    pub(super) fn is_between(&self, from: Codec, to: Codec) -> bool {
        self.from == from && self.to == to
    }

    /// Changes a payload in place.
    pub(super) fn convert(&mut self, payload: &mut [u8]) {
        match &mut self.work {
            Work::Copy => {}
            Work::AlawToUlaw => g711::alaw_to_ulaw(payload),
            Work::UlawToAlaw => g711::ulaw_to_alaw(payload),
            Work::Widen { decoder, doubler, encoder } => {
                for octets in payload.chunks_mut(OCTETS) {
                    let (mut narrow, mut wide) = ([0; OCTETS], [0; 2 * OCTETS]);
                    let count = decoder.decode(octets, &mut narrow);
                    let count = doubler.double(&narrow[..count], &mut wide);
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
    }
}

/// Worked on at once; a packet of 20 ms is one piece.
const OCTETS: usize = 160;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::sound::tone::sine;
    use crate::media::sound::{Decibels, Goertzel, heard_tone};

    #[test]
    fn a_tone_crosses_every_bridge_at_its_level() {
        for from in Codec::ALL {
            for to in Codec::ALL {
                let tone = sine(1_000.0, from.sample_rate(), Duration::from_secs(1), 0.25);
                let mut payload = vec![0; 8_000];
                Encoder::new(from).encode(&tone, &mut payload);
                let mut bridge = Bridge::new(from, to);

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
}
