//! Whether an operator's editor has let go of the plan.
//!
//! An editor that saves, or a copy over a network, leaves a file half written for a moment; half a
//! table of hours can be a whole plan, of another line. So the files are read twice with a pause
//! between, and only a plan that stayed the same is taken.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Waits until the files of a plan's folder are the same before and after a `pause`; false when they
/// still change after ten of them. What can't be read is for `load` to say.
pub fn is_at_rest(folder: &Path, mut pause: impl FnMut()) -> bool {
    let mut seen = fingerprint(folder);
    for _ in 0..PAUSES_MAX {
        pause();
        let now = fingerprint(folder);
        if now == seen {
            return true;
        }
        seen = now;
    }
    false
}

fn fingerprint(folder: &Path) -> [u8; 32] {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_plan = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
    let mut paths = entries.filter(|path| is_plan(path)).collect::<Vec<_>>();
    paths.sort();
    let mut digest = Sha256::new();
    for path in paths {
        let bytes = fs::read(&path).unwrap_or_default();
        digest.update(path.as_os_str().as_encoded_bytes());
        digest.update([0]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
    digest.finalize().into()
}

const PAUSES_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let folder = tempfile("waited-for");
        let hours = folder.join("calendars.toml");
        let parts = ["monday-sunday = ", "[\"9h-1", "9h\"]\n"];
        let mut written = String::new();
        let mut left = parts.iter();

        let at_rest = is_at_rest(&folder, || {
            if let Some(part) = left.next() {
                written.push_str(part);
                fs::write(&hours, &written).unwrap();
            }
        });

        assert!(at_rest);
        assert_eq!(fs::read_to_string(&hours).unwrap(), parts.concat());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_never_rests_is_said_so() {
        let folder = tempfile("never-rests");
        let mut times = 0;

        let at_rest = is_at_rest(&folder, || {
            times += 1;
            fs::write(folder.join("lines.toml"), times.to_string()).unwrap();
        });

        assert!(!at_rest);
        fs::remove_dir_all(folder).unwrap();
    }

    fn tempfile(name: &str) -> std::path::PathBuf {
        let name = format!("hotline-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}
