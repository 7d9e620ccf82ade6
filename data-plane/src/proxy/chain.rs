//! The chain: from a request to the beginning of its answer.
//!
//! Reads top to bottom. Before the key is known a refusal leaves a metric and a sampled log line; from then on a
//! [`Call`] exists and whatever happens makes its record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::guard::Verdict;
use penstock_core::snapshot::{Caller, Snapshot};
use penstock_core::usage::Outcome;
use penstock_dialect::headers::client_response_headers;
use penstock_dialect::route::{Endpoint, Framing, Matched};
use penstock_dialect::{models as shapes, route as paths};
use tokio::time::Instant;

use super::admit::free_call;
use super::answer::{AnswerBody, REQUEST_ID, id_value, json};
use super::attempt::{Answered, Content};
use super::authenticate::{Unauthenticated, Why, authenticate, report_upgrade};
use super::call::Call;
use super::error::Refusal;
use super::failed::Ending;
use super::late::{Begun, EmptyLines};
use super::prepare::{Inbound, Prepared, prepare};
use super::relay::Relay;
use super::settle::End;
use super::stopwatch::Arrival;
use super::{
    Proxy, address, failover, guards, http_debug, late, limits, models, pass_error, permit, reshape, trace,
};

/// Answers a request, whatever it is.
pub(super) async fn answer(
    proxy: Arc<Proxy>,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let mut shown = false;
    let response = handle(proxy, arrival, request, &mut shown).await;
    if shown {
        http_debug::answered(arrival.id, &response, arrival.instant.elapsed());
    }
    response
}

/// `shown`: an operator wants to see the call.
async fn handle(
    proxy: Arc<Proxy>,
    mut arrival: Arrival,
    request: Request<Incoming>,
    shown: &mut bool,
) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let trusted = &proxy.app.config.traffic.trusted_proxies;
    let peer = arrival.address;
    arrival.address = peer.and_then(|peer| address::of_caller(peer, &head.headers, trusted));
    let mut inbound = Inbound {
        arrival,
        asks_first: head.headers.contains_key(header::EXPECT),
        head,
        body,
    };
    let head = &inbound.head;
    if head.uri.path() == "/" && matches!(head.method, Method::GET | Method::HEAD) {
        // Agents look here whether anybody is at home.
        let body = Bytes::from_static(br#"{"service":"penstock"}"#);
        return json(StatusCode::OK, body, arrival.id);
    }
    let matched = match paths::parse(&head.method, head.uri.path(), head.uri.query(), &head.headers) {
        Ok(matched) => matched,
        Err(error) => return refuse(&proxy, inbound, error.dialect(), Refusal::from(&error)).await,
    };
    let snapshot = proxy.app.live.load();
    if snapshot.epoch().is_none() {
        return refuse(&proxy, inbound, matched.dialect, Refusal::not_ready()).await;
    }
    let caller = match authenticate(&snapshot, &head.headers, head.uri.query(), arrival.at) {
        Ok(caller) => caller,
        Err(denied) => return deny(&proxy, &snapshot, inbound, matched, denied).await,
    };
    let mut call = Call::new(&proxy, &snapshot, arrival, matched, Arc::clone(&caller.key));
    trace::begin(&mut call, &inbound.head.headers);
    report_upgrade(&proxy, &caller);
    if http_debug::of_key(&call).is_some() {
        *shown = true;
        http_debug::asked(&call, &inbound.head);
    }
    if let Err(mut refusal) = permit::at_the_door(&call, &caller) {
        call.note_head(&inbound.head.headers, inbound.head.uri.query());
        refusal.close = !inbound.finish().await;
        return refuse_call(call, refusal);
    }
    if !call.endpoint.goes_upstream() {
        call.keep_head(&inbound.head.headers);
        return match free_call(&call).await {
            Ok(()) if call.endpoint == Endpoint::Limits => limits::answer(call, &caller).await,
            Ok(()) => list_models(call, &caller),
            Err(refusal) => refuse_call(call, refusal),
        };
    }
    match prepare(&mut call, &caller, &mut inbound).await {
        Ok(outgoing) => ask_in_time(call, caller, outgoing).await,
        Err(mut refusal) => {
            call.note_head(&inbound.head.headers, inbound.head.uri.query());
            refusal.close = !inbound.finish().await;
            refuse_call(call, refusal)
        }
    }
}

/// Asks providers; a stream that lets its caller wait for long begins without them.
async fn ask_in_time(mut call: Call, caller: Caller, prepared: Prepared) -> Response<AnswerBody> {
    let routing = call.snapshot.routing();
    // An empty line is nothing in other frames than server-sent events.
    let events = call.asked.stream && call.endpoint.framing() == Framing::Sse;
    if !events || routing.keepalive_after_ms == 0 {
        return ask(call, caller, prepared).await;
    }
    let begun = Begun::default();
    call.begun = Some(begun.clone());
    let lines = EmptyLines {
        from: Instant::now() + Duration::from_millis(routing.keepalive_after_ms),
        every: Duration::from_millis(routing.keepalive_every_ms),
    };
    let (dialect, id) = (call.dialect, call.arrival.id);
    late::answer(Box::pin(ask(call, caller, prepared)), begun, lines, dialect, id).await
}

/// Asks providers and hands on what comes of it.
async fn ask(mut call: Call, caller: Caller, prepared: Prepared) -> Response<AnswerBody> {
    let Prepared { outgoing, received } = prepared;
    let asked = failover::run(&mut call, &caller, &outgoing).await;
    match &asked {
        Ok(answered) if matches!(answered.content, Content::Stream(_)) => call.keep_head(&outgoing.headers),
        Ok(_) => {}
        Err(_) => call.note_head(&outgoing.headers, None),
    }
    // Until here the body may be sent again.
    drop((outgoing, received));
    match asked {
        Ok(answered) => deliver(call, answered),
        Err(Ending::Refused(refusal)) => refuse_call(call, refusal),
        Err(Ending::Shown(shown)) => {
            let passed = pass_error::answer(&mut call, *shown);
            passed.unwrap_or_else(|refusal| refuse_call(call, refusal))
        }
    }
}

/// Hands a provider's answer to the caller.
fn deliver(mut call: Call, answered: Answered) -> Response<AnswerBody> {
    let Answered {
        head,
        content,
        patience,
    } = answered;
    let (dialect, id) = (call.dialect, call.arrival.id);
    let spoken = call.chosen.as_ref().map_or(dialect, |chosen| chosen.spoken);
    let streaming = matches!(content, Content::Stream(_));
    let content_type = reshape::content_type(&call, call.chosen.as_ref(), streaming);
    let headers = client_response_headers(&head.headers, dialect, spoken, streaming, call.secret());
    let body = match content {
        Content::Whole(received) => {
            call.answer_begins();
            call.settle(&End {
                status: head.status.as_u16(),
                ..End::succeeded()
            });
            AnswerBody::from(received)
        }
        Content::Stream(opened) => {
            call.answer_begins();
            AnswerBody::from(Relay::new(call, opened, patience))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = headers;
    response.headers_mut().insert(REQUEST_ID, id_value(id));
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

fn list_models(mut call: Call, caller: &Caller) -> Response<AnswerBody> {
    let snapshot = Arc::clone(&call.snapshot);
    let body = match &call.endpoint {
        Endpoint::Model(id) if models::has(&snapshot, caller, call.dialect, id) => {
            shapes::one(call.dialect, id)
        }
        Endpoint::Model(id) => {
            let message = format!("Model {id} is not available here.");
            let refusal = Refusal::new(Code::ModelNotFound, message);
            return refuse_call(call, refusal);
        }
        Endpoint::InferenceProfiles => {
            let models = models::list(&snapshot, caller, call.dialect);
            shapes::inference_profiles(&Vec::from_iter(models))
        }
        Endpoint::Models | Endpoint::Ask(_) | Endpoint::Limits => {
            let models = models::list(&snapshot, caller, call.dialect);
            shapes::list(call.dialect, &Vec::from_iter(models))
        }
    };
    call.settle(&End::succeeded());
    json(StatusCode::OK, body, call.arrival.id)
}

/// Ends a call with an error of ours.
pub(super) fn refuse_call(mut call: Call, refusal: Refusal) -> Response<AnswerBody> {
    let refusal = refusal.quota_status(call.snapshot.limits().quota_status);
    if refusal.gone {
        // Nobody reads what is answered here; the call ends as one that its caller broke off.
        return refusal.answer(call.dialect, call.arrival.id);
    }
    let error = &refusal.error;
    let outcome = match call.attempts.is_empty() {
        true => Outcome::Rejected,
        false => Outcome::Failed,
    };
    call.settle(&End {
        outcome,
        status: call.status_seen(refusal.status()),
        code: Some(error.code),
        error: Some(refusal.detail.as_deref().unwrap_or(&error.message).into()),
    });
    refusal.answer(call.dialect, call.arrival.id)
}

/// Answers a request whose key is not let in. Calls of known keys are recorded.
async fn deny(
    proxy: &Arc<Proxy>,
    snapshot: &Arc<Snapshot>,
    mut inbound: Inbound,
    matched: Matched,
    denied: Unauthenticated,
) -> Response<AnswerBody> {
    let mut refusal = Refusal::from(denied.error);
    let Some(key) = denied.key else {
        if let Some(blocked) = guard(proxy, &inbound.arrival, denied.why).await {
            refusal = blocked.into();
        }
        let headers = &inbound.head.headers;
        proxy
            .unknown_keys
            .unknown_key(&inbound.arrival, headers, &refusal);
        return refuse(proxy, inbound, matched.dialect, refusal).await;
    };
    refusal.close = !inbound.finish().await;
    let mut call = Call::new(proxy, snapshot, inbound.arrival, matched, key);
    trace::begin(&mut call, &inbound.head.headers);
    call.note_head(&inbound.head.headers, inbound.head.uri.query());
    refuse_call(call, refusal)
}

/// Counts an unknown credential against its address; the refusal when there were too many.
async fn guard(proxy: &Proxy, arrival: &Arrival, why: Why) -> Option<CallerError> {
    let address = match why {
        Why::Unknown => address::guard_key(arrival.address),
        Why::NothingPresented | Why::TwoKeys | Why::NotLetIn => return None,
    };
    let guards = &proxy.guards;
    let mut verdict = guards.bad(address, arrival.at);
    if verdict == Verdict::Free {
        // The fleet may have seen more of it.
        let fleet = &proxy.app.fleet;
        if let Some(until) = fleet.guessed(&address.to_string(), guards.rules()).await {
            guards.block_until(address, until);
            verdict = Verdict::Blocked { until };
        }
    }
    guards::refusal(verdict, arrival.at)
}

/// Answers a request that is no call.
async fn refuse(
    proxy: &Proxy,
    mut inbound: Inbound,
    dialect: Dialect,
    mut refusal: Refusal,
) -> Response<AnswerBody> {
    refusal.close = !inbound.finish().await;
    let metrics = &proxy.app.metrics;
    metrics.request(Some(dialect), Outcome::Rejected, refusal.status());
    metrics.error(refusal.error.code);
    refusal.answer(dialect, inbound.arrival.id)
}
