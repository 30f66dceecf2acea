//! The house as the page knows it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};

use crate::base::{LineName, ListenerName, Now};
use crate::config::{self, PageKeys};
use crate::exchange::{Board, Command, Plan};
use crate::http::desk::proof::Secrets;
use crate::http::desk::{
    Aside, Coming, Entry, House, Kept, Person, PlanView, Role, Setting, SipDoor,
};
use crate::http::{Patience, Seat, Trouble, Visitor};
use crate::net::{Entrance, Guest, Limits, Opened, Place, Stamp};
use crate::record::{CallRecord, Window};
use crate::service::Clock;
use crate::service::audit::Audit;
use crate::service::certificates::server_keys;
use crate::service::reception::Reception;
use crate::service::sign_ins::SignIns;
use crate::service::troubles::PlanAlarm;
use crate::sip::Transport;
use crate::store::Store;

/// What the page asks.
pub(super) struct Desk {
    pub(super) reception: Arc<Reception>,
    pub(super) store: Arc<Store>,
    pub(super) board: watch::Receiver<Arc<Board>>,
    pub(super) asides: broadcast::Sender<Aside>,
    pub(super) clock: Clock,
    pub(super) audit: Audit,
    pub(super) sign_ins: SignIns,
}

/// Opens the page's door. A page that can't be shown keeps nobody from being answered.
pub(super) async fn open(
    house: &config::House,
    keys: &PageKeys,
    limits: Limits,
    stamp: Stamp,
) -> Option<(Entrance, mpsc::Receiver<Guest>)> {
    let listen = house.page.listen;
    let keys = match keys {
        PageKeys::Plain => None,
        PageKeys::Secure(keys) => Some(server_keys(keys)),
        PageKeys::Shut => {
            tracing::error!("the page on {listen} stays shut: see `hotline check`");
            return None;
        }
    };
    match Entrance::open(listen, keys.as_ref(), limits, stamp, &Handle::current()).await {
        Ok(page) => Some(page),
        Err(fault) => {
            tracing::error!(%listen, %fault, "the page can't be shown");
            None
        }
    }
}

impl Visitor for Guest {
    fn seat(&self) -> Arc<dyn Seat> {
        self.place()
    }
}

impl Seat for Place {
    fn asked(&self) {
        Place::asked(self);
    }

    fn known(&self) {
        Place::known(self);
    }

    fn answered(&self) {
        Place::answered(self);
    }
}

/// How the page is called, and where its phone registers.
pub(super) fn setting(
    house: &config::House,
    keys: &PageKeys,
    at: SocketAddr,
    opened: &[Opened],
) -> Setting {
    let is_secure = matches!(keys, PageKeys::Secure(_));
    let mut origins = house.page.origins.clone();
    if origins.is_empty() {
        origins = usual_origins(keys, at);
    }
    let sip = match &house.page.sip {
        Some(written) => Some(SipDoor::At(written.clone())),
        None => sip_door(opened, is_secure),
    };
    Setting { origins, sip, is_secure, patience: Patience::default() }
}

/// The names of the page's certificate, and its own address.
fn usual_origins(keys: &PageKeys, at: SocketAddr) -> Vec<String> {
    let certificates = match keys {
        PageKeys::Secure(keys) => keys.certificates.as_slice(),
        PageKeys::Plain | PageKeys::Shut => &[],
    };
    let (scheme, usual) =
        if matches!(keys, PageKeys::Secure(_)) { ("https", 443) } else { ("http", 80) };
    let names = certificates.iter().flat_map(|certificate| &certificate.names);
    let mut hosts: Vec<String> = names.filter(|name| !name.starts_with("*.")).cloned().collect();
    hosts.push(match config::reachable(at.ip()) {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    });
    if at.ip().is_loopback() {
        hosts.push("localhost".to_owned());
    }
    let written = |host: String| match at.port() {
        port if port == usual => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    };
    hosts.into_iter().map(written).collect()
}

/// The first door browsers can use. A page that came by TLS uses nothing else, and knows the door by the name it
/// was called by itself: a certificate has names, and seldom addresses.
fn sip_door(opened: &[Opened], is_secure: bool) -> Option<SipDoor> {
    let secure = opened.iter().find(|open| open.transport == Transport::Wss);
    let plain = opened.iter().find(|open| open.transport == Transport::Ws);
    let beside = |scheme, open: &Opened| SipDoor::Beside { scheme, port: open.local.port() };
    let plain = plain.map(|open| match open.local.ip().is_unspecified() {
        true => beside("ws", open),
        false => SipDoor::At(format!("ws://{}", open.local)),
    });
    let secure = secure.map(|open| beside("wss", open));
    if is_secure { secure.or(plain) } else { plain.or(secure) }
}

impl House for Desk {
    fn now(&self) -> Now {
        self.clock.now()
    }

    fn chance(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("this machine gave random numbers at the start");
        bytes
    }

    fn board(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }

    fn asides(&self) -> broadcast::Receiver<Aside> {
        self.asides.subscribe()
    }

    fn troubles(&self) -> Arc<Vec<Trouble>> {
        Arc::clone(&self.reception.troubles.borrow())
    }

    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.reception.current().plan)
    }

    fn plan_view(&self) -> PlanView {
        let current = self.reception.current();
        PlanView {
            version: current.plan.version.clone(),
            since: Some(current.since),
            change: current.change.clone(),
            alarm: current.alarm.as_ref().map(PlanAlarm::text),
        }
    }

    fn people(&self) -> BTreeMap<ListenerName, Person> {
        let current = self.reception.current();
        let sip = &current.plan.sip;
        let person = |(name, person): (&ListenerName, &config::Person)| {
            let account = sip.accounts.get(name).filter(|_| person.is_listener);
            let phone = account.map(|account| (account.ha1_sha256.clone(), sip.realm.clone()));
            let listener = person.is_listener.then_some(Role::Listener);
            let role = person.role.map(|role| match role {
                config::Role::ReadOnly => Role::ReadOnly,
                config::Role::Operator => Role::Operator,
                config::Role::Manager => Role::Manager,
            });
            let secrets =
                Secrets { password: person.password.clone(), phone, totp: person.totp.clone() };
            let roles = listener.into_iter().chain(role).collect();
            (name.clone(), Person { display: person.display.clone(), roles, secrets })
        };
        current.people.iter().map(person).collect()
    }

    fn order(&self, command: Command) -> Coming<'_, Result<String, String>> {
        Box::pin(self.reception.order(command))
    }

    fn reload(&self) -> Coming<'_, Result<String, String>> {
        Box::pin(self.reception.reload(false))
    }

    fn until(&self, line: Option<&LineName>, text: &str) -> Result<DateTime<Utc>, String> {
        self.reception.until(&self.plan(), line, text)
    }

    fn records(&self, window: &Window) -> Result<Vec<CallRecord>, String> {
        self.store.find(window).map_err(|fault| fault.to_string())
    }

    fn keep(&self, sign_ins: &[Kept]) {
        self.sign_ins.keep(sign_ins);
    }

    fn kept(&self) -> Vec<Kept> {
        self.sign_ins.kept()
    }

    fn audit(&self, entry: &Entry) {
        self.audit.keep(entry);
    }

    fn zone(&self) -> Tz {
        let plan = self.plan();
        plan.lines.values().next().map_or(chrono_tz::Europe::Paris, |line| line.schedule.zone())
    }

    fn in_french(&self) -> bool {
        self.reception.is_french()
    }
}
