//! Serving, after closing time, those who were let in before (scenarios.md, closing rules).
//!
//! A [`Drain`] is a line's, not a queue's: two lines may share listeners and close at different
//! hours. It knows deadlines only; who waits and what they hear is for `call`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Moment;

/// How long before its end a drain warns those who wait.
const NEAR: Duration = Duration::from_secs(120);

/// A line's drain: at rest while the line is open, or when nobody is left to serve.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Drain {
    running: Option<Running>,
    output: Option<Output>,
}

/// What a drain has to say to everybody who waits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// The end is two minutes away.
    Near,
    /// The end.
    Over,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Running {
    until: Moment,
    /// How long it goes on with nobody logged in.
    without_listener: Duration,
    nobody_since: Option<Moment>,
    warned: bool,
}

impl Drain {
    /// The line closed while callers were inside.
    pub fn began(&mut self, lasting: Duration, without_listener: Duration, now: Moment) {
        let until = now + lasting;
        // A second closing (an emergency during a drain) may shorten what runs, never lengthen it.
        let until = self.running.as_ref().map_or(until, |running| running.until.min(until));
        // A drain too short to warn in would say "soon" and "now" in one breath.
        let warned = lasting <= NEAR;
        self.running = Some(Running { until, without_listener, nobody_since: None, warned });
    }

    /// The line opened again, or nobody waits any more.
    pub fn stopped(&mut self) {
        self.running = None;
        self.output = None;
    }

    /// Somebody is logged in, or nobody.
    pub fn attended(&mut self, by_anybody: bool, now: Moment) {
        if let Some(running) = &mut self.running {
            running.nobody_since = match by_anybody {
                true => None,
                false => running.nobody_since.or(Some(now)),
            };
        }
    }

    pub fn handle_timeout(&mut self, now: Moment) {
        let Some(running) = &mut self.running else {
            return;
        };
        if now >= running.end() {
            self.running = None;
            self.output = Some(Output::Over);
        } else if !running.warned && now >= running.near() {
            running.warned = true;
            self.output = Some(Output::Near);
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.take()
    }

    /// When to call [`Drain::handle_timeout`] next; changes with every fact.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let running = self.running.as_ref()?;
        Some(if running.warned { running.end() } else { running.near().min(running.end()) })
    }

    /// The end of the drain that runs, as planned at its beginning.
    pub fn until(&self) -> Option<Moment> {
        self.running.as_ref().map(|running| running.until)
    }
}

impl Running {
    fn end(&self) -> Moment {
        match self.nobody_since {
            Some(since) => self.until.min(since + self.without_listener),
            None => self.until,
        }
    }

    fn near(&self) -> Moment {
        Moment::START + (self.until - (Moment::START + NEAR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_warns_once_and_then_ends() {
        let mut drain = Drain::default();
        drain.began(mins(15), secs(30), at(0));
        assert_eq!(drain.poll_timeout(), Some(at(13 * 60)));

        drain.handle_timeout(at(13 * 60));
        assert_eq!(drain.poll_output(), Some(Output::Near));
        drain.handle_timeout(at(14 * 60));
        assert_eq!(drain.poll_output(), None);
        drain.handle_timeout(at(15 * 60));

        assert_eq!(drain.poll_output(), Some(Output::Over));
        assert_eq!(drain.until(), None);
    }

    #[test]
    fn with_nobody_logged_in_it_ends_after_half_a_minute() {
        let mut drain = Drain::default();
        drain.began(mins(15), secs(30), at(0));
        drain.attended(false, at(10));
        drain.attended(false, at(20));

        drain.handle_timeout(at(39));
        assert_eq!(drain.poll_output(), None);
        drain.handle_timeout(at(40));

        assert_eq!(drain.poll_output(), Some(Output::Over));
    }

    #[test]
    fn an_extension_of_hours_stops_it() {
        let mut drain = Drain::default();
        drain.began(mins(15), secs(30), at(0));

        drain.stopped();
        drain.handle_timeout(at(3600));

        assert_eq!(drain.poll_output(), None);
        assert_eq!(drain.poll_timeout(), None);
    }

    fn at(n: u64) -> Moment {
        Moment::START + secs(n)
    }

    fn mins(n: u64) -> Duration {
        secs(n * 60)
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }
}
