//! The most that a call of Gemini's API can use. See the module above for what the parts mean.
//!
//! - Tools that are not declared functions run at Google (search, code, URLs): no bound.
//! - A cached content or a file by its URI is content that the body does not carry.
//! - Thoughts count into `maxOutputTokens`, and do not show unless they are asked for.

use penstock_core::cost::bound::Triggers;

use super::{BLOCK, Bound, OVERHEAD, Output, Unbounded, What};
use crate::json::{Members, Token, Tokens, Value};

pub(super) fn bound(body: &[u8]) -> Result<Bound, Unbounded> {
    let mut config = Config::default();
    let mut named = false;
    let mut members = Members::open(body)?;
    while let Some(member) = members.next()? {
        let value = member.value;
        match member.key.name().as_deref() {
            Some(b"generationConfig" | b"generation_config") => config.read(&value)?,
            Some(b"tools") => tools(&value)?,
            Some(b"cachedContent" | b"cached_content") => named |= !value.is_empty(),
            Some(_) | None => {}
        }
    }
    members.finish()?;
    let content = Content::read(body)?;
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    Ok(Bound {
        input_tokens: bytes
            .saturating_add(OVERHEAD)
            .saturating_add(content.blocks.saturating_mul(BLOCK)),
        context_window: named || content.named,
        rounds: 1,
        output: Output {
            max_tokens: config.max_tokens.filter(|_| !config.unclear),
            n: config.candidates.max(1),
        },
        hidden: !config.without_thoughts,
        searches: 0,
        triggers: Triggers {
            priority: true,
            ..Triggers::default()
        },
    })
}

#[derive(Default)]
struct Config {
    max_tokens: Option<u64>,
    unclear: bool,
    candidates: u64,
    without_thoughts: bool,
}

impl Config {
    fn read(&mut self, config: &Value<'_>) -> Result<(), What> {
        let mut wrong = false;
        config.each_member(|name, value| match name {
            _ if value.is_null() => {}
            b"maxOutputTokens" | b"max_output_tokens" => match value.count() {
                Some(count) => self.max_tokens = self.max_tokens.max(Some(count)),
                None => self.unclear = true,
            },
            b"candidateCount" | b"candidate_count" => match value.count() {
                Some(count) => self.candidates = self.candidates.max(count),
                None => wrong = true,
            },
            b"thinkingConfig" | b"thinking_config" => value.each_member(|name, value| {
                if matches!(name, b"thinkingBudget" | b"thinking_budget") {
                    self.without_thoughts = value.count() == Some(0);
                }
            }),
            _ => {}
        });
        if wrong { Err(What::Choices) } else { Ok(()) }
    }
}

fn tools(tools: &Value<'_>) -> Result<(), What> {
    let mut elements = tools.elements();
    while let Some(tool) = elements.next() {
        let mut server = None;
        tool.each_member(|name, value| {
            if !matches!(name, b"functionDeclarations" | b"function_declarations") && !value.is_null() {
                server = Some(String::from_utf8_lossy(name).chars().take(64).collect());
            }
        });
        if let Some(name) = server {
            return Err(What::Tool(name));
        }
    }
    Ok(())
}

/// What stands deep in the body. A word inside a schema or a text can only make the bound higher.
#[derive(Default)]
struct Content {
    blocks: u64,
    named: bool,
}

impl Content {
    fn read(body: &[u8]) -> Result<Self, Unbounded> {
        let mut content = Self::default();
        let mut tokens = Tokens::of(body);
        while let Some(token) = tokens.next()? {
            let Token::Key(key) = token else { continue };
            match key.name().as_deref() {
                Some(b"inlineData" | b"inline_data") => content.blocks = content.blocks.saturating_add(1),
                Some(b"fileData" | b"file_data") => content.named = true,
                Some(_) | None => {}
            }
        }
        Ok(content)
    }
}
