//! The desk: what listeners and managers see in a browser, and what they may do there.
//!
//! A server of its own, beside the one for health and metrics: that one has no password and stays on this
//! machine, this one is what a proxy with TLS stands before. It serves the page's files, which are built into
//! the program, and an API under `/api`.
//!
//! | file | |
//! |---|---|
//! | `routes` | every route once: its path, who may, what goes in and out |
//! | `access` | signing in and out; who is asking |
//! | `acts` | what a signed-in person sees and does |
//! | `events` | the same, told as it changes (server-sent events) |
//! | `guard` | Host, Origin, headers: before anything else |
//! | `proof` `patience` `sessions` | passwords, guessing, sign-ins |
//! | `board` `me` `records` `views` | what is said: to everybody, to one listener, of calls that are over, the rest |
//! | `figures` `problem` `openapi` | the day counted, refusals, the description |
//! | `assets` | the page's files |
//!
//! The desk never stands between a caller and a listener: it asks the house, and a house whose desk is gone
//! answers calls as before.

mod access;
mod acts;
mod assets;
mod board;
mod events;
mod figures;
mod guard;
mod me;
mod openapi;
mod patience;
pub mod problem;
pub mod proof;
mod records;
mod routes;
mod sessions;
mod text;
mod views;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::middleware::from_fn_with_state;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::base::{LineName, ListenerName, Now, Text};
use crate::exchange::{Board, Command, Plan};
use crate::http::{Trouble, conversation};
use crate::record::{CallRecord, Window};

use patience::Patience;
use proof::Secrets;
use sessions::Sessions;

pub use problem::Problem;
pub use sessions::Kept;
pub use views::{PlanView, Role};

/// For the eyes of one listener, now: nobody keeps it.
#[derive(Clone)]
pub struct Aside {
    pub to: ListenerName,
    pub what: Shown,
}

#[derive(Clone)]
pub enum Shown {
    /// The caller pressed a key.
    Key(char),
    Text {
        /// The caller wrote it; else the listener, on their telephone.
        by_caller: bool,
        text: Text,
    },
}

/// Somebody who may sign in.
#[derive(Clone, Debug)]
pub struct Person {
    /// What colleagues see.
    pub display: String,
    pub roles: Vec<Role>,
    pub secrets: Secrets,
}

/// What comes of an order some time later.
pub type Coming<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The house, as far as the desk knows it: the running one, or one that tests made up.
pub trait House: Send + Sync + 'static {
    fn now(&self) -> Now;
    /// Unguessable bytes.
    fn chance(&self) -> [u8; 32];
    fn board(&self) -> watch::Receiver<Arc<Board>>;
    /// What single listeners are shown from now on.
    fn asides(&self) -> broadcast::Receiver<Aside>;
    /// What needs a person and is no matter of calls.
    fn troubles(&self) -> Arc<Vec<Trouble>>;
    fn plan(&self) -> Arc<Plan>;
    /// How the plan came into force.
    fn plan_view(&self) -> PlanView;
    /// Everybody who may sign in, as planned now.
    fn people(&self) -> BTreeMap<ListenerName, Person>;
    fn order(&self, command: Command) -> Coming<'_, Result<String, String>>;
    /// Reads the plan again.
    fn reload(&self) -> Coming<'_, Result<String, String>>;
    /// An instant as people write it, on a line's clock.
    fn until(&self, line: Option<&LineName>, text: &str) -> Result<DateTime<Utc>, String>;
    /// Reads the disk: not for a task that must not wait.
    fn records(&self, window: &Window) -> Result<Vec<CallRecord>, String>;
    /// Keeps the sign-ins for the next start. Writes to the disk: not for a task that must not wait.
    fn keep(&self, sign_ins: &[Kept]);
    /// What was kept last.
    fn kept(&self) -> Vec<Kept>;
    /// Keeps a line of who did what.
    fn audit(&self, entry: &Entry);
    fn zone(&self) -> Tz;
    fn in_french(&self) -> bool;
}

/// One line of the audit: who did what to whom, and whether it was done.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub who: String,
    pub act: String,
    pub on: String,
    pub done: bool,
}

/// What the desk is set up with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How browsers write the page's address.
    pub origins: Vec<String>,
    /// Where the page's phone registers; none: nowhere.
    pub sip: Option<SipDoor>,
    /// The page speaks TLS itself: browsers are to come by nothing else from now on.
    pub is_secure: bool,
    pub patience: conversation::Patience,
}

/// Where the page's phone registers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SipDoor {
    /// At this address, as it is written.
    At(String),
    /// Under the name the page was called by, at a port of its own.
    Beside { scheme: &'static str, port: u16 },
}

impl SipDoor {
    /// The address for a browser that called the page by `host`.
    fn seen_from(&self, host: &str) -> String {
        match self {
            Self::At(address) => address.clone(),
            Self::Beside { scheme, port } => format!("{scheme}://{}:{port}", name_of(host)),
        }
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// Everything the handlers share.
pub(super) struct Desk {
    house: Box<dyn House>,
    origins: Vec<String>,
    sip: Option<SipDoor>,
    is_secure: bool,
    patience_for_bodies: Duration,
    policy: HeaderValue,
    /// What the mark of a browser that signed in before is made with.
    browsers: [u8; 32],
    sessions: Mutex<Sessions>,
    /// Somebody has signed in or out.
    signed: Notify,
    patience: Mutex<Patience>,
    /// The last step each second factor was used for.
    steps: Mutex<BTreeMap<ListenerName, u64>>,
    /// Passwords are checked two at a time: it is work on purpose.
    checking: Semaphore,
    watching: Arc<Semaphore>,
    notices: broadcast::Sender<Notice>,
    figures: tokio::sync::Mutex<Option<(Now, records::Figures)>>,
}

/// Who is to be told.
#[derive(Clone, Debug)]
enum To {
    One(ListenerName),
    Managers,
}

/// Something a person must be told at once.
#[derive(Clone, Debug, serde::Serialize)]
struct Notice {
    #[serde(skip)]
    to: To,
    /// `paused`, `called_back`, `help`.
    what: &'static str,
    by: String,
}

/// Pages open at once.
const WATCHERS_MAX: usize = 500;

/// How often it is kept who has stirred.
const SIGN_INS_KEPT_EVERY: Duration = Duration::from_secs(60);

/// Notices nobody has taken yet.
const NOTICES_MAX: usize = 64;

impl Desk {
    fn new(house: Box<dyn House>, setting: Setting) -> Self {
        let sessions = Sessions::of(house.kept(), house.now());
        Self {
            browsers: house.chance(),
            house,
            policy: guard::policy(setting.sip.as_ref(), &setting.origins),
            origins: setting.origins,
            is_secure: setting.is_secure,
            patience_for_bodies: setting.patience.body,
            sip: setting.sip,
            sessions: Mutex::new(sessions),
            signed: Notify::new(),
            patience: Mutex::default(),
            steps: Mutex::default(),
            checking: Semaphore::new(2),
            watching: Arc::new(Semaphore::new(WATCHERS_MAX)),
            notices: broadcast::Sender::new(NOTICES_MAX),
            figures: tokio::sync::Mutex::default(),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn audit(&self, who: &str, act: &str, on: &str, done: bool) {
        self.house.audit(&Entry {
            at: self.house.now().wall,
            who: who.to_owned(),
            act: act.to_owned(),
            on: on.to_owned(),
            done,
        });
    }
}

/// Answers browsers until `stop` is done.
pub async fn serve<S: conversation::Visitor>(
    guests: mpsc::Receiver<S>,
    house: Box<dyn House>,
    setting: Setting,
    stop: impl Future<Output = ()>,
) {
    let patience = setting.patience;
    let desk = Arc::new(Desk::new(house, setting));
    tokio::select! {
        () = conversation::with_all(guests, router_of(Arc::clone(&desk)), patience, stop) => {}
        () = keep_sign_ins(desk) => {}
    }
}

/// Keeps who is signed in, as it changes; signs of life alone are not worth a write each.
async fn keep_sign_ins(desk: Arc<Desk>) {
    let mut every = interval(SIGN_INS_KEPT_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        tokio::select! {
            () = desk.signed.notified() => {}
            _ = every.tick() => {}
        }
        let now = desk.sessions().kept(desk.house.now());
        if last.as_ref() == Some(&now) {
            continue;
        }
        let (own, kept) = (Arc::clone(&desk), now.clone());
        // A disk that breaks costs a sign-in after the next start, and nothing now.
        let _ = spawn_blocking(move || own.house.keep(&kept)).await;
        last = Some(now);
    }
}

pub fn router(house: Box<dyn House>, setting: Setting) -> Router {
    router_of(Arc::new(Desk::new(house, setting)))
}

fn router_of(desk: Arc<Desk>) -> Router {
    routes::api(&desk)
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(guard::BODY_MAX))
        .layer(from_fn_with_state(Arc::clone(&desk), guard::stand))
        .with_state(desk)
}

/// The API's description (OpenAPI 3.1).
pub fn description() -> serde_json::Value {
    openapi::describe()
}
