//! The page over its own TLS, and strangers at its door.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotline::http::Patience;
use hotline::http::desk::{Aside, Setting, Shown, SipDoor, serve};
use hotline::net::tls::ServerKeys;
use hotline::net::{Entrance, Limits};
use hotline::service::Clock;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use serde_json::json;

use crate::desk::{Made, Shared};
use crate::tls::{Authority, Phone, keys};
use crate::{PATIENCE, connect_from};

const NAME: &str = "ecoute.example";

/// A page at a port of its own.
struct Page {
    entrance: Entrance,
    at: SocketAddr,
    authority: Authority,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

impl Page {
    fn opens(max: usize) -> Self {
        let authority = Authority::new();
        let keys = keys(vec![authority.identity(NAME)]);
        Self::with(authority, &keys, max, Made::new(), Patience::default())
    }

    /// One that waits a second for a head, and a second for a body.
    fn opens_impatient() -> Self {
        let authority = Authority::new();
        let keys = keys(vec![authority.identity(NAME)]);
        let second = Duration::from_secs(1);
        let patience = Patience { head: second, body: second };
        Self::with(authority, &keys, 64, Made::new(), patience)
    }

    fn with(
        authority: Authority,
        keys: &ServerKeys,
        max: usize,
        (house, shared): (Made, Arc<Shared>),
        patience: Patience,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let limits = Limits { max, max_per_address: max, ..crate::limits() };
        let listen = "127.0.0.1:0".parse().unwrap();
        let open =
            Entrance::open(listen, Some(keys), limits, Clock::start().stamp(), runtime.handle());
        let (entrance, guests) = runtime.block_on(open).unwrap();
        let at = entrance.local();
        let setting = Setting {
            origins: vec![format!("https://{NAME}:{}", at.port())],
            sip: Some(SipDoor::Beside { scheme: "wss", port: 8443 }),
            is_secure: true,
            patience,
        };
        runtime.spawn(serve(guests, Box::new(house), setting, std::future::pending()));
        Self { entrance, at, authority, shared, _runtime: runtime }
    }

    fn browser(&self) -> Phone {
        self.browser_from(1)
    }

    /// From 127.0.0.x.
    fn browser_from(&self, number: u8) -> Phone {
        let config = self.authority.client(&[&TLS13, &TLS12]);
        let name = ServerName::try_from(NAME).unwrap();
        Phone::new(
            ClientConnection::new(Arc::new(config), name).unwrap(),
            self.stranger_from(number),
        )
    }

    fn stranger(&self) -> TcpStream {
        self.stranger_from(1)
    }

    fn stranger_from(&self, number: u8) -> TcpStream {
        let stream = connect_from(number, self.at);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks, and says the head and the body of the answer.
    fn asks(
        &self,
        browser: &mut Phone,
        what: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<(String, String)> {
        let host = format!("{NAME}:{}", self.at.port());
        write!(
            browser,
            "{what} HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\n{headers}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") {
            browser.read_exact(&mut byte)?;
            text.push(byte[0]);
        }
        let head = String::from_utf8(text).unwrap().to_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        browser.read_exact(&mut body)?;
        Ok((head, String::from_utf8(body).unwrap()))
    }

    fn shows_itself(&self) -> bool {
        let said = self.asks(&mut self.browser(), "GET /", "", "");
        said.is_ok_and(|(head, _)| head.starts_with("http/1.1 200"))
    }
    /// Signs a listener in; the answer, and the headers that show it from then on.
    fn signs_in(&self, browser: &mut Phone) -> (String, String) {
        let listener = hotline::sim::plan::shipped().listeners.keys().next().unwrap().to_string();
        let sign_in = json!({ "name": listener, "password": "secret" }).to_string();
        let (head, body) = self.asks(browser, "POST /api/session", "", &sign_in).unwrap();
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let said: serde_json::Value = serde_json::from_str(&body).unwrap();
        let (pair, _) = cookie.split_once(';').unwrap();
        let csrf = said["csrf"].as_str().unwrap();
        (head.clone(), format!("cookie: {pair}\r\nx-csrf-token: {csrf}\r\n"))
    }

    /// What the page's phone is given.
    fn phone(&self, shown: &str) -> (String, serde_json::Value) {
        let said = self.asks(&mut self.browser(), "POST /api/session/phone", shown, "");
        let (head, body) = said.unwrap();
        (head, serde_json::from_str(&body).unwrap())
    }

    /// Waits until the house has kept somebody, or nobody any more.
    fn keeps(&self, somebody: bool) {
        let began = Instant::now();
        while self.shared.kept.lock().unwrap().is_empty() == somebody {
            assert!(began.elapsed() < PATIENCE, "what is kept has not changed");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_browser_signs_in_over_the_pages_own_tls() {
    let page = Page::opens(64);

    let (head, shown) = page.signs_in(&mut page.browser());

    assert!(head.starts_with("http/1.1 200"), "{head}");
    let cookies: Vec<&str> = head.lines().filter(|line| line.starts_with("set-cookie")).collect();
    assert_eq!(cookies.len(), 2, "{head}");
    assert!(cookies.iter().all(|cookie| cookie.ends_with("; secure")), "{cookies:?}");
    assert!(head.contains("strict-transport-security: max-age=15552000"), "{head}");
    // The phone's door has the name the page was called by: the certificate stands for it.
    assert!(head.contains(&format!("connect-src 'self' wss://{NAME}:8443;")), "{head}");
    let (head, said) = page.phone(&shown);
    assert!(head.starts_with("http/1.1 200"), "{head} {said}");
    assert_eq!(said["url"], format!("wss://{NAME}:8443"));
}

/// An update at night signs nobody out, and the page's phone goes on with the secret it has.
#[test]
fn who_is_signed_in_still_is_after_a_restart() {
    let page = Page::opens(64);
    let (_, shown) = page.signs_in(&mut page.browser());
    let (_, before) = page.phone(&shown);
    page.keeps(true);
    let kept = page.shared.kept.lock().unwrap().clone();
    drop(page);

    let (house, shared) = Made::new();
    *shared.kept.lock().unwrap() = kept;
    let authority = Authority::new();
    let keys = keys(vec![authority.identity(NAME)]);
    let page = Page::with(authority, &keys, 64, (house, shared), Patience::default());
    let (head, after) = page.phone(&shown);
    assert!(head.starts_with("http/1.1 200"), "{head} {after}");
    assert_eq!(after["secret"], before["secret"]);

    // And who signs out is out, after a restart too.
    let (head, _) = page.asks(&mut page.browser(), "DELETE /api/session", &shown, "").unwrap();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    page.keeps(false);
}

#[test]
fn a_new_certificate_is_shown_to_the_next_browser_and_whoever_is_inside_stays() {
    let page = Page::opens(64);
    let shown = |browser: &Phone| browser.conn.peer_certificates().unwrap()[0].to_vec();
    let mut inside = page.browser();
    page.asks(&mut inside, "GET /", "", "").unwrap();

    page.entrance.rekey(&keys(vec![page.authority.identity(NAME)])).unwrap();

    let mut next = page.browser();
    page.asks(&mut next, "GET /", "", "").unwrap();
    assert_ne!(shown(&inside), shown(&next));
    let (head, _) = page.asks(&mut inside, "GET /wall", "", "").unwrap();
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

/// domain.md T-04.
#[test]
fn plain_http_gets_nothing_from_a_page_that_speaks_tls() {
    let page = Page::opens(64);
    let mut stranger = page.stranger();
    stranger.write_all(b"GET / HTTP/1.1\r\nhost: ecoute.example\r\n\r\n").unwrap();

    let mut said = Vec::new();
    // Closed, or torn down: whichever comes first.
    let _ = stranger.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1"), "{said:?}");
    assert!(page.shows_itself());
}

/// domain.md T-04: more half handshakes than may be at once put out each other, and no browser.
#[test]
fn handshakes_that_never_end_keep_no_browser_out() {
    let page = Page::opens(1_000);
    let silent: Vec<TcpStream> = (0..400).map(|_| page.stranger()).collect();

    let began = Instant::now();
    assert!(page.shows_itself());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(silent);
}

/// domain.md T-04: strangers from many addresses take every place, and each says nothing, or half a request.
#[test]
fn a_listener_signs_in_while_silent_strangers_hold_every_place() {
    let page = Page::opens(40);
    let host = format!("{NAME}:{}", page.at.port());
    let mut colleague = page.browser();
    let (_, shown) = page.signs_in(&mut colleague);
    let mut events = page.browser();
    write!(events, "GET /api/events HTTP/1.1\r\nhost: {host}\r\n{shown}\r\n").unwrap();
    reads_until(&mut events, "event: board");

    let halves = [
        String::new(),
        "GET / HTTP/1.1\r\nhost: ".to_owned(),
        format!(
            "POST /api/session HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\n\
             content-length: 99\r\n\r\n{{"
        ),
    ];
    let mut strangers = Vec::new();
    for number in 0..120_u8 {
        let mut stranger = page.browser_from(number % 60 + 2);
        // The oldest are put out for these.
        let _ = stranger.write_all(halves[usize::from(number) % 3].as_bytes());
        let _ = stranger.flush();
        strangers.push(stranger);
    }

    let began = Instant::now();
    let mut newcomer = page.browser_from(200);
    let (head, _) = page.asks(&mut newcomer, "GET /", "", "").unwrap();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let (head, _) = page.signs_in(&mut newcomer);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // Whoever watched the board still does, and sees what the caller presses.
    let to = hotline::sim::plan::shipped().listeners.keys().next().unwrap().clone();
    page.shared.asides.send(Aside { to, what: Shown::Key('7') }).ok().unwrap();
    reads_until(&mut events, "event: key");
    drop(strangers);
}

#[test]
fn a_page_full_of_half_handshakes_shows_itself() {
    let page = Page::opens(20);
    let silent: Vec<TcpStream> = (2..42).map(|number| page.stranger_from(number)).collect();

    assert!(page.shows_itself());
    drop(silent);
}

/// domain.md T-04: it never falls silent, and never comes to an end.
#[test]
fn a_head_that_drips_in_is_ended_and_the_others_are_served_meanwhile() {
    let page = Page::opens_impatient();
    let mut slow = page.browser();
    slow.write_all(b"GET / HTTP/1.1\r\nx-slow: ").unwrap();

    let mut others = 0;
    let said = drips(&mut slow, || others += usize::from(page.shows_itself()));

    assert!(!said.contains(" 200 "), "{said}");
    assert!(others > 2, "{others}");
}

#[test]
fn a_body_that_drips_in_is_refused_and_the_others_are_served_meanwhile() {
    let page = Page::opens_impatient();
    let host = format!("{NAME}:{}", page.at.port());
    let mut slow = page.browser();
    write!(
        slow,
        "POST /api/session HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\n\
         content-type: application/json\r\ncontent-length: 9999\r\n\r\n{{"
    )
    .unwrap();

    let mut others = 0;
    let said = drips(&mut slow, || others += usize::from(page.shows_itself()));

    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    assert!(said.contains("it did not come whole in time"), "{said}");
    assert!(others > 2, "{others}");
}

#[test]
fn a_browser_that_asks_nothing_more_is_left() {
    let page = Page::opens_impatient();
    let mut browser = page.browser();
    page.asks(&mut browser, "GET /", "", "").unwrap();

    let began = Instant::now();
    assert_eq!(browser.read(&mut [0]).unwrap_or_default(), 0);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Sends a byte every now and then until the house has enough of it; what it said.
fn drips(browser: &mut Phone, mut meanwhile: impl FnMut()) -> String {
    browser.sock.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (began, mut said) = (Instant::now(), Vec::new());
    let mut buffer = [0; 4_096];
    loop {
        assert!(began.elapsed() < PATIENCE, "it is still waited for");
        let is_over = browser.write_all(b"a").and_then(|()| browser.flush()).is_err();
        match browser.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&buffer[..count]),
            Err(fault) if fault.kind() == ErrorKind::WouldBlock && !is_over => meanwhile(),
            Err(_) => break,
        }
    }
    String::from_utf8(said).unwrap()
}

fn reads_until(browser: &mut Phone, words: &str) {
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(words.as_bytes()) {
        browser
            .read_exact(&mut byte)
            .unwrap_or_else(|fault| panic!("{fault}, after: {}", String::from_utf8_lossy(&said)));
        said.push(byte[0]);
    }
}
