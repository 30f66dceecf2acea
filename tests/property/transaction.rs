//! Two endpoints and a bad network between them: whatever is lost, doubled, delayed or overtaken,
//! and whatever their owners ask for in between, both end up with the same story and with nothing
//! left over.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use hotline::base::{ListenerName, Mint, Moment, Now};
use hotline::sip::digest::{Secret, ha1};
use hotline::sip::headers::Credentials;
use hotline::sip::message::{Message, Method};
use hotline::sip::{
    Account, Algorithm, DialogRef, Door, Endpoint, Event, Flow, Invitation, Output, Reason,
    Refusal, Setup, Target, Transport, TrunkAccess, wire,
};

/// The network is bad for this long; after that it loses nothing, so that "in the end" comes.
const WEATHER: Duration = Duration::from_secs(20);
const HOUSE: usize = 0;
const PHONE: usize = 1;
const ADDRESSES: [&str; 2] = ["203.0.113.1:5060", "198.51.100.7:5060"];

/// A re-INVITE given up before anything was heard of it, and heard of (100) only afterwards, stayed for ever.
#[test]
fn a_question_given_up_is_not_kept_by_a_late_100() {
    let mut world = World::new(15_241_470_997_056_476_714, 16, 0);
    for _ in 0..2 {
        world.house_calls();
    }
    world.lives();
    world.agrees().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_of_a_call_agree_and_nothing_is_left(
        seed in any::<u64>(),
        loss in 0_u64..40,
        doubling in 0_u64..30,
        calls in 1_usize..4,
    ) {
        let mut world = World::new(seed, loss, doubling);
        for _ in 0..calls {
            world.house_calls();
        }
        world.lives();
        world.agrees()?;
    }
}

/// What one side believes of one dialog.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    answered: bool,
    /// The 200 was acknowledged, or the other way round.
    confirmed: bool,
    /// A last event came.
    told_over: bool,
    /// Our own word ended it.
    ended_by_us: bool,
}

struct World {
    now: Now,
    chance: Mint,
    loss: u64,
    doubling: u64,
    sides: [Endpoint; 2],
    views: [BTreeMap<DialogRef, View>; 2],
    /// What is under way: when it arrives, in which order it was sent, to whom.
    roads: BTreeMap<(Moment, u64), (usize, Bytes)>,
    sent: u64,
}

impl World {
    fn new(seed: u64, loss: u64, doubling: u64) -> Self {
        let mut chance = Mint::from_number(seed);
        let sides = [HOUSE, PHONE].map(|side| Endpoint::new(setup(side), chance.split()));
        let wall = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut world = Self {
            now: Now { steady: Moment::START, wall },
            chance,
            loss: 0,
            doubling: 0,
            sides,
            views: Default::default(),
            roads: BTreeMap::new(),
            sent: 0,
        };
        world.phone_registers();
        (world.loss, world.doubling) = (loss, doubling);
        world
    }

    fn house_calls(&mut self) {
        let listener: ListenerName = "lea".parse().unwrap();
        let phone = self.sides[HOUSE].phones(&listener)[0].phone;
        let invitation = Invitation {
            target: Target::Phone(phone),
            from_user: "3977".into(),
            from_display: "3977".into(),
            offer: "v=0\r\n".into(),
            alert_info: None,
        };
        let dialog = self.sides[HOUSE].invite(invitation, self.now);
        self.views[HOUSE].insert(dialog, View::default());
        self.hears(HOUSE);
    }

    /// Runs until nothing more can happen. Owners act at random as long as the weather is bad, and
    /// hang up afterwards.
    fn lives(&mut self) {
        let start = self.now.steady;
        let mut next_whim = start;
        let mut goodbyes = [false; 2];
        for _ in 0..100_000 {
            let elapsed = self.now.steady - start;
            let whims = elapsed < WEATHER;
            if !whims && !goodbyes[HOUSE] {
                (self.loss, self.doubling) = (0, 0);
                goodbyes[HOUSE] = true;
                self.hangs_up(HOUSE);
            }
            if elapsed > WEATHER * 3 && !goodbyes[PHONE] {
                goodbyes[PHONE] = true;
                self.hangs_up(PHONE);
            }
            let arrival = self.roads.first_key_value().map(|((at, _), _)| *at);
            let timers = self.sides.iter().filter_map(Endpoint::poll_timeout);
            let whim = if whims { Some(next_whim) } else { None };
            let deadline =
                (!goodbyes[PHONE]).then_some(start + WEATHER * 3 + Duration::from_secs(1));
            let weather_ends = whims.then_some(start + WEATHER);
            let next = timers.chain(arrival).chain(whim).chain(deadline).chain(weather_ends).min();
            let Some(next) = next else {
                return;
            };
            if next - start > Duration::from_secs(500) {
                return;
            }
            self.now = self.now.plus(next - self.now.steady);
            if arrival == Some(next) {
                self.arrives();
            } else if whim == Some(next) {
                next_whim = next + Duration::from_millis(50 + self.chance.below(3_000));
                self.has_a_whim();
            } else {
                for side in [HOUSE, PHONE] {
                    self.sides[side].handle_timeout(self.now);
                    self.hears(side);
                }
            }
            self.is_written_down_and_restored();
        }
        panic!("it never ends");
    }

    fn agrees(&self) -> Result<(), TestCaseError> {
        for side in &self.sides {
            let load = side.load();
            prop_assert_eq!((load.dialogs, load.transactions), (0, 0));
        }
        let count = |side: usize, what: fn(&View) -> bool| {
            self.views[side].values().filter(|view| what(view)).count()
        };
        for view in self.views.iter().flat_map(BTreeMap::values) {
            prop_assert!(view.told_over || view.ended_by_us, "left hanging: {:?}", view);
            prop_assert!(!(view.told_over && view.ended_by_us), "told after the end: {:?}", view);
        }
        // Whoever was answered, was answered by somebody; each once.
        prop_assert!(count(HOUSE, |view| view.answered) <= count(PHONE, |view| view.answered));
        prop_assert!(self.views[PHONE].len() <= self.views[HOUSE].len());
        Ok(())
    }

    // ---- whims ----

    fn has_a_whim(&mut self) {
        let side = usize::from(self.chance.below(2) == 1);
        let dialogs: Vec<DialogRef> = self.views[side].keys().copied().collect();
        if dialogs.is_empty() {
            return;
        }
        let dialog = dialogs[self.chance.below(dialogs.len() as u64) as usize];
        let (now, endpoint) = (self.now, &mut self.sides[side]);
        let view = self.views[side].get_mut(&dialog).unwrap();
        if view.told_over || view.ended_by_us {
            return;
        }
        match self.chance.below(8) {
            0 if side == PHONE => endpoint.ring(dialog, now),
            1..=3 if side == PHONE && !view.answered => {
                view.answered = true;
                endpoint.accept(dialog, "v=0\r\n".into(), now);
            }
            4 if side == PHONE && !view.answered => {
                view.ended_by_us = true;
                endpoint.refuse(dialog, Refusal::TemporarilyUnavailable, now);
            }
            5 if view.confirmed => endpoint.offer(dialog, "v=0\r\n".into(), now),
            6 if view.confirmed => endpoint.probe(dialog, now),
            7 => {
                view.ended_by_us = true;
                endpoint.end(dialog, Reason::Normal, now);
            }
            _ => {}
        }
        self.hears(side);
    }

    fn hangs_up(&mut self, side: usize) {
        for (dialog, view) in &mut self.views[side] {
            if !view.told_over && !view.ended_by_us {
                view.ended_by_us = true;
                self.sides[side].end(*dialog, Reason::Normal, self.now);
            }
        }
        self.hears(side);
    }

    // ---- the network ----

    /// Takes what a side has to say and puts it on the road.
    fn hears(&mut self, side: usize) {
        while let Some(output) = self.sides[side].poll_output() {
            match output {
                Output::Send(transmit) => self.sends(side, transmit.bytes),
                Output::Close(_) | Output::LookUp(_) | Output::Expect { .. } => {}
                Output::Tell(event) => self.is_told(side, event),
            }
        }
    }

    fn sends(&mut self, side: usize, bytes: Bytes) {
        let copies = if self.chance.below(100) < self.loss {
            0
        } else if self.chance.below(100) < self.doubling {
            2
        } else {
            1
        };
        for _ in 0..copies {
            // Up to half a second: enough to overtake what was sent before, and to cross.
            let delay =
                Duration::from_millis(1 + self.chance.below(if self.loss > 0 { 500 } else { 20 }));
            self.sent += 1;
            self.roads.insert((self.now.steady + delay, self.sent), (1 - side, bytes.clone()));
        }
    }

    fn arrives(&mut self) {
        let Some((_, (side, bytes))) = self.roads.pop_first() else {
            return;
        };
        self.sides[side].received(road_to(side), &bytes, self.now);
        self.hears(side);
    }

    fn is_told(&mut self, side: usize, event: Event) {
        match event {
            Event::Invited { dialog, .. } => {
                let before = self.views[side].insert(dialog, View::default());
                assert!(before.is_none(), "one dialog, invited twice");
            }
            Event::Answered { dialog, .. } => {
                let view = self.view(side, dialog);
                (view.answered, view.confirmed) = (true, true);
            }
            Event::Confirmed { dialog, .. } => self.view(side, dialog).confirmed = true,
            Event::Ended { dialog, .. } | Event::Failed { dialog, .. } => {
                let view = self.view(side, dialog);
                assert!(!view.told_over, "over twice");
                view.told_over = true;
            }
            Event::Offered { dialog, .. } => {
                if self.chance.below(3) == 0 {
                    self.sides[side].decline(dialog, Refusal::NotAcceptableHere, self.now);
                } else {
                    self.sides[side].answer(dialog, "v=0\r\n".into(), self.now);
                }
            }
            Event::Ringing { .. }
            | Event::Quiet { .. }
            | Event::OfferAnswered { .. }
            | Event::Probed { .. }
            | Event::Pressed { .. }
            | Event::TransferAsked { .. }
            | Event::PhonesChanged { .. }
            | Event::Located { .. }
            | Event::LocatedAbroad { .. }
            | Event::Outlasted { .. }
            | Event::TrunkChanged { .. }
            | Event::AuthenticationFailed { .. } => {}
        }
    }

    fn view(&mut self, side: usize, dialog: DialogRef) -> &mut View {
        let view = self.views[side].get_mut(&dialog).expect("a dialog we know");
        assert!(!view.ended_by_us, "told of a dialog we have ended");
        view
    }

    fn is_written_down_and_restored(&mut self) {
        if self.chance.below(20) == 0 {
            for side in &mut self.sides {
                let text = serde_json::to_string(side).unwrap();
                *side = serde_json::from_str(&text).unwrap();
            }
        }
    }

    fn phone_registers(&mut self) {
        let (uri, method) = ("sip:hotline.example", Method::Register);
        let register = |cseq: u32, authorization: &str| {
            format!(
                "REGISTER {uri} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {};branch=z9hG4bK{cseq};rport\r\nMax-Forwards: 70\r\n\
                 From: <sip:lea@hotline.example>;tag=a\r\nTo: <sip:lea@hotline.example>\r\n\
                 Call-ID: r\r\nCSeq: {cseq} REGISTER\r\nExpires: 300\r\n\
                 Contact: <sip:lea@{}>\r\n{authorization}Content-Length: 0\r\n\r\n",
                ADDRESSES[PHONE], ADDRESSES[PHONE]
            )
        };
        let house = &mut self.sides[HOUSE];
        house.received(road_to(HOUSE), register(1, "").as_bytes(), self.now);
        let Some(Output::Send(transmit)) = house.poll_output() else {
            panic!("no challenge");
        };
        let Ok(Message::Response(response)) = wire::parse_datagram(&transmit.bytes) else {
            panic!("no response");
        };
        let challenge = response.challenges().next().unwrap();
        let secret = Secret::Password("secret");
        let credentials = Credentials::answer(&challenge, "lea", secret, &method, uri, 1, "cnonce");
        let authorization = format!("Authorization: {credentials}\r\n");
        house.received(road_to(HOUSE), register(2, &authorization).as_bytes(), self.now);
        while house.poll_output().is_some() {}
    }
}

fn setup(side: usize) -> Setup {
    let address: SocketAddr = ADDRESSES[side].parse().unwrap();
    let other: SocketAddr = ADDRESSES[1 - side].parse().unwrap();
    let account = Account {
        ha1_md5: ha1(Algorithm::Md5, "lea", "hotline.example", "secret"),
        ha1_sha256: ha1(Algorithm::Sha256, "lea", "hotline.example", "secret"),
        algorithms: None,
        phones_max: 1,
    };
    Setup {
        doors: vec![Door {
            transport: Transport::Udp,
            local: address,
            advertised: address.ip(),
            algorithms: vec![Algorithm::Sha256],
        }],
        realm: "hotline.example".into(),
        trunks: vec![TrunkAccess::delivering(
            "other".parse().unwrap(),
            vec![other.ip().to_string().parse().unwrap()],
        )],
        accounts: [("lea".parse().unwrap(), account)].into(),
        expiry_min: Duration::from_secs(60),
        expiry_max: Duration::from_secs(3600),
        expiry_default: Duration::from_secs(300),
        dialogs_max: 100,
        ..Setup::default()
    }
}

/// The road by which a side hears the other.
fn road_to(side: usize) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: ADDRESSES[side].parse().unwrap(),
        peer: ADDRESSES[1 - side].parse().unwrap(),
        connection: 0,
    }
}
