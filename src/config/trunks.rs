//! `trunks.toml` → the roads to the public network: who delivers, who takes our calls, and how.
//!
//! Operators differ in habits, not in kind: a [`Profile`] is a row of usual values, and every one of them can
//! be written otherwise. Nothing else in the house knows an operator's name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{AddressRange, PhoneNumber, TrunkName};
use crate::config::catalogue::{Kind, What};
use crate::config::file::{AccountTable, TrunkTable, TrunksFile, Word};
use crate::config::link::{Linker, hours, minutes, seconds};
use crate::exchange::{ClosedMessage, Protection, TrunkPlan};
use crate::sip::digest::ha1;
use crate::sip::locate::Destination;
use crate::sip::{Algorithm, Dress, Transport, TrunkAccess, TrunkAccount, TrunkPeer};

/// A trunk as it is written, but for its password.
#[derive(Clone, Debug)]
pub(super) struct Trunk {
    pub(super) plan: TrunkPlan,
    pub(super) access: TrunkAccess,
    /// Provisional answers go reliably to callers who can take them so.
    pub(super) reliable: bool,
}

/// What is usual at an operator (domain.md §2.2).
struct Profile {
    name: &'static str,
    transport: Transport,
    keep_alive: Option<Duration>,
    dress: Dress,
    /// Wants REGISTER, where there is an account.
    registers: bool,
    /// Of the sound, where the signalling goes over TLS.
    protection: Protection,
}

const HALF_A_MINUTE: Option<Duration> = Some(Duration::from_secs(30));

/// The first is usual where none is named.
const PROFILES: [Profile; 8] = [
    profile("generic", Transport::Udp, Dress::Global, true),
    profile("bouygues", Transport::Udp, Dress::Global, false),
    profile("free-pro", Transport::Udp, Dress::National, false),
    profile("keyyo", Transport::Udp, Dress::National, true),
    profile("orange", Transport::Udp, Dress::Global, false),
    profile("ovh", Transport::Udp, Dress::International, true),
    profile("sewan", Transport::Udp, Dress::Global, true),
    profile("sfr", Transport::Udp, Dress::Global, false),
];

const PROFILE_NAMES: &[&str] =
    &["generic", "bouygues", "free-pro", "keyyo", "orange", "ovh", "sewan", "sfr"];

const fn profile(
    name: &'static str,
    transport: Transport,
    dress: Dress,
    registers: bool,
) -> Profile {
    let protection = Protection::Offered;
    Profile { name, transport, keep_alive: HALF_A_MINUTE, dress, registers, protection }
}

pub(super) fn trunks(file: &TrunksFile, linker: &mut Linker<'_>) -> BTreeMap<TrunkName, Trunk> {
    let mut all = BTreeMap::new();
    for (key, table) in &file.trunks {
        let name = linker.name::<TrunkName>(Kind::Trunk, key);
        if table.addresses.is_empty() {
            let trunk = key.get_ref().clone();
            linker.problem(key, What::TrunkWithoutAddress { trunk });
        }
        if let Some(name) = name
            && let Some(trunk) = trunk(&name, table, linker)
        {
            all.insert(name, trunk);
        }
    }
    all
}

fn trunk(name: &TrunkName, table: &TrunkTable, linker: &mut Linker<'_>) -> Option<Trunk> {
    let index: Vec<usize> = (0..PROFILES.len()).collect();
    let chosen = linker.word(table.profile.as_ref(), 0, PROFILE_NAMES, &index);
    let profile = &PROFILES[chosen.unwrap_or_default()];
    debug_assert_eq!(PROFILE_NAMES[chosen.unwrap_or_default()], profile.name);
    let addresses =
        all_of(&table.addresses, linker, |text| text.parse::<AddressRange>().ok(), bad_range);
    let media = all_of(&table.media, linker, |text| text.parse::<AddressRange>().ok(), bad_range);
    let numbers =
        all_of(&table.numbers, linker, |text| text.parse::<PhoneNumber>().ok(), bad_number);
    let peer = |text: &str| peer(text, profile.transport);
    let peers = all_of(&table.peers, linker, peer, |text| What::BadPeer { text });
    let server = match &table.server {
        None => Some(None),
        Some(word) => match server(word.get_ref()) {
            Some(server) => Some(Some(server)),
            None => {
                linker.problem(word, What::BadServer { text: word.get_ref().clone() });
                None
            }
        },
    };
    let calls_max = match &table.calls {
        Some(calls) => linker.count(Some(calls), 1, 1, 20_000).map(Some),
        None => Some(None),
    };
    let keep_alive = keep_alive(table.keep_alive.as_ref(), profile, linker);
    let dresses = [Dress::Global, Dress::International, Dress::National];
    let dress = linker.word(table.numbers_as.as_ref(), profile.dress, DRESSES, &dresses);
    let presented = match &table.presented {
        Some(word) => {
            all_of(std::slice::from_ref(word), linker, |text| text.parse().ok(), bad_number)
        }
        None => Some(Vec::new()),
    };
    let ways = [ClosedMessage::Answered, ClosedMessage::EarlyMedia];
    let closed_message =
        linker.word(table.closed_message.as_ref(), ways[0], &["answered", "early-media"], &ways);
    let protections = [Protection::Never, Protection::Offered, Protection::Demanded];
    let protection =
        linker.word(table.protection.as_ref(), profile.protection, PROTECTIONS, &protections);
    let account = match &table.account {
        Some(table) => account(table, profile, linker).map(Some),
        None => Some(None),
    };
    let addresses = addresses?;
    Some(Trunk {
        plan: TrunkPlan {
            addresses: addresses.clone(),
            media: media?,
            numbers: numbers?.into_iter().collect::<BTreeSet<_>>(),
            calls_max: calls_max?,
            closed_message: closed_message?,
            protection: protection?,
        },
        access: TrunkAccess {
            server: server?,
            peers: peers?,
            keep_alive: keep_alive?,
            domain: table.domain.clone(),
            account: account?,
            presented: presented?.into_iter().next(),
            dress: dress?,
            ..TrunkAccess::delivering(name.clone(), addresses)
        },
        reliable: table.reliable.unwrap_or(false),
    })
}

const PROTECTIONS: &[&str] = &["never", "offered", "demanded"];

const DRESSES: &[&str] = &["+33…", "0033…", "0…"];

fn keep_alive(
    word: Option<&Word>,
    profile: &Profile,
    linker: &mut Linker<'_>,
) -> Option<Option<Duration>> {
    match word {
        None => Some(profile.keep_alive),
        Some(word) if word.get_ref() == "never" => Some(None),
        Some(word) => linker.duration(Some(word), seconds(30), seconds(5), minutes(10)).map(Some),
    }
}

/// The digests are made when the password is known: see [`with_password`].
fn account(
    table: &AccountTable,
    profile: &Profile,
    linker: &mut Linker<'_>,
) -> Option<TrunkAccount> {
    let expiry = linker.duration(table.expiry.as_ref(), minutes(10), minutes(1), hours(24))?;
    Some(TrunkAccount {
        username: table.user.clone(),
        realm: table.realm.clone(),
        ha1_md5: String::new(),
        ha1_sha256: String::new(),
        registers: table.register.unwrap_or(profile.registers),
        expiry,
    })
}

/// The name of a trunk's password in the file of passwords.
pub(super) fn secret_of(trunk: &TrunkName) -> String {
    format!("trunk {trunk}")
}

/// The account with its digests; None without a password: it could prove nothing.
pub(super) fn with_password(
    account: TrunkAccount,
    password: Option<&String>,
) -> Option<TrunkAccount> {
    let digest = |algorithm| Some(ha1(algorithm, &account.username, &account.realm, password?));
    Some(TrunkAccount {
        ha1_md5: digest(Algorithm::Md5)?,
        ha1_sha256: digest(Algorithm::Sha256)?,
        ..account
    })
}

/// `sbc.operator.example`, found by NAPTR and SRV; `tls/sbc.operator.example`, by SRV of that transport;
/// `tcp/sbc.operator.example:5062`, by its addresses alone (RFC 3263 §4).
fn server(text: &str) -> Option<Destination> {
    let (transport, place) = match text.split_once('/') {
        Some(("udp", place)) => (Some(Transport::Udp), place),
        Some(("tcp", place)) => (Some(Transport::Tcp), place),
        Some(("tls", place)) => (Some(Transport::Tls), place),
        Some(_) => return None,
        None => (None, text),
    };
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)),
        None => (place, None),
    };
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let is_label = |label: &&str| {
        let fits = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        fits && !label.starts_with('-') && !label.ends_with('-') && (1..=63).contains(&label.len())
    };
    // An address is a peer, and a name without a dot is a machine of ours and no operator's.
    let is_name = labels.len() > 1 && host.len() <= 253 && labels.iter().all(is_label);
    let is_address = host.parse::<IpAddr>().is_ok();
    (is_name && !is_address).then(|| Destination::new(host, port, transport))
}

/// `192.0.2.1`, `192.0.2.1:5062`, `tcp/192.0.2.1`, `tls/[2001:db8::1]:5061`.
fn peer(text: &str, usual: Transport) -> Option<TrunkPeer> {
    let (transport, address) = match text.split_once('/') {
        Some(("udp", address)) => (Transport::Udp, address),
        Some(("tcp", address)) => (Transport::Tcp, address),
        Some(("tls", address)) => (Transport::Tls, address),
        Some(_) => return None,
        None => (usual, text),
    };
    let port = if transport == Transport::Tls { 5061 } else { 5060 };
    let whole = address.parse::<SocketAddr>().ok();
    let bare = || Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, port));
    Some(TrunkPeer { transport, address: whole.or_else(bare)? })
}

fn bad_range(text: String) -> What {
    What::BadRange { text }
}

fn bad_number(text: String) -> What {
    What::BadNumber { text }
}

/// Every word of a list, read; all that are wrong are told.
fn all_of<T>(
    words: &[Word],
    linker: &mut Linker<'_>,
    read: impl Fn(&str) -> Option<T>,
    wrong: impl Fn(String) -> What,
) -> Option<Vec<T>> {
    let mut values = Vec::new();
    for word in words {
        match read(word.get_ref()) {
            Some(value) => values.push(value),
            None => linker.problem(word, wrong(word.get_ref().clone())),
        }
    }
    (values.len() == words.len()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3263 §4.1: what is written decides what is asked.
    #[test]
    fn a_server_is_a_name_with_a_transport_or_a_port_if_need_be() {
        let read = |text: &str| {
            server(text).map(|it| (it.transport.map(Transport::token), it.host, it.port))
        };
        let host = || "sbc.operator.example".to_owned();

        assert_eq!(read("sbc.operator.example"), Some((None, host(), None)));
        assert_eq!(read("SBC.Operator.Example."), Some((None, host(), None)));
        assert_eq!(read("tls/sbc.operator.example"), Some((Some("TLS"), host(), None)));
        assert_eq!(read("tcp/sbc.operator.example:5062"), Some((Some("TCP"), host(), Some(5062))));
        for wrong in [
            "192.0.2.1",
            "[2001:db8::1]",
            "sbc",
            "sctp/sbc.example",
            "a..b",
            "sbc.example:0",
            "-.x",
            "",
            "a b.c",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn peers_are_addresses_with_a_transport_or_the_usual_one() {
        let read = |text: &str| {
            peer(text, Transport::Udp)
                .map(|peer| (peer.transport.token(), peer.address.to_string()))
        };

        assert_eq!(read("192.0.2.1"), Some(("UDP", "192.0.2.1:5060".to_owned())));
        assert_eq!(read("tcp/192.0.2.1:5062"), Some(("TCP", "192.0.2.1:5062".to_owned())));
        assert_eq!(read("tls/2001:db8::1"), Some(("TLS", "[2001:db8::1]:5061".to_owned())));
        assert_eq!(read("sctp/192.0.2.1"), None);
        assert_eq!(read("sbc.example"), None);
    }
}
