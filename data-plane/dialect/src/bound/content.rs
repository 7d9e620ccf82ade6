//! What stands deep in the body: blocks, names of content, tools, effort.
//!
//! One walk with a frame for each open container. What a container means follows from the key that it stands under and
//! from the container around it; what is inside a schema or the arguments of a tool call means nothing here.

use super::{Unbounded, What};
use crate::json::{Token, Tokens, Value};

/// No word that means anything here is longer.
const MAX_WORD: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Content {
    /// Images and documents.
    pub(super) blocks: u64,
    /// Content is named that is not carried.
    pub(super) named: bool,
    /// An effort is asked, which may make the model think.
    pub(super) effort: bool,
    /// Of server tools, together.
    pub(super) uses: u64,
}

/// An open container.
#[derive(Debug)]
struct Frame {
    object: bool,
    place: Place,
    /// Of the member whose value comes next.
    key: Key,
    tool: Tool,
}

/// What a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Body,
    Plain,
    /// Means nothing here.
    Muted,
    /// An array of tools.
    Tools,
    Tool,
    /// Where a block's data is.
    Source,
    /// OpenAI's `image_url`, which holds a `url`.
    Url,
    /// An answer's audio, or audio to be heard.
    Audio,
    OutputConfig,
    /// `context_management` and what is in it.
    Context,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    None,
    Type,
    Id,
    FileId,
    Url,
    ImageUrl,
    FileUrl,
    Source,
    Audio,
    Tools,
    MaxUses,
    Effort,
    OutputConfig,
    Context,
    Input,
    Schema,
}

/// What an object says that may be a server tool.
#[derive(Debug, Default)]
struct Tool {
    /// The types that the provider runs.
    server: Option<String>,
    max_uses: Option<u64>,
    max_uses_unclear: bool,
}

impl Content {
    pub(super) fn read(body: &[u8]) -> Result<Self, Unbounded> {
        let mut content = Self::default();
        let mut tokens = Tokens::of(body);
        // At most as many as JSON may be deep.
        let mut open: Vec<Frame> = Vec::new();
        while let Some(token) = tokens.next()? {
            match token {
                Token::Object => open.push(Frame::inside(open.last(), true)),
                Token::Array => open.push(Frame::inside(open.last(), false)),
                Token::Close => {
                    if let Some(frame) = open.pop() {
                        content.uses = content.uses.saturating_add(frame.tool.uses()?);
                    }
                }
                Token::Key(key) => {
                    if let Some(frame) = open.last_mut() {
                        frame.key = Key::of(&key);
                    }
                }
                Token::Scalar(value) => {
                    if let Some(frame) = open.last_mut().filter(|frame| frame.object) {
                        content.note(frame, &value)?;
                    }
                }
            }
        }
        Ok(content)
    }

    /// A member of an object that is not a container.
    fn note(&mut self, frame: &mut Frame, value: &Value<'_>) -> Result<(), What> {
        if frame.place == Place::Muted || value.is_null() {
            return Ok(());
        }
        match frame.key {
            Key::Type => self.note_type(frame, value)?,
            Key::MaxUses => match value.count() {
                Some(uses) => frame.tool.max_uses = frame.tool.max_uses.max(Some(uses)),
                None => frame.tool.max_uses_unclear = true,
            },
            Key::FileId => self.named |= value.is_string(),
            Key::ImageUrl | Key::FileUrl => self.named |= is_elsewhere(value),
            Key::Url => self.named |= frame.place == Place::Url && is_elsewhere(value),
            Key::Id => self.named |= frame.place == Place::Audio,
            Key::Effort => self.effort |= matches!(frame.place, Place::Body | Place::OutputConfig),
            Key::None
            | Key::Source
            | Key::Audio
            | Key::Tools
            | Key::OutputConfig
            | Key::Context
            | Key::Input
            | Key::Schema => {}
        }
        Ok(())
    }

    fn note_type(&mut self, frame: &mut Frame, value: &Value<'_>) -> Result<(), What> {
        let word = value.short_text(MAX_WORD);
        // What is too long or no text is no type that the list knows.
        let word = word.as_deref().unwrap_or("?");
        match frame.place {
            Place::Tool if !is_client_tool(word) => frame.tool.server = Some(word.to_owned()),
            Place::Source => self.named |= !matches!(word, "base64" | "text" | "content"),
            Place::Context if word.starts_with("compact") => return Err(What::Compaction),
            Place::Body | Place::Plain | Place::Audio | Place::Url if is_block(word) => {
                self.blocks = self.blocks.saturating_add(1);
            }
            // Tools may also come in the middle of a conversation.
            Place::Body | Place::Plain if is_dated_server_tool(word) => {
                frame.tool.server = Some(word.to_owned());
            }
            Place::Body
            | Place::Plain
            | Place::Muted
            | Place::Tools
            | Place::Tool
            | Place::Url
            | Place::Audio
            | Place::OutputConfig
            | Place::Context => {}
        }
        Ok(())
    }
}

impl Frame {
    fn inside(around: Option<&Self>, object: bool) -> Self {
        Self {
            object,
            place: around.map_or(Place::Body, |around| around.holds(object)),
            key: Key::None,
            tool: Tool::default(),
        }
    }

    /// What a container in this one is.
    fn holds(&self, object: bool) -> Place {
        match self.place {
            Place::Muted | Place::Tool => return Place::Muted,
            Place::Tools if object => return Place::Tool,
            Place::Tools | Place::Context => return self.place,
            Place::Body | Place::Plain | Place::Source | Place::Url | Place::Audio | Place::OutputConfig => {}
        }
        if !self.object {
            return self.place;
        }
        match self.key {
            Key::Tools => Place::Tools,
            Key::Source => Place::Source,
            Key::ImageUrl => Place::Url,
            Key::Audio => Place::Audio,
            Key::OutputConfig => Place::OutputConfig,
            Key::Context => Place::Context,
            // In the body itself it is the conversation, in a block the arguments of a tool call.
            Key::Input if self.place == Place::Body => Place::Plain,
            Key::Input | Key::Schema => Place::Muted,
            Key::None
            | Key::Type
            | Key::Id
            | Key::FileId
            | Key::Url
            | Key::FileUrl
            | Key::MaxUses
            | Key::Effort => Place::Plain,
        }
    }
}

impl Key {
    fn of(key: &Value<'_>) -> Self {
        match key.name().as_deref() {
            Some(b"type") => Self::Type,
            Some(b"id") => Self::Id,
            Some(b"file_id") => Self::FileId,
            Some(b"url") => Self::Url,
            Some(b"image_url") => Self::ImageUrl,
            Some(b"file_url") => Self::FileUrl,
            Some(b"source") => Self::Source,
            Some(b"audio") => Self::Audio,
            Some(b"tools" | b"functions") => Self::Tools,
            Some(b"max_uses") => Self::MaxUses,
            Some(b"effort") => Self::Effort,
            Some(b"output_config") => Self::OutputConfig,
            Some(b"context_management") => Self::Context,
            Some(b"input") => Self::Input,
            Some(b"input_schema" | b"parameters" | b"schema" | b"json_schema" | b"metadata") => Self::Schema,
            Some(_) | None => Self::None,
        }
    }
}

impl Tool {
    /// How often the provider may use it.
    fn uses(self) -> Result<u64, What> {
        let Some(name) = self.server else { return Ok(0) };
        if !takes_max_uses(&name) {
            return Err(What::Tool(name));
        }
        match self.max_uses.filter(|_| !self.max_uses_unclear) {
            Some(uses) => Ok(uses),
            None => Err(What::ToolUses(name)),
        }
    }
}

fn is_block(word: &str) -> bool {
    matches!(
        word,
        "image" | "document" | "input_image" | "image_url" | "input_file" | "file"
    )
}

/// Run by the caller: the model only asks for them.
fn is_client_tool(word: &str) -> bool {
    const ANTHROPIC: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];
    matches!(word, "custom" | "function" | "local_shell" | "apply_patch")
        || ANTHROPIC.iter().any(|start| word.starts_with(start))
}

fn takes_max_uses(word: &str) -> bool {
    ["web_search_", "web_fetch_", "code_execution_"]
        .iter()
        .any(|start| word.starts_with(start))
}

/// `web_search_20250305` and not `web_search_tool_result`.
fn is_dated_server_tool(word: &str) -> bool {
    let dated = |(_, date): (&str, &str)| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    takes_max_uses(word) && word.rsplit_once('_').is_some_and(dated)
}

/// A URL whose content the body does not carry.
fn is_elsewhere(value: &Value<'_>) -> bool {
    let inner = value.inner();
    let data = inner
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"data:"));
    value.is_string() && !value.is_empty() && !data
}
