//! OpenAI Responses → an [`Ask`].
//!
//! What refers to something that the vendor keeps (`previous_response_id`, `conversation`, `prompt`) is refused: nobody
//! else has it.

use super::openai_parts::format;
use super::responses_items::items;
use super::responses_tools::{tool, tool_choice};
use crate::translate::ask::{Ask, Part, Role, Turn};
use crate::translate::dropped::{OPENAI_BODY, RESPONSES_BODY, RESPONSES_INCLUDE, has};
use crate::translate::effort::{Effort, Thinking};
use crate::translate::fields::Object;
use crate::translate::problem::Untranslatable;
use crate::translate::tools::Names;

pub(super) fn read<'a>(mut body: Object<'a>, names: &mut Names) -> Result<Ask<'a>, Untranslatable> {
    let mut ask = Ask {
        model: body.text("model")?,
        stream: body.boolean("stream")?.unwrap_or_default(),
        max_tokens: body.count("max_output_tokens")?,
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        cache: body.text("prompt_cache_key")?.is_some(),
        ..Ask::default()
    };
    ask.system.extend(body.text("instructions")?);
    if let Some(tools) = body.take("tools")? {
        for one in tools.elements()? {
            tool(one.object()?, &mut ask.tools, names)?;
        }
    }
    if let Some(choice) = body.take("tool_choice")? {
        ask.choice = Some(tool_choice(&choice)?);
    }
    if body.boolean("parallel_tool_calls")? == Some(false) {
        ask.one_call = Some("parallel_tool_calls".to_owned());
    }
    if let Some(reasoning) = body.take("reasoning")? {
        self::reasoning(reasoning.object()?, &mut ask)?;
    }
    if let Some(text) = body.take("text")? {
        self::text(text.object()?, &mut ask)?;
    }
    if let Some(include) = body.take("include")? {
        for one in include.elements()? {
            if !has(RESPONSES_INCLUDE, &one.text()?) {
                return Err(one.refuse());
            }
        }
    }
    let input = body.need("input")?;
    if input.is_text() {
        ask.turns.push(Turn {
            path: input.path.clone(),
            role: Role::User,
            parts: vec![Part::Text(input.text()?)],
        });
    } else {
        items(&input, &mut ask, names)?;
    }
    body.finish(&[OPENAI_BODY, RESPONSES_BODY])?;
    Ok(ask)
}

fn reasoning(mut reasoning: Object<'_>, ask: &mut Ask<'_>) -> Result<(), Untranslatable> {
    if let Some(effort) = reasoning.take("effort")? {
        let word = effort.text()?;
        ask.effort = Some(Effort::parse(&word).ok_or_else(|| effort.refuse())?);
    }
    // How long a summary is to be is the provider's choice; that there is one is not.
    let older = reasoning.text("generate_summary")?;
    if reasoning.text("summary")?.or(older).is_some() {
        ask.thinking = Thinking::Adaptive { shown: Some(true) };
    }
    reasoning.finish(&[])
}

fn text<'a>(mut text: Object<'a>, ask: &mut Ask<'a>) -> Result<(), Untranslatable> {
    ask.verbosity = text.text("verbosity")?;
    if let Some(field) = text.take("format")? {
        let mut object = field.object()?;
        let kind = object.kind()?;
        ask.format = format(&mut object, &kind)?;
        object.finish(&[])?;
    }
    text.finish(&[])
}
