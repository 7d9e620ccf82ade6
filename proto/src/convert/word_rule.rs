//! Word rules.

use penstock_core::invalid::Invalid;
use penstock_core::word_rule::WordRule;

use super::enums::{word_matching_from_wire, word_matching_to_wire};
use crate::config::v1 as wire;

/// Writes a rule, without its name.
pub fn word_rule_to_wire(rule: &WordRule) -> wire::WordRule {
    wire::WordRule {
        enabled: rule.enabled,
        matching: word_matching_to_wire(rule.matching),
        texts: rule.texts.clone(),
    }
}

/// Reads the rule of that name.
pub fn word_rule_from_wire(name: &str, rule: wire::WordRule) -> Result<WordRule, Invalid> {
    Ok(WordRule {
        name: name.to_owned(),
        enabled: rule.enabled,
        matching: word_matching_from_wire("matching", rule.matching)?,
        texts: rule.texts,
    })
}
