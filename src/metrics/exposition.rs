//! The names, units and sentences under which numbers are published.
//!
//! Written in one order from ordered tables, so that two expositions of the same facts are equal
//! byte for byte. Every series exists from the start, at zero: a counter that appears only with its
//! first fault can't be watched.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::exchange::Board;
use crate::metrics::{Counts, Histogram, SOUNDS};
use crate::record::{AttemptResult, Outcome};

/// Everything there is to tell at one moment.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) started: DateTime<Utc>,
    pub(super) counts: Counts,
    pub(super) board: Board,
}

impl Picture {
    /// In the OpenMetrics text format.
    pub(super) fn text(self) -> String {
        let mut registry = Registry::with_prefix("hotline");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("a String takes all that is written to it");
        text
    }
}

impl Collector for Picture {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder };
        self.house(&mut page)?;
        self.calls(&mut page)?;
        self.listeners(&mut page)?;
        self.sip(&mut page)?;
        self.media(&mut page)?;
        self.exchange(&mut page)?;
        self.records(&mut page)?;
        self.clock(&mut page)
    }
}

impl Picture {
    fn house(&self, page: &mut Page<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.info("build", "The version of this program.", version)?;
        page.info(
            "plan",
            "The version of the plan new calls run under.",
            [("version", self.board.plan.as_str())],
        )?;
        let totals = &self.counts.totals;
        page.counters(
            "plan_reloads",
            "Plans offered to the running house.",
            "result",
            [("loaded", totals.plans_loaded), ("refused", totals.plans_refused)],
        )?;
        page.gauge(
            "start_time_seconds",
            "When the house started, in seconds since 1970.",
            self.started.timestamp(),
        )?;
        page.gauge(
            "stopping",
            "1 while the house waits for calls to end, to stop.",
            i64::from(self.board.stopping),
        )?;
        page.gauge("alarms", "Matters that need a person.", whole(self.board.alarms.len()))
    }

    fn calls(&self, page: &mut Page<'_>) -> fmt::Result {
        let Board { lines, queues, calls, calls_max, calls_talking, .. } = &self.board;
        page.gauges(
            "line_open",
            "1 while the line's schedule says open.",
            "line",
            lines.iter().map(|line| (line.line.as_str(), i64::from(line.open))),
        )?;
        let trunks = &self.board.trunks;
        page.gauges(
            "trunk_up",
            "1 while an address of the trunk answers, or none is asked.",
            "trunk",
            trunks.iter().map(|one| (one.trunk.as_str(), i64::from(one.up))),
        )?;
        page.gauges(
            "trunk_addresses_abroad",
            "Addresses the DNS names for the trunk that are outside its ranges, and not used.",
            "trunk",
            trunks.iter().map(|one| (one.trunk.as_str(), whole(one.abroad))),
        )?;
        page.gauge("calls_alive", "Calls alive, in whatever stage.", whole(*calls))?;
        page.gauge("calls_limit", "The most calls alive at once.", whole(*calls_max))?;
        page.gauge("calls_talking", "Callers talking with a listener.", whole(*calls_talking))?;
        page.gauges(
            "calls_waiting",
            "Callers waiting for a listener.",
            "queue",
            queues.iter().map(|queue| (queue.queue.as_str(), whole(queue.waiting))),
        )?;
        page.gauges(
            "longest_wait_seconds",
            "How long the first in line has waited.",
            "queue",
            queues.iter().map(|queue| {
                (queue.queue.as_str(), i64::try_from(queue.oldest.unwrap_or(0)).unwrap_or(i64::MAX))
            }),
        )?;

        let mut ended: BTreeMap<(&str, Outcome), u64> = BTreeMap::new();
        for line in lines {
            for outcome in Outcome::ALL {
                ended.insert((line.line.as_str(), outcome), 0);
            }
        }
        for ((line, outcome), count) in &self.counts.calls {
            ended.insert((line.as_str(), *outcome), *count);
        }
        let mut metric = page.encoder.encode_descriptor(
            "calls",
            "Calls that ended, by how they ended for the caller.",
            None,
            MetricType::Counter,
        )?;
        for ((line, outcome), count) in ended {
            let labels = [("line", line), ("outcome", outcome.as_str())];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }

        let Counts { wait, talk, .. } = &self.counts;
        page.histogram("wait", "How long callers who were let in waited, taken or not.", wait)?;
        page.histogram("talk", "How long callers talked with listeners.", talk)?;
        page.counters(
            "legs",
            "Callers' and listeners' legs that ended, by how they sounded.",
            "sound",
            SOUNDS.map(|sound| (sound, self.counts.sound.get(sound).copied().unwrap_or_default())),
        )?;
        page.counter(
            "legs_one_way",
            "Legs on which we spoke for 5 s and heard nothing at all.",
            self.counts.one_way,
        )
    }

    fn listeners(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut by_presence: BTreeMap<&str, i64> =
            PRESENCES.iter().map(|name| (*name, 0)).collect();
        for listener in &self.board.listeners {
            *by_presence.entry(listener.presence.as_str()).or_default() += 1;
        }
        page.gauges(
            "listeners",
            "Listeners by what they are doing, as far as ringing them goes.",
            "presence",
            by_presence,
        )?;
        page.gauge(
            "phones_registered",
            "Listeners' phones that are registered.",
            whole(self.board.load.phones),
        )?;
        let attempts = &self.counts.attempts;
        page.counters(
            "attempts",
            "Listeners rung for a caller, by how the ringing ended.",
            "result",
            ATTEMPTS
                .iter()
                .map(|(result, name)| (*name, attempts.get(result).copied().unwrap_or_default())),
        )?;
        page.histogram("ring", "How long listeners' phones rang.", &self.counts.ring)
    }

    fn sip(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.counts.totals.sip;
        page.counters(
            "sip_messages",
            "SIP messages, by direction.",
            "direction",
            [("in", totals.received), ("out", totals.sent)],
        )?;
        page.counter(
            "sip_malformed",
            "SIP messages that can't be read.",
            self.board.sip_malformed,
        )?;
        page.counter(
            "sip_late",
            "SIP messages that had waited too long to be worth beginning.",
            totals.late,
        )?;
        page.counter(
            "sip_dropped",
            "SIP datagrams dropped because the house was busy, or in the kernel before it read them.",
            totals.dropped,
        )?;
        page.counter(
            "authentication_failures",
            "SIP requests with wrong or replayed credentials.",
            self.board.authentication_failures,
        )?;
        page.gauge("sip_dialogs", "SIP dialogs alive.", whole(self.board.load.dialogs))?;
        page.gauge(
            "sip_transactions",
            "SIP transactions alive.",
            whole(self.board.load.transactions),
        )?;
        page.gauge(
            "connections",
            "Stream connections at the SIP doors.",
            signed(totals.connections),
        )?;
        page.counter(
            "connections_refused",
            "Connections refused at the SIP doors.",
            totals.connections_refused,
        )?;
        page.counter(
            "connections_evicted",
            "Connections closed to make room, or for saying nothing.",
            totals.connections_evicted,
        )?;
        page.counter(
            "handshakes_failed",
            "TLS handshakes and WebSocket upgrades that came to nothing.",
            totals.handshakes_failed,
        )?;
        match totals.certificate_end {
            Some(end) => page.gauge(
                "certificate_end_seconds",
                "When the first certificate of the SIP doors ends, in seconds since 1970.",
                end,
            ),
            None => Ok(()),
        }
    }

    fn media(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.counts.totals.media;
        page.gauge("rtp_streams", "RTP streams alive.", signed(totals.streams))?;
        page.counters(
            "rtp_packets",
            "RTP packets, by direction.",
            "direction",
            [("in", totals.received), ("out", totals.sent)],
        )?;
        page.counter("rtp_lost", "RTP packets that never came.", totals.lost)?;
        page.counter(
            "rtp_strangers",
            "RTP packets from a source that is not the stream's.",
            totals.strangers,
        )?;
        page.counter("rtp_unsent", "RTP packets the network did not take from us.", totals.unsent)?;
        page.counter(
            "media_late_ticks",
            "Times a media thread was more than 10 ms behind.",
            totals.late_ticks,
        )?;
        page.counter("media_shards_lost", "Media threads that broke.", totals.shards_lost)
    }

    fn records(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.counts.totals.records;
        page.gauge(
            "records_spooled",
            "Call records that wait in memory to be written.",
            signed(totals.spooled),
        )?;
        page.gauge(
            "records_away",
            "1 while the database of call records can't be written.",
            i64::from(totals.away),
        )?;
        page.counter("records_written", "Call records written.", totals.written)?;
        page.counter(
            "records_dropped",
            "Call records lost because too many waited to be written.",
            totals.dropped,
        )
    }

    fn clock(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.counts.totals.clock;
        page.counter("clock_steps", "Jumps of the wall clock.", totals.steps)?;
        page.seconds(
            "clock_step",
            "How far the wall clock is from the time the house believes.",
            totals.step,
        )
    }

    fn exchange(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.counts.totals.exchange;
        page.seconds(
            "loop_lag",
            "The longest a fact waited for the loop since this was asked last.",
            totals.lag,
        )?;
        page.counter("loop_panics", "Facts that broke something and were dropped.", totals.panics)
    }
}

/// All that a listener can be doing (domain.md §3.5).
const PRESENCES: [&str; 9] = [
    "offline",
    "available",
    "alerting",
    "talking",
    "consulting",
    "after_call_work",
    "paused",
    "elsewhere",
    "unreachable",
];

const ATTEMPTS: [(AttemptResult, &str); 5] = [
    (AttemptResult::Answered, "answered"),
    (AttemptResult::Declined, "declined"),
    (AttemptResult::Unanswered, "unanswered"),
    (AttemptResult::Unreachable, "unreachable"),
    (AttemptResult::Spared, "spared"),
];

/// The text being written, with a word for every kind of entry.
struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Page<'_> {
    fn info(&mut self, name: &str, help: &str, labels: [(&str, &str); 1]) -> fmt::Result {
        self.encoder.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        let metric = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let unit = Some(&Unit::Seconds);
        let metric = self.encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'l str, i64)>,
    ) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (named, value) in values {
            ConstGauge::new(value).encode(metric.encode_family(&[(label, named)])?)?;
        }
        Ok(())
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'l str, u64)>,
    ) -> fmt::Result {
        let mut metric = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (named, value) in values {
            ConstCounter::new(value).encode(metric.encode_family(&[(label, named)])?)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, values: &Histogram) -> fmt::Result {
        self.encoder
            .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?
            .encode_histogram::<[(&str, &str); 0]>(values.sum, values.count, &values.buckets, None)
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
