//! An [`Ask`] → OpenAI chat completions.
//!
//! - A tool's result is a message of its own, and text only: images in it follow in a user message, and that it failed is
//!   said in its text. All results of one answer's calls come first, whatever stood between them: chat wants them so.
//! - Instructions between turns are system messages where they stand.
//! - A turn that the caller began for the model is refused: chat would answer it instead of going on with it.
//! - A stream always reports usage, for the ledger.

use super::chat_body::{
    Body, Call, CallFunction, Content, File, Function, ImageUrl, Message, Named, Piece, ResponseFormat,
    Schema, StreamOptions, ToolChoice, Wrapped,
};
use super::json;
use crate::translate::Provider;
use crate::translate::ask::{Ask, Format, Media, Part, Role, Source, Turn};
use crate::translate::effort::{Effort, Thinking};
use crate::translate::problem::Untranslatable;
use crate::translate::tools::{Choice, Tool};

pub(super) fn write(ask: &Ask<'_>, model: &str, openai: bool) -> Result<Vec<u8>, Untranslatable> {
    if ask.top_k.is_some() {
        return Err(refused("top_k", None));
    }
    if let Some(last) = super::last_said(ask).filter(|turn| turn.role == Role::Assistant) {
        return Err(refused(&last.path, Some("a turn of the assistant's at the end")));
    }
    let tools: Vec<_> = ask.tools.iter().map(function).collect();
    let has_tools = !tools.is_empty();
    Ok(json(&Body {
        model,
        messages: messages(ask, openai)?,
        tools,
        tool_choice: ask.choice.as_ref().filter(|_| has_tools).map(tool_choice),
        parallel_tool_calls: ask.one_call.as_ref().filter(|_| has_tools).map(|_| false),
        max_tokens: ask.max_tokens.filter(|_| !openai),
        max_completion_tokens: ask.max_tokens.filter(|_| openai),
        temperature: ask.temperature.as_ref(),
        top_p: ask.top_p.as_ref(),
        stop: &ask.stop,
        reasoning_effort: effort(ask).map(Effort::openai),
        verbosity: ask.verbosity.as_deref(),
        response_format: ask.format.as_ref().map(format),
        stream: ask.stream,
        stream_options: ask.stream.then_some(StreamOptions { include_usage: true }),
    }))
}

fn effort(ask: &Ask<'_>) -> Option<Effort> {
    match ask.thinking {
        Thinking::Budget { tokens, .. } => Some(ask.effort.unwrap_or_else(|| Effort::of_budget(tokens))),
        Thinking::Unsaid | Thinking::Off | Thinking::Adaptive { .. } => ask.effort,
    }
}

fn messages<'t>(ask: &'t Ask<'_>, openai: bool) -> Result<Vec<Message<'t>>, Untranslatable> {
    let mut messages = Vec::with_capacity(ask.turns.len() + 1);
    if !ask.system.is_empty() {
        messages.push(Message {
            role: "system",
            content: Some(Content::Text(ask.system.join("\n\n"))),
            ..Message::default()
        });
    }
    for run in ask.turns.chunk_by(|one, next| is_models(one) == is_models(next)) {
        match run.iter().any(is_models) {
            true => {
                for turn in run {
                    messages.extend(assistant(turn, openai)?);
                }
            }
            false => callers(run, &mut messages)?,
        }
    }
    Ok(messages)
}

fn is_models(turn: &Turn<'_>) -> bool {
    turn.role == Role::Assistant
}

/// Turns of the caller's in a row: results first, one message each; then what else was said, with the results' images
/// before it. Where there are results, all of that is one message between instructions.
fn callers<'t>(turns: &'t [Turn<'_>], messages: &mut Vec<Message<'t>>) -> Result<(), Untranslatable> {
    let mut rest = Vec::new();
    let before = messages.len();
    for turn in turns {
        results(turn, messages, &mut rest)?;
    }
    let has_results = messages.len() > before;
    for turn in turns {
        let said = pieces(&turn.parts)?;
        match turn.role {
            Role::System => {
                told(&mut rest, messages);
                messages.push(Message {
                    role: "system",
                    content: Some(Content::joined(said, "\n\n")),
                    ..Message::default()
                });
            }
            Role::User | Role::Assistant => {
                rest.extend(said);
                if !has_results {
                    told(&mut rest, messages);
                }
            }
        }
    }
    told(&mut rest, messages);
    Ok(())
}

/// A user message of what was gathered, if anything was.
fn told<'t>(pieces: &mut Vec<Piece<'t>>, messages: &mut Vec<Message<'t>>) {
    if !pieces.is_empty() {
        messages.push(Message {
            role: "user",
            content: Some(Content::of(std::mem::take(pieces))),
            ..Message::default()
        });
    }
}

/// Each result of a turn; `rest` gets what is no text in them.
fn results<'t>(
    turn: &'t Turn<'_>,
    messages: &mut Vec<Message<'t>>,
    rest: &mut Vec<Piece<'t>>,
) -> Result<(), Untranslatable> {
    for part in &turn.parts {
        if let Part::Result { id, content, failed } = part {
            let mut texts = Vec::new();
            for piece in pieces(content)? {
                match piece {
                    Piece::Text { text } => texts.push(text),
                    Piece::ImageUrl { .. } | Piece::File { .. } => rest.push(piece),
                }
            }
            let text = texts.join("\n");
            messages.push(Message {
                role: "tool",
                content: Some(Content::Text(if *failed {
                    format!("Error: {text}")
                } else {
                    text
                })),
                tool_call_id: Some(id),
                ..Message::default()
            });
        }
    }
    Ok(())
}

fn assistant<'t>(turn: &'t Turn<'_>, openai: bool) -> Result<Option<Message<'t>>, Untranslatable> {
    let mut message = Message {
        role: "assistant",
        ..Message::default()
    };
    let mut thoughts = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Call { id, name, input } => message.tool_calls.push(Call {
                id,
                r#type: "function",
                function: CallFunction {
                    name,
                    arguments: input.get(),
                },
            }),
            Part::Thought { text, .. } => thoughts.push(&**text),
            Part::Text(_) | Part::Image(_) | Part::File(_) | Part::Redacted(_) | Part::Result { .. } => {}
        }
    }
    let pieces = pieces(&turn.parts)?;
    if !pieces.is_empty() {
        message.content = Some(Content::joined(pieces, ""));
    }
    if !thoughts.is_empty() && !openai {
        message.reasoning_content = Some(thoughts.join("\n"));
    }
    let empty = message.content.is_none() && message.tool_calls.is_empty();
    Ok((!empty).then_some(message))
}

/// Text, images and files; the rest has its own place.
fn pieces<'t>(parts: &'t [Part<'_>]) -> Result<Vec<Piece<'t>>, Untranslatable> {
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => pieces.push(Piece::Text { text }),
            Part::Image(image) => pieces.push(Piece::ImageUrl {
                image_url: ImageUrl {
                    url: image.source.to_url(),
                    detail: image.detail.as_deref(),
                },
            }),
            Part::File(media) => pieces.push(Piece::File { file: file(media)? }),
            Part::Thought { .. } | Part::Redacted(_) | Part::Call { .. } | Part::Result { .. } => {}
        }
    }
    Ok(pieces)
}

fn file<'t>(media: &'t Media<'_>) -> Result<File<'t>, Untranslatable> {
    match &media.source {
        Source::Base64 { .. } => Ok(File {
            filename: media.name.as_deref().unwrap_or("document.pdf"),
            file_data: media.source.to_url(),
        }),
        Source::Url(_) => Err(media.refuse("a file by its URL", Provider::Chat)),
    }
}

fn function<'t>(tool: &'t Tool<'_>) -> Wrapped<Function<'t>> {
    Wrapped {
        r#type: "function",
        function: Function {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.schema(),
            strict: tool.strict,
        },
    }
}

fn tool_choice(choice: &Choice) -> ToolChoice<'_> {
    match choice {
        Choice::Auto => ToolChoice::Word("auto"),
        Choice::None => ToolChoice::Word("none"),
        Choice::Any => ToolChoice::Word("required"),
        Choice::One(name) => ToolChoice::One(Wrapped {
            r#type: "function",
            function: Named { name },
        }),
    }
}

fn format<'t>(format: &'t Format<'_>) -> ResponseFormat<'t> {
    match format {
        Format::Object { .. } => ResponseFormat::JsonObject,
        Format::Schema { name, schema, strict } => ResponseFormat::JsonSchema {
            json_schema: Schema {
                name: name.as_deref().unwrap_or("answer"),
                schema,
                strict: *strict,
            },
        },
    }
}

fn refused(path: &str, value: Option<&str>) -> Untranslatable {
    Untranslatable::Refused {
        path: path.to_owned(),
        value: value.map(str::to_owned),
        provider: Provider::Chat.into(),
    }
}
