//! Operators' accounts.

use penstock_core::invalid::Invalid;
use penstock_core::operator::Operator;
use penstock_core::time::UnixMs;

use super::enums::{operator_role_from_wire, operator_role_to_wire};
use super::{id, non_empty};
use crate::admin::v1 as wire;

/// Reads an account. Its user must be an id by now.
pub fn operator_from_wire(spec: wire::OperatorSpec) -> Result<Operator, Invalid> {
    Ok(Operator {
        role: operator_role_from_wire("role", spec.role)?,
        user_id: non_empty(&spec.user).map(|user| id("user", &user)).transpose()?,
        name: spec.name,
        enabled: spec.enabled,
        expires_at: spec.expires_at_ms.map(UnixMs),
    })
}

/// Writes an account.
pub fn operator_to_wire(operator: &Operator) -> wire::OperatorSpec {
    wire::OperatorSpec {
        name: operator.name.clone(),
        role: operator_role_to_wire(operator.role),
        user: operator.user_id.map(|user| user.to_string()).unwrap_or_default(),
        enabled: operator.enabled,
        expires_at_ms: operator.expires_at.map(|at| at.0),
    }
}
