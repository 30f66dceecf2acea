//! What waits to be told to one program, and telling it.

use std::collections::VecDeque;
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
    hook: Webhook,
    url: Uri,
    /// The first is being told.
    waiting: Mutex<VecDeque<Letter>>,
    bell: Notify,
}

impl Queue {
    /// `waiting` is what could not be told so far.
    pub(super) fn new(hook: Webhook, waiting: VecDeque<Letter>) -> Option<Self> {
        match hook.url.parse() {
            Ok(url) => Some(Self { hook, url, waiting: Mutex::new(waiting), bell: Notify::new() }),
            Err(fault) => {
                let Webhook { name, url, .. } = hook;
                tracing::error!(webhook = name, url, %fault, "a webhook has no address");
                None
            }
        }
    }

    pub(super) fn hook(&self) -> &Webhook {
        &self.hook
    }

    /// What waits, for whoever takes this one's place. What is being told this moment is told once more, under the
    /// same id.
    pub(super) fn left(&self) -> VecDeque<Letter> {
        self.waiting().clone()
    }

    pub(super) fn wants(&self, event: WebhookEvent) -> bool {
        self.hook.events.contains(&event)
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

    async fn first(&self) -> Letter {
        loop {
            if let Some(letter) = self.waiting().front() {
                return letter.clone();
            }
            self.bell.notified().await;
        }
    }

    /// The first has been told, unless it has been pushed out meanwhile.
    fn is_done_with(&self, letter: &Letter) {
        let mut waiting = self.waiting();
        if waiting.front().is_some_and(|first| first.id == letter.id) {
            waiting.pop_front();
        }
    }

    /// Tells one thing after the other, for ever.
    pub(super) async fn deliver(&self, poster: &Poster, clock: Clock, patience: Patience) {
        loop {
            let letter = self.first().await;
            self.keeps_telling(&letter, poster, clock, patience).await;
            self.is_done_with(&letter);
        }
    }

    async fn keeps_telling(
        &self,
        letter: &Letter,
        poster: &Poster,
        clock: Clock,
        patience: Patience,
    ) {
        let mut pause = patience.pause_min;
        for tried in 1..=patience.tries {
            let Err(why) = self.tell(letter, poster, clock, patience).await else {
                return;
            };
            let (webhook, event) = (&self.hook.name, letter.event.as_str());
            if tried == patience.tries {
                tracing::error!(webhook, event, why, "a webhook could not be told: given up");
                return;
            }
            if tried == 1 {
                tracing::warn!(webhook, event, why, "a webhook could not be told: trying on");
            }
            sleep(pause).await;
            pause = (pause * 2).min(patience.pause_max);
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
            ("hotline-signature", signature(&self.hook.secret, time, &letter.body)),
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
