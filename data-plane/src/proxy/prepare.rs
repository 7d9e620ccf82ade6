//! From a request that has arrived to what a provider is sent: its body is read and inspected, and everything is taken
//! that the call needs.

use http::{Version, request};
use http_body::Body;
use hyper::body::Incoming;
use penstock_core::error::Code;
use penstock_core::snapshot::Caller;
use penstock_dialect::route::Framing;
use penstock_dialect::{edit, inspect, provider_body, route as paths};

use super::admit::admit;
use super::body::{self, Received};
use super::call::{Asked, Call, Counts};
use super::error::Refusal;
use super::outgoing::Outgoing;
use super::stopwatch::Arrival;
use super::{affinity, decode, permit, session, words};

/// A request that has arrived; its body may still be on its way.
pub(super) struct Inbound {
    pub(super) arrival: Arrival,
    pub(super) head: request::Parts,
    pub(super) body: Incoming,
    /// The client sends its body only when it is asked for it.
    pub(super) asks_first: bool,
}

/// What a provider is sent, and the memory that counts for it.
pub(super) struct Prepared {
    pub(super) outgoing: Outgoing,
    pub(super) received: Received,
}

/// From the body to what a provider is sent, with everything taken that the call needs.
pub(super) async fn prepare(
    call: &mut Call,
    caller: &Caller,
    inbound: &mut Inbound,
) -> Result<Prepared, Refusal> {
    let mut received = read_body(call, inbound).await?;
    let head = &mut inbound.head;
    let mut in_path = call.endpoint.ask().and_then(|ask| ask.in_path.as_ref());
    if call.endpoint.framing() == Framing::Bedrock
        && let Some(path) = in_path.take()
    {
        received.bytes = provider_body::from_bedrock(&received.bytes, path, &mut head.headers);
    }
    let invalid = |error: inspect::InspectError| Refusal::new(Code::InvalidRequest, error.to_string());
    let inspected = inspect::inspect(call.dialect, in_path, &received.bytes).map_err(invalid)?;
    let (session, source) = session::of(call, caller, &head.headers, &received.bytes, &inspected).unzip();
    call.notes.session_source = source;
    let hide_usage = edit::adds_usage(&inspected);
    call.asked = Asked {
        session,
        stream: inspected.stream,
        prompt_bytes: received.bytes.len(),
        counts: Some(Counts::of(&inspected)),
        model: inspected.model.clone(),
    };
    permit::client(caller, &head.headers, &inspected, &received.bytes)?;
    words::check(call, &received.bytes).await?;
    let (admission, affinity) = tokio::join!(admit(call, caller, &received.bytes), affinity::look_up(call));
    call.admission = Some(admission?);
    call.affinity = affinity;
    call.notes.admitted = Some(call.stopwatch.elapsed());
    let outgoing = Outgoing {
        headers: std::mem::take(&mut head.headers),
        beta: paths::asks_beta(head.uri.query()),
        hide_usage,
        asked: received.bytes.clone(),
        inspected,
    };
    Ok(Prepared { outgoing, received })
}

async fn read_body(call: &mut Call, inbound: &mut Inbound) -> Result<Received, Refusal> {
    let max = call.proxy.app.config.traffic.max_body_bytes;
    let coding = decode::coding(&inbound.head.headers)?;
    let reading = body::read(&mut inbound.body, max, &call.proxy.budget);
    let received = call.stopwatch.waiting(reading).await?;
    call.notes.body = Some(call.stopwatch.last_wait());
    match coding {
        None => Ok(received),
        Some(coding) => decode::decode(coding, received, max).await,
    }
}

impl Inbound {
    /// Reads what nobody wants of the body. True when the connection can be used again.
    pub(super) async fn finish(&mut self) -> bool {
        let read = match self.asks_first {
            true => self.body.is_end_stream(),
            false => body::discard(&mut self.body).await,
        };
        read || self.head.version > Version::HTTP_11
    }
}
