//! Who is signed in: a bounded number of sign-ins, each with an end.
//!
//! The browser holds a random token in a cookie no script can read; kept here is only its digest. With it go
//! a second token, which every request that changes something must show (so that a page of somebody else's
//! can't speak in a listener's name), and the secret the page's phone registers with.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::base::{ListenerName, Moment, in_hexadecimal};

/// A sign-in lasts an evening and the one who stays late.
pub(super) const LASTS: Duration = Duration::from_secs(12 * 3600);

/// A page that has asked for nothing for so long is closed.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(3600);

/// Sign-ins at once, and of one person; the oldest of theirs gives way.
const ALL_MAX: usize = 2_000;
const EACH_MAX: usize = 6;

/// A sign-in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) who: ListenerName,
    pub(super) csrf: String,
    /// What the page's phone registers with, once it has asked, and its digest.
    pub(super) pass: Option<(String, String)>,
    began: Moment,
    seen: Moment,
}

impl Session {
    fn is_over(&self, now: Moment) -> bool {
        now - self.began >= LASTS || now - self.seen >= IDLE_MAX
    }

    /// How long it lasts at most from now.
    pub(super) fn left(&self, now: Moment) -> Duration {
        LASTS.saturating_sub(now - self.began)
    }
}

/// Everybody's sign-ins, by the digest of the cookie.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<[u8; 32], Session>,
}

impl Sessions {
    /// Signs in; what the cookie has to hold, and the sign-ins that had to give way.
    pub(super) fn begin(
        &mut self,
        who: ListenerName,
        chance: (&[u8; 32], &[u8; 32]),
        now: Moment,
    ) -> (String, Vec<Session>) {
        let mut gone = self.end_the_old(now);
        let mut own: Vec<_> = self
            .all
            .iter()
            .filter(|(_, one)| one.who == who)
            .map(|(key, one)| (one.began, *key))
            .collect();
        own.sort_unstable();
        let mut give_way: Vec<[u8; 32]> = Vec::new();
        if own.len() >= EACH_MAX {
            give_way.extend(own.first().map(|(_, key)| *key));
        } else if self.all.len() >= ALL_MAX {
            give_way.extend(self.all.iter().min_by_key(|(_, one)| one.seen).map(|(key, _)| *key));
        }
        gone.extend(give_way.iter().filter_map(|key| self.all.remove(key)));
        let token = in_hexadecimal(chance.0);
        let csrf = in_hexadecimal(chance.1);
        let session = Session { who, csrf, pass: None, began: now, seen: now };
        self.all.insert(digest(&token), session);
        (token, gone)
    }

    /// The sign-in a cookie stands for; a sign of life.
    pub(super) fn find(&mut self, token: &str, now: Moment) -> Option<&mut Session> {
        let session = self.all.get_mut(&digest(token)).filter(|one| !one.is_over(now))?;
        session.seen = now;
        Some(session)
    }

    pub(super) fn end(&mut self, token: &str) -> Option<Session> {
        self.all.remove(&digest(token))
    }

    /// Ends those that are over.
    pub(super) fn end_the_old(&mut self, now: Moment) -> Vec<Session> {
        let over: Vec<_> =
            self.all.iter().filter(|(_, one)| one.is_over(now)).map(|(key, _)| *key).collect();
        over.iter().filter_map(|key| self.all.remove(key)).collect()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }

    fn begin(sessions: &mut Sessions, who: &str, chance: u8, secs: u64) -> String {
        sessions.begin(who.parse().unwrap(), (&[chance; 32], &[!chance; 32]), at(secs)).0
    }

    #[test]
    fn a_sign_in_ends_when_nobody_stirs_and_at_the_end_of_the_evening() {
        let mut sessions = Sessions::default();
        let token = begin(&mut sessions, "lea", 1, 0);

        assert!(sessions.find("0000", at(1)).is_none());
        for hour in 0..12 {
            assert!(sessions.find(&token, at(hour * 3_500)).is_some(), "hour {hour}");
        }
        assert!(sessions.find(&token, at(12 * 3_600)).is_none());

        let token = begin(&mut sessions, "lea", 2, 0);
        assert!(sessions.find(&token, at(3_601)).is_none());
    }

    #[test]
    fn one_person_has_so_many_sign_ins_and_the_oldest_gives_way() {
        let mut sessions = Sessions::default();
        let bram = begin(&mut sessions, "bram", 200, 0);
        let tokens: Vec<_> =
            (0..10).map(|n| begin(&mut sessions, "lea", n, u64::from(n))).collect();

        let alive = tokens.iter().filter(|token| sessions.find(token, at(20)).is_some()).count();
        assert_eq!(alive, EACH_MAX);
        assert!(sessions.find(&tokens[9], at(20)).is_some());
        assert!(sessions.find(&bram, at(20)).is_some());
    }

    #[test]
    fn signing_out_makes_the_cookie_worthless() {
        let mut sessions = Sessions::default();
        let token = begin(&mut sessions, "lea", 1, 0);

        assert!(sessions.end(&token).is_some());
        assert!(sessions.find(&token, at(1)).is_none());
    }
}
