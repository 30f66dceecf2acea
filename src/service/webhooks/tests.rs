//! Webhooks against real receivers on this machine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::base::Mint;
use crate::config::WebhookEvent;
use crate::exchange::{AlarmCode, Exchange};
use crate::http::TroubleCode;
use crate::sim;

const SECRET: &[u8] = b"a secret of at least 32 characters";

/// A receiver that answers as it is told to, and keeps what came.
#[derive(Clone, Default)]
struct Receiver {
    came: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn opens(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?of=3977", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(Self::takes)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn takes(State(own): State<Self>, headers: HeaderMap, body: String) -> StatusCode {
        own.came.lock().unwrap().push((headers, body));
        let answer = own.answers.lock().unwrap().pop().unwrap_or(204);
        StatusCode::from_u16(answer).unwrap()
    }

    async fn has_some(&self) {
        while self.came.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn has(&self, count: usize) -> Vec<(HeaderMap, serde_json::Value)> {
        let coming = async {
            while self.came.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), coming).await;
        assert!(came.is_ok(), "{count} never came");
        let came = self.came.lock().unwrap();
        assert_eq!(came.len(), count);
        came.iter()
            .map(|(headers, body)| (headers.clone(), serde_json::from_str(body).unwrap()))
            .collect()
    }
}

/// A house with somebody to tell.
struct House {
    hooks: Webhooks,
    board: watch::Sender<Arc<Board>>,
    troubles: watch::Sender<Arc<Vec<Trouble>>>,
    clock: Clock,
}

fn hook(url: &str, events: &[WebhookEvent]) -> Webhook {
    Webhook {
        name: "test".to_owned(),
        url: url.to_owned(),
        secret: SECRET.to_vec(),
        events: events.iter().copied().collect(),
    }
}

impl House {
    fn tells(url: &str, events: &[WebhookEvent], poster: Poster) -> Self {
        let clock = Clock::start();
        let exchange =
            Exchange::new(Arc::new(sim::plan::shipped()), Mint::from_number(1), clock.now());
        let mut calm = exchange.board(clock.now());
        calm.alarms.clear();
        let (board, seen) = watch::channel(Arc::new(calm));
        let patience = Patience {
            answer: Duration::from_secs(1),
            pause_min: Duration::from_millis(10),
            pause_max: Duration::from_millis(40),
            tries: 4,
        };
        let hooks = Webhooks::new(clock, patience, Handle::current());
        hooks.change(&[], vec![hook(url, events)], poster);
        let (troubles, told) = watch::channel(Arc::default());
        tokio::spawn(hooks.clone().watch(seen, told));
        Self { hooks, board, troubles, clock }
    }

    fn becomes(&self, change: impl FnOnce(&mut Board)) {
        let mut board = Board::clone(&self.board.borrow());
        change(&mut board);
        self.board.send_replace(Arc::new(board));
    }
}

fn poster() -> Poster {
    Poster::new(&std::collections::BTreeMap::new())
}

fn alarm(about: &str, count: i64) -> crate::exchange::Alarm {
    crate::exchange::Alarm {
        code: AlarmCode::TrunkDown,
        about: Some(about.to_owned()),
        count: Some(count),
        until: None,
        text: format!("`{about}` does not answer"),
    }
}

#[tokio::test]
async fn an_alarm_that_comes_and_goes_is_told_with_a_signature_that_can_be_checked() {
    let receiver = Receiver::default();
    let house = House::tells(&receiver.opens().await, &WebhookEvent::ALL, poster());

    house.becomes(|board| board.alarms.push(alarm("a-trunk", 1)));
    receiver.has(1).await;
    // Another figure is no other alarm.
    house.becomes(|board| board.alarms = vec![alarm("a-trunk", 2)]);
    tokio::time::sleep(Duration::from_millis(30)).await;
    house.becomes(|board| board.alarms.clear());
    let came = receiver.has(2).await;

    assert_eq!(came[0].1["event"], "alarm_raised");
    assert_eq!(came[0].1["alarm"]["code"], "trunk_down");
    assert_eq!(came[0].1["alarm"]["about"], "a-trunk");
    assert_eq!(came[1].1["event"], "alarm_cleared");
    let (headers, body) = receiver.came.lock().unwrap()[0].clone();
    assert_eq!(headers["hotline-event"], "alarm_raised");
    assert_eq!(headers["hotline-delivery"], came[0].1["id"].as_str().unwrap());
    let signed = headers["hotline-signature"].to_str().unwrap();
    let time: i64 = signed[2..signed.find(',').unwrap()].parse().unwrap();
    assert!((time - house.clock.now().wall.timestamp()).abs() <= 5);
    assert_eq!(signed, delivery::signature(SECRET, time, body.as_bytes()));
    assert_ne!(signed, delivery::signature(b"another", time, body.as_bytes()));
    assert_ne!(signed, delivery::signature(SECRET, time + 1, body.as_bytes()));
}

#[tokio::test]
async fn a_certificate_that_ends_is_told_as_an_alarm_is() {
    let receiver = Receiver::default();
    let house = House::tells(&receiver.opens().await, &WebhookEvent::ALL, poster());
    let ends = |days: u8| {
        let trouble = Trouble::new(TroubleCode::CertificateEnds, format!("in {days} days"));
        Arc::new(vec![trouble.about("ecoute.pem").count(days)])
    };

    house.troubles.send_replace(ends(14));
    receiver.has(1).await;
    // A day later it is the same matter.
    house.troubles.send_replace(ends(13));
    tokio::time::sleep(Duration::from_millis(30)).await;
    house.troubles.send_replace(Arc::default());
    let came = receiver.has(2).await;

    assert_eq!(came[0].1["event"], "alarm_raised");
    assert_eq!(came[0].1["alarm"]["code"], "certificate_ends");
    assert_eq!(came[0].1["alarm"]["about"], "ecoute.pem");
    assert_eq!(came[1].1["event"], "alarm_cleared");
}

/// Made with `openssl dgst -sha256 -hmac`, so that receivers may go by the guide.
#[test]
fn a_signature_is_what_other_tools_make() {
    let expected =
        "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";

    assert_eq!(delivery::signature(b"secret", 1_700_000_000, b"{\"a\":1}"), expected);
}

#[tokio::test]
async fn a_line_that_opens_or_closes_is_told_and_what_nobody_wants_is_not() {
    let receiver = Receiver::default();
    let wanted = [WebhookEvent::LineOpened, WebhookEvent::LineClosed];
    let house = House::tells(&receiver.opens().await, &wanted, poster());
    let line = house.board.borrow().lines[0].clone();

    house.becomes(|board| {
        board.alarms.push(alarm("a-trunk", 1));
        board.lines[0].open = !line.open;
    });
    receiver.has(1).await;
    house.becomes(|board| board.lines[0].open = line.open);
    let came = receiver.has(2).await;

    let words = ["line_closed", "line_opened"];
    let [first, last] = if line.open { words } else { [words[1], words[0]] };
    assert_eq!((&came[0].1["event"], &came[1].1["event"]), (&first.into(), &last.into()));
    assert_eq!(came[0].1["line"], line.line.as_str());
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again_and_what_follows_keeps_its_order() {
    let receiver = Receiver::default();
    receiver.answers.lock().unwrap().extend([500, 302, 503]);
    let house = House::tells(&receiver.opens().await, &WebhookEvent::ALL, poster());

    house.becomes(|board| board.alarms.push(alarm("first", 1)));
    house.becomes(|board| board.alarms.push(alarm("second", 1)));
    let came = receiver.has(5).await;

    let about: Vec<_> = came.iter().map(|(_, body)| body["alarm"]["about"].as_str()).collect();
    assert_eq!(about[..4], [Some("first"); 4], "three refusals, and then it is taken");
    assert_eq!(about[4], Some("second"));
    assert!(came[..4].iter().all(|(_, body)| body["id"] == came[0].1["id"]), "one and the same");
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // Connections are taken, and nothing is said.
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let house = House::tells(&url, &WebhookEvent::ALL, poster());
    let happening = Happening::LineOpened { line: "3977".to_owned(), until: None };

    let began = house.clock.moment();
    for _ in 0..10_000 {
        house.hooks.tell(&happening);
    }

    let took = house.clock.moment() - began;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(house.hooks.told()[0].queue.left().len(), WAITING_MAX);
}

/// A receiver with a certificate of its own, and one that nobody vouches for.
#[tokio::test]
async fn a_receiver_is_told_by_tls_only_if_its_certificate_is_good() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = key.cert.der().clone();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate.clone()], private.unwrap())
    .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    let came = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn({
        let came = Arc::clone(&came);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut bytes = vec![0; 4096];
                let count = stream.read(&mut bytes).await.unwrap_or_default();
                came.lock().unwrap().push(String::from_utf8_lossy(&bytes[..count]).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    });

    let stranger = House::tells(&url, &WebhookEvent::ALL, poster());
    stranger.becomes(|board| board.alarms.push(alarm("a-trunk", 1)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(came.lock().unwrap().is_empty(), "nobody vouches for it");

    let known = [("localhost".to_owned(), vec![certificate])].into();
    let house = House::tells(&url, &WebhookEvent::ALL, Poster::new(&known));
    house.becomes(|board| board.alarms.push(alarm("a-trunk", 1)));
    let coming = async {
        while came.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(5), coming).await;
    assert!(told.is_ok(), "it was never told");
    assert!(came.lock().unwrap()[0].starts_with("POST /hook HTTP/1.1\r\n"));
}

/// Nothing that waits is lost by reading the plan again, and nothing is told to whoever was taken out.
#[tokio::test]
async fn what_waits_is_told_at_the_new_address_after_a_reload() {
    let (old, new) = (Receiver::default(), Receiver::default());
    old.answers.lock().unwrap().extend([500; 100]);
    let old_url = old.opens().await;
    let house = House::tells(&old_url, &WebhookEvent::ALL, poster());
    house.becomes(|board| board.alarms.push(alarm("first", 1)));
    old.has_some().await;

    let hooks = vec![hook(&new.opens().await, &WebhookEvent::ALL)];
    house.hooks.change(&["test".to_owned()], hooks, poster());
    let came = new.has(1).await;
    assert_eq!(came[0].1["alarm"]["about"], "first");

    // Its secret can't be read now: it goes on as before.
    house.hooks.change(&["test".to_owned()], Vec::new(), poster());
    house.becomes(|board| board.alarms.push(alarm("second", 1)));
    assert_eq!(new.has(2).await[1].1["alarm"]["about"], "second");

    house.hooks.change(&[], Vec::new(), poster());
    house.becomes(|board| board.alarms.push(alarm("third", 1)));
    tokio::time::sleep(Duration::from_millis(50)).await;
    new.has(2).await;
}
