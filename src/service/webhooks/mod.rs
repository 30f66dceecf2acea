//! Programs of others that are told what happens: an alarm, a line that opens, a call that is over.
//!
//! No caller's number is in it, there is no field for one. Each program has a queue of its own with a bound:
//! when it doesn't answer for long the oldest of what waits is forgotten, and nobody in the house waits for
//! it. What was not told is told again after a while, a while that grows; the order is kept.
//!
//! Every request is signed (`Hotline-Signature: t=…,v1=…`): HMAC-SHA-256 of the time, a full stop and the
//! body, so that a copy sent later by somebody else is known by its time.

mod delivery;
mod happenings;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "receivers are no part of the house")]
mod tests;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::config::Webhook;
use crate::exchange::Board;
use crate::http::Trouble;
use crate::net::Poster;
use crate::record::CallRecord;
use crate::service::Clock;

use delivery::{Letter, Queue};
use happenings::{Happening, changes, changes_of_troubles};

/// What waits to be told to one program, at most.
const WAITING_MAX: usize = 256;

/// How patient we are with programs of others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For an answer.
    answer: Duration,
    /// Before it is tried again: at first, and at most.
    pause_min: Duration,
    pause_max: Duration,
    /// How often it is tried.
    tries: u32,
}

impl Default for Patience {
    /// Twelve tries within some twenty minutes.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(5 * 60),
            tries: 12,
        }
    }
}

/// Everybody who is told.
#[derive(Clone)]
pub(super) struct Webhooks {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    patience: Patience,
    runtime: Handle,
    told: Mutex<Vec<Told>>,
}

/// One that is told, until it is dropped.
struct Told {
    queue: Arc<Queue>,
    delivering: AbortHandle,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.delivering.abort();
    }
}

impl Webhooks {
    /// Nobody yet.
    pub(super) fn new(clock: Clock, patience: Patience, runtime: Handle) -> Self {
        Self { shared: Arc::new(Shared { clock, patience, runtime, told: Mutex::default() }) }
    }

    /// From now on these are told. What waits for one stays when its address or secret changes; one that is
    /// `wanted` by name and can't be told as it is written now goes on as before.
    pub(super) fn change(&self, wanted: &[String], hooks: Vec<Webhook>, poster: Poster) {
        let poster = Arc::new(poster);
        let mut told = self.told();
        let mut before = std::mem::take(&mut *told);
        let broken = wanted.iter().filter(|name| hooks.iter().all(|hook| hook.name != **name));
        let kept: Vec<Webhook> = broken
            .filter_map(|name| before.iter().find(|one| one.queue.hook().name == *name))
            .map(|one| one.queue.hook().clone())
            .collect();
        for hook in hooks.into_iter().chain(kept) {
            let same = before.iter().position(|one| one.queue.hook().name == hook.name);
            let waiting = same.map(|place| before.swap_remove(place).queue.left());
            let Some(queue) = Queue::new(hook, waiting.unwrap_or_default()) else {
                continue;
            };
            let queue = Arc::new(queue);
            let (own, poster) = (Arc::clone(&queue), Arc::clone(&poster));
            let (clock, patience) = (self.shared.clock, self.shared.patience);
            let deliver = async move { own.deliver(&poster, clock, patience).await };
            told.push(Told {
                queue,
                delivering: self.shared.runtime.spawn(deliver).abort_handle(),
            });
        }
    }

    /// A call is over. Never waits.
    pub(super) fn recorded(&self, record: &CallRecord) {
        self.tell(&Happening::ended(record));
    }

    fn tell(&self, happening: &Happening) {
        let told = self.told();
        let mut wanting = told.iter().filter(|one| one.queue.wants(happening.event())).peekable();
        if wanting.peek().is_some() {
            let letter = Letter::new(happening, self.shared.clock.now().wall);
            for one in wanting {
                one.queue.put(letter.clone());
            }
        }
    }

    /// Watches the board and what is wrong with the house, and tells what changes, until the house is closed.
    pub(super) fn watch(
        self,
        mut board: watch::Receiver<Arc<Board>>,
        mut troubles: watch::Receiver<Arc<Vec<Trouble>>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        // What is wrong already is told too.
        let mut before = Board::clone(&board.borrow());
        before.alarms.clear();
        let mut before = Arc::new(before);
        let mut wrong: Arc<Vec<Trouble>> = Arc::default();
        board.mark_changed();
        troubles.mark_changed();
        async move {
            loop {
                tokio::select! {
                    changed = board.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let now = Arc::clone(&board.borrow_and_update());
                        for happening in changes(&before, &now) {
                            self.tell(&happening);
                        }
                        before = now;
                    }
                    changed = troubles.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let now = Arc::clone(&troubles.borrow_and_update());
                        for happening in changes_of_troubles(&wrong, &now) {
                            self.tell(&happening);
                        }
                        wrong = now;
                    }
                }
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        // Held for a moment only, never over an await.
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
