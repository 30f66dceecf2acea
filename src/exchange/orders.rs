//! What an operator orders while the house runs.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::base::{CallRef, LineName, ListenerName, Now};
use crate::call::{Aim, Call, Whom};
use crate::exchange::{Command, CommandRef, Exchange, Level, Output};
use crate::schedule::Switch;

/// The longest reason for a pause that is written down, in letters.
const REASON_MAX: usize = 60;

/// The most minutes by which the time for notes grows at once.
const EXTENSION_MAX: u32 = 60;

impl Exchange {
    pub(super) fn ordered(&mut self, from: CommandRef, command: Command, now: Now) {
        let result = match command {
            Command::Close { line, until, message } => {
                let message_is_known =
                    message.as_ref().is_none_or(|name| self.plan.prompts.contains_key(name));
                if message_is_known {
                    self.switch(line, &Switch::Closed { until, message }, Some(until), now)
                } else {
                    Err("no recording has that name".to_owned())
                }
            }
            Command::Open { line, until } => {
                self.switch(line, &Switch::Open { until }, Some(until), now)
            }
            Command::Automatic { line } => self.switch(line, &Switch::Automatic, None, now),
            Command::Pause { listener, reason } => {
                if let Some(reason) = reason {
                    let reason = reason.chars().filter(|c| !c.is_control()).take(REASON_MAX);
                    let fields = vec![
                        ("listener".to_owned(), listener.to_string()),
                        ("reason".to_owned(), reason.collect()),
                    ];
                    self.note(Level::Info, "a listener pauses", None, fields);
                }
                self.change_state(&listener, |exchange, listener| {
                    exchange.roster.paused(listener);
                })
            }
            Command::ComeBack { listener } => self.change_state(&listener, |exchange, listener| {
                exchange.roster.came_back(listener, now.steady);
            }),
            Command::EndAfterCallWork { listener } => {
                self.change_state(&listener, |exchange, listener| {
                    exchange.roster.after_call_work_ended(listener, now.steady);
                })
            }
            Command::ExtendAfterCallWork { listener, minutes } => {
                let by = Duration::from_secs(60 * u64::from(minutes.min(EXTENSION_MAX)));
                self.change_state(&listener, |exchange, listener| {
                    exchange.roster.after_call_work_extended(listener, by, now.steady);
                })
            }
            Command::Rest { listener } => self.change_state(&listener, |exchange, listener| {
                exchange.roster.rests(listener, now.steady);
            }),
            Command::FinishForToday { listener } => {
                self.change_state(&listener, |exchange, listener| {
                    exchange.roster.finished(listener, now.steady);
                })
            }
            Command::MarkBadSound { listener } => {
                self.with_their_call(&listener, |exchange, call| {
                    let field = vec![("listener".to_owned(), listener.to_string())];
                    let what = "a listener can't hear well";
                    exchange.note(Level::Warn, what, Some(call), field);
                    exchange.alarms.bad_sound(now.steady);
                    Ok(())
                })
            }
            Command::GiveBack { listener } => self.with_their_call(&listener, |exchange, call| {
                if exchange.call(call).is_some_and(Call::has_emergency) {
                    return Err("the emergency services are on the line".to_owned());
                }
                exchange.note(Level::Info, "a caller was given back", Some(call), Vec::new());
                exchange.with_call(call, now, |call, now| call.gives_back(now));
                Ok(())
            }),
            Command::AskCentre { listener, centre } => {
                self.with_their_call(&listener, |exchange, call| {
                    let line = exchange.call(call).map(|call| call.line().clone());
                    let found = line.and_then(|line| {
                        line.centres.values().find(|helper| helper.name == centre).cloned()
                    });
                    let centre = found.ok_or_else(|| format!("no centre is called `{centre}`"))?;
                    exchange.asks(call, &listener, Whom::Centre(centre), Aim::Ask, now)
                })
            }
            Command::AskColleague { listener, colleague } => {
                self.with_their_call(&listener, |exchange, call| {
                    exchange.asks(call, &listener, Whom::Colleague(colleague), Aim::Ask, now)
                })
            }
            Command::MoveToColleague { listener, colleague } => {
                self.with_their_call(&listener, |exchange, call| {
                    exchange.asks(call, &listener, Whom::Colleague(colleague), Aim::Move, now)
                })
            }
            Command::CallEmergency { listener, service } => {
                self.with_their_call(&listener, |exchange, call| {
                    let line = exchange.call(call).map(|call| call.line().clone());
                    let found = line.and_then(|line| {
                        line.emergency.values().find(|helper| helper.name == service).cloned()
                    });
                    let found = found.ok_or_else(|| format!("no emergency service `{service}`"))?;
                    let service = Whom::Emergency(found);
                    if !exchange.call(call).is_some_and(|call| call.may_ask(&listener)) {
                        return Err("somebody is being asked already".to_owned());
                    }
                    exchange.with_call(call, now, |call, now| {
                        call.calls_for_emergency(&service, now);
                    });
                    Ok(())
                })
            }
            Command::Write { listener, text } => {
                self.with_their_call(&listener, |exchange, call| {
                    if !exchange.call(call).is_some_and(Call::writes) {
                        return Err("the caller's telephone can't show text".to_owned());
                    }
                    exchange.with_call(call, now, |call, _| call.written_to(text));
                    Ok(())
                })
            }
            Command::TakeBack { listener } => self.with_their_call(&listener, |exchange, call| {
                exchange.with_call(call, now, |call, now| call.takes_back(now));
                Ok(())
            }),
            Command::HandOver { listener } => self.with_their_call(&listener, |exchange, call| {
                exchange.with_call(call, now, |call, now| call.hands_over(now));
                Ok(())
            }),
            Command::GivePass { listener, pass } => {
                if self.plan.sip.accounts.contains_key(&listener) {
                    let name = listener.to_string();
                    self.endpoint.pass_given(listener, pass, now);
                    Ok(name)
                } else {
                    Err(format!("`{listener}` has no account for phones"))
                }
            }
            Command::TakePassBack { listener, ha1_sha256 } => {
                self.endpoint.pass_taken_back(&listener, &ha1_sha256);
                Ok(listener.to_string())
            }
            Command::ReloadRefused { why } => {
                self.alarms.reload_refused(why);
                Ok("noted".to_owned())
            }
        };
        self.board_changed = true;
        self.outputs.push_back(Output::Reply { to: from, result });
    }

    fn switch(
        &mut self,
        line: Option<LineName>,
        switch: &Switch,
        until: Option<DateTime<Utc>>,
        now: Now,
    ) -> Result<String, String> {
        if until.is_some_and(|until| until <= now.wall) {
            return Err("the end is in the past".to_owned());
        }
        let names: Vec<LineName> = match line {
            Some(line) if self.lines.contains_key(&line) => vec![line],
            Some(line) => return Err(format!("no line is called `{line}`")),
            None => self.lines.keys().cloned().collect(),
        };
        for name in &names {
            if let Some(state) = self.lines.get_mut(name) {
                state.switch = switch.clone();
            }
        }
        let lines = names.iter().map(LineName::as_str).collect::<Vec<_>>().join(", ");
        self.note(
            Level::Info,
            "an operator moved the switch",
            None,
            vec![("lines".to_owned(), lines.clone())],
        );
        self.review_lines(now);
        Ok(lines)
    }

    /// What a listener orders for the caller they have.
    fn with_their_call(
        &mut self,
        listener: &ListenerName,
        act: impl FnOnce(&mut Self, CallRef) -> Result<(), String>,
    ) -> Result<String, String> {
        let Some(call) = self.call_of(listener) else {
            return Err(format!("`{listener}` has no caller"));
        };
        act(self, call)?;
        Ok(listener.to_string())
    }

    fn change_state(
        &mut self,
        listener: &ListenerName,
        change: impl FnOnce(&mut Self, &ListenerName),
    ) -> Result<String, String> {
        if self.roster.presence_of(listener).is_none() {
            return Err(format!("no listener is called `{listener}`"));
        }
        change(self, listener);
        self.roster_has_changed();
        Ok(listener.to_string())
    }
}
