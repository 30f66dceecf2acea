//! The page's own door: browsers come in here, over TLS or, on this machine, without.
//!
//! What they say is none of our business; whoever answers them takes a [`Guest`] after the other, and tells their
//! [`Place`] how far they are. Strangers are bounded as at the doors of SIP (domain.md §5, T-04): so many at once,
//! so many from one address, so long for a handshake, so long for one write. When all places are taken, whoever
//! says nothing makes room (`crowd`). Of the handshakes that are not finished the oldest gives way, so that whoever
//! begins many and ends none keeps nobody out.

mod crowd;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::net::tls::{ServerKeys, TlsDoor};
use crate::net::{Limits, Stamp};

pub use self::crowd::Place;
use self::crowd::{Crowd, Stay};

/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(3);

/// Handshakes at once.
const HANDSHAKES_MAX: usize = 256;

/// How long somebody may take nothing of what they are sent.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);

/// Guests nobody has turned to yet.
const WAITING_MAX: usize = 64;

/// Listening when there is no file handle left to accept with.
const OUT_OF_HANDLES_PAUSE: Duration = Duration::from_millis(100);

/// A door that is open until it is dropped.
pub struct Entrance {
    local: SocketAddr,
    tls: Option<Arc<TlsDoor>>,
    accepting: AbortHandle,
}

/// Somebody who came in.
pub struct Guest {
    road: Road,
    stalled: Option<Pin<Box<Sleep>>>,
    place: Arc<Place>,
    /// None: put out.
    stay: Option<Stay>,
}

enum Road {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Entrance {
    /// Takes the address and lets browsers in from now on. With keys it speaks TLS and nothing else.
    pub async fn open(
        listen: SocketAddr,
        keys: Option<&ServerKeys>,
        limits: Limits,
        stamp: Stamp,
        runtime: &Handle,
    ) -> io::Result<(Self, mpsc::Receiver<Guest>)> {
        let tls = match keys {
            Some(keys) => Some(Arc::new(TlsDoor::new(keys).map_err(io::Error::other)?)),
            None => None,
        };
        let listener = TcpListener::bind(listen).await?;
        let local = listener.local_addr()?;
        let (guests, come) = mpsc::channel(WAITING_MAX);
        let crowd = Arc::new(Crowd::new(limits, stamp));
        let accepting = runtime.spawn(accept(listener, tls.clone(), crowd, guests)).abort_handle();
        Ok((Self { local, tls, accepting }, come))
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// New certificates; whoever is inside goes on with the old ones.
    pub fn rekey(&self, keys: &ServerKeys) -> Result<(), rustls::Error> {
        match &self.tls {
            Some(tls) => tls.rekey(keys),
            None => Ok(()),
        }
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<TlsDoor>>,
    crowd: Arc<Crowd>,
    guests: mpsc::Sender<Guest>,
) {
    // Gone with this task.
    let mut handshakes = JoinSet::new();
    let mut shaking: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a browser can't be let in");
                sleep(OUT_OF_HANDLES_PAUSE).await;
                continue;
            }
        };
        let Some((place, mut stay)) = Crowd::admits(&crowd, peer.ip().to_canonical()) else {
            continue;
        };
        // A courtesy: answers leave at once.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &tls else {
            if guests.send(Guest::new(Road::Plain(stream), place, stay)).await.is_err() {
                return;
            }
            continue;
        };
        shaking.retain(|handshake| !handshake.is_finished());
        if shaking.len() >= HANDSHAKES_MAX
            && let Some(oldest) = shaking.pop_front()
        {
            oldest.abort();
        }
        let handshake = TlsAcceptor::from(tls.config()).accept(stream);
        let guests = guests.clone();
        while handshakes.try_join_next().is_some() {}
        let shakes = handshakes.spawn(async move {
            let shaken = tokio::select! {
                _ = &mut stay => return,
                shaken = timeout(HANDSHAKE_PATIENCE, handshake) => shaken,
            };
            // Plain HTTP and rubbish end here with the alert that TLS has for it.
            if let Ok(Ok(stream)) = shaken {
                let guest = Guest::new(Road::Secure(Box::new(stream)), place, stay);
                let _ = guests.send(guest).await;
            }
        });
        shaking.push_back(shakes);
    }
}

impl Guest {
    fn new(road: Road, place: Place, stay: Stay) -> Self {
        Self { road, stalled: None, place: Arc::new(place), stay: Some(stay) }
    }

    /// Where whoever answers says how far they are.
    pub fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    /// An error once somebody else has their place.
    fn still_inside(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some(stay) = &mut self.stay
            && Pin::new(stay).poll(context).is_pending()
        {
            return Ok(());
        }
        self.stay = None;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// What came of a write; one that waits too long is the last.
    fn judged<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_PATIENCE)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.still_inside(context)?;
        match &mut this.road {
            Road::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Road::Secure(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.still_inside(context)?;
        let written = match &mut this.road {
            Road::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Road::Secure(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        };
        this.judged(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.still_inside(context)?;
        let written = match &mut this.road {
            Road::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Road::Secure(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, parts),
        };
        this.judged(context, written)
    }

    /// True, so that the page's files are sent as they lie, and not copied for everybody who reads slowly.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = match &mut this.road {
            Road::Plain(stream) => Pin::new(stream).poll_flush(context),
            Road::Secure(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        };
        if matches!(flushed, Poll::Ready(Ok(()))) {
            this.place.sent();
        }
        this.judged(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().road {
            Road::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Road::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}
