//! The caller waits, and is told the truth about it.
//!
//! They hear ringback while a phone rings for them and the wait sound otherwise, never silence;
//! announcements come between, and a listener who picks up cuts whatever plays.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::base::{Moment, Now, PromptName};
use crate::call::body::Body;
use crate::call::leaving::Leaving;
use crate::call::{CALLER, Output, Stage, Timer, words};
use crate::media::{Order, Tone};

/// Waiting for a listener.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Waiting {
    since: Moment,
    sound: Sound,
    /// Announcements said so far, of the regular kind.
    said: u32,
    /// What the next estimate is wanted for.
    asked: Option<Asked>,
    /// Announcements that wait for another one to end.
    due: Vec<Vec<PromptName>>,
    nobody: Nobody,
    drain: Drained,
}

/// What the caller hears now.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Sound {
    Nothing,
    Announcement,
    Ringback,
    Wait,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Asked {
    WhetherServedToday,
    WhetherLong,
}

/// How far we are in admitting that nobody is there (scenarios.md SC-18).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Nobody {
    Attended,
    Missing,
    SaidSo,
    /// Managers are called once more.
    LastTry,
}

/// What the line's closing means for a caller who waits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Drained {
    No,
    /// The drain is over; only a phone that rings already can still be picked up.
    WhenNothingRings,
}

impl Waiting {
    /// After the greeting.
    pub(super) fn begin(body: &mut Body, drain_is_over: bool, now: Now) -> Stage {
        let mut waiting = Self::new(now.steady);
        if drain_is_over {
            waiting.drain = Drained::WhenNothingRings;
        }
        waiting.asked = Some(Asked::WhetherServedToday);
        body.wish(Output::Estimate);
        waiting.start(body, now);
        Stage::Waiting(waiting)
    }

    /// After a listener was lost: "don't hang up, we are putting you through again".
    pub(super) fn again(body: &mut Body, words_are_playing: bool, now: Now) -> Stage {
        let mut waiting = Self::new(now.steady);
        if words_are_playing {
            waiting.sound = Sound::Announcement;
        } else {
            waiting.say(body, vec![body.line.words.back_in_queue.clone()]);
        }
        waiting.start(body, now);
        Stage::Waiting(waiting)
    }

    fn new(since: Moment) -> Self {
        Self {
            since,
            sound: Sound::Nothing,
            said: 0,
            asked: None,
            due: Vec::new(),
            nobody: Nobody::Attended,
            drain: Drained::No,
        }
    }

    fn start(&mut self, body: &mut Body, now: Now) {
        let words = &body.line.words;
        body.timers.set(Timer::Announce, now.steady + words.first_after);
        body.timers.set(Timer::LongWait, now.steady + words.long_after);
        self.attended(body, now);
        self.settle_sound(body);
    }

    pub(super) fn estimated(&mut self, body: &mut Body, wait: Option<Duration>, now: Now) {
        let line = body.line.clone();
        let (closes, territory) = (body.open_until, body.territory);
        let said = self.asked.take().and_then(|asked| match asked {
            Asked::WhetherServedToday => words::closing_soon(&line, closes, wait, territory, now),
            Asked::WhetherLong => wait
                .is_none_or(|wait| wait > line.words.long_estimate)
                .then(|| words::long_wait(&line, closes, territory, now)),
        });
        if let Some(said) = said {
            self.say(body, said);
        }
    }

    /// Somebody is logged in, or nobody: then the caller is told, in time.
    pub(super) fn attended(&mut self, body: &mut Body, now: Now) {
        if body.attended {
            self.nobody = Nobody::Attended;
            body.timers.stop(&Timer::Nobody);
        } else if self.nobody == Nobody::Attended {
            self.nobody = Nobody::Missing;
            body.timers.set(Timer::Nobody, now.steady + body.line.nobody_after);
            body.call_for_help(now);
        }
    }

    pub(super) fn rings_changed(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        if self.drain == Drained::WhenNothingRings && !body.is_ringing() {
            return Some(Leaving::drain_over(body, now));
        }
        if self.sound != Sound::Announcement {
            self.settle_sound(body);
        }
        None
    }

    pub(super) fn drain_near(&mut self, body: &mut Body) {
        self.say(body, vec![body.line.words.drain_near.clone()]);
    }

    pub(super) fn drain_over(&mut self, body: &mut Body, now: Now) -> Option<Stage> {
        self.drain = Drained::WhenNothingRings;
        body.wish(Output::Unready);
        self.rings_changed(body, now)
    }

    pub(super) fn handle_timer(
        &mut self,
        body: &mut Body,
        timer: Timer,
        now: Now,
    ) -> Option<Stage> {
        let words = body.line.words.clone();
        if timer == Timer::Announce {
            let said = self.regular(&words);
            self.said += 1;
            // The second comes at its own time; from then on they are evenly spaced.
            let next = match self.said {
                1 => (self.since + words.danger_after).max(now.steady),
                _ => now.steady + words.again_after,
            };
            body.timers.set(Timer::Announce, next);
            self.say(body, vec![said]);
        } else if timer == Timer::LongWait {
            self.asked = Some(Asked::WhetherLong);
            body.wish(Output::Estimate);
        } else if timer == Timer::Nobody {
            match self.nobody {
                Nobody::Attended => {}
                Nobody::Missing => {
                    self.nobody = Nobody::SaidSo;
                    body.timers.set(Timer::Nobody, now.steady + body.line.nobody_patience);
                    self.say(body, vec![words.unavailable]);
                }
                Nobody::SaidSo if !body.line.overflow.is_empty() => {
                    self.nobody = Nobody::LastTry;
                    body.timers.set(Timer::Nobody, now.steady + body.line.nobody_after);
                    body.call_for_help(now);
                }
                Nobody::SaidSo | Nobody::LastTry => {
                    return Some(Leaving::unavailable(body, now));
                }
            }
        }
        None
    }

    /// An announcement is over.
    pub(super) fn finished(&mut self, body: &mut Body, _now: Now) -> Option<Stage> {
        self.sound = Sound::Nothing;
        if self.due.is_empty() {
            self.settle_sound(body);
        } else {
            let said = self.due.remove(0);
            self.say(body, said);
        }
        None
    }

    /// The regular announcement whose turn it is.
    fn regular(&self, words: &crate::call::LineWords) -> PromptName {
        match self.said {
            0 => words.first.clone(),
            1 => words.danger.clone(),
            n if (n - 1) % words.danger_every.max(1) == 0 => words.danger.clone(),
            n => {
                let turn = usize::try_from(n).unwrap_or_default() % words.again.len().max(1);
                words.again.get(turn).unwrap_or(&words.first).clone()
            }
        }
    }

    fn say(&mut self, body: &mut Body, prompts: Vec<PromptName>) {
        if self.sound == Sound::Announcement {
            // More than two would be talk without end; the regular ones come again anyway.
            if self.due.len() < 2 {
                self.due.push(prompts);
            }
        } else {
            self.sound = Sound::Announcement;
            body.play(prompts);
        }
    }

    fn settle_sound(&mut self, body: &mut Body) {
        let sound = if body.is_alerting() { Sound::Ringback } else { Sound::Wait };
        if self.sound == sound || self.sound == Sound::Announcement {
            return;
        }
        self.sound = sound;
        if sound == Sound::Ringback {
            body.playing = None;
            let stream = body.stream(CALLER);
            body.media(Order::Tone { stream, tone: Tone::Ringback });
        } else {
            body.play_wait_sound(CALLER);
        }
    }
}
