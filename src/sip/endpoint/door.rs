//! Who is it? Digest at the door (RFC 3261 §22, RFC 8760; domain.md T-02).
//!
//! A known and an unknown user get the same challenge in the same time. Where some accounts ask for
//! algorithms of their own, a name that doesn't exist is answered like one of the listeners, always
//! the same one, so that the algorithms tell nobody who exists either. Challenges are stateless.

use sha2::{Digest, Sha256};

use crate::base::{ListenerName, Now};
use crate::sip::digest::Verdict;
use crate::sip::headers::{Credentials, NameAddr};
use crate::sip::message::{HeaderName, Method, Request, Status};
use crate::sip::{Account, Algorithm};

use super::receiving::Arrival;
use super::{Endpoint, Event};

/// What an attempt at proving oneself came to.
pub(super) enum Proof {
    Listener(ListenerName),
    /// A challenge was sent, or the guard kept silent.
    Challenged,
}

impl Endpoint {
    /// Checks the credentials of a request, and challenges it if they don't do.
    pub(super) fn prove(&mut self, arrival: &Arrival, now: Now) -> Proof {
        let is_trunk = self.trunk_at(arrival.address()).is_some();
        if !is_trunk && !self.guard.admits(arrival.address(), now.steady) {
            return Proof::Challenged;
        }
        let request = arrival.request();
        let mut stale = false;
        let mut refused = false;
        let realm = self.setup.realm.clone();
        // A phone that answers several challenges sends several credentials (RFC 8760 §2.4).
        let offered: Vec<Credentials> =
            request.credentials().filter(|one| one.realm == realm).take(2).collect();
        for credentials in offered {
            let is_checked =
                is_trunk || self.guard.checks(arrival.address(), &credentials.username, now.steady);
            if !is_checked {
                refused = true;
                continue;
            }
            match self.verify(&credentials, arrival, now) {
                (Verdict::Proved, Some(listener)) => {
                    if !is_trunk {
                        self.guard.proved(arrival.address(), now.steady);
                    }
                    return Proof::Listener(listener);
                }
                (Verdict::Stale, _) => stale = true,
                (Verdict::Proved | Verdict::Refused, _) => refused = true,
            }
        }
        if refused && !stale {
            if !is_trunk {
                self.guard.failed(arrival.address(), now.steady);
            }
            self.report(Event::AuthenticationFailed { flow: arrival.source });
        }
        self.challenge(arrival, stale, now);
        Proof::Challenged
    }

    fn verify(
        &mut self,
        credentials: &Credentials,
        arrival: &Arrival,
        now: Now,
    ) -> (Verdict, Option<ListenerName>) {
        let request = arrival.request();
        let listener = credentials.username.parse::<ListenerName>().ok();
        let account = listener.as_ref().and_then(|listener| self.setup.accounts.get(listener));
        let algorithms = self.algorithms(arrival, listener.as_ref());
        let (method, uri) = (request.method(), request.uri_text());
        let mut verify = |account: Option<&Account>| {
            self.authenticator.verify(credentials, method, uri, account, &algorithms, now.steady)
        };
        let mut verdict = verify(account);
        if let (Verdict::Refused, Some(name), Some(account)) = (verdict, &listener, account) {
            // Not the password: perhaps what a page was given when its listener signed in.
            let mut passes = self.passes.accounts(name, account, now.steady);
            let right = passes.find_map(|account| match verify(Some(&account)) {
                Verdict::Refused => None,
                better @ (Verdict::Proved | Verdict::Stale) => Some(better),
            });
            verdict = right.unwrap_or(Verdict::Refused);
        }
        (verdict, listener.filter(|_| account.is_some()))
    }

    fn challenge(&mut self, arrival: &Arrival, stale: bool, now: Now) {
        let claimed = self.claimed_or_like(arrival.request());
        let algorithms = self.algorithms(arrival, claimed.as_ref());
        let challenges = self.authenticator.challenge(&algorithms, stale, now.steady);
        let mut response = arrival.question.response(Status::UNAUTHORIZED);
        for challenge in challenges {
            response = response.header(HeaderName::WwwAuthenticate, challenge);
        }
        self.reply(arrival, response, now);
    }

    /// The listener a request says it is from, or one whom such a name is answered like.
    fn claimed_or_like(&self, request: &Request) -> Option<ListenerName> {
        let claimed = claimed(request);
        let is_known = |name: &ListenerName| self.setup.accounts.contains_key(name);
        if claimed.as_ref().is_some_and(is_known) {
            return claimed;
        }
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(claimed.as_ref().map_or("", ListenerName::as_str));
        let draw =
            hash.finalize().iter().take(8).fold(0_u64, |draw, byte| draw << 8 | u64::from(*byte));
        let count = u64::try_from(self.setup.accounts.len()).ok().filter(|count| *count > 0)?;
        let place = usize::try_from(draw % count).ok()?;
        self.setup.accounts.keys().nth(place).cloned()
    }

    /// The account's own algorithms, or the door's.
    fn algorithms(&self, arrival: &Arrival, listener: Option<&ListenerName>) -> Vec<Algorithm> {
        let account = listener.and_then(|listener| self.setup.accounts.get(listener));
        if let Some(own) = account.and_then(|account| account.algorithms.clone()) {
            return own;
        }
        match self.door(arrival.source) {
            Some(door) if !door.algorithms.is_empty() => door.algorithms.clone(),
            Some(_) | None => vec![Algorithm::Sha256, Algorithm::Md5],
        }
    }
}

/// Who a request says it is from: good enough to choose algorithms by, and for nothing else.
pub(super) fn claimed(request: &Request) -> Option<ListenerName> {
    let address: NameAddr<'_> = match request.method() {
        Method::Register => request.to().ok()?,
        Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Info
        | Method::Invite
        | Method::Message
        | Method::Notify
        | Method::Options
        | Method::Prack
        | Method::Publish
        | Method::Refer
        | Method::Subscribe
        | Method::Update
        | Method::Extension(_) => request.from().ok()?,
    };
    address.uri().ok()?.dialled().parse().ok()
}
