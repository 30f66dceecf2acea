//! Listeners and their phones: registering, several at once, star codes, phones that are lost.

use hotline::exchange::Command;
use hotline::record::{AttemptResult, Outcome};
use hotline::sim::phone::{Light, Seen};
use hotline::sim::{Habits, Heard, Town, millis, minutes, secs};
use hotline::sip::Transport;

use crate::about;

stories![
    all_phones_of_a_listener_ring_and_the_others_stop,
    a_registered_phone_stays_registered_by_itself,
    a_wrong_password_is_refused,
    a_listener_pauses_and_comes_back_by_star_codes,
    a_listener_ends_their_notes_early,
    a_stranger_can_neither_dial_a_star_code_nor_a_line,
    a_listener_may_dial_the_line_like_anybody,
    a_phone_over_tcp_rings_and_talks,
    words_come_within_seconds_when_the_listeners_phone_dies,
    a_listener_whose_network_comes_back_goes_on_talking,
    a_phone_that_ends_the_call_because_its_sound_is_cut_off_loses_nobody,
    who_hangs_up_on_a_dead_line_leaves_the_caller_to_a_colleague,
    a_listener_holds_and_the_caller_hears_the_wait_sound,
    an_operator_pauses_a_listener_who_forgot_to,
    a_phone_that_takes_no_plain_sound_is_rung_and_talks,
    a_listener_sees_by_a_lamp_what_a_colleague_does,
    a_listeners_phone_among_the_addresses_of_a_trunk_is_a_listeners_phone,
    who_only_says_they_are_a_listener_is_a_caller,
    an_ended_certificate_keeps_newcomers_out_and_nobody_else,
];

/// The issue: several phones per listener, all of which ring.
fn all_phones_of_a_listener_ring_and_the_others_stop(town: Town) {
    let desk = town.listeners_phone("lea", "desk", Habits::default(), Transport::Udp);
    let mobile = town.listeners_phone("lea", "mobile", Habits::default(), Transport::Tcp);
    desk.registers();
    mobile.registers();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    desk.rings_within(secs(10));
    mobile.rings();

    mobile.picks_up();

    anna.talks_with_within(&mobile, secs(3));
    desk.stops_ringing();
    assert!(desk.reason().contains("SIP;cause=200"), "{}", desk.reason());
    anna.hangs_up();
    mobile.comes_free();
    let record = town.last_record();
    assert_eq!(record.attempts.len(), 1, "one attempt, however many phones: {record:?}");
    assert_eq!(record.attempts[0].result, AttemptResult::Answered);
}

/// RFC 3261 §10.2.4.
fn a_registered_phone_stays_registered_by_itself(town: Town) {
    let [lea] = town.listeners(["lea"]);
    town.passes(minutes(40));
    assert_eq!(town.presence("lea"), "available");
    lea.unplugs();
    town.passes(minutes(11));
    assert_eq!(town.presence("lea"), "offline");
    lea.plugs_in();
    town.passes(minutes(1));
    assert_eq!(town.presence("lea"), "available");
    lea.unregisters();
    lea.sees(&Seen::Unregistered);
    assert_eq!(town.presence("lea"), "offline");
}

/// domain.md T-08.
fn a_wrong_password_is_refused(town: Town) {
    let lea = town.listener_with_password("lea", "guess");
    lea.tries_to_register();
    town.passes(secs(if town.is_fair() { 1 } else { 40 }));
    let refused = lea
        .seen()
        .into_iter()
        .any(|(_, seen)| matches!(seen, Seen::RegistrationRefused { status: 401 | 403 }));
    assert!(refused, "{:?}", lea.seen());
    assert_eq!(town.presence("lea"), "offline");
}

/// The issue, "what a person can do", 2.
fn a_listener_pauses_and_comes_back_by_star_codes(town: Town) {
    let [lea] = town.listeners(["lea"]);
    lea.dials("*10");
    lea.hears_within("pause-oui", secs(2));
    lea.comes_free_within(secs(20));
    assert_eq!(town.presence("lea"), "paused");

    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(60));
    assert_eq!(lea.rang(), 0);

    lea.dials("*11");
    lea.hears_within("pause-non", secs(2));
    lea.rings_within(soon(&town));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// The issue, "what a person can do", 2.
fn a_listener_ends_their_notes_early(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let first = lea.takes_a_call();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    town.passes(secs(10));
    first.hangs_up();
    lea.comes_free();
    town.passes(secs(5));
    assert_eq!(town.presence("lea"), "after_call_work");
    lea.dials("*12");
    lea.hears_within("fin-post-appel", secs(2));
    lea.rings_within(soon(&town));
    lea.picks_up();
    anna.talks_with(&lea);
}

/// The issue: an INVITE from elsewhere must authenticate; star codes even from a trunk.
fn a_stranger_can_neither_dial_a_star_code_nor_a_line(town: Town) {
    let [_lea] = town.listeners(["lea"]);
    let stranger = town.stranger("stranger", Habits::default());
    stranger.dials("3977");
    stranger.gets_refused(401);
    let anna = town.dials("anna", "*10");
    anna.gets_refused(401);
    let berta = town.dials("berta", "0123456789");
    berta.gets_refused(404);
    assert_eq!(town.presence("lea"), "available");
}

/// decisions.md §18: identity comes from the account.
fn a_listener_may_dial_the_line_like_anybody(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    lea.dials("3977");
    lea.hears("accueil-3977");
    marc.rings_within(secs(8));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(3));
    lea.hangs_up();
    assert_eq!(town.last_record().trunk, None);
}

/// The issue: UDP or TCP.
fn a_phone_over_tcp_rings_and_talks(town: Town) {
    let lea = town.listeners_phone("lea", "lea", Habits::default(), Transport::Tcp);
    lea.registers();
    let anna = lea.takes_a_call();
    town.passes(minutes(30));
    anna.talks_with(&lea);
    lea.hangs_up();
    anna.comes_free();
}

/// RFC 4235, RFC 3863: ringing, talking, writing notes, free; and nothing of who calls.
fn a_listener_sees_by_a_lamp_what_a_colleague_does(town: Town) {
    // Marc watches, and isn't rung himself.
    let [lea, marc] = town.listeners(["lea", "marc"]);
    marc.dials("*10");
    marc.hears_within("pause-oui", secs(20));
    marc.comes_free_within(secs(60));
    let sees = |dialog, presence| {
        marc.sees_the_lamp("lea", "dialog", dialog, secs(40));
        marc.sees_the_lamp("lea", "presence", presence, secs(40));
    };
    marc.watches("lea", "dialog");
    marc.watches("lea", "presence");
    sees(Light::Free, Light::Free);

    let number = Some("+33698765432".to_owned());
    let anna = town.person("anna", Habits { number, ..town.habits_of_a_caller() });
    anna.dials("3977");
    lea.rings_within(secs(30));
    sees(Light::Rung, Light::Busy);
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));
    sees(Light::Busy, Light::Busy);
    town.passes(minutes(20));
    sees(Light::Busy, Light::Busy);
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    sees(Light::Free, Light::Busy);
    town.passes(minutes(2));
    sees(Light::Free, Light::Free);
    town.never_tells("698765432", "anna");

    marc.watches_nobody();
    sees(Light::Dark, Light::Dark);
}

/// RFC 3711: it refuses what might be plain, and is asked again before anybody notices.
fn a_phone_that_takes_no_plain_sound_is_rung_and_talks(town: Town) {
    let protects = Habits { protects: true, ..Habits::default() };
    let lea = town.listeners_phone("lea", "lea", protects.clone(), Transport::Tls);
    let marc = town.listeners_phone("marc", "marc", protects.clone(), Transport::Tcp);
    lea.registers();
    let anna = lea.takes_a_call();
    assert_eq!(town.presence("lea"), "talking");

    // It may hold and come back, and hand the caller over to a colleague's of the same kind.
    lea.holds();
    anna.hears_within("attente", secs(3));
    lea.resumes();
    anna.talks_with_within(&lea, secs(3));
    let nora = town.listeners_phone("nora", "nora", protects, Transport::Tls);
    nora.registers();
    lea.transfers_to("nora");
    nora.rings_within(secs(5));
    nora.picks_up();
    anna.talks_with_within(&nora, secs(3));
    anna.hangs_up();
    nora.comes_free();
    let record = town.last_record();
    assert_eq!(record.attempts.len(), 2, "one attempt each: {record:?}");

    // What it takes is remembered: it is asked once.
    let since = town.now();
    town.orders(Command::EndAfterCallWork { listener: "nora".parse().unwrap() }).unwrap();
    town.orders(Command::Pause { listener: "lea".parse().unwrap(), reason: None }).unwrap();
    let clara = town.dials("clara", "3977");
    nora.rings_within(secs(8));
    assert_eq!(town.invites_to("nora", since), 1);
    nora.picks_up();
    clara.talks_with_within(&nora, secs(8));

    // Its owner has chosen otherwise since: it is rung all the same, in the same second.
    nora.changes(|habits| {
        habits.protects = false;
        habits.leaves_open = true;
    });
    clara.hangs_up();
    nora.comes_free_within(secs(40));
    town.orders(Command::EndAfterCallWork { listener: "nora".parse().unwrap() }).unwrap();
    let dora = town.dials("dora", "3977");
    nora.rings_within(secs(8));
    nora.picks_up();
    dora.talks_with_within(&nora, secs(8));
    dora.hangs_up();
    town.has_records(3);
    town.orders(Command::ComeBack { listener: "lea".parse().unwrap() }).unwrap();

    // Outside TLS there is nothing that can be done for it, and it is not asked for ever.
    nora.unregisters();
    lea.unregisters();
    marc.registers();
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    town.passes(secs(8));
    assert_eq!(marc.rang(), 0);
}

/// scenarios.md SC-42: the certificate has ended, so no new TLS connection comes about. Who is connected
/// stays and is rung, desk phones notice nothing, and who lost the connection is back after the renewal.
fn an_ended_certificate_keeps_newcomers_out_and_nobody_else(town: Town) {
    let secure = |name: &str| {
        let phone = town.listeners_phone(name, name, Habits::default(), Transport::Tls);
        phone.registers();
        phone
    };
    let (lea, marc) = (secure("lea"), secure("marc"));
    let [nora] = town.listeners(["nora"]);
    let anna = lea.takes_a_call();
    // From now on, nobody believes the house.
    marc.unplugs();
    marc.loses_the_connection();
    town.passes(minutes(20));
    anna.talks_with(&lea);
    assert_eq!(town.presence("marc"), "offline");
    let berta = town.dials("berta", "3977");
    berta.gets_through();
    nora.rings_within(secs(20));
    nora.picks_up();
    berta.talks_with_within(&nora, secs(10));

    // A new certificate is read without a restart.
    marc.plugs_in();
    marc.registers();
    let clara = town.dials("clara", "3977");
    clara.gets_through();
    marc.rings_within(secs(20));
    anna.talks_with(&lea);
}

/// scenarios.md SC-16; measured-peers.md: "listener's phone dies in a call".
fn words_come_within_seconds_when_the_listeners_phone_dies(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let [marc] = town.listeners(["marc"]);
    let before = anna.sent_messages();
    lea.unplugs();
    let died = town.now();

    anna.hears_within("retour-file", secs(5));
    about(&town, town.now() - died, secs(4));
    marc.rings_within(secs(25));
    if town.is_fair() {
        about(&town, marc.rang_at() - died, secs(19));
        assert_eq!(anna.sent_messages(), before, "the caller's dialog is untouched");
    }
    let reprise = marc
        .seen()
        .into_iter()
        .any(|(_, seen)| matches!(seen, Seen::Rang { display, .. } if display.contains("reprise")));
    assert!(reprise, "{:?}", marc.seen());
    marc.picks_up();
    anna.talks_with(&marc);
    assert_eq!(town.presence("lea"), "unreachable");
    assert!(anna.longest_silence_since(died + secs(5)) <= millis(100));
    anna.hangs_up();
    let record = town.last_record();
    assert_eq!(record.outcome, Outcome::TakenByListener);
    assert_eq!(record.listener.as_ref().map(|name| name.as_str()), Some("marc"));
}

/// scenarios.md SC-16: back within 15 s, resumed without a new ring.
fn a_listener_whose_network_comes_back_goes_on_talking(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    lea.unplugs();
    anna.hears_within("retour-file", secs(5));
    town.passes(secs(6));
    assert!(matches!(anna.hearing(), Heard::Prompt(_)));
    lea.plugs_in();
    anna.talks_with(&lea);
    assert_eq!(lea.rang(), 1);
}

/// A browser whose sound is cut off says goodbye by itself (RFC 3326), and nobody there wanted to.
fn a_phone_that_ends_the_call_because_its_sound_is_cut_off_loses_nobody(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let [marc] = town.listeners(["marc"]);

    lea.asks("BYE", ("Reason", "SIP ;cause=408; text=\"RTP Timeout\""));

    marc.rings_within(secs(10));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(10));
}

/// The caller hears that they should wait, and waits: they are not to be hung up on for it.
fn who_hangs_up_on_a_dead_line_leaves_the_caller_to_a_colleague(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let [marc] = town.listeners(["marc"]);
    lea.changes(|habits| habits.sounds = false);
    anna.hears_within("retour-file", secs(5));

    lea.hangs_up();

    marc.rings_within(secs(40));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(10));
}

/// RFC 3264 §8.4, from the listener's side.
fn a_listener_holds_and_the_caller_hears_the_wait_sound(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    lea.holds();
    anna.hears("attente");
    town.passes(secs(30));
    anna.hears("attente");
    lea.resumes();
    anna.talks_with(&lea);
}

/// The operator's hand.
fn an_operator_pauses_a_listener_who_forgot_to(town: Town) {
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let listener: hotline::base::ListenerName = "lea".parse().unwrap();
    town.orders(Command::Pause { listener: listener.clone(), reason: None }).unwrap();
    let anna = town.dials("anna", "3977");
    anna.gets_through();
    marc.rings_within(secs(8));
    lea.is_quiet();
    marc.picks_up();
    anna.talks_with_within(&marc, secs(3));
    town.orders(Command::ComeBack { listener }).unwrap();
    assert_eq!(town.presence("lea"), "available");
    let nobody = "nobody".parse().unwrap();
    assert!(town.orders(Command::Pause { listener: nobody, reason: None }).is_err());
}

/// The confirmation is heard out first. In bad weather an INVITE may overtake a BYE, find the phone busy and cost it half a minute.
fn soon(town: &Town) -> std::time::Duration {
    secs(if town.is_fair() { 4 } else { 60 })
}

/// An office whose trunk and whose phones share one network.
fn a_listeners_phone_among_the_addresses_of_a_trunk_is_a_listeners_phone(town: Town) {
    let lea = town.listener_beside_the_trunk("lea");
    lea.registers();
    let [marc] = town.listeners(["marc"]);
    town.orders(Command::Pause { listener: "marc".parse().unwrap(), reason: None }).unwrap();
    let anna = lea.takes_a_call();
    town.orders(Command::ComeBack { listener: "marc".parse().unwrap() }).unwrap();

    lea.dials_beside("marc");
    marc.rings_within(secs(8));
    marc.picks_up();
    lea.talks_with_within(&marc, secs(8));
    lea.joins_both_lines();
    anna.talks_with_within(&marc, secs(8));

    // What they dial themselves is a listener's call, too: nobody rings them meanwhile.
    lea.comes_free_within(secs(40));
    lea.dials("3977");
    lea.gets_through();
    assert_eq!(town.presence("lea"), "elsewhere");
    lea.hangs_up();
    anna.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

/// The name in From proves nothing, and where somebody else's phone is, least of all.
fn who_only_says_they_are_a_listener_is_a_caller(town: Town) {
    let lea = town.listener_beside_the_trunk("lea");
    lea.registers();
    let [marc] = town.listeners(["marc"]);
    let number = Some("lea".to_owned());
    let mallory = town.person("mallory", Habits { number, ..Habits::default() });

    mallory.dials("marc");
    mallory.gets_refused(404);
    mallory.dials("*10");
    mallory.gets_refused(401);
    marc.is_quiet();
    mallory.dials("3977");
    mallory.gets_through();
    assert_eq!(town.presence("lea"), "available");
    mallory.hangs_up();
    town.last_record();
}
