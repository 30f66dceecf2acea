//! Chromium with a tone for a microphone, driven by `chromium.mjs`.

use std::path::Path;
use std::time::Duration;

use hotline::media::sound::tone::sine;

use crate::house::{Account, House, folder, free_port};
use crate::script::Script;
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
    script: Script,
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
        self.page(self.pages[0], name, "phone.js")
    }

    /// The same in another browser.
    pub(crate) fn second_tab(&self, name: &str) -> Tab {
        self.page(self.pages[1], name, "phone.js")
    }

    /// A page that stands on SIP.js instead of JsSIP.
    pub(crate) fn sip_js_tab(&self, name: &str) -> Tab {
        self.page(self.pages[0], name, "sipjs.js")
    }

    fn page(&self, page: u16, name: &str, phone: &str) -> Tab {
        let tab = Tab::opens(page, self.door, &self.house.account(name), phone);
        assert!(tab.says_within(secs(60), "registered").is_some(), "{:?}", tab.said());
        tab
    }
}

impl Tab {
    fn opens(page: u16, door: u16, account: &Account, phone: &str) -> Self {
        let tone = folder("tone").join("tone.wav");
        write_tone(&tone);
        let (page, door) = (page.to_string(), format!("ws://127.0.0.1:{door}"));
        let tone = tone.to_str().unwrap();
        let words = [&page, &door, &account.name, &account.password, tone, phone];
        Self { script: Script::runs("chromium.mjs", &words) }
    }

    /// A function of the page, and its argument.
    pub(crate) fn does(&mut self, wish: &str) {
        self.script.does(wish);
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.script.said()
    }

    /// The first line that begins so.
    pub(crate) fn says_within(&self, patience: Duration, word: &str) -> Option<String> {
        self.script.says_within(patience, word)
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
