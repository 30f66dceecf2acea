//! INVITEs of ours: a listener's phone rings, answers, refuses, says nothing, or is called off.

use std::collections::BTreeSet;

use crate::base::{ListenerName, Now, Sdp};
use crate::sip::compose;
use crate::sip::dialog::expiry::{Expiry, INTERVAL_MIN, raised};
use crate::sip::dialog::invite::{Cancel, Peer, Session, Stage};
use crate::sip::dialog::{Dialog, DialogId, Sealed};
use crate::sip::headers::{NameAddr, RouteSet};
use crate::sip::message::{HeaderName, Method, Response, Status};
use crate::sip::transaction::{ClientKey, Kept, TransactionRef};
use crate::sip::uri::AddressOfRecord;

pub(super) use crate::sip::dialog::expiry::INTERVAL;

use super::asking::{cause_of, reason_value};
use super::locating::hop_of;
use super::receiving::sdp_of;
use super::{
    CALLED_OFF_MAX, DialogRef, Endpoint, Event, Failure, Invitation, PhoneRef, Purpose, QUIET,
    Reason, Target, Timer,
};

impl Endpoint {
    pub(super) fn send_invite(&mut self, invitation: &Invitation, now: Now) -> DialogRef {
        let dialog = self.next_dialog();
        let phone = match &invitation.target {
            Target::Phone(phone) => *phone,
            Target::Trunk { trunk, number, by } => {
                self.invite_outside(dialog, (trunk, *by), number, invitation, now);
                return dialog;
            }
        };
        let Some((listener, target, flow)) = self.registrar.reach(phone) else {
            self.report(Event::Failed { dialog, why: Failure::Unreachable, cause: None });
            return dialog;
        };
        let host = &self.setup.realm;
        let address = |user: &str| AddressOfRecord { user: user.to_owned(), host: host.clone() };
        let (ours, theirs) = (address(&invitation.from_user), address(listener.as_str()));
        let local_tag = self.mint.token();
        let half = Dialog {
            id: DialogId {
                call_id: self.mint.token(),
                local_tag: local_tag.clone(),
                remote_tag: String::new(),
            },
            local: Sealed(NameAddr::write(Some(&invitation.from_display), ours, Some(&local_tag))),
            remote: Sealed(NameAddr::write(None, theirs, None)),
            local_cseq: 1,
            remote_cseq: None,
            route_set: RouteSet::default(),
            remote_target: Sealed(target),
            flow,
        };

        let stage = self.begin_invite(dialog, &half, invitation, INTERVAL, now);
        let mut session = Session::new(half, Peer::Phone(flow.peer.ip()), stage);
        session.phone = Some(phone);
        session.invitation = Some(Box::new(invitation.clone()));
        self.sessions.insert(dialog, session);
        dialog
    }

    /// Sends the INVITE of `half`; `interval` is the session timer asked for.
    pub(super) fn begin_invite(
        &mut self,
        dialog: DialogRef,
        half: &Dialog,
        invitation: &Invitation,
        interval: u32,
        now: Now,
    ) -> Stage {
        let flow = half.flow;
        let (mut draft, key) = self.draft(half, flow, Method::Invite, half.local_cseq);
        draft = draft
            .header(HeaderName::Contact, self.contact(flow))
            .header(HeaderName::Allow, compose::ALLOW)
            .header(HeaderName::Supported, compose::SUPPORTED)
            .header(HeaderName::SessionExpires, Expiry { interval, ours: true }.asked())
            .header(HeaderName::MinSe, INTERVAL_MIN)
            .header(HeaderName::Accept, compose::SDP);
        if let Target::Trunk { trunk, by, .. } = &invitation.target {
            draft = self.dressed_for_trunk(draft, trunk, *by);
        }
        match self.sessions.get(&dialog).and_then(|session| session.credentials.as_ref()) {
            Some((401, credentials)) => {
                draft = draft.header(HeaderName::Authorization, &credentials.0);
            }
            Some((_, credentials)) => {
                draft = draft.header(HeaderName::ProxyAuthorization, &credentials.0);
            }
            None => {}
        }
        if let Some(alert_info) = &invitation.alert_info {
            draft = draft.header(HeaderName::AlertInfo, alert_info);
        }
        let bytes = draft.body(compose::SDP, &invitation.offer).bytes().clone();
        let twin = self.twin(half, flow, &key.branch);
        let id = self.transactions.invite(key, flow, bytes, twin.clone(), now.steady);
        self.purposes.insert(id, Purpose::Invite { dialog, half: Box::new(half.clone()) });
        self.timers.set(Timer::Quiet(dialog), now.steady + QUIET);
        Stage::Inviting {
            transaction: id,
            twin: Box::new(twin),
            heard: false,
            cancel: Cancel::Unwanted,
        }
    }

    /// 422: the same INVITE with the interval they want (RFC 4028 §7.3), once; false if that is no
    /// way out.
    fn invite_with_longer_interval(
        &mut self,
        dialog: DialogRef,
        half: &Dialog,
        reply: &Response,
        now: Now,
    ) -> bool {
        let session = self.sessions.get_mut(&dialog);
        let Some((session, interval)) = session.zip(raised(reply, INTERVAL)) else {
            return false;
        };
        let is_wanted = matches!(session.stage, Stage::Inviting { cancel: Cancel::Unwanted, .. });
        let Some(invitation) = session.invitation.take().filter(|_| is_wanted) else {
            return false;
        };
        let mut half = half.clone();
        half.next_cseq();
        let stage = self.begin_invite(dialog, &half, &invitation, interval, now);
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.dialog = half;
            session.agreed.ours = Some(Kept(invitation.offer.clone().into()));
            session.stage = stage;
        }
        true
    }

    /// A response to an INVITE that begins a dialog.
    pub(super) fn invite_responded(&mut self, id: TransactionRef, reply: &Response, now: Now) {
        let Some(Purpose::Invite { dialog, half }) = self.purposes.get(&id) else {
            return;
        };
        let (dialog, half) = (*dialog, half.as_ref().clone());
        let branch = half.branch(reply);
        self.phone_heard(dialog);
        match reply.status().0 {
            100..=199 => self.invite_progressed(dialog, branch, reply, now),
            200..=299 => self.invite_answered(id, dialog, branch, reply, now),
            401 | 407 if self.invite_with_credentials(dialog, &half, reply, now) => {}
            422 if self.invite_with_longer_interval(dialog, &half, reply, now) => {}
            // Nobody but the house decides where a caller goes (scenarios.md SC-28).
            300..=399 => {
                let why = Failure::Refused(Status::TEMPORARILY_UNAVAILABLE.0);
                self.invite_failed(dialog, why, None, now);
            }
            status => {
                self.invite_failed(dialog, Failure::Refused(status), cause_of(reply), now);
            }
        }
    }

    fn invite_progressed(&mut self, dialog: DialogRef, branch: Dialog, reply: &Response, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Stage::Inviting { cancel, heard, .. } = &mut session.stage else {
            return;
        };
        let is_first = !std::mem::replace(heard, true);
        if let Cancel::Held(reason) = *cancel {
            self.send_cancel(dialog, reason, now);
        } else if is_first {
            self.rings_for_watchers(dialog, now);
        }
        // RFC 6228: that one branch of a fork is gone is no ringing.
        if reply.status() != Status::TRYING
            && self.takes_provisional(dialog, branch, reply, now)
            && reply.status() != Status::EARLY_DIALOG_TERMINATED
        {
            self.report_of(dialog, Event::Ringing { dialog, sdp: sdp_of(reply).map(Sdp::from) });
        }
    }

    /// A 2xx with a to-tag not heard before.
    fn invite_answered(
        &mut self,
        id: TransactionRef,
        dialog: DialogRef,
        mut branch: Dialog,
        reply: &Response,
        now: Now,
    ) {
        let cseq = branch.local_cseq;
        let early = self.settle_branches(dialog, &mut branch);
        let peer = Peer::Phone(branch.flow.peer.ip());
        let flow = self.road(&branch, &peer);
        let (ack, _) = self.draft(&branch, flow, Method::Ack, cseq);
        let ack = ack.finish().bytes().clone();
        self.transactions.acknowledged(id, &branch.id.remote_tag, flow, ack, now.steady);

        let inviting = self.sessions.get_mut(&dialog).and_then(|session| match session.stage {
            Stage::Inviting { cancel, .. } => Some((session, cancel)),
            Stage::Incoming { .. } | Stage::Confirmed | Stage::Leaving(_) => None,
        });
        let Some((session, cancel)) = inviting else {
            // Another branch of a fork was faster: nobody is there to talk to this one.
            self.send_stray_bye(branch, &peer, now);
            return;
        };
        self.index.insert(branch.id.clone(), dialog);
        session.dialog = branch;
        session.stage = Stage::Confirmed;
        session.heard(reply);
        if let Some(invitation) = session.invitation.take() {
            session.agreed.ours = Some(Kept(invitation.offer.into()));
        }
        self.expires(dialog, Expiry::settled_by(reply), now);
        match cancel.reason() {
            // The answer crossed our CANCEL.
            Some(reason) => {
                self.timers.stop(&Timer::CalledOff(dialog));
                self.send_bye(dialog, reason, now);
                self.let_go(dialog);
            }
            // The answer may have come with a provisional response already.
            None => {
                let sdp = sdp_of(reply).or(early);
                self.report_of(dialog, Event::Answered { dialog, sdp: sdp.map(Sdp::from) });
            }
        }
    }

    /// Nothing will come of an INVITE of ours.
    pub(super) fn invite_failed(
        &mut self,
        dialog: DialogRef,
        why: Failure,
        cause: Option<u8>,
        now: Now,
    ) {
        // A phone that was quiet when we gave it up is marked already, and may have been found since.
        let is_news = |session: &&Session| {
            !session.given_up || matches!(session.stage, Stage::Inviting { heard: true, .. })
        };
        let session = self.sessions.get(&dialog).filter(is_news);
        let phone = session.and_then(|session| session.phone);
        let flow_failed =
            matches!(why, Failure::Unreachable) || why == Failure::Refused(Status::FLOW_FAILED.0);
        if let (true, Some(phone)) = (flow_failed, phone) {
            self.registrar.lost(phone, now.steady);
            let other = self.registrar.other_flow(phone);
            if self.invite_by(other, dialog, now) {
                return;
            }
        }
        let session = self.sessions.get(&dialog).filter(is_news);
        match (why, session.and_then(|session| session.phone)) {
            (Failure::TimedOut | Failure::Unreachable, Some(phone)) => {
                self.registrar.lost(phone, now.steady);
            }
            (Failure::Refused(_) | Failure::Cancelled, _) | (_, None) => {}
        }
        self.report_of(dialog, Event::Failed { dialog, why, cause });
        if self.sessions.get(&dialog).is_some_and(Session::is_called_off) {
            self.let_go(dialog);
        }
        self.forget(dialog);
    }

    /// The listeners of whom a phone was invited and has said nothing yet when its call was given
    /// up. §9.1 holds our CANCEL back until it does: another INVITE would reach it before, and ring
    /// on a phone that rings already, or be refused by one that takes a single call. After [`QUIET`]
    /// the phone counts as unreachable, which is no longer this one's matter.
    pub fn called_off_unheard(&self) -> BTreeSet<ListenerName> {
        self.called_off_until(Timer::Quiet)
    }

    /// The same, and those whose phone was told and may have been picked up meanwhile: its 200 would
    /// cross our CANCEL, and the phone refuse the next call because it is in one. It has
    /// [`CALLED_OFF_MAX`] to say which.
    pub fn called_off(&self) -> BTreeSet<ListenerName> {
        let mut listeners = self.called_off_unheard();
        listeners.append(&mut self.called_off_until(Timer::CalledOff));
        listeners
    }

    fn called_off_until(&self, timer: fn(DialogRef) -> Timer) -> BTreeSet<ListenerName> {
        self.sessions
            .iter()
            .filter(|(_, session)| session.is_called_off())
            .filter(|(dialog, _)| self.timers.due(&timer(**dialog)).is_some())
            .filter_map(|(_, session)| self.owner(session.phone?))
            .collect()
    }

    /// Tells the floor above that a phone whose call was given up can be rung again.
    pub(super) fn let_go(&mut self, dialog: DialogRef) {
        let phone = self.sessions.get(&dialog).and_then(|session| session.phone);
        if let Some(listener) = phone.and_then(|phone| self.owner(phone)) {
            self.report(Event::PhonesChanged { listener });
        }
    }

    fn owner(&self, phone: PhoneRef) -> Option<ListenerName> {
        self.registrar.reach(phone).map(|(listener, _, _)| listener.clone())
    }

    /// The phone has heard nothing of our INVITE, because its flow failed: it goes again by another
    /// flow of the same phone (RFC 5626 §7.2). False if there is none.
    fn invite_by(&mut self, phone: Option<PhoneRef>, dialog: DialogRef, now: Now) -> bool {
        let Some((_, target, flow)) = phone.and_then(|phone| self.registrar.reach(phone)) else {
            return false;
        };
        let Some(session) = self.sessions.get(&dialog).filter(|session| !session.given_up) else {
            return false;
        };
        let is_unheard =
            matches!(session.stage, Stage::Inviting { heard: false, cancel: Cancel::Unwanted, .. });
        let Some(invitation) = session.invitation.clone().filter(|_| is_unheard) else {
            return false;
        };
        let mut half = session.dialog.clone();
        half.id.call_id = self.mint.token();
        half.remote_target = Sealed(target);
        half.flow = flow;
        let stage = self.begin_invite(dialog, &half, &invitation, INTERVAL, now);
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.dialog = half;
            session.peer = Peer::Phone(flow.peer.ip());
            session.phone = phone;
            session.stage = stage;
        }
        true
    }

    /// [`QUIET`] is over and the phone has said nothing.
    pub(super) fn heard_nothing(&mut self, dialog: DialogRef, now: Now) {
        let Some(session) = self.sessions.get(&dialog) else {
            return;
        };
        match (session.phone, &session.peer) {
            (Some(phone), _) => self.registrar.lost(phone, now.steady),
            (None, Peer::Trunk(_)) => {
                let hop = hop_of(session.dialog.flow);
                self.locator.failed(hop, None, now.steady);
            }
            (None, Peer::Phone(_)) => {}
        }
        self.report_of(dialog, Event::Quiet { dialog });
    }

    /// The phone is gone from the book: what rings on it has failed, and should stop ringing.
    pub(super) fn phone_gone(&mut self, phone: PhoneRef, sibling: Option<PhoneRef>, now: Now) {
        let ringing: Vec<DialogRef> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.phone == Some(phone))
            .filter(|(_, session)| matches!(session.stage, Stage::Inviting { .. }))
            .map(|(dialog, _)| *dialog)
            .collect();
        for dialog in ringing {
            if self.invite_by(sibling, dialog, now) {
                continue;
            }
            self.report_of(
                dialog,
                Event::Failed { dialog, why: Failure::Unreachable, cause: None },
            );
            self.give_up(dialog, Reason::Normal, now);
        }
    }

    /// Calls our INVITE off, now or as soon as §9.1 allows.
    pub(super) fn call_off(&mut self, dialog: DialogRef, reason: Reason, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Stage::Inviting { heard, cancel, .. } = &mut session.stage else {
            return;
        };
        match (*cancel, *heard) {
            (Cancel::Unwanted, true) => self.send_cancel(dialog, reason, now),
            (Cancel::Unwanted, false) => *cancel = Cancel::Held(reason),
            (Cancel::Held(_) | Cancel::Sent(_), _) => {}
        }
    }

    /// To the very place the INVITE went, with its branch and its CSeq number.
    fn send_cancel(&mut self, dialog: DialogRef, reason: Reason, now: Now) {
        let Some(session) = self.sessions.get_mut(&dialog) else {
            return;
        };
        let Stage::Inviting { transaction, twin, cancel, .. } = &mut session.stage else {
            return;
        };
        *cancel = Cancel::Sent(reason);
        let Some(flow) = self.transactions.destination(*transaction) else {
            return;
        };
        let bytes = twin.cancel(reason_value(reason));
        self.timers.set(Timer::CalledOff(dialog), now.steady + CALLED_OFF_MAX);
        self.transactions.cancelled(*transaction, now.steady);
        let key = ClientKey { branch: twin.branch.clone(), method: Method::Cancel };
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::Nothing);
    }

    /// Any response is a sign of life.
    fn phone_heard(&mut self, dialog: DialogRef) {
        self.timers.stop(&Timer::Quiet(dialog));
        if let Some(phone) = self.sessions.get(&dialog).and_then(|session| session.phone) {
            self.registrar.found(phone);
        }
    }
}
