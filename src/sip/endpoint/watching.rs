//! SUBSCRIBE and NOTIFY (RFC 6665): who may watch whom, and telling them.
//!
//! A listener who proves who they are may watch any other; nobody else watches anybody. News goes
//! to one subscriber one at a time: what changes while a NOTIFY is under way is told after it, once.

use std::time::Duration;

use crate::base::{ListenerName, Now};
use crate::sip::dialog::invite::Stage;
use crate::sip::dialog::usage::Toll;
use crate::sip::dialog::watch::{Package, Watch};
use crate::sip::dialog::{Dialog, DialogId, contact_of};
use crate::sip::headers::Params;
use crate::sip::message::{HeaderName, Method, Request, Response, Status};

use super::door::Proof;
use super::receiving::Arrival;
use super::{Activity, DialogRef, Endpoint, Purpose, Timer};

/// The most subscriptions at once, and the most of one listener: every phone watching every desk.
const WATCHES_MAX: usize = 4_096;
const WATCHES_OF_ONE_MAX: usize = 256;
/// How long a subscription lasts that asks for no time, or for more.
const HOUR: u32 = 3_600;
/// The shortest time a subscription is worth.
const MINUTE: u32 = 60;
/// The longest `id` of an Event that is kept.
const ID_MAX: usize = 64;

impl Endpoint {
    /// What a listener is doing now; whoever watches them is told.
    pub fn busies_with(&mut self, listener: &ListenerName, activity: Activity, now: Now) {
        if self.activities.insert(listener.clone(), activity) == Some(activity) {
            return;
        }
        let watching: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watch)| watch.watched == *listener)
            .map(|(id, _)| *id)
            .collect();
        for id in watching {
            self.tell_watcher(id, now);
        }
        self.settle(now);
    }

    /// A phone of theirs rings: it may be picked up by whoever watches.
    pub(super) fn rings_for_watchers(&mut self, dialog: DialogRef, now: Now) {
        let phone = self.sessions.get(&dialog).and_then(|session| session.phone);
        let Some((listener, _, _)) = phone.and_then(|phone| self.registrar.reach(phone)) else {
            return;
        };
        let watching: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watch)| watch.watched == *listener && watch.package == Package::Dialog)
            .map(|(id, _)| *id)
            .collect();
        for id in watching {
            self.tell_watcher(id, now);
        }
    }

    /// The dialog of a listener's phone that rings.
    fn rings_at(&self, listener: &ListenerName) -> Option<&DialogId> {
        let phones = self.registrar.phones(listener);
        let session = self.sessions.values().find(|session| {
            let is_theirs = |phone| phones.iter().any(|one| one.phone == phone);
            matches!(session.stage, Stage::Inviting { heard: true, .. })
                && !session.given_up
                && session.phone.is_some_and(is_theirs)
        })?;
        Some(&session.dialog.id)
    }

    /// SUBSCRIBE outside every dialog.
    pub(super) fn subscribe_received(&mut self, mut arrival: Arrival, now: Now) {
        let Some((package, id)) = event_of(arrival.request()) else {
            self.refuse_event(&arrival, now);
            return;
        };
        let claims = arrival.request().credentials().any(|one| one.realm == self.setup.realm);
        if self.trunk_at(arrival.address()).is_some() && !claims {
            self.reply_plain(&arrival, Status::FORBIDDEN, now);
            return;
        }
        let Proof::Listener(watcher) = self.prove(&arrival, now) else {
            return;
        };
        let request = arrival.request();
        let watched = request.uri().ok().and_then(|uri| uri.dialled().parse().ok());
        let Some(watched) = watched.filter(|name| self.setup.accounts.contains_key(name)) else {
            self.reply_plain(&arrival, Status::NOT_FOUND, now);
            return;
        };
        if !accepts(request, package) {
            self.reply_plain(&arrival, Status::NOT_ACCEPTABLE, now);
            return;
        }
        let Some(expires) = self.granted(&arrival, now) else {
            return;
        };
        let theirs = self.watches.values().filter(|watch| watch.watcher == watcher).count();
        if self.watches.len() >= WATCHES_MAX || theirs >= WATCHES_OF_ONE_MAX {
            let response = arrival.question.response(Status::SERVICE_UNAVAILABLE);
            self.reply(&arrival, response.header(HeaderName::RetryAfter, MINUTE), now);
            return;
        }
        arrival.question.tag = self.mint.token();
        let tag = arrival.question.tag.clone();
        self.open(&mut arrival, now);
        let dialog = Dialog::of_request(arrival.request(), &tag, arrival.source);
        self.last_watch += 1;
        let number = self.last_watch;
        self.watch_index.insert(dialog.id.clone(), number);
        let watch = Watch {
            dialog,
            watcher,
            watched,
            package,
            id,
            until: now.steady,
            version: 0,
            telling: false,
            stale: false,
        };
        self.watches.insert(number, watch);
        self.subscribed(number, &arrival, expires, now);
    }

    /// SUBSCRIBE inside a subscription: longer, or no more. From where the subscriber is (T-13).
    pub(super) fn subscribed_again(&mut self, mut arrival: Arrival, now: Now) -> Option<Arrival> {
        let request = arrival.request();
        let id = DialogId {
            call_id: request.call_id().to_owned(),
            local_tag: request.to_tag().unwrap_or_default().to_owned(),
            remote_tag: request.from_tag().unwrap_or_default().to_owned(),
        };
        let Some(number) = self.watch_index.get(&id).copied() else {
            return Some(arrival);
        };
        let watch = self.watches.get_mut(&number)?;
        if watch.dialog.flow.peer.ip().to_canonical() != arrival.address()
            || *request.method() != Method::Subscribe
        {
            return Some(arrival);
        }
        if !watch.dialog.takes(request.cseq().number) {
            self.reply_plain(&arrival, Status::SERVER_INTERNAL_ERROR, now);
            return None;
        }
        let same = event_of(request) == Some((watch.package, watch.id.clone()));
        watch.dialog.flow = arrival.source;
        watch.dialog.retargeted(contact_of(request).as_deref());
        self.open(&mut arrival, now);
        if !same {
            self.refuse_event(&arrival, now);
        } else if let Some(expires) = self.granted(&arrival, now) {
            self.subscribed(number, &arrival, expires, now);
        }
        None
    }

    fn subscribed(&mut self, number: u64, arrival: &Arrival, expires: u32, now: Now) {
        let response = arrival.question.response(Status::OK);
        let response = self.with_contact(response, arrival.source);
        let response = response.record_routes(arrival.request());
        self.reply(arrival, response.header(HeaderName::Expires, expires), now);
        if expires == 0 {
            self.end_watch(number, "timeout", now);
            return;
        }
        let until = now.steady + Duration::from_secs(expires.into());
        if let Some(watch) = self.watches.get_mut(&number) {
            watch.until = until;
        }
        self.timers.set(Timer::WatchEnds(number), until);
        self.tell_watcher(number, now);
    }

    /// How long a subscription may last, in seconds; None if 423 was the answer.
    fn granted(&mut self, arrival: &Arrival, now: Now) -> Option<u32> {
        let expires = arrival.request().expires().unwrap_or(HOUR).min(HOUR);
        if (1..MINUTE).contains(&expires) {
            let response = arrival.question.response(Status::INTERVAL_TOO_BRIEF);
            self.reply(arrival, response.header(HeaderName::MinExpires, MINUTE), now);
            return None;
        }
        Some(expires)
    }

    fn refuse_event(&mut self, arrival: &Arrival, now: Now) {
        let response = arrival.question.response(Status::BAD_EVENT);
        self.reply(arrival, response.header(HeaderName::AllowEvents, Package::ALL), now);
    }

    /// News, or the same again after a SUBSCRIBE.
    fn tell_watcher(&mut self, number: u64, now: Now) {
        let Some(watch) = self.watches.get_mut(&number) else {
            return;
        };
        if watch.telling {
            watch.stale = true;
            return;
        }
        let left = (watch.until - now.steady).as_secs();
        self.notify(number, &format!("active;expires={left}"), now);
    }

    /// The last NOTIFY of a subscription (§4.4.1).
    pub(super) fn end_watch(&mut self, number: u64, reason: &str, now: Now) {
        self.notify(number, &format!("terminated;reason={reason}"), now);
        self.forget_watch(number);
    }

    fn notify(&mut self, number: u64, state: &str, now: Now) {
        let Some(watch) = self.watches.get_mut(&number) else {
            return;
        };
        watch.telling = true;
        watch.stale = false;
        let version = watch.version;
        watch.version = version.saturating_add(1);
        let cseq = watch.dialog.next_cseq();
        let (dialog, event, package) = (watch.dialog.clone(), watch.event(), watch.package);
        let watched = watch.watched.clone();
        let activity = self.activities.get(&watch.watched).copied().unwrap_or(Activity::Offline);
        let entity = format!("sip:{}@{}", watch.watched, self.setup.realm);
        let rings = self.rings_at(&watched);
        let document = package.document(&entity, activity, rings, version);
        let flow = dialog.flow;
        let (draft, key) = self.draft(&dialog, flow, Method::Notify, cseq);
        let bytes = draft
            .header(HeaderName::Contact, self.contact(flow))
            .header(HeaderName::Event, event)
            .header(HeaderName::SubscriptionState, state)
            .body(package.content_type(), document.as_bytes())
            .bytes()
            .clone();
        let id = self.transactions.request(key, flow, bytes, now.steady);
        self.purposes.insert(id, Purpose::News { watch: number });
    }

    /// What became of a NOTIFY; None if nothing came. Whoever doesn't take news has had enough of it.
    pub(super) fn news_answered(&mut self, number: u64, reply: Option<&Response>, now: Now) {
        let Some(watch) = self.watches.get_mut(&number) else {
            return;
        };
        watch.telling = false;
        let status = reply.map(|reply| reply.status());
        let retries = reply.is_some_and(|reply| {
            reply.retry_after().is_some() && Toll::of(reply.status()) == Toll::Transaction
        });
        match status {
            Some(status) if status.is_success() || retries => {
                if watch.stale {
                    self.tell_watcher(number, now);
                }
            }
            Some(_) | None => self.forget_watch(number),
        }
    }

    /// A new plan: nobody watches who has no account, and nobody is watched who has none.
    pub(super) fn review_watches(&mut self, now: Now) {
        let accounts = &self.setup.accounts;
        self.activities.retain(|listener, _| accounts.contains_key(listener));
        let gone: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, watch)| {
                !accounts.contains_key(&watch.watcher) || !accounts.contains_key(&watch.watched)
            })
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            self.end_watch(number, "noresource", now);
        }
    }

    fn forget_watch(&mut self, number: u64) {
        self.timers.stop(&Timer::WatchEnds(number));
        if let Some(watch) = self.watches.remove(&number) {
            self.watch_index.remove(&watch.dialog.id);
        }
    }
}

/// The package a request is about, and the `id` of it.
fn event_of(request: &Request) -> Option<(Package, Option<String>)> {
    let event = request.header(HeaderName::Event)?;
    let (word, params) = event.split_at(event.find(';').unwrap_or(event.len()));
    let package = Package::read(word.trim())?;
    let id = Params::read(params)?.get("id").map(str::to_owned);
    id.as_ref().is_none_or(|id| id.len() <= ID_MAX).then_some((package, id))
}

/// Whether they read what we write. Who says nothing reads the package's own kind.
fn accepts(request: &Request, package: Package) -> bool {
    let mut kinds = request.headers(HeaderName::Accept).peekable();
    kinds.peek().is_none()
        || kinds.any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case(package.content_type())
                || matches!(kind, "*/*" | "application/*")
        })
}
