//! Anthropic Messages → an [`Ask`].

use super::anthropic_blocks::{content, text_blocks};
use crate::translate::ask::{Ask, Format, Role, Turn};
use crate::translate::dropped::{ANTHROPIC_BODY, ANTHROPIC_TOOL, ANTHROPIC_TOOLS, has};
use crate::translate::effort::{Effort, Thinking};
use crate::translate::fields::Object;
use crate::translate::problem::Untranslatable;
use crate::translate::tools::{Choice, Known, Names, Tool, wire_name};

/// How Claude Code's own first system text begins. Anthropic takes it out before a model reads it; so do we.
const BILLING: &str = "x-anthropic-billing-header:";

pub(super) fn read<'a>(mut body: Object<'a>, names: &mut Names) -> Result<Ask<'a>, Untranslatable> {
    let mut ask = Ask {
        model: body.text("model")?,
        stream: body.boolean("stream")?.unwrap_or_default(),
        max_tokens: body.count("max_tokens")?,
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        top_k: body.number("top_k")?,
        ..Ask::default()
    };
    if let Some(system) = body.take("system")? {
        ask.system = text_blocks(&system)?;
        if ask.system.first().is_some_and(|first| first.starts_with(BILLING)) {
            ask.system.remove(0);
        }
    }
    if let Some(stop) = body.take("stop_sequences")? {
        let sequences = stop.elements()?.map(|one| one.text());
        ask.stop = sequences.collect::<Result<_, _>>()?;
    }
    if let Some(tools) = body.take("tools")? {
        for one in tools.elements()? {
            ask.tools.extend(tool(one.object()?, names)?);
        }
    }
    if let Some(choice) = body.take("tool_choice")? {
        tool_choice(choice.object()?, &mut ask)?;
    }
    if let Some(thinking) = body.take("thinking")? {
        ask.thinking = self::thinking(thinking.object()?)?;
    }
    if let Some(config) = body.take("output_config")? {
        output_config(config.object()?, &mut ask)?;
    }
    if let Some(format) = body.take("output_format")? {
        ask.format = Some(self::format(format.object()?)?);
    }
    for message in body.need("messages")?.elements()? {
        let turn = message_of(message.object()?, &mut ask)?;
        ask.turns.push(turn);
    }
    body.finish(&[ANTHROPIC_BODY])?;
    Ok(ask)
}

fn message_of<'a>(mut message: Object<'a>, ask: &mut Ask<'a>) -> Result<Turn<'a>, Untranslatable> {
    let role = message.need("role")?;
    let role = match &*role.text()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(role.invalid("user, assistant or system")),
    };
    let parts = content(&message.need("content")?)?;
    // Said with a turn, it counts from there on.
    if let Some(config) = message.take("output_config")? {
        output_config(config.object()?, ask)?;
    }
    let path = message.path.clone();
    message.finish(&[])?;
    Ok(Turn { path, role, parts })
}

fn tool<'a>(mut tool: Object<'a>, names: &mut Names) -> Result<Option<Tool<'a>>, Untranslatable> {
    let kind = tool.kind()?;
    if has(ANTHROPIC_TOOLS, &kind) {
        return Ok(None);
    }
    if !matches!(&*kind, "" | "custom") {
        return Err(tool.refuse(&kind));
    }
    let name = tool.need("name")?.text()?;
    let wire = wire_name(None, &name);
    names.insert(
        &wire,
        Known {
            name: name.into_owned(),
            ..Known::default()
        },
    );
    let mut description = tool.text("description")?;
    if let Some(examples) = tool.take("input_examples")? {
        let said = description.unwrap_or_default();
        let said = format!("{said}\n\nExamples of its input: {}", examples.json()?.get());
        description = Some(said.trim_start().to_owned().into());
    }
    let read = Tool {
        name: wire,
        description,
        schema: tool
            .take("input_schema")?
            .map(|schema| schema.raw_object())
            .transpose()?,
        strict: tool.boolean("strict")?,
    };
    tool.finish(&[ANTHROPIC_TOOL])?;
    Ok(Some(read))
}

fn tool_choice(mut choice: Object<'_>, ask: &mut Ask<'_>) -> Result<(), Untranslatable> {
    let kind = choice.kind()?;
    ask.choice = Some(match &*kind {
        "auto" => Choice::Auto,
        "none" => Choice::None,
        "any" => Choice::Any,
        "tool" => Choice::One(wire_name(None, &choice.need("name")?.text()?)),
        _ => return Err(choice.refuse(&kind)),
    });
    if choice.boolean("disable_parallel_tool_use")? == Some(true) {
        ask.one_call = Some("tool_choice.disable_parallel_tool_use".to_owned());
    }
    choice.finish(&[])
}

fn thinking(mut thinking: Object<'_>) -> Result<Thinking, Untranslatable> {
    let kind = thinking.kind()?;
    let shown = thinking.text("display")?.map(|display| display != "omitted");
    let read = match &*kind {
        "disabled" => Thinking::Off,
        "adaptive" => Thinking::Adaptive { shown },
        "enabled" => Thinking::Budget {
            tokens: thinking.need("budget_tokens")?.count()?,
            shown,
        },
        _ => return Err(thinking.refuse(&kind)),
    };
    thinking.finish(&[])?;
    Ok(read)
}

fn output_config<'a>(mut config: Object<'a>, ask: &mut Ask<'a>) -> Result<(), Untranslatable> {
    if let Some(effort) = config.take("effort")? {
        let word = effort.text()?;
        ask.effort = Some(Effort::parse(&word).ok_or_else(|| effort.refuse())?);
    }
    if let Some(format) = config.take("format")? {
        ask.format = Some(self::format(format.object()?)?);
    }
    config.finish(&[])
}

fn format(mut format: Object<'_>) -> Result<Format<'_>, Untranslatable> {
    let kind = format.kind()?;
    if kind != "json_schema" {
        return Err(format.refuse(&kind));
    }
    let read = Format::Schema {
        name: format.text("name")?,
        schema: format.need("schema")?.raw_object()?,
        strict: Some(true),
    };
    format.finish(&[])?;
    Ok(read)
}
