//! Who is signed in: a bounded number of sign-ins, each with an end.
//!
//! The browser holds a random token in a cookie no script can read; kept here is only its digest. What else a
//! sign-in needs is made from the token each time it is shown, and kept nowhere: a second token, which every request
//! that changes something must show (so that a page of somebody else's can't speak in a listener's name), and the
//! secret the page's phone registers with.
//!
//! So a house that starts again needs only digests and ends to know everybody ([`Kept`]), and whoever reads them can
//! sign in as nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::{ListenerName, Moment, Now, in_hexadecimal};

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
    /// The digest of what the page's phone registers with, once it has asked.
    pub(super) pass: Option<String>,
    ends: Moment,
    /// It ends then too, unless somebody stirs.
    idle: Moment,
}

/// A sign-in as it outlives a restart.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The digest of the token, in hexadecimal.
    pub digest: String,
    pub who: ListenerName,
    pub ends: DateTime<Utc>,
    pub idle: DateTime<Utc>,
}

impl Session {
    fn is_over(&self, now: Moment) -> bool {
        now >= self.ends || now >= self.idle
    }

    /// How long it lasts at most from now.
    pub(super) fn left(&self, now: Moment) -> Duration {
        self.ends - now
    }
}

/// Everybody's sign-ins, by the digest of the cookie.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<String, Session>,
}

impl Sessions {
    /// Those that were kept and are not over yet. None lasts longer than it would have, even if the clock was set back.
    pub(super) fn of(kept: Vec<Kept>, now: Now) -> Self {
        let left = |end: DateTime<Utc>, most: Duration| {
            (end - now.wall).to_std().unwrap_or_default().min(most)
        };
        let session = |kept: Kept| {
            let (ends, idle) = (left(kept.ends, LASTS), left(kept.idle, IDLE_MAX));
            let (ends, idle) = (now.steady + ends, now.steady + idle);
            (kept.digest, Session { who: kept.who, pass: None, ends, idle })
        };
        let all = kept.into_iter().take(ALL_MAX).map(session);
        Self { all: all.filter(|(_, session)| !session.is_over(now.steady)).collect() }
    }

    /// What outlives a restart.
    pub(super) fn kept(&self, now: Now) -> Vec<Kept> {
        let wall = |at: Moment| {
            now.wall + chrono::TimeDelta::from_std(at - now.steady).unwrap_or_default()
        };
        let alive = self.all.iter().filter(|(_, session)| !session.is_over(now.steady));
        let kept = |(digest, session): (&String, &Session)| Kept {
            digest: digest.clone(),
            who: session.who.clone(),
            ends: wall(session.ends),
            idle: wall(session.idle),
        };
        alive.map(kept).collect()
    }

    /// Signs in; what the cookie has to hold, and the sign-ins that had to give way.
    pub(super) fn begin(
        &mut self,
        who: ListenerName,
        chance: &[u8; 32],
        now: Moment,
    ) -> (String, Vec<Session>) {
        let mut gone = self.end_the_old(now);
        let own = self.all.iter().filter(|(_, one)| one.who == who);
        let mut own: Vec<_> = own.map(|(key, one)| (one.ends, key.clone())).collect();
        own.sort_unstable();
        let mut give_way: Option<String> = None;
        if own.len() >= EACH_MAX {
            give_way = own.into_iter().next().map(|(_, key)| key);
        } else if self.all.len() >= ALL_MAX {
            give_way = self.all.iter().min_by_key(|(_, one)| one.idle).map(|(key, _)| key.clone());
        }
        gone.extend(give_way.and_then(|key| self.all.remove(&key)));
        let token = in_hexadecimal(chance);
        let session = Session { who, pass: None, ends: now + LASTS, idle: now + IDLE_MAX };
        self.all.insert(digest(&token), session);
        (token, gone)
    }

    /// The sign-in a cookie stands for; a sign of life.
    pub(super) fn find(&mut self, token: &str, now: Moment) -> Option<&mut Session> {
        let session = self.all.get_mut(&digest(token)).filter(|one| !one.is_over(now))?;
        session.idle = now + IDLE_MAX;
        Some(session)
    }

    pub(super) fn end(&mut self, token: &str) -> Option<Session> {
        self.all.remove(&digest(token))
    }

    /// Ends those that are over.
    pub(super) fn end_the_old(&mut self, now: Moment) -> Vec<Session> {
        let over = self.all.iter().filter(|(_, one)| one.is_over(now));
        let over: Vec<String> = over.map(|(key, _)| key.clone()).collect();
        over.iter().filter_map(|key| self.all.remove(key)).collect()
    }
}

/// What a request that changes something must show beside the cookie.
pub(super) fn csrf_of(token: &str) -> String {
    made_of(token, b"csrf")
}

/// What the page's phone registers with.
pub(super) fn phone_secret_of(token: &str) -> String {
    made_of(token, b"phone")
}

/// Whoever knows one of these knows neither the token nor another.
fn made_of(token: &str, what: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("any key will do");
    mac.update(what);
    in_hexadecimal(&mac.finalize().into_bytes())
}

fn digest(token: &str) -> String {
    in_hexadecimal(&Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::START + Duration::from_secs(secs)
    }

    fn begin(sessions: &mut Sessions, who: &str, chance: u8, secs: u64) -> String {
        sessions.begin(who.parse().unwrap(), &[chance; 32], at(secs)).0
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

    fn now(secs: u64, wall: &str) -> Now {
        Now { steady: at(secs), wall: wall.parse().unwrap() }
    }

    #[test]
    fn a_restart_at_night_signs_nobody_out_and_prolongs_nothing() {
        let mut sessions = Sessions::default();
        let token = begin(&mut sessions, "lea", 1, 0);
        let lost = begin(&mut sessions, "bram", 2, 0);
        assert!(sessions.find(&token, at(3_000)).is_some());
        let kept = sessions.kept(now(3_500, "2026-11-22T03:00:00Z"));
        let as_text = serde_json::to_string(&kept).unwrap();
        for secret in [&token, &csrf_of(&token), &phone_secret_of(&token)] {
            assert!(!as_text.contains(secret.as_str()), "only digests are kept");
        }

        // Some minutes later the house is there again; its own time begins anew.
        let again = now(1, "2026-11-22T03:05:00Z");
        let mut sessions = Sessions::of(kept.clone(), again);

        assert!(sessions.find(&lost, at(2)).is_none(), "who did not stir for an hour is out");
        let left = sessions.find(&token, at(1)).map(|session| session.left(at(1)));
        assert_eq!(left, Some(LASTS - Duration::from_secs(3_500 + 300)));
        // Whoever sets the clock back gains nothing.
        let mut sessions = Sessions::of(kept, now(1, "2020-01-01T00:00:00Z"));
        assert!(sessions.find(&token, at(1)).unwrap().left(at(1)) <= LASTS);
    }

    #[test]
    fn what_is_made_of_a_token_differs_by_token_and_by_use() {
        let all = [csrf_of("a"), phone_secret_of("a"), csrf_of("b"), phone_secret_of("b")];

        for (place, one) in all.iter().enumerate() {
            assert!(one.len() == 64 && !all[place + 1..].contains(one), "{all:?}");
        }
    }
}
