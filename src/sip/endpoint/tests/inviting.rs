//! Phones that are rung: the races of RFC 5407, and the stories of dependencies.md §1.6.

use super::*;

#[test]
fn a_phone_rings_answers_and_is_acknowledged_at_every_repetition() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    assert!(invite.starts_with("INVITE sip:lea@198.51.100.7:5060 SIP/2.0"), "{invite}");
    assert!(
        header(&invite, "From").unwrap().starts_with("\"3977, 2 min\" <sip:3977@hotline.example>")
    );
    assert_eq!(header(&invite, "Alert-Info"), Some("<urn:alert:priority:high>"));

    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    assert_eq!(house.take_events(), [Event::Ringing { dialog, sdp: None }]);
    house.hears(desk(), &picks_up(&invite, "phone"));
    assert_eq!(house.take_events(), [Event::Answered { dialog, sdp: Some(ANSWER.into()) }]);
    let ack = house.take_sent().pop().unwrap();
    assert!(ack.starts_with("ACK sip:lea@198.51.100.7:5060 "), "{ack}");
    assert_eq!(header(&ack, "CSeq"), Some("1 ACK"));

    house.hears(desk(), &picks_up(&invite, "phone"));
    house.hears(desk(), &picks_up(&invite, "phone"));
    assert_eq!(house.take_sent(), [ack.clone(), ack.clone()]);
    assert!(house.take_events().is_empty());

    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();
    assert_eq!(header(&bye, "CSeq"), Some("2 BYE"));
    // RFC 5407 §3.1.5: the 200 is acknowledged even after the BYE.
    house.hears(desk(), &picks_up(&invite, "phone"));
    assert_eq!(house.take_sent(), [ack]);
    house.hears(desk(), &answer(&bye, 200, "phone", "", ""));
    house.is_empty_in_the_end();
}

#[test]
fn a_second_branch_that_answers_is_acknowledged_then_sent_away() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &picks_up(&invite, "first"));
    house.lines();
    house.take_events();

    house.hears(desk(), &picks_up(&invite, "second"));

    let sent = house.take_sent();
    assert!(sent[0].starts_with("ACK ") && to_tag(&sent[0]) == "second", "{sent:?}");
    assert!(sent[1].starts_with("BYE ") && to_tag(&sent[1]) == "second", "{sent:?}");
    house.hears(desk(), &picks_up(&invite, "second"));
    assert_eq!(house.take_sent(), sent[..1]);
    house.hears(desk(), &answer(&sent[1], 200, "second", "", ""));
    assert!(house.take_events().is_empty());

    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();
    assert_eq!(to_tag(&bye), "first");
    house.is_empty_in_the_end();
}

#[test]
fn a_cancel_waits_for_a_provisional_and_copies_the_invite() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.does(|endpoint, now| endpoint.end(dialog, Reason::CallerHungUp, now));
    assert!(house.lines().is_empty());
    assert!(house.endpoint.called_off().contains(&lea()), "no other call may ring there yet");

    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));

    assert!(house.endpoint.called_off().contains(&lea()), "it may have been picked up");
    assert!(house.take_events().is_empty());
    let cancel = house.take_sent().pop().unwrap();
    assert!(cancel.starts_with("CANCEL sip:lea@198.51.100.7:5060 "), "{cancel}");
    assert_eq!(header(&cancel, "Via"), header(&invite, "Via"));
    assert_eq!(header(&cancel, "CSeq"), Some("1 CANCEL"));
    assert_eq!(header(&cancel, "Reason"), Some("Q.850;cause=16;text=\"Caller hung up\""));
    house.hears(desk(), &answer(&cancel, 200, "phone", "", ""));
    house.hears(desk(), &answer(&invite, 487, "phone", "", ""));
    assert!(house.endpoint.called_off().is_empty());
    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    let ack = house.take_sent().pop().unwrap();
    assert!(ack.starts_with("ACK ") && to_tag(&ack) == "phone", "the 487 is acknowledged: {ack}");
    assert_eq!(header(&ack, "Via"), header(&invite, "Via"));
    house.hears(desk(), &answer(&invite, 487, "phone", "", ""));
    assert_eq!(house.take_sent(), [ack]);
    assert!(house.take_events().is_empty());
    house.is_empty_in_the_end();
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::CompletedElsewhere, now));
    house.lines();
    house.take_events();
    assert!(house.endpoint.called_off().contains(&lea()), "one call at a time");

    house.hears(desk(), &picks_up(&invite, "phone"));

    assert!(house.endpoint.called_off().is_empty());
    let sent = house.take_sent();
    assert!(sent[0].starts_with("ACK "), "{sent:?}");
    assert!(sent[1].starts_with("BYE "), "{sent:?}");
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
    assert_eq!(header(&sent[1], "Reason"), Some(reason));
    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    house.is_empty_in_the_end();
}

#[test]
fn a_cancel_nobody_carries_out_is_given_up() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    house.take_events();

    house.is_empty_in_the_end();
    assert!(house.take_events().iter().all(|event| matches!(event, Event::PhonesChanged { .. })));
}

#[test]
fn a_silent_phone_is_quiet_after_two_seconds_and_probed_until_it_answers() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, _) = house.rings(phone);

    house.passes(millis(1_999));
    assert!(house.take_events().is_empty());
    house.passes(millis(1));
    let quiet = Event::Quiet { dialog };
    let events = house.take_events();
    assert!(events.contains(&quiet), "{events:?}");
    assert!(events.contains(&Event::PhonesChanged { listener: lea() }), "{events:?}");
    assert!(!house.endpoint.phones(&lea())[0].reachable);

    house.does(|endpoint, now| endpoint.end(dialog, Reason::NoAnswer, now));
    house.passes(secs(5));
    let probe = house.take_sent().into_iter().find(|text| text.starts_with("OPTIONS")).unwrap();
    assert!(probe.starts_with("OPTIONS sip:lea@198.51.100.7:5060 "), "{probe}");
    house.hears(desk(), &answer(&probe, 404, "x", "", ""));
    assert!(house.endpoint.phones(&lea())[0].reachable, "any answer is a sign of life");
    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    house.is_empty_in_the_end();
}

#[test]
fn a_quiet_phone_may_still_answer() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.passes(secs(3));
    house.take_events();

    house.hears(desk(), &picks_up(&invite, "phone"));

    let events = house.take_events();
    assert!(events.contains(&Event::Answered { dialog, sdp: Some(ANSWER.into()) }), "{events:?}");
    assert!(house.endpoint.phones(&lea())[0].reachable);
}

#[test]
fn icmp_fails_every_invite_to_that_address_at_once() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (one, _) = house.rings(phone);
    let (two, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    house.take_events();

    house.does(|endpoint, now| endpoint.unreachable(desk().local, desk().peer, now));

    let events = house.take_events();
    for dialog in [one, two] {
        let failed = Event::Failed { dialog, why: Failure::Unreachable, cause: None };
        assert!(events.contains(&failed), "{events:?}");
    }
    assert!(!house.endpoint.phones(&lea())[0].reachable);
    house.does(|endpoint, now| endpoint.unreachable(desk().local, desk().peer, now));
    assert!(house.take_events().is_empty());
}

#[test]
fn a_phone_that_unregisters_while_ringing_has_failed_and_is_called_off() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 180, "phone", "", ""));
    house.take_events();
    house.passes(secs(1));

    let contact = "<sip:lea@198.51.100.7:5060>";
    let call_id = "gone";
    house.hears(desk(), &register(call_id, 1, contact, 0, ""));
    let challenge = house.take_sent().pop().unwrap();
    let authorization = authorization(&challenge, "lea", "secret", Method::Register, REGISTRAR);
    house.hears(desk(), &register(call_id, 2, contact, 0, &authorization));

    let events = house.take_events();
    let failed = Event::Failed { dialog, why: Failure::Unreachable, cause: None };
    assert!(events.contains(&failed), "{events:?}");
    assert!(house.lines().iter().any(|line| line.starts_with("CANCEL ")));
    assert!(house.endpoint.phones(&lea()).is_empty());
}

#[test]
fn a_lost_connection_takes_its_phones_and_their_ringing_along() {
    let mut house = House::new();
    let phone = house.registers(wire_to_desk());
    let (dialog, _) = house.rings(phone);

    house.does(|endpoint, now| endpoint.flow_closed(wire_to_desk(), now));

    let failed = Event::Failed { dialog, why: Failure::Unreachable, cause: None };
    let events = house.take_events();
    assert_eq!(events.iter().filter(|event| **event == failed).count(), 1, "{events:?}");
    assert_eq!(house.endpoint.load().phones, 0);
    house.is_empty_in_the_end();
}

#[test]
fn a_refusal_or_redirection_has_failed_and_no_challenge_is_answered() {
    for (status, told) in [(302, 480), (401, 401), (407, 407), (486, 486), (603, 603)] {
        let mut house = House::new();
        let phone = house.registers(desk());
        let (dialog, invite) = house.rings(phone);
        let more = "WWW-Authenticate: Digest realm=\"hotline.example\", nonce=\"n\"\r\n";

        house.hears(desk(), &answer(&invite, status, "phone", more, ""));

        let why = Failure::Refused(told);
        assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }]);
        let sent = house.take_sent();
        assert_eq!(sent.len(), 1, "only the ACK: {sent:?}");
        assert!(!sent[0].contains("Authorization"));
        house.is_empty_in_the_end();
    }
}

#[test]
fn a_phone_that_never_answers_times_out() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, _) = house.rings(phone);

    house.passes(secs(32));

    let failed = Event::Failed { dialog, why: Failure::TimedOut, cause: None };
    assert!(house.take_events().contains(&failed));
    let invites = house.lines().iter().filter(|line| line.starts_with("INVITE")).count();
    assert_eq!(invites, 6, "at 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
}

#[test]
fn a_phone_not_registered_any_more_fails_at_once() {
    let mut house = House::new();
    let mut dialog = None;
    house.does(|endpoint, now| dialog = Some(endpoint.invite(invitation(PhoneRef(9)), now)));

    let why = Failure::Unreachable;
    assert_eq!(house.take_events(), [Event::Failed { dialog: dialog.unwrap(), why, cause: None }]);
}

#[test]
fn a_phone_that_shows_no_text_is_not_asked_twice() {
    let mut house = House::new();
    house.registers(desk());
    house.does(|endpoint, now| endpoint.tell(&lea(), "L'appelant a raccroché", now));
    let message = house.take_sent().pop().unwrap();
    assert!(message.starts_with("MESSAGE sip:lea@198.51.100.7:5060 "), "{message}");
    assert!(message.ends_with("L'appelant a raccroché"), "{message}");

    house.hears(desk(), &answer(&message, 405, "x", "", ""));
    house.does(|endpoint, now| endpoint.tell(&lea(), "encore", now));

    assert!(house.lines().is_empty());
}
