//! A reply before it has a connection, and the replies that every path can give.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::behaviour::Behaviour;
use crate::body::FakeBody;
use crate::dialect::{Cloud, Dialect, Spoken};
use crate::step::{Step, whole};
use crate::tally::Flight;
use crate::{anthropic, chat};

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";

/// The connection (HTTP/2: the stream) ends without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Severed {
    #[error("reset on command")]
    OnCommand,
    #[error("the request's body broke off")]
    Body(#[source] Box<dyn Error + Send + Sync>),
    #[error("the answer cannot be written")]
    Answer(#[from] serde_json::Error),
}

/// An answer before it has a connection.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) steps: Vec<Step>,
    /// Stated as `content-length` when known.
    pub(crate) length: Option<usize>,
}

/// The vendor's request id: a header's name and value.
#[derive(Debug)]
pub(crate) struct RequestId {
    name: HeaderName,
    text: String,
}

impl Reply {
    /// A body of unknown length.
    pub(crate) fn stream(steps: Vec<Step>, content_type: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            content_type,
            headers: HeaderMap::new(),
            steps,
            length: None,
        }
    }

    /// Steps that send a body of a known length, or a part of it.
    pub(crate) fn sized(steps: Vec<Step>, length: usize, content_type: &'static str) -> Self {
        Self {
            length: Some(length),
            ..Self::stream(steps, content_type)
        }
    }

    /// A whole body.
    pub(crate) fn body(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let length = body.len();
        let steps = whole(body, None, &Behaviour::default());
        Self {
            status,
            ..Self::sized(steps, length, content_type)
        }
    }

    /// A whole body of JSON with status 200.
    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self::body(StatusCode::OK, JSON, Bytes::from(body))
    }

    /// An error as the behaviour words it.
    pub(crate) fn error(spoken: Spoken, behaviour: &Behaviour, id: &RequestId) -> Result<Self, Severed> {
        let status = behaviour.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = spoken.error_body(status.as_u16(), behaviour, &id.text)?;
        let mut reply = Self::body(status, JSON, body);
        reply
            .headers
            .extend(spoken.error_header(status.as_u16(), behaviour));
        Ok(reply)
    }

    /// A refusal of the caller's request, in the vendor's shape.
    pub(crate) fn refusal(
        spoken: Spoken,
        status: u16,
        message: &str,
        id: &RequestId,
    ) -> Result<Self, Severed> {
        let behaviour = Behaviour {
            error_message: Some(message.to_owned()),
            ..Behaviour::status(status)
        };
        Self::error(spoken, &behaviour, id)
    }

    pub(crate) fn into_response(self, id: RequestId, flight: Flight) -> Response<FakeBody> {
        let body = match self.length {
            Some(length) => FakeBody::sized(self.steps, length, flight),
            None => FakeBody::streamed(self.steps, flight),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if self.content_type == EVENTS {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if let Ok(value) = HeaderValue::try_from(id.text) {
            headers.insert(id.name, value);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }
}

impl RequestId {
    /// Counts up, so that every request has its own.
    pub(crate) fn new(spoken: Spoken, number: u64) -> Self {
        let (name, text) = match (spoken.cloud, spoken.dialect) {
            (Cloud::Bedrock, _) => (
                "x-amzn-requestid",
                format!("00000000-fake-4000-8000-{number:012x}"),
            ),
            (Cloud::Azure, _) => ("apim-request-id", chat::request_id(number)),
            (_, Dialect::Anthropic) => ("request-id", anthropic::request_id(number)),
            (_, Dialect::Chat | Dialect::Responses | Dialect::Embeddings) => {
                ("x-request-id", chat::request_id(number))
            }
            // Google has the id of an answer in its body.
            (_, Dialect::Gemini) => ("x-fake-request-id", chat::request_id(number)),
        };
        Self {
            name: HeaderName::from_static(name),
            text,
        }
    }
}
