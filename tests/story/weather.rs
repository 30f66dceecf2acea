//! Every story again, in bad weather.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hotline::sim::Weather;

use crate::Story;

/// How many seeds an ordinary run tries; `HOTLINE_SEEDS` says otherwise.
const SEEDS: u64 = if cfg!(debug_assertions) { 1 } else { 10 };

#[test]
fn every_story_comes_to_the_same_end_in_bad_weather() {
    let seeds = std::env::var("HOTLINE_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let only = std::env::var("HOTLINE_STORY").unwrap_or_default();
    let stories = all().into_iter().filter(|(name, _)| name.contains(&only));
    let mut failures = Vec::new();
    for (name, story) in stories {
        for seed in 1..=seeds {
            let told = catch_unwind(AssertUnwindSafe(|| crate::tell(story, Weather::Bad, seed)));
            if told.is_err() {
                failures.push(format!("{name}, seed {seed}"));
            }
        }
    }
    assert!(failures.is_empty(), "in bad weather:\n{}\n", failures.join("\n"));
}

fn all() -> Vec<(&'static str, Story)> {
    [
        crate::callers::STORIES,
        crate::clock_change::STORIES,
        crate::closing_time::STORIES,
        crate::flood::STORIES,
        crate::handing_over::STORIES,
        crate::hangups::STORIES,
        crate::listeners_phones::STORIES,
        crate::no_answer::STORIES,
        crate::numbers::STORIES,
        crate::opening_hours::STORIES,
        crate::operator::STORIES,
        crate::overload::STORIES,
        crate::privacy::STORIES,
        crate::queue::STORIES,
        crate::sessions::STORIES,
        crate::signalling::STORIES,
        crate::emergency::STORIES,
        crate::text::STORIES,
        crate::transfers::STORIES,
        crate::trunks::STORIES,
    ]
    .concat()
}
