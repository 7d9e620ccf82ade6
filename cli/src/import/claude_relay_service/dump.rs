//! The forms of a dump, read as one.
//!
//! 1. What its `scripts/data-transfer-enhanced.js export` writes (and the older `data-transfer.js`):
//!    `{"metadata": …, "data": {"apiKeys": [...], "claudeAccounts": [...], …}}`.
//! 2. What its `/admin/sync/export-accounts?include_secrets=true` answers: `{"success": true, "data": {…}}`; secrets are in
//!    `credentials`.
//! 3. The Redis itself: an object of Redis keys and what they hold, or an object a line with `key`, `type` and `value`.
//!    Only this form knows all kinds of accounts and the groups.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::import::record::Record;
use crate::import::tables;
use crate::input;

/// A kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Platform {
    Claude,
    ClaudeConsole,
    Ccr,
    Openai,
    OpenaiResponses,
    AzureOpenai,
    Bedrock,
    Gemini,
    GeminiApi,
    Droid,
}

/// All of it.
#[derive(Default)]
pub(super) struct Dump {
    pub(super) keys: Vec<Record>,
    pub(super) accounts: Vec<(Platform, Record)>,
    /// Names of groups by id.
    pub(super) groups: BTreeMap<String, String>,
    /// Ids of groups by the id of an account.
    pub(super) members: BTreeMap<String, Vec<String>>,
    /// By their ids.
    pub(super) users: BTreeMap<String, Record>,
    pub(super) left_out: Vec<(String, usize, &'static str)>,
}

/// The prefix in Redis, the name in an export, what it is.
const ACCOUNTS: [(&str, &str, Platform); 11] = [
    ("claude:account:", "claudeAccounts", Platform::Claude),
    (
        "claude_console_account:",
        "claudeConsoleAccounts",
        Platform::ClaudeConsole,
    ),
    ("ccr_account:", "ccrAccounts", Platform::Ccr),
    ("openai:account:", "openaiAccounts", Platform::Openai),
    ("openai:account:", "openaiOAuthAccounts", Platform::Openai),
    (
        "openai_responses_account:",
        "openaiResponsesAccounts",
        Platform::OpenaiResponses,
    ),
    (
        "azure_openai:account:",
        "azureOpenaiAccounts",
        Platform::AzureOpenai,
    ),
    ("bedrock_account:", "bedrockAccounts", Platform::Bedrock),
    ("gemini_account:", "geminiAccounts", Platform::Gemini),
    ("gemini_api_account:", "geminiApiAccounts", Platform::GeminiApi),
    ("droid:account:", "droidAccounts", Platform::Droid),
];

impl Dump {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = input::text(path)?;
        let unknown = || {
            Failure::Input(format!(
                "{} is no dump of Claude Relay Service that is known\nUse its scripts/data-transfer-enhanced.js export, \
                 or the keys of its Redis as JSON; see docs/importing.md.",
                path.display()
            ))
        };
        let first = text.lines().next().unwrap_or_default();
        let lines =
            serde_json::from_str::<Map<String, Value>>(first).is_ok_and(|row| row.contains_key("key"));
        let mut dump = Self::default();
        if lines {
            for row in tables::json_lines(&text, path)? {
                let key = row
                    .get("key")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                dump.redis(&key, row.get("value").cloned().unwrap_or_default());
            }
        } else {
            let Value::Object(top) = tables::json(&text, path)? else {
                return Err(unknown());
            };
            match top.get("data") {
                Some(Value::Object(data)) => dump.export(data),
                Some(_) => return Err(unknown()),
                None => {
                    for (key, value) in top {
                        dump.redis(&key, value);
                    }
                }
            }
        }
        match dump.keys.is_empty() && dump.accounts.is_empty() {
            true => Err(unknown()),
            false => Ok(dump),
        }
    }

    fn export(&mut self, data: &Map<String, Value>) {
        for (name, value) in data {
            let rows: Vec<Map<String, Value>> = objects(value);
            let known = ACCOUNTS.iter().find(|(_, of, _)| of == name);
            match (name.as_str(), known) {
                ("apiKeys", _) => {
                    for row in rows {
                        self.key(row);
                    }
                }
                (_, Some((_, _, platform))) => {
                    for row in rows {
                        self.account(*platform, flattened(row));
                    }
                }
                ("exportedAt", _) => {}
                ("globalModelStats", _) => self.leave(name, 1, "what was used stays with the old gateway"),
                ("admins", _) => self.leave(name, rows.len(), "operators are accounts of their own here"),
                (_, None) => self.leave(name, rows.len().max(1), "is not known to this release"),
            }
        }
    }

    fn redis(&mut self, key: &str, value: Value) {
        if key == "apikey:hash_map" || key.starts_with("apikey:index") {
            return;
        }
        // Some are kept as a text.
        let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        let value = parsed.unwrap_or(value);
        let known = ACCOUNTS.iter().find(|(prefix, _, _)| key.starts_with(prefix));
        match (value, known) {
            (Value::Object(row), _) if key.starts_with("apikey:") => self.key(row),
            (Value::Object(row), Some((_, _, platform))) => self.account(*platform, row),
            (Value::Object(group), _) if key.starts_with("account_group:") => {
                let text = |field| {
                    group
                        .get(field)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                self.groups.insert(text("id"), text("name"));
            }
            (Value::Array(ids), _) if key.starts_with("account_group_members:") => {
                let group = key.trim_start_matches("account_group_members:");
                for id in ids.iter().filter_map(Value::as_str) {
                    self.members
                        .entry(id.to_owned())
                        .or_default()
                        .push(group.to_owned());
                }
            }
            (Value::Object(user), None) if key.starts_with("user:") && user.contains_key("username") => {
                let name = user.get("username").map(tables::plain).unwrap_or_default();
                let user = Record::new(format!("user {name:?}"), user);
                self.users.insert(user.text("id").unwrap_or_default(), user);
            }
            // Sums, sessions, indexes, locks.
            (_, _) => {}
        }
    }

    fn key(&mut self, row: Map<String, Value>) {
        let name = row.get("name").map(tables::plain).unwrap_or_default();
        self.keys.push(Record::new(format!("API key {name:?}"), row));
    }

    fn account(&mut self, platform: Platform, row: Map<String, Value>) {
        let name = row.get("name").map(tables::plain).unwrap_or_default();
        let record = Record::new(format!("{} account {name:?}", platform.as_str()), row);
        self.accounts.push((platform, record));
    }

    fn leave(&mut self, what: &str, number: usize, why: &'static str) {
        match self.left_out.iter_mut().find(|(known, _, _)| known == what) {
            Some((_, known, _)) => *known += number,
            None if number > 0 => self.left_out.push((what.to_owned(), number, why)),
            None => {}
        }
    }
}

impl Platform {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ClaudeConsole => "claude-console",
            Self::Ccr => "ccr",
            Self::Openai => "openai",
            Self::OpenaiResponses => "openai-responses",
            Self::AzureOpenai => "azure-openai",
            Self::Bedrock => "bedrock",
            Self::Gemini => "gemini",
            Self::GeminiApi => "gemini-api",
            Self::Droid => "droid",
        }
    }

    /// What a key is bound to an account of this kind for.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Claude | Self::ClaudeConsole | Self::Ccr | Self::Bedrock => "claude",
            Self::Openai | Self::OpenaiResponses | Self::AzureOpenai => "openai",
            Self::Gemini | Self::GeminiApi => "gemini",
            Self::Droid => "droid",
        }
    }

    /// What its secrets are encrypted with there, beside `ENCRYPTION_KEY`.
    pub(super) fn salt(self) -> &'static str {
        match self {
            Self::Claude | Self::Bedrock => "salt",
            Self::ClaudeConsole => "claude-console-salt",
            Self::Ccr => "ccr-account-salt",
            Self::Openai => "openai-account-salt",
            Self::OpenaiResponses => "openai-responses-salt",
            Self::AzureOpenai => "azure-openai-account-default-salt",
            Self::Gemini => "gemini-account-salt",
            Self::GeminiApi => "gemini-api-salt",
            Self::Droid => "droid-account-salt",
        }
    }
}

fn objects(value: &Value) -> Vec<Map<String, Value>> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_object().cloned())
        .collect()
}

/// The secrets of the second form, under the names of the first.
fn flattened(mut row: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(credentials)) = row.remove("credentials") else {
        return row;
    };
    row.remove("extra");
    row.remove("kind");
    for (name, value) in credentials {
        let name = match name.as_str() {
            "api_key" => "apiKey",
            "base_url" => "apiUrl",
            "access_token" => "accessToken",
            "refresh_token" => "refreshToken",
            "expires_at" => "expiresAt",
            "model_mapping" => "supportedModels",
            "user_agent" => "userAgent",
            // Of a token that is not taken over.
            "expires_in" | "scope" | "token_type" | "id_token" => continue,
            other => other,
        };
        row.entry(name.to_owned()).or_insert(value);
    }
    row
}
