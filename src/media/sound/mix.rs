//! Arithmetic on levels: adding voices, and keeping what reaches an ear within bounds.

/// Adds one sound to another, held within full scale.
pub fn mix_into(sum: &mut [i16], other: &[i16]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum = sum.saturating_add(*other);
    }
}

/// Holds every sample within `ceiling`, bending what comes near it rather than cutting it off.
pub fn limit(samples: &mut [i16], ceiling: i16) {
    let ceiling = f32::from(ceiling.max(1));
    // Up to here nothing changes; above, the rest of the range is squeezed in.
    let knee = ceiling * 0.75;
    for sample in samples {
        let amplitude = f32::from(*sample).abs();
        if amplitude > knee {
            let above = (amplitude - knee) / (ceiling - knee);
            let bent = knee + (ceiling - knee) * (1.0 - (-above).exp());
            *sample = (bent.min(ceiling) * f32::from(sample.signum())) as i16;
        }
    }
}

/// −6 dBFS: louder hurts a listener who wears a headset (T-26).
pub const EAR_CEILING: i16 = 16_422;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_loud_voices_do_not_wrap_around() {
        let mut sum = [30_000, -30_000, 100];

        mix_into(&mut sum, &[10_000, -10_000, 23]);

        assert_eq!(sum, [i16::MAX, i16::MIN, 123]);
    }

    #[test]
    fn the_limiter_leaves_speech_alone_and_holds_the_ceiling() {
        let mut samples = [0, 5_000, -12_000, 20_000, -32_768, i16::MAX];

        limit(&mut samples, EAR_CEILING);

        assert_eq!(samples[..3], [0, 5_000, -12_000]);
        assert!(samples.iter().all(|sample| sample.unsigned_abs() <= EAR_CEILING as u16));
        assert!(samples[3] > 14_000);
    }
}
