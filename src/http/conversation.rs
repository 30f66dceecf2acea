//! One browser after the other: each connection is a task, and nobody may take for ever to ask.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long a connection may say nothing before it asks (again), and how long the head of a request may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);

/// Answers whoever comes until `stop` is done; then all of them are left at once.
pub(super) async fn with_all<S>(
    mut guests: mpsc::Receiver<S>,
    router: Router,
    stop: impl Future<Output = ()>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            guest = guests.recv() => match guest {
                Some(guest) => {
                    open.spawn(with_one(guest, router.clone()));
                }
                None => return,
            },
            _ = open.join_next(), if !open.is_empty() => {}
        }
    }
}

async fn with_one<S>(guest: S, router: Router)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let answers = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(guest), TowerToHyperService::new(router));
    // Browsers come and go as they like.
    let _ = answers.await;
}
