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
