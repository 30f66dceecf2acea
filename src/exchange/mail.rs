//! From calls to SIP, sound, queues and the roster.

use std::time::Duration;

use crate::base::{CallRef, ListenerName, Now, QueueName, TrunkName};
use crate::call;
use crate::exchange::{Exchange, Guest, Level, Output};
use crate::queue::{Class, Queue};
use crate::record::{AttemptResult, CallRecord, Quality};
use crate::sip::{DialogRef, Invitation, Target};

impl Exchange {
    pub(super) fn deliver(&mut self, call: CallRef, output: call::Output, now: Now) {
        use call::Output as Wish;
        match output {
            Wish::Media(order) => self.outputs.push_back(Output::Media(order)),
            Wish::Written { by, listener, text } => {
                self.outputs.push_back(Output::Written { by, listener, text });
            }
            Wish::Pressed { listener, digit } => {
                self.outputs.push_back(Output::Pressed { listener, digit });
            }
            Wish::NeverHeard { listener, trunk } => self.never_heard(call, listener, trunk, now),
            Wish::Accept { leg, sdp } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.accept(dialog, sdp.into(), now);
                });
            }
            Wish::Progress { leg, sdp } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.progress(dialog, sdp.into(), now);
                });
            }
            Wish::Refuse { leg, refusal } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.refuse(dialog, refusal, now);
                    exchange.forget_dialog(dialog);
                });
                self.alarms.refused_for_sound(now.steady);
            }
            Wish::Answer { leg, sdp } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.answer(dialog, sdp.into(), now);
                });
            }
            Wish::Decline { leg, refusal } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.decline(dialog, refusal, now);
                });
            }
            Wish::End { leg, reason } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.end(dialog, reason, now);
                    exchange.forget_dialog(dialog);
                });
            }
            Wish::Probe { leg } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.probe(dialog, now);
                });
            }
            Wish::ShowsText { phone } => self.endpoint.shows_text(phone, now),
            Wish::DemandsKeys { phone, demands } => self.endpoint.demands_keys(phone, demands),
            Wish::Doubt { phone } => self.endpoint.doubt(phone, now),
            Wish::Invite { leg, phone, display, alert_info, offer } => {
                let from_user = self.display_of(call);
                let dialog = self.endpoint.invite(
                    Invitation {
                        target: Target::Phone(phone),
                        from_user,
                        from_display: display,
                        offer,
                        alert_info,
                    },
                    now,
                );
                self.remember_dialog(dialog, call, leg);
            }
            Wish::CallOut { leg, number, offer } => self.call_out(call, leg, number, offer, now),
            Wish::Knock => {
                let class = self.class_of(call);
                self.with_queue(call, |queue| queue.knocked(call, class, now.steady));
                // The line may have closed again since they were asked to come in.
                self.drain_again(call, now);
            }
            Wish::Ready => self.with_queue(call, |queue| queue.ready(call)),
            Wish::Unready => self.with_queue(call, |queue| queue.unready(call)),
            Wish::Return { avoiding } => {
                let class = self.class_of(call);
                self.with_queue(call, |queue| queue.returned(call, class, avoiding));
                self.drain_again(call, now);
            }
            Wish::Leave => self.with_queue(call, |queue| queue.left(call)),
            Wish::Held(true) => self.with_queue(call, |queue| queue.held(call)),
            Wish::Held(false) => self.with_queue(call, |queue| queue.resumed(call)),
            Wish::Estimate => self.estimate(call, now),
            Wish::Quiet { listener } => {
                self.with_queue(call, |queue| queue.quiet(call, &listener));
            }
            Wish::Stirred { listener } => {
                self.with_queue(call, |queue| queue.stirred(call, &listener));
            }
            Wish::AttemptEnded { listener, result } => {
                self.attempt_ended(call, &listener, result, now);
            }
            Wish::PickedUp { listener } => {
                self.with_queue(call, |queue| queue.answered(call, &listener));
                self.roster.answered(&listener, call);
                self.roster_has_changed();
                let field = vec![("listener".to_owned(), listener.to_string())];
                self.note(Level::Info, "a listener picked up", Some(call), field);
            }
            Wish::HungUp { listener, talked, lost } => {
                self.hung_up(call, &listener, talked, lost, now);
            }
            Wish::HandedOver => {
                self.note(Level::Info, "a listener handed a caller over", Some(call), Vec::new());
            }
            Wish::Seek { whom, aim } => self.seeks(call, whom, aim, now),
            Wish::Alert { leg } => {
                self.with_dialog(call, leg, |exchange, dialog| exchange.endpoint.ring(dialog, now));
            }
            Wish::Transfer { leg, status } => {
                self.with_dialog(call, leg, |exchange, dialog| {
                    exchange.endpoint.transfer_progressed(dialog, status, now);
                });
            }
            Wish::Released { listener } => {
                self.roster.hung_up(&listener, call, Duration::ZERO, now.steady);
                self.roster_has_changed();
            }
            Wish::Tell { listener, text } => self.endpoint.tell(&listener, &text, now),
            Wish::Finished(record) => self.finished(call, *record, now),
        }
    }

    fn attempt_ended(
        &mut self,
        call: CallRef,
        listener: &ListenerName,
        result: AttemptResult,
        now: Now,
    ) {
        let Some(plan) = self.queue_of(call).map(|queue| queue.plan().clone()) else {
            return;
        };
        self.with_queue(call, |queue| queue.attempt_failed(call, listener));
        match result {
            AttemptResult::Answered | AttemptResult::Spared => self.roster.spared(listener, call),
            AttemptResult::Declined => {
                self.roster.refused(listener, call, plan.refusal_pause, now.steady);
            }
            AttemptResult::Unanswered => {
                self.roster.missed(listener, call, plan.misses_max, now.steady);
            }
            AttemptResult::Unreachable => self.roster.unreached(listener, call, now.steady),
        }
        self.roster_has_changed();
    }

    fn hung_up(
        &mut self,
        call: CallRef,
        listener: &ListenerName,
        talked: Duration,
        lost: bool,
        now: Now,
    ) {
        let Some(plan) = self.queue_of(call).map(|queue| queue.plan().clone()) else {
            return;
        };
        let notes = if lost {
            Duration::ZERO
        } else if talked.is_zero() {
            // Picked up and put down before the caller could be joined: as good as a refusal, and
            // like one not to be rung again in the same breath.
            plan.refusal_pause
        } else {
            plan.after_call_work
        };
        self.roster.hung_up(listener, call, notes, now.steady);
        if !talked.is_zero()
            && let Some(name) = self.queue_name_of(call)
        {
            self.estimates.entry(name).or_default().served(talked + notes);
        }
        self.roster_has_changed();
    }

    fn finished(&mut self, call: CallRef, record: CallRecord, now: Now) {
        let fields = vec![
            ("outcome".to_owned(), record.outcome.to_string()),
            ("waited".to_owned(), format!("{:.1}", record.waited.as_secs_f64())),
            ("talked".to_owned(), format!("{:.1}", record.talked.as_secs_f64())),
        ];
        self.note(Level::Info, "a call ended", Some(call), fields);
        // Reports may have come all the time, so that nobody was missed.
        if let (Some(listener), Some(true)) =
            (&record.listener, record.listener_quality.as_ref().map(Quality::is_one_way))
        {
            self.never_heard(call, Some(listener.clone()), None, now);
        }
        if record.quality.is_one_way() && !self.call(call).is_some_and(call::Call::writes) {
            self.never_heard(call, None, record.trunk.clone(), now);
        }
        self.outputs.push_back(Output::Record(record));
        self.forget(call);
    }

    /// Sound goes one way only: people feel it as indifference, and can't know better.
    fn never_heard(
        &mut self,
        call: CallRef,
        listener: Option<ListenerName>,
        trunk: Option<TrunkName>,
        now: Now,
    ) {
        let (key, who) = match listener {
            Some(listener) => ("listener", Some(listener.to_string())),
            None => ("trunk", trunk.map(|trunk| trunk.to_string())),
        };
        if !self.alarms.never_heard(call, who.clone(), now.steady) {
            return;
        }
        let fields = who.into_iter().map(|who| (key.to_owned(), who)).collect();
        let what = match key {
            "listener" => {
                "no sound at all comes from a listener's phone: see its firewall and network"
            }
            _ => "no sound at all comes from a caller: see the trunk and `[media] advertised`",
        };
        self.note(Level::Warn, what, Some(call), fields);
    }

    fn estimate(&mut self, call: CallRef, now: Now) {
        let wait = self.queue_name_of(call).and_then(|name| {
            let place = self.queues.get(&name)?.place_of(call)?;
            let on_duty = self.roster.on_duty(&name).len();
            // The first in line with somebody free waits no longer than it takes to pick up.
            let free = self.roster.free(&name).len();
            let place = place.saturating_sub(free);
            self.estimates.get(&name).cloned().unwrap_or_default().wait(place, on_duty)
        });
        self.with_call(call, now, |call, now| call.estimated(wait, now));
    }

    fn display_of(&self, call: CallRef) -> String {
        match self.guests.get(&call) {
            Some(Guest::Caller(caller)) => caller.call.line().display.clone(),
            Some(Guest::Errand(_)) | None => String::new(),
        }
    }

    fn class_of(&self, call: CallRef) -> Class {
        match self.guests.get(&call) {
            Some(Guest::Caller(caller)) => caller.class,
            Some(Guest::Errand(_)) | None => Class::Known,
        }
    }

    fn queue_name_of(&self, call: CallRef) -> Option<QueueName> {
        match self.guests.get(&call)? {
            Guest::Caller(caller) => Some(caller.queue.clone()),
            Guest::Errand(_) => None,
        }
    }

    fn queue_of(&self, call: CallRef) -> Option<&Queue> {
        self.queues.get(&self.queue_name_of(call)?)
    }

    fn with_queue(&mut self, call: CallRef, act: impl FnOnce(&mut Queue)) {
        if let Some(queue) = self.queue_name_of(call).and_then(|name| self.queues.get_mut(&name)) {
            act(queue);
            self.match_wanted = true;
            self.board_changed = true;
        }
    }

    fn with_dialog(&mut self, call: CallRef, leg: u32, act: impl FnOnce(&mut Self, DialogRef)) {
        if let Some(dialog) = self.legs.get(&(call, leg)).copied() {
            act(self, dialog);
        }
    }
}
