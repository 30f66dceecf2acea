//! Listeners' phones that die while nobody expects a sound of them.

use hotline::exchange::Command;
use hotline::sim::plan::with_colleagues;
use hotline::sim::{Town, millis, minutes, secs};

use crate::{anna_talks_with_lea, presses_keys};

stories![
    a_phone_that_dies_on_hold_gives_its_caller_to_somebody_else,
    a_phone_that_lives_keeps_its_caller_on_hold_for_as_long_as_it_likes,
    a_phone_that_dies_while_its_listener_asks_a_colleague_leaves_no_silence,
];

/// Nothing is heard of a phone that holds, alive or dead: it is asked.
fn a_phone_that_dies_on_hold_gives_its_caller_to_somebody_else(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    lea.holds();
    anna.hears_within("attente", secs(6));
    town.passes(secs(20));
    lea.unplugs();

    anna.hears_within("retour-file", minutes(2));
    let [marc] = town.listeners(["marc"]);
    marc.rings_within(secs(20));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    town.last_record();
}

fn a_phone_that_lives_keeps_its_caller_on_hold_for_as_long_as_it_likes(town: Town) {
    let (anna, lea) = anna_talks_with_lea(&town);
    lea.holds();
    anna.hears_within("attente", secs(6));
    lea.changes(|habits| habits.sounds = false);
    town.passes(minutes(12));

    assert_eq!(town.presence("lea"), "talking");
    lea.changes(|habits| habits.sounds = true);
    lea.resumes();
    anna.talks_with_within(&lea, secs(6));
    if town.is_fair() {
        town.passes(secs(20));
        anna.talks_with(&lea);
    }
    anna.hangs_up();
    town.last_record();
}

fn a_phone_that_dies_while_its_listener_asks_a_colleague_leaves_no_silence(town: Town) {
    town.reloads(with_colleagues(town.plan(), &[("21", "marc")]));
    let (anna, lea) = anna_talks_with_lea(&town);
    let [marc] = town.listeners(["marc"]);
    presses_keys(&lea, "*21#");
    marc.rings_within(secs(6));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(6));

    lea.unplugs();
    town.passes(secs(12));
    let since = town.now();
    marc.hangs_up();

    anna.hears_within("retour-file", secs(40));
    if town.is_fair() {
        let silence = anna.longest_silence_since(since);
        assert!(silence <= millis(4_200), "{silence:?}");
    }
    marc.comes_free_within(secs(40));
    town.orders(Command::EndAfterCallWork { listener: "marc".parse().unwrap() }).unwrap();
    marc.rings_within(secs(30));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(8));
    anna.hangs_up();
    town.last_record();
}
