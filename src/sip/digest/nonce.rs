use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::base::{Mint, Moment, in_hexadecimal};

/// How long a nonce may be used. Longer than a phone's usual silence, so that most requests prove
/// themselves at once; short enough that a leaked answer is soon worth nothing.
pub(super) const AGE_MAX: Duration = Duration::from_secs(300);

/// The most nonces whose uses are remembered; only the right password makes one.
pub(super) const USED_MAX: usize = 16_384;

/// Hexadecimal digits of time and salt, and of the proof.
const STAMP_DIGITS: usize = 32;
const PROOF_DIGITS: usize = 32;

/// Nonces that prove themselves: `time salt HMAC(time salt)`.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Nonces {
    mint: Mint,
    secret: [u8; 32],
    #[serde(with = "used_as_list")]
    used: BTreeMap<Stamp, Counts>,
    /// Nonces issued up to here count as too old: their uses had to be forgotten.
    forgotten_until: u64,
}

/// Milliseconds since the start of the house, and salt; in order of age.
type Stamp = (u64, u64);

/// Which nonce counts were used: the highest, and the 64 below it as bits. Requests overtake each
/// other, so a lower count is not a replay by itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Counts {
    highest: u32,
    below: u64,
}

/// What a nonce and count are worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Use {
    First,
    Again,
    TooOld,
    NotOurs,
}

impl Nonces {
    pub(super) fn new(mut mint: Mint) -> Self {
        let secret = mint.bytes();
        Self { mint, secret, used: BTreeMap::new(), forgotten_until: 0 }
    }

    pub(super) fn issue(&mut self, now: Moment) -> String {
        let stamp = format!("{:016x}{:016x}", milliseconds(now), self.mint.number());
        let proof = self.proof(&stamp);
        stamp + &proof
    }

    /// Uses a nonce once, whose holder has proved to know the password.
    pub(super) fn spend(&mut self, nonce: &str, count: u32, now: Moment) -> Use {
        let Some((time, salt)) = self.genuine(nonce) else {
            return Use::NotOurs;
        };
        let now = milliseconds(now);
        let oldest = now.saturating_sub(u64::try_from(AGE_MAX.as_millis()).unwrap_or(u64::MAX));
        let is_forgotten = self.forgotten_until > 0 && time <= self.forgotten_until;
        if time < oldest || time > now || is_forgotten {
            return Use::TooOld;
        }
        self.forget(oldest);
        if self.used.entry((time, salt)).or_default().take(count) { Use::First } else { Use::Again }
    }

    fn genuine(&self, nonce: &str) -> Option<Stamp> {
        let (stamp, proof) = nonce.split_at_checked(STAMP_DIGITS)?;
        let is_ours = bool::from(self.proof(stamp).as_bytes().ct_eq(proof.as_bytes()));
        let (time, salt) = stamp.split_at_checked(STAMP_DIGITS / 2)?;
        let stamp = (u64::from_str_radix(time, 16).ok()?, u64::from_str_radix(salt, 16).ok()?);
        is_ours.then_some(stamp)
    }

    fn proof(&self, stamp: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(stamp.as_bytes());
        let mut proof = in_hexadecimal(&mac.finalize().into_bytes());
        proof.truncate(PROOF_DIGITS);
        proof
    }

    /// Drops nonces that are too old anyway, and the oldest if there are too many.
    fn forget(&mut self, oldest: u64) {
        while let Some((time, _)) = self.used.keys().next().copied() {
            let is_full = self.used.len() >= USED_MAX;
            if time >= oldest && !is_full {
                return;
            }
            if is_full {
                self.forgotten_until = self.forgotten_until.max(time);
            }
            self.used.pop_first();
        }
    }
}

impl Counts {
    /// Takes a count; false if it was taken before, or is so low that we can't know.
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            let step = count - self.highest;
            let shifted = self.below.checked_shl(step).unwrap_or(0);
            // The highest so far becomes a bit among those below the new one.
            let former =
                if self.highest > 0 { 1_u64.checked_shl(step - 1).unwrap_or(0) } else { 0 };
            self.below = shifted | former;
            self.highest = count;
            return true;
        }
        let distance = self.highest - count;
        let bit = distance.checked_sub(1).and_then(|at| 1_u64.checked_shl(at));
        match bit {
            Some(bit) if self.below & bit == 0 => {
                self.below |= bit;
                true
            }
            Some(_) | None => false,
        }
    }
}

fn milliseconds(moment: Moment) -> u64 {
    u64::try_from(moment.since_start().as_millis()).unwrap_or(u64::MAX)
}

/// The secret would let anybody make nonces.
impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonces({} used)", self.used.len())
    }
}

/// JSON has no pairs as keys.
mod used_as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Counts, Stamp};

    pub(super) fn serialize<S: Serializer>(
        used: &BTreeMap<Stamp, Counts>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(used.iter())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Stamp, Counts>, D::Error> {
        Ok(Vec::<(Stamp, Counts)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_taken_once_in_whatever_order() {
        let mut counts = Counts::default();

        for count in [1, 3, 2, 70, 7, 69] {
            assert!(counts.take(count), "{count}");
        }
        for count in [1, 3, 2, 70, 7, 69, 5, 0] {
            assert!(!counts.take(count), "{count}");
        }
        assert!(counts.take(6 + 1 + 1));
        assert!(counts.take(u32::MAX));
        assert!(!counts.take(u32::MAX));
        assert!(!counts.take(9));
    }

    #[test]
    fn memory_for_used_nonces_is_bounded_and_forgetting_opens_no_door() {
        let mut nonces = Nonces::new(Mint::from_number(1));
        let at = |milliseconds| Moment::START + Duration::from_millis(milliseconds);
        let first = nonces.issue(at(1));
        assert_eq!(nonces.spend(&first, 1, at(2)), Use::First);

        for i in 0..USED_MAX {
            let moment = at(10 + i as u64 / 100);
            let nonce = nonces.issue(moment);
            assert_eq!(nonces.spend(&nonce, 1, moment), Use::First);
        }

        assert!(nonces.used.len() <= USED_MAX);
        assert_eq!(nonces.spend(&first, 1, at(20_000)), Use::TooOld);
    }
}
