//! G.711: one byte per sample, logarithmic; A-law in Europe, µ-law in America.
//!
//! Encoding looks up a table of all 65 536 samples, decoding one of 256; both are made when the
//! program is compiled. From law to law goes directly, byte by byte ([`alaw_to_ulaw`],
//! [`ulaw_to_alaw`]), which is what a bridge between the two needs.

/// A-law for no sound.
pub const ALAW_SILENCE: u8 = 0xD5;
/// µ-law for no sound.
pub const ULAW_SILENCE: u8 = 0xFF;

/// Returns how many samples were encoded: the shorter length of the two.
pub fn encode_alaw(samples: &[i16], payload: &mut [u8]) -> usize {
    encode(&ALAW_OF, samples, payload)
}

/// Returns how many samples were encoded: the shorter length of the two.
pub fn encode_ulaw(samples: &[i16], payload: &mut [u8]) -> usize {
    encode(&ULAW_OF, samples, payload)
}

/// Returns how many samples were decoded: the shorter length of the two.
pub fn decode_alaw(payload: &[u8], samples: &mut [i16]) -> usize {
    decode(&OF_ALAW, payload, samples)
}

/// Returns how many samples were decoded: the shorter length of the two.
pub fn decode_ulaw(payload: &[u8], samples: &mut [i16]) -> usize {
    decode(&OF_ULAW, payload, samples)
}

/// Translates a payload in place.
pub fn alaw_to_ulaw(payload: &mut [u8]) {
    for byte in payload {
        *byte = ULAW_OF_ALAW[usize::from(*byte)];
    }
}

/// Translates a payload in place.
pub fn ulaw_to_alaw(payload: &mut [u8]) {
    for byte in payload {
        *byte = ALAW_OF_ULAW[usize::from(*byte)];
    }
}

fn encode(table: &[u8; 65_536], samples: &[i16], payload: &mut [u8]) -> usize {
    for (byte, sample) in payload.iter_mut().zip(samples) {
        *byte = table[usize::from(sample.cast_unsigned())];
    }
    payload.len().min(samples.len())
}

fn decode(table: &[i16; 256], payload: &[u8], samples: &mut [i16]) -> usize {
    for (sample, byte) in samples.iter_mut().zip(payload) {
        *sample = table[usize::from(*byte)];
    }
    payload.len().min(samples.len())
}

static OF_ALAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = alaw_value(byte as u8);
        byte += 1;
    }
    table
};

static OF_ULAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = ulaw_value(byte as u8);
        byte += 1;
    }
    table
};

static ALAW_OF: [u8; 65_536] = {
    let mut table = [0; 65_536];
    let mut bits = 0;
    while bits < 65_536 {
        table[bits] = alaw_byte((bits as u16).cast_signed());
        bits += 1;
    }
    table
};

static ULAW_OF: [u8; 65_536] = {
    let mut table = [0; 65_536];
    let mut bits = 0;
    while bits < 65_536 {
        table[bits] = ulaw_byte((bits as u16).cast_signed());
        bits += 1;
    }
    table
};

static ULAW_OF_ALAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = ulaw_byte(alaw_value(byte as u8));
        byte += 1;
    }
    table
};

static ALAW_OF_ULAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = alaw_byte(ulaw_value(byte as u8));
        byte += 1;
    }
    table
};

/// G.711 table 1: sign, three bits of segment, four of interval; even bits inverted on the line.
const fn alaw_value(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let interval = ((byte & 0x0F) as i16) << 4;
    let segment = (byte & 0x70) >> 4;
    let magnitude = match segment {
        0 => interval + 8,
        segment => (interval + 0x108) << (segment - 1),
    };
    if byte & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn alaw_byte(sample: i16) -> u8 {
    // 13 bits, ones' complement for what is below zero.
    let value = sample >> 3;
    let (sign, magnitude) = if value >= 0 { (0xD5, value) } else { (0x55, -value - 1) };
    let mut segment = 0;
    while segment < 7 && magnitude >= 0x20 << segment {
        segment += 1;
    }
    let interval = if segment < 2 { magnitude >> 1 } else { magnitude >> segment };
    (((segment as u8) << 4) | (interval as u8 & 0x0F)) ^ sign
}

/// G.711 table 2: as A-law, but all bits inverted and a bias that makes the segments meet.
const fn ulaw_value(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((((byte & 0x0F) as i16) << 3) + ULAW_BIAS) << ((byte & 0x70) >> 4);
    if byte & 0x80 != 0 { ULAW_BIAS - magnitude } else { magnitude - ULAW_BIAS }
}

const ULAW_BIAS: i16 = 0x84;

const fn ulaw_byte(sample: i16) -> u8 {
    let (sign, magnitude) =
        if sample < 0 { (0x7F, -(sample as i32)) } else { (0xFF, sample as i32) };
    // 14 bits with their bias, clipped.
    let mut value = (magnitude >> 2) + 33;
    if value > 0x1FFF {
        value = 0x1FFF;
    }
    let mut segment = 0;
    while segment < 7 && value >= 0x40 << segment {
        segment += 1;
    }
    (((segment as u8) << 4) | ((value >> (segment + 1)) as u8 & 0x0F)) ^ sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_being_decoded_and_encoded() {
        for byte in 0..=255 {
            assert_eq!(alaw_byte(alaw_value(byte)), byte, "A-law {byte:#x}");
            // Minus zero is heard as zero.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(ulaw_byte(ulaw_value(byte)), expected, "µ-law {byte:#x}");
        }
    }

    #[test]
    fn the_values_are_those_of_the_standard() {
        assert_eq!(
            [alaw_value(0xD5), alaw_value(0x55), alaw_value(0xAA), alaw_value(0x2A)],
            [8, -8, 32_256, -32_256]
        );
        assert_eq!(
            [ulaw_value(0xFF), ulaw_value(0x7F), ulaw_value(0x80), ulaw_value(0x00)],
            [0, 0, 32_124, -32_124]
        );
        assert_eq!(alaw_byte(0), ALAW_SILENCE);
        assert_eq!(ulaw_byte(0), ULAW_SILENCE);
    }

    #[test]
    fn the_error_is_small_beside_the_sound_everywhere() {
        for sample in i16::MIN..=i16::MAX {
            for heard in [alaw_value(alaw_byte(sample)), ulaw_value(ulaw_byte(sample))] {
                let error = (i32::from(heard) - i32::from(sample)).abs();
                let allowed = i32::from(sample).abs() / 25 + 16;
                let clipped = i32::from(sample).abs() > 32_000 && error < 700;
                assert!(error <= allowed || clipped, "{sample} heard as {heard}");
            }
        }
    }

    #[test]
    fn louder_never_becomes_quieter() {
        for pair in (i16::MIN..=i16::MAX).collect::<Vec<_>>().windows(2) {
            assert!(alaw_value(alaw_byte(pair[0])) <= alaw_value(alaw_byte(pair[1])));
            assert!(ulaw_value(ulaw_byte(pair[0])) <= ulaw_value(ulaw_byte(pair[1])));
        }
    }

    #[test]
    fn silence_stays_silent_from_law_to_law() {
        let mut payload = [ALAW_SILENCE; 4];
        alaw_to_ulaw(&mut payload);
        // A-law has no zero: its smallest value is half a step of µ-law.
        let mut samples = [0; 4];
        decode_ulaw(&payload, &mut samples);
        assert!(samples.iter().all(|sample| sample.abs() <= 8));

        let mut payload = [ULAW_SILENCE; 4];
        ulaw_to_alaw(&mut payload);
        assert_eq!(payload, [ALAW_SILENCE; 4]);
    }

    #[test]
    fn short_buffers_are_filled_as_far_as_they_go() {
        let mut payload = [0; 3];
        assert_eq!(encode_alaw(&[0; 5], &mut payload), 3);
        let mut samples = [0; 9];
        assert_eq!(decode_ulaw(&payload, &mut samples), 3);
    }
}
