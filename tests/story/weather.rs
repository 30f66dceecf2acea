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
    let told: Vec<(&str, Story, u64)> = all()
        .into_iter()
        .filter(|(name, _)| name.contains(&only))
        .flat_map(|(name, story)| (1..=seeds).map(move |seed| (name, story, seed)))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let told = &told;
                scope.spawn(move || {
                    told.iter()
                        .skip(worker)
                        .step_by(threads)
                        .filter(|(_, story, seed)| goes_wrong(*story, *seed))
                        .map(|(name, _, seed)| format!("{name}, seed {seed}"))
                        .collect::<Vec<String>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "in bad weather:\n{}\n", failures.join("\n"));
}

fn goes_wrong(story: Story, seed: u64) -> bool {
    catch_unwind(AssertUnwindSafe(|| crate::tell(story, Weather::Bad, seed))).is_err()
}

fn all() -> Vec<(&'static str, Story)> {
    [
        crate::callers::STORIES,
        crate::clock_change::STORIES,
        crate::closing_time::STORIES,
        crate::dead_phones::STORIES,
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
        crate::protected::STORIES,
        crate::queue::STORIES,
        crate::races::STORIES,
        crate::sessions::STORIES,
        crate::signalling::STORIES,
        crate::emergency::STORIES,
        crate::text::STORIES,
        crate::transfers::STORIES,
        crate::trunks::STORIES,
    ]
    .concat()
}
