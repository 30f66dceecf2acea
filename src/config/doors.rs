//! What a door needs besides its address: certificates and keys, and who may come in by WebSocket.
//!
//! A door that lacks any of it stays shut and is said; it never keeps the house from opening its
//! other doors (domain.md T-24), nor the plan from being used. The files are read here, and again at
//! every reload; what is done with them is `net`'s business. The page's own door is judged by the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;

use crate::config::catalogue::What;
use crate::config::certificates::{Certificate, certificate, read_certificates};
use crate::config::house::{
    CertificateFiles, ClientCertificate, DoorSettings, House, PageSettings,
};
use crate::config::report::{Place, Report};
use crate::config::written::Written;
use crate::sip::Transport;

/// Everything the doors need.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub doors: BTreeMap<(Transport, SocketAddr), DoorKeys>,
    /// Doors that can't be opened.
    pub shut: BTreeSet<(Transport, SocketAddr)>,
    /// Own authorities, by the name of whom they vouch for.
    pub authorities: BTreeMap<String, Vec<CertificateDer<'static>>>,
    pub page: PageKeys,
}

/// How the page is spoken with.
#[derive(Clone, Debug, Default)]
pub enum PageKeys {
    /// Plain HTTP: on this machine, or behind a proxy that speaks TLS.
    #[default]
    Plain,
    Secure(DoorKeys),
    /// It is to speak TLS and can't. It never speaks plainly instead.
    Shut,
}

/// What one door shows.
#[derive(Clone, Debug)]
pub struct DoorKeys {
    pub certificates: Vec<Certificate>,
    /// Who has to sign the certificates of clients, and whether nobody comes in without one.
    pub clients: Option<(Vec<CertificateDer<'static>>, bool)>,
}

/// Reads what the doors of a house need as of `now`. What is wrong was said when the plan was read.
pub fn keys(house: &House, now: DateTime<Utc>) -> Keys {
    judged(house, &Written::default(), now, &mut Report::new())
}

/// The same; what is wrong goes into the report.
pub(super) fn judged(
    house: &House,
    written: &Written,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Keys {
    let mut keys = Keys { page: page_keys(house, written, now, report), ..Keys::default() };
    for door in &house.doors {
        let address = (door.transport, door.listen);
        let place = written.door(door.transport, door.listen);
        let secured = match door.transport {
            Transport::Udp | Transport::Tcp | Transport::Ws => Some(None),
            Transport::Tls | Transport::Wss => door_keys(door, &place, now, report).map(Some),
        };
        let guarded = match door.transport {
            Transport::Udp | Transport::Tcp | Transport::Tls => true,
            Transport::Ws | Transport::Wss => is_guarded(door, &place, report),
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

/// What the page shows. A page in the open that would take passwords in the clear is said.
fn page_keys(
    house: &House,
    written: &Written,
    now: DateTime<Utc>,
    report: &mut Report,
) -> PageKeys {
    let PageSettings { listen, certificate, key, certificates, .. } = &house.page;
    if certificate.is_none() && key.is_none() && certificates.is_empty() {
        if !listen.ip().is_loopback() && !house.page.behind_proxy {
            report.notice(written.page(), What::PlainPage { listen: listen.to_string() });
        }
        return PageKeys::Plain;
    }
    let pairs = Pairs { first: (certificate, key), others: certificates };
    let name = format!("https {listen}");
    let Some(certificates) = pairs.read(name, &written.page(), now, report) else {
        return PageKeys::Shut;
    };
    let speaks = |transport| house.doors.iter().any(|door| door.transport == transport);
    if house.page.sip.is_none() && !speaks(Transport::Wss) {
        report.notice(written.page(), What::PageWithoutDoor);
    }
    PageKeys::Secure(DoorKeys { certificates, clients: None })
}

/// WebSocket doors: who may come in, and by what.
fn is_guarded(door: &DoorSettings, place: &Place, report: &mut Report) -> bool {
    let address = format!("{} {}", door.transport.token(), door.listen);
    let mut is_fit = true;
    if door.origins.is_empty() {
        report.broken(place.clone(), What::OriginsMissing { door: address.clone() });
        is_fit = false;
    }
    for text in door.origins.iter().filter(|text| !is_origin(text)) {
        report.broken(place.clone(), What::OriginShape { text: text.clone() });
        is_fit = false;
    }
    let is_open_air = door.transport == Transport::Ws && !door.listen.ip().is_loopback();
    if is_open_air && !door.behind_proxy {
        report.broken(place.clone(), What::PlainWebSocket { door: address });
        is_fit = false;
    }
    is_fit
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

fn door_keys(
    door: &DoorSettings,
    place: &Place,
    now: DateTime<Utc>,
    report: &mut Report,
) -> Option<DoorKeys> {
    let pairs = Pairs { first: (&door.certificate, &door.key), others: &door.certificates };
    let name = format!("{} {}", door.transport.token(), door.listen);
    let certificates = pairs.read(name, place, now, report)?;
    let clients = match &door.client_authority {
        None => None,
        Some(path) => {
            let required = door.client_certificate == ClientCertificate::Required;
            Some((read_certificates(path, report)?, required))
        }
    };
    Some(DoorKeys { certificates, clients })
}

/// The certificates that are written for a door or the page.
struct Pairs<'a> {
    first: (&'a Option<PathBuf>, &'a Option<PathBuf>),
    others: &'a [CertificateFiles],
}

impl Pairs<'_> {
    /// All of them, or none.
    fn read(
        &self,
        door: String,
        place: &Place,
        now: DateTime<Utc>,
        report: &mut Report,
    ) -> Option<Vec<Certificate>> {
        let first = match self.first {
            (Some(certificate), Some(key)) => {
                Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() })
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                report.broken(place.clone(), What::CertificateWithoutKey);
                return None;
            }
        };
        let files: Vec<&CertificateFiles> = first.iter().chain(self.others).collect();
        if files.is_empty() {
            report.broken(place.clone(), What::CertificateNotGiven { door });
            return None;
        }
        files.into_iter().map(|files| certificate(files, now, report)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
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
        let keys = super::judged(&house, &Written::default(), NOW.parse().unwrap(), &mut report);
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

    fn judged_page(page: PageSettings, doors: Vec<DoorSettings>) -> (PageKeys, String) {
        let house = House { page, doors, ..House::default() };
        let mut report = Report::new();
        let keys = super::judged(&house, &Written::default(), NOW.parse().unwrap(), &mut report);
        (keys.page, report.told(Language::English))
    }

    #[test]
    fn a_page_in_the_open_without_tls_is_told_of_with_what_to_write() {
        let page = |listen: &str| PageSettings {
            listen: listen.parse().unwrap(),
            ..PageSettings::default()
        };
        let (keys, told) = judged_page(page("0.0.0.0:8390"), Vec::new());
        assert!(matches!(keys, PageKeys::Plain));
        assert!(told.contains("0.0.0.0:8390"), "{told}");
        assert!(told.contains("`certificate`"), "what to write: {told}");

        let declared = PageSettings { behind_proxy: true, ..page("0.0.0.0:8390") };
        for quiet in [declared, page("127.0.0.1:8390"), page("[::1]:8390")] {
            assert_eq!(judged_page(quiet.clone(), Vec::new()).1, "", "{quiet:?}");
        }
    }

    /// What is written for TLS and can't be used never makes the page speak plainly instead.
    #[test]
    fn a_page_with_a_certificate_speaks_tls_or_not_at_all() {
        let folder = Folder::new("page-certificate");
        let good = folder.certificate(90, 0o600);
        let origins = vec!["https://ecoute.example".to_owned()];
        let wss = DoorSettings { transport: Transport::Wss, origins, ..good.clone() };
        let page = PageSettings {
            certificate: good.certificate.clone(),
            key: good.key.clone(),
            ..PageSettings::default()
        };

        let (keys, told) = judged_page(page.clone(), vec![wss]);
        assert!(matches!(keys, PageKeys::Secure(_)), "{told}");
        assert_eq!(told, "");
        let (keys, told) = judged_page(page.clone(), Vec::new());
        assert!(matches!(keys, PageKeys::Secure(_)));
        assert!(told.contains("`wss`"), "the page's phone would have no door: {told}");
        let (keys, told) = judged_page(PageSettings { key: None, ..page.clone() }, Vec::new());
        assert!(matches!(keys, PageKeys::Shut), "{told}");
        let open = folder.certificate(90, 0o644);
        let (keys, told) = judged_page(PageSettings { key: open.key, ..page }, Vec::new());
        assert!(matches!(keys, PageKeys::Shut), "{told}");
        assert!(told.contains("chmod 600"), "{told}");
    }
}
