//! Which conversation a request belongs to (behaviour B4, wire facts 0.12): [`find`] gives what its client says, and
//! [`digest()`] what the start of the conversation says when the client says nothing.
//!
//! The text found here identifies a person's session and comes from the caller: whoever uses it scopes it to the key
//! and hashes it before it is stored or logged.

mod digest;

use std::borrow::Cow;

use http::HeaderMap;

use crate::inspect::Inspected;
use crate::json::Members;

pub use digest::{PART, digest};
pub use penstock_core::session::SessionSource;

/// Longer ids count as absent, bytes.
pub const MAX_ID: usize = 256;

/// A session, not yet scoped to a key. Its `Debug` shows only where the id came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Session<'a> {
    /// Where the id was found.
    pub source: SessionSource,
    /// 1 to [`MAX_ID`] bytes without control characters.
    pub id: Cow<'a, str>,
}

/// The session that the client names.
pub fn find<'a>(headers: &'a HeaderMap, inspected: &'a Inspected) -> Option<Session<'a>> {
    let header = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
        values.find(|value| is_id(value)).map(Cow::Borrowed)
    };
    let user_id = || inspected.user_id.as_deref().and_then(from_user_id);
    let codex = ["session-id", "thread-id", "session_id", "conversation_id"];
    let cache_key = || {
        let key = inspected.prompt_cache_key.as_deref().filter(|key| is_id(key));
        key.map(Cow::Borrowed)
    };
    header(&["x-claude-code-session-id"])
        .map(|id| (SessionSource::ClaudeCodeHeader, id))
        .or_else(|| Some((SessionSource::UserId, user_id()?)))
        .or_else(|| Some((SessionSource::CodexHeader, header(&codex)?)))
        .or_else(|| Some((SessionSource::PromptCacheKey, cache_key()?)))
        .map(|(source, id)| Session { source, id })
}

/// Claude Code writes a JSON object into the string; older versions `user_…_account_…_session_…`.
fn from_user_id(user_id: &str) -> Option<Cow<'_, str>> {
    let id = match user_id.starts_with('{') {
        true => from_json(user_id)?,
        false => Cow::Borrowed(user_id.rsplit_once("_session_")?.1),
    };
    is_id(&id).then_some(id)
}

fn from_json(text: &str) -> Option<Cow<'_, str>> {
    let mut members = Members::open(text.as_bytes()).ok()?;
    let mut id = None;
    while let Some(member) = members.next().ok()? {
        if member.key.name().as_deref() == Some(b"session_id") {
            id = member.value.short_text(MAX_ID);
        }
    }
    id
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && !text.chars().any(char::is_control)
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
