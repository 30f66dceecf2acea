//! What can be asked by HTTP: is it alive, is it ready, what is going on. Nothing can be changed here.
//!
//! On loopback by default. No page holds a caller's number, because the [`Board`] holds none.
//!
//! | path | says |
//! |---|---|
//! | `/` | the board, for people |
//! | `/healthz` | 200 while the house answers: restart it when not |
//! | `/readyz` | 200 while a caller would be served correctly now; the reasons when not |
//! | `/metrics` | Prometheus |
//! | `/board` | the board, as JSON |

mod board_page;
mod conversation;
pub mod desk;
mod trouble;

pub use self::board_page::presence;
pub use self::conversation::{Patience, Seat, Visitor};
pub use self::trouble::{Trouble, TroubleCode};

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::exchange::Board;

/// Whether a caller would be served correctly now.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Readiness {
    pub ready: bool,
    /// Why not, in words.
    pub reasons: Vec<String>,
    /// What needs a person, though callers are served.
    pub warnings: Vec<String>,
}

/// Where the pages find what they say.
pub struct Sources {
    pub board: watch::Receiver<Arc<Board>>,
    /// Whether the loop answers.
    pub is_alive: Box<dyn Fn() -> bool + Send + Sync>,
    pub readiness: Box<dyn Fn() -> Readiness + Send + Sync>,
    /// The exposition, and its media type.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    pub metrics_type: &'static str,
    pub in_french: bool,
}

/// Answers whoever comes until `stop` is done.
pub async fn serve<S: Visitor>(
    guests: mpsc::Receiver<S>,
    sources: Sources,
    stop: impl Future<Output = ()>,
) {
    conversation::with_all(guests, router(sources), Patience::default(), stop).await;
}

fn router(sources: Sources) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
        .route("/board", get(board))
        .with_state(Arc::new(sources))
}

async fn index(State(sources): State<Arc<Sources>>) -> Html<String> {
    let board = Arc::clone(&sources.board.borrow());
    Html(board_page::write(&board, &(sources.readiness)(), sources.in_french))
}

async fn health(State(sources): State<Arc<Sources>>) -> Response {
    if (sources.is_alive)() {
        (StatusCode::OK, "alive\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the loop has stood still for more than 2 s\n")
            .into_response()
    }
}

async fn readiness(State(sources): State<Arc<Sources>>) -> Response {
    let readiness = (sources.readiness)();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(sources): State<Arc<Sources>>) -> Response {
    ([(header::CONTENT_TYPE, sources.metrics_type)], (sources.metrics)()).into_response()
}

async fn board(State(sources): State<Arc<Sources>>) -> Json<Board> {
    let board = Arc::clone(&sources.board.borrow());
    Json(Board::clone(&board))
}
