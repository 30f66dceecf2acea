//! What can be asked of a [`Town`]: the board, the records, what was said, and whether it is at rest.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono_tz::Europe::Paris;

use crate::base::Moment;
use crate::exchange::{Board, Note};
use crate::record::{CallRecord, Party};
use crate::sim::town::Town;
use crate::sim::transcript::What;

impl Town {
    pub fn board(&self) -> Board {
        let world = self.world();
        world.exchange.board(world.now())
    }

    /// How many callers wait, in all queues.
    pub fn waiting(&self) -> usize {
        self.board().queues.iter().map(|queue| queue.waiting).sum()
    }

    /// Whether a line is open, as the wall is told.
    #[track_caller]
    pub fn is_open(&self, line: &str) -> bool {
        let board = self.board();
        let found = board.lines.iter().find(|it| it.line.as_str() == line);
        found.expect("the line exists").open
    }

    /// When the line's drain ends, as `13:15:00` in Paris.
    #[track_caller]
    pub fn drains_until(&self, line: &str) -> Option<String> {
        let board = self.board();
        let found = board.lines.iter().find(|it| it.line.as_str() == line);
        let until = found.expect("the line exists").drain_until?;
        Some(until.with_timezone(&Paris).format("%H:%M:%S").to_string())
    }

    /// A listener's presence in the board's words.
    #[track_caller]
    pub fn presence(&self, listener: &str) -> String {
        let board = self.board();
        let found = board.listeners.iter().find(|it| it.listener.as_str() == listener);
        found.expect("the listener exists").presence.clone()
    }

    pub fn records(&self) -> Vec<CallRecord> {
        self.world().records.iter().map(|(_, record)| record.clone()).collect()
    }

    /// The record of the call that ended last.
    #[track_caller]
    pub fn last_record(&self) -> CallRecord {
        self.awaits("a record", |world| !world.records.is_empty());
        self.records().pop().expect("there is one")
    }

    /// Waits until that many calls have their record, and returns all.
    #[track_caller]
    pub fn has_records(&self, count: usize) -> Vec<CallRecord> {
        self.awaits(&format!("{count} records"), |world| world.records.len() >= count);
        let records = self.records();
        assert_eq!(records.len(), count, "{records:#?}");
        records
    }

    /// What was written in calls, as the listeners' pages are told.
    pub fn shown(&self) -> Vec<(Party, String)> {
        self.world().shown.clone()
    }

    /// The keys of callers, as their listeners' pages are told.
    pub fn keys_shown(&self) -> Vec<(String, char)> {
        let keys = &self.world().keys_shown;
        keys.iter().map(|(listener, key)| (listener.to_string(), *key)).collect()
    }

    pub fn notes(&self) -> Vec<Note> {
        self.world().notes.iter().map(|(_, note)| note.clone()).collect()
    }

    /// Waits until no call, dialog, transaction, stream or timer of a call is left.
    #[track_caller]
    pub fn comes_to_rest(&self) {
        // 64×T1 twice: a BYE may wait for an ACK that never comes.
        let end = self.now() + Duration::from_secs(150);
        loop {
            let left = {
                let world = self.world();
                let load = world.exchange.board(world.now()).load;
                (!world.exchange.is_idle(), load.dialogs, load.transactions, world.sound.streams())
            };
            if left == (false, 0, 0, 0) {
                return;
            }
            if !self.world_mut().steps_to(end) {
                let what =
                    format!("something is left: calls, dialogs, transactions, streams = {left:?}");
                self.world().fails(&what);
            }
        }
    }

    /// The story is over: everybody is plugged in again and hangs up, and nothing may be left.
    #[track_caller]
    pub fn ends(&self) {
        self.world_mut().everybody_leaves();
        self.comes_to_rest();
        for one in self.board().listeners {
            let is_stuck = ["alerting", "talking", "elsewhere"].contains(&one.presence.as_str());
            if is_stuck {
                self.world().fails(&format!("{} is {} with nobody", one.listener, one.presence));
            }
        }
    }

    /// How many facts the exchange was told so far.
    pub fn steps(&self) -> u64 {
        self.world().steps
    }

    /// Fails if the house ever told this word to anybody else, or wrote it into a note, a record or
    /// an order.
    #[track_caller]
    pub fn never_tells(&self, word: &str, except: &str) {
        let world = self.world();
        if let Some(line) = world.transcript.tells(word, except) {
            world.fails(&format!("`{word}` was told: {line}\n{:?}", line.what));
        }
    }

    /// The same, with everybody told apart by name: who may hear the word says so.
    #[track_caller]
    pub fn never_tells_but_to(&self, word: &str, may_hear: impl Fn(&str) -> bool) {
        let world = self.world();
        if let Some(line) = world.transcript.tells_beyond(word, may_hear) {
            world.fails(&format!("`{word}` was told: {line}\n{:?}", line.what));
        }
    }

    /// The whole exchange as it would be written down at this moment.
    pub fn snapshot(&self) -> Vec<u8> {
        self.world().snapshot()
    }

    /// What the house has sent to somebody since a moment, whole messages.
    pub fn sent_to(&self, name: &str, since: Moment) -> Vec<String> {
        self.world().transcript.sent_to(name, since).map(str::to_owned).collect()
    }

    /// How many INVITEs, copies left out, the house has sent to somebody since a moment.
    pub fn invites_to(&self, name: &str, since: Moment) -> usize {
        let calls: BTreeSet<String> = self
            .sent_to(name, since)
            .into_iter()
            .filter(|text| text.starts_with("INVITE "))
            .filter_map(|text| {
                Some(text.lines().find(|line| line.starts_with("Call-ID:"))?.to_owned())
            })
            .collect();
        calls.len()
    }

    /// How many calls the house let begin, going by its answers to INVITEs: refusals at the door
    /// (no such number, who are you) are no calls, and neither are star codes.
    pub fn calls_that_need_a_record(&self) -> usize {
        self.calls_that_need_a_record_of(|_| true)
    }

    /// The same, of those whose name this is true for.
    pub fn calls_that_need_a_record_of(&self, is_theirs: impl Fn(&str) -> bool) -> usize {
        let world = self.world();
        let mut asked = BTreeSet::new();
        let mut calls = BTreeSet::new();
        for line in world.transcript.lines() {
            match &line.what {
                What::Received { from, text } if is_first_invite(text) && is_theirs(from) => {
                    asked.extend(call_id(text));
                }
                What::Sent { text, .. } if is_answer_to_invite(text) => {
                    calls.extend(call_id(text).filter(|call| asked.contains(call)));
                }
                What::Received { .. } | What::Sent { .. } | What::Wished(_) | What::Did(_) => {}
            }
        }
        calls.len()
    }

    /// Whether no call is alive.
    pub fn is_idle(&self) -> bool {
        self.world().exchange.is_idle()
    }

    /// What happened last, in lines.
    pub fn tail(&self) -> String {
        self.world().transcript.tail()
    }
}

fn call_id(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("Call-ID: "))
}

/// An INVITE that begins a call to a line.
fn is_first_invite(text: &str) -> bool {
    let to = text.lines().find(|line| line.starts_with("To: ")).unwrap_or_default();
    text.starts_with("INVITE ") && !text.starts_with("INVITE sip:*") && !to.contains(";tag=")
}

/// A final answer that means there was a call.
fn is_answer_to_invite(text: &str) -> bool {
    let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
    let invite = text.lines().any(|line| line.starts_with("CSeq: ") && line.ends_with(" INVITE"));
    invite && matches!(status, Some("200" | "480" | "486" | "487" | "488" | "503"))
}
