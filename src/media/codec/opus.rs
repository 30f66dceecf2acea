//! Opus (RFC 6716, RFC 8251), for the phones of listeners: encoded at the rate of whoever is on the
//! other side, decoded at 16 kHz.
//!
//! The codec itself is `opus-pure` (ADR 0013, 0018). Its state can't be written down: a coder that was
//! begins anew, which is heard for a few milliseconds. Packets keep one size (RFC 6562: sizes that
//! vary with what is said tell what is said, encrypted or not) and carry the one before again at a
//! low rate, for when that is lost.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opus_pure::{Application, OpusDecoder, OpusEncoder, RateControl};
use serde::{Deserialize, Serialize};

/// Most samples in one packet: 120 ms at 16 kHz.
pub const SAMPLES_MAX: usize = 1_920;

/// No packet of ours is longer.
pub const OCTETS_MAX: usize = 240;

/// How long the frames of Opus may be, up to 60 ms, in ticks of 8 kHz.
pub const FRAMES: [usize; 6] = [20, 40, 80, 160, 320, 480];

/// Turns samples into packets.
#[derive(Deserialize, Serialize)]
#[serde(from = "u32", into = "u32")]
pub struct Encoder {
    rate: u32,
    inner: Box<OpusEncoder>,
}

/// Turns packets into samples at 16 kHz, whatever they were made from.
#[derive(Deserialize, Serialize)]
#[serde(from = "()", into = "()")]
pub struct Decoder(Box<OpusDecoder>);

impl Encoder {
    /// `rate`: 8 000 or 16 000 samples a second.
    pub fn new(rate: u32) -> Self {
        let mut inner = OpusEncoder::new(rate.cast_signed(), 1, Application::Voip)
            .expect("telephones' rates are rates of Opus");
        inner.bitrate_bps = BITS;
        inner.complexity = complexity(rate);
        inner.rate_control = RateControl::Cbr;
        inner.use_inband_fec = true;
        inner.packet_loss_perc = 10;
        Self { rate, inner: Box::new(inner) }
    }

    /// Whoever hears it wants no more bits a second than these (RFC 7587 §6.1).
    pub fn limit(&mut self, bits_max: Option<u32>) {
        let wanted = bits_max.map_or(i32::MAX, |bits| i32::try_from(bits).unwrap_or(i32::MAX));
        self.inner.bitrate_bps = BITS.min(wanted);
    }

    /// A whole frame, of a length that Opus knows; returns the packet's length, or 0.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        self.careful(samples.len(), |inner| {
            inner.encode_s16(samples, samples.len(), payload).unwrap_or(0)
        })
    }

    /// A mistake in the codec costs this frame, and nobody else anything.
    fn careful(&mut self, ticks: usize, act: impl FnOnce(&mut OpusEncoder) -> usize) -> usize {
        if !FRAMES.iter().any(|frame| frame * (self.rate / 8_000) as usize == ticks) {
            return 0;
        }
        let inner = &mut self.inner;
        match catch_unwind(AssertUnwindSafe(move || act(inner))) {
            Ok(length) => length,
            Err(_) => {
                *self = Self::new(self.rate);
                0
            }
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        let inner =
            OpusDecoder::new(RATE.cast_signed(), 1).expect("telephones' rates are rates of Opus");
        Self(Box::new(inner))
    }
}

impl Decoder {
    /// A packet; returns how many samples were written, 0 if it is none.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> usize {
        if packet.is_empty() {
            return 0;
        }
        let room = samples.len().min(SAMPLES_MAX);
        self.careful(|inner| inner.decode_s16(packet, room, samples).ok())
    }

    /// 20 ms that were lost, from the packet behind them.
    pub fn recover(&mut self, next: &[u8], samples: &mut [i16]) -> usize {
        if next.is_empty() || samples.len() < FRAME_SAMPLES {
            return 0;
        }
        self.careful(|inner| inner.decode_fec_s16(next, FRAME_SAMPLES, samples).ok())
    }

    /// 20 ms that were lost, from those before them.
    pub fn conceal(&mut self, samples: &mut [i16]) -> usize {
        if samples.len() < FRAME_SAMPLES {
            return 0;
        }
        self.careful(|inner| inner.decode_s16(&[], FRAME_SAMPLES, samples).ok())
    }

    /// A mistake in the codec costs this party a moment of sound, and nobody else anything.
    fn careful(&mut self, act: impl FnOnce(&mut OpusDecoder) -> Option<usize>) -> usize {
        let inner = &mut self.0;
        match catch_unwind(AssertUnwindSafe(move || act(inner))) {
            Ok(samples) => samples.unwrap_or(0),
            Err(_) => {
                *self = Self::default();
                0
            }
        }
    }
}

impl Clone for Encoder {
    fn clone(&self) -> Self {
        Self::new(self.rate)
    }
}

impl Clone for Decoder {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl From<u32> for Encoder {
    fn from(rate: u32) -> Self {
        Self::new(telephone_rate(rate))
    }
}

impl From<()> for Decoder {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<Encoder> for u32 {
    fn from(encoder: Encoder) -> Self {
        encoder.rate
    }
}

impl From<Decoder> for () {
    fn from(_: Decoder) {}
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "opus::Encoder({})", self.rate)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("opus::Decoder")
    }
}

fn telephone_rate(rate: u32) -> u32 {
    if rate > 8_000 { 16_000 } else { 8_000 }
}

/// What decoders give: at 8 kHz `opus-pure` 0.2 spoils wideband packets (ADR 0013).
const RATE: u32 = 16_000;

/// 20 ms.
const FRAME_SAMPLES: usize = 320;

/// How many bits a second speech and tones come out well with (ADR 0018).
const BITS: i32 = 40_000;

/// Beyond it an ear on a telephone hears nothing (ADR 0018).
fn complexity(rate: u32) -> i32 {
    if rate > 8_000 { 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::sound::resample::resample;
    use crate::media::sound::tone::sine;
    use crate::media::sound::{heard_tone, root_mean_square, wav};

    const TONES: [f64; 4] = [300.0, 600.0, 1_000.0, 2_000.0];

    fn packets(rate: u32) -> Vec<Vec<u8>> {
        let sound = sine(1_000.0, rate, Duration::from_secs(2), 0.25);
        let mut encoder = Encoder::new(rate);
        sound.chunks(rate as usize / 50).map(|frame| packet(&mut encoder, frame)).collect()
    }

    fn packet(encoder: &mut Encoder, frame: &[i16]) -> Vec<u8> {
        let mut packet = vec![0; OCTETS_MAX];
        let length = encoder.encode(frame, &mut packet);
        packet.truncate(length);
        packet
    }

    /// RFC 6716; RFC 6562: sizes tell nothing.
    #[test]
    fn a_tone_comes_through_at_either_rate_in_packets_of_one_size() {
        for rate in [8_000, 16_000] {
            let packets = packets(rate);
            assert!(packets.iter().all(|packet| packet.len() == packets[0].len()));
            // Whatever it was made from (RFC 7587 §4.1).
            let mut decoder = Decoder::default();
            let mut heard = Vec::new();
            for packet in &packets {
                let mut samples = [0; SAMPLES_MAX];
                let count = decoder.decode(packet, &mut samples);
                assert_eq!(count, 320);
                heard.extend(&samples[..count]);
            }
            let middle = &heard[heard.len() / 4..heard.len() * 3 / 4];
            assert_eq!(heard_tone(middle, 16_000, &TONES), Some(1_000.0));
        }
    }

    #[test]
    fn what_is_lost_is_made_up_from_what_comes_next_or_came_before() {
        let packets = packets(16_000);
        let mut decoder = Decoder::default();
        let mut heard = Vec::new();
        for (at, packet) in packets.iter().enumerate() {
            let mut samples = [0; SAMPLES_MAX];
            let count = match at % 10 {
                4 => decoder.recover(&packets[at + 1], &mut samples),
                8 => decoder.conceal(&mut samples),
                _ => decoder.decode(packet, &mut samples),
            };
            assert_eq!(count, 320, "{at}");
            heard.push(root_mean_square(&samples[..count]));
        }
        // The tone's own is 0.177.
        for (at, level) in heard.iter().enumerate().skip(10) {
            assert!((0.04..0.35).contains(level), "frame {at}: {level}");
        }
    }

    /// RFC 6716 §2.1.7: from the copy in the packet behind it, and without that from what came before.
    #[test]
    fn what_is_lost_of_a_voice_is_made_up_at_either_rate() {
        let voice = wav::read(include_bytes!("../../../prompts/fr/accueil-3133.wav")).unwrap();
        for rate in [8_000, 16_000] {
            let mut encoder = Encoder::new(rate);
            let packets: Vec<Vec<u8>> = resample(&voice, rate)
                .samples
                .chunks_exact(rate as usize / 50)
                .map(|sound| packet(&mut encoder, sound))
                .collect();
            let (mut whole, mut holed) = (Decoder::default(), Decoder::default());
            let (mut recovered, mut astray) = (0.0, 0.0);
            let (mut concealed, mut made_up) = (0.0, 0.0);
            for (at, pair) in packets.windows(2).enumerate() {
                let (mut said, mut heard) = ([0; SAMPLES_MAX], [0; SAMPLES_MAX]);
                whole.decode(&pair[0], &mut said);
                let count = match at % 12 {
                    3 => {
                        let count = holed.recover(&pair[1], &mut heard);
                        recovered += power(said.iter().copied().map(f64::from));
                        let differences = said.iter().zip(&heard);
                        astray += power(differences.map(|(a, b)| f64::from(*a) - f64::from(*b)));
                        count
                    }
                    9 => {
                        let count = holed.conceal(&mut heard);
                        concealed += power(said.iter().copied().map(f64::from));
                        made_up += power(heard.iter().copied().map(f64::from));
                        count
                    }
                    _ => holed.decode(&pair[0], &mut heard),
                };
                assert_eq!(count, 320, "{rate}, frame {at}");
            }
            assert!(recovered > 4.0 * astray, "{rate}: {:.2}", recovered / astray);
            let share = made_up / concealed;
            assert!((0.1..2.0).contains(&share), "{rate}: {share:.2}");
        }
    }

    fn power(samples: impl Iterator<Item = f64>) -> f64 {
        samples.map(|sample| sample * sample).sum()
    }

    #[test]
    fn a_mistake_in_the_codec_costs_one_frame() {
        let tone = sine(1_000.0, 8_000, Duration::from_millis(20), 0.25);
        let (mut encoder, mut decoder) = (Encoder::new(8_000), Decoder::default());
        let mut packet = [0; OCTETS_MAX];

        assert_eq!(encoder.careful(160, |_| panic!("on purpose")), 0);
        assert_eq!(decoder.careful(|_| panic!("on purpose")), 0);

        let length = encoder.encode(&tone, &mut packet);
        assert!(length > 0);
        assert_eq!(decoder.decode(&packet[..length], &mut [0; SAMPLES_MAX]), 320);
    }

    #[test]
    fn hostile_packets_do_no_harm() {
        let mut decoder = Decoder::default();
        let mut seed = 5_u32;
        for length in 0..300 {
            let packet: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let mut samples = [0; SAMPLES_MAX];
            assert!(decoder.decode(&packet, &mut samples) <= SAMPLES_MAX);
            assert!(decoder.recover(&packet, &mut samples) <= SAMPLES_MAX);
            assert_eq!(decoder.decode(&packet, &mut []), 0);
        }
        assert_eq!(Encoder::new(8_000).encode(&[0; 7], &mut [0; OCTETS_MAX]), 0);
        assert_eq!(Encoder::new(8_000).encode(&[0; 160], &mut []), 0);
    }
}
