//! Sessions: how they are kept alive, and who may not send them elsewhere.

use hotline::sim::phone::{OnInvite, Seen};
use hotline::sim::{Habits, Town, millis, minutes, secs};

stories![
    a_refreshed_session_goes_on_and_nobody_hears_it,
    a_session_that_nobody_refreshes_goes_on_while_somebody_is_there,
    a_caller_whose_network_demands_reliable_ringing_gets_through,
    a_caller_whose_network_wants_a_session_too_short_is_told_the_shortest,
    a_network_that_refers_the_caller_elsewhere_is_refused_and_the_call_goes_on,
    a_phone_that_sends_the_call_elsewhere_is_passed_over,
];

/// scenarios.md SC-31; RFC 4028.
fn a_refreshed_session_goes_on_and_nobody_hears_it(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = in_call(&town, &[("Supported", "timer"), ("Session-Expires", "1800;refresher=uac")]);
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    town.passes(minutes(15));

    let refreshed = town.now();
    anna.refreshes();

    anna.sees(&Seen::Replied { method: "UPDATE".into(), status: 200 });
    town.passes(secs(5));
    anna.talks_with(&lea);
    if town.is_fair() {
        assert!(anna.longest_silence_since(refreshed) <= millis(100));
        assert!(lea.longest_silence_since(refreshed) <= millis(100));
    }
    // Half an hour after the call began it would have been over.
    town.passes(minutes(17));
    anna.talks_with(&lea);
}

/// scenarios.md SC-31: the clock alone ends no call.
fn a_session_that_nobody_refreshes_goes_on_while_somebody_is_there(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = in_call(&town, &[("Supported", "timer"), ("Session-Expires", "90;refresher=uac")]);
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));

    town.passes(minutes(5));

    anna.talks_with(&lea);
}

/// scenarios.md SC-29; RFC 3262: answered at once, nothing needs to ring.
fn a_caller_whose_network_demands_reliable_ringing_gets_through(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = in_call(&town, &[("Require", "100rel"), ("Supported", "timer")]);
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
}

/// RFC 4028 §9.
fn a_caller_whose_network_wants_a_session_too_short_is_told_the_shortest(town: Town) {
    let anna = town.person("anna", habits(&[("Supported", "timer"), ("Session-Expires", "30")]));
    anna.dials("3977");
    anna.gets_refused(422);
    anna.changes(|habits| habits.headers[1].1 = "90".to_owned());
    anna.dials("3977");
    anna.hears("accueil-3977");
}

/// scenarios.md SC-28; RFC 3515.
fn a_network_that_refers_the_caller_elsewhere_is_refused_and_the_call_goes_on(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();

    anna.asks("REFER", ("Refer-To", "<sip:+33899000000@203.0.113.99>"));

    anna.sees(&Seen::Replied { method: "REFER".into(), status: 403 });
    town.passes(secs(5));
    anna.talks_with(&lea);
    assert_eq!(anna.calls(), 1);
}

/// scenarios.md SC-28: 302 from a listener's phone counts as 480, and leads nowhere.
fn a_phone_that_sends_the_call_elsewhere_is_passed_over(town: Town) {
    let lea =
        town.listener("lea", Habits { on_invite: OnInvite::Refuse(302), ..Habits::default() });
    lea.registers();
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    anna.gets_through();

    marc.rings_within(secs(20));
    marc.picks_up();

    anna.talks_with_within(&marc, secs(3));
    assert_eq!(lea.calls(), 0);
}

/// Somebody whose network adds these headers to its INVITE calls, and gets through.
fn in_call(town: &Town, headers: &[(&'static str, &str)]) -> hotline::sim::Person {
    let anna = town.person("anna", habits(headers));
    anna.dials("3977");
    anna.gets_through();
    anna
}

fn habits(headers: &[(&'static str, &str)]) -> Habits {
    Habits {
        number: Some("+33612345678".into()),
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        ..Habits::default()
    }
}
