//! Attributes as the protocol has them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// A text.
pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    of(key, Value::StringValue(value.into()))
}

/// A number; one that is too large counts as the largest.
pub(crate) fn number(key: &str, value: impl TryInto<i64>) -> KeyValue {
    of(key, Value::IntValue(value.try_into().unwrap_or(i64::MAX)))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
