//! Stored resources as operators see them: no credential, no hash.

use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_store::{Change, Stored, StoredSpec};
use tonic::Status;

use super::names;
use super::refusals::Refusals;

/// A provider.
pub(super) fn provider(stored: Stored, refusals: &Refusals) -> Result<wire::Provider, Status> {
    let refused_by = refusals.of(&stored);
    let found = names::as_provider(stored).ok_or_else(mismatch)?;
    Ok(wire::Provider {
        id: found.id.to_string(),
        version: found.stored.version,
        spec: Some(convert::provider_to_wire(&found.value.provider)),
        credential_hint: found.value.credential.map(|c| c.sealed.hint).unwrap_or_default(),
        created_at_ms: found.stored.created_at.0,
        updated_at_ms: found.stored.updated_at.0,
        refused_by,
        has_proxy_password: found.value.proxy_password.is_some(),
    })
}

/// A user.
pub(super) fn user(stored: Stored, refusals: &Refusals) -> Result<wire::User, Status> {
    let refused_by = refusals.of(&stored);
    let found = names::as_user(stored).ok_or_else(mismatch)?;
    Ok(wire::User {
        id: found.id.to_string(),
        version: found.stored.version,
        spec: Some(convert::user_to_wire(&found.value)),
        created_at_ms: found.stored.created_at.0,
        updated_at_ms: found.stored.updated_at.0,
        refused_by,
    })
}

/// A key of the user of that name.
pub(super) fn key(
    stored: Stored,
    user_name: String,
    refusals: &Refusals,
    now: UnixMs,
) -> Result<wire::Key, Status> {
    let refused_by = refusals.of(&stored);
    let found = names::as_key(stored).ok_or_else(mismatch)?;
    let previous = found.value.previous.filter(|previous| now < previous.valid_until);
    Ok(wire::Key {
        id: found.id.to_string(),
        version: found.stored.version,
        spec: Some(convert::key_spec_to_wire(&found.value)),
        user_name,
        created_at_ms: found.stored.created_at.0,
        updated_at_ms: found.stored.updated_at.0,
        previous_valid_until_ms: previous.map(|previous| previous.valid_until.0),
        import_suffix: found.value.import_suffix.unwrap_or_default(),
        refused_by,
    })
}

/// A price.
pub(super) fn price(stored: &Stored) -> Result<wire::Price, Status> {
    let (ResourceRef::Price(name), StoredSpec::Price(price)) = (&stored.reference, &stored.spec) else {
        return Err(mismatch());
    };
    Ok(wire::Price {
        name: name.to_string(),
        version: stored.version,
        spec: Some(convert::price_to_wire(price)),
        updated_at_ms: stored.updated_at.0,
    })
}

/// An error rule.
pub(super) fn error_rule(stored: &Stored, refusals: &Refusals) -> Result<wire::ErrorRule, Status> {
    let StoredSpec::ErrorRule(rule) = &stored.spec else {
        return Err(mismatch());
    };
    Ok(wire::ErrorRule {
        name: rule.name.clone(),
        version: stored.version,
        spec: Some(convert::error_rule_to_wire(rule)),
        created_at_ms: stored.created_at.0,
        updated_at_ms: stored.updated_at.0,
        refused_by: refusals.of(stored),
    })
}

/// An word rule.
pub(super) fn word_rule(stored: &Stored, refusals: &Refusals) -> Result<wire::WordRule, Status> {
    let StoredSpec::WordRule(rule) = &stored.spec else {
        return Err(mismatch());
    };
    Ok(wire::WordRule {
        name: rule.name.clone(),
        version: stored.version,
        spec: Some(convert::word_rule_to_wire(rule)),
        created_at_ms: stored.created_at.0,
        updated_at_ms: stored.updated_at.0,
        refused_by: refusals.of(stored),
    })
}

/// An request filter.
pub(super) fn request_filter(stored: &Stored, refusals: &Refusals) -> Result<wire::RequestFilter, Status> {
    let StoredSpec::RequestFilter(rule) = &stored.spec else {
        return Err(mismatch());
    };
    Ok(wire::RequestFilter {
        name: rule.name.clone(),
        version: stored.version,
        spec: Some(convert::request_filter_to_wire(rule)),
        created_at_ms: stored.created_at.0,
        updated_at_ms: stored.updated_at.0,
        refused_by: refusals.of(stored),
    })
}

/// One entry of the history.
pub(super) fn change(change: &Change) -> wire::Change {
    let json =
        |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    wire::Change {
        resource: Some(convert::reference_to_wire(&change.reference)),
        label: change.label.clone(),
        before_json: json(&change.before),
        after_json: json(&change.after),
    }
}

fn mismatch() -> Status {
    Status::internal("the store answered with a resource of another kind")
}
