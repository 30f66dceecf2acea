//! What header values mean: read from text, written as text.
//!
//! Types that are looked at and dropped ([`Via`], [`NameAddr`], [`Contact`]) borrow from the message;
//! types that stay or get compared are owned. Reading never fails half: a value is right by its
//! grammar (RFC 3261 §25, with the spaces it allows in odd places) or [`Unreadable`]. Addresses are
//! always written with angle brackets (RFC 8217), so a reader never wonders whose parameters they are.

mod auth;
mod name_addr;
mod params;
mod route_set;
mod text;
mod values;
mod via;

pub use auth::{Challenge, Credentials};
pub use name_addr::{Contact, NameAddr};
pub use params::{PARAMETERS_MAX, Params};
pub use route_set::RouteSet;
pub(in crate::sip) use text::{is_token, is_token_text, split_list};
pub use text::{quote, unquote};
pub use values::{CSeq, ContentType, RAck, Reason, Refresher, RetryAfter, SessionExpires, Warning};
pub(in crate::sip) use values::{digits, seconds};
pub use via::Via;

use crate::sip::message::HeaderName;

/// A header that is missing, or is not what its grammar says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("header `{0}` is missing or can't be read")]
pub struct Unreadable(pub HeaderName);

#[cfg(test)]
mod tests;
