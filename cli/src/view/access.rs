//! The rules that users and keys share.

use penstock_core::access::Access as Rules;
use serde::Serialize;

use super::{joined, or_dash, yes_no};
use crate::args::pattern;

/// Flattened into users and keys.
#[derive(Debug, Serialize)]
pub(crate) struct Access {
    pub enabled: bool,
    pub expires_at: Option<String>,
    pub tags: Vec<String>,
    pub groups: Vec<String>,
    pub allowed_models: Vec<String>,
    pub blocked_models: Vec<String>,
}

impl From<&Rules> for Access {
    fn from(rules: &Rules) -> Self {
        Self {
            enabled: rules.enabled,
            expires_at: rules.expires_at.map(|at| at.to_string()),
            tags: rules.tags.clone(),
            groups: rules.groups.clone(),
            allowed_models: rules.allowed_models.iter().map(pattern::write).collect(),
            blocked_models: rules.blocked_models.iter().map(pattern::write).collect(),
        }
    }
}

impl Access {
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("enabled", yes_no(self.enabled)),
            ("expires", self.expires()),
            ("tags", joined(&self.tags)),
            ("groups", joined(&self.groups)),
            ("allowed models", joined(&self.allowed_models)),
            ("blocked models", joined(&self.blocked_models)),
        ]
    }

    pub(crate) fn expires(&self) -> String {
        or_dash(self.expires_at.as_deref())
    }
}
