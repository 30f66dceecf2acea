//! Files that are read beside the plan: certificates, keys, secrets. None is read further than it may be long,
//! and one that holds a secret is not used while others on this machine may read it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::catalogue::What;
use crate::config::report::{Place, Report};

/// Reads a file of at most `max` bytes.
pub(super) fn read_file(path: &Path, max: u64, report: &mut Report) -> Option<Vec<u8>> {
    taken(path, max, report).map(|(bytes, _)| bytes)
}

/// The same for a file that only its owner may read.
pub(super) fn read_secret(path: &Path, max: u64, report: &mut Report) -> Option<Vec<u8>> {
    let (bytes, mode) = taken(path, max, report)?;
    if mode & 0o077 != 0 {
        report.broken(file(path), What::KeyOpen { mode });
        return None;
    }
    Some(bytes)
}

/// A whole file.
pub(super) fn file(path: &Path) -> Place {
    Place { file: path.display().to_string(), position: None }
}

/// What is in a file, and who may read it.
fn taken(path: &Path, max: u64, report: &mut Report) -> Option<(Vec<u8>, u32)> {
    match take(path, max) {
        Ok(taken) => Some(taken),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.broken(file(path), What::FileMissing);
            None
        }
        Err(error) => {
            report.broken(file(path), What::FileUnreadable { why: error.to_string() });
            None
        }
    }
}

fn take(path: &Path, max: u64) -> io::Result<(Vec<u8>, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too long from one that just fits.
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::Error::other("it is too long"));
    }
    Ok((bytes, mode))
}
