//! The members of the body itself.

use penstock_core::cost::bound::Triggers;

use super::{Unbounded, What};
use crate::json::{Kind, Members, Value};

/// No word that means anything here is longer.
const MAX_WORD: usize = 32;

/// What the members say, doubled ones taken together.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The largest.
    max_tokens: Option<u64>,
    /// One of them cannot be read.
    max_tokens_unclear: bool,
    pub(super) n: u64,
    pub(super) thinking: bool,
    pub(super) reasoning: Reasoning,
    pub(super) tier: Tier,
    /// A speed other than the standard one is asked.
    pub(super) speed: bool,
    /// An earlier answer is named by its id.
    pub(super) earlier: bool,
}

/// OpenAI's `reasoning_effort`, or `reasoning.effort`.
#[derive(Debug, Default)]
pub(super) struct Reasoning {
    none: bool,
    other: bool,
}

/// What `service_tier` asks. Nothing stated is `auto`.
#[derive(Debug, Default)]
pub(super) struct Tier {
    stated: bool,
    auto: bool,
    flex: bool,
    priority: bool,
    ultrafast: bool,
}

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Self, Unbounded> {
        let mut fields = Self::default();
        let mut members = Members::open(body)?;
        while let Some(member) = members.next()? {
            let Some(name) = member.key.name() else { continue };
            // Null is absent everywhere.
            if !member.value.is_null() {
                fields.note(&name, &member.value)?;
            }
        }
        members.finish()?;
        Ok(fields)
    }

    fn note(&mut self, name: &[u8], value: &Value<'_>) -> Result<(), What> {
        match name {
            b"max_tokens" | b"max_completion_tokens" | b"max_output_tokens" => match value.count() {
                Some(count) => self.max_tokens = self.max_tokens.max(Some(count)),
                None => self.max_tokens_unclear = true,
            },
            b"n" => self.n = self.n.max(value.count().ok_or(What::Choices)?),
            b"thinking" => self.thinking |= !is_disabled(value),
            b"reasoning" => value.each_member(|name, value| {
                if name == b"effort" && !value.is_null() {
                    self.reasoning.note(&value);
                }
            }),
            b"reasoning_effort" => self.reasoning.note(value),
            b"service_tier" => self.tier.note(value),
            b"speed" => self.speed |= value.short_text(MAX_WORD).as_deref() != Some("standard"),
            b"previous_response_id" | b"conversation" => self.earlier |= !value.is_empty(),
            b"prompt" => self.earlier |= value.kind == Kind::Object,
            b"web_search_options" => return Err(What::WebSearchOptions),
            b"prediction" => return Err(What::Prediction),
            b"mcp_servers" if !value.is_empty() => return Err(What::McpServers),
            _ => {}
        }
        Ok(())
    }

    /// None when one of the spellings cannot be read: the provider might read that one.
    pub(super) fn max_tokens(&self) -> Option<u64> {
        self.max_tokens.filter(|_| !self.max_tokens_unclear)
    }
}

/// `{"type":"disabled"}`.
fn is_disabled(thinking: &Value<'_>) -> bool {
    let (mut disabled, mut other) = (false, thinking.kind != Kind::Object);
    thinking.each_member(|name, value| {
        if name == b"type" {
            match value.short_text(MAX_WORD).as_deref() {
                Some("disabled") => disabled = true,
                Some(_) | None => other = true,
            }
        }
    });
    disabled && !other
}

impl Reasoning {
    fn note(&mut self, effort: &Value<'_>) {
        match effort.short_text(MAX_WORD).as_deref() {
            Some("none") => self.none = true,
            Some(_) | None => self.other = true,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.none && !self.other
    }
}

impl Tier {
    fn note(&mut self, value: &Value<'_>) {
        self.stated = true;
        match value.short_text(MAX_WORD).as_deref() {
            Some("default" | "standard" | "standard_only") => {}
            Some("flex") => self.flex = true,
            Some("priority") => self.priority = true,
            Some("ultrafast") => self.ultrafast = true,
            Some(_) | None => self.auto = true,
        }
    }

    pub(super) fn openai(&self) -> Triggers {
        let auto = self.auto || !self.stated;
        Triggers {
            flex: self.flex || auto,
            priority: self.priority || auto,
            ultrafast: self.ultrafast || auto,
            ..Triggers::default()
        }
    }

    /// Anthropic has no other tier that could be dearer.
    pub(super) fn anthropic(&self) -> Triggers {
        Triggers {
            priority: self.priority || self.auto || !self.stated,
            ..Triggers::default()
        }
    }
}
