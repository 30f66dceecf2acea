//! Sound that nobody on the way can listen to, on our calls to the public network: offered where the
//! signalling goes over TLS, and never at the price of the call (RFC 4568, RFC 8643).

use hotline::exchange::Protection;
use hotline::sim::phone::OnInvite;
use hotline::sim::plan::{with_centre, with_managers, with_secure_way_out, with_way_out};
use hotline::sim::{Habits, Person, Town, secs};
use hotline::sip::Transport;

use crate::{anna_talks_with_lea, presses_keys};

stories![
    a_trunk_over_tls_is_offered_keys_and_may_pass_them_over,
    a_trunk_that_wants_them_in_a_profile_of_their_own_gets_them_there,
    a_trunk_that_refuses_keys_gets_the_same_call_without,
    a_trunk_that_refuses_the_profile_of_protected_sound_gets_the_same_call_without,
    a_trunk_set_to_never_is_offered_none,
    no_key_ever_goes_over_a_road_that_can_be_read,
    a_refusal_for_other_reasons_is_not_asked_again,
];

fn a_trunk_over_tls_is_offered_keys_and_may_pass_them_over(town: Town) {
    let centre = outside(&town, "centre", Habits::default());
    let (anna, lea) = asks(&town, &centre, Protection::Offered);
    speaks(&town, &lea, &centre);

    let offers = offers_to(&town, "centre");
    assert!(offers.iter().all(|offer| offer.contains(" RTP/AVP ") && offer.contains(KEY)));
    ends(&town, &anna);
}

fn a_trunk_that_wants_them_in_a_profile_of_their_own_gets_them_there(town: Town) {
    let centre = outside(&town, "centre", Habits { protects: true, ..Habits::default() });
    let (anna, lea) = asks(&town, &centre, Protection::Demanded);
    speaks(&town, &lea, &centre);

    let offers = offers_to(&town, "centre");
    assert!(offers.iter().all(|offer| offer.contains(" RTP/SAVP ") && offer.contains(KEY)));
    ends(&town, &anna);
}

fn a_trunk_that_refuses_keys_gets_the_same_call_without(town: Town) {
    let centre = outside(&town, "centre", Habits { knows_no_keys: true, ..Habits::default() });
    let (anna, lea) = asks(&town, &centre, Protection::Offered);
    speaks(&town, &lea, &centre);

    let offers = offers_to(&town, "centre");
    assert!(offers[0].contains(KEY) && !offers.last().unwrap().contains(KEY), "{offers:?}");
    ends(&town, &anna);
}

fn a_trunk_that_refuses_the_profile_of_protected_sound_gets_the_same_call_without(town: Town) {
    let mobile = outside(&town, "mobile", Habits { leaves_open: true, ..Habits::default() });
    let plan =
        with_secure_way_out(town.plan(), "a-way-out", mobile.address(), Protection::Demanded);
    town.reloads(with_managers(plan, &[("claire", "+33639980001")]));
    let anna = town.dials("anna", "3133");
    anna.gets_through();

    mobile.rings_within(secs(30));
    mobile.picks_up();
    mobile.hears_within("tapez-1", secs(8));
    mobile.presses('1');
    anna.talks_with_within(&mobile, secs(8));
    ends(&town, &anna);
}

fn a_trunk_set_to_never_is_offered_none(town: Town) {
    let centre = outside(&town, "centre", Habits::default());
    let (anna, lea) = asks(&town, &centre, Protection::Never);
    speaks(&town, &lea, &centre);

    assert!(offers_to(&town, "centre").iter().all(|offer| !offer.contains(KEY)));
    ends(&town, &anna);
}

/// RFC 4568 §7: nor when a call falls from a trunk that is closed to one that is open.
fn no_key_ever_goes_over_a_road_that_can_be_read(town: Town) {
    let refusing = Habits { on_invite: OnInvite::Refuse(503), ..Habits::default() };
    let first = outside(&town, "first", refusing);
    let second = town.person("second", Habits::default());
    let plan = with_way_out(town.plan(), "b-second", second.address());
    let plan = with_secure_way_out(plan, "a-first", first.address(), Protection::Offered);
    town.reloads(with_centre(plan, "alma-75", "+33199007500", "75"));
    let (anna, lea) = anna_talks_with_lea(&town);
    presses_keys(&lea, "*75#");

    speaks(&town, &lea, &second);
    assert!(offers_to(&town, "first").iter().all(|offer| offer.contains(KEY)));
    let open = offers_to(&town, "second");
    assert!(!open.is_empty() && open.iter().all(|offer| !offer.contains(KEY)), "{open:?}");
    ends(&town, &anna);
}

fn a_refusal_for_other_reasons_is_not_asked_again(town: Town) {
    let busy = Habits { on_invite: OnInvite::Refuse(486), ..Habits::default() };
    let centre = outside(&town, "centre", busy);
    let (anna, lea) = asks(&town, &centre, Protection::Offered);

    town.passes(secs(5));
    anna.talks_with_within(&lea, secs(40));
    let calls: std::collections::BTreeSet<String> = offers_to(&town, "centre")
        .iter()
        .filter_map(|offer| offer.lines().find(|line| line.starts_with("Call-ID:")))
        .map(str::to_owned)
        .collect();
    assert_eq!(calls.len(), 1);
    ends(&town, &anna);
}

const KEY: &str = "a=crypto:";

fn outside(town: &Town, name: &str, habits: Habits) -> Person {
    town.person_by(name, habits, Transport::Tls)
}

/// Léa, who talks with Anna, asks a centre over that trunk.
fn asks(town: &Town, centre: &Person, protection: Protection) -> (Person, Person) {
    let plan = with_secure_way_out(town.plan(), "a-way-out", centre.address(), protection);
    town.reloads(with_centre(plan, "alma-75", "+33199007500", "75"));
    let (anna, lea) = anna_talks_with_lea(town);
    presses_keys(&lea, "*75#");
    (anna, lea)
}

fn speaks(town: &Town, lea: &Person, centre: &Person) {
    centre.rings_within(secs(8));
    centre.picks_up();
    lea.talks_with_within(centre, secs(8));
    assert_eq!(town.records().len(), 0);
}

fn offers_to(town: &Town, name: &str) -> Vec<String> {
    let mut sent = town.sent_to(name, hotline::base::Moment::START);
    sent.retain(|text| text.starts_with("INVITE "));
    sent
}

fn ends(town: &Town, anna: &Person) {
    anna.hangs_up();
    town.last_record();
}
