//! What the operator wrote, read and judged.
//!
//! [`load`] turns a folder of TOML and recordings into a [`Loaded`] plan, or into a [`Report`] of
//! everything that is wrong with it. Nothing is half loaded.
//!
//! | files | |
//! |---|---|
//! | `file` `source` | the tables as they are written, and where each word stands |
//! | `link` `calendars` `lines` `listeners` `queues` `hours` | what the words mean |
//! | `prompts` | recordings, read and judged |
//! | `house` `bootstrap` | what needs a restart: addresses, ports, folders |
//! | `passwords` | listeners' secrets, in a file of their own |
//! | `report` `catalogue` `words` `guess` | what is wrong, in French and English |
//! | `difference` | what a new plan changes, said before it is applied |
//! | `last_good` | the last plan that worked, kept across restarts |

mod bootstrap;
mod calendars;
mod catalogue;
mod difference;
mod file;
mod guess;
mod hours;
mod house;
mod last_good;
mod lines;
mod link;
mod listeners;
mod passwords;
mod prompts;
mod queues;
mod report;
mod source;
pub mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::base::{ListenerName, Mint, PromptName, QueueName};
use crate::exchange::Plan;
use crate::ivr::fragments;
use crate::media::sound::Recording;
use crate::sip::{Door, Setup, TrunkAccess};

use file::{CalendarsFile, LinesFile, ListenersFile, QueuesFile, TrunksFile};
use link::Linker;
use source::Source;

pub use calendars::wall;
pub use catalogue::{Kind, What};
pub use difference::{Change, Difference, difference};
pub use hours::{NotHours, days, span};
pub use house::{
    ConnectionSettings, DoorSettings, House, Language, LogFormat, LogSettings, MediaSettings,
};
pub use last_good::LastGood;
pub use passwords::Made;
pub use report::{Place, Problem, Report, Weight};

/// A plan that holds together, and everything that came with it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub plan: Plan,
    /// Its paths are whole.
    pub house: House,
    /// The sound of every prompt, to be encoded by the media shards.
    pub recordings: BTreeMap<PromptName, Recording>,
    /// Nothing fatal, but worth a look.
    pub notices: Report,
    /// The files it was made from, the secret ones left out: first those of the folder, then those
    /// of the recordings.
    files: Files,
}

/// What a plan was read from, byte for byte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) plan: Vec<(PathBuf, Vec<u8>)>,
    pub(crate) prompts: Vec<(PathBuf, Vec<u8>)>,
}

/// Where a plan is read from.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The folder of `lines.toml` and its like.
    pub(crate) folder: PathBuf,
    /// The folder of `prompts.toml`; none: where `lines.toml` says.
    pub(crate) prompts: Option<PathBuf>,
    /// The folder that paths in `hotline.toml` are taken from.
    pub(crate) base: PathBuf,
}

/// Reads the plan of a folder as of `now`, with the environment this process was given.
pub fn load(folder: &Path, now: DateTime<Utc>) -> Result<Loaded, Report> {
    let places = Places { folder: folder.to_owned(), prompts: None, base: folder.to_owned() };
    load_from(&places, &std::env::vars().collect(), now)
}

/// The settings of a folder's house, as well as can be when its files can't be read: what is built
/// in, with the state folder that is written, so that the last good plan is found again.
pub fn house_of(folder: &Path) -> House {
    let environment = std::env::vars().collect();
    let house = bootstrap::house(folder, &environment, &mut Report::new());
    house.unwrap_or_else(|| bootstrap::salvaged(folder)).within(folder)
}

/// Makes a password for every listener of the folder's plan who has none.
///
/// Done by the house before it loads, so that a fresh clone works and no secret is ever shipped.
pub fn make_passwords(folder: &Path, mint: &mut Mint) -> Result<Made, Report> {
    let mut report = Report::new();
    let environment = std::env::vars().collect();
    let house = bootstrap::house(folder, &environment, &mut report);
    let listeners = read::<ListenersFile>(&folder.join(LISTENERS), &mut report);
    let path = house.map(|house| house.within(folder)).and_then(|house| house.passwords);
    let (Some(path), Some((_, listeners))) = (path, listeners) else {
        return Err(report);
    };
    let names: Vec<ListenerName> =
        listeners.listeners.keys().filter_map(|key| key.get_ref().parse().ok()).collect();
    let present = passwords::read(&path, &mut report);
    if report.is_fatal() {
        return Err(report);
    }
    passwords::make(&path, &present, &names, mint).map_err(|e| {
        let place = Place { file: path.display().to_string(), position: None };
        report.add(place, What::FileUnreadable { why: e.to_string() });
        report
    })
}

const LINES: &str = "lines.toml";
const CALENDARS: &str = "calendars.toml";
const QUEUES: &str = "queues.toml";
const LISTENERS: &str = "listeners.toml";
const TRUNKS: &str = "trunks.toml";

pub(crate) fn load_from(
    places: &Places,
    environment: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Result<Loaded, Report> {
    let mut report = Report::new();
    let folder = &places.folder;
    let house = bootstrap::house(folder, environment, &mut report);
    let house = house.map(|house| house.within(&places.base));
    let mut asked: BTreeMap<PromptName, Place> = BTreeMap::new();

    let calendars = read::<CalendarsFile>(&folder.join(CALENDARS), &mut report);
    let schedules = calendars.as_ref().map(|(source, file)| {
        calendars::link(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let queues_file = read::<QueuesFile>(&folder.join(QUEUES), &mut report);
    let queue_plans = queues_file.as_ref().map(|(source, file)| {
        queues::queues(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let queue_names = queues_file.as_ref().map(|(_, file)| file);
    let listeners_file = read::<ListenersFile>(&folder.join(LISTENERS), &mut report);
    let people = listeners_file.as_ref().map(|(source, file)| {
        let mut linker = Linker::new(source, &mut report, now, &mut asked);
        let registration = listeners::registration(&file.registration, &mut linker);
        let codes = listeners::codes(&file.codes, &mut linker);
        let phones = registration.as_ref().map_or(1, |registration| registration.phones);
        let listeners = listeners::listeners(file, queue_names, phones, &mut linker);
        (registration, codes, listeners)
    });
    let trunks_file = read_if_there::<TrunksFile>(&folder.join(TRUNKS), &mut report);
    let trunks = trunks_file.as_ref().map(|(source, file)| {
        queues::trunks(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let lines_file = read::<LinesFile>(&folder.join(LINES), &mut report);
    let known = lines::Known {
        calendars: calendars.as_ref().map(|(_, file)| file),
        schedules: schedules.unwrap_or_default(),
        queues: queue_names,
    };
    let lines = lines_file.as_ref().map(|(source, file)| {
        let mut linker = Linker::new(source, &mut report, now, &mut asked);
        let limits = lines::limits(&file.limits, &mut linker);
        let lines = lines::lines(file, &known, &mut linker);
        (limits, lines)
    });
    // What nobody uses is worth saying only when every name was understood.
    if let (false, Some((source, file)), Some((_, lines)), Some((_, _, listeners))) =
        (report.is_fatal(), &queues_file, &lines, &people)
    {
        let served: BTreeMap<ListenerName, BTreeSet<QueueName>> = listeners
            .iter()
            .map(|(name, listener)| (name.clone(), listener.plan.queues.clone()))
            .collect();
        let mut linker = Linker::new(source, &mut report, now, &mut asked);
        queues::unused_queues(file, lines, &served, &mut linker);
    }
    if let (false, Some((source, file)), Some((_, lines))) = (report.is_fatal(), &calendars, &lines)
    {
        for key in file.calendars.keys().filter(|key| !lines.calendars.contains(key.get_ref())) {
            let what = What::Unused { kind: Kind::Calendar, name: key.get_ref().clone() };
            report.notice(source.place(key.span().start), what);
        }
    }
    let (library, prompts_source) = match &lines_file {
        Some((source, file)) => library(places, source, file, asked, &mut report),
        None => (None, None),
    };
    if let (Some((_, lines)), Some(library)) = (&lines, &library) {
        judge_greetings(lines, library, &mut report);
    }
    let secrets = match house.as_ref().and_then(|house| house.passwords.as_ref()) {
        Some(path) => passwords::read(path, &mut report),
        None => BTreeMap::new(),
    };
    if let (Some((_, _, listeners)), Some(house)) = (&people, &house) {
        let count = listeners.keys().filter(|name| !secrets.contains_key(name.as_str())).count();
        if count > 0 && !report.is_fatal() {
            let file = house.passwords.clone().unwrap_or_default().display().to_string();
            report.notice(Place { file, position: None }, What::PasswordsMissing { count });
        }
    }
    report.sort();
    if report.is_fatal() {
        return Err(report);
    }

    let sources = [
        calendars.map(|(source, _)| source),
        lines_file.map(|(source, _)| source),
        listeners_file.map(|(source, _)| source),
        queues_file.map(|(source, _)| source),
        trunks_file.map(|(source, _)| source),
        house_source(folder, &mut report),
    ];
    let linked = house.zip(lines).zip(people).zip(queue_plans).zip(library);
    let Some(((((house, (limits, lines)), people), queues), library)) = linked else {
        return Err(report);
    };
    let (Some(limits), (Some(registration), codes, listeners)) = (limits, people) else {
        return Err(report);
    };
    let mut files = Files { plan: Vec::new(), prompts: library.files };
    for source in sources.into_iter().flatten() {
        files.plan.push((PathBuf::from(&source.name), source.text.into_bytes()));
    }
    if let Some(source) = prompts_source {
        files.prompts.push((PathBuf::from(&source.name), source.text.into_bytes()));
    }
    let trunks = trunks.unwrap_or_default();
    let accounts: BTreeMap<_, _> = listeners
        .iter()
        .filter_map(|(name, listener)| {
            let password = secrets.get(name.as_str())?;
            let account = listeners::account(name, listener, &registration.realm, password);
            Some((name.clone(), account))
        })
        .collect();
    let phones: usize = listeners.values().map(|listener| listener.phones).sum();
    let sip = Setup {
        doors: doors(&house),
        realm: registration.realm,
        domains: registration.domains,
        trunks: trunks
            .iter()
            .map(|(name, trunk)| TrunkAccess {
                name: name.clone(),
                addresses: trunk.addresses.clone(),
            })
            .collect(),
        accounts,
        reserved: codes.keys().cloned().collect(),
        expiry_min: registration.expiry_min,
        expiry_max: registration.expiry_max,
        expiry_default: registration.expiry_default,
        // A caller each, the same again for those who are being refused, and every phone ringing.
        dialogs_max: limits.calls * 2 + phones,
        second_node: limits.second_node,
    };
    let plan = Plan {
        version: version(&files),
        lines: lines.lines,
        numbers: lines.numbers,
        codes,
        queues: queues
            .into_iter()
            .filter_map(|(name, queue)| Some((name.parse().ok()?, queue)))
            .collect(),
        listeners: listeners.into_iter().map(|(name, listener)| (name, listener.plan)).collect(),
        trunks,
        prompts: library.prompts,
        sip,
        calls_max: limits.calls,
        grace: limits.grace,
    };
    Ok(Loaded { plan, house, recordings: library.recordings, notices: report, files })
}

fn read<T: DeserializeOwned>(path: &Path, report: &mut Report) -> Option<(Source, T)> {
    let source = Source::read(path, report)?;
    let table = source.table(report)?;
    Some((source, table))
}

fn read_if_there<T: DeserializeOwned>(path: &Path, report: &mut Report) -> Option<(Source, T)> {
    if path.exists() { read(path, report) } else { None }
}

fn house_source(folder: &Path, report: &mut Report) -> Option<Source> {
    let path = folder.join(bootstrap::FILE);
    if path.exists() { Source::read(&path, report) } else { None }
}

fn library(
    places: &Places,
    source: &Source,
    file: &LinesFile,
    mut asked: BTreeMap<PromptName, Place>,
    report: &mut Report,
) -> (Option<prompts::Library>, Option<Source>) {
    let folder = match &places.prompts {
        Some(folder) => folder.clone(),
        None => places.folder.join(file.prompts.get_ref()),
    };
    let spoken_by_the_house = source.place(file.prompts.span().start);
    for name in fragments::every() {
        asked.entry(name).or_insert_with(|| spoken_by_the_house.clone());
    }
    let Some(words) = Source::read(&folder.join(prompts::FILE), report) else {
        return (None, None);
    };
    let library = prompts::library(&folder, &asked, &words, report);
    (library, Some(words))
}

/// The greeting stands between a caller and a listener (domain.md, decision 1).
const GREETING_MAX: std::time::Duration = std::time::Duration::from_secs(7);

fn judge_greetings(lines: &lines::Lines, library: &prompts::Library, report: &mut Report) {
    for (name, line) in &lines.lines {
        let lengths = line.greeting.iter().filter_map(|prompt| library.prompts.get(prompt));
        let length = lengths.map(|prompt| prompt.length).sum();
        if length > GREETING_MAX
            && let Some(place) = lines.greetings.get(name)
        {
            report.add(place.clone(), What::GreetingTooLong { length });
        }
    }
}

/// A short digest of everything the plan was made from.
fn version(files: &Files) -> String {
    let mut digest = Sha256::new();
    for (path, bytes) in files.plan.iter().chain(&files.prompts) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
    listeners::in_hexadecimal(&digest.finalize()[..6])
}

fn doors(house: &House) -> Vec<Door> {
    let door = |door: &DoorSettings| Door {
        transport: door.transport,
        local: door.listen,
        advertised: door.advertised.unwrap_or_else(|| reachable(door.listen.ip())),
        algorithms: door.algorithms.clone(),
    };
    house.doors.iter().map(door).collect()
}

/// An address peers can reach: the one we listen on, or this machine's own if we listen on all.
pub fn reachable(listen: IpAddr) -> IpAddr {
    if !listen.is_unspecified() {
        return listen;
    }
    // Connecting a datagram socket sends nothing; it only asks the routing table. The addresses
    // are for documentation (RFC 5737, RFC 3849) and go the way of all others.
    let (any, far): (SocketAddr, SocketAddr) = match listen {
        IpAddr::V4(_) => {
            ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(192, 0, 2, 1), 9).into())
        }
        IpAddr::V6(_) => {
            let far = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            ((Ipv6Addr::UNSPECIFIED, 0).into(), (far, 9).into())
        }
    };
    let loopback = match listen {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let own = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    own.map_or(loopback, |address| address.ip())
}

/// Judges one file of a plan by itself, by its name: the others are taken as missing, and names that
/// point into them are not looked up.
pub fn judge(name: &str, bytes: &[u8], now: DateTime<Utc>) -> Report {
    let mut report = Report::new();
    let mut asked = BTreeMap::new();
    let Some(source) = Source::from_bytes(name.to_owned(), bytes, &mut report) else {
        return report;
    };
    match name {
        CALENDARS => {
            if let Some(file) = source.table::<CalendarsFile>(&mut report) {
                calendars::link(&file, &mut Linker::new(&source, &mut report, now, &mut asked));
            }
        }
        LINES => {
            if let Some(file) = source.table::<LinesFile>(&mut report) {
                let known = lines::Known::default();
                let mut linker = Linker::new(&source, &mut report, now, &mut asked);
                lines::limits(&file.limits, &mut linker);
                lines::lines(&file, &known, &mut linker);
            }
        }
        LISTENERS => {
            if let Some(file) = source.table::<ListenersFile>(&mut report) {
                let mut linker = Linker::new(&source, &mut report, now, &mut asked);
                listeners::registration(&file.registration, &mut linker);
                listeners::codes(&file.codes, &mut linker);
                listeners::listeners(&file, None, 1, &mut linker);
            }
        }
        QUEUES => {
            if let Some(file) = source.table::<QueuesFile>(&mut report) {
                queues::queues(&file, &mut Linker::new(&source, &mut report, now, &mut asked));
            }
        }
        TRUNKS => {
            if let Some(file) = source.table::<TrunksFile>(&mut report) {
                queues::trunks(&file, &mut Linker::new(&source, &mut report, now, &mut asked));
            }
        }
        _ => {
            source.table::<House>(&mut report);
        }
    }
    report.sort();
    report
}
