//! Which path answers what.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;

use super::Served;
use super::health::{Health, Status};
use crate::app::App;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Answer = Response<Full<Bytes>>;

/// Answers at once, from memory; the body of a request is not looked at.
pub(super) fn answer<B>(served: &Served, request: &Request<B>) -> Answer {
    let app = &*served.app;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "use GET\n");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/health/live" => live(served),
        "/health/ready" => ready(app),
        "/health" => health(app),
        "/metrics" => match app.metrics.render(&app.state()) {
            Ok(text) => reply(StatusCode::OK, OPEN_METRICS, text),
            Err(_) => reply(
                StatusCode::INTERNAL_SERVER_ERROR,
                TEXT,
                "metrics cannot be written\n",
            ),
        },
        _ => reply(
            StatusCode::NOT_FOUND,
            TEXT,
            "this port has /health, /health/live, /health/ready and /metrics\n",
        ),
    }
}

fn live(served: &Served) -> Answer {
    match &served.live_after {
        Some(token) if !token.is_cancelled() => reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "starting\n"),
        Some(_) | None => reply(StatusCode::OK, TEXT, "live\n"),
    }
}

fn ready(app: &App) -> Answer {
    if app.drain.has_begun() {
        return reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n");
    }
    if app.live.load().is_drained(&app.node_id) {
        return reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "drained by an operator\n");
    }
    match app.ready.is_set() {
        true => reply(StatusCode::OK, TEXT, "ready\n"),
        false => reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "no configuration yet\n"),
    }
}

fn health(app: &App) -> Answer {
    let health = Health::of(app);
    let status = match health.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    match serde_json::to_vec(&health) {
        Ok(json) => reply(status, JSON, json),
        Err(_) => reply(
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            "health cannot be written\n",
        ),
    }
}

fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
