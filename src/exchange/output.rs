use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Text};
use crate::exchange::CommandRef;
use crate::media::Order;
use crate::record::{CallRecord, Party};
use crate::sip::locate::Question;
use crate::sip::{Flow, Transmit};

/// Every wish the world can be asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[expect(clippy::large_enum_variant, reason = "a record is one in hundreds of wishes")]
pub enum Output {
    Send(Transmit),
    /// Close this connection.
    Close(Flow),
    /// Ask the DNS; the answer comes as [`Input::LookedUp`](crate::exchange::Input::LookedUp).
    LookUp(Question),
    /// Whoever answers at `peer` over TLS must prove to be `name`.
    Expect {
        peer: SocketAddr,
        name: String,
    },
    Media(Order),
    /// Somebody wrote in a call (scenarios.md SC-25): for the eyes of the listener who talks there, on
    /// their page. It has been relayed to their telephone already, if that can show text, and it is
    /// neither logged nor kept.
    Written {
        by: Party,
        listener: ListenerName,
        text: Text,
    },
    /// A caller pressed a key: for the same eyes, and as little to be kept.
    Pressed {
        listener: ListenerName,
        digit: char,
    },
    Record(CallRecord),
    /// The answer to a command, in words for the operator.
    Reply {
        to: CommandRef,
        result: Result<String, String>,
    },
    /// Something an operator would tell a colleague, or be woken for.
    Note(Note),
    /// [`Exchange::board`] is worth publishing.
    ///
    /// [`Exchange::board`]: crate::exchange::Exchange::board
    Changed,
}

/// A line for the log: what happened, without a caller's number (there is no field for it).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Note {
    pub level: Level,
    /// A short fixed sentence.
    pub what: String,
    pub call: Option<crate::base::CallRef>,
    /// Fields as `name=value` pairs.
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Level {
    Debug,
    Info,
    /// Unusual, perhaps wake someone.
    Warn,
    /// The house can't do its job.
    Error,
}
