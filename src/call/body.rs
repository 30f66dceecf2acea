//! What every stage of a call shares: legs, sound, place, timers, the record being written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{
    CallRef, ListenerName, Moment, Now, PromptName, Sdp, StreamRef, Territory, Text, Timers,
};
use crate::call::ringing::PhoneLeg;
use crate::call::{CALLER, LinePlan, Output, Timer};
use crate::media::{Order, PlayRef, Repeat};
use crate::record::{Draft, Party};

/// How long a silent caller is given from the last sound when a probe found nobody.
const SILENT_CALLER_MAX: Duration = Duration::from_secs(60);

/// How long no packet comes from a caller before they are asked for (scenarios.md SC-22).
const SILENT_CALLER_PATIENCE: Duration = Duration::from_secs(30);

/// The last characters of what nobody has read yet.
const UNREAD_MAX: usize = 4_000;

/// The part of a call that outlives its stages.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Body {
    pub call: CallRef,
    pub line: Arc<LinePlan>,
    pub territory: Territory,
    pub open_until: Option<DateTime<Utc>>,
    /// When the line opens again, as told with the end of its drain.
    pub reopens: Option<DateTime<Utc>>,
    pub attended: bool,
    pub arrived: Moment,
    /// Whether the caller hears us before the call is answered.
    pub early: Early,
    pub place: Place,
    /// The caller's negotiation and hold.
    pub caller: Talks,
    /// The caller has left; nothing can be sent to them.
    pub caller_gone: bool,
    silent_since: Option<Moment>,
    pub phones: BTreeMap<u32, PhoneLeg>,
    next_leg: u32,
    next_play: u64,
    /// What plays for the caller and will be told when it ends.
    pub playing: Option<PlayRef>,
    /// The record being written; None once it is.
    pub draft: Option<Draft>,
    /// The listener of this call was lost before: the next one is told.
    pub resumes: bool,
    /// Text was agreed on with the caller.
    pub writes: bool,
    /// What they wrote while nobody was there to read it.
    unread: Text,
    pub timers: Timers<Timer>,
    pub outputs: VecDeque<Output>,
}

/// Our place in the queue.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Place {
    /// Not asked for, or given up.
    None,
    Asked,
    Taken,
    Full,
}

/// Sound before the answer (RFC 3960 §2): the network bills nothing for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Early {
    No,
    /// Once our description is ready.
    Wanted,
    /// With this description.
    Heard(Sdp),
}

/// How far two sides are in agreeing on a session, and whether the other holds us.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Talks {
    pub state: TalksState,
    pub held: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum TalksState {
    /// Our description for the first INVITE is being made.
    Opening,
    /// A re-INVITE is being answered.
    Again,
    Settled,
}

/// What a description from the media side was for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Described {
    /// The caller's INVITE has been accepted with it.
    Arrived,
    /// A re-INVITE has been answered, and the hold it asks for changed.
    HoldChanged,
    Nothing,
}

impl Talks {
    pub(super) fn opening() -> Self {
        Self { state: TalksState::Opening, held: false }
    }
}

impl Body {
    pub(super) fn new(
        call: CallRef,
        line: Arc<LinePlan>,
        territory: Territory,
        attended: bool,
        draft: Draft,
        now: Now,
    ) -> Self {
        Self {
            call,
            line,
            territory,
            open_until: None,
            reopens: None,
            attended,
            arrived: now.steady,
            early: Early::No,
            place: Place::None,
            caller: Talks::opening(),
            caller_gone: false,
            silent_since: None,
            phones: BTreeMap::new(),
            next_leg: CALLER + 1,
            next_play: 0,
            playing: None,
            draft: Some(draft),
            resumes: false,
            writes: false,
            unread: Text::default(),
            timers: Timers::default(),
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn stream(&self, leg: u32) -> StreamRef {
        StreamRef { call: self.call, index: leg }
    }

    pub(super) fn wish(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn media(&mut self, order: Order) {
        self.outputs.push_back(Output::Media(order));
    }

    pub(super) fn fresh_leg(&mut self) -> u32 {
        let leg = self.next_leg;
        self.next_leg += 1;
        leg
    }

    pub(super) fn next_play(&mut self) -> u64 {
        let play = self.next_play;
        self.next_play += 1;
        play
    }

    /// The call is to be answered now, if it only heard us so far.
    pub(super) fn answers(&mut self) {
        if let Early::Heard(sdp) = std::mem::replace(&mut self.early, Early::No) {
            self.wish(Output::Accept { leg: CALLER, sdp });
        }
    }

    /// Plays recordings to the caller once; the end is told.
    pub(super) fn play(&mut self, prompts: Vec<PromptName>) {
        let play = PlayRef(self.next_play);
        self.next_play += 1;
        self.playing = Some(play);
        let stream = self.stream(CALLER);
        self.media(Order::Play { stream, play, prompts, repeat: Repeat::Once });
    }

    /// Plays the wait sound on a leg until something else is ordered.
    pub(super) fn play_wait_sound(&mut self, leg: u32) {
        let play = PlayRef(self.next_play);
        self.next_play += 1;
        if leg == CALLER {
            self.playing = None;
        }
        let prompts = vec![self.line.words.wait_sound.clone()];
        let stream = self.stream(leg);
        self.media(Order::Play { stream, play, prompts, repeat: Repeat::Forever });
    }

    // ---- what the caller writes (scenarios.md SC-25) ----

    /// Written while nobody is there: whoever comes reads it.
    pub(super) fn keep_unread(&mut self, text: &Text) {
        let all = format!("{}{}", self.unread.shown(), text.shown());
        let over = all.chars().count().saturating_sub(UNREAD_MAX);
        self.unread = Text::new(all.chars().skip(over).collect::<String>());
    }

    pub(super) fn show_unread(&mut self, listener: &ListenerName) {
        let text = std::mem::take(&mut self.unread);
        if !text.shown().is_empty() {
            let (by, listener) = (Party::Caller, listener.clone());
            self.wish(Output::Written { by, listener, text });
        }
    }

    /// The caller may be served from now on.
    pub(super) fn ready(&mut self, now: Now) {
        if self.place == Place::Taken {
            self.wish(Output::Ready);
            if let Some(draft) = &mut self.draft {
                draft.queued(now.steady);
            }
        }
    }

    /// Gives our place in the queue up, and with it whatever rings for us.
    pub(super) fn leave_queue(&mut self) {
        if self.place != Place::None {
            self.place = Place::None;
            self.wish(Output::Leave);
        }
    }

    /// The other side wants another session: hold, resume, another address or codec.
    pub(super) fn offered(&mut self, leg: u32, offer: Option<Sdp>) {
        let stream = self.stream(leg);
        let Some(talks) = self.talks(leg) else {
            return;
        };
        talks.state = TalksState::Again;
        self.media(match offer {
            Some(offer) => Order::Answer { stream, offer },
            None => Order::Offer { stream, like: None },
        });
    }

    /// Our description of a leg's session is ready to be sent.
    pub(super) fn described(&mut self, leg: u32, sdp: Sdp, held: bool) -> Described {
        let Some(talks) = self.talks(leg) else {
            return Described::Nothing;
        };
        let was = *talks;
        *talks = Talks { state: TalksState::Settled, held };
        match (was.state, leg) {
            (TalksState::Opening, CALLER) => {
                match self.early {
                    Early::Wanted => {
                        self.early = Early::Heard(sdp.clone());
                        self.wish(Output::Progress { leg, sdp });
                    }
                    Early::No | Early::Heard(_) => self.wish(Output::Accept { leg, sdp }),
                }
                Described::Arrived
            }
            (TalksState::Opening, _) => {
                self.invite_phone(leg, sdp);
                Described::Nothing
            }
            (TalksState::Again, _) => {
                self.wish(Output::Answer { leg, sdp });
                if was.held == held { Described::Nothing } else { Described::HoldChanged }
            }
            (TalksState::Settled, _) => Described::Nothing,
        }
    }

    fn talks(&mut self, leg: u32) -> Option<&mut Talks> {
        match leg {
            CALLER => Some(&mut self.caller),
            _ => self.phones.get_mut(&leg).map(|phone| &mut phone.talks),
        }
    }

    // ---- a caller who falls silent (scenarios.md SC-22) ----

    pub(super) fn watch_caller(&mut self) {
        let stream = self.stream(CALLER);
        self.media(Order::Watch { stream, patience: SILENT_CALLER_PATIENCE });
    }

    pub(super) fn caller_silent(&mut self, since: Moment, now: Now) {
        if self.caller_gone {
            return;
        }
        self.silent_since.get_or_insert(since);
        self.probe_caller(now);
    }

    /// Asks whether the caller's side still knows of the call, now and every while.
    pub(super) fn probe_caller(&mut self, now: Now) {
        if self.silent_since.is_some() && !self.caller_gone {
            self.wish(Output::Probe { leg: CALLER });
            self.timers.set(Timer::ProbeAgain, now.steady + SILENT_CALLER_PATIENCE);
        }
    }

    pub(super) fn caller_heard(&mut self) {
        self.silent_since = None;
        self.timers.stop(&Timer::ProbeAgain);
        self.timers.stop(&Timer::CallerGone);
    }

    pub(super) fn caller_probed(&mut self, alive: bool, now: Now) {
        let Some(since) = self.silent_since else {
            return;
        };
        if alive {
            self.timers.stop(&Timer::CallerGone);
        } else {
            let due = (since + SILENT_CALLER_MAX).max(now.steady);
            self.timers.set(Timer::CallerGone, due);
        }
    }
}
