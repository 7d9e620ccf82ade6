//! Error rules, and what they say of an error.

use penstock_core::error_rule::{ErrorRule as Core, ErrorText, ReplaceBody};
use penstock_core::failure::Class;
use penstock_core::provider::ProviderKind;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_proto::convert::enums::failure_class_from_wire;
use serde::Serialize;

use super::{Refusal, Row, View, fields, instant, or_dash, refused, yes_no};
use crate::args::choice;
use crate::failure::Failure;

/// A rule.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorRule {
    pub name: String,
    pub enabled: bool,
    pub priority: u32,
    pub kind: Option<&'static str>,
    pub provider: Option<String>,
    pub status: Option<u16>,
    /// Where `contains` or `regex` is looked for.
    #[serde(rename = "in")]
    pub field: Option<&'static str>,
    pub contains: Option<String>,
    pub regex: Option<String>,
    pub class: &'static str,
    pub replace_status: Option<u16>,
    pub replace_message: Option<String>,
    pub replace_json: Option<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

/// What an error means.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    pub class: &'static str,
    /// As the specification writes it.
    pub letter: char,
    /// The rule that decides; None: the table of data planes does.
    pub rule: Option<String>,
    pub row: String,
    pub scope: String,
    pub tries_next: bool,
    pub repeat_after_ms: Option<u64>,
    pub until: Option<String>,
    pub cooling_first_ms: Option<u64>,
    pub cooling_cap_ms: Option<u64>,
    pub permanent: bool,
    pub counts_for_breaker: bool,
    pub shown: bool,
    pub replace_status: Option<u32>,
    pub replace_message: Option<String>,
    pub replace_json: Option<String>,
}

impl ErrorRule {
    pub(crate) fn read(rule: wire::ErrorRule) -> Result<Self, Failure> {
        let spec: Core = convert::error_rule_from_wire(&rule.name, rule.spec.unwrap_or_default())?;
        let field = spec
            .pattern
            .as_ref()
            .map(|pattern| choice::field_name(pattern.field));
        let (contains, regex) = match spec.pattern.map(|pattern| pattern.text) {
            Some(ErrorText::Contains(text)) => (Some(text), None),
            Some(ErrorText::Regex(regex)) => (None, Some(regex.as_str().to_owned())),
            None => (None, None),
        };
        let replace_status = spec.replace.as_ref().and_then(|replace| replace.status);
        let (replace_message, replace_json) = match spec.replace.and_then(|replace| replace.body) {
            Some(ReplaceBody::Message(text)) => (Some(text), None),
            Some(ReplaceBody::Json(text)) => (None, Some(text)),
            None => (None, None),
        };
        Ok(Self {
            name: rule.name,
            enabled: spec.enabled,
            priority: spec.priority,
            kind: spec.kind.map(ProviderKind::as_str),
            provider: spec.provider,
            status: spec.status,
            field,
            contains,
            regex,
            class: spec.class.as_str(),
            replace_status,
            replace_message,
            replace_json,
            version: rule.version,
            created_at: instant(rule.created_at_ms),
            updated_at: instant(rule.updated_at_ms),
            refused_by: rule.refused_by.into_iter().map(Refusal::from).collect(),
        })
    }

    /// Whose errors, and which.
    fn matches(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.provider.as_ref().map(|name| format!("of {name}")));
        parts.extend(self.kind.map(|kind| format!("of {kind}")));
        parts.extend(self.status.map(|status| format!("status {status}")));
        let field = self.field.unwrap_or_default();
        parts.extend(self.contains.as_ref().map(|text| format!("{field} has {text:?}")));
        parts.extend(self.regex.as_ref().map(|text| format!("{field} fits /{text}/")));
        parts.join(", ")
    }

    /// What the caller gets instead.
    fn replaced(&self) -> String {
        let status = self.replace_status.map(|status| status.to_string());
        let body = self.replace_message.as_ref().or(self.replace_json.as_ref());
        or_dash(Some(
            &[status, body.cloned()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        ))
    }
}

impl Judged {
    pub(crate) fn read(answer: wire::TestErrorRuleResponse) -> Result<Self, Failure> {
        use config::replacement::Body;
        let class: Class = failure_class_from_wire("class", answer.class)?;
        let replace_status = answer.replace.as_ref().and_then(|replace| replace.status);
        let (replace_message, replace_json) = match answer.replace.and_then(|replace| replace.body) {
            Some(Body::Message(text)) => (Some(text), None),
            Some(Body::Json(text)) => (None, Some(text)),
            None => (None, None),
        };
        Ok(Self {
            class: class.as_str(),
            letter: class.letter(),
            rule: (!answer.rule.is_empty()).then_some(answer.rule),
            row: answer.row,
            scope: answer.scope,
            tries_next: answer.tries_next,
            repeat_after_ms: answer.repeat_after_ms,
            until: answer.until_ms.map(|ms| UnixMs(ms).to_string()),
            cooling_first_ms: answer.cooling_first_ms,
            cooling_cap_ms: answer.cooling_cap_ms,
            permanent: answer.permanent,
            counts_for_breaker: answer.counts_for_breaker,
            shown: answer.shown,
            replace_status,
            replace_message,
            replace_json,
        })
    }

    fn left_alone(&self) -> String {
        let until = self.until.as_ref().map(|until| format!("until {until}"));
        let guess = self.cooling_first_ms.map(|first| match self.cooling_cap_ms {
            Some(cap) if cap != first => format!("{} s, doubling to {} s", first / 1000, cap / 1000),
            Some(_) | None => format!("{} s", first / 1000),
        });
        let Some(time) = until.or(guess) else {
            return "-".to_owned();
        };
        let permanent = if self.permanent {
            ", then until an operator helps"
        } else {
            ""
        };
        format!("{} {time}{permanent}", self.scope)
    }
}

impl View for ErrorRule {
    fn table(&self) -> String {
        let mut table = vec![
            ("name", self.name.clone()),
            ("enabled", yes_no(self.enabled)),
            ("priority", self.priority.to_string()),
            ("matches", self.matches()),
            ("class", self.class.to_owned()),
            ("caller gets", self.replaced()),
            ("version", self.version.to_string()),
        ];
        if !self.refused_by.is_empty() {
            table.push(("refused by", refused(&self.refused_by)));
        }
        fields(&table)
    }
}

impl View for Judged {
    fn table(&self) -> String {
        let by = match &self.rule {
            Some(rule) => format!("error rule {rule}"),
            None => format!("row {}", self.row),
        };
        let again = match self.repeat_after_ms {
            Some(ms) => format!("once, after {ms} ms"),
            None => "no".to_owned(),
        };
        fields(&[
            ("class", format!("{} ({})", self.class, self.letter)),
            ("decided by", by),
            ("same provider again", again),
            ("next provider", yes_no(self.tries_next)),
            ("left alone", self.left_alone()),
            ("counts for the breaker", yes_no(self.counts_for_breaker)),
            ("caller may read it", yes_no(self.shown)),
        ])
    }
}

impl Row for ErrorRule {
    const COLUMNS: &'static [&'static str] =
        &["NAME", "ENABLED", "PRIORITY", "MATCHES", "CLASS", "CALLER GETS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            yes_no(self.enabled),
            self.priority.to_string(),
            self.matches(),
            self.class.to_owned(),
            self.replaced(),
        ]
    }
}
