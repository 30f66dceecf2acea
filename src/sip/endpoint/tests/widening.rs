//! Requests too large for a datagram (RFC 3261 §18.1.1).

use super::*;

fn large() -> String {
    format!("{OFFER}a={}\r\n", "x".repeat(1_300))
}

fn over_tcp() -> Flow {
    Flow { transport: Transport::Tcp, ..trunk() }
}

/// RFC 3261 §18.1.1: above 1300 bytes, TCP; and the Via says so.
#[test]
fn a_request_too_large_for_a_datagram_goes_to_its_trunk_over_tcp() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();

    house.does(|endpoint, now| endpoint.offer(dialog, large().into(), now));

    let (flow, reinvite) = house.sent.pop().unwrap();
    assert_eq!(flow, over_tcp());
    assert!(header(&reinvite, "Via").unwrap().starts_with("SIP/2.0/TCP 203.0.113.1:5060"));
    house.passes(secs(3));
    assert!(house.sent.is_empty(), "TCP repeats nothing");

    // Its refusal is acknowledged by the same road.
    house.hears(over_tcp(), &answer(&reinvite, 488, "", "", ""));
    let (flow, ack) = house.sent.pop().unwrap();
    assert!(ack.starts_with("ACK ") && ack.contains("Via: SIP/2.0/TCP "), "{ack}");
    assert_eq!(flow, over_tcp());
}

/// RFC 3261 §18.1.1: nobody takes the connection, so it goes over UDP after all, and is repeated there.
#[test]
fn a_large_request_goes_over_udp_after_all_when_nobody_takes_the_connection() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, large().into(), now));
    let (_, first) = house.sent.pop().unwrap();

    house.does(|endpoint, now| endpoint.unconnected(over_tcp(), now));

    let (flow, second) = house.sent.pop().unwrap();
    assert_eq!(flow, trunk());
    assert_eq!(second, first.replace("SIP/2.0/TCP", "SIP/2.0/UDP"));
    house.passes(secs(2));
    assert_eq!(house.lines().len(), 2, "after 0.5 s and 1.5 s");
    assert!(house.take_events().is_empty());
}

#[test]
fn a_small_request_and_one_to_a_phone_stay_on_udp() {
    let mut house = House::new();
    let (dialog, _) = house.is_talking();
    house.does(|endpoint, now| endpoint.offer(dialog, OFFER.into(), now));
    assert_eq!(house.sent.pop().unwrap().0, trunk());

    let phone = house.registers(desk());
    let invitation = Invitation { offer: large().into(), ..invitation(phone) };
    house.does(|endpoint, now| {
        endpoint.invite(invitation, now);
    });
    assert_eq!(house.sent.pop().unwrap().0, desk());
}
