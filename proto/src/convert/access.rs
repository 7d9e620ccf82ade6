//! Users, and the rules that users and keys share.

use penstock_core::access::{Access, Activation, Rules};
use penstock_core::cidr::Cidr;
use penstock_core::client::ClientRule;
use penstock_core::invalid::Invalid;
use penstock_core::model::ModelPattern;
use penstock_core::time::UnixMs;
use penstock_core::user::User;

use super::enums::{dialect_from_wire, dialect_to_wire, known_client_from_wire, known_client_to_wire};
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
        allowed_dialects: access
            .rules
            .allowed_dialects
            .iter()
            .copied()
            .map(dialect_to_wire)
            .collect(),
        allowed_clients: access.rules.allowed_clients.iter().map(client_to_wire).collect(),
        blocked_clients: access.rules.blocked_clients.iter().map(client_to_wire).collect(),
        allowed_addresses: access
            .rules
            .allowed_addresses
            .iter()
            .map(Cidr::to_string)
            .collect(),
        activation: access.activation.map(|activation| wire::Activation {
            expires_after_ms: activation.expires_after_ms,
            first_used_at_ms: activation.first_used_at.map(|at| at.0),
            granted_at_ms: activation.granted_at.map(|at| at.0),
        }),
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
        rules: Rules {
            allowed_dialects: each(
                "access.allowed_dialects",
                access.allowed_dialects,
                dialect_from_wire,
            )?,
            allowed_clients: each("access.allowed_clients", access.allowed_clients, client_from_wire)?,
            blocked_clients: each("access.blocked_clients", access.blocked_clients, client_from_wire)?,
            allowed_addresses: each("access.allowed_addresses", access.allowed_addresses, range)?,
        }
        .shared(),
        activation: access.activation.map(|activation| Activation {
            expires_after_ms: activation.expires_after_ms,
            first_used_at: activation.first_used_at_ms.map(UnixMs),
            granted_at: activation.granted_at_ms.map(UnixMs),
        }),
    })
}

fn each<W, T>(
    field: &str,
    values: Vec<W>,
    read: impl Fn(&str, W) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let read = |(i, value)| read(&format!("{field}[{i}]"), value);
    values.into_iter().enumerate().map(read).collect()
}

fn range(field: &str, text: String) -> Result<Cidr, Invalid> {
    text.parse()
        .map_err(|error: penstock_core::cidr::ParseCidrError| Invalid::new(field, error.to_string()))
}

/// Writes a rule on programs.
pub fn client_to_wire(rule: &ClientRule) -> wire::ClientRule {
    use wire::client_rule::Client;
    let client = match rule {
        ClientRule::Known(known) => Client::Known(known_client_to_wire(*known)),
        ClientRule::UserAgent(pattern) => Client::UserAgent(pattern_to_wire(pattern)),
    };
    wire::ClientRule { client: Some(client) }
}

/// Reads a rule on programs.
pub fn client_from_wire(field: &str, rule: wire::ClientRule) -> Result<ClientRule, Invalid> {
    use wire::client_rule::Client;
    Ok(match required(field, rule.client)? {
        Client::Known(known) => ClientRule::Known(known_client_from_wire(field, known)?),
        Client::UserAgent(pattern) => ClientRule::UserAgent(pattern_from_wire(field, Some(pattern))?),
    })
}

/// Writes a pattern of names.
pub fn pattern_to_wire(pattern: &ModelPattern) -> wire::ModelPattern {
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

/// Reads a pattern of names.
pub fn pattern_from_wire(field: &str, pattern: Option<wire::ModelPattern>) -> Result<ModelPattern, Invalid> {
    use wire::model_pattern::Pattern;
    Ok(match required(field, pattern.and_then(|given| given.pattern))? {
        Pattern::Exact(text) => ModelPattern::Exact(text),
        Pattern::Prefix(text) => ModelPattern::Prefix(text),
        Pattern::Suffix(text) => ModelPattern::Suffix(text),
        Pattern::Contains(text) => ModelPattern::Contains(text),
        Pattern::Regex(text) => ModelPattern::Regex(text.into()),
    })
}
