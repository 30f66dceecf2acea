//! What the operator wrote, read and judged.
//!
//! [`load()`] turns a folder of TOML and recordings into a [`Loaded`] plan, or into a [`Report`] of
//! everything that is wrong with it. Nothing is half loaded.
//!
//! | files | |
//! |---|---|
//! | `file` `source` | the tables as they are written, and where each word stands |
//! | `link` `calendars` `lines` `listeners` `queues` `trunks` `directory` `hours` | what the words mean |
//! | `load` | all of it, put together |
//! | `prompts` | recordings, read and judged |
//! | `house` `bootstrap` | what needs a restart: addresses, ports, folders |
//! | `doors` `certificates` | what doors and the page show, and who may come in by WebSocket |
//! | `private` `written` | files beside the plan; where in `hotline.toml` their owners stand |
//! | `passwords` | listeners' secrets, in a file of their own |
//! | `people` | who signs in at the page |
//! | `report` `catalogue` `words` `guess` | what is wrong, in French and English |
//! | `difference` | what a new plan changes, said before it is applied |
//! | `last_good` | the last plan that worked, kept across restarts |

mod bootstrap;
mod calendars;
mod catalogue;
mod certificates;
mod difference;
mod directory;
mod doors;
mod environment;
mod file;
mod guess;
mod hours;
mod house;
mod last_good;
mod lines;
mod link;
mod listeners;
mod load;
mod notices;
mod passwords;
mod people;
mod private;
mod prompts;
mod queues;
mod renewal;
mod report;
mod rest;
mod source;
mod trunks;
mod webhooks;
pub mod words;
mod written;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::base::{ListenerName, Mint, PromptName};
use crate::exchange::Plan;
use crate::media::sound::Recording;

use file::{
    CalendarsFile, DirectoryFile, LinesFile, ListenersFile, PeopleFile, QueuesFile, TrunksFile,
};
use link::Linker;
use load::{CALENDARS, DIRECTORY, LINES, LISTENERS, PEOPLE, QUEUES, TRUNKS, load_from, read};
use source::Source;

pub use calendars::wall;
pub use catalogue::{Kind, What};
pub use certificates::Certificate;
pub use difference::{Change, Difference, difference};
pub use doors::{DoorKeys, Keys, PageKeys, keys};
pub use hours::{NotHours, days, span};
pub use house::{
    Authority, CertificateFiles, ClientCertificate, ConnectionSettings, DnsSettings, DoorSettings,
    House, Language, LogFormat, LogSettings, MediaSettings, PageSettings,
};
pub use last_good::LastGood;
pub use passwords::Made;
pub use people::{Person, Role};
pub use report::{Place, Problem, Report, Weight};
pub use rest::is_at_rest;
pub use webhooks::{Webhook, WebhookEvent, WebhookSettings, webhooks};

/// A plan that holds together, and everything that came with it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub plan: Plan,
    /// Its paths are whole.
    pub house: House,
    /// Everybody who may sign in at the page.
    pub people: BTreeMap<ListenerName, Person>,
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
    load_from(&places, &environment::of_process(), now)
}

/// The settings of a folder's house, as well as can be when its files can't be read: what is built
/// in, with the state folder and the language that are written, so that the last good plan is found again.
pub fn house_of(folder: &Path) -> House {
    let environment = environment::of_process();
    let house = bootstrap::house(folder, &environment, &mut Report::new());
    house.unwrap_or_else(|| bootstrap::salvaged(folder, &environment)).within(folder)
}

/// Makes a password for every listener of the folder's plan who has none.
///
/// Done by the house before it loads, so that a fresh clone works and no secret is ever shipped.
pub fn make_passwords(folder: &Path, mint: &mut Mint) -> Result<Made, Report> {
    let mut report = Report::new();
    let environment = environment::of_process();
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

/// Writes entries into the folder's file of passwords, and says where that is.
pub fn put_passwords(folder: &Path, entries: &[(String, String)]) -> std::io::Result<PathBuf> {
    let path = house_of(folder).passwords.unwrap_or_else(|| folder.join("passwords.toml"));
    passwords::put(&path, entries)?;
    Ok(path)
}

/// A password of 160 random bits.
pub fn fresh_password(mint: &mut Mint) -> String {
    passwords::password(mint)
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
                trunks::trunks(&file, &mut Linker::new(&source, &mut report, now, &mut asked));
            }
        }
        DIRECTORY => {
            if let Some(file) = source.table::<DirectoryFile>(&mut report) {
                let mut linker = Linker::new(&source, &mut report, now, &mut asked);
                directory::directory(&file, &mut linker);
            }
        }
        PEOPLE => {
            if let Some(file) = source.table::<PeopleFile>(&mut report) {
                people::people(&file, &mut Linker::new(&source, &mut report, now, &mut asked));
            }
        }
        _ => {
            source.table::<House>(&mut report);
        }
    }
    report.sort();
    report
}
