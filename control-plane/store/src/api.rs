//! What the control plane sees: the trait and the types that go in and out.

pub(crate) mod accounts;
pub(crate) mod alert;
pub(crate) mod archive;
pub(crate) mod audit;
pub(crate) mod command;
pub(crate) mod commit;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod fleet_state;
pub(crate) mod history;
pub(crate) mod ledger;
pub(crate) mod node;
pub(crate) mod operator;
pub(crate) mod page;
pub(crate) mod recharge;
pub(crate) mod retention;
pub(crate) mod spend;
pub(crate) mod store;
pub(crate) mod stored;
pub(crate) mod token;
pub(crate) mod trends;
pub(crate) mod upkeep;
pub(crate) mod usage;
