//! Who did what at the page: one line of JSON for each privileged act, in a file only the house may read.
//!
//! Every line carries a digest of itself and of the line before (domain.md T-22), so that one that was taken
//! out or changed is noticed. The log says the same, for those who gather logs elsewhere.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::in_hexadecimal;
use crate::http::desk::Entry;

const NAME: &str = "audit.jsonl";

/// The file, and the digest of its last line.
#[derive(Debug, Default)]
pub(super) struct Audit {
    file: Mutex<Option<(File, String)>>,
}

#[derive(Deserialize, Serialize)]
struct Line<E> {
    #[serde(flatten)]
    entry: E,
    chain: String,
}

impl Audit {
    /// Goes on with the file of a state folder; without one, only the log is told.
    pub(super) fn open(state: Option<&Path>) -> Self {
        let opened = state.map(|state| {
            let path = state.join(NAME);
            let last = File::open(&path).ok().and_then(|file| {
                let lines = BufReader::new(file).lines().map_while(Result::ok);
                let line = lines.last()?;
                let line: Line<serde_json::Value> = serde_json::from_str(&line).ok()?;
                Some(line.chain)
            });
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            Ok::<_, std::io::Error>((file, last.unwrap_or_default()))
        });
        let file = match opened {
            Some(Ok(file)) => Some(file),
            Some(Err(fault)) => {
                tracing::error!(%fault, "who does what at the page is said by this log only");
                None
            }
            None => None,
        };
        Self { file: Mutex::new(file) }
    }

    pub(super) fn keep(&self, entry: &Entry) {
        let Entry { who, act, on, done, .. } = entry;
        tracing::info!(target: "hotline::audit", who, act, on, done, "at the page");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((file, chain)) = file.as_mut() else {
            return;
        };
        let Ok(text) = serde_json::to_string(entry) else {
            return;
        };
        let next = link(chain, &text);
        let line = Line { entry, chain: next.clone() };
        let Ok(mut bytes) = serde_json::to_vec(&line) else {
            return;
        };
        bytes.push(b'\n');
        match file.write_all(&bytes) {
            Ok(()) => *chain = next,
            Err(fault) => tracing::error!(%fault, "a line of the audit could not be written"),
        }
    }
}

fn link(before: &str, entry: &str) -> String {
    in_hexadecimal(&Sha256::digest(format!("{before}\n{entry}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use std::fs;

    #[test]
    fn a_line_that_was_taken_out_is_noticed_also_after_a_restart() {
        let folder = std::env::temp_dir().join(format!("hotline-audit-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let _ = fs::remove_file(folder.join(NAME));
        let entry = |act: &str| Entry {
            at: DateTime::UNIX_EPOCH,
            who: "dominique".to_owned(),
            act: act.to_owned(),
            on: "3977".to_owned(),
            done: true,
        };
        for act in ["closed", "opened"] {
            Audit::open(Some(&folder)).keep(&entry(act));
        }
        Audit::open(Some(&folder)).keep(&entry("closed"));

        let text = fs::read_to_string(folder.join(NAME)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(holds(&lines));
        assert!(!holds(&[lines[0], lines[2]]));
        assert!(!holds(&[lines[0], &lines[1].replace("opened", "closed"), lines[2]]));
        fs::remove_dir_all(folder).unwrap();
    }

    fn holds(lines: &[&str]) -> bool {
        let mut before = String::new();
        lines.iter().all(|line| {
            let (entry, chain) = line.rsplit_once(",\"chain\":\"").unwrap();
            let next = link(&before, &format!("{entry}}}"));
            let fits = chain.trim_end_matches("\"}") == next;
            before = next;
            fits
        })
    }
}
