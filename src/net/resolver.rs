//! Asks the DNS what the locator wants to know (RFC 3263), and brings the answers back as facts.
//!
//! The questions are those of `sip::locate`; what the answers mean is decided there. Every question
//! is a small task that ends with an answer, if only [`Answer::Failed`], within the library's own
//! timeouts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::exchange::Input;
use crate::net::{Deliver, Stamp, Taken};
use crate::sip::locate::{Answer, Kind, Question, Record};

/// How long one server may take; two are asked, twice each.
const PATIENCE: Duration = Duration::from_secs(2);

/// Questions under way at once.
const QUESTIONS_MAX: usize = 32;

/// How long a full house makes an answer wait before it is offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(50);

/// The most records of one answer that are carried inside.
const RECORDS_MAX: usize = 64;

/// Asks the DNS.
pub struct Resolver {
    /// None: no server is known on this machine.
    resolver: Option<Arc<TokioResolver>>,
    at_once: Arc<Semaphore>,
    runtime: Handle,
    stamp: Stamp,
    deliver: Deliver,
}

impl Resolver {
    /// Asks these servers; none given: those of this machine (`/etc/resolv.conf`).
    pub fn new(servers: &[SocketAddr], runtime: Handle, stamp: Stamp, deliver: Deliver) -> Self {
        let resolver = match build(servers) {
            Ok(resolver) => Some(Arc::new(resolver)),
            Err(error) => {
                tracing::warn!(%error, "no DNS server is known: names can't be looked up");
                None
            }
        };
        let at_once = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Self { resolver, at_once, runtime, stamp, deliver }
    }

    /// Asks without waiting; the answer comes as [`Input::LookedUp`].
    pub fn ask(&self, question: Question) {
        let (resolver, at_once) = (self.resolver.clone(), Arc::clone(&self.at_once));
        let (stamp, deliver) = (Arc::clone(&self.stamp), Arc::clone(&self.deliver));
        self.runtime.spawn(async move {
            let answer = match (resolver, at_once.acquire().await) {
                (Some(resolver), Ok(_turn)) => look_up(&resolver, &question).await,
                (None, _) | (_, Err(_)) => Answer::Failed,
            };
            let input = Input::LookedUp { question, answer };
            while deliver(stamp(), input.clone()) == Taken::Full {
                tokio::time::sleep(OFFER_AGAIN).await;
            }
        });
    }
}

fn build(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = if servers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = servers.iter().map(|server| {
            let on_port = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let connections =
                [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(on_port).to_vec();
            NameServerConfig::new(server.ip(), true, connections)
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options: &mut ResolverOpts = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 2;
    // The locator keeps what it knows, by the TTL of the answers.
    options.cache_size = 0;
    // A name with a dot is whole: the machine's search list has no say in where calls go.
    options.ndots = 1;
    builder.build()
}

async fn look_up(resolver: &TokioResolver, question: &Question) -> Answer {
    let Ok(mut name) = Name::from_ascii(&question.name) else {
        return Answer::Records { records: Vec::new(), ttl: Duration::ZERO };
    };
    name.set_fqdn(true);
    let kind = match question.kind {
        Kind::Naptr => RecordType::NAPTR,
        Kind::Srv => RecordType::SRV,
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
    };
    match resolver.lookup(name, kind).await {
        Ok(found) => {
            let records = found.answers().iter().filter_map(|record| read(&record.data));
            let ttl = found.answers().iter().map(|record| record.ttl).min().unwrap_or_default();
            let ttl = Duration::from_secs(ttl.into());
            Answer::Records { records: records.take(RECORDS_MAX).collect(), ttl }
        }
        Err(error) if says_there_is_none(&error) => {
            Answer::Records { records: Vec::new(), ttl: Duration::ZERO }
        }
        Err(error) => {
            tracing::debug!(%error, name = question.name, "the DNS does not answer");
            Answer::Failed
        }
    }
}

/// Whether a server said so itself, rather than that it can't tell.
fn says_there_is_none(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the wildcard is for a library's enum")]
fn read(data: &RData) -> Option<Record> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match data {
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            replacement: naptr.replacement.to_ascii(),
        }),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii(),
        }),
        RData::A(a) => Some(Record::Address(a.0.into())),
        RData::AAAA(aaaa) => Some(Record::Address(aaaa.0.into())),
        _ => None,
    }
}
