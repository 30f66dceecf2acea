//! What is said at the edge of a call: how it comes, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{
    CallRef, LineName, ListenerName, PhoneNumber, PromptName, Sdp, Territory, Text, TrunkName,
};
use crate::call::LinePlan;
use crate::call::consulting::{Aim, Whom};
use crate::media::{Order, Road, Sources};
use crate::record::{AttemptResult, CallRecord, Party};
use crate::schedule::Opening;
use crate::sip::{PhoneRef, Reason, Refusal};

/// All there is to know about a call when it comes.
#[derive(Debug)]
pub struct Arrival {
    pub call: CallRef,
    /// The line that serves the call.
    pub line: Arc<LinePlan>,
    /// The line that was dialled, if it is another.
    pub origin: Option<LineName>,
    /// Said before anything else.
    pub preface: Vec<PromptName>,
    /// The plan's version, for the record.
    pub plan: String,
    pub trunk: Option<TrunkName>,
    /// Whose packets may be the caller's.
    pub sources: Sources,
    pub road: Road,
    pub offer: Option<Sdp>,
    pub territory: Territory,
    /// The line's hours at the instant the first copy of the INVITE came.
    pub opening: Opening,
    /// The closed message is said before the call is answered (RFC 3960).
    pub early: bool,
    /// Whether any listener of the line is logged in.
    pub attended: bool,
    /// The caller holds all the calls one caller may: they hear that the lines are taken.
    pub has_enough: bool,
}

/// What a call wants done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Output {
    /// 200 to the INVITE of this leg.
    Accept {
        leg: u32,
        sdp: Sdp,
    },
    /// 183 to the INVITE of this leg: it hears us, and is not answered yet.
    Progress {
        leg: u32,
        sdp: Sdp,
    },
    /// A final refusal.
    Refuse {
        leg: u32,
        refusal: Refusal,
    },
    /// 200 to a re-INVITE.
    Answer {
        leg: u32,
        sdp: Sdp,
    },
    Decline {
        leg: u32,
        refusal: Refusal,
    },
    Invite {
        leg: u32,
        phone: PhoneRef,
        display: String,
        alert_info: Option<String>,
        offer: Sdp,
    },
    /// An INVITE to the public network.
    CallOut {
        leg: u32,
        number: PhoneNumber,
        offer: Sdp,
    },
    /// CANCEL, BYE or a refusal, whichever fits.
    End {
        leg: u32,
        reason: Reason,
    },
    /// OPTIONS inside the dialog.
    Probe {
        leg: u32,
    },
    /// The phone behind this leg has stopped answering: it isn't rung before it gives a sign of life.
    Doubt {
        phone: PhoneRef,
    },
    /// Text was agreed on with this phone.
    ShowsText {
        phone: PhoneRef,
    },
    /// This phone has refused one kind of offer and taken the other: the one that demands keys, or not.
    DemandsKeys {
        phone: PhoneRef,
        demands: bool,
    },
    Media(Order),
    /// The caller wrote something, or whoever talks with them; `listener` talks with them now.
    Written {
        by: Party,
        listener: ListenerName,
        text: Text,
    },
    /// The caller pressed a key while they talk with this listener.
    Pressed {
        listener: ListenerName,
        digit: char,
    },
    /// Not one packet of sound has come from this listener's phone in a conversation; or from the caller.
    NeverHeard {
        listener: Option<ListenerName>,
        trunk: Option<TrunkName>,
    },
    /// Asks for a place in the queue.
    Knock,
    /// Phones may ring from now on.
    Ready,
    /// No more phones may begin to ring.
    Unready,
    /// Asks for the head of the queue: the listener was lost, or has given the caller back and is
    /// not to have them again.
    Return {
        avoiding: Option<ListenerName>,
    },
    /// Gives the place up.
    Leave,
    /// The caller put us on hold, or took us back.
    Held(bool),
    /// Asks how long the wait will be; told by [`Call::estimated`](crate::call::Call::estimated).
    Estimate,
    /// None of the listener's phones gave a sign of life yet.
    Quiet {
        listener: ListenerName,
    },
    /// One did after all.
    Stirred {
        listener: ListenerName,
    },
    /// The listener's phones ring no more, and why. Never `Answered`.
    AttemptEnded {
        listener: ListenerName,
        result: AttemptResult,
    },
    /// The listener picked up.
    PickedUp {
        listener: ListenerName,
    },
    /// The listener's part is over, by whomever; `lost` when their phone stopped answering.
    HungUp {
        listener: ListenerName,
        talked: Duration,
        lost: bool,
    },
    /// The listener has left the caller with whom they asked.
    HandedOver,
    /// The listener wants somebody: answered by [`Call::asks`](crate::call::Call::asks).
    Seek {
        whom: Whom,
        aim: Aim,
    },
    /// 180 to the INVITE of this leg.
    Alert {
        leg: u32,
    },
    /// How the transfer goes that the phone behind this leg has asked for.
    Transfer {
        leg: u32,
        status: u16,
    },
    /// A colleague who was asked is not needed any more.
    Released {
        listener: ListenerName,
    },
    /// Words for a listener's eyes.
    Tell {
        listener: ListenerName,
        text: String,
    },
    /// The call is over; nothing of it is left.
    Finished(Box<CallRecord>),
}
