//! What a call costs the pure exchange, without sockets and sound: CPU, and memory while it waits.
//!
//! Prints figures; asserts nothing about them. Run with `cargo bench --bench exchange`.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock itself")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotline::base::{Mint, Moment, Now, StreamRef};
use hotline::exchange::{Exchange, Input, Output, Plan};
use hotline::media::{Notice, Order, Quality};
use hotline::sim::plan;
use hotline::sip::{Flow, Transport, wire};

const CALLS: u32 = 20_000;
const WAITING: u32 = 5_000;

fn main() {
    read_an_invite();
    short_calls();
    waiting_calls();
}

fn read_an_invite() {
    let invite = Bytes::from(invite(1));
    let rounds = 200_000u32;
    let start = Instant::now();
    for _ in 0..rounds {
        let message = wire::parse_datagram(&invite).expect("a readable INVITE");
        std::hint::black_box(&message);
    }
    println!("read an INVITE of {} bytes: {:?}", invite.len(), start.elapsed() / rounds);
}

/// INVITE, 200, ACK, five seconds of greeting, BYE.
fn short_calls() {
    let mut house = House::new();
    for n in 0..1_000 {
        house.short_call(n);
    }
    let start = Instant::now();
    for n in 1_000..1_000 + CALLS {
        house.short_call(n);
    }
    let each = start.elapsed() / CALLS;
    println!("a short call: {each:?} of CPU, {:.0} a second on one core", 1.0 / each.as_secs_f64());
    house.passes(Duration::from_secs(120));
    println!("left behind: {:?}", house.exchange.board(house.now).load);
}

/// Callers who wait: what each keeps in memory, and what a quiet second of the house costs.
fn waiting_calls() {
    let mut house = House::new();
    let before = resident();
    for n in 0..WAITING {
        house.dials(n);
        house.passes(Duration::from_millis(1));
    }
    house.passes(Duration::from_secs(15));
    let kept = resident().saturating_sub(before) / u64::from(WAITING);
    println!("memory of a waiting call: {:.1} kB", kept as f64 / 1000.0);
    let start = Instant::now();
    house.passes(Duration::from_secs(60));
    let each = start.elapsed().as_secs_f64() / 60.0;
    println!("{WAITING} waiting callers: {:.2} % of a core", each * 100.0);
}

struct House {
    exchange: Exchange,
    now: Now,
    /// Described and waiting to be told back.
    answers: Vec<Bytes>,
    outputs: usize,
}

impl House {
    fn new() -> Self {
        let mut plan: Plan = plan::shipped();
        plan.calls_max = 100_000;
        plan.sip.dialogs_max = 100_000;
        for queue in plan.queues.values_mut() {
            queue.places_max = 100_000;
        }
        let now =
            Now { steady: Moment::START, wall: "2026-11-20T09:00:00Z".parse().expect("a time") };
        let exchange = Exchange::new(Arc::new(plan), Mint::from_number(1), now);
        Self { exchange, now, answers: Vec::new(), outputs: 0 }
    }

    fn short_call(&mut self, n: u32) {
        let ok = self.dials(n);
        self.passes(Duration::from_millis(20));
        self.receives(Bytes::from(in_dialog("BYE", n, &ok, 2)));
    }

    /// INVITE and ACK; the 200 that came between.
    fn dials(&mut self, n: u32) -> String {
        self.receives(Bytes::from(invite(n)));
        let ok = self
            .answers
            .drain(..)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .find(|text| text.starts_with("SIP/2.0 200"))
            .expect("the line answers");
        self.receives(Bytes::from(in_dialog("ACK", n, &ok, 1)));
        ok
    }

    fn receives(&mut self, bytes: Bytes) {
        self.handle(Input::Received { flow: flow(), bytes });
    }

    fn passes(&mut self, duration: Duration) {
        let end = self.now.steady + duration;
        while let Some(due) = self.exchange.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.plus(due - self.now.steady);
            self.handle(Input::Tick);
        }
        self.now = self.now.plus(end - self.now.steady);
    }

    fn handle(&mut self, input: Input) {
        self.exchange.handle(input, self.now);
        let mut notices = Vec::new();
        while let Some(output) = self.exchange.poll_output() {
            self.outputs += 1;
            match output {
                Output::Send(transmit) => self.answers.push(transmit.bytes),
                Output::Media(order) => notices.extend(sound(&order)),
                Output::Close(_)
                | Output::LookUp(_)
                | Output::Expect { .. }
                | Output::Record(_)
                | Output::Written { .. }
                | Output::Pressed { .. }
                | Output::Reply { .. }
                | Output::Note(_)
                | Output::Changed => {}
            }
        }
        for notice in notices {
            self.handle(Input::Media(notice));
        }
        if self.answers.len() > 64 {
            self.answers.clear();
        }
    }
}

fn sound(order: &Order) -> Option<Notice> {
    let described = |stream: StreamRef| Notice::Described { stream, sdp: SDP.into(), held: false };
    match order {
        Order::Answer { stream, .. } | Order::Offer { stream, .. } => Some(described(*stream)),
        Order::Close { stream } => {
            Some(Notice::Closed { stream: *stream, quality: Quality::default() })
        }
        Order::Open { .. }
        | Order::Restrict { .. }
        | Order::Accept { .. }
        | Order::Write { .. }
        | Order::Proven { .. }
        | Order::Play { .. }
        | Order::Conclude { .. }
        | Order::Tone { .. }
        | Order::Hush { .. }
        | Order::Join { .. }
        | Order::Part { .. }
        | Order::Gather { .. }
        | Order::Watch { .. } => None,
    }
}

fn flow() -> Flow {
    Flow {
        transport: Transport::Udp,
        local: SocketAddr::new(plan::HOUSE, 5060),
        peer: "10.1.0.9:5060".parse().expect("an address"),
        connection: 0,
    }
}

fn invite(n: u32) -> String {
    format!(
        "INVITE sip:3977@10.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.1.0.9:5060;branch=z9hG4bK-{n}-1;rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Caller\" <sip:+33612345678@10.1.0.9;user=phone>;tag=from{n}\r\n\
         To: <sip:3977@10.0.0.1;user=phone>\r\n\
         Call-ID: {n}@10.1.0.9\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:trunk@10.1.0.9:5060;transport=udp>\r\n\
         P-Asserted-Identity: <tel:+33612345678>\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO\r\n\
         Supported: timer, 100rel, replaces\r\n\
         User-Agent: A Trunk Session Border Controller 9.2.1\r\n\
         Session-Expires: 1800;refresher=uac\r\n\
         Min-SE: 90\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

fn in_dialog(method: &str, n: u32, ok: &str, cseq: u32) -> String {
    let to = ok.lines().find(|line| line.starts_with("To:")).expect("a To");
    let contact = ok.lines().find(|line| line.starts_with("Contact:")).expect("a Contact");
    let target = contact
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .expect("a Contact in angle brackets")
        .0;
    format!(
        "{method} {target} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.1.0.9:5060;branch=z9hG4bK-{n}-{method};rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Caller\" <sip:+33612345678@10.1.0.9;user=phone>;tag=from{n}\r\n\
         {to}\r\n\
         Call-ID: {n}@10.1.0.9\r\n\
         CSeq: {cseq} {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Kilobytes are for people; the kernel counts pages of 4,096 bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 =
        statm.split_whitespace().nth(1).expect("a second figure").parse().expect("a number");
    pages * 4_096
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.1.0.9\r\ns=-\r\nc=IN IP4 10.1.0.9\r\nt=0 0\r\n\
    m=audio 30000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
