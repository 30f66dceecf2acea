use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::text::{is_token_text, trim};
use super::{Params, Unreadable};
use crate::sip::Transport;
use crate::sip::message::HeaderName;
use crate::sip::uri;

/// The branch of RFC 3261 begins so; others come from RFC 2543 (§8.1.1.7).
const MAGIC_COOKIE: &str = "z9hG4bK";

/// How often a phone that offers to keep its flow alive should (RFC 6223).
const KEEP_ALIVE_SECONDS: u32 = 120;

/// One hop of the way back (RFC 3261 §20.42).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Via<'a> {
    transport: &'a str,
    host: &'a str,
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads `SIP/2.0/UDP host:port;branch=…`, spaces anywhere the grammar lets them stand.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        Self::parse(trim(text)).ok_or(Unreadable(HeaderName::Via))
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (protocol, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        if !trim(protocol).eq_ignore_ascii_case("SIP") || trim(version) != "2.0" {
            return None;
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let (transport, rest) = rest.split_at(rest.find([' ', '\t'])?);
        let rest = trim(rest);
        let (sent_by, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let (host, port) = sent_by_parts(trim(sent_by))?;
        if !is_token_text(transport) || !uri::is_host(host) {
            return None;
        }
        Some(Self { transport, host, port, params: Params::read(params)? })
    }

    /// The transport as written.
    pub fn transport_text(&self) -> &'a str {
        self.transport
    }

    /// The transport, if it is one of ours.
    pub fn transport(&self) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss]
            .into_iter()
            .find(|transport| transport.token().eq_ignore_ascii_case(self.transport))
    }

    /// The host of sent-by as written; an IPv6 address in brackets.
    pub fn host(&self) -> &'a str {
        self.host
    }

    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether sent-by is the same (case does not matter; a missing port is 5060, or 5061 on TLS).
    pub fn is_sent_by_same(&self, other: &Via<'_>) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port_or_default() == other.port_or_default()
    }

    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(match self.transport() {
            Some(Transport::Tls) => 5061,
            Some(Transport::Ws) => 80,
            Some(Transport::Wss) => 443,
            Some(Transport::Udp | Transport::Tcp) | None => 5060,
        })
    }

    pub fn params(&self) -> Params<'a> {
        self.params
    }

    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The branch, if RFC 3261 promises that it is unique: magic cookie and something after it.
    pub fn unique_branch(&self) -> Option<&'a str> {
        let branch = self.branch()?;
        let cookie = branch.get(..MAGIC_COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && branch.len() > MAGIC_COOKIE.len())
            .then_some(branch)
    }

    /// `received`; an IPv6 address with or without brackets (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        self.params.get("received")?.trim_matches(['[', ']']).parse().ok()
    }

    /// Whether the sender wants the answer back at the port it sent from (RFC 3581).
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// Whether the sender wants to be told how much of its traffic to keep back, and understands the way
    /// everybody must (RFC 7339 §5.1: `loss`).
    pub fn wants_advice(&self) -> bool {
        let algorithms = self.params.unquoted("oc-algo");
        let knows_loss = algorithms
            .is_none_or(|all| all.split(',').any(|one| trim(one).eq_ignore_ascii_case("loss")));
        self.params.has("oc") && knows_loss
    }

    /// The port written into `rport`.
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport")?.parse().ok()
    }

    /// Where a response goes on UDP (RFC 3261 §18.2.2, RFC 3581 §4) when the request came from
    /// `source`. `maddr` is not followed: it would make us send wherever a stranger says.
    pub fn answer_address(&self, source: SocketAddr) -> SocketAddr {
        if self.wants_rport() {
            return source;
        }
        SocketAddr::new(source.ip(), self.port_or_default())
    }

    /// This Via as a response carries it: `received` and `rport` say where the request came from.
    /// With `advice` for whoever asks for it (RFC 7339 §4): see [`Via::wants_advice`].
    pub fn answering(
        self,
        source: SocketAddr,
        advice: Option<&'a str>,
    ) -> impl fmt::Display + use<'a> {
        Answering { via: self, source, advice: advice.filter(|_| self.wants_advice()) }
    }

    /// A Via of ours, asking for `rport`.
    pub fn ours(transport: Transport, sent_by: impl fmt::Display, branch: &str) -> String {
        format!("SIP/2.0/{} {sent_by};rport;branch={branch}", transport.token())
    }
}

fn sent_by_parts(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match text.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    let rest = trim(rest);
    if rest.is_empty() {
        return Some((trim(host), None));
    }
    Some((trim(host), Some(uri::port(trim(rest.strip_prefix(':')?))?)))
}

struct Answering<'a> {
    via: Via<'a>,
    source: SocketAddr,
    advice: Option<&'a str>,
}

impl fmt::Display for Answering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Via { transport, host, port, params } = self.via;
        write!(f, "SIP/2.0/{transport} {host}")?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        let is_kept = self.via.transport().is_some_and(Transport::is_reliable);
        for (name, value) in params.iter() {
            if name.eq_ignore_ascii_case("keep") && value.is_none() && is_kept {
                // RFC 6223 §4.4: we answer keep-alives on streams, and want one so often.
                write!(f, ";keep={KEEP_ALIVE_SECONDS}")?;
                continue;
            }
            let is_ours = ["received", "rport"].iter().any(|ours| name.eq_ignore_ascii_case(ours))
                || self.advice.is_some()
                    && ["oc", "oc-algo"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
            match value {
                _ if is_ours => {}
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        let wants_rport = self.via.wants_rport();
        let ip = self.source.ip();
        // RFC 3581 §4: with rport, `received` is written even if it says nothing new.
        if wants_rport || host.trim_matches(['[', ']']).parse() != Ok(ip) {
            write!(f, ";received={ip}")?;
        }
        if wants_rport {
            write!(f, ";rport={}", self.source.port())?;
        }
        if let Some(advice) = self.advice {
            write!(f, ";{advice}")?;
        }
        Ok(())
    }
}
