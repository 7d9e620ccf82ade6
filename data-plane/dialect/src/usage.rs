//! Reads an answer on its way to the caller: what it used, and what each frame of a stream means.
//!
//! An [`Observer`] belongs to one attempt. It sees the frames of a stream or the whole body of another answer, never
//! changes them, and keeps only numbers and two short texts. Fields of a wrong type count as absent: an answer that
//! reached the caller must not fail for its bookkeeping. So do counts above [`MAX_TOKENS`]: no answer uses so much, and
//! the ledger would refuse the record as a whole.
//!
//! When an answer broke off before it said what it used, or did not say it, the output relayed is the ground for an
//! estimate (of the prompt whoever sent it knows more): [`Observer::estimated_output`] counts four bytes of text, names and arguments as one token, rounded up. It is
//! rough on purpose; tokenising on the request path costs more than the request.

mod anthropic;
mod chat;
mod embeddings;
mod gemini;
mod responses;

use penstock_core::dialect::Dialect;
use penstock_core::usage::TokenUsage;

use crate::json::{Kind, Members, Problem, Value};
use crate::sse::Frame;
use crate::upstream_error::UpstreamError;

/// A longer model name or response id counts as absent, bytes.
const MAX_TEXT: usize = 256;
/// Longer data is an event, bytes.
const MAX_KEEP_ALIVE: usize = 128;
/// Of a count that is written as text, bytes.
const MAX_COUNT: usize = 32;
const BYTES_PER_TOKEN: u64 = 4;
/// The largest number of tokens of one class that is believed.
const MAX_TOKENS: u64 = 100_000_000;

/// What one frame means for the stream (behaviours B6 and C3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A comment, a blank line, empty data, a ping: the upstream lives, nothing more.
    KeepAlive,
    /// An event, but no content yet and no end: `message_start`, a chunk with the role only, unknown events.
    Neutral,
    /// Content has begun or goes on; before the first of these another provider can still be tried. In a chat
    /// stream also the chunk with the finish reason.
    Content,
    /// The end of a whole answer: `message_stop`, `[DONE]`.
    Terminal,
    /// The provider reports an error inside the stream.
    Error(UpstreamError),
    /// Data that is not a JSON object: not an event of this dialect.
    Malformed,
}

/// What a whole body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A JSON object that is no error.
    Answer,
    /// A JSON object that reports an error.
    Error(UpstreamError),
    /// Not a JSON object.
    Malformed(Problem),
}

/// Reads one answer.
#[derive(Clone, Debug)]
pub struct Observer {
    dialect: Dialect,
    seen: Seen,
    told: anthropic::Told,
}

/// What is known of the answer so far.
#[derive(Clone, Debug, Default)]
struct Seen {
    usage: TokenUsage,
    reported: bool,
    /// How long the prompt was.
    input_reported: bool,
    output_reported: bool,
    model: Option<String>,
    id: Option<String>,
    /// Bytes of text, names and arguments.
    output_bytes: u64,
    /// Nothing has to follow: a clean end of the connection is the end of the answer.
    complete: bool,
}

impl Observer {
    /// For one answer in this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            seen: Seen::default(),
            told: anthropic::Told::default(),
        }
    }

    /// Reads one frame of a stream.
    pub fn stream_frame(&mut self, frame: &Frame) -> Event {
        let Some(data) = frame.data().filter(|data| !data.trim_ascii().is_empty()) else {
            return Event::KeepAlive;
        };
        if is_keep_alive(&data) {
            return Event::KeepAlive;
        }
        match self.dialect {
            Dialect::Anthropic => anthropic::event(&mut self.seen, &mut self.told, frame.event(), &data),
            // Embeddings do not stream, but an error is told as in chat.
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => chat::event(&mut self.seen, &data),
            Dialect::OpenaiResponses => responses::event(&mut self.seen, frame.event(), &data),
            Dialect::Gemini => gemini::event(&mut self.seen, &data),
        }
    }

    /// Reads the whole body of an answer that is no stream.
    pub fn body(&mut self, body: &[u8]) -> Body {
        let read = match self.dialect {
            Dialect::Anthropic => anthropic::body(&mut self.seen, &mut self.told, body),
            Dialect::OpenaiChat => chat::body(&mut self.seen, body),
            Dialect::OpenaiResponses => responses::body(&mut self.seen, body),
            Dialect::OpenaiEmbeddings => embeddings::body(&mut self.seen, body),
            Dialect::Gemini => gemini::body(&mut self.seen, body),
        };
        read.unwrap_or_else(|fault| Body::Malformed(fault.problem))
    }

    /// What the answer reported so far; all zero when it reported nothing.
    pub fn usage(&self) -> &TokenUsage {
        &self.seen.usage
    }

    /// Whether any usage was reported.
    pub fn has_usage(&self) -> bool {
        self.seen.reported
    }

    /// Whether it was reported how long the prompt was.
    pub fn has_input(&self) -> bool {
        self.seen.input_reported
    }

    /// Whether the reported output covers the whole answer: chat says it at the end only, Anthropic says a first
    /// guess in `message_start` and the sum in `message_delta`.
    pub fn has_final_output(&self) -> bool {
        self.seen.output_reported
    }

    /// The usage reported, with the output estimated where no final number came (behaviour C4). The flag says
    /// whether it was.
    pub fn settled(&self) -> (TokenUsage, bool) {
        let mut usage = self.seen.usage.clone();
        if self.seen.output_reported {
            return (usage, false);
        }
        usage.output = usage.output.max(self.estimated_output());
        (usage, true)
    }

    /// Tokens of the output seen so far: its bytes divided by four, rounded up.
    pub fn estimated_output(&self) -> u64 {
        self.seen.output_bytes.div_ceil(BYTES_PER_TOKEN)
    }

    /// Bytes of text, names and arguments seen so far.
    pub fn output_bytes(&self) -> u64 {
        self.seen.output_bytes
    }

    /// Whether a stream may end here without a last event: Gemini has none, and some providers of the chat API leave it
    /// out behind the finish reason. Always false in the other dialects.
    pub fn may_end(&self) -> bool {
        self.seen.complete
    }

    /// The model that answered, as the provider names it.
    pub fn model(&self) -> Option<&str> {
        self.seen.model.as_deref()
    }

    /// The id of the response.
    pub fn response_id(&self) -> Option<&str> {
        self.seen.id.as_deref()
    }
}

impl Seen {
    fn note_model(&mut self, value: &Value<'_>) {
        note(&mut self.model, value);
    }

    fn note_id(&mut self, value: &Value<'_>) {
        note(&mut self.id, value);
    }

    fn add_text(&mut self, value: &Value<'_>) {
        self.output_bytes = self.output_bytes.saturating_add(text_bytes(value));
    }
}

/// A number of tokens that can be.
fn tokens(value: &Value<'_>) -> Option<u64> {
    match value.kind {
        Kind::Number => read_count(std::str::from_utf8(value.raw()).ok()?),
        Kind::String { .. } => read_count(value.short_text(MAX_COUNT)?.trim()),
        Kind::Object | Kind::Array | Kind::True | Kind::False | Kind::Null => None,
    }
}

/// A number of tokens that can be. Some relays write `7.0`, `1e3`, or a text.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "it is between 0 and MAX_TOKENS"
)]
pub(crate) fn read_count(text: &str) -> Option<u64> {
    if let Ok(count) = text.parse::<u64>() {
        return (count <= MAX_TOKENS).then_some(count);
    }
    let number: f64 = text.parse().ok()?;
    let fits = (0.0..=MAX_TOKENS as f64).contains(&number) && number.fract() == 0.0;
    fits.then_some(number as u64)
}

/// Data that says no more than that the provider lives: `ping`, `{"object":"ping"}`.
pub(crate) fn is_keep_alive(data: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] = [b"ping", b"keepalive", b"keep-alive", b"keep_alive", b"heartbeat"];
    let is_word = |word: &[u8]| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let data = data.trim_ascii();
    if data.len() > MAX_KEEP_ALIVE || !data.starts_with(b"{") {
        return is_word(data);
    }
    let Ok(mut members) = Members::open(data) else {
        return false;
    };
    while let Ok(Some(member)) = members.next() {
        // The first one tells: most events of most dialects begin with it.
        if matches!(member.key.name().as_deref(), Some(b"object" | b"type")) {
            return is_word(member.value.inner());
        }
    }
    false
}

/// The first one stays.
fn note(slot: &mut Option<String>, value: &Value<'_>) {
    if slot.is_none() && !value.is_empty() {
        *slot = value.short_text(MAX_TEXT).map(std::borrow::Cow::into_owned);
    }
}

/// Bytes of a string as the caller will see it, about: an escape counts one, `\uXXXX` three, as most scripts take.
fn text_bytes(value: &Value<'_>) -> u64 {
    let inner = value.inner();
    let Kind::String { escaped: true } = value.kind else {
        return inner.len() as u64;
    };
    let (mut length, mut rest) = (0, inner);
    while let Some(found) = memchr::memchr(b'\\', rest) {
        let (escape, counts) = match rest.get(found + 1) {
            Some(b'u') => (6, 3),
            Some(_) | None => (2, 1),
        };
        length += found + counts;
        rest = rest.get(found + escape..).unwrap_or_default();
    }
    (length + rest.len()) as u64
}

/// Reads the members that are left: the data must be one JSON object to its end.
fn drain(mut members: Members<'_>) -> Result<(), crate::json::Fault> {
    while members.next()?.is_some() {}
    members.finish()
}
