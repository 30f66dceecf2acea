//! Media threads: one [`Engine`](crate::media::engine::Engine) each, with its sockets and its wheel.
//!
//! All streams of a call share a thread, so that joining them needs no lock. A thread sleeps until
//! its wheel is to be turned or an order comes, whichever is first; without streams, until an order
//! comes. A panic costs the stream it happened in a moment of its sound: it is made anew from what was
//! agreed on, and only one that breaks again and again is lost ([`Notice::Lost`]). When a thread can't be
//! mended it begins anew without its streams; the other threads don't notice.
//!
//! The road into a thread is bounded. When it is full the thread is stuck or swamped: an order is
//! not waited for, its stream is lost, and is closed as soon as the thread comes to it.

mod worker;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};

use self::worker::{Errand, Ties, Worker};
use crate::base::{CallRef, Mint, Now, StreamRef};
use crate::gateway::Identity;
use crate::media::codec::Codec;
use crate::media::library::Library;
use crate::media::ports::NotAPortRange;
use crate::media::{Notice, Order};
use crate::service::Clock;

/// What the threads are told at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// At least one; one per core is right ([`Settings::threads_of_this_machine`]).
    pub threads: usize,
    /// Where ports are opened.
    pub listen: IpAddr,
    /// The address written into our SDP.
    pub advertised: IpAddr,
    /// The first and the last port that may be lent.
    pub ports: (u16, u16),
    /// In order of preference.
    pub codecs: Vec<Codec>,
}

impl Settings {
    pub fn threads_of_this_machine() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }
}

/// Why the threads can't be started.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    #[error("the media ports can't be used: {0}")]
    Ports(#[from] NotAPortRange),
    #[error("there are fewer media ports than media threads: give more ports, or fewer threads")]
    TooFewPorts,
    #[error("the media threads can't be started: {0}")]
    System(#[from] io::Error),
}

/// Takes what the threads have to say. Called on their time: it must not block.
pub type Tell = Arc<dyn Fn(Now, Notice) + Send + Sync>;

/// The media threads of the house. Dropping it stops them.
pub struct Shards {
    shards: Vec<Shard>,
    clock: Clock,
    tell: Tell,
}

/// What one thread has done since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    pub streams: u64,
    pub packets_received: u64,
    pub packets_sent: u64,
    /// Packets the kernel would not take.
    pub packets_unsent: u64,
    /// The latest the wheel was turned since the figures were read last.
    pub latest: Duration,
    /// Orders that found the road into the thread full.
    pub orders_refused: u64,
    /// How often the thread broke.
    pub restarts: u64,
}

struct Shard {
    errands: SyncSender<Errand>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What both sides of the road see.
struct Shared {
    /// Rouses the thread.
    bell: EventFd,
    rings: AtomicBool,
    stop: AtomicBool,
    /// Streams whose orders could not be delivered: they are to be closed.
    doomed: Mutex<BTreeSet<StreamRef>>,
    any_doomed: AtomicBool,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    streams: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    unsent: AtomicU64,
    latest_micros: AtomicU64,
    refused: AtomicU64,
    restarts: AtomicU64,
}

impl Shards {
    pub fn start(
        settings: &Settings,
        library: &Arc<Library>,
        mint: &mut Mint,
        clock: Clock,
        tell: Tell,
    ) -> Result<Self, CannotStart> {
        let threads = settings.threads.max(1);
        let identity = match Identity::new() {
            Ok(identity) => Some(Arc::new(identity)),
            Err(fault) => {
                tracing::error!(%fault, "browsers can't talk, all other phones can");
                None
            }
        };
        let shards = shares(settings.ports, threads)?
            .into_iter()
            .enumerate()
            .map(|(index, ports)| {
                let shared = Arc::new(Shared::new()?);
                let (errands, road) = sync_channel(ROAD_MAX);
                let settings = Settings { ports, ..settings.clone() };
                let worker = Worker::new(
                    settings,
                    Arc::clone(library),
                    mint.split(),
                    Ties {
                        road,
                        shared: Arc::clone(&shared),
                        clock,
                        tell: Arc::clone(&tell),
                        identity: identity.clone(),
                    },
                )?;
                let thread = thread::Builder::new()
                    .name(format!("media-{index}"))
                    .spawn(move || worker.work())?;
                Ok(Shard { errands, shared, thread: Some(thread) })
            })
            .collect::<Result<Vec<_>, CannotStart>>()?;
        Ok(Self { shards, clock, tell })
    }

    /// Passes an order on. Never blocks: if its thread can't take it, the stream is lost.
    pub fn order(&self, order: Order) {
        let stream = order.stream();
        let shard = self.shard(stream.call);
        if !shard.send(Errand::Order(order)) {
            shard.shared.doom(stream);
            (self.tell)(self.clock.now(), Notice::Lost { stream });
        }
    }

    /// From now on this is what can be played.
    pub fn library_changed(&self, library: &Arc<Library>) {
        for shard in &self.shards {
            // Not lost when the road is full: a thread that stands still has time to wait.
            if !shard.send(Errand::Library(Arc::clone(library))) {
                tracing::warn!("a media thread could not be told of the new recordings");
            }
        }
    }

    /// What each thread has done.
    pub fn figures(&self) -> Vec<Figures> {
        self.shards.iter().map(|shard| shard.shared.counters.read()).collect()
    }

    /// How often a thread broke.
    pub fn restarts(&self) -> u64 {
        let counters = self.shards.iter().map(|shard| &shard.shared.counters);
        counters.map(|counters| counters.restarts.load(Ordering::Relaxed)).sum()
    }

    /// Lets the threads end, and waits for it.
    pub fn stop(&mut self) {
        for shard in &self.shards {
            shard.shared.stop.store(true, Ordering::Release);
            shard.shared.ring();
        }
        for shard in &mut self.shards {
            if let Some(thread) = shard.thread.take() {
                // A panic was told of when it happened.
                let _ = thread.join();
            }
        }
    }

    fn shard(&self, call: CallRef) -> &Shard {
        let count = self.shards.len() as u64;
        &self.shards[(call.0 % count) as usize]
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shard {
    /// Says whether the thread will get it.
    fn send(&self, errand: Errand) -> bool {
        match self.errands.try_send(errand) {
            Ok(()) => {
                self.shared.ring();
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }
}

impl Shared {
    fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            bell: EventFd::from_flags(flags)?,
            rings: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            doomed: Mutex::default(),
            any_doomed: AtomicBool::new(false),
            counters: Counters::default(),
        })
    }

    /// Wakes the thread, once however many orders come before it has looked.
    fn ring(&self) {
        if !self.rings.swap(true, Ordering::AcqRel) {
            // It only fails when it rings already.
            let _ = self.bell.write(1);
        }
    }

    /// The bell was heard. To be called before the orders are looked at: one that comes after this
    /// rings again.
    fn bell_heard(&self) {
        let _ = self.bell.read();
        self.rings.store(false, Ordering::Release);
    }

    fn doom(&self, stream: StreamRef) {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner).insert(stream);
        self.any_doomed.store(true, Ordering::Release);
        self.ring();
    }

    fn take_doomed(&self) -> BTreeSet<StreamRef> {
        if !self.any_doomed.swap(false, Ordering::Acquire) {
            return BTreeSet::new();
        }
        std::mem::take(&mut self.doomed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counters {
    fn read(&self) -> Figures {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            streams: load(&self.streams),
            packets_received: load(&self.received),
            packets_sent: load(&self.sent),
            packets_unsent: load(&self.unsent),
            latest: Duration::from_micros(self.latest_micros.swap(0, Ordering::Relaxed)),
            orders_refused: load(&self.refused),
            restarts: load(&self.restarts),
        }
    }
}

/// Divides the ports evenly; each share begins with an even one.
fn shares((first, last): (u16, u16), threads: usize) -> Result<Vec<(u16, u16)>, CannotStart> {
    let first = u32::from(first).next_multiple_of(2);
    let pairs = (u32::from(last) + 1).saturating_sub(first) / 2;
    let each = pairs / threads.max(1) as u32;
    if each == 0 {
        return Err(CannotStart::TooFewPorts);
    }
    Ok((0..threads as u32)
        .map(|index| {
            let from = first + index * each * 2;
            (from as u16, (from + each * 2 - 1) as u16)
        })
        .collect())
}

/// Orders on their way into a thread: more than all calls of a thread need in a millisecond.
const ROAD_MAX: usize = 4_096;

#[cfg(test)]
mod tests;
