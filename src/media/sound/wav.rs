//! Reading and writing WAV files: the only home of `hound`.
//!
//! A prompt is 16 bit PCM, mono, 16 kHz or more. Everything else is refused with a reason a person
//! can act on. `hound` reads a file that was cut short without a word, so the chunks are measured
//! here first (RIFF, Multimedia Programming Interface 1.0 §2).

use std::io::Cursor;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::Recording;

/// Below this, half of what makes a voice pleasant is gone, and G.722 has nothing to send.
pub const RATE_MIN: u32 = 16_000;

/// No sound card goes further.
pub const RATE_MAX: u32 = 192_000;

/// Longer is a mistake, and would be held in memory once per codec.
pub const DURATION_MAX: Duration = Duration::from_secs(15 * 60);

/// Why a file can't be played to anyone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unusable {
    #[error("it is not a WAV file")]
    NotWav,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is cut short: {missing} bytes of sound are missing")]
    Truncated { missing: u64 },
    #[error(
        "its length is not written in it (it came through a pipe): save it to a file once more"
    )]
    Unfinished,
    #[error("it is compressed (format {format:#06x}): save it as 16 bit PCM")]
    NotPcm { format: u16 },
    #[error("it has {channels} channels: save it as mono")]
    NotMono { channels: u16 },
    #[error("it has {bits} bits a sample: save it as 16 bit PCM")]
    NotSixteenBit { bits: u16 },
    #[error(
        "it has {rate} samples a second, less than {RATE_MIN}: record it again at 16 kHz or more"
    )]
    RateTooLow { rate: u32 },
    #[error("it has {rate} samples a second, more than {RATE_MAX}")]
    RateTooHigh { rate: u32 },
    #[error("it holds no sound")]
    Empty,
    #[error("it lasts longer than 15 minutes")]
    TooLong,
}

/// Reads a prompt.
pub fn read(bytes: &[u8]) -> Result<Recording, Unusable> {
    let layout = Layout::of(bytes)?;
    match layout.format {
        FORMAT_PCM => {}
        format => return Err(Unusable::NotPcm { format }),
    }
    if layout.channels != 1 {
        return Err(Unusable::NotMono { channels: layout.channels });
    }
    if layout.bits != 16 {
        return Err(Unusable::NotSixteenBit { bits: layout.bits });
    }
    if layout.rate < RATE_MIN {
        return Err(Unusable::RateTooLow { rate: layout.rate });
    }
    if layout.rate > RATE_MAX {
        return Err(Unusable::RateTooHigh { rate: layout.rate });
    }
    if layout.data_size == UNKNOWN_SIZE || layout.data_size == 0 && layout.data_present > 0 {
        return Err(Unusable::Unfinished);
    }
    if layout.data_size > layout.data_present {
        return Err(Unusable::Truncated { missing: layout.data_size - layout.data_present });
    }
    if layout.data_size < 2 {
        return Err(Unusable::Empty);
    }
    let seconds = layout.data_size / 2 / u64::from(layout.rate);
    if seconds >= DURATION_MAX.as_secs() {
        return Err(Unusable::TooLong);
    }
    let reader = WavReader::new(Cursor::new(bytes)).map_err(damaged)?;
    let samples = reader.into_samples::<i16>().collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    Ok(Recording { rate: layout.rate, samples })
}

/// Writes a recording the way [`read`] likes it.
pub fn write(recording: &Recording) -> Vec<u8> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: recording.rate,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).expect("memory takes what is written to it");
    for sample in &recording.samples {
        writer.write_sample(*sample).expect("memory takes what is written to it");
    }
    writer.finalize().expect("memory takes what is written to it");
    bytes.into_inner()
}

/// Where things are in the file.
struct Layout {
    format: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    /// What the file says.
    data_size: u64,
    /// What is there.
    data_present: u64,
}

impl Layout {
    fn of(bytes: &[u8]) -> Result<Self, Unusable> {
        if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(Unusable::NotWav);
        }
        let mut format = None;
        let mut at = 12;
        while let Some(header) = bytes.get(at..at + 8) {
            let size = u32_at(header, 4).map_or(0, u64::from);
            let body = &bytes[at + 8..];
            match &header[..4] {
                b"fmt " => format = Some(Format::of(body)?),
                b"data" => {
                    let Some(format) = format else {
                        return Err(Unusable::Damaged("its format is not said".into()));
                    };
                    return Ok(Self {
                        format: format.tag,
                        channels: format.channels,
                        rate: format.rate,
                        bits: format.bits,
                        data_size: size,
                        data_present: body.len() as u64,
                    });
                }
                _ => {}
            }
            // Chunks are padded to an even size.
            let Some(next) = usize::try_from(size + (size & 1))
                .ok()
                .and_then(|skip| at.checked_add(8)?.checked_add(skip))
            else {
                break;
            };
            at = next;
        }
        Err(if format.is_some() {
            Unusable::Empty
        } else {
            Unusable::Damaged("it ends early".into())
        })
    }
}

#[derive(Clone, Copy)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Format {
    fn of(body: &[u8]) -> Result<Self, Unusable> {
        let fields = (u16_at(body, 0), u16_at(body, 2), u32_at(body, 4), u16_at(body, 14));
        let (Some(tag), Some(channels), Some(rate), Some(bits)) = fields else {
            return Err(Unusable::Damaged("it ends early".into()));
        };
        // WAVE_FORMAT_EXTENSIBLE hides the true format at the head of its GUID.
        let tag = if tag == 0xFFFE { u16_at(body, 24).unwrap_or(tag) } else { tag };
        Ok(Self { tag, channels, rate, bits })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn damaged(error: hound::Error) -> Unusable {
    Unusable::Damaged(error.to_string())
}

const FORMAT_PCM: u16 = 1;

/// What programs write that don't know how much will come.
const UNKNOWN_SIZE: u64 = 0xFFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let recording = Recording { rate: 16_000, samples: (0..1_000).map(|i| i * 30).collect() };

        assert_eq!(read(&write(&recording)), Ok(recording));
    }

    #[test]
    fn a_file_cut_short_is_refused_and_says_by_how_much() {
        let whole = write(&Recording { rate: 16_000, samples: vec![5; 1_000] });

        let read = read(&whole[..whole.len() - 600]);

        assert_eq!(read, Err(Unusable::Truncated { missing: 600 }));
    }

    #[test]
    fn a_file_from_a_pipe_is_refused() {
        let mut bytes = write(&Recording { rate: 16_000, samples: vec![5; 100] });
        let size = bytes.windows(4).position(|four| four == b"data").unwrap() + 4;
        bytes[size..size + 4].copy_from_slice(&[0xFF; 4]);

        assert_eq!(read(&bytes), Err(Unusable::Unfinished));
    }

    #[test]
    fn what_no_telephone_should_play_is_refused_with_its_reason() {
        let good = write(&Recording { rate: 16_000, samples: vec![5; 100] });
        let with = |at: usize, value: &[u8]| {
            let mut bytes = good.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            read(&bytes)
        };

        // The format chunk begins at 20: tag, channels, rate, octets a second, block, bits.
        assert_eq!(with(20, &[6, 0]), Err(Unusable::NotPcm { format: 6 }));
        assert_eq!(with(22, &[2, 0]), Err(Unusable::NotMono { channels: 2 }));
        assert_eq!(with(34, &[8, 0]), Err(Unusable::NotSixteenBit { bits: 8 }));
        assert_eq!(with(24, &[0x40, 0x1F]), Err(Unusable::RateTooLow { rate: 8_000 }));
        assert_eq!(with(0, b"RF64"), Err(Unusable::NotWav));
        assert_eq!(read(b""), Err(Unusable::NotWav));
        assert_eq!(read(&good[..30]), Err(Unusable::Damaged("it ends early".into())));
        let empty = write(&Recording { rate: 16_000, samples: vec![] });
        assert_eq!(read(&empty), Err(Unusable::Empty));
    }
}
