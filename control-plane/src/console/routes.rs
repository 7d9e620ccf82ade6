//! The routes of the control plane's HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus_client::registry::Registry;

use super::health::{Health, Lifecycle};
use crate::context::Context;
use crate::metrics::ProcessState;

#[derive(Clone)]
struct Shared {
    context: Context,
    lifecycle: Lifecycle,
    registry: Arc<Registry>,
}

/// All routes.
pub fn router(context: Context, lifecycle: Lifecycle) -> Router {
    let mut registry = Registry::default();
    context.metrics.register(&mut registry);
    let shared = Shared {
        context,
        lifecycle,
        registry: Arc::new(registry),
    };
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

async fn live(State(shared): State<Shared>) -> Response {
    match shared.lifecycle.live_after.is_cancelled() {
        true => text(StatusCode::OK, "live\n"),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
    }
}

async fn ready(State(shared): State<Shared>) -> Response {
    match shared.lifecycle.stopping.is_cancelled() {
        false => text(StatusCode::OK, "ready\n"),
        true => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

async fn health(State(shared): State<Shared>) -> Response {
    let health = Health::of(&shared.context, &shared.lifecycle);
    let status = match shared.lifecycle.stopping.is_cancelled() {
        false => StatusCode::OK,
        true => StatusCode::SERVICE_UNAVAILABLE,
    };
    match serde_json::to_string(&health) {
        Ok(body) => (
            status,
            [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")],
            body,
        )
            .into_response(),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "health cannot be written\n"),
    }
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let context = &shared.context;
    match context
        .metrics
        .render(&shared.registry, &ProcessState::of(context))
    {
        Ok(body) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be written\n"),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], body).into_response()
}
