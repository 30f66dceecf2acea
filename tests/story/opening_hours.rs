//! Open, closed, and the words for it.

use chrono::TimeDelta;
use hotline::record::Outcome;
use hotline::schedule::HolidayPolicy;
use hotline::sim::{Habits, Town, minutes, plan, secs};

stories![
    at_nine_sharp_the_line_is_open,
    a_thousandth_before_nine_the_line_is_closed_and_says_today_at_nine,
    a_caller_who_hears_the_closed_message_at_opening_is_let_in,
    on_a_public_holiday_that_is_a_sunday_the_policy_decides,
    easter_monday_by_the_usual_hours_is_an_ordinary_monday,
    a_caller_from_la_reunion_hears_their_own_clock,
    a_clock_that_steps_back_after_closing_does_not_reopen_the_line,
    a_clock_that_jumps_ahead_does_not_close_the_line_at_once,
    a_wrongful_closure_by_the_clock_is_undone_when_it_is_corrected,
    an_evening_caller_hears_when_to_call_again_and_where_to_turn,
    a_trunk_may_have_the_closed_message_before_the_answer_and_no_answer_after_it,
    a_caller_who_hears_it_before_the_answer_is_answered_when_the_line_opens,
];

/// scenarios.md SC-06.
fn at_nine_sharp_the_line_is_open(town: Town) {
    let town = town.at("2026-11-22 08:59:00");
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials_to_arrive_at("anna", "3977", "09:00:00");
    town.goes_to("09:00:00");
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
}

/// scenarios.md SC-06.
fn a_thousandth_before_nine_the_line_is_closed_and_says_today_at_nine(town: Town) {
    let town = town.at("2026-11-22 08:59:00");
    let anna = town.dials_to_arrive_at("anna", "3977", "08:59:59.999");
    town.goes_to("08:59:59.999");
    anna.gets_through();
    // Let in at once, but what was begun was the closed message.
    town.passes(secs(4));
    if town.is_fair() {
        assert!(anna.recordings().starts_with("bonjour-ici"), "{}", anna.recordings());
    }

    let berta = town.dials_to_arrive_at("berta", "3977", "2026-11-23 08:59:30");
    town.goes_to("2026-11-23 08:59:50");
    assert!(
        berta.recordings().contains("nous-repondons aujourdhui a-9h heure-de-paris"),
        "{}",
        berta.recordings()
    );
}

/// scenarios.md SC-06: cut at a sentence's end within 3 s, and let in.
fn a_caller_who_hears_the_closed_message_at_opening_is_let_in(town: Town) {
    let town = town.at("2026-11-22 08:58:00");
    let [lea] = town.listeners(["lea"]);
    town.goes_to("08:59:45");
    let anna = town.dials("anna", "3977");
    anna.hears_that_it_is_closed();
    town.goes_to("09:00:00");
    anna.hears_within("accueil-3977", secs(3));
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    anna.hangs_up();
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

/// scenarios.md SC-09: 1 November 2026 is a Sunday.
fn on_a_public_holiday_that_is_a_sunday_the_policy_decides(town: Town) {
    let week = plan::hours("09:00-19:00");
    let weekend = plan::hours("09:00-13:00,14:00-19:00");
    for (policy, open) in [(HolidayPolicy::AsSunday, true), (HolidayPolicy::Closed, false)] {
        let schedule = plan::schedule(&week, &weekend, policy, Vec::new());
        let plan = plan::with_schedule(plan::shipped(), "3977", schedule);
        let town = town.clone().with_plan(plan).at("2026-11-01 10:00:00");
        assert_eq!(town.is_open("3977"), open);
        let anna = town.dials("anna", "3977");
        anna.gets_through();
        if open {
            anna.hears("accueil-3977");
            town.goes_to("13:30:00");
            assert!(!town.is_open("3977"));
        } else {
            town.passes(secs(25));
            let said = anna.recordings();
            assert!(said.contains("lundi jour-2 mois-11 a-9h"), "{said}");
        }
        anna.hangs_up();
    }
}

/// scenarios.md SC-08, the Monday.
fn easter_monday_by_the_usual_hours_is_an_ordinary_monday(town: Town) {
    let town = town.at("2027-03-29 09:30:00");
    assert!(town.is_open("3977"));
    town.goes_to("13:30:00");
    assert!(town.is_open("3977"));
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
}

/// scenarios.md SC-11: 13:30 in Paris is 16:30 in La Réunion; Saturday.
fn a_caller_from_la_reunion_hears_their_own_clock(town: Town) {
    let town = town.at("2026-11-21 13:30:00");
    let habits = Habits { number: Some("+262692123456".into()), ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    let habits =
        Habits { number: Some("+262692654321".into()), anonymous: true, ..Habits::default() };
    let berta = town.person("berta", habits);
    berta.dials("3977");
    town.passes(secs(60));

    assert!(
        anna.recordings().contains("ecoutants-reprennent a-17h heure-de-la-reunion"),
        "{}",
        anna.recordings()
    );
    assert!(
        berta.recordings().contains("ecoutants-reprennent a-14h heure-de-paris"),
        "{}",
        berta.recordings()
    );
    town.never_tells("692123456", "anna");
    town.never_tells("692654321", "berta");
}

/// scenarios.md SC-10: NTP steps back 90 s at 19:00:30.
fn a_clock_that_steps_back_after_closing_does_not_reopen_the_line(town: Town) {
    let town = town.at("2026-11-23 18:59:00");
    town.goes_to("19:00:30");
    assert!(!town.is_open("3977"));
    town.wall_steps(TimeDelta::seconds(-90));
    assert!(!town.is_open("3977"));
    assert!(!town.board().alarms.is_empty(), "the step is told");
    let anna = town.dials("anna", "3977");
    anna.hears_that_it_is_closed();
    for _ in 0..20 {
        town.passes(secs(10));
        assert!(!town.is_open("3977"), "no flapping");
    }
}

/// scenarios.md SC-10: a jump of two hours at 17:00 may not close the line for five minutes.
fn a_clock_that_jumps_ahead_does_not_close_the_line_at_once(town: Town) {
    let town = town.at("2026-11-23 16:59:00");
    let [lea] = town.listeners(["lea"]);
    town.goes_to("17:00:00");
    town.wall_steps(TimeDelta::hours(2));
    assert!(town.is_open("3977"));
    assert!(!town.board().alarms.is_empty());
    town.passes(minutes(4));
    assert!(town.is_open("3977"));
    let anna = town.dials("anna", "3977");
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));

    // Corrected meanwhile: nothing happened.
    town.wall_steps(TimeDelta::hours(-2));
    town.passes(minutes(10));
    assert!(town.is_open("3977"));
    anna.talks_with(&lea);
}

/// scenarios.md SC-10: not corrected, it closes with a normal drain; corrected then, it opens.
fn a_wrongful_closure_by_the_clock_is_undone_when_it_is_corrected(town: Town) {
    let town = town.at("2026-11-23 16:59:00");
    let [lea] = town.listeners(["lea"]);
    let _busy = lea.takes_a_call();
    town.goes_to("17:00:00");
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.wall_steps(TimeDelta::hours(2));
    town.passes(minutes(5) + secs(2));
    assert!(!town.is_open("3977"));
    assert!(town.drains_until("3977").is_some());
    assert!(anna.is_in_call());

    town.wall_steps(TimeDelta::hours(-2));
    town.passes(secs(2));
    assert!(town.is_open("3977"));
    assert_eq!(town.drains_until("3977"), None);
    let berta = town.dials("berta", "3977");
    berta.hears("accueil-3977");
    assert!(anna.is_in_call());
}

/// The issue, "what a person can do", 4.
fn an_evening_caller_hears_when_to_call_again_and_where_to_turn(town: Town) {
    let town = town.at("2026-11-23 21:00:00");
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    anna.comes_free_within(secs(90));
    let once = "bonjour-ici le-3977 ecoutants-absents danger nous-repondons demain a-9h \
                heure-de-paris autres-numeros";
    if town.is_fair() {
        assert_eq!(anna.recordings(), format!("{once} {once}"));
    }
    assert!(anna.recordings().ends_with(once), "{}", anna.recordings());
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::ClosedMessageHeard);
    assert_eq!(record.waited, secs(0));

    let berta = town.dials("berta", "3133");
    berta.hears_within("le-3133", secs(3));
}

/// RFC 3960 §2, RFC 5009; domain.md §2.3: heard whole, never answered, and refused with an honest cause.
fn a_trunk_may_have_the_closed_message_before_the_answer_and_no_answer_after_it(town: Town) {
    let town = with_early_message(town).at("2026-11-23 20:00:00");
    let anna = town.dials("anna", "3977");
    anna.hears_within("danger", secs(30));
    assert!(!anna.is_in_call(), "nobody pays for this");
    anna.hears_within("nous-repondons", minutes(1));
    anna.is_refused_within(480, minutes(3));
    assert!(anna.reason().contains("Q.850;cause=18"), "{}", anna.reason());
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::ClosedMessageHeard);

    // Another trunk's callers, and those of an open line, are answered as ever.
    let town = town.at("2026-11-24 10:00:00");
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    berta.hears_within("accueil-3977", secs(8));
}

/// scenarios.md SC-06, before the answer: nobody already on the line is sent away.
fn a_caller_who_hears_it_before_the_answer_is_answered_when_the_line_opens(town: Town) {
    let town = with_early_message(town).at("2026-11-23 08:59:40");
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    anna.hears_within("nous-repondons", secs(15));
    assert!(!anna.is_in_call());
    town.goes_to("09:00:00");
    anna.hears_within("accueil-3977", secs(8));
    anna.gets_through();
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(8));
}

fn with_early_message(town: Town) -> Town {
    let mut plan = town.plan();
    for trunk in plan.trunks.values_mut() {
        trunk.closed_message = hotline::exchange::ClosedMessage::EarlyMedia;
    }
    town.with_plan(plan)
}
