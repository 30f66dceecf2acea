//! A copy of the shipped plan that a test may break.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hotline::config::{self, Language, Loaded, Report};
use hotline::media::sound::tone::sine;
use hotline::media::sound::{Decibels, Recording, wav};

static COUNT: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct PlanFolder {
    root: PathBuf,
}

impl PlanFolder {
    pub(crate) fn new() -> Self {
        Self::of("config")
    }

    /// A copy of a folder of the repository.
    pub(crate) fn of(source: &str) -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("hotline-cli-{}-{count}", std::process::id()));
        let folder = root.join("config");
        fs::create_dir_all(&folder).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in fs::read_dir(shipped.join(source)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        make_prompts(&shipped.join("prompts/prompts.toml"), &root.join("prompts"));
        Self { root }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.join("config")
    }

    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} does not contain {old:?}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    pub(crate) fn add(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        let written = fs::read_to_string(&path).unwrap();
        fs::write(path, written + text).unwrap();
    }

    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path().join(file), bytes).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    pub(crate) fn load(&self) -> Result<Loaded, Report> {
        config::load(&self.path(), crate::now())
    }

    /// What is wrong with it, without the folder's own path.
    pub(crate) fn problems(&self, language: Language) -> String {
        match self.load() {
            Ok(_) => panic!("nothing is wrong with it"),
            Err(report) => self.plain(&report.told(language)),
        }
    }

    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.root.display()), "")
    }
}

impl Drop for PlanFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The shipped words, with a tone for each: half a second a sentence, 0.2 s a fragment.
///
/// A person may record every prompt anew; what tests expect must not change with it.
fn make_prompts(words: &Path, folder: &Path) {
    fs::create_dir_all(folder.join("fr")).unwrap();
    fs::copy(words, folder.join("prompts.toml")).unwrap();
    let tone = |lead: u64, whole: u64, level: f64| {
        let mut samples = vec![0; lead as usize * 16];
        let length = Duration::from_millis(whole - lead);
        samples.extend(sine(440.0, 16_000, length, Decibels(level + 3.0).amplitude()));
        samples.resize(whole as usize * 16, 0);
        wav::write(&Recording { rate: 16_000, samples })
    };
    for (name, bytes) in [
        ("sentence", tone(300, 500, -20.0)),
        ("fragment", tone(50, 200, -20.0)),
        ("sound", tone(0, 1_000, -26.0)),
    ] {
        fs::write(folder.join(name).with_extension("wav"), bytes).unwrap();
    }
    let tables: toml::Table = fs::read_to_string(words).unwrap().parse().unwrap();
    for (name, table) in &tables {
        let kind = table.get("kind").and_then(|kind| kind.as_str()).unwrap_or("sentence");
        let path = folder.join("fr").join(format!("{name}.wav"));
        fs::hard_link(folder.join(kind).with_extension("wav"), path).unwrap();
    }
}
