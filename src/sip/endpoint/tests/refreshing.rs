//! Session timers (RFC 4028), both roles.

use super::*;

const TIMER: &str = "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n";

/// RFC 4028 §9: the network refreshes, as it should.
#[test]
fn a_callers_session_timer_is_agreed_and_the_network_refreshes() {
    let mut house = House::new();
    let (dialog, ok) = talks(&mut house, TIMER);
    assert_eq!(header(&ok, "Session-Expires"), Some("1800;refresher=uac"));
    assert_eq!(header(&ok, "Require"), Some("timer"));
    house.passes(secs(900));
    assert!(house.lines().is_empty(), "not ours to refresh");

    house.hears(trunk(), &within("UPDATE", &ok, 2, TIMER, ""));
    let answer = house.take_sent().pop().unwrap();
    assert!(answer.starts_with("SIP/2.0 200 OK"), "{answer}");
    assert_eq!(header(&answer, "Session-Expires"), Some("1800;refresher=uac"));
    assert!(answer.ends_with("Content-Length: 0\r\n\r\n"), "{answer}");
    house.passes(secs(1_700));
    assert!(house.lines().is_empty());
    assert!(house.take_events().is_empty(), "nobody above is troubled");

    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    house.is_empty_in_the_end();
}

/// scenarios.md SC-31; RFC 4028 §7.4: what both sides have agreed already is agreed again.
#[test]
fn a_refresh_with_the_same_words_leaves_the_media_alone() {
    for method in ["UPDATE", "INVITE"] {
        let mut house = House::new();
        let (_, ok) = talks(&mut house, TIMER);

        house.hears(trunk(), &within(method, &ok, 2, TIMER, OFFER));

        let answer = house.take_sent().pop().unwrap();
        assert!(answer.starts_with("SIP/2.0 200") && answer.ends_with(ANSWER), "{answer}");
        assert!(house.take_events().is_empty(), "the floor above hears nothing");
        if method == "INVITE" {
            house.passes(millis(600));
            assert_eq!(house.lines(), ["SIP/2.0 200 OK"], "until its ACK");
            house.hears(trunk(), &ack(&ok, 2));
        }
        house.passes(secs(40));
        assert!(house.lines().is_empty());
    }
}

/// RFC 4028 §9: too short is 422 with ours, wherever it is asked; who has no timers can't be told.
#[test]
fn a_session_shorter_than_90_seconds_is_refused_with_our_minimum() {
    let mut house = House::new();
    let brief = "Supported: timer\r\nSession-Expires: 89\r\n";
    let uri = "sip:3977@203.0.113.1";
    house.hears(trunk(), &request("INVITE", "z9hG4bKbrief", uri, "", 1, brief, OFFER));
    let refusal = house.take_sent().pop().unwrap();
    assert!(refusal.starts_with("SIP/2.0 422 Session Interval Too Small"), "{refusal}");
    assert_eq!(header(&refusal, "Min-SE"), Some("90"));
    assert_eq!(house.endpoint.load().dialogs, 0);

    let (_, ok) = talks(&mut house, TIMER);
    house.hears(trunk(), &within("UPDATE", &ok, 2, brief, ""));
    assert_eq!(house.lines(), ["SIP/2.0 422 Session Interval Too Small"]);

    let mut house = House::new();
    let (_, ok) = talks(&mut house, "Session-Expires: 60\r\n");
    assert_eq!(header(&ok, "Session-Expires"), Some("90;refresher=uas"));
    assert_eq!(header(&ok, "Require"), None, "a proxy asked for it, and does without them");
}

/// RFC 4028 §9: a request may raise the interval; without one, ours is half an hour.
#[test]
fn the_interval_is_theirs_or_half_an_hour_and_never_below_their_minimum() {
    for (more, expected) in [
        ("Supported: timer\r\n", Some("1800;refresher=uac")),
        ("Supported: timer\r\nMin-SE: 3600\r\n", Some("3600;refresher=uac")),
        ("k: timer\r\nx: 90\r\nMin-SE: 90\r\n", Some("90;refresher=uac")),
        ("Supported: timer\r\nSession-Expires: 7200;refresher=uas\r\n", Some("7200;refresher=uas")),
        ("Supported: 100rel\r\n", None),
        ("", None),
    ] {
        let mut house = House::new();
        let (_, ok) = talks(&mut house, more);
        assert_eq!(header(&ok, "Session-Expires"), expected, "{more}");
    }
}

/// RFC 4028 §7.4: by UPDATE where they list it in Allow.
#[test]
fn our_refresh_is_an_update_without_a_body_where_they_take_one() {
    let mut house = House::new();
    let (dialog, _) = talks(&mut house, &ours("Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"));
    house.passes(secs(900));
    let update = house.take_sent().pop().unwrap();
    assert!(update.starts_with("UPDATE sip:0612345678@192.0.2.1:5060 "), "{update}");
    assert_eq!(header(&update, "Session-Expires"), Some("1800;refresher=uac"));
    assert!(update.contains("Contact: ") && update.ends_with("Content-Length: 0\r\n\r\n"));

    let more = "Session-Expires: 1000;refresher=uac\r\n";
    house.hears(trunk(), &answer(&update, 200, "caller", more, ""));
    house.passes(secs(499));
    assert!(house.lines().is_empty());
    house.passes(secs(2));
    let update = house.take_sent().pop().unwrap();
    assert_eq!(header(&update, "Session-Expires"), Some("1000;refresher=uac"));
    assert!(house.take_events().is_empty());

    house.hears(trunk(), &answer(&update, 200, "caller", more, ""));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    house.is_empty_in_the_end();
}

/// RFC 4028 §7.4 and RFC 3311 §5.1: no UPDATE to who never said they take it.
#[test]
fn our_refresh_is_an_invite_with_the_same_description_where_they_take_no_update() {
    let mut house = House::new();
    let (_, _) = talks(&mut house, &ours(""));
    house.passes(secs(900));
    let invite = house.take_sent().pop().unwrap();
    assert!(invite.starts_with("INVITE ") && invite.ends_with(ANSWER), "{invite}");
    assert_eq!(header(&invite, "Session-Expires"), Some("1800;refresher=uac"));

    let more = "Session-Expires: 1800;refresher=uac\r\n";
    house.hears(trunk(), &answer(&invite, 200, "caller", more, OFFER));

    assert!(house.lines()[0].starts_with("ACK "));
    assert!(house.take_events().is_empty(), "nobody above is troubled");
    house.passes(secs(899));
    assert!(house.lines().is_empty());
    house.passes(secs(2));
    assert!(house.lines()[0].starts_with("INVITE "));
}

/// domain.md §2.2: 408 and 481 end the call, anything else is tried again.
#[test]
fn a_refresh_that_fails_ends_the_call_only_when_nobody_knows_it() {
    for (status, ends) in [(481, true), (408, true), (500, false), (488, false), (603, false)] {
        for allow in ["", "Allow: UPDATE\r\n"] {
            let mut house = House::new();
            let (dialog, _) = talks(&mut house, &ours(allow));
            house.passes(secs(900));
            let refresh = house.take_sent().pop().unwrap();

            house.hears(trunk(), &answer(&refresh, status, "caller", "", ""));

            let lost = Event::Ended { dialog, ending: Ending::Lost, cause: None };
            assert_eq!(house.take_events().contains(&lost), ends, "{status} {allow}");
            house.lines();
            house.passes(secs(11));
            let again = house
                .lines()
                .iter()
                .any(|line| line.starts_with("INVITE ") || line.starts_with("UPDATE "));
            assert_eq!(again, !ends, "{status} {allow}");
        }
    }
}

#[test]
fn who_allows_update_and_then_refuses_it_is_refreshed_by_invite() {
    let mut house = House::new();
    let (_, _) = talks(&mut house, &ours("Allow: UPDATE\r\n"));
    house.passes(secs(900));
    let update = house.take_sent().pop().unwrap();

    house.hears(trunk(), &answer(&update, 501, "caller", "", ""));

    assert!(house.lines()[0].starts_with("INVITE "));
}

/// RFC 4028 §7.3.
#[test]
fn a_refresh_told_422_is_sent_again_with_their_minimum() {
    for allow in ["", "Allow: UPDATE\r\n"] {
        let mut house = House::new();
        let (_, _) = talks(&mut house, &ours(allow));
        house.passes(secs(900));
        let refresh = house.take_sent().pop().unwrap();

        house.hears(trunk(), &answer(&refresh, 422, "caller", "Min-SE: 3600\r\n", ""));

        let again = house.take_sent().pop().unwrap();
        assert_eq!(header(&again, "Session-Expires"), Some("3600;refresher=uac"), "{again}");
    }
}

/// scenarios.md SC-31; RFC 4028 §10.
#[test]
fn a_session_not_refreshed_ends_only_if_nobody_answers_for_it() {
    for (status, ends) in [(Some(200), false), (Some(405), false), (Some(481), true), (None, true)]
    {
        let mut house = House::new();
        let (dialog, _) = talks(&mut house, TIMER);
        house.passes(secs(1_767));
        assert!(house.lines().is_empty());
        house.passes(secs(2));
        let options = house.take_sent().pop().unwrap();
        assert!(options.starts_with("OPTIONS "), "{options}");
        assert!(house.take_events().is_empty());

        match status {
            Some(status) => house.hears(trunk(), &answer(&options, status, "caller", "", "")),
            None => house.passes(secs(32)),
        }

        let lost = Event::Ended { dialog, ending: Ending::Lost, cause: None };
        assert_eq!(house.take_events(), if ends { vec![lost] } else { vec![] }, "{status:?}");
        assert_eq!(house.lines().iter().any(|line| line.starts_with("BYE ")), ends);
    }
}

/// RFC 4028 §7.1: a phone that knows timers may take ours; one that doesn't is left alone.
#[test]
fn a_phone_gets_a_timer_only_if_it_says_so_in_its_200() {
    for (more, refreshes) in
        [("Session-Expires: 600;refresher=uac\r\nAllow: UPDATE\r\n", true), ("", false)]
    {
        let mut house = House::new();
        let phone = house.registers(desk());
        let (_, invite) = house.rings(phone);
        assert_eq!(header(&invite, "Session-Expires"), Some("1800;refresher=uac"));
        assert_eq!(header(&invite, "Min-SE"), Some("90"));
        assert!(header(&invite, "Supported").unwrap().contains("timer"));
        let more = format!("Contact: <sip:lea@198.51.100.7:5060>\r\n{more}");
        house.hears(desk(), &answer(&invite, 200, "phone", &more, ANSWER));
        house.lines();

        house.passes(secs(301));

        let updated = house.lines().iter().any(|line| line.starts_with("UPDATE "));
        assert_eq!(updated, refreshes);
        house.passes(secs(7_000));
        let ended = house.take_events().iter().any(|event| matches!(event, Event::Ended { .. }));
        assert_eq!(ended, refreshes, "without a timer a call lasts as long as it lasts");
    }
}

/// RFC 4028 §7.3.
#[test]
fn an_invite_told_422_rings_with_their_minimum() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 422, "phone", "Min-SE: 4000\r\n", ""));
    let sent = house.take_sent();
    assert!(sent[0].starts_with("ACK "), "{sent:?}");
    let again = &sent[1];
    assert_eq!(header(again, "Session-Expires"), Some("4000;refresher=uac"));
    assert_eq!(header(again, "CSeq"), Some("2 INVITE"));
    assert_eq!(header(again, "Call-ID"), header(&invite, "Call-ID"));

    house.hears(desk(), &picks_up(again, "phone"));
    assert_eq!(house.take_events(), [Event::Answered { dialog, sdp: Some(ANSWER.into()) }]);
    assert_eq!(header(&house.take_sent()[0], "CSeq"), Some("2 ACK"));
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));

    let mut house = House::new();
    let phone = house.registers(desk());
    let (dialog, invite) = house.rings(phone);
    house.hears(desk(), &answer(&invite, 422, "phone", "Min-SE: 30\r\n", ""));
    assert_eq!(
        house.take_events(),
        [Event::Failed { dialog, why: Failure::Refused(422), cause: None }]
    );
}

/// An offer of the floor above waits for the refresh, and is not lost.
#[test]
fn an_offer_during_a_refresh_goes_out_after_it() {
    let mut house = House::new();
    let (dialog, _) = talks(&mut house, &ours(""));
    house.passes(secs(900));
    let refresh = house.take_sent().pop().unwrap();
    house.does(|endpoint, now| endpoint.offer(dialog, NEW_OFFER.into(), now));
    assert!(house.lines().is_empty());

    house.hears(trunk(), &answer(&refresh, 200, "caller", "", OFFER));

    let offer = house.take_sent().pop().unwrap();
    assert!(offer.starts_with("INVITE ") && offer.ends_with(NEW_OFFER), "{offer}");
    house.hears(trunk(), &answer(&offer, 200, "caller", "", ANSWER));
    assert_eq!(house.take_events(), [Event::OfferAnswered { dialog, answer: Some(ANSWER.into()) }]);
}

/// The caller asks us to refresh.
fn ours(more: &str) -> String {
    format!("Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n{more}")
}

/// A caller with these headers in their INVITE, up to the ACK.
fn talks(house: &mut House, more: &str) -> (DialogRef, String) {
    let uri = "sip:3977@203.0.113.1";
    let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", uri, "", 1, more, OFFER));
    house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
    let ok = house.take_sent().pop().unwrap();
    house.hears(trunk(), &ack(&ok, 1));
    house.take_events();
    (dialog, ok)
}

fn within(method: &str, ok: &str, cseq: u32, more: &str, sdp: &str) -> String {
    let tag = format!(";tag={}", to_tag(ok));
    let branch = format!("z9hG4bK{method}{cseq}");
    request(method, &branch, "sip:hotline@203.0.113.1", &tag, cseq, more, sdp)
}
