//! Who may call what, and who did.
//!
//! Every call passes [`Gate`] before it reaches a service. The gate knows what each RPC needs ([`role`]) from its path; a
//! path that it does not know is refused, so a service added without a line there is closed, not open. Callers prove
//! themselves with
//!
//! - a token (`authorization: Bearer …`) for operators' services: the configured admin token, or an account's
//!   ([`operators`]),
//! - a node token, or a client certificate of the configured authority, for nodes' services,
//! - nothing, when they come through the in-memory pipe, which only this process can use.
//!
//! Tokens are kept as SHA-256; the configured ones are compared in constant time, those of accounts looked up by hash. A
//! refusal never says which part was wrong; only who shows the right token of an account learns that it is disabled or has
//! expired. Behind the gate [`audit`] keeps what was changed, by whom.

pub mod audit;
mod gate;
pub mod operators;
mod refused;
mod role;
mod standing;
mod token;

pub use gate::{Gate, check};
pub use refused::Refused;
pub use role::{Needs, Rule, needs_of};
pub use standing::Standing;
pub use token::{TokenError, TokenHash, check_strength};

use std::sync::Arc;

use penstock_core::id::{OperatorId, UserId};
use penstock_core::operator::Role;
use penstock_store::StoredOperator;

/// Who is calling, among a request's extensions: the author of the revisions that the call commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub name: Arc<str>,
    pub role: Role,
    /// None: the admin token, or the control plane itself.
    pub operator: Option<OperatorId>,
    /// Whom a [`Role::User`] sees.
    pub user: Option<UserId>,
}

impl Actor {
    /// Whoever holds the admin token.
    pub fn admin() -> Self {
        Self::without_account("admin")
    }

    /// The control plane itself.
    pub fn system() -> Self {
        Self::without_account(SYSTEM)
    }

    fn without_account(name: &str) -> Self {
        Self {
            name: name.into(),
            role: Role::Admin,
            operator: None,
            user: None,
        }
    }
}

impl From<&StoredOperator> for Actor {
    fn from(stored: &StoredOperator) -> Self {
        Self {
            name: stored.operator.name.as_str().into(),
            role: stored.operator.role,
            operator: Some(stored.id),
            user: stored.operator.user_id,
        }
    }
}

/// The author of commits that no operator asked for.
pub const SYSTEM: &str = "system";
