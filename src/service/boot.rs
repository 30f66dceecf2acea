//! What the house starts with: the operator's plan, or the best there is instead.
//!
//! A broken file at boot never leaves the line silent: the last plan that worked is taken, with a
//! loud alarm; if there is none, a built-in one answers every call and says that the line is closed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::base::{ListenerName, Mint, PromptName};
use crate::config::{self, House, LastGood, Loaded, Made, Person};
use crate::exchange::Plan;
use crate::media::library::Library;
use crate::media::sound::Recording;
use crate::service::{Clock, safe_plan};

/// Everything needed to open the house.
pub struct Boot {
    pub plan: Plan,
    pub house: House,
    /// Everybody who may sign in at the page.
    pub people: BTreeMap<ListenerName, Person>,
    pub library: Arc<Library>,
    pub origin: Origin,
    /// Where the passwords are, and whose were made just now.
    pub passwords: Option<Made>,
    /// What is worth a look though it isn't wrong, for people.
    pub notices: String,
}

/// Which plan it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The one on disk.
    Asked,
    /// The last that worked. `why` says what is wrong with the one on disk.
    LastGood { why: String },
    /// The built-in one, which only says that the line is closed.
    Safe { why: String },
}

impl Origin {
    /// What an operator must be told.
    pub fn alarm(&self) -> Option<String> {
        match self {
            Self::Asked => None,
            Self::LastGood { why } => Some(format!(
                "the files on disk can't be used, the last plan that worked is in force: {}",
                first_line(why)
            )),
            Self::Safe { why } => Some(format!(
                "there is no plan that can be used, every caller hears that the line is closed: {}",
                first_line(why)
            )),
        }
    }

    /// The whole report, if there is one.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Asked => None,
            Self::LastGood { why } | Self::Safe { why } => Some(why),
        }
    }
}

/// Reads the plan of a folder, or finds something else to serve with.
pub fn boot(folder: &Path, clock: &Clock, mint: &mut Mint) -> Boot {
    // What is wrong with the files is said by `load`.
    let passwords = config::make_passwords(folder, mint).ok();
    let now = clock.now().wall;
    let report = match config::load(folder, now) {
        Ok(loaded) => {
            // A state folder that can't be written is said by whoever takes it.
            let _ = LastGood::of(&loaded.house).keep(&loaded);
            return of_loaded(loaded, Origin::Asked, passwords);
        }
        Err(report) => report,
    };
    match LastGood::of_folder(folder).load(folder, now) {
        Ok(loaded) => {
            let why = report.told(loaded.house.language);
            of_loaded(loaded, Origin::LastGood { why }, passwords)
        }
        Err(_) => {
            let house = config::house_of(folder);
            let why = report.told(house.language);
            let (plan, recordings) = safe_plan::make(folder, &house);
            let library = written(recordings.iter().map(|(n, r)| (n.clone(), r)), &plan);
            Boot {
                plan,
                house,
                people: BTreeMap::new(),
                library: Arc::new(library),
                origin: Origin::Safe { why },
                passwords,
                notices: String::new(),
            }
        }
    }
}

fn of_loaded(loaded: Loaded, origin: Origin, passwords: Option<Made>) -> Boot {
    let Loaded { plan, house, people, recordings, notices, .. } = loaded;
    let notices = notices.told(house.language);
    let library = written(recordings.iter().map(|(name, sound)| (name.clone(), sound)), &plan);
    Boot { plan, house, people, library: Arc::new(library), origin, passwords, notices }
}

/// The recordings, and what is said in them.
pub(super) fn written<'a>(
    recordings: impl Iterator<Item = (PromptName, &'a Recording)>,
    plan: &Plan,
) -> Library {
    let words = plan.prompts.iter().map(|(name, prompt)| (name.clone(), prompt.words.clone()));
    Library::new(recordings).with_words(words)
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason is known")
}
