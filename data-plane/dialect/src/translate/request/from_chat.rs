//! OpenAI chat completions → an [`Ask`].

use super::openai_parts::{Side, content, format, stop};
use crate::translate::ask::{Ask, Part, Role, Turn};
use crate::translate::dropped::{CHAT_BODY, CHAT_MESSAGE, OPENAI_BODY};
use crate::translate::effort::Effort;
use crate::translate::fields::{Field, Object, Text};
use crate::translate::problem::Untranslatable;
use crate::translate::tools::{Choice, Kind, Known, Names, Tool, arguments, freeform_input, wire_name};

pub(super) fn read<'a>(mut body: Object<'a>, names: &mut Names) -> Result<Ask<'a>, Untranslatable> {
    let older = body.count("max_tokens")?;
    let mut ask = Ask {
        model: body.text("model")?,
        stream: body.boolean("stream")?.unwrap_or_default(),
        max_tokens: body.count("max_completion_tokens")?.or(older),
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        verbosity: body.text("verbosity")?,
        cache: body.text("prompt_cache_key")?.is_some(),
        ..Ask::default()
    };
    if let Some(options) = body.take("stream_options")? {
        let mut options = options.object()?;
        ask.include_usage = options.boolean("include_usage")?.unwrap_or_default();
        options.take_even_empty("include_obfuscation")?;
        options.finish(&[])?;
    }
    if let Some(field) = body.take("stop")? {
        ask.stop = stop(&field)?;
    }
    if let Some(effort) = body.take("reasoning_effort")? {
        let word = effort.text()?;
        ask.effort = Some(Effort::parse(&word).ok_or_else(|| effort.refuse())?);
    }
    if let Some(tools) = body.take("tools")? {
        for one in tools.elements()? {
            ask.tools.push(tool(one.object()?, names)?);
        }
    }
    if let Some(choice) = body.take("tool_choice")? {
        ask.choice = Some(tool_choice(&choice)?);
    }
    if body.boolean("parallel_tool_calls")? == Some(false) {
        ask.one_call = Some("parallel_tool_calls".to_owned());
    }
    if let Some(field) = body.take("response_format")? {
        ask.format = response_format(field.object()?)?;
    }
    for message in body.need("messages")?.elements()? {
        message_of(message.object()?, &mut ask)?;
    }
    body.finish(&[OPENAI_BODY, CHAT_BODY])?;
    Ok(ask)
}

fn message_of<'a>(mut message: Object<'a>, ask: &mut Ask<'a>) -> Result<(), Untranslatable> {
    let path = message.path.clone();
    let said = message.need("role")?;
    let role = said.text()?;
    let body = message.take("content")?;
    let parts = |side| body.as_ref().map_or(Ok(Vec::new()), |field| content(field, side));
    let (role, parts) = match &*role {
        "system" | "developer" => (Role::System, parts(Side::Caller)?),
        "user" => (Role::User, parts(Side::Caller)?),
        "assistant" => {
            let mut parts = parts(Side::Model)?;
            parts.extend(message.text("refusal")?.map(Part::Text));
            if let Some(calls) = message.take("tool_calls")? {
                for one in calls.elements()? {
                    parts.push(call(one.object()?)?);
                }
            }
            (Role::Assistant, parts)
        }
        "tool" => {
            let result = Part::Result {
                id: message.need("tool_call_id")?.text()?,
                content: parts(Side::Caller)?,
                failed: false,
            };
            (Role::User, vec![result])
        }
        _ => return Err(said.refuse()),
    };
    message.finish(&[CHAT_MESSAGE])?;
    push(ask, Turn { path, role, parts });
    Ok(())
}

/// Instructions before the conversation are the system text; later ones stay where they stand.
pub(super) fn push<'a>(ask: &mut Ask<'a>, turn: Turn<'a>) {
    if turn.role == Role::System && ask.turns.is_empty() {
        let texts = turn.parts.into_iter().filter_map(|part| match part {
            Part::Text(text) => Some(text),
            Part::Image(_)
            | Part::File(_)
            | Part::Thought { .. }
            | Part::Redacted(_)
            | Part::Call { .. }
            | Part::Result { .. } => None,
        });
        ask.system.extend(texts);
    } else {
        ask.turns.push(turn);
    }
}

fn call<'a>(mut call: Object<'a>) -> Result<Part<'a>, Untranslatable> {
    let kind = call.kind()?;
    let id = call.need("id")?.text()?;
    let (name, input) = match &*kind {
        "" | "function" => {
            let mut function = call.need("function")?.object()?;
            let name = function.need("name")?.text()?;
            let input = arguments(function.text("arguments")?.unwrap_or_default());
            function.finish(&[])?;
            (name, input)
        }
        "custom" => {
            let mut custom = call.need("custom")?.object()?;
            let name = custom.need("name")?.text()?;
            let input = freeform_input(&custom.text("input")?.unwrap_or_default());
            custom.finish(&[])?;
            (name, input)
        }
        _ => return Err(call.refuse(&kind)),
    };
    // Some providers number their calls; it is an answer's field.
    call.take_even_empty("index")?;
    call.finish(&[])?;
    let name = wire_name(None, &name);
    Ok(Part::Call { id, name, input })
}

fn tool<'a>(mut tool: Object<'a>, names: &mut Names) -> Result<Tool<'a>, Untranslatable> {
    let kind = tool.kind()?;
    let read = match &*kind {
        "function" => function(tool.need("function")?.object()?, names)?,
        "custom" => custom(tool.need("custom")?.object()?, names)?,
        _ => return Err(tool.refuse(&kind)),
    };
    tool.finish(&[])?;
    Ok(read)
}

/// The description of a function.
fn function<'a>(mut function: Object<'a>, names: &mut Names) -> Result<Tool<'a>, Untranslatable> {
    let name = function.need("name")?.text()?;
    let wire = wire_name(None, &name);
    names.insert(
        &wire,
        Known {
            name: name.into_owned(),
            ..Known::default()
        },
    );
    let read = Tool {
        name: wire,
        description: function.text("description")?,
        schema: function
            .take("parameters")?
            .map(|schema| schema.raw_object())
            .transpose()?,
        strict: function.boolean("strict")?,
    };
    function.finish(&[])?;
    Ok(read)
}

fn custom<'a>(mut custom: Object<'a>, names: &mut Names) -> Result<Tool<'a>, Untranslatable> {
    let name = custom.need("name")?.text()?;
    let wire = wire_name(None, &name);
    names.insert(
        &wire,
        Known {
            name: name.into_owned(),
            namespace: None,
            kind: Kind::Custom,
        },
    );
    let description = custom.text("description")?;
    let grammar = custom
        .take("format")?
        .map(|field| grammar(&field, "grammar"))
        .transpose()?;
    custom.finish(&[])?;
    Ok(Tool::freeform(wire, description, grammar.flatten()))
}

/// The syntax and the definition, if the input is bound to a grammar. Chat has them one level deeper than Responses.
fn grammar<'a>(field: &Field<'a>, inner: &str) -> Result<Option<(Text<'a>, Text<'a>)>, Untranslatable> {
    let mut format = field.object()?;
    let kind = format.kind()?;
    let read = match &*kind {
        "text" => None,
        "grammar" => {
            let mut grammar = format.need(inner)?.object()?;
            let read = (
                grammar.need("syntax")?.text()?,
                grammar.need("definition")?.text()?,
            );
            grammar.finish(&[])?;
            Some(read)
        }
        _ => return Err(format.refuse(&kind)),
    };
    format.finish(&[])?;
    Ok(read)
}

fn tool_choice(field: &Field<'_>) -> Result<Choice, Untranslatable> {
    if field.is_text() {
        return word(field);
    }
    let mut choice = field.object()?;
    let kind = choice.kind()?;
    if !matches!(&*kind, "function" | "custom") {
        return Err(choice.refuse(&kind));
    }
    let mut named = choice.need(&kind)?.object()?;
    let name = wire_name(None, &named.need("name")?.text()?);
    named.finish(&[])?;
    choice.finish(&[])?;
    Ok(Choice::One(name))
}

/// The words that both of OpenAI's dialects have.
pub(super) fn word(field: &Field<'_>) -> Result<Choice, Untranslatable> {
    match &*field.text()? {
        "auto" => Ok(Choice::Auto),
        "none" => Ok(Choice::None),
        "required" => Ok(Choice::Any),
        _ => Err(field.refuse()),
    }
}

fn response_format<'a>(
    mut field: Object<'a>,
) -> Result<Option<crate::translate::ask::Format<'a>>, Untranslatable> {
    let kind = field.kind()?;
    let read = match &*kind {
        "json_schema" => {
            let mut inner = field.need("json_schema")?.object()?;
            let read = format(&mut inner, &kind)?;
            inner.finish(&[])?;
            read
        }
        _ => format(&mut field, &kind)?,
    };
    field.finish(&[])?;
    Ok(read)
}
