//! Names: what people call things in the plan, and handles for what lives.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A live call, as this house numbers it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CallRef(pub u64);

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// One party's sound. Carries its call, so that all streams of a call can share a shard.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct StreamRef {
    /// The call this stream belongs to.
    pub call: CallRef,
    /// Which of the call's streams: 0 is the caller's.
    pub index: u32,
}

impl fmt::Display for StreamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.call, self.index)
    }
}

/// Why a text can't be a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAName {
    /// Nothing is written there.
    #[error("a name can't be empty")]
    Empty,
    /// A name is said in log lines and file names.
    #[error("a name has at most 64 characters")]
    TooLong,
    /// A name goes into log lines, metrics and addresses as it is.
    #[error("a name is made of letters, digits, `-`, `_` and `.`")]
    OddCharacter,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as written in the plan.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if text.is_empty() {
                    return Err(NotAName::Empty);
                }
                if text.chars().count() > 64 {
                    return Err(NotAName::TooLong);
                }
                if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
                    return Err(NotAName::OddCharacter);
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}`", self.0)
            }
        }
    )*};
}

names! {
    /// A number people ring: hours, queue, prompts.
    LineName;
    /// A line of waiting callers.
    QueueName;
    /// A person who answers, by account name.
    ListenerName;
    /// A recording, by the id the plan gives it.
    PromptName;
    /// A road to the public network.
    TrunkName;
    /// A place a caller can be handed over to.
    CentreName;
}
