//! What the control plane can ask of a running node, apart from the wire: the seam between the config stream, which
//! carries the question, and the part of the node that knows the answer.
//!
//! An answer that does not come in time is given up by the stream, so nothing here need bound itself.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::Dimension;
use penstock_core::time::UnixMs;

use crate::app::App;

/// Whose limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Key(KeyId),
    User(UserId),
    Provider(ProviderId),
}

/// What the counters say now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How limits are enforced here, as health says it.
    pub enforcement: String,
    /// One for each dimension that has a limit, in the order of [`Dimension::ALL`].
    pub states: Vec<LimitState>,
}

/// Amounts are in the dimension's unit, nano-USD for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    pub dimension: Dimension,
    /// Settled.
    pub used: i64,
    /// Held for calls in flight.
    pub reserved: i64,
    pub limit: i64,
    /// When a fixed window ends.
    pub reset_at: Option<UnixMs>,
}

/// Why counters were not read; the text is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("reading the counters of limits is not available on this data plane")]
    NotAvailable,
}

/// Tells how much of its limits a subject has used.
pub async fn read_limits(_app: &App, _subject: Subject) -> Result<Reading, ReadError> {
    Err(ReadError::NotAvailable)
}
