//! The plan the town lives by: the two lines of the shipped configuration, built in code.
//!
//! Stories state their own world: they must not change because an operator's file did. What the
//! recordings say comes from `prompts/prompts.toml`, and how long each takes from its words, so
//! that an announcement put together of recordings nobody has is noticed here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Weekday;
use chrono_tz::Europe::Paris;

use crate::base::{LineName, ListenerName, PromptName};
use crate::call::{Helper, LinePlan, LineWords};
use crate::exchange::{Code, ListenerPlan, Plan, PromptPlan, Protection, TrunkPlan};
use crate::queue::{QueuePlan, RingStrategy};
use crate::schedule::{Exception, HolidayPolicy, Hours, Schedule, Span, WeeklyHours};
use crate::sim::phone::account_digests;
use crate::sip::locate::Destination;
use crate::sip::{Account, Algorithm, Door, Setup, Transport, TrunkAccess, TrunkPeer};

/// Where the house is.
pub const HOUSE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

/// The digest realm of the town.
const REALM: &str = "hotline.example";

/// The listeners of the town, twenty-one as in the real house.
pub const LISTENERS: [&str; 21] = [
    "lea", "marc", "nora", "oscar", "paul", "quentin", "rose", "simon", "tom", "ugo", "vera",
    "walid", "xavier", "yann", "zoe", "alice", "bruno", "clara", "david", "emma", "felix",
];

/// How fast a recording is spoken, to know how long it takes.
const LETTERS_A_SECOND: u32 = 14;

/// The length of a recording without words.
const SOUND_LENGTH: Duration = Duration::from_secs(60);

/// The shipped plan: 3977 and 3133, one queue, everybody on it.
pub fn shipped() -> Plan {
    let queue = "ecoutants".parse().expect("a name");
    let queues = BTreeMap::from([(queue, queue_plan())]);
    let week = hours("09:00-19:00");
    let weekend = hours("09:00-13:00,14:00-19:00");
    let long = hours("09:00-20:00");
    let lines = [
        line("3977", schedule(&week, &weekend, HolidayPolicy::Usual, Vec::new())),
        line("3133", schedule(&long, &long, HolidayPolicy::Usual, Vec::new())),
    ];
    let listeners = LISTENERS.map(|name| {
        let queues = BTreeSet::from(["ecoutants".parse().expect("a name")]);
        (listener(name), ListenerPlan { display: capitalised(name), queues })
    });
    let trunk = "loopback".parse().expect("a name");
    let addresses = vec!["10.1.0.0/16".parse().expect("a range")];
    let trunks = TrunkPlan { addresses, ..TrunkPlan::default() };
    Plan {
        version: "town".into(),
        numbers: lines
            .iter()
            .map(|line| (line.display.parse().expect("a number"), line.name.clone()))
            .collect(),
        lines: lines.into_iter().map(|line| (line.name.clone(), Arc::new(line))).collect(),
        codes: BTreeMap::from([
            ("*10".into(), Code::Pause),
            ("*11".into(), Code::ComeBack),
            ("*12".into(), Code::EndAfterCallWork),
        ]),
        queues,
        listeners: listeners.into_iter().collect(),
        trunks: BTreeMap::from([(trunk, trunks)]),
        prompts: prompts(),
        sip: setup(),
        calls_max: 200,
        caller_calls_max: Some(2),
        grace: Duration::from_secs(30 * 60),
    }
}

/// The password of a listener of the town.
pub fn password(listener: &str) -> String {
    format!("{listener}-knocks")
}

/// Hours as a person writes them: `09:00-13:00,14:00-19:00`, or nothing.
pub fn hours(text: &str) -> Hours {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').expect("hh:mm");
        60 * hour.parse::<u16>().expect("an hour") + minute.parse::<u16>().expect("a minute")
    };
    text.split(',')
        .filter(|span| !span.is_empty())
        .map(|span| {
            let (open, close) = span.split_once('-').expect("from-to");
            Span { open: minute(open), close: minute(close) }
        })
        .collect::<Vec<_>>()
        .into()
}

/// A Paris schedule: the same hours Monday to Friday, and others at the weekend.
pub fn schedule(
    week: &Hours,
    weekend: &Hours,
    holidays: HolidayPolicy,
    exceptions: Vec<Exception>,
) -> Schedule {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let days = [Mon, Tue, Wed, Thu, Fri]
        .map(|day| (day, week.clone()))
        .into_iter()
        .chain([Sat, Sun].map(|day| (day, weekend.clone())));
    let days: Vec<_> = days.collect();
    Schedule::new(Paris, WeeklyHours::from_days(&days), holidays, exceptions)
}

/// The same plan with other opening hours for one line.
#[must_use]
pub fn with_schedule(mut plan: Plan, line: &str, schedule: Schedule) -> Plan {
    let name: LineName = line.parse().expect("a name");
    let found = plan.lines.get_mut(&name).expect("the line exists");
    let mut changed = LinePlan::clone(found);
    changed.schedule = schedule;
    *found = Arc::new(changed);
    plan.version += "+";
    plan
}

/// The same plan with one line changed.
#[must_use]
pub fn with_line(mut plan: Plan, line: &str, change: impl FnOnce(&mut LinePlan)) -> Plan {
    let name: LineName = line.parse().expect("a name");
    let found = plan.lines.get_mut(&name).expect("the line exists");
    let mut changed = LinePlan::clone(found);
    change(&mut changed);
    *found = Arc::new(changed);
    plan.version += "+";
    plan
}

/// The same plan with one more trunk, which takes calls of ours at this address.
#[must_use]
pub fn with_way_out(mut plan: Plan, trunk: &str, peer: std::net::SocketAddr) -> Plan {
    let name: crate::base::TrunkName = trunk.parse().expect("a name");
    let addresses = vec![peer.ip().to_string().parse().expect("a range")];
    let access = TrunkAccess {
        peers: vec![TrunkPeer { transport: Transport::Udp, address: peer }],
        keep_alive: Some(Duration::from_secs(30)),
        presented: Some("+33199003133".parse().expect("a number")),
        ..TrunkAccess::delivering(name.clone(), addresses.clone())
    };
    // Before the range of all callers, which it is a part of.
    plan.sip.trunks.insert(0, access);
    plan.trunks.insert(name, TrunkPlan { addresses, ..TrunkPlan::default() });
    plan
}

/// The same plan with one more trunk over TLS, which takes calls of ours at this address.
#[must_use]
pub fn with_secure_way_out(
    plan: Plan,
    trunk: &str,
    peer: std::net::SocketAddr,
    protection: Protection,
) -> Plan {
    let mut plan = with_way_out(plan, trunk, peer);
    let access = plan.sip.trunks.first_mut().expect("the trunk just made");
    access.peers = vec![TrunkPeer { transport: Transport::Tls, address: peer }];
    plan.trunks.get_mut(&access.name).expect("the same").protection = protection;
    let door = Door { transport: Transport::Tls, ..plan.sip.doors[0].clone() };
    plan.sip.doors.push(door);
    plan
}

/// The same plan with a trunk that is found by its name, pinned to these ranges.
#[must_use]
pub fn with_named_way_out(plan: Plan, trunk: &str, server: &str, ranges: &[&str]) -> Plan {
    let nowhere = std::net::SocketAddr::new(HOUSE, 5060);
    let mut plan = with_way_out(plan, trunk, nowhere);
    let ranges: Vec<_> = ranges.iter().map(|range| range.parse().expect("a range")).collect();
    let access = plan.sip.trunks.first_mut().expect("the trunk just made");
    access.server = Some(Destination::new(server, None, None));
    access.peers.clear();
    access.addresses.clone_from(&ranges);
    plan.trunks.get_mut(&access.name).expect("the same").addresses = ranges;
    plan
}

/// The same plan with a centre that listeners may ask.
#[must_use]
pub fn with_centre(mut plan: Plan, name: &str, number: &str, code: &str) -> Plan {
    let helper =
        Helper { name: name.parse().expect("a name"), number: number.parse().expect("a number") };
    plan.sip.callable.insert(helper.number.clone());
    for line in ["3977", "3133"] {
        plan = with_line(plan, line, |line| {
            line.centres.insert(code.to_owned(), helper.clone());
        });
    }
    plan
}

/// The same plan with codes by which listeners may ask one another.
#[must_use]
pub fn with_colleagues(mut plan: Plan, codes: &[(&str, &str)]) -> Plan {
    for line in ["3977", "3133"] {
        plan = with_line(plan, line, |line| {
            line.colleagues =
                codes.iter().map(|(code, name)| ((*code).to_owned(), listener(name))).collect();
        });
    }
    plan
}

/// The same plan with the emergency services of a department.
#[must_use]
pub fn with_emergency(mut plan: Plan, name: &str, number: &str, code: &str) -> Plan {
    let helper =
        Helper { name: name.parse().expect("a name"), number: number.parse().expect("a number") };
    plan.sip.callable.insert(helper.number.clone());
    for line in ["3977", "3133"] {
        plan = with_line(plan, line, |line| {
            line.emergency.insert(code.to_owned(), helper.clone());
        });
    }
    plan
}

/// The same plan with managers who are called when nobody is logged in.
#[must_use]
pub fn with_managers(mut plan: Plan, managers: &[(&str, &str)]) -> Plan {
    let helpers: Vec<Helper> = managers
        .iter()
        .map(|(name, number)| Helper {
            name: name.parse().expect("a name"),
            number: number.parse().expect("a number"),
        })
        .collect();
    plan.sip.callable = helpers.iter().map(|helper| helper.number.clone()).collect();
    for line in ["3977", "3133"] {
        plan = with_line(plan, line, |line| line.overflow.clone_from(&helpers));
    }
    plan
}

/// The same plan with its one queue changed.
#[must_use]
pub fn with_queue(mut plan: Plan, change: impl FnOnce(&mut QueuePlan)) -> Plan {
    change(plan.queues.values_mut().next().expect("there is a queue"));
    plan
}

fn queue_plan() -> QueuePlan {
    QueuePlan {
        strategy: RingStrategy::LongestIdle,
        listeners_at_once: 4,
        ring_for: Duration::from_secs(20),
        places_max: 20,
        patience: None,
        after_call_work: Duration::from_secs(40),
        misses_max: 2,
        refusal_pause: Duration::from_secs(30),
    }
}

fn line(number: &str, schedule: Schedule) -> LinePlan {
    let secs = Duration::from_secs;
    LinePlan {
        name: number.parse().expect("a name"),
        display: number.into(),
        schedule,
        queue: "ecoutants".parse().expect("a name"),
        moved_to: None,
        greeting: vec![prompt(&format!("accueil-{number}"))],
        ring_after: secs(5),
        words: LineWords {
            spoken_number: prompt(&format!("le-{number}")),
            wait_sound: prompt("attente"),
            first: prompt("attente-1"),
            first_after: secs(20),
            danger: prompt("attente-urgence"),
            danger_after: secs(45),
            danger_every: 4,
            again: ["attente-n-1", "attente-n-2", "attente-n-3"].map(prompt).to_vec(),
            again_after: secs(40),
            long_after: secs(300),
            long_estimate: secs(600),
            saturated: prompt("sature"),
            unavailable: prompt("indisponible"),
            back_in_queue: prompt("retour-file"),
            drain_near: prompt("fin-proche"),
        },
        drain: secs(15 * 60),
        drain_after_closure: secs(60),
        drain_without_listener: secs(30),
        nobody_after: secs(45),
        nobody_patience: secs(180),
        overflow: Vec::new(),
        centres: BTreeMap::new(),
        colleagues: BTreeMap::new(),
        emergency: BTreeMap::new(),
    }
}

fn setup() -> Setup {
    let door = |transport| Door {
        transport,
        local: (HOUSE, 5060).into(),
        advertised: HOUSE,
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
    };
    let accounts = LISTENERS.map(|name| {
        let (ha1_md5, ha1_sha256) = account_digests(name, REALM, &password(name));
        (listener(name), Account { ha1_md5, ha1_sha256, algorithms: None, phones_max: 4 })
    });
    Setup {
        doors: vec![door(Transport::Udp), door(Transport::Tcp)],
        realm: REALM.into(),
        domains: BTreeSet::from([REALM.to_owned()]),
        trunks: vec![TrunkAccess::delivering(
            "loopback".parse().expect("a name"),
            vec!["10.1.0.0/16".parse().expect("a range")],
        )],
        accounts: accounts.into_iter().collect(),
        numbers: BTreeSet::new(),
        callable: Default::default(),
        reserved: ["*10", "*11", "*12"].map(str::to_owned).into(),
        expiry_min: Duration::from_secs(60),
        expiry_max: Duration::from_secs(3600),
        expiry_default: Duration::from_secs(300),
        dialogs_max: 4000,
        ..Setup::default()
    }
}

/// Every recording the repository has words for.
fn prompts() -> BTreeMap<PromptName, PromptPlan> {
    let mut found = BTreeMap::new();
    let mut name: Option<PromptName> = None;
    for line in include_str!("../../prompts/prompts.toml").lines() {
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name = table.parse().ok();
        } else if let Some(words) = line.strip_prefix("words = ")
            && let Some(name) = name.take()
        {
            let words = words.trim_matches('"').to_owned();
            let letters = u32::try_from(words.chars().count()).unwrap_or(u32::MAX);
            let length = if letters == 0 {
                SOUND_LENGTH
            } else {
                Duration::from_millis(20 * u64::from(letters * 50 / LETTERS_A_SECOND).max(20))
            };
            found.insert(name, PromptPlan { words, length });
        }
    }
    // What an operator keeps for an exceptional closure (scenarios.md SC-37).
    let words = "Le bâtiment est évacué.".to_owned();
    found.insert(prompt("evacuation"), PromptPlan { words, length: Duration::from_secs(4) });
    found
}

fn prompt(name: &str) -> PromptName {
    name.parse().expect("a name")
}

fn listener(name: &str) -> ListenerName {
    name.parse().expect("a name")
}

fn capitalised(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_a_line_needs_is_there_and_the_greeting_is_short() {
        let plan = shipped();

        for line in plan.lines.values() {
            let words = &line.words;
            let named = [&words.spoken_number, &words.wait_sound, &words.first, &words.danger]
                .into_iter()
                .chain([&words.saturated, &words.unavailable, &words.back_in_queue])
                .chain([&words.drain_near])
                .chain(&words.again)
                .chain(&line.greeting);
            for prompt in named {
                assert!(plan.prompts.contains_key(prompt), "{prompt}");
            }
            let greeting: Duration = line.greeting.iter().map(|p| plan.prompts[p].length).sum();
            assert!(greeting > line.ring_after && greeting <= Duration::from_secs(7));
        }
    }
}
