use super::*;

const T0: Moment = Moment::START;

/// A locator whose questions are answered from a zone.
struct Asked {
    locator: Locator,
    zone: Vec<(Question, Answer)>,
    changed: usize,
    foreign: Vec<IpAddr>,
    questions: Vec<Question>,
}

impl Asked {
    fn of(zone: &[(&str, Record)]) -> Self {
        let mut asked = Self {
            locator: Locator::default(),
            zone: Vec::new(),
            changed: 0,
            foreign: Vec::new(),
            questions: Vec::new(),
        };
        for (name, record) in zone {
            asked.says(name, record.clone());
        }
        asked
    }

    fn says(&mut self, name: &str, record: Record) {
        let question = Question { name: name.into(), kind: record.kind() };
        let known = self.zone.iter_mut().find(|(known, _)| *known == question);
        match known {
            Some((_, Answer::Records { records, .. })) => records.push(record),
            Some(_) | None => {
                let ttl = Duration::from_secs(300);
                self.zone.push((question, Answer::Records { records: vec![record], ttl }));
            }
        }
    }

    /// Answers until nothing is asked any more.
    fn settles(&mut self, now: Moment) {
        while let Some(output) = self.locator.poll_output() {
            match output {
                Output::Ask(question) => {
                    let found = self.zone.iter().find(|(known, _)| *known == question);
                    let none = Answer::Records { records: Vec::new(), ttl: Duration::ZERO };
                    let answer = found.map_or(none, |(_, answer)| answer.clone());
                    self.questions.push(question.clone());
                    self.locator.answered(&question, answer, now);
                }
                Output::Changed(_) => self.changed += 1,
                Output::Foreign { address, .. } => self.foreign.push(address),
            }
        }
    }

    fn finds(&mut self, destination: &Destination) -> Vec<Hop> {
        self.locator.wanted(destination.clone(), &[], T0);
        self.settles(T0);
        self.locator.hops(destination, &mut Mint::from_number(1), T0)
    }
}

fn naptr(order: u16, service: &str, replacement: &str) -> Record {
    Record::Naptr {
        order,
        preference: 10,
        flags: "s".into(),
        service: service.into(),
        replacement: replacement.into(),
    }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Record {
    Record::Srv { priority, weight, port, target: target.into() }
}

fn at(address: &str) -> Record {
    Record::Address(address.parse().unwrap())
}

fn hop(transport: Transport, address: &str) -> Hop {
    Hop { transport, address: address.parse().unwrap() }
}

fn anywhere(host: &str) -> Destination {
    Destination::new(host, None, None)
}

/// RFC 3263 §4.1, §4.2: NAPTR says TLS first, SRV gives priorities, A and AAAA the addresses.
#[test]
fn the_dns_is_followed_from_naptr_over_srv_to_addresses_of_both_families() {
    let mut asked = Asked::of(&[
        ("operator.example", naptr(20, "SIP+D2U", "_sip._udp.operator.example.")),
        ("operator.example", naptr(10, "SIPS+D2T", "_sips._tcp.operator.example.")),
        ("operator.example", naptr(5, "SIP+D2S", "_sip._sctp.operator.example.")),
        ("_sips._tcp.operator.example", srv(2, 0, 5071, "b.operator.example.")),
        ("_sips._tcp.operator.example", srv(1, 0, 5061, "a.operator.example.")),
        ("_sip._udp.operator.example", srv(1, 0, 5060, "a.operator.example.")),
        ("a.operator.example", at("192.0.2.1")),
        ("a.operator.example", at("2001:db8::1")),
        ("b.operator.example", at("192.0.2.2")),
    ]);

    let hops = asked.finds(&anywhere("Operator.Example."));

    assert_eq!(
        hops,
        [
            hop(Transport::Tls, "[2001:db8::1]:5061"),
            hop(Transport::Tls, "192.0.2.1:5061"),
            hop(Transport::Tls, "192.0.2.2:5071"),
            hop(Transport::Udp, "[2001:db8::1]:5060"),
            hop(Transport::Udp, "192.0.2.1:5060"),
        ]
    );
    assert_eq!(asked.changed, 1);
}

/// RFC 3263 §4.2: a port that is written ends the search for services.
#[test]
fn a_written_port_or_address_asks_less() {
    let mut asked = Asked::of(&[("operator.example", at("192.0.2.1"))]);

    let with_port = asked.finds(&Destination::new("operator.example", Some(5080), None));
    let kinds: Vec<Kind> = asked.questions.iter().map(|question| question.kind).collect();
    let address = asked.finds(&Destination::new("[2001:db8::7]", None, Some(Transport::Tcp)));

    assert_eq!(with_port, [hop(Transport::Udp, "192.0.2.1:5080")]);
    assert_eq!(kinds, [Kind::Aaaa, Kind::A]);
    assert_eq!(address, [hop(Transport::Tcp, "[2001:db8::7]:5060")]);
    assert_eq!(asked.questions.len(), 2);
}

/// RFC 3263 §4.2: no NAPTR and no SRV: the name's own addresses and the default port.
#[test]
fn a_name_with_addresses_only_is_found_at_the_default_port() {
    let mut asked = Asked::of(&[("pbx.example", at("192.0.2.9"))]);

    assert_eq!(asked.finds(&anywhere("pbx.example")), [hop(Transport::Udp, "192.0.2.9:5060")]);
    let secure = Destination { secure: true, ..anywhere("pbx.example") };
    assert_eq!(asked.finds(&secure), [hop(Transport::Tls, "192.0.2.9:5061")]);
}

/// RFC 2782: within a priority, chance by weight.
#[test]
fn servers_of_one_priority_are_drawn_by_their_weights() {
    let mut asked = Asked::of(&[
        ("_sip._udp.operator.example", srv(1, 90, 5060, "big.example")),
        ("_sip._udp.operator.example", srv(1, 10, 5060, "small.example")),
        ("_sip._udp.operator.example", srv(1, 0, 5060, "spare.example")),
        ("big.example", at("192.0.2.1")),
        ("small.example", at("192.0.2.2")),
        ("spare.example", at("192.0.2.3")),
    ]);
    let operator = Destination::new("operator.example", None, Some(Transport::Udp));
    asked.finds(&operator);

    let mut mint = Mint::from_number(7);
    let mut first = BTreeMap::<SocketAddr, usize>::new();
    for _ in 0..10_000 {
        let hops = asked.locator.hops(&operator, &mut mint, T0);
        assert_eq!(hops.len(), 3);
        *first.entry(hops[0].address).or_default() += 1;
    }

    let of = |address: &str| first.get(&address.parse().unwrap()).copied().unwrap_or(0);
    assert!((8_600..9_300).contains(&of("192.0.2.1:5060")), "{first:?}");
    assert!((700..1_300).contains(&of("192.0.2.2:5060")), "{first:?}");
    assert!(of("192.0.2.3:5060") < 250, "{first:?}");
}

/// RFC 3263 §4.3: who failed is tried last for a while, and never forgotten.
#[test]
fn a_server_that_failed_comes_last_until_it_serves_or_time_passes() {
    let mut asked = Asked::of(&[
        ("_sip._udp.operator.example", srv(1, 0, 5060, "a.example")),
        ("_sip._udp.operator.example", srv(2, 0, 5060, "b.example")),
        ("a.example", at("192.0.2.1")),
        ("b.example", at("192.0.2.2")),
    ]);
    let operator = Destination::new("operator.example", None, Some(Transport::Udp));
    let hops = asked.finds(&operator);
    let (a, b) = (hops[0], hops[1]);
    let mut mint = Mint::from_number(1);

    asked.locator.failed(a, None, T0);

    let soon = T0 + Duration::from_secs(59);
    assert_eq!(asked.locator.hops(&operator, &mut mint, soon), [b, a]);
    assert_eq!(asked.locator.hops(&operator, &mut mint, T0 + BENCH), [a, b]);
    asked.locator.failed(b, Some(Duration::from_secs(9_999)), T0);
    asked.locator.served(a);
    assert_eq!(asked.locator.hops(&operator, &mut mint, T0), [a, b]);
}

/// domain.md T-21: the attack is a DNS that lies.
#[test]
fn an_address_outside_the_pinned_ranges_is_told_once_and_never_used() {
    let mut asked = Asked::of(&[
        ("operator.example", at("192.0.2.1")),
        ("operator.example", at("203.0.113.66")),
        ("operator.example", at("::1")),
    ]);
    let operator = Destination::new("operator.example", Some(5060), None);

    asked.locator.wanted(operator.clone(), &["192.0.2.0/24".parse().unwrap()], T0);
    asked.settles(T0);
    asked.locator.handle_timeout(T0 + Duration::from_secs(300));
    asked.settles(T0 + Duration::from_secs(300));

    let hops = asked.locator.hops(&operator, &mut Mint::from_number(1), T0);
    assert_eq!(hops, [hop(Transport::Udp, "192.0.2.1:5060")]);
    let foreign: Vec<IpAddr> = ["203.0.113.66", "::1"].map(|ip| ip.parse().unwrap()).to_vec();
    assert_eq!(asked.foreign, foreign);
}

#[test]
fn a_dns_that_dies_leaves_what_is_known_and_is_asked_again() {
    let mut asked = Asked::of(&[("operator.example", at("192.0.2.1"))]);
    let operator = Destination::new("operator.example", Some(5060), None);
    let known = asked.finds(&operator);
    for (_, answer) in &mut asked.zone {
        *answer = Answer::Failed;
    }

    let mut now = T0;
    for _ in 0..100 {
        now = asked.locator.poll_timeout().expect("it asks again");
        asked.locator.handle_timeout(now);
        asked.settles(now);
    }

    assert!(now > T0 + Duration::from_secs(1_000));
    assert_eq!(asked.locator.hops(&operator, &mut Mint::from_number(1), now), known);
    assert_eq!(asked.changed, 1);
}

#[test]
fn a_new_answer_after_the_ttl_is_followed() {
    let mut asked = Asked::of(&[("operator.example", at("192.0.2.1"))]);
    let operator = Destination::new("operator.example", Some(5060), None);
    asked.finds(&operator);
    asked.zone.clear();
    asked.says("operator.example", at("192.0.2.2"));

    let later = T0 + Duration::from_secs(300);
    asked.locator.handle_timeout(later);
    asked.settles(later);

    let hops = asked.locator.hops(&operator, &mut Mint::from_number(1), later);
    assert_eq!(hops, [hop(Transport::Udp, "192.0.2.2:5060")]);
}

#[test]
fn a_flood_of_records_is_cut() {
    let mut zone = Vec::new();
    let names: Vec<String> = (0..200).map(|n| format!("host{n}.example")).collect();
    for name in &names {
        zone.push(("_sip._udp.operator.example", srv(1, 1, 5060, name)));
        for n in 0..100 {
            zone.push((name.as_str(), at(&format!("192.0.2.{n}"))));
        }
    }
    let mut asked = Asked::of(&zone);

    let hops = asked.finds(&Destination::new("operator.example", None, Some(Transport::Udp)));

    assert!(asked.questions.len() <= 40, "{}", asked.questions.len());
    assert!(hops.len() <= 16 * 8, "{}", hops.len());
}

#[test]
fn what_nobody_wants_any_more_is_forgotten() {
    let mut asked = Asked::of(&[("operator.example", at("192.0.2.1"))]);
    let operator = Destination::new("operator.example", Some(5060), None);
    asked.finds(&operator);

    asked.locator.unwanted(&operator);

    assert!(asked.locator.known.is_empty());
    assert!(asked.locator.poll_timeout().is_none());
    assert!(asked.locator.hops(&operator, &mut Mint::from_number(1), T0).is_empty());
}
