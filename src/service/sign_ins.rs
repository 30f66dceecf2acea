//! Who is signed in at the page, over a restart: digests and ends in a file only the house may read.
//!
//! No token is in it, so nobody who reads it can sign in. Whoever could write it could: a file that others may touch is
//! not believed. Take it away while the house is stopped, and everybody signs in anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::http::desk::Kept;

const NAME: &str = "sign-ins.json";

/// More than all sign-ins there may be.
const FILE_MAX: u64 = 1 << 20;

/// The file; none: nothing is kept.
#[derive(Clone, Debug)]
pub(super) struct SignIns {
    path: Option<PathBuf>,
}

impl SignIns {
    pub(super) fn of(state: Option<&Path>) -> Self {
        Self { path: state.map(|state| state.join(NAME)) }
    }

    pub(super) fn keep(&self, sign_ins: &[Kept]) {
        let Some(path) = &self.path else {
            return;
        };
        if let Err(fault) = write(path, sign_ins) {
            tracing::warn!(%fault, "who is signed in could not be kept for the next start");
        }
    }

    pub(super) fn kept(&self) -> Vec<Kept> {
        match self.path.as_deref().map(read) {
            Some(Ok(kept)) => kept,
            Some(Err(fault)) if fault.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%fault, "everybody has to sign in anew");
                Vec::new()
            }
            Some(Err(_)) | None => Vec::new(),
        }
    }
}

/// Whole or not at all.
fn write(path: &Path, sign_ins: &[Kept]) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(&serde_json::to_vec(sign_ins)?)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

fn read(path: &Path) -> io::Result<Vec<Kept>> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(io::Error::other(format!(
            "others may touch {} (mode {mode:o})",
            path.display()
        )));
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_ins_are_found_again_unless_somebody_else_could_have_written_them() {
        let folder = std::env::temp_dir().join(format!("hotline-sign-ins-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let sign_ins = SignIns::of(Some(&folder));
        assert!(sign_ins.kept().is_empty());
        let kept = vec![Kept {
            digest: "ab".repeat(32),
            who: "lea".parse().unwrap(),
            ends: "2026-11-22T12:00:00Z".parse().unwrap(),
            idle: "2026-11-22T04:00:00Z".parse().unwrap(),
        }];

        sign_ins.keep(&[]);
        sign_ins.keep(&kept);

        let path = folder.join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SignIns::of(Some(&folder)).kept(), kept);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(sign_ins.kept().is_empty());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "rubbish").unwrap();
        assert!(sign_ins.kept().is_empty());
        fs::remove_dir_all(&folder).unwrap();
    }
}
