//! Certificates: what the doors show, and how long it still holds (domain.md T-24, scenarios.md
//! SC-42).
//!
//! A certificate that ends is told 30, 14, 7 and 1 days before, and when it has ended, in the log
//! and for as long as it lasts in readiness and metrics. Nothing is shut because of a date:
//! connections that are there stay, and a new certificate comes in by a reload.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chrono::{DateTime, Utc};

use crate::config::{DoorKeys, DoorSettings, House, Keys, PageKeys, reachable};
use crate::http::{Trouble, TroubleCode};
use crate::net::tls::{ClientRule, Identity, ServerKeys};
use crate::net::{Wanted, WebRules};
use crate::sip::Transport;

/// So many days before the end it is said again.
const STAGES: [i64; 5] = [0, 1, 7, 14, 30];

/// A certificate and its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expiring {
    pub file: String,
    pub at: DateTime<Utc>,
}

impl Expiring {
    /// All of a house.
    pub(super) fn of(keys: &Keys) -> Vec<Self> {
        let page = match &keys.page {
            PageKeys::Secure(page) => Some(page),
            PageKeys::Plain | PageKeys::Shut => None,
        };
        let certificates = keys.doors.values().chain(page).flat_map(|door| &door.certificates);
        let mut all: Vec<Self> = certificates
            .map(|one| Self { file: one.path.display().to_string(), at: one.expires })
            .collect();
        all.sort_by(|one, other| (one.at, &one.file).cmp(&(other.at, &other.file)));
        all.dedup();
        all
    }

    /// How many whole days are left; none left: 0 or less.
    fn days(&self, now: DateTime<Utc>) -> i64 {
        let left = self.at - now;
        if left <= chrono::TimeDelta::zero() { 0 } else { left.num_days() + 1 }
    }

    /// The stage it is in: the fewest days of [`STAGES`] it is within.
    fn stage(&self, now: DateTime<Utc>) -> Option<i64> {
        let days = self.days(now);
        STAGES.into_iter().find(|stage| days <= *stage)
    }

    /// What an operator must be told, from 30 days before.
    pub(super) fn trouble(&self, now: DateTime<Utc>) -> Option<Trouble> {
        let Self { file, at } = self;
        let (date, days) = (at.format("%Y-%m-%d"), self.days(now));
        let (code, text) = match self.stage(now)? {
            0 => (
                TroubleCode::CertificateEnded,
                format!("the certificate {file} ended on {date}: phones and browsers refuse it"),
            ),
            _ => (
                TroubleCode::CertificateEnds,
                format!("the certificate {file} ends on {date}, in {days} days"),
            ),
        };
        Some(Trouble::new(code, text).about(file.clone()).count(days).until(*at))
    }
}

/// What certificates call the page and the doors: browsers may come by these names, if no others are written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Names {
    page: BTreeSet<String>,
    web_doors: BTreeSet<(SocketAddr, String)>,
}

impl Names {
    pub(super) fn of(keys: &Keys) -> Self {
        let of = |keys: &DoorKeys| {
            keys.certificates.iter().flat_map(|one| one.names.clone()).collect::<BTreeSet<_>>()
        };
        let page = match &keys.page {
            PageKeys::Secure(page) => of(page),
            PageKeys::Plain | PageKeys::Shut => BTreeSet::new(),
        };
        let web = keys.doors.iter().filter(|((transport, _), _)| *transport == Transport::Wss);
        let web_doors =
            web.flat_map(|((_, at), keys)| of(keys).into_iter().map(|name| (*at, name))).collect();
        Self { page, web_doors }
    }

    /// What has to start again to be called by the names of `fresh` too.
    pub(super) fn misses(&self, fresh: &Self, house: &House) -> Vec<&'static str> {
        let page = house.page.origins.is_empty() && !fresh.page.is_subset(&self.page);
        let doors = fresh.web_doors.iter().any(|(at, name)| {
            let is_written = |door: &DoorSettings| door.listen == *at && door.hosts.contains(name);
            !self.web_doors.contains(&(*at, name.clone())) && !house.doors.iter().any(is_written)
        });
        page.then_some("[page]").into_iter().chain(doors.then_some("doors")).collect()
    }
}

/// Tells each stage of each certificate once.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    told: BTreeMap<(String, DateTime<Utc>), i64>,
}

impl Countdown {
    pub(super) fn glances(&mut self, certificates: &[Expiring], now: DateTime<Utc>) {
        for alarm in self.news(certificates, now) {
            tracing::error!("{alarm}");
        }
    }

    fn news(&mut self, certificates: &[Expiring], now: DateTime<Utc>) -> Vec<String> {
        self.told.retain(|(file, at), _| {
            certificates.iter().any(|one| one.file == *file && one.at == *at)
        });
        let mut news = Vec::new();
        for certificate in certificates {
            let Some(stage) = certificate.stage(now) else {
                continue;
            };
            let told = self.told.insert((certificate.file.clone(), certificate.at), stage);
            if told.is_none_or(|told| stage < told) {
                news.extend(certificate.trouble(now).map(|trouble| trouble.text));
            }
        }
        news
    }
}

/// The doors of a house that can be opened.
pub(super) fn wanted(house: &House, keys: &Keys) -> Vec<Wanted> {
    let can = |door: &&DoorSettings| !keys.shut.contains(&(door.transport, door.listen));
    let want = |door: &DoorSettings| {
        let found = keys.doors.get(&(door.transport, door.listen));
        Wanted {
            transport: door.transport,
            listen: door.listen,
            keys: found.map(server_keys),
            web: matches!(door.transport, Transport::Ws | Transport::Wss)
                .then(|| web_rules(door, found)),
        }
    };
    house.doors.iter().filter(can).map(want).collect()
}

pub(super) fn server_keys(keys: &DoorKeys) -> ServerKeys {
    let identity = |one: &crate::config::Certificate| Identity {
        key: one.key.clone(),
        names: one.names.clone(),
    };
    ServerKeys {
        identities: keys.certificates.iter().map(identity).collect(),
        clients: keys
            .clients
            .clone()
            .map(|(authorities, required)| ClientRule { authorities, required }),
    }
}

fn web_rules(door: &DoorSettings, keys: Option<&DoorKeys>) -> WebRules {
    let mut hosts = door.hosts.clone();
    hosts.push(door.listen.ip().to_string());
    hosts.push(door.advertised.unwrap_or_else(|| reachable(door.listen.ip())).to_string());
    if door.listen.ip().is_loopback() {
        hosts.push("localhost".to_owned());
    }
    let certificates = keys.into_iter().flat_map(|keys| &keys.certificates);
    hosts.extend(certificates.flat_map(|one| one.names.clone()));
    WebRules { origins: door.origins.clone(), hosts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// domain.md T-24.
    #[test]
    fn the_end_of_a_certificate_is_told_30_14_7_and_1_days_before_and_when_it_comes() {
        let end = at("2026-12-31T12:00:00Z");
        let certificate = Expiring { file: "sip.pem".into(), at: end };
        let mut countdown = Countdown::default();
        let mut told = Vec::new();
        let mut now = at("2026-11-01T12:30:00Z");
        while now < at("2027-01-05T00:00:00Z") {
            for _ in countdown.news(std::slice::from_ref(&certificate), now) {
                told.push((end - now).num_days());
            }
            now += chrono::TimeDelta::hours(1);
        }

        assert_eq!(told, [29, 13, 6, 0, 0]);
        assert_eq!(certificate.trouble(at("2026-12-01T11:00:00Z")), None);
        assert!(certificate.trouble(end).unwrap().text.contains("ended on 2026-12-31"));
    }

    #[test]
    fn a_renewed_certificate_is_quiet() {
        let mut countdown = Countdown::default();
        let now = at("2026-12-30T00:00:00Z");
        let old = Expiring { file: "sip.pem".into(), at: at("2026-12-31T12:00:00Z") };
        let new = Expiring { at: at("2027-03-31T12:00:00Z"), ..old.clone() };

        assert_eq!(countdown.news(&[old], now).len(), 1);
        assert!(countdown.news(&[new], now).is_empty());
    }
}
