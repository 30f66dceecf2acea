//! One connection of TCP or TLS: read, cut into messages, written to.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::base::Moment;
use crate::net::framing::{Cutter, Piece};
use crate::sip::Flow;

use super::table::Standing;
use super::{Shared, WRITE_PATIENCE};

/// A connection a phone registered or calls over may be silent so long: phones that send no
/// keep-alive come back at the latest to register again.
const SERVED_SILENCE: Duration = Duration::from_secs(2 * 3600);

/// Talks until the connection is over; true if anybody in the house has heard of it.
pub(super) async fn converse<S>(
    shared: &Shared,
    flow: Flow,
    mut stream: S,
    writes: &mut mpsc::Receiver<Bytes>,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut cutter = Cutter::default();
    let mut is_known = false;
    loop {
        let patience = if cutter.is_amid() {
            shared.limits.message_timeout
        } else if shared.table().standing(flow.connection) == Some(Standing::Served) {
            SERVED_SILENCE.max(shared.limits.idle_timeout)
        } else {
            shared.limits.idle_timeout
        };
        // The patience for a begun message counts from its first byte, not from its latest.
        let deadline = cutter
            .begun_at()
            .map_or(patience, |begun| patience.saturating_sub((shared.stamp)().steady - begun));
        tokio::select! {
            biased;
            bytes = writes.recv() => {
                let Some(bytes) = bytes else { break };
                is_known = true;
                if !writes_all(&mut stream, &bytes).await {
                    break;
                }
            }
            read = timeout(deadline, reads_some(&mut stream, &mut cutter, shared)) => {
                let Ok(Ok(at)) = read else { break };
                if !takes_in(shared, flow, &mut stream, &mut cutter, at, &mut is_known).await {
                    break;
                }
            }
        }
    }
    // TLS says goodbye (RFC 8446 §6.1); a peer that doesn't read can't make us wait for it.
    let _ = timeout(WRITE_PATIENCE, stream.shutdown()).await;
    is_known
}

/// Delivers what is whole; false when the connection is over.
async fn takes_in<S: AsyncWrite + Unpin>(
    shared: &Shared,
    flow: Flow,
    stream: &mut S,
    cutter: &mut Cutter,
    at: crate::base::Now,
    is_known: &mut bool,
) -> bool {
    shared.table().hears(flow.connection, at.steady);
    loop {
        match cutter.next_piece() {
            Piece::Message(bytes) => {
                *is_known = true;
                shared.tells(flow, bytes, at).await;
            }
            Piece::Ping => {
                // RFC 5626 §4.4.1: the answer to a double CRLF is a single one.
                if !writes_all(stream, b"\r\n").await {
                    return false;
                }
            }
            Piece::Unfinished => return true,
            Piece::Broken => return false,
        }
    }
}

/// Waits for bytes and gives them to the cutter; when they came.
async fn reads_some<S: AsyncRead + Unpin>(
    stream: &mut S,
    cutter: &mut Cutter,
    shared: &Shared,
) -> io::Result<crate::base::Now> {
    poll_fn(|context| {
        ready!(poll_read(stream, cutter, context, || (shared.stamp)().steady))?;
        Poll::Ready(Ok((shared.stamp)()))
    })
    .await
}

/// Not async, so that an idle connection holds no read buffer.
fn poll_read<S: AsyncRead + Unpin>(
    stream: &mut S,
    cutter: &mut Cutter,
    context: &mut Context<'_>,
    now: impl Fn() -> Moment,
) -> Poll<io::Result<()>> {
    let mut buffer = [0; 16 * 1024];
    let mut buffer = ReadBuf::new(&mut buffer);
    ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
    if buffer.filled().is_empty() {
        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    cutter.takes(buffer.filled(), now());
    Poll::Ready(Ok(()))
}

async fn writes_all<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> bool {
    let writing = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    matches!(timeout(WRITE_PATIENCE, writing).await, Ok(Ok(())))
}
