//! The API's description, made from its routes (OpenAPI 3.1).

use axum::response::Json;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::http::desk::problem::Problem;
use crate::http::desk::routes::{Need, ROUTES, Route};

pub(super) async fn serve() -> Json<Value> {
    Json(describe())
}

pub(super) fn describe() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut shapes = settings.into_generator();
    let problem = shapes.subschema_for::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let takes = route.takes.map(|shape| shape(&mut shapes));
        let gives = route.gives.map(|shape| shape(&mut shapes));
        let query = route.query.map(|shape| shape(&mut shapes));
        let mut operation = json!({
            "summary": route.says,
            "responses": {
                "200": { "description": "done", "content": content(route, gives) },
                "default": {
                    "description": "not done",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
        });
        if let Some(shape) = takes {
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": shape } } });
        }
        let mut parameters = Vec::new();
        if let Some(shape) = query {
            parameters.push(json!({
                "name": "query", "in": "query", "style": "form", "explode": true, "schema": shape,
            }));
        }
        let parts =
            route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parameters.extend(parts.map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        }));
        if route.method != "get" && route.need != Need::Nobody {
            parameters.push(json!({
                "name": "X-CSRF-Token", "in": "header", "required": true, "schema": { "type": "string" },
            }));
        }
        operation["parameters"] = Value::Array(parameters);
        operation["security"] = match route.need {
            Need::Nobody => json!([]),
            Need::SignedIn => json!([{ "session": [] }]),
            Need::Listener => json!([{ "session": ["listener"] }]),
            Need::Runs => json!([{ "session": ["manager", "operator"] }]),
            Need::Manager => json!([{ "session": ["manager"] }]),
            Need::Operator => json!([{ "session": ["operator"] }]),
        };
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "hotline", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": shapes.take_definitions(true),
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "hotline_session" },
            },
        },
    })
}

fn content(route: &Route, gives: Option<schemars::Schema>) -> Value {
    if let Some(shape) = gives {
        return json!({ "application/json": { "schema": shape } });
    }
    let kind = match route.path {
        "/api/events" => "text/event-stream",
        "/api/records.csv" => "text/csv",
        _ => "application/json",
    };
    json!({ kind: {} })
}
