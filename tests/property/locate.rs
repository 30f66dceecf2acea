//! Where names are (RFC 3263), on thousands of made-up zones.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hotline::base::{AddressRange, Mint, Moment};
use hotline::sip::locate::{Answer, Destination, Hop, Locator, Output, Question, Record};
use proptest::prelude::*;

/// Names that a zone may speak of.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("operator.example".to_owned()),
        Just("_sip._udp.operator.example".to_owned()),
        Just("_sip._tcp.operator.example".to_owned()),
        Just("_sips._tcp.operator.example".to_owned()),
        (0..6_u8).prop_map(|n| format!("host{n}.example")),
        Just(".".to_owned()),
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0..8_u8).prop_map(|n| IpAddr::from([192, 0, 2, n])),
        (0..8_u8).prop_map(|n| IpAddr::from([203, 0, 113, n])),
        (0..4_u16).prop_map(|n| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n])),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let service =
        prop::sample::select(vec!["SIP+D2U", "sip+d2t", "SIPS+D2T", "SIP+D2S", "E2U+sip"]);
    let flags = prop::sample::select(vec!["s", "S", "a", ""]);
    prop_oneof![
        (any::<u16>(), any::<u16>(), flags, service, name()).prop_map(
            |(order, preference, flags, service, replacement)| Record::Naptr {
                order,
                preference,
                flags: flags.to_owned(),
                service: service.to_owned(),
                replacement,
            }
        ),
        (0..3_u16, 0..100_u16, 1..u16::MAX, name()).prop_map(|(priority, weight, port, target)| {
            Record::Srv { priority, weight, port, target }
        }),
        address().prop_map(Record::Address),
    ]
}

/// Answers every question from the zone; those without an entry fail or have none.
fn settles(
    locator: &mut Locator,
    zone: &[(String, Record)],
    dead: bool,
    now: Moment,
) -> Vec<IpAddr> {
    let mut foreign = Vec::new();
    let mut questions = 0;
    while let Some(output) = locator.poll_output() {
        match output {
            Output::Ask(question) => {
                questions += 1;
                assert!(questions < 500, "it asks without end");
                let answer = if dead { Answer::Failed } else { said(zone, &question) };
                locator.answered(&question, answer, now);
            }
            Output::Changed(_) => {}
            Output::Foreign { address, .. } => foreign.push(address),
        }
    }
    foreign
}

fn said(zone: &[(String, Record)], question: &Question) -> Answer {
    let records = zone
        .iter()
        .filter(|(name, record)| *name == question.name && record.kind() == question.kind)
        .map(|(_, record)| record.clone())
        .collect();
    Answer::Records { records, ttl: Duration::from_secs(60) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// RFC 3263: whatever the DNS says, a destination is located or has no hops; no hop leaves the
    /// pinned ranges or comes twice; a DNS that dies takes nothing away; and chance is the only
    /// difference between two askings.
    #[test]
    fn any_zone_gives_hops_that_can_be_trusted(
        zone in prop::collection::vec((name(), record()), 0..60),
        seed in any::<u64>(),
    ) {
        let pins: Vec<AddressRange> =
            ["192.0.2.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap()).to_vec();
        let destination = Destination::new("operator.example", None, None);
        let mut locator = Locator::default();
        locator.wanted(destination.clone(), &pins, Moment::START);
        let foreign = settles(&mut locator, &zone, false, Moment::START);

        prop_assert!(locator.is_located(&destination));
        let hops = locator.hops(&destination, &mut Mint::from_number(seed), Moment::START);
        let is_pinned = |ip: IpAddr| pins.iter().any(|range| range.contains(ip));
        prop_assert!(hops.iter().all(|hop| is_pinned(hop.address.ip())));
        prop_assert!(foreign.iter().all(|ip| !is_pinned(*ip)));
        let mut sorted = hops.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), hops.len());

        // Written down and read again, it says the same.
        let text = serde_json::to_string(&locator).unwrap();
        let mut copy: Locator = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&copy.hops(&destination, &mut Mint::from_number(seed), Moment::START), &hops);

        // Nobody answers for a day.
        let mut now = Moment::START;
        for _ in 0..50 {
            let Some(due) = copy.poll_timeout() else { break };
            now = due;
            copy.handle_timeout(now);
            settles(&mut copy, &zone, true, now);
        }
        prop_assert_eq!(&copy.hops(&destination, &mut Mint::from_number(seed), now), &hops);
    }

    /// RFC 2782: every server of a better priority comes before every one of a worse, whatever the
    /// weights.
    #[test]
    fn priorities_are_kept_whatever_the_weights(
        servers in prop::collection::btree_map(0..12_u8, (0..3_u16, any::<u16>()), 1..12),
        seed in any::<u64>(),
    ) {
        let mut zone = Vec::new();
        let mut priorities = BTreeMap::new();
        for (n, (priority, weight)) in &servers {
            let target = format!("host{n}.example");
            let srv = Record::Srv {
                priority: *priority,
                weight: *weight,
                port: 5060,
                target: target.clone(),
            };
            zone.push(("_sip._udp.operator.example".to_owned(), srv));
            let ip = IpAddr::from([192, 0, 2, *n]);
            zone.push((target, Record::Address(ip)));
            priorities.insert(ip, *priority);
        }
        let udp = Some(hotline::sip::Transport::Udp);
        let destination = Destination::new("operator.example", None, udp);
        let mut locator = Locator::default();
        locator.wanted(destination.clone(), &[], Moment::START);
        settles(&mut locator, &zone, false, Moment::START);

        let hops: Vec<Hop> =
            locator.hops(&destination, &mut Mint::from_number(seed), Moment::START);

        prop_assert_eq!(hops.len(), servers.len());
        let drawn: Vec<u16> = hops.iter().map(|hop| priorities[&hop.address.ip()]).collect();
        prop_assert!(drawn.is_sorted(), "{:?}", drawn);
    }
}
