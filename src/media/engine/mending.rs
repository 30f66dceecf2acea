//! A stream that broke is made anew, so that a mistake of ours costs its party a moment of sound and
//! nobody a call.
//!
//! What was agreed on stays: port, keys, addresses, the numbers of its series, whom it is joined to.
//! What was being done with its sound (decoding, jitter, reports, noise) begins again. One that
//! breaks again and again is not to be saved: see [`STRIKES_MAX`].

#[cfg(test)]
use super::Door;
use super::Engine;
use crate::base::StreamRef;
use crate::media::Notice;
use crate::media::stream::Stream;

/// How often a stream is made anew before it is given up. From the second time on what plays on it is
/// suspected too, and is over.
pub const STRIKES_MAX: u32 = 3;

impl Engine {
    /// The stream that was being worked on when it broke, if it was one's fault.
    pub fn take_broken(&mut self) -> Option<StreamRef> {
        let door = self.at_work.take()?;
        let door = self.texts.get(&door).copied().unwrap_or(door);
        self.at(door).map(Stream::name)
    }

    /// Makes it anew; `strikes`: how often it broke.
    pub fn mend(&mut self, name: StreamRef, strikes: u32) {
        let Some(door) = self.door(name) else { return };
        let others = self.empty_room(door).map(|room| room.doors().collect());
        let codec = self.at(door).and_then(Stream::partner).and_then(|it| self.at(it)?.codec());
        let mut mint = self.mint.split();
        if let Some(stream) = self.at_mut(door) {
            let playing = (strikes > 1).then(|| stream.play_again()).flatten();
            stream.mend(codec, &mut mint);
            if let Some(play) = playing {
                self.notices.push_back(Notice::Finished { stream: name, play, cut: true });
            }
        }
        if let Some(others) = others {
            self.gather_doors(others);
        }
    }

    #[cfg(test)]
    pub(crate) fn breaks_at(&mut self, name: StreamRef) {
        self.mistakes.extend(self.door(name));
    }

    #[cfg(test)]
    pub(super) fn break_here(&mut self, door: Door) {
        if self.mistakes.remove(&door) {
            panic!("a mistake in a stream, made on purpose");
        }
    }
}
