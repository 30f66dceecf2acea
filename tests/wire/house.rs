//! The real program, with the shipped plan in a folder of its own and ports the kernel chooses.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{PATIENCE, connect_from};

#[test]
fn a_house_says_what_to_do_next_takes_orders_and_stops_when_asked() {
    let home = Home::new();
    let mut house = home.open();

    // What a newcomer is told.
    assert!(house.said.contains("sip:3977@127.0.0.1:"), "{}", house.said);
    assert!(house.said.contains("passwords.toml"), "{}", house.said);
    assert!(
        fs::read_to_string(home.state().join("passwords.toml")).unwrap().contains("\"claire\"")
    );

    // It answers on its door and on its pages.
    assert!(house.answers_options(), "no answer to OPTIONS");
    let page = house.page("/healthz");
    assert!(page.contains("200 OK"), "{page}");
    assert!(house.page("/readyz").contains("\"ready\":true"));
    assert!(house.page("/metrics").contains("hotline_sip_messages"));
    assert!(house.page("/board").contains("\"line\":\"3977\""));
    assert!(house.page("/").contains("<title>hotline</title>"));

    // A second house may not share its state folder, nor its ports.
    let (code, words) = home.serve_in_vain(&[("HOTLINE__DOORS", "udp/127.0.0.1:0")]);
    assert_eq!(code, 1);
    assert!(words.contains("is in use by another house"), "{words}");
    let (port, elsewhere) = (house.port, Home::new());
    let doors = format!("udp/127.0.0.1:{port}");
    let (code, words) = elsewhere.serve_in_vain(&[("HOTLINE__DOORS", &doors)]);
    assert_eq!(code, 1);
    assert!(words.contains(&format!("port {port} (UDP) on 127.0.0.1 is in use")), "{words}");

    // Orders.
    let (done, words) = home.order(&["close"], &["--until", "23h59"]);
    assert!(done, "{words}");
    let (done, words) = home.order(&["close"], &["--until", "soon"]);
    assert!(!done && words.contains("`soon` is no time"), "{words}");
    let (done, words) = home.order(&["pause", "nobody"], &[]);
    assert!(!done && words.contains("there is no listener `nobody`"), "{words}");
    let (done, words) = home.order(&["automatic"], &[]);
    assert!(done, "{words}");

    // SC-35: a slip of the pen changes nothing and is said, with its place.
    let calendars = home.plan().join("calendars.toml");
    let good = fs::read_to_string(&calendars).unwrap();
    fs::write(&calendars, format!("{good}\n[calendars.3977.wek]\n")).unwrap();
    let (done, words) = home.order(&["reload"], &[]);
    assert!(!done && words.contains("calendars.toml:"), "{words}");
    assert!(house.page("/readyz").contains("calendars.toml"), "the refusal is not on the page");
    fs::write(&calendars, good).unwrap();
    let (done, words) = home.order(&["reload"], &[]);
    assert!(done, "{words}");

    kill(house.pid(), Signal::SIGTERM).unwrap();
    assert!(house.child.wait().unwrap().success());
    let (done, words) = home.order(&["status"], &[]);
    assert!(!done && words.contains("no house is running"), "{words}");

    // A broken file at the start: the last plan that worked serves.
    fs::write(&calendars, "[calendars").unwrap();
    let house = home.open();
    assert!(house.page("/readyz").contains("\"ready\":true"));
    assert!(house.page("/readyz").contains("the last plan that worked is in force"));
    drop(house);

    // And without that: every caller hears that the line is closed.
    fs::remove_dir_all(home.state().join("last-good")).unwrap();
    let house = home.open();
    assert!(house.answers_options());
    assert!(house.page("/readyz").contains("\"ready\":false"));
    assert!(house.said.contains("AUCUN PLAN"), "{}", house.said);
}

/// A slip in a service file's `Environment=` costs that setting, and no caller.
#[test]
fn a_variable_with_a_slip_in_it_is_named_and_the_last_plan_that_worked_serves() {
    let mut home = Home::new();
    drop(home.open());

    home.variables = vec![("HOTLINE__MEDIA__PORTS", "many".to_owned())];
    let (done, words) = home.order(&["check"], &[]);
    let house = home.open();

    assert!(!done, "{words}");
    assert!(words.contains("HOTLINE__MEDIA__PORTS: « many » ne convient pas"), "{words}");
    assert!(words.contains("HOTLINE__MEDIA__PORTS=20000,29999"), "{words}");
    let ready = house.page("/readyz");
    assert!(ready.contains("\"ready\":true"), "{ready}");
    assert!(ready.contains("the last plan that worked is in force"), "{ready}");
    assert!(ready.contains("HOTLINE__MEDIA__PORTS"), "{ready}");
}

/// domain.md T-04: whoever watches over the house, and restarts it when it does not answer, must reach it.
#[test]
fn the_health_of_a_house_is_told_while_silent_strangers_hold_its_pages() {
    let house = Home::new().open();
    let silent: Vec<TcpStream> = (0..400)
        .map(|number| connect_from((number % 100) as u8 + 2, house.http.parse().unwrap()))
        .collect();

    let page = house.page("/healthz");

    assert!(page.contains("200 OK"), "{page}");
    drop(silent);
}

#[test]
fn help_explains_every_verb() {
    let output = hotline().arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();

    for verb in [
        "serve",
        "check",
        "explain",
        "reload",
        "close",
        "open",
        "automatic",
        "pause",
        "come-back",
        "status",
    ] {
        let line = help.lines().find(|line| line.trim_start().starts_with(verb));
        assert!(line.is_some_and(|line| line.len() > 30), "`{verb}` is not explained:\n{help}");
    }
}

/// domain.md T-24: what ends soon is said wherever somebody looks, and a new certificate comes in without a restart.
#[test]
fn a_page_whose_certificate_ends_soon_says_so_until_a_new_one_is_there() {
    let mut home = Home::new();
    let (certificate, key) = (home.folder.join("ecoute.pem"), home.folder.join("ecoute.key"));
    home.variables = vec![
        ("HOTLINE__PAGE__CERTIFICATE", certificate.display().to_string()),
        ("HOTLINE__PAGE__KEY", key.display().to_string()),
    ];
    certify(&certificate, &key, 10);
    let house = home.open();

    let page = house.said.lines().find(|line| line.trim().starts_with("https://ecoute.example:"));
    let page = page.unwrap_or_else(|| panic!("{}", house.said)).trim().trim_end_matches('/');
    let port: u16 = page.rsplit(':').next().unwrap().parse().unwrap();
    assert!(shows(port, &certificate));
    let is_told = || house.page("/readyz").contains("ecoute.pem ends on");
    assert!(eventually(is_told), "{}", house.page("/readyz"));
    let (_, status) = home.order(&["status"], &[]);
    assert!(status.contains("! certificate_ends: "), "{status}");

    certify(&certificate, &key, 90);
    assert!(!shows(port, &certificate));
    let (done, words) = home.order(&["reload"], &[]);
    assert!(done, "{words}");
    assert!(shows(port, &certificate), "the next browser sees the new one");
    assert!(eventually(|| !is_told()), "{}", house.page("/readyz"));
}

/// Whoever moves to another authority writes other files: that is no reason to wait for the last call to end.
#[test]
fn a_certificate_in_another_file_is_shown_after_a_reload() {
    let home = Home::new();
    let hotline = home.plan().join("hotline.toml");
    let shipped = fs::read_to_string(&hotline).unwrap();
    let file = |name: &str| home.folder.join(name);
    let written = |name: &str| {
        let (certificate, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
        let files = format!("[page]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        fs::write(&hotline, shipped.replace("[page]\n", &files)).unwrap();
    };
    certify(&file("old.pem"), &file("old.key"), 90);
    certify(&file("new.pem"), &file("new.key"), 90);
    certify_as("ecoute2.example", &file("other.pem"), &file("other.key"), 90);
    written("old");
    let house = home.open();
    let page = house.said.lines().find(|line| line.trim().starts_with("https://ecoute.example:"));
    let page = page.unwrap_or_else(|| panic!("{}", house.said)).trim().trim_end_matches('/');
    let port: u16 = page.rsplit(':').next().unwrap().parse().unwrap();
    assert!(shows(port, &file("old.pem")));

    written("new");
    let (done, words) = home.order(&["reload"], &[]);
    assert!(done && !words.contains("prochain démarrage"), "{words}");
    assert!(words.contains("les certificats sont lus dans d'autres fichiers"), "{words}");
    assert!(shows(port, &file("new.pem")));
    let (_, words) = home.order(&["reload"], &[]);
    assert!(words.contains("rien ne change"), "{words}");

    // Another name is shown at once too, but the page is not called by it yet.
    written("other");
    let (done, words) = home.order(&["reload"], &[]);
    assert!(done && words.contains("`[page]` ne changera qu'au prochain démarrage"), "{words}");
}

/// A page that can't speak TLS as it should doesn't speak at all, and telephones are answered.
#[test]
fn a_page_with_a_certificate_that_cant_be_used_stays_shut_and_the_line_answers() {
    let mut home = Home::new();
    home.variables = vec![("HOTLINE__PAGE__CERTIFICATE", "nowhere.pem".to_owned())];
    let house = home.open();

    assert!(!house.said.contains("Page des"), "{}", house.said);
    assert!(house.answers_options());
    assert!(house.page("/readyz").contains("page 127.0.0.1:0 is shut"));
    let (_, told) = home.order(&["check"], &[]);
    assert!(told.contains("`certificate`") && told.contains("`key`"), "{told}");
}

/// A certificate for the page that ends so many days from now.
fn certify(certificate: &Path, key: &Path, days: i64) {
    certify_as("ecoute.example", certificate, key, days);
}

fn certify_as(name: &str, certificate: &Path, key: &Path, days: i64) {
    use chrono::Datelike;
    use std::os::unix::fs::PermissionsExt;
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let end = chrono::Utc::now() + chrono::TimeDelta::days(days);
    let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    params.not_after = rcgen::date_time_ymd(end.year(), month, day);
    fs::write(certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
    fs::write(key, pair.serialize_pem()).unwrap();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Whether a port shows the certificate in this file.
fn shows(port: u16, certificate: &Path) -> bool {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    crate::tls::shows(stream, "ecoute.example", &fs::read_to_string(certificate).unwrap())
}

fn eventually(is: impl Fn() -> bool) -> bool {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        if is() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

/// A plan and a state folder.
struct Home {
    folder: PathBuf,
    /// Besides the usual ones.
    variables: Vec<(&'static str, String)>,
}

/// A house that runs.
struct House {
    child: Child,
    said: String,
    port: u16,
    http: String,
}

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("hotline-{}-{count}", std::process::id()));
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(home.join("config")).unwrap();
        for file in fs::read_dir(shipped.join("config")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), home.join("config").join(file.file_name())).unwrap();
        }
        std::os::unix::fs::symlink(shipped.join("prompts"), home.join("prompts")).unwrap();
        Self { folder: home, variables: Vec::new() }
    }

    fn plan(&self) -> PathBuf {
        self.folder.join("config")
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    fn command(&self) -> Command {
        let mut command = hotline();
        command
            .env("HOTLINE__STATE", self.state())
            .env("HOTLINE__HTTP", "127.0.0.1:0")
            .env("HOTLINE__PAGE__LISTEN", "127.0.0.1:0")
            .env("HOTLINE__DOORS", "udp/127.0.0.1:0,tcp/127.0.0.1:0")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn open(&self) -> House {
        let mut child = self
            .command()
            .arg("serve")
            .arg(self.plan())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            said.push_str(&line);
            said.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let after = |mark: &str| {
            let at = said.find(mark).unwrap_or_else(|| panic!("no `{mark}` in:\n{said}"));
            said[at + mark.len()..].to_owned()
        };
        let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
        let port = digits(&after("(UDP ")).parse().unwrap();
        let health = said.lines().find(|line| line.ends_with("/healthz")).unwrap_or_default();
        let http =
            health.trim().trim_start_matches("http://").trim_end_matches("/healthz").to_owned();
        House { child, said, port, http }
    }

    fn serve_in_vain(&self, variables: &[(&str, &str)]) -> (i32, String) {
        let output = self
            .command()
            .envs(variables.iter().copied())
            .arg("serve")
            .arg(self.plan())
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn order(&self, order: &[&str], options: &[&str]) -> (bool, String) {
        let output = self.command().args(order).arg(self.plan()).args(options).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl House {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http)
            .unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    fn answers_options(&self) -> bool {
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        phone.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let (local, port) = (phone.local_addr().unwrap(), self.port);
        let options = format!(
            "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK1\r\n\
             From: <sip:a@example.org>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: 1\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        (0..5).any(|_| {
            phone.send_to(options.as_bytes(), ("127.0.0.1", port)).unwrap();
            let mut buffer = [0; 2048];
            phone.recv(&mut buffer).is_ok_and(|length| buffer[..length].starts_with(b"SIP/2.0 200"))
        })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hotline() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hotline"))
}
