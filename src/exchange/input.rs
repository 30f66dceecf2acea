use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::exchange::{Command, CommandRef, Plan};
use crate::media::Notice;
use crate::sip::Flow;
use crate::sip::locate::{Answer, Question};

/// Every fact the world can report.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Input {
    /// A datagram, or one framed message of a stream.
    Received {
        flow: Flow,
        bytes: Bytes,
    },
    /// The same, but it waited too long to be worth beginning: a new call is refused cheaply,
    /// anything else is dropped (its sender repeats it).
    Late {
        flow: Flow,
        bytes: Bytes,
    },
    /// A connection closed.
    FlowClosed {
        flow: Flow,
    },
    /// The network says that nobody is at `peer`.
    Unreachable {
        local: SocketAddr,
        peer: SocketAddr,
    },
    /// Nobody takes connections at `flow.peer`.
    Unconnected {
        flow: Flow,
    },
    /// The DNS answered a question of [`Output::LookUp`](crate::exchange::Output::LookUp).
    LookedUp {
        question: Question,
        answer: Answer,
    },
    Media(Notice),
    Command {
        from: CommandRef,
        command: Command,
    },
    /// A new plan, checked and linked; calls in progress keep theirs.
    Plan(Arc<Plan>),
    /// The house is asked to stop: calls run to their end, see [`Exchange::is_idle`].
    ///
    /// [`Exchange::is_idle`]: crate::exchange::Exchange::is_idle
    Stopping,
    /// Nothing but time has passed.
    Tick,
}
