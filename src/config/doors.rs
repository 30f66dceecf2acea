//! What a door needs besides its address: certificates and keys, and who may come in by WebSocket.
//!
//! A door that lacks any of it stays shut and is said; it never keeps the house from opening its
//! other doors (domain.md T-24), nor the plan from being used. The files are read here, and again at
//! every reload; what is done with them is `net`'s business.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::config::catalogue::What;
use crate::config::house::{CertificateFiles, ClientCertificate, DoorSettings, House};
use crate::config::report::{Place, Report};
use crate::sip::Transport;

/// A certificate that ends so soon is worth a word (domain.md T-24).
const SOON_DAYS: i64 = 30;

/// The largest file of certificates that is read.
const FILE_MAX: u64 = 1 << 20;

/// Everything the doors need.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub doors: BTreeMap<(Transport, SocketAddr), DoorKeys>,
    /// Doors that can't be opened.
    pub shut: BTreeSet<(Transport, SocketAddr)>,
    /// Own authorities, by the name of whom they vouch for.
    pub authorities: BTreeMap<String, Vec<CertificateDer<'static>>>,
}

/// What one door shows.
#[derive(Clone, Debug)]
pub struct DoorKeys {
    pub certificates: Vec<Certificate>,
    /// Who has to sign the certificates of clients, and whether nobody comes in without one.
    pub clients: Option<(Vec<CertificateDer<'static>>, bool)>,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub path: PathBuf,
    pub key: Arc<CertifiedKey>,
    /// The names it stands for, in lower case.
    pub names: Vec<String>,
    pub expires: DateTime<Utc>,
}

/// Reads what the doors of a house need as of `now`; what is wrong goes into the report.
pub fn keys(house: &House, now: DateTime<Utc>, report: &mut Report) -> Keys {
    let mut keys = Keys::default();
    for door in &house.doors {
        let address = (door.transport, door.listen);
        let secured = match door.transport {
            Transport::Udp | Transport::Tcp | Transport::Ws => Some(None),
            Transport::Tls | Transport::Wss => door_keys(door, now, report).map(Some),
        };
        let guarded = match door.transport {
            Transport::Udp | Transport::Tcp | Transport::Tls => true,
            Transport::Ws | Transport::Wss => is_guarded(door, report),
        };
        match secured {
            Some(found) if guarded => {
                if let Some(found) = found {
                    keys.doors.insert(address, found);
                }
            }
            Some(_) | None => {
                keys.shut.insert(address);
            }
        }
    }
    for authority in &house.authorities {
        if let Some(certificates) = read_certificates(&authority.file, report) {
            keys.authorities.insert(authority.name.clone(), certificates);
        }
    }
    keys
}

/// WebSocket doors: who may come in, and by what.
fn is_guarded(door: &DoorSettings, report: &mut Report) -> bool {
    let address = format!("{} {}", door.transport.token(), door.listen);
    let mut is_fit = true;
    if door.origins.is_empty() {
        report.broken(house_file(), What::OriginsMissing { door: address.clone() });
        is_fit = false;
    }
    for text in door.origins.iter().filter(|text| !is_origin(text)) {
        report.broken(house_file(), What::OriginShape { text: text.clone() });
        is_fit = false;
    }
    let is_open_air = door.transport == Transport::Ws && !door.listen.ip().is_loopback();
    if is_open_air && !door.behind_proxy {
        report.broken(house_file(), What::PlainWebSocket { door: address });
        is_fit = false;
    }
    is_fit
}

fn house_file() -> Place {
    Place { file: super::bootstrap::FILE.to_owned(), position: None }
}

/// `https://name` or `https://name:port`, as a browser writes it (RFC 6454 §6.2).
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(['/', '*', '?', '#', '@', ' '])
            && !rest.chars().any(|c| c.is_ascii_uppercase())
    })
}

fn door_keys(door: &DoorSettings, now: DateTime<Utc>, report: &mut Report) -> Option<DoorKeys> {
    let first = match (&door.certificate, &door.key) {
        (Some(certificate), Some(key)) => {
            Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            report.broken(house_file(), What::CertificateWithoutKey);
            return None;
        }
    };
    let files: Vec<&CertificateFiles> = first.iter().chain(&door.certificates).collect();
    if files.is_empty() {
        let door = format!("{} {}", door.transport.token(), door.listen);
        report.broken(house_file(), What::CertificateNotGiven { door });
        return None;
    }
    let mut certificates = Vec::new();
    for files in files {
        certificates.push(certificate(files, now, report)?);
    }
    let clients = match &door.client_authority {
        None => None,
        Some(path) => {
            let required = door.client_certificate == ClientCertificate::Required;
            Some((read_certificates(path, report)?, required))
        }
    };
    Some(DoorKeys { certificates, clients })
}

fn certificate(
    files: &CertificateFiles,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Option<Certificate> {
    let path = &files.certificate;
    let chain = read_certificates(path, report)?;
    let key = read_key(&files.key, report)?;
    let key = match CertifiedKey::from_der(chain.clone(), key, &ring::default_provider()) {
        Ok(key) => key,
        Err(rustls::Error::InconsistentKeys(_)) => {
            report.broken(file(&files.key), What::KeyOfAnother { certificate: told(path) });
            return None;
        }
        Err(error) => {
            report.broken(file(&files.key), What::CertificateUnusable { why: error.to_string() });
            return None;
        }
    };
    let Some((begins, expires, names)) = chain.first().and_then(read_own) else {
        let why = "it can't be read".to_owned();
        report.broken(file(path), What::CertificateUnusable { why });
        return None;
    };
    let days = (expires - now).num_days();
    let at = expires.format("%Y-%m-%d").to_string();
    // Neither shuts the door: phones that don't look at dates still come in.
    if now >= expires {
        report.notice(file(path), What::CertificateExpired { at });
    } else if now < begins {
        let at = begins.format("%Y-%m-%d").to_string();
        report.notice(file(path), What::CertificateTooEarly { at });
    } else if days < SOON_DAYS {
        report.notice(file(path), What::CertificateExpires { at, days });
    }
    Some(Certificate { path: path.clone(), key: Arc::new(key), names, expires })
}

fn read_certificates(path: &Path, report: &mut Report) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = read_file(path, report)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(certificates) if !certificates.is_empty() => Some(certificates),
        Ok(_) => {
            let why = "there is no certificate in it".to_owned();
            report.broken(file(path), What::CertificateUnusable { why });
            None
        }
        Err(error) => {
            report.broken(file(path), What::CertificateUnusable { why: error.to_string() });
            None
        }
    }
}

fn read_key(path: &Path, report: &mut Report) -> Option<PrivateKeyDer<'static>> {
    let bytes = read_file(path, report)?;
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        report.broken(file(path), What::KeyOpen { mode });
        return None;
    }
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Some(key),
        Err(error) => {
            report.broken(file(path), What::CertificateUnusable { why: error.to_string() });
            None
        }
    }
}

fn read_file(path: &Path, report: &mut Report) -> Option<Vec<u8>> {
    let read = fs::metadata(path).and_then(|metadata| {
        if metadata.len() > FILE_MAX {
            return Err(std::io::Error::other("it is too long"));
        }
        fs::read(path)
    });
    match read {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.broken(file(path), What::FileMissing);
            None
        }
        Err(error) => {
            report.broken(file(path), What::FileUnreadable { why: error.to_string() });
            None
        }
    }
}

/// From when, until when, and for whom.
#[expect(clippy::wildcard_enum_match_arm, reason = "the wildcard is for a library's enum")]
fn read_own(
    certificate: &CertificateDer<'static>,
) -> Option<(DateTime<Utc>, DateTime<Utc>, Vec<String>)> {
    let read = x509_cert::Certificate::from_der(certificate).ok()?.tbs_certificate;
    let at = |time: x509_cert::time::Time| {
        DateTime::from_timestamp(i64::try_from(time.to_unix_duration().as_secs()).ok()?, 0)
    };
    let names = match read.get::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0,
        Ok(None) | Err(_) => Vec::new(),
    };
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string().to_ascii_lowercase()),
        _ => None,
    });
    Some((at(read.validity.not_before)?, at(read.validity.not_after)?, names.collect()))
}

fn file(path: &Path) -> Place {
    Place { file: told(path), position: None }
}

fn told(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::config::Language;

    const NOW: &str = "2026-11-21T10:00:00Z";

    /// A folder of its own, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hotline-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn puts(&self, name: &str, text: &str, mode: u32) -> PathBuf {
            use std::io::Write;
            let path = self.0.join(name);
            let _ = fs::remove_file(&path);
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(mode).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            path
        }

        /// A certificate that ends so many days from now.
        fn certificate(&self, days: i64, mode: u32) -> DoorSettings {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["sip.example".to_owned()]).unwrap();
            let end = NOW.parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::days(days);
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            let (year, month, day) = ymd(end);
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let certificate = params.self_signed(&key).unwrap();
            DoorSettings {
                certificate: Some(self.puts("cert.pem", &certificate.pem(), 0o644)),
                key: Some(self.puts("key.pem", &key.serialize_pem(), mode)),
                ..DoorSettings::plain(Transport::Tls, "127.0.0.1:5061".parse().unwrap())
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn ymd(at: DateTime<Utc>) -> (i32, u8, u8) {
        use chrono::Datelike;
        (at.year(), u8::try_from(at.month()).unwrap(), u8::try_from(at.day()).unwrap())
    }

    fn judged(door: DoorSettings) -> (Keys, String) {
        let house = House { doors: vec![door], ..House::default() };
        let mut report = Report::new();
        let keys = keys(&house, NOW.parse().unwrap(), &mut report);
        assert!(!report.is_fatal());
        (keys, report.told(Language::English))
    }

    #[test]
    fn a_good_certificate_opens_its_door_without_a_word() {
        let folder = Folder::new("good-certificate");
        let (keys, told) = judged(folder.certificate(90, 0o600));

        assert_eq!(told, "");
        let door = keys.doors.values().next().unwrap();
        assert_eq!(door.certificates[0].names, ["sip.example"]);
        assert!(keys.shut.is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said() {
        let folder = Folder::new("bad-certificate");
        let good = folder.certificate(90, 0o600);
        let other = KeyPair::generate().unwrap();
        let other = folder.puts("other.pem", &other.serialize_pem(), 0o600);
        let none = PathBuf::from("/nowhere/key.pem");
        let rubbish = folder.puts("rubbish.pem", "not a certificate", 0o600);
        for (door, words) in [
            (DoorSettings { certificate: None, key: None, ..good.clone() }, "needs a certificate"),
            (DoorSettings { key: None, ..good.clone() }, "belong together"),
            (DoorSettings { key: Some(none), ..good.clone() }, "missing"),
            (DoorSettings { key: Some(other), ..good.clone() }, "does not belong"),
            (DoorSettings { certificate: Some(rubbish), ..good.clone() }, "no certificate"),
        ] {
            let (keys, told) = judged(door);
            assert!(told.contains(words), "{words}: {told}");
            assert_eq!(keys.shut.len(), 1, "{told}");
        }
        let (keys, told) = judged(folder.certificate(90, 0o644));
        assert!(told.contains("may read the key"), "{told}");
        assert_eq!(keys.shut.len(), 1);
    }

    /// domain.md T-24: an expired certificate is loud, and shuts no door.
    #[test]
    fn a_certificate_that_ends_soon_or_has_ended_is_said_and_still_shown() {
        let folder = Folder::new("old-certificate");
        for (days, words) in [(29, "ends on 2026-12-20"), (-1, "ended on 2026-11-20")] {
            let (keys, told) = judged(folder.certificate(days, 0o600));
            assert!(told.contains(words), "{told}");
            assert!(keys.shut.is_empty());
            assert_eq!(keys.doors.len(), 1);
        }
    }

    #[test]
    fn a_websocket_door_wants_a_list_of_pages_and_a_proxy_in_the_open() {
        let door = DoorSettings::plain(Transport::Ws, "127.0.0.1:8088".parse().unwrap());
        let origins = vec!["https://ecoute.example".to_owned()];
        let in_the_open = "0.0.0.0:8088".parse().unwrap();
        let slash = vec!["https://ecoute.example/".to_owned()];
        for (door, is_shut) in [
            (DoorSettings { origins: origins.clone(), ..door.clone() }, false),
            (door.clone(), true),
            (DoorSettings { origins: slash, ..door.clone() }, true),
            (DoorSettings { origins: vec!["*".into()], ..door.clone() }, true),
            (DoorSettings { origins: origins.clone(), listen: in_the_open, ..door.clone() }, true),
            (DoorSettings { origins, listen: in_the_open, behind_proxy: true, ..door }, false),
        ] {
            let (keys, told) = judged(door.clone());
            assert_eq!(!keys.shut.is_empty(), is_shut, "{door:?} {told}");
        }
    }
}
