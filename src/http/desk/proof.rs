//! Whether somebody is who they say: the password, and a second step for those who have one.
//!
//! A page password is kept as argon2id makes it (RFC 9106); a listener without one signs in with the password
//! of their phone, of which the plan holds the digest. Both ways, and for a name nobody has, the same work is
//! done, so that the time it takes tells nothing. The second step is RFC 6238: six digits, thirty seconds,
//! one step early or late, each code once.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base::{ListenerName, in_hexadecimal};

/// The longest password that is looked at.
pub const PASSWORD_MAX: usize = 256;

/// What is known of somebody's secrets.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The PHC string of their page password.
    pub password: Option<String>,
    /// H(user:realm:password) of their phone, SHA-256, and the realm.
    pub phone: Option<(String, String)>,
    /// Base 32.
    pub totp: Option<String>,
}

/// Whether this is the password. Takes tens of milliseconds, on purpose.
pub(super) fn is_password(name: &ListenerName, secrets: Option<&Secrets>, password: &str) -> bool {
    let kept = secrets.and_then(|secrets| secrets.password.as_deref());
    let parsed = PasswordHash::new(kept.unwrap_or(NOBODYS));
    let right = parsed
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    if kept.is_some() {
        return right;
    }
    let Some((expected, realm)) = secrets.and_then(|secrets| secrets.phone.as_ref()) else {
        return false;
    };
    let digest = Sha256::digest(format!("{name}:{realm}:{password}").as_bytes());
    bool::from(in_hexadecimal(&digest).as_bytes().ct_eq(expected.as_bytes()))
}

/// What is kept of a page password.
pub fn kept(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|fault| fault.to_string())
}

/// Somebody's hash of something, for the work it makes.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The step this code is for, if it is right at this second of the epoch.
pub fn step_of(secret: &str, code: &str, second: u64) -> Option<u64> {
    let key = from_base32(secret)?;
    let code = code.trim();
    let step = second / STEP;
    [step.saturating_sub(1), step, step + 1]
        .into_iter()
        .find(|step| bool::from(code_at(&key, *step).as_bytes().ct_eq(code.as_bytes())))
}

const STEP: u64 = 30;

fn code_at(key: &[u8], step: u64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 15);
    let word =
        digest.iter().skip(offset).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for letter in text.bytes().filter(|byte| !matches!(byte, b'=' | b' ')) {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 255).ok()?);
        }
    }
    (bytes.len() >= 10).then_some(bytes)
}

/// A secret for the second step, as apps take it.
pub fn in_base32(bytes: &[u8; 20]) -> String {
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    (0..32)
        .map(|letter| {
            let value = (0..5).fold(0, |value, at| value << 1 | bit(letter * 5 + at));
            char::from(LETTERS[usize::from(value)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_password_a_phone_password_and_nobody() {
        let lea: ListenerName = "lea".parse().unwrap();
        let phone = in_hexadecimal(&Sha256::digest(b"lea:hotline:correct horse"));
        let by_phone = Secrets { phone: Some((phone, "hotline".into())), ..Secrets::default() };
        assert!(is_password(&lea, Some(&by_phone), "correct horse"));
        assert!(!is_password(&lea, Some(&by_phone), "correct horsf"));

        let kept = kept("a better one").unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        let by_page = Secrets { password: Some(kept), ..by_phone };
        assert!(is_password(&lea, Some(&by_page), "a better one"));
        assert!(!is_password(&lea, Some(&by_page), "correct horse"));

        assert!(!is_password(&lea, None, ""));
        let spoilt = Secrets { password: Some("x".into()), ..Secrets::default() };
        assert!(!is_password(&lea, Some(&spoilt), "x"));
        // The work for nobody must be the same work.
        assert!(PasswordHash::new(NOBODYS).is_ok());
    }

    /// RFC 6238 appendix B, its last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = in_base32(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let table = [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")];
        for (second, code) in table {
            assert_eq!(step_of(&secret, code, second), Some(second / 30));
            assert_eq!(step_of(&secret, code, second + 30), Some(second / 30));
            assert_eq!(step_of(&secret, code, second + 60), None);
        }
        assert_eq!(step_of(&secret, "", 59), None);
        assert_eq!(step_of("0189", "287082", 59), None);
    }
}
