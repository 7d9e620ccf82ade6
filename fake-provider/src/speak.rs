//! Writing in what is spoken: one place that knows every API's writer.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::asked::Asked;
use crate::behaviour::Behaviour;
use crate::credential::Refusal;
use crate::dialect::{Cloud, Dialect, Spoken};
use crate::draft::Draft;
use crate::reply::EVENTS;
use crate::step::{Event, Extras};
use crate::{anthropic, bedrock, chat, embeddings, gemini, responses};

const FRAMES: &str = "application/vnd.amazon.eventstream";

/// What Azure sends before the first event of a chat.
const PROMPT_FILTER: &[u8] =
    b"data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\
    \"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n";

impl Spoken {
    /// The body of a good answer that is not streamed.
    pub(crate) fn body(self, draft: &Draft, asked: &Asked<'_>) -> Result<Bytes, serde_json::Error> {
        match self.dialect {
            Dialect::Anthropic => anthropic::body(draft),
            Dialect::Chat => chat::body(draft),
            Dialect::Responses => responses::body(draft),
            Dialect::Embeddings => embeddings::body(draft, asked),
            Dialect::Gemini => gemini::body(draft),
        }
    }

    /// The events of a good stream; embeddings have none.
    pub(crate) fn events(self, draft: &Draft, include_usage: bool) -> Result<Vec<Event>, serde_json::Error> {
        let mut events = match self.dialect {
            Dialect::Anthropic => anthropic::events(draft)?,
            Dialect::Chat => chat::events(draft, include_usage)?,
            Dialect::Responses => responses::events(draft)?,
            Dialect::Embeddings => Vec::new(),
            Dialect::Gemini => gemini::events(draft)?,
        };
        match self.cloud {
            Cloud::Bedrock => Ok(bedrock::framed(events, draft)),
            Cloud::Azure if self.dialect == Dialect::Chat => {
                events.insert(0, Event::plain(Bytes::from_static(PROMPT_FILTER)));
                Ok(events)
            }
            Cloud::Own | Cloud::Vertex | Cloud::Azure | Cloud::Droid => Ok(events),
        }
    }

    /// What is written besides good events.
    pub(crate) fn extras(self, behaviour: &Behaviour) -> Result<Extras, serde_json::Error> {
        let status = behaviour.status.map_or(500, |status| status.as_u16());
        if self.cloud == Cloud::Bedrock {
            return Ok(Extras {
                ping: bedrock::frame(&anthropic::ping()?, None),
                error: bedrock::exception(status, behaviour)?,
            });
        }
        Ok(match self.dialect {
            Dialect::Anthropic => Extras {
                ping: anthropic::ping()?,
                error: anthropic::error_event(status, behaviour)?,
            },
            Dialect::Chat | Dialect::Embeddings => Extras {
                ping: chat::ping(),
                error: chat::error_event(status, behaviour)?,
            },
            Dialect::Responses => Extras {
                ping: chat::ping(),
                error: responses::error_event(status, behaviour)?,
            },
            // Google's clients choke on comments.
            Dialect::Gemini => Extras {
                ping: Bytes::from_static(b"\r\n"),
                error: gemini::error_event(status, behaviour)?,
            },
        })
    }

    /// The body of an error answer.
    pub(crate) fn error_body(
        self,
        status: u16,
        behaviour: &Behaviour,
        request_id: &str,
    ) -> Result<Bytes, serde_json::Error> {
        match (self.cloud, self.dialect) {
            (Cloud::Bedrock, _) => bedrock::error_body(status, behaviour),
            (_, Dialect::Anthropic) => anthropic::error_body(status, behaviour, request_id),
            (_, Dialect::Chat | Dialect::Responses | Dialect::Embeddings) => {
                chat::error_body(status, behaviour)
            }
            (_, Dialect::Gemini) => gemini::error_body(status, behaviour),
        }
    }

    /// What the head of an error answer has besides.
    pub(crate) fn error_header(
        self,
        status: u16,
        behaviour: &Behaviour,
    ) -> Option<(HeaderName, HeaderValue)> {
        if self.cloud != Cloud::Bedrock {
            return None;
        }
        let name = bedrock::error_name(status, behaviour);
        // AWS writes where the name is from behind it.
        let value = HeaderValue::try_from(format!("{name}:http://internal.amazon.com/coral/")).ok()?;
        Some((HeaderName::from_static("x-amzn-errortype"), value))
    }

    /// How a bad credential is worded.
    pub(crate) fn refused(self, refusal: Refusal) -> Behaviour {
        match (self.cloud, self.dialect) {
            (Cloud::Bedrock, _) => bedrock::refused(refusal),
            (Cloud::Vertex, _) => Behaviour::status(401).error(
                if self.dialect == Dialect::Gemini {
                    "UNAUTHENTICATED"
                } else {
                    "authentication_error"
                },
                "Request had invalid authentication credentials. Expected OAuth 2 access token.",
                None,
            ),
            (Cloud::Azure, _) => Behaviour::status(401).error(
                "invalid_request_error",
                "Access denied due to invalid subscription key or wrong API endpoint.",
                Some("401"),
            ),
            (Cloud::Own | Cloud::Droid, Dialect::Anthropic) => anthropic::refused(refusal),
            (Cloud::Own | Cloud::Droid, Dialect::Gemini) => gemini::refused(refusal),
            (Cloud::Own | Cloud::Droid, Dialect::Chat | Dialect::Responses | Dialect::Embeddings) => {
                chat::refused(refusal)
            }
        }
    }

    /// The start of an answer that never becomes JSON, or a frame.
    pub(crate) fn malformed(self, streams: bool) -> &'static [u8] {
        match (self.cloud, self.dialect) {
            _ if !streams => b"{\"id\":\"msg_",
            (Cloud::Bedrock, _) => b"\x00\x00\x01\x00this is no frame",
            (_, Dialect::Anthropic) => b"event: message_start\ndata: {\"type\":\"message_st\n\n",
            (_, Dialect::Chat | Dialect::Embeddings) => b"data: {\"id\":\"chatcmpl\n\n",
            (_, Dialect::Responses) => b"event: response.created\ndata: {\"type\":\"response.cre\n\n",
            (_, Dialect::Gemini) => b"data: {\"candidates\r\n\r\n",
        }
    }

    /// The content type of a stream.
    pub(crate) fn stream_type(self) -> &'static str {
        match self.cloud {
            Cloud::Bedrock => FRAMES,
            Cloud::Own | Cloud::Vertex | Cloud::Azure | Cloud::Droid => EVENTS,
        }
    }
}
