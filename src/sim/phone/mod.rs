//! A phone: a small SIP user agent of its own, for callers and listeners.
//!
//! It shares no code with the house's SIP: a phone made of our own parser and machines would agree
//! with our mistakes. It reads with `rsip`, repeats what gets lost, acknowledges, authenticates,
//! holds and resumes, and does what people do with phones: pick up late, refuse, forget to
//! register, pull the cable. What it has seen is kept with times ([`Phone::seen`]).
//!
//! ```text
//!   verbs of a person          facts                         wishes
//!   dials picks_up hangs_up    received(bytes)               poll_output → bytes
//!   holds resumes refuses      poll_timeout, handle_timeout
//! ```

mod asking;
mod digest;
mod lamp;
mod letter;
mod serving;
mod talk;
mod voice;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Mint, Moment};
use crate::sip::Flow;
use asking::{Asked, Purpose};
use lamp::Lamp;
use letter::Letter;
use serving::Served;
use talk::{State, Talk};

pub(crate) use digest::account_digests;
pub use lamp::Light;
pub use voice::{Codec, Description, Direction};

/// RFC 3261 §17.1.1.1.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// How long a transaction is tried or remembered.
const PATIENCE: Duration = Duration::from_secs(32);
/// How soon a registration that came to nothing is tried again.
const REGISTER_AGAIN: Duration = Duration::from_secs(5);

/// What a phone does with an INVITE by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnInvite {
    /// 180, and a person decides.
    Ring,
    /// This final response, at once.
    Refuse(u16),
    /// Not a word.
    Ignore,
    /// 200 after ringing that long.
    PickUpAfter(Duration),
}

/// What a phone says of its sound when it is picked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// What fits the offer.
    Sound,
    /// Not a word.
    Nothing,
    /// What nobody can read.
    Nonsense,
    /// A stream that is declined.
    Declined,
    /// A codec nobody has offered.
    Strange,
}

/// What distinguishes one phone from another.
#[derive(Clone, Debug)]
pub struct Habits {
    pub codecs: Vec<Codec>,
    pub on_invite: OnInvite,
    pub answer: Answer,
    /// Says 200 to a CANCEL, and rings on.
    pub rings_on: bool,
    /// Its ACKs of what was answered reach nobody.
    pub acknowledges: bool,
    /// INVITE without SDP; the answer comes in the ACK.
    pub delayed_offer: bool,
    /// The caller's number, in From and P-Asserted-Identity.
    pub number: Option<String>,
    /// `Privacy: id` and an anonymous From; P-Asserted-Identity tells the number all the same.
    pub anonymous: bool,
    /// The display name in From.
    pub display: Option<String>,
    /// Whom a listener's phone says it is, in From, whatever its account.
    pub claims: Option<String>,
    /// What a network adds to the INVITEs of this phone: header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// How long a registration is asked for.
    pub expires: Duration,
    /// Sends RTP and RTCP while a call is up.
    pub sounds: bool,
    /// Text is written and read on it, too.
    pub writes: bool,
    /// Does not say so when it registers.
    pub modest: bool,
    /// Takes no sound that might be plain.
    pub protects: bool,
    /// Takes no sound that must be protected.
    pub leaves_open: bool,
    /// Refuses an offer in which there are keys at all.
    pub knows_no_keys: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            on_invite: OnInvite::Ring,
            answer: Answer::Sound,
            rings_on: false,
            acknowledges: true,
            delayed_offer: false,
            number: None,
            anonymous: false,
            display: None,
            claims: None,
            headers: Vec::new(),
            expires: Duration::from_secs(300),
            sounds: true,
            writes: false,
            modest: false,
            protects: false,
            leaves_open: false,
            knows_no_keys: false,
        }
    }
}

/// An account a phone registers with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

/// What a person with this phone would have noticed, or its display shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    Registered,
    Unregistered,
    RegistrationRefused {
        status: u16,
    },
    /// A provisional response to our INVITE.
    Progress {
        status: u16,
    },
    /// Our INVITE was answered.
    Answered,
    /// Our INVITE came to nothing; with its Reason and Warning.
    Refused {
        status: u16,
        reason: String,
        warning: String,
    },
    Rang {
        display: String,
        alert: String,
    },
    /// It stopped before anybody picked up.
    RingingStopped {
        reason: String,
    },
    /// We picked up and they acknowledged.
    Connected,
    /// They hung up.
    HungUp {
        reason: String,
    },
    /// We hung up and they know.
    HangUpConfirmed,
    /// What we asked inside the call was answered.
    Replied {
        method: String,
        status: u16,
    },
    /// How a transfer goes that this phone asked for.
    Transferred {
        status: u16,
    },
    /// The house sent a text.
    Told {
        text: String,
    },
    /// A re-INVITE of ours was answered with this status.
    Reoffered {
        status: u16,
    },
}

/// One end of a stream of sound, as this phone sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Voice {
    pub ours: SocketAddr,
    pub theirs: SocketAddr,
    pub sends: bool,
    pub hears: bool,
}

/// A phone as one value.
#[derive(Debug)]
pub struct Phone {
    /// As the house sees the road to this phone.
    flow: Flow,
    credentials: Option<Credentials>,
    pub habits: Habits,
    mint: Mint,
    talks: Vec<Talk>,
    asked: Vec<Asked>,
    served: Vec<Served>,
    register_id: String,
    register_cseq: u32,
    wants_registration: bool,
    registered: bool,
    register_again: Option<Moment>,
    outputs: VecDeque<Bytes>,
    seen: Vec<(Moment, Seen)>,
    ports: u16,
    lamps: Vec<Lamp>,
}

impl Phone {
    pub fn new(
        flow: Flow,
        credentials: Option<Credentials>,
        habits: Habits,
        mut mint: Mint,
    ) -> Self {
        let register_id = mint.token();
        Self {
            flow,
            credentials,
            habits,
            mint,
            talks: Vec::new(),
            asked: Vec::new(),
            served: Vec::new(),
            register_id,
            register_cseq: 0,
            wants_registration: false,
            registered: false,
            register_again: None,
            outputs: VecDeque::new(),
            seen: Vec::new(),
            ports: 0,
            lamps: Vec::new(),
        }
    }

    // ---- what a person does ----

    pub fn registers(&mut self, now: Moment) {
        self.wants_registration = true;
        self.register(now);
    }

    pub fn unregisters(&mut self, now: Moment) {
        self.wants_registration = false;
        self.register(now);
    }

    pub fn dials(&mut self, number: &str, now: Moment) {
        self.dial(number, now);
    }

    /// Picks up what rings; nothing happens if nothing does.
    pub fn picks_up(&mut self, now: Moment) {
        if let Some(at) = self.talks.iter().position(|talk| talk.is_ringing()) {
            self.pick_up(at, now);
        }
    }

    /// Refuses what rings.
    pub fn refuses(&mut self, status: u16, now: Moment) {
        if let Some(at) = self.talks.iter().position(|talk| talk.is_ringing()) {
            self.refuse(at, status, now);
        }
    }

    /// Ends the call, whatever stage it is in.
    pub fn hangs_up(&mut self, now: Moment) {
        if let Some(at) = self.talks.iter().position(|talk| !talk.is_over()) {
            self.hang_up(at, now);
        }
    }

    /// Puts the other side on hold, as a PBX does: its own music instead of its voice.
    pub fn holds(&mut self, now: Moment) {
        self.reoffers(Direction::SendOnly, now);
    }

    pub fn resumes(&mut self, now: Moment) {
        self.reoffers(Direction::Both, now);
    }

    /// Sends a re-INVITE; with whatever codecs the phone's habits now name.
    pub fn reoffers(&mut self, direction: Direction, now: Moment) {
        if let Some(at) = self.talks.iter().position(Talk::is_established) {
            self.reoffer(at, direction, now);
        }
    }

    /// Sends a re-INVITE without an offer: ours goes with the ACK.
    pub fn asks_for_an_offer(&mut self, now: Moment) {
        if let Some(at) = self.talks.iter().position(Talk::is_established) {
            self.talks[at].version += 1;
            self.talks[at].offers_late = true;
            self.request(at, "INVITE", &[], "", Purpose::Reinvite, now);
        }
    }

    /// Asks something inside the call, with these headers, and with the description as it stands if
    /// `described`.
    pub fn asks(&mut self, method: &str, headers: &[(&str, String)], described: bool, now: Moment) {
        if let Some(at) = self.talks.iter().position(Talk::is_established) {
            let body = if described { self.described(at, None) } else { String::new() };
            self.request(at, method, headers, &body, Purpose::Asking, now);
        }
    }

    /// Ends the call that came last: the second line.
    pub fn hangs_up_beside(&mut self, now: Moment) {
        if let Some(at) = self.talks.iter().rposition(|talk| !talk.is_over()) {
            self.hang_up(at, now);
        }
    }

    /// REFER: the call it has should go to that account or number.
    pub fn refers(&mut self, to: &str, now: Moment) {
        let target = format!("<sip:{to}@{}>", self.flow.local.ip());
        self.asks("REFER", &[("Refer-To", target)], false, now);
    }

    /// What names the call it has, or that rings, in a Replaces.
    pub fn names_its_call(&self) -> String {
        let Some(talk) = self.talks.iter().find(|talk| !talk.is_over()) else {
            return String::new();
        };
        let theirs = letter::parameter(&talk.remote, "tag");
        let ours = if talk.is_ringing() { "0" } else { &talk.tag };
        format!("{};to-tag={theirs};from-tag={ours}", talk.id)
    }

    /// REFER with Replaces: the two lines of this phone should become one call without it.
    pub fn refers_beside(&mut self, now: Moment) {
        let Some(talk) = self.talks.iter().rfind(|talk| !talk.is_over()) else {
            return;
        };
        let theirs = match letter::parameter(&talk.remote, "tag") {
            "" => talk.early_tag.clone(),
            tag => tag.to_owned(),
        };
        let (id, ours) = (talk.id.replace('@', "%40"), talk.tag.clone());
        let replaces = format!("{id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}");
        let target = talk.target.split('>').next().unwrap_or_default();
        let target = format!("<{target}?Replaces={replaces}>");
        self.asks("REFER", &[("Refer-To", target)], false, now);
    }

    /// Sends the INVITE of the call it has again, as it was.
    pub fn repeats_the_invite(&mut self, now: Moment) {
        let talks = &self.talks;
        let lives = |call: &str| talks.iter().any(|talk| talk.id == call && !talk.is_over());
        let found = self.asked.iter().rev().find_map(|asked| asked.invite(lives, now));
        if let Some(text) = found.map(str::to_owned) {
            self.send(&text);
        }
    }

    // ---- facts ----

    pub fn received(&mut self, bytes: &[u8], now: Moment) {
        let Some(letter) = Letter::read(bytes) else {
            return;
        };
        if letter.method.is_some() {
            self.serve(&letter, now);
        } else {
            self.responded(&letter, now);
        }
    }

    // ---- questions ----

    pub fn flow(&self) -> Flow {
        self.flow
    }

    pub fn is_registered(&self) -> bool {
        self.registered
    }

    pub fn is_ringing(&self) -> bool {
        self.talks.iter().any(Talk::is_ringing)
    }

    /// Whether a call is up: picked up at either end, not hung up at this one.
    pub fn is_in_call(&self) -> bool {
        self.talks.iter().any(Talk::is_established)
    }

    /// Whether nothing rings, is dialled or talked.
    pub fn is_free(&self) -> bool {
        self.talks.iter().all(Talk::is_over)
    }

    /// How many calls are up, ring or are dialled.
    pub fn calls(&self) -> usize {
        self.talks.iter().filter(|talk| !talk.is_over()).count()
    }

    /// How many calls somebody else began are up or ring.
    pub fn taken_calls(&self) -> usize {
        self.talks.iter().filter(|talk| talk.is_taken() && !talk.is_over()).count()
    }

    /// How many calls ring at once.
    pub fn ringing(&self) -> usize {
        self.talks.iter().filter(|talk| talk.is_ringing()).count()
    }

    /// Everything it has seen, oldest first.
    pub fn seen(&self) -> &[(Moment, Seen)] {
        &self.seen
    }

    /// The sound of the calls that are up, or are heard already.
    pub fn voices(&self) -> impl Iterator<Item = Voice> {
        self.talks.iter().filter(|talk| talk.is_established() || talk.is_dialling()).filter_map(
            |talk| {
                let theirs = talk.theirs.as_ref()?;
                Some(Voice {
                    ours: talk.ours,
                    theirs: theirs.address,
                    sends: talk.direction.sends() && theirs.direction.receives(),
                    hears: talk.direction.receives() && theirs.direction.sends(),
                })
            },
        )
    }

    /// Where it reads and writes, in calls with text.
    pub fn texts(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
        let up = self.talks.iter().filter(|talk| self.habits.writes && talk.is_established());
        up.filter_map(|talk| {
            let theirs = talk.theirs.as_ref()?.text.filter(|theirs| theirs.port() != 0)?;
            Some((SocketAddr::new(talk.ours.ip(), talk.ours.port() + 1), theirs))
        })
    }

    // ---- time and outputs ----

    pub fn poll_timeout(&self) -> Option<Moment> {
        let asked = self.asked.iter().filter_map(Asked::next);
        let served = self.served.iter().map(Served::next);
        let talks = self.talks.iter().filter_map(|talk| talk.pick_up_at);
        asked.chain(served).chain(talks).chain(self.register_again).min()
    }

    pub fn handle_timeout(&mut self, now: Moment) {
        self.ask_again(now);
        self.serve_again(now);
        while let Some(at) =
            self.talks.iter().position(|talk| talk.pick_up_at.is_some_and(|at| at <= now))
        {
            self.talks[at].pick_up_at = None;
            self.pick_up(at, now);
        }
        if self.register_again.is_some_and(|at| at <= now) {
            self.register_again = None;
            self.register(now);
        }
        self.talks
            .retain(|talk| !matches!(talk.state, State::Over { forget_at } if forget_at <= now));
    }

    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.outputs.pop_front()
    }

    // ---- shared by the parts ----

    fn saw(&mut self, seen: Seen, now: Moment) {
        self.seen.push((now, seen));
    }

    fn send(&mut self, text: &str) {
        self.outputs.push_back(Bytes::copy_from_slice(text.as_bytes()));
    }

    /// `sip:anna@10.1.0.1:5060`, where this phone is found.
    fn contact(&self) -> String {
        let user = self.credentials.as_ref().map_or("line", |credentials| &credentials.user);
        let transport = if self.flow.transport.is_reliable() { ";transport=tcp" } else { "" };
        format!("sip:{user}@{}{transport}", self.flow.peer)
    }

    fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", self.flow.transport.token(), self.flow.peer)
    }

    fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.mint.token())
    }

    /// An address for the sound of one more call.
    fn rtp(&mut self) -> SocketAddr {
        self.ports = (self.ports + 1) % 1000;
        SocketAddr::new(self.flow.peer.ip(), 40_000 + 2 * self.ports)
    }
}
