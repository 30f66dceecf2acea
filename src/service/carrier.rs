//! The one loop: carries facts to the exchange and its wishes to the world.
//!
//! It runs on a thread of its own and is the only owner of the [`Exchange`]. Sending never waits, nor
//! does anything else it does, so a turn takes as long as the exchange takes.
//!
//! **A panic** in the exchange ends what it was doing with one fact, not the house: the fact is
//! dropped, an error is logged, the loop goes on. The call that fact belonged to may be left in an
//! odd state (its own timers end it); every other call is unharmed, which on a helpline is worth more than
//! a clean stop. Only when panics follow each other too fast, so that nothing works any more, does
//! the loop give up and the service manager start afresh.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, oneshot, watch};

use crate::base::{ListenerName, Moment, Now};
use crate::exchange::{Board, CommandRef, Exchange, Input, Level, Note, Output};
use crate::http::desk::{Aside, Shown};
use crate::media::Order;
use crate::net::Doors;
use crate::record::{CallRecord, Party};
use crate::service::Clock;
use crate::service::inbox::Letter;
use crate::service::intake::Intake;
use crate::service::pulse::Pulse;
use crate::sip::locate::Question;

/// What begins something is judged by its age when it is read; its sender has given up, or soon
/// will, by then.
const AGE_MAX: Duration = Duration::from_secs(2);

/// The loop turns at least so often, so that a standstill is told from a quiet night.
const SLEEP_MAX: Duration = Duration::from_millis(500);

/// The board is published at most so often, however fast things change.
const BOARD_PAUSE: Duration = Duration::from_millis(50);

/// And at least so often, because waiting times grow without anything happening.
const BOARD_REFRESH: Duration = Duration::from_secs(1);

/// After the last call the last BYE may have to be answered or repeated.
const LINGER: Duration = Duration::from_millis(600);

/// So many panics within [`PANIC_WINDOW`] mean that nothing works any more.
const PANICS_MAX: usize = 100;

const PANIC_WINDOW: Duration = Duration::from_secs(10);

/// Replies nobody came for are forgotten beyond so many.
const REPLIES_MAX: usize = 1_024;

/// Where wishes go.
pub struct World {
    pub doors: Arc<Doors>,
    /// Asks the DNS. Must not wait.
    pub look_up: Box<dyn FnMut(Question) + Send>,
    /// Takes an order to the shard that has the stream. Must not wait.
    pub media: Box<dyn FnMut(Order) + Send>,
    /// Keeps a record. Must not wait.
    pub keep: Box<dyn FnMut(CallRecord) + Send>,
    pub board: watch::Sender<Arc<Board>>,
    /// What single listeners are shown on their pages.
    pub asides: broadcast::Sender<Aside>,
}

impl World {
    fn show(&self, to: ListenerName, what: Shown) {
        // They may have no page open.
        let _ = self.asides.send(Aside { to, what });
    }
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Asked to stop, and the last call had ended.
    Quiet,
    /// Asked to stop at once.
    Halted,
    /// It broke too often to go on.
    Broken,
}

/// What the loop owns.
pub struct Carrier {
    exchange: Exchange,
    intake: Intake,
    clock: Clock,
    world: World,
    pulse: Arc<Pulse>,
    replies: BTreeMap<CommandRef, oneshot::Sender<Result<String, String>>>,
    commands: u64,
    stale_since: Option<Moment>,
    published: Moment,
    stopping: bool,
    quiet_since: Option<Moment>,
    panics: Vec<Moment>,
}

impl Carrier {
    pub fn new(
        exchange: Exchange,
        intake: Intake,
        clock: Clock,
        world: World,
        pulse: Arc<Pulse>,
    ) -> Self {
        Self {
            exchange,
            intake,
            clock,
            world,
            pulse,
            replies: BTreeMap::new(),
            commands: 0,
            stale_since: None,
            published: clock.moment(),
            stopping: false,
            quiet_since: None,
            panics: Vec::new(),
        }
    }

    /// Runs until it is stopped; the body of the loop's thread.
    pub fn run(mut self) -> Ending {
        self.pulse.turned(self.clock.moment());
        loop {
            let patience = self.patience();
            let letter = self.intake.take(patience);
            let now = self.clock.now();
            let handled = match letter {
                Some(Letter::Fact { at, input, begins, crowded }) => {
                    self.pulse.lagged(now.steady - at.steady);
                    let input = self.judged(input, begins, crowded, now.steady - at.steady);
                    self.stopping |= matches!(input, Input::Stopping);
                    self.handles(input, at)
                }
                Some(Letter::Order { at, command, reply }) => {
                    let from = self.expects_reply(reply);
                    self.handles(Input::Command { from, command }, at)
                }
                Some(Letter::Halt) => return Ending::Halted,
                None => self.handles(Input::Tick, now),
            };
            if !handled && self.is_broken(now.steady) {
                return Ending::Broken;
            }
            self.pulse.turned(now.steady);
            self.publishes(now);
            if let Some(ending) = self.ending(now.steady) {
                return ending;
            }
        }
    }

    /// How long nothing needs to be done.
    fn patience(&self) -> Duration {
        let now = self.clock.moment();
        let due = catch_unwind(AssertUnwindSafe(|| self.exchange.poll_timeout())).ok().flatten();
        let board = self.stale_since.map(|_| self.published + BOARD_PAUSE);
        [due, board].into_iter().flatten().map(|due| due - now).fold(SLEEP_MAX, Duration::min)
    }

    /// What begins something and comes too late is not begun.
    fn judged(&self, input: Input, begins: bool, crowded: bool, age: Duration) -> Input {
        let Input::Received { flow, bytes } = input else {
            return input;
        };
        self.pulse.received();
        if begins && (age > AGE_MAX || crowded && bytes.starts_with(b"INVITE ")) {
            self.pulse.was_late();
            return Input::Late { flow, bytes };
        }
        Input::Received { flow, bytes }
    }

    /// Handles one fact and everything that follows; false if it broke something.
    fn handles(&mut self, input: Input, at: Now) -> bool {
        let exchange = &mut self.exchange;
        let whole = catch_unwind(AssertUnwindSafe(|| exchange.handle(input, at))).is_ok();
        if !whole {
            self.pulse.panicked();
            tracing::error!("a fact broke the exchange and was dropped; other calls go on");
        }
        while let Ok(Some(output)) = catch_unwind(AssertUnwindSafe(|| self.exchange.poll_output()))
        {
            self.performs(output);
        }
        whole
    }

    fn performs(&mut self, output: Output) {
        match output {
            Output::Send(transmit) => {
                self.pulse.sent();
                self.world.doors.send(transmit);
            }
            Output::Close(flow) => self.world.doors.close(flow),
            Output::LookUp(question) => (self.world.look_up)(question),
            Output::Expect { peer, name } => self.world.doors.expect(peer, name),
            Output::Media(order) => (self.world.media)(order),
            Output::Written { by, listener, text } => {
                let by_caller = by == Party::Caller;
                self.world.show(listener, Shown::Text { by_caller, text });
            }
            Output::Pressed { listener, digit } => self.world.show(listener, Shown::Key(digit)),
            Output::Record(record) => (self.world.keep)(record),
            Output::Reply { to, result } => {
                if let Some(reply) = self.replies.remove(&to) {
                    // Whoever asked may have gone.
                    let _ = reply.send(result);
                }
            }
            Output::Note(note) => log(&note),
            Output::Changed => {
                self.stale_since.get_or_insert(self.clock.moment());
            }
        }
    }

    fn expects_reply(
        &mut self,
        reply: Option<oneshot::Sender<Result<String, String>>>,
    ) -> CommandRef {
        self.commands += 1;
        let from = CommandRef(self.commands);
        if let Some(reply) = reply {
            self.replies.insert(from, reply);
            if self.replies.len() > REPLIES_MAX {
                self.replies.pop_first();
            }
        }
        from
    }

    fn publishes(&mut self, now: Now) {
        let since = now.steady - self.published;
        let is_due = match self.stale_since {
            Some(_) => since >= BOARD_PAUSE,
            None => since >= BOARD_REFRESH,
        };
        if !is_due {
            return;
        }
        if let Ok(board) = catch_unwind(AssertUnwindSafe(|| self.exchange.board(now))) {
            self.world.board.send_replace(Arc::new(board));
        }
        self.published = now.steady;
        self.stale_since = None;
    }

    /// The plan's grace is the exchange's to keep: when it is over, those who wait are told and let
    /// go; who talks is never cut short by a stop.
    fn ending(&mut self, now: Moment) -> Option<Ending> {
        if !self.stopping || !self.exchange.is_idle() {
            self.quiet_since = None;
            return None;
        }
        let quiet_since = *self.quiet_since.get_or_insert(now);
        (now - quiet_since >= LINGER).then_some(Ending::Quiet)
    }

    fn is_broken(&mut self, now: Moment) -> bool {
        self.panics.push(now);
        self.panics.retain(|at| now - *at < PANIC_WINDOW);
        self.panics.len() >= PANICS_MAX
    }
}

/// Writes a line to the log.
fn log(note: &Note) {
    let Note { level, what, call, fields } = note;
    let call = call.map(tracing::field::display);
    let fields =
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let fields = (!fields.is_empty()).then(|| tracing::field::display(fields));
    match level {
        Level::Debug => tracing::debug!(call, fields, "{what}"),
        Level::Info => tracing::info!(call, fields, "{what}"),
        Level::Warn => tracing::warn!(call, fields, "{what}"),
        Level::Error => tracing::error!(call, fields, "{what}"),
    }
}
