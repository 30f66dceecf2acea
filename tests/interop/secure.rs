//! Phones over TLS, and over WebSocket as browsers speak it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::{Account, House, folder, free_port};
use crate::script::Script;
use crate::secs;
use crate::sipp::{self, Step};

use hotline::media::codec::Codec;

const PAGE: &str = "https://ecoute.example";

/// An authority of our own, and what it signed.
pub(crate) struct Papers {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Papers {
    pub(crate) fn new() -> Self {
        let folder = folder("papers");
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Not the name `rcgen` gives to all others, or they would look signed by themselves.
        params.distinguished_name.push(DnType::CommonName, "Authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
        let papers = Self { folder, issuer: Issuer::new(params, key) };
        papers.signs("127.0.0.1");
        papers
    }

    /// Writes a new certificate, and says its serial number's place: its own bytes.
    fn signs(&self, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.folder.join("door.pem"), certificate.pem()).unwrap();
        let path = self.folder.join("door.key");
        fs::write(&path, key.serialize_pem()).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&path, private).unwrap();
        certificate.pem()
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The words of `hotline.toml` for one more door.
    pub(crate) fn door(&self, transport: &str, port: u16, more: &str) -> String {
        let folder = self.folder.display();
        format!(
            "\n[[doors]]\ntransport = \"{transport}\"\nlisten = \"127.0.0.1:{port}\"\n\
             certificate = \"{folder}/door.pem\"\nkey = \"{folder}/door.key\"\n\
             algorithms = [\"SHA-256\", \"MD5\"]\n{more}\n"
        )
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_listener_over_tls_talks_and_a_new_certificate_drops_nobody() {
    let papers = Papers::new();
    let port = free_port();
    let house = House::open_with_doors(&papers.door("tls", port, ""));
    let account =
        Account { house: SocketAddr::from(([127, 0, 0, 1], port)), ..house.account("adele") };
    let authority = Some(&*Box::leak(papers.authority().into_boxed_path()));
    let manner = Manner { eager: true, transport: "tls", authority, ..Manner::default() };
    let mut phone = Baresip::of(&account, manner);
    let ear = Ear::saying(440.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);
    assert!(phone.told_within(secs(10), "CALL_ESTABLISHED", 1).is_some(), "{}", phone.log());

    // SC-42: the certificate is renewed in the middle of the call.
    let before = shown(port, &papers.authority());
    let fresh = papers.signs("127.0.0.1");
    let told = house.command(&["reload"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let after = shown(port, &papers.authority());
    assert_ne!(before, after);
    assert_eq!(after, fresh.replace("\r\n", "\n").trim());

    sleep(secs(3));
    assert_eq!(ear.tone(), Some(1_100.0), "they still hear each other");
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
    assert!(house.log().contains("a new plan is in force"));
}

/// The certificate a door shows to those who come now.
fn shown(port: u16, authority: &Path) -> String {
    let told = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile"])
        .arg(authority)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
    let begin = text.find("-----BEGIN").unwrap();
    let end = text.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----".len();
    text[begin..end].to_owned()
}

/// JsSIP in node.
fn browser(url: &str, origin: &str, authority: &Path, account: &Account) -> Script {
    let authority = authority.to_str().unwrap();
    let words = [url, origin, authority, &account.name, &account.password];
    Script::runs("browser.mjs", &words)
}

#[test]
#[ignore = "needs node and sipp: tests/interop/run installs them"]
fn a_browser_registers_over_secure_websocket_and_is_rung() {
    let papers = Papers::new();
    let port = free_port();
    let origins = format!("origins = [\"{PAGE}\"]");
    let house = House::open_with_doors(&papers.door("wss", port, &origins));
    let url = format!("wss://127.0.0.1:{port}");
    let account = house.account("adele");
    let browser = browser(&url, PAGE, &papers.authority(), &account);

    let registered = browser.says_within(secs(15), "registered").unwrap_or_else(|| {
        panic!("not registered: {:?}\n{}", browser.said(), house.log());
    });
    assert!(registered.contains("reg-id=1") && registered.ends_with("outbound"), "{registered}");

    let ear = Ear::saying(440.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(8)),
        Step::HangsUp,
    ];
    let caller = sipp::calls(house.sip, "3977", &steps);
    let rung = browser
        .says_within(secs(15), "rung")
        .unwrap_or_else(|| panic!("not rung: {:?}", browser.said()));
    assert!(rung.contains(".invalid"), "{rung}");
    caller.goes_as_planned_within(secs(20));
}

#[test]
#[ignore = "needs node: tests/interop/run installs it"]
fn a_browser_on_a_foreign_page_stays_outside() {
    let papers = Papers::new();
    let port = free_port();
    let origins = format!("origins = [\"{PAGE}\"]");
    let house = House::open_with_doors(&papers.door("wss", port, &origins));
    let url = format!("wss://127.0.0.1:{port}");
    let foreign = "https://evil.example";
    let browser = browser(&url, foreign, &papers.authority(), &house.account("adele"));

    assert_eq!(
        browser.says_within(secs(15), "refused").as_deref(),
        Some("refused 403"),
        "{:?}",
        browser.said()
    );
    assert!(!browser.said().iter().any(|line| line.starts_with("registered")));
}
