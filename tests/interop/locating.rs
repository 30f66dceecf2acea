//! Where a name is, asked of a DNS server that is not ours (RFC 3263).

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::base::{Mint, Moment};
use hotline::exchange::Input;
use hotline::net::{Deliver, Resolver, Taken};
use hotline::service::Clock;
use hotline::sip::Transport;
use hotline::sip::locate::{Destination, Hop, Locator, Output};

use crate::house::{House, free_port};
use crate::{eventually, secs};

/// dnsmasq on a port of its own.
struct Dns {
    child: Child,
}

impl Dns {
    fn says(port: u16, records: &[&str]) -> Self {
        let child = Command::new("dnsmasq")
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file="])
            .args(["--user=root", "--local=/operator.test/", "--local-ttl=20"])
            .arg(format!("--port={port}"))
            .args(records)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let there =
            eventually(secs(20), || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(there, "dnsmasq does not start");
        Self { child }
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A locator whose questions go to a real server.
struct Asker {
    locator: Locator,
    resolver: Resolver,
    answers: Receiver<Input>,
    clock: Clock,
    foreign: Vec<String>,
    _runtime: tokio::runtime::Runtime,
}

impl Asker {
    fn of(server: SocketAddr) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (sender, answers) = channel();
        let clock = Clock::start();
        let deliver: Deliver = Arc::new(move |_, input| {
            let _ = sender.send(input);
            Taken::Yes
        });
        let resolver = Resolver::new(&[server], runtime.handle().clone(), clock.stamp(), deliver);
        let (locator, foreign) = (Locator::default(), Vec::new());
        Self { locator, resolver, answers, clock, foreign, _runtime: runtime }
    }

    /// Carries questions and answers until `so`.
    fn settles(&mut self, at: Moment, so: impl Fn(&Locator) -> bool) {
        self.carries_questions();
        eventually(secs(20), || {
            if let Ok(Input::LookedUp { question, answer }) =
                self.answers.recv_timeout(Duration::from_millis(50))
            {
                self.locator.answered(&question, answer, at);
                self.carries_questions();
            }
            so(&self.locator)
        });
    }

    fn carries_questions(&mut self) {
        while let Some(output) = self.locator.poll_output() {
            match output {
                Output::Ask(question) => self.resolver.ask(question),
                Output::Changed(_) => {}
                Output::Foreign { address, .. } => self.foreign.push(address.to_string()),
            }
        }
    }

    fn hops(&self, destination: &Destination, at: Moment) -> Vec<String> {
        let hops = self.locator.hops(destination, &mut Mint::from_number(1), at);
        hops.iter().map(told).collect()
    }
}

fn told(hop: &Hop) -> String {
    format!("{} {}", hop.transport.token(), hop.address)
}

/// RFC 3263 §4: NAPTR, SRV with priorities, A and AAAA; §4.3: failover; domain.md T-21: an address
/// outside the trunk's ranges; and a server that dies.
#[test]
#[ignore = "needs dnsmasq: tests/interop/run installs it"]
fn a_trunk_is_found_by_the_records_of_a_real_server_and_kept_when_it_dies() {
    let port = free_port();
    let server = SocketAddr::from(([127, 0, 0, 1], port));
    let dns = Dns::says(
        port,
        &[
            "--naptr-record=operator.test,20,10,s,SIP+D2U,,_sip._udp.operator.test",
            "--naptr-record=operator.test,10,10,s,SIP+D2T,,_sip._tcp.operator.test",
            "--srv-host=_sip._tcp.operator.test,b.operator.test,5062,2,0",
            "--srv-host=_sip._tcp.operator.test,a.operator.test,5061,1,0",
            "--srv-host=_sip._udp.operator.test,a.operator.test,5060,1,0",
            "--host-record=a.operator.test,127.0.1.1,fd00::1",
            "--host-record=b.operator.test,127.0.1.2",
            "--srv-host=_sip._tcp.operator.test,c.operator.test,5063,3,0",
            "--host-record=c.operator.test,192.0.2.66",
        ],
    );
    let mut asker = Asker::of(server);
    let operator = Destination::new("operator.test", None, None);
    let start = asker.clock.moment();
    let pins = ["127.0.1.0/24", "fd00::/64"].map(|range| range.parse().unwrap());
    asker.locator.wanted(operator.clone(), &pins, start);
    asker.settles(start, |locator| locator.is_located(&operator));

    let all = ["TCP [fd00::1]:5061", "TCP 127.0.1.1:5061", "TCP 127.0.1.2:5062"];
    let both = [all.as_slice(), &["UDP [fd00::1]:5060", "UDP 127.0.1.1:5060"]].concat();
    assert_eq!(asker.hops(&operator, start), both);
    assert_eq!(asker.foreign, ["192.0.2.66"]);

    for address in ["[fd00::1]:5061", "127.0.1.1:5061"] {
        let hop = Hop { transport: Transport::Tcp, address: address.parse().unwrap() };
        asker.locator.failed(hop, None, start);
    }
    assert_eq!(asker.hops(&operator, start)[0], "TCP 127.0.1.2:5062");

    // The server is gone when the answers have grown old.
    drop(dns);
    let later = start + secs(30);
    asker.locator.handle_timeout(later);
    asker
        .settles(later, |locator| locator.poll_timeout().is_some_and(|due| due < later + secs(25)));
    let later = start + secs(90);
    assert_eq!(asker.hops(&operator, later), both);

    // Another answers in its place, and has moved.
    let _dns = Dns::says(port, &["--host-record=operator.test,127.0.1.9"]);
    asker.locator.handle_timeout(later);
    let moved = ["UDP 127.0.1.9:5060"];
    asker.settles(later, |locator| {
        let hops = locator.hops(&operator, &mut Mint::from_number(1), later);
        hops.iter().map(told).eq(moved)
    });
    assert_eq!(asker.hops(&operator, later), moved);
}

/// The whole house: what the DNS says of its trunk is asked whether it is there, the best and the second;
/// what is outside the trunk's addresses is told to whoever watches, and hears nothing (T-21).
#[test]
#[ignore = "needs dnsmasq: tests/interop/run installs it"]
fn the_house_asks_for_its_trunk_by_name_and_believes_only_its_ranges() {
    let port = free_port();
    let sbc = |address: &str| UdpSocket::bind((address, 0)).unwrap();
    let (first, second, abroad) = (sbc("127.0.1.1"), sbc("127.0.1.2"), sbc("127.0.9.9"));
    let srv = |target: &str, socket: &UdpSocket, priority: u8| {
        let port = socket.local_addr().unwrap().port();
        format!("--srv-host=_sip._udp.operator.test,{target}.operator.test,{port},{priority},0")
    };
    let records = [
        srv("a", &first, 1),
        srv("b", &second, 2),
        srv("c", &abroad, 3),
        "--host-record=a.operator.test,127.0.1.1".to_owned(),
        "--host-record=b.operator.test,127.0.1.2".to_owned(),
        "--host-record=c.operator.test,127.0.9.9".to_owned(),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let _dns = Dns::says(port, &records);
    let trunk = "[trunks.operator]\naddresses = [\"127.0.1.0/24\"]\nserver = \"operator.test\"\n";
    let servers = format!("[dns]\nservers = [\"127.0.0.1:{port}\"]\n\n[log]");
    let house = House::open_with(&[
        ("trunks.toml", "[trunks.loopback]", &format!("{trunk}\n[trunks.loopback]")),
        ("hotline.toml", "[log]", &servers),
    ]);

    for socket in [&first, &second] {
        socket.set_read_timeout(Some(secs(10))).unwrap();
        let mut bytes = [0; 2_000];
        let (length, from) = socket.recv_from(&mut bytes).expect("it is asked");
        let text = String::from_utf8_lossy(&bytes[..length]);
        assert!(text.starts_with("OPTIONS sip:127.0.1."), "{text}");
        assert_eq!(from, house.sip);
    }
    abroad.set_nonblocking(true).unwrap();
    assert!(abroad.recv_from(&mut [0; 2_000]).is_err(), "nothing goes there");
    let shown = eventually(secs(5), || {
        let (_, metrics) = house.get("/metrics").unwrap();
        metrics.contains("hotline_trunk_addresses_abroad{trunk=\"operator\"} 1\n")
    });
    assert!(shown, "{:?}", house.get("/metrics"));
    let (_, board) = house.get("/board").unwrap();
    assert!(board.contains(r#""code":"trunk_abroad","about":"operator""#), "{board}");
}
