//! What waits to be told to one program, and telling it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use serde::Serialize;
use sha2::Sha256;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::base::in_hexadecimal;
use crate::config::{Webhook, WebhookEvent};
use crate::net::Poster;
use crate::service::Clock;

use super::happenings::Happening;
use super::{Patience, WAITING_MAX};

/// What is told once to each, however often it takes.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    id: String,
    event: WebhookEvent,
    body: Bytes,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    at: DateTime<Utc>,
    #[serde(flatten)]
    happening: &'a Happening,
}

impl Letter {
    pub(super) fn new(happening: &Happening, at: DateTime<Utc>) -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("this machine gave random numbers at the start");
        let id = in_hexadecimal(&bytes);
        let body = serde_json::to_vec(&Told { id: &id, at, happening });
        let body = body.expect("what happens is plain data").into();
        Self { id, event: happening.event(), body }
    }
}

/// One program that is told.
#[derive(Debug)]
pub(super) struct Queue {
    name: String,
    url: Uri,
    secret: Secret,
    events: BTreeSet<WebhookEvent>,
    waiting: Mutex<VecDeque<Letter>>,
    bell: Notify,
}

struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Queue {
    pub(super) fn new(hook: Webhook) -> Option<Self> {
        let Webhook { name, url, secret, events } = hook;
        match url.parse() {
            Ok(url) => Some(Self {
                name,
                url,
                secret: Secret(secret),
                events,
                waiting: Mutex::default(),
                bell: Notify::new(),
            }),
            Err(fault) => {
                tracing::error!(webhook = name, url, %fault, "a webhook has no address");
                None
            }
        }
    }

    pub(super) fn wants(&self, event: WebhookEvent) -> bool {
        self.events.contains(&event)
    }

    /// Never waits: what is too much pushes the oldest out.
    pub(super) fn put(&self, letter: Letter) {
        let mut waiting = self.waiting();
        if waiting.len() >= WAITING_MAX {
            waiting.pop_front();
        }
        waiting.push_back(letter);
        drop(waiting);
        self.bell.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    async fn take(&self) -> Letter {
        loop {
            if let Some(letter) = self.waiting().pop_front() {
                return letter;
            }
            self.bell.notified().await;
        }
    }

    /// Tells one thing after the other, for ever.
    pub(super) async fn deliver(&self, poster: &Poster, clock: Clock, patience: Patience) {
        loop {
            let letter = self.take().await;
            let mut pause = patience.pause_min;
            for tried in 1..=patience.tries {
                let Err(why) = self.tell(&letter, poster, clock, patience).await else {
                    break;
                };
                let (webhook, event) = (&self.name, letter.event.as_str());
                if tried == patience.tries {
                    tracing::error!(webhook, event, why, "a webhook could not be told: given up");
                    break;
                }
                if tried == 1 {
                    tracing::warn!(webhook, event, why, "a webhook could not be told: trying on");
                }
                sleep(pause).await;
                pause = (pause * 2).min(patience.pause_max);
            }
        }
    }

    async fn tell(
        &self,
        letter: &Letter,
        poster: &Poster,
        clock: Clock,
        patience: Patience,
    ) -> Result<(), String> {
        let time = clock.now().wall.timestamp();
        let headers = [
            ("hotline-event", letter.event.as_str().to_owned()),
            ("hotline-delivery", letter.id.clone()),
            ("hotline-signature", signature(&self.secret.0, time, &letter.body)),
        ];
        let headers = headers.map(|(name, value)| {
            let value = HeaderValue::from_str(&value);
            (HeaderName::from_static(name), value.expect("only letters and digits"))
        });
        let asked = poster.post(&self.url, &headers, letter.body.clone());
        match timeout(patience.answer, asked).await {
            Ok(Ok(200..=299)) => Ok(()),
            Ok(Ok(status)) => Err(format!("it answered {status}")),
            Ok(Err(fault)) => Err(fault.to_string()),
            Err(_) => Err("it did not answer".to_owned()),
        }
    }
}

/// `t=…,v1=…`: when it is said, and that we say it.
pub(super) fn signature(secret: &[u8], time: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any secret will do");
    mac.update(time.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={time},v1={}", in_hexadecimal(&mac.finalize().into_bytes()))
}
