//! Where a message ends on a stream, and how long one has been coming.

use bytes::Bytes;

use crate::base::Moment;
use crate::sip::wire::{Frame, Framer};

/// A [`Framer`] that remembers when the message it is amid began.
#[derive(Default)]
pub(super) struct Cutter {
    framer: Framer,
    /// When bytes came last.
    latest: Moment,
    begun_at: Option<Moment>,
}

/// What a stream holds next.
pub(super) enum Piece {
    Message(Bytes),
    /// A keep-alive that wants an answer.
    Ping,
    Unfinished,
    /// It isn't SIP.
    Broken,
}

impl Cutter {
    pub(super) fn takes(&mut self, bytes: &[u8], now: Moment) {
        self.framer.push(bytes);
        self.latest = now;
        self.begun_at.get_or_insert(now);
    }

    pub(super) fn next_piece(&mut self) -> Piece {
        match self.framer.pop() {
            Ok(Some(frame)) => {
                // What follows came with the latest bytes.
                self.begun_at = Some(self.latest);
                match frame {
                    Frame::Message(bytes) => Piece::Message(bytes),
                    Frame::Ping => Piece::Ping,
                }
            }
            Ok(None) => {
                if !self.framer.is_in_message() {
                    self.begun_at = None;
                }
                Piece::Unfinished
            }
            Err(_) => Piece::Broken,
        }
    }

    /// When the message that has not come whole began.
    pub(super) fn begun_at(&self) -> Option<Moment> {
        self.begun_at
    }

    pub(super) fn is_amid(&self) -> bool {
        self.begun_at.is_some()
    }
}
