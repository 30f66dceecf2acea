//! What changes, told as it changes: one stream of server-sent events for each open page.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::exchange::Board;
use crate::http::desk::access::Who;
use crate::http::desk::me::{KeyView, TextView};
use crate::http::desk::problem::Problem;
use crate::http::desk::views::Role;
use crate::http::desk::{Aside, Desk, Notice, Shown, To};

/// How often the day's figures are told, and the sign-in looked at.
const FIGURES_EVERY: Duration = Duration::from_secs(15);

/// A proxy that hears nothing for long hangs up.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

struct Watcher {
    desk: Arc<Desk>,
    who: Who,
    board: watch::Receiver<Arc<Board>>,
    notices: broadcast::Receiver<Notice>,
    asides: broadcast::Receiver<Aside>,
    figures: Interval,
    /// What is to be told before anything else.
    ready: Vec<Event>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn stream(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place = Arc::clone(&desk.watching).try_acquire_owned();
    let place = place.map_err(|_| Problem::unavailable("too many pages are open"))?;
    let mut figures = interval(FIGURES_EVERY);
    figures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut board = desk.house.board();
    board.mark_changed();
    let watcher = Watcher {
        board,
        notices: desk.notices.subscribe(),
        asides: desk.house.asides(),
        figures,
        ready: Vec::new(),
        is_over: false,
        _place: place,
        desk,
        who,
    };
    let events = unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

impl Watcher {
    fn is_for(&self, notice: &Notice) -> bool {
        match &notice.to {
            To::One(name) => *name == self.who.name,
            To::Managers => self.who.roles.contains(&Role::Manager),
        }
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            tokio::select! {
                changed = self.board.changed() => {
                    changed.ok()?;
                    let me = self.desk.me(&self.who.name);
                    self.ready.extend(event("board", &self.desk.board_view()));
                    self.ready.extend(me.and_then(|me| event("me", &me)));
                }
                notice = self.notices.recv() => match notice {
                    Ok(notice) if self.is_for(&notice) => {
                        self.ready.extend(event("notice", &notice));
                    }
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                aside = self.asides.recv() => match aside {
                    Ok(aside) if aside.to == self.who.name => {
                        self.ready.extend(match aside.what {
                            Shown::Key(key) => event("key", &KeyView { key }),
                            Shown::Text { by_caller, text } => {
                                event("text", &TextView { by_caller, text: text.shown().to_owned() })
                            }
                        });
                    }
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                _ = self.figures.tick() => {
                    let now = self.desk.house.now().steady;
                    if self.desk.sessions().find(&self.who.token, now).is_none() {
                        self.is_over = true;
                        self.ready.push(Event::default().event("signed_out").data("{}"));
                    } else if let Ok(figures) = self.desk.figures_of_today().await {
                        self.ready.extend(event("figures", &figures));
                    }
                }
            }
        }
    }
}

fn event(name: &str, what: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(what).ok()
}
