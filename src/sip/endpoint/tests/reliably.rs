//! Reliable provisional responses (RFC 3262), both roles, and UPDATE before the answer (RFC 3311).

use super::*;

const DEMANDS: &str = "Require: 100rel\r\n";
const CAN: &str = "Supported: 100rel,timer\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n";
const EARLY: &str = "v=0\r\ns=early\r\n";

/// scenarios.md SC-29: who can take them, but does not ask, gets them unreliably.
#[test]
fn provisional_responses_are_reliable_only_when_asked_for() {
    let mut house = House::new();
    let dialog = calls(&mut house, CAN, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    assert!(progress.starts_with("SIP/2.0 183") && progress.ends_with(ANSWER), "{progress}");
    assert_eq!(header(&progress, "RSeq"), None);
    assert_eq!(header(&progress, "Require"), None);
    house.passes(secs(4));
    assert_eq!(
        house.take_sent(),
        [progress.clone(), progress],
        "repeated, as nobody says that it came"
    );
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200") && ok.ends_with(ANSWER), "the same words again: {ok}");

    // The trunk's option.
    let mut house = asking();
    let dialog = calls(&mut house, CAN, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    assert!(header(&house.take_sent()[0], "RSeq").is_some());
    let mut house = asking();
    let dialog = calls(&mut house, "", OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    assert_eq!(header(&house.take_sent()[0], "RSeq"), None, "they can't");
}

/// RFC 3262 §3: repeated with doubling pauses until the PRACK, which is answered; then the 200.
#[test]
fn a_reliable_183_is_repeated_until_its_prack_and_the_200_waits_for_it() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    assert_eq!(header(&progress, "Require"), Some("100rel"));
    assert!(header(&progress, "Contact").is_some());
    house.passes(millis(7_600));
    assert_eq!(house.lines(), ["SIP/2.0 183 Session Progress"; 4], "at 0.5, 1.5, 3.5, 7.5 s");
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    assert!(house.lines().is_empty(), "no 200 before the PRACK");

    house.hears(trunk(), &prack(&progress, 2, ""));

    let sent = house.take_sent();
    assert_eq!(header(&sent[0], "CSeq"), Some("2 PRACK"));
    assert!(sent[0].starts_with("SIP/2.0 200"), "{sent:?}");
    assert!(sent[1].starts_with("SIP/2.0 200") && header(&sent[1], "CSeq") == Some("1 INVITE"));
    // RFC 6337 §3.1: the answer was given already.
    assert!(sent[1].ends_with("Content-Length: 0\r\n\r\n"), "{}", sent[1]);
    house.hears(trunk(), &prack(&progress, 2, ""));
    assert_eq!(house.take_sent(), sent[..1], "a repeated PRACK gets its answer again");
    house.hears(trunk(), &ack(&sent[1], 1));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }]);
    house.passes(secs(40));
    assert!(house.lines().is_empty());
}

/// RFC 3262 §3: 64×T1, then 504.
#[test]
fn without_a_prack_the_call_is_refused_with_504() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    house.passes(millis(31_900));
    assert!(house.take_events().is_empty());
    house.lines();

    house.passes(millis(200));

    assert_eq!(house.lines(), ["SIP/2.0 504 Server Time-out"]);
    let ending = Ending::NeverAcknowledged;
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending, cause: None }]);
    house.is_empty_in_the_end();
}

/// RFC 3262 §3: by RSeq, CSeq and method; anything else is 481.
#[test]
fn a_prack_for_another_response_acknowledges_nothing() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    let rseq: u32 = header(&progress, "RSeq").unwrap().parse().unwrap();
    let tag = format!(";tag={}", to_tag(&progress));
    let uri = "sip:hotline@203.0.113.1";

    let racks = [
        format!("RAck: {} 1 INVITE\r\n", rseq + 1),
        format!("RAck: {rseq} 2 INVITE\r\n"),
        format!("RAck: {rseq} 1 PRACK\r\n"),
        "RAck: nothing\r\n".to_owned(),
        String::new(),
    ];
    for (rack, cseq) in racks.iter().zip(2..) {
        let branch = format!("z9hG4bKrack{cseq}");
        house.hears(trunk(), &request("PRACK", &branch, uri, &tag, cseq, rack, ""));
        assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"], "{rack}");
    }

    house.hears(trunk(), &prack(&progress, 9, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(trunk(), &prack(&progress, 10, ""));
    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"], "settled already");
}

/// RFC 3262 §3: one at a time, numbered in order.
#[test]
fn the_next_reliable_response_waits_for_the_prack_of_the_one_before() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    let ringing = house.take_sent().pop().unwrap();
    assert!(ringing.starts_with("SIP/2.0 180"), "{ringing}");
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    assert!(house.lines().is_empty());

    house.hears(trunk(), &prack(&ringing, 2, ""));

    let sent = house.take_sent();
    assert!(sent[1].starts_with("SIP/2.0 183") && sent[1].ends_with(ANSWER), "{sent:?}");
    let number = |text: &str| header(text, "RSeq").unwrap().parse::<u32>().unwrap();
    assert_eq!(number(&sent[1]), number(&ringing) + 1);
    // A 180 without a description holds no 200 back, but this 183 does.
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    assert!(house.lines().is_empty());
    house.hears(trunk(), &prack(&sent[1], 3, ""));
    assert_eq!(house.lines().len(), 2);
}

/// RFC 3262 §3: a final answer may overtake a ringing that says nothing of media.
#[test]
fn a_ringing_without_description_does_not_hold_the_200_back() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    house.lines();

    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));

    let ok = house.take_sent().pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200") && ok.ends_with(ANSWER), "{ok}");
    house.hears(trunk(), &ack(&ok, 1));
    house.passes(secs(40));
    assert!(house.lines().is_empty(), "the ringing is not repeated any more");
}

/// RFC 3262 §5: our offer in the 183, their answer in the PRACK.
#[test]
fn a_delayed_offer_made_in_a_183_is_answered_in_the_prack() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, "");
    house.does(|endpoint, now| endpoint.progress(dialog, OFFER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    assert!(progress.ends_with(OFFER));
    house.hears(trunk(), &prack(&progress, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 400 Bad Request"], "an offer wants its answer");

    house.hears(trunk(), &prack(&progress, 3, ANSWER));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: Some(ANSWER.into()) }]);
    house.does(|endpoint, now| endpoint.accept(dialog, OFFER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    assert!(ok.ends_with("Content-Length: 0\r\n\r\n"), "{ok}");
    house.hears(trunk(), &ack(&ok, 1));
    assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }]);
}

/// RFC 3262 §5 and RFC 6337 §2.2: a PRACK may bring a new offer once the first has its answer.
#[test]
fn a_prack_may_bring_a_new_offer() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();

    house.hears(trunk(), &prack(&progress, 2, NEW_OFFER));
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer: Some(NEW_OFFER.into()) }]);
    house.does(|endpoint, now| endpoint.answer(dialog, EARLY.into(), now));

    let answer = house.take_sent().pop().unwrap();
    assert!(answer.starts_with("SIP/2.0 200") && answer.ends_with(EARLY), "{answer}");
    assert_eq!(header(&answer, "CSeq"), Some("2 PRACK"));
    house.passes(secs(5));
    assert!(house.lines().is_empty(), "a PRACK has no ACK to wait for");
}

/// RFC 3262 §3: what was said reliably is not said again under the same number.
#[test]
fn every_minute_a_new_reliable_response_keeps_the_proxies_patient() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    house.hears(trunk(), &prack(&progress, 2, ""));
    house.lines();

    house.passes(millis(60_100));

    let again = house.take_sent().pop().unwrap();
    assert!(again.starts_with("SIP/2.0 183") && !again.ends_with(ANSWER), "{again}");
    assert_ne!(header(&again, "RSeq"), header(&progress, "RSeq"));
}

/// A caller who gives up while a reliable response is out.
#[test]
fn a_cancelled_call_repeats_no_reliable_response() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    house.lines();

    house.hears(trunk(), &request("CANCEL", "z9hG4bKone", "sip:3977@203.0.113.1", "", 1, "", ""));

    assert_eq!(house.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(
        house.take_events(),
        [Event::Ended { dialog, ending: Ending::Cancelled, cause: None }]
    );
    house
        .hears(trunk(), &request("ACK", "z9hG4bKone", "sip:3977@203.0.113.1", ";tag=x", 1, "", ""));
    house.passes(secs(33));
    assert!(house.lines().is_empty());
    house.is_empty_in_the_end();
}

/// RFC 3262 §4; dependencies.md §1.6: to the Contact of the early dialog, with both its tags.
#[test]
fn a_phone_that_rings_reliably_gets_its_prack() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    assert!(header(&invite, "Supported").unwrap().contains("100rel"));
    let ringing = rings_reliably(&invite, 180, "phone", 7, "");

    house.hears(desk(), &ringing);

    let prack = house.take_sent().pop().unwrap();
    assert!(prack.starts_with("PRACK sip:lea@198.51.100.7:5062 "), "{prack}");
    assert_eq!(header(&prack, "RAck"), Some("7 1 INVITE"));
    assert_eq!(header(&prack, "CSeq"), Some("2 PRACK"));
    assert_eq!(to_tag(&prack), "phone");
    assert_eq!(house.take_events(), [Event::Ringing { dialog, sdp: None }]);
    house.hears(desk(), &ringing);
    assert!(house.lines().is_empty(), "the PRACK repeats itself");
    assert!(house.take_events().is_empty());
    house.passes(millis(600));
    assert!(house.take_sent().contains(&prack));
    house.hears(desk(), &answer(&prack, 200, "phone", "", ""));

    house.hears(desk(), &picks_up(&invite, "phone"));
    let ack = house.take_sent().pop().unwrap();
    assert_eq!(header(&ack, "CSeq"), Some("1 ACK"), "of the INVITE, not of the PRACK");
    house.take_events();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();
    assert_eq!(header(&bye, "CSeq"), Some("3 BYE"), "after the PRACK");
    house.hears(desk(), &answer(&bye, 200, "phone", "", ""));
    house.is_empty_in_the_end();
}

/// RFC 3262 §4: in order, and nothing out of it.
#[test]
fn a_reliable_response_that_overtook_another_waits_for_its_repetition() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (_, invite) = house.rings(phone);
    house.hears(desk(), &rings_reliably(&invite, 180, "phone", 7, ""));
    house.take_events();
    house.lines();

    house.hears(desk(), &rings_reliably(&invite, 183, "phone", 9, ANSWER));
    assert!(house.lines().is_empty() && house.take_events().is_empty());
    house.hears(desk(), &rings_reliably(&invite, 183, "phone", 8, ""));
    house.hears(desk(), &rings_reliably(&invite, 183, "phone", 9, ANSWER));

    let racks: Vec<_> = house
        .take_sent()
        .iter()
        .map(|text| header(text, "RAck").unwrap_or_default().to_owned())
        .collect();
    assert_eq!(racks, ["8 1 INVITE", "9 1 INVITE"]);
}

/// dependencies.md §1.6 (baresip #2114, pjsip #620): a fork numbers its responses in each branch.
#[test]
fn each_branch_of_a_fork_has_its_own_pracks() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    for (tag, rseq) in [("one", 1), ("two", 1), ("one", 2), ("two", 2)] {
        house.hears(desk(), &rings_reliably(&invite, 183, tag, rseq, ""));
    }
    let sent = house.take_sent();
    let seen: Vec<_> =
        sent.iter().map(|text| (to_tag(text), header(text, "CSeq").unwrap_or_default())).collect();
    assert_eq!(
        seen,
        [("one", "2 PRACK"), ("two", "2 PRACK"), ("one", "3 PRACK"), ("two", "3 PRACK")]
    );

    house.hears(desk(), &picks_up(&invite, "two"));
    house.hears(desk(), &picks_up(&invite, "one"));

    let sent = house.take_sent();
    assert_eq!(to_tag(&sent[0]), "two");
    assert_eq!((to_tag(&sent[1]), header(&sent[1], "CSeq")), ("one", Some("1 ACK")));
    assert_eq!((to_tag(&sent[2]), header(&sent[2], "CSeq")), ("one", Some("4 BYE")));
    house.hears(desk(), &answer(&sent[2], 200, "one", "", ""));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    house.take_sent();
    house.is_empty_in_the_end();
}

/// RFC 6337 §3.1: the answer came in the 183; the 200 brings none.
#[test]
fn an_answer_in_a_reliable_183_counts_for_a_200_without_one() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &rings_reliably(&invite, 183, "phone", 1, ANSWER));
    house.take_events();

    let contact = "Contact: <sip:lea@198.51.100.7:5060>\r\n";
    house.hears(desk(), &answer(&invite, 200, "phone", contact, ""));

    assert_eq!(house.take_events(), [Event::Answered { dialog, sdp: Some(ANSWER.into()) }]);
}

/// dependencies.md §1.6 (siphon-sip #113): no dialog, no PRACK; it rings all the same.
#[test]
fn a_reliable_response_without_a_tag_gets_no_prack() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    let ringing = rings_reliably(&invite, 180, "phone", 7, "").replace(";tag=phone", "");

    house.hears(desk(), &ringing);

    assert!(house.lines().is_empty());
    assert_eq!(house.take_events(), [Event::Ringing { dialog, sdp: None }]);
}

/// RFC 6228: the end of one branch is no ringing and no end.
#[test]
fn a_199_is_absorbed() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 199, "one", "", ""));
    assert!(house.take_events().is_empty());
    house.hears(desk(), &picks_up(&invite, "two"));
    assert_eq!(house.take_events(), [Event::Answered { dialog, sdp: Some(ANSWER.into()) }]);
}

/// RFC 3311 §5.2: an early UPDATE with an offer, once the first offer has its answer.
#[test]
fn an_early_update_is_answered_once_the_first_offer_is() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKsoon", &progress, 2, NEW_OFFER));
    let refusal = house.take_sent().pop().unwrap();
    assert!(refusal.starts_with("SIP/2.0 500"), "our answer may be lost still: {refusal}");
    assert!(header(&refusal, "Retry-After").unwrap().parse::<u64>().unwrap() <= 10);
    house.hears(trunk(), &prack(&progress, 3, ""));
    house.lines();

    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu", &progress, 4, NEW_OFFER));
    assert_eq!(house.take_events(), [Event::Offered { dialog, offer: Some(NEW_OFFER.into()) }]);
    house.does(|endpoint, now| endpoint.answer(dialog, EARLY.into(), now));
    assert!(house.take_sent()[0].ends_with(EARLY));

    // A sign of life needs no answer to anything.
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKlife", &progress, 5, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
}

/// RFC 3311 §5.2: 491 while our offer waits for their answer, 500 while theirs waits for ours.
#[test]
fn an_early_update_that_crosses_an_offer_is_put_off() {
    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, "");
    house.does(|endpoint, now| endpoint.progress(dialog, OFFER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu", &progress, 2, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"]);

    let mut house = House::new();
    let dialog = calls(&mut house, "", OFFER);
    house.does(|endpoint, now| endpoint.ring(dialog, now));
    let ringing = house.take_sent().pop().unwrap();
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu", &ringing, 2, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 500 Server Internal Error"]);
    house.hears(trunk(), &inside("INVITE", "z9hG4bKre", &ringing, 3, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 500 Server Internal Error"], "RFC 3261 §14.2");
    assert!(house.take_events().is_empty());
}

/// RFC 3311 §5.1: ours, before the answer to the INVITE, to who takes UPDATE and to nobody else.
#[test]
fn an_early_offer_of_ours_goes_by_update_where_they_take_it() {
    let mut house = House::new();
    let dialog = calls(&mut house, &format!("{DEMANDS}{CAN}"), OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    house.does(|endpoint, now| endpoint.offer(dialog, EARLY.into(), now));
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: None }], "too soon");
    house.hears(trunk(), &prack(&progress, 2, ""));
    house.lines();

    house.does(|endpoint, now| endpoint.offer(dialog, EARLY.into(), now));
    let update = house.take_sent().pop().unwrap();
    assert!(update.starts_with("UPDATE ") && update.ends_with(EARLY), "{update}");
    house.hears(trunk(), &inside("UPDATE", "z9hG4bKu", &progress, 3, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 491 Request Pending"], "both at once");
    house.hears(trunk(), &answer(&update, 491, "caller", "", ""));
    house.passes(millis(2_100));
    let update = house.take_sent().pop().unwrap();
    assert!(update.starts_with("UPDATE "), "tried again: {update}");
    house.hears(trunk(), &answer(&update, 200, "caller", "", NEW_OFFER));
    let answered = Event::OfferAnswered { dialog, answer: Some(NEW_OFFER.into()) };
    assert_eq!(house.take_events(), [answered]);

    let mut house = House::new();
    let dialog = calls(&mut house, DEMANDS, OFFER);
    house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));
    let progress = house.take_sent().pop().unwrap();
    house.hears(trunk(), &prack(&progress, 2, ""));
    house.lines();
    house.does(|endpoint, now| endpoint.offer(dialog, EARLY.into(), now));
    assert!(house.lines().is_empty(), "they never said that they take it");
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: None }]);
}

/// RFC 3311 §5.2, the phone's side: a phone that only rings may move, but not change the sound.
#[test]
fn a_ringing_phone_may_update_its_target_only() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &rings_reliably(&invite, 183, "phone", 1, ANSWER));
    house.take_events();
    house.lines();
    let update = |cseq: u32, sdp: &str| {
        let from = header(&invite, "To").unwrap();
        let to = header(&invite, "From").unwrap();
        let call_id = header(&invite, "Call-ID").unwrap();
        let content = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "UPDATE sip:hotline@203.0.113.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKup{cseq}\r\n\
             From: {from};tag=phone\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} UPDATE\r\n\
             Contact: <sip:moved@198.51.100.7:5070>\r\nMax-Forwards: 70\r\n\
             {content}Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    };
    house.hears(desk(), &update(1, NEW_OFFER));
    assert_eq!(house.lines(), ["SIP/2.0 488 Not Acceptable Here"]);
    house.hears(desk(), &update(2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    house.hears(desk(), &rings_reliably(&invite, 180, "phone", 2, ""));
    assert!(house.lines()[0].starts_with("PRACK sip:moved@198.51.100.7:5070 "));

    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    assert!(house.lines()[0].starts_with("CANCEL "));
}

/// A house whose trunk wants provisional responses to be reliable.
fn asking() -> House {
    let mut setup = setup();
    setup.reliable.insert("operator".parse().unwrap());
    House::with(setup)
}

fn calls(house: &mut House, more: &str, sdp: &str) -> DialogRef {
    let uri = "sip:3977@203.0.113.1";
    let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", uri, "", 1, more, sdp));
    house.lines();
    dialog
}

/// The caller's PRACK of a response of ours.
fn prack(response: &str, cseq: u32, sdp: &str) -> String {
    let tag = format!(";tag={}", to_tag(response));
    let rack = format!("RAck: {} 1 INVITE\r\n", header(response, "RSeq").unwrap());
    let branch = format!("z9hG4bKprack{cseq}");
    request("PRACK", &branch, "sip:hotline@203.0.113.1", &tag, cseq, &rack, sdp)
}

fn rings_reliably(invite: &str, status: u16, tag: &str, rseq: u32, sdp: &str) -> String {
    let more =
        format!("Require: 100rel\r\nRSeq: {rseq}\r\nContact: <sip:lea@198.51.100.7:5062>\r\n");
    answer(invite, status, tag, &more, sdp)
}
