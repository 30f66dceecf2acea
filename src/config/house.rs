//! What can't change without a restart: addresses, ports, folders, logs.
//!
//! [`House`] is the bootstrap half of the configuration (`hotline.toml` and `HOTLINE__…`
//! variables); the other half is the plan. It is dull data with a default for everything, so that
//! an empty file makes a house that works on this machine alone: every address is loopback until
//! somebody writes another. Paths may be relative: they are taken from the folder of the plan.
//!
//! Nothing is read here; `config` fills it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::webhooks::WebhookSettings;
use crate::sip::{Algorithm, Transport};

/// The settings of one running house.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct House {
    /// What operators and listeners read.
    pub language: Language,
    /// Records, the last good plan, the command socket. One house to a folder.
    pub state: PathBuf,
    /// Listeners' passwords; none: `passwords.toml` in the state folder.
    pub passwords: Option<PathBuf>,
    /// The recordings; none: where `lines.toml` says.
    pub prompts: Option<PathBuf>,
    /// Where SIP is spoken.
    pub doors: Vec<DoorSettings>,
    pub connections: ConnectionSettings,
    pub media: MediaSettings,
    pub dns: DnsSettings,
    pub authorities: Vec<Authority>,
    /// Programs that are told what happens.
    pub webhooks: Vec<WebhookSettings>,
    /// Health, metrics and the board.
    pub http: SocketAddr,
    pub page: PageSettings,
    pub log: LogSettings,
}

/// One address where SIP is spoken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DoorSettings {
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: Transport,
    pub listen: SocketAddr,
    /// What peers are told; none: the address above, or this machine's own if that is `0.0.0.0`.
    #[serde(default)]
    pub advertised: Option<IpAddr>,
    /// The digest algorithms offered, best first.
    #[serde(default = "both_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// What a `tls` or `wss` door shows: a file of PEM, the door's own certificate first.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its key.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Others, shown to those who ask for one of their names (SNI).
    #[serde(default)]
    pub certificates: Vec<CertificateFiles>,
    /// Who signs the certificates of those who come in; none: they need none.
    #[serde(default)]
    pub client_authority: Option<PathBuf>,
    #[serde(default)]
    pub client_certificate: ClientCertificate,
    /// Pages that may come in by a `ws` or `wss` door, as browsers write them: `https://name`.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The names a `ws` or `wss` door has, besides those of its certificate and its addresses.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// A `ws` door may stand on an address others reach, because a proxy speaks TLS before it.
    #[serde(default)]
    pub behind_proxy: bool,
}

/// A certificate and its key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Whether those who come in must show a certificate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    #[default]
    Required,
    Optional,
}

/// Who vouches for a name we call over TLS, instead of the authorities of this machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    pub name: String,
    pub file: PathBuf,
}

impl DoorSettings {
    /// A door with nothing but an address.
    pub fn plain(transport: Transport, listen: SocketAddr) -> Self {
        Self {
            transport,
            listen,
            advertised: None,
            algorithms: both_algorithms(),
            certificate: None,
            key: None,
            certificates: Vec::new(),
            client_authority: None,
            client_certificate: ClientCertificate::default(),
            origins: Vec::new(),
            hosts: Vec::new(),
            behind_proxy: false,
        }
    }
}

/// How much strangers may hold open (domain.md §5, T-04).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionSettings {
    /// The most connections at once, all doors together.
    pub max: usize,
    /// The most from one address.
    pub max_per_address: usize,
    /// How long a begun message may take to come whole.
    #[serde(with = "spelled")]
    pub message_timeout: Duration,
    /// How long a connection may say nothing at all, not even a keep-alive.
    #[serde(with = "spelled")]
    pub idle_timeout: Duration,
}

/// Where sound goes in and out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSettings {
    pub bind: IpAddr,
    /// What SDP says; none: the address above, or this machine's own if that is `0.0.0.0`.
    pub advertised: Option<IpAddr>,
    /// First and last RTP port; pairs are drawn from between.
    pub ports: (u16, u16),
    /// Media threads; 0: one for each processor.
    pub shards: usize,
}

/// The page of listeners and managers, and what it is told by.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageSettings {
    /// With a certificate HTTPS, without one plain HTTP: on this machine, or behind a proxy that speaks TLS.
    pub listen: SocketAddr,
    /// What the page shows: a file of PEM, its own certificate first.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Others, shown to those who ask for one of their names (SNI).
    pub certificates: Vec<CertificateFiles>,
    /// Without a certificate it may stand on an address others reach, because a proxy speaks TLS before it.
    pub behind_proxy: bool,
    /// How browsers write the page's address: `https://ecoute.example`; none: the address above.
    pub origins: Vec<String>,
    /// Where the page's phone registers; none: the first `ws` or `wss` door.
    pub sip: Option<String>,
}

/// Who is asked where a trunk's name is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsSettings {
    /// None: the servers of this machine (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    pub format: LogFormat,
    /// As in `RUST_LOG`: `info`, or `info,hotline::sip=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[serde(rename = "en")]
    English,
    #[default]
    #[serde(rename = "fr")]
    French,
}

impl House {
    /// The same house with every path taken from `folder`, and addresses filled in.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.state = folder.join(&self.state);
        self.passwords = Some(match &self.passwords {
            Some(path) => folder.join(path),
            None => self.state.join("passwords.toml"),
        });
        let whole = |path: &mut PathBuf| *path = folder.join(&*path);
        self.prompts.iter_mut().for_each(whole);
        for door in &mut self.doors {
            door.certificate.iter_mut().for_each(whole);
            door.key.iter_mut().for_each(whole);
            door.client_authority.iter_mut().for_each(whole);
            for files in &mut door.certificates {
                whole(&mut files.certificate);
                whole(&mut files.key);
            }
        }
        self.page.certificate.iter_mut().for_each(whole);
        self.page.key.iter_mut().for_each(whole);
        for files in &mut self.page.certificates {
            whole(&mut files.certificate);
            whole(&mut files.key);
        }
        for authority in &mut self.authorities {
            whole(&mut authority.file);
        }
        for webhook in &mut self.webhooks {
            whole(&mut webhook.secret);
        }
        self
    }
}

impl Default for House {
    fn default() -> Self {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 5060));
        let door = |transport| DoorSettings::plain(transport, here);
        Self {
            language: Language::default(),
            state: PathBuf::from("state"),
            passwords: None,
            prompts: None,
            doors: vec![door(Transport::Udp), door(Transport::Tcp)],
            connections: ConnectionSettings::default(),
            media: MediaSettings::default(),
            dns: DnsSettings::default(),
            authorities: Vec::new(),
            webhooks: Vec::new(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8380)),
            page: PageSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 4_096,
            max_per_address: 1_024,
            message_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(120),
        }
    }
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            advertised: None,
            ports: (20_000, 29_999),
            shards: 0,
        }
    }
}

impl Default for PageSettings {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8390));
        Self {
            listen,
            certificate: None,
            key: None,
            certificates: Vec::new(),
            behind_proxy: false,
            origins: Vec::new(),
            sip: None,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned() }
    }
}

fn both_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::Sha256, Algorithm::Md5]
}

/// Durations as people write them: `500ms`, `5s`, `2m`, `1h`.
mod spelled {
    use std::time::Duration;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::config::link;

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}ms", duration.as_millis()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        link::duration(&text).ok_or_else(|| {
            D::Error::custom(format_args!("`{text}` is no duration; write `500ms`, `5s` or `2m`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_house_on_loopback() {
        let house: House = toml::from_str("").unwrap();

        assert_eq!(house, House::default());
        assert!(house.doors.iter().all(|door| door.listen.ip().is_loopback()));
        assert!(house.http.ip().is_loopback());
    }

    #[test]
    fn every_setting_can_be_written() {
        let house: House = toml::from_str(
            r#"
            language = "en"
            state = "/var/lib/hotline"
            http = "127.0.0.1:9090"

            [[doors]]
            transport = "udp"
            listen = "0.0.0.0:5060"
            advertised = "192.0.2.7"
            algorithms = ["MD5"]

            [connections]
            max = 100
            idle_timeout = "2m"

            [media]
            bind = "0.0.0.0"
            ports = [16384, 32767]

            [log]
            format = "json"
            "#,
        )
        .unwrap();

        assert_eq!(house.language, Language::English);
        assert_eq!(house.doors[0].algorithms, [Algorithm::Md5]);
        assert_eq!(house.connections.idle_timeout, Duration::from_secs(120));
        assert_eq!(house.connections.message_timeout, Duration::from_secs(5));
        assert_eq!(house.media.ports, (16_384, 32_767));
        assert_eq!(house.log.format, LogFormat::Json);
    }

    #[test]
    fn paths_are_taken_from_the_folder_of_the_plan() {
        let house = House::default().within(Path::new("/etc/hotline"));

        assert_eq!(house.state, Path::new("/etc/hotline/state"));
        assert_eq!(house.passwords.unwrap(), Path::new("/etc/hotline/state/passwords.toml"));
    }

    #[test]
    fn a_wrong_key_or_duration_is_refused() {
        toml::from_str::<House>("stat = 'x'").unwrap_err();
        toml::from_str::<House>("[connections]\nidle_timeout = '2 days'").unwrap_err();
    }
}
