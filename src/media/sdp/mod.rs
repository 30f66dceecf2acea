//! Session descriptions: what each side of a call says about its sound (RFC 8866, RFC 3264).
//!
//! | file | |
//! |---|---|
//! | [`browser`] | what a browser says beside its sound (RFC 8839, RFC 8122) |
//! | `crypto` | keys in a description (RFC 4568) |
//! | [`description`] | what a description says, as types |
//! | [`parse`](mod@parse) | text → [`Description`]; tolerant, bounded |
//! | [`print`](mod@print) | [`Description`] → text; strict |
//! | `text` | what is said about text (RFC 4103) |
//! | [`negotiate`] | offer × abilities → answer, and what both sides then hold to ([`Agreed`]) |
//!
//! Addresses in a description are claims of a stranger: whether to believe them is for the stream
//! that sends there.

pub mod browser;
mod crypto;
pub mod description;
pub mod negotiate;
pub mod parse;
pub mod print;
mod text;

pub use browser::{Browser, Credentials, Fingerprint, Meeting, OurSide, Setup, Theirs};
pub use crypto::Crypto;
#[cfg(test)]
pub(crate) use crypto::print_key;
pub use description::{
    Description, Direction, Encoding, Format, Host, Media, Origin, Place, Protocol,
};
pub use negotiate::{Abilities, Agreed, Answer, EventNumbers, OurKeys, Secured, Session};
pub use parse::{Unreadable, parse};
pub use print::print;
pub use text::{AgreedText, TextAbilities, TextNumbers, mentions_text};
