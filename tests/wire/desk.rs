//! The page's API, and those who attack it: cross-site pages, thieves, guessers, the curious.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tower::ServiceExt;

use hotline::base::{CallRef, LineName, ListenerName, Mint, Moment, Now};
use hotline::exchange::{Board, Command, Exchange, Plan};
use hotline::http::desk::proof::{self, Secrets};
use hotline::http::desk::{
    Aside, Coming, Entry, House, Kept, Person, PlanView, Role, Setting, SipDoor, description,
    router,
};
use hotline::http::{Patience, Trouble, TroubleCode};
use hotline::record::{CallRecord, Cause, Draft, Outcome, Party, Q850, Window};
use hotline::sim;

const ORIGIN: &str = "http://127.0.0.1:8390";

/// A house that was made up: orders are kept, time stands where it is put.
pub(crate) struct Made {
    board: watch::Sender<Arc<Board>>,
    plan: Arc<Plan>,
    people: BTreeMap<ListenerName, Person>,
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    seconds: AtomicU64,
    drawn: AtomicU64,
    orders: Mutex<Vec<Command>>,
    troubles: Mutex<Vec<Trouble>>,
    pub(crate) kept: Mutex<Vec<Kept>>,
    audit: Mutex<Vec<Entry>>,
    records: Mutex<Vec<CallRecord>>,
    pub(crate) asides: broadcast::Sender<Aside>,
}

impl Made {
    pub(crate) fn new() -> (Self, Arc<Shared>) {
        let plan = Arc::new(sim::plan::shipped());
        let shared = Arc::new(Shared {
            seconds: AtomicU64::default(),
            drawn: AtomicU64::default(),
            orders: Mutex::default(),
            troubles: Mutex::default(),
            kept: Mutex::default(),
            audit: Mutex::default(),
            records: Mutex::default(),
            asides: broadcast::Sender::new(16),
        });
        let now = Now { steady: Moment::START, wall: "2026-11-22T09:00:00Z".parse().unwrap() };
        let exchange = Exchange::new(Arc::clone(&plan), Mint::from_number(1), now);
        let board = watch::Sender::new(Arc::new(exchange.board(now)));
        let person = |display: &str, roles: &[Role], secrets| Person {
            display: display.to_owned(),
            roles: roles.to_vec(),
            secrets,
        };
        let phone = |whole: &str| Secrets {
            phone: Some((sha(whole), "hotline".to_owned())),
            ..Secrets::default()
        };
        let listener = plan.listeners.keys().next().unwrap().clone();
        let page = proof::kept("a very long secret").unwrap();
        let staff = Secrets { password: Some(page), ..Secrets::default() };
        let totp = Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned());
        let people = BTreeMap::from([
            (
                listener.clone(),
                person("Léa", &[Role::Listener], phone(&format!("{listener}:hotline:secret"))),
            ),
            ("manon".parse().unwrap(), person("Manon", &[Role::Manager], staff.clone())),
            ("omar".parse().unwrap(), person("Omar", &[Role::Operator], staff.clone())),
            ("wanda".parse().unwrap(), person("Wanda", &[Role::ReadOnly], staff.clone())),
            ("tom".parse().unwrap(), person("Tom", &[Role::Manager], Secrets { totp, ..staff })),
        ]);
        (Self { board, plan, people, shared: Arc::clone(&shared) }, shared)
    }
}

impl House for Made {
    fn now(&self) -> Now {
        let seconds = self.shared.seconds.load(Ordering::Relaxed);
        let start: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
        Now {
            steady: Moment::START + Duration::from_secs(seconds),
            wall: start + chrono::TimeDelta::seconds(seconds.cast_signed()),
        }
    }

    fn chance(&self) -> [u8; 32] {
        Mint::from_number(self.shared.drawn.fetch_add(1, Ordering::Relaxed)).bytes()
    }

    fn board(&self) -> watch::Receiver<Arc<Board>> {
        self.board.subscribe()
    }

    fn asides(&self) -> broadcast::Receiver<Aside> {
        self.shared.asides.subscribe()
    }

    fn troubles(&self) -> Arc<Vec<Trouble>> {
        Arc::new(self.shared.troubles.lock().unwrap().clone())
    }

    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    fn plan_view(&self) -> PlanView {
        PlanView { version: self.plan.version.clone(), ..PlanView::default() }
    }

    fn people(&self) -> BTreeMap<ListenerName, Person> {
        self.people.clone()
    }

    fn order(&self, command: Command) -> Coming<'_, Result<String, String>> {
        self.shared.orders.lock().unwrap().push(command);
        Box::pin(async { Ok("done".to_owned()) })
    }

    fn reload(&self) -> Coming<'_, Result<String, String>> {
        Box::pin(async { Err("line 3 is wrong".to_owned()) })
    }

    fn until(&self, _line: Option<&LineName>, text: &str) -> Result<DateTime<Utc>, String> {
        text.parse().map_err(|_| format!("`{text}` is no time"))
    }

    fn records(&self, _window: &Window) -> Result<Vec<CallRecord>, String> {
        Ok(self.shared.records.lock().unwrap().clone())
    }

    fn keep(&self, sign_ins: &[Kept]) {
        *self.shared.kept.lock().unwrap() = sign_ins.to_vec();
    }

    fn kept(&self) -> Vec<Kept> {
        self.shared.kept.lock().unwrap().clone()
    }

    fn audit(&self, entry: &Entry) {
        self.shared.audit.lock().unwrap().push(entry.clone());
    }

    fn zone(&self) -> Tz {
        chrono_tz::Europe::Paris
    }

    fn in_french(&self) -> bool {
        true
    }
}

/// A browser: it keeps cookies, and shows what a page of ours would show.
struct Browser {
    router: Router,
    shared: Arc<Shared>,
    cookies: BTreeMap<String, String>,
    csrf: String,
}

struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl Browser {
    fn new() -> Self {
        let (house, shared) = Made::new();
        let setting = Setting {
            origins: vec![ORIGIN.to_owned()],
            sip: Some(SipDoor::At("ws://127.0.0.1:8391".to_owned())),
            is_secure: false,
            patience: Patience::default(),
        };
        let router = router(Box::new(house), setting);
        Self { router, shared, cookies: BTreeMap::new(), csrf: String::new() }
    }

    fn listener() -> String {
        sim::plan::shipped().listeners.keys().next().unwrap().to_string()
    }

    async fn asks(&mut self, method: Method, path: &str, body: Option<Value>) -> Said {
        self.asks_with(method, path, body, &[]).await
    }

    /// As above, with some headers replaced; an empty value leaves the header out.
    async fn asks_with(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        other: &[(&str, &str)],
    ) -> Said {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = BTreeMap::from([
            ("host", "127.0.0.1:8390"),
            ("origin", ORIGIN),
            ("content-type", "application/json"),
            ("x-csrf-token", self.csrf.as_str()),
            ("cookie", cookies.as_str()),
        ]);
        headers.extend(other.iter().copied());
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Said { status: parts.status, headers: parts.headers, body, text }
    }

    async fn signs_in(&mut self, name: &str, password: &str) -> Said {
        let body = json!({ "name": name, "password": password });
        let said = self.asks(Method::POST, "/api/session", Some(body)).await;
        if let Some(csrf) = said.body["csrf"].as_str() {
            self.csrf = csrf.to_owned();
        }
        said
    }

    fn passes(&self, seconds: u64) {
        self.shared.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn audit(&self) -> Vec<(String, String, bool)> {
        let audit = self.shared.audit.lock().unwrap();
        audit.iter().map(|one| (one.who.clone(), one.act.clone(), one.done)).collect()
    }
}

fn sha(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_listener_signs_in_with_the_phones_password_and_never_gets_it_back() {
    let mut browser = Browser::new();
    let name = Browser::listener();

    let said = browser.signs_in(&name, "secret").await;

    assert_eq!(said.status, StatusCode::OK, "{}", said.text);
    assert_eq!(said.body["roles"], json!(["listener"]));
    let cookie = said.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");

    let phone = browser.asks(Method::POST, "/api/session/phone", None).await;
    assert_eq!(phone.body["user"], json!(name));
    assert_eq!(phone.body["url"], json!("ws://127.0.0.1:8391"));
    assert_ne!(phone.body["secret"], json!("secret"));
    let orders = browser.shared.orders.lock().unwrap().clone();
    let given = orders.into_iter().find_map(|order| {
        if let Command::GivePass { pass, .. } = order { Some(pass) } else { None }
    });
    let realm = phone.body["realm"].as_str().unwrap();
    let secret = phone.body["secret"].as_str().unwrap();
    assert_eq!(given.unwrap().ha1_sha256, sha(&format!("{name}:{realm}:{secret}")));

    // Another tab of the same sign-in gets the same, and signing out takes it back.
    let again = browser.asks(Method::POST, "/api/session/phone", None).await;
    assert_eq!(again.body["secret"], phone.body["secret"]);
    browser.shared.orders.lock().unwrap().clear();
    browser.asks(Method::DELETE, "/api/session", None).await;
    let orders = browser.shared.orders.lock().unwrap().clone();
    assert!(matches!(orders[..], [Command::TakePassBack { .. }]), "{orders:?}");
    let said = browser.asks(Method::GET, "/api/session", None).await;
    assert_eq!(said.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_of_somebody_elses_can_do_nothing_in_a_listeners_name() {
    let mut browser = Browser::new();
    let name = Browser::listener();
    browser.signs_in(&name, "secret").await;
    let state = || Some(json!({ "state": "pause" }));
    let path = "/api/me/state";

    let attacks: [(&str, &[(&str, &str)]); 6] = [
        ("no Origin", &[("origin", "")]),
        ("another Origin", &[("origin", "https://evil.example")]),
        ("a sandboxed frame", &[("origin", "null")]),
        ("another name of ours", &[("host", "evil.example")]),
        ("no token", &[("x-csrf-token", "")]),
        ("a guessed token", &[("x-csrf-token", "0000")]),
    ];
    for (attack, headers) in attacks {
        let said = browser.asks_with(Method::POST, path, state(), headers).await;
        assert_eq!(said.status, StatusCode::FORBIDDEN, "{attack}: {}", said.text);
        let kind = said.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert_eq!(kind, "application/problem+json", "{attack}");
    }
    // A form can't send JSON.
    let form = [("content-type", "text/plain")];
    let said = browser.asks_with(Method::POST, path, state(), &form).await;
    assert_eq!(said.status, StatusCode::BAD_REQUEST);
    assert!(browser.shared.orders.lock().unwrap().is_empty());

    let said = browser.asks(Method::POST, path, state()).await;
    assert_eq!(said.status, StatusCode::OK);
    assert_eq!(browser.shared.orders.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_gets_further_than_their_role() {
    type Asked<'a> = (&'a str, &'a [(&'a str, &'a str, StatusCode)]);
    let table: [Asked<'_>; 4] = [
        (
            "wanda",
            &[
                ("GET", "/api/board", StatusCode::OK),
                ("GET", "/api/me", StatusCode::FORBIDDEN),
                ("GET", "/api/records", StatusCode::FORBIDDEN),
                ("GET", "/api/records.csv", StatusCode::FORBIDDEN),
                ("POST", "/api/switch", StatusCode::FORBIDDEN),
                ("POST", "/api/session/phone", StatusCode::FORBIDDEN),
            ],
        ),
        (
            "omar",
            &[
                ("GET", "/api/plan", StatusCode::OK),
                ("GET", "/api/records", StatusCode::FORBIDDEN),
                ("POST", "/api/plan/reload", StatusCode::CONFLICT),
            ],
        ),
        (
            "manon",
            &[
                ("GET", "/api/records", StatusCode::OK),
                ("GET", "/api/plan", StatusCode::OK),
                ("POST", "/api/plan/reload", StatusCode::FORBIDDEN),
            ],
        ),
        ("", &[("GET", "/api/board", StatusCode::UNAUTHORIZED)]),
    ];
    for (name, asked) in table {
        let mut browser = Browser::new();
        if !name.is_empty() {
            assert_eq!(browser.signs_in(name, "a very long secret").await.status, StatusCode::OK);
        }
        for (method, path, status) in asked {
            let said = browser.asks(method.parse().unwrap(), path, None).await;
            assert_eq!(said.status, *status, "{name} {method} {path}: {}", said.text);
        }
        if name == "wanda" {
            let turned_away = ("wanda".to_owned(), "was turned away".to_owned(), false);
            assert!(browser.audit().contains(&turned_away));
        }
    }
}

#[tokio::test]
async fn every_route_but_signing_in_and_the_description_asks_who_it_is() {
    let described = description();
    let mut open = Vec::new();
    let mut thief = Browser::new();
    thief.cookies.insert("hotline_session".to_owned(), "0".repeat(64));
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["security"] == json!([]) {
                open.push(format!("{method} {path}"));
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            for browser in [&mut Browser::new(), &mut thief] {
                let said = browser.asks(method.clone(), path, None).await;
                assert_eq!(said.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            }
        }
    }
    assert_eq!(open, ["get /api/openapi.json", "post /api/session"]);
}

#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let mut browser = Browser::new();
    browser.signs_in("manon", "a very long secret").await;
    browser.passes(3_599);
    assert_eq!(browser.asks(Method::GET, "/api/session", None).await.status, StatusCode::OK);
    browser.passes(3_601);

    let said = browser.asks(Method::GET, "/api/session", None).await;

    assert_eq!(said.status, StatusCode::UNAUTHORIZED);
    assert_eq!(said.body["type"], json!("about:blank#signed-out"));
}

#[tokio::test]
async fn guessing_is_slowed_down_and_keeps_nobody_out_of_their_own_browser() {
    let name = Browser::listener();
    let mut own = Browser::new();
    own.signs_in(&name, "secret").await;
    own.asks(Method::DELETE, "/api/session", None).await;
    let mut guesser = Browser { cookies: BTreeMap::new(), ..own.again() };

    let mut statuses = Vec::new();
    for guess in 0..12 {
        statuses.push(guesser.signs_in(&name, &guess.to_string()).await.status);
    }

    let checked = statuses.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count();
    assert_eq!(checked, 5, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
    // The right password from an unknown browser waits its turn too, from the known one it doesn't.
    let said = guesser.signs_in(&name, "secret").await;
    assert_eq!(said.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(said.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(own.signs_in(&name, "secret").await.status, StatusCode::OK);
    own.passes(31);
    assert_eq!(guesser.signs_in(&name, "secret").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_nobody_has_is_answered_like_a_wrong_password() {
    let mut browser = Browser::new();
    let nobody = browser.signs_in("nobody", "x").await;
    let wrong = browser.signs_in("manon", "x").await;
    let odd = browser.signs_in("<script>", "x").await;

    assert_eq!(nobody.text, wrong.text);
    assert_eq!(odd.text, wrong.text);
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    // What was typed in the wrong field is not written down.
    assert!(browser.audit().iter().all(|(who, ..)| who == "somebody" || who == "manon"));
}

#[tokio::test]
async fn a_second_step_is_asked_for_and_each_code_works_once() {
    let mut browser = Browser::new();
    let said = browser.signs_in("tom", "a very long secret").await;
    assert_eq!(said.body["type"], json!("about:blank#code-wanted"));

    // RFC 6238's key at this second, worked out apart.
    let second: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
    let second = u64::try_from(second.timestamp()).unwrap();
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let code = (0..1_000_000)
        .map(|code| format!("{code:06}"))
        .find(|code| proof::step_of(secret, code, second).is_some())
        .unwrap();
    let body = json!({ "name": "tom", "password": "a very long secret", "code": code });
    let first = browser.asks(Method::POST, "/api/session", Some(body.clone())).await;
    let second = browser.asks(Method::POST, "/api/session", Some(body)).await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(second.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_manager_closes_a_line_with_an_end_or_not_at_all() {
    let mut browser = Browser::new();
    browser.signs_in("manon", "a very long secret").await;
    let orders = |browser: &Browser| browser.shared.orders.lock().unwrap().len();
    let mut switch =
        async |body: Value| browser.asks(Method::POST, "/api/switch", Some(body)).await.status;

    assert_eq!(switch(json!({ "switch": "close" })).await, StatusCode::BAD_REQUEST);
    let nonsense = json!({ "switch": "close", "until": "soon" });
    assert_eq!(switch(nonsense).await, StatusCode::BAD_REQUEST);
    let unknown = json!({ "switch": "automatic", "line": "nowhere" });
    assert_eq!(switch(unknown).await, StatusCode::NOT_FOUND);
    let more = json!({ "switch": "automatic", "caller": "+33" });
    assert_eq!(switch(more).await, StatusCode::BAD_REQUEST);
    let right = json!({ "switch": "close", "until": "2026-11-22T17:00:00Z" });
    assert_eq!(switch(right).await, StatusCode::OK);

    assert_eq!(orders(&browser), 1);
    assert!(browser.audit().contains(&("manon".to_owned(), "closed".to_owned(), true)));
}

#[tokio::test]
async fn a_manager_sees_what_is_wrong_with_the_house_beside_what_is_wrong_with_calls() {
    let mut browser = Browser::new();
    let records = Trouble::new(TroubleCode::RecordsWait, "the disk is full; 3 wait in memory");
    let ends = Trouble::new(TroubleCode::CertificateEnds, "ecoute.pem ends on 2026-12-01");
    let end = "2026-12-01T00:00:00Z".parse().unwrap();
    browser
        .shared
        .troubles
        .lock()
        .unwrap()
        .extend([records.count(3_u64), ends.about("ecoute.pem").count(9).until(end)]);
    browser.signs_in("manon", "a very long secret").await;

    let board = browser.asks(Method::GET, "/api/board", None).await.body;

    let alarms = board["alarms"].as_array().unwrap();
    let (of_calls, of_the_house) = alarms.split_at(alarms.len() - 2);
    assert!(of_calls.iter().any(|alarm| alarm["code"] == "nobody_logged_in"), "{of_calls:?}");
    assert_eq!(of_the_house[0]["code"], "records_wait");
    assert_eq!(of_the_house[0]["count"], 3);
    assert_eq!(of_the_house[1]["code"], "certificate_ends");
    assert_eq!(of_the_house[1]["about"], "ecoute.pem");
    assert_eq!(of_the_house[1]["until"], "2026-12-01T00:00:00Z");
}

#[tokio::test]
async fn a_listener_is_told_who_paused_them() {
    let mut browser = Browser::new();
    let name = Browser::listener();
    let mut listener = browser.again();
    listener.signs_in(&name, "secret").await;
    let cookies: Vec<_> = listener.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let request = Request::get("/api/events")
        .header("host", "127.0.0.1:8390")
        .header("cookie", cookies.join("; "))
        .body(Body::empty())
        .unwrap();
    let stream = listener.router.clone().oneshot(request).await.unwrap();
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    browser.signs_in("manon", "a very long secret").await;
    let path = format!("/api/listeners/{name}/state");
    let said = browser.asks(Method::POST, &path, Some(json!({ "state": "pause" }))).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text);

    let mut body = stream.into_body();
    let mut told = String::new();
    // In either order: the first picture of the board comes by itself.
    while !told.contains("event: notice") || !told.contains("event: board") {
        let frame = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
        let frame = frame.expect("the notice comes").unwrap().unwrap();
        told.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    assert!(told.contains("event: board"), "{told}");
    assert!(told.contains(r#"{"what":"paused","by":"Manon"}"#), "{told}");
}

#[tokio::test]
async fn records_go_into_a_spreadsheet_and_who_read_them_is_known() {
    let mut browser = Browser::new();
    browser.signs_in("manon", "a very long secret").await;
    let now = Now { steady: Moment::START, wall: "2026-11-22T09:00:00Z".parse().unwrap() };
    let mut draft = Draft::new(CallRef(1), "3977".parse().unwrap(), None, "=1+1", now);
    draft.queued(now.steady);
    let cause = Cause::new(Party::Caller, Q850::NORMAL_CLEARING);
    let end = now.steady + Duration::from_secs(70);
    let record = draft.finished(Outcome::AbandonedInQueue, cause, end);
    browser.shared.records.lock().unwrap().push(record);

    let table = browser.asks(Method::GET, "/api/records.csv", None).await;
    let wrong = browser.asks(Method::GET, "/api/records?outcome=lost", None).await;
    let none = browser.asks(Method::GET, "/api/records?outcome=saturated", None).await;
    let day = browser.asks(Method::GET, "/api/records?from=2026-11-22&line=3977", None).await;

    let rows: Vec<&str> = table.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(rows[1], "2026-11-22 10:00,3977,,,abandoned_in_queue,70,0,70,0,caller 16,\"'=1+1\"");
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(none.body, json!([]));
    assert_eq!(day.body[0]["outcome"], json!("abandoned_in_queue"));
    assert!(browser.audit().contains(&("manon".to_owned(), "read records".to_owned(), true)));
}

#[tokio::test]
async fn too_much_is_not_read_and_every_answer_wears_its_headers() {
    let mut browser = Browser::new();
    let body = json!({ "name": "lea", "password": "x".repeat(100_000) });
    let said = browser.asks(Method::POST, "/api/session", Some(body)).await;
    assert_eq!(said.status, StatusCode::BAD_REQUEST);

    for path in ["/", "/wall", "/app.js", "/api/board", "/nowhere"] {
        let said = browser.asks(Method::GET, path, None).await;
        let policy = said.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(said.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(said.headers["referrer-policy"], "no-referrer", "{path}");
    }
    let said = browser.asks(Method::GET, "/api/board", None).await;
    assert_eq!(said.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn the_board_has_neither_numbers_of_callers_nor_a_ranking() {
    let mut browser = Browser::new();
    browser.signs_in("wanda", "a very long secret").await;

    let said = browser.asks(Method::GET, "/api/board", None).await;

    let listener = said.body["listeners"][0].as_object().unwrap();
    let keys: Vec<&str> = listener.keys().map(String::as_str).collect();
    assert_eq!(keys, ["display", "listener", "presence"]);
    assert!(said.body["lines"].as_array().is_some_and(|lines| !lines.is_empty()));
}

#[test]
fn the_description_of_the_api_is_whole() {
    let described = description();
    assert_eq!(described["openapi"], json!("3.1.0"));
    assert!(described["paths"].as_object().unwrap().len() >= 12);
    assert!(described["paths"]["/api/switch"]["post"]["summary"].is_string());
    let text = described.to_string();
    for place in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = place.split('"').next().unwrap();
        assert!(described["components"]["schemas"][name].is_object(), "{name}");
    }
}

impl Browser {
    /// Another browser before the same house.
    fn again(&self) -> Self {
        Self {
            router: self.router.clone(),
            shared: Arc::clone(&self.shared),
            cookies: self.cookies.clone(),
            csrf: String::new(),
        }
    }
}
