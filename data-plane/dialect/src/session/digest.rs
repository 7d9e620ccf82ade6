//! The session of a request whose client names none: a digest of how the conversation starts.
//!
//! Clients of these APIs send the whole conversation with every turn, so its start says which one it is. It is a pass
//! of its own over the body, in linear time; ask only when a session is needed.
//!
//! ## Rules
//! - Hashed are the model; the system text (`system`, `instructions` or `systemInstruction`, and the `system` and
//!   `developer` messages before any other); and the first `user` message. Without a user message there is no digest.
//! - Of system text and message at most [`PART`] bytes each are hashed, as they stand in the JSON, and of the system
//!   text how long it is. The length of the message is left out: agents append to their first message.
//! - A string and one text block with that text are the same. `type` and `cache_control` of a block are left out, since
//!   clients move their cache marks from turn to turn and turn strings into blocks to set them.
//!
//! ## Edge cases
//! - Nothing else is normalised: other escapes for the same text, and space or `cache_control` deeper inside a block,
//!   make another digest. Clients write a turn the same way each time.
//! - Two conversations with the same start are one session. So are messages that differ after [`PART`] bytes.
//! - A conversation whose client drops the oldest turns, or whose system text holds the time, is ever another session.
//! - Of a field that stands twice the last counts.

use penstock_core::dialect::Dialect;
use sha2::{Digest, Sha256};

use super::{Session, SessionSource};
use crate::inspect::Inspected;
use crate::json::{Kind, Members, Value};

/// Bytes that are hashed of the system text, and of the first message.
pub const PART: usize = 4096;
/// Roles that are longer are none of ours, bytes.
const MAX_ROLE: usize = 16;

/// What is hashed of a part.
#[derive(Default)]
struct Part {
    /// At most [`PART`] bytes.
    start: Vec<u8>,
    /// Of the whole.
    length: usize,
}

/// Where a dialect has the parts of a conversation.
struct Names {
    system: &'static [&'static [u8]],
    messages: &'static [u8],
    content: &'static [u8],
}

/// The session that the start of this body stands for. `inspected` is the same body's.
pub fn digest(dialect: Dialect, body: &[u8], inspected: &Inspected) -> Option<Session<'static>> {
    if inspected.messages == 0 {
        return None;
    }
    let (system, message) = start(body, &Names::of(dialect)?)?;
    // A model has no control characters, and the length says where the system text ends.
    let hash = Sha256::new()
        .chain_update(&inspected.model)
        .chain_update(format!("\0{}\0", system.length))
        .chain_update(system.start)
        .chain_update(message.start)
        .finalize();
    Some(Session {
        source: SessionSource::Digest,
        id: hex::encode(hash).into(),
    })
}

/// System text and first message.
fn start(body: &[u8], names: &Names) -> Option<(Part, Part)> {
    let (mut system, mut messages) = (None, None);
    let mut members = Members::open(body).ok()?;
    while let Some(member) = members.next().ok()? {
        match member.key.name().as_deref() {
            Some(name) if names.system.contains(&name) => system = Some(member.value),
            Some(name) if name == names.messages => messages = Some(member.value),
            Some(_) | None => {}
        }
    }
    let mut system = system.map_or_else(Part::default, |value| Part::of(&value));
    let messages = messages?;
    if messages.is_string() && names.messages == b"input" {
        return Some((system, Part::of(&messages)));
    }
    let mut messages = messages.elements();
    let mut leading = true;
    while let Some(message) = messages.next() {
        let (mut role, mut content) = (None, None);
        message.each_member(|name, value| match name {
            b"role" => role = value.short_text(MAX_ROLE),
            name if name == names.content => content = Some(value),
            _ => {}
        });
        let role = match names.content {
            b"parts" => role.or_else(|| Some("user".into())),
            _ => role,
        };
        match (role.as_deref(), content) {
            (Some("user"), content) => {
                let message = content.map_or_else(Part::default, |value| Part::of(&value));
                return Some((system, message));
            }
            (Some("system" | "developer"), Some(text)) if leading => system.add(&text),
            (Some(_) | None, _) => leading = false,
        }
    }
    None
}

impl Names {
    /// None: calls of this dialect belong to no conversation.
    fn of(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::Anthropic => Self {
                system: &[b"system"],
                messages: b"messages",
                content: b"content",
            },
            Dialect::OpenaiChat => Self {
                system: &[],
                messages: b"messages",
                content: b"content",
            },
            Dialect::OpenaiResponses => Self {
                system: &[b"instructions"],
                messages: b"input",
                content: b"content",
            },
            Dialect::Gemini => Self {
                system: &[b"systemInstruction", b"system_instruction"],
                messages: b"contents",
                content: b"parts",
            },
            Dialect::OpenaiEmbeddings => return None,
        })
    }
}

impl Part {
    fn of(content: &Value<'_>) -> Self {
        let mut part = Self::default();
        part.add(content);
        part
    }

    /// Adds a string, or an array of blocks.
    fn add(&mut self, content: &Value<'_>) {
        if content.kind != Kind::Array {
            return self.put(content.raw());
        }
        let mut blocks = content.elements();
        while let Some(block) = blocks.next() {
            match block.kind {
                Kind::Object => block.each_member(|name, value| match name {
                    b"type" | b"cache_control" => {}
                    _ => self.put(value.raw()),
                }),
                Kind::Array | Kind::String { .. } | Kind::Number | Kind::True | Kind::False | Kind::Null => {
                    self.put(block.raw());
                }
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = PART.saturating_sub(self.start.len());
        self.start.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.length = self.length.saturating_add(bytes.len());
    }
}
