//! What needs a person, each matter with a word that stays the same.
//!
//! The page has words for every code, in French and English, with what to do (`web/src/words.ts`); the English
//! sentences here are for tools and for the operator's command line.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{CallRef, Moment, Now};
use crate::exchange::Exchange;
use crate::schedule::{ClockStep, Switch};

/// One matter that needs a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Alarm {
    pub code: AlarmCode,
    /// The line, queue or trunk it is about; or the reason, where the code can't say it.
    pub about: Option<String>,
    /// How many, or how many seconds.
    pub count: Option<i64>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// The same as a sentence.
    pub text: String,
}

/// A word for programs; it means the same in every version.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmCode {
    BadSound,
    ClockStep,
    CodecMismatch,
    LongWait,
    NobodyLoggedIn,
    OneWaySound,
    Overload,
    ReloadRefused,
    Switch,
    TrunkAbroad,
    TrunkDown,
    TrunkUnlocated,
    TrunkUnregistered,
    UnknownNumber,
    UnusualActivity,
}

impl AlarmCode {
    pub const ALL: [Self; 15] = [
        Self::BadSound,
        Self::ClockStep,
        Self::CodecMismatch,
        Self::LongWait,
        Self::NobodyLoggedIn,
        Self::OneWaySound,
        Self::Overload,
        Self::ReloadRefused,
        Self::Switch,
        Self::TrunkAbroad,
        Self::TrunkDown,
        Self::TrunkUnlocated,
        Self::TrunkUnregistered,
        Self::UnknownNumber,
        Self::UnusualActivity,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadSound => "bad_sound",
            Self::ClockStep => "clock_step",
            Self::CodecMismatch => "codec_mismatch",
            Self::LongWait => "long_wait",
            Self::NobodyLoggedIn => "nobody_logged_in",
            Self::OneWaySound => "one_way_sound",
            Self::Overload => "overload",
            Self::ReloadRefused => "reload_refused",
            Self::Switch => "switch",
            Self::TrunkAbroad => "trunk_abroad",
            Self::TrunkDown => "trunk_down",
            Self::TrunkUnlocated => "trunk_unlocated",
            Self::TrunkUnregistered => "trunk_unregistered",
            Self::UnknownNumber => "unknown_number",
            Self::UnusualActivity => "unusual_activity",
        }
    }
}

impl Alarm {
    fn new(code: AlarmCode, text: impl Into<String>) -> Self {
        Self { code, about: None, count: None, until: None, text: text.into() }
    }

    fn about(self, about: impl ToString) -> Self {
        Self { about: Some(about.to_string()), ..self }
    }

    fn count(self, count: i64) -> Self {
        Self { count: Some(count), ..self }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.text)
    }
}

/// How long a passing trouble stays on the board.
const ALARM_SHOWN: Duration = Duration::from_secs(15 * 60);

/// A wait that a manager should know of (scenarios.md SC-17).
const LONG_WAIT: Duration = Duration::from_secs(60);

/// How long before the operator's switch lets go the board says so (scenarios.md SC-37).
const SWITCH_NOTICE: TimeDelta = TimeDelta::minutes(10);

/// How long before opening an empty room is an alarm ("à 8 h 50, personne n'est connecté").
const OPENING_NOTICE: TimeDelta = TimeDelta::minutes(10);

/// Troubles that pass, and when each was seen last.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Alarms {
    clock_step: Option<(ClockStep, Moment)>,
    unknown_number: Option<Moment>,
    refused_for_load: Option<Moment>,
    refused_for_sound: Option<Moment>,
    bad_sound: Option<Moment>,
    /// Of whose side not one packet came: a listener, or the callers of a trunk or none.
    unheard: BTreeMap<Option<String>, Unheard>,
    reload_refused: Option<String>,
    pub(super) authentication_failures: u64,
}

/// How often it was so, and when last, in which call.
#[derive(Debug, Deserialize, Serialize)]
struct Unheard {
    calls: i64,
    call: CallRef,
    at: Moment,
}

impl Alarms {
    pub(super) fn clock_stepped(&mut self, step: ClockStep, now: Moment) {
        self.clock_step = Some((step, now));
    }

    pub(super) fn unknown_number(&mut self, now: Moment) {
        self.unknown_number = Some(now);
    }

    pub(super) fn refused_for_load(&mut self, now: Moment) {
        self.refused_for_load = Some(now);
    }

    pub(super) fn refused_for_sound(&mut self, now: Moment) {
        self.refused_for_sound = Some(now);
    }

    pub(super) fn bad_sound(&mut self, now: Moment) {
        self.bad_sound = Some(now);
    }

    /// False if that is known of this call.
    pub(super) fn never_heard(&mut self, call: CallRef, who: Option<String>, now: Moment) -> bool {
        self.unheard.retain(|_, unheard| now - unheard.at < ALARM_SHOWN);
        match self.unheard.get_mut(&who) {
            Some(unheard) if unheard.call == call => return false,
            Some(unheard) => {
                *unheard = Unheard { calls: unheard.calls + 1, call, at: now };
            }
            None => {
                self.unheard.insert(who, Unheard { calls: 1, call, at: now });
            }
        }
        true
    }

    pub(super) fn reload_refused(&mut self, why: String) {
        self.reload_refused = Some(why);
    }

    pub(super) fn plan_loaded(&mut self) {
        self.reload_refused = None;
    }

    pub(super) fn authentication_failed(&mut self) {
        self.authentication_failures += 1;
    }
}

impl Exchange {
    /// Everything that needs a person now.
    pub(super) fn alarms_shown(&self, now: Now) -> Vec<Alarm> {
        use AlarmCode as Code;
        let mut alarms = Vec::new();
        let recent = |seen: Option<Moment>| seen.is_some_and(|at| now.steady - at < ALARM_SHOWN);
        if let Some(why) = &self.alarms.reload_refused {
            alarms.push(Alarm::new(Code::ReloadRefused, why).about(why));
        }
        if let Some((step, at)) = self.alarms.clock_step
            && recent(Some(at))
        {
            let by = step.by().num_seconds();
            let text = format!("the wall clock stepped by {by} s");
            alarms.push(Alarm::new(Code::ClockStep, text).count(by));
        }
        for (seen, code, text) in [
            (
                self.alarms.unknown_number,
                Code::UnknownNumber,
                "a trunk delivered a number no line has",
            ),
            (self.alarms.refused_for_load, Code::Overload, "calls were refused"),
            (
                self.alarms.refused_for_sound,
                Code::CodecMismatch,
                "a call offered no codec we speak",
            ),
            (self.alarms.bad_sound, Code::BadSound, "a listener could not hear a caller well"),
        ] {
            if recent(seen) {
                alarms.push(Alarm::new(code, text));
            }
        }
        for (who, unheard) in &self.alarms.unheard {
            if !recent(Some(unheard.at)) {
                continue;
            }
            let who = who.as_deref().unwrap_or("nobody's trunk");
            let text = format!("no sound at all came from `{who}` in {} calls", unheard.calls);
            alarms.push(Alarm::new(Code::OneWaySound, text).about(who).count(unheard.calls));
        }
        let since = Moment::START + now.steady.since_start().saturating_sub(ALARM_SHOWN);
        let insistent = self.admission.insistent_since(since);
        if insistent > 0 {
            let text = format!("{insistent} callers wanted more calls at once than one may have");
            let count = i64::try_from(insistent).unwrap_or(i64::MAX);
            alarms.push(Alarm::new(Code::UnusualActivity, text).count(count));
        }
        self.trunk_alarms(now, &mut alarms);
        self.attendance_alarms(now, &mut alarms);
        for queue in self.queue_boards(now) {
            if let Some(oldest) = queue.oldest.filter(|oldest| *oldest >= LONG_WAIT.as_secs()) {
                let text = format!(
                    "{} in `{}` wait, the first for {oldest} s",
                    queue.waiting, queue.queue
                );
                let count = i64::try_from(oldest).unwrap_or(i64::MAX);
                alarms.push(Alarm::new(Code::LongWait, text).about(&queue.queue).count(count));
            }
        }
        alarms
    }

    fn trunk_alarms(&self, now: Now, alarms: &mut Vec<Alarm>) {
        for state in self.endpoint.trunks(now.steady) {
            let trunk = &state.trunk;
            let mut tell = |code, text: String| alarms.push(Alarm::new(code, text).about(trunk));
            if let Some(name) = &state.name {
                if name.abroad > 0 {
                    let text =
                        format!("the DNS leads `{trunk}` outside its addresses; that is not used");
                    tell(AlarmCode::TrunkAbroad, text);
                }
                if name.addresses == Some(0) {
                    let text = format!("the name of `{trunk}` leads nowhere");
                    tell(AlarmCode::TrunkUnlocated, text);
                }
            }
            // Whose name is not known yet, or leads nowhere, can't answer.
            let is_findable =
                state.name.as_ref().is_none_or(|name| name.addresses.is_some_and(|all| all > 0));
            if !state.up && is_findable {
                tell(AlarmCode::TrunkDown, format!("`{trunk}` does not answer"));
            } else if state.registered == Some(false) {
                tell(AlarmCode::TrunkUnregistered, format!("`{trunk}` does not know us"));
            }
        }
    }

    fn attendance_alarms(&self, now: Now, alarms: &mut Vec<Alarm>) {
        for (name, state) in &self.lines {
            let Some(line) = self.plan.lines.get(name) else {
                continue;
            };
            if line.moved_to.is_some() {
                continue;
            }
            let open = state.open.unwrap_or_default();
            let soon = state.until.is_some_and(|until| until - now.wall <= OPENING_NOTICE);
            if !self.attended.contains(&line.queue) && (open || soon) {
                let when = if open { "is open" } else { "opens soon" };
                let text = format!("`{name}` {when} and nobody is logged in");
                let until = (!open).then_some(state.until).flatten();
                let alarm = Alarm::new(AlarmCode::NobodyLoggedIn, text).about(name);
                alarms.push(Alarm { until, ..alarm });
            }
            if let Switch::Closed { until, .. } = &state.switch
                && *until > now.wall
            {
                let soon = *until - now.wall <= SWITCH_NOTICE;
                let state = if soon { "reopens soon" } else { "is closed by an operator" };
                let text = format!("`{name}` {state}, until {}", until.to_rfc3339());
                let alarm = Alarm::new(AlarmCode::Switch, text).about(name);
                alarms.push(Alarm { until: Some(*until), ..alarm });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_has_words_and_something_to_do_in_both_languages() {
        let words = include_str!("../../web/src/words.ts");

        for code in AlarmCode::ALL {
            for key in [format!("alarm_{}:", code.as_str()), format!("alarm_{}_do:", code.as_str())]
            {
                assert_eq!(words.matches(&key).count(), 2, "{key} French and English");
            }
            let as_json = serde_json::to_string(&code).unwrap();
            assert_eq!(as_json, format!("\"{}\"", code.as_str()));
        }
    }

    #[test]
    fn operators_find_every_alarm_in_their_guide() {
        let guide = include_str!("../../docs/guides/operators.md");

        for code in AlarmCode::ALL {
            assert!(guide.contains(&format!("| `{}` |", code.as_str())), "{}", code.as_str());
        }
    }
}
