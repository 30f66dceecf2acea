//! Garbage at the door, and a conversation that doesn't notice.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::thread::sleep;

use hotline::media::codec::Codec;

use crate::baresip::{Baresip, Manner};
use crate::ear::Ear;
use crate::house::House;
use crate::sipp::{self, Step};
use crate::{eventually, millis, secs};

const IDLE: usize = 2_000;

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_conversation_loses_nothing_to_garbage_and_two_thousand_idle_connections() {
    let mut house = House::open();
    let mut phone =
        Baresip::of(&house.account("adele"), Manner { eager: true, ..Manner::default() });
    let ear = Ear::saying(700.0, Codec::Pcma);
    let steps =
        [Step::Invite(Some(ear.sdp())), Step::IsAnswered, Step::Ack(None), Step::IsHungUpOn];
    let caller = sipp::calls(house.sip, "3977", &steps);
    assert!(phone.told_within(secs(9), "CALL_ESTABLISHED", 1).is_some(), "{}", phone.log());
    assert!(eventually(secs(3), || ear.tone() == Some(1_100.0)));
    let before = ear.heard().len();

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let long = format!("OPTIONS sip:x SIP/2.0\r\nSubject: {}\r\n\r\n", "x".repeat(20_000));
    let largest = vec![b'A'; 65_507];
    let mut zeroes = vec![0; 65_507];
    zeroes[..8].copy_from_slice(b"INVITE s");
    for _ in 0..50 {
        for datagram in
            [long.as_bytes(), &largest, &zeroes, b"", b"\r\n\r\n", b"INVITE", &[0xFF; 700]]
        {
            let _ = socket.send_to(datagram, house.sip);
        }
        sleep(millis(10));
    }
    let mut halves = Vec::new();
    for text in [
        "INVITE sip:3977@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP",
        "OPTIONS sip:x SIP/2.0\r\nContent-Length: 60000\r\n\r\nhalf",
        "\r\n\r\n\r\n",
        &long[..15_000],
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(house.sip).unwrap();
        let _ = stream.write_all(text.as_bytes());
        halves.push(stream);
    }
    // More than one address may hold by itself: the rest is turned away, and that is fine.
    let idle: Vec<TcpStream> =
        (0..IDLE).filter_map(|_| TcpStream::connect(house.sip).ok()).collect();
    eprintln!("{} idle connections", idle.len());
    sleep(secs(8));
    let closed = halves.iter().filter(|stream| is_closed(stream)).count();
    eprintln!("{closed} of {} half messages were hung up on", halves.len());

    assert_eq!(ear.tone(), Some(1_100.0));
    let stream = ear.continuity();
    assert!(ear.heard().len() - before > 350, "{stream:?}");
    assert!(stream.missing == 0 && stream.sources == 0 && stream.jumps == 0, "{stream:?}");
    assert!(closed >= 4, "{closed} half messages were hung up on");
    phone.hangs_up();
    caller.goes_as_planned_within(secs(5));
    assert_eq!(house.ends_within(millis(1)), None);
    let heard = phone.heard_tones(0);
    let wrong = heard.iter().filter(|tone| **tone != Some(700.0)).count();
    assert!(wrong <= 2, "the listener hears {heard:?}");
    drop(idle);
    // And it serves the next one.
    let ear = Ear::saying(440.0, Codec::Pcma);
    let steps = [
        Step::Invite(Some(ear.sdp())),
        Step::IsAnswered,
        Step::Ack(None),
        Step::Waits(secs(2)),
        Step::HangsUp,
    ];
    sipp::calls_by_tcp(house.sip, "3977", &steps).goes_as_planned_within(secs(6));
}

fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(millis(20))).unwrap();
    let mut some = [0; 4_096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
