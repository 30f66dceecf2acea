use std::net::UdpSocket;
use std::time::Duration;

use bytes::Bytes;
use hotline::exchange::Input;
use hotline::net::{Doors, Wanted};
use hotline::sip::{Flow, Transmit, Transport};

use crate::{PATIENCE, Porch, Reader, limits};

#[test]
fn a_datagram_comes_in_with_its_road_and_an_answer_goes_back_along_it() {
    let porch = Porch::open(Transport::Udp, limits());
    let phone = phone();
    phone.send_to(b"OPTIONS sip:h SIP/2.0\r\n\r\n", porch.local).unwrap();

    let Input::Received { flow, bytes } = porch.next() else { panic!("no datagram") };
    assert_eq!(flow.peer, phone.local_addr().unwrap());
    assert_eq!(flow.local, porch.local);
    assert_eq!(bytes, b"OPTIONS sip:h SIP/2.0\r\n\r\n"[..]);

    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n") });
    let mut buffer = [0; 64];
    let (length, from) = phone.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&b"SIP/2.0 200 OK\r\n\r\n"[..], porch.local));
}

#[test]
fn the_largest_datagram_there_is_comes_in_whole() {
    let porch = Porch::open(Transport::Udp, limits());
    phone().send_to(&[b'x'; 65_507], porch.local).unwrap();

    let Input::Received { bytes, .. } = porch.next() else { panic!("no datagram") };
    assert_eq!(bytes.len(), 65_507);
}

#[test]
fn keep_alives_stay_at_the_door() {
    let porch = Porch::open(Transport::Udp, limits());
    let phone = phone();
    for keep_alive in [&b""[..], b"\r\n", b"\r\n\r\n", b"\0\0\0\0"] {
        phone.send_to(keep_alive, porch.local).unwrap();
    }

    assert!(porch.has_nothing());
}

#[test]
fn a_shut_port_is_reported_at_once() {
    let porch = Porch::open(Transport::Udp, limits());
    let gone = phone().local_addr().unwrap();
    let flow = Flow { transport: Transport::Udp, local: porch.local, peer: gone, connection: 0 };
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"INVITE sip:a SIP/2.0\r\n\r\n") });

    let Input::Unreachable { local, peer } = porch.next() else { panic!("no ICMP error") };
    assert_eq!((local, peer), (porch.local, gone));

    // And the error is not taken for one of the next phone's.
    let phone = phone();
    let flow = Flow { peer: phone.local_addr().unwrap(), ..flow };
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"x") });
    phone.recv_from(&mut [0; 8]).unwrap();
}

#[test]
fn a_datagram_is_stamped_with_the_moment_it_came() {
    let porch = Porch::open(Transport::Udp, limits());
    let before = porch.clock.now();
    phone().send_to(b"OPTIONS sip:h SIP/2.0\r\n\r\n", porch.local).unwrap();
    let (at, _) = porch.facts.recv_timeout(PATIENCE).unwrap();
    let after = porch.clock.now();

    // The kernel's clock and ours are read one after the other.
    let slack = Duration::from_millis(5);
    assert!(before.steady <= at.steady + slack && at.steady <= after.steady);
    assert!(before.wall <= at.wall + slack && at.wall <= after.wall);
}

#[test]
fn what_comes_while_nobody_reads_is_kept_as_far_as_there_is_room_and_the_rest_is_counted() {
    const SENT: u64 = 20_000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sender, facts) = std::sync::mpsc::channel();
    let deliver: hotline::net::Deliver = std::sync::Arc::new(move |_, input| {
        let _ = sender.send(input);
        hotline::net::Taken::Yes
    });
    let wanted = [Wanted::plain(Transport::Udp, "127.0.0.1:0".parse().unwrap())];
    let stamp = hotline::service::Clock::start().stamp();
    let doors = Doors::open(&wanted, limits(), runtime.handle().clone(), &stamp, &deliver).unwrap();
    let phone = phone();
    for _ in 0..SENT {
        phone.send_to(&[b'x'; 200], doors.opened()[0].local).unwrap();
    }

    let _reader = Reader::begin(doors.readers(&stamp, &deliver));
    let mut came = 0;
    while facts.recv_timeout(Duration::from_millis(500)).is_ok() {
        came += 1;
    }
    // The kernel tells with the next one.
    phone.send_to(b"y", doors.opened()[0].local).unwrap();
    facts.recv_timeout(PATIENCE).unwrap();

    assert!(came >= 100, "{came}");
    assert_eq!(came + doors.counters().datagrams_dropped, SENT);
}

#[test]
fn a_taken_port_is_said_in_words() {
    let porch = Porch::open(Transport::Udp, limits());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let deliver: hotline::net::Deliver = std::sync::Arc::new(|_, _| hotline::net::Taken::Yes);
    let wanted = [Wanted::plain(Transport::Udp, porch.local)];
    let refused =
        Doors::open(&wanted, limits(), runtime.handle().clone(), &porch.clock.stamp(), &deliver);

    let words = refused.err().unwrap().to_string();
    let port = porch.local.port();
    assert!(words.starts_with(&format!("port {port} (UDP) on 127.0.0.1 is in use")), "{words}");
}

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}
