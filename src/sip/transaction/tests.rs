//! Each figure's arrows and timers, on a table with nothing around it.

use super::*;
use crate::sip::Transport;
use crate::sip::dialog::Sealed;

struct Bench {
    table: Transactions,
    now: Moment,
}

impl Bench {
    fn new() -> Self {
        Self { table: Transactions::default(), now: Moment::START }
    }

    /// Time passes, timer by timer.
    fn passes(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(due) = self.table.poll_timeout().filter(|due| *due <= until) {
            self.now = due;
            self.table.handle_timeout(due);
        }
        self.now = until;
    }

    /// What was sent, as text, and what was told.
    fn out(&mut self) -> (Vec<String>, Vec<Told>) {
        let (mut sent, mut told) = (Vec::new(), Vec::new());
        while let Some(output) = self.table.poll_output() {
            match output {
                Output::Send(transmit) => {
                    let text = String::from_utf8(transmit.bytes.to_vec()).unwrap();
                    sent.push(text.split(' ').next().unwrap().to_owned());
                }
                Output::Tell(_, what) => told.push(what),
            }
        }
        (sent, told)
    }

    fn invites(&mut self, transport: Transport) -> TransactionRef {
        let now = self.now;
        self.table.invite(ours(Method::Invite), flow(transport), "INVITE".into(), twin(), now)
    }

    fn hears(&mut self, method: Method, status: u16, tag: &str) -> Response {
        self.table.responded(&ours(method), status, tag, "<sip:a@b>;tag=x", self.now)
    }

    fn is_invited(&mut self, transport: Transport) -> TransactionRef {
        let (road, now) = (flow(transport), self.now);
        self.table.open(theirs(Method::Invite), true, road, road, now)
    }

    fn asks_again(&mut self, method: Method) -> Request {
        self.table.requested(&theirs(method), false, self.now)
    }

    fn answers(&mut self, id: TransactionRef, status: u16) {
        self.table.respond(id, status, Bytes::from(status.to_string()), self.now);
    }
}

/// RFC 3261 §17.1.1, timers A and B.
#[test]
fn an_invite_is_repeated_doubling_and_times_out_after_64_t1() {
    let mut bench = Bench::new();
    bench.invites(Transport::Udp);

    bench.passes(31_999);
    assert_eq!(bench.out(), (vec!["INVITE".to_owned(); 7], vec![]));
    bench.passes(1);
    assert_eq!(bench.out(), (vec![], vec![Told::TimedOut, Told::Gone]));
    assert_eq!(bench.table.len(), 0);
}

#[test]
fn on_a_reliable_road_nothing_is_repeated() {
    let mut bench = Bench::new();
    bench.invites(Transport::Tcp);

    bench.passes(32_000);

    assert_eq!(bench.out(), (vec!["INVITE".to_owned()], vec![Told::TimedOut, Told::Gone]));
}

#[test]
fn a_provisional_stops_the_repeating_and_the_waiting() {
    let mut bench = Bench::new();
    let id = bench.invites(Transport::Udp);
    assert_eq!(bench.hears(Method::Invite, 100, ""), Response::ForUser(id));
    bench.out();

    bench.passes(200_000);

    assert_eq!(bench.out(), (vec![], vec![]));
    bench.table.cancelled(id, bench.now);
    bench.passes(32_000);
    assert_eq!(bench.out(), (vec![], vec![Told::TimedOut, Told::Gone]));
}

/// RFC 3261 §17.1.1.3.
#[test]
fn a_refusal_is_acknowledged_each_time_for_timer_d() {
    let mut bench = Bench::new();
    let id = bench.invites(Transport::Udp);
    assert_eq!(bench.hears(Method::Invite, 486, "x"), Response::ForUser(id));
    assert_eq!(bench.hears(Method::Invite, 486, "x"), Response::Absorbed);
    assert_eq!(bench.hears(Method::Invite, 180, "x"), Response::Absorbed);
    assert_eq!(bench.out().0, ["INVITE", "ACK", "ACK"]);

    bench.passes(32_000);
    assert_eq!(bench.out(), (vec![], vec![Told::Gone]));
    assert_eq!(bench.hears(Method::Invite, 486, "x"), Response::Stray);
}

#[test]
fn a_refusal_on_a_reliable_road_ends_it_at_once() {
    let mut bench = Bench::new();
    bench.invites(Transport::Tcp);

    bench.hears(Method::Invite, 404, "x");

    assert_eq!(bench.out().1, [Told::Gone]);
}

/// RFC 6026 §7.2.
#[test]
fn each_branch_of_a_fork_goes_up_once_and_is_acknowledged_alike() {
    let mut bench = Bench::new();
    let id = bench.invites(Transport::Udp);
    for tag in ["a", "b"] {
        assert_eq!(bench.hears(Method::Invite, 200, tag), Response::ForUser(id));
        let ack = Bytes::from(format!("ACK-{tag}"));
        bench.table.acknowledged(id, tag, flow(Transport::Udp), ack, bench.now);
    }
    assert_eq!(bench.hears(Method::Invite, 200, "a"), Response::Absorbed);
    assert_eq!(bench.out().0, ["INVITE", "ACK-a", "ACK-b", "ACK-a"]);

    bench.passes(31_999);
    assert_eq!(bench.table.len(), 1);
    bench.passes(1);
    assert_eq!(bench.table.len(), 0);
}

/// RFC 3261 §17.1.2, timers E and F.
#[test]
fn a_request_is_repeated_up_to_t2_and_times_out() {
    let mut bench = Bench::new();
    let now = bench.now;
    bench.table.request(ours(Method::Bye), flow(Transport::Udp), "BYE".into(), now);

    bench.passes(31_999);
    assert_eq!(bench.out().0.len(), 11, "0, 0.5, 1.5, 3.5, then every 4 s");
    bench.passes(1);
    assert_eq!(bench.out().1, [Told::TimedOut, Told::Gone]);
}

#[test]
fn a_request_answered_rests_for_t4() {
    let mut bench = Bench::new();
    let now = bench.now;
    let id = bench.table.request(ours(Method::Bye), flow(Transport::Udp), "BYE".into(), now);
    assert_eq!(bench.hears(Method::Bye, 200, "x"), Response::ForUser(id));
    assert_eq!(bench.hears(Method::Bye, 200, "x"), Response::Absorbed);

    bench.passes(4_999);
    assert_eq!(bench.table.len(), 1);
    bench.passes(1);
    assert_eq!(bench.table.len(), 0);
}

#[test]
fn a_request_to_nobody_has_failed_at_once_and_an_answered_one_has_not() {
    let mut bench = Bench::new();
    bench.invites(Transport::Udp);
    bench.hears(Method::Invite, 180, "x");
    let now = bench.now;
    bench.table.request(ours(Method::Bye), flow(Transport::Udp), "BYE".into(), now);
    bench.hears(Method::Bye, 200, "x");
    bench.out();

    let road = flow(Transport::Udp);
    bench.table.unreachable(road.local, road.peer, bench.now);

    assert_eq!(bench.out().1, [Told::Unreachable, Told::Gone]);
    assert_eq!(bench.table.len(), 1);
}

#[test]
fn a_repeated_invite_gets_the_last_response() {
    let mut bench = Bench::new();
    assert_eq!(bench.asks_again(Method::Invite), Request::New);
    let id = bench.is_invited(Transport::Udp);
    assert_eq!(bench.asks_again(Method::Invite), Request::Again(id));
    bench.answers(id, 100);
    bench.asks_again(Method::Invite);
    bench.answers(id, 180);
    bench.asks_again(Method::Invite);

    assert_eq!(bench.out().0, ["100", "100", "180", "180"]);
}

/// RFC 3261 §17.2.1, timers G, H and I.
#[test]
fn a_refusal_of_ours_is_repeated_until_ack_which_rests_for_t4() {
    let mut bench = Bench::new();
    let id = bench.is_invited(Transport::Udp);
    bench.answers(id, 486);
    bench.passes(1_500);
    assert_eq!(bench.out().0, ["486", "486", "486"]);

    let ack = bench.table.requested(&theirs(Method::Invite), true, bench.now);
    assert_eq!(ack, Request::Acknowledged);
    bench.asks_again(Method::Invite);
    bench.passes(4_999);
    assert_eq!((bench.out().0.len(), bench.table.len()), (0, 1));
    bench.passes(1);
    assert_eq!(bench.table.len(), 0);
}

#[test]
fn a_refusal_never_acknowledged_is_given_up() {
    let mut bench = Bench::new();
    let id = bench.is_invited(Transport::Tcp);
    bench.answers(id, 486);

    bench.passes(32_000);

    assert_eq!(bench.out(), (vec!["486".to_owned()], vec![Told::Gone]));
}

#[test]
fn the_oldest_refusal_that_nobody_acknowledges_makes_room() {
    let mut bench = Bench::new();
    let road = flow(Transport::Udp);
    let key = |count: usize| ServerKey::Branch {
        branch: format!("z9hG4bK{count}"),
        sent_by: "a:5060".into(),
        method: Method::Invite,
    };
    for count in 0..=REFUSALS_MAX {
        let id = bench.table.open(key(count), true, road, road, bench.now);
        bench.answers(id, 486);
        if count == 1 {
            bench.table.requested(&key(1), true, bench.now);
        }
    }

    // Who repeats it is a new caller, and may be let in by now.
    assert_eq!(bench.table.requested(&key(0), false, bench.now), Request::New);
    assert!(matches!(bench.table.requested(&key(1), false, bench.now), Request::Again(_)));
    assert!(matches!(bench.table.requested(&key(2), false, bench.now), Request::Again(_)));
    bench.passes(40_000);
    assert_eq!(bench.table.len(), 0);
}

#[test]
fn a_full_table_has_room_left_for_calls_that_live() {
    let mut bench = Bench::new();
    let road = flow(Transport::Udp);
    for count in 0..TRANSACTIONS_MAX - FOR_CALLS {
        assert!(!bench.table.is_full(false));
        let (branch, sent_by) = (count.to_string(), "a".to_owned());
        let key = ServerKey::Branch { branch, sent_by, method: Method::Options };
        bench.table.open(key, false, road, road, bench.now);
    }

    assert!(bench.table.is_full(false));
    assert!(!bench.table.is_full(true));
}

/// RFC 6026 §7.1.
#[test]
fn a_200_absorbs_repeated_invites_for_timer_l_and_leaves_its_ack_to_the_dialog() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut bench = Bench::new();
        let id = bench.is_invited(transport);
        bench.answers(id, 200);
        assert_eq!(bench.asks_again(Method::Invite), Request::Again(id));
        let ack = bench.table.requested(&theirs(Method::Invite), true, bench.now);
        assert_eq!(ack, Request::New);
        assert_eq!(bench.out().0, ["200"]);

        bench.passes(31_999);
        assert_eq!(bench.table.len(), 1);
        bench.passes(1);
        assert_eq!(bench.table.len(), 0);
    }
}

/// RFC 4320 §4.2.
#[test]
fn a_late_answer_is_not_sent() {
    let mut bench = Bench::new();
    let (road, now) = (flow(Transport::Udp), bench.now);
    let id = bench.table.open(theirs(Method::Update), false, road, road, now);
    bench.passes(32_000);

    bench.answers(id, 200);

    assert!(bench.out().0.is_empty(), "RFC 4320 §4.2");
}

/// RFC 3261 §17.2.2.
#[test]
fn a_request_answered_is_answered_again_for_timer_j() {
    let mut bench = Bench::new();
    let (road, now) = (flow(Transport::Udp), bench.now);
    let id = bench.table.open(theirs(Method::Bye), false, road, road, now);
    bench.asks_again(Method::Bye);
    bench.answers(id, 200);
    bench.answers(id, 500);
    bench.asks_again(Method::Bye);
    assert_eq!(bench.out().0, ["200", "200"]);

    bench.passes(32_000);
    assert_eq!(bench.table.len(), 0);
}

#[test]
fn a_cancel_has_a_transaction_beside_its_invite() {
    let mut bench = Bench::new();
    let id = bench.is_invited(Transport::Udp);
    let cancel = theirs(Method::Cancel);

    assert_eq!(bench.table.requested(&cancel, false, bench.now), Request::New);
    assert_eq!(bench.table.find(&cancel.with_method(Method::Invite)), Some(id));
}

fn flow(transport: Transport) -> Flow {
    Flow {
        transport,
        local: "203.0.113.1:5060".parse().unwrap(),
        peer: "192.0.2.1:5060".parse().unwrap(),
        connection: 0,
    }
}

fn ours(method: Method) -> ClientKey {
    ClientKey { branch: "z9hG4bKours".into(), method }
}

fn theirs(method: Method) -> ServerKey {
    ServerKey::Branch { branch: "z9hG4bKtheirs".into(), sent_by: "a:5060".into(), method }
}

fn twin() -> Twin {
    Twin {
        uri: Sealed("sip:a@b".into()),
        via: "SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bKours".into(),
        branch: "z9hG4bKours".into(),
        routes: Vec::new(),
        from: Sealed("<sip:us@b>;tag=us".into()),
        to: Sealed("<sip:a@b>".into()),
        call_id: "c".into(),
        cseq: 1,
    }
}
