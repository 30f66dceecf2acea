//! A town to tell stories in.
//!
//! ```
//! use hotline::sim::{Town, secs};
//!
//! # fn story() {
//! let town = Town::new().at("2026-11-23 10:00:00");
//! let [lea] = town.listeners(["lea"]);
//! let anna = town.dials("anna", "3977");
//! anna.hears("accueil-3977");
//! town.passes(secs(5));
//! lea.rings();
//! lea.picks_up();
//! anna.talks_with(&lea);
//! # }
//! ```
//!
//! A [`Town`] and its [`Person`]s are handles on one world, so that a story can speak of both.
//! Assertions that wait (`rings`, `hears`, `talks_with`) let the network have its say first: a
//! tenth of a second in fair weather, half a minute in bad.

use std::cell::{Ref, RefCell, RefMut};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Europe::Paris;

use crate::base::Moment;
use crate::exchange::{Command, Plan};
use crate::sim::network::{FAIR_DELAY, Weather};
use crate::sim::person::Person;
use crate::sim::phone::{Credentials, Habits, Phone};
use crate::sim::plan;
use crate::sim::world::{Restoring, World, road};
use crate::sip::Transport;
use crate::sip::locate::{Answer, Question};

/// How long an assertion waits for the network.
const PATIENCE_FAIR: Duration = Duration::from_millis(100);
const PATIENCE_BAD: Duration = Duration::from_secs(30);

/// A handle on a town.
#[derive(Clone)]
pub struct Town {
    world: Rc<RefCell<World>>,
    beginning: Rc<RefCell<Beginning>>,
}

#[derive(Clone)]
struct Beginning {
    plan: Plan,
    wall: DateTime<Utc>,
    seed: u64,
    weather: Weather,
    restoring: Restoring,
}

impl Beginning {
    fn world(&self) -> World {
        World::new(self.plan.clone(), self.wall, self.seed, self.weather, self.restoring)
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new()
    }
}

impl Town {
    /// A town with the shipped plan, in fair weather, on a Monday morning at ten.
    pub fn new() -> Self {
        let beginning = Beginning {
            plan: plan::shipped(),
            wall: paris("2026-11-23 10:00:00"),
            seed: 0,
            weather: Weather::Fair,
            restoring: Restoring::AtEveryStep,
        };
        let world = Rc::new(RefCell::new(beginning.world()));
        Self { world, beginning: Rc::new(RefCell::new(beginning)) }
    }

    /// Begins again with another plan.
    #[must_use]
    pub fn with_plan(self, plan: Plan) -> Self {
        self.begins_again(|beginning| beginning.plan = plan)
    }

    /// Begins again at another time, as a clock in Paris shows it: `2026-11-21 12:58:10`.
    #[must_use]
    pub fn at(self, time: &str) -> Self {
        self.begins_again(|beginning| beginning.wall = paris(time))
    }

    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.begins_again(|beginning| beginning.seed = seed)
    }

    #[must_use]
    pub fn weather(self, weather: Weather) -> Self {
        self.begins_again(|beginning| beginning.weather = weather)
    }

    #[must_use]
    pub fn restoring(self, restoring: Restoring) -> Self {
        self.begins_again(|beginning| beginning.restoring = restoring)
    }

    fn begins_again(self, change: impl FnOnce(&mut Beginning)) -> Self {
        change(&mut self.beginning.borrow_mut());
        *self.world_mut() = self.beginning.borrow().world();
        self
    }

    /// The plan the town began with, to make another from.
    pub fn plan(&self) -> Plan {
        self.beginning.borrow().plan.clone()
    }

    // ---- people ----

    /// Registers a phone for each of these listeners, and waits until they are registered.
    #[track_caller]
    pub fn listeners<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        let people = names.map(|name| self.listener(name, Habits::default()));
        for person in &people {
            person.registers();
        }
        people
    }

    /// A listener with a phone that has habits of its own, not registered yet.
    pub fn listener(&self, name: &str, habits: Habits) -> Person {
        self.listeners_phone(name, name, habits, Transport::Udp)
    }

    /// Somebody who claims to be a listener, with this password.
    pub fn listener_with_password(&self, name: &str, password: &str) -> Person {
        let credentials = Credentials { user: name.to_owned(), password: password.to_owned() };
        self.adds(name, [10, 2], Some(credentials), Habits::default(), Transport::Udp)
    }

    /// One more phone for a listener, called `name`, not registered yet.
    pub fn listeners_phone(
        &self,
        listener: &str,
        name: &str,
        habits: Habits,
        transport: Transport,
    ) -> Person {
        let user = listener.to_owned();
        let credentials = Credentials { user, password: plan::password(listener) };
        self.adds(name, [10, 2], Some(credentials), habits, transport)
    }

    /// A listener whose phone is among the addresses of the trunk.
    pub fn listener_beside_the_trunk(&self, name: &str) -> Person {
        let credentials = Credentials { user: name.to_owned(), password: plan::password(name) };
        self.adds(name, [10, 1], Some(credentials), Habits::default(), Transport::Udp)
    }

    /// Somebody out there with a telephone, behind the trunk.
    pub fn person(&self, name: &str, habits: Habits) -> Person {
        self.adds(name, [10, 1], None, habits, Transport::Udp)
    }

    /// The same, over another transport.
    pub fn person_by(&self, name: &str, habits: Habits, transport: Transport) -> Person {
        self.adds(name, [10, 1], None, habits, transport)
    }

    /// A stranger on the network: neither trunk nor listener.
    pub fn stranger(&self, name: &str, habits: Habits) -> Person {
        self.adds(name, [10, 3], None, habits, Transport::Udp)
    }

    /// Somebody of that name dials a number, with a telephone of their own number.
    pub fn dials(&self, name: &str, number: &str) -> Person {
        let person = self.person(name, self.habits_of_a_caller());
        person.dials(number);
        person
    }

    /// The same, so that the first copy of the INVITE reaches the house at exactly this time,
    /// whatever the weather; until shortly before, time passes.
    #[track_caller]
    pub fn dials_to_arrive_at(&self, name: &str, number: &str, time: &str) -> Person {
        let at = self.moment_of(time);
        let person = self.person(name, self.habits_of_a_caller());
        let mut world = self.world_mut();
        let shortly_before = Moment::START + (at - Moment::START).saturating_sub(FAIR_DELAY);
        let shortly_before = shortly_before.max(world.now);
        world.goes_to(shortly_before);
        world.did(format!("{name} dials {number}, to arrive at {time}"));
        let now = world.now;
        let phone = world.phones.get_mut(name).expect("it was just added");
        phone.dials(number, now);
        world.sends_for(name, at);
        drop(world);
        person
    }

    /// A caller with a number nobody else has.
    pub fn habits_of_a_caller(&self) -> Habits {
        let number = format!("+336100{:05}", self.world().phones.len());
        Habits { number: Some(number), ..Habits::default() }
    }

    /// The handle of somebody who is there already.
    #[track_caller]
    pub fn whom(&self, name: &str) -> Person {
        self.world().phone(name);
        Person::new(self.clone(), name)
    }

    fn adds(
        &self,
        name: &str,
        net: [u8; 2],
        credentials: Option<Credentials>,
        habits: Habits,
        transport: Transport,
    ) -> Person {
        let mut world = self.world_mut();
        let count = u16::try_from(world.phones.len() + 1).expect("a town is small");
        let [high, low] = count.to_be_bytes();
        let peer: SocketAddr = ([net[0], net[1], high, low], 5060).into();
        let mint = world.split_mint();
        world.adds(name, Phone::new(road(transport, peer), credentials, habits, mint));
        drop(world);
        Person::new(self.clone(), name)
    }

    // ---- time ----

    /// Time passes; everything due meanwhile happens at its moment.
    pub fn passes(&self, duration: Duration) {
        let end = self.world().now + duration;
        self.world_mut().goes_to(end);
    }

    /// Time passes until what is said now reaches the house at exactly this moment, in fair weather.
    #[track_caller]
    pub fn goes_to_be_heard_at(&self, moment: Moment) {
        let end = Moment::START + (moment - Moment::START).saturating_sub(FAIR_DELAY);
        assert!(end >= self.world().now, "that moment is past");
        self.world_mut().goes_to(end);
    }

    /// The machine does nothing for a while, less than what makes it [fall behind](Self::falls_behind).
    pub fn stalls(&self, duration: Duration) {
        self.world_mut().stalls(duration);
    }

    /// When the house means to act next by itself.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.world().exchange.poll_timeout()
    }

    /// Time passes until a clock in Paris shows `13:00:00`, today or tomorrow, or a whole date.
    #[track_caller]
    pub fn goes_to(&self, time: &str) {
        let end = self.moment_of(time);
        assert!(end >= self.world().now, "it is past {time} already");
        self.world_mut().goes_to(end);
    }

    /// Time passes until this instant, written with its zone: `2026-10-25T08:00:00Z`.
    #[track_caller]
    pub fn goes_to_utc(&self, time: &str) {
        let at: DateTime<Utc> = time.parse().expect("an instant");
        let now = self.world().now();
        let ahead = (at - now.wall).to_std().unwrap_or_else(|_| panic!("{time} is past"));
        self.world_mut().goes_to(now.steady + ahead);
    }

    /// Only the wall clock jumps.
    pub fn wall_steps(&self, by: TimeDelta) {
        self.world_mut().wall_steps(by);
    }

    /// How long ago the town began.
    pub fn now(&self) -> Moment {
        self.world().now
    }

    /// What the wall shows.
    pub fn wall(&self) -> DateTime<Utc> {
        self.world().now().wall
    }

    fn moment_of(&self, time: &str) -> Moment {
        let now = self.world().now();
        let at = if time.contains(' ') {
            paris(time)
        } else {
            let clock: NaiveTime = time.parse().expect("a time like 13:00:00");
            let today = now.wall.with_timezone(&Paris).date_naive();
            let at = today.and_time(clock).and_local_timezone(Paris).earliest();
            let at = at.expect("the clock shows that time today").to_utc();
            if at < now.wall { at + TimeDelta::days(1) } else { at }
        };
        let ahead = (at - now.wall).to_std().unwrap_or_else(|_| panic!("{time} is past"));
        now.steady + ahead
    }

    /// Waits for something to become true, as long as the weather may delay it.
    #[track_caller]
    pub(super) fn awaits(&self, what: &str, condition: impl Fn(&World) -> bool) {
        self.awaits_until(self.now() + self.patience(), what, condition);
    }

    #[track_caller]
    pub(super) fn awaits_until(&self, end: Moment, what: &str, condition: impl Fn(&World) -> bool) {
        loop {
            if condition(&self.world()) {
                return;
            }
            if !self.world_mut().steps_to(end) {
                let world = self.world();
                let hearing: Vec<_> =
                    world.phones.keys().map(|name| (name, world.heard_by(name))).collect();
                world.fails(&format!("expected: {what}\nheard now: {hearing:?}"));
            }
        }
    }

    pub(super) fn patience(&self) -> Duration {
        match self.weather_now() {
            Weather::Fair => PATIENCE_FAIR,
            Weather::Bad => PATIENCE_BAD,
        }
    }

    pub(super) fn weather_now(&self) -> Weather {
        self.world().weather
    }

    /// Whether times can be told exactly here.
    pub fn is_fair(&self) -> bool {
        self.weather_now() == Weather::Fair
    }

    /// A number below `bound`, from the town's seed.
    pub fn below(&self, bound: u64) -> u64 {
        self.world_mut().below(bound)
    }

    // ---- the operator ----

    /// Gives an order; the reply is in words.
    pub fn orders(&self, command: Command) -> Result<String, String> {
        self.world_mut().orders(command)
    }

    pub fn reloads(&self, plan: Plan) {
        self.world_mut().reloads(plan);
    }

    /// SIGTERM.
    pub fn stops(&self) {
        self.world_mut().stops();
    }

    /// A datagram comes from an address where nobody of the town lives.
    pub fn hears_from(&self, stranger: SocketAddr, text: &str) {
        self.world_mut().hears_from(stranger, text);
    }

    /// What the DNS says from now on; what it was not told, no server answers.
    pub fn dns_says(&self, question: Question, answer: Answer) {
        self.world_mut().dns_says(question, answer);
    }

    /// The machine can't keep up: whatever arrives has waited for more than two seconds.
    pub fn falls_behind(&self) {
        let mut world = self.world_mut();
        world.did("the house falls behind".into());
        world.is_behind = true;
    }

    /// It can again.
    pub fn catches_up(&self) {
        let mut world = self.world_mut();
        world.did("the house catches up".into());
        world.is_behind = false;
    }

    pub(super) fn world(&self) -> Ref<'_, World> {
        self.world.borrow()
    }

    pub(super) fn world_mut(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }
}

/// An instant, as a clock in Paris shows it; of two that show the same, the first.
pub fn paris(time: &str) -> DateTime<Utc> {
    let local: NaiveDateTime =
        time.parse().or_else(|_| time.replace(' ', "T").parse()).expect("a time");
    local.and_local_timezone(Paris).earliest().expect("the clock shows that time").to_utc()
}

/// `n` seconds.
pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `n` minutes.
pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// `n` thousandths of a second.
pub fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
