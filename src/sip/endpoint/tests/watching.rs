//! Lamps: SUBSCRIBE and NOTIFY (RFC 6665) for `dialog` (RFC 4235) and `presence` (RFC 3863).

use super::*;

/// RFC 4235: a lamp beside a name, lit by what that listener does, and by nothing that names a caller.
#[test]
fn a_listeners_phone_is_told_what_another_listener_does() {
    let mut house = House::new();
    house.registers(desk());
    house.does(|endpoint, now| endpoint.busies_with(&max(), Activity::Free, now));
    let notify = watches(&mut house, "dialog", 600);
    assert!(notify.starts_with("NOTIFY sip:lea@198.51.100.7:5060 "), "{notify}");
    assert_eq!(header(&notify, "Event"), Some("dialog"));
    assert_eq!(header(&notify, "Subscription-State"), Some("active;expires=600"));
    assert_eq!(header(&notify, "Content-Type"), Some("application/dialog-info+xml"));
    assert!(notify.contains("version=\"0\"") && !notify.contains("<state>"), "{notify}");
    assert!(notify.contains("entity=\"sip:max@hotline.example\""), "{notify}");
    house.hears(desk(), &answer(&notify, 200, "", "", ""));

    for (activity, state) in [
        (Activity::Rung, Some("<state>early</state>")),
        (Activity::Busy, Some("<state>confirmed</state>")),
        (Activity::Away, None),
    ] {
        house.does(|endpoint, now| endpoint.busies_with(&max(), activity, now));
        let notify = house.take_sent().pop().unwrap();
        match state {
            Some(state) => assert!(notify.contains(state), "{notify}"),
            None => assert!(!notify.contains("<state>"), "{notify}"),
        }
        assert!(!notify.contains("<remote>") && !notify.contains("<local>"), "{notify}");
        house.hears(desk(), &answer(&notify, 200, "", "", ""));
    }
    house.does(|endpoint, now| endpoint.busies_with(&max(), Activity::Away, now));
    house.does(|endpoint, now| endpoint.busies_with(&lea(), Activity::Busy, now));
    assert!(house.lines().is_empty(), "nothing new of Max");
}

/// RFC 3863.
#[test]
fn presence_is_open_only_for_who_is_free() {
    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "presence", 600);
    assert_eq!(header(&notify, "Content-Type"), Some("application/pidf+xml"));
    assert!(notify.contains("<basic>closed</basic>"), "nobody has heard of Max yet: {notify}");
    house.hears(desk(), &answer(&notify, 200, "", "", ""));
    house.does(|endpoint, now| endpoint.busies_with(&max(), Activity::Free, now));
    assert!(house.take_sent()[0].contains("<basic>open</basic>"));
}

/// RFC 6665 §4.2.2 and §4.4.1: an end by the clock, an end by wish, a look and no more.
#[test]
fn a_subscription_ends_by_time_or_by_wish_and_says_so() {
    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "dialog", 60);
    house.hears(desk(), &answer(&notify, 200, "", "", ""));
    house.passes(secs(61));
    let last = house.take_sent().pop().unwrap();
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=timeout"));
    house.hears(desk(), &answer(&last, 200, "", "", ""));

    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "dialog", 600);
    house.hears(desk(), &answer(&notify, 200, "", "", ""));
    house.hears(desk(), &again(&notify, 3, "dialog", 600));
    let sent = house.take_sent();
    assert_eq!(header(&sent[0], "Expires"), Some("600"));
    house.hears(desk(), &answer(&sent[1], 200, "", "", ""));
    house.hears(desk(), &again(&notify, 4, "dialog", 0));
    let sent = house.take_sent();
    assert_eq!(header(&sent[0], "Expires"), Some("0"));
    assert_eq!(header(&sent[1], "Subscription-State"), Some("terminated;reason=timeout"));
    house.hears(desk(), &again(&notify, 5, "dialog", 600));
    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);

    let mut house = House::new();
    house.registers(desk());
    let only = watches(&mut house, "dialog", 0);
    assert_eq!(header(&only, "Subscription-State"), Some("terminated;reason=timeout"));
    house.hears(desk(), &answer(&only, 200, "", "", ""));
    assert!(house.endpoint.watches.is_empty());
    house.is_empty_in_the_end();
}

/// RFC 6665 §4.2.1 and §7.3.
#[test]
fn an_unknown_package_is_489_with_those_we_have() {
    let mut house = House::new();
    house.registers(desk());
    for event in ["Event: message-summary\r\n", "Event: dialogue\r\n", "Event: ;;\r\n", ""] {
        house.hears(desk(), &subscribe("max", 1, event, "Expires: 600\r\n"));
        let refusal = house.take_sent().pop().unwrap();
        assert!(refusal.starts_with("SIP/2.0 489 Bad Event"), "{refusal}");
        assert_eq!(header(&refusal, "Allow-Events"), Some("dialog, presence"));
    }
    assert!(house.endpoint.watches.is_empty());
}

/// Only listeners who prove it watch, and only listeners are watched.
#[test]
fn nobody_watches_without_a_password() {
    let mut house = House::new();
    house.registers(desk());
    let plain = subscribe("max", 1, "Event: dialog\r\n", "Expires: 600\r\n");
    house.hears(desk(), &plain);
    assert_eq!(house.lines(), ["SIP/2.0 401 Unauthorized"]);
    house.hears(trunk(), &plain);
    assert_eq!(house.lines(), ["SIP/2.0 403 Forbidden"]);
    house.hears(flow(Transport::Udp, "198.51.100.66:5060"), &plain);
    assert!(house.lines().is_empty(), "strangers hear nothing");

    for (whom, more, line) in [
        ("nobody", "Expires: 600\r\n", "SIP/2.0 404 Not Found"),
        ("max", "Expires: 59\r\n", "SIP/2.0 423 Interval Too Brief"),
        ("max", "Accept: application/rlmi+xml\r\n", "SIP/2.0 406 Not Acceptable"),
    ] {
        let (_, last) = proves(&mut house, whom, "Event: dialog\r\n", more);
        assert_eq!(last, line);
    }
    assert!(house.endpoint.watches.is_empty());
}

/// RFC 6665 §4.2.2: one NOTIFY at a time; what changed meanwhile is told once.
#[test]
fn news_while_a_notify_is_out_is_told_after_it() {
    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "dialog", 600);
    for activity in [Activity::Free, Activity::Rung, Activity::Busy] {
        house.does(|endpoint, now| endpoint.busies_with(&max(), activity, now));
    }
    assert!(house.lines().is_empty());

    house.hears(desk(), &answer(&notify, 200, "", "", ""));

    let sent = house.take_sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("confirmed") && sent[0].contains("version=\"1\""), "{}", sent[0]);
}

/// RFC 6665 §4.2.2: who refuses news or does not answer is forgotten.
#[test]
fn a_watcher_who_is_gone_is_forgotten() {
    for status in [Some(481), Some(489), Some(500), None] {
        let mut house = House::new();
        house.registers(desk());
        let notify = watches(&mut house, "dialog", 3600);
        match status {
            Some(status) => house.hears(desk(), &answer(&notify, status, "", "", "")),
            None => house.passes(secs(33)),
        }
        assert!(house.endpoint.watches.is_empty(), "{status:?}");
        assert!(house.endpoint.watch_index.is_empty());
        house.is_empty_in_the_end();
    }
}

/// A subscription is its subscriber's: nobody else lengthens or ends it.
#[test]
fn a_subscription_is_changed_only_from_where_it_came() {
    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "dialog", 600);
    let elsewhere = flow(Transport::Udp, "192.0.2.1:5060");

    house.hears(elsewhere, &again(&notify, 3, "dialog", 0));

    assert_eq!(house.lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    assert_eq!(house.endpoint.watches.len(), 1);
    house.hears(desk(), &again(&notify, 3, "presence", 0));
    assert_eq!(house.lines(), ["SIP/2.0 489 Bad Event"]);
    house.hears(desk(), &again(&notify, 2, "dialog", 0));
    assert_eq!(house.lines(), ["SIP/2.0 500 Server Internal Error"], "out of order");
}

/// A plan without the account ends what it watched.
#[test]
fn an_account_that_is_gone_is_watched_no_more() {
    let mut house = House::new();
    house.registers(desk());
    let notify = watches(&mut house, "dialog", 600);
    house.hears(desk(), &answer(&notify, 200, "", "", ""));

    house.does(|endpoint, now| {
        let mut setup = setup();
        setup.accounts.remove(&max());
        endpoint.reconfigured(setup, now);
    });

    let last = house.take_sent().pop().unwrap();
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=noresource"));
    assert!(house.endpoint.watches.is_empty());
}

/// Every table has its end.
#[test]
fn one_listener_watches_so_many_and_no_more() {
    let mut house = House::new();
    house.registers(desk());
    for n in 0..256 {
        let (sent, line) =
            proves_as(&mut house, &format!("sub{n}"), "max", "Event: dialog\r\n", "");
        assert!(line.starts_with("SIP/2.0 200"), "{line}");
        house.hears(desk(), &answer(&sent[1], 200, "", "", ""));
        // Challenges are few and far between.
        house.now = house.now.plus(secs(2));
    }
    let (_, line) = proves_as(&mut house, "last", "max", "Event: dialog\r\n", "");
    assert_eq!(line, "SIP/2.0 503 Service Unavailable");
}

fn max() -> ListenerName {
    "max".parse().unwrap()
}

/// Léa's phone watches Max; returns the first NOTIFY.
fn watches(house: &mut House, package: &str, expires: u32) -> String {
    let event = format!("Event: {package}\r\n");
    let (sent, _) = proves(house, "max", &event, &format!("Expires: {expires}\r\n"));
    assert!(sent[0].starts_with("SIP/2.0 200"), "{sent:?}");
    assert_eq!(header(&sent[0], "Expires"), Some(expires.to_string().as_str()));
    sent[1].clone()
}

fn proves(house: &mut House, whom: &str, event: &str, more: &str) -> (Vec<String>, String) {
    proves_as(house, &format!("sub-{whom}"), whom, event, more)
}

/// Subscribes, meets the challenge; what was sent then, and its first line.
fn proves_as(
    house: &mut House,
    call_id: &str,
    whom: &str,
    event: &str,
    more: &str,
) -> (Vec<String>, String) {
    let text = |cseq: u32, more: &str| {
        subscribe(whom, cseq, event, more)
            .replace("Call-ID: sub", &format!("Call-ID: {call_id}"))
            .replace("branch=z9hG4bKsub", &format!("branch=z9hG4bK{call_id}{}", more.len()))
    };
    house.hears(desk(), &text(1, more));
    let challenge = house.take_sent().pop().expect("a challenge");
    let uri = format!("sip:{whom}@hotline.example");
    let proof = authorization(&challenge, "lea", "secret", Method::Subscribe, &uri);
    house.hears(desk(), &text(2, &format!("{more}{proof}")));
    let sent = house.take_sent();
    let line = sent[0].lines().next().unwrap_or_default().to_owned();
    (sent, line)
}

fn subscribe(whom: &str, cseq: u32, event: &str, more: &str) -> String {
    format!(
        "SUBSCRIBE sip:{whom}@hotline.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKsub{cseq}{};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:lea@hotline.example>;tag=phone\r\n\
         To: <sip:{whom}@hotline.example>\r\n\
         Call-ID: sub\r\n\
         CSeq: {cseq} SUBSCRIBE\r\n\
         Contact: <sip:lea@198.51.100.7:5060>\r\n\
         {event}{more}Content-Length: 0\r\n\r\n",
        event.len()
    )
}

/// SUBSCRIBE inside the subscription a NOTIFY belongs to.
fn again(notify: &str, cseq: u32, package: &str, expires: u32) -> String {
    let (from, to) = (header(notify, "To").unwrap(), header(notify, "From").unwrap());
    let call_id = header(notify, "Call-ID").unwrap();
    format!(
        "SUBSCRIBE sip:hotline@203.0.113.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKagain{cseq}{package};rport\r\n\
         Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq} SUBSCRIBE\r\nContact: <sip:lea@198.51.100.7:5060>\r\n\
         Event: {package}\r\nExpires: {expires}\r\nContent-Length: 0\r\n\r\n"
    )
}
