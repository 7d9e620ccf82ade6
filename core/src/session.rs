//! Conversations: which calls belong together.
//!
//! A client's own session id identifies a person's conversation, so it is neither stored nor logged. What stands for
//! it is a hash that also holds the key: the same id under another key is another session.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::KeyId;

/// A session scoped to its key: half a SHA-256. Prints as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

/// Who said which session a call belongs to, in the order in which they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSource {
    /// `x-claude-code-session-id`.
    ClaudeCodeHeader,
    /// `metadata.user_id` of the body, in Claude Code's form.
    #[serde(rename = "metadata_user_id")]
    UserId,
    /// Codex's `session-id`, `thread-id`, `session_id` or `conversation_id`.
    CodexHeader,
    /// `prompt_cache_key` of the body.
    PromptCacheKey,
    /// Nobody: a hash of the model, the system text and the first message.
    Digest,
}

impl SessionSource {
    /// As receipts and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCodeHeader => "claude_code_header",
            Self::UserId => "metadata_user_id",
            Self::CodexHeader => "codex_header",
            Self::PromptCacheKey => "prompt_cache_key",
            Self::Digest => "digest",
        }
    }
}

impl SessionId {
    /// `client_id` is the id as the client sent it.
    pub fn of(key: KeyId, client_id: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(key.0.as_bytes())
            .chain_update(client_id)
            .finalize();
        let mut half = [0; 16];
        for (to, from) in half.iter_mut().zip(hash) {
            *to = from;
        }
        Self(half)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Text that is no session: not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session is 32 hexadecimal digits")]
pub struct NotASession;

impl std::str::FromStr for SessionId {
    type Err = NotASession;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut half = [0; 16];
        hex::decode_to_slice(text, &mut half).map_err(|_| NotASession)?;
        Ok(Self(half))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b04_a_session_belongs_to_its_key() {
        let [one, other] = [1, 2].map(|n| KeyId::from_parts(1, &[n; 10]));
        assert_eq!(SessionId::of(one, "s"), SessionId::of(one, "s"));
        assert_ne!(SessionId::of(one, "s"), SessionId::of(other, "s"));
        assert_ne!(SessionId::of(one, "s"), SessionId::of(one, "t"));
    }

    #[test]
    fn b04_the_clients_own_id_does_not_show() {
        let text = SessionId::of(KeyId::from_parts(1, &[1; 10]), "my-conversation").to_string();
        assert_eq!(text.len(), 32);
        assert!(text.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(text.parse::<SessionId>().unwrap().to_string(), text);
        assert_eq!("5e55".parse::<SessionId>(), Err(NotASession));
    }
}
