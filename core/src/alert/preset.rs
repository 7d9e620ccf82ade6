//! Who receives notifications, and so in which form.

use serde::{Deserialize, Serialize};

/// The form of a message, by who receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// JSON of ours, signed by HMAC.
    Generic,
    Slack,
    Feishu,
    DingTalk,
    WeCom,
}

impl Preset {
    pub const ALL: [Self; 5] = [
        Self::Generic,
        Self::Slack,
        Self::Feishu,
        Self::DingTalk,
        Self::WeCom,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Slack => "slack",
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::WeCom => "wecom",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == word)
    }
}
