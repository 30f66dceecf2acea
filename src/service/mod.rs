//! The house around the exchange: start, the one loop, stop.
//!
//! | file | |
//! |---|---|
//! | `boot` `safe_plan` | what there is to serve with |
//! | `certificates` | what TLS doors show, and until when |
//! | `carrier` `inbox` `intake` `pulse` `clock` | the loop, on a thread of its own, and what feeds it |
//! | `shards` | media threads |
//! | `reception` `control` `until` | operators' orders |
//! | `desk` `audit` | the house as the page knows it, and who did what there |
//! | `readiness` | whether a caller would be served correctly now |
//! | `watch` | what is done every second: the watchdog, the midnight purge |
//! | `state_folder` | one house to a folder |
//!
//! [`run`] puts these together. Stopping is asked for twice at most: once, and calls run to their
//! end (those who wait, as long as the plan's grace allows: scenarios.md SC-32); twice, and the house
//! stops at once.

mod audit;
mod boot;
mod carrier;
mod certificates;
mod clock;
pub mod control;
mod desk;
mod inbox;
mod intake;
mod pulse;
mod readiness;
mod reception;
mod safe_plan;
pub mod shards;
mod sign_ins;
mod state_folder;
mod status;
mod troubles;
pub mod until;
mod watch;
mod webhooks;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc, oneshot, watch as watching};
use tokio::task::JoinSet;

use crate::base::Mint;
use crate::config::{self, House};
use crate::exchange::{Exchange, Input, Plan};
use crate::media::codec::Codec;
use crate::metrics::{self, Metrics};
use crate::net::tls::Trust;
use crate::net::{Deliver, Doors, Entrance, Guest, Limits, Opened, Poster, Resolver};
use crate::store::Store;
use crate::{http, store};

pub use boot::{Boot, Origin, boot};
pub use carrier::{Carrier, Ending, World};
pub use clock::Clock;
pub use inbox::{Inbox, Letter, TurnedAway};
pub use intake::Intake;
pub use pulse::{Pulse, Vitals};
pub use reception::{Current, Reception};
pub use shards::Shards;
pub use state_folder::{NotOurs, StateFolder};

/// What a person needs to know once the house is open.
pub struct Welcome<'a> {
    pub plan: &'a Plan,
    pub house: &'a House,
    pub opened: &'a [Opened],
    pub http: SocketAddr,
    /// How browsers write the page's address; none: the page can't be shown.
    pub page: Option<String>,
}

/// Chance, from the operating system.
pub fn mint() -> anyhow::Result<Mint> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|fault| anyhow::anyhow!("no random numbers: {fault}"))?;
    Ok(Mint::from_seed(seed))
}

/// Opens the house, serves until it is told to stop, and says why it ended.
pub async fn run(
    folder: &Path,
    boot: Boot,
    clock: Clock,
    mut mint: Mint,
    welcome: impl FnOnce(&Welcome<'_>),
) -> anyhow::Result<Ending> {
    raise_file_limit();
    // Before anything is opened: an early SIGTERM must not kill the process in the middle.
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let Boot { mut plan, house, people, library, origin, .. } = boot;
    let state = take_state(&house)?;
    let inbox = Arc::new(Inbox::new().context("can't make the loop's bell")?);
    let deliver: Deliver = {
        let inbox = Arc::clone(&inbox);
        Arc::new(move |at, input| inbox.put(at, input))
    };
    let keys = config::keys(&house, clock.now().wall);
    let wanted = certificates::wanted(&house, &keys);
    for (transport, listen) in &keys.shut {
        tracing::error!(
            "the {} door on {listen} stays shut: see `hotline check`",
            transport.token()
        );
    }
    anyhow::ensure!(!wanted.is_empty(), "not one door can be opened: see `hotline check`");
    let limits = Limits {
        max: house.connections.max,
        max_per_address: house.connections.max_per_address,
        message_timeout: house.connections.message_timeout,
        idle_timeout: house.connections.idle_timeout,
    };
    // The pages before the doors: what is in use is said before a phone is answered.
    let few = Limits { max: PAGES_MAX, max_per_address: PAGES_MAX, ..limits };
    let pages = Entrance::open(house.http, None, few, clock.stamp(), &Handle::current()).await;
    let (pages, curious) = pages.map_err(|fault| not_open(house.http, &fault))?;
    let http = pages.local();
    let (entrance, guests) = desk::open(&house, &keys.page, limits, clock.stamp()).await.unzip();
    let page_at = entrance.as_ref().map(Entrance::local);
    let mut shut: Vec<String> = keys
        .shut
        .iter()
        .map(|(transport, listen)| format!("{} {listen}", transport.token()))
        .collect();
    if entrance.is_none() {
        shut.push(format!("page {}", house.page.listen));
    }
    let shards = Arc::new(
        shards::Shards::start(&media_settings(&house), &library, &mut mint, clock, tell(&inbox))
            .context("sound can't be carried")?,
    );
    let doors = Doors::open(&wanted, limits, Handle::current(), &clock.stamp(), &deliver)?;
    let doors = Arc::new(doors);
    match Trust::new(&keys.authorities) {
        Ok(trust) => doors.trust(trust),
        Err(fault) => tracing::error!(%fault, "no TLS connection can be opened to trunks"),
    }
    plan.sip.doors = reception::doors_of(&plan.sip.doors, doors.opened(), &[]);
    let plan = Arc::new(plan);

    let metrics = Arc::new(Metrics::new(clock.now().wall));
    let store = Arc::new(Store::open(store::Setup::new(house.state.join("records.sqlite"))));
    let pulse = Arc::new(Pulse::default());
    let exchange = Exchange::new(Arc::clone(&plan), mint, clock.now());
    let (board, seen) = watching::channel(Arc::new(exchange.board(clock.now())));
    let hooks = webhooks::Webhooks::new(clock, webhooks::Patience::default(), Handle::current());
    hooks.change(&[], config::webhooks(&house), Poster::new(&keys.authorities));
    let asides = broadcast::Sender::new(ASIDES_MAX);
    let world = World {
        doors: Arc::clone(&doors),
        look_up: {
            let stamp = clock.stamp();
            let resolver =
                Resolver::new(&house.dns.servers, Handle::current(), stamp, Arc::clone(&deliver));
            Box::new(move |question| resolver.ask(question))
        },
        media: {
            let shards = Arc::clone(&shards);
            Box::new(move |order| shards.order(order))
        },
        keep: {
            let (store, metrics) = (Arc::clone(&store), Arc::clone(&metrics));
            let hooks = hooks.clone();
            Box::new(move |record| {
                hooks.recorded(&record);
                metrics.recorded(&record);
                store.append(record);
            })
        },
        board,
        asides: asides.clone(),
    };
    let intake = Intake::new(Arc::clone(&inbox), doors.readers(&clock.stamp(), &deliver));
    let carrier = Carrier::new(exchange, intake, clock, world, Arc::clone(&pulse));
    let (ended, mut end) = oneshot::channel();
    let carrying = thread::Builder::new().name("exchange".to_owned()).spawn(move || {
        // Whoever waits for it may have gone.
        let _ = ended.send(carrier.run());
    })?;

    let (troubled, troubles) = watching::channel(Arc::default());
    let reception = Arc::new(Reception {
        folder: folder.to_owned(),
        clock,
        inbox: Arc::clone(&inbox),
        board: seen.clone(),
        troubles: troubles.clone(),
        shards: Arc::clone(&shards),
        metrics: Arc::clone(&metrics),
        doors: Arc::clone(&doors),
        entrance,
        hooks: hooks.clone(),
        current: Mutex::new(Current {
            plan: Arc::clone(&plan),
            house: house.clone(),
            alarm: troubles::PlanAlarm::of(&origin),
            certificates: certificates::Expiring::of(&keys),
            names: certificates::Names::of(&keys),
            people,
            since: clock.now().wall,
            change: String::new(),
            shut,
        }),
        reloading: tokio::sync::Mutex::default(),
    });
    let gauges = Arc::new(readiness::Gauges {
        clock,
        pulse: Arc::clone(&pulse),
        inbox: Arc::clone(&inbox),
        doors: Arc::clone(&doors),
        shards: Arc::clone(&shards),
        store: Arc::clone(&store),
        metrics: Arc::clone(&metrics),
        board: seen.clone(),
        reception: Arc::clone(&reception),
        sightings: Mutex::default(),
        told: troubled,
    });
    let mut tasks = JoinSet::new();
    let mut page = None;
    let (closing, closed) = watching::channel(false);
    if let (Some(guests), Some(at)) = (guests, page_at) {
        let audit = audit::Audit::open(state.as_ref().map(StateFolder::path));
        let sign_ins = sign_ins::SignIns::of(state.as_ref().map(StateFolder::path));
        let desk = desk::Desk {
            reception: Arc::clone(&reception),
            store: Arc::clone(&store),
            board: seen.clone(),
            asides,
            clock,
            audit,
            sign_ins,
        };
        let setting = desk::setting(&house, &keys.page, at, doors.opened());
        page = setting.origins.first().cloned();
        let mut closed = closed.clone();
        tasks.spawn(async move {
            let stop = async move {
                let _ = closed.wait_for(|closed| *closed).await;
            };
            http::desk::serve(guests, Box::new(desk), setting, stop).await;
        });
    }
    tasks.spawn(serve_pages((pages, curious), &gauges, &house, closed));
    if let Some(state) = &state {
        match control::Socket::open(state.path(), &Handle::current()) {
            Ok(socket) => {
                let reception = Arc::clone(&reception);
                tasks.spawn(async move {
                    socket
                        .serve(move |request| {
                            let reception = Arc::clone(&reception);
                            async move { reception.answer(request).await }
                        })
                        .await;
                });
            }
            Err(fault) => tracing::error!(%fault, "no orders can be taken by `hotline` commands"),
        }
    }
    tasks.spawn(watch::over(Arc::clone(&gauges)));
    tasks.spawn(hooks.watch(seen.clone(), troubles));

    welcome(&Welcome { plan: &plan, house: &house, opened: doors.opened(), http, page });
    tell_manager(&[sd_notify::NotifyState::Ready]);
    tracing::info!(plan = %plan.version, "the house is open");

    let mut asked_to_stop = false;
    let ending = loop {
        let stop = tokio::select! {
            ending = &mut end => break ending.unwrap_or(Ending::Broken),
            _ = hang_up.recv() => {
                let reception = Arc::clone(&reception);
                tasks.spawn(async move {
                    // Said by the log.
                    let _ = reception.reload(false).await;
                });
                continue;
            }
            stop = terminate.recv() => stop,
            stop = interrupt.recv() => stop,
        };
        if stop.is_none() || std::mem::replace(&mut asked_to_stop, true) {
            tracing::warn!("stopping at once");
            inbox.halt();
            continue;
        }
        let calls = seen.borrow().calls;
        tracing::info!(calls, "stopping when the last call has ended; once more to stop at once");
        tell_manager(&[sd_notify::NotifyState::Stopping]);
        let _ = inbox.put(clock.now(), Input::Stopping);
    };

    // What was said last is sent; then doors, pages and orders close, and records reach the disk.
    closing.send_replace(true);
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    let _ = carrying.join();
    drop((doors, gauges, reception, shards));
    tokio::task::spawn_blocking(move || finish(store)).await?;
    drop(state);
    tracing::info!(?ending, "the house is closed");
    Ok(ending)
}

/// Takes the state folder; a house without one runs, one whose folder is taken doesn't.
fn take_state(house: &House) -> anyhow::Result<Option<StateFolder>> {
    match StateFolder::take(&house.state) {
        Ok(state) => Ok(Some(state)),
        Err(taken @ NotOurs::Taken(_)) => Err(taken.into()),
        Err(unusable @ NotOurs::Unusable { .. }) => {
            tracing::error!("{unusable}; calls are answered, but records wait in memory");
            Ok(None)
        }
    }
}

fn media_settings(house: &House) -> shards::Settings {
    let threads = match house.media.shards {
        0 => shards::Settings::threads_of_this_machine(),
        threads => threads,
    };
    let listen: IpAddr = house.media.bind;
    shards::Settings {
        threads,
        listen,
        advertised: house.media.advertised.unwrap_or_else(|| config::reachable(listen)),
        ports: house.media.ports,
        codecs: Codec::ALL.to_vec(),
    }
}

fn tell(inbox: &Arc<Inbox>) -> shards::Tell {
    let inbox = Arc::clone(inbox);
    Arc::new(move |at, notice| {
        // A full lane is counted and said by the inbox.
        let _ = inbox.put(at, Input::Media(notice));
    })
}

fn serve_pages(
    (entrance, curious): (Entrance, mpsc::Receiver<Guest>),
    gauges: &Arc<readiness::Gauges>,
    house: &House,
    mut closed: watching::Receiver<bool>,
) -> impl Future<Output = ()> + Send + 'static {
    let of = |gauges: &Arc<readiness::Gauges>| Arc::clone(gauges);
    let (alive, ready, counted) = (of(gauges), of(gauges), of(gauges));
    let sources = http::Sources {
        board: gauges.board.clone(),
        is_alive: Box::new(move || alive.is_alive()),
        readiness: Box::new(move || ready.readiness()),
        metrics: Box::new(move || counted.exposition()),
        metrics_type: metrics::CONTENT_TYPE,
        in_french: house.language == config::Language::French,
    };
    async move {
        let stop = async move {
            let _ = closed.wait_for(|closed| *closed).await;
        };
        http::serve(curious, sources, stop).await;
        drop(entrance);
    }
}

/// Waits until every record is on disk, if the disk takes them.
fn finish(store: Arc<Store>) {
    if !store.settled(RECORDS_PATIENCE) {
        let health = store.health();
        tracing::error!(
            records = health.spooled,
            "these records could not be written before the end and are lost"
        );
    }
}

/// How long the end waits for the database.
const RECORDS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Connections at once to the pages without a password; probes and a screen or two need few.
const PAGES_MAX: usize = 256;

/// Words and keys for listeners' pages that have not been taken yet.
const ASIDES_MAX: usize = 1_024;

/// Ten thousand connections and two sockets for each stream need file handles.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(fault) = raised {
        tracing::warn!(%fault, "the limit of open files stays as it was");
    }
}

fn not_open(listen: SocketAddr, fault: &std::io::Error) -> anyhow::Error {
    if fault.kind() == std::io::ErrorKind::AddrInUse {
        return anyhow::anyhow!(
            "port {} (HTTP) on {} is in use by another program: stop it, or give this house \
             another (`http` in `hotline.toml`)",
            listen.port(),
            listen.ip()
        );
    }
    anyhow::anyhow!("can't listen on {listen} (HTTP): {fault}")
}

/// Tells systemd, where there is one.
fn tell_manager(states: &[sd_notify::NotifyState]) {
    if let Err(fault) = sd_notify::notify(states) {
        tracing::warn!(%fault, "the service manager can't be told");
    }
}
