//! The words the floor above uses with [`Endpoint`](super::Endpoint): what is set up, what it may
//! ask, what it hears.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{
    AddressRange, CallerNumber, ListenerName, Moment, Now, PhoneNumber, Sdp, TrunkName,
};
use crate::sip::locate::{Destination, Question};
use crate::sip::{Algorithm, Door, Flow, Transmit, TrunkAccount, TrunkPeer};

/// Our handle on one INVITE dialog, from the first INVITE to the last response.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct DialogRef(pub u64);

/// Our handle on one registered phone (one binding).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct PhoneRef(pub u64);

/// What the operator's plan says about SIP.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Setup {
    pub doors: Vec<Door>,
    /// The digest realm, and the host part of our own addresses.
    pub realm: String,
    /// Hosts in a Request-URI that mean us, besides the doors' addresses.
    pub domains: BTreeSet<String>,
    pub trunks: Vec<TrunkAccess>,
    /// Trunks whose callers get provisional responses reliably (RFC 3262) whenever they can, and
    /// not only when they demand it.
    #[serde(default)]
    pub reliable: BTreeSet<TrunkName>,
    /// Who may register, by account name.
    pub accounts: BTreeMap<ListenerName, Account>,
    /// User parts only a listener may dial (star codes): challenged even from a trunk's address.
    pub reserved: BTreeSet<String>,
    /// The numbers of the house: all that is kept of what To, Diversion and History-Info say.
    pub numbers: BTreeSet<PhoneNumber>,
    /// The only numbers of the public network that may be called (domain.md T-01).
    pub callable: BTreeSet<PhoneNumber>,
    pub expiry_min: Duration,
    pub expiry_max: Duration,
    pub expiry_default: Duration,
    /// The most dialogs at once; a new INVITE beyond it is refused before any state is made.
    pub dialogs_max: usize,
    /// A second node is ready to take calls: refusals for load are then 503 with Retry-After,
    /// else 486 with Q.850 cause 17 (domain.md §2.4).
    pub second_node: bool,
}

/// A trunk as SIP knows it: where its messages come from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TrunkAccess {
    pub name: TrunkName,
    pub addresses: Vec<AddressRange>,
    /// The name our own requests go to; its addresses count only within the ranges above.
    #[serde(default)]
    pub server: Option<Destination>,
    /// Where our own requests go, the best first, after those of the name; neither: this trunk only
    /// delivers.
    pub peers: Vec<TrunkPeer>,
    /// How often a peer is asked whether it is there.
    pub keep_alive: Option<Duration>,
    /// The host part of its addresses, if it is not the peer's own.
    pub domain: Option<String>,
    pub account: Option<TrunkAccount>,
    /// The number of ours that goes with our calls; the network shows it to nobody.
    pub presented: Option<PhoneNumber>,
    pub dress: Dress,
}

impl TrunkAccess {
    /// A trunk that delivers calls, and takes none of ours.
    pub fn delivering(name: TrunkName, addresses: Vec<AddressRange>) -> Self {
        Self {
            name,
            addresses,
            server: None,
            peers: Vec::new(),
            keep_alive: None,
            domain: None,
            account: None,
            presented: None,
            dress: Dress::Global,
        }
    }

    /// Whether it takes requests of ours.
    pub fn takes_ours(&self) -> bool {
        self.server.is_some() || !self.peers.is_empty()
    }

    /// The host part of its addresses.
    pub(crate) fn host(&self, peer: TrunkPeer) -> String {
        let name = self.server.as_ref().map(|server| &server.host);
        self.domain.as_ref().or(name).cloned().unwrap_or_else(|| peer.address.to_string())
    }
}

/// How a trunk wants numbers written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Dress {
    /// `+33612345678`.
    Global,
    /// `0033612345678`.
    International,
    /// `0612345678`; abroad `00…`.
    National,
}

/// A listener's account. The two digests are H(user:realm:password), so no password is kept.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Account {
    /// Lower-case hexadecimal MD5.
    pub ha1_md5: String,
    /// Lower-case hexadecimal SHA-256.
    pub ha1_sha256: String,
    /// Replaces the door's algorithms for this listener's phones.
    pub algorithms: Option<Vec<Algorithm>>,
    /// The most phones registered at once.
    pub phones_max: usize,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(·)")
    }
}

/// What a listener is doing, as far as other listeners' lamps tell it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Activity {
    /// No phone that could be rung.
    Offline,
    Free,
    Rung,
    Busy,
    /// Paused, or writing up the last call.
    Away,
}

/// Where a listener's phone wants a call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TransferTo {
    /// To a number or name, as dialled: what stands before the `@`.
    Number(String),
    /// To the other side of another call of the same phone (Replaces).
    Call(DialogRef),
}

/// Whom an INVITE is from, as proved: never as claimed in From (decisions.md §18).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Origin {
    /// Authenticated by digest.
    Listener(ListenerName),
    /// Came from the trunk's addresses.
    Trunk(TrunkName),
}

/// What was dialled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Dialled {
    /// The user part of the Request-URI (or the number of a `tel:`), percent-decoded, without
    /// parameters.
    pub user: String,
    /// The number it names, in normal form.
    pub number: Option<PhoneNumber>,
    /// Other numbers of the house that were dialled before, the best evidence first (domain.md §2.2):
    /// they tell one line from another, and permit nothing.
    pub first: Vec<PhoneNumber>,
}

/// Why a dialog ends or a phone stops ringing, for the Reason header (RFC 3326).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reason {
    /// `Q.850;cause=16;text="Normal call clearing"`.
    Normal,
    /// `SIP;cause=200;text="Call completed elsewhere"`: the phone shows no missed call.
    CompletedElsewhere,
    /// `Q.850;cause=16;text="Caller hung up"`.
    CallerHungUp,
    /// `Q.850;cause=16;text="drain expired"`.
    DrainExpired,
    /// `Q.850;cause=20;text="No listener"`.
    NoListener,
    /// `Q.850;cause=19;text="No answer"`: rung long enough.
    NoAnswer,
    /// `Q.850;cause=41;text="Media timeout"`.
    MediaLost,
    /// `Q.850;cause=17;text="User busy"`.
    Busy,
}

/// A final answer other than 2xx to an INVITE or re-INVITE.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Refusal {
    /// 404: no such number.
    NotFound,
    /// 486 with Q.850 17, or 503 with Retry-After where a second node stands ready.
    Overload,
    /// 488 with `Warning: 305`: no codec in common.
    NotAcceptableHere,
    /// 480.
    TemporarilyUnavailable,
    /// 403.
    Forbidden,
    /// 603: a wish that is not granted.
    Declined,
    /// 400 with this phrase.
    BadRequest(String),
    /// 491: both sides offer at once.
    RequestPending,
    /// 500 with Retry-After.
    ServerError,
}

/// Where an INVITE of ours goes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Target {
    /// A listener's registered phone.
    Phone(PhoneRef),
    /// A number of the public network: one of [`Setup::callable`], or it fails with 403. `by` is what
    /// [`Endpoint::way_out`](crate::sip::Endpoint::way_out) said.
    Trunk { trunk: TrunkName, number: PhoneNumber, by: TrunkPeer },
}

/// An INVITE to be sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Invitation {
    pub target: Target,
    /// The user part of From: the line's number, never the caller's.
    pub from_user: String,
    /// The display name of From, in words for the listener ("3977, 2 min d'attente").
    pub from_display: String,
    pub offer: Sdp,
    /// Alert-Info, if the phone should ring in a way of its own.
    pub alert_info: Option<String>,
}

/// A registered phone that can be rung.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Phone {
    pub phone: PhoneRef,
    pub flow: Flow,
    pub expires_at: Moment,
    /// False from the first sign that it does not answer until the next sign that it does.
    pub reachable: bool,
    /// User-Agent, cut to 64 characters, for the board.
    pub user_agent: String,
    /// Calls with it may have text: by its own word, by what was agreed on before, or because it is a
    /// browser's, whose page shows what is written.
    pub shows_text: bool,
    /// It takes no sound that might be plain, as was found out.
    pub demands_keys: bool,
}

/// Who ended a dialog.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Ending {
    /// CANCEL before the answer.
    Cancelled,
    /// BYE from the other side.
    HungUp,
    /// BYE from the other side, of which nobody there may know: its reason is a failure (RFC 3326).
    Broke,
    /// Our 200 was never acknowledged (64×T1); BYE was sent.
    NeverAcknowledged,
    /// The other side says it knows no such dialog, or stopped answering in it.
    Lost,
}

/// Why an INVITE of ours came to nothing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Failure {
    /// A final answer of 300 or more.
    Refused(u16),
    /// No final answer in time.
    TimedOut,
    /// ICMP said so, the connection is lost, or the phone unregistered.
    Unreachable,
    /// Our own CANCEL was carried out.
    Cancelled,
}

impl Failure {
    /// Whether it was our description that could not be taken (RFC 3261 §21.4.6, .11, .26 and §21.6.4): another
    /// may be.
    pub fn is_about_our_description(self) -> bool {
        matches!(self, Self::Refused(406 | 415 | 488 | 606))
    }
}

/// What happened, in the past tense.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be an allocation for every call; these are moved once"
)]
pub enum Event {
    /// A new call. 100 Trying has been sent if the transport wants one. `at` is the arrival of the
    /// first copy.
    Invited {
        dialog: DialogRef,
        origin: Origin,
        dialled: Dialled,
        /// None when anonymous, when Privacy asks so, or when no number came.
        caller: Option<CallerNumber>,
        offer: Option<Sdp>,
        flow: Flow,
        at: Now,
        /// A dialog of ours it is to take the place of (Replaces, RFC 3891): one of a listener's
        /// phone, rung or picked up.
        replaces: Option<DialogRef>,
    },
    /// ACK for our 200 came, with the answer if our 200 held an offer.
    Confirmed { dialog: DialogRef, answer: Option<Sdp> },
    /// A phone we invited is ringing (180 or other provisional above 100).
    Ringing { dialog: DialogRef, sdp: Option<Sdp> },
    /// A phone we invited has sent no provisional for 2 s; it is marked unreachable and probed,
    /// and may still answer.
    Quiet { dialog: DialogRef },
    /// A phone we invited picked up; ACK has been sent.
    Answered { dialog: DialogRef, sdp: Option<Sdp> },
    /// An INVITE of ours failed; the dialog is gone.
    Failed {
        dialog: DialogRef,
        why: Failure,
        /// The Q.850 cause their refusal told (RFC 6432).
        cause: Option<u8>,
    },
    /// A dialog ended from the other side; it is gone.
    Ended {
        dialog: DialogRef,
        ending: Ending,
        /// The Q.850 cause their BYE or CANCEL told (RFC 3326).
        cause: Option<u8>,
    },
    /// Re-INVITE or UPDATE with an offer, or without (`None`: we must offer). Answer it with
    /// [`Endpoint::answer`](crate::sip::Endpoint::answer) or [`Endpoint::decline`](crate::sip::Endpoint::decline).
    Offered { dialog: DialogRef, offer: Option<Sdp> },
    /// The answer to an offer of ours inside a dialog, or None when it was refused.
    OfferAnswered { dialog: DialogRef, answer: Option<Sdp> },
    /// The answer to [`Endpoint::probe`](crate::sip::Endpoint::probe).
    Probed { dialog: DialogRef, alive: bool },
    /// A listener's phone wants the call elsewhere (REFER). Answer with
    /// [`Endpoint::accept_transfer`](crate::sip::Endpoint::accept_transfer) or
    /// [`Endpoint::decline_transfer`](crate::sip::Endpoint::decline_transfer), at once: a phone waits half a minute at most.
    TransferAsked { dialog: DialogRef, to: TransferTo },
    /// A key was pressed, told by INFO instead of in the sound.
    Pressed { dialog: DialogRef, digit: char },
    /// A listener's phones changed: registered, gone, lost, found again, or let go of by a call
    /// given up before they said anything.
    PhonesChanged { listener: ListenerName },
    /// What is known of where a name is has changed: it is reached by so many hops now. None means
    /// that requests to it have nowhere to go.
    Located { destination: Destination, hops: usize },
    /// The DNS named an address outside the ranges this destination is pinned to (domain.md T-21);
    /// it is not used.
    LocatedAbroad { destination: Destination, address: IpAddr },
    /// A call of ours to the public network has lasted an hour; it goes on.
    Outlasted { dialog: DialogRef },
    /// A trunk answers, or does not any more; it knows us, or does not: see
    /// [`Endpoint::trunks`](crate::sip::Endpoint::trunks).
    TrunkChanged { trunk: TrunkName },
    /// Somebody failed to authenticate; counted, never logged with the password.
    AuthenticationFailed { flow: Flow },
}

/// What the endpoint wants done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    Send(Transmit),
    /// Close this connection: what came over it can't be SIP.
    Close(Flow),
    Tell(Event),
    /// To be asked of the DNS; the answer comes by
    /// [`Endpoint::looked_up`](crate::sip::Endpoint::looked_up).
    LookUp(Question),
    /// Before something goes to `peer` over TLS: whoever answers there must prove to be `name`
    /// (RFC 5922 §7).
    Expect {
        peer: SocketAddr,
        name: String,
    },
}

/// How much is alive inside an [`Endpoint`](crate::sip::Endpoint).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Load {
    pub dialogs: usize,
    pub transactions: usize,
    pub phones: usize,
}
