//! Transactions, dialogs and the registrar behind the four verbs.
//!
//! What the exchange sees of SIP: a [`DialogRef`] per INVITE dialog (however many early dialogs a
//! fork makes of it), [`Event`]s in, plain methods out. Everything the RFCs settle by themselves
//! (retransmission, 100 Trying, ACK, CANCEL crossing a 200, authentication, OPTIONS, 481, 405,
//! 420, merged requests and loops) is settled below this line and never told.

mod answering;
mod asking;
mod body;
mod door;
mod evidence;
mod guard;
mod informing;
mod inviting;
mod judging;
mod locating;
mod newcomers;
mod overload;
mod passes;
mod phones;
mod privacy;
mod receiving;
mod refreshing;
mod reliably;
mod transferring;
mod trunks;
mod watching;
mod within;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Mint, Moment, Now, Timers, TrunkName};
use crate::sip::dialog::invite::Session;
use crate::sip::dialog::watch::Watch;
use crate::sip::dialog::{Dialog, DialogId};
use crate::sip::digest::Authenticator;
use crate::sip::locate::{Answer, Locator, Question};
use crate::sip::message::Status;
use crate::sip::registrar::{self, Registrar};
use crate::sip::transaction::widening::Widening;
use crate::sip::transaction::{self, Told, TransactionRef, Transactions};
use crate::sip::trunk::registration::Reply;
use crate::sip::trunk::{TrunkPeer, Trunks};
use crate::sip::{Door, Flow, Transmit, Transport};

use self::guard::Guard;
use self::overload::Overload;
pub use self::passes::Pass;
use self::passes::Passes;
pub use self::trunks::OUTGOING_MAX;
pub use self::words::{
    Account, Activity, Dialled, DialogRef, Dress, Ending, Event, Failure, Invitation, Load, Origin,
    Output, Phone, PhoneRef, Reason, Refusal, Setup, Target, TransferTo, TrunkAccess,
};

/// How long a phone may be silent before the next one is rung too.
const QUIET: Duration = Duration::from_secs(2);
/// How long a phone may take to say what our CANCEL has come to before it is rung again all the same.
const CALLED_OFF_MAX: Duration = Duration::from_millis(500);

/// The SIP side of the house as one value.
#[derive(Debug, Deserialize, Serialize)]
pub struct Endpoint {
    setup: Setup,
    mint: Mint,
    /// Makes the To tags of stateless answers, so that a repeated request gets the same.
    secret: [u8; 32],
    last_dialog: u64,
    transactions: Transactions,
    registrar: Registrar,
    sessions: BTreeMap<DialogRef, Session>,
    #[serde(with = "transaction::pairs")]
    index: BTreeMap<DialogId, DialogRef>,
    /// What each request of ours is for.
    purposes: BTreeMap<TransactionRef, Purpose>,
    /// INVITEs of theirs by what two copies over different roads share (§8.2.2.2).
    #[serde(with = "transaction::pairs")]
    merging: BTreeMap<MergeKey, TransactionRef>,
    /// The INVITE transactions of theirs that are alive: CANCEL and repetitions find their dialog.
    invites: BTreeMap<TransactionRef, (DialogRef, Option<MergeKey>)>,
    /// What each listener is doing, for those who watch them.
    activities: BTreeMap<ListenerName, Activity>,
    /// Subscriptions, by a number of ours.
    watches: BTreeMap<u64, Watch>,
    #[serde(with = "transaction::pairs")]
    watch_index: BTreeMap<DialogId, u64>,
    last_watch: u64,
    authenticator: Authenticator,
    passes: Passes,
    trunks: Trunks,
    guard: Guard,
    overload: Overload,
    locator: Locator,
    timers: Timers<Timer>,
    outputs: VecDeque<Output>,
    malformed: u64,
}

/// Call-ID, From tag and CSeq of an INVITE; never printed.
#[derive(Clone, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct MergeKey(String, String, u32);

impl std::fmt::Debug for MergeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MergeKey({})", self.2)
    }
}

/// What a request of ours is for.
#[derive(Debug, Deserialize, Serialize)]
enum Purpose {
    /// An INVITE that begins a dialog; `half` becomes a dialog for each branch that answers.
    Invite {
        dialog: DialogRef,
        half: Box<Dialog>,
    },
    /// A re-INVITE; the dialog as it was, so that its 200 is acknowledged even after a BYE.
    Reinvite {
        dialog: DialogRef,
        was: Box<Dialog>,
        cseq: u32,
    },
    /// An UPDATE with an offer, before the INVITE has its answer.
    EarlyOffer {
        dialog: DialogRef,
    },
    Bye {
        dialog: DialogRef,
    },
    DialogProbe {
        dialog: DialogRef,
    },
    /// An UPDATE that keeps the session from expiring.
    Refresh {
        dialog: DialogRef,
    },
    /// Nobody refreshed the session: is anybody there?
    SessionProbe {
        dialog: DialogRef,
    },
    PhoneProbe {
        phone: PhoneRef,
    },
    /// NOTIFY of a subscription.
    News {
        watch: u64,
    },
    /// A text for the listener's eyes.
    Text {
        phone: PhoneRef,
    },
    /// Is this peer of the trunk there?
    TrunkProbe {
        trunk: TrunkName,
        peer: TrunkPeer,
    },
    TrunkRegister {
        trunk: TrunkName,
        peer: TrunkPeer,
    },
    /// Nobody waits for the answer: CANCEL, and the BYE of a branch nobody wants.
    Nothing,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    /// Send our 200 again.
    Repeat(DialogRef, u32),
    /// No ACK will come any more.
    GiveUp(DialogRef, u32),
    /// A phone should have said something by now.
    Quiet(DialogRef),
    /// Our CANCEL should have ended it by now.
    CalledOff(DialogRef),
    /// Offer again after glare.
    Glare(DialogRef),
    /// Send our provisional response again.
    Refresh(DialogRef),
    /// Send our reliable provisional response again.
    Unpracked(DialogRef),
    /// No PRACK will come any more.
    NeverPracked(DialogRef),
    /// Refresh the session.
    SessionRefresh(DialogRef),
    /// Nobody has refreshed the session.
    SessionDoubt(DialogRef),
    /// A subscription is over.
    WatchEnds(u64),
    /// A call of ours to the public network has lasted long.
    Outlasted(DialogRef),
}

impl Endpoint {
    pub fn new(setup: Setup, mut mint: Mint) -> Self {
        let mut transactions = Transactions::default();
        transactions.widens(widening_of(&setup));
        Self {
            secret: mint.bytes(),
            authenticator: Authenticator::new(&setup.realm, mint.split()),
            passes: Passes::default(),
            trunks: Trunks::new(mint.split()),
            setup,
            mint,
            last_dialog: 0,
            transactions,
            registrar: Registrar::default(),
            sessions: BTreeMap::new(),
            index: BTreeMap::new(),
            purposes: BTreeMap::new(),
            merging: BTreeMap::new(),
            invites: BTreeMap::new(),
            activities: BTreeMap::new(),
            watches: BTreeMap::new(),
            watch_index: BTreeMap::new(),
            last_watch: 0,
            guard: Guard::default(),
            overload: Overload::default(),
            locator: Locator::default(),
            malformed: 0,
            timers: Timers::default(),
            outputs: VecDeque::new(),
        }
    }

    /// A new plan: accounts that are gone lose their phones; dialogs go on.
    pub fn reconfigured(&mut self, setup: Setup, now: Now) {
        if self.setup.realm != setup.realm {
            self.authenticator = Authenticator::new(&setup.realm, self.mint.split());
        }
        self.setup = setup;
        self.transactions.widens(widening_of(&self.setup));
        self.names_of_trunks(now);
        self.trunks_planned(now);
        let accounts = &self.setup.accounts;
        self.registrar.keep_only(|listener| accounts.contains_key(listener));
        self.passes.keep_only(|listener| accounts.contains_key(listener));
        self.review_watches(now);
        self.settle(now);
    }

    // ---- facts ----

    /// A page of this listener's was signed in and may register with a secret of its own.
    pub fn pass_given(&mut self, listener: ListenerName, pass: Pass, now: Now) {
        self.passes.given(listener, pass, now.steady);
    }

    /// That page was signed out.
    pub fn pass_taken_back(&mut self, listener: &ListenerName, ha1_sha256: &str) {
        self.passes.taken_back(listener, ha1_sha256);
    }

    /// A datagram, or one framed message of a stream. `now` is its arrival.
    pub fn received(&mut self, flow: Flow, bytes: &[u8], now: Now) {
        self.read(flow, bytes, now);
        self.settle(now);
    }

    /// A message read too late to be begun: a new INVITE is refused without a trace, answers and
    /// ACKs, CANCELs and goodbyes are taken as ever, anything else is left to its sender's timers.
    pub fn overloaded(&mut self, flow: Flow, bytes: &[u8], now: Now) {
        self.read_under_load(flow, bytes, now);
        self.settle(now);
    }

    /// A connection closed: its phones are gone, its transactions fail.
    pub fn flow_closed(&mut self, flow: Flow, now: Now) {
        self.transactions.flow_closed(flow, now.steady);
        // What is still to be said in its dialogs takes any other road to the same peer.
        for session in self.sessions.values_mut().filter(|one| one.dialog.flow == flow) {
            session.dialog.flow.connection = 0;
        }
        for watch in self.watches.values_mut().filter(|one| one.dialog.flow == flow) {
            watch.dialog.flow.connection = 0;
        }
        // While the book still knows whose the flow was: what failed with it goes by another.
        self.settle(now);
        self.registrar.flow_closed(flow);
        self.settle(now);
    }

    /// ICMP (or the kernel) says that nobody is at `peer`.
    pub fn unreachable(&mut self, local: SocketAddr, peer: SocketAddr, now: Now) {
        self.registrar.unreachable(local, peer, now.steady);
        self.transactions.unreachable(local, peer, now.steady);
        self.settle(now);
    }

    /// The DNS answered a question of [`Output::LookUp`], or nobody did.
    pub fn looked_up(&mut self, question: &Question, answer: Answer, now: Now) {
        self.locator.answered(question, answer, now.steady);
        self.settle(now);
    }

    /// Nobody takes connections at `flow.peer`.
    pub fn unconnected(&mut self, flow: Flow, now: Now) {
        self.registrar.unconnected(flow, now.steady);
        self.transactions.unconnected(flow, now.steady);
        self.settle(now);
    }

    // ---- what the floor above asks ----

    /// 180 Ringing.
    pub fn ring(&mut self, dialog: DialogRef, now: Now) {
        self.provisional(dialog, Status::RINGING, None, now);
        self.settle(now);
    }

    /// 183 Session Progress with an answer.
    pub fn progress(&mut self, dialog: DialogRef, sdp: Bytes, now: Now) {
        self.provisional(dialog, Status::SESSION_PROGRESS, Some(&sdp), now);
        self.settle(now);
    }

    /// 200 OK to the INVITE, with an answer, or an offer if the INVITE had none.
    pub fn accept(&mut self, dialog: DialogRef, sdp: Bytes, now: Now) {
        self.answer_invite(dialog, &sdp, now);
        self.settle(now);
    }

    /// A final refusal of the INVITE; the dialog is gone.
    pub fn refuse(&mut self, dialog: DialogRef, refusal: Refusal, now: Now) {
        self.refuse_invite(dialog, &refusal, now);
        self.settle(now);
    }

    /// Sends an INVITE. What becomes of it is told by events with the returned name; a phone that
    /// is not registered any more gives `Failed { Unreachable }`.
    pub fn invite(&mut self, invitation: Invitation, now: Now) -> DialogRef {
        let dialog = self.send_invite(&invitation, now);
        self.settle(now);
        dialog
    }

    /// Ends the dialog whatever its state: CANCEL (held back until a provisional came, RFC 3261
    /// §9.1), BYE (held back until our 200 was acknowledged or timed out, §15), or a refusal (480) of an
    /// INVITE not answered yet. A 200 that crosses a CANCEL is ACKed and ended with BYE. The dialog
    /// is gone for the caller of this method: no further events with its name.
    pub fn end(&mut self, dialog: DialogRef, reason: Reason, now: Now) {
        self.give_up(dialog, reason, now);
        self.settle(now);
    }

    /// 200 OK to a re-INVITE or UPDATE, with our answer (or offer).
    pub fn answer(&mut self, dialog: DialogRef, sdp: Bytes, now: Now) {
        self.answer_offer(dialog, &sdp, now);
        self.settle(now);
    }

    /// Refuses a re-INVITE or UPDATE; the dialog goes on as it was.
    pub fn decline(&mut self, dialog: DialogRef, refusal: Refusal, now: Now) {
        self.decline_offer(dialog, &refusal, now);
        self.settle(now);
    }

    /// Sends a re-INVITE with this offer; glare (491) is retried by RFC 3261 §14.1.
    pub fn offer(&mut self, dialog: DialogRef, sdp: Bytes, now: Now) {
        self.send_offer(dialog, &sdp, now);
        self.settle(now);
    }

    /// Asks by OPTIONS inside the dialog whether the other side still knows of it.
    pub fn probe(&mut self, dialog: DialogRef, now: Now) {
        self.probe_dialog(dialog, now);
        self.settle(now);
    }

    /// A phone fell silent in the middle of a call: it counts as unreachable, is probed, and is
    /// rung again only after a sign of life.
    pub fn doubt(&mut self, phone: PhoneRef, now: Now) {
        self.registrar.lost(phone, now.steady);
        self.settle(now);
    }

    /// Text was agreed on in a call with this phone.
    pub fn shows_text(&mut self, phone: PhoneRef, now: Now) {
        self.registrar.shows_text(phone);
        self.settle(now);
    }

    /// This phone has taken an offer that demanded keys after it refused one that did not, or the
    /// other way round.
    pub fn demands_keys(&mut self, phone: PhoneRef, demands: bool) {
        self.registrar.demands_keys(phone, demands);
    }

    /// Shows a short text on a listener's phones (MESSAGE, RFC 3428, text/plain in UTF-8). Phones
    /// that can't are not asked twice; nothing is told of the answer.
    pub fn tell(&mut self, listener: &ListenerName, text: &str, now: Now) {
        self.send_text(listener, text, now);
        self.settle(now);
    }

    // ---- questions ----

    /// The phones of a listener, reachable or not, longest registered first.
    pub fn phones(&self, listener: &ListenerName) -> Vec<Phone> {
        self.registrar.phones(listener)
    }

    /// How many dialogs, transactions and registrations live: all zero after the last call and the
    /// last timers.
    pub fn load(&self) -> Load {
        Load {
            dialogs: self.sessions.len(),
            transactions: self.transactions.len(),
            phones: self.registrar.len(),
        }
    }

    /// How many messages could not be read so far.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    // ---- time and outputs ----

    /// When to call [`Endpoint::handle_timeout`] next; may change after every call to `&mut self`.
    pub fn poll_timeout(&self) -> Option<Moment> {
        [
            self.timers.next(),
            self.transactions.poll_timeout(),
            self.registrar.poll_timeout(),
            self.trunks.poll_timeout(),
            self.locator.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub fn handle_timeout(&mut self, now: Now) {
        self.transactions.handle_timeout(now.steady);
        self.registrar.handle_timeout(now.steady);
        self.trunks.handle_timeout(now.steady);
        self.locator.handle_timeout(now.steady);
        self.settle(now);
        while let Some(timer) = self.timers.pop_due(now.steady) {
            match timer {
                Timer::Repeat(dialog, cseq) => self.repeat_ok(dialog, cseq, now),
                Timer::GiveUp(dialog, cseq) => self.never_acknowledged(dialog, cseq, now),
                Timer::Quiet(dialog) => self.heard_nothing(dialog, now),
                Timer::CalledOff(dialog) => self.let_go(dialog),
                Timer::Glare(dialog) => self.offer_again(dialog, now),
                Timer::Refresh(dialog) => self.refresh_provisional(dialog, now),
                Timer::Unpracked(dialog) => self.repeat_reliably(dialog, now),
                Timer::NeverPracked(dialog) => self.never_pracked(dialog, now),
                Timer::SessionRefresh(dialog) => self.refresh_session(dialog, now),
                Timer::Outlasted(dialog) => self.report_of(dialog, Event::Outlasted { dialog }),
                Timer::SessionDoubt(dialog) => self.doubt_session(dialog, now),
                Timer::WatchEnds(watch) => self.end_watch(watch, "timeout", now),
            }
            self.settle(now);
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- private parts ----

    /// Sorts the mail of the machines inside until none is left.
    fn settle(&mut self, now: Now) {
        loop {
            if let Some(output) = self.transactions.poll_output() {
                match output {
                    transaction::Output::Send(transmit) => {
                        self.outputs.push_back(Output::Send(transmit));
                    }
                    transaction::Output::Tell(id, told) => self.transaction_told(id, told, now),
                }
            } else if let Some(output) = self.registrar.poll_output() {
                match output {
                    registrar::Output::Changed(listener) => {
                        self.report(Event::PhonesChanged { listener });
                    }
                    registrar::Output::Gone { phone, sibling } => {
                        self.phone_gone(phone, sibling, now);
                    }
                    registrar::Output::Moved { phone, to } => self.phone_moved(phone, to),
                    registrar::Output::Probe(phone) => self.probe_phone(phone, now),
                }
            } else if let Some(output) = self.locator.poll_output() {
                self.heard_from_locator(output, now);
            } else if let Some(output) = self.trunks.poll_output() {
                self.heard_from_trunks(output, now);
            } else {
                break;
            }
        }
    }

    fn transaction_told(&mut self, id: TransactionRef, told: Told, now: Now) {
        if told == Told::Gone {
            self.purposes.remove(&id);
            if let Some((_, Some(key))) = self.invites.remove(&id) {
                self.merging.remove(&key);
            }
            return;
        }
        self.hop_was_silent(id, now);
        match self.purposes.get(&id) {
            Some(Purpose::Invite { dialog, .. }) => {
                let why = match told {
                    Told::TimedOut | Told::Gone => Failure::TimedOut,
                    Told::Unreachable => Failure::Unreachable,
                };
                self.invite_failed(*dialog, why, None, now);
            }
            Some(Purpose::Reinvite { dialog, .. }) => self.lost_in_dialog(*dialog, now),
            Some(Purpose::EarlyOffer { dialog }) => self.early_offer_lost(*dialog, now),
            Some(Purpose::Refresh { dialog }) => match told {
                Told::TimedOut | Told::Gone => self.lost_in_dialog(*dialog, now),
                Told::Unreachable => self.refresh_failed(*dialog, None, now),
            },
            Some(Purpose::News { watch }) => self.news_answered(*watch, None, now),
            Some(Purpose::SessionProbe { dialog }) => self.doubt_answered(*dialog, false, now),
            Some(Purpose::DialogProbe { dialog }) => self.probe_answered(*dialog, false),
            Some(Purpose::Bye { dialog }) => {
                self.forget(*dialog);
            }
            Some(Purpose::TrunkRegister { trunk, .. }) => {
                let trunk = trunk.clone();
                self.trunks.register_answered(&trunk, &Reply::Nothing, now.steady);
            }
            // Silence is counted by those who asked.
            Some(
                Purpose::PhoneProbe { .. }
                | Purpose::Text { .. }
                | Purpose::TrunkProbe { .. }
                | Purpose::Nothing,
            )
            | None => {}
        }
    }

    fn next_dialog(&mut self) -> DialogRef {
        self.last_dialog += 1;
        DialogRef(self.last_dialog)
    }

    fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Tell(event));
    }

    fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Send(Transmit { flow, bytes }));
    }

    /// Tells an event of a dialog, unless the floor above has ended it.
    fn report_of(&mut self, dialog: DialogRef, event: Event) {
        if self.sessions.get(&dialog).is_some_and(|session| !session.given_up) {
            self.report(event);
        }
    }

    /// The dialog and all its timers are gone. Its transactions run out by themselves.
    fn forget(&mut self, dialog: DialogRef) -> Option<Session> {
        let session = self.sessions.remove(&dialog)?;
        self.index.remove(&session.dialog.id);
        for early in session.early.values() {
            self.index.remove(&early.dialog.id);
        }
        for cseq in session.unacknowledged.keys() {
            self.timers.stop(&Timer::Repeat(dialog, *cseq));
            self.timers.stop(&Timer::GiveUp(dialog, *cseq));
        }
        self.timers.stop(&Timer::Quiet(dialog));
        self.timers.stop(&Timer::CalledOff(dialog));
        self.timers.stop(&Timer::Glare(dialog));
        self.timers.stop(&Timer::Refresh(dialog));
        self.timers.stop(&Timer::Unpracked(dialog));
        self.timers.stop(&Timer::NeverPracked(dialog));
        self.timers.stop(&Timer::SessionRefresh(dialog));
        self.timers.stop(&Timer::SessionDoubt(dialog));
        self.timers.stop(&Timer::Outlasted(dialog));
        Some(session)
    }

    /// The door a flow goes through: the one bound to its local address, or else any of its kind.
    fn door(&self, flow: Flow) -> Option<&Door> {
        let of_kind = || self.setup.doors.iter().filter(|door| door.transport == flow.transport);
        of_kind().find(|door| door.local == flow.local).or_else(|| of_kind().next())
    }

    /// How peers reach us over `flow`: `host:port`.
    fn sent_by(&self, flow: Flow) -> String {
        let address = self.door(flow).map_or(flow.local.ip(), |door| door.advertised);
        let port = self.door(flow).map_or(flow.local.port(), |door| door.local.port());
        SocketAddr::new(address, port).to_string()
    }
}

/// Where large requests may go over TCP instead of UDP.
fn widening_of(setup: &Setup) -> Widening {
    let doors = setup.doors.iter().filter(|door| door.transport == Transport::Tcp);
    let peers = setup.trunks.iter().flat_map(|trunk| trunk.addresses.clone());
    Widening::new(doors.map(|door| door.local).collect(), peers.collect())
}

#[cfg(test)]
mod tests;
