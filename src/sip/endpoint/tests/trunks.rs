//! Our own requests to trunks: REGISTER, OPTIONS, INVITE; and digests that stay at home (T-07).

use super::*;
use crate::sip::{Dress, TrunkAccount, TrunkPeer};

const REALM: &str = "trunk.example";
const MOBILE: &str = "+33639980001";

/// RFC 3261 §10.2, RFC 7616, RFC 8760.
#[test]
fn it_registers_with_a_trunk_and_answers_its_challenge() {
    let mut house = registering();
    let register = house.take_sent().remove(0);
    assert!(register.starts_with("REGISTER sip:trunk.example SIP/2.0\r\n"), "{register}");
    assert_eq!(header(&register, "To"), Some("<sip:ours@trunk.example>"));
    assert_eq!(header(&register, "Expires"), Some("600"));
    assert!(header(&register, "Authorization").is_none());

    house.hears(sbc(), &challenge(&register, 401, REALM, "a"));
    house.passes(Duration::from_millis(1));
    let again = house.take_sent().remove(0);
    let proof = header(&again, "Authorization").unwrap();
    assert!(proof.contains("username=\"ours\"") && proof.contains("algorithm=SHA-256"), "{proof}");
    assert_eq!(header(&again, "CSeq"), Some("2 REGISTER"));
    assert_eq!(header(&again, "Call-ID"), header(&register, "Call-ID"));
    let contact = header(&again, "Contact").unwrap().to_owned();
    let granted = format!("Contact: {contact};expires=100\r\n");
    house.hears(sbc(), &answer(&again, 200, "sbc", &granted, ""));
    assert_eq!(house.take_events(), [Event::TrunkChanged { trunk: name() }]);
    assert_eq!(house.endpoint.trunks(house.now.steady)[0].registered, Some(true));

    house.passes(Duration::from_secs(49));
    assert!(registers(&mut house).is_empty());
    house.passes(Duration::from_secs(32));
    assert_eq!(registers(&mut house).len(), 1, "between half and four fifths of it");
}

/// domain.md T-07: a digest is for the configured peer and the configured realm alone.
#[test]
fn no_digest_for_another_realm_or_from_another_address() {
    let mut house = registering();
    let register = house.take_sent().remove(0);

    house.hears(stranger(), &challenge(&register, 401, REALM, "a"));
    assert!(house.take_sent().is_empty(), "not from there");
    house.hears(sbc(), &challenge(&register, 401, "rogue.example", "a"));
    assert!(house.take_sent().is_empty(), "not for them");
    house.passes(Duration::from_secs(14));
    assert!(registers(&mut house).is_empty(), "and not at once again");
}

/// domain.md T-07: someone answers our BYE with 407.
#[test]
fn a_challenge_to_a_goodbye_is_not_answered() {
    let mut house = registering();
    house.take_sent();
    let (dialog, _) = house.is_talking();
    house.take_sent();
    house.does(|endpoint, now| endpoint.end(dialog, Reason::Normal, now));
    let bye = house.take_sent().pop().unwrap();

    house.hears(trunk(), &challenge(&bye, 407, REALM, "a"));

    assert!(house.take_sent().iter().all(|sent| !sent.contains("Authorization")));
}

/// RFC 3261 §22.2: the same INVITE with credentials, twice at the most.
#[test]
fn a_call_of_ours_proves_itself_twice_and_no_more() {
    let mut house = registering();
    house.take_sent();
    let dialog = calls(&mut house, MOBILE);
    let mut invite = house.take_sent().remove(0);
    assert!(
        invite.starts_with("INVITE sip:0639980001@trunk.example;user=phone SIP/2.0"),
        "{invite}"
    );
    assert_eq!(header(&invite, "Privacy"), Some("id"));

    for nonce in ["a", "b"] {
        house.hears(sbc(), &challenge(&invite, 407, REALM, nonce));
        let sent = house.take_sent();
        assert!(sent[0].starts_with("ACK "), "{sent:?}");
        invite = sent[1].clone();
        let proof = header(&invite, "Proxy-Authorization").unwrap();
        assert!(proof.contains(&format!("nonce=\"{nonce}\"")), "{proof}");
    }
    assert_eq!(header(&invite, "CSeq"), Some("3 INVITE"));
    house.hears(sbc(), &challenge(&invite, 407, REALM, "c"));
    assert!(house.take_sent().iter().all(|sent| sent.starts_with("ACK ")));
    let why = Failure::Refused(407);
    assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }]);
}

/// domain.md T-01.
#[test]
fn what_is_not_on_the_list_is_not_called() {
    let mut house = registering();
    house.take_sent();
    for number in ["+88213123456", "3949", "+33899123456"] {
        let dialog = calls(&mut house, number);

        let why = Failure::Refused(403);
        assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }], "{number}");
        assert!(house.take_sent().is_empty(), "{number}");
    }
}

/// domain.md T-01: four at once; after an hour somebody has to decide.
#[test]
fn four_calls_at_once_and_after_an_hour_it_is_told() {
    let mut house = registering();
    house.take_sent();
    let first = calls(&mut house, MOBILE);
    let invite = house.take_sent().remove(0);
    for _ in 0..3 {
        calls(&mut house, MOBILE);
    }
    assert!(house.take_events().is_empty());
    let fifth = calls(&mut house, MOBILE);
    let why = Failure::Refused(403);
    assert_eq!(house.take_events(), [Event::Failed { dialog: fifth, why, cause: None }]);

    house.hears(sbc(), &picks_up(&invite, "mobile"));
    house.take_events();
    house.sent.clear();
    house.passes(Duration::from_secs(3_601));
    assert!(house.take_events().contains(&Event::Outlasted { dialog: first }));
    assert!(house.take_sent().iter().all(|sent| !sent.starts_with("BYE ")));
}

/// domain.md T-13, T-01: nothing a trunk says makes us call somebody else.
#[test]
fn a_redirection_is_not_followed() {
    let mut house = registering();
    house.take_sent();
    let dialog = calls(&mut house, MOBILE);
    let invite = house.take_sent().remove(0);

    let elsewhere = "Contact: <sip:+88213123456@192.0.2.1>\r\n";
    house.hears(sbc(), &answer(&invite, 302, "sbc", elsewhere, ""));

    // Taken for a plain no (scenarios.md SC-28).
    let why = Failure::Refused(480);
    assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }]);
    assert!(house.take_sent().iter().all(|sent| sent.starts_with("ACK ")));
}

fn registering() -> House {
    let mut setup = setup();
    let access = &mut setup.trunks[0];
    access.peers = vec![TrunkPeer { transport: Transport::Udp, address: sbc().peer }];
    access.domain = Some(REALM.into());
    access.dress = Dress::National;
    access.account = Some(TrunkAccount {
        username: "ours".into(),
        realm: REALM.into(),
        ha1_md5: "1".repeat(32),
        ha1_sha256: "2".repeat(64),
        registers: true,
        expiry: Duration::from_secs(600),
    });
    setup.callable.insert(MOBILE.parse().unwrap());
    let mut house = House::with(setup.clone());
    house.does(|endpoint, now| endpoint.reconfigured(setup, now));
    house.passes(Duration::from_millis(1));
    house
}

fn calls(house: &mut House, number: &str) -> DialogRef {
    let number = number.parse().unwrap();
    let mut by = None;
    house.does(|endpoint, now| by = endpoint.way_out(&name(), &[], now));
    let by = by.expect("an address that answers");
    let invitation = Invitation {
        target: Target::Trunk { trunk: name(), number, by },
        from_user: "3977".into(),
        from_display: "3977".into(),
        offer: OFFER.into(),
        alert_info: None,
    };
    let mut dialog = None;
    house.does(|endpoint, now| dialog = Some(endpoint.invite(invitation, now)));
    dialog.unwrap()
}

fn registers(house: &mut House) -> Vec<String> {
    let mut sent = house.take_sent();
    sent.retain(|sent| sent.starts_with("REGISTER "));
    // Copies left out.
    sent.dedup();
    sent
}

fn challenge(request: &str, status: u16, realm: &str, nonce: &str) -> String {
    let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let value = |algorithm: &str| {
        format!(
            "{name}: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}\r\n"
        )
    };
    answer(request, status, "sbc", &(value("MD5") + &value("SHA-256")), "")
}

/// The trunk's machine that takes our requests.
fn sbc() -> Flow {
    trunk()
}

fn stranger() -> Flow {
    Flow { peer: "203.0.113.66:5060".parse().unwrap(), ..trunk() }
}

fn name() -> crate::base::TrunkName {
    "operator".parse().unwrap()
}
