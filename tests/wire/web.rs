//! SIP over WebSocket: RFC 6455 and RFC 7118, and those who come in by a page of their own
//! (domain.md T-16).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotline::exchange::Input;
use hotline::net::{Wanted, WebRules};
use hotline::sip::{Flow, Transmit, Transport};
use rustls::crypto::ring;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client, http};

use crate::tls::{Authority, keys};
use crate::{PATIENCE, Porch, limits};

const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const PAGE: &str = "https://ecoute.example";

fn rules() -> WebRules {
    WebRules { origins: vec![PAGE.to_owned()], hosts: vec!["127.0.0.1".to_owned()] }
}

fn door() -> Porch {
    let wanted = Wanted::plain(Transport::Ws, "127.0.0.1:0".parse().unwrap());
    Porch::with(Wanted { web: Some(rules()), ..wanted }, limits())
}

fn request(porch: &Porch) -> http::request::Builder {
    http::Request::builder()
        .uri(format!("ws://{}/", porch.local))
        .header("Host", porch.local.to_string())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn stream(porch: &Porch) -> TcpStream {
    let stream = TcpStream::connect(porch.local).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn browser(porch: &Porch) -> WebSocket<TcpStream> {
    let request = request(porch)
        .header("Origin", PAGE)
        .header("Sec-WebSocket-Protocol", "sip")
        .body(())
        .unwrap();
    let (socket, answer) = client(request, stream(porch)).unwrap();
    assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "sip");
    assert!(!answer.headers().contains_key("Sec-WebSocket-Extensions"));
    socket
}

fn message(porch: &Porch) -> (Flow, String) {
    let Input::Received { flow, bytes } = porch.next() else { panic!("no message") };
    (flow, String::from_utf8(bytes.to_vec()).unwrap())
}

fn goodbye(socket: &mut WebSocket<TcpStream>) -> CloseCode {
    loop {
        match socket.read() {
            Ok(Message::Close(Some(frame))) => return frame.code,
            Ok(_) => {}
            Err(error) => panic!("no goodbye: {error}"),
        }
    }
}

/// RFC 7118 §4 and §5: one message to a frame, text or binary, both ways.
#[test]
fn a_browser_speaks_sip_in_frames() {
    let porch = door();
    let mut browser = browser(&porch);
    browser.send(Message::text(OPTIONS)).unwrap();
    let (flow, text) = message(&porch);
    assert_eq!((flow.transport, text.as_str()), (Transport::Ws, OPTIONS));
    browser.send(Message::binary(OPTIONS)).unwrap();
    assert_eq!(message(&porch), (flow, OPTIONS.to_owned()));

    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n") });
    assert_eq!(browser.read().unwrap(), Message::text("SIP/2.0 200 OK\r\n\r\n"));

    browser.close(None).unwrap();
    while browser.read().is_ok() {}
    assert!(matches!(porch.next(), Input::FlowClosed { flow: closed } if closed == flow));
}

/// RFC 7118 §6, RFC 6455 §5.5.
#[test]
fn pings_of_both_kinds_are_answered_and_are_no_messages() {
    let porch = door();
    let mut browser = browser(&porch);
    browser.send(Message::text("\r\n\r\n")).unwrap();
    assert_eq!(browser.read().unwrap(), Message::text("\r\n"));
    browser.send(Message::Ping(Bytes::from_static(b"still there?"))).unwrap();
    assert_eq!(browser.read().unwrap(), Message::Pong(Bytes::from_static(b"still there?")));
    assert!(porch.has_nothing());
}

/// domain.md T-16: foreign pages, pages without a name, other hosts, other protocols.
#[test]
fn a_page_that_is_not_on_the_list_gets_403() {
    let porch = door();
    let refused = |request: http::request::Builder| {
        let request = request.body(()).unwrap();
        // The library insists on an answer to the protocol; the status is read by hand.
        let mut stream = stream(&porch);
        let mut head = String::from("GET / HTTP/1.1\r\n");
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let sip = |builder: http::request::Builder| builder.header("Sec-WebSocket-Protocol", "sip");

    assert_eq!(refused(sip(request(&porch)).header("Origin", "https://evil.example")), "403");
    assert_eq!(refused(sip(request(&porch)).header("Origin", "null")), "403");
    assert_eq!(refused(sip(request(&porch))), "403");
    assert_eq!(refused(request(&porch).header("Origin", PAGE)), "400");
    let rebound = http::Request::builder()
        .uri("/")
        .header("Host", "rebound.example")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Origin", PAGE);
    assert_eq!(refused(sip(rebound)), "403");
    assert!(porch.has_nothing());
    assert!(porch.sees_failed_handshakes(5));
}

/// RFC 6455 §7.4.1: 1009 for what is too long, 1002 for what isn't masked.
#[test]
fn a_frame_too_long_or_unmasked_ends_the_connection() {
    let porch = door();
    let mut browser = browser(&porch);
    browser.send(Message::binary(vec![b'x'; 64 * 1024 + 1])).unwrap();
    assert_eq!(goodbye(&mut browser), CloseCode::Size);

    let mut other = self::browser(&porch);
    other.get_mut().write_all(&[0x81, 4, b'S', b'I', b'P', b'/']).unwrap();
    assert_eq!(goodbye(&mut other), CloseCode::Protocol);
    assert!(porch.has_nothing());
}

/// domain.md T-04: half an upgrade is not waited for.
#[test]
fn a_half_upgrade_is_hung_up_on_after_three_seconds() {
    let porch = door();
    let began = Instant::now();
    let mut slow = stream(&porch);
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let dribble = slow.try_clone().unwrap();
    let dribbling = std::thread::spawn(move || {
        let mut dribble = dribble;
        while dribble.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });

    let _ = slow.read(&mut [0; 64]);
    let took = began.elapsed();
    assert!((2..6).contains(&took.as_secs()), "{took:?}");
    dribbling.join().unwrap();
}

/// domain.md T-04: the attack is a frame of which one byte comes, and then another, for ever.
#[test]
fn half_a_frame_is_not_waited_for() {
    let porch = door();
    let browser = browser(&porch);
    let slow = browser.get_ref().try_clone().unwrap();
    let began = Instant::now();
    let dribbling = std::thread::spawn(move || {
        let mut slow = slow;
        // Text, masked, sixty thousand bytes of it to come.
        slow.write_all(&[0x81, 0xfe, 0xea, 0x60, 1, 2, 3, 4]).unwrap();
        while slow.write_all(b"x").is_ok() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        began.elapsed()
    });

    let mut rest = Vec::new();
    let _ = (&mut browser.get_ref()).read_to_end(&mut rest);
    assert!(dribbling.join().unwrap() < PATIENCE / 2, "it was not hung up on");
    assert!(porch.has_nothing());

    // A browser that is only silent between its messages is left in peace.
    let mut patient = self::browser(&porch);
    for _ in 0..2 {
        patient.send(Message::text(OPTIONS)).unwrap();
        assert_eq!(message(&porch).1, OPTIONS);
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn secure_websocket_is_websocket_inside_tls() {
    let authority = Authority::new();
    let wanted = Wanted::plain(Transport::Wss, "127.0.0.1:0".parse().unwrap());
    let keys = keys(vec![authority.identity("127.0.0.1")]);
    let porch = Porch::with(Wanted { keys: Some(keys), web: Some(rules()), ..wanted }, limits());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    let name = "127.0.0.1".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let request = request(&porch)
        .header("Origin", PAGE)
        .header("Sec-WebSocket-Protocol", "sip")
        .body(())
        .unwrap();
    let (mut browser, _) = client(request, StreamOwned::new(connection, stream(&porch))).unwrap();

    browser.send(Message::text(OPTIONS)).unwrap();

    let (flow, text) = message(&porch);
    assert_eq!((flow.transport, text.as_str()), (Transport::Wss, OPTIONS));
}

/// RFC 7118 §5: nobody can call a browser that is gone.
#[test]
fn a_browser_that_is_gone_is_unreachable_at_once() {
    let porch = door();
    let peer = "127.0.0.1:9".parse().unwrap();
    let flow = Flow { transport: Transport::Ws, local: porch.local, peer, connection: 0 };
    porch.doors.send(Transmit { flow, bytes: Bytes::from_static(OPTIONS.as_bytes()) });

    assert!(matches!(porch.next(), Input::Unconnected { flow } if flow.peer == peer));
}
