//! Keys of a protected stream: what the description says, and what is derived from it
//! (RFC 3711 §4.3).

use std::fmt;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use hmac::Hmac;
use serde::{Deserialize, Serialize};
use sha1::Sha1;

use super::{TAG_LONG, authentication};

/// Cipher and length of the tag, by their names in SDP (RFC 4568 §6.2, RFC 6188 §4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Suite {
    AesCm128Sha1Tag80,
    Aes256CmSha1Tag80,
    AesCm128Sha1Tag32,
}

impl Suite {
    /// In the order we like them.
    pub const ALL: [Self; 3] =
        [Self::AesCm128Sha1Tag80, Self::Aes256CmSha1Tag80, Self::AesCm128Sha1Tag32];

    pub fn name(self) -> &'static str {
        match self {
            Self::AesCm128Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes256CmSha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm128Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of a master key.
    pub fn key_length(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm128Sha1Tag32 => 16,
            Self::Aes256CmSha1Tag80 => 32,
        }
    }

    /// Bytes of the tag on sound; on reports it is always the long one (RFC 4568 §6.2.2).
    pub(super) fn tag_length(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::Aes256CmSha1Tag80 => TAG_LONG,
            Self::AesCm128Sha1Tag32 => 4,
        }
    }
}

/// A master key and its salt. It can't be printed; it is serialised only for the sealed journal,
/// which never leaves memory unencrypted, and for the description it belongs to.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct MasterKey {
    suite: Suite,
    /// Key, then salt.
    octets: Vec<u8>,
}

impl MasterKey {
    /// `None` if `octets` has not the length of the suite's key and salt.
    pub fn new(suite: Suite, octets: &[u8]) -> Option<Self> {
        let length = suite.key_length() + SALT_LENGTH;
        (octets.len() == length).then(|| Self { suite, octets: octets.to_vec() })
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// For the description, and nothing else.
    pub(in crate::media) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, ·)", self.suite.name())
    }
}

/// All that one direction needs.
#[derive(Clone, Deserialize, Serialize)]
#[serde(from = "MasterKey", into = "MasterKey")]
pub(super) struct SessionKeys {
    master: MasterKey,
    pub(super) suite: Suite,
    pub(super) rtp: Keystream,
    pub(super) rtcp: Keystream,
    pub(super) rtp_authentication: Hmac<Sha1>,
    pub(super) rtcp_authentication: Hmac<Sha1>,
}

impl SessionKeys {
    pub(super) fn new(master: &MasterKey) -> Self {
        let suite = master.suite;
        let (key, salt) = master.octets.split_at(suite.key_length());
        let salt: [u8; SALT_LENGTH] = salt.try_into().expect("a master key is made whole");
        let keystream = |key_label, salt_label| {
            let (mut session_key, mut session_salt) = ([0; 32], [0; SALT_LENGTH]);
            let session_key = &mut session_key[..suite.key_length()];
            derive(key, &salt, key_label, session_key);
            derive(key, &salt, salt_label, &mut session_salt);
            Keystream { cipher: Cipher::new(session_key), salt: session_salt }
        };
        let authentication_of = |label| {
            let mut session_key = [0; 20];
            derive(key, &salt, label, &mut session_key);
            authentication(&session_key)
        };
        Self {
            master: master.clone(),
            suite,
            rtp: keystream(0, 2),
            rtcp: keystream(3, 5),
            rtp_authentication: authentication_of(1),
            rtcp_authentication: authentication_of(4),
        }
    }
}

impl From<MasterKey> for SessionKeys {
    fn from(master: MasterKey) -> Self {
        Self::new(&master)
    }
}

impl From<SessionKeys> for MasterKey {
    fn from(keys: SessionKeys) -> Self {
        keys.master
    }
}

/// §4.3.1, with a derivation rate of zero.
pub(super) fn derive(key: &[u8], salt: &[u8; SALT_LENGTH], label: u8, into: &mut [u8]) {
    let mut start = *salt;
    start[7] ^= label;
    into.fill(0);
    Keystream { cipher: Cipher::new(key), salt: start }.apply(0, 0, into);
}

/// AES in counter mode (§4.1.1).
#[derive(Clone)]
pub(super) struct Keystream {
    pub(super) cipher: Cipher,
    pub(super) salt: [u8; SALT_LENGTH],
}

#[derive(Clone)]
pub(super) enum Cipher {
    Aes128(Aes128),
    Aes256(Aes256),
}

impl Keystream {
    /// Encrypts, or decrypts, which is the same.
    pub(super) fn apply(&self, ssrc: u32, index: u64, octets: &mut [u8]) {
        let mut start = [0; 16];
        start[..SALT_LENGTH].copy_from_slice(&self.salt);
        let [.., i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
        let mixed = ssrc.to_be_bytes().into_iter().chain([i0, i1, i2, i3, i4, i5]);
        start[4..14].iter_mut().zip(mixed).for_each(|(byte, other)| *byte ^= other);
        let mut counter = 0_u16;
        for piece in octets.chunks_mut(16 * BLOCKS) {
            let mut blocks = [Block::from(start); BLOCKS];
            let count = piece.len().div_ceil(16);
            for block in &mut blocks[..count] {
                block[14..].copy_from_slice(&counter.to_be_bytes());
                counter = counter.wrapping_add(1);
            }
            self.cipher.encrypt(&mut blocks[..count]);
            for (sixteen, block) in piece.chunks_mut(16).zip(&blocks) {
                sixteen.iter_mut().zip(block).for_each(|(byte, key)| *byte ^= key);
            }
        }
    }
}

impl Cipher {
    /// A key of 16 or 32 bytes.
    pub(super) fn new(key: &[u8]) -> Self {
        match Aes128::new_from_slice(key) {
            Ok(cipher) => Self::Aes128(cipher),
            Err(_) => Self::Aes256(
                Aes256::new_from_slice(key).expect("a suite's keys have 16 or 32 bytes"),
            ),
        }
    }

    fn encrypt(&self, blocks: &mut [Block]) {
        match self {
            Self::Aes128(cipher) => cipher.encrypt_blocks(blocks),
            Self::Aes256(cipher) => cipher.encrypt_blocks(blocks),
        }
    }
}

/// 112 bits.
const SALT_LENGTH: usize = 14;

/// Encrypted at once: a packet of 20 ms has ten blocks.
const BLOCKS: usize = 10;
