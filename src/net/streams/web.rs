//! One connection of SIP over WebSocket (RFC 7118, RFC 6455).
//!
//! The framing is the library's. Ours is who may come in (domain.md T-16): the right subprotocol, a
//! Host that is ours, an Origin on the operator's list; and what a frame may hold: one SIP message
//! of at most [`FRAME_MAX`] bytes, or a keep-alive.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{
    HOST, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL,
};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::sip::Flow;

use super::patient::Patient;
use super::{Shared, WRITE_PATIENCE, bare};

/// The largest frame, and the largest message of several.
const FRAME_MAX: usize = 64 * 1024;

/// How often we ask a silent browser whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(25);

/// A browser that answers no ping for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Who may come in by a WebSocket door.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WebRules {
    /// Pages that may: `https://ecoute.example`, compared as a browser writes it.
    pub origins: Vec<String>,
    /// The names this door has: the Host header must be one of them (against DNS rebinding).
    pub hosts: Vec<String>,
}

/// The upgrade; refused with 400 or 403.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    rules: Arc<WebRules>,
) -> io::Result<WebSocketStream<Patient<S>>> {
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * FRAME_MAX)
        .max_message_size(Some(FRAME_MAX))
        .max_frame_size(Some(FRAME_MAX))
        .accept_unmasked_frames(false);
    #[expect(clippy::result_large_err, reason = "the shape is the library's")]
    let judge =
        move |request: &Request, mut response: Response| match judged(&rules, request.headers()) {
            Ok(()) => {
                let protocol = HeaderValue::from_static("sip");
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
                Ok(response)
            }
            Err(status) => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status;
                Err(refusal)
            }
        };
    accept_hdr_async_with_config(Patient::of(stream), judge, Some(config))
        .await
        .map_err(io::Error::other)
}

/// Whether an upgrade with these headers is let in.
fn judged(rules: &WebRules, headers: &HeaderMap) -> Result<(), StatusCode> {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value: &HeaderValue| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    let is_ours =
        |host: &str| rules.hosts.iter().any(|ours| bare(ours).eq_ignore_ascii_case(bare(host)));
    if !only(HOST).is_some_and(is_ours) {
        return Err(StatusCode::FORBIDDEN);
    }
    let is_allowed = |origin: &str| rules.origins.iter().any(|allowed| allowed == origin);
    if !only(ORIGIN).is_some_and(is_allowed) {
        return Err(StatusCode::FORBIDDEN);
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok());
    let speaks_sip = offered.any(|list| list.split(',').any(|one| one.trim() == "sip"));
    if speaks_sip { Ok(()) } else { Err(StatusCode::BAD_REQUEST) }
}

/// Talks until the connection is over; true if anybody in the house has heard of it.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    flow: Flow,
    mut socket: WebSocketStream<Patient<S>>,
    writes: &mut mpsc::Receiver<Bytes>,
) -> bool {
    let mut is_known = false;
    socket.get_mut().expects(shared.limits.message_timeout);
    let mut heard = (shared.stamp)().steady;
    let mut pings = interval(PING_EVERY);
    pings.reset();
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let why = loop {
        tokio::select! {
            biased;
            bytes = writes.recv() => {
                let Some(bytes) = bytes else { break CloseCode::Away };
                is_known = true;
                if !says(&mut socket, framed(bytes)).await {
                    return is_known;
                }
            }
            _ = pings.tick() => {
                let silence = (shared.stamp)().steady - heard;
                if silence > SILENCE_MAX || !says(&mut socket, Message::Ping(Bytes::new())).await {
                    break CloseCode::Away;
                }
            }
            message = socket.next() => {
                let at = (shared.stamp)();
                heard = at.steady;
                socket.get_mut().whole();
                shared.table().hears(flow.connection, at.steady);
                let bytes = match message {
                    Some(Ok(Message::Text(text))) => Bytes::from(text),
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    // Pongs are sent by the library.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => return is_known,
                    Some(Err(error)) => break code_of(&error),
                };
                match kind_of(&bytes) {
                    Kind::Ping => {
                        // RFC 7118 §6, RFC 5626 §4.4.1: a browser may keep the flow alive so too.
                        if !says(&mut socket, framed(Bytes::from_static(b"\r\n"))).await {
                            return is_known;
                        }
                    }
                    Kind::Nothing => {}
                    Kind::Message => {
                        is_known = true;
                        shared.tells(flow, bytes, at).await;
                    }
                }
            }
        }
    };
    let goodbye = CloseFrame { code: why, reason: Utf8Bytes::from_static("") };
    let _ = timeout(WRITE_PATIENCE, socket.close(Some(goodbye))).await;
    is_known
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Message,
    /// A double CRLF.
    Ping,
    /// A single one: the answer to a ping.
    Nothing,
}

fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        b"\r\n\r\n" => Kind::Ping,
        b"" | b"\r\n" => Kind::Nothing,
        _ => Kind::Message,
    }
}

/// SIP is UTF-8, which browsers like better as text; what isn't goes as it is.
fn framed(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

async fn says<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<Patient<S>>,
    message: Message,
) -> bool {
    matches!(timeout(WRITE_PATIENCE, socket.send(message)).await, Ok(Ok(())))
}

/// What a broken frame is told (RFC 6455 §7.4.1).
#[expect(clippy::wildcard_enum_match_arm, reason = "the wildcard is for a library's enum")]
fn code_of(error: &Error) -> CloseCode {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::Size,
        Error::Utf8(_) => CloseCode::Invalid,
        _ => CloseCode::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> WebRules {
        WebRules {
            origins: vec!["https://ecoute.example".into()],
            hosts: vec!["sip.example".into(), "192.0.2.7".into()],
        }
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    /// RFC 6455 §10.2, domain.md T-16: the attack is a page of somebody else's.
    #[test]
    fn only_listed_pages_come_in_under_our_own_name() {
        let origin = ("origin", "https://ecoute.example");
        let host = ("host", "sip.example:443");
        let sip = ("sec-websocket-protocol", "chat, sip");
        let forbidden = Err(StatusCode::FORBIDDEN);
        type Case<'a> = (&'a [(&'a str, &'a str)], Result<(), StatusCode>);
        let table: [Case<'_>; 13] = [
            (&[host, origin, sip], Ok(())),
            (&[("host", "SIP.example"), origin, sip], Ok(())),
            (&[("host", "192.0.2.7:8443"), origin, sip], Ok(())),
            (&[host, sip], forbidden),
            (&[host, ("origin", "null"), sip], forbidden),
            (&[host, ("origin", "http://ecoute.example"), sip], forbidden),
            (&[host, ("origin", "https://ecoute.example.evil.example"), sip], forbidden),
            (&[host, ("origin", "https://ecoute.example:8443"), sip], forbidden),
            (&[host, origin, ("origin", "https://evil.example"), sip], forbidden),
            (&[("host", "evil.example"), origin, sip], forbidden),
            (&[origin, sip], forbidden),
            (&[host, origin], Err(StatusCode::BAD_REQUEST)),
            (&[host, origin, ("sec-websocket-protocol", "sips")], Err(StatusCode::BAD_REQUEST)),
        ];
        for (lines, verdict) in table {
            assert_eq!(judged(&rules(), &headers(lines)), verdict, "{lines:?}");
        }
    }

    #[test]
    fn no_list_lets_nobody_in() {
        let some = [("host", "sip.example"), ("origin", "https://ecoute.example")];
        let rules = WebRules { origins: Vec::new(), ..rules() };

        assert_eq!(judged(&rules, &headers(&some)), Err(StatusCode::FORBIDDEN));
    }
}
