//! How long records are kept.

use penstock_core::setting::RetentionPolicy;

use crate::config::v1 as wire;

pub(super) fn retention_to_wire(policy: RetentionPolicy) -> wire::RetentionPolicy {
    wire::RetentionPolicy {
        enabled: policy.enabled,
        usage_records_days: policy.usage_records_days,
        failed_calls_days: policy.failed_calls_days,
        audit_log_days: policy.audit_log_days,
    }
}

pub(super) fn retention_from_wire(policy: wire::RetentionPolicy) -> RetentionPolicy {
    let default = RetentionPolicy::default();
    let days = |days: u32, default: u32| if days == 0 { default } else { days };
    RetentionPolicy {
        enabled: policy.enabled,
        usage_records_days: days(policy.usage_records_days, default.usage_records_days),
        failed_calls_days: days(policy.failed_calls_days, default.failed_calls_days),
        audit_log_days: days(policy.audit_log_days, default.audit_log_days),
    }
}
