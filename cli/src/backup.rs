//! Backups as files: compressed, perhaps encrypted, never half written.
//!
//! | module | what |
//! |---|---|
//! | [`passphrase`] | where a passphrase comes from |
//! | [`mod@write`] | lines into a file |
//! | [`read`] | a file into lines, whatever it is packed in |
//! | [`inspect`] | what a file says of itself, and whether it is whole |
//! | [`progress`] | how far it has come |
//!
//! A file is lines of JSON ([`penstock_core::backup`]), compressed with zstd, and of the kind `encrypted` packed in age
//! with a passphrase. `age -d FILE | zstd -d` unpacks it by hand.

pub(crate) mod inspect;
pub(crate) mod passphrase;
pub(crate) mod progress;
pub(crate) mod read;
pub(crate) mod write;

#[cfg(test)]
mod tests;
