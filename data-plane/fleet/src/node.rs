//! What the fleet needs of the data plane that it is a part of.

use penstock_core::setting::Degraded;

use crate::baseline::{Asking, Question};

/// See the module.
pub trait Node: Send + Sync + 'static {
    /// Asks the ledger, by way of the control plane.
    fn ask_ledger(&self, questions: Vec<Question>) -> Asking;

    /// The number up to which the ledger has this node's records.
    fn acknowledged(&self) -> u64;

    /// What holds while Redis is away.
    fn degraded(&self) -> Degraded;

    /// Uniform over all values.
    fn random(&self) -> u32;
}
