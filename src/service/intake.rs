//! Where the loop gets its facts: the inbox, and datagrams, which it reads itself.
//!
//! A datagram read by another thread would wake that thread, then the loop: twice the price of what
//! is done with most of them. So the loop sleeps on the inbox's bell and on the UDP doors together.
//! When there is much to do it looks at the doors every few letters, so that what came goes through
//! the inbox's lanes, with their order and their bounds, and never waits unseen in the kernel.

use std::sync::Arc;
use std::time::Duration;

use crate::net::{UdpReader, read_when_ready};
use crate::service::inbox::{Inbox, Letter};

/// Letters handled before the doors are looked at again.
const LETTERS_MAX: usize = 16;

/// What the loop takes letters from.
pub struct Intake {
    inbox: Arc<Inbox>,
    readers: Vec<UdpReader>,
    /// Letters since the doors were looked at.
    letters: usize,
}

impl Intake {
    pub fn new(inbox: Arc<Inbox>, readers: Vec<UdpReader>) -> Self {
        Self { inbox, readers, letters: 0 }
    }

    /// The next letter, or nothing after `patience`, or earlier.
    pub fn take(&mut self, patience: Duration) -> Option<Letter> {
        if self.letters >= LETTERS_MAX {
            self.look(Duration::ZERO);
        }
        if !self.inbox.may_sleep() {
            self.letters += 1;
            return self.inbox.next();
        }
        self.look(patience);
        self.inbox.next()
    }

    fn look(&mut self, patience: Duration) {
        self.letters = 0;
        read_when_ready(&mut self.readers, self.inbox.bell(), patience, || self.inbox.awake());
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::base::{Moment, Now};
    use crate::exchange::Input;

    #[test]
    fn the_taker_is_woken_by_who_puts() {
        let inbox = Arc::new(Inbox::new().unwrap());
        let putter = Arc::clone(&inbox);
        let thread = std::thread::spawn(move || {
            let now = Now { steady: Moment::START, wall: DateTime::UNIX_EPOCH };
            let _ = putter.put(now, Input::Tick);
        });

        let letter = Intake::new(inbox, Vec::new()).take(Duration::from_secs(20));

        assert!(matches!(letter, Some(Letter::Fact { input: Input::Tick, .. })));
        thread.join().unwrap();
    }

    #[test]
    fn the_taker_wakes_by_itself_when_nobody_puts() {
        let inbox = Arc::new(Inbox::new().unwrap());

        assert!(Intake::new(inbox, Vec::new()).take(Duration::from_millis(1)).is_none());
    }
}
