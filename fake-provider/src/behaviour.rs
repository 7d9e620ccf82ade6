//! How one answer is to be given, good or bad.
//!
//! The default is a good answer at once. Fields are public so that a test can say exactly what it wants; the
//! constructors cover the common cases: `Behaviour::status(529).retry_after(3)`.
//!
//! "Event" means a server-sent event as written on the wire, counted from the first one, pings included. In an
//! answer that is not streamed, an [`Ending`] at 0 leaves out the body and any later one sends its first half;
//! [`Ending::Error`] is ignored there.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::gate::Gate;
use crate::usage::UsageOverride;

/// How one answer is given.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// What comes instead of an answer.
    pub instead: Option<Instead>,
    /// The status of an error or of `instead`; alone it means an error answer in the vendor's shape.
    pub status: Option<StatusCode>,
    /// `type` of the error (Google: its `status`, AWS: its name); else the vendor's for that status.
    pub error_type: Option<String>,
    /// `message` of the error; else the vendor's for that status.
    pub error_message: Option<String>,
    /// `code` (OpenAI), `details.error_code` (Anthropic) or the reason (Google) of the error.
    pub error_code: Option<String>,
    /// Added to the answer's headers, replacing those of the same name.
    pub headers: HeaderMap,
    /// Waited before the head of the answer.
    pub header_delay: Duration,
    /// Waited after the head and before the first event.
    pub first_event_delay: Duration,
    /// Waited between events.
    pub pace: Duration,
    /// Pings sent before the first event, one each `pace`: Anthropic `event: ping`, OpenAI a comment line,
    /// Google an empty line.
    pub pings: usize,
    /// Waited for before the head of the answer.
    pub hold: Option<Gate>,
    /// Waited for after so many events.
    pub hold_after: Option<(usize, Gate)>,
    /// How a stream ends before its end.
    pub end: Option<StreamEnd>,
    /// Said instead of the echo.
    pub text: Option<String>,
    /// Length of the text in bytes; it is repeated or shortened to fit.
    pub text_bytes: Option<usize>,
    /// Text events in a stream, exactly; at least 1.
    pub chunks: Option<usize>,
    /// Bytes of text in an event; with `chunks` it also sets the length of the text.
    pub chunk_bytes: Option<usize>,
    /// Usage numbers instead of the derived ones.
    pub usage: UsageOverride,
    /// Calls this tool; empty: the first one that the request offers.
    pub tool: Option<String>,
    /// The arguments of that call, as JSON; else made up from the tool's schema.
    pub tool_input: Option<String>,
    /// Thinks first even when the request did not ask.
    pub thinking: bool,
    /// The stop or finish reason to state, in the dialect's own word.
    pub stop_reason: Option<String>,
}

/// What comes instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Nothing, ever; until the caller or shutdown ends it.
    Hang,
    /// A connection reset before the head (HTTP/2: the stream is reset).
    Reset,
    /// A page of HTML, status 200 unless set.
    Html,
    /// This body as it is, status 200 unless set; the content type is JSON unless `headers` has another.
    Body(String),
    /// No body, status 200 unless set; the content type is the one of a good answer.
    EmptyBody,
    /// JSON, or a first event, that does not parse; status 200 unless set.
    MalformedJson,
    /// A redirect to this place, status 307 unless set.
    Redirect(HeaderValue),
    /// The head of a stream, then only pings, one each `pace` (1 s when that is zero), for ever.
    Silence,
}

/// Where and how a stream ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// Events sent before it.
    pub after: usize,
    pub how: Ending,
}

/// How a stream ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The connection is dropped; the framing is not finished.
    Cut,
    /// The body ends properly, but the dialect's last events are missing.
    Clean,
    /// An error event with `error_type`, `error_message`, `error_code` (or what `status` stands for), then the end.
    Error,
    /// Nothing more comes and the connection stays open.
    Stall,
}

impl Behaviour {
    /// An error answer with this status in the vendor's shape; an impossible status becomes 500.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Something else than an answer.
    #[must_use]
    pub fn instead(instead: Instead) -> Self {
        Self {
            instead: Some(instead),
            ..Self::default()
        }
    }

    /// A stream that ends early, after so many events.
    #[must_use]
    pub fn ends(after: usize, how: Ending) -> Self {
        Self {
            end: Some(StreamEnd { after, how }),
            ..Self::default()
        }
    }

    /// A good answer that states these numbers.
    #[must_use]
    pub fn usage(usage: UsageOverride) -> Self {
        Self {
            usage,
            ..Self::default()
        }
    }

    /// A good answer that waits for the gate before its head.
    #[must_use]
    pub fn held(gate: &Gate) -> Self {
        Self {
            hold: Some(gate.clone()),
            ..Self::default()
        }
    }

    /// A stream that waits for the gate after so many events.
    #[must_use]
    pub fn held_after(events: usize, gate: &Gate) -> Self {
        Self {
            hold_after: Some((events, gate.clone())),
            ..Self::default()
        }
    }

    /// The error's type, message and code.
    #[must_use]
    pub fn error(mut self, kind: &str, message: &str, code: Option<&str>) -> Self {
        self.error_type = Some(kind.to_owned());
        self.error_message = Some(message.to_owned());
        self.error_code = code.map(str::to_owned);
        self
    }

    /// Adds `retry-after` in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.headers
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        self
    }

    /// Time between events.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Exactly so many text events.
    #[must_use]
    pub fn chunks(mut self, chunks: usize) -> Self {
        self.chunks = Some(chunks);
        self
    }

    /// Bytes of text in all.
    #[must_use]
    pub fn text_bytes(mut self, bytes: usize) -> Self {
        self.text_bytes = Some(bytes);
        self
    }

    /// True when a prebuilt answer, paced as asked, would be the same as one made for the request.
    pub(crate) fn allows_prebuilt(&self) -> bool {
        let untouched = self.instead.is_none() && self.status.is_none() && self.end.is_none();
        let free = self.hold.is_none() && self.hold_after.is_none() && self.headers.is_empty();
        let plain = self.tool.is_none() && !self.thinking && self.stop_reason.is_none();
        untouched && free && plain && self.pings == 0 && self.usage.is_empty()
    }
}
