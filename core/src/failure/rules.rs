//! The operators' error rules, ready for use: they come before every row of the table (behaviour G13).

use std::sync::Arc;

use super::row::Means;
use super::{Answered, Finding};
use crate::error_rule::ErrorRule;
use crate::time::UnixMs;

pub use crate::error_rule::{Replace, ReplaceBody};

/// The enabled rules in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorRules(Vec<Arc<ErrorRule>>);

impl ErrorRules {
    /// Lower priority first; of equals the name decides.
    pub fn new(rules: impl IntoIterator<Item = Arc<ErrorRule>>) -> Self {
        let mut rules: Vec<_> = rules.into_iter().filter(|rule| rule.enabled).collect();
        rules.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        Self(rules)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, seen: &Answered<'_>) -> Option<&ErrorRule> {
        self.0.iter().map(Arc::as_ref).find(|rule| rule.matches(seen))
    }
}

impl ErrorRule {
    /// A moment that the answer states holds for the rule's class as it would for a row's.
    pub(super) fn finding(&self, seen: &Answered<'_>, now: UnixMs) -> Finding {
        Finding {
            rule: Some(self.name.as_str().into()),
            replace: self.replace.clone().map(Arc::new),
            ..Means::of(self.class).finding("rule", seen, now)
        }
    }
}
