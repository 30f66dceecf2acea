//! The book of phones (RFC 3261 §10.3): which listener is registered where, until when, and
//! whether the phone answers.
//!
//! A binding remembers the flow its REGISTER came by; requests to the phone take that road. A phone
//! that keeps several flows (RFC 5626) has a binding for each, and is one phone all the same: it is
//! rung by the newest that works, and the others stand in. The
//! book checks a registration as a whole before it changes anything. Who may register is proved
//! before it comes here; the OPTIONS that look for a lost phone are sent by `endpoint`.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{ListenerName, Moment, Timers};
use crate::sip::dialog::Sealed;
use crate::sip::uri::Uri;
use crate::sip::{Flow, Phone, PhoneRef};

/// The first pause between looking for a lost phone.
pub(crate) const PROBE_PAUSE_MIN: Duration = Duration::from_secs(5);
/// The longest.
pub(crate) const PROBE_PAUSE_MAX: Duration = Duration::from_secs(30);
/// The most flows of one phone; RFC 5626 §4.2 asks phones for two.
const FLOWS_MAX: usize = 4;
/// How much of a User-Agent is kept.
const USER_AGENT_MAX: usize = 64;

/// What a REGISTER asks for one of its contacts.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) uri: Uri,
    /// `+sip.instance` (RFC 5626): a phone that moved takes its old place.
    pub(crate) instance: Option<String>,
    /// `reg-id` (RFC 5626), if this flow is one of several the phone may keep.
    pub(crate) reg_id: Option<u32>,
    /// Thousandths.
    pub(crate) q: Option<u16>,
    /// None: the registrar's own default.
    pub(crate) expires: Option<Duration>,
    /// `text` (RFC 3840): calls with it may have text.
    pub(crate) shows_text: bool,
}

/// What a REGISTER asks.
#[derive(Clone, Debug)]
pub(crate) enum Contacts {
    /// None given: a question.
    Fetch,
    /// `*` with `Expires: 0`.
    RemoveAll,
    These(Vec<Wish>),
}

/// A REGISTER that was let in.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) contacts: Contacts,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) flow: Flow,
    pub(crate) user_agent: String,
}

/// The operator's bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) expiry_min: Duration,
    pub(crate) expiry_max: Duration,
    pub(crate) expiry_default: Duration,
    pub(crate) phones_max: usize,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// 423.
    TooBrief,
    /// 500: an older REGISTER overtaken by a newer one (§10.3 step 7).
    OutOfOrder,
}

/// What follows from a change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Output {
    Changed(ListenerName),
    /// This phone is gone: whatever rings on it fails, unless the phone has another flow.
    Gone {
        phone: PhoneRef,
        sibling: Option<PhoneRef>,
    },
    /// This phone has registered again, and came by another road than the last time.
    Moved {
        phone: PhoneRef,
        to: Flow,
    },
    /// Ask this phone whether it is there.
    Probe(PhoneRef),
}

/// A contact as the 200 lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    pub(crate) uri: String,
    /// `+sip.instance` and `reg-id`, where the phone keeps several flows.
    pub(crate) outbound: Option<(String, u32)>,
    pub(crate) q: Option<u16>,
    pub(crate) expires: Duration,
}

/// All bindings.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Registrar {
    last: u64,
    bindings: BTreeMap<PhoneRef, Binding>,
    of: BTreeMap<ListenerName, Vec<PhoneRef>>,
    timers: Timers<(PhoneRef, Timer)>,
    outputs: VecDeque<Output>,
}

/// One phone of one listener.
#[derive(Debug, Deserialize, Serialize)]
struct Binding {
    listener: ListenerName,
    uri: Uri,
    instance: Option<String>,
    reg_id: Option<u32>,
    q: Option<u16>,
    call_id: Sealed,
    cseq: u32,
    flow: Flow,
    expires_at: Moment,
    user_agent: String,
    reachability: Reachability,
    /// It has not refused a text yet.
    takes_text: bool,
    /// Text in calls: it has said so, or agreed on some.
    shows_text: bool,
    /// It refused an offer of sound that might be plain, and took one that demanded keys.
    demands_keys: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Reachability {
    Reachable,
    /// `pause` before we look again.
    Lost {
        pause: Duration,
    },
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
enum Timer {
    Expiry,
    Probe,
}

impl Registrar {
    // ---- facts ----

    /// Carries out a REGISTER, whole or not at all.
    pub(crate) fn registered(
        &mut self,
        listener: &ListenerName,
        registration: Registration,
        bounds: Bounds,
        now: Moment,
    ) -> Result<(), Refused> {
        match &registration.contacts {
            Contacts::Fetch => Ok(()),
            Contacts::RemoveAll => {
                let phones = self.of.get(listener).cloned().unwrap_or_default();
                if phones.iter().any(|phone| self.is_stale(*phone, &registration)) {
                    return Err(Refused::OutOfOrder);
                }
                for phone in phones {
                    self.remove(phone);
                }
                Ok(())
            }
            Contacts::These(wishes) => {
                let mut granted = Vec::with_capacity(wishes.len());
                for wish in wishes {
                    let expires = wish.expires.unwrap_or(bounds.expiry_default);
                    if !expires.is_zero() && expires < bounds.expiry_min {
                        return Err(Refused::TooBrief);
                    }
                    let known = self.binding_for(listener, wish);
                    if known.is_some_and(|phone| self.is_stale(phone, &registration)) {
                        return Err(Refused::OutOfOrder);
                    }
                    granted.push(expires.min(bounds.expiry_max));
                }
                let wishes = wishes.clone();
                for (wish, expires) in wishes.iter().zip(granted) {
                    self.carry_out(listener, wish, expires, &registration, bounds, now);
                }
                Ok(())
            }
        }
    }

    /// A connection closed: the phones behind it can't be rung any more.
    pub(crate) fn flow_closed(&mut self, flow: Flow) {
        for phone in self.phones_where(|binding| binding.flow == flow) {
            self.remove(phone);
        }
    }

    /// Nobody is at `peer`.
    pub(crate) fn unreachable(&mut self, local: SocketAddr, peer: SocketAddr, now: Moment) {
        let hit = |binding: &Binding| binding.flow.local == local && binding.flow.peer == peer;
        for phone in self.phones_where(hit) {
            self.lost(phone, now);
        }
    }

    /// Nobody takes connections at `flow.peer`.
    pub(crate) fn unconnected(&mut self, flow: Flow, now: Moment) {
        let road = Flow { connection: 0, ..flow };
        let hit = |binding: &Binding| Flow { connection: 0, ..binding.flow } == road;
        for phone in self.phones_where(hit) {
            self.lost(phone, now);
        }
    }

    /// The first sign that a phone does not answer: it is looked for from now on.
    pub(crate) fn lost(&mut self, phone: PhoneRef, now: Moment) {
        let Some(binding) = self.bindings.get_mut(&phone) else {
            return;
        };
        if binding.reachability != Reachability::Reachable {
            return;
        }
        binding.reachability = Reachability::Lost { pause: PROBE_PAUSE_MIN };
        self.outputs.push_back(Output::Changed(binding.listener.clone()));
        self.timers.set((phone, Timer::Probe), now + PROBE_PAUSE_MIN);
    }

    /// A sign of life.
    pub(crate) fn found(&mut self, phone: PhoneRef) {
        let Some(binding) = self.bindings.get_mut(&phone) else {
            return;
        };
        if binding.reachability == Reachability::Reachable {
            return;
        }
        binding.reachability = Reachability::Reachable;
        self.outputs.push_back(Output::Changed(binding.listener.clone()));
        self.timers.stop(&(phone, Timer::Probe));
    }

    /// A phone has refused a text.
    pub(crate) fn takes_no_text(&mut self, phone: PhoneRef) {
        if let Some(binding) = self.bindings.get_mut(&phone) {
            binding.takes_text = false;
        }
    }

    /// Text was agreed on with a phone.
    pub(crate) fn shows_text(&mut self, phone: PhoneRef) {
        if let Some(binding) = self.bindings.get_mut(&phone)
            && !std::mem::replace(&mut binding.shows_text, true)
        {
            self.outputs.push_back(Output::Changed(binding.listener.clone()));
        }
    }

    /// Which offer a phone has taken that refused another: one that demanded keys, or not.
    pub(crate) fn demands_keys(&mut self, phone: PhoneRef, demands: bool) {
        if let Some(binding) = self.bindings.get_mut(&phone) {
            binding.demands_keys = demands;
        }
    }

    /// The accounts changed: phones of those for whom `keeps` is false are gone.
    pub(crate) fn keep_only(&mut self, keeps: impl Fn(&ListenerName) -> bool) {
        for phone in self.phones_where(|binding| !keeps(&binding.listener)) {
            self.remove(phone);
        }
    }

    // ---- time and outputs ----

    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.timers.next()
    }

    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        while let Some((phone, timer)) = self.timers.pop_due(now) {
            match timer {
                Timer::Expiry => self.remove(phone),
                Timer::Probe => self.probe(phone, now),
            }
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // ---- questions ----

    /// A listener's phones, longest registered first.
    pub(crate) fn phones(&self, listener: &ListenerName) -> Vec<Phone> {
        let phones = self.of.get(listener).map(Vec::as_slice).unwrap_or_default();
        let mut phones: Vec<Phone> = phones
            .iter()
            .filter_map(|phone| {
                let binding = self.bindings.get(phone)?;
                Some(Phone {
                    phone: *phone,
                    flow: binding.flow,
                    expires_at: binding.expires_at,
                    reachable: binding.reachability == Reachability::Reachable,
                    user_agent: binding.user_agent.clone(),
                    shows_text: binding.shows_text || binding.flow.transport.is_web(),
                    demands_keys: binding.demands_keys,
                })
            })
            .collect();
        phones.sort_by_key(|phone| phone.phone);
        // Of several flows to one phone, one (RFC 5626 §7.2): the newest that works, or else the newest.
        phones.retain(|phone| {
            let mut siblings = self.siblings(phone.phone);
            siblings.all(|one| match (phone.reachable, self.is_reachable(one)) {
                (true, false) => true,
                (false, true) => false,
                (true, true) | (false, false) => one < phone.phone,
            })
        });
        phones
    }

    /// Another flow to the same phone that works, the newest (RFC 5626 §7.2).
    pub(crate) fn other_flow(&self, phone: PhoneRef) -> Option<PhoneRef> {
        self.siblings(phone).filter(|one| self.is_reachable(*one)).last()
    }

    /// The contacts of a listener as a 200 lists them.
    pub(crate) fn listed(&self, listener: &ListenerName, now: Moment) -> Vec<Listed> {
        let phones = self.of.get(listener).map(Vec::as_slice).unwrap_or_default();
        phones
            .iter()
            .filter_map(|phone| self.bindings.get(phone))
            .map(|binding| Listed {
                uri: binding.uri.to_string(),
                outbound: binding.instance.clone().zip(binding.reg_id),
                q: binding.q,
                expires: binding.expires_at - now,
            })
            .collect()
    }

    /// Whose phone this is, the URI it wants requests at, and the road to it.
    pub(crate) fn reach(&self, phone: PhoneRef) -> Option<(&ListenerName, String, Flow)> {
        let binding = self.bindings.get(&phone)?;
        Some((&binding.listener, binding.uri.to_string(), binding.flow))
    }

    /// The phones of a listener that answer and can show a text, as far as we know.
    pub(crate) fn readers(&self, listener: &ListenerName) -> Vec<PhoneRef> {
        let can_show = |phone: &PhoneRef| {
            self.bindings
                .get(phone)
                .is_some_and(|binding| binding.takes_text && self.is_newest_reachable(*phone))
        };
        self.of.get(listener).into_iter().flatten().copied().filter(can_show).collect()
    }

    /// Whether some registered phone is on this road.
    pub(crate) fn knows(&self, flow: Flow) -> bool {
        self.bindings.values().any(|binding| binding.flow == flow)
    }

    /// Whether a phone of this listener's is registered by this road.
    pub(crate) fn is_at(&self, listener: &ListenerName, flow: Flow) -> bool {
        let phones = self.of.get(listener).into_iter().flatten();
        phones.filter_map(|phone| self.bindings.get(phone)).any(|binding| binding.flow == flow)
    }

    /// How many phones are registered.
    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    // ---- private parts ----

    fn binding_for(&self, listener: &ListenerName, wish: &Wish) -> Option<PhoneRef> {
        self.of.get(listener)?.iter().copied().find(|phone| {
            self.bindings.get(phone).is_some_and(|binding| {
                let is_same_phone = wish.instance.is_some() && binding.instance == wish.instance;
                // RFC 5626 §6: with a reg-id, instance and reg-id are the key, and the URI is not.
                if wish.reg_id.is_some() || binding.reg_id.is_some() && is_same_phone {
                    return is_same_phone && binding.reg_id == wish.reg_id;
                }
                binding.uri.matches(&wish.uri) || is_same_phone
            })
        })
    }

    /// The other flows to the same phone, oldest first.
    fn siblings(&self, phone: PhoneRef) -> impl Iterator<Item = PhoneRef> {
        let own = self.bindings.get(&phone).filter(|own| own.reg_id.is_some());
        let listener = own.and_then(|own| self.of.get(&own.listener));
        listener.into_iter().flatten().copied().filter(move |other| {
            *other != phone
                && self.bindings.get(other).is_some_and(|other| {
                    other.reg_id.is_some() && own.is_some_and(|own| own.instance == other.instance)
                })
        })
    }

    fn is_reachable(&self, phone: PhoneRef) -> bool {
        let binding = self.bindings.get(&phone);
        binding.is_some_and(|binding| binding.reachability == Reachability::Reachable)
    }

    /// Whether this flow is the one its phone is rung by.
    fn is_newest_reachable(&self, phone: PhoneRef) -> bool {
        self.is_reachable(phone)
            && self.siblings(phone).filter(|one| self.is_reachable(*one)).all(|one| one < phone)
    }

    fn is_stale(&self, phone: PhoneRef, registration: &Registration) -> bool {
        self.bindings.get(&phone).is_some_and(|binding| {
            binding.call_id.0 == registration.call_id && registration.cseq <= binding.cseq
        })
    }

    fn carry_out(
        &mut self,
        listener: &ListenerName,
        wish: &Wish,
        expires: Duration,
        registration: &Registration,
        bounds: Bounds,
        now: Moment,
    ) {
        let known = self.binding_for(listener, wish);
        if expires.is_zero() {
            if let Some(phone) = known {
                self.remove(phone);
            }
            return;
        }
        let mut binding = Binding {
            listener: listener.clone(),
            uri: wish.uri.clone(),
            instance: wish.instance.clone(),
            reg_id: wish.reg_id,
            q: wish.q,
            call_id: Sealed(registration.call_id.clone()),
            cseq: registration.cseq,
            flow: registration.flow,
            expires_at: now + expires,
            user_agent: registration.user_agent.chars().take(USER_AGENT_MAX).collect(),
            reachability: Reachability::Reachable,
            takes_text: true,
            shows_text: wish.shows_text,
            demands_keys: false,
        };
        let (phone, changed) = match known {
            Some(phone) => {
                let before = self.bindings.get(&phone);
                let changed = before.is_none_or(|before| {
                    before.flow != binding.flow || before.reachability != Reachability::Reachable
                });
                (phone, changed)
            }
            None => (self.new_place(listener, wish, bounds), true),
        };
        self.timers.set((phone, Timer::Expiry), binding.expires_at);
        self.timers.stop(&(phone, Timer::Probe));
        if let Some(before) = self.bindings.get(&phone) {
            binding.takes_text = before.takes_text;
            if before.user_agent == binding.user_agent {
                binding.shows_text |= before.shows_text;
                binding.demands_keys = before.demands_keys;
            }
            if before.flow != binding.flow {
                self.outputs.push_back(Output::Moved { phone, to: binding.flow });
            }
        }
        self.bindings.insert(phone, binding);
        if changed {
            self.outputs.push_back(Output::Changed(listener.clone()));
        }
    }

    /// A place for one more phone. The oldest gives way: a phone that was replaced or lost its
    /// battery must not keep its successor out until it expires.
    /// The flows of one phone take one place together.
    fn new_place(&mut self, listener: &ListenerName, wish: &Wish, bounds: Bounds) -> PhoneRef {
        loop {
            let phones = self.of.get(listener).map(Vec::as_slice).unwrap_or_default();
            let is_sibling = |phone: &&PhoneRef| {
                self.bindings.get(phone).is_some_and(|binding| {
                    wish.reg_id.is_some()
                        && binding.reg_id.is_some()
                        && binding.instance == wish.instance
                })
            };
            let flows = phones.iter().filter(is_sibling).count();
            let gone = if flows >= FLOWS_MAX {
                phones.iter().find(is_sibling)
            } else if flows == 0 && self.devices(phones) >= bounds.phones_max.max(1) {
                phones.first()
            } else {
                None
            };
            let Some(gone) = gone.copied() else {
                break;
            };
            self.remove(gone);
        }
        self.last += 1;
        let phone = PhoneRef(self.last);
        self.of.entry(listener.clone()).or_default().push(phone);
        phone
    }

    /// How many phones these bindings are.
    fn devices(&self, phones: &[PhoneRef]) -> usize {
        phones.iter().filter(|phone| self.siblings(**phone).all(|one| one < **phone)).count()
    }

    fn remove(&mut self, phone: PhoneRef) {
        let sibling = self.other_flow(phone);
        let Some(binding) = self.bindings.remove(&phone) else {
            return;
        };
        self.timers.stop(&(phone, Timer::Expiry));
        self.timers.stop(&(phone, Timer::Probe));
        if let Some(phones) = self.of.get_mut(&binding.listener) {
            phones.retain(|other| *other != phone);
            if phones.is_empty() {
                self.of.remove(&binding.listener);
            }
        }
        self.outputs.push_back(Output::Gone { phone, sibling });
        self.outputs.push_back(Output::Changed(binding.listener));
    }

    fn probe(&mut self, phone: PhoneRef, now: Moment) {
        let Some(binding) = self.bindings.get_mut(&phone) else {
            return;
        };
        let Reachability::Lost { pause } = &mut binding.reachability else {
            return;
        };
        *pause = (*pause * 2).min(PROBE_PAUSE_MAX);
        self.timers.set((phone, Timer::Probe), now + *pause);
        self.outputs.push_back(Output::Probe(phone));
    }

    fn phones_where(&self, hit: impl Fn(&Binding) -> bool) -> Vec<PhoneRef> {
        self.bindings.iter().filter(|(_, binding)| hit(binding)).map(|(phone, _)| *phone).collect()
    }
}

#[cfg(test)]
mod tests;
