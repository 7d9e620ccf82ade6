//! Which programs a key may be used with.
//!
//! Three coding agents are known by name. Whether a request comes from one of them is told by several signals that
//! agree (`penstock_dialect::client` says which); its user agent alone is a claim and nothing more. Every other
//! program is told by its user agent, which anybody can write: such a rule keeps order among honest users and is no
//! lock.
//!
//! A claim counts against a caller and never for it: a rule that allows Claude Code holds for requests that were
//! recognised, one that blocks it also for those that merely say so.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::model::{MAX_NAME, ModelPattern};

/// A coding agent that is recognised by its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownClient {
    ClaudeCode,
    Codex,
    GeminiCli,
}

/// One entry of a list of clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientRule {
    Known(KnownClient),
    /// On the beginning of the `user-agent` header, as much of it as a pattern looks at.
    UserAgent(ModelPattern),
}

/// The program behind a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client<'a> {
    /// The agent that its signals agree on.
    pub known: Option<KnownClient>,
    /// The agent that its user agent names.
    pub claimed: Option<KnownClient>,
    /// Empty: it has none.
    pub user_agent: &'a str,
}

impl KnownClient {
    pub const ALL: [Self; 3] = [Self::ClaudeCode, Self::Codex, Self::GeminiCli];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::GeminiCli => "gemini-cli",
        }
    }
}

impl ClientRule {
    /// Whether this allows the client.
    pub fn allows(&self, client: &Client<'_>) -> bool {
        match self {
            Self::Known(known) => client.known == Some(*known),
            Self::UserAgent(pattern) => pattern.matches(client.beginning()),
        }
    }

    /// Whether this, as a block, is meant for the client.
    pub fn blocks(&self, client: &Client<'_>) -> bool {
        match self {
            Self::Known(known) => client.known == Some(*known) || client.claimed == Some(*known),
            Self::UserAgent(pattern) => pattern.matches(client.beginning()),
        }
    }

    /// Whether requests must be looked at for signals.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::UserAgent(_) => false,
        }
    }

    pub fn validate(&self, field: &str) -> Result<(), Invalid> {
        match self {
            Self::Known(_) => Ok(()),
            Self::UserAgent(pattern) => pattern.validate(field),
        }
    }
}

impl<'a> Client<'a> {
    /// The longest part of the user agent that patterns look at, cut between characters.
    fn beginning(&self) -> &'a str {
        let end = (0..=MAX_NAME.min(self.user_agent.len()))
            .rev()
            .find(|end| self.user_agent.is_char_boundary(*end));
        self.user_agent.get(..end.unwrap_or(0)).unwrap_or_default()
    }
}

/// For the caller that is told about it.
impl fmt::Display for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        if let Some(known) = self.known {
            return f.write_str(known.as_str());
        }
        if self.user_agent.is_empty() {
            return f.write_str("without a user agent");
        }
        let shown: String = self.user_agent.chars().take(SHOWN).collect();
        write!(f, "{shown:?}")
    }
}

impl fmt::Display for KnownClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As command lines write it.
impl fmt::Display for ClientRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::UserAgent(pattern) => f.write_str(pattern.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claiming(known: Option<KnownClient>) -> Client<'static> {
        Client {
            known,
            claimed: Some(KnownClient::ClaudeCode),
            user_agent: "claude-cli/2.1.329 (external, cli)",
        }
    }

    #[test]
    fn a06_a_claim_is_enough_to_be_blocked_and_not_to_be_allowed() {
        let rule = ClientRule::Known(KnownClient::ClaudeCode);
        let (real, mere) = (claiming(Some(KnownClient::ClaudeCode)), claiming(None));
        assert!(rule.allows(&real) && rule.blocks(&real));
        assert!(!rule.allows(&mere) && rule.blocks(&mere));
    }

    #[test]
    fn a_long_user_agent_is_still_judged_by_its_beginning() {
        let long = format!("curl/8 {}", "é".repeat(MAX_NAME));
        let client = Client {
            user_agent: &long,
            ..Client::default()
        };
        let rule = ClientRule::UserAgent(ModelPattern::Prefix("curl/".into()));
        assert!(rule.blocks(&client));
        assert!(client.to_string().len() < 200);
    }

    #[test]
    fn a_rule_keeps_its_json() {
        let rules = [
            ClientRule::Known(KnownClient::GeminiCli),
            ClientRule::UserAgent(ModelPattern::Prefix("curl/".into())),
        ];
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(
            json,
            r#"[{"known":"gemini-cli"},{"user_agent":{"prefix":"curl/"}}]"#
        );
        assert_eq!(serde_json::from_str::<[ClientRule; 2]>(&json).unwrap(), rules);
    }
}
