//! Error rules.

use penstock_core::error_rule::{ErrorPattern, ErrorRule, ErrorText, Replace, ReplaceBody};
use penstock_core::invalid::Invalid;

use super::enums::{
    error_field_from_wire, error_field_to_wire, failure_class_from_wire, failure_class_to_wire,
    provider_kind_from_wire, provider_kind_to_wire,
};
use super::required;
use crate::config::v1 as wire;

/// Writes a rule, without its name.
pub fn error_rule_to_wire(rule: &ErrorRule) -> wire::ErrorRule {
    wire::ErrorRule {
        enabled: rule.enabled,
        priority: rule.priority,
        provider_kind: rule.kind.map(provider_kind_to_wire),
        provider: rule.provider.clone(),
        status: rule.status.map(u32::from),
        pattern: rule.pattern.as_ref().map(pattern_to_wire),
        class: failure_class_to_wire(rule.class),
        replace: rule.replace.as_ref().map(replace_to_wire),
    }
}

/// Reads the rule of that name.
pub fn error_rule_from_wire(name: &str, rule: wire::ErrorRule) -> Result<ErrorRule, Invalid> {
    let kind = rule
        .provider_kind
        .map(|kind| provider_kind_from_wire("provider_kind", kind));
    Ok(ErrorRule {
        name: name.to_owned(),
        enabled: rule.enabled,
        priority: rule.priority,
        kind: kind.transpose()?,
        provider: rule.provider,
        status: status_from_wire("status", rule.status)?,
        pattern: rule.pattern.map(pattern_from_wire).transpose()?,
        class: failure_class_from_wire("class", rule.class)?,
        replace: rule.replace.map(replace_from_wire).transpose()?,
    })
}

/// Writes what the caller gets instead.
pub fn replace_to_wire(replace: &Replace) -> wire::Replacement {
    use wire::replacement::Body;
    let body = |body: &ReplaceBody| match body {
        ReplaceBody::Message(text) => Body::Message(text.clone()),
        ReplaceBody::Json(text) => Body::Json(text.clone()),
    };
    wire::Replacement {
        status: replace.status.map(u32::from),
        body: replace.body.as_ref().map(body),
    }
}

fn replace_from_wire(replace: wire::Replacement) -> Result<Replace, Invalid> {
    use wire::replacement::Body;
    let body = |body| match body {
        Body::Message(text) => ReplaceBody::Message(text),
        Body::Json(text) => ReplaceBody::Json(text),
    };
    Ok(Replace {
        status: status_from_wire("replace.status", replace.status)?,
        body: replace.body.map(body),
    })
}

fn pattern_to_wire(pattern: &ErrorPattern) -> wire::ErrorPattern {
    use wire::error_pattern::Text;
    let text = match &pattern.text {
        ErrorText::Contains(text) => Text::Contains(text.clone()),
        ErrorText::Regex(regex) => Text::Regex(regex.as_str().to_owned()),
    };
    wire::ErrorPattern {
        field: error_field_to_wire(pattern.field),
        text: Some(text),
    }
}

fn pattern_from_wire(pattern: wire::ErrorPattern) -> Result<ErrorPattern, Invalid> {
    use wire::error_pattern::Text;
    Ok(ErrorPattern {
        field: error_field_from_wire("pattern.field", pattern.field)?,
        text: match required("pattern.text", pattern.text)? {
            Text::Contains(text) => ErrorText::Contains(text),
            Text::Regex(text) => ErrorText::Regex(text.into()),
        },
    })
}

fn status_from_wire(field: &str, status: Option<u32>) -> Result<Option<u16>, Invalid> {
    let read = |status: u32| {
        u16::try_from(status).map_err(|_| Invalid::new(field, format!("{status} is not a status")))
    };
    status.map(read).transpose()
}
