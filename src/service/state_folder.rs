//! The state folder: one house to a folder.
//!
//! A folder that can't be made or written is no reason not to answer calls (scenarios.md SC-34): the
//! house then runs without what lives there (records wait in memory, no orders by socket) and
//! says so. A folder another house has locked is: two houses would mix their records.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// The file whose lock says that the folder is taken.
const LOCK: &str = "lock";

/// A folder that is ours until this is dropped.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    _lock: Flock<File>,
}

/// Why it isn't.
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    #[error(
        "the state folder `{}` is in use by another house that runs now: stop it, or give this one \
         a folder of its own (`state` in `hotline.toml`)", .0.display()
    )]
    Taken(PathBuf),
    #[error("the state folder `{}` can't be used: {fault}", path.display())]
    Unusable { path: PathBuf, fault: io::Error },
}

impl StateFolder {
    /// Makes the folder if it isn't there, and takes it.
    pub fn take(path: &Path) -> Result<Self, NotOurs> {
        let unusable = |fault| NotOurs::Unusable { path: path.to_owned(), fault };
        if !fs::exists(path).map_err(unusable)? {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err((_, Errno::EWOULDBLOCK)) => Err(NotOurs::Taken(path.to_owned())),
            Err((_, errno)) => Err(unusable(errno.into())),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_house_at_a_time() {
        let path = std::env::temp_dir().join(format!("hotline-state-{}", std::process::id()));
        let first = StateFolder::take(&path).unwrap();

        let second = StateFolder::take(&path).unwrap_err();
        assert!(matches!(second, NotOurs::Taken(_)), "{second}");

        drop(first);
        StateFolder::take(&path).unwrap();
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_that_can_not_be_made_is_said() {
        let refused = StateFolder::take(Path::new("/proc/no/such/place")).unwrap_err();

        assert!(refused.to_string().starts_with("the state folder `/proc/no/such/place` can't"));
    }
}
