//! The page's files, as `web/` builds them, inside the program: nothing has to be installed beside it.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::http::desk::problem::Problem;

struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const PAGE: &[u8] = include_bytes!("../../../web/dist/index.html");

const ASSETS: &[Asset] = &[
    Asset { path: "/", kind: HTML, bytes: PAGE },
    Asset { path: "/wall", kind: HTML, bytes: PAGE },
    Asset { path: "/manager", kind: HTML, bytes: PAGE },
    Asset {
        path: "/app.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../../web/dist/app.js"),
    },
    Asset {
        path: "/app.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../../../web/dist/app.css"),
    },
    Asset {
        path: "/licences.txt",
        kind: "text/plain; charset=utf-8",
        bytes: include_bytes!("../../../web/dist/licences.txt"),
    },
    Asset {
        path: "/icon.svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("../../../web/dist/icon.svg"),
    },
];

pub(super) async fn serve(method: Method, uri: Uri) -> Response {
    let found = ASSETS.iter().find(|asset| asset.path == uri.path());
    match found {
        Some(asset) if matches!(method, Method::GET | Method::HEAD) => {
            let mut response = asset.bytes.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
            // A new program may bring a new page; it is small.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Some(_) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        None => Problem::not_there("there is no such page").into_response(),
    }
}
