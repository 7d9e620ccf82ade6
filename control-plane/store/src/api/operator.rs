//! Operators' accounts, as the store keeps them.

use std::fmt;

use penstock_core::api_key::KeyHash;
use penstock_core::id::OperatorId;
use penstock_core::key::PreviousSecret;
use penstock_core::operator::Operator;
use penstock_core::time::UnixMs;

use super::commit::Expect;

/// An account and its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOperator {
    pub id: OperatorId,
    pub operator: Operator,
    pub token: OperatorToken,
    /// Right to some minutes. None: never.
    pub last_used_at: Option<UnixMs>,
    /// Counts the changes from 1. Being used is none.
    pub version: u64,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
}

/// What is known of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorToken {
    pub hash: KeyHash,
    /// First eight and last four characters.
    pub hint: String,
    /// The token before the last rotation.
    pub previous: Option<PreviousSecret>,
}

/// All accounts at one moment.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    /// Rises with each change of any of them.
    pub generation: u64,
    /// By name.
    pub operators: Vec<StoredOperator>,
}

/// An account as it shall be.
#[derive(Clone, Debug)]
pub struct OperatorPut {
    pub id: OperatorId,
    pub operator: Operator,
    pub token: OperatorToken,
    pub expect: Expect,
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorToken")
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}
