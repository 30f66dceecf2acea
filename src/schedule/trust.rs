//! A wall clock that does not believe every jump (scenarios.md SC-10).
//!
//! Two clocks go in, believed wall time comes out. The steady clock tells how much time has passed;
//! the wall is believed as long as it agrees with that, or nearly.
//!
//! | the wall | what is believed | why |
//! |---|---|---|
//! | keeps pace, or gains up to `GAIN_MAX` | the wall | clocks are slewed all day long |
//! | falls behind by up to `LAG_MAX` | the last believed time, waiting | nothing is done twice |
//! | falls behind by more | the wall, at once | it is the correction of a wrongful jump |
//! | gains more than `GAIN_MAX` | the old pace, for `DOUBT`; then the wall | a jump must not close the line |

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::{Moment, Now};

/// A gain the wall may make on the steady clock without being doubted.
const GAIN_MAX: TimeDelta = TimeDelta::seconds(60);

/// A backward step up to this long never undoes a transition.
const LAG_MAX: TimeDelta = TimeDelta::minutes(5);

/// How long a forward jump is doubted.
const DOUBT: Duration = Duration::from_secs(5 * 60);

/// A backward step that is worth telling somebody about.
const STEP_TOLD: TimeDelta = TimeDelta::seconds(10);

/// The keeper of believed wall time.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct WallTrust {
    /// What was believed last, and when.
    believed: Option<Now>,
    /// The wall as it was read last, to see steps.
    read: Option<Now>,
    /// Since when the wall is ahead of what is believed.
    doubted_since: Option<Moment>,
    alarm: Option<ClockStep>,
}

/// The wall clock has stepped.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ClockStep {
    /// What the wall showed before, had it kept pace.
    pub expected: DateTime<Utc>,
    /// What it showed.
    pub shown: DateTime<Utc>,
}

impl ClockStep {
    /// How far the clock went; negative for a step back.
    pub fn by(&self) -> TimeDelta {
        self.shown - self.expected
    }
}

impl WallTrust {
    /// A keeper that has not seen a clock yet and believes the first one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The wall time to go by at `now`.
    ///
    /// A fact stamped before the last one asked about gets the time believed then, so a call that
    /// arrived in time stays in time however late it is read.
    pub fn believed(&mut self, now: Now) -> DateTime<Utc> {
        let Some(last) = self.believed else {
            self.read = Some(now);
            return self.believe(now, now.wall);
        };
        if now.steady < last.steady {
            return last.wall - delta(last.steady - now.steady);
        }
        self.notice_step(now);
        let paced = last.wall + delta(now.steady - last.steady);
        if now.wall - paced > GAIN_MAX {
            let since = *self.doubted_since.get_or_insert(now.steady);
            let believed = if now.steady - since < DOUBT { paced } else { now.wall };
            if believed == now.wall {
                self.doubted_since = None;
            }
            return self.believe(now, believed);
        }
        self.doubted_since = None;
        let waits = now.wall < last.wall && last.wall - now.wall <= LAG_MAX;
        self.believe(now, if waits { last.wall } else { now.wall })
    }

    /// Tells of the latest clock step, once.
    pub fn alarm(&mut self) -> Option<ClockStep> {
        self.alarm.take()
    }

    /// When what is believed is to be looked at again though nothing else has happened: the end of
    /// a doubt.
    pub fn due(&self) -> Option<Moment> {
        self.doubted_since.map(|since| since + DOUBT)
    }

    fn believe(&mut self, now: Now, wall: DateTime<Utc>) -> DateTime<Utc> {
        self.believed = Some(Now { steady: now.steady, wall });
        wall
    }

    fn notice_step(&mut self, now: Now) {
        if let Some(read) = self.read {
            let expected = read.wall + delta(now.steady - read.steady);
            let by = now.wall - expected;
            if by > GAIN_MAX || by < -STEP_TOLD {
                self.alarm = Some(ClockStep { expected, shown: now.wall });
            }
        }
        self.read = Some(now);
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads of both clocks, seconds after the start, and what is to be believed.
    fn believes(table: &[(u64, i64, i64)]) -> WallTrust {
        let noon: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let mut trust = WallTrust::new();
        for (steady, wall, believed) in table {
            let now = Now {
                steady: Moment::START + Duration::from_secs(*steady),
                wall: noon + TimeDelta::seconds(*wall),
            };
            assert_eq!((trust.believed(now) - noon).num_seconds(), *believed, "at {steady} s");
        }
        trust
    }

    #[test]
    fn a_wall_that_keeps_pace_is_believed() {
        let mut trust = believes(&[(0, 0, 0), (10, 10, 10), (20, 21, 21), (100, 160, 160)]);
        assert_eq!(trust.alarm(), None);
    }

    #[test]
    fn a_step_back_of_ninety_seconds_undoes_nothing() {
        let mut trust =
            believes(&[(0, 0, 0), (30, 30, 30), (31, -59, 30), (60, -30, 30), (121, 31, 31)]);
        assert_eq!(trust.alarm().map(|step| step.by()), Some(TimeDelta::seconds(-90)));
        assert_eq!(trust.alarm(), None);
    }

    #[test]
    fn many_small_steps_back_are_believed_once_they_add_up() {
        believes(&[(0, 0, 0), (1, -200, 0), (2, -299, 0), (3, -301, -301), (4, -300, -300)]);
    }

    #[test]
    fn a_jump_of_two_hours_is_doubted_for_five_minutes_and_then_believed() {
        let mut trust = believes(&[(0, 0, 0), (1, 7201, 1), (300, 7500, 300), (301, 7501, 7501)]);
        assert_eq!(trust.alarm().map(|step| step.by()), Some(TimeDelta::hours(2)));
    }

    #[test]
    fn a_jump_that_is_corrected_while_doubted_has_not_happened() {
        believes(&[(0, 0, 0), (1, 7201, 1), (200, 200, 200), (201, 201, 201)]);
    }

    #[test]
    fn a_correction_after_a_believed_jump_is_believed_at_once() {
        believes(&[(0, 0, 0), (1, 7201, 1), (301, 7501, 7501), (400, 400, 400)]);
    }

    #[test]
    fn a_minute_is_believed_at_once_and_a_second_more_is_not() {
        believes(&[(0, 0, 0), (10, 70, 70), (11, 132, 71)]);
    }

    #[test]
    fn a_fact_that_is_read_late_keeps_its_time() {
        believes(&[(0, 0, 0), (10, 10, 10), (9, 9, 9), (10, 10, 10)]);
    }
}
