//! The number of the person who calls: the one thing this house must not tell.
//!
//! A [`CallerNumber`] can be asked for its territory, and for a keyed pseudonym by `admission`. It
//! has no `Display`; its `Debug` says only that there is one; and it is serialised only for the
//! sealed journal, which never leaves memory unencrypted (decisions.md §14).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::PhoneNumber;

/// A caller's number: in memory only, and without a way to print it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallerNumber(PhoneNumber);

impl CallerNumber {
    /// Takes a number in; it can't be taken out again.
    pub fn new(number: PhoneNumber) -> Self {
        Self(number)
    }

    /// Where the number is from, as far as its first digits tell; enough to choose the words of
    /// an announcement, and all that is ever told.
    pub fn territory(&self) -> Territory {
        let number = self.0.as_str();
        TERRITORIES
            .iter()
            .find(|(prefix, _)| number.starts_with(prefix))
            .map_or(Territory::Elsewhere, |(_, territory)| *territory)
    }

    /// Feeds the number to a keyed hash, for a pseudonym; `admission` is the only user.
    pub fn feed(&self, mut hash: impl FnMut(&[u8])) {
        hash(self.0.as_str().as_bytes());
    }
}

impl fmt::Debug for CallerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerNumber(·)")
    }
}

/// A part of France with its own clock, or the rest of the world.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Territory {
    Elsewhere,
    Guadeloupe,
    Guyane,
    Martinique,
    Mayotte,
    Metropole,
    NouvelleCaledonie,
    Polynesie,
    Reunion,
    SaintPierreEtMiquelon,
    WallisEtFutuna,
}

/// The longest prefixes first: the first that fits wins. Mayotte shares +262 with La Réunion.
const TERRITORIES: &[(&str, Territory)] = &[
    ("+262269", Territory::Mayotte),
    ("+262639", Territory::Mayotte),
    ("+262", Territory::Reunion),
    ("+508", Territory::SaintPierreEtMiquelon),
    ("+590", Territory::Guadeloupe),
    ("+594", Territory::Guyane),
    ("+596", Territory::Martinique),
    ("+681", Territory::WallisEtFutuna),
    ("+687", Territory::NouvelleCaledonie),
    ("+689", Territory::Polynesie),
    ("+33", Territory::Metropole),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_its_territory_and_nothing_else() {
        let number = CallerNumber::new("+262692123456".parse().expect("a number"));

        assert_eq!(number.territory(), Territory::Reunion);
        assert_eq!(format!("{number:?}"), "CallerNumber(·)");
    }

    #[test]
    fn mayotte_is_told_from_la_reunion() {
        let number = CallerNumber::new("+262639123456".parse().expect("a number"));

        assert_eq!(number.territory(), Territory::Mayotte);
    }
}
