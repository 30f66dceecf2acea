//! The inside of a media thread: sleep, take orders, receive, turn the wheel, tell.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::{CannotStart, Settings, Shared, Tell};
use crate::base::{Mint, Moment, Now, StreamRef};
use crate::gateway::{Gateway, Identity, News, is_for_the_gateway};
use crate::media::engine::{self, Engine, Lane, STRIKES_MAX};
use crate::media::library::Library;
use crate::media::ports::PortRange;
use crate::media::sdp::Fingerprint;
use crate::media::{Notice, Order, Refused};
use crate::net::rtp::Pairs;
use crate::service::Clock;

/// What is brought to a thread.
pub(super) enum Errand {
    Order(Order),
    Library(Arc<Library>),
    /// A thread must survive its own mistakes; these make one: in itself, and in a stream.
    #[cfg(test)]
    Mistake,
    #[cfg(test)]
    MistakeIn(StreamRef),
}

/// What ties a thread to the house.
pub(super) struct Ties {
    pub(super) road: Receiver<Errand>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) tell: Tell,
    /// Who we are to browsers.
    pub(super) identity: Option<Arc<Identity>>,
}

/// A media thread.
pub(super) struct Worker {
    settings: Settings,
    library: Arc<Library>,
    mint: Mint,
    engine: Engine,
    /// Without a certificate there is none.
    gateway: Option<Gateway>,
    fingerprint: Option<Fingerprint>,
    pairs: Pairs,
    /// What lives in the engine, and how often it broke.
    streams: BTreeMap<StreamRef, u32>,
    /// What is being obeyed.
    obeying: Option<Order>,
    /// When it broke, and it was no stream's fault.
    breaks: VecDeque<Moment>,
    buffer: Box<[u8; DATAGRAM_MAX]>,
    /// When the wheel was turned last.
    turned: Moment,
    road: Receiver<Errand>,
    shared: Arc<Shared>,
    clock: Clock,
    tell: Tell,
}

impl Worker {
    pub(super) fn new(
        settings: Settings,
        library: Arc<Library>,
        mut mint: Mint,
        ties: Ties,
    ) -> Result<Self, CannotStart> {
        let Ties { road, shared, clock, tell, identity } = ties;
        let fingerprint = identity.as_ref().map(|identity| identity.fingerprint());
        Ok(Self {
            engine: engine(&settings, fingerprint, &library, &mut mint)?,
            gateway: identity.map(|identity| Gateway::new(identity, clock.beginning())),
            fingerprint,
            pairs: Pairs::new(settings.listen)?,
            settings,
            library,
            mint,
            streams: BTreeMap::new(),
            obeying: None,
            breaks: VecDeque::new(),
            buffer: Box::new([0; DATAGRAM_MAX]),
            turned: Moment::START,
            road,
            shared,
            clock,
            tell,
        })
    }

    /// Works until it is told to stop.
    pub(super) fn work(mut self) {
        while !self.shared.stop.load(Ordering::Acquire) {
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn()));
            if turn.is_err() && catch_unwind(AssertUnwindSafe(|| self.mend())).is_err() {
                self.begin_anew();
            }
        }
    }

    fn turn(&mut self) {
        let packets_came = self.sleep();
        self.take_errands();
        let now = self.clock.now();
        let is_due = self.due().is_some_and(|due| due <= now.steady);
        if is_due || packets_came {
            self.receive(now);
        }
        if is_due {
            // Reading took its time; what is played should not be later for it.
            let now = self.clock.now();
            self.measure_lateness(now.steady);
            self.engine.tick(now, &mut self.pairs);
            if let Some(gateway) = &mut self.gateway {
                gateway.handle_timeout(now.steady, &mut self.pairs);
            }
            self.turned = now.steady;
        }
        self.carry_news(now.steady);
        self.count();
        self.tell_notices();
    }

    /// Sleeps until the wheel is to be turned, the bell rings, or (with few streams) a packet
    /// came: then true.
    fn sleep(&mut self) -> bool {
        let left = self.due().map(|due| due - self.clock.moment());
        if left == Some(Duration::ZERO) {
            return false;
        }
        let bell = PollFd::new(self.shared.bell.as_fd(), PollFlags::POLLIN);
        let arrival = PollFd::new(self.pairs.arrival(), PollFlags::POLLIN);
        let mut watched = [bell, arrival];
        let watched = if self.is_calm() { &mut watched[..] } else { &mut watched[..1] };
        // Interrupted or not: the clock says what is due.
        let _ = ppoll(watched, left.map(TimeSpec::from), None);
        let is_ready = |at: usize| watched.get(at).is_some_and(|one| one.any().unwrap_or(false));
        let (rung, packets_came) = (is_ready(0), is_ready(1));
        if rung {
            self.shared.bell_heard();
        }
        packets_came
    }

    /// When to turn the wheel next, and to receive if packets are not waited for; on a grid of
    /// [`PACE`].
    fn due(&self) -> Option<Moment> {
        let tick = self.engine.next_tick()?;
        let tick = if self.is_calm() { tick } else { self.turned + Duration::from_millis(1) };
        let pace = PACE.as_millis() as u64;
        let millis = (tick.since_start().as_millis() as u64).next_multiple_of(pace);
        Some(Moment::START + Duration::from_millis(millis))
    }

    fn is_calm(&self) -> bool {
        self.engine.streams().len() <= CALM_MAX
    }

    fn take_errands(&mut self) {
        for taken in 1..=ERRANDS_MAX {
            let Ok(errand) = self.road.try_recv() else { break };
            if taken == ERRANDS_MAX {
                // There may be more, and the bell has been heard.
                self.shared.ring();
            }
            match errand {
                Errand::Order(order) => {
                    self.obeying = Some(order.clone());
                    self.obey(order);
                    self.obeying = None;
                }
                Errand::Library(library) => {
                    self.library = Arc::clone(&library);
                    self.engine.library_changed(library);
                }
                #[cfg(test)]
                Errand::Mistake => panic!("a mistake, made on purpose"),
                #[cfg(test)]
                Errand::MistakeIn(stream) => self.engine.breaks_at(stream),
            }
        }
        for stream in self.shared.take_doomed() {
            self.obey(Order::Close { stream });
        }
    }

    fn obey(&mut self, order: Order) {
        if let Order::Open { stream, .. } = order {
            self.streams.insert(stream, 0);
        }
        let closed = match order {
            Order::Close { stream } => Some(stream),
            Order::Open { .. }
            | Order::Answer { .. }
            | Order::Restrict { .. }
            | Order::Offer { .. }
            | Order::Accept { .. }
            | Order::Proven { .. }
            | Order::Play { .. }
            | Order::Conclude { .. }
            | Order::Tone { .. }
            | Order::Hush { .. }
            | Order::Join { .. }
            | Order::Part { .. }
            | Order::Gather { .. }
            | Order::Watch { .. }
            | Order::Write { .. } => None,
        };
        let now = self.clock.now();
        self.engine.handle(order, now, &mut self.pairs);
        while let Some((door, meeting)) = self.engine.poll_meeting() {
            if let Some(gateway) = &mut self.gateway {
                gateway.meet(door, meeting, now.steady, &mut self.pairs);
            }
        }
        if let Some(stream) = closed {
            self.streams.remove(&stream);
        }
    }

    fn receive(&mut self, now: Now) {
        let Self { engine, gateway, pairs, buffer, .. } = self;
        let received =
            pairs.receive(&mut buffer[..], |pairs, door, lane, source, packet| match gateway {
                Some(gateway) if lane == Lane::Rtp && is_for_the_gateway(packet) => {
                    gateway.received(door, source, packet, now.steady, pairs);
                }
                Some(_) | None => engine.received(door, lane, source, packet, now, pairs),
            });
        if let Err(error) = received {
            tracing::error!(%error, "sockets can't be waited for");
        }
    }

    /// What the gateway found out, for the engine.
    fn carry_news(&mut self, now: Moment) {
        let Some(gateway) = &mut self.gateway else { return };
        while let Some(news) = gateway.poll_news() {
            match news {
                News::Secured { door, secured, place } => {
                    self.engine.secured(door, &secured, place);
                }
                News::Placed { door, place } => self.engine.placed(door, place, now),
            }
        }
    }

    fn tell_notices(&mut self) {
        let mut now = None;
        while let Some(notice) = self.engine.poll_notice() {
            if let Notice::Refused { stream, why: Refused::NoPort } = &notice {
                self.streams.remove(stream);
            }
            (self.tell)(*now.get_or_insert_with(|| self.clock.now()), notice);
        }
    }

    /// Something broke. The stream it happened in is made anew and keeps its call; the others have
    /// noticed nothing. What was being obeyed is tried once more.
    fn mend(&mut self) {
        self.shared.counters.restarts.fetch_add(1, Ordering::Relaxed);
        let order = self.obeying.take();
        let broken = order.as_ref().map(Order::stream).or_else(|| self.engine.take_broken());
        let Some(stream) = broken else {
            return self.forgive();
        };
        let strikes = self.streams.get(&stream).map_or(1, |strikes| strikes + 1);
        tracing::error!(%stream, strikes, "a media thread broke, and mends the stream it was at");
        let mended = catch_unwind(AssertUnwindSafe(|| {
            self.engine.mend(stream, strikes);
            if let Some(order) = order {
                self.obey(order);
            }
        }));
        if let Some(known) = self.streams.get_mut(&stream) {
            *known = strikes;
        }
        if mended.is_err() || strikes >= STRIKES_MAX {
            self.obey(Order::Close { stream });
            (self.tell)(self.clock.now(), Notice::Lost { stream });
        }
    }

    /// It was no stream's fault. Once in a while that is let pass; when it does not end, nothing in
    /// here can be relied on.
    fn forgive(&mut self) {
        let now = self.clock.moment();
        self.breaks.retain(|at| now - *at < FORGIVEN_WITHIN);
        self.breaks.push_back(now);
        tracing::error!(breaks = self.breaks.len(), "a media thread broke, and goes on");
        if self.breaks.len() > FORGIVEN_MAX {
            self.breaks.clear();
            self.begin_anew();
        }
    }

    /// The engine can't be mended. Its streams are lost; the next ones find another engine.
    fn begin_anew(&mut self) {
        tracing::error!(streams = self.streams.len(), "a media thread begins anew");
        self.obeying = None;
        self.pairs.clear();
        if let Some(gateway) = &mut self.gateway {
            gateway.clear();
        }
        let engine = engine(&self.settings, self.fingerprint, &self.library, &mut self.mint);
        if let Ok(engine) = engine {
            self.engine = engine;
        }
        let now = self.clock.now();
        for stream in std::mem::take(&mut self.streams).into_keys() {
            (self.tell)(now, Notice::Lost { stream });
        }
    }

    fn measure_lateness(&self, now: Moment) {
        let late = self.due().map_or(Duration::ZERO, |due| now - due);
        let micros = late.as_micros() as u64;
        let latest = &self.shared.counters.latest_micros;
        // Only this thread raises it; reading sets it back.
        if micros > latest.load(Ordering::Relaxed) {
            latest.store(micros, Ordering::Relaxed);
        }
    }

    fn count(&self) {
        let counters = &self.shared.counters;
        let counted = self.pairs.counted;
        counters.streams.store(self.engine.streams().len() as u64, Ordering::Relaxed);
        counters.received.store(counted.received, Ordering::Relaxed);
        counters.sent.store(counted.sent, Ordering::Relaxed);
        counters.unsent.store(counted.unsent, Ordering::Relaxed);
    }
}

fn engine(
    settings: &Settings,
    fingerprint: Option<Fingerprint>,
    library: &Arc<Library>,
    mint: &mut Mint,
) -> Result<Engine, CannotStart> {
    let (first, last) = settings.ports;
    let settings = engine::Settings {
        address: settings.advertised,
        ports: PortRange::new(first, last, mint.split())?,
        codecs: settings.codecs.clone(),
        fingerprint,
    };
    Ok(Engine::new(settings, Arc::clone(library), mint.split()))
}

/// Slots of the wheel are taken in pairs: waking up costs as much as some ten packets. A stream's
/// slot always falls into the same pair, so that its packets stay 20 ms apart to the microsecond;
/// a relayed packet waits a millisecond, on average.
const PACE: Duration = Duration::from_millis(2);

/// With so few streams every packet is waited for, and slots without a stream are slept through:
/// that wakes the thread less often than turning the wheel at its pace would, and relays at once.
const CALM_MAX: usize = 6;

/// More than fits on any road between us and a telephone.
const DATAGRAM_MAX: usize = 2_048;

/// How often a thread may break within [`FORGIVEN_WITHIN`] before it begins anew.
const FORGIVEN_MAX: usize = 8;
const FORGIVEN_WITHIN: Duration = Duration::from_secs(10);

/// Errands done before the wheel is looked at again.
const ERRANDS_MAX: usize = 64;
