//! An [`Ask`] → Anthropic Messages.
//!
//! - Anthropic wants a limit of the answer: [`max_tokens`] when the caller has none.
//! - Instructions between turns are told in the user's turn, in tags, as not all models take the `system` role there.
//! - A `prompt_cache_key` says that the caller counts on a cache, which Anthropic wants to be asked for: behind the system
//!   text and behind the newest turn.
//! - Models that think by budgets want the newest call's thinking back; when it is not there (chat callers have no place
//!   for it), they do not think until the tools' results are answered.
//! - Anthropic refuses thinking together with a tool that must be called, a `temperature`, or a `top_p` below 0.95, and a
//!   `temperature` above 1. The tool comes before thinking, thinking before the others.

use serde_json::value::RawValue;

use super::anthropic_body::{
    Block, BlockKind, Body, CacheControl, Message, OutputConfig, SchemaFormat, SourceSpec, ThinkingSpec,
    ToolChoice, ToolSpec,
};
use super::{json, merged, reminder};
use crate::translate::Provider;
use crate::translate::ask::{Ask, Format, Media, Part, Role, Source, Turn};
use crate::translate::effort::{Effort, MIN_BUDGET, Thinking, thinks_by_budget};
use crate::translate::fields::Json;
use crate::translate::problem::Untranslatable;
use crate::translate::tools::{self, Choice, Tool, plain_id};

/// The least beside thinking.
const LEAST_TOP_P: f64 = 0.95;

pub(super) fn write(ask: &Ask<'_>, model: &str) -> Result<Vec<u8>, Untranslatable> {
    let max_tokens = ask.max_tokens.unwrap_or_else(|| max_tokens(model));
    let (thinking, effort) = thinking(ask, model, max_tokens);
    let format = ask.format.as_ref().map(format).transpose()?;
    let mut system: Vec<Block<'_>> = ask
        .system
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| self::text(text))
        .collect();
    let mut messages = messages(&ask.turns);
    if ask.cache {
        let newest = messages.last_mut().and_then(|message| message.content.last_mut());
        for block in system.last_mut().into_iter().chain(newest) {
            block.cache_control = Some(CacheControl::Ephemeral);
        }
    }
    Ok(json(&Body {
        model,
        max_tokens,
        system,
        messages,
        tools: ask.tools.iter().map(tool).collect(),
        tool_choice: tool_choice(ask),
        temperature: temperature(ask, thinking.is_some()),
        top_p: ask
            .top_p
            .as_ref()
            .filter(|top_p| thinking.is_none() || number(top_p) >= LEAST_TOP_P),
        stop_sequences: &ask.stop,
        thinking,
        output_config: (effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format }),
        stream: ask.stream,
    }))
}

/// None beside thinking.
fn temperature<'t>(ask: &'t Ask<'_>, thinks: bool) -> Option<Json<'t>> {
    let wanted = ask.temperature.as_ref().filter(|_| !thinks)?;
    match number(wanted) > 1.0 {
        true => tools::json("1"),
        false => Some(Json::Borrowed(&**wanted)),
    }
}

fn number(json: &RawValue) -> f64 {
    json.get().parse().unwrap_or_default()
}

/// The most that an answer may have when the caller says nothing, tokens: what all models of the generation take.
fn max_tokens(model: &str) -> u64 {
    match model.split_once("claude-").map(|(_, rest)| rest) {
        Some(rest) if rest.starts_with("3-5") => 8192,
        Some(rest) if rest.starts_with("3-") && !rest.starts_with("3-7") => 4096,
        Some(_) | None => 32_000,
    }
}

fn thinking(ask: &Ask<'_>, model: &str, max_tokens: u64) -> (Option<ThinkingSpec>, Option<&'static str>) {
    let display = match ask.thinking {
        Thinking::Adaptive { shown: Some(true) } => Some("summarized"),
        Thinking::Unsaid | Thinking::Off | Thinking::Adaptive { .. } | Thinking::Budget { .. } => None,
    };
    let wanted = match ask.effort {
        Some(effort) => effort != Effort::None,
        None => display.is_some(),
    };
    let forced = !ask.tools.is_empty() && matches!(ask.choice, Some(Choice::Any | Choice::One(_)));
    if wanted && forced {
        let effort = ask.effort.filter(|_| !thinks_by_budget(model));
        return (None, effort.and_then(Effort::anthropic));
    }
    if !wanted {
        return (None, None);
    }
    if !thinks_by_budget(model) {
        return (
            Some(ThinkingSpec::Adaptive { display }),
            ask.effort.and_then(Effort::anthropic),
        );
    }
    // A quarter of the answer is left for what is not thinking.
    let most = max_tokens.saturating_sub(max_tokens / 4);
    let budget_tokens = ask.effort.unwrap_or(Effort::Medium).budget().min(most);
    let room = budget_tokens >= MIN_BUDGET && !forgot_thinking(&ask.turns);
    (room.then_some(ThinkingSpec::Enabled { budget_tokens }), None)
}

/// Whether results answer calls whose thinking is not there.
fn forgot_thinking(turns: &[Turn<'_>]) -> bool {
    let merged = merged(turns);
    let [.., (Role::Assistant, calls), (Role::User, results)] = merged.as_slice() else {
        return false;
    };
    let answers = results.iter().any(|part| matches!(part, Part::Result { .. }));
    answers && !matches!(calls.first(), Some(Part::Thought { .. } | Part::Redacted(_)))
}

fn messages<'t>(turns: &'t [Turn<'_>]) -> Vec<Message<'t>> {
    let sided = reminded(turns);
    let mut messages: Vec<Message<'t>> = Vec::with_capacity(sided.len());
    for (role, blocks) in sided {
        let role = match role {
            Role::System | Role::User => "user",
            Role::Assistant => "assistant",
        };
        match messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            Some(_) | None => messages.push(Message {
                role,
                content: blocks,
            }),
        }
    }
    for message in &mut messages {
        message
            .content
            .sort_by_key(|block| !matches!(block.kind, BlockKind::ToolResult { .. }));
    }
    messages
}

/// Each turn's blocks, instructions in tags; turns that say nothing are left out.
fn reminded<'t>(turns: &'t [Turn<'_>]) -> Vec<(Role, Vec<Block<'t>>)> {
    let blocks = |turn: &'t Turn<'_>| match turn.role {
        Role::System => turn.parts.iter().filter_map(instruction).collect(),
        Role::User | Role::Assistant => turn.parts.iter().map(block).collect::<Vec<_>>(),
    };
    let sided = turns.iter().map(|turn| (turn.role, blocks(turn)));
    sided.filter(|(_, blocks)| !blocks.is_empty()).collect()
}

fn instruction<'t>(part: &'t Part<'_>) -> Option<Block<'t>> {
    match part {
        Part::Text(text) => Some(BlockKind::Text { text: reminder(text) }.into()),
        Part::Image(_) | Part::File(_) => Some(block(part)),
        Part::Thought { .. } | Part::Redacted(_) | Part::Call { .. } | Part::Result { .. } => None,
    }
}

fn block<'t>(part: &'t Part<'_>) -> Block<'t> {
    match part {
        Part::Text(text) => self::text(text),
        Part::Image(media) => BlockKind::Image {
            source: source(media),
        }
        .into(),
        Part::File(media) => BlockKind::Document {
            source: source(media),
            title: media.name.as_deref(),
        }
        .into(),
        Part::Thought { text, signature } => BlockKind::Thinking {
            thinking: text,
            signature,
        }
        .into(),
        Part::Redacted(data) => BlockKind::RedactedThinking { data }.into(),
        Part::Call { id, name, input } => BlockKind::ToolUse {
            id: plain_id(id),
            name,
            input,
        }
        .into(),
        Part::Result { id, content, failed } => BlockKind::ToolResult {
            tool_use_id: plain_id(id),
            content: content.iter().map(block).collect(),
            is_error: *failed,
        }
        .into(),
    }
}

fn text<'t>(text: &'t str) -> Block<'t> {
    BlockKind::Text { text: text.into() }.into()
}

fn source<'t>(media: &'t Media<'_>) -> SourceSpec<'t> {
    match &media.source {
        Source::Base64 { mime, data } => SourceSpec::Base64 {
            media_type: mime,
            data,
        },
        Source::Url(url) => SourceSpec::Url { url },
    }
}

fn tool<'t>(tool: &'t Tool<'_>) -> ToolSpec<'t> {
    ToolSpec {
        name: &tool.name,
        description: tool.description.as_deref(),
        input_schema: tool.schema(),
        strict: tool.strict == Some(true),
    }
}

fn tool_choice<'t>(ask: &'t Ask<'_>) -> Option<ToolChoice<'t>> {
    let one_call = ask.one_call.is_some();
    if ask.tools.is_empty() || (ask.choice.is_none() && !one_call) {
        return None;
    }
    let (r#type, name) = match &ask.choice {
        Some(Choice::Auto) | None => ("auto", None),
        Some(Choice::None) => ("none", None),
        Some(Choice::Any) => ("any", None),
        Some(Choice::One(name)) => ("tool", Some(&**name)),
    };
    Some(ToolChoice {
        r#type,
        name,
        disable_parallel_tool_use: one_call && r#type != "none",
    })
}

fn format<'t>(format: &'t Format<'_>) -> Result<SchemaFormat<'t>, Untranslatable> {
    match format {
        Format::Schema { schema, .. } => Ok(SchemaFormat {
            r#type: "json_schema",
            schema,
        }),
        Format::Object { path } => Err(Untranslatable::Refused {
            path: path.clone(),
            value: Some("json_object".to_owned()),
            provider: Provider::Anthropic.into(),
        }),
    }
}
