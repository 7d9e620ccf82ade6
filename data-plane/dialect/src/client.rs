//! Which program sent a request (behaviour A6).
//!
//! A coding agent is recognised when its user agent names it and at least two more of its signals are there; each of
//! them is something that the agent sends by itself and that an SDK with a borrowed user agent does not.
//!
//! | agent | user agent | further signals |
//! |---|---|---|
//! | Claude Code | `claude-cli/…` | `x-app: cli`; `anthropic-beta` with a `claude-code-…` value; `x-claude-code-session-id` that is a UUID; `metadata.user_id` in its form (JSON with `device_id` and `session_id`, or `user_…_account_…_session_…`) whose session is the header's, if there is one; a first system text that begins as its own do |
//! | Codex | `codex…/…` | `originator` that the user agent begins with; a session header (`session-id`, `thread-id`, `session_id`, `conversation_id`) that is a UUID; any `x-codex-…` header; `prompt_cache_key` equal to the session header |
//! | Gemini CLI | `GeminiCLI…/…` | `x-goog-api-client` of Google's SDK on Node (`gl-node/`); the model asked for in the user agent; `x-gemini-api-privileged-user-id`; a body with `systemInstruction` |
//!
//! Not every version and mode sends all of them (small requests of Claude Code have no `claude-code-…` beta, its token
//! counts no metadata; Gemini CLI sends the installation id only with statistics on, and asks other models than it names
//! when it chooses by itself), hence two, not all. None of this is a secret: whoever imitates an agent in full passes.
//! The rule keeps ordinary clients out, which is what operators ask of it.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::client::{Client, KnownClient};

use crate::inspect::Inspected;
use crate::json::Members;

/// Besides the user agent.
const ENOUGH: usize = 2;
/// As much of a text as is compared with how an agent's begins, bytes.
const BEGINNING: usize = 128;
const CODEX_SESSIONS: [&str; 4] = ["session-id", "thread-id", "session_id", "conversation_id"];
const CLAUDE_TEXTS: [&str; 2] = ["x-anthropic-billing-header:", "You are Claude Code"];

/// The user agent, empty when there is none. Bytes that are no text are read as U+FFFD: they must not hide a program.
pub fn user_agent(headers: &HeaderMap) -> Cow<'_, str> {
    let value = headers.get(http::header::USER_AGENT);
    value.map_or(Cow::Borrowed(""), |value| {
        String::from_utf8_lossy(value.as_bytes())
    })
}

/// What a request with this [`user_agent`] says of the program that sent it.
pub fn recognise<'a>(
    user_agent: &'a str,
    headers: &HeaderMap,
    inspected: &Inspected,
    body: &Bytes,
) -> Client<'a> {
    let claimed = claim(user_agent);
    let signals = match claimed {
        Some(KnownClient::ClaudeCode) => count(&claude_code(headers, inspected, body)),
        Some(KnownClient::Codex) => count(&codex(headers, inspected, user_agent)),
        Some(KnownClient::GeminiCli) => count(&gemini_cli(headers, inspected, body, user_agent)),
        None => 0,
    };
    Client {
        known: claimed.filter(|_| signals >= ENOUGH),
        claimed,
        user_agent,
    }
}

/// What a request without a look at its signals says.
pub fn by_user_agent(user_agent: &str) -> Client<'_> {
    Client {
        known: None,
        claimed: claim(user_agent),
        user_agent,
    }
}

fn count(signals: &[bool]) -> usize {
    signals.iter().filter(|signal| **signal).count()
}

/// The first product of the user agent.
fn claim(user_agent: &str) -> Option<KnownClient> {
    let (product, version) = user_agent.split_once('/')?;
    let versioned = version.starts_with(|first: char| first.is_ascii_digit());
    let own = |rest: &str| {
        rest.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    match () {
        () if product == "claude-cli" && versioned => Some(KnownClient::ClaudeCode),
        () if product.strip_prefix("codex").is_some_and(own) && versioned => Some(KnownClient::Codex),
        () if product.strip_prefix("GeminiCLI").is_some_and(own) => Some(KnownClient::GeminiCli),
        () => None,
    }
}

fn claude_code(headers: &HeaderMap, inspected: &Inspected, body: &Bytes) -> [bool; 5] {
    let session = text(headers, "x-claude-code-session-id").filter(|id| is_uuid(id));
    let betas = headers.get_all("anthropic-beta").iter();
    let mut betas = betas
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    [
        text(headers, "x-app").is_some_and(|app| app == "cli" || app.starts_with("cli-")),
        betas.any(|beta| beta.trim().starts_with("claude-code-")),
        session.is_some(),
        inspected
            .user_id
            .as_deref()
            .and_then(claude_session)
            .is_some_and(|id| session.is_none_or(|session| session == id)),
        first_system_text(body).is_some_and(|text| CLAUDE_TEXTS.iter().any(|start| text.starts_with(start))),
    ]
}

/// The session inside a user id of Claude Code's making.
fn claude_session(user_id: &str) -> Option<String> {
    if !user_id.starts_with('{') {
        let (before, session) = user_id.rsplit_once("_session_")?;
        let own = before.starts_with("user_") && before.contains("_account_");
        return (own && is_uuid(session)).then(|| session.to_owned());
    }
    let mut members = Members::open(user_id.as_bytes()).ok()?;
    let (mut device, mut session) = (false, None);
    while let Some(member) = members.next().ok()? {
        match member.key.name().as_deref() {
            Some(b"device_id") => device = member.value.is_string(),
            Some(b"session_id") => session = member.value.short_text(BEGINNING),
            Some(_) | None => {}
        }
    }
    let session = session.filter(|id| device && is_uuid(id))?;
    Some(session.into_owned())
}

/// How the text of `system`, or of its first block, begins.
fn first_system_text(body: &Bytes) -> Option<String> {
    let system = member(body, b"system")?;
    if let Some(Ok(text)) = system.text() {
        return Some(beginning(&text));
    }
    let first = system.elements().next()?;
    let mut found = None;
    first.each_member(|name, value| {
        if name == b"text"
            && let Some(Ok(text)) = value.text()
        {
            found = Some(beginning(&text));
        }
    });
    found
}

fn codex(headers: &HeaderMap, inspected: &Inspected, user_agent: &str) -> [bool; 4] {
    let session = CODEX_SESSIONS
        .iter()
        .filter_map(|name| text(headers, name))
        .find(|id| is_uuid(id));
    let originator = text(headers, "originator");
    [
        originator.is_some_and(|name| {
            let rest = user_agent.strip_prefix(name);
            name.starts_with("codex") && rest.is_some_and(|rest| rest.starts_with('/'))
        }),
        session.is_some(),
        headers.keys().any(|name| name.as_str().starts_with("x-codex-")),
        session.is_some() && inspected.prompt_cache_key.as_deref() == session,
    ]
}

fn gemini_cli(headers: &HeaderMap, inspected: &Inspected, body: &Bytes, user_agent: &str) -> [bool; 4] {
    let mut parts = user_agent.split([' ', '/']);
    [
        text(headers, "x-goog-api-client").is_some_and(|sdk| sdk.contains("gl-node/")),
        !inspected.model.is_empty() && parts.any(|part| part == inspected.model),
        headers.contains_key("x-gemini-api-privileged-user-id"),
        member(body, b"systemInstruction").is_some(),
    ]
}

/// A member at the top of a body.
fn member<'a>(body: &'a Bytes, name: &[u8]) -> Option<crate::json::Value<'a>> {
    let mut members = Members::open(body).ok()?;
    while let Some(member) = members.next().ok()? {
        if member.key.name().as_deref() == Some(name) {
            return Some(member.value);
        }
    }
    None
}

fn beginning(text: &str) -> String {
    text.chars().take(BEGINNING).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Hyphenated, 36 characters.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
