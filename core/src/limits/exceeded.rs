//! A refusal by a limit: its words, and when to come back.

use super::{Dimension, Level};
use crate::error::Code;
use crate::money::NanoUsd;
use crate::time::UnixMs;

/// The wait where no instant is known at which the call could pass, seconds.
pub const NEVER: u64 = 86_400;
/// A longer wait is not worth retrying, seconds.
pub const WORTH_A_RETRY: u64 = 60;

/// The first limit, in the order of refusals, that a call does not fit into. Amounts are in the dimension's unit,
/// nano-USD for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    pub level: Level,
    pub dimension: Dimension,
    /// Used and reserved.
    pub used: u64,
    pub limit: u64,
    /// When the window ends; None for rolling windows, totals and concurrency.
    pub reset_at: Option<UnixMs>,
    /// Whole seconds until the call could pass, over all limits that it does not fit into.
    pub retry_after: u64,
}

impl Exceeded {
    pub fn code(&self) -> Code {
        match self.dimension.is_money() {
            true => Code::QuotaExceeded,
            false => Code::RateLimitExceeded,
        }
    }

    /// Whether a client should not even try again.
    pub fn is_lasting(&self) -> bool {
        self.retry_after > WORTH_A_RETRY
    }

    /// An amount of this dimension as callers read it: USD for money.
    pub fn amount(&self, amount: u64) -> String {
        match self.dimension.is_money() {
            true => NanoUsd(i64::try_from(amount).unwrap_or(i64::MAX)).to_string(),
            false => amount.to_string(),
        }
    }

    /// For the caller.
    pub fn message(&self) -> String {
        let what = match self.dimension.is_money() {
            true => "Quota exceeded",
            false => "Rate limit exceeded",
        };
        let unit = if self.dimension.is_money() { " USD" } else { "" };
        let reset = match self.reset_at {
            Some(at) => format!("resets at {at}"),
            None => format!("try again in {} s", self.retry_after),
        };
        format!(
            "{what}: {} of this {} ({} of {}{unit} used); {reset}.",
            self.dimension.as_str(),
            self.level.as_str(),
            self.amount(self.used),
            self.amount(self.limit),
        )
    }
}
