//! Whether whoever was let in would be let in again: for streams, which outlive the check of their call.

use std::sync::Arc;

use penstock_core::api_key::KeyHash;
use penstock_core::time::UnixMs;
use tonic::{Request, Status};

use super::operators::Operators;
use super::role::Rule;

/// Among a request's extensions.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds a token hash")]
pub struct Standing(Option<Account>);

#[derive(Clone)]
struct Account {
    operators: Arc<Operators>,
    token: KeyHash,
    rule: Rule,
}

impl Standing {
    /// The admin token's, or that of this process: it ends with the process.
    pub(super) fn for_good() -> Self {
        Self(None)
    }

    pub(super) fn of_account(operators: &Arc<Operators>, token: &str, rule: Rule) -> Self {
        Self(Some(Account {
            operators: Arc::clone(operators),
            token: KeyHash::of(token),
            rule,
        }))
    }

    /// INTERNAL for a call that did not come through the gate.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let standing = request.extensions().get::<Self>().cloned();
        standing.ok_or_else(|| Status::internal("nobody has checked who calls"))
    }

    /// UNAUTHENTICATED once the token is not accepted any more, or its account may no longer do this. Nothing is asked of the
    /// database.
    pub fn check(&self, now: UnixMs) -> Result<(), Status> {
        let Some(account) = &self.0 else {
            return Ok(());
        };
        match account.operators.again(&account.token, now) {
            Some(stored) if account.rule.allows(stored.operator.role) => Ok(()),
            Some(_) | None => Err(Status::unauthenticated(
                "the access of this operator has ended, or its role or token was changed; sign in again",
            )),
        }
    }
}
