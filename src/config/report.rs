//! What is wrong with the operator's files, where, and what to write instead.
//!
//! A [`Problem`] is data; its words, French and English, are in [`catalogue`](super::catalogue). All
//! problems of meaning are gathered into one [`Report`], so that one look at the screen is enough.

use std::fmt::Write;

use crate::config::Language;
use crate::config::catalogue::What;

/// Everything that was found, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    problems: Vec<Problem>,
}

/// One thing that is wrong, or worth a second look.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub place: Place,
    pub what: What,
    pub weight: Weight,
}

/// Where in the files: line and column count from 1; none for a whole file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Place {
    pub file: String,
    pub position: Option<(usize, usize)>,
}

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// The plan can't be used.
    Problem,
    /// The plan can be used, but something in it will not work: a door stays shut.
    Broken,
    /// The plan can be used; somebody should look.
    Notice,
}

impl Report {
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&mut self, place: Place, what: What) {
        self.problems.push(Problem { place, what, weight: Weight::Problem });
    }

    pub(super) fn notice(&mut self, place: Place, what: What) {
        self.problems.push(Problem { place, what, weight: Weight::Notice });
    }

    pub(super) fn broken(&mut self, place: Place, what: What) {
        self.problems.push(Problem { place, what, weight: Weight::Broken });
    }

    /// Puts problems in the order of the files, and within each from top to bottom.
    pub(super) fn sort(&mut self) {
        let mut files: Vec<String> = Vec::new();
        for problem in &self.problems {
            if !files.contains(&problem.place.file) {
                files.push(problem.place.file.clone());
            }
        }
        self.problems.sort_by_key(|problem| {
            let file = files.iter().position(|file| *file == problem.place.file);
            (file, problem.place.position)
        });
    }

    /// Everything that was found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the plan can't be used.
    pub fn is_fatal(&self) -> bool {
        self.count(Weight::Problem) > 0
    }

    /// How many were found of one weight.
    pub fn count(&self, weight: Weight) -> usize {
        self.problems.iter().filter(|problem| problem.weight == weight).count()
    }

    /// All of it, for a person to read.
    pub fn told(&self, language: Language) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            let _ = writeln!(text, "{}\n", problem.told(language));
        }
        let count = self.count(Weight::Problem) + self.count(Weight::Broken);
        if count > 0 {
            let _ = writeln!(text, "{}", counted(count, language));
        }
        text
    }
}

impl Problem {
    /// `file:line:column: what`, and a hint below it if there is one.
    pub fn told(&self, language: Language) -> String {
        let (what, hint) = self.what.told(language);
        let mut text = self.place.to_string();
        if self.weight == Weight::Notice {
            text.push_str(match language {
                Language::English => "note: ",
                Language::French => "à noter : ",
            });
        }
        text.push_str(&what);
        if let Some(hint) = hint {
            let word = match language {
                Language::English => "hint:",
                Language::French => "conseil :",
            };
            let _ = write!(text, "\n\n{word} {hint}");
        }
        text
    }
}

impl std::fmt::Display for Place {
    /// `config/lines.toml:14:9: `, ready to be followed by what is wrong there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: ", self.file),
            None => write!(f, "{}: ", self.file),
        }
    }
}

fn counted(count: usize, language: Language) -> String {
    let word = match (language, count) {
        (Language::English, 1) => "problem",
        (Language::English, _) => "problems",
        (Language::French, 0 | 1) => "problème",
        (Language::French, _) => "problèmes",
    };
    format!("{count} {word}")
}
