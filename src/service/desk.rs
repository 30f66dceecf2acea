//! The house as the page knows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::sync::{broadcast, watch};

use crate::base::{LineName, ListenerName, Now};
use crate::config;
use crate::exchange::{Board, Command, Plan};
use crate::http::desk::proof::Secrets;
use crate::http::desk::{Aside, Coming, Entry, House, Person, PlanView, Role, Setting};
use crate::net::Opened;
use crate::record::{CallRecord, Window};
use crate::service::Clock;
use crate::service::audit::Audit;
use crate::service::reception::Reception;
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
}

/// How the page is called, and where its phone registers.
pub(super) fn setting(house: &config::House, at: Option<SocketAddr>, opened: &[Opened]) -> Setting {
    let mut origins = house.page.origins.clone();
    if origins.is_empty()
        && let Some(at) = at
    {
        origins.push(format!("http://{at}"));
        origins.push(format!("http://localhost:{}", at.port()));
    }
    let door = opened.iter().find_map(|open| match open.transport {
        Transport::Ws => Some(format!("ws://{}", open.local)),
        Transport::Wss => Some(format!("wss://{}", open.local)),
        Transport::Udp | Transport::Tcp | Transport::Tls => None,
    });
    Setting { origins, sip: house.page.sip.clone().or(door) }
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

    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.reception.current().plan)
    }

    fn plan_view(&self) -> PlanView {
        let current = self.reception.current();
        PlanView {
            version: current.plan.version.clone(),
            since: Some(current.since),
            change: current.change.clone(),
            alarm: current.alarm.clone(),
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
