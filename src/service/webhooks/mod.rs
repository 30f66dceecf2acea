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

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Webhook;
use crate::exchange::Board;
use crate::net::Poster;
use crate::record::CallRecord;
use crate::service::Clock;

use delivery::{Letter, Queue};
use happenings::{Happening, changes};

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
#[derive(Clone, Debug, Default)]
pub(super) struct Webhooks {
    queues: Arc<Vec<Queue>>,
}

impl Webhooks {
    pub(super) fn new(hooks: Vec<Webhook>) -> Self {
        Self { queues: Arc::new(hooks.into_iter().filter_map(Queue::new).collect()) }
    }

    /// A call is over. Never waits.
    pub(super) fn recorded(&self, record: &CallRecord, clock: Clock) {
        self.tell(&Happening::ended(record), clock);
    }

    fn tell(&self, happening: &Happening, clock: Clock) {
        if self.queues.iter().any(|queue| queue.wants(happening.event())) {
            let letter = Letter::new(happening, clock.now().wall);
            for queue in self.queues.iter().filter(|queue| queue.wants(happening.event())) {
                queue.put(letter.clone());
            }
        }
    }

    /// Watches the board and tells what changes on it, until the house is closed.
    pub(super) fn start(
        &self,
        board: watch::Receiver<Arc<Board>>,
        clock: Clock,
        poster: Poster,
        patience: Patience,
        tasks: &mut JoinSet<()>,
    ) {
        if self.queues.is_empty() {
            return;
        }
        // What is wrong already is told too.
        let mut before = Board::clone(&board.borrow());
        before.alarms.clear();
        tasks.spawn(self.clone().watch(before, board, clock));
        let poster = Arc::new(poster);
        for place in 0..self.queues.len() {
            let (queues, poster) = (Arc::clone(&self.queues), Arc::clone(&poster));
            tasks.spawn(async move {
                if let Some(queue) = queues.get(place) {
                    queue.deliver(&poster, clock, patience).await;
                }
            });
        }
    }

    async fn watch(self, before: Board, mut board: watch::Receiver<Arc<Board>>, clock: Clock) {
        let mut before = Arc::new(before);
        loop {
            let now = Arc::clone(&board.borrow_and_update());
            for happening in changes(&before, &now) {
                self.tell(&happening, clock);
            }
            before = now;
            if board.changed().await.is_err() {
                return;
            }
        }
    }
}
