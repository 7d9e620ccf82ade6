//! An [`Ask`] → Gemini. The model and whether the answer streams are in the path.
//!
//! - A result is found by its tool's name and its place, so calls of the history are looked up by their ids, and results
//!   stand in the order of their calls.
//! - A result is text; images in it follow beside it.
//! - Thinking goes back as the signature of the call that it led to. Gemini 3 refuses a step's first call without one; calls
//!   that another model made get the word that Google documents for that.
//! - Schemas are JSON schemas (`parametersJsonSchema`, `responseJsonSchema`), as they were written.

use std::collections::HashMap;

use super::gemini_body::{
    Body, CallingConfig, Content, Declaration, FileData, FunctionCall, FunctionResponse, GenerationConfig,
    InlineData, Piece, Response, ThinkingConfig, ToolConfig, ToolSet,
};
use super::{json, last_said, reminder};
use crate::translate::Provider;
use crate::translate::ask::{Ask, Format, Media, Part, Role, Source};
use crate::translate::effort::{Thinking, gemini_budget};
use crate::translate::problem::Untranslatable;
use crate::translate::tools::Choice;

/// The signature of calls that Gemini did not make.
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

/// The calls so far by id: which one it is, and its name.
type Calls<'t> = HashMap<&'t str, (usize, &'t str)>;

pub(super) fn write(ask: &Ask<'_>, model: &str) -> Result<Vec<u8>, Untranslatable> {
    if let Some(path) = &ask.one_call {
        return Err(refused(path, "true"));
    }
    if let Some(last) = last_said(ask).filter(|turn| turn.role == Role::Assistant) {
        return Err(refused(&last.path, "a turn of the assistant's at the end"));
    }
    let system: Vec<_> = ask.system.iter().map(|text| text_piece(text)).collect();
    let functions: Vec<_> = ask
        .tools
        .iter()
        .map(|tool| Declaration {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters_json_schema: tool.schema.as_ref(),
        })
        .collect();
    let has_tools = !functions.is_empty();
    Ok(json(&Body {
        contents: contents(ask, model),
        system_instruction: (!system.is_empty()).then_some(Content {
            role: None,
            parts: system,
        }),
        tools: has_tools
            .then_some(ToolSet {
                function_declarations: functions,
            })
            .into_iter()
            .collect(),
        tool_config: ask.choice.as_ref().filter(|_| has_tools).map(tool_config),
        generation_config: generation_config(ask)?,
    }))
}

fn generation_config<'t>(ask: &'t Ask<'_>) -> Result<GenerationConfig<'t>, Untranslatable> {
    let schema = match &ask.format {
        Some(Format::Schema { schema, .. }) => Some(schema),
        Some(Format::Object { path }) => return Err(refused(path, "json_object")),
        None => None,
    };
    Ok(GenerationConfig {
        max_output_tokens: ask.max_tokens,
        temperature: ask.temperature.as_ref(),
        top_p: ask.top_p.as_ref(),
        top_k: ask.top_k.as_ref(),
        stop_sequences: &ask.stop,
        response_mime_type: schema.map(|_| "application/json"),
        response_json_schema: schema,
        thinking_config: thinking_config(ask),
    })
}

fn thinking_config(ask: &Ask<'_>) -> Option<ThinkingConfig> {
    let thinks = match ask.thinking {
        Thinking::Adaptive { .. } | Thinking::Budget { .. } => true,
        Thinking::Unsaid | Thinking::Off => false,
    };
    let config = ThinkingConfig {
        include_thoughts: thinks && !ask.thinking.hidden(),
        thinking_budget: gemini_budget(ask.thinking, ask.effort),
    };
    (config.include_thoughts || config.thinking_budget.is_some()).then_some(config)
}

fn contents<'t>(ask: &'t Ask<'_>, model: &str) -> Vec<Content<'t>> {
    // Older models take calls without signatures, and might not take this one.
    let foreign = (!model.contains("gemini-2") && !model.contains("gemini-1")).then_some(FOREIGN_CALL);
    let mut calls = Calls::new();
    let mut contents: Vec<Content<'t>> = Vec::new();
    for turn in ask.turns.iter().filter(|turn| !turn.parts.is_empty()) {
        let (role, parts) = match turn.role {
            Role::System => ("user", turn.parts.iter().filter_map(instruction).collect()),
            Role::User => ("user", heard(&turn.parts, &calls)),
            Role::Assistant => ("model", said(&turn.parts, &mut calls, foreign)),
        };
        match contents.last_mut() {
            Some(last) if last.role == Some(role) => last.parts.extend(parts),
            Some(_) | None if parts.is_empty() => {}
            Some(_) | None => contents.push(Content {
                role: Some(role),
                parts,
            }),
        }
    }
    for content in &mut contents {
        content.parts.sort_by_key(|piece| match piece {
            Piece::Response { call, .. } => (false, *call),
            Piece::Text { .. } | Piece::Data { .. } | Piece::File { .. } | Piece::Call { .. } => (true, 0),
        });
    }
    contents
}

fn instruction<'t>(part: &'t Part<'_>) -> Option<Piece<'t>> {
    match part {
        Part::Text(text) => Some(Piece::Text { text: reminder(text) }),
        Part::Image(media) | Part::File(media) => Some(self::media(media)),
        Part::Thought { .. } | Part::Redacted(_) | Part::Call { .. } | Part::Result { .. } => None,
    }
}

fn heard<'t>(parts: &'t [Part<'_>], calls: &Calls<'t>) -> Vec<Piece<'t>> {
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => pieces.push(text_piece(text)),
            Part::Image(media) | Part::File(media) => pieces.push(self::media(media)),
            Part::Result { id, content, failed } => result(id, content, *failed, calls, &mut pieces),
            Part::Thought { .. } | Part::Redacted(_) | Part::Call { .. } => {}
        }
    }
    pieces
}

fn result<'t>(
    id: &'t str,
    content: &'t [Part<'_>],
    failed: bool,
    calls: &Calls<'t>,
    pieces: &mut Vec<Piece<'t>>,
) {
    let mut texts: Vec<&str> = Vec::new();
    let mut beside = Vec::new();
    for part in content {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Image(media) | Part::File(media) => beside.push(self::media(media)),
            Part::Thought { .. } | Part::Redacted(_) | Part::Call { .. } | Part::Result { .. } => {}
        }
    }
    let text = texts.join("\n");
    let (call, name) = calls.get(id).copied().unwrap_or((usize::MAX, id));
    pieces.push(Piece::Response {
        call,
        function_response: FunctionResponse {
            name,
            response: if failed {
                Response::Error(text)
            } else {
                Response::Output(text)
            },
        },
    });
    pieces.append(&mut beside);
}

fn said<'t>(parts: &'t [Part<'_>], calls: &mut Calls<'t>, foreign: Option<&'static str>) -> Vec<Piece<'t>> {
    let mut pieces = Vec::new();
    let mut signature: Option<&'t str> = None;
    let mut first = true;
    for part in parts {
        match part {
            Part::Text(text) => pieces.push(text_piece(text)),
            Part::Image(media) | Part::File(media) => pieces.push(self::media(media)),
            Part::Thought { signature: own, .. } => signature = Some(&**own).filter(|own| !own.is_empty()),
            Part::Call { id, name, input } => {
                calls.insert(id, (calls.len(), name));
                pieces.push(Piece::Call {
                    function_call: FunctionCall { name, args: input },
                    thought_signature: signature.take().or_else(|| foreign.filter(|_| first)),
                });
                first = false;
            }
            Part::Redacted(_) | Part::Result { .. } => {}
        }
    }
    pieces
}

fn text_piece<'t>(text: &'t str) -> Piece<'t> {
    Piece::Text { text: text.into() }
}

fn media<'t>(media: &'t Media<'_>) -> Piece<'t> {
    match &media.source {
        Source::Base64 { mime, data } => Piece::Data {
            inline_data: InlineData {
                mime_type: mime,
                data,
            },
        },
        Source::Url(url) => Piece::File {
            file_data: FileData { file_uri: url },
        },
    }
}

fn tool_config(choice: &Choice) -> ToolConfig<'_> {
    let (mode, only) = match choice {
        Choice::Auto => ("AUTO", None),
        Choice::None => ("NONE", None),
        Choice::Any => ("ANY", None),
        Choice::One(name) => ("ANY", Some([&**name])),
    };
    ToolConfig {
        function_calling_config: CallingConfig {
            mode,
            allowed_function_names: only,
        },
    }
}

fn refused(path: &str, value: &str) -> Untranslatable {
    Untranslatable::Refused {
        path: path.to_owned(),
        value: Some(value.to_owned()),
        provider: Provider::Gemini.into(),
    }
}
