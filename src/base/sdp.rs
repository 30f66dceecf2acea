//! [`Sdp`]: bytes with keys in them, on their way through the house.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A session description. It may hold the keys of a conversation (RFC 4568), so it can be carried
/// and sent, and never printed: whatever holds one may be logged.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sdp(Bytes);

impl Deref for Sdp {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for Sdp {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<&'static str> for Sdp {
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Sdp {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Sdp> for Bytes {
    fn from(sealed: Sdp) -> Self {
        sealed.0
    }
}

impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sdp({} bytes)", self.0.len())
    }
}
