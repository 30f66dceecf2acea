//! The choice of RFC 3263 §4, as a function of what is known: it says which questions are still to
//! be answered, or the routes.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use crate::sip::Transport;

use super::{Destination, Hop, Kind, Question, Record, Route, default_port};

/// The transports we open connections with, in the order they are tried when nobody says.
const OURS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];
/// The most servers of one destination that are looked up.
const SERVERS_MAX: usize = 16;
/// The most addresses of one server that are tried.
const ADDRESSES_MAX: usize = 8;
/// The longest name asked for (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;

/// How far the choice came.
pub(super) struct Step {
    /// Every question that matters for this destination.
    pub(super) asked: BTreeSet<Question>,
    /// Those not answered yet.
    pub(super) missing: Vec<Question>,
    /// The result, once nothing is missing.
    pub(super) routes: Option<Vec<Route>>,
}

/// A server to be looked up.
struct Server {
    rank: u32,
    weight: u16,
    transport: Transport,
    port: u16,
    host: String,
}

/// Looks questions up in what is known, and remembers those that can't be answered.
struct Reading<F> {
    known: F,
    asked: BTreeSet<Question>,
    missing: Vec<Question>,
}

pub(super) fn choose<'a>(
    destination: &Destination,
    known: impl Fn(&Question) -> Option<&'a [Record]>,
) -> Step {
    let mut reading = Reading { known, asked: BTreeSet::new(), missing: Vec::new() };
    let routes = match destination.host.parse::<IpAddr>() {
        Ok(ip) => {
            let transport = plain_transport(destination);
            let port = destination.port.unwrap_or(default_port(transport));
            let hop = Hop { transport, address: SocketAddr::new(ip, port) };
            Some(vec![Route { rank: 0, weight: 0, hops: vec![hop] }])
        }
        Err(_) => reading.servers(destination).and_then(|servers| reading.routes(&servers)),
    };
    let Reading { asked, missing, .. } = reading;
    let routes = routes.filter(|_| missing.is_empty());
    Step { asked, missing, routes }
}

impl<'a, F: Fn(&Question) -> Option<&'a [Record]>> Reading<F> {
    fn ask(&mut self, name: &str, kind: Kind) -> Option<&'a [Record]> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() || name.len() > NAME_MAX {
            return Some(&[]);
        }
        let question = Question { name, kind };
        let records = (self.known)(&question);
        if records.is_none() && !self.asked.contains(&question) {
            self.missing.push(question.clone());
        }
        self.asked.insert(question);
        records
    }

    /// Which servers there are (§4.1, §4.2). None: something must be answered first.
    fn servers(&mut self, destination: &Destination) -> Option<Vec<Server>> {
        let host = &destination.host;
        let itself = |port: Option<u16>| {
            let transport = plain_transport(destination);
            let port = port.unwrap_or(default_port(transport));
            vec![Server { rank: 0, weight: 0, transport, port, host: host.clone() }]
        };
        if destination.port.is_some() {
            return Some(itself(destination.port));
        }
        let mut names = Vec::new();
        if destination.transport.is_none() {
            let records = self.ask(host, Kind::Naptr)?;
            names = services(records, destination.secure);
        }
        if names.is_empty() {
            let transports = OURS.into_iter().filter(|transport| match destination.transport {
                Some(wanted) => *transport == wanted,
                None => !destination.secure || *transport == Transport::Tls,
            });
            names = transports.map(|transport| (transport, service(transport, host))).collect();
        }
        let mut servers = Vec::new();
        let mut is_whole = true;
        for (rank, (transport, name)) in names.into_iter().enumerate() {
            let Some(records) = self.ask(&name, Kind::Srv) else {
                is_whole = false;
                continue;
            };
            let base = u32::try_from(rank).unwrap_or(u32::MAX >> 16) << 16;
            servers.extend(records.iter().filter_map(|record| match record {
                // A target of `.` says: not here (RFC 2782).
                Record::Srv { priority, weight, port, target } if is_host(target) => Some(Server {
                    rank: base | u32::from(*priority),
                    weight: *weight,
                    transport,
                    port: *port,
                    host: target.clone(),
                }),
                Record::Srv { .. } | Record::Naptr { .. } | Record::Address(_) => None,
            }));
        }
        if !is_whole {
            return None;
        }
        servers.sort_by_key(|server| server.rank);
        servers.truncate(SERVERS_MAX);
        Some(if servers.is_empty() { itself(None) } else { servers })
    }

    /// Their addresses, of both families (RFC 7984 §3): one of each in turn, IPv6 first.
    fn routes(&mut self, servers: &[Server]) -> Option<Vec<Route>> {
        let mut routes = Vec::new();
        for server in servers {
            let v6 = self.ask(&server.host, Kind::Aaaa);
            let v4 = self.ask(&server.host, Kind::A);
            let (Some(v6), Some(v4)) = (v6, v4) else {
                continue;
            };
            let in_turn = (0..v6.len().max(v4.len())).flat_map(|n| [v6.get(n), v4.get(n)]);
            let addresses = in_turn.flatten().filter_map(|record| match record {
                Record::Address(ip) => Some(*ip),
                Record::Naptr { .. } | Record::Srv { .. } => None,
            });
            let hops: Vec<Hop> = addresses
                .filter(|ip| !ip.is_unspecified() && !ip.is_multicast())
                .take(ADDRESSES_MAX)
                .map(|ip| Hop {
                    transport: server.transport,
                    address: SocketAddr::new(ip, server.port),
                })
                .collect();
            routes.push(Route { rank: server.rank, weight: server.weight, hops });
        }
        self.missing.is_empty().then_some(routes)
    }
}

/// The transport where neither the URI nor the DNS says one (§4.1).
fn plain_transport(destination: &Destination) -> Transport {
    let otherwise = if destination.secure { Transport::Tls } else { Transport::Udp };
    destination.transport.unwrap_or(otherwise)
}

/// The NAPTR records we can follow, best first (§4.1): each leads to the name of an SRV record.
fn services(records: &[Record], secure: bool) -> Vec<(Transport, String)> {
    let mut found: Vec<(u16, u16, Transport, String)> = records
        .iter()
        .filter_map(|record| {
            let Record::Naptr { order, preference, flags, service, replacement } = record else {
                return None;
            };
            let transport = match service.to_ascii_uppercase().as_str() {
                "SIPS+D2T" => Transport::Tls,
                "SIP+D2U" if !secure => Transport::Udp,
                "SIP+D2T" if !secure => Transport::Tcp,
                _ => return None,
            };
            let is_fit = flags.eq_ignore_ascii_case("s") && is_host(replacement);
            is_fit.then(|| (*order, *preference, transport, replacement.clone()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, _, transport, name)| (transport, name)).collect()
}

/// Where the SRV records of a host are (RFC 3263 §4.1).
fn service(transport: Transport, host: &str) -> String {
    match transport {
        Transport::Udp => format!("_sip._udp.{host}"),
        Transport::Tcp => format!("_sip._tcp.{host}"),
        Transport::Tls => format!("_sips._tcp.{host}"),
        Transport::Ws => format!("_sip._ws.{host}"),
        Transport::Wss => format!("_sips._ws.{host}"),
    }
}

fn is_host(name: &str) -> bool {
    !name.trim_end_matches('.').is_empty()
}
