use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// A seeded source of everything that must be unguessable: tags, branches, nonces, Call-IDs.
///
/// Chance enters the house here and nowhere else, so a seed and the facts replay a whole evening.
/// `serve` seeds it from the operating system, tests from a constant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mint {
    rng: ChaCha12Rng,
}

impl Mint {
    /// A mint whose whole future follows from `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { rng: ChaCha12Rng::from_seed(seed) }
    }

    /// A mint for tests and simulations, from a number a person can write down.
    pub fn from_number(number: u64) -> Self {
        Self { rng: ChaCha12Rng::seed_from_u64(number) }
    }

    /// A new mint, independent of this one, so that two machines need not share.
    #[must_use]
    pub fn split(&mut self) -> Self {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Self::from_seed(seed)
    }

    /// 64 random bits.
    pub fn number(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number below `bound`; `bound` must not be zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a number below zero can't be drawn");
        // The bias is under 2^-32 for every bound this program uses (ports, percentages, delays).
        self.rng.next_u64() % bound
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// 128 random bits in letters and digits that need no quoting anywhere in SIP.
    pub fn token(&mut self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
        let bits = u128::from_be_bytes(self.bytes());
        (0..26).map(|i| char::from(LETTERS[((bits >> (i * 5)) & 31) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_future() {
        let mut one = Mint::from_number(7);
        let mut other = Mint::from_number(7);

        assert_eq!(one.token(), other.token());
        assert_eq!(one.split().number(), other.split().number());
    }

    #[test]
    fn a_token_is_made_of_letters_and_digits_only() {
        let token = Mint::from_number(1).token();

        assert_eq!(token.len(), 26);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
