//! A script for node that says what it does, line by line, and does what is written to it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{eventually, secs};

pub(crate) struct Script {
    child: Child,
    wishes: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// Starts `tests/interop/{name}` with these words, and after them the folder of what npm installed.
    pub(crate) fn runs(name: &str, words: &[&str]) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let packages = repository.join("target/node");
        assert!(
            packages.join("node_modules/jssip").exists(),
            "no JsSIP: tests/interop/run installs it"
        );
        let mut child = Command::new("node")
            .arg(repository.join("tests/interop").join(name))
            .args(words)
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
}

impl Drop for Script {
    fn drop(&mut self) {
        // It cleans up and ends when nobody can wish anything any more.
        drop(self.wishes.take());
        if !eventually(secs(10), || self.child.try_wait().unwrap().is_some()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the script said: {:#?}", self.said());
        }
    }
}
