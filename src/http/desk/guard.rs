//! What every request to the page goes through, before anybody looks at it (domain.md T-16, T-19).
//!
//! The Host must be ours (DNS rebinding). A request that changes something must come from our own page: its
//! Origin on the list, never missing, and its token right (that is looked at where the sign-in is known).
//! Every answer says that nothing but our own files may run in the page, and that nobody may frame it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::http::conversation::Asking;
use crate::http::desk::problem::Problem;
use crate::http::desk::{Desk, SipDoor};

/// The largest body that is read.
pub(super) const BODY_MAX: usize = 16 * 1024;

pub(super) async fn stand(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let verdict = judged(&desk.origins, request.method(), request.headers());
    let read = match verdict {
        Ok(()) => whole(request, desk.patience_for_bodies).await,
        Err(problem) => Err(problem),
    };
    let mut response = match read {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, desk.policy.clone());
    if desk.is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, SECURE_ONLY);
    }
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The request with its body read: whoever sends it a byte at a time is not waited for.
async fn whole(request: Request, patience: Duration) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    match timeout(patience, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(bytes)) => {
            if let Some(asking) = parts.extensions.get::<Asking>() {
                asking.is_whole();
            }
            Ok(Request::from_parts(parts, Body::from(bytes)))
        }
        Ok(Err(_)) => Err(Problem::unreadable("it is too long, or it was broken off")),
        Err(_) => Err(Problem::unreadable("it did not come whole in time")),
    }
}

/// A page that speaks TLS itself is called by nothing else for half a year (RFC 6797). Names below it are not ours.
const SECURE_ONLY: HeaderValue = HeaderValue::from_static("max-age=15552000");

const FIXED: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "microphone=(self), speaker-selection=(self), hid=(self), camera=(), geolocation=(), display-capture=()",
    ),
];

/// What the page may load, and whom it may talk with: this house and its SIP door.
pub(super) fn policy(sip: Option<&SipDoor>, origins: &[String]) -> HeaderValue {
    let hosts = origins.iter().filter_map(|origin| Some(origin.split_once("://")?.1));
    let sip: BTreeSet<String> = hosts.filter_map(|host| Some(sip?.seen_from(host))).collect();
    let sip = sip.into_iter().collect::<Vec<_>>().join(" ");
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         media-src 'self' blob:; manifest-src 'self'; connect-src 'self' {sip}; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn judged(origins: &[String], method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value: &HeaderValue| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    let host = only(header::HOST).ok_or_else(|| Problem::foreign("no Host"))?;
    let is_ours = |origin: &String| {
        origin.split_once("://").is_some_and(|(_, ours)| ours.eq_ignore_ascii_case(host))
    };
    if !origins.iter().any(is_ours) {
        return Err(Problem::foreign("the Host is not ours: see `[page] origins`"));
    }
    let is_listed = |origin: &str| origins.iter().any(|ours| ours == origin);
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    match only(header::ORIGIN) {
        Some(origin) if is_listed(origin) => Ok(()),
        Some(_) => Err(Problem::foreign("the Origin is not ours: see `[page] origins`")),
        None if headers.contains_key(header::ORIGIN) => Err(Problem::foreign("two Origins")),
        None if changes => Err(Problem::foreign("no Origin")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_changes_anything_and_only_under_our_own_name() {
        let origins = ["https://ecoute.example".to_owned()];
        let host = ("host", "ecoute.example");
        let ours = ("origin", "https://ecoute.example");
        type Case<'a> = (Method, &'a [(&'a str, &'a str)], bool);
        let table: [Case<'_>; 12] = [
            (Method::GET, &[host], true),
            (Method::GET, &[host, ours], true),
            (Method::POST, &[host, ours], true),
            (Method::POST, &[("host", "ECOUTE.example"), ours], true),
            (Method::POST, &[host], false),
            (Method::POST, &[host, ("origin", "null")], false),
            (Method::POST, &[host, ("origin", "http://ecoute.example")], false),
            (Method::DELETE, &[host, ("origin", "https://ecoute.example.evil.example")], false),
            (Method::POST, &[host, ours, ("origin", "https://evil.example")], false),
            (Method::GET, &[("host", "evil.example")], false),
            (Method::GET, &[host, ("origin", "https://evil.example")], false),
            (Method::GET, &[], false),
        ];
        for (method, lines, is_let_in) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(
                judged(&origins, &method, &headers).is_ok(),
                is_let_in,
                "{method} {lines:?}"
            );
        }
    }

    #[test]
    fn the_page_runs_nothing_but_its_own_files() {
        let beside = SipDoor::Beside { scheme: "wss", port: 8443 };
        let policy = policy(Some(&beside), &["https://sip.example:8390".to_owned()]);
        let policy = policy.to_str().unwrap();

        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("connect-src 'self' wss://sip.example:8443;"), "{policy}");
    }
}
