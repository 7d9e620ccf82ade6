//! Answers: read from the provider's dialect as a sequence of events, written in the caller's.
//!
//! A whole answer is the same events at once, so it cannot say anything else than the stream would. Readers are lenient:
//! what they do not know they skip, and numbers that cannot be read count as absent; errors inside a stream are not theirs.
//! Writers put what they are told one after the other: whatever begins ends what was before it. So arguments behind something
//! else than their call are an error.
//!
//! What is kept of an answer is bounded by [`MAX_KEPT`]; more is an error, never a cut text.

mod anthropic_usage;
mod blocks;
mod chat_shape;
mod created;
mod from_anthropic;
mod from_chat;
mod from_gemini;
mod lenient;
mod responses_events;
mod responses_shape;
mod to_anthropic;
mod to_chat;
mod to_responses;

use serde::Serialize;

use super::problem::Broken;
use super::{Answers, Caller, Provider};
use crate::sse::Frame;
use crate::surrogates::{self, Joiner};
use crate::usage::is_keep_alive;

/// The most text, names and arguments of one answer that are kept or passed on, bytes.
const MAX_KEPT: usize = 32 * 1024 * 1024;
/// The most tool calls in one answer.
const MAX_CALLS: usize = 1024;

/// What an answer says, piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Begin,
    Text(String),
    /// Why the model does not want to answer.
    Refusal(String),
    Thought(String),
    /// Ends the thought, or stands alone before a call.
    Signature(String),
    /// Thinking that only its maker can read.
    Redacted(String),
    /// A tool call begins. Without an id the caller is given a new one.
    Call {
        id: Option<String>,
        name: String,
    },
    /// More of the call's arguments.
    Arguments(String),
    Stop(Stop),
    /// Replaces what was said before.
    Usage(Usage),
    /// The answer is whole.
    End,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stop {
    EndTurn,
    MaxTokens,
    /// The sequence, if it is known.
    Sequence(Option<String>),
    ToolUse,
    Refusal,
    /// The conversation is as long as the model can take.
    Context,
    /// A turn that goes on when it is sent back.
    Pause,
}

/// Tokens in disjoint classes, but for reasoning, which is a part of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    /// Of the written, those that stay an hour.
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
}

/// Translates one stream, frame by frame.
///
/// Give it every frame that is no error, then [`finish`](Self::finish) once the provider's stream has ended whole. A
/// stream that was cut is not to be finished, but ended with an error event in the caller's dialect.
#[derive(Debug)]
pub struct StreamTranslator {
    reader: Reader,
    writer: Writer,
    joiner: Joiner,
    passed: usize,
    calls: usize,
    /// The last thing that was said is a call, or a part of one.
    in_call: bool,
    stopped: bool,
    ended: bool,
}

#[derive(Debug)]
enum Reader {
    Anthropic(from_anthropic::Reader),
    Chat(from_chat::Reader),
    Gemini(from_gemini::Reader),
}

#[derive(Debug)]
enum Writer {
    Anthropic(to_anthropic::Writer),
    Chat(to_chat::Writer),
    Responses(to_responses::Writer),
}

// === whole answers ===

pub(super) fn whole(answers: &Answers, body: &[u8], id: &str) -> Result<Vec<u8>, Broken> {
    let body = &*surrogates::mend(body);
    let events = match answers.provider {
        Provider::Anthropic => from_anthropic::whole(body)?,
        Provider::Chat => from_chat::whole(body)?,
        Provider::Gemini => from_gemini::whole(body)?,
    };
    if events
        .iter()
        .filter(|event| matches!(event, Event::Call { .. }))
        .count()
        > MAX_CALLS
    {
        return Err(Broken::TooMuch);
    }
    let mut in_call = false;
    if !events.iter().all(|event| in_order(&mut in_call, event)) {
        return Err(Broken::Interleaved);
    }
    let answer = blocks::Answer::collect(answers, events, id);
    Ok(match answers.caller {
        Caller::Anthropic => to_anthropic::whole(&answer),
        Caller::Chat => to_chat::whole(&answer),
        Caller::Responses => to_responses::whole(&answer),
    })
}

/// Whether this may follow: arguments only behind their call.
fn in_order(in_call: &mut bool, event: &Event) -> bool {
    match event {
        Event::Call { .. } => *in_call = true,
        Event::Arguments(_) => return *in_call,
        Event::Text(_) | Event::Refusal(_) | Event::Thought(_) | Event::Signature(_) | Event::Redacted(_) => {
            *in_call = false;
        }
        Event::Begin | Event::Stop(_) | Event::Usage(_) | Event::End => {}
    }
    true
}

// === impl StreamTranslator ===

impl StreamTranslator {
    pub(super) fn new(answers: &Answers, id: &str) -> Self {
        Self {
            reader: match answers.provider {
                Provider::Anthropic => Reader::Anthropic(from_anthropic::Reader::default()),
                Provider::Chat => Reader::Chat(from_chat::Reader::default()),
                Provider::Gemini => Reader::Gemini(from_gemini::Reader::default()),
            },
            writer: match answers.caller {
                Caller::Anthropic => Writer::Anthropic(to_anthropic::Writer::new(answers, id)),
                Caller::Chat => Writer::Chat(to_chat::Writer::new(answers, id)),
                Caller::Responses => Writer::Responses(to_responses::Writer::new(answers, id)),
            },
            joiner: Joiner::default(),
            passed: 0,
            calls: 0,
            in_call: false,
            stopped: false,
            ended: false,
        }
    }

    /// What the caller is sent for one frame of the provider's: nothing, or whole frames. After an error the stream
    /// cannot go on.
    pub fn frame(&mut self, frame: &Frame) -> Result<Vec<u8>, Broken> {
        let Some(data) = frame.data().filter(|_| !self.ended) else {
            return Ok(Vec::new());
        };
        if is_keep_alive(&data) {
            return Ok(Vec::new());
        }
        let data = self.joiner.mend(&data);
        let events = match &mut self.reader {
            Reader::Anthropic(reader) => reader.event(&data)?,
            Reader::Chat(reader) => reader.event(&data)?,
            Reader::Gemini(reader) => reader.event(&data)?,
        };
        let mut out = Vec::new();
        for event in events {
            self.write(event, &mut out)?;
        }
        Ok(out)
    }

    /// What is left to send at the end of a whole stream: the caller's terminal events, if the provider said why it
    /// stopped and its dialect has no terminal event of its own (or it was left out).
    pub fn finish(&mut self) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        if self.stopped && !self.ended {
            self.write(Event::End, &mut out)?;
        }
        Ok(out)
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.passed = self.passed.saturating_add(event.bytes());
        self.calls += usize::from(matches!(event, Event::Call { .. }));
        if self.passed > MAX_KEPT || self.calls > MAX_CALLS {
            return Err(Broken::TooMuch);
        }
        if !in_order(&mut self.in_call, &event) {
            return Err(Broken::Interleaved);
        }
        self.stopped |= matches!(event, Event::Stop(_));
        if self.ended {
            return Ok(());
        }
        self.ended |= event == Event::End;
        match &mut self.writer {
            Writer::Anthropic(writer) => writer.write(event, out),
            Writer::Chat(writer) => writer.write(event, out),
            Writer::Responses(writer) => writer.write(event, out),
        }
        Ok(())
    }
}

// === impl Event ===

impl Event {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text)
            | Self::Refusal(text)
            | Self::Thought(text)
            | Self::Signature(text)
            | Self::Redacted(text)
            | Self::Arguments(text) => text.len(),
            Self::Call { id, name } => name.len() + id.as_deref().map_or(0, str::len),
            Self::Begin | Self::Stop(_) | Self::Usage(_) | Self::End => 0,
        }
    }
}

/// One frame with a name and JSON, as Anthropic's and Responses' streams have them.
fn named_frame(out: &mut Vec<u8>, name: &str, data: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    frame(out, data);
}

/// One frame with JSON. Nothing that is written here can fail to be JSON.
fn frame(out: &mut Vec<u8>, data: &impl Serialize) {
    let text = serde_json::to_vec(data).unwrap_or_default();
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&text);
    out.extend_from_slice(b"\n\n");
}
