//! The answer of a model call, once the behaviour is known: bad on command, else good.

use std::future::pending;

use bytes::Bytes;
use http::StatusCode;

use crate::asked::Asked;
use crate::bedrock;
use crate::behaviour::{Behaviour, Ending, Instead};
use crate::dialect::{Asks, Called, Cloud, Spoken};
use crate::draft::{Draft, draft};
use crate::reply::{JSON, Reply, RequestId, Severed};
use crate::responses;
use crate::step::{Step, plan, whole};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\
    <body><h1>This is not an API</h1></body></html>\n";

/// What the behaviour wants instead of an answer; `None` when it wants one.
pub(crate) async fn bad(
    spoken: Spoken,
    streams: bool,
    behaviour: &Behaviour,
    id: &RequestId,
) -> Result<Option<Reply>, Severed> {
    let kind = if streams { spoken.stream_type() } else { JSON };
    let ok = behaviour.status.unwrap_or(StatusCode::OK);
    let reply = match &behaviour.instead {
        None if behaviour.status.is_none() || error_comes_later(streams, behaviour) => return Ok(None),
        Some(Instead::Silence) if streams => return Ok(None),
        None => Reply::error(spoken, behaviour, id)?,
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
        Some(Instead::MalformedJson) => Reply::body(ok, kind, Bytes::from_static(spoken.malformed(streams))),
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
    called: &Called,
    asked: &Asked<'_>,
    said: &str,
    body: &[u8],
    behaviour: &Behaviour,
    id: &RequestId,
) -> Result<Reply, Severed> {
    let spoken = called.spoken;
    let draft = match draft(spoken.dialect, asked, said, body, behaviour) {
        Ok(draft) => draft,
        Err(error) => return Reply::refusal(spoken, 400, &error.to_string(), id),
    };
    if asked.streams() && called.asks == Asks::Answer {
        let events = spoken.events(&draft, asked.includes_usage())?;
        return Ok(Reply::stream(
            plan(&events, &spoken.extras(behaviour)?, behaviour),
            spoken.stream_type(),
        ));
    }
    let answer = if called.asks == Asks::Compact {
        responses::compacted(&draft)?
    } else {
        spoken.body(&draft, asked)?
    };
    let length = answer.len();
    let steps = whole(answer, Some(draft.usage), behaviour);
    let mut reply = sized_unless_ended(steps, length, behaviour);
    if spoken.cloud == Cloud::Bedrock {
        state_usage(&mut reply, &draft);
    }
    Ok(reply)
}

fn state_usage(reply: &mut Reply, draft: &Draft) {
    for (name, count) in bedrock::usage_headers(draft) {
        reply.headers.insert(name, count.into());
    }
}

/// A body that ends early and cleanly has no length to state, or the end would not be clean.
fn sized_unless_ended(steps: Vec<Step>, length: usize, behaviour: &Behaviour) -> Reply {
    match behaviour.end {
        Some(end) if end.how == Ending::Clean => Reply::stream(steps, JSON),
        _ => Reply::sized(steps, length, JSON),
    }
}

/// The status is meant for an error event within a stream.
fn error_comes_later(streams: bool, behaviour: &Behaviour) -> bool {
    streams && behaviour.end.is_some_and(|end| end.how == Ending::Error)
}
