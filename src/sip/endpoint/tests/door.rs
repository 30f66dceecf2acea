//! At the door: who is let in, who is challenged, who hears nothing.

use super::*;

#[test]
fn a_phone_registers_after_a_challenge_best_algorithm_first() {
    let mut house = House::new();
    let contact = "<sip:lea@10.0.0.7:5060>";
    house.hears(desk(), &register("r", 1, contact, 600, ""));
    let challenge = house.take_sent().pop().unwrap();
    let offered: Vec<&str> =
        challenge.lines().filter(|line| line.starts_with("WWW-Authenticate")).collect();
    assert_eq!(offered.len(), 2, "{challenge}");
    assert!(offered[0].contains("SHA-256") && offered[1].contains("MD5"), "{challenge}");
    assert_eq!(house.endpoint.load(), Load::default(), "challenges are stateless");

    let authorization = authorization(&challenge, "lea", "secret", Method::Register, REGISTRAR);
    house.hears(desk(), &register("r", 2, contact, 600, &authorization));

    let ok = house.take_sent().pop().unwrap();
    assert_eq!(header(&ok, "Contact"), Some("<sip:lea@10.0.0.7:5060>;expires=600"));
    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    let phones = house.endpoint.phones(&lea());
    assert_eq!((phones[0].flow, phones[0].user_agent.as_str()), (desk(), "Telephone 3000"));

    // A repetition gets the same answer; a replay in a new transaction a new challenge.
    house.hears(desk(), &register("r", 2, contact, 600, &authorization));
    assert!(house.take_sent()[0].starts_with("SIP/2.0 200"));
    house.hears(desk(), &register("r", 3, contact, 600, &authorization));
    let again = house.take_sent().pop().unwrap();
    assert!(again.starts_with("SIP/2.0 401") && again.contains("stale=true"), "{again}");

    house.passes(secs(601));
    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    assert_eq!(house.endpoint.load(), Load::default());
}

#[test]
fn a_known_and_an_unknown_user_hear_the_same() {
    let mut house = House::new();
    let known = register("r", 1, "<sip:a@10.0.0.7>", 600, "");
    let unknown = known.replace("sip:lea@", "sip:bob@");
    house.hears(desk(), &known);
    house.hears(desk(), &unknown);

    let sent = house.take_sent();
    let shape = |text: &str| text.lines().map(|line| line.len()).collect::<Vec<_>>();
    assert_eq!(shape(&sent[0]), shape(&sent[1]));
}

/// domain.md T-02: the answers to names that exist and to names that don't, taken together, are the
/// same bytes as often, whatever the accounts ask for; only chance differs.
#[test]
fn a_thousand_guesses_tell_nobody_who_exists() {
    let mut setup = setup();
    let own = Account {
        algorithms: Some(vec![Algorithm::Md5]),
        ..setup.accounts.get("lea").unwrap().clone()
    };
    let shared = Account { algorithms: None, ..own.clone() };
    setup.accounts = (0..400)
        .map(|n| {
            let account = if n % 4 == 0 { &own } else { &shared };
            (format!("listener{n}").parse().unwrap(), account.clone())
        })
        .collect();
    let mut house = House::with(setup);
    let mut answers = |name: &str, n: u32| {
        let peer = format!("198.51.{}.{}:5060", n / 200, 1 + n % 200);
        let first = register("r", 1, "<sip:a@10.0.0.7>", 600, "").replace("lea", name);
        house.hears(flow(Transport::Udp, &peer), &first);
        let challenge = house.take_sent().pop().unwrap();
        let guess = authorization(&challenge, name, "guess", Method::Register, REGISTRAR);
        let second = register("r", 2, "<sip:a@10.0.0.7>", 600, &guess).replace("lea", name);
        house.hears(flow(Transport::Udp, &peer), &second);
        let refusal = house.take_sent().pop().unwrap();
        [challenge, refusal].map(|text| blank(&text, name))
    };

    let mut known = BTreeMap::<[String; 2], usize>::new();
    let mut unknown = BTreeMap::<[String; 2], usize>::new();
    for n in 0..400 {
        *known.entry(answers(&format!("listener{n}"), n)).or_default() += 1;
        *unknown.entry(answers(&format!("stranger{n}"), n)).or_default() += 1;
    }

    assert_eq!(known.keys().collect::<Vec<_>>(), unknown.keys().collect::<Vec<_>>());
    assert_eq!(known.values().sum::<usize>(), 400);
    for (kind, count) in &known {
        // 100 or 300 of 400; four standard deviations of the draw.
        assert!(unknown[kind].abs_diff(*count) < 36, "{known:?} {unknown:?}");
    }
}

/// A message without what is different every time, of the same length as it was.
fn blank(text: &str, name: &str) -> String {
    let mut blank = text.replace(name, "NAME");
    for key in ["nonce=\"", ";tag=", "received=", "rport="] {
        let pieces: Vec<String> = blank
            .split(key)
            .enumerate()
            .map(|(at, piece)| {
                let end = piece.find(['"', ';', '\r', ',']).unwrap_or(piece.len());
                // The address is the sender's own; all else must be as long.
                let is_address = matches!(key, "received=" | "rport=");
                match at {
                    0 => piece.to_owned(),
                    _ if piece.starts_with("phone") => piece.to_owned(),
                    _ if is_address => format!("x{}", &piece[end..]),
                    _ => format!("{}{}", "x".repeat(end), &piece[end..]),
                }
            })
            .collect();
        blank = pieces.join(key);
    }
    blank
}

/// scenarios.md SC-39: a scanner of many addresses, and a listener among it.
#[test]
fn a_listener_registers_while_two_hundred_others_guess_at_the_password() {
    let mut house = House::new();
    house.hears(desk(), &register("r", 1, "<sip:a@10.0.0.7>", 600, ""));
    let challenge = house.take_sent().pop().unwrap();
    for second in 0..5 {
        for n in 0..2_000_u32 {
            let guesser = flow(Transport::Udp, &format!("203.0.113.{}:5060", 2 + n % 200));
            let name = if n % 2 == 0 { "lea" } else { "bob" };
            let more = authorization(&challenge, name, "guess", Method::Register, REGISTRAR);
            let call_id = format!("g{second}-{n}");
            let guess = register(&call_id, 1, "<sip:a@10.0.0.7>", 600, &more);
            house.endpoint.received(guesser, guess.as_bytes(), house.now);
        }
        let mut answers = 0;
        while let Some(output) = house.endpoint.poll_output() {
            answers += usize::from(matches!(output, Output::Send(_)));
        }
        assert!(answers <= 200 * 21, "{answers} answers in second {second}");
        assert_eq!(house.endpoint.load(), Load::default());

        house.registers(desk());
        house.registers_with(flow(Transport::Udp, "203.0.112.9:5060"), "<sip:new@10.0.0.9>", 600);
        house.endpoint.registrar.keep_only(|_| false);
        house.passes(secs(1));
        house.passes(secs(40));
        house.take_events();
    }
}

#[test]
fn an_account_may_ask_for_its_own_algorithm() {
    let mut setup = setup();
    setup.accounts.get_mut("lea").unwrap().algorithms = Some(vec![Algorithm::Md5]);
    let mut house = House::with(setup);

    house.hears(desk(), &register("r", 1, "<sip:a@10.0.0.7>", 600, ""));

    let challenge = house.take_sent().pop().unwrap();
    assert!(!challenge.contains("SHA-256") && challenge.contains("MD5"), "{challenge}");
}

#[test]
fn nobody_registers_for_somebody_else_and_a_trunk_not_at_all() {
    let mut house = House::new();
    let mine = register("r", 1, "<sip:a@10.0.0.7>", 600, "");
    house.hears(trunk(), &mine);
    let challenge = house.take_sent().pop().unwrap();
    assert!(challenge.starts_with("SIP/2.0 401"), "from a trunk's address too");

    let authorization = authorization(&challenge, "max", "secret", Method::Register, REGISTRAR);
    house.hears(desk(), &register("r", 2, "<sip:a@10.0.0.7>", 600, &authorization));
    assert_eq!(house.lines(), ["SIP/2.0 403 Forbidden"]);
    assert_eq!(house.endpoint.load().phones, 0);
}

#[test]
fn a_wrong_password_is_counted_and_a_guesser_hears_nothing_any_more() {
    let mut house = House::new();
    house.hears(desk(), &register("r", 1, "<sip:a@10.0.0.7>", 600, ""));
    let challenge = house.take_sent().pop().unwrap();
    for guess in 0..30 {
        let password = format!("guess{guess}");
        let authorization =
            authorization(&challenge, "lea", &password, Method::Register, REGISTRAR);
        house.hears(desk(), &register("r", 2 + guess, "<sip:a@10.0.0.7>", 600, &authorization));
    }

    let answers = house.lines();
    assert_eq!(answers.len(), 21, "then silence");
    let failed = Event::AuthenticationFailed { flow: desk() };
    assert_eq!(house.take_events(), vec![failed; 21]);
}

#[test]
fn a_listener_dials_a_star_code_and_a_trunk_cannot() {
    let mut house = House::new();
    let uri = "sip:*10@203.0.113.1";
    house.hears(trunk(), &request("INVITE", "z9hG4bKone", uri, "", 1, "", OFFER));
    let challenge = house.take_sent().pop().unwrap();
    assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
    assert!(house.take_events().is_empty());
    assert_eq!(house.endpoint.load(), Load::default());

    let more = authorization(&challenge, "lea", "secret", Method::Invite, uri);
    house.hears(desk(), &request("INVITE", "z9hG4bKtwo", uri, "", 2, &more, OFFER));

    let events = house.take_events();
    let [Event::Invited { origin, dialled, caller, .. }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(*origin, Origin::Listener(lea()), "the account, not From");
    assert_eq!(dialled.user, "*10");
    assert!(caller.is_none());
}

#[test]
fn strangers_hear_challenges_or_nothing() {
    let mut house = House::new();
    let stranger = flow(Transport::Udp, "198.51.100.66:5060");
    for method in ["OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "WIBBLE"] {
        house.hears(stranger, &request(method, "z9hG4bKs", "sip:203.0.113.1", "", 1, "", ""));
    }
    house.hears(stranger, "hello\r\n\r\n");
    house.hears(stranger, "\r\n\r\n");
    assert!(house.lines().is_empty());

    house.hears(stranger, &invite("z9hG4bKi"));
    assert_eq!(house.lines(), ["SIP/2.0 401 Unauthorized"]);
    assert!(house.take_events().is_empty());
    assert_eq!(house.endpoint.load(), Load::default());
}

#[test]
fn a_trunk_may_ask_whether_we_are_there_and_what_we_can() {
    let mut house = House::new();
    let uri = "sip:203.0.113.1";
    house.hears(trunk(), &request("OPTIONS", "z9hG4bKo", uri, "", 1, "", ""));
    let ok = house.take_sent().pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200") && header(&ok, "Allow").is_some(), "{ok}");

    for (method, more, line) in [
        ("SUBSCRIBE", "", "SIP/2.0 489 Bad Event"),
        ("MESSAGE", "", "SIP/2.0 405 Method Not Allowed"),
        ("WIBBLE", "", "SIP/2.0 501 Not Implemented"),
        ("INVITE", "Require: 100rel, join\r\n", "SIP/2.0 420 Bad Extension"),
    ] {
        let branch = format!("z9hG4bK{method}");
        house.hears(trunk(), &request(method, &branch, uri, "", 1, more, ""));
        let sent = house.take_sent().pop().unwrap();
        assert!(sent.starts_with(line), "{sent}");
        if !more.is_empty() {
            assert_eq!(header(&sent, "Unsupported"), Some("join"));
        }
    }
    let hops = invite("z9hG4bKhops").replace("Max-Forwards: 70", "Max-Forwards: 0");
    house.hears(trunk(), &hops);
    assert_eq!(house.lines(), ["SIP/2.0 483 Too Many Hops"]);
    let scheme = request("INVITE", "z9hG4bKurn", "urn:service:sos", "", 1, "", OFFER);
    house.hears(trunk(), &scheme);
    assert_eq!(house.lines(), ["SIP/2.0 416 Unsupported URI Scheme"]);
    let version = invite("z9hG4bKver").replacen("SIP/2.0\r\n", "SIP/7.0\r\n", 1);
    house.hears(trunk(), &version);
    assert_eq!(house.lines(), ["SIP/2.0 505 Version Not Supported"]);
    let broken = invite("z9hG4bKcseq").replace("CSeq: 1 INVITE", "CSeq: 1 BYE");
    house.hears(trunk(), &broken);
    assert_eq!(house.lines(), ["SIP/2.0 400 Bad Request"]);
    assert!(house.take_events().is_empty());
    assert_eq!(house.endpoint.load(), Load::default());
}

/// RFC 5621 §8 and RFC 3261 §8.2.3.
#[test]
fn a_body_we_must_understand_and_do_not_is_415() {
    let mut house = House::new();
    let strange = invite("z9hG4bKone").replace("application/sdp", "application/isup");
    house.hears(trunk(), &strange);
    let sent = house.take_sent().pop().unwrap();
    assert!(sent.starts_with("SIP/2.0 415") && header(&sent, "Accept").is_some(), "{sent}");

    let optional = strange.replace(
        "Content-Type: application/isup",
        "Content-Disposition: signal;handling=optional\r\nContent-Type: application/isup",
    );
    house.hears(trunk(), &optional.replace("z9hG4bKone", "z9hG4bKtwo"));
    let events = house.take_events();
    assert!(matches!(events.as_slice(), [Event::Invited { offer: None, .. }]), "{events:?}");
}

/// RFC 5393 §4.2 and RFC 3261 §16.3.
#[test]
fn our_own_invite_that_comes_home_is_a_loop() {
    let mut house = House::new();
    let phone = house.registers(desk());
    let (_, invite) = house.rings(phone);

    house.hears(desk(), &invite);

    let sent = house.take_sent().pop().unwrap();
    assert!(sent.starts_with("SIP/2.0 482"), "{sent}");
}

#[test]
fn garbage_closes_a_connection() {
    let mut house = House::new();

    house.hears(wire_to_desk(), "GET / HTTP/1.1\r\n\r\n");

    assert_eq!(house.closed, [wire_to_desk()]);
}

/// RFC 3581 §4 and RFC 3261 §18.2.2.
#[test]
fn answers_without_rport_go_to_the_port_of_the_via() {
    let mut house = House::new();
    let text = invite("z9hG4bKone").replace(";rport", ";maddr=10.9.9.9");
    house.hears(flow(Transport::Udp, "192.0.2.1:40000"), &text);

    assert_eq!(house.sent[0].0.peer, "192.0.2.1:5060".parse::<SocketAddr>().unwrap());
}

#[test]
fn an_account_taken_from_the_plan_loses_its_phones() {
    let mut house = House::new();
    house.registers(desk());
    let mut setup = setup();
    setup.accounts.remove("lea");

    house.does(|endpoint, now| endpoint.reconfigured(setup, now));

    assert_eq!(house.take_events(), [Event::PhonesChanged { listener: lea() }]);
    assert_eq!(house.endpoint.load().phones, 0);
}
