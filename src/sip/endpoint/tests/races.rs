//! The races of RFC 5407, figure by figure. The house is the callee of callers and the caller of
//! phones, so each figure is told from the side we stand on; some from both.

use super::*;

const HANG_UP: Reason = Reason::Normal;

/// RFC 5407 §3.1.1: the INVITE again, after our 200 and before its ACK.
#[test]
fn an_invite_that_comes_again_after_our_200_gets_the_200_again() {
    let mut house = House::new();
    let (_, ok) = answered(&mut house);

    house.hears(trunk(), &invite("z9hG4bKone"));

    assert_eq!(house.take_sent(), [ok]);
    assert!(house.take_events().is_empty());
}

/// RFC 5407 §3.1.2: CANCEL crosses our 200. It is too late, so they say BYE, after their ACK.
#[test]
fn a_cancel_after_our_200_changes_nothing_and_a_bye_follows() {
    let mut house = House::new();
    let (dialog, ok) = answered(&mut house);

    house.hears(trunk(), &request("CANCEL", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "to the CANCEL; no 487 follows a 200");
    house.hears(trunk(), &ack(&ok, 1));
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(
        house.take_events(),
        [
            Event::Confirmed { dialog, answer: None },
            Event::Ended { dialog, ending: Ending::HungUp, cause: None }
        ]
    );
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.1.3: their BYE for an early dialog arrives after our 200.
#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call_and_the_repeating() {
    let mut house = House::new();
    let (dialog, ok) = answered(&mut house);

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending: Ending::HungUp, cause: None }]);
    house.hears(trunk(), &ack(&ok, 1));
    house.passes(secs(40));
    assert!(house.lines().is_empty(), "the 200 is not repeated to who is gone");
    assert!(house.take_events().is_empty());
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.1.4: a re-INVITE overtakes the ACK of the first 200, whose offer was theirs.
#[test]
fn a_reinvite_that_overtakes_the_ack_is_answered() {
    let mut house = House::new();
    let (dialog, ok) = answered(&mut house);

    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer: Some(NEW_OFFER.into()) }]);
    house.does(|endpoint, now| endpoint.answer(dialog, ANSWER.into(), now));
    let second = house.take_sent().pop().unwrap();
    assert_eq!(header(&second, "CSeq"), Some("2 INVITE"));

    // The ACKs come in the wrong order, and each stops its own 200.
    house.hears(trunk(), &ack(&ok, 2));
    assert!(house.take_events().is_empty());
    house.passes(millis(600));
    assert_eq!(house.take_sent(), std::slice::from_ref(&ok));
    house.hears(trunk(), &ack(&ok, 1));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }]);
    house.passes(secs(40));
    assert!(house.lines().is_empty());
}

/// RFC 5407 §3.1.5: the same, but our 200 held the offer: its answer is in the ACK still to come.
#[test]
fn a_reinvite_that_overtakes_the_answer_to_our_offer_is_put_off() {
    let mut house = House::new();
    house.hears(trunk(), &request("INVITE", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", ""));
    let dialog = DialogRef(1);
    house.take_events();
    house.does(|endpoint, now| endpoint.accept(dialog, OFFER.into(), now));
    let ok = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));

    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"]);
    house.hears(trunk(), &inside("ACK", "z9hG4bKack", &ok, 1, ANSWER));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: Some(ANSWER.into()) }]);
    house.hears(trunk(), &inside("INVITE", "z9hG4bKre2", &ok, 3, NEW_OFFER));
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer: Some(NEW_OFFER.into()) }]);
}

/// RFC 5407 §3.1.6: we hang up before the ACK of our 200 has come: the BYE waits for it (RFC 3261 §15),
/// and their BYE meanwhile is answered.
#[test]
fn their_bye_while_ours_waits_for_the_ack_ends_the_call() {
    let mut house = House::new();
    let (dialog, ok) = answered(&mut house);
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    assert!(house.lines().is_empty());

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(trunk(), &ack(&ok, 1));
    house.passes(secs(40));
    assert!(house.lines().is_empty(), "nobody is left to say goodbye to");
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.2.1: both hang up at once.
#[test]
fn byes_that_cross_are_each_answered() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    let ours = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("BYE", "z9hG4bKtheirs", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(trunk(), &answer(&ours, 200, "caller", "", ""));

    assert!(house.take_events().is_empty());
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.2.2: a re-INVITE crosses our BYE.
#[test]
fn a_reinvite_that_crosses_our_bye_is_told_that_the_call_is_gone() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    let bye = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));

    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    house.hears(trunk(), &inside("ACK", "z9hG4bKre", &ok, 2, ""));
    house.hears(trunk(), &answer(&bye, 200, "caller", "", ""));
    assert!(house.take_events().is_empty());
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.2.3: the 200 to our re-INVITE crosses our BYE: it is acknowledged all the same.
#[test]
fn a_200_to_our_reinvite_that_crosses_our_bye_is_acknowledged() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    let reinvite = house.take_sent().pop().unwrap();
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    let bye = house.take_sent().pop().unwrap();

    house.hears(trunk(), &answer(&reinvite, 200, "caller", "", ANSWER));

    assert!(house.lines()[0].starts_with("ACK "));
    assert!(house.take_events().is_empty());
    house.hears(trunk(), &answer(&bye, 200, "caller", "", ""));
    house.hears(trunk(), &answer(&reinvite, 200, "caller", "", ANSWER));
    assert!(house.lines()[0].starts_with("ACK "), "also when the dialog is forgotten");
    house.is_empty_in_the_end();
}

/// RFC 5407 §3.2.4: their ACK comes late, after their own BYE and our answer to it.
#[test]
fn an_ack_after_the_end_is_nothing() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    house.lines();
    let ended = Event::Ended { dialog, ending: Ending::HungUp, cause: None };
    assert_eq!(house.take_events(), [ended]);

    house.hears(trunk(), &ack(&ok, 1));

    assert!(house.lines().is_empty() && house.take_events().is_empty());
}

/// RFC 5407 §3.3.1; RFC 3261 §14.1: who made the Call-ID waits 2.1 to 4 s, the other at most 2 s.
#[test]
fn reinvites_that_cross_are_both_put_off_and_who_called_waits_longer() {
    // A caller's call: the Call-ID is theirs.
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"]);
    house.hears(trunk(), &inside("ACK", "z9hG4bKre", &ok, 2, ""));
    house.hears(trunk(), &answer(&ours, 491, "caller", "", ""));
    house.lines();
    house.passes(millis(2_010));
    assert!(house.lines()[0].starts_with("INVITE "));

    // A phone that we rang: the Call-ID is ours.
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "phone"));
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();
    house.hears(desk(), &answer(&ours, 491, "phone", "", ""));
    house.lines();
    house.passes(millis(2_090));
    assert!(house.lines().is_empty(), "not before 2.1 s");
    house.passes(millis(2_000));
    assert!(house.lines()[0].starts_with("INVITE "));
}

/// RFC 5407 §3.3.2: their UPDATE with an offer crosses our re-INVITE.
#[test]
fn an_update_that_crosses_our_reinvite_is_put_off_but_a_sign_of_life_is_not() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    let ours = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu", &ok, 2, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"]);
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKv", &ok, 3, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);

    house.hears(trunk(), &answer(&ours, 200, "caller", "", ANSWER));
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: Some(ANSWER.into()) }]);
}

/// RFC 5407 §3.3.3: a REFER crosses our BYE.
#[test]
fn a_refer_that_crosses_our_bye_is_told_that_the_call_is_gone() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    house.lines();

    house.hears(trunk(), &inside("REFER", "z9hG4bKrefer", &ok, 2, ""));

    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
}

/// RFC 5407 appendix A: a caller may leave an early dialog with BYE; the INVITE then gets 487.
#[test]
fn a_bye_in_an_early_dialog_ends_it_and_its_invite() {
    let mut house = House::new();
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    let ringing = house.take_sent().pop().unwrap();

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ringing, 2, ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    let ended = Event::Ended { dialog, ending: Ending::Cancelled, cause: None };
    assert_eq!(house.take_events(), [ended]);
}

/// RFC 5407 appendix B: BYE while a re-INVITE waits for its answer: the re-INVITE gets 487.
#[test]
fn a_bye_ends_a_reinvite_that_waits_for_our_answer() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ok, 2, NEW_OFFER));
    house.lines();
    house.take_events();

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 3, ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    house.does(|endpoint, now| endpoint.answer(dialog, ANSWER.into(), now));
    assert!(house.lines().is_empty(), "an answer that comes too late is nobody's");
    house.hears(trunk(), &inside("ACK", "z9hG4bKre", &ok, 2, ""));
    house.is_empty_in_the_end();
}

/// RFC 5407 appendix C and RFC 3261 §9.1: a CANCEL waits for a provisional response; a 200 that
/// crosses it is acknowledged, and ended with BYE.
#[test]
fn a_pick_up_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::CallerHungUp, now));
    let cancel = house.take_sent().pop().unwrap();
    assert!(cancel.starts_with("CANCEL "));

    house.hears(desk(), &picks_up(&invite, "phone"));

    let sent = house.take_sent();
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
    house.hears(desk(), &answer(&cancel, 200, "phone", "", ""));
    house.hears(desk(), &answer(&sent[1], 200, "phone", "", ""));
    house.is_empty_in_the_end();
}

/// RFC 5407 appendix D: in a dialog we have left, everything but BYE is told 481.
#[test]
fn whatever_is_asked_after_our_goodbye_is_told_that_the_call_is_gone() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    house.lines();

    for (method, cseq) in [("UPDATE", 2), ("INFO", 3), ("OPTIONS", 4), ("PRACK", 5)] {
        house.hears(trunk(), &inside(method, &format!("z9hG4bK{method}"), &ok, cseq, ""));
        assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"], "{method}");
    }
}

/// RFC 5407 appendix E: a fork answers twice, the second time from a branch never heard of.
#[test]
fn a_second_200_from_another_branch_is_acknowledged_and_ended() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "one", "", ""));
    house.hears(desk(), &picks_up(&invite, "two"));
    house.take_events();
    house.lines();

    house.hears(desk(), &picks_up(&invite, "three"));

    let sent = house.take_sent();
    assert_eq!((to_tag(&sent[0]), to_tag(&sent[1])), ("three", "three"));
    assert!(sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
    assert!(house.take_events().is_empty(), "the call goes on with the first");
    house.hears(desk(), &answer(&sent[1], 200, "three", "", ""));
    house.does(|endpoint, now| endpoint.end(dialog, HANG_UP, now));
    house.lines();
    house.is_empty_in_the_end();
}

/// A caller's call, answered and not acknowledged yet; our 200.
fn answered(house: &mut House) -> (DialogRef, String) {
    let dialog = house.is_invited(&invite("z9hG4bKone"));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    (dialog, ok)
}
