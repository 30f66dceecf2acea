//! One folder → one plan: reads every file, links it, gathers what is wrong, and puts it together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::base::{ListenerName, PromptName, TrunkName, in_hexadecimal};
use crate::config::catalogue::What;
use crate::config::directory::Directory;
use crate::config::file::{
    CalendarsFile, DirectoryFile, LinesFile, ListenersFile, PeopleFile, QueuesFile, TrunksFile,
};
use crate::config::lines::{Known, Limits, Lines};
use crate::config::link::Linker;
use crate::config::listeners::{Listener, Registration};
use crate::config::people::Role;
use crate::config::prompts::Library;
use crate::config::report::{Place, Report};
use crate::config::source::Source;
use crate::config::trunks::Trunk;
use crate::config::written::Written;
use crate::config::{
    DoorSettings, Files, House, Loaded, Places, bootstrap, calendars, directory, doors, lines,
    listeners, notices, passwords, people, prompts, queues, reachable, trunks, webhooks,
};
use crate::exchange::{Code, Plan};
use crate::ivr::fragments;
use crate::queue::QueuePlan;
use crate::sip::{Door, Setup, TrunkAccess};

pub(super) const LINES: &str = "lines.toml";
pub(super) const CALENDARS: &str = "calendars.toml";
pub(super) const QUEUES: &str = "queues.toml";
pub(super) const LISTENERS: &str = "listeners.toml";
pub(super) const TRUNKS: &str = "trunks.toml";
pub(super) const DIRECTORY: &str = "directory.toml";
pub(super) const PEOPLE: &str = "people.toml";

/// A file as text, and as tables if it has the right shape.
pub(super) type Read<T> = Option<(Source, T)>;

/// Everything a plan is put together from, once nothing is wrong.
struct Parts {
    house: House,
    limits: Limits,
    lines: Lines,
    registration: Registration,
    codes: BTreeMap<String, Code>,
    listeners: BTreeMap<ListenerName, Listener>,
    queues: BTreeMap<String, QueuePlan>,
    trunks: BTreeMap<TrunkName, Trunk>,
    directory: Directory,
    staff: BTreeMap<ListenerName, (String, Role)>,
    library: Library,
    /// Passwords, by listener.
    secrets: BTreeMap<String, String>,
}

/// Reads a plan as of `now`.
pub(super) fn load_from(
    places: &Places,
    environment: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Result<Loaded, Report> {
    let mut report = Report::new();
    let folder = &places.folder;
    let house = bootstrap::house(folder, environment, &mut report);
    let house = house.map(|house| house.within(&places.base));
    let mut asked: BTreeMap<PromptName, Place> = BTreeMap::new();

    let calendars_file: Read<CalendarsFile> = read(&folder.join(CALENDARS), &mut report);
    let schedules = calendars_file.as_ref().map(|(source, file)| {
        calendars::link(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let queues_file: Read<QueuesFile> = read(&folder.join(QUEUES), &mut report);
    let queues = queues_file.as_ref().map(|(source, file)| {
        queues::queues(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let directory_file: Read<DirectoryFile> = read_if_there(&folder.join(DIRECTORY), &mut report);
    let directory = directory_file.as_ref().map(|(source, file)| {
        directory::directory(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let directory = directory.unwrap_or_default();
    let mut known = Known {
        calendars: calendars_file.as_ref().map(|(_, file)| file),
        schedules: schedules.unwrap_or_default(),
        directory: directory.clone(),
        colleagues: BTreeMap::new(),
        queues: queues_file.as_ref().map(|(_, file)| file),
    };
    let listeners_file: Read<ListenersFile> = read(&folder.join(LISTENERS), &mut report);
    let people = listeners_file.as_ref().map(|(source, file)| {
        let mut linker = Linker::new(source, &mut report, now, &mut asked);
        let registration = listeners::registration(&file.registration, &mut linker);
        let codes = listeners::codes(&file.codes, &mut linker);
        let phones = registration.as_ref().map_or(1, |registration| registration.phones);
        let listeners = listeners::listeners(file, known.queues, phones, &mut linker);
        known.colleagues = listeners::colleagues(file, &directory, &mut linker);
        (registration, codes, listeners)
    });
    let people_file: Read<PeopleFile> = read_if_there(&folder.join(PEOPLE), &mut report);
    let staff = people_file.as_ref().map(|(source, file)| {
        people::people(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let staff = staff.unwrap_or_default();
    let trunks_file: Read<TrunksFile> = read_if_there(&folder.join(TRUNKS), &mut report);
    let trunks = trunks_file.as_ref().map(|(source, file)| {
        trunks::trunks(file, &mut Linker::new(source, &mut report, now, &mut asked))
    });
    let lines_file: Read<LinesFile> = read(&folder.join(LINES), &mut report);
    let lines = lines_file.as_ref().map(|(source, file)| {
        let mut linker = Linker::new(source, &mut report, now, &mut asked);
        (lines::limits(&file.limits, &mut linker), lines::lines(file, &known, &mut linker))
    });
    if let (Some((_, lines)), Some((_, _, listeners))) = (&lines, &people) {
        notices::name_the_unused(&calendars_file, &queues_file, lines, listeners, &mut report);
    }
    let (library, words) = match &lines_file {
        Some((source, file)) => {
            let installed = house.as_ref().and_then(|house| house.prompts.clone());
            let folder = places.prompts.clone().or(installed);
            let folder = folder.unwrap_or_else(|| places.folder.join(file.prompts.get_ref()));
            library(&folder, source, file, asked, &mut report)
        }
        None => (None, None),
    };
    if let (Some((_, lines)), Some(library)) = (&lines, &library) {
        judge_greetings(lines, library, &mut report);
    }
    let secrets = match (&house, &people) {
        (Some(house), Some((_, _, listeners))) => secrets(house, listeners, &mut report),
        (None, _) | (_, None) => BTreeMap::new(),
    };
    if let Some(house) = &house {
        // Said now, read again by whoever opens the doors.
        let source = house_source(folder, &mut Report::new());
        let written = source.as_ref().map(Written::of).unwrap_or_default();
        let _ = doors::judged(house, &written, now, &mut report);
        let _ = webhooks::judged(house, &written, &mut report);
    }
    if let Some(house) = &house {
        notices::name_what_has_no_door(&trunks_file, trunks.as_ref(), house, &mut report);
    }
    notices::name_what_can_not_call(
        &trunks_file,
        trunks.as_ref(),
        &lines_file,
        &secrets,
        &mut report,
    );
    if let (Some((source, file)), Some((_, _, listeners))) = (&people_file, &people) {
        let displays = listeners.iter().map(|(name, one)| (name.clone(), one.plan.display.clone()));
        let all = people::everybody(staff.clone(), displays, &secrets);
        people::name_who_can_not_sign_in(file, &all, |at| source.place(at), &mut report);
    }
    report.sort();

    let linked = house.zip(lines).zip(people).zip(queues).zip(library);
    let Some(((((house, (limits, lines)), people), queues), library)) = linked else {
        return Err(report);
    };
    let (Some(limits), (Some(registration), codes, listeners)) = (limits, people) else {
        return Err(report);
    };
    if report.is_fatal() {
        return Err(report);
    }
    let sources = [
        calendars_file.map(|(source, _)| source),
        lines_file.map(|(source, _)| source),
        listeners_file.map(|(source, _)| source),
        queues_file.map(|(source, _)| source),
        trunks_file.map(|(source, _)| source),
        directory_file.map(|(source, _)| source),
        people_file.map(|(source, _)| source),
        house_source(folder, &mut report),
    ];
    let trunks = trunks.unwrap_or_default();
    let mut parts = Parts {
        house,
        limits,
        lines,
        registration,
        codes,
        listeners,
        queues,
        trunks,
        directory,
        staff,
        library,
        secrets,
    };
    let bytes = |source: Source| (PathBuf::from(source.name), source.text.into_bytes());
    let mut files = Files {
        plan: sources.into_iter().flatten().map(bytes).collect(),
        prompts: std::mem::take(&mut parts.library.files),
    };
    files.prompts.extend(words.map(bytes));
    Ok(assemble(parts, files, report))
}

fn assemble(parts: Parts, files: Files, notices: Report) -> Loaded {
    let sip = setup(&parts);
    let displays =
        parts.listeners.iter().map(|(name, one)| (name.clone(), one.plan.display.clone()));
    let people = people::everybody(parts.staff.clone(), displays, &parts.secrets);
    let Parts { house, limits, lines, codes, listeners, queues, trunks, library, .. } = parts;
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
        trunks: trunks.into_iter().map(|(name, trunk)| (name, trunk.plan)).collect(),
        prompts: library.prompts,
        sip,
        calls_max: limits.calls,
        caller_calls_max: limits.calls_per_caller,
        grace: limits.grace,
    };
    Loaded { plan, house, people, recordings: library.recordings, notices, files }
}

fn setup(parts: &Parts) -> Setup {
    let Parts { registration, listeners, secrets, .. } = parts;
    let accounts = listeners.iter().filter_map(|(name, listener)| {
        let password = secrets.get(name.as_str())?;
        let account = listeners::account(name, listener, &registration.realm, password);
        Some((name.clone(), account))
    });
    let trunks = parts.trunks.iter().map(|(name, trunk)| {
        let password = secrets.get(&trunks::secret_of(name));
        let account = trunk.access.account.clone();
        let account = account.and_then(|account| trunks::with_password(account, password));
        TrunkAccess { account, ..trunk.access.clone() }
    });
    let reliable = parts.trunks.iter().filter(|(_, trunk)| trunk.reliable);
    let phones: usize = listeners.values().map(|listener| listener.phones).sum();
    Setup {
        doors: doors_of(&parts.house),
        realm: registration.realm.clone(),
        domains: registration.domains.clone(),
        trunks: trunks.collect(),
        reliable: reliable.map(|(name, _)| name.clone()).collect(),
        accounts: accounts.collect(),
        numbers: BTreeSet::new(),
        callable: parts.directory.numbers(),
        // Nobody but a listener asks for a colleague by name.
        reserved: parts
            .codes
            .keys()
            .cloned()
            .chain(listeners.keys().map(ToString::to_string))
            .collect(),
        expiry_min: registration.expiry_min,
        expiry_max: registration.expiry_max,
        expiry_default: registration.expiry_default,
        // A caller each, the same again for those who are being refused, and every phone ringing.
        dialogs_max: parts.limits.calls * 2 + phones,
        second_node: parts.limits.second_node,
    }
}

/// Passwords, by listener; says how many are still to be made.
fn secrets(
    house: &House,
    listeners: &BTreeMap<ListenerName, Listener>,
    report: &mut Report,
) -> BTreeMap<String, String> {
    let Some(path) = &house.passwords else {
        return BTreeMap::new();
    };
    let secrets = passwords::read(path, report);
    let count = listeners.keys().filter(|name| !secrets.contains_key(name.as_str())).count();
    if count > 0 && !report.is_fatal() {
        let place = Place { file: path.display().to_string(), position: None };
        report.notice(place, What::PasswordsMissing { count });
    }
    secrets
}

pub(super) fn read<T: DeserializeOwned>(path: &Path, report: &mut Report) -> Option<(Source, T)> {
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
    folder: &Path,
    source: &Source,
    file: &LinesFile,
    mut asked: BTreeMap<PromptName, Place>,
    report: &mut Report,
) -> (Option<Library>, Option<Source>) {
    let spoken_by_the_house = source.place(file.prompts.span().start);
    for name in fragments::every() {
        asked.entry(name).or_insert_with(|| spoken_by_the_house.clone());
    }
    let Some(words) = Source::read(&folder.join(prompts::FILE), report) else {
        return (None, None);
    };
    let library = prompts::library(folder, &asked, &words, report);
    (library, Some(words))
}

/// The greeting stands between a caller and a listener (domain.md, decision 1).
const GREETING_MAX: Duration = Duration::from_secs(7);

fn judge_greetings(lines: &Lines, library: &Library, report: &mut Report) {
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
    in_hexadecimal(&digest.finalize()[..6])
}

pub(super) fn doors_of(house: &House) -> Vec<Door> {
    let door = |door: &DoorSettings| Door {
        transport: door.transport,
        local: door.listen,
        advertised: door.advertised.unwrap_or_else(|| reachable(door.listen.ip())),
        algorithms: door.algorithms.clone(),
    };
    house.doors.iter().map(door).collect()
}
