//! Secrets at rest: the master key, and sealing under it.
//!
//! Provider credentials and import suffixes lie in the store sealed (XChaCha20-Poly1305); the database alone is worth
//! nothing to a thief. Each sealed value has its own random nonce and is bound to where it belongs (kind, id, field),
//! so that nobody with write access to the database can move one resource's secret under another. Beside it lies the
//! id of the key that sealed it, so that a wrong master key is told apart from a damaged row.
//!
//! The master key never leaves the control plane and is never logged; what is used are keys derived from it.

mod definition;
mod key_file;
mod master_key;
mod sealer;
mod service_account;
mod token_set;

#[cfg(test)]
pub(crate) use definition::tests as definition_tests;
pub use definition::{Definition, OauthClient, UnknownKind};
pub use key_file::{KeyFileError, LoadedKey, create_master_key_file, load_master_key_file};
pub use master_key::{MasterKey, MasterKeyError};
pub use sealer::{Field, ResealError, SealError, Sealer, UnsealError};
#[cfg(test)]
pub(crate) use service_account::tests as service_account_tests;
pub use service_account::{BadServiceAccount, ServiceAccount, read as read_service_account};
pub use token_set::TokenSet;
