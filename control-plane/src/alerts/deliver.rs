//! From the queue to the webhooks.
//!
//! A delivery that fails is tried again after 10 s, then later and later up to an hour, for a day; then it is given up, and
//! the history says so. Each attempt is written before the next one, so a replica that takes over goes on where the other
//! one was. What was sent and not written is sent again, under the same id.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use penstock_core::backoff::Backoff;
use penstock_core::time::UnixMs;
use penstock_outbound::{Clients, Connections, Reach, chain};
use penstock_store::{Attempted, Delivery, DeliveryState, Error, Notification, Webhook};
use tokio::task::JoinSet;

use super::hook::Hook;
use super::message::{Message, message, refusal};
use crate::clock;
use crate::context::Context;
use crate::metrics::DeliveryLabels;
use crate::tokens::{Purpose, check_address};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 16 * 1024;
const AT_ONCE: u32 = 16;
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Then it is given up.
const PATIENCE_MS: u64 = 86_400_000;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Of the answer; None: there was none.
    pub(crate) status: Option<u16>,
    /// Why it failed, with the step. None: it did not.
    pub(crate) failure: Option<String>,
}

/// Delivers what is due. How many there were.
pub(super) async fn deliver(context: &Context, clients: &Arc<Clients>) -> Result<usize, Error> {
    let due = context.store.due_deliveries(clock::now(), AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let number = due.len();
    let webhooks = context.store.webhooks().await?;
    let mut sending = JoinSet::new();
    for delivery in due {
        let webhook = webhooks
            .iter()
            .find(|webhook| webhook.id == delivery.webhook)
            .cloned();
        let (context, clients) = (context.clone(), Arc::clone(clients));
        sending.spawn(async move {
            let sent = match &webhook {
                Some(webhook) if webhook.enabled => {
                    send(&context, &clients, webhook, &delivery.notification).await
                }
                Some(_) | None => Sent {
                    status: None,
                    failure: Some("the webhook was switched off".to_owned()),
                },
            };
            let now = clock::now();
            let attempted = attempted(&delivery, sent, now, clock::random());
            count(&context, &attempted);
            context.store.delivery_attempted(&attempted, now).await
        });
    }
    let mut result = Ok(number);
    while let Some(ended) = sending.join_next().await {
        if let Ok(Err(error)) = ended {
            result = Err(error);
        }
    }
    result
}

fn count(context: &Context, attempted: &Attempted) {
    let result = match attempted.state {
        DeliveryState::Delivered => "delivered",
        DeliveryState::Waiting => "failed",
        DeliveryState::Failed => "given_up",
    };
    let deliveries = &context.metrics.webhook_deliveries;
    deliveries.get_or_create(&DeliveryLabels { result }).inc();
}

fn attempted(delivery: &Delivery, sent: Sent, now: UnixMs, random: u32) -> Attempted {
    let given_up = now >= delivery.notification.at.plus_ms(PATIENCE_MS);
    let state = match (&sent.failure, given_up) {
        (None, _) => DeliveryState::Delivered,
        (Some(_), true) => DeliveryState::Failed,
        (Some(_), false) => DeliveryState::Waiting,
    };
    Attempted {
        notification: delivery.notification.id,
        webhook: delivery.webhook,
        state,
        next_at: now.plus_ms(wait_ms(delivery.attempts, random)),
        status: sent.status,
        error: sent.failure.unwrap_or_default(),
    }
}

/// Before the attempt after so many that failed.
fn wait_ms(attempts: u32, random: u32) -> u64 {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut wait = FIRST_WAIT;
    for _ in 0..=attempts.min(16) {
        wait = backoff.next(random);
    }
    u64::try_from(wait.max(FIRST_WAIT / 2).as_millis()).unwrap_or(u64::MAX)
}

/// Sends one message to one webhook.
pub(crate) async fn send(
    context: &Context,
    clients: &Clients,
    webhook: &Webhook,
    notification: &Notification,
) -> Sent {
    let failed = |step: &str, why: String| Sent {
        status: None,
        failure: Some(format!("{step}: {why}")),
    };
    let hook = match Hook::of(&context.sealer, webhook) {
        Ok(hook) => hook,
        Err(error) => return failed("read the webhook", error.to_string()),
    };
    let trusted = context.tokens.trusted();
    let (uri, reach) = match check_address("url", hook.url.expose(), Purpose::Webhook, trusted) {
        Ok(checked) => checked,
        Err(invalid) => return failed("check the address", invalid.to_string()),
    };
    let message = message(webhook.preset, notification, hook.secret.as_ref(), clock::now());
    let Some(request) = request(&uri, message) else {
        return failed("make the request", "the URL cannot be called".to_owned());
    };
    match post(clients, request, reach).await {
        Err(why) => failed("call the receiver", why),
        Ok((status, answer)) => {
            let refused = match status {
                200..300 => refusal(webhook.preset, &answer),
                _ => Some(format!("the receiver answered {status}")),
            };
            Sent {
                status: Some(status),
                failure: refused,
            }
        }
    }
}

fn request(uri: &Uri, message: Message) -> Option<Request<Full<Bytes>>> {
    let uri = match message.query.is_empty() {
        true => uri.clone(),
        false => with_query(uri, &message.query)?,
    };
    let mut request = Request::new(Full::from(message.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = message.headers;
    Some(request)
}

fn with_query(uri: &Uri, pairs: &[(&'static str, String)]) -> Option<Uri> {
    let mut query = form_urlencoded::Serializer::new(uri.query().unwrap_or_default().to_owned());
    query.extend_pairs(pairs);
    let mut parts = uri.clone().into_parts();
    let path_and_query = format!("{}?{}", uri.path(), query.finish());
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

async fn post(
    clients: &Clients,
    request: Request<Full<Bytes>>,
    reach: Reach,
) -> Result<(u16, Bytes), String> {
    let connections = Connections::direct(CONNECT, reach);
    let client = clients.make(&connections).map_err(|bad| bad.to_string())?.open();
    let asking = async {
        let answer = client.request(request).await.map_err(|error| chain(&error))?;
        let status = answer.status().as_u16();
        // What it says matters little; that it answered is what counts.
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        Ok((status, body.map(|body| body.to_bytes()).unwrap_or_default()))
    };
    match tokio::time::timeout(ANSWER, asking).await {
        Ok(answered) => answered,
        Err(_) => Err(format!("no answer within {} s", ANSWER.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g11_a_failed_delivery_waits_longer_each_time_up_to_an_hour() {
        let waits: Vec<_> = (0..10).map(|attempts| wait_ms(attempts, u32::MAX)).collect();
        assert_eq!(waits.get(..4), Some(&[10_000, 20_000, 40_000, 80_000][..]));
        assert_eq!(waits.last(), Some(&3_600_000));
        assert_eq!(wait_ms(3, 0), 5_000);
    }

    #[test]
    fn g11_a_signature_joins_the_query_that_the_url_has() {
        let uri: Uri = "https://oapi.example/robot/send?access_token=t".parse().unwrap();
        let signed = with_query(&uri, &[("sign", "a+b=".to_owned())]).unwrap();
        assert_eq!(
            signed,
            "https://oapi.example/robot/send?access_token=t&sign=a%2Bb%3D"
        );
    }
}
