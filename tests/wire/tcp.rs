use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use bytes::Bytes;
use hotline::exchange::Input;
use hotline::net::Limits;
use hotline::sip::{Flow, Transmit, Transport};

use crate::{PATIENCE, Porch, limits};

const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";

#[test]
fn a_message_cut_into_single_bytes_comes_in_whole() {
    let porch = Porch::open(Transport::Tcp, Limits { message_timeout: PATIENCE, ..limits() });
    let mut phone = phone(porch.local);
    for byte in OPTIONS.bytes() {
        phone.write_all(&[byte]).unwrap();
    }

    let (flow, bytes) = message(&porch);
    assert_eq!(bytes, OPTIONS);
    assert_eq!((flow.local, flow.peer), (porch.local, phone.local_addr().unwrap()));
    assert_ne!(flow.connection, 0);

    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n") });
    let mut buffer = [0; 18];
    phone.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"SIP/2.0 200 OK\r\n\r\n");
}

#[test]
fn two_messages_in_one_segment_are_two() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut phone = phone(porch.local);
    phone.write_all(format!("{OPTIONS}{OPTIONS}").as_bytes()).unwrap();

    assert_eq!(message(&porch).1, OPTIONS);
    assert_eq!(message(&porch).1, OPTIONS);
}

#[test]
fn a_ping_gets_its_pong() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut phone = phone(porch.local);
    phone.write_all(b"\r\n\r\n").unwrap();

    let mut pong = [0; 2];
    phone.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[test]
fn half_a_message_is_not_waited_for() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut phone = phone(porch.local);
    phone.write_all(format!("{OPTIONS}OPTIONS sip:h SIP/2.0\r\n").as_bytes()).unwrap();

    assert!(is_closed(&mut phone));
    assert_eq!(message(&porch).1, OPTIONS);
    assert!(matches!(porch.next(), Input::FlowClosed { .. }));
}

#[test]
fn silence_ends_a_connection_nobody_heard_of() {
    let idle_timeout = Duration::from_millis(100);
    let porch = Porch::open(Transport::Tcp, Limits { idle_timeout, ..limits() });
    let mut phone = phone(porch.local);

    assert!(is_closed(&mut phone));
    assert!(porch.has_nothing());
}

#[test]
fn what_is_not_sip_is_hung_up_on() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut scanner = phone(porch.local);
    scanner.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();

    assert!(is_closed(&mut scanner));
}

#[test]
fn the_idle_make_room_and_a_served_phone_stays() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut served = phone(porch.local);
    served.write_all(OPTIONS.as_bytes()).unwrap();
    let (flow, _) = message(&porch);
    let success = "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(success.as_bytes()) });
    served.read_exact(&mut vec![0; success.len()]).unwrap();

    let crowd = (0..40).map(|_| phone(porch.local)).collect::<Vec<_>>();
    for _ in 0..1_000 {
        if porch.doors.counters().connections_evicted < 33 {
            sleep(Duration::from_millis(10));
        }
    }

    assert_eq!(porch.doors.counters().connections, 8);
    assert_eq!(porch.doors.counters().connections_evicted, 33);
    served.write_all(OPTIONS.as_bytes()).unwrap();
    while !matches!(porch.next(), Input::Received { .. }) {}
    drop(crowd);
}

#[test]
fn a_message_without_a_connection_makes_one() {
    let porch = Porch::open(Transport::Tcp, limits());
    let phone = TcpListener::bind("127.0.0.1:0").unwrap();
    let flow = towards(phone.local_addr().unwrap(), porch.local);
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"one") });
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"two") });

    let (mut stream, _) = phone.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut both = [0; 6];
    stream.read_exact(&mut both).unwrap();
    assert_eq!(&both, b"onetwo");

    stream.write_all(OPTIONS.as_bytes()).unwrap();
    let (flow, _) = message(&porch);
    porch.doors.close(flow);
    assert!(is_closed(&mut stream));
    assert!(matches!(porch.next(), Input::FlowClosed { .. }));
}

#[test]
fn a_peer_that_refuses_the_connection_is_unreachable() {
    let porch = Porch::open(Transport::Tcp, limits());
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let flow = towards(gone, porch.local);
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"one") });

    assert!(matches!(porch.next(), Input::Unconnected { flow } if flow.peer == gone));
    assert_eq!(porch.doors.counters().connections, 0);
}

#[test]
fn a_peer_that_reads_nothing_is_closed_and_bounded() {
    let porch = Porch::open(Transport::Tcp, limits());
    let mut phone = phone(porch.local);
    phone.write_all(OPTIONS.as_bytes()).unwrap();
    let (flow, _) = message(&porch);
    for _ in 0..2_000 {
        porch.doors.send(Transmit { flow, bytes: Bytes::from(vec![b'x'; 60_000]) });
    }

    assert_eq!(porch.doors.counters().connections, 0);
}

fn towards(peer: SocketAddr, local: SocketAddr) -> Flow {
    Flow { transport: Transport::Tcp, local, peer, connection: 0 }
}

fn phone(local: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(local).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn message(porch: &Porch) -> (Flow, String) {
    let Input::Received { flow, bytes } = porch.next() else { panic!("no message") };
    (flow, String::from_utf8(bytes.to_vec()).unwrap())
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}
