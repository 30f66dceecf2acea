//! An imagined network: packets take time, get lost, come twice and overtake each other.
//!
//! Everything follows from the weather and a seed. Datagrams suffer; streams (TCP) are late, but
//! keep their order and lose nothing, as streams do. An address can be *dead* (a cable pulled:
//! packets vanish both ways) or *shut* (nobody listens on the port: the sender is told so).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{Mint, Moment};
use crate::sip::Flow;

/// What the network does to datagrams.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weather {
    /// Five milliseconds each way, and everything arrives.
    Fair,
    /// One datagram in ten is lost each way, one in twenty comes twice, and each takes up to
    /// 300 ms, so that they overtake each other.
    Bad,
}

/// How long a packet takes in fair weather.
pub const FAIR_DELAY: Duration = Duration::from_millis(5);

const BAD_DELAY_MAX_MS: u64 = 300;
const BAD_LOSS_PERCENT: u64 = 10;
const BAD_DUPLICATES_PERCENT: u64 = 5;

/// Where a packet goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Heading {
    /// To the exchange.
    House,
    /// To the phone at the flow's peer address.
    Phone,
}

/// What comes out of the network at some moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// Bytes for whom `heading` says. The flow is always written as the house sees it.
    Packet { heading: Heading, flow: Flow, bytes: Bytes },
    /// ICMP for the house: nobody listens at the flow's peer.
    Unreachable { flow: Flow },
    /// A connection is closed; the house notices now.
    Closed { flow: Flow },
}

/// The network as one value.
#[derive(Debug)]
pub struct Network {
    weather: Weather,
    mint: Mint,
    under_way: BTreeMap<(Moment, u64), Arrival>,
    count: u64,
    /// The last delivery on each stream and direction: later bytes come later.
    streams: BTreeMap<(Flow, bool), Moment>,
    dead: BTreeSet<SocketAddr>,
    shut: BTreeSet<SocketAddr>,
    lost: u64,
}

impl Network {
    pub fn new(weather: Weather, mint: Mint) -> Self {
        Self {
            weather,
            mint,
            under_way: BTreeMap::new(),
            count: 0,
            streams: BTreeMap::new(),
            dead: BTreeSet::new(),
            shut: BTreeSet::new(),
            lost: 0,
        }
    }

    /// Bytes were put on the wire.
    pub fn sent(&mut self, heading: Heading, flow: Flow, bytes: Bytes, now: Moment) {
        if self.dead.contains(&flow.peer) {
            return;
        }
        if heading == Heading::Phone && self.shut.contains(&flow.peer) {
            let at = now + self.delay();
            self.arrives(at, Arrival::Unreachable { flow });
            return;
        }
        let arrival = Arrival::Packet { heading, flow, bytes };
        if flow.transport.is_reliable() {
            let stream = (flow, heading == Heading::House);
            let last = self.streams.get(&stream).copied().unwrap_or_default();
            let at = (now + self.delay()).max(last);
            self.streams.insert(stream, at);
            self.arrives(at, arrival);
            return;
        }
        if self.weather == Weather::Bad {
            if self.happens(BAD_LOSS_PERCENT) {
                self.lost += 1;
                return;
            }
            if self.happens(BAD_DUPLICATES_PERCENT) {
                let at = now + self.delay();
                self.arrives(at, arrival.clone());
            }
        }
        let at = now + self.delay();
        self.arrives(at, arrival);
    }

    /// Bytes were put on the wire so that they arrive at exactly this moment, whatever the weather.
    pub fn sent_for(&mut self, at: Moment, heading: Heading, flow: Flow, bytes: Bytes) {
        self.arrives(at, Arrival::Packet { heading, flow, bytes });
    }

    /// A connection was closed by the phone; it comes to the house's ears behind all bytes.
    pub fn closed(&mut self, flow: Flow, now: Moment) {
        let last = self.streams.remove(&(flow, true)).unwrap_or_default();
        let at = (now + self.delay()).max(last);
        self.arrives(at, Arrival::Closed { flow });
    }

    /// A cable was pulled: nothing comes from there, nothing goes there, nobody is told.
    pub fn died(&mut self, address: SocketAddr) {
        self.dead.insert(address);
        self.under_way.retain(|_, arrival| match arrival {
            Arrival::Packet { flow, .. } => flow.peer != address,
            Arrival::Unreachable { .. } | Arrival::Closed { .. } => true,
        });
    }

    /// It was plugged in again.
    pub fn revived(&mut self, address: SocketAddr) {
        self.dead.remove(&address);
    }

    /// Nobody listens on that port any more.
    pub fn shut(&mut self, address: SocketAddr) {
        self.shut.insert(address);
    }

    /// Somebody does again.
    pub fn opened(&mut self, address: SocketAddr) {
        self.shut.remove(&address);
    }

    /// Whether packets from and to there get through at all.
    pub fn is_alive(&self, address: SocketAddr) -> bool {
        !self.dead.contains(&address)
    }

    /// How many datagrams the weather took.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// When something arrives next.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// What has arrived by now, the earliest first.
    pub fn poll_arrival(&mut self, now: Moment) -> Option<Arrival> {
        let (at, _) = *self.under_way.first_key_value()?.0;
        if at > now {
            return None;
        }
        let (_, arrival) = self.under_way.pop_first()?;
        if let Arrival::Packet { heading: Heading::Phone, flow, .. } = &arrival
            && !self.is_alive(flow.peer)
        {
            return self.poll_arrival(now);
        }
        Some(arrival)
    }

    fn arrives(&mut self, at: Moment, arrival: Arrival) {
        self.count += 1;
        self.under_way.insert((at, self.count), arrival);
    }

    fn delay(&mut self) -> Duration {
        match self.weather {
            Weather::Fair => FAIR_DELAY,
            Weather::Bad => Duration::from_millis(self.mint.below(BAD_DELAY_MAX_MS)),
        }
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.mint.below(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    #[test]
    fn in_fair_weather_everything_arrives_in_order() {
        let mut network = Network::new(Weather::Fair, Mint::from_number(1));
        for byte in 0..100 {
            network.sent(Heading::House, flow(Transport::Udp), Bytes::from(vec![byte]), at(0));
        }

        assert_eq!(network.poll_arrival(at(4)), None);
        assert_eq!(received(&mut network, at(5)), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn in_bad_weather_datagrams_are_lost_doubled_and_overtaken_and_streams_are_only_late() {
        let mut network = Network::new(Weather::Bad, Mint::from_number(1));
        for byte in 0..200 {
            network.sent(Heading::House, flow(Transport::Udp), Bytes::from(vec![byte]), at(0));
        }
        let datagrams = received(&mut network, at(1000));
        for byte in 0..200 {
            network.sent(Heading::House, flow(Transport::Tcp), Bytes::from(vec![byte]), at(0));
        }
        let stream = received(&mut network, at(1000));

        assert!(!datagrams.is_sorted());
        let distinct: BTreeSet<u8> = datagrams.iter().copied().collect();
        assert!((165..195).contains(&distinct.len()), "{}", distinct.len());
        assert!(distinct.len() < datagrams.len());
        assert_eq!(stream, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn a_dead_address_is_silent_and_a_shut_port_is_told() {
        let mut network = Network::new(Weather::Fair, Mint::from_number(1));
        let flow = flow(Transport::Udp);
        network.died(flow.peer);
        network.sent(Heading::Phone, flow, Bytes::from_static(b"x"), at(0));
        assert_eq!(network.poll_timeout(), None);

        network.revived(flow.peer);
        network.shut(flow.peer);
        network.sent(Heading::Phone, flow, Bytes::from_static(b"x"), at(0));
        assert_eq!(network.poll_arrival(at(5)), Some(Arrival::Unreachable { flow }));
    }

    fn received(network: &mut Network, now: Moment) -> Vec<u8> {
        let mut found = Vec::new();
        while let Some(arrival) = network.poll_arrival(now) {
            if let Arrival::Packet { bytes, .. } = arrival {
                found.push(bytes[0]);
            }
        }
        found
    }

    fn flow(transport: Transport) -> Flow {
        Flow {
            transport,
            local: ([10, 0, 0, 1], 5060).into(),
            peer: ([10, 2, 0, 1], 5060).into(),
            connection: u64::from(transport.is_reliable()),
        }
    }

    fn at(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }
}
