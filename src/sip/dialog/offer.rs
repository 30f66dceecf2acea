//! Who owes whom an answer (RFC 3264, RFC 6337): at most one offer is open in a dialog.
//!
//! The first offer of a dialog travels in INVITE, 200 and ACK and is told apart there; this is for
//! all later ones.

use serde::{Deserialize, Serialize};

use crate::sip::compose::Question;
use crate::sip::dialog::Sealed;
use crate::sip::transaction::{Kept, TransactionRef};

/// The state of the offers inside a confirmed dialog.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) enum Exchange {
    /// Nobody owes anything.
    #[default]
    Settled,
    /// A re-INVITE of ours is out. `refresh`: it offers what is agreed already (RFC 4028 §7.4).
    Offered { transaction: TransactionRef, sdp: Kept, glares: u8, refresh: bool },
    /// They asked at the same time (491): ours is sent again in a moment (RFC 3261 §14.1).
    Waiting { sdp: Kept, glares: u8, refresh: bool },
    /// Their re-INVITE or UPDATE waits for our answer, or for our offer if it brought none.
    Asked {
        transaction: TransactionRef,
        question: Box<Question>,
        brought_offer: bool,
        /// Their new target, which counts once we accept (RFC 6141 §4.8).
        contact: Option<Sealed>,
    },
}

/// The descriptions in force.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Agreed {
    /// What we said last: offered again as it stands to refresh a session.
    pub(crate) ours: Option<Kept>,
    /// Their offer that ours answered; the same words again ask for nothing new. None if the last
    /// offer was ours.
    pub(crate) asked: Option<Kept>,
}
