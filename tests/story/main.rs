//! Stories an operator could read, in virtual time.
//!
//! Each runs in fair weather, where times are exact, and again on many seeds of bad weather, where
//! packets are lost, late, doubled and out of order (`weather`, `HOTLINE_SEEDS`). At every step the
//! exchange is written down, read again, and must go on as if nothing had happened. After each
//! story everybody hangs up, and nothing may be left: no call, dialog, transaction or stream.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

/// Makes a test of each story in this file, and lists them for the weather.
macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        mod fair {
            $(#[test]
            fn $name() {
                crate::tell(super::$name, crate::Weather::Fair, 0);
            })*
        }

        pub(crate) const STORIES: &[(&str, crate::Story)] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}

mod at_any_moment;
mod callers;
mod clock_change;
mod closing_time;
mod dead_phones;
mod emergency;
mod everything_at_once;
mod flood;
mod handing_over;
mod hangups;
mod listeners_phones;
mod no_answer;
mod numbers;
mod opening_hours;
mod operator;
mod overload;
mod privacy;
mod protected;
mod queue;
mod races;
mod sessions;
mod signalling;
mod text;
mod transfers;
mod trunks;
mod weather;

use hotline::sim::{Habits, Person, Town, Weather, secs};

/// A story is told in a town.
type Story = fn(Town);

/// Tells a story from a seed, and looks after its end that nothing is left.
fn tell(story: Story, weather: Weather, seed: u64) {
    let town = Town::new().weather(weather).seed(seed);
    story(town.clone());
    town.ends();
}

/// Léa is there, and Anna, whose number the house knows, has got through to her.
fn anna_talks_with_lea(town: &Town) -> (Person, Person) {
    let [lea] = town.listeners(["lea"]);
    let number = Some("+33600012345".to_owned());
    let anna = town.person("anna", Habits { number, ..Habits::default() });
    anna.dials("3977");
    anna.gets_through();
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
    (anna, lea)
}

fn presses_keys(person: &Person, keys: &str) {
    keys.chars().for_each(|key| person.presses(key));
}

/// Whether two times are the same, as far as the weather lets one tell.
#[track_caller]
fn about(town: &Town, one: std::time::Duration, other: std::time::Duration) {
    let tolerance = hotline::sim::millis(if town.is_fair() { 100 } else { 10_000 });
    assert!(one.abs_diff(other) <= tolerance, "{one:?} is not about {other:?}\n{}", town.tail());
}
