//! OpenAI chat completions → events. Only the first choice is read.
//!
//! Compatible providers differ: reasoning is `reasoning_content` or `reasoning`, an index may be missing or the same for
//! several calls (then a new id begins a new one), and `stop` may end an answer that calls tools.

use serde::Deserialize;

use super::{Event, Stop, Usage, lenient};
use crate::translate::problem::Broken;

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

#[derive(Debug, Default)]
pub(super) struct Reader {
    begun: bool,
    /// The call whose arguments are coming: its index and id.
    open: Option<(u64, String)>,
    /// Calls that ended because another one began.
    closed: Vec<u64>,
    calls: bool,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Event>, Broken> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|_| Broken::Malformed("no chat completion"))?;
    let mut events = Vec::new();
    Reader::default().read(completion, &mut events)?;
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
        events.extend(thought.map(Event::Thought));
        events.extend(full(said.content.map(Content::into_text)).map(Event::Text));
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
            .or_else(|| self.open.as_ref().map(|(index, _)| *index))
            .unwrap_or_default();
        let goes_on = self.open.as_ref().is_some_and(|(open, open_id)| {
            *open == index && (name.is_none() || id.as_ref().is_none_or(|id| id == open_id))
        });
        if !goes_on {
            let Some(name) = name else {
                return Err(match self.closed.contains(&index) {
                    true => Broken::Interleaved,
                    false => Broken::Malformed("a tool call without a name"),
                });
            };
            if let Some((before, _)) = self.open.take() {
                self.closed.push(before);
                if self.closed.len() > super::MAX_CALLS {
                    return Err(Broken::TooMuch);
                }
            }
            self.open = Some((index, id.clone().unwrap_or_default()));
            self.calls = true;
            events.push(Event::Call { id, name });
        }
        let arguments = function.arguments.filter(|text| !text.is_empty());
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
        Usage {
            input: self.prompt_tokens.unwrap_or_default().saturating_sub(cached),
            cache_read,
            cache_write,
            cache_write_1h: 0,
            output: self.completion_tokens.unwrap_or_default(),
            reasoning: details.reasoning_tokens.unwrap_or_default(),
        }
    }
}
