//! Where facts wait for the loop, in three lanes, each with a bound and a policy when it is full.
//!
//! | lane | what | served | when full |
//! |---|---|---|---|
//! | house | media notices, commands, plans, lost flows | first | newest dropped, counted, logged as an error: it is full only when the loop has stood still, and then the watchdog acts |
//! | going | SIP of calls in progress: responses, ACK, BYE, CANCEL, requests with a To tag | second | newest dropped on UDP (its sender repeats it), streams wait |
//! | new | everything else: INVITE, REGISTER, OPTIONS | last | the same; and before it is full, new calls in it are called late, so that they are refused at once instead of waiting for nothing |
//!
//! The order can't confuse a dialog: what belongs to a call is only sent after we answered what
//! began it.
//!
//! One thread takes, many put. When nothing is left the taker sleeps, and the first to put rings.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::oneshot;

use crate::base::Now;
use crate::exchange::{Command, Input};
use crate::net::Taken;

/// Facts of the house itself: a few for each live call.
const HOUSE_MAX: usize = 65_536;

/// Messages of calls in progress.
const GOING_MAX: usize = 8_192;

/// Messages that begin something.
const NEW_MAX: usize = 4_096;

/// With so many beginnings waiting, the next new call would be answered too late to be of use.
const NEW_CROWDED: usize = 512;

/// What the loop takes from the inbox.
#[derive(Debug)]
pub enum Letter {
    Fact {
        at: Now,
        input: Input,
        /// It begins something: it may be refused when it is old.
        begins: bool,
        /// And too much else begins.
        crowded: bool,
    },
    Order {
        at: Now,
        command: Command,
        /// None: nobody waits for the reply.
        reply: Option<oneshot::Sender<Result<String, String>>>,
    },
    /// Stop now, whoever is talking.
    Halt,
}

/// Facts on their way to the loop.
#[derive(Debug)]
pub struct Inbox {
    lanes: Mutex<Lanes>,
    bell: EventFd,
}

/// What was turned away, for lack of room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TurnedAway {
    pub house: u64,
    pub going: u64,
    pub new: u64,
}

#[derive(Debug, Default)]
struct Lanes {
    house: VecDeque<Letter>,
    going: VecDeque<(Now, Input)>,
    new: VecDeque<(Now, Input)>,
    /// The taker sleeps: the next to put rings.
    asleep: bool,
    away: TurnedAway,
}

enum Lane {
    House,
    Going,
    New,
}

impl Inbox {
    pub fn new() -> nix::Result<Self> {
        let bell =
            EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { lanes: Mutex::default(), bell })
    }

    /// Puts a fact into its lane.
    pub fn put(&self, at: Now, input: Input) -> Taken {
        // Looked at before the lock is taken: it reads a few hundred bytes.
        let lane = lane_of(&input);
        let mut lanes = self.lanes();
        let Lanes { house, going, new, away, .. } = &mut *lanes;
        let is_full = match lane {
            Lane::House => house.len() >= HOUSE_MAX,
            Lane::Going => going.len() >= GOING_MAX,
            Lane::New => new.len() >= NEW_MAX,
        };
        match lane {
            Lane::House if is_full => away.house += 1,
            Lane::Going if is_full => away.going += 1,
            Lane::New if is_full => away.new += 1,
            Lane::House => {
                house.push_back(Letter::Fact { at, input, begins: false, crowded: false });
            }
            Lane::Going => going.push_back((at, input)),
            Lane::New => new.push_back((at, input)),
        }
        self.rings(lanes);
        if is_full { Taken::Full } else { Taken::Yes }
    }

    /// Orders something; the reply comes by the channel. Refused when the lane is full.
    pub fn order(
        &self,
        at: Now,
        command: Command,
        reply: Option<oneshot::Sender<Result<String, String>>>,
    ) -> Taken {
        self.put_letter(Letter::Order { at, command, reply })
    }

    /// Asks the loop to stop at once.
    pub fn halt(&self) {
        let mut lanes = self.lanes();
        lanes.house.push_front(Letter::Halt);
        self.rings(lanes);
    }

    /// Takes the next letter, if there is one.
    pub fn next(&self) -> Option<Letter> {
        self.lanes().next()
    }

    /// Whether the taker may sleep: nothing waits, and whoever puts something now rings the
    /// [`bell`](Self::bell).
    pub fn may_sleep(&self) -> bool {
        let mut lanes = self.lanes();
        lanes.asleep = lanes.is_empty();
        lanes.asleep
    }

    /// The taker is up again.
    pub fn awake(&self) {
        let was_rung = !std::mem::take(&mut self.lanes().asleep);
        if was_rung {
            // Quiet again.
            let _ = self.bell.read();
        }
    }

    /// Can be read when something was put while the taker slept.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// What found no room so far.
    pub fn turned_away(&self) -> TurnedAway {
        self.lanes().away
    }

    /// How many facts wait.
    pub fn waiting(&self) -> usize {
        let lanes = self.lanes();
        lanes.house.len() + lanes.going.len() + lanes.new.len()
    }

    fn put_letter(&self, letter: Letter) -> Taken {
        let mut lanes = self.lanes();
        if lanes.house.len() >= HOUSE_MAX {
            lanes.away.house += 1;
            return Taken::Full;
        }
        lanes.house.push_back(letter);
        self.rings(lanes);
        Taken::Yes
    }

    fn rings(&self, mut lanes: MutexGuard<'_, Lanes>) {
        if std::mem::take(&mut lanes.asleep) {
            drop(lanes);
            // Fails only if it was rung 2^64 times.
            let _ = self.bell.write(1);
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // A queue is never half changed when a panic could strike.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn is_empty(&self) -> bool {
        self.house.is_empty() && self.going.is_empty() && self.new.is_empty()
    }

    fn next(&mut self) -> Option<Letter> {
        if let Some(letter) = self.house.pop_front() {
            return Some(letter);
        }
        if let Some((at, input)) = self.going.pop_front() {
            return Some(Letter::Fact { at, input, begins: false, crowded: false });
        }
        let crowded = self.new.len() > NEW_CROWDED;
        let (at, input) = self.new.pop_front()?;
        Some(Letter::Fact { at, input, begins: true, crowded })
    }
}

fn lane_of(input: &Input) -> Lane {
    match input {
        Input::Received { bytes, .. } | Input::Late { bytes, .. } => {
            if belongs_to_a_call(bytes) {
                Lane::Going
            } else {
                Lane::New
            }
        }
        Input::FlowClosed { .. }
        | Input::Unreachable { .. }
        | Input::Unconnected { .. }
        | Input::LookedUp { .. }
        | Input::Media(_)
        | Input::Command { .. }
        | Input::Plan(_)
        | Input::Stopping
        | Input::Tick => Lane::House,
    }
}

/// Whether a message can only be about something that has begun.
///
/// A look at the first bytes, not a parse: a wrong guess costs a place in line, nothing more.
fn belongs_to_a_call(bytes: &[u8]) -> bool {
    const GOING: [&[u8]; 6] = [b"SIP/2.0 ", b"ACK ", b"BYE ", b"CANCEL ", b"PRACK ", b"UPDATE "];
    if GOING.iter().any(|start| bytes.starts_with(start)) {
        return true;
    }
    let head = &bytes[..bytes.len().min(HEAD_MAX)];
    head.split(|byte| *byte == b'\n')
        .take_while(|line| !matches!(line, [] | [b'\r']))
        .find(|line| is_to(line))
        .is_some_and(|line| line.windows(5).any(|window| window.eq_ignore_ascii_case(b";tag=")))
}

/// How far into a message its To header is looked for.
const HEAD_MAX: usize = 4_096;

fn is_to(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let name = line[..colon].trim_ascii();
    name.eq_ignore_ascii_case(b"to") || name.eq_ignore_ascii_case(b"t")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::DateTime;

    use super::*;
    use crate::base::Moment;
    use crate::sip::{Flow, Transport};

    #[test]
    fn the_house_goes_first_then_calls_in_progress_then_new_ones() {
        let inbox = Inbox::new().unwrap();
        let _ = inbox.put(now(), message("INVITE sip:3977@h SIP/2.0\r\nTo: <sip:3977@h>\r\n\r\n"));
        let _ = inbox.put(now(), message("BYE sip:3977@h SIP/2.0\r\n\r\n"));
        let _ = inbox.put(now(), Input::Stopping);

        let mut order = Vec::new();
        while let Some(Letter::Fact { input, begins, .. }) = inbox.next() {
            order.push((matches!(input, Input::Stopping), begins));
        }

        assert_eq!(order, [(true, false), (false, false), (false, true)]);
    }

    #[test]
    fn a_request_inside_a_dialog_is_known_by_its_to_tag() {
        let within =
            "INVITE sip:a@h SIP/2.0\r\nFrom: <sip:b@h>;tag=1\r\nt : <sip:a@h>;TAG=2\r\n\r\n";
        let without = "INVITE sip:a@h SIP/2.0\r\nFrom: <sip:b@h>;tag=1\r\nTo: <sip:a@h>\r\n\r\n";

        assert!(belongs_to_a_call(within.as_bytes()));
        assert!(!belongs_to_a_call(without.as_bytes()));
        assert!(!belongs_to_a_call(b"REGISTER sip:h SIP/2.0\r\n\r\nTo: <sip:a@h>;tag=2\r\n"));
        assert!(belongs_to_a_call(b"SIP/2.0 200 OK\r\n"));
        assert!(!belongs_to_a_call(&[0xff; 65_507]));
        assert!(!belongs_to_a_call(b""));
    }

    #[test]
    fn a_full_lane_turns_the_newest_away_and_the_others_stay_open() {
        let inbox = Inbox::new().unwrap();
        let invite = message("INVITE sip:3977@h SIP/2.0\r\n\r\n");
        for _ in 0..NEW_MAX {
            assert_eq!(inbox.put(now(), invite.clone()), Taken::Yes);
        }

        assert_eq!(inbox.put(now(), invite), Taken::Full);
        assert_eq!(inbox.put(now(), message("BYE sip:h SIP/2.0\r\n\r\n")), Taken::Yes);
        assert_eq!(inbox.turned_away(), TurnedAway { house: 0, going: 0, new: 1 });
        assert!(matches!(inbox.next(), Some(Letter::Fact { begins: false, .. })));
        assert!(matches!(inbox.next(), Some(Letter::Fact { crowded: true, .. })));
    }

    fn message(text: &str) -> Input {
        let address = "127.0.0.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, local: address, peer: address, connection: 0 };
        Input::Received { flow, bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }

    fn now() -> Now {
        Now { steady: Moment::START, wall: DateTime::UNIX_EPOCH }
    }
}
