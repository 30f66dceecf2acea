//! A listener's phone: registers (RFC 3261 §10, RFC 7616 with MD5), and answers whatever rings.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use md5::{Digest, Md5};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Fault;
use crate::leg::Legs;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Registers over a connection of its own, and goes on in the background.
pub async fn registers(
    url: &str,
    origin: &str,
    name: &str,
    password: &str,
    legs: Arc<Legs>,
) -> Result<(), Fault> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    request.headers_mut().insert("Origin", HeaderValue::from_str(origin)?);
    let (socket, _) = connect_async(request).await?;
    let (mut mouth, mut ear) = socket.split();

    let asked = register(name, 1, "");
    let challenge = ask(&mut mouth, &mut ear, &asked).await?;
    let credentials = credentials(&challenge, name, password)?;
    let told = ask(&mut mouth, &mut ear, &register(name, 2, &credentials)).await?;
    if !told.starts_with("SIP/2.0 200") {
        return Err(format!("{name} was not registered:\n{told}").into());
    }
    tokio::spawn(async move {
        if let Err(fault) = goes_on(mouth, ear, &legs).await {
            eprintln!("a listener is gone: {fault}");
        }
    });
    Ok(())
}

async fn ask(
    mouth: &mut SplitSink<Socket, Message>,
    ear: &mut SplitStream<Socket>,
    request: &str,
) -> Result<String, Fault> {
    mouth.send(Message::text(request)).await?;
    let told = timeout(Duration::from_secs(5), ear.next()).await?.ok_or("hung up on")??;
    Ok(told.into_text()?.to_string())
}

async fn goes_on(
    mut mouth: SplitSink<Socket, Message>,
    mut ear: SplitStream<Socket>,
    legs: &Legs,
) -> Result<(), Fault> {
    while let Some(message) = ear.next().await {
        let Ok(text) = message?.into_text() else { continue };
        match text.split(' ').next().unwrap_or_default() {
            "INVITE" => {
                mouth.send(Message::text(respond(&text, "180 Ringing", ""))).await?;
                let (_, offer) = text.split_once("\r\n\r\n").unwrap_or_default();
                let answer = legs.answers(offer.to_owned()).await?;
                mouth.send(Message::text(respond(&text, "200 OK", &answer))).await?;
            }
            "BYE" | "CANCEL" | "OPTIONS" | "NOTIFY" | "MESSAGE" | "INFO" => {
                mouth.send(Message::text(respond(&text, "200 OK", ""))).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn register(name: &str, count: u32, more: &str) -> String {
    format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS {name}.invalid;branch=z9hG4bK-{name}-{count}\r\n\
         From: <sip:{name}@127.0.0.1>;tag={name}\r\nTo: <sip:{name}@127.0.0.1>\r\n\
         Call-ID: foreign-{name}\r\nCSeq: {count} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:{name}@{name}.invalid;transport=ws>\r\nExpires: 600\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn credentials(challenge: &str, name: &str, password: &str) -> Result<String, Fault> {
    let line = challenge
        .lines()
        .find(|line| line.starts_with("WWW-Authenticate") && line.contains("MD5"))
        .ok_or_else(|| format!("no challenge with MD5:\n{challenge}"))?;
    let word = |key: &str| {
        let (_, rest) = line.split_once(&format!("{key}=\""))?;
        rest.split('"').next()
    };
    let (realm, nonce) = (word("realm").ok_or("no realm")?, word("nonce").ok_or("no nonce")?);
    let (secret, asked) =
        (md5(&format!("{name}:{realm}:{password}")), md5("REGISTER:sip:127.0.0.1"));
    let response = md5(&format!("{secret}:{nonce}:00000001:c0ffee:auth:{asked}"));
    let opaque = word("opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
    Ok(format!(
        "Authorization: Digest username=\"{name}\", realm=\"{realm}\", nonce=\"{nonce}\", \
         uri=\"sip:127.0.0.1\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, \
         cnonce=\"c0ffee\"{opaque}\r\n"
    ))
}

fn respond(request: &str, status: &str, body: &str) -> String {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let mut text = format!("SIP/2.0 {status}\r\n");
    for line in head.split("\r\n").skip(1) {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "via" | "from" | "call-id" | "cseq" | "record-route" => {
                text.push_str(&format!("{line}\r\n"))
            }
            "to" if line.contains(";tag=") => text.push_str(&format!("{line}\r\n")),
            "to" => text.push_str(&format!("{line};tag=foreign\r\n")),
            _ => {}
        }
    }
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    text.push_str(&format!(
        "Contact: <sip:foreign@foreign.invalid;transport=ws>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    text
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
