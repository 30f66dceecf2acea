//! A stream on which what has begun must be whole in time (domain.md T-04).
//!
//! The WebSocket's framing is a library's and tells nothing of half a frame; its bytes pass through here.
//! From the first byte behind a whole message the clock runs, until [`Patient::whole`] stops it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

pub(super) struct Patient<S> {
    stream: S,
    /// None: whatever is read now has a limit of its own.
    patience: Option<Duration>,
    unfinished: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn of(stream: S) -> Self {
        Self { stream, patience: None, unfinished: None }
    }

    /// From now on a message has so long.
    pub(super) fn expects(&mut self, patience: Duration) {
        self.patience = Some(patience);
        self.unfinished = None;
    }

    /// A message is whole.
    pub(super) fn whole(&mut self) {
        self.unfinished = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Some(patience) = this.patience
            && buffer.filled().len() > before
        {
            this.unfinished.get_or_insert_with(|| Box::pin(sleep(patience)));
        }
        let mut unfinished = this.unfinished.as_mut();
        let is_over = unfinished.as_mut().is_some_and(|end| end.as_mut().poll(context).is_ready());
        if is_over { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { read }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
