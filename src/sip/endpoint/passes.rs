//! Secrets that last as long as a sign-in: what a page in a browser registers with.
//!
//! A page never learns the account's password. Whoever signs in gets a pass, the house is told its digests,
//! and the pass ends with the sign-in, so that what a stolen laptop remembers is worth nothing the next day.
//! A few per listener; the oldest gives way.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment};
use crate::sip::Account;

/// More pages than this nobody has open; the oldest sign-in loses its pass.
const PASSES_MAX: usize = 8;

/// A page's secret, as the house keeps it: H(user:realm:secret).
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pass {
    pub ha1_md5: String,
    pub ha1_sha256: String,
    pub lasts: Duration,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pass(· for {:?})", self.lasts)
    }
}

/// Every pass that is out.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Passes {
    held: BTreeMap<ListenerName, Vec<(Pass, Moment)>>,
}

impl Passes {
    pub(super) fn given(&mut self, listener: ListenerName, pass: Pass, now: Moment) {
        let ends = now + pass.lasts;
        let held = self.held.entry(listener).or_default();
        held.retain(|(_, ends)| *ends > now);
        if held.len() >= PASSES_MAX {
            held.remove(0);
        }
        held.push((pass, ends));
    }

    pub(super) fn taken_back(&mut self, listener: &ListenerName, ha1_sha256: &str) {
        if let Some(held) = self.held.get_mut(listener) {
            held.retain(|(pass, _)| pass.ha1_sha256 != ha1_sha256);
            if held.is_empty() {
                self.held.remove(listener);
            }
        }
    }

    /// Passes of listeners who are in the plan no more are worth nothing.
    pub(super) fn keep_only(&mut self, is_known: impl Fn(&ListenerName) -> bool) {
        self.held.retain(|listener, _| is_known(listener));
    }

    /// The account, once with each pass in the place of its password.
    pub(super) fn accounts<'a>(
        &'a self,
        listener: &ListenerName,
        account: &'a Account,
        now: Moment,
    ) -> impl Iterator<Item = Account> + 'a {
        let held = self.held.get(listener).map(Vec::as_slice).unwrap_or_default();
        held.iter().filter(move |(_, ends)| *ends > now).map(|(pass, _)| Account {
            ha1_md5: pass.ha1_md5.clone(),
            ha1_sha256: pass.ha1_sha256.clone(),
            ..account.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_ends_by_itself_by_being_taken_back_and_when_there_are_too_many() {
        let lea: ListenerName = "lea".parse().unwrap();
        let at = |secs| Moment::START + Duration::from_secs(secs);
        let pass = |name: &str| Pass {
            ha1_md5: name.to_owned(),
            ha1_sha256: name.to_owned(),
            lasts: Duration::from_secs(100),
        };
        let account = Account {
            ha1_md5: "own".to_owned(),
            ha1_sha256: "own".to_owned(),
            algorithms: None,
            phones_max: 3,
        };
        let mut passes = Passes::default();
        let held = |passes: &Passes, secs| -> Vec<String> {
            passes.accounts(&lea, &account, at(secs)).map(|account| account.ha1_sha256).collect()
        };
        passes.given(lea.clone(), pass("morning"), at(0));
        passes.given(lea.clone(), pass("noon"), at(50));
        assert_eq!(held(&passes, 60), ["morning", "noon"]);
        assert_eq!(held(&passes, 100), ["noon"]);

        passes.taken_back(&lea, "noon");
        assert!(held(&passes, 60).iter().all(|pass| pass == "morning"));

        for n in 0..20 {
            passes.given(lea.clone(), pass(&n.to_string()), at(200));
        }
        assert_eq!(held(&passes, 201).len(), PASSES_MAX);
        assert_eq!(held(&passes, 201)[0], "12");
    }
}
