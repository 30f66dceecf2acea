//! A listener's phone, or a caller's, by baresip 1.0 as Debian 12 ships it.
//!
//! Says a tone, records what it hears (`sndfile` writes it when the call ends), and is led through
//! `ctrl_tcp`: netstrings of JSON. Its source wants 48 kHz and two channels, and it opens the port
//! after its own for TLS.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use hotline::media::sound::heard_tone;

use crate::ear::TONES;
use crate::house::{Account, folder, free_media_ports, free_port};
use crate::{eventually, millis, secs};

pub(crate) struct Baresip {
    child: Child,
    folder: PathBuf,
    control: TcpStream,
    events: Arc<Mutex<Vec<Event>>>,
    rung: Arc<Mutex<Vec<Instant>>>,
    house: std::net::SocketAddr,
    /// When it was seen to be registered.
    pub(crate) registered: Option<Instant>,
}

/// Something it has told, and when.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) kind: String,
}

/// How a phone is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) tone: f64,
    pub(crate) transport: &'static str,
    pub(crate) codec: &'static str,
    /// Answers by itself.
    pub(crate) eager: bool,
    /// Whom it believes over TLS.
    pub(crate) authority: Option<&'static Path>,
    /// Its word for how it protects its sound: `srtp` if the other side likes, `srtp-mand` or never.
    pub(crate) protection: Option<&'static str>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            tone: 1_100.0,
            transport: "udp",
            codec: "PCMA",
            eager: false,
            authority: None,
            protection: None,
        }
    }
}

impl Baresip {
    /// A listener's phone, registered.
    pub(crate) fn of(account: &Account, manner: Manner) -> Self {
        let protection = manner.protection.map(|word| format!(";mediaenc={word}"));
        let line = format!(
            "<sip:{}@{};transport={}>;auth_user={};auth_pass={};regint=60;answermode={};audio_codecs={}{}",
            account.name,
            account.house,
            manner.transport,
            account.name,
            account.password,
            if manner.eager { "auto" } else { "manual" },
            manner.codec,
            protection.unwrap_or_default(),
        );
        let mut phone = Self::start(&line, account, manner);
        let registered = eventually(secs(10), || phone.log().contains(" binding]"));
        assert!(registered, "{} can't register\n{}", account.name, phone.log());
        phone.registered = Some(Instant::now());
        phone
    }

    /// A phone that belongs to nobody: it only calls.
    pub(crate) fn of_a_stranger(house: std::net::SocketAddr, manner: Manner) -> Self {
        let account = Account { name: "passant".to_owned(), password: String::new(), house };
        let line = format!(
            "<sip:passant@{house};transport={}>;regint=0;audio_codecs={}",
            manner.transport, manner.codec
        );
        Self::start(&line, &account, manner)
    }

    fn start(line: &str, account: &Account, manner: Manner) -> Self {
        let folder = folder(&account.name);
        let (port, control) = (free_port(), free_port());
        let media = free_media_ports();
        let config = format!(
            "poll_method epoll\nnet_interface 127.0.0.1\nsip_listen 127.0.0.1:{port}\n\
             call_local_timeout 120\ncall_max_calls 4\n\
             audio_source ausine,{}\nausrc_srate 48000\nausrc_channels 2\naudio_level no\n\
             rtp_ports {}-{}\nsnd_path {}\nmodule_path /usr/lib/baresip/modules\n\
             module g711.so\nmodule g722.so\nmodule opus.so\nmodule srtp.so\nmodule ausine.so\nmodule sndfile.so\n\
             module_tmp account.so\nmodule_tmp uuid.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control}\n",
            manner.tone,
            media.0,
            media.1,
            folder.display()
        );
        let authority = manner.authority.map(|path| format!("sip_cafile {}\n", path.display()));
        fs::write(folder.join("config"), config + &authority.unwrap_or_default()).unwrap();
        fs::write(folder.join("accounts"), format!("{line}\n")).unwrap();
        fs::write(folder.join("contacts"), "").unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("baresip")
            .args(["-s", "-f"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let rung = Arc::new(Mutex::new(Vec::new()));
        std::thread::spawn({
            let (path, rung) = (folder.join("log"), Arc::downgrade(&rung));
            let from = format!("{} -> ", account.house);
            move || watch(&path, &from, &rung)
        });
        let mut stream = None;
        eventually(secs(10), || {
            stream = TcpStream::connect(("127.0.0.1", control)).ok();
            stream.is_some()
        });
        let control = stream.expect("baresip opens its control port");
        let events = Arc::new(Mutex::new(Vec::new()));
        std::thread::spawn({
            let (control, events) = (control.try_clone().unwrap(), Arc::clone(&events));
            move || listen(control, &events)
        });
        Self { child, folder, control, events, rung, house: account.house, registered: None }
    }

    /// Dials a number or a code of the house.
    pub(crate) fn dials(&mut self, number: &str) {
        let house = self.house;
        self.order("dial", &format!("sip:{number}@{house}"));
    }

    pub(crate) fn answers(&mut self) {
        self.order("accept", "");
    }

    pub(crate) fn hangs_up(&mut self) {
        self.order("hangup", "");
    }

    pub(crate) fn holds(&mut self) {
        self.order("hold", "");
    }

    pub(crate) fn resumes(&mut self) {
        self.order("resume", "");
    }

    /// Gives the call to another account of the house (REFER).
    pub(crate) fn transfers_to(&mut self, name: &str) {
        let house = self.house;
        self.order("transfer", &format!("sip:{name}@{house}"));
    }

    /// Ends as when the power goes: nobody is told.
    pub(crate) fn dies(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// When it told this for the `count`th time; waits for it so long.
    pub(crate) fn told_within(
        &self,
        patience: Duration,
        kind: &str,
        count: usize,
    ) -> Option<Instant> {
        let mut found = None;
        eventually(patience, || {
            found = self
                .events()
                .iter()
                .filter(|event| event.kind == kind)
                .nth(count - 1)
                .map(|event| event.at);
            found.is_some()
        });
        found
    }

    /// When it began to ring for the `count`th time.
    pub(crate) fn rings_within(&self, patience: Duration, count: usize) -> Option<Instant> {
        let mut found = None;
        eventually(patience, || {
            found = self.rung().get(count - 1).copied();
            found.is_some()
        });
        found
    }

    /// When it has rung so far.
    pub(crate) fn rung(&self) -> Vec<Instant> {
        self.rung.lock().unwrap().clone()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Its own words, and every SIP message.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// What it heard during its `index`th call, second by second: the tone, if there was one. Only
    /// when the call is over.
    pub(crate) fn heard_tones(&self, index: usize) -> Vec<Option<f64>> {
        let Some((rate, samples)) = self.heard(index) else {
            return Vec::new();
        };
        let second = rate as usize;
        samples.chunks_exact(second).map(|some| heard_tone(some, rate, &TONES)).collect()
    }

    /// The same over all its recordings: a hold begins a new one.
    pub(crate) fn all_heard_tones(&self) -> Vec<Option<f64>> {
        (0..)
            .map_while(|index| self.heard(index).map(|_| self.heard_tones(index)))
            .flatten()
            .collect()
    }

    /// What it heard during its `index`th call, in order of their beginnings.
    pub(crate) fn heard(&self, index: usize) -> Option<(u32, Vec<i16>)> {
        let mut paths: Vec<PathBuf> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        paths.sort();
        let bytes = fs::read(paths.get(index)?).ok()?;
        // Below 16 kHz the house's own reader refuses; the header of `sndfile` has no surprises.
        let rate = u32::from_le_bytes(bytes.get(24..28)?.try_into().ok()?);
        let samples =
            bytes.get(44..)?.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
        Some((rate, samples.collect()))
    }

    fn order(&mut self, command: &str, parameters: &str) {
        let order = serde_json::json!({ "command": command, "params": parameters, "token": "t" })
            .to_string();
        write!(self.control, "{}:{order},", order.len()).unwrap();
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            let _ = self.control.write_all(b"30:{\"command\":\"quit\",\"token\":\"\"},");
            if !eventually(millis(500), || self.child.try_wait().unwrap().is_some()) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        } else {
            eprintln!("kept: {}", self.folder.display());
        }
    }
}

/// Reads netstrings until the phone ends.
fn listen(mut control: TcpStream, events: &Mutex<Vec<Event>>) {
    let mut bytes = Vec::new();
    let mut some = [0; 4_096];
    while let Ok(length) = control.read(&mut some) {
        if length == 0 {
            return;
        }
        bytes.extend_from_slice(&some[..length]);
        while let Some((json, rest)) = netstring(&bytes) {
            if let Ok(told) = serde_json::from_slice::<serde_json::Value>(json)
                && told["event"] == true
            {
                let kind = told["type"].as_str().unwrap_or_default().to_owned();
                events.lock().unwrap().push(Event { at: Instant::now(), kind });
            }
            bytes = rest.to_vec();
        }
    }
}

/// Looks for new calls in the trace: they may come before the control port is open.
fn watch(path: &Path, from: &str, rung: &Weak<Mutex<Vec<Instant>>>) {
    let mut calls = BTreeSet::new();
    while let Some(rung) = rung.upgrade() {
        let log = fs::read(path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        for message in log.split(from).skip(1) {
            let request = message.split_once('\n').map_or("", |(_, request)| request);
            if !request.starts_with("INVITE ") {
                continue;
            }
            if let Some(call) = request.lines().find_map(|line| line.strip_prefix("Call-ID: "))
                && calls.insert(call.trim().to_owned())
            {
                rung.lock().unwrap().push(Instant::now());
            }
        }
        drop(rung);
        std::thread::sleep(millis(5));
    }
}

fn netstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    // One more for the comma.
    Some((bytes.get(colon + 1..end)?, bytes.get(end + 1..)?))
}
