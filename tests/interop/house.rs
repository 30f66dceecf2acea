//! A running house: the real binary with the shipped plan, on ports and in a folder of its own.
//!
//! Only what has to differ is changed: ports and log level by the environment, the phones of a few
//! listeners to MD5 because baresip 1.0 gives up when SHA-256 is offered at all. The time of day
//! comes from libfaketime, outside the product.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{eventually, millis, secs};

/// A Friday morning: both lines are open.
pub(crate) const OPEN: &str = "2026-11-20 10:00:00";

/// Listeners with a baresip.
const BARESIPS: [&str; 6] = ["adele", "bram", "claire", "djamila", "emile", "fatou"];

pub(crate) struct House {
    child: Child,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    pub(crate) sip: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// What a listener's phone must know.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) house: SocketAddr,
}

impl House {
    /// Opens the shipped house on a Friday morning.
    pub(crate) fn open() -> Self {
        Self::open_at(OPEN)
    }

    /// Opens the shipped house at this time in Paris.
    pub(crate) fn open_at(time: &str) -> Self {
        Self::open_changed(time, &[], None)
    }

    /// Opens the house with the plan changed: file, what stands there, what shall.
    pub(crate) fn open_with(changes: &[(&str, &str, &str)]) -> Self {
        Self::open_changed(OPEN, changes, None)
    }

    /// Opens the house with one more door, in the words of `hotline.toml`.
    pub(crate) fn open_with_doors(doors: &str) -> Self {
        Self::open_changed(OPEN, &[], Some(doors))
    }

    /// Both.
    pub(crate) fn open_with_doors_and(doors: &str, changes: &[(&str, &str, &str)]) -> Self {
        Self::open_changed(OPEN, changes, Some(doors))
    }

    fn open_changed(time: &str, changes: &[(&str, &str, &str)], doors: Option<&str>) -> Self {
        let folder = folder("house");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(folder.join("config")).unwrap();
        for entry in fs::read_dir(repository.join("config")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join("config").join(path.file_name().unwrap())).unwrap();
        }
        symlink(repository.join("prompts"), folder.join("prompts")).unwrap();
        for name in BARESIPS {
            let table = format!("[listeners.{name}]\n");
            edit(
                &folder.join("config/listeners.toml"),
                &table,
                &format!("{table}algorithms = [\"MD5\"]\n"),
            );
        }

        for (file, from, to) in changes {
            edit(&folder.join("config").join(file), from, to);
        }

        let sip = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let http = SocketAddr::from(([127, 0, 0, 1], free_port()));
        if let Some(doors) = doors {
            let path = folder.join("config/hotline.toml");
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("127.0.0.1:5060\"\nalg", &format!("{sip}\"\nalg"));
            let text = text.replace("127.0.0.1:8391", &format!("127.0.0.1:{}", free_port()));
            fs::write(&path, text + doors).unwrap();
        }
        let media = free_media_ports();
        let mut environment = [
            ("HOTLINE__HTTP", http.to_string()),
            ("HOTLINE__PAGE__LISTEN", format!("127.0.0.1:{}", free_port())),
            ("HOTLINE__MEDIA__PORTS", format!("{},{}", media.0, media.1)),
            ("HOTLINE__LOG__LEVEL", "info,hotline=debug".to_owned()),
            ("LD_PRELOAD", FAKETIME.to_owned()),
            ("FAKETIME", format!("@{time}")),
            ("TZ", "Europe/Paris".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        if doors.is_none() {
            environment.push(("HOTLINE__DOORS".to_owned(), format!("udp/{sip},tcp/{sip}")));
        }
        let out = fs::File::create(folder.join("out")).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(binary())
            .arg("serve")
            .arg(folder.join("config"))
            .envs(environment.clone())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log)
            .spawn()
            .unwrap();
        let mut house = Self { child, folder, environment, sip, http };
        let ready = eventually(secs(120), || {
            assert!(house.child.try_wait().unwrap().is_none(), "it ended: {}", house.log());
            house.get("/readyz").is_some_and(|(status, _)| status == 200)
        });
        assert!(ready, "not ready: {:?}\n{}", house.get("/readyz"), house.log());
        house
    }

    /// The account of a listener, with the password the house has made.
    pub(crate) fn account(&self, name: &str) -> Account {
        let passwords = fs::read_to_string(self.folder.join("state/passwords.toml")).unwrap();
        let table: toml::Table = passwords.parse().unwrap();
        Account {
            name: name.to_owned(),
            password: table[name].as_str().unwrap().to_owned(),
            house: self.sip,
        }
    }

    /// Changes a file of the plan.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        edit(&self.folder.join("config").join(file), from, to);
    }

    /// Runs `hotline` beside the running house.
    pub(crate) fn command(&self, words: &[&str]) -> Output {
        Command::new(binary())
            .args(words)
            .arg(self.folder.join("config"))
            .envs(self.environment.clone())
            .output()
            .unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// How the process ended, if it did in this time.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        eventually(patience, || self.child.try_wait().unwrap().is_some());
        self.child.try_wait().unwrap()
    }

    /// Status and body of a page.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.http, secs(1)).ok()?;
        stream.set_read_timeout(Some(secs(2))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Whether a listener is there.
    pub(crate) fn listens(&self, name: &str) -> bool {
        let Some((200, board)) = self.get("/board") else { return false };
        let board: serde_json::Value = serde_json::from_str(&board).unwrap();
        let listeners = board["listeners"].as_array().unwrap().iter();
        listeners.filter(|one| one["listener"] == name).any(|one| one["presence"] == "available")
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("out") + &read("log")
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            // Twice: the second means "now", whoever is still talking.
            let _ = kill(self.pid(), Signal::SIGTERM);
            std::thread::sleep(millis(50));
            let _ = kill(self.pid(), Signal::SIGTERM);
            if self.ends_within(secs(2)).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        if std::thread::panicking() {
            eprintln!("kept: {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A new folder for what a test leaves behind.
pub(crate) fn folder(what: &str) -> PathBuf {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("hotline-interop-{}-{count}-{what}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A port free for UDP and TCP, and the next one too: baresip opens it for TLS, RTCP uses it.
/// Below those the system hands out by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (first_offset() + count * 4) % 9_996;
        let free = |port| {
            UdpSocket::bind(("127.0.0.1", port)).is_ok()
                && TcpListener::bind(("127.0.0.1", port)).is_ok()
        };
        if free(port) && free(port + 1) {
            return port;
        }
    }
}

/// A first and a last port, two hundred apart.
pub(crate) fn free_media_ports() -> (u16, u16) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let first = 20_000 + (first_offset() / 160 + count) % 60 * 200;
        if (first..first + 200).step_by(20).all(|port| UdpSocket::bind(("127.0.0.1", port)).is_ok())
        {
            return (first, first + 199);
        }
    }
}

/// Runs side by side begin to look in different places.
fn first_offset() -> u16 {
    u16::try_from(std::process::id().wrapping_mul(619) % 2_400).unwrap() * 4
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no `{from}`", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The binary under test: `HOTLINE_BINARY`, or the one cargo has built for this run.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("HOTLINE_BINARY")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_hotline")), PathBuf::from)
}

const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";
