//! RFC 3261 as bytes, tables and timers.
//!
//! | layer | files |
//! |---|---|
//! | text | `wire`, `message`, `uri`, `headers`, `digest` |
//! | transactions (§17) | `transaction/` |
//! | dialogs (§12) | `dialog/` |
//! | the book of phones (§10) | `registrar` |
//! | where a name is (RFC 3263) | `locate/` |
//! | all of it behind four verbs | `endpoint` |
//!
//! The floors above use [`Endpoint`], its [`Event`]s and the small types beside it. SDP is bytes
//! here; only `media` reads it. Nothing here knows what a call is.

mod compose;
mod dialog;
pub mod digest;
mod endpoint;
mod flow;
pub mod headers;
pub mod locate;
pub mod message;
mod registrar;
mod transaction;
mod trunk;
pub mod uri;
pub mod wire;

pub use endpoint::Pass;
pub use endpoint::{
    Account, Activity, Dialled, DialogRef, Dress, Ending, Endpoint, Event, Failure, Invitation,
    Load, OUTGOING_MAX, Origin, Output, Phone, PhoneRef, Reason, Refusal, Setup, Target,
    TransferTo, TrunkAccess,
};
pub use flow::{Algorithm, Door, Flow, Transmit, Transport};
pub use trunk::registration::TrunkAccount;
pub use trunk::{NameState, TrunkPeer, TrunkState};
