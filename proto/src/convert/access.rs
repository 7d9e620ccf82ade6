//! Users, and the rules that users and keys share.

use penstock_core::access::Access;
use penstock_core::invalid::Invalid;
use penstock_core::model::ModelPattern;
use penstock_core::time::UnixMs;
use penstock_core::user::User;

use super::limits::{limits_from_wire, limits_to_wire};
use super::required;
use crate::config::v1 as wire;

/// Writes a user.
pub fn user_to_wire(user: &User) -> wire::User {
    wire::User {
        name: user.name.clone(),
        access: Some(access_to_wire(&user.access)),
        limits: limits_to_wire(&user.limits),
    }
}

/// Reads a user.
pub fn user_from_wire(user: wire::User) -> Result<User, Invalid> {
    Ok(User {
        name: user.name,
        access: access_from_wire(required("access", user.access)?)?,
        limits: limits_from_wire(user.limits)?,
    })
}

pub(super) fn access_to_wire(access: &Access) -> wire::Access {
    wire::Access {
        enabled: access.enabled,
        expires_at_ms: access.expires_at.map(|at| at.0),
        tags: access.tags.clone(),
        groups: access.groups.clone(),
        allowed_models: access.allowed_models.iter().map(pattern_to_wire).collect(),
        blocked_models: access.blocked_models.iter().map(pattern_to_wire).collect(),
    }
}

pub(super) fn access_from_wire(access: wire::Access) -> Result<Access, Invalid> {
    Ok(Access {
        enabled: access.enabled,
        expires_at: access.expires_at_ms.map(UnixMs),
        tags: access.tags,
        groups: access.groups,
        allowed_models: patterns_from_wire("access.allowed_models", access.allowed_models)?,
        blocked_models: patterns_from_wire("access.blocked_models", access.blocked_models)?,
    })
}

pub(super) fn pattern_to_wire(pattern: &ModelPattern) -> wire::ModelPattern {
    use wire::model_pattern::Pattern;
    let text = pattern.text().to_owned();
    let pattern = match pattern {
        ModelPattern::Exact(_) => Pattern::Exact(text),
        ModelPattern::Prefix(_) => Pattern::Prefix(text),
        ModelPattern::Suffix(_) => Pattern::Suffix(text),
        ModelPattern::Contains(_) => Pattern::Contains(text),
        ModelPattern::Regex(_) => Pattern::Regex(text),
    };
    wire::ModelPattern {
        pattern: Some(pattern),
    }
}

pub(super) fn patterns_from_wire(
    field: &str,
    patterns: Vec<wire::ModelPattern>,
) -> Result<Vec<ModelPattern>, Invalid> {
    let read = |(i, pattern)| pattern_from_wire(&format!("{field}[{i}]"), Some(pattern));
    patterns.into_iter().enumerate().map(read).collect()
}

pub(super) fn pattern_from_wire(
    field: &str,
    pattern: Option<wire::ModelPattern>,
) -> Result<ModelPattern, Invalid> {
    use wire::model_pattern::Pattern;
    Ok(match required(field, pattern.and_then(|given| given.pattern))? {
        Pattern::Exact(text) => ModelPattern::Exact(text),
        Pattern::Prefix(text) => ModelPattern::Prefix(text),
        Pattern::Suffix(text) => ModelPattern::Suffix(text),
        Pattern::Contains(text) => ModelPattern::Contains(text),
        Pattern::Regex(text) => ModelPattern::Regex(text.into()),
    })
}
