//! Chromium with a tone for a microphone, driven by `chromium.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotline::media::sound::tone::sine;

use crate::house::{Account, House, folder, free_port};
use crate::{eventually, millis, secs};

/// What the microphone of every tab hears.
pub(crate) const SAYS: f64 = 1_100.0;

/// A house with a door for browsers, and where its page will be.
pub(crate) struct Doorway {
    pub(crate) house: House,
    door: u16,
    /// Each page has a port of its own.
    pages: [u16; 2],
}

/// A browser with one page open.
pub(crate) struct Tab {
    child: Child,
    wishes: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Doorway {
    pub(crate) fn open() -> Self {
        let (door, pages) = (free_port(), [free_port(), free_port()]);
        let [one, other] = pages;
        let doors = format!(
            "\n[[doors]]\ntransport = \"ws\"\nlisten = \"127.0.0.1:{door}\"\n\
             origins = [\"http://localhost:{one}\", \"http://localhost:{other}\"]\n"
        );
        Self { house: House::open_with_doors(&doors), door, pages }
    }

    /// Opens the page as this listener, and waits until it is registered.
    pub(crate) fn tab(&self, name: &str) -> Tab {
        self.page(self.pages[0], name)
    }

    /// The same in another browser.
    pub(crate) fn second_tab(&self, name: &str) -> Tab {
        self.page(self.pages[1], name)
    }

    fn page(&self, page: u16, name: &str) -> Tab {
        let tab = Tab::opens(page, self.door, &self.house.account(name));
        assert!(tab.says_within(secs(60), "registered").is_some(), "{:?}", tab.said());
        tab
    }
}

impl Tab {
    fn opens(page: u16, door: u16, account: &Account) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let packages = repository.join("target/node");
        let tone = folder("tone").join("tone.wav");
        write_tone(&tone);
        let mut child = Command::new("node")
            .arg(repository.join("tests/interop/chromium.mjs"))
            .arg(page.to_string())
            .arg(format!("ws://127.0.0.1:{door}"))
            .args([&account.name, &account.password])
            .arg(&tone)
            .arg(packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn({
            let said = Arc::clone(&said);
            move || lines.map_while(Result::ok).for_each(|line| said.lock().unwrap().push(line))
        });
        let wishes = child.stdin.take();
        Self { child, wishes, said }
    }

    /// A function of the page, and its argument.
    pub(crate) fn does(&mut self, wish: &str) {
        writeln!(self.wishes.as_mut().unwrap(), "{wish}").unwrap();
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// The first line that begins so.
    pub(crate) fn says_within(&self, patience: Duration, word: &str) -> Option<String> {
        let mut found = None;
        eventually(patience, || {
            found = self.said().into_iter().find(|line| line.starts_with(word));
            found.is_some()
        });
        found
    }

    /// What it says to this wish, as JSON.
    pub(crate) fn tells(&mut self, wish: &str) -> serde_json::Value {
        let before = self.said().len();
        self.does(wish);
        let mut told = None;
        eventually(secs(10), || {
            let said = self.said();
            told = said[before..].iter().find_map(|line| Some(line.strip_prefix(wish)?.to_owned()));
            told.is_some()
        });
        let told = told.unwrap_or_else(|| panic!("no answer to {wish}: {:?}", self.said()));
        serde_json::from_str(&told).unwrap()
    }

    /// Whether this tone comes out of its loudspeaker, within a while.
    pub(crate) fn hears_within(&mut self, patience: Duration, tone: f64) -> bool {
        eventually(patience, || {
            let heard = self.tells("heard");
            let (at, level) = (heard[0].as_f64(), heard[1].as_f64());
            std::thread::sleep(millis(100));
            level.is_some_and(|level| level > -60.0)
                && at.is_some_and(|at| (at - tone).abs() < 12.0)
        })
    }

    /// Whether nothing but silence comes out of it, for a second.
    pub(crate) fn is_silent_within(&mut self, patience: Duration) -> bool {
        let mut quiet = 0;
        eventually(patience, || {
            let level = self.tells("heard")[1].as_f64();
            quiet = if level.is_none_or(|level| level < -75.0) { quiet + 1 } else { 0 };
            std::thread::sleep(millis(100));
            quiet >= 10
        })
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // It closes its browser when nobody wishes anything any more.
        drop(self.wishes.take());
        if !eventually(secs(10), || self.child.try_wait().unwrap().is_some()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the browser said: {:#?}", self.said());
        }
    }
}

fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for sample in sine(SAYS, 48_000, secs(10), 0.3) {
        file.write_sample(sample).unwrap();
    }
    file.finalize().unwrap();
}
