//! The last plan that worked, kept across restarts: a broken file at boot never silences the line.
//!
//! A copy of every file, recordings included, with a list of checksums, in the state folder. It is
//! written beside the old copy and takes its place by renaming, so a crash leaves one of the two.
//! Passwords are not copied: they are in the state folder already.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::base::in_hexadecimal;
use crate::config::catalogue::What;
use crate::config::load::load_from;
use crate::config::report::{Place, Report};
use crate::config::{House, Loaded, Places, environment, house_of, prompts};

/// The keeper of the last good plan.
#[derive(Clone, Debug)]
pub struct LastGood {
    folder: PathBuf,
}

impl LastGood {
    /// The keeper that has its copy in a house's state folder.
    pub fn of(house: &House) -> Self {
        Self { folder: house.state.join("last-good") }
    }

    /// The keeper of a plan's folder, found as well as can be when the plan can't be read.
    pub fn of_folder(folder: &Path) -> Self {
        Self::of(&house_of(folder))
    }

    /// Keeps a plan that works, unless it is the one that is kept already.
    pub fn keep(&self, loaded: &Loaded) -> io::Result<()> {
        let kept = fs::read_to_string(self.folder.join(VERSION)).unwrap_or_default();
        if kept.trim() == loaded.plan.version && self.is_whole() {
            return Ok(());
        }
        let fresh = self.folder.with_extension("new");
        let old = self.folder.with_extension("old");
        remove(&fresh)?;
        fs::create_dir_all(fresh.join(PLAN))?;
        fs::create_dir_all(fresh.join(PROMPTS).join(prompts::LANGUAGE))?;
        let mut sums = String::new();
        let plan = loaded.files.plan.iter().map(|(path, bytes)| (PathBuf::from(PLAN), path, bytes));
        let sounds = loaded.files.prompts.iter().map(|(path, bytes)| {
            let is_sound = path.extension().is_some_and(|extension| extension == "wav");
            let folder = PathBuf::from(PROMPTS);
            (if is_sound { folder.join(prompts::LANGUAGE) } else { folder }, path, bytes)
        });
        for (folder, path, bytes) in plan.chain(sounds) {
            let name = folder.join(path.file_name().unwrap_or_default());
            write(&fresh.join(&name), bytes)?;
            sums.push_str(&format!("{}  {}\n", checksum(bytes), name.display()));
        }
        write(&fresh.join(VERSION), loaded.plan.version.as_bytes())?;
        write(&fresh.join(CHECKSUMS), sums.as_bytes())?;
        remove(&old)?;
        match fs::rename(&self.folder, &old) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
        fs::rename(&fresh, &self.folder)?;
        remove(&old)
    }

    /// Loads the plan that was kept; `folder` is where the plan itself lives, for its paths.
    pub fn load(&self, folder: &Path, now: DateTime<Utc>) -> Result<Loaded, Report> {
        let old = self.folder.with_extension("old");
        let copy = [self.folder.clone(), old]
            .into_iter()
            .find(|folder| Self { folder: folder.clone() }.is_whole());
        let Some(copy) = copy else {
            let mut report = Report::new();
            let file = self.folder.display().to_string();
            report.add(Place { file, position: None }, What::FileMissing);
            return Err(report);
        };
        let places = Places {
            folder: copy.join(PLAN),
            prompts: Some(copy.join(PROMPTS)),
            base: folder.to_owned(),
        };
        // A slip in a variable costs that setting, not the line.
        load_from(&places, &environment::usable(&environment::of_process()), now)
    }

    /// Whether every file of the copy is there and as it was written.
    fn is_whole(&self) -> bool {
        let Ok(sums) = fs::read_to_string(self.folder.join(CHECKSUMS)) else {
            return false;
        };
        !sums.is_empty()
            && sums.lines().all(|line| {
                line.split_once("  ").is_some_and(|(sum, name)| {
                    fs::read(self.folder.join(name)).is_ok_and(|bytes| checksum(&bytes) == sum)
                })
            })
    }
}

const PLAN: &str = "plan";
const PROMPTS: &str = "prompts";
const VERSION: &str = "VERSION";
const CHECKSUMS: &str = "SHA256SUMS";

fn checksum(bytes: &[u8]) -> String {
    in_hexadecimal(&Sha256::digest(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        Ok(()) | Err(_) => Ok(()),
    }
}
