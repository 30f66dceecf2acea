//! From where a stream is heard, and where it is sent: decided once (T-10, RFC 7362).
//!
//! A description names an address. If packets come from there, that is the source. If the party
//! sits behind a translator of addresses they come from elsewhere: such a source is taken after
//! [`PROBATION`] packets in a row, if it may be the party at all. From then on the source changes
//! only when a new description names another address, or when the translator begins anew in mid
//! call: then a phone falls silent here and its series goes on from there
//! ([`moves`](SourceLock::moves)). Everybody else is counted, never heard, and never answered.
//!
//! And a party that might be anybody gets nothing before it proved itself, by signalling or by
//! sending (T-11): a forged INVITE would make us shout at whomever it names.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Sources;

/// Knows the one source of a stream.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SourceLock {
    sources: Sources,
    /// Its signalling goes both ways.
    proven: bool,
    described: Option<SocketAddr>,
    locked: Option<SocketAddr>,
    on_probation: Option<(SocketAddr, u8)>,
    /// The gateway says where the party is; nothing is guessed.
    led: bool,
}

impl SourceLock {
    pub(super) fn new(sources: Sources) -> Self {
        Self {
            sources,
            proven: false,
            described: None,
            locked: None,
            on_probation: None,
            led: false,
        }
    }

    /// A description was agreed on. Says whether it names another address than the one before; one
    /// that names none (a name, or `0.0.0.0` for hold) changes nothing.
    pub(super) fn describe(&mut self, address: Option<SocketAddr>) -> bool {
        if address.is_none() || address == self.described {
            return false;
        }
        let proven = self.proven;
        *self = Self { proven, described: address, ..Self::new(self.sources.clone()) };
        true
    }

    /// Only these may be the party; whoever was taken for it before is looked at anew.
    pub(super) fn restrict(&mut self, sources: Sources) {
        let (proven, described) = (self.proven, self.described);
        *self = Self { proven, described, led: self.led, ..Self::new(sources) };
    }

    /// From now on, or no longer, the gateway says where the party is.
    pub(super) fn lead(&mut self, led: bool) {
        if self.led != led {
            let proven = self.proven;
            *self = Self { led, proven, ..Self::new(self.sources.clone()) };
        }
    }

    /// The gateway says that the party is here, or nowhere.
    pub(super) fn place(&mut self, place: Option<SocketAddr>) {
        if self.led {
            self.locked = place;
        }
    }

    pub(super) fn is_led(&self) -> bool {
        self.led
    }

    /// The party's signalling proved that what we say reaches it.
    pub(super) fn proven(&mut self) {
        self.proven = true;
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whose packets may be the party's.
    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Whether a person with a phone of our own is there, and not a trunk.
    pub(super) fn is_a_phone(&self) -> bool {
        matches!(self.sources, Sources::Anywhere)
    }

    /// Whether a packet from there is certainly not the party's, whatever is in it.
    pub(super) fn is_foreign(&self, source: SocketAddr) -> bool {
        self.locked.map_or(self.led, |locked| locked != source)
    }

    /// Whether a phone that has fallen silent may be found there now. A trunk stays where it is.
    pub(super) fn may_have_moved(&self, source: SocketAddr) -> bool {
        let same_host = self.locked.is_some_and(|locked| locked.ip() == source.ip());
        let is_known = self.locked.is_some() && !self.led && self.is_a_phone();
        is_known && (same_host || self.may_be_the_party(source.ip()))
    }

    /// A packet from there goes on with the phone's own series, which nobody else can know the numbers
    /// of. Says whether the phone is believed to be there.
    pub(super) fn moves(&mut self, source: SocketAddr) -> bool {
        if self.counts(source) < PROBATION_MOVED {
            return false;
        }
        self.on_probation = None;
        self.locked = Some(source);
        true
    }

    /// Whether a packet of sound from `source` is the party's.
    pub(super) fn hears(&mut self, source: SocketAddr) -> bool {
        if self.locked.is_some() || self.led {
            return self.locked == Some(source);
        }
        if self.described == Some(source) && self.within_range(source.ip()) {
            self.locked = Some(source);
            return true;
        }
        if !self.may_be_the_party(source.ip()) {
            return false;
        }
        if self.counts(source) >= PROBATION {
            self.on_probation = None;
            self.locked = Some(source);
        }
        self.locked.is_some()
    }

    /// How many packets in a row came from there.
    fn counts(&mut self, source: SocketAddr) -> u8 {
        let heard = match self.on_probation {
            Some((same, heard)) if same == source => heard.saturating_add(1),
            Some(_) | None => 1,
        };
        self.on_probation = Some((source, heard));
        heard
    }

    /// Whether a report from `source` is the party's: it may come from another port.
    pub(super) fn hears_report(&self, source: SocketAddr) -> bool {
        self.locked
            .or(self.described)
            .is_some_and(|party| party.ip() == source.ip() && self.within_range(source.ip()))
    }

    /// Where sound is to be sent, if that is known and allowed.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.locked.or_else(|| self.described.filter(|address| self.may_be_sent_to(address.ip())))
    }

    /// Where reports are to be sent, if the description says `described`.
    pub(super) fn report_target(&self, described: Option<SocketAddr>) -> Option<SocketAddr> {
        let target = self.target()?;
        match described {
            Some(described) if described.ip() == target.ip() => Some(described),
            // Behind a translator of addresses: the next port is the best guess.
            Some(_) | None => Some(SocketAddr::new(target.ip(), target.port().checked_add(1)?)),
        }
    }

    /// Before anything came from there: a trunk's range is known by itself, any other address is a
    /// stranger's claim.
    fn may_be_sent_to(&self, address: IpAddr) -> bool {
        match &self.sources {
            Sources::Anywhere => self.proven,
            Sources::Within(_) => self.within_range(address),
        }
    }

    fn within_range(&self, address: IpAddr) -> bool {
        match &self.sources {
            Sources::Anywhere => true,
            Sources::Within(ranges) => ranges.iter().any(|range| range.contains(address)),
        }
    }

    fn may_be_the_party(&self, address: IpAddr) -> bool {
        match &self.sources {
            Sources::Within(_) => self.within_range(address),
            Sources::Anywhere => self
                .described
                .is_none_or(|described| described.ip() == address || is_private(described.ip())),
        }
    }
}

/// Whether an address means something only inside a network, so that its owner is seen under
/// another one here.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_link_local() || address.is_loopback() || shared
        }
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback()
        }
    }
}

/// Packets in a row from a source that the description didn't name: 80 ms.
const PROBATION: u8 = 4;

/// Packets in a row with which a series goes on elsewhere: 100 ms, as for another SSRC (T-12).
const PROBATION_MOVED: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// T-10: a call of ours went out by one trunk; the other trunks are strangers to it.
    #[test]
    fn a_call_of_ours_is_heard_from_the_trunk_that_carries_it_alone() {
        let range = |text: &str| Sources::Within(vec![text.parse().unwrap()]);
        let mut lock = SourceLock::new(Sources::Within(Vec::new()));
        lock.restrict(range("192.0.2.0/24"));
        lock.restrict(range("198.51.100.0/24"));
        lock.describe(Some("198.51.100.7:4000".parse().unwrap()));

        for _ in 0..100 {
            assert!(!lock.hears("192.0.2.1:4000".parse().unwrap()));
        }
        assert!(lock.hears("198.51.100.7:4000".parse().unwrap()));
        assert!(!lock.is_a_phone());
    }

    fn described(sources: Sources, text: &str) -> SourceLock {
        let mut lock = SourceLock::new(sources);
        assert!(lock.describe(Some(address(text))));
        lock
    }

    #[test]
    fn the_described_source_is_locked_at_its_first_packet() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");

        assert!(lock.hears(address("192.0.2.1:4000")));

        for _ in 0..100 {
            assert!(!lock.hears(address("192.0.2.1:4002")));
            assert!(!lock.hears(address("203.0.113.9:4000")));
        }
        assert_eq!(lock.target(), Some(address("192.0.2.1:4000")));
    }

    #[test]
    fn a_phone_behind_a_translator_is_found_and_then_kept() {
        let mut lock = described(Sources::Anywhere, "192.168.1.5:4000");
        let seen = address("198.51.100.7:61000");

        let heard: Vec<bool> = (0..5).map(|_| lock.hears(seen)).collect();

        assert_eq!(heard, [false, false, false, true, true]);
        assert_eq!(lock.target(), Some(seen));
        assert!(!lock.hears(address("192.168.1.5:4000")));
        assert_eq!(lock.report_target(None), Some(address("198.51.100.7:61001")));
    }

    #[test]
    fn two_strangers_who_take_turns_are_never_taken() {
        let mut lock = described(Sources::Anywhere, "192.168.1.5:4000");

        for _ in 0..50 {
            assert!(!lock.hears(address("198.51.100.7:61000")));
            assert!(!lock.hears(address("198.51.100.8:61000")));
        }
    }

    #[test]
    fn a_party_with_a_public_address_is_not_looked_for_elsewhere() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");

        for _ in 0..100 {
            assert!(!lock.hears(address("203.0.113.9:4000")));
        }
        assert_eq!(lock.target(), None);
        lock.proven();
        assert_eq!(lock.target(), Some(address("192.0.2.1:4000")));
    }

    /// T-11: an INVITE can be forged, and its description names whom its writer likes.
    #[test]
    fn nothing_is_sent_to_an_address_that_only_an_offer_names() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");
        assert_eq!(lock.target(), None);
        assert_eq!(lock.report_target(None), None);

        lock.proven();
        assert_eq!(lock.target(), Some(address("192.0.2.1:4000")));

        // A new description of a party that proved itself is believed.
        assert!(lock.describe(Some(address("192.0.2.1:6000"))));
        assert_eq!(lock.target(), Some(address("192.0.2.1:6000")));
    }

    #[test]
    fn who_sends_has_proved_to_be_there() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");

        assert!(lock.hears(address("192.0.2.1:4000")));

        assert_eq!(lock.target(), Some(address("192.0.2.1:4000")));
    }

    #[test]
    fn a_trunk_is_heard_and_answered_within_its_range_only() {
        let sources = Sources::Within(vec!["192.0.2.0/24".parse().unwrap()]);
        let mut lock = described(sources.clone(), "203.0.113.9:4000");
        assert_eq!(lock.target(), None);
        assert!(!lock.hears(address("203.0.113.9:4000")));

        let mut lock_within = described(sources, "192.0.2.1:4000");
        assert_eq!(lock_within.target(), Some(address("192.0.2.1:4000")));
        assert!((0..4).any(|_| lock_within.hears(address("192.0.2.77:5000"))));
        assert_eq!(lock_within.target(), Some(address("192.0.2.77:5000")));
    }

    #[test]
    fn only_a_new_description_opens_the_lock() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");
        assert!(lock.hears(address("192.0.2.1:4000")));

        assert!(!lock.describe(Some(address("192.0.2.1:4000"))));
        assert!(!lock.describe(None));
        assert!(lock.hears(address("192.0.2.1:4000")));
        assert!(lock.describe(Some(address("192.0.2.1:6000"))));

        assert!(lock.hears(address("192.0.2.1:6000")));
        assert!(!lock.hears(address("192.0.2.1:4000")));
    }

    #[test]
    fn reports_may_come_from_another_port_of_the_same_host() {
        let mut lock = described(Sources::Anywhere, "192.0.2.1:4000");
        lock.proven();

        assert!(lock.hears_report(address("192.0.2.1:4001")));
        assert!(!lock.hears_report(address("203.0.113.9:4001")));
        assert_eq!(
            lock.report_target(Some(address("192.0.2.1:9999"))),
            Some(address("192.0.2.1:9999"))
        );
    }
}
