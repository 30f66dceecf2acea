//! One browser after the other: each connection is a task, and nobody may take for ever to ask.
//!
//! Whoever let them in keeps a [`Seat`] for each, and may give it to a newcomer while its holder says nothing. So
//! the seat is told when a whole request has come, whether it is somebody signed in who asks, and when they are
//! answered.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The largest head of a request that is read; what our pages send has some hundred bytes.
const HEAD_MAX: usize = 16 * 1024;

/// How long is waited for whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection that says nothing before it asks (again), and for the head of a request.
    pub head: Duration,
    /// For what comes after the head.
    pub body: Duration,
}

/// Somebody who came in.
pub trait Visitor: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    fn seat(&self) -> Arc<dyn Seat>;
}

/// The place somebody has while they are inside.
pub trait Seat: Send + Sync {
    /// A whole request has come.
    fn asked(&self);
    /// It is somebody signed in who asks.
    fn known(&self);
    /// All of the answer is said.
    fn answered(&self);
}

/// The seat of whoever sent a request, as it goes with it.
#[derive(Clone)]
pub(super) struct Asking(Arc<dyn Seat>);

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(15), body: Duration::from_secs(10) }
    }
}

impl Asking {
    /// The body has come whole too.
    pub(super) fn is_whole(&self) {
        self.0.asked();
    }

    pub(super) fn is_known(&self) {
        self.0.known();
    }
}

/// Answers whoever comes until `stop` is done; then all of them are left at once.
pub(super) async fn with_all<S: Visitor>(
    mut guests: mpsc::Receiver<S>,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) {
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            guest = guests.recv() => match guest {
                Some(guest) => {
                    open.spawn(with_one(guest, router.clone(), patience));
                }
                None => return,
            },
            _ = open.join_next(), if !open.is_empty() => {}
        }
    }
}

async fn with_one<S: Visitor>(guest: S, router: Router, patience: Patience) {
    let seat = guest.seat();
    let router = TowerToHyperService::new(router);
    let answer = service_fn(|request| answer(&router, &seat, request));
    let answers = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(guest), answer);
    // Browsers come and go as they like.
    let _ = answers.await;
}

fn answer(
    router: &TowerToHyperService<Router>,
    seat: &Arc<dyn Seat>,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let saying = Saying(Arc::clone(seat));
    if request.body().is_end_stream() {
        seat.asked();
    }
    request.extensions_mut().insert(Asking(Arc::clone(seat)));
    let answer = router.call(request);
    async move { Ok(answer.await?.map(|body| Body::new(Said { body, _saying: saying }))) }
}

/// An answer that is being said, until it is dropped.
struct Saying(Arc<dyn Seat>);

impl Drop for Saying {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// The body of an answer.
struct Said {
    body: Body,
    _saying: Saying,
}

impl HttpBody for Said {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
