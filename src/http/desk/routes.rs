//! Every route once: its path, who may, what goes in and out. The router and the description of the API are
//! both made from this table, so that neither can say what the other doesn't do.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};
use schemars::{Schema, SchemaGenerator};

use crate::http::desk::board::BoardView;
use crate::http::desk::me::{CallAct, DirectoryView, MeView, StateChange};
use crate::http::desk::records::{Figures, RecordView, RecordsWanted};
use crate::http::desk::views::{Done, PhoneView, PlanView, SessionView, SignIn, SwitchOrder};
use crate::http::desk::{Desk, access, acts, events, openapi};

/// Who may use a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    Nobody,
    SignedIn,
    Listener,
    /// Managers and operators.
    Runs,
    Manager,
    Operator,
}

/// A route.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) need: Need,
    pub(super) says: &'static str,
    pub(super) query: Option<Shape>,
    pub(super) takes: Option<Shape>,
    pub(super) gives: Option<Shape>,
    serve: fn() -> MethodRouter<Arc<Desk>>,
}

pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "post",
        path: "/api/session",
        need: Need::Nobody,
        says: "Signs in.",
        query: None,
        takes: Some(|shapes| shapes.subschema_for::<SignIn>()),
        gives: Some(|shapes| shapes.subschema_for::<SessionView>()),
        serve: || post(access::sign_in),
    },
    Route {
        method: "get",
        path: "/api/session",
        need: Need::SignedIn,
        says: "Says who is signed in.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<SessionView>()),
        serve: || get(access::session),
    },
    Route {
        method: "delete",
        path: "/api/session",
        need: Need::SignedIn,
        says: "Signs out; the secret of the page's phone is worth nothing any more.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || delete(access::sign_out),
    },
    Route {
        method: "post",
        path: "/api/session/phone",
        need: Need::Listener,
        says: "Gives the page's phone what it registers with, for as long as the sign-in lasts.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<PhoneView>()),
        serve: || post(access::phone),
    },
    Route {
        method: "get",
        path: "/api/board",
        need: Need::SignedIn,
        says: "Says how the house is doing.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<BoardView>()),
        serve: || get(acts::board),
    },
    Route {
        method: "get",
        path: "/api/figures",
        need: Need::SignedIn,
        says: "Counts today's answer rate, with the text of each formula.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<Figures>()),
        serve: || get(acts::figures),
    },
    Route {
        method: "get",
        path: "/api/events",
        need: Need::SignedIn,
        says: "Tells what changes as it changes: events `board`, `me`, `figures`, `notice`, `key`, `text`, `signed_out`.",
        query: None,
        takes: None,
        gives: None,
        serve: || get(events::stream),
    },
    Route {
        method: "get",
        path: "/api/me",
        need: Need::Listener,
        says: "Says one's own state.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<MeView>()),
        serve: || get(acts::me),
    },
    Route {
        method: "post",
        path: "/api/me/state",
        need: Need::Listener,
        says: "Changes one's own state.",
        query: None,
        takes: Some(|shapes| shapes.subschema_for::<StateChange>()),
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::change_own_state),
    },
    Route {
        method: "post",
        path: "/api/me/call",
        need: Need::Listener,
        says: "Does something with the call one is in.",
        query: None,
        takes: Some(|shapes| shapes.subschema_for::<CallAct>()),
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::act_on_call),
    },
    Route {
        method: "post",
        path: "/api/me/help",
        need: Need::Listener,
        says: "Tells the managers whose page is open that one of them is wanted.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::help),
    },
    Route {
        method: "get",
        path: "/api/directory",
        need: Need::Listener,
        says: "Says whom a listener may ask in the middle of a call.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<DirectoryView>()),
        serve: || get(acts::directory),
    },
    Route {
        method: "post",
        path: "/api/listeners/{listener}/state",
        need: Need::Manager,
        says: "Changes a listener's state; they are told who did it.",
        query: None,
        takes: Some(|shapes| shapes.subschema_for::<StateChange>()),
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::change_state),
    },
    Route {
        method: "post",
        path: "/api/switch",
        need: Need::Runs,
        says: "Closes a line or all, keeps it open, or gives it back to the calendar.",
        query: None,
        takes: Some(|shapes| shapes.subschema_for::<SwitchOrder>()),
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::switch),
    },
    Route {
        method: "get",
        path: "/api/plan",
        need: Need::Runs,
        says: "Says which plan is in force, since when, and what it changed.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<PlanView>()),
        serve: || get(acts::plan),
    },
    Route {
        method: "post",
        path: "/api/plan/reload",
        need: Need::Operator,
        says: "Reads the plan again; refused with every problem it has.",
        query: None,
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<Done>()),
        serve: || post(acts::reload),
    },
    Route {
        method: "get",
        path: "/api/records",
        need: Need::Manager,
        says: "Finds the records of the last 90 days.",
        query: Some(|shapes| shapes.subschema_for::<RecordsWanted>()),
        takes: None,
        gives: Some(|shapes| shapes.subschema_for::<Vec<RecordView>>()),
        serve: || get(acts::records),
    },
    Route {
        method: "get",
        path: "/api/records.csv",
        need: Need::Manager,
        says: "The same as a table for spreadsheets.",
        query: Some(|shapes| shapes.subschema_for::<RecordsWanted>()),
        takes: None,
        gives: None,
        serve: || get(acts::records_csv),
    },
    Route {
        method: "get",
        path: "/api/openapi.json",
        need: Need::Nobody,
        says: "This description.",
        query: None,
        takes: None,
        gives: None,
        serve: || get(openapi::serve),
    },
];

/// The routes of the API, each behind its door.
pub(super) fn api(desk: &Arc<Desk>) -> Router<Arc<Desk>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let door = (Arc::clone(desk), route.need);
        let serve = (route.serve)().route_layer(from_fn_with_state(door, access::admit));
        router.route(route.path, serve)
    })
}
