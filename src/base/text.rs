//! [`Text`]: what somebody wrote in a call.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is written in a conversation. It is somebody's own words, as a voice is: it is shown to the
/// other side, and neither logged nor kept.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the other side's eyes.
    pub fn shown(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} characters)", self.0.chars().count())
    }
}
