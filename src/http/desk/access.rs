//! Signing in and out, and who is asking.

use std::sync::Arc;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::base::{ListenerName, in_hexadecimal};
use crate::exchange::Command;
use crate::http::conversation::Asking;
use crate::http::desk::problem::Problem;
use crate::http::desk::routes::Need;
use crate::http::desk::sessions::{self, Session, csrf_of, phone_secret_of};
use crate::http::desk::views::{Done, PhoneView, Role, SessionView, SignIn};
use crate::http::desk::{Desk, name_of, proof};
use crate::sip::digest::ha1;
use crate::sip::{Algorithm, Pass};

const SESSION: &str = "hotline_session";
const BROWSER: &str = "hotline_browser";
const CSRF: &str = "x-csrf-token";

/// How long somebody may wait for their turn to have a password checked.
const TURN: Duration = Duration::from_secs(5);

/// Whoever is asking, once they have passed the door of a route.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) name: ListenerName,
    pub(super) display: String,
    pub(super) roles: Vec<Role>,
    /// The cookie.
    pub(super) token: String,
}

/// The door of a route: who is it, may they, and does the request come from their own page?
pub(super) async fn admit(
    State((desk, need)): State<(Arc<Desk>, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    if need == Need::Nobody {
        return next.run(request).await;
    }
    match known(&desk, request.headers(), request.method()) {
        Ok(who) if fits(need, &who.roles) => {
            if let Some(asking) = request.extensions().get::<Asking>() {
                asking.is_known();
            }
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Ok(who) => {
            desk.audit(who.name.as_str(), "was turned away", request.uri().path(), false);
            Problem::not_yours().into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

fn known(desk: &Desk, headers: &HeaderMap, method: &Method) -> Result<Who, Problem> {
    let token = cookie(headers, SESSION).ok_or_else(Problem::signed_out)?;
    let now = desk.house.now().steady;
    let name = {
        let mut sessions = desk.sessions();
        sessions.find(&token, now).ok_or_else(Problem::signed_out)?.who.clone()
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        let shown = headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
        if !bool::from(shown.ct_eq(csrf_of(&token).as_bytes())) {
            return Err(Problem::foreign("the X-CSRF-Token is missing or wrong"));
        }
    }
    // Who has left the plan is signed out with it.
    let mut people = desk.house.people();
    let person = people.remove(&name).ok_or_else(Problem::signed_out)?;
    Ok(Who { name, display: person.display, roles: person.roles, token })
}

fn fits(need: Need, roles: &[Role]) -> bool {
    match need {
        Need::Nobody | Need::SignedIn => true,
        Need::Listener => roles.contains(&Role::Listener),
        Need::Runs => roles.contains(&Role::Manager) || roles.contains(&Role::Operator),
        Need::Manager => roles.contains(&Role::Manager),
        Need::Operator => roles.contains(&Role::Operator),
    }
}

pub(super) async fn sign_in(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = body.map_err(|why| Problem::unreadable(why.body_text()))?;
    if asked.password.len() > proof::PASSWORD_MAX {
        return Err(Problem::wrong_credentials());
    }
    let Ok(name) = asked.name.trim().to_lowercase().parse::<ListenerName>() else {
        return Err(Problem::wrong_credentials());
    };
    let counted = match cookie(&headers, BROWSER).filter(|mark| desk.is_marked(&name, mark)) {
        Some(mark) => format!("{name} {mark}"),
        None => name.to_string(),
    };
    if let Some(wait) = desk.patience().wait(&counted, desk.house.now().steady) {
        return Err(Problem::too_many_tries(wait.as_secs().max(1)));
    }
    let turn = timeout(TURN, desk.checking.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Problem::too_many_tries(TURN.as_secs()));
    };
    let person = desk.house.people().remove(&name);
    let secrets = person.as_ref().map(|person| person.secrets.clone());
    let totp = secrets.as_ref().and_then(|secrets| secrets.totp.clone());
    let (who, password) = (name.clone(), asked.password);
    let checked =
        spawn_blocking(move || proof::is_password(&who, secrets.as_ref(), &password)).await;
    let Some(person) = person.filter(|_| checked.unwrap_or(false)) else {
        return Err(desk.failed(&name, &counted, Problem::wrong_credentials()));
    };
    if let Some(secret) = totp {
        let Some(code) = asked.code.filter(|code| !code.trim().is_empty()) else {
            return Err(Problem::code_wanted());
        };
        if !desk.takes_code(&name, &secret, &code) {
            return Err(desk.failed(&name, &counted, Problem::wrong_credentials()));
        }
    }
    desk.patience().succeeded(&counted);
    let now = desk.house.now().steady;
    let (token, gone) = desk.sessions().begin(name.clone(), &desk.house.chance(), now);
    desk.signed.notify_one();
    for session in gone {
        desk.takes_pass_back(&session).await;
    }
    desk.audit(name.as_str(), "signed in", "", true);
    let who = Who { name: name.clone(), display: person.display, roles: person.roles, token };
    let mut response = Json(desk.view(&who)?).into_response();
    let is_secure =
        headers.get(header::ORIGIN).is_some_and(|o| o.as_bytes().starts_with(b"https:"));
    let secure = if is_secure || desk.is_secure { "; Secure" } else { "" };
    let lasts = sessions::LASTS.as_secs();
    let session = format!(
        "{SESSION}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{secure}",
        who.token
    );
    let browser = format!(
        "{BROWSER}={}; Path=/api/session; HttpOnly; SameSite=Strict; Max-Age=15552000{secure}",
        desk.mark(&name)
    );
    for cookie in [session, browser] {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

pub(super) async fn session(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Result<Json<SessionView>, Problem> {
    desk.view(&who).map(Json)
}

pub(super) async fn sign_out(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Response {
    let session = desk.sessions().end(&who.token);
    desk.signed.notify_one();
    if let Some(session) = session {
        desk.takes_pass_back(&session).await;
    }
    desk.audit(who.name.as_str(), "signed out", "", true);
    let mut response = Json(Done { done: "signed out".to_owned() }).into_response();
    let cookie = format!("{SESSION}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// What the page's phone registers with: never the account's password, but a secret of this sign-in.
pub(super) async fn phone(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Result<Json<PhoneView>, Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let url = desk.sip.as_ref().map(|sip| sip.seen_from(host));
    let now = desk.house.now().steady;
    let lasts = {
        let mut sessions = desk.sessions();
        sessions.find(&who.token, now).ok_or_else(Problem::signed_out)?.left(now)
    };
    let realm = desk.house.plan().sip.realm.clone();
    let secret = phone_secret_of(&who.token);
    // Told again each time: a house that was started anew has forgotten it, and a page that reloads
    // often must not push out the pass of the tab beside it.
    let pass = pass_of(&who.name, &realm, &secret, lasts);
    let digest = pass.ha1_sha256.clone();
    let again = Command::TakePassBack { listener: who.name.clone(), ha1_sha256: digest.clone() };
    desk.house.order(again).await.map_err(Problem::refused)?;
    let order = Command::GivePass { listener: who.name.clone(), pass };
    desk.house.order(order).await.map_err(Problem::refused)?;
    {
        let mut sessions = desk.sessions();
        let session = sessions.find(&who.token, now).ok_or_else(Problem::signed_out)?;
        session.pass = Some(digest);
    }
    let domain = desk.house.plan().sip.domains.first().cloned();
    let domain = domain.or_else(|| url.as_deref().and_then(host_of)).unwrap_or_default();
    Ok(Json(PhoneView {
        url,
        uri: format!("sip:{}@{domain}", who.name),
        user: who.name.to_string(),
        realm,
        secret,
    }))
}

impl Desk {
    fn view(&self, who: &Who) -> Result<SessionView, Problem> {
        let now = self.house.now().steady;
        let mut sessions = self.sessions();
        let session = sessions.find(&who.token, now).ok_or_else(Problem::signed_out)?;
        Ok(SessionView {
            name: who.name.to_string(),
            display: who.display.clone(),
            roles: who.roles.clone(),
            csrf: csrf_of(&who.token),
            lasts: session.left(now).as_secs(),
            language: if self.house.in_french() { "fr" } else { "en" }.to_owned(),
        })
    }

    fn failed(&self, name: &ListenerName, counted: &str, problem: Problem) -> Problem {
        self.patience().failed(counted, self.house.now().steady);
        // What was typed as a name may be a password: only names we know are written down.
        let is_known = self.house.people().contains_key(name);
        let who = if is_known { name.as_str() } else { "somebody" };
        self.audit(who, "signed in", "", false);
        problem
    }

    fn takes_code(&self, name: &ListenerName, secret: &str, code: &str) -> bool {
        let second = u64::try_from(self.house.now().wall.timestamp()).unwrap_or_default();
        let Some(step) = proof::step_of(secret, code, second) else {
            return false;
        };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = steps.get(name).is_none_or(|last| *last < step);
        if is_fresh {
            steps.insert(name.clone(), step);
        }
        is_fresh
    }

    pub(super) async fn takes_pass_back(&self, session: &Session) {
        if let Some(ha1_sha256) = session.pass.clone() {
            let order = Command::TakePassBack { listener: session.who.clone(), ha1_sha256 };
            // A house that can't be asked forgets it by itself.
            let _ = self.house.order(order).await;
        }
    }

    /// What a browser is given that signed in under this name.
    fn mark(&self, name: &ListenerName) -> String {
        let nonce = in_hexadecimal(&self.house.chance()[..16]);
        format!("{nonce}.{}", self.seal(name, &nonce))
    }

    fn is_marked(&self, name: &ListenerName, mark: &str) -> bool {
        mark.split_once('.').is_some_and(|(nonce, seal)| {
            nonce.len() == 32
                && bool::from(self.seal(name, nonce).as_bytes().ct_eq(seal.as_bytes()))
        })
    }

    fn seal(&self, name: &ListenerName, nonce: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.browsers) else {
            return String::new();
        };
        mac.update(format!("{name} {nonce}").as_bytes());
        in_hexadecimal(&mac.finalize().into_bytes())
    }
}

fn pass_of(name: &ListenerName, realm: &str, secret: &str, lasts: Duration) -> Pass {
    Pass {
        ha1_md5: ha1(Algorithm::Md5, name.as_str(), realm, secret),
        ha1_sha256: ha1(Algorithm::Sha256, name.as_str(), realm, secret),
        lasts,
    }
}

/// `wss://sip.example:8443/x` → `sip.example`.
fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    Some(name_of(rest.split('/').next()?).to_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned());
    // Two of one name: somebody planted one.
    let value = found.next()?;
    found.next().is_none().then_some(value)
}
