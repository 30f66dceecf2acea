//! Summer time comes and goes (scenarios.md SC-07, SC-08).

use hotline::sim::Town;

stories![
    in_autumn_both_half_past_two_are_closed_and_nine_is_eight_utc,
    in_spring_the_line_opens_at_seven_utc,
];

/// scenarios.md SC-07: Sunday 25 October 2026; 02:30 comes twice.
fn in_autumn_both_half_past_two_are_closed_and_nine_is_eight_utc(town: Town) {
    let town = town.at("2026-10-24 18:59:00");
    assert!(town.is_open("3977"));
    town.goes_to("19:00:00");
    assert!(!town.is_open("3977"));
    for utc in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
        town.goes_to_utc(utc);
        let name = format!("caller-{}", &utc[11..13]);
        let caller = town.dials(&name, "3977");
        caller.gets_through();
        town.passes(hotline::sim::secs(40));
        assert!(
            caller.recordings().contains("nous-repondons aujourdhui a-9h heure-de-paris"),
            "{}",
            caller.recordings()
        );
        caller.hangs_up();
    }
    town.goes_to_utc("2026-10-25T07:59:59.999Z");
    assert!(!town.is_open("3977"), "07:59:59Z is still closed");
    town.goes_to_utc("2026-10-25T08:00:00Z");
    assert!(town.is_open("3977"));
    for (utc, open) in [
        ("2026-10-25T12:00:00Z", false),
        ("2026-10-25T13:00:00Z", true),
        ("2026-10-25T17:59:59Z", true),
        ("2026-10-25T18:00:00Z", false),
    ] {
        town.goes_to_utc(utc);
        assert_eq!(town.is_open("3977"), open, "{utc}");
    }
}

/// scenarios.md SC-08: Easter Sunday, 28 March 2027; 02:30 does not exist.
fn in_spring_the_line_opens_at_seven_utc(town: Town) {
    let town = town.at("2027-03-27 23:00:00");
    for utc in ["2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"] {
        town.goes_to_utc(utc);
        let name = format!("caller-{}", &utc[11..13]);
        let caller = town.dials(&name, "3977");
        caller.hears_that_it_is_closed();
        caller.hangs_up();
    }
    town.goes_to_utc("2027-03-28T06:59:59.999Z");
    assert!(!town.is_open("3977"));
    town.goes_to_utc("2027-03-28T07:00:00Z");
    assert!(town.is_open("3977"));
    town.goes_to_utc("2027-03-28T11:30:00Z");
    assert!(!town.is_open("3977"), "weekend hours, with their break");
}
