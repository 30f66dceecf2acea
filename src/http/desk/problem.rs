//! Refusals, as RFC 9457 writes them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Why something was not done.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Problem {
    /// A word that names the kind of problem, for programs: `about:blank#signed-out`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened this time, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds after which it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &str) -> Self {
        Self {
            kind: format!("about:blank#{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: None,
            retry_after: None,
        }
    }

    pub fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed-out", "nobody is signed in")
    }

    pub fn wrong_credentials() -> Self {
        let title = "the name, the password or the code is wrong";
        Self::new(StatusCode::UNAUTHORIZED, "wrong-credentials", title)
    }

    /// The password is right; the second step is missing.
    pub fn code_wanted() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "code-wanted", "a code is wanted too")
    }

    pub fn too_many_tries(seconds: u64) -> Self {
        let title = "too many tries";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", title);
        Self { retry_after: Some(seconds), ..problem }
    }

    pub fn not_yours() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-yours", "your role does not allow this")
    }

    /// The request did not come from our own page.
    pub fn foreign(detail: &str) -> Self {
        let title = "this did not come from our page";
        Self {
            detail: Some(detail.to_owned()),
            ..Self::new(StatusCode::FORBIDDEN, "foreign", title)
        }
    }

    pub fn unreadable(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "unreadable", "this can't be read");
        Self { detail: Some(detail.into()), ..problem }
    }

    pub fn not_there(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::NOT_FOUND, "not-there", "there is no such thing");
        Self { detail: Some(detail.into()), ..problem }
    }

    /// The house was asked and said no.
    pub fn refused(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, "refused", "the house did not do it");
        Self { detail: Some(detail.into()), ..problem }
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        let title = "this can't be had now";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title);
        Self { detail: Some(detail.into()), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
