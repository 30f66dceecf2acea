//! Keys pressed are heard once and in order however the network treats their packets, and no packet
//! does harm.

use std::time::Duration;

use hotline::base::Moment;
use hotline::media::rtp::telephone_event::{Receiver, Sender};
use hotline::media::rtp::{Arrival, Header, Kind, Packet, SequenceTracker, rtcp};
use proptest::prelude::*;
use proptest::sample::Index;

/// No packet is later than this, and nobody presses two keys closer together.
const LATENESS_MAX: u64 = 80;

proptest! {
    #[test]
    fn digits_survive_loss_repetition_and_disorder(
        presses in prop::collection::vec(press(), 1..12),
        start in any::<u32>(),
        fates in prop::collection::vec(fate(), 64),
        survivors in prop::collection::vec(any::<Index>(), 12),
    ) {
        let mut arrivals: Vec<(u64, u32, [u8; 4])> = Vec::new();
        let mut time = 0;
        let mut fates = fates.iter().cycle();
        for (press, survivor) in presses.iter().zip(survivors) {
            let timestamp = start.wrapping_add((time * 8) as u32);
            let mut sender = Sender::new(press.digit, timestamp, press.ticks).unwrap();
            let mut told = Vec::new();
            while let Some(telling) = sender.next(160) {
                told.push((time, telling.timestamp, telling.payload));
                time += 20;
            }
            let survivor = survivor.index(told.len());
            for (n, (sent, timestamp, payload)) in told.into_iter().enumerate() {
                let fate = fates.next().unwrap();
                if fate.lost && n != survivor {
                    continue;
                }
                for late in &fate.copies {
                    arrivals.push((sent + late, timestamp, payload));
                }
            }
            time += LATENESS_MAX + 1;
        }
        arrivals.sort_by_key(|(at, ..)| *at);

        let mut receiver = Receiver::default();
        let heard: String = arrivals
            .iter()
            .filter_map(|(at, timestamp, payload)| receiver.heard(*timestamp, payload, moment(*at)))
            .collect();

        let pressed: String = presses.iter().map(|press| press.digit).collect();
        prop_assert_eq!(heard, pressed);
    }

    #[test]
    fn what_came_and_what_did_not_add_up(
        first in any::<u16>(),
        fates in prop::collection::vec(fate(), 2..600),
    ) {
        let mut arrivals = Vec::new();
        for (n, fate) in fates.iter().enumerate() {
            // The ends must come for the account to be closed.
            if !fate.lost || n == 0 || n + 1 == fates.len() {
                for late in &fate.copies {
                    arrivals.push((n as u64 * 20 + late, first.wrapping_add(n as u16), n as u32 * 160));
                }
            }
        }
        arrivals.sort_by_key(|(at, ..)| *at);
        let mut tracker = SequenceTracker::new(8000);
        let mut duplicates = 0;
        for (at, sequence, timestamp) in &arrivals {
            match tracker.heard(*sequence, *timestamp, moment(*at)) {
                Arrival::Duplicate => duplicates += 1,
                Arrival::Newest { .. } | Arrival::Late => {}
                other @ (Arrival::Restarted | Arrival::Astray) => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(tracker.received() + tracker.lost(), fates.len() as u64);
        prop_assert_eq!(tracker.received() + duplicates, arrivals.len() as u64);
        prop_assert_eq!(tracker.duplicates(), duplicates);
    }

    #[test]
    fn what_is_written_is_read_the_same(
        marker in any::<bool>(),
        payload_type in 0..128_u8,
        sequence in any::<u16>(),
        (timestamp, ssrc) in any::<(u32, u32)>(),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let header = Header { marker, payload_type, sequence, timestamp, ssrc };
        let mut buffer = [0; 256];
        let length = header.write(&payload, &mut buffer).unwrap();
        prop_assert_eq!(Packet::parse(&buffer[..length]), Ok(Packet { header, payload: &payload }));
    }

    #[test]
    fn noise_does_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200), seed in any::<u32>()) {
        // Most noise would be turned away at the first byte.
        if let Some(first) = bytes.first_mut() {
            *first = 0x80 | (*first & 0x3F);
        }
        Kind::of(&bytes);
        if let Ok(packet) = Packet::parse(&bytes) {
            let mut receiver = Receiver::default();
            receiver.heard(packet.header.timestamp, packet.payload, moment(0));
            let mut tracker = SequenceTracker::new(8000);
            let mut number = u64::from(seed);
            for _ in 0..50 {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                tracker.heard((number >> 40) as u16, (number >> 20) as u32, moment(number >> 50));
                tracker.sender_reported(number, moment(number >> 50));
                tracker.report(1, moment(number >> 49));
            }
            tracker.jitter();
        }
        if let Ok(heard) = rtcp::parse(&bytes, seed)
            && let Some(block) = heard.about_us
        {
            block.round_trip(u64::from(seed) << 20);
        }
    }
}

#[derive(Clone, Debug)]
struct Press {
    digit: char,
    ticks: u32,
}

/// What the network does to one packet.
#[derive(Clone, Debug)]
struct Fate {
    lost: bool,
    /// How late each copy is.
    copies: Vec<u64>,
}

fn press() -> impl Strategy<Value = Press> {
    // Up to 25 s, which takes segments.
    let ticks = prop_oneof![9 => 320..4000_u32, 1 => 60_000..200_000_u32];
    (prop::sample::select("0123456789*#ABCD".chars().collect::<Vec<_>>()), ticks)
        .prop_map(|(digit, ticks)| Press { digit, ticks })
}

fn fate() -> impl Strategy<Value = Fate> {
    (prop::bool::weighted(0.3), prop::collection::vec(0..=LATENESS_MAX, 1..4))
        .prop_map(|(lost, copies)| Fate { lost, copies })
}

fn moment(milliseconds: u64) -> Moment {
    Moment::START + Duration::from_millis(milliseconds)
}
