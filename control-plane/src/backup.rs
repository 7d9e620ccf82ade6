//! The installation as a text, and back (behaviour G5). The form of the text is
//! [`penstock_core::backup`]; who may ask for it, and over which stream it goes, is the service's business.
//!
//! | module | what |
//! |---|---|
//! | `section` | what a backup consists of, in order |
//! | `resource`, `secret` | rows of the configuration, and secrets in them |
//! | `token`, `operator`, `webhook` | rows of access tokens, of accounts, of webhooks |
//! | `held` | those rows, until they are written |
//! | `survey` | which secrets open, and under which master keys |
//! | `sanitise` | rows that say nothing about anybody |
//! | `export` | out, piece by piece |
//! | `intake`, `plan` | in: what a backup says, and what that changes |
//! | `restore`, `old_minutes` | doing it |
//!
//! Rules. The configuration is read as of one moment and written by one commit. Ids stay, so that the ledger, sealed
//! secrets (they are bound to their resource's id) and counters still mean the same. Nothing is written before all of a
//! backup was read, checked and decrypted. Memory holds the configuration, which every control plane holds anyway, and
//! one batch of the ledger.
//!
//! What a backup does not hold: the history (a restore begins a new chapter of the present one), and what is true only
//! now. `penstock_store::OTHER_TABLES` has the whole list, with reasons.

mod export;
mod held;
mod intake;
mod old_minutes;
mod operator;
mod plan;
mod resource;
mod restore;
mod sanitise;
mod secret;
mod section;
mod survey;
mod ticket;
mod token;
mod webhook;

#[cfg(test)]
mod tests;

pub(crate) use export::{Export, ExportError};
pub(crate) use intake::Unfit;
pub(crate) use restore::{Restore, RestoreError, Restored};
