//! What a signed-in person sees and does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Json, Response};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use tokio::task::spawn_blocking;

use crate::base::{LineName, ListenerName, Text};
use crate::exchange::{Command, Helper, LinePlan};
use crate::http::desk::access::Who;
use crate::http::desk::board::BoardView;
use crate::http::desk::figures as formulas;
use crate::http::desk::me::{CallAct, CentreView, DirectoryView, MeView, StateChange};
use crate::http::desk::problem::Problem;
use crate::http::desk::records::{Figures, RecordView, RecordsWanted};
use crate::http::desk::views::{Done, PlanView, SwitchOrder, SwitchWord};
use crate::http::desk::{Desk, Notice, To, text};
use crate::record::{CallRecord, Outcome, Window};

/// Records are kept so long, and answers reach no further back.
const DAYS: u64 = 90;

/// The most records in one answer.
const RECORDS_MAX: usize = 50_000;

/// Figures are counted again after so long.
const FIGURES_FRESH: Duration = Duration::from_secs(10);

/// The most characters written at once.
const WRITTEN_MAX: usize = 2_000;

type Body<T> = Result<Json<T>, JsonRejection>;

pub(super) async fn board(State(desk): State<Arc<Desk>>) -> Json<BoardView> {
    Json(desk.board_view())
}

pub(super) async fn figures(State(desk): State<Arc<Desk>>) -> Result<Json<Figures>, Problem> {
    desk.figures_of_today().await.map(Json)
}

pub(super) async fn me(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Result<Json<MeView>, Problem> {
    desk.me(&who.name).map(Json).ok_or_else(|| Problem::not_there("you are not in the plan"))
}

pub(super) async fn change_own_state(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    body: Body<StateChange>,
) -> Result<Json<Done>, Problem> {
    let Json(change) = body.map_err(|why| Problem::unreadable(why.body_text()))?;
    desk.order(wished(change, who.name)).await
}

/// What a listener does with the call they are in; the exchange knows which.
pub(super) async fn act_on_call(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    body: Body<CallAct>,
) -> Result<Json<Done>, Problem> {
    let Json(act) = body.map_err(|why| Problem::unreadable(why.body_text()))?;
    let listener = who.name;
    let named = |word: &str| {
        word.parse::<ListenerName>().map_err(|why| Problem::unreadable(why.to_string()))
    };
    let command = match act {
        CallAct::MarkBadSound => Command::MarkBadSound { listener },
        CallAct::GiveBack => Command::GiveBack { listener },
        CallAct::AskCentre { centre } => Command::AskCentre { listener, centre: named(&centre)? },
        CallAct::AskColleague { colleague } => {
            Command::AskColleague { listener, colleague: named(&colleague)? }
        }
        CallAct::MoveToColleague { colleague } => {
            Command::MoveToColleague { listener, colleague: named(&colleague)? }
        }
        CallAct::CallEmergency { service } => {
            // Who brought help in stands in the audit (domain.md T-28).
            desk.audit(listener.as_str(), "asked for emergency services", &service, true);
            Command::CallEmergency { listener, service: named(&service)? }
        }
        CallAct::Write { text } => {
            let text = Text::new(text.chars().take(WRITTEN_MAX).collect::<String>());
            Command::Write { listener, text }
        }
        CallAct::TakeBack => Command::TakeBack { listener },
        CallAct::HandOver => Command::HandOver { listener },
    };
    desk.order(command).await
}

pub(super) async fn change_state(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    Path(listener): Path<String>,
    body: Body<StateChange>,
) -> Result<Json<Done>, Problem> {
    let Json(change) = body.map_err(|why| Problem::unreadable(why.body_text()))?;
    let plan = desk.house.plan();
    let name = plan.listeners.keys().find(|name| name.as_str() == listener).cloned();
    let name = name.ok_or_else(|| Problem::not_there("there is no such listener"))?;
    let (act, what) = match change {
        StateChange::Available | StateChange::EndAfterCallWork => ("called back", "called_back"),
        StateChange::Pause { .. } => ("paused", "paused"),
        StateChange::ExtendAfterCallWork { .. }
        | StateChange::Rest
        | StateChange::FinishForToday => {
            return Err(Problem::refused("that is for the listener to say"));
        }
    };
    let done = desk.order(wished(change, name.clone())).await;
    desk.audit(who.name.as_str(), act, name.as_str(), done.is_ok());
    if done.is_ok() {
        // Nobody may be looking.
        let _ = desk.notices.send(Notice { to: To::One(name), what, by: who.display });
    }
    done
}

/// Managers who have their page open are told that a listener wants one of them.
pub(super) async fn help(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Json<Done> {
    desk.audit(who.name.as_str(), "asked for help", "", true);
    let notice = Notice { to: To::Managers, what: "help", by: who.display };
    let done = match desk.notices.send(notice) {
        Ok(_) => "told",
        Err(_) => "nobody has a page open",
    };
    Json(Done { done: done.to_owned() })
}

pub(super) async fn directory(State(desk): State<Arc<Desk>>) -> Json<DirectoryView> {
    let plan = desk.house.plan();
    let told = |of: fn(&LinePlan) -> &BTreeMap<String, Helper>| {
        let all = plan.lines.values().flat_map(|line| of(line));
        let all: BTreeMap<String, String> =
            all.map(|(code, one)| (one.name.to_string(), code.clone())).collect();
        all.into_iter().map(|(name, code)| CentreView { name, code }).collect()
    };
    let (centres, emergency) = (told(|line| &line.centres), told(|line| &line.emergency));
    Json(DirectoryView { centres, emergency })
}

fn wished(change: StateChange, listener: ListenerName) -> Command {
    match change {
        StateChange::Available => Command::ComeBack { listener },
        StateChange::Pause { reason } => Command::Pause { listener, reason },
        StateChange::EndAfterCallWork => Command::EndAfterCallWork { listener },
        StateChange::ExtendAfterCallWork { minutes } => {
            Command::ExtendAfterCallWork { listener, minutes }
        }
        StateChange::Rest => Command::Rest { listener },
        StateChange::FinishForToday => Command::FinishForToday { listener },
    }
}

pub(super) async fn switch(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    body: Body<SwitchOrder>,
) -> Result<Json<Done>, Problem> {
    let Json(order) = body.map_err(|why| Problem::unreadable(why.body_text()))?;
    let plan = desk.house.plan();
    let line = match &order.line {
        None => None,
        Some(word) => Some(known_line(plan.lines.keys(), word)?),
    };
    let until = || {
        let text = order.until.as_deref().filter(|text| !text.trim().is_empty());
        let text =
            text.ok_or_else(|| Problem::unreadable("`until` is missing: when does it end?"))?;
        desk.house.until(line.as_ref(), text).map_err(Problem::unreadable)
    };
    let (act, command) = match order.switch {
        SwitchWord::Close => {
            let message = match &order.message {
                None => None,
                Some(word) => {
                    let found = plan.prompts.keys().find(|name| name.as_str() == word).cloned();
                    Some(found.ok_or_else(|| Problem::not_there("there is no such recording"))?)
                }
            };
            ("closed", Command::Close { line: line.clone(), until: until()?, message })
        }
        SwitchWord::Open => ("opened", Command::Open { line: line.clone(), until: until()? }),
        SwitchWord::Automatic => {
            ("gave back to the calendar", Command::Automatic { line: line.clone() })
        }
    };
    let on = format!(
        "{} {}",
        line.as_ref().map_or("every line", LineName::as_str),
        order.until.as_deref().unwrap_or_default()
    );
    let done = desk.order(command).await;
    desk.audit(who.name.as_str(), act, on.trim(), done.is_ok());
    done
}

fn known_line<'a>(
    mut lines: impl Iterator<Item = &'a LineName>,
    word: &str,
) -> Result<LineName, Problem> {
    let found = lines.find(|name| name.as_str() == word).cloned();
    found.ok_or_else(|| Problem::not_there("there is no such line"))
}

pub(super) async fn plan(State(desk): State<Arc<Desk>>) -> Json<PlanView> {
    Json(desk.house.plan_view())
}

pub(super) async fn reload(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
) -> Result<Json<Done>, Problem> {
    let done = desk.house.reload().await;
    desk.audit(who.name.as_str(), "reloaded the plan", "", done.is_ok());
    done.map(|done| Json(Done { done })).map_err(Problem::refused)
}

pub(super) async fn records(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    query: Result<Query<RecordsWanted>, QueryRejection>,
) -> Result<Json<Vec<RecordView>>, Problem> {
    let found = desk.found(&who, query).await?;
    Ok(Json(found.iter().map(RecordView::from).collect()))
}

pub(super) async fn records_csv(
    State(desk): State<Arc<Desk>>,
    Extension(who): Extension<Who>,
    query: Result<Query<RecordsWanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let found = desk.found(&who, query).await?;
    // Spreadsheets take a file for UTF-8 only if it says so.
    let mut table = String::from("\u{feff}");
    table.push_str(&text::csv_row([
        "arrived", "line", "origin", "trunk", "outcome", "waited", "talked", "lasted", "rung",
        "cause", "plan",
    ]));
    let zone = desk.house.zone();
    for record in found.iter().map(RecordView::from) {
        let arrived = record.arrived.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        let [waited, talked, lasted] =
            [record.waited, record.talked, record.lasted].map(|seconds| seconds.to_string());
        table.push_str(&text::csv_row([
            arrived.as_str(),
            &record.line,
            record.origin.as_deref().unwrap_or_default(),
            record.trunk.as_deref().unwrap_or_default(),
            &record.outcome,
            &waited,
            &talked,
            &lasted,
            &record.rung.to_string(),
            &record.cause,
            &record.plan,
        ]));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"records.csv\""),
    ];
    Ok((headers, table).into_response())
}

impl Desk {
    pub(super) fn board_view(&self) -> BoardView {
        let board = Arc::clone(&self.house.board().borrow());
        let plan = self.house.plan();
        BoardView::of(&board, &self.house.troubles(), |line| {
            let found = plan.lines.iter().find(|(name, _)| name.as_str() == line);
            found.map_or_else(|| line.to_owned(), |(_, plan)| plan.display.clone())
        })
    }

    pub(super) fn me(&self, name: &ListenerName) -> Option<MeView> {
        let board = Arc::clone(&self.house.board().borrow());
        board.listeners.iter().find(|one| one.listener == *name).map(MeView::of)
    }

    pub(super) async fn figures_of_today(self: &Arc<Self>) -> Result<Figures, Problem> {
        let now = self.house.now();
        let mut kept = self.figures.lock().await;
        if let Some((at, figures)) = &*kept
            && now.steady - at.steady < FIGURES_FRESH
        {
            return Ok(figures.clone());
        }
        let since = self.midnight(now.wall.with_timezone(&self.house.zone()).date_naive());
        let window = Window { from: since, until: now.wall, line: None, limit: RECORDS_MAX };
        let figures = formulas::of(&self.records(window).await?, since);
        *kept = Some((now, figures.clone()));
        Ok(figures)
    }

    async fn order(&self, command: Command) -> Result<Json<Done>, Problem> {
        let done = self.house.order(command).await;
        done.map(|done| Json(Done { done })).map_err(Problem::refused)
    }

    async fn found(
        self: &Arc<Self>,
        who: &Who,
        query: Result<Query<RecordsWanted>, QueryRejection>,
    ) -> Result<Vec<CallRecord>, Problem> {
        let Query(wanted) = query.map_err(|why| Problem::unreadable(why.body_text()))?;
        let today = self.house.now().wall.with_timezone(&self.house.zone()).date_naive();
        let first = today.checked_sub_days(Days::new(DAYS)).unwrap_or(today);
        let from = wanted.from.unwrap_or(first).max(first);
        let until = wanted.until.unwrap_or(today).min(today);
        let after = until.checked_add_days(Days::new(1)).unwrap_or(until);
        let line = match wanted.line.as_deref().filter(|line| !line.is_empty()) {
            None => None,
            Some(line) => {
                Some(line.parse::<LineName>().map_err(|why| Problem::unreadable(why.to_string()))?)
            }
        };
        let outcome = match wanted.outcome.as_deref().filter(|outcome| !outcome.is_empty()) {
            None => None,
            Some(word) => {
                Some(word.parse::<Outcome>().map_err(|why| Problem::unreadable(why.to_string()))?)
            }
        };
        let window = Window {
            from: self.midnight(from),
            until: self.midnight(after),
            line,
            limit: RECORDS_MAX,
        };
        // Nobody can be looked for, and yet who looked is written down (domain.md T-27).
        self.audit(who.name.as_str(), "read records", &format!("{from} to {until}"), true);
        let mut found = self.records(window).await?;
        found.retain(|record| outcome.is_none_or(|outcome| record.outcome == outcome));
        Ok(found)
    }

    async fn records(self: &Arc<Self>, window: Window) -> Result<Vec<CallRecord>, Problem> {
        let desk = Arc::clone(self);
        let found = spawn_blocking(move || desk.house.records(&window)).await;
        found
            .map_err(|broke| Problem::unavailable(broke.to_string()))?
            .map_err(Problem::unavailable)
    }

    /// The beginning of a day on the house's clock.
    fn midnight(&self, day: NaiveDate) -> DateTime<Utc> {
        let start = day.and_time(NaiveTime::MIN);
        let local = self.house.zone().from_local_datetime(&start).earliest();
        local.map_or_else(|| start.and_utc(), |local| local.with_timezone(&Utc))
    }
}
