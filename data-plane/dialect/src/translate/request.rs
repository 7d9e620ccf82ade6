//! Requests: read from the caller's dialect, written in the provider's.

mod anthropic_blocks;
mod anthropic_body;
mod chat_body;
mod from_anthropic;
mod from_chat;
mod from_responses;
mod gemini_body;
mod openai_parts;
mod responses_items;
mod responses_tools;
mod to_anthropic;
mod to_chat;
mod to_gemini;

use super::ask::{Ask, Part, Role, Turn};
use super::fields::{Object, Text};
use super::problem::Untranslatable;
use super::tools::Names;
use super::{Answers, Caller, Provider, TranslatedRequest, Translation};
use crate::surrogates;

pub(super) fn translate(
    pair: Translation,
    body: &[u8],
    model: &str,
) -> Result<TranslatedRequest, Untranslatable> {
    let body = surrogates::mend(body);
    let body = Object::body(&body, pair.provider)?;
    let mut names = Names::default();
    let ask = match pair.caller {
        Caller::Anthropic => from_anthropic::read(body, &mut names)?,
        Caller::Chat => from_chat::read(body, &mut names)?,
        Caller::Responses => from_responses::read(body, &mut names)?,
    };
    let body = match pair.provider {
        Provider::Anthropic => to_anthropic::write(&ask, model)?,
        Provider::Chat => to_chat::write(&ask, model, pair.openai)?,
        Provider::Gemini => to_gemini::write(&ask, model)?,
    };
    Ok(TranslatedRequest {
        body,
        stream: ask.stream,
        answers: Answers {
            caller: pair.caller,
            provider: pair.provider,
            model: ask.model.as_deref().unwrap_or(model).to_owned(),
            names,
            include_usage: ask.include_usage,
            hide_thinking: ask.thinking.hidden(),
        },
    })
}

/// Turns of one side in a row, as one. Anthropic and Gemini want sides to alternate, and results before anything else.
fn merged<'t, 'a>(turns: &'t [Turn<'a>]) -> Vec<(Role, Vec<&'t Part<'a>>)> {
    let mut merged: Vec<(Role, Vec<&'t Part<'a>>)> = Vec::new();
    for turn in turns.iter().filter(|turn| !turn.parts.is_empty()) {
        // Where instructions cannot stand between turns they are told as text of the user's side.
        let side = match turn.role {
            Role::System | Role::User => Role::User,
            Role::Assistant => Role::Assistant,
        };
        match merged.last_mut() {
            Some((role, parts)) if *role == side => parts.extend(&turn.parts),
            Some(_) | None => merged.push((side, turn.parts.iter().collect())),
        }
    }
    for (_, parts) in &mut merged {
        parts.sort_by_key(|part| !matches!(part, Part::Result { .. }));
    }
    merged
}

/// The last turn that says something.
fn last_said<'t, 'a>(ask: &'t Ask<'a>) -> Option<&'t Turn<'a>> {
    ask.turns.iter().rev().find(|turn| !turn.parts.is_empty())
}

/// How instructions between turns are told where the dialect has no place for them.
fn reminder(text: &str) -> Text<'static> {
    format!("<system-reminder>\n{text}\n</system-reminder>").into()
}

/// Nothing that is written here can fail to be JSON; were it so, an empty body would be the provider's to refuse.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
