//! Operators are told of trouble (behaviour G11).
//!
//! ```text
//!  store ──look, every 10 s──▶ conditions ──watches──▶ what is told ──▶ store ──deliver──▶ webhooks
//!          one control plane at a time, by a lease          └── one transaction
//! ```
//!
//! # Rules
//! * A look is made of what the store holds (the ledger, the states of providers and tokens), so any replica sees the same
//!   and a restart loses nothing. What a look finds is compared with the watches of the last one and written as a whole.
//! * What is told waits in the store until each webhook has it: at least once, each with the id of the notification, by
//!   which a receiver knows a repetition. A receiver that fails is tried again, later and later, for a day.
//! * The replica that holds the lease looks and delivers. When it dies another one has the lease within [`LEASE`].
//! * A webhook's URL may hold a secret, as its signing secret does: both are sealed, and of the URL only scheme and host
//!   are ever shown or logged.
//!
//! One file a source of conditions; [`look`] makes of them what is told, [`deliver`] carries it, [`message`] gives it the
//! form that a receiver reads.

mod breakers;
mod budgets;
mod calls;
mod credentials;
mod deliver;
mod follow;
mod hook;
mod look;
mod message;
mod names;
mod summary;

use std::time::Duration;

use penstock_core::alert::Rule;

pub(crate) use deliver::send;
pub(crate) use follow::follow;
pub(crate) use hook::Hook;

/// Whose turn it is to look and deliver.
const LEASE_NAME: &str = "alerts";
/// Another replica goes on so long after the one that did is gone.
const LEASE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);

/// Trouble, as a look finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    rule: Rule,
    /// What it concerns, as `provider:ID`; with the rule it is the cause that is silent for an hour.
    subject: String,
    /// One line.
    title: String,
    /// What to look at, what to do.
    detail: String,
}
