//! Gemini → events. Each chunk is a whole response with the parts that are new; usage repeats and the last one counts.
//!
//! A thought's signature comes with the part that it led to and is told before it, so that a caller gives it back before
//! the call. Signatures of text are left out: Gemini does not ask for them.
//! A blocked prompt has no candidates, only the reason.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, Stop, Usage, lenient};
use crate::translate::problem::Broken;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    #[serde(default, deserialize_with = "lenient::usage")]
    usage_metadata: Option<UsageTold>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    index: Option<u64>,
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    thought_signature: Option<String>,
    function_call: Option<FunctionCall>,
}

#[derive(Deserialize)]
struct FunctionCall {
    id: Option<String>,
    name: Option<String>,
    args: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageTold {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    begun: bool,
    calls: bool,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Event>, Broken> {
    let response: Response =
        serde_json::from_slice(body).map_err(|_| Broken::Malformed("no GenerateContentResponse"))?;
    let mut events = Vec::new();
    Reader::default().read(response, &mut events)?;
    if events.is_empty() {
        return Err(Broken::Malformed("a response without candidates"));
    }
    events.push(Event::End);
    Ok(events)
}

impl Reader {
    pub(super) fn event(&mut self, data: &[u8]) -> Result<Vec<Event>, Broken> {
        let chunk = serde_json::from_slice(data);
        let chunk = chunk.map_err(|_| Broken::Malformed("no GenerateContentResponse"))?;
        let mut events = Vec::new();
        self.read(chunk, &mut events)?;
        Ok(events)
    }

    fn read(&mut self, response: Response, events: &mut Vec<Event>) -> Result<(), Broken> {
        let candidates = response.candidates.unwrap_or_default();
        let blocked = response
            .prompt_feedback
            .and_then(|feedback| feedback.block_reason)
            .is_some();
        if !self.begun && (blocked || !candidates.is_empty()) {
            self.begun = true;
            events.push(Event::Begin);
        }
        for candidate in candidates
            .into_iter()
            .filter(|candidate| candidate.index.unwrap_or_default() == 0)
        {
            for part in candidate
                .content
                .and_then(|content| content.parts)
                .unwrap_or_default()
            {
                self.part(part, events);
            }
            if let Some(reason) = candidate.finish_reason {
                events.push(Event::Stop(self.stop(&reason)?));
            }
        }
        events.extend(blocked.then_some(Event::Stop(Stop::Refusal)));
        events.extend(response.usage_metadata.map(|usage| Event::Usage(usage.read())));
        Ok(())
    }

    fn part(&mut self, part: Part, events: &mut Vec<Event>) {
        if let Some(call) = part.function_call {
            events.extend(part.thought_signature.map(Event::Signature));
            events.push(Event::Call {
                id: call.id.filter(|id| !id.is_empty()),
                name: call.name.unwrap_or_default(),
            });
            events.extend(call.args.map(|args| Event::Arguments(args.get().to_owned())));
            self.calls = true;
            return;
        }
        let text = part.text.filter(|text| !text.is_empty());
        events.extend(text.map(|text| match part.thought {
            true => Event::Thought(text),
            false => Event::Text(text),
        }));
    }

    fn stop(&self, reason: &str) -> Result<Stop, Broken> {
        Ok(match reason {
            "MAX_TOKENS" => Stop::MaxTokens,
            "SAFETY"
            | "RECITATION"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "LANGUAGE"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION" => Stop::Refusal,
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE" => {
                return Err(Broken::Malformed("the model wrote a tool call that is none"));
            }
            _ if self.calls => Stop::ToolUse,
            _ => Stop::EndTurn,
        })
    }
}

impl UsageTold {
    fn read(self) -> Usage {
        let cached = self.cached_content_token_count.unwrap_or_default();
        let prompt = self.prompt_token_count.unwrap_or_default();
        let tools = self.tool_use_prompt_token_count.unwrap_or_default();
        let thoughts = self.thoughts_token_count.unwrap_or_default();
        Usage {
            input: prompt.saturating_sub(cached).saturating_add(tools),
            cache_read: cached,
            output: self
                .candidates_token_count
                .unwrap_or_default()
                .saturating_add(thoughts),
            reasoning: thoughts,
            ..Usage::default()
        }
    }
}
