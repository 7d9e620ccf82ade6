//! Word rules.

use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::{Refusal, Row, View, fields, instant, refused, yes_no};
use crate::failure::Failure;

/// In a cell.
const SHOWN: usize = 5;

/// A rule.
#[derive(Debug, Serialize)]
pub(crate) struct WordRule {
    pub name: String,
    pub enabled: bool,
    pub matching: &'static str,
    pub texts: Vec<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

impl WordRule {
    pub(crate) fn read(rule: wire::WordRule) -> Result<Self, Failure> {
        let spec = convert::word_rule_from_wire(&rule.name, rule.spec.unwrap_or_default())?;
        Ok(Self {
            name: rule.name,
            enabled: spec.enabled,
            matching: spec.matching.as_str(),
            texts: spec.texts,
            version: rule.version,
            created_at: instant(rule.created_at_ms),
            updated_at: instant(rule.updated_at_ms),
            refused_by: rule.refused_by.into_iter().map(Refusal::from).collect(),
        })
    }

    fn some_texts(&self) -> String {
        let shown = self
            .texts
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        match self.texts.len().saturating_sub(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}

impl View for WordRule {
    fn table(&self) -> String {
        let mut table = vec![
            ("name", self.name.clone()),
            ("enabled", yes_no(self.enabled)),
            ("matching", self.matching.to_owned()),
            ("texts", self.texts.join("\n")),
            ("version", self.version.to_string()),
        ];
        if !self.refused_by.is_empty() {
            table.push(("refused by", refused(&self.refused_by)));
        }
        fields(&table)
    }
}

impl Row for WordRule {
    const COLUMNS: &'static [&'static str] = &["NAME", "ENABLED", "MATCHING", "TEXTS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            yes_no(self.enabled),
            self.matching.to_owned(),
            self.some_texts(),
        ]
    }
}
