//! Answers of the DNS, in any order and of any content: the locator never breaks, never asks without
//! end, never leaves the ranges a trunk is held to, and goes on alike after a snapshot.

use std::time::Duration;

use hotline::base::{AddressRange, Mint, Moment};
use hotline::sip::locate::{Answer, Destination, Locator, Output, Question, Record};

pub(crate) fn fuzz(bytes: &[u8]) {
    let pins: [AddressRange; 1] = ["192.0.2.0/24".parse().expect("a range")];
    let mut locator = Locator::default();
    let mut words = bytes.split(|byte| *byte == b'\n');
    let host = text(words.next().unwrap_or_default());
    let destination = Destination::new(&host, None, None);
    let mut now = Moment::START;
    locator.wanted(destination.clone(), &pins, now);
    let mut asked: Vec<Question> = Vec::new();
    for word in words {
        while let Some(output) = locator.poll_output() {
            if let Output::Ask(question) = output {
                asked.push(question);
            }
        }
        assert!(asked.len() < 10_000);
        let Some((kind, rest)) = word.split_first() else {
            continue;
        };
        match kind {
            b't' => {
                now += Duration::from_secs(u64::from(rest.first().copied().unwrap_or(1)) * 10);
                locator.handle_timeout(now);
            }
            b'f' => answer(&mut locator, &asked, rest, Answer::Failed, now),
            _ => {
                let records = rest.chunks(24).filter_map(record).collect();
                let ttl = Duration::from_secs(u64::from(*kind));
                answer(&mut locator, &asked, rest, Answer::Records { records, ttl }, now);
            }
        }
        let hops = locator.hops(&destination, &mut Mint::from_number(1), now);
        assert!(hops.len() <= 16 * 8);
        // An address that was written is the operator's own word.
        if host.parse::<std::net::IpAddr>().is_err() {
            assert!(hops.iter().all(|hop| pins[0].contains(hop.address.ip())));
        }
        if let Some(hop) = hops.first() {
            locator.failed(*hop, None, now);
        }
    }
}

fn answer(locator: &mut Locator, asked: &[Question], rest: &[u8], answer: Answer, now: Moment) {
    let place = usize::from(rest.first().copied().unwrap_or_default());
    if let Some(question) = asked.get(place % asked.len().max(1)) {
        locator.answered(question, answer, now);
    }
}

fn record(bytes: &[u8]) -> Option<Record> {
    let (kind, rest) = bytes.split_first()?;
    let number = |at: usize| u16::from(rest.get(at).copied().unwrap_or_default());
    Some(match kind % 4 {
        0 => Record::Naptr {
            order: number(0),
            preference: number(1),
            flags: if number(2) % 3 == 0 { "x".into() } else { "s".into() },
            service: ["SIP+D2U", "SIP+D2T", "SIPS+D2T", "SIP+D2S"][usize::from(number(3) % 4)]
                .into(),
            replacement: text(rest.get(4..).unwrap_or_default()),
        },
        1 => Record::Srv {
            priority: number(0),
            weight: number(1) << 8,
            port: number(2),
            target: text(rest.get(3..).unwrap_or_default()),
        },
        2 => Record::Address([192, 0, u8::try_from(number(0) % 4).ok()?, rest.first().copied()?].into()),
        _ => Record::Address(std::net::Ipv6Addr::from([number(0); 8]).into()),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
