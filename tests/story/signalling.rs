//! What phones and trunks say: codecs, delayed offers, copies, refusals.

use hotline::record::Outcome;
use hotline::sim::phone::{Codec, Seen};
use hotline::sim::{Habits, Town, secs};

stories![
    an_invite_without_an_offer_gets_ours_and_hears_the_greeting_after_its_ack,
    without_a_common_codec_the_call_is_refused_with_a_warning,
    mu_law_alone_is_enough,
    a_change_to_a_codec_nobody_speaks_is_refused_and_the_call_goes_on,
    a_listener_with_another_codec_is_heard_all_the_same,
    every_copy_of_an_invite_is_the_same_call,
];

/// scenarios.md SC-29, the delayed offer.
fn an_invite_without_an_offer_gets_ours_and_hears_the_greeting_after_its_ack(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let habits =
        Habits { delayed_offer: true, number: Some("+33600000001".into()), ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.gets_through();
    anna.hears("accueil-3977");
    assert_eq!(anna.recordings(), "accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
}

/// scenarios.md SC-30.
fn without_a_common_codec_the_call_is_refused_with_a_warning(town: Town) {
    let anna = town.person("anna", only(Codec::G729));
    anna.dials("3977");
    anna.gets_refused(488);
    let warned = anna.seen().into_iter().any(
        |(_, seen)| matches!(seen, Seen::Refused { warning, .. } if warning.starts_with("305 ")),
    );
    assert!(warned, "{:?}", anna.seen());
    assert_eq!(town.last_record().outcome, Outcome::TechnicalFailure);

    anna.changes(|habits| habits.codecs = vec![Codec::Pcma]);
    anna.dials("3977");
    anna.hears("accueil-3977");
}

/// scenarios.md SC-30.
fn mu_law_alone_is_enough(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.person("anna", only(Codec::Pcmu));
    anna.dials("3977");
    anna.hears("accueil-3977");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
}

/// scenarios.md SC-30, the re-INVITE.
fn a_change_to_a_codec_nobody_speaks_is_refused_and_the_call_goes_on(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    anna.changes(|habits| habits.codecs = vec![Codec::G729]);
    anna.reoffers();
    anna.sees(&Seen::Reoffered { status: 488 });
    town.passes(secs(5));
    anna.talks_with(&lea);
    anna.changes(|habits| habits.codecs = vec![Codec::Pcmu]);
    anna.reoffers();
    anna.sees(&Seen::Reoffered { status: 200 });
    anna.talks_with(&lea);
}

/// The issue: transcoding when codecs differ.
fn a_listener_with_another_codec_is_heard_all_the_same(town: Town) {
    let lea = town.listener("lea", Habits { codecs: vec![Codec::G722], ..Habits::default() });
    lea.registers();
    let anna = town.person("anna", only(Codec::Pcma));
    anna.dials("3977");
    anna.gets_through();
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
}

/// RFC 3261 §17.2.1.
fn every_copy_of_an_invite_is_the_same_call(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = town.dials("anna", "3977");
    for _ in 0..5 {
        anna.repeats_the_invite();
        town.passes(secs(1));
    }
    lea.rings_within(secs(8));
    anna.repeats_the_invite();
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    anna.repeats_the_invite();
    anna.hangs_up();
    town.has_records(1);
    assert_eq!(lea.rang(), 1);
}

fn only(codec: Codec) -> Habits {
    Habits { codecs: vec![codec], number: Some("+33600000002".into()), ..Habits::default() }
}
