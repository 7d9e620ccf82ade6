//! The content of Anthropic messages.
//!
//! Blocks that only Anthropic's own tools make (`server_tool_use` and their results) are refused: the provider could not
//! read them. A `tool_reference` is told by its name, as the tool itself is given with the request.

use crate::translate::ask::{Media, Part, Source};
use crate::translate::dropped::ANTHROPIC_BLOCK;
use crate::translate::fields::{Field, Object, Text};
use crate::translate::problem::Untranslatable;
use crate::translate::seal::{Opened, open};
use crate::translate::tools::wire_name;

/// `system`: a string or text blocks.
pub(super) fn text_blocks<'a>(field: &Field<'a>) -> Result<Vec<Text<'a>>, Untranslatable> {
    let mut texts = Vec::new();
    for part in content(field)? {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Image(_)
            | Part::File(_)
            | Part::Thought { .. }
            | Part::Redacted(_)
            | Part::Call { .. }
            | Part::Result { .. } => return Err(field.invalid("text")),
        }
    }
    Ok(texts)
}

/// A string or a list of blocks.
pub(super) fn content<'a>(field: &Field<'a>) -> Result<Vec<Part<'a>>, Untranslatable> {
    if field.is_text() {
        let text = field.text()?;
        return Ok(if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text)]
        });
    }
    let mut parts = Vec::new();
    for block in field.elements()? {
        parts.extend(self::block(block.object()?)?);
    }
    Ok(parts)
}

fn block<'a>(mut block: Object<'a>) -> Result<Option<Part<'a>>, Untranslatable> {
    let kind = block.kind()?;
    let part = match &*kind {
        "text" => block.text("text")?.map(Part::Text),
        "image" => Some(Part::Image(image(&mut block)?)),
        "document" => Some(document(&mut block)?),
        "thinking" | "redacted_thinking" => thought(&mut block, &kind)?,
        "tool_use" => Some(Part::Call {
            id: block.need("id")?.text()?,
            name: wire_name(None, &block.need("name")?.text()?),
            input: block.need("input")?.raw_object()?,
        }),
        "tool_result" => Some(result(&mut block)?),
        "tool_reference" => block.text("tool_name")?.map(Part::Text),
        _ => return Err(block.refuse(&kind)),
    };
    block.finish(&[ANTHROPIC_BLOCK])?;
    Ok(part)
}

fn result<'a>(block: &mut Object<'a>) -> Result<Part<'a>, Untranslatable> {
    let content = block.take("content")?.map(|field| content(&field)).transpose()?;
    Ok(Part::Result {
        id: block.need("tool_use_id")?.text()?,
        content: content.unwrap_or_default(),
        failed: block.boolean("is_error")?.unwrap_or_default(),
    })
}

/// Thinking of another vendor than the provider is left out: it is bound to its maker, who ignores it in turns that are
/// over anyway.
fn thought<'a>(block: &mut Object<'a>, kind: &str) -> Result<Option<Part<'a>>, Untranslatable> {
    let provider = block.provider();
    if kind == "redacted_thinking" {
        block.take("data")?;
        return Ok(None);
    }
    let text = block.text("thinking")?.unwrap_or_default();
    let signature = block.text("signature")?.unwrap_or_default();
    Ok(match open(&signature, provider) {
        Opened::Signature(own) => Some(Part::Thought {
            text,
            signature: own.to_owned().into(),
        }),
        Opened::Redacted(_) | Opened::Foreign => None,
    })
}

fn image<'a>(block: &mut Object<'a>) -> Result<Media<'a>, Untranslatable> {
    let path = block.path.clone();
    let mut source = block.need("source")?.object()?;
    let kind = source.kind()?;
    let read = self::source(&mut source, &kind)?;
    source.finish(&[])?;
    Ok(Media {
        path,
        source: read,
        name: None,
        detail: None,
    })
}

fn document<'a>(block: &mut Object<'a>) -> Result<Part<'a>, Untranslatable> {
    let path = block.path.clone();
    let name = block.text("title")?;
    if let Some(citations) = block.take("citations")? {
        let mut asked = citations.object()?;
        if asked.boolean("enabled")? == Some(true) {
            return Err(citations.refuse());
        }
        asked.finish(&[])?;
    }
    let mut source = block.need("source")?.object()?;
    let kind = source.kind()?;
    if kind == "text" {
        source.take("media_type")?;
        let data = source.text("data")?.unwrap_or_default();
        source.finish(&[])?;
        return Ok(Part::Text(match name {
            Some(name) => format!("{name}\n\n{data}").into(),
            None => data,
        }));
    }
    let read = self::source(&mut source, &kind)?;
    source.finish(&[])?;
    Ok(Part::File(Media {
        path,
        source: read,
        name,
        detail: None,
    }))
}

fn source<'a>(source: &mut Object<'a>, kind: &str) -> Result<Source<'a>, Untranslatable> {
    match kind {
        "base64" => Ok(Source::Base64 {
            mime: source.need("media_type")?.text()?,
            data: source.need("data")?.text()?,
        }),
        "url" => Ok(Source::Url(source.need("url")?.text()?)),
        _ => Err(source.refuse(kind)),
    }
}
