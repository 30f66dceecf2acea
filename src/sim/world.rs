//! The town as one value: an exchange, a network, phones and sound, and the time they share.
//!
//! Time goes from deadline to deadline. At every step the exchange can be written down, read again,
//! and must go on in the same way (decisions.md §5): the world then lives on with the copy.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::{ListenerName, Mint, Moment, Now};
use crate::exchange::{Command, CommandRef, Exchange, Input, Note, Output, Plan};
use crate::record::{CallRecord, Party};
use crate::sim::network::{Arrival, Heading, Network, Weather};
use crate::sim::phone::Phone;
use crate::sim::sound::{Heard, Sound, Speaker};
use crate::sim::transcript::{Transcript, What};
use crate::sim::{plan, witness, written};
use crate::sip::locate::{Answer, Question};
use crate::sip::{Flow, Transport};

/// How often the exchange is written down and read again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restoring {
    /// In a debug build at one in ten of those steps at which nothing but time has passed.
    AtEveryStep,
    /// At one step in so many, drawn from the seed.
    OneIn(u64),
    Never,
}

/// Timers of the exchange that are due at one moment without end are a fault.
const TICKS_AT_ONCE_MAX: u32 = 1000;

pub(super) struct World {
    pub(super) exchange: Exchange,
    pub(super) now: Moment,
    /// What the wall shows at [`Moment::START`]; a step of the clock moves it.
    wall: DateTime<Utc>,
    pub(super) weather: Weather,
    restoring: Restoring,
    mint: Mint,
    pub(super) network: Network,
    pub(super) phones: BTreeMap<String, Phone>,
    names: BTreeMap<SocketAddr, String>,
    dns: BTreeMap<Question, Answer>,
    pub(super) sound: Sound,
    pub(super) transcript: Transcript,
    pub(super) records: Vec<(Moment, CallRecord)>,
    pub(super) notes: Vec<(Moment, Note)>,
    /// What was written, by whom, for the listeners' pages.
    pub(super) shown: Vec<(Party, String)>,
    pub(super) keys_shown: Vec<(ListenerName, char)>,
    replies: BTreeMap<CommandRef, Result<String, String>>,
    commands: u64,
    pub(super) hearing: BTreeMap<String, Vec<(Moment, Heard)>>,
    pub(super) steps: u64,
    /// The loop is behind: what it reads has waited too long.
    pub(super) is_behind: bool,
    /// The loop does nothing before then; what came meanwhile, and when.
    asleep_until: Option<Moment>,
    backlog: Vec<(Now, Arrival)>,
    /// When what is being told came, if not now.
    stamp: Option<Now>,
}

impl World {
    pub(super) fn new(
        plan: Plan,
        wall: DateTime<Utc>,
        seed: u64,
        weather: Weather,
        restoring: Restoring,
    ) -> Self {
        let mut mint = Mint::from_number(seed);
        let lengths = lengths(&plan);
        let words: Vec<_> = plan
            .prompts
            .iter()
            .map(|(name, prompt)| (name.clone(), prompt.words.clone()))
            .collect();
        let now = Now { steady: Moment::START, wall };
        let exchange = Exchange::new(Arc::new(plan), mint.split(), now);
        Self {
            exchange,
            now: Moment::START,
            wall,
            weather,
            restoring,
            network: Network::new(weather, mint.split()),
            phones: BTreeMap::new(),
            names: BTreeMap::new(),
            dns: BTreeMap::new(),
            sound: Sound::new(plan::HOUSE, lengths, mint.split()).with_words(words),
            transcript: Transcript::default(),
            records: Vec::new(),
            notes: Vec::new(),
            shown: Vec::new(),
            keys_shown: Vec::new(),
            replies: BTreeMap::new(),
            commands: 0,
            hearing: BTreeMap::new(),
            steps: 0,
            is_behind: false,
            asleep_until: None,
            backlog: Vec::new(),
            stamp: None,
            mint,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { steady: self.now, wall: self.wall + self.now.since_start() }
    }

    pub(super) fn split_mint(&mut self) -> Mint {
        self.mint.split()
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.mint.below(bound)
    }

    /// The wall clock alone makes a jump.
    pub(super) fn wall_steps(&mut self, by: TimeDelta) {
        self.wall += by;
        self.did(format!("the wall clock steps by {} s", by.num_seconds()));
        self.tell(Input::Tick);
        self.settle();
    }

    pub(super) fn adds(&mut self, name: &str, phone: Phone) {
        let before = self.names.insert(phone.flow().peer, name.to_owned());
        assert!(before.is_none(), "two phones have the address {}", phone.flow().peer);
        self.phones.insert(name.to_owned(), phone);
        self.hearing.insert(name.to_owned(), vec![(self.now, Heard::Nothing)]);
    }

    /// Somebody does something with a phone.
    pub(super) fn with<R>(&mut self, name: &str, act: impl FnOnce(&mut Phone, Moment) -> R) -> R {
        let now = self.now;
        let phone = self.phones.get_mut(name).unwrap_or_else(|| panic!("nobody is called {name}"));
        let result = act(phone, now);
        self.settle();
        result
    }

    pub(super) fn phone(&self, name: &str) -> &Phone {
        self.phones.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub(super) fn hears_from(&mut self, stranger: SocketAddr, text: &str) {
        let bytes = text.as_bytes().to_vec().into();
        self.tell(Input::Received { flow: road(Transport::Udp, stranger), bytes });
        self.settle();
    }

    /// What the DNS says from now on; what it was not told, nobody answers.
    pub(super) fn dns_says(&mut self, question: Question, answer: Answer) {
        self.dns.insert(question, answer);
    }

    pub(super) fn did(&mut self, what: String) {
        let now = self.now();
        self.transcript.happened(now.steady, now.wall, What::Did(what));
    }

    pub(super) fn orders(&mut self, command: Command) -> Result<String, String> {
        self.commands += 1;
        let from = CommandRef(self.commands);
        self.did(format!("the operator orders {command:?}"));
        self.tell(Input::Command { from, command });
        self.settle();
        self.replies.remove(&from).unwrap_or_else(|| panic!("the operator got no reply"))
    }

    pub(super) fn reloads(&mut self, plan: Plan) {
        self.sound.recorded(lengths(&plan));
        self.did("the operator reloads the plan".into());
        self.tell(Input::Plan(Arc::new(plan)));
        self.settle();
    }

    pub(super) fn stops(&mut self) {
        self.did("the house is asked to stop".into());
        self.tell(Input::Stopping);
        self.settle();
    }

    /// The machine does nothing for a while; the network and everybody else go on.
    pub(super) fn stalls(&mut self, duration: Duration) {
        self.did(format!("the house stalls for {} ms", duration.as_millis()));
        self.asleep_until = Some(self.now + duration);
    }

    /// Holds what comes for the house while it sleeps; false if it is awake.
    fn sleeps(&mut self) -> bool {
        let Some(until) = self.asleep_until else {
            return false;
        };
        let now = self.now();
        while let Some(arrival) = self.network.poll_arrival(self.now) {
            match arrival {
                Arrival::Packet { heading: Heading::Phone, .. } => self.arrived(arrival),
                Arrival::Packet { heading: Heading::House, .. }
                | Arrival::Unreachable { .. }
                | Arrival::Closed { .. } => self.backlog.push((now, arrival)),
            }
        }
        if until > self.now {
            return true;
        }
        self.asleep_until = None;
        for (at, arrival) in std::mem::take(&mut self.backlog) {
            self.stamp = Some(at);
            self.arrived(arrival);
        }
        self.stamp = None;
        false
    }

    /// Puts the phone's words on the wire so that the first of them arrives at `at`.
    pub(super) fn sends_for(&mut self, name: &str, at: Moment) {
        let phone = self.phones.get_mut(name).expect("the phone was just used");
        let flow = phone.flow();
        while let Some(bytes) = phone.poll_output() {
            self.network.sent_for(at, Heading::House, flow, bytes);
        }
    }

    /// Everybody is plugged in again and hangs up.
    pub(super) fn everybody_leaves(&mut self) {
        self.did("everybody leaves".into());
        let now = self.now;
        for phone in self.phones.values_mut() {
            let address = phone.flow().peer;
            self.network.revived(address);
            self.network.opened(address);
            for _ in 0..phone.calls() {
                phone.hangs_up(now);
            }
        }
        self.settle();
    }

    // ---- time ----

    /// When something happens next.
    pub(super) fn next(&self) -> Option<Moment> {
        let phones = self
            .phones
            .values()
            .filter(|phone| self.network.is_alive(phone.flow().peer))
            .filter_map(Phone::poll_timeout);
        let house = self.exchange.poll_timeout().into_iter().chain(self.sound.poll_timeout());
        let asleep = self.asleep_until;
        house
            .filter(|_| asleep.is_none())
            .chain(asleep)
            .chain(self.network.poll_timeout())
            .chain(phones)
            .min()
            .map(|at| at.max(self.now))
    }

    /// Goes to the next deadline if it is not after `end`; false if there is none.
    pub(super) fn steps_to(&mut self, end: Moment) -> bool {
        let Some(due) = self.next().filter(|due| *due <= end) else {
            return false;
        };
        self.now = due;
        self.settle();
        true
    }

    pub(super) fn goes_to(&mut self, end: Moment) {
        while self.steps_to(end) {}
        self.now = end;
    }

    /// Works until nothing more happens at this moment.
    pub(super) fn settle(&mut self) {
        let mut ticks = 0;
        loop {
            self.phones_speak();
            if self.sleeps() {
                if !self.phones_time() {
                    break;
                }
            } else if let Some(notice) = self.sound.poll_notice() {
                self.tell(Input::Media(notice));
            } else if let Some(arrival) = self.network.poll_arrival(self.now) {
                self.arrived(arrival);
            } else if self.exchange.poll_timeout().is_some_and(|due| due <= self.now) {
                ticks += 1;
                if ticks > TICKS_AT_ONCE_MAX {
                    self.fails("the exchange's timers never end");
                }
                self.tell(Input::Tick);
            } else if self.phones_time() || self.sound_time() {
            } else {
                break;
            }
        }
        self.listens();
    }

    fn phones_time(&mut self) -> bool {
        let now = self.now;
        let mut any = false;
        for phone in self.phones.values_mut() {
            let alive = self.network.is_alive(phone.flow().peer);
            if alive && phone.poll_timeout().is_some_and(|due| due <= now) {
                phone.handle_timeout(now);
                any = true;
            }
        }
        any
    }

    fn sound_time(&mut self) -> bool {
        self.sound.attended(&self.speakers(), self.now);
        if self.sound.poll_timeout().is_some_and(|due| due <= self.now) {
            self.sound.handle_timeout(self.now);
            return true;
        }
        // `attended` may have had something to say.
        if let Some(notice) = self.sound.poll_notice() {
            self.tell(Input::Media(notice));
            return true;
        }
        false
    }

    fn phones_speak(&mut self) {
        for phone in self.phones.values_mut() {
            let flow = phone.flow();
            while let Some(bytes) = phone.poll_output() {
                self.network.sent(Heading::House, flow, bytes, self.now);
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        let now = self.now();
        match arrival {
            Arrival::Packet { heading: Heading::House, flow, bytes } => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let from = self.name_of(flow.peer);
                self.transcript.happened(now.steady, now.wall, What::Received { from, text });
                self.tell(if self.is_behind {
                    Input::Late { flow, bytes }
                } else {
                    Input::Received { flow, bytes }
                });
            }
            Arrival::Packet { heading: Heading::Phone, flow, bytes } => {
                let name = self.name_of(flow.peer);
                if let Some(phone) = self.phones.get_mut(&name) {
                    phone.received(&bytes, now.steady);
                }
            }
            Arrival::Unreachable { flow } => {
                self.tell(Input::Unreachable { local: flow.local, peer: flow.peer });
            }
            Arrival::Closed { flow } => self.tell(Input::FlowClosed { flow }),
        }
    }

    fn name_of(&self, address: SocketAddr) -> String {
        self.names.get(&address).cloned().unwrap_or_else(|| address.to_string())
    }

    // ---- the exchange ----

    /// Tells the exchange a fact and carries its wishes out.
    pub(super) fn tell(&mut self, input: Input) {
        self.steps += 1;
        let now = self.stamp.unwrap_or_else(|| self.now());
        let restores = match self.restoring {
            // A debug build takes ten times as long over it, and nights are long.
            Restoring::AtEveryStep if cfg!(debug_assertions) && matches!(input, Input::Tick) => {
                self.mint.below(10) == 0
            }
            Restoring::AtEveryStep => true,
            Restoring::OneIn(n) => self.mint.below(n) == 0,
            Restoring::Never => false,
        };
        let outputs = if restores {
            let mut copy = self.restored();
            copy.handle(input.clone(), now);
            let again = outputs(&mut copy);
            self.exchange.handle(input.clone(), now);
            let outputs = outputs(&mut self.exchange);
            if outputs != again || self.exchange.poll_timeout() != copy.poll_timeout() {
                self.fails(&format!(
                    "restored from a snapshot, the exchange goes on differently after {input:?}\n\
                     it was     {outputs:?} until {:?}\nit becomes {again:?} until {:?}",
                    self.exchange.poll_timeout(),
                    copy.poll_timeout()
                ));
            }
            self.exchange = copy;
            outputs
        } else {
            self.exchange.handle(input, now);
            outputs(&mut self.exchange)
        };
        for output in outputs {
            self.perform(output);
        }
    }

    pub(super) fn snapshot(&self) -> Vec<u8> {
        written::write(&self.exchange)
            .unwrap_or_else(|fault| self.fails(&format!("can't be written down: {fault}")))
    }

    fn restored(&self) -> Exchange {
        let bytes = self.snapshot();
        written::read(&bytes)
            .unwrap_or_else(|fault| self.fails(&format!("can't be read again: {fault}")))
    }

    fn perform(&mut self, output: Output) {
        let now = self.now();
        match output {
            Output::Send(transmit) => {
                if let Err(fault) = witness::read(&transmit.bytes) {
                    self.fails(&format!("the witness objects: {fault}"));
                }
                let to = self.name_of(transmit.flow.peer);
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                self.transcript.happened(now.steady, now.wall, What::Sent { to, text });
                self.network.sent(Heading::Phone, transmit.flow, transmit.bytes, now.steady);
            }
            Output::Media(order) => {
                self.wished(format!("{order:?}"));
                self.sound.ordered(order, now.steady);
            }
            Output::Written { by, text, .. } => {
                self.wished(format!("to show what {by:?} wrote, {text:?}"));
                self.shown.push((by, text.shown().to_owned()));
            }
            Output::Pressed { listener, digit } => {
                self.wished(format!("to show {listener} the key {digit}"));
                self.keys_shown.push((listener, digit));
            }
            Output::Record(record) => {
                self.wished(format!("{record:?}"));
                if self.records.iter().any(|(_, known)| known.call == record.call) {
                    self.fails(&format!("call {} has two records", record.call));
                }
                self.records.push((now.steady, record));
            }
            Output::Reply { to, result } => {
                self.wished(format!("to reply {result:?}"));
                self.replies.insert(to, result);
            }
            Output::Note(note) => {
                self.wished(format!("{note:?}"));
                self.notes.push((now.steady, note));
            }
            Output::Close(flow) => self.wished(format!("to close {flow:?}")),
            Output::LookUp(question) => {
                self.wished(format!("to look up {question:?}"));
                let answer = self.dns.get(&question).cloned().unwrap_or(Answer::Failed);
                self.tell(Input::LookedUp { question, answer });
            }
            Output::Expect { peer, name } => self.wished(format!("{peer} to be {name}")),
            Output::Changed => {}
        }
    }

    fn wished(&mut self, what: String) {
        let now = self.now();
        self.transcript.happened(now.steady, now.wall, What::Wished(what));
    }

    // ---- sound ----

    fn speakers(&self) -> Vec<Speaker> {
        self.phones
            .iter()
            .filter(|(_, phone)| phone.habits.sounds && self.network.is_alive(phone.flow().peer))
            .flat_map(|(name, phone)| {
                phone.voices().map(|voice| Speaker { name: name.clone(), voice })
            })
            .collect()
    }

    /// What was shown to somebody on their telephone, so far.
    pub(super) fn read_by(&self, name: &str) -> String {
        self.phone(name)
            .texts()
            .filter_map(|(ours, theirs)| self.sound.shown(ours, theirs))
            .collect()
    }

    /// What somebody hears now.
    pub(super) fn heard_by(&self, name: &str) -> Heard {
        self.heard_among(self.phone(name), &self.speakers())
    }

    fn heard_among(&self, phone: &Phone, speakers: &[Speaker]) -> Heard {
        if !self.network.is_alive(phone.flow().peer) {
            return Heard::Nothing;
        }
        phone
            .voices()
            .map(|voice| self.sound.heard(&voice, speakers, self.now))
            .find(|heard| *heard != Heard::Nothing)
            .unwrap_or(Heard::Nothing)
    }

    fn listens(&mut self) {
        let speakers = self.speakers();
        self.sound.attended(&speakers, self.now);
        let heard: Vec<(String, Heard)> = self
            .phones
            .iter()
            .map(|(name, phone)| (name.clone(), self.heard_among(phone, &speakers)))
            .collect();
        for (name, heard) in heard {
            let log = self.hearing.entry(name).or_default();
            // What lasted no time at all was not heard.
            if log.last().is_some_and(|(at, last)| *at == self.now && *last != heard) {
                log.pop();
            }
            if log.last().is_none_or(|(_, last)| *last != heard) {
                log.push((self.now, heard));
            }
        }
        if let Some(fault) = self.sound.faults().first() {
            self.fails(fault);
        }
    }

    /// Stops the story, and shows how it came to this.
    #[track_caller]
    pub(super) fn fails(&self, what: &str) -> ! {
        panic!("{}\n{what}\n", self.transcript.tail());
    }
}

fn outputs(exchange: &mut Exchange) -> Vec<Output> {
    std::iter::from_fn(|| exchange.poll_output()).collect()
}

fn lengths(plan: &Plan) -> Vec<(crate::base::PromptName, Duration)> {
    plan.prompts.iter().map(|(name, prompt)| (name.clone(), prompt.length)).collect()
}

/// The road between the house and a phone at `peer`.
pub(super) fn road(transport: Transport, peer: SocketAddr) -> Flow {
    let connection = if transport.is_reliable() { u64::from(peer.port()) } else { 0 };
    Flow { transport, local: (plan::HOUSE, 5060).into(), peer, connection }
}
