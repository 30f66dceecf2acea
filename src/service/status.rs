//! How the house is doing, in a few lines for a terminal: what `hotline status` prints.

use std::collections::BTreeMap;

use crate::exchange::Board;
use crate::http::{Trouble, presence};

/// In one language, whatever the board says in how many.
pub(super) fn status(board: &Board, troubles: &[Trouble], is_french: bool) -> String {
    let say =
        |french: &'static str, english: &'static str| if is_french { french } else { english };
    let mut lines = Vec::new();
    for line in &board.lines {
        let state = if line.open { say("ouverte", "open") } else { say("fermée", "closed") };
        let until = line.until_local.map(|until| {
            format!(" {} {}", say("jusqu’au", "until"), until.format("%Y-%m-%d %H:%M"))
        });
        lines.push(format!("{}: {state}{}", line.line, until.unwrap_or_default()));
    }
    for queue in &board.queues {
        let oldest = queue.oldest.map(|seconds| format!(" ({seconds} s)")).unwrap_or_default();
        let waiting = say("en attente", "waiting");
        lines.push(format!("{}: {} {waiting}{oldest}", queue.queue, queue.waiting));
    }
    lines.push(format!(
        "{}: {} / {}, {} {}",
        say("appels", "calls"),
        board.calls,
        board.calls_max,
        board.calls_talking,
        say("en conversation", "talking"),
    ));
    let mut presences = BTreeMap::<&str, usize>::new();
    for listener in &board.listeners {
        *presences.entry(&listener.presence).or_default() += 1;
    }
    let presences =
        presences.iter().map(|(word, count)| format!("{count} {}", presence(word, is_french)));
    lines.push(format!(
        "{}: {}",
        say("écoutants", "listeners"),
        presences.collect::<Vec<_>>().join(", ")
    ));
    let troubles = troubles.iter().map(|one| format!("! {}: {}", one.code.as_str(), one.text));
    lines.extend(troubles.chain(board.alarms.iter().map(|alarm| format!("! {alarm}"))));
    lines.push(format!("plan: {}", board.plan));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::plan;

    /// ADR 0010: an operator reads one language, and not two.
    #[test]
    fn the_state_of_the_house_is_told_in_one_language() {
        let now = crate::base::Now {
            steady: crate::base::Moment::START,
            wall: "2026-11-21T10:00:00Z".parse().unwrap(),
        };
        let plan = std::sync::Arc::new(plan::shipped());
        let house = crate::exchange::Exchange::new(plan, crate::base::Mint::from_number(1), now);
        let board = house.board(now);

        let french = status(&board, &[], true);
        assert!(french.contains("3977: ouverte jusqu’au"), "{french}");
        assert!(french.contains("écoutants: 21 absent"), "{french}");
        assert!(!french.contains("offline"), "{french}");
        assert!(status(&board, &[], false).contains("listeners: 21 offline"));
    }
}
