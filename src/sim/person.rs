//! Somebody in the town, with a telephone: what they do. What they notice is in `noticing`.
//!
//! Verbs act at once. Statements (`rings`, `hears`, `talks_with`) wait for the network, then hold
//! or stop the story; those named `is_…` and `has_…` are about this very moment.

use std::net::SocketAddr;
use std::time::Duration;

use crate::base::Moment;
use crate::sim::phone::{Direction, Phone};
use crate::sim::sound::Heard;
use crate::sim::town::Town;

/// How long it may take until a listener has a call, from the moment their caller dials.
const BUSY_WITHIN: Duration = Duration::from_secs(120);

/// A handle on somebody.
#[derive(Clone)]
pub struct Person {
    pub(super) town: Town,
    pub(super) name: String,
}

impl Person {
    pub(super) fn new(town: Town, name: &str) -> Self {
        Self { town, name: name.to_owned() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where their telephone is.
    pub fn address(&self) -> SocketAddr {
        self.town.world().phone(&self.name).flow().peer
    }

    // ---- what they do ----

    pub fn dials(&self, number: &str) {
        self.did(&format!("dials {number}"));
        self.with(|phone, now| phone.dials(number, now));
    }

    /// Lets it ring until it does, and picks up.
    #[track_caller]
    pub fn picks_up(&self) {
        self.rings();
        self.did("picks up");
        self.with(Phone::picks_up);
    }

    /// Picks up if it rings at this moment, and does nothing else.
    pub fn picks_up_if_ringing(&self) {
        if self.is_ringing() {
            self.did("picks up");
        }
        self.with(Phone::picks_up);
    }

    #[track_caller]
    pub fn refuses(&self, status: u16) {
        self.rings();
        self.did(&format!("refuses with {status}"));
        self.with(|phone, now| phone.refuses(status, now));
    }

    pub fn hangs_up(&self) {
        self.did("hangs up");
        self.with(Phone::hangs_up);
    }

    pub fn holds(&self) {
        self.did("puts the line on hold");
        self.with(Phone::holds);
    }

    pub fn resumes(&self) {
        self.did("comes back from hold");
        self.with(Phone::resumes);
    }

    /// Sends a re-INVITE with the codecs of its present habits.
    pub fn reoffers(&self) {
        self.did("offers anew");
        self.with(|phone, now| phone.reoffers(Direction::Both, now));
    }

    /// Sends a re-INVITE without an offer.
    pub fn asks_for_an_offer(&self) {
        self.did("asks for an offer");
        self.with(Phone::asks_for_an_offer);
    }

    /// Their phone asks something inside the call: a method, a header.
    pub fn asks(&self, method: &str, header: (&str, &str)) {
        self.did(&format!("sends {method}"));
        let header = [(header.0, header.1.to_owned())];
        self.with(|phone, now| phone.asks(method, &header, false, now));
    }

    /// Their phone asks that the call go to that account or number, at once (REFER).
    pub fn transfers_to(&self, whom: &str) {
        self.did(&format!("transfers the call to {whom}"));
        self.with(|phone, now| phone.refers(whom, now));
    }

    /// Puts the call on hold and dials on a second line.
    pub fn dials_beside(&self, whom: &str) {
        self.holds();
        self.dials(whom);
    }

    /// Their phone asks that its two lines become one call (REFER with Replaces).
    pub fn joins_both_lines(&self) {
        self.did("joins both lines");
        self.with(Phone::refers_beside);
    }

    /// Dials to take the place of the call another phone has, or that rings there (Replaces).
    pub fn picks_up_from(&self, other: &Self) {
        self.did(&format!("picks up what {} has", other.name));
        let named = other.names_its_call();
        self.with(|phone, now| {
            phone.habits.headers.push(("Replaces", named));
            phone.dials("3977", now);
        });
    }

    /// What names the call they have, or that rings, in a Replaces.
    pub fn names_its_call(&self) -> String {
        self.town.world().phone(&self.name).names_its_call()
    }

    /// Hangs up on the second line.
    pub fn hangs_up_beside(&self) {
        self.did("hangs up the second line");
        self.with(Phone::hangs_up_beside);
    }

    /// Their network keeps the session alive: UPDATE, with the description as it was.
    pub fn refreshes(&self) {
        self.did("refreshes the session");
        let header = [
            ("Supported", "timer".to_owned()),
            ("Session-Expires", "1800;refresher=uac".to_owned()),
        ];
        self.with(|phone, now| phone.asks("UPDATE", &header, true, now));
    }

    /// The network brings the INVITE a second time.
    pub fn repeats_the_invite(&self) {
        self.did("sends the INVITE again");
        self.with(Phone::repeats_the_invite);
    }

    pub fn presses(&self, digit: char) {
        self.did(&format!("presses {digit}"));
        let mut world = self.town.world_mut();
        let to = world.phone(&self.name).voices().next().map(|voice| voice.theirs);
        if let Some(to) = to {
            world.sound.pressed(to, digit);
            world.settle();
        }
    }

    /// Writes something in the call that is up.
    pub fn types(&self, text: &str) {
        self.did(&format!("writes {} letters", text.len()));
        let mut world = self.town.world_mut();
        let texts: Vec<_> = world.phone(&self.name).texts().collect();
        for (ours, theirs) in texts {
            world.sound.typed(ours, theirs, text);
        }
        world.settle();
    }

    /// Registers and waits until it is done.
    #[track_caller]
    pub fn registers(&self) {
        self.did("registers");
        self.with(Phone::registers);
        self.town.awaits(&format!("{} is registered", self.name), |world| {
            world.phone(&self.name).is_registered()
        });
    }

    /// Registers, and doesn't wait for what comes of it.
    pub fn tries_to_register(&self) {
        self.did("tries to register");
        self.with(Phone::registers);
    }

    /// Watches a colleague by a lamp: `dialog` or `presence`.
    pub fn watches(&self, whom: &str, package: &'static str) {
        self.did(&format!("watches {whom}"));
        self.with(|phone, now| phone.watches(whom, package, now));
    }

    pub fn watches_nobody(&self) {
        self.did("watches nobody any more");
        self.with(Phone::watches_nobody);
    }

    /// Unregisters, as a phone does that is switched off properly.
    pub fn unregisters(&self) {
        self.did("unregisters");
        self.with(Phone::unregisters);
    }

    /// The cable is pulled: nothing more is heard from there.
    pub fn unplugs(&self) {
        self.did("pulls the cable");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.died(address);
        world.settle();
    }

    pub fn plugs_in(&self) {
        self.did("puts the cable back");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.revived(address);
        world.settle();
    }

    /// The program is closed: the machine answers that nobody is on that port.
    pub fn closes_the_port(&self) {
        self.did("closes the port");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.shut(address);
        world.settle();
    }

    pub fn opens_the_port(&self) {
        self.did("opens the port");
        let mut world = self.town.world_mut();
        let address = world.phone(&self.name).flow().peer;
        world.network.opened(address);
        world.settle();
    }

    /// The TCP connection breaks.
    pub fn loses_the_connection(&self) {
        self.did("loses the connection");
        let mut world = self.town.world_mut();
        let (flow, now) = (world.phone(&self.name).flow(), world.now);
        world.network.closed(flow, now);
        world.settle();
    }

    /// Changes what the phone does by itself from now on.
    pub fn changes(&self, change: impl FnOnce(&mut crate::sim::phone::Habits)) {
        self.with(|phone, _| change(&mut phone.habits));
    }

    /// A listener gets busy: somebody calls, and they pick up. Returns the caller.
    #[track_caller]
    pub fn takes_a_call(&self) -> Self {
        let caller = self.town.dials(&format!("{}-caller", self.name), "3977");
        let end = self.town.now() + BUSY_WITHIN;
        loop {
            // The phone may still ring for somebody who is served already: it is picked up in vain.
            self.picks_up_if_ringing();
            let theirs = Heard::Voice(caller.name.clone());
            if self.hearing() == theirs && caller.hearing() == Heard::Voice(self.name.clone()) {
                return caller;
            }
            if !self.town.world_mut().steps_to(end) {
                self.town.world().fails(&format!("{} should have taken a call", self.name));
            }
        }
    }

    /// Hears that the line is closed.
    #[track_caller]
    pub fn hears_that_it_is_closed(&self) {
        self.gets_through();
        self.hears_within("danger", Duration::from_secs(10));
    }

    // ---- the parts ----

    fn with(&self, act: impl FnOnce(&mut Phone, Moment)) {
        self.town.world_mut().with(&self.name, act);
    }

    fn did(&self, what: &str) {
        self.town.world_mut().did(format!("{} {what}", self.name));
    }
}
