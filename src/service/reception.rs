//! Where an operator's orders come in: by the command socket, or by SIGHUP.
//!
//! Names and times are checked here against the plan that runs, so that a slip of the pen gets a
//! sentence and not a shrug. A **reload** reads and judges the whole plan beside the running one; any
//! problem keeps the old one and says so here, in the log and on the board (scenarios.md SC-35), and
//! so does a plan that would close an open line this minute, unless that is what was asked for (SC-36).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::base::{LineName, ListenerName, PromptName};
use crate::config::{
    self, Difference, House, Keys, Language, LastGood, Loaded, PageKeys, Person, Weight,
};
use crate::exchange::{Board, Command, Input, Plan};
use crate::http::Trouble;
use crate::metrics::Metrics;
use crate::net::tls::Trust;
use crate::net::{Doors, Entrance, Opened, Poster, Taken};
use crate::service::boot;
use crate::service::certificates::{self, Expiring, Names};
use crate::service::control::{Answer, Request};
use crate::service::inbox::Inbox;
use crate::service::shards::Shards;
use crate::service::status::status;
use crate::service::troubles::PlanAlarm;
use crate::service::webhooks::Webhooks;
use crate::service::{Clock, until};
use crate::sip::{Door, Transport};

/// Between two looks at files that may be half saved.
const HALF_SAVED_PAUSE: Duration = Duration::from_millis(200);

/// The loop answers a command within a turn; more means that it stands still.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);

/// Takes orders for a running house.
pub struct Reception {
    pub folder: PathBuf,
    pub clock: Clock,
    pub inbox: Arc<Inbox>,
    pub board: watch::Receiver<Arc<Board>>,
    pub troubles: watch::Receiver<Arc<Vec<Trouble>>>,
    pub shards: Arc<Shards>,
    pub metrics: Arc<Metrics>,
    pub doors: Arc<Doors>,
    /// None: the page isn't shown.
    pub entrance: Option<Entrance>,
    pub(super) hooks: Webhooks,
    pub current: Mutex<Current>,
    /// One reload at a time.
    pub reloading: tokio::sync::Mutex<()>,
}

/// What the house runs with now.
#[derive(Clone, Debug)]
pub struct Current {
    pub plan: Arc<Plan>,
    pub house: House,
    /// The files on disk are not what runs: why.
    pub alarm: Option<PlanAlarm>,
    pub certificates: Vec<Expiring>,
    /// What certificates called the house when it began.
    pub(super) names: Names,
    /// Everybody who may sign in at the page.
    pub people: BTreeMap<ListenerName, Person>,
    /// When the plan came into force, and what it changed, in words.
    pub since: DateTime<Utc>,
    pub change: String,
    /// Doors that could not be opened, as `TLS 0.0.0.0:5061`: for want of a certificate, or of a list of pages.
    pub shut: Vec<String>,
}

impl Reception {
    /// Carries out an order and says what came of it.
    pub async fn answer(&self, request: Request) -> Answer {
        let answer = match request {
            Request::Reload { close_now } => self.reload(close_now).await,
            Request::Status => {
                let troubles = Arc::clone(&self.troubles.borrow());
                Ok(status(&self.board.borrow(), &troubles, self.is_french()))
            }
            Request::Close { .. }
            | Request::Open { .. }
            | Request::Automatic { .. }
            | Request::Pause { .. }
            | Request::ComeBack { .. } => match self.command(request) {
                Ok(command) => self.order(command).await,
                Err(why) => Err(why),
            },
        };
        match answer {
            Ok(text) => Answer { done: true, text },
            Err(text) => Answer { done: false, text },
        }
    }

    /// Reads the plan again and swaps it in, or keeps the old one and says why.
    pub async fn reload(&self, close_now: bool) -> Result<String, String> {
        let _one_at_a_time = self.reloading.lock().await;
        let outcome = self.try_reload(close_now).await;
        match &outcome {
            Ok(_) => {
                self.metrics.counted(|totals| totals.plans_loaded += 1);
                tracing::info!(plan = %self.current().plan.version, "a new plan is in force");
            }
            Err(why) => {
                self.metrics.counted(|totals| totals.plans_refused += 1);
                let first = why.lines().find(|line| !line.is_empty()).unwrap_or_default();
                tracing::error!(why = first, "the new plan was refused; the old one stays");
                self.current().alarm = Some(PlanAlarm::Refused(first.to_owned()));
                let refused = Command::ReloadRefused { why: first.to_owned() };
                let _ = self.inbox.order(self.clock.now(), refused, None);
            }
        }
        outcome
    }

    async fn try_reload(&self, close_now: bool) -> Result<String, String> {
        let Current { plan: old, house, shut, names, .. } = self.current().clone();
        let language = house.language;
        let (folder, now) = (self.folder.clone(), self.clock.now());
        let still_written = match language {
            Language::English => "the files still change: reload when they are saved",
            Language::French => "les fichiers changent encore : rechargez une fois enregistrés",
        };
        let files = folder.clone();
        let resting = spawn_blocking(move || {
            config::is_at_rest(&files, || std::thread::sleep(HALF_SAVED_PAUSE))
        });
        if !resting.await.unwrap_or(false) {
            return Err(still_written.to_owned());
        }
        let read = spawn_blocking(move || {
            let loaded = config::load(&folder, now.wall)?;
            let recordings = loaded.recordings.iter();
            let recordings = recordings.map(|(name, sound)| (name.clone(), sound));
            let library = boot::written(recordings, &loaded.plan);
            Ok::<_, config::Report>((loaded, Arc::new(library)))
        });
        let (loaded, library) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(report)) => return Err(report.told(language)),
            Err(broke) => return Err(format!("reading the plan broke: {broke}")),
        };
        let mut difference =
            config::difference((&old, &house), (&loaded.plan, &loaded.house), now.wall);
        if let Some(warning) = self.asks_back(&difference, language)
            && !close_now
        {
            return Err(warning);
        }
        let keys = config::keys(&loaded.house, now.wall);
        let certificates = self.rekey(&loaded.house, &keys)?;
        difference.needs_restart.extend(self.waits_for_restart(&loaded.house, &keys));
        difference.needs_restart.sort_unstable();
        difference.needs_restart.dedup();
        // A certificate that can't be read keeps its door on the old one, and keeps nobody from
        // changing the hours.
        let is_whole = loaded.notices.count(Weight::Broken) == 0;
        let mut text = loaded.notices.told(language);
        let change = difference.told(language);
        text.push_str(&change);
        if let Err(fault) = LastGood::of(&house).keep(&loaded) {
            tracing::warn!(%fault, "no copy of this plan could be kept for bad days");
        }
        let Loaded { mut plan, people, house: fresh, .. } = loaded;
        plan.sip.doors = doors_of(&plan.sip.doors, self.doors.opened(), &old.sip.doors);
        let plan = Arc::new(plan);
        // The sound first: a call under the new plan may ask for it at once.
        self.shards.library_changed(&library);
        if self.inbox.put(now, Input::Plan(Arc::clone(&plan))) == Taken::Full {
            return Err("the house has too much to do to take a new plan".to_owned());
        }
        *self.current() = Current {
            plan,
            house: house.reloaded(&fresh),
            alarm: (!is_whole).then_some(PlanAlarm::Broken),
            certificates,
            names,
            people,
            since: now.wall,
            change,
            shut,
        };
        Ok(text)
    }

    /// Gives the doors that are open the certificates that are on disk now, and webhooks their secrets.
    fn rekey(&self, house: &House, keys: &Keys) -> Result<Vec<Expiring>, String> {
        for ((transport, listen), found) in &keys.doors {
            let keys = certificates::server_keys(found);
            self.doors
                .rekey(*transport, *listen, &keys)
                .map_err(|fault| format!("{} {listen}: {fault}", transport.token()))?;
        }
        if let (Some(entrance), PageKeys::Secure(found)) = (&self.entrance, &keys.page) {
            let rekeyed = entrance.rekey(&certificates::server_keys(found));
            rekeyed.map_err(|fault| format!("https {}: {fault}", entrance.local()))?;
        }
        let names: Vec<String> = house.webhooks.iter().map(|one| one.name.clone()).collect();
        self.hooks.change(&names, config::webhooks(house), Poster::new(&keys.authorities));
        let trust = Trust::new(&keys.authorities).map_err(|fault| fault.to_string())?;
        self.doors.trust(trust);
        let mut certificates = Expiring::of(keys);
        if !keys.shut.is_empty() || matches!(keys.page, PageKeys::Shut) {
            let old = self.current().certificates.clone();
            let is_kept = |one: &Expiring| !certificates.iter().any(|other| other.file == one.file);
            let kept: Vec<Expiring> = old.into_iter().filter(is_kept).collect();
            certificates.extend(kept);
        }
        Ok(certificates)
    }

    /// What certificates alone don't bring: doors that are shut, and names of the house, are what they were when it
    /// began.
    fn waits_for_restart(&self, house: &House, keys: &Keys) -> Vec<&'static str> {
        let Current { shut, names, .. } = self.current().clone();
        let mut waits = names.misses(&Names::of(keys), house);
        let is_shut = |(transport, listen): &(Transport, SocketAddr)| {
            shut.contains(&format!("{} {listen}", transport.token()))
        };
        if keys.doors.keys().any(is_shut) {
            waits.push("doors");
        }
        if self.entrance.is_none() && !matches!(keys.page, PageKeys::Shut) {
            waits.push("[page]");
        }
        waits
    }

    /// Asks back, if an open line would be shut (scenarios.md SC-36).
    fn asks_back(&self, difference: &Difference, language: Language) -> Option<String> {
        if difference.closes_now.is_empty() {
            return None;
        }
        let lines = list(difference.closes_now.iter());
        let calls = self.board.borrow().calls;
        Some(match language {
            Language::English => format!(
                "this change closes {lines} now ({calls} calls); if that is meant: `hotline reload \
                 --close-now`"
            ),
            Language::French => format!(
                "cette modification ferme {lines} maintenant ({calls} appels) ; si c’est voulu : \
                 `hotline reload --close-now`"
            ),
        })
    }

    /// Hands a command to the loop and waits for its reply.
    pub(super) async fn order(&self, command: Command) -> Result<String, String> {
        let (reply, said) = oneshot::channel();
        if self.inbox.order(self.clock.now(), command, Some(reply)) == Taken::Full {
            return Err("the house has too much to do to take orders".to_owned());
        }
        match timeout(REPLY_PATIENCE, said).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the house is stopping".to_owned()),
            Err(_) => {
                Err("the house does not answer; the order may still be carried out".to_owned())
            }
        }
    }

    fn command(&self, request: Request) -> Result<Command, String> {
        let plan = Arc::clone(&self.current().plan);
        match request {
            Request::Close { line, until, message } => {
                let line = known_line(&plan, line)?;
                let until = self.until(&plan, line.as_ref(), &until)?;
                Ok(Command::Close { line, until, message: known_prompt(&plan, message)? })
            }
            Request::Open { line, until } => {
                let line = known_line(&plan, line)?;
                let until = self.until(&plan, line.as_ref(), &until)?;
                Ok(Command::Open { line, until })
            }
            Request::Automatic { line } => {
                Ok(Command::Automatic { line: known_line(&plan, line)? })
            }
            Request::Pause { listener } => {
                Ok(Command::Pause { listener: known_listener(&plan, &listener)?, reason: None })
            }
            Request::ComeBack { listener } => {
                Ok(Command::ComeBack { listener: known_listener(&plan, &listener)? })
            }
            Request::Reload { .. } | Request::Status => {
                Err("that is not for the exchange".to_owned())
            }
        }
    }

    pub(super) fn until(
        &self,
        plan: &Plan,
        line: Option<&LineName>,
        text: &str,
    ) -> Result<DateTime<Utc>, String> {
        let line = line.and_then(|line| plan.lines.get(line)).or(plan.lines.values().next());
        let zone = line.map_or(chrono_tz::Europe::Paris, |line| line.schedule.zone());
        until::read(text, zone, self.clock.now().wall).map_err(|why| why.to_string())
    }

    pub(super) fn is_french(&self) -> bool {
        self.current().house.language == Language::French
    }

    /// What runs now. Held for a moment only, never over an await.
    pub fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The doors of a plan as they are really open: addresses change only by a restart, the rest follows
/// the plan at once.
pub(super) fn doors_of(wanted: &[Door], opened: &[Opened], old: &[Door]) -> Vec<Door> {
    opened
        .iter()
        .filter_map(|open| {
            let matches =
                |door: &&Door, address| door.transport == open.transport && door.local == address;
            let wanted = wanted.iter().find(|door| matches(door, open.listen));
            let door = wanted.or_else(|| old.iter().find(|door| matches(door, open.local)))?;
            Some(Door { local: open.local, ..door.clone() })
        })
        .collect()
}

fn known_line(plan: &Plan, line: Option<String>) -> Result<Option<LineName>, String> {
    let Some(line) = line else {
        return Ok(None);
    };
    plan.lines
        .keys()
        .find(|name| name.as_str() == line)
        .cloned()
        .map(Some)
        .ok_or_else(|| format!("there is no line `{line}`; there are: {}", list(plan.lines.keys())))
}

fn known_listener(plan: &Plan, listener: &str) -> Result<ListenerName, String> {
    let found = plan.listeners.keys().find(|name| name.as_str() == listener).cloned();
    found.ok_or_else(|| {
        format!("there is no listener `{listener}`; there are: {}", list(plan.listeners.keys()))
    })
}

fn known_prompt(plan: &Plan, prompt: Option<String>) -> Result<Option<PromptName>, String> {
    let Some(prompt) = prompt else {
        return Ok(None);
    };
    let found = plan.prompts.keys().find(|name| name.as_str() == prompt).cloned();
    found.map(Some).ok_or_else(|| format!("there is no recording `{prompt}` in the plan"))
}

fn list(names: impl Iterator<Item = impl ToString>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}
