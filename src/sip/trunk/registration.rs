//! Our registration with a trunk (RFC 3261 §10.2), as its client.
//!
//! Refreshed between half and four fifths of what was granted. A challenge is answered only for the realm
//! the operator of the house has written down, twice in a row at the most (domain.md T-07: a server that
//! changes its nonce for ever learns nothing and gets nothing). A registrar that says no, not now, or not
//! so often is obeyed: the pause grows, and is never without some chance in it, so that a whole town of
//! exchanges does not come back in the same second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Mint, Moment};
use crate::sip::Algorithm;
use crate::sip::digest::Secret;
use crate::sip::headers::{Challenge, Credentials};
use crate::sip::message::Method;

/// Challenges answered in a row.
const CHALLENGES_MAX: u8 = 2;
/// The pause after a first failure; doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(30);
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// After a 403: a person has to change something first.
const FORBIDDEN_PAUSE: Duration = Duration::from_secs(900);
/// The longest Retry-After and Min-Expires that are obeyed.
const OBEYED_MAX: Duration = Duration::from_secs(86_400);
/// The shortest registration that is refreshed in time.
const GRANTED_MIN: Duration = Duration::from_secs(20);

/// Who we are at a trunk. The two digests are H(user:realm:password), so no password is kept.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrunkAccount {
    pub username: String,
    pub realm: String,
    pub ha1_md5: String,
    pub ha1_sha256: String,
    /// Whether it wants REGISTER, or only digest for our calls.
    pub registers: bool,
    /// How long a registration is asked for.
    pub expiry: Duration,
}

impl std::fmt::Debug for TrunkAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrunkAccount(·)")
    }
}

impl TrunkAccount {
    /// Answers the best challenge for our realm; None if none is for it.
    pub(crate) fn meets(
        &self,
        challenges: &[Challenge],
        method: &Method,
        uri: &str,
        cnonce: &str,
    ) -> Option<Credentials> {
        let ours = || challenges.iter().filter(|challenge| challenge.realm == self.realm);
        // SHA-256 where it is offered (RFC 8760 §2.3: the first that is understood, and it goes first).
        let best =
            ours().find(|one| one.algorithm == Algorithm::Sha256).or_else(|| ours().next())?;
        let ha1 = match best.algorithm {
            Algorithm::Md5 => &self.ha1_md5,
            Algorithm::Sha256 => &self.ha1_sha256,
        };
        Some(Credentials::answer(best, &self.username, Secret::Ha1(ha1), method, uri, 1, cnonce))
    }
}

/// One registration.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Registration {
    account: TrunkAccount,
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    cseq: u32,
    expiry: Duration,
    /// What the next REGISTER must answer.
    challenges: Vec<Challenge>,
    challenged: u8,
    failures: u32,
    until: Option<Moment>,
}

/// What came of a REGISTER.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Accepted { granted: Option<Duration> },
    Challenged(Vec<Challenge>),
    TooBrief { min: Option<Duration> },
    Refused { status: u16, retry_after: Option<Duration> },
    Nothing,
}

impl Registration {
    pub(crate) fn new(account: TrunkAccount, mint: &mut Mint) -> Self {
        Self {
            expiry: account.expiry,
            account,
            call_id: mint.token(),
            local_tag: mint.token(),
            cseq: 0,
            challenges: Vec::new(),
            challenged: 0,
            failures: 0,
            until: None,
        }
    }

    pub(crate) fn account(&self) -> &TrunkAccount {
        &self.account
    }

    pub(crate) fn is_registered(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    /// The number of the next REGISTER, and how long it asks for.
    pub(crate) fn next(&mut self) -> (u32, Duration) {
        self.cseq = self.cseq.saturating_add(1);
        (self.cseq, self.expiry)
    }

    /// The credentials of the next REGISTER, if it was asked for some.
    pub(crate) fn credentials(&mut self, uri: &str, cnonce: &str) -> Option<Credentials> {
        let challenges = std::mem::take(&mut self.challenges);
        self.account.meets(&challenges, &Method::Register, uri, cnonce)
    }

    /// Takes the answer, and says how long to wait before the next REGISTER.
    pub(crate) fn answered(&mut self, reply: &Reply, mint: &mut Mint, now: Moment) -> Duration {
        match reply {
            Reply::Accepted { granted } => {
                let granted = granted.unwrap_or(self.expiry).max(GRANTED_MIN);
                self.until = Some(now + granted);
                (self.challenged, self.failures) = (0, 0);
                let share = u32::try_from(50 + mint.below(31)).unwrap_or(50);
                granted * share / 100
            }
            Reply::Challenged(challenges) => {
                let is_ours = challenges.iter().any(|one| one.realm == self.account.realm);
                if is_ours && self.challenged < CHALLENGES_MAX {
                    self.challenged += 1;
                    self.challenges.clone_from(challenges);
                    return Duration::ZERO;
                }
                self.failed(mint)
            }
            Reply::TooBrief { min } => match min.filter(|min| *min > self.expiry) {
                Some(min) => {
                    self.expiry = min.min(OBEYED_MAX);
                    Duration::ZERO
                }
                None => self.failed(mint),
            },
            Reply::Refused { status: 403, .. } => {
                self.until = None;
                self.failed(mint).max(FORBIDDEN_PAUSE)
            }
            Reply::Refused { retry_after, .. } => {
                let own = self.failed(mint);
                retry_after.map_or(own, |after| own.max(after.min(OBEYED_MAX)))
            }
            Reply::Nothing => self.failed(mint),
        }
    }

    /// The pause after a failure.
    fn failed(&mut self, mint: &mut Mint) -> Duration {
        self.challenged = 0;
        self.challenges.clear();
        let pause = PAUSE * 2_u32.saturating_pow(self.failures.min(5));
        self.failures = self.failures.saturating_add(1);
        let share = u32::try_from(50 + mint.below(51)).unwrap_or(100);
        pause.min(PAUSE_MAX) * share / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3261 §10.2.4.
    #[test]
    fn it_is_refreshed_between_half_and_four_fifths_of_what_was_granted() {
        for seed in 0..50 {
            let (mut registration, mut mint) = (registration(), Mint::from_number(seed));
            let granted = Reply::Accepted { granted: Some(Duration::from_secs(1_000)) };

            let pause = registration.answered(&granted, &mut mint, Moment::START);

            assert!((500..=800).contains(&pause.as_secs()), "{pause:?}");
            assert!(registration.is_registered(Moment::START + Duration::from_secs(999)));
        }
    }

    /// domain.md T-07, CVE-2020-28242: a nonce that changes for ever.
    #[test]
    fn a_server_that_never_stops_asking_is_answered_twice() {
        let (mut registration, mut mint) = (registration(), Mint::from_number(1));
        let again = |nonce: &str| Reply::Challenged(vec![challenge("trunk.example", nonce)]);

        for nonce in ["a", "b"] {
            let pause = registration.answered(&again(nonce), &mut mint, Moment::START);
            assert_eq!(pause, Duration::ZERO);
            assert!(registration.credentials("sip:trunk.example", "c").is_some());
        }
        let pause = registration.answered(&again("c"), &mut mint, Moment::START);

        assert!(pause >= PAUSE / 2);
        assert!(registration.credentials("sip:trunk.example", "c").is_none());
    }

    /// domain.md T-07.
    #[test]
    fn another_realm_gets_no_digest() {
        let (mut registration, mut mint) = (registration(), Mint::from_number(1));
        let rogue = Reply::Challenged(vec![challenge("rogue.example", "a")]);

        let pause = registration.answered(&rogue, &mut mint, Moment::START);

        assert!(pause >= PAUSE / 2);
        assert!(registration.credentials("sip:trunk.example", "c").is_none());
    }

    /// RFC 3261 §10.2.8.
    #[test]
    fn a_registrar_that_wants_longer_gets_longer() {
        let (mut registration, mut mint) = (registration(), Mint::from_number(1));
        let brief = Reply::TooBrief { min: Some(Duration::from_secs(1_800)) };

        assert_eq!(registration.answered(&brief, &mut mint, Moment::START), Duration::ZERO);
        assert_eq!(registration.next().1, Duration::from_secs(1_800));
        // The same again is no way forward.
        assert!(registration.answered(&brief, &mut mint, Moment::START) > Duration::ZERO);
    }

    /// RFC 3261 §21.5.4 and §21.4.4.
    #[test]
    fn not_now_and_never_are_obeyed() {
        let (mut registration, mut mint) = (registration(), Mint::from_number(1));
        let retry_after = Some(Duration::from_secs(300));
        let later = Reply::Refused { status: 503, retry_after };
        let never = Reply::Refused { status: 403, retry_after: None };

        assert!(
            registration.answered(&later, &mut mint, Moment::START) >= Duration::from_secs(300)
        );
        assert!(registration.answered(&never, &mut mint, Moment::START) >= FORBIDDEN_PAUSE);
    }

    #[test]
    fn the_pause_grows_with_every_failure_up_to_ten_minutes() {
        let (mut registration, mut mint) = (registration(), Mint::from_number(1));
        let pauses: Vec<_> = (0..20)
            .map(|_| registration.answered(&Reply::Nothing, &mut mint, Moment::START))
            .collect();

        assert!(pauses[0] <= PAUSE && pauses[19] > PAUSE_MAX / 3 && pauses[19] <= PAUSE_MAX);
    }

    fn registration() -> Registration {
        let account = TrunkAccount {
            username: "hotline".into(),
            realm: "trunk.example".into(),
            ha1_md5: "0".repeat(32),
            ha1_sha256: "0".repeat(64),
            registers: true,
            expiry: Duration::from_secs(600),
        };
        Registration::new(account, &mut Mint::from_number(7))
    }

    fn challenge(realm: &str, nonce: &str) -> Challenge {
        Challenge {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            algorithm: Algorithm::Md5,
            stale: false,
            qop_auth: true,
        }
    }
}
