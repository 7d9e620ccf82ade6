//! The input items of a Responses request.
//!
//! Items of one side in a row are one turn: a model's reasoning, text and calls belong together. Tools that a
//! `tool_search_output` brings are given from then on with the request's own.
//! Items of tools that run at the vendor (`web_search_call`, `computer_call`, …) are refused.

use super::from_chat::push;
use super::openai_parts::{Side, content};
use super::responses_tools::tool;
use crate::translate::ask::{Ask, Part, Role, Turn};
use crate::translate::dropped::RESPONSES_ITEM;
use crate::translate::fields::{Field, Object, Text};
use crate::translate::problem::Untranslatable;
use crate::translate::seal::{Opened, open};
use crate::translate::tools::{Names, arguments, freeform_input, wire_name};

/// The function that stands for Codex's search for tools.
pub(super) const TOOL_SEARCH: &str = "tool_search";

pub(super) fn items<'a>(
    input: &Field<'a>,
    ask: &mut Ask<'a>,
    names: &mut Names,
) -> Result<(), Untranslatable> {
    for item in input.elements()? {
        let turn = self::item(item.object()?, ask, names)?;
        match ask.turns.last_mut() {
            Some(last) if last.role == Role::Assistant && turn.role == Role::Assistant => {
                last.parts.extend(turn.parts);
            }
            Some(_) | None => push(ask, turn),
        }
    }
    Ok(())
}

fn item<'a>(mut item: Object<'a>, ask: &mut Ask<'a>, names: &mut Names) -> Result<Turn<'a>, Untranslatable> {
    let path = item.path.clone();
    let kind = item.kind()?;
    let (role, parts) = match &*kind {
        "" | "message" => message(&mut item)?,
        "reasoning" => (Role::Assistant, reasoning(&mut item)?.into_iter().collect()),
        "function_call" | "custom_tool_call" | "tool_search_call" => {
            (Role::Assistant, vec![call(&mut item, &kind)?])
        }
        "function_call_output" | "custom_tool_call_output" => (Role::User, vec![output(&mut item)?]),
        "tool_search_output" => (Role::User, vec![found_tools(&mut item, ask, names)?]),
        _ => return Err(item.refuse(&kind)),
    };
    item.finish(&[RESPONSES_ITEM])?;
    Ok(Turn { path, role, parts })
}

fn message<'a>(item: &mut Object<'a>) -> Result<(Role, Vec<Part<'a>>), Untranslatable> {
    let said = item.need("role")?;
    let (role, side) = match &*said.text()? {
        "system" | "developer" => (Role::System, Side::Caller),
        "user" => (Role::User, Side::Caller),
        "assistant" => (Role::Assistant, Side::Model),
        _ => return Err(said.refuse()),
    };
    Ok((role, content(&item.need("content")?, side)?))
}

/// Reasoning of OpenAI's own is left out: nobody else can decrypt it.
fn reasoning<'a>(item: &mut Object<'a>) -> Result<Option<Part<'a>>, Untranslatable> {
    let provider = item.provider();
    let mut texts: Vec<Text<'a>> = Vec::new();
    for name in ["summary", "content"] {
        if let Some(list) = item.take(name)? {
            for one in list.elements()? {
                let mut part = one.object()?;
                part.kind()?;
                texts.extend(part.text("text")?);
                part.finish(&[])?;
            }
        }
    }
    let sealed = item.text("encrypted_content")?.unwrap_or_default();
    Ok(match open(&sealed, provider) {
        Opened::Signature(signature) => Some(Part::Thought {
            text: texts.join("\n\n").into(),
            signature: signature.to_owned().into(),
        }),
        Opened::Redacted(data) => Some(Part::Redacted(data.to_owned().into())),
        Opened::Foreign => None,
    })
}

fn call<'a>(item: &mut Object<'a>, kind: &str) -> Result<Part<'a>, Untranslatable> {
    let id = item.need("call_id")?.text()?;
    if kind == "tool_search_call" {
        item.take("execution")?;
        return Ok(Part::Call {
            id,
            name: TOOL_SEARCH.to_owned(),
            input: item.need("arguments")?.raw_object()?,
        });
    }
    let namespace = item.text("namespace")?;
    let name = wire_name(namespace.as_deref(), &item.need("name")?.text()?);
    let input = match kind {
        "custom_tool_call" => freeform_input(&item.text("input")?.unwrap_or_default()),
        _ => arguments(item.text("arguments")?.unwrap_or_default()),
    };
    Ok(Part::Call { id, name, input })
}

fn output<'a>(item: &mut Object<'a>) -> Result<Part<'a>, Untranslatable> {
    let content = item
        .take("output")?
        .map(|field| content(&field, Side::Caller))
        .transpose()?;
    // Codex repeats the tool's name; the call has it.
    item.take("name")?;
    Ok(Part::Result {
        id: item.need("call_id")?.text()?,
        content: content.unwrap_or_default(),
        failed: false,
    })
}

fn found_tools<'a>(
    item: &mut Object<'a>,
    ask: &mut Ask<'a>,
    names: &mut Names,
) -> Result<Part<'a>, Untranslatable> {
    item.take("execution")?;
    let id = item.need("call_id")?.text()?;
    let mut told = Vec::new();
    if let Some(tools) = item.take("tools")? {
        told.push(Part::Text(tools.json()?.get().to_owned().into()));
        for one in tools.elements()? {
            tool(one.object()?, &mut ask.tools, names)?;
        }
    }
    Ok(Part::Result {
        id,
        content: told,
        failed: false,
    })
}
