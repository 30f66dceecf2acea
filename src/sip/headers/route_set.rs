use serde::{Deserialize, Serialize};

use super::NameAddr;
use crate::sip::message::{Head, HeaderName};
use crate::sip::uri::Uri;

/// The proxies that every request inside a dialog passes (RFC 3261 §12.1), nearest first.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RouteSet(Vec<String>);

impl RouteSet {
    /// The route set of the side that was called: Record-Route of the request, in order (§12.1.1).
    pub fn of_request(request: &Head) -> Self {
        Self(request.headers(HeaderName::RecordRoute).map(str::to_owned).collect())
    }

    /// The route set of the side that called: Record-Route of the response, reversed (§12.1.2).
    pub fn of_response(response: &Head) -> Self {
        let mut routes = Self::of_request(response);
        routes.0.reverse();
        routes
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values as written.
    pub fn values(&self) -> &[String] {
        &self.0
    }

    /// The Request-URI and the Route values of a request to `target` (§12.2.1.1).
    pub fn towards(&self, target: &str) -> (String, Vec<String>) {
        match self.0.split_first() {
            None => (target.to_owned(), Vec::new()),
            Some((first, rest)) => match strict(first) {
                None => (target.to_owned(), self.0.clone()),
                Some(first) => {
                    let mut routes = rest.to_vec();
                    routes.push(format!("<{target}>"));
                    (first, routes)
                }
            },
        }
    }

    /// Where a request goes first: the URI of the topmost route, or the target.
    pub fn next_hop(&self, target: &str) -> Option<Uri> {
        match self.0.first() {
            Some(route) => NameAddr::read(route).ok()?.uri().ok(),
            None => target.parse().ok(),
        }
    }
}

/// The URI of a strict router (one without `lr`, from before RFC 3261).
fn strict(route: &str) -> Option<String> {
    let address = NameAddr::read(route).ok()?;
    let uri = address.uri().ok()?;
    (!uri.has_param("lr")).then(|| address.uri_text().to_owned())
}
