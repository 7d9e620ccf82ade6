//! The answer of a model call, once the behaviour is known: bad on command, else good.

use std::future::pending;

use bytes::Bytes;
use http::StatusCode;

use crate::asked::Asked;
use crate::behaviour::{Behaviour, Ending, Instead};
use crate::dialect::Dialect;
use crate::draft::draft;
use crate::reply::{EVENTS, JSON, Reply, RequestId, Severed};
use crate::step::{Extras, Step, plan, whole};
use crate::{anthropic, openai};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\
    <body><h1>This is not an API</h1></body></html>\n";

/// What the behaviour wants instead of an answer; `None` when it wants one.
pub(crate) async fn bad(
    dialect: Dialect,
    streams: bool,
    behaviour: &Behaviour,
    id: &RequestId,
) -> Result<Option<Reply>, Severed> {
    let kind = if streams { EVENTS } else { JSON };
    let ok = behaviour.status.unwrap_or(StatusCode::OK);
    let reply = match &behaviour.instead {
        None if behaviour.status.is_none() || error_comes_later(streams, behaviour) => return Ok(None),
        Some(Instead::Silence) if streams => return Ok(None),
        None => Reply::error(dialect, behaviour, id)?,
        // Without a stream there is no ping, so silence is a head and then nothing.
        Some(Instead::Silence) => Reply::stream(vec![Step::Stall], kind),
        Some(Instead::Hang) => pending().await,
        Some(Instead::Reset) => return Err(Severed::OnCommand),
        Some(Instead::Html) => Reply::body(
            ok,
            "text/html; charset=utf-8",
            Bytes::from_static(PAGE.as_bytes()),
        ),
        Some(Instead::Body(body)) => Reply::body(ok, JSON, Bytes::from(body.clone())),
        Some(Instead::EmptyBody) => Reply::body(ok, kind, Bytes::new()),
        Some(Instead::MalformedJson) => {
            Reply::body(ok, kind, Bytes::from_static(malformed(dialect, streams)))
        }
        Some(Instead::Redirect(place)) => {
            let status = behaviour.status.unwrap_or(StatusCode::TEMPORARY_REDIRECT);
            let mut reply = Reply::body(status, "text/plain", Bytes::new());
            reply.headers.insert(http::header::LOCATION, place.clone());
            reply
        }
    };
    Ok(Some(reply))
}

/// A good answer to `said`, the caller's text without its directive.
pub(crate) fn good(
    dialect: Dialect,
    asked: &Asked<'_>,
    said: &str,
    body: &[u8],
    behaviour: &Behaviour,
    id: &RequestId,
) -> Result<Reply, Severed> {
    let draft = match draft(dialect, asked, said, body, behaviour) {
        Ok(draft) => draft,
        Err(error) => return Reply::refusal(dialect, 400, &error.to_string(), id),
    };
    if asked.streams() {
        let events = match dialect {
            Dialect::Anthropic => anthropic::events(&draft)?,
            Dialect::OpenAi => openai::events(&draft, asked.includes_usage())?,
        };
        return Ok(Reply::stream(
            plan(&events, &extras(dialect, behaviour)?, behaviour),
            EVENTS,
        ));
    }
    let answer = match dialect {
        Dialect::Anthropic => anthropic::body(&draft)?,
        Dialect::OpenAi => openai::body(&draft)?,
    };
    let length = answer.len();
    let steps = whole(answer, Some(draft.usage), behaviour);
    Ok(sized_unless_ended(steps, length, behaviour))
}

/// What the dialect writes besides its good events.
pub(crate) fn extras(dialect: Dialect, behaviour: &Behaviour) -> Result<Extras, serde_json::Error> {
    let status = behaviour
        .status
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        .as_u16();
    Ok(match dialect {
        Dialect::Anthropic => Extras {
            ping: anthropic::ping()?,
            error: anthropic::error_event(status, behaviour)?,
        },
        Dialect::OpenAi => Extras {
            ping: openai::ping(),
            error: openai::error_event(status, behaviour)?,
        },
    })
}

/// A body that ends early and cleanly has no length to state, or the end would not be clean.
fn sized_unless_ended(steps: Vec<Step>, length: usize, behaviour: &Behaviour) -> Reply {
    match behaviour.end {
        Some(end) if end.how == Ending::Clean => Reply::stream(steps, JSON),
        _ => Reply::sized(steps, length, JSON),
    }
}

/// The start of an answer that never becomes JSON.
fn malformed(dialect: Dialect, streams: bool) -> &'static [u8] {
    match dialect {
        _ if !streams => b"{\"id\":\"msg_",
        Dialect::Anthropic => b"event: message_start\ndata: {\"type\":\"message_st\n\n",
        Dialect::OpenAi => b"data: {\"id\":\"chatcmpl\n\n",
    }
}

/// The status is meant for an error event within a stream.
fn error_comes_later(streams: bool, behaviour: &Behaviour) -> bool {
    streams && behaviour.end.is_some_and(|end| end.how == Ending::Error)
}
