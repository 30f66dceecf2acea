//! Flows that phones keep (RFC 5626), and browsers, which have no address at all (RFC 7118).

use super::*;

const INSTANCE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";

fn over(connection: u64) -> Flow {
    Flow { connection, ..flow(Transport::Wss, "198.51.100.7:41000") }
}

/// A house with a door for browsers.
fn house() -> House {
    let mut setup = setup();
    let door = Door { transport: Transport::Wss, ..setup.doors[0].clone() };
    setup.doors.push(door);
    House::with(setup)
}

/// The REGISTER of a browser, as JsSIP writes it; its Via and Contact name nothing that exists.
fn browser_registers(house: &mut House, flow: Flow, reg_id: u32, supported: &str) -> String {
    let call_id = format!("web{reg_id}-{}", flow.connection);
    let contact =
        format!("<sip:k3v9@df7jal23ls0d.invalid;transport=ws>;{INSTANCE};reg-id={reg_id}");
    let text = |cseq: u32, authorization: &str| {
        register(&call_id, cseq, &contact, 600, authorization)
            .replace("SIP/2.0/UDP 198.51.100.7:5060", "SIP/2.0/WSS df7jal23ls0d.invalid;keep")
            .replace("Max-Forwards", &format!("Supported: {supported}\r\nMax-Forwards"))
    };
    house.hears(flow, &text(1, ""));
    let challenge = house.take_sent().pop().expect("a challenge");
    let authorization = authorization(&challenge, "lea", "secret", Method::Register, REGISTRAR);
    house.hears(flow, &text(2, &authorization));
    house.take_events();
    house.take_sent().pop().expect("an answer")
}

/// RFC 5626 §6, RFC 6223 §4, RFC 7118 §5.
#[test]
fn a_browser_registers_by_its_flow_and_is_rung_over_it() {
    let mut house = house();

    let ok = browser_registers(&mut house, over(4), 1, "path,gruu,outbound");

    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    assert_eq!(header(&ok, "Require"), Some("outbound"));
    assert_eq!(header(&ok, "Flow-Timer"), Some("120"));
    assert!(header(&ok, "Via").unwrap().contains(";keep=120"), "{ok}");
    assert!(header(&ok, "Contact").unwrap().contains("reg-id=1"), "{ok}");

    let phone = house.endpoint.phones(&lea())[0].phone;
    house.does(|endpoint, now| {
        endpoint.invite(invitation(phone), now);
    });
    let (flow, invite) = house.sent.pop().unwrap();
    assert_eq!(flow, over(4));
    assert!(invite.starts_with("INVITE sip:k3v9@df7jal23ls0d.invalid;transport=ws "), "{invite}");
    assert!(invite.contains("Via: SIP/2.0/WSS 203.0.113.1:5060"), "{invite}");
    assert!(header(&invite, "Contact").unwrap().contains("transport=ws"), "{invite}");
}

/// RFC 5626 §6: without the option tag a reg-id means nothing.
#[test]
fn a_reg_id_without_outbound_is_an_ordinary_registration() {
    let mut house = house();

    let ok = browser_registers(&mut house, over(4), 1, "path");

    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    assert_eq!(header(&ok, "Require"), None);
    assert!(!header(&ok, "Contact").unwrap().contains("reg-id"), "{ok}");
}

/// RFC 5626 §6: a proxy in between that knows nothing of flows would lose them.
#[test]
fn a_flow_through_a_proxy_without_outbound_is_refused_with_439() {
    let mut house = house();
    let contact = format!("<sip:k@x.invalid;transport=ws>;{INSTANCE};reg-id=1");
    let second =
        "Supported: outbound\r\nVia: SIP/2.0/WSS x.invalid;branch=z9hG4bKp\r\nMax-Forwards";
    let text = |cseq: u32, authorization: &str| {
        register("r", cseq, &contact, 600, authorization).replace("Max-Forwards", second)
    };
    house.hears(over(4), &text(1, ""));
    let challenge = house.take_sent().pop().unwrap();
    let authorization = authorization(&challenge, "lea", "secret", Method::Register, REGISTRAR);
    house.hears(over(4), &text(2, &authorization));

    assert_eq!(house.lines(), ["SIP/2.0 439 First Hop Lacks Outbound Support"]);
    assert_eq!(house.endpoint.load().phones, 0);
}

/// RFC 5626 §7.2: a flow that fails before the phone stirred gives way to the other one, unseen.
#[test]
fn an_invite_goes_by_the_other_flow_when_one_has_failed() {
    for why in ["closed", "430"] {
        let mut house = house();
        browser_registers(&mut house, over(4), 1, "outbound");
        browser_registers(&mut house, over(5), 2, "outbound");
        assert_eq!(house.endpoint.phones(&lea()).len(), 1, "two flows, one phone");
        let phone = house.endpoint.phones(&lea())[0].phone;
        let (dialog, first) = house.rings(phone);

        if why == "closed" {
            house.does(|endpoint, now| endpoint.flow_closed(over(5), now));
        } else {
            house.hears(over(5), &answer(&first, 430, "edge", "", ""));
        }

        let (flow, second) = house.sent.pop().expect("another INVITE");
        assert_eq!(flow, over(4), "{why}");
        assert_ne!(header(&first, "Call-ID"), header(&second, "Call-ID"));
        house.take_events();
        house.hears(over(4), &picks_up(&second, "web"));
        let sdp = Some(ANSWER.into());
        assert_eq!(house.take_events(), [Event::Answered { dialog, sdp }], "{why}");
    }
}

/// RFC 5626 §7.2: with no other flow the call fails at once, as ever.
#[test]
fn an_invite_over_the_only_flow_fails_with_it() {
    let mut house = house();
    browser_registers(&mut house, over(4), 1, "outbound");
    let phone = house.endpoint.phones(&lea())[0].phone;
    let (dialog, _) = house.rings(phone);

    house.does(|endpoint, now| endpoint.flow_closed(over(4), now));

    let failed = Event::Failed { dialog, why: Failure::Unreachable, cause: None };
    assert!(house.take_events().contains(&failed));
    assert_eq!(house.endpoint.load().phones, 0);
}
