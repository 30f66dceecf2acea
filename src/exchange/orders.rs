//! What an operator orders while the house runs.

use chrono::{DateTime, Utc};

use crate::base::{LineName, ListenerName, Now};
use crate::exchange::{Command, CommandRef, Exchange, Level, Output};
use crate::schedule::Switch;

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
            Command::Pause { listener } => self.change_state(&listener, |exchange, listener| {
                exchange.roster.paused(listener);
            }),
            Command::ComeBack { listener } => self.change_state(&listener, |exchange, listener| {
                exchange.roster.came_back(listener, now.steady);
            }),
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
