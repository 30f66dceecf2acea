//! Reports to one party: what we sent it and how well we hear it (RFC 3550 §6.4).
//!
//! Every five seconds, give or take a half so that a house full of calls doesn't speak in chorus
//! (§6.3.1). Reports go on while a party is on hold: they keep its doors open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Score;
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::rtp::rtcp::{self, INTERVAL};
use super::rtp::{Report, SenderInfo};
use crate::base::{Mint, Moment, Now};

/// When to report, and under which name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Reports {
    /// RFC 7022: random, so that it says nothing about the house.
    cname: String,
    due: Option<Moment>,
    /// Packets sent at the last report.
    packets: u64,
    /// What the party said last about what it hears.
    outward: Outward,
}

/// What a party reports about what we send it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Outward {
    pub lost: u64,
    /// In ticks.
    jitter: u32,
    pub round_trip: Option<Duration>,
    /// Its own opinion (RFC 3611), in tenths.
    opinion: Option<u8>,
    /// When a report came last.
    pub heard_at: Option<Moment>,
}

impl Outward {
    /// How it sounds at the other end, if we know: its own opinion, or an estimate.
    pub(super) fn score(&self, sent: u64) -> Option<Score> {
        if let Some(tenths) = self.opinion {
            return Some(Score(u16::from(tenths) * 10));
        }
        self.heard_at.filter(|_| sent >= JUDGED_FROM)?;
        let lost = self.lost.min(sent) as f64 / sent as f64;
        let jitter = Duration::from_micros(u64::from(self.jitter) * 125);
        Some(Score::estimated(lost, jitter, self.round_trip.unwrap_or_default()))
    }
}

impl Reports {
    pub(super) fn new(mint: &mut Mint) -> Self {
        Self { cname: mint.token(), due: None, packets: 0, outward: Outward::default() }
    }

    /// There is somebody to report to.
    pub(super) fn begin(&mut self, now: Moment) {
        if self.due.is_none() {
            self.due = Some(now + INTERVAL / 2);
        }
    }

    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Chooses when to report next.
    pub(super) fn put_off(&mut self, now: Moment, mint: &mut Mint) {
        let spread = mint.below(INTERVAL.as_millis() as u64);
        self.due = Some(now + INTERVAL / 2 + Duration::from_millis(spread));
    }

    /// Writes a report, and returns its length.
    pub(super) fn write(
        &mut self,
        outgoing: &Outgoing,
        incoming: &mut Incoming,
        ratio: u32,
        now: Now,
        into: &mut [u8],
    ) -> usize {
        let report = self.report(outgoing, incoming, ratio, now);
        let length = report.write(into).unwrap_or(0);
        self.packets = outgoing.packets();
        length
    }

    /// The last report, with a goodbye (§6.6).
    pub(super) fn write_goodbye(
        &mut self,
        outgoing: &Outgoing,
        incoming: &mut Incoming,
        ratio: u32,
        now: Now,
        into: &mut [u8],
    ) -> usize {
        self.report(outgoing, incoming, ratio, now).write_with_goodbye(into).unwrap_or(0)
    }

    /// Reads a report of the other side. Says whether it was one.
    pub(super) fn read(
        &mut self,
        packet: &[u8],
        outgoing: &Outgoing,
        incoming: &mut Incoming,
        now: Now,
    ) -> bool {
        let Ok(heard) = rtcp::parse(packet, outgoing.ssrc()) else {
            return false;
        };
        if let Some(sender) = heard.sender {
            incoming.sender_reported(heard.ssrc, sender.ntp, now.steady);
        }
        self.outward.heard_at = Some(now.steady);
        if let Some(block) = heard.about_us {
            self.outward.lost = u64::try_from(block.lost).unwrap_or(0);
            self.outward.jitter = block.jitter;
            // A clock that was set meanwhile makes a trip around the world.
            let trip = block.round_trip(rtcp::ntp(now.wall)).filter(|trip| *trip < TRIP_MAX);
            self.outward.round_trip = trip.or(self.outward.round_trip);
        }
        if let Some(opinion) = heard.opinion {
            self.outward.opinion = opinion.mos_conversation.or(opinion.mos_listening);
        }
        true
    }

    pub(super) fn outward(&self) -> &Outward {
        &self.outward
    }

    fn report(
        &self,
        outgoing: &Outgoing,
        incoming: &mut Incoming,
        ratio: u32,
        now: Now,
    ) -> Report<'_> {
        let sent_since = outgoing.packets() > self.packets;
        Report {
            ssrc: outgoing.ssrc(),
            sender: sent_since.then(|| SenderInfo {
                ntp: rtcp::ntp(now.wall),
                timestamp: outgoing.timestamp_now(now.steady).wrapping_mul(ratio),
                // Both wrap around (§6.4.1).
                packets: outgoing.packets() as u32,
                octets: outgoing.octets() as u32,
            }),
            heard: incoming.report(now.steady),
            cname: &self.cname,
        }
    }
}

/// A second of packets: fewer tell nothing.
pub(super) const JUDGED_FROM: u64 = 50;

/// No telephone call is so far away.
const TRIP_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7022 §4.2: a name for each stream, by chance, that tells nothing of house or person.
    #[test]
    fn every_stream_reports_under_a_name_of_its_own() {
        let mut mint = Mint::from_number(1);
        let names: Vec<String> = (0..100).map(|_| Reports::new(&mut mint).cname).collect();

        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(names.iter().all(|name| name.len() >= 16 && !name.contains('@')), "{names:?}");
    }
}
