//! Keys in a description: `a=crypto` (RFC 4568), as far as telephones use it.
//!
//! One key per line, without a master key identifier; a line that asks for more, or for less than
//! encryption and authentication, is passed over, as if the suite were unknown (§6.3.7).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::media::rtp::srtp::{MasterKey, Suite};

/// One `a=crypto` line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Crypto {
    /// Names the line, so that an answer can say which it means.
    pub tag: u32,
    pub key: MasterKey,
}

impl Crypto {
    /// `<tag> <suite> inline:<key and salt>[|lifetime] [parameters]`; `None` if we can't do it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= TAG_DIGITS_MAX)?.parse().ok()?;
        let suite = Suite::named(words.next()?)?;
        let inline = words.next()?;
        let (method, key) = inline.split_once(':')?;
        // Several keys come with identifiers, which would stand in every packet.
        if !method.eq_ignore_ascii_case("inline") || key.contains(';') {
            return None;
        }
        let mut parts = key.split('|');
        let octets = from_base64(parts.next()?)?;
        if parts.any(|part| part.contains(':')) {
            return None;
        }
        // §6.3: what begins with a dash may be ignored, and a window's size is advice.
        let bearable = |word: &str| word.starts_with('-') || word.starts_with("WSH=");
        if !words.all(bearable) {
            return None;
        }
        Some(Self { tag, key: MasterKey::new(suite, &octets)? })
    }
}

/// As it is written: the one place where a key becomes text.
pub(super) struct Line<'a>(pub &'a Crypto);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crypto { tag, key } = self.0;
        write!(f, "{tag} {} inline:{}", key.suite().name(), to_base64(key.octets()))
    }
}

#[cfg(test)]
pub(crate) fn print_key(key: &MasterKey) -> String {
    to_base64(key.octets())
}

pub(super) fn to_base64(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - three.len()));
        for at in 0..4 {
            match at <= three.len() {
                true => text.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 0x3F])),
                false => text.push('='),
            }
        }
    }
    text
}

/// The padding may be missing.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() > KEY_TEXT_MAX {
        return None;
    }
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in four {
            let value = ALPHABET.iter().position(|known| known == digit)?;
            bits = bits << 6 | value as u32;
        }
        bits <<= 6 * (4 - four.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        octets.extend_from_slice(&bytes[..four.len() * 3 / 4]);
    }
    Some(octets)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// §9.1: one to nine digits.
const TAG_DIGITS_MAX: usize = 9;

/// Longer than any key of ours.
const KEY_TEXT_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4568 §6.1, without its identifier.
    const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 \
        inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20";

    #[test]
    fn a_key_is_read_and_written() {
        let crypto = Crypto::parse(LINE).unwrap();

        assert_eq!((crypto.tag, crypto.key.suite()), (1, Suite::AesCm128Sha1Tag80));
        assert_eq!(crypto.key.octets(), b"YS___semctl () {\t220;}\n}\nunles");
        assert_eq!(Line(&crypto).to_string(), LINE.replace("|2^20", ""));
        for suite in Suite::ALL {
            let octets = vec![0xA5; suite.key_length() + 14];
            let crypto = Crypto { tag: 7, key: MasterKey::new(suite, &octets).unwrap() };
            assert_eq!(Crypto::parse(&Line(&crypto).to_string()), Some(crypto));
        }
    }

    #[test]
    fn what_we_can_not_do_is_passed_over() {
        let with = |parameters: &str| Crypto::parse(&format!("{LINE} {parameters}"));
        assert!(with("WSH=128 -SOMETHING").is_some());
        for bad in [
            "UNENCRYPTED_SRTP",
            "UNAUTHENTICATED_SRTP",
            "UNENCRYPTED_SRTCP",
            "KDR=3",
            "FEC_ORDER=SRTP_FEC",
        ] {
            assert_eq!(with(bad), None, "{bad}");
        }
        for bad in [
            "",
            "1",
            "x AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
            "1234567890 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
            "1 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
            "1 AES_CM_128_HMAC_SHA1_80 WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
            "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG",
            "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG!z",
            "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4",
            "1 AES_256_CM_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        ] {
            assert_eq!(Crypto::parse(bad), None, "{bad}");
        }
        assert_eq!(
            Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", "A".repeat(9_000))),
            None
        );
    }
}
