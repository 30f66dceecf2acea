use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment};

/// Who is rung.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RingStrategy {
    /// Those who have been free longest, a few at once.
    LongestIdle,
    /// Everybody who is free.
    RingAll,
    /// One after the other, by name, beginning after the one rung last.
    InTurn,
}

impl RingStrategy {
    /// Chooses among the free, who come longest free first.
    pub fn choose(
        self,
        free: &[(ListenerName, Moment)],
        rung_last: Option<&ListenerName>,
    ) -> Option<ListenerName> {
        match self {
            Self::LongestIdle | Self::RingAll => free.first().map(|(name, _)| name.clone()),
            Self::InTurn => {
                let names = || free.iter().map(|(name, _)| name);
                names()
                    .filter(|name| rung_last.is_none_or(|last| *name > last))
                    .min()
                    .or_else(|| names().min())
                    .cloned()
            }
        }
    }

    /// How many listeners may ring for one caller at once, if the plan says `at_once`.
    pub fn at_once(self, at_once: usize) -> usize {
        match self {
            Self::LongestIdle => at_once.max(1),
            Self::RingAll => usize::MAX,
            Self::InTurn => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_turn_goes_round_by_name() {
        let free = ["nora", "lea", "marc"]
            .map(|name| (name.parse::<ListenerName>().expect("a name"), Moment::START));
        let mut rung = Vec::new();
        let mut last = None;
        for _ in 0..4 {
            last = RingStrategy::InTurn.choose(&free, last.as_ref());
            rung.push(last.clone().expect("somebody is free").to_string());
        }

        assert_eq!(rung, ["lea", "marc", "nora", "lea"]);
    }
}
