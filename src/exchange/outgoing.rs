//! Calls of ours to the public network, and which trunk carries them.
//!
//! The first trunk that is up takes the call; an address that fails, or says nothing for two seconds, gives
//! way to the next one of the same trunk (RFC 3263 §4.3), and that to the next trunk (scenarios.md SC-33).
//! Which numbers may be called at all is the endpoint's to guard.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, Now, PhoneNumber, Sdp, StreamRef, TrunkName};
use crate::exchange::{Exchange, Guest, Level, Output, Protection};
use crate::media::{Order, Road};
use crate::sip::{DialogRef, Ending, Failure, Invitation, Reason, Target, TrunkPeer};

/// The most addresses one call of ours tries: the caller waits meanwhile.
const TRIED_MAX: usize = 8;

/// One call on its way out.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Outgoing {
    number: PhoneNumber,
    offer: Sdp,
    /// The last is the one it is out by.
    tried: Vec<(TrunkName, TrunkPeer)>,
    /// Trunks that take no protected sound.
    plain: BTreeSet<TrunkName>,
}

impl Exchange {
    pub(super) fn call_out(
        &mut self,
        call: CallRef,
        leg: u32,
        number: PhoneNumber,
        offer: Sdp,
        now: Now,
    ) {
        let outgoing = match self.redrawn.remove(&(call, leg)) {
            Some(outgoing) => Outgoing { offer, ..outgoing },
            None => Outgoing { number, offer, tried: Vec::new(), plain: BTreeSet::new() },
        };
        if !self.calls_out_by_the_next(call, leg, outgoing, now) {
            self.note(Level::Warn, "no trunk takes a call of ours", Some(call), Vec::new());
            let why = Failure::Unreachable;
            self.with_call(call, now, |call, now| call.failed(leg, why, now));
        }
    }

    /// A call of ours came to nothing; true if another trunk has it now.
    pub(super) fn goes_another_way(&mut self, dialog: DialogRef, why: Failure, now: Now) -> bool {
        if self.takes_only_plain(dialog, why, now) {
            return true;
        }
        let is_the_roads_fault = match why {
            Failure::TimedOut | Failure::Unreachable => true,
            Failure::Refused(status) => (500..600).contains(&status),
            Failure::Cancelled => false,
        };
        let Some(outgoing) = self.outgoing.remove(&dialog).filter(|_| is_the_roads_fault) else {
            return false;
        };
        let Some(&(call, leg)) = self.dialogs.get(&dialog) else {
            return false;
        };
        self.forget_dialog(dialog);
        if self.calls_out_by_the_next(call, leg, outgoing, now) {
            return true;
        }
        // As it was: its end is to be told.
        self.remember_dialog(dialog, call, leg);
        false
    }

    /// A trunk has said nothing for a while; true if this was a call of ours.
    pub(super) fn trunk_is_quiet(&mut self, dialog: DialogRef, now: Now) -> bool {
        let Some(outgoing) = self.outgoing.get(&dialog) else {
            return false;
        };
        let tried = outgoing.tried.clone();
        if self.next_way(&tried, now).is_some()
            && self.goes_another_way(dialog, Failure::TimedOut, now)
        {
            self.endpoint.end(dialog, Reason::Normal, now);
        }
        true
    }

    fn calls_out_by_the_next(
        &mut self,
        call: CallRef,
        leg: u32,
        mut outgoing: Outgoing,
        now: Now,
    ) -> bool {
        let Some((trunk, by)) = self.next_way(&outgoing.tried, now) else {
            return false;
        };
        let road = self.road_by(&trunk, by, &outgoing);
        if self.call(call).and_then(|call| call.road_of(leg)).is_some_and(|is| is != road) {
            // Keys are for this road alone, or not for it at all.
            self.redrawn.insert((call, leg), outgoing);
            self.with_call(call, now, |call, _| call.offers_by(leg, road));
            return true;
        }
        outgoing.tried.push((trunk.clone(), by));
        let field = vec![("trunk".to_owned(), trunk.to_string())];
        self.note(Level::Info, "a call goes out", Some(call), field);
        let invitation = Invitation {
            target: Target::Trunk { trunk: trunk.clone(), number: outgoing.number.clone(), by },
            from_user: String::new(),
            from_display: String::new(),
            offer: outgoing.offer.clone(),
            alert_info: None,
        };
        let sources = self.sources(Some(&trunk));
        let stream = StreamRef { call, index: leg };
        self.outputs.push_back(Output::Media(Order::Restrict { stream, sources }));
        let dialog = self.endpoint.invite(invitation, now);
        self.outgoing.insert(dialog, outgoing);
        self.remember_dialog(dialog, call, leg);
        true
    }

    /// A trunk has refused sound with keys: the same call goes to it again without, whatever its plan: a
    /// caller is not lost for it. True if it does.
    fn takes_only_plain(&mut self, dialog: DialogRef, why: Failure, now: Now) -> bool {
        let Some(&(call, leg)) = self.dialogs.get(&dialog) else {
            return false;
        };
        let road = self.call(call).and_then(|call| call.road_of(leg));
        let has_keys = matches!(road, Some(Road::Private | Road::Sealed));
        if !has_keys || !why.is_about_our_description() {
            return false;
        }
        let Some(mut outgoing) = self.outgoing.remove(&dialog) else {
            return false;
        };
        let Some((trunk, _)) = outgoing.tried.pop() else {
            return false;
        };
        let field = vec![("trunk".to_owned(), trunk.to_string())];
        self.note(Level::Info, "a trunk takes no protected sound", Some(call), field);
        outgoing.plain.insert(trunk);
        self.forget_dialog(dialog);
        self.redrawn.insert((call, leg), outgoing);
        self.with_call(call, now, |call, _| call.offers_by(leg, Road::Readable));
        true
    }

    /// What an offer by this road may hold: keys only inside TLS (RFC 4568 §7).
    fn road_by(&self, trunk: &TrunkName, by: TrunkPeer, outgoing: &Outgoing) -> Road {
        let plan = self.plan.trunks.get(trunk);
        match plan.map_or(Protection::Never, |plan| plan.protection) {
            Protection::Offered | Protection::Demanded
                if !by.transport.is_secure() || outgoing.plain.contains(trunk) =>
            {
                Road::Readable
            }
            Protection::Never => Road::Readable,
            Protection::Offered => Road::Private,
            Protection::Demanded => Road::Sealed,
        }
    }

    /// The first address that answers, of the first trunk that has one, and none of `tried`.
    fn next_way(
        &mut self,
        tried: &[(TrunkName, TrunkPeer)],
        now: Now,
    ) -> Option<(TrunkName, TrunkPeer)> {
        if tried.len() >= TRIED_MAX {
            return None;
        }
        let plan = Arc::clone(&self.plan);
        plan.trunks.keys().find_map(|name| {
            let of_this = |(trunk, peer): &(TrunkName, TrunkPeer)| (trunk == name).then_some(*peer);
            let tried: Vec<TrunkPeer> = tried.iter().filter_map(of_this).collect();
            Some((name.clone(), self.endpoint.way_out(name, &tried, now)?))
        })
    }

    /// A call of ours has lasted an hour. Whoever talks with a caller is never cut by a clock (decisions.md:
    /// no clock sends BYE to a talking leg); anything else that holds a line of ours so long is a mistake,
    /// or somebody's fraud (domain.md T-01), and ends.
    pub(super) fn outlasted(&mut self, dialog: DialogRef, now: Now) {
        let of = self.dialogs.get(&dialog).copied();
        let talks = of.is_some_and(|(call, leg)| match self.guests.get(&call) {
            Some(Guest::Caller(caller)) => caller.call.talks_by(leg),
            Some(Guest::Errand(_)) | None => false,
        });
        let call = of.map(|(call, _)| call);
        if talks {
            let what = "a call of ours has lasted an hour; whoever talks is not cut";
            return self.note(Level::Warn, what, call, Vec::new());
        }
        self.note(Level::Warn, "a call of ours has lasted an hour and ends", call, Vec::new());
        if let Some((call, leg)) = of {
            self.with_call(call, now, |call, now| call.ended(leg, &Ending::Lost, None, now));
        }
        self.endpoint.end(dialog, Reason::Normal, now);
        self.forget_dialog(dialog);
    }

    pub(super) fn trunk_changed(&mut self, trunk: &TrunkName, now: Now) {
        let states = self.endpoint.trunks(now.steady);
        let Some(state) = states.into_iter().find(|state| state.trunk == *trunk) else {
            return;
        };
        let fields = vec![
            ("trunk".to_owned(), trunk.to_string()),
            ("up".to_owned(), state.up.to_string()),
            ("registered".to_owned(), state.registered.unwrap_or(true).to_string()),
        ];
        let well = state.up && state.registered != Some(false);
        let level = if well { Level::Info } else { Level::Warn };
        self.note(level, "a trunk changed", None, fields);
        self.board_changed = true;
    }
}
