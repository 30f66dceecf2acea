//! Too much at once.

use super::*;

#[test]
fn a_call_beyond_the_limit_is_refused_without_a_trace() {
    for (second_node, status, name) in [(false, "486", "Reason"), (true, "503", "Retry-After")] {
        let mut house = House::with(Setup { dialogs_max: 1, second_node, ..setup() });
        house.is_invited(&invite("z9hG4bKone"));
        house.lines();
        let load = house.endpoint.load();

        house.hears(trunk(), &invite("z9hG4bKtwo").replace("call-1", "call-2"));

        let sent = house.take_sent().pop().unwrap();
        assert!(sent.starts_with(&format!("SIP/2.0 {status}")), "{sent}");
        assert!(header(&sent, name).is_some(), "{sent}");
        assert_eq!(house.endpoint.load(), load);
        assert!(house.take_events().is_empty());
    }
}

#[test]
fn under_load_what_was_begun_goes_on_and_nothing_is_begun() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    let load = house.endpoint.load();
    let late = |house: &mut House, text: &str| {
        house.endpoint.overloaded(trunk(), text.as_bytes(), house.now);
        house.collect();
    };

    late(&mut house, &invite("z9hG4bKnew").replace("call-1", "call-2"));
    assert_eq!(house.lines(), ["SIP/2.0 486 Busy Here"]);
    late(&mut house, &register("r", 1, "<sip:a@10.0.0.7>", 600, ""));
    assert!(house.lines().is_empty());
    assert_eq!(house.endpoint.load(), load);

    late(&mut house, &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(house.take_events(), [Event::Ended { dialog, ending: Ending::HungUp, cause: None }]);
}

/// A flood of calls that nobody acknowledges the refusal of: the house says each again (RFC 3261 §17.2.1),
/// but doesn't fill up with them, and is no amplifier of what a forger sends it.
#[test]
fn refusals_that_nobody_acknowledges_are_bounded_and_keep_no_hang_up_out() {
    const CALLS: usize = 10_000;
    let mut house = House::new();
    let (talking, ok) = house.is_talking();
    let (endpoint, now) = (&mut house.endpoint, house.now);
    for count in 0..CALLS {
        let call = invite(&format!("z9hG4bK{count}")).replace("call-1", &format!("call-{count}x"));
        endpoint.received(trunk(), call.as_bytes(), now);
        let outputs: Vec<Output> = std::iter::from_fn(|| endpoint.poll_output()).collect();
        let dialog = outputs.iter().find_map(|output| match output {
            Output::Tell(Event::Invited { dialog, .. }) => Some(*dialog),
            Output::Tell(_) | Output::Send(_) | Output::Close(_) => None,
            Output::LookUp(_) | Output::Expect { .. } => None,
        });
        endpoint.refuse(dialog.unwrap(), Refusal::Overload, now);
        while endpoint.poll_output().is_some() {}
    }
    assert!(endpoint.load().transactions < CALLS / 2, "{:?}", endpoint.load());

    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    let ended = Event::Ended { dialog: talking, ending: Ending::HungUp, cause: None };
    assert_eq!(house.take_events(), [ended]);

    let now = house.now.plus(Duration::from_millis(500));
    house.endpoint.handle_timeout(now);
    let again = std::iter::from_fn(|| house.endpoint.poll_output()).count();
    assert!(again < CALLS / 2, "{again} are said again");
}

/// A phone that is broken, or worse: each request inside a call is remembered for half a minute.
#[test]
fn who_asks_without_end_inside_a_call_is_put_off_and_may_still_hang_up() {
    let mut house = House::new();
    let (dialog, ok) = house.is_talking();
    let asks = |house: &mut House, cseq: u32| {
        house.hears(trunk(), &inside("OPTIONS", &format!("z9hG4bKo{cseq}"), &ok, cseq, ""));
        house.take_sent().pop().unwrap()
    };
    for cseq in 2..202 {
        assert!(asks(&mut house, cseq).starts_with("SIP/2.0 200"), "{cseq}");
    }
    let load = house.endpoint.load();

    for cseq in 202..1_000 {
        let answer = asks(&mut house, cseq);
        assert!(answer.starts_with("SIP/2.0 500"), "{answer}");
        assert!(header(&answer, "Retry-After").is_some(), "{answer}");
    }
    assert_eq!(house.endpoint.load(), load);
    house.passes(Duration::from_secs(10));
    assert!(asks(&mut house, 202).starts_with("SIP/2.0 200"));

    for cseq in 1_000..1_300 {
        asks(&mut house, cseq);
    }
    house.hears(trunk(), &inside("BYE", "z9hG4bKbye", &ok, 2_000, ""));
    assert_eq!(house.lines(), ["SIP/2.0 200 OK"]);
    let ended = Event::Ended { dialog, ending: Ending::HungUp, cause: None };
    assert_eq!(house.take_events(), [ended]);
    house.is_empty_in_the_end();
}

/// RFC 7339 §4, §5: a trunk that asks by `oc` is told what share of its calls is only refused, and that it
/// is over when it is.
#[test]
fn a_trunk_that_asks_is_advised_of_the_share_that_is_refused() {
    let mut house = House::with(Setup { dialogs_max: 1, ..setup() });
    let asking = |count: u32| {
        invite(&format!("z9hG4bK{count}"))
            .replace(";rport", ";rport;oc;oc-algo=\"loss,A\"")
            .replace("call-1", &format!("call-{count}"))
    };
    let oc = |house: &mut House| {
        let sent = house.take_sent().pop().unwrap();
        header(&sent, "Via").unwrap().split_once(";oc=").unwrap().1.to_owned()
    };
    house.hears(trunk(), &asking(1));
    let calm = oc(&mut house);
    assert!(calm.starts_with("0;oc-algo=\"loss\";oc-validity=0;oc-seq="), "{calm}");

    for count in 2..=4 {
        house.hears(trunk(), &asking(count));
        house.take_sent();
    }
    house.passes(Duration::from_secs(2));
    house.take_sent();
    house.hears(trunk(), &asking(5));
    let full = oc(&mut house);
    assert!(full.starts_with("75;oc-algo=\"loss\";oc-validity=4000;oc-seq="), "{full}");
    let sequence = |oc: &str| oc.rsplit_once('=').unwrap().1.parse::<f64>().unwrap();
    assert!(sequence(&full) > sequence(&calm));

    house.passes(Duration::from_secs(10));
    house.take_sent();
    house.hears(trunk(), &asking(6));
    let calm = oc(&mut house);
    assert!(calm.starts_with("0;oc-algo=\"loss\";oc-validity=0"), "{calm}");
}

/// RFC 7339 §5.1: who asks for nothing, or is no trunk, is told nothing.
#[test]
fn nobody_else_is_advised() {
    let mut house = House::new();
    house.hears(trunk(), &invite("z9hG4bKplain"));
    assert!(house.take_sent().iter().all(|sent| !sent.contains(";oc")), "it did not ask");

    let asks = invite("z9hG4bKother").replace(";rport", ";rport;oc").replace("call-1", "call-2");
    house.hears(flow(Transport::Udp, "203.0.113.66:5060"), &asks);
    let sent = house.take_sent();
    assert!(sent.iter().all(|sent| !sent.contains("oc-seq")), "{sent:?}");
}
