//! OpenAI chat completions → events. Only the first choice is read.
//!
//! Compatible providers differ: reasoning is `reasoning_content` or `reasoning`, an index may be missing or the same for
//! several calls, and `stop` may end an answer that calls tools. In a whole answer every entry is a call. In a stream a
//! new id begins a new one, and without an id a name does once the open call has arguments.
//!
//! Space that is said between the fragments of a call waits for the next text, and is nothing when none comes: it would end
//! the call. Any other text there ends it, and a fragment behind that is refused.

use serde::Deserialize;

use super::{Event, Stop, Usage, lenient};
use crate::translate::problem::Broken;

/// Of space that waits, bytes.
const MAX_SPACE: usize = 1024;

#[derive(Deserialize)]
struct Completion {
    choices: Option<Vec<Choice>>,
    #[serde(default, deserialize_with = "lenient::usage")]
    usage: Option<UsageTold>,
}

#[derive(Deserialize)]
struct Choice {
    index: Option<u64>,
    /// In a stream.
    delta: Option<Said>,
    /// In a whole answer.
    message: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    content: Option<Content>,
    #[serde(default, deserialize_with = "lenient::text")]
    refusal: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    reasoning_content: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    reasoning: Option<String>,
    tool_calls: Option<Vec<Fragment>>,
    /// Of the time before tools.
    function_call: Option<Function>,
}

/// A text, or parts as some providers have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize)]
struct Fragment {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Default, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct UsageTold {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Default, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// A call whose arguments are coming.
#[derive(Debug)]
struct Open {
    index: u64,
    /// Empty: it has none.
    id: String,
    has_arguments: bool,
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    begun: bool,
    open: Option<Open>,
    /// Space that was said meanwhile.
    space: String,
    /// Calls that ended because another one began.
    closed: Vec<u64>,
    calls: bool,
    /// The answer is no stream.
    whole: bool,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Event>, Broken> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|_| Broken::Malformed("no chat completion"))?;
    let mut events = Vec::new();
    let mut reader = Reader {
        whole: true,
        ..Reader::default()
    };
    reader.read(completion, &mut events)?;
    if events.is_empty() {
        return Err(Broken::Malformed("a chat completion without a choice"));
    }
    events.push(Event::End);
    Ok(events)
}

impl Reader {
    pub(super) fn event(&mut self, data: &[u8]) -> Result<Vec<Event>, Broken> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(vec![Event::End]);
        }
        let chunk = serde_json::from_slice(data).map_err(|_| Broken::Malformed("no chat chunk"))?;
        let mut events = Vec::new();
        self.read(chunk, &mut events)?;
        Ok(events)
    }

    fn read(&mut self, completion: Completion, events: &mut Vec<Event>) -> Result<(), Broken> {
        let choices = completion.choices.unwrap_or_default();
        if !self.begun && !choices.is_empty() {
            self.begun = true;
            events.push(Event::Begin);
        }
        for choice in choices
            .into_iter()
            .filter(|choice| choice.index.unwrap_or_default() == 0)
        {
            if let Some(said) = choice.delta.or(choice.message) {
                self.said(said, events)?;
            }
            if let Some(reason) = choice.finish_reason {
                events.push(Event::Stop(self.stop(&reason)));
            }
        }
        if let Some(usage) = completion.usage {
            events.push(Event::Usage(usage.read()));
        }
        Ok(())
    }

    fn said(&mut self, said: Said, events: &mut Vec<Event>) -> Result<(), Broken> {
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        let thought = full(said.reasoning_content).or_else(|| full(said.reasoning));
        let waits = |text: &String| self.open.is_some() && text.trim().is_empty();
        events.extend(thought.filter(|text| !waits(text)).map(Event::Thought));
        if let Some(text) = full(said.content.map(Content::into_text)) {
            match waits(&text) {
                true if self.space.len() < MAX_SPACE => self.space.push_str(&text),
                true => {}
                false => events.push(Event::Text(std::mem::take(&mut self.space) + &text)),
            }
        }
        events.extend(full(said.refusal).map(Event::Refusal));
        let legacy = said.function_call.map(|function| Fragment {
            index: None,
            id: None,
            function: Some(function),
        });
        for fragment in said.tool_calls.unwrap_or_default().into_iter().chain(legacy) {
            self.fragment(fragment, events)?;
        }
        Ok(())
    }

    fn fragment(&mut self, fragment: Fragment, events: &mut Vec<Event>) -> Result<(), Broken> {
        let function = fragment.function.unwrap_or_default();
        let id = fragment.id.filter(|id| !id.is_empty());
        let name = function.name.filter(|name| !name.is_empty());
        let index = fragment
            .index
            .or_else(|| self.open.as_ref().map(|open| open.index))
            .unwrap_or_default();
        let goes_on = !self.whole
            && self.open.as_ref().is_some_and(|open| {
                let same = match &id {
                    Some(id) => *id == open.id,
                    None => !open.has_arguments,
                };
                open.index == index && (name.is_none() || same)
            });
        if !goes_on {
            let Some(name) = name else {
                return Err(match self.closed.contains(&index) {
                    true => Broken::Interleaved,
                    false => Broken::Malformed("a tool call without a name"),
                });
            };
            if let Some(before) = self.open.take() {
                self.closed.push(before.index);
                if self.closed.len() > super::MAX_CALLS {
                    return Err(Broken::TooMuch);
                }
            }
            self.open = Some(Open {
                index,
                id: id.clone().unwrap_or_default(),
                has_arguments: false,
            });
            self.calls = true;
            events.push(Event::Call { id, name });
        }
        let arguments = function.arguments.filter(|text| !text.is_empty());
        if let Some(open) = &mut self.open {
            open.has_arguments |= arguments.is_some();
        }
        events.extend(arguments.map(Event::Arguments));
        Ok(())
    }

    fn stop(&self, reason: &str) -> Stop {
        match reason {
            "length" => Stop::MaxTokens,
            "content_filter" => Stop::Refusal,
            // Also where the provider says so without a call: the caller would look for one.
            _ if self.calls => Stop::ToolUse,
            _ => Stop::EndTurn,
        }
    }
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

impl UsageTold {
    fn read(self) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let cache_read = prompt.cached_tokens.unwrap_or_default();
        let cache_write = prompt.cache_write_tokens.unwrap_or_default();
        let cached = cache_read.saturating_add(cache_write);
        let details = self.completion_tokens_details.unwrap_or_default();
        let prompt = self.prompt_tokens.unwrap_or_default();
        // Some count reasoning beside the completion.
        let beyond = self.total_tokens.unwrap_or_default().saturating_sub(prompt);
        Usage {
            input: prompt.saturating_sub(cached),
            cache_read,
            cache_write,
            cache_write_1h: 0,
            output: self.completion_tokens.unwrap_or_default().max(beyond),
            reasoning: details.reasoning_tokens.unwrap_or_default(),
        }
    }
}
