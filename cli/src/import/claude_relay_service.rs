//! Claude Relay Service: what it keeps in Redis, in one of the forms in which it gets out.
//!
//! Keys are known there as SHA-256(key ‖ `ENCRYPTION_KEY`): that variable becomes an import suffix, under which the keys
//! stay valid until each is known by its own hash. Accounts' secrets are encrypted with a key that is derived from the same
//! variable, unless the export already took them out of that.
//!
//! | there | becomes |
//! |---|---|
//! | API keys | keys of one user (`--user`), or of the user that they had there |
//! | Claude Console, CCR, OpenAI Responses, Azure, Bedrock, Gemini API accounts | providers |
//! | Claude accounts with a setup token | providers with a bearer token |
//! | accounts that log in | providers without a credential, disabled: log them in anew |
//!
//! Binding. There a key can be bound to an account or a group of them, for each platform; unbound keys use the shared
//! accounts. Where anything is bound, accounts get groups here: `shared-PLATFORM`, the group's name, or `account-NAME`, and
//! keys get those that they may use. Where nothing is, there are no groups. A key of whose bindings none is left is disabled,
//! since no group would mean every provider.

mod accounts;
mod binding;
mod decrypt;
mod dump;
mod keys;
mod secrets;

use std::path::Path;

use penstock_core::secret::Secret;

use self::binding::Bindings;
use self::decrypt::Decrypter;
use self::dump::Dump;
use super::draft::Draft;
use crate::failure::Failure;

/// What the operator says about the dump.
pub(crate) struct Options {
    /// Its `ENCRYPTION_KEY`. None: it was not given.
    pub(crate) encryption_key: Option<Secret>,
    /// Whom the keys belong to that belong to nobody there.
    pub(crate) user: String,
    /// The name of the import suffix.
    pub(crate) suffix: String,
    /// Where its days begin: there a fixed offset, Beijing's unless told.
    pub(crate) zone: String,
}

/// Reads a dump.
pub(crate) fn read(path: &Path, options: &Options) -> Result<Draft, Failure> {
    let dump = Dump::read(path)?;
    let decrypter = Decrypter::new(options.encryption_key.clone());
    let mut draft = Draft::default();
    for (what, number, why) in &dump.left_out {
        draft.note(what, format!("{number} are not taken over: {why}"));
    }
    let bindings = Bindings::of(&dump, &mut draft);
    accounts::draft(&mut draft, &dump, &bindings, &decrypter, &options.zone)?;
    keys::draft(&mut draft, &dump, &bindings, options)?;
    Ok(draft)
}

#[cfg(test)]
mod tests;
