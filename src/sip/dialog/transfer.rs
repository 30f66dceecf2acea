//! A transfer a phone has asked for by REFER (RFC 3515), until it is done or has failed.

use serde::{Deserialize, Serialize};

use crate::sip::compose::Question;
use crate::sip::transaction::TransactionRef;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Transfer {
    /// The REFER that waits for its answer.
    pub(crate) asked: Option<(TransactionRef, Box<Question>)>,
    /// The value of Event in our NOTIFYs.
    pub(crate) event: String,
    /// The phone wants no NOTIFYs (RFC 4488).
    pub(crate) quiet: bool,
}
