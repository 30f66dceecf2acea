//! Listeners who ask somebody else, and leave their caller with them.
//!
//! By keys, by a second line of their phone, by REFER (RFC 3515, with Replaces and without), or from
//! their page: whichever way, only a listener who has a caller may ask, and only colleagues, centres of
//! the directory and the emergency services of the plan can be reached (domain.md T-01). What it means
//! for the caller is the call's to say.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{CallRef, ListenerName, Moment, Now, PhoneNumber};
use crate::call::{Aim, Call, Helper, Wanted, Whom};
use crate::exchange::events::Invited;
use crate::exchange::{Exchange, Guest, Level};
use crate::roster::Presence;
use crate::sip::{Dialled, DialogRef, Origin, Phone, Refusal, TransferTo};

/// How often a listener may call the emergency services in an hour (domain.md T-28).
const EMERGENCIES_AN_HOUR: usize = 5;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// When each listener called the emergency services.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Emergencies(BTreeMap<ListenerName, VecDeque<Moment>>);

impl Emergencies {
    /// Counts one more; false if that is too many.
    fn called(&mut self, listener: &ListenerName, now: Moment) -> bool {
        let times = self.0.entry(listener.clone()).or_default();
        times.retain(|at| now - *at < HOUR);
        if times.len() >= EMERGENCIES_AN_HOUR {
            return false;
        }
        times.push_back(now);
        true
    }
}

impl Exchange {
    // ---- by SIP ----

    /// A listener's phone wants its call somewhere else.
    pub(super) fn transfer_asked(&mut self, dialog: DialogRef, to: TransferTo, now: Now) {
        let granted = match to {
            TransferTo::Number(dialled) => self.moves_by_refer(dialog, &dialled, now),
            TransferTo::Call(other) => self.completes_by_refer(dialog, other, now),
        };
        if !granted {
            self.endpoint.decline_transfer(dialog, now);
            self.note(Level::Info, "a transfer was declined", None, Vec::new());
        }
    }

    fn moves_by_refer(&mut self, dialog: DialogRef, dialled: &str, now: Now) -> bool {
        let Some((call, leg, listener)) = self.listener_behind(dialog) else {
            return false;
        };
        let Some(whom) = self.whom(call, dialled, None) else {
            return false;
        };
        // A centre may be closed, and its machine answers: it is asked first (domain.md §1.5).
        let phones = match &whom {
            Whom::Colleague(colleague) => self.reach_colleague(&listener, colleague),
            Whom::Centre(_) | Whom::Emergency(_) => None,
        };
        let (Some(phones), true) = (phones, self.may_ask(call, &listener)) else {
            return false;
        };
        self.endpoint.accept_transfer(dialog, now);
        self.is_rung_for(call, &whom);
        let wanted = Wanted { whom, aim: Aim::Move, phones, refer: Some(leg) };
        self.with_call(call, now, |call, now| call.asks(wanted, now));
        true
    }

    fn completes_by_refer(&mut self, dialog: DialogRef, other: DialogRef, now: Now) -> bool {
        let (Some((call, leg, _)), Some(&(same, beside))) =
            (self.listener_behind(dialog), self.dialogs.get(&other))
        else {
            return false;
        };
        if call != same || !self.call(call).is_some_and(|call| call.could_complete(leg, beside)) {
            return false;
        }
        self.endpoint.accept_transfer(dialog, now);
        self.with_call(call, now, |call, now| call.completes(leg, now));
        true
    }

    /// A listener who has a caller dials somebody on another line of their phone: taken, or the
    /// INVITE as it was, if it is for somebody else to answer.
    pub(super) fn asked_beside(
        &mut self,
        dialled: &Dialled,
        invited: Invited,
        now: Now,
    ) -> Option<Invited> {
        let Origin::Listener(listener) = &invited.origin else {
            return Some(invited);
        };
        let Some(call) = self.call_of(listener) else {
            return Some(invited);
        };
        let Some(whom) = self.whom(call, &dialled.user, dialled.number.as_ref()) else {
            return Some(invited);
        };
        let listener = listener.clone();
        let phones = match &whom {
            Whom::Colleague(colleague) => self.reach_colleague(&listener, colleague),
            Whom::Centre(_) => Some(Vec::new()),
            // To be the third they are called from the conversation itself.
            Whom::Emergency(_) => None,
        };
        let (Some(phones), true) = (phones, self.may_ask(call, &listener)) else {
            self.endpoint.refuse(invited.dialog, Refusal::TemporarilyUnavailable, now);
            return None;
        };
        self.is_rung_for(call, &whom);
        let wanted = Wanted { whom, aim: Aim::Ask, phones, refer: None };
        let mut leg = None;
        self.with_call(call, now, |call, now| {
            leg = call.asks_beside(wanted, invited.offer.clone(), invited.road, now);
        });
        match leg {
            Some(leg) => self.remember_dialog(invited.dialog, call, leg),
            None => {
                self.endpoint.refuse(invited.dialog, Refusal::TemporarilyUnavailable, now);
            }
        }
        None
    }

    /// An INVITE with Replaces (RFC 3891): a listener picks up what rings at a colleague's of the same
    /// queue, or takes their own call over on another of their phones.
    pub(super) fn takes_the_place(&mut self, replaced: DialogRef, invited: Invited, now: Now) {
        let Origin::Listener(listener) = &invited.origin else {
            self.endpoint.refuse(invited.dialog, Refusal::Declined, now);
            return;
        };
        let listener = listener.clone();
        let replaced = self.dialogs.get(&replaced).copied();
        let is_free = match self.roster.presence_of(&listener) {
            Some(
                Presence::Available { .. }
                | Presence::AfterCallWork { .. }
                | Presence::Paused { .. },
            ) => true,
            // Their own phone rings for the same caller.
            Some(Presence::Alerting { call }) => replaced.is_some_and(|(its, _)| its == call),
            Some(
                Presence::Offline
                | Presence::Talking { .. }
                | Presence::Elsewhere
                | Presence::Unreachable,
            )
            | None => false,
        };
        let mut leg = None;
        if let Some((call, place)) = replaced {
            let may_pick_up = is_free && self.serves_queue_of(&listener, call);
            let (offer, road) = (invited.offer.clone(), invited.road);
            self.with_call(call, now, |call, now| {
                leg = if call.talks_with(&listener) {
                    call.moves_to_other_phone(place, &listener, offer, road, now)
                } else if may_pick_up {
                    call.picked_up_by(place, &listener, offer, road, now)
                } else {
                    None
                };
            });
            if let Some(leg) = leg {
                self.remember_dialog(invited.dialog, call, leg);
            }
        }
        if leg.is_none() {
            self.endpoint.refuse(invited.dialog, Refusal::Declined, now);
        }
    }

    fn serves_queue_of(&self, listener: &ListenerName, call: CallRef) -> bool {
        match (self.plan.listeners.get(listener), self.guests.get(&call)) {
            (Some(plan), Some(Guest::Caller(caller))) => plan.queues.contains(&caller.queue),
            (_, Some(Guest::Errand(_)) | None) | (None, _) => false,
        }
    }

    // ---- by keys, or from the listener's page ----

    /// A listener wants somebody, and is allowed to ask.
    pub(super) fn seeks(&mut self, call: CallRef, whom: Whom, aim: Aim, now: Now) {
        let Some(listener) = self.listener_of(call) else {
            return;
        };
        if let Err(why) = self.asks(call, &listener, whom, aim, now) {
            self.endpoint.tell(&listener, &why, now);
        }
    }

    /// The same; why it can't be, in words.
    pub(super) fn asks(
        &mut self,
        call: CallRef,
        listener: &ListenerName,
        whom: Whom,
        aim: Aim,
        now: Now,
    ) -> Result<(), String> {
        if !self.may_ask(call, listener) {
            return Err("Vous n’avez pas d’appelant, ou demandez déjà quelqu’un.".to_owned());
        }
        let phones = match &whom {
            Whom::Colleague(colleague) => self
                .reach_colleague(listener, colleague)
                .ok_or_else(|| format!("{} n’est pas libre.", self.called_name(colleague)))?,
            Whom::Centre(_) => Vec::new(),
            Whom::Emergency(service) => {
                self.may_call_emergency(call, listener, service, now)?;
                Vec::new()
            }
        };
        self.is_rung_for(call, &whom);
        let wanted = Wanted { whom, aim, phones, refer: None };
        self.with_call(call, now, |call, now| call.asks(wanted, now));
        Ok(())
    }

    fn may_call_emergency(
        &mut self,
        call: CallRef,
        listener: &ListenerName,
        service: &Helper,
        now: Now,
    ) -> Result<(), String> {
        let granted = self.emergencies.called(listener, now.steady);
        let fields = vec![
            ("listener".to_owned(), listener.to_string()),
            ("service".to_owned(), service.name.to_string()),
            ("granted".to_owned(), granted.to_string()),
        ];
        self.note(Level::Warn, "a listener calls the emergency services", Some(call), fields);
        if granted {
            return Ok(());
        }
        Err("Les secours ont été appelés trop souvent depuis ce poste ; composez-les vous-même."
            .to_owned())
    }

    // ---- who, and whether ----

    /// The call of the caller this listener talks with.
    pub(super) fn call_of(&self, listener: &ListenerName) -> Option<CallRef> {
        let Presence::Talking { call } = self.roster.presence_of(listener)? else {
            return None;
        };
        self.call(call).filter(|call| call.talks_with(listener)).map(|_| call)
    }

    /// Whom something dialled is for: a colleague by name, or anybody by code or number.
    fn whom(&self, call: CallRef, dialled: &str, number: Option<&PhoneNumber>) -> Option<Whom> {
        let line = self.call(call)?.line();
        let code = dialled.strip_prefix('*').unwrap_or(dialled);
        let code = code.strip_suffix('#').unwrap_or(code);
        if let Some(whom) = line.whom(code) {
            return Some(whom);
        }
        let read = dialled.parse().ok();
        let is_dialled = |centre: &&Helper| {
            Some(&centre.number) == number || Some(&centre.number) == read.as_ref()
        };
        if let Some(centre) = line.centres.values().find(is_dialled) {
            return Some(Whom::Centre(centre.clone()));
        }
        let name: ListenerName = dialled.parse().ok()?;
        self.plan.listeners.contains_key(&name).then_some(Whom::Colleague(name))
    }

    /// The phones of a colleague who could be asked now.
    fn reach_colleague(
        &self,
        listener: &ListenerName,
        colleague: &ListenerName,
    ) -> Option<Vec<Phone>> {
        let is_free = match self.roster.presence_of(colleague)? {
            Presence::Available { .. } | Presence::AfterCallWork { .. } => true,
            Presence::Offline
            | Presence::Alerting { .. }
            | Presence::Talking { .. }
            | Presence::Paused { .. }
            | Presence::Elsewhere
            | Presence::Unreachable => false,
        };
        let mut phones = self.endpoint.phones(colleague);
        phones.retain(|phone| phone.reachable);
        // A phone that has not heard yet that another call is off would ring for two.
        let rings_still = self.endpoint.called_off_unheard().contains(colleague);
        let can_ring = is_free && !rings_still && !phones.is_empty();
        (can_ring && listener != colleague).then_some(phones)
    }

    fn is_rung_for(&mut self, call: CallRef, whom: &Whom) {
        if let Whom::Colleague(colleague) = whom {
            self.roster.rung(colleague, call);
            self.roster_has_changed();
        }
    }

    fn may_ask(&self, call: CallRef, listener: &ListenerName) -> bool {
        self.call(call).is_some_and(|call| call.may_ask(listener))
    }

    /// The leg a dialog is, and whose phone is there, if a listener has a caller over it.
    fn listener_behind(&self, dialog: DialogRef) -> Option<(CallRef, u32, ListenerName)> {
        let &(call, leg) = self.dialogs.get(&dialog)?;
        let listener = self.call(call)?.listener_on(leg)?.clone();
        Some((call, leg, listener))
    }

    fn listener_of(&self, call: CallRef) -> Option<ListenerName> {
        self.call(call)?.listener().cloned()
    }

    pub(super) fn called_name(&self, listener: &ListenerName) -> String {
        self.plan
            .listeners
            .get(listener)
            .map_or_else(|| listener.to_string(), |plan| plan.display.clone())
    }

    pub(super) fn call(&self, call: CallRef) -> Option<&Call> {
        match self.guests.get(&call)? {
            Guest::Caller(caller) => Some(&caller.call),
            Guest::Errand(_) => None,
        }
    }
}
