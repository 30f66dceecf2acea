//! What keeps a listener's ear from harm: no peak above −6 dBFS, and a sound that stays as loud as
//! that is turned down (T-26).
//!
//! Whoever wears a headset all day must not be hurt by a whistle, a fax, or a receiver knocked
//! against a table. Speech passes untouched; a shout is bent under the ceiling; a tone or a howl,
//! which no voice sustains at that level, is turned down by 12 dB after 60 ms until it has been
//! quiet for a second. On G.711 all of this is one look at the payload and, rarely, a table.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::codec::Codec;
use super::codec::g711;
use super::sound::mix::{EAR_CEILING, limit};

/// Watches over what one listener hears.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct EarGuard {
    /// Frames in a row that were as loud as no voice stays.
    loud: u8,
    /// Frames for which it stays turned down.
    turned_down: u8,
}

impl EarGuard {
    /// Guards a payload of G.711 where it lies. Any other is left as it is: its samples are
    /// guarded on their way.
    pub fn guard_payload(&mut self, codec: Codec, payload: &mut [u8]) {
        let law = match codec {
            Codec::Pcma => &*ALAW,
            Codec::Pcmu => &*ULAW,
            Codec::G722 | Codec::Opus => return,
        };
        for frame in payload.chunks_mut(FRAME_SAMPLES) {
            let mut samples = [0; FRAME_SAMPLES];
            let samples = &mut samples[..frame.len()];
            (law.decode)(frame, samples);
            let peak = peak(samples);
            let table = match self.hears(samples) {
                true => &law.turned_down,
                false if peak > KNEE => &law.limited,
                false => continue,
            };
            for byte in frame {
                *byte = table[usize::from(*byte)];
            }
        }
    }

    /// Guards samples that an encoder will see next, which may add a little.
    pub fn guard_samples(&mut self, samples: &mut [i16]) {
        if self.hears(samples) {
            samples.iter_mut().for_each(|sample| *sample /= TURNED_DOWN_BY);
        }
        if peak(samples) > CEILING_BEFORE_CODEC as u16 / 4 * 3 {
            limit(samples, CEILING_BEFORE_CODEC);
        }
    }

    /// Takes note of a frame's level; says whether it is to be turned down.
    fn hears(&mut self, samples: &[i16]) -> bool {
        let power: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
        if power > LOUD * samples.len() as u64 {
            self.loud = self.loud.saturating_add(1);
            if self.loud >= SUSTAINED {
                self.turned_down = RELEASE;
            }
        } else {
            self.loud = 0;
            self.turned_down = self.turned_down.saturating_sub(1);
        }
        self.turned_down > 0
    }
}

/// What becomes of each byte of one law.
struct Law {
    decode: fn(&[u8], &mut [i16]) -> usize,
    limited: [u8; 256],
    turned_down: [u8; 256],
}

static ALAW: LazyLock<Law> = LazyLock::new(|| Law::new(g711::decode_alaw, g711::encode_alaw));
static ULAW: LazyLock<Law> = LazyLock::new(|| Law::new(g711::decode_ulaw, g711::encode_ulaw));

impl Law {
    fn new(decode: fn(&[u8], &mut [i16]) -> usize, encode: fn(&[i16], &mut [u8]) -> usize) -> Self {
        let bytes: [u8; 256] = std::array::from_fn(|byte| byte as u8);
        let mut heard = [0; 256];
        decode(&bytes, &mut heard);
        let table = |divisor: i16| {
            heard.map(|sample| {
                let mut one = [sample / divisor];
                limit(&mut one, EAR_CEILING);
                // A law's steps are wide up here: the next one below, if it rounds over the ceiling.
                loop {
                    let (mut byte, mut back) = ([0], [0]);
                    encode(&one, &mut byte);
                    decode(&byte, &mut back);
                    if back[0].unsigned_abs() <= EAR_CEILING.unsigned_abs() {
                        return byte[0];
                    }
                    one[0] -= one[0].signum() * 64;
                }
            })
        };
        Self { decode, limited: table(1), turned_down: table(TURNED_DOWN_BY) }
    }
}

fn peak(samples: &[i16]) -> u16 {
    samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

/// 20 ms at 8 kHz.
const FRAME_SAMPLES: usize = 160;

/// Below this nothing is changed: three quarters of the ceiling.
const KNEE: u16 = EAR_CEILING as u16 / 4 * 3;

/// G.722 adds its own noise, up to 3 dB on square waves.
const CEILING_BEFORE_CODEC: i16 = EAR_CEILING / 10 * 7;

/// The mean square of a tone whose peaks are at −6 dBFS: −9 dBFS. A voice reaches it for a
/// syllable's heart only.
const LOUD: u64 = (EAR_CEILING as u64).pow(2) / 2;

/// Frames.
const SUSTAINED: u8 = 3;

/// Frames: a second.
const RELEASE: u8 = 50;

/// 12 dB.
const TURNED_DOWN_BY: i16 = 4;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::codec::{Decoder, Encoder};
    use crate::media::sound::tone::sine;

    fn guarded(guard: &mut EarGuard, codec: Codec, sound: &[i16]) -> Vec<i16> {
        let mut payload = vec![0; sound.len()];
        Encoder::new(codec).encode(sound, &mut payload);
        payload.chunks_mut(160).for_each(|packet| guard.guard_payload(codec, packet));
        let mut heard = vec![0; sound.len()];
        Decoder::new(codec).decode(&payload, &mut heard);
        heard
    }

    #[test]
    fn speech_passes_untouched() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let sound = sine(400.0, 8_000, Duration::from_secs(1), 0.3);
            let mut plain = vec![0; 8_000];
            let mut payload = vec![0; 8_000];
            Encoder::new(codec).encode(&sound, &mut payload);
            Decoder::new(codec).decode(&payload, &mut plain);

            assert_eq!(guarded(&mut EarGuard::default(), codec, &sound), plain);
        }
    }

    #[test]
    fn no_byte_of_either_law_is_louder_than_the_ceiling() {
        let bytes: [u8; 256] = std::array::from_fn(|byte| byte as u8);
        for (law, codec) in [(&*ALAW, Codec::Pcma), (&*ULAW, Codec::Pcmu)] {
            for table in [law.limited, law.turned_down] {
                let mut heard = [0; 256];
                Decoder::new(codec).decode(&table, &mut heard);
                assert!(peak(&heard) <= EAR_CEILING as u16, "{codec:?}");
            }
            // What is quiet stays what it is.
            let mut heard = [0; 256];
            Decoder::new(codec).decode(&bytes, &mut heard);
            for (byte, sample) in heard.iter().enumerate().filter(|it| it.1.unsigned_abs() < KNEE) {
                let same = law.limited[byte] == byte as u8 || *sample == 0;
                assert!(same, "{codec:?} {byte}");
            }
        }
    }

    #[test]
    fn a_shout_is_bent_and_a_howl_is_turned_down_until_it_ends() {
        let mut guard = EarGuard::default();
        let howl = sine(1_000.0, 8_000, Duration::from_secs(1), 0.99);
        let shout = &howl[2_000..2_320];

        let heard = guarded(&mut guard, Codec::Pcma, shout);
        assert!((12_000..=EAR_CEILING as u16).contains(&peak(&heard)), "{}", peak(&heard));

        let heard = guarded(&mut guard, Codec::Pcma, &howl);
        assert!(peak(&heard) <= EAR_CEILING as u16);
        assert!(peak(&heard[800..]) <= 8_200, "{}", peak(&heard[800..]));

        // A second of quiet, and a voice is a voice again.
        guarded(&mut guard, Codec::Pcma, &[0; 8_320]);
        let voice = sine(400.0, 8_000, Duration::from_millis(100), 0.3);
        assert!(peak(&guarded(&mut guard, Codec::Pcma, &voice)) > 9_000);
    }
}
