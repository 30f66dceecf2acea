//! From SIP to calls.

use std::sync::Arc;

use crate::admission::Verdict;
use crate::base::{CallRef, CallerNumber, ListenerName, Now, Sdp, Territory, TrunkName};
use crate::call::{Arrival, CALLER, Call, Errand};
use crate::exchange::numbers::Destination;
use crate::exchange::{
    Caller, ClosedMessage, Code, Exchange, Guest, Level, LinePlan, Output, Stopping,
};
use crate::ivr::fragments;
use crate::media::{Road, Sources};
use crate::queue::Class;
use crate::record::{Cause, Draft, Outcome, Party, Q850};
use crate::roster::Output as RosterOutput;
use crate::sip::{self, Dialled, DialogRef, Event, Origin, Refusal};

/// An INVITE, as the endpoint tells it.
pub(super) struct Invited {
    pub dialog: DialogRef,
    pub origin: Origin,
    pub caller: Option<CallerNumber>,
    pub offer: Option<Sdp>,
    pub road: Road,
    pub at: Now,
}

impl Exchange {
    pub(super) fn heard_from_sip(&mut self, output: sip::Output, now: Now) {
        match output {
            sip::Output::Send(transmit) => self.outputs.push_back(Output::Send(transmit)),
            sip::Output::Close(flow) => self.outputs.push_back(Output::Close(flow)),
            sip::Output::Tell(event) => self.happened(event, now),
            sip::Output::LookUp(question) => self.outputs.push_back(Output::LookUp(question)),
            sip::Output::Expect { peer, name } => {
                self.outputs.push_back(Output::Expect { peer, name });
            }
        }
    }

    fn happened(&mut self, event: Event, now: Now) {
        match event {
            Event::Invited { dialog, origin, dialled, caller, offer, flow, at, replaces } => {
                let road = crate::call::road(flow.transport);
                let invited = Invited { dialog, origin, caller, offer, road, at };
                if let Some(replaced) = replaces {
                    self.takes_the_place(replaced, invited, now);
                    return;
                }
                self.invited(&dialled, invited, now);
            }
            Event::Confirmed { dialog, answer } => {
                self.with_leg(dialog, now, |guest, leg, now| match guest {
                    Guest::Caller(caller) => caller.call.confirmed(leg, answer, now),
                    Guest::Errand(errand) => errand.confirmed(answer),
                });
            }
            Event::Ringing { dialog, sdp: _ } => {
                self.with_call_leg(dialog, now, |call, leg, now| call.ringing(leg, now));
            }
            Event::Quiet { dialog } if self.trunk_is_quiet(dialog, now) => {}
            Event::Quiet { dialog } => {
                self.with_call_leg(dialog, now, |call, leg, now| call.quiet(leg, now));
            }
            Event::Answered { dialog, sdp } => {
                self.with_call_leg(dialog, now, |call, leg, now| call.answered(leg, sdp, now));
            }
            Event::Failed { dialog, why, cause: _ } if self.goes_another_way(dialog, why, now) => {}
            Event::Failed { dialog, why, cause: _ } => {
                self.with_call_leg(dialog, now, |call, leg, now| call.failed(leg, why, now));
                self.forget_dialog(dialog);
            }
            Event::Ended { dialog, ending, cause } => {
                let cause = cause.and_then(Q850::new);
                self.with_leg(dialog, now, |guest, leg, now| match guest {
                    Guest::Caller(caller) => caller.call.ended(leg, &ending, cause, now),
                    Guest::Errand(errand) => errand.ended(),
                });
                self.forget_dialog(dialog);
            }
            Event::Offered { dialog, offer } => {
                self.with_leg(dialog, now, |guest, leg, _| match guest {
                    Guest::Caller(caller) => caller.call.offered(leg, offer),
                    Guest::Errand(errand) => errand.offered(offer),
                });
            }
            // We send no offers of our own inside a dialog yet.
            Event::OfferAnswered { .. } => {}
            Event::Probed { dialog, alive } => {
                self.with_call_leg(dialog, now, |call, leg, now| call.probed(leg, alive, now));
            }
            Event::TransferAsked { dialog, to } => self.transfer_asked(dialog, to, now),
            Event::Pressed { dialog, digit } => {
                self.with_leg(dialog, now, |guest, leg, now| match guest {
                    Guest::Caller(caller) => caller.call.pressed(leg, digit, now),
                    Guest::Errand(_) => {}
                });
            }
            Event::PhonesChanged { listener } => self.phones_changed(&listener, now),
            Event::Located { destination, hops } => {
                let level = if hops == 0 { Level::Error } else { Level::Info };
                let fields = vec![
                    ("name".to_owned(), destination.host),
                    ("addresses".to_owned(), hops.to_string()),
                ];
                self.note(level, "a name was looked up", None, fields);
                self.board_changed = true;
            }
            Event::LocatedAbroad { destination, address } => {
                let fields = vec![
                    ("name".to_owned(), destination.host),
                    ("address".to_owned(), address.to_string()),
                ];
                let what = "the DNS names an address outside the trunk's ranges; it is not used";
                self.note(Level::Error, what, None, fields);
                self.board_changed = true;
            }
            Event::Outlasted { dialog } => self.outlasted(dialog, now),
            Event::TrunkChanged { trunk } => self.trunk_changed(&trunk, now),
            Event::AuthenticationFailed { .. } => {
                self.alarms.authentication_failed();
                self.board_changed = true;
            }
        }
    }

    fn phones_changed(&mut self, listener: &ListenerName, now: Now) {
        let phones = self.endpoint.phones(listener);
        let reachable = phones.iter().filter(|phone| phone.reachable).count();
        self.roster.phones_changed(listener, phones.len(), reachable, now.steady);
        self.roster_has_changed();
    }

    fn invited(&mut self, dialled: &Dialled, invited: Invited, now: Now) {
        if let (Some(code), Origin::Listener(listener)) =
            (self.plan.codes.get(&dialled.user).copied(), &invited.origin)
        {
            let listener = listener.clone();
            self.sent_on_an_errand(code, &listener, invited, now);
            return;
        }
        let Some(invited) = self.asked_beside(dialled, invited, now) else {
            return;
        };
        let Some(destination) = self.destination(dialled, &invited) else {
            // The only 404 there is: what was dialled is no number of this house.
            self.endpoint.refuse(invited.dialog, Refusal::NotFound, now);
            self.note(Level::Warn, "an unknown number was dialled", None, Vec::new());
            self.alarms.unknown_number(now.steady);
            self.board_changed = true;
            return;
        };
        self.called(destination, invited, now);
    }

    fn called(&mut self, destination: Destination, invited: Invited, now: Now) {
        let Destination { line, origin, preface } = destination;
        let (trunk, is_listener) = match &invited.origin {
            Origin::Trunk(trunk) => (Some(trunk.clone()), None),
            Origin::Listener(listener) => (None, Some(listener.clone())),
        };
        let call = self.fresh_call();
        let verdict = self.admission.verdict(trunk.as_ref(), invited.caller.as_ref());
        let has_enough = verdict == Verdict::CallerFull;
        if let (true, Some(caller)) = (has_enough, &invited.caller) {
            self.admission.turned_away(caller, now.steady);
        }
        let refused = match verdict {
            Verdict::Admitted => self.stopping == Stopping::GraceOver,
            // Words take a place for half a minute: not when places are short.
            Verdict::CallerFull => self.admission.calls() * 2 >= self.plan.calls_max,
            Verdict::HouseFull | Verdict::TrunkFull => true,
        } || (self.stopping != Stopping::No && self.plan.sip.second_node);
        if refused {
            self.refused_for_load(call, &line, trunk, invited.dialog, now);
            return;
        }
        // The instant of the first copy decides, not the instant it is read.
        let opening = self.opening(&line, invited.at.wall);
        let territory = invited.caller.as_ref().map_or(Territory::Metropole, territory_of);
        let counted = invited.caller.as_ref().filter(|_| !has_enough);
        self.admission.admitted(call, trunk.clone(), counted);
        let fields = vec![
            ("line".to_owned(), line.name.to_string()),
            ("open".to_owned(), opening.is_open().to_string()),
        ];
        self.note(Level::Info, "a call arrived", Some(call), fields);
        let arrival = Arrival {
            call,
            line: Arc::clone(&line),
            origin,
            preface,
            plan: self.plan.version.clone(),
            sources: self.sources(trunk.as_ref()),
            road: invited.road,
            early: self.says_closed_early(trunk.as_ref()),
            trunk,
            offer: invited.offer,
            territory,
            opening,
            attended: self.attended.contains(&line.queue),
            has_enough,
        };
        let class = match (&invited.caller, &is_listener) {
            (None, None) => Class::Anonymous,
            (Some(_), _) | (_, Some(_)) => Class::Known,
        };
        if let Some(listener) = &is_listener {
            self.roster.calls_elsewhere(listener, call);
            self.roster_has_changed();
        }
        let queue = line.queue.clone();
        let caller = Caller { call: Call::arrived(arrival, now), queue, class, is_listener };
        self.welcome(call, invited.dialog, Guest::Caller(Box::new(caller)), now);
    }

    fn refused_for_load(
        &mut self,
        call: CallRef,
        line: &LinePlan,
        trunk: Option<TrunkName>,
        dialog: DialogRef,
        now: Now,
    ) {
        self.endpoint.refuse(dialog, Refusal::Overload, now);
        let draft = Draft::new(call, line.name.clone(), trunk, self.plan.version.clone(), now);
        let cause = Cause::new(Party::House, Q850::USER_BUSY);
        let record = draft.finished(Outcome::Overload, cause, now.steady);
        self.outputs.push_back(Output::Record(record));
        self.alarms.refused_for_load(now.steady);
        self.board_changed = true;
    }

    fn sent_on_an_errand(
        &mut self,
        code: Code,
        listener: &ListenerName,
        invited: Invited,
        now: Now,
    ) {
        let said = match code {
            Code::Pause => {
                self.roster.paused(listener);
                fragments::PAUSED
            }
            Code::ComeBack => {
                self.roster.came_back(listener, now.steady);
                fragments::BACK
            }
            Code::EndAfterCallWork => {
                self.roster.after_call_work_ended(listener, now.steady);
                fragments::NOTES_DONE
            }
        };
        let call = self.fresh_call();
        // Rung now, the phone that still listens to the confirmation would say that it is busy.
        self.roster.calls_elsewhere(listener, call);
        self.roster_has_changed();
        let said = vec![fragments::name(said)];
        let errand = Errand::begin(call, listener.clone(), invited.offer, invited.road, said, now);
        self.welcome(call, invited.dialog, Guest::Errand(Box::new(errand)), now);
    }

    fn welcome(&mut self, call: CallRef, dialog: DialogRef, guest: Guest, now: Now) {
        self.remember_dialog(dialog, call, CALLER);
        self.guests.insert(call, guest);
        self.with_guest(call, now, |_, _| {});
        self.board_changed = true;
    }

    pub(super) fn sources(&self, trunk: Option<&TrunkName>) -> Sources {
        match trunk.and_then(|trunk| self.plan.trunks.get(trunk)) {
            Some(trunk) if trunk.media.is_empty() => Sources::Within(trunk.addresses.clone()),
            Some(trunk) => Sources::Within(trunk.media.clone()),
            None => Sources::Anywhere,
        }
    }

    fn says_closed_early(&self, trunk: Option<&TrunkName>) -> bool {
        let plan = trunk.and_then(|trunk| self.plan.trunks.get(trunk));
        plan.is_some_and(|plan| plan.closed_message == ClosedMessage::EarlyMedia)
    }

    pub(super) fn heard_from_roster(&mut self, _now: Now) -> bool {
        let Some(output) = self.roster.poll_output() else {
            return false;
        };
        let (listener, text) = match output {
            RosterOutput::PausedForMisses { listener } => (
                listener,
                "Vous êtes en pause : votre téléphone a sonné sans réponse. Composez *11 pour revenir.",
            ),
            RosterOutput::LeftAlone { listener, .. } => {
                (listener, "Votre téléphone refuse les appels ; nous réessayons un peu plus tard.")
            }
        };
        let field = vec![("listener".to_owned(), listener.to_string())];
        self.note(Level::Warn, "a listener is not rung for a while", None, field);
        let now = self.latest;
        self.endpoint.tell(&listener, text, now);
        true
    }

    fn with_leg(&mut self, dialog: DialogRef, now: Now, act: impl FnOnce(&mut Guest, u32, Now)) {
        if let Some(&(call, leg)) = self.dialogs.get(&dialog) {
            self.with_guest(call, now, |guest, now| act(guest, leg, now));
        }
    }

    fn with_call_leg(
        &mut self,
        dialog: DialogRef,
        now: Now,
        act: impl FnOnce(&mut Call, u32, Now),
    ) {
        if let Some(&(call, leg)) = self.dialogs.get(&dialog) {
            self.with_call(call, now, |call, now| act(call, leg, now));
        }
    }

    /// From now on this dialog is this leg of this call.
    pub(super) fn remember_dialog(&mut self, dialog: DialogRef, call: CallRef, leg: u32) {
        self.dialogs.insert(dialog, (call, leg));
        self.legs.insert((call, leg), dialog);
    }

    pub(super) fn forget_dialog(&mut self, dialog: DialogRef) {
        self.outgoing.remove(&dialog);
        if let Some(leg) = self.dialogs.remove(&dialog) {
            self.legs.remove(&leg);
        }
    }
}

/// Where the caller is, for the words; a number that tells nothing is taken for the mainland.
fn territory_of(caller: &CallerNumber) -> Territory {
    match caller.territory() {
        Territory::Elsewhere => Territory::Metropole,
        territory @ (Territory::Guadeloupe
        | Territory::Guyane
        | Territory::Martinique
        | Territory::Mayotte
        | Territory::Metropole
        | Territory::NouvelleCaledonie
        | Territory::Polynesie
        | Territory::Reunion
        | Territory::SaintPierreEtMiquelon
        | Territory::WallisEtFutuna) => territory,
    }
}
