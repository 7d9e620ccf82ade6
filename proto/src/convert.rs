//! Between wire types and the domain's types; the only place that knows both.
//!
//! Reading is strict: a missing part, an unknown enum value or an id of the wrong form is an [`Invalid`] with the
//! field's path, so that a peer of another release is refused instead of misunderstood. Whether a value makes sense
//! is for the domain's `validate`. Writing cannot fail.

mod access;
mod credential;
mod decision;
pub mod enums;
mod error_rule;
mod health;
mod key;
mod limits;
mod logging;
mod manifest;
mod notifications;
mod operator;
mod outbound;
mod price;
mod provider;
mod record;
mod request_filter;
mod resource;
mod retention;
mod routing;
mod setting;
mod update;
mod word_rule;

#[cfg(test)]
mod tests;

pub use credential::aws_from_wire;
pub use decision::{verdict_from_wire, verdict_to_wire};
pub use error_rule::{error_rule_from_wire, error_rule_to_wire, replace_to_wire};
pub use health::{provider_state_from_wire, provider_state_to_wire};
pub use key::{key_spec_from_wire, key_spec_to_wire};
pub use limits::{limits_from_wire, limits_to_wire};
pub use manifest::{Declared, declared_from_wire, manifest_kind};
pub use operator::{operator_from_wire, operator_to_wire};
pub use price::{factor_to_wire, price_from_wire, price_to_wire, rate_to_wire};
pub use provider::{provider_from_wire, provider_to_wire};
pub use record::{usage_record_from_wire, usage_record_to_wire};
pub use request_filter::{request_filter_from_wire, request_filter_to_wire};
pub use resource::{reference_from_wire, reference_to_wire, resource_from_wire, resource_to_wire};
pub use setting::{setting_from_wire, setting_to_wire};
pub use update::{nack_from_wire, nack_to_wire, upsert_from_wire};
pub use word_rule::{word_rule_from_wire, word_rule_to_wire};

pub use access::{
    client_from_wire, client_to_wire, pattern_from_wire, pattern_to_wire, user_from_wire, user_to_wire,
};
pub use routing::{hours_from_wire, hours_to_wire};

use penstock_core::invalid::Invalid;

fn required<T>(field: &str, value: Option<T>) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::new(field, "is missing"))
}

fn id<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Invalid> {
    text.parse()
        .map_err(|_| Invalid::new(field, format!("{text:?} is not an id")))
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
