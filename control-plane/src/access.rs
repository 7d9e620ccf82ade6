//! Who may call what.
//!
//! Every call passes [`Gate`] before it reaches a service. The gate knows each RPC's [`Role`] from its path; a path that
//! it does not know is refused, so a service added without a role is closed, not open. Callers prove themselves with
//!
//! - the admin token (`authorization: Bearer …`) for operators' services,
//! - a node token, or a client certificate of the configured authority, for nodes' services,
//! - nothing, when they come through the in-memory pipe, which only this process can use.
//!
//! Tokens are kept as SHA-256 and compared in constant time. A refusal never says which part was wrong.

mod gate;
mod refused;
mod role;
mod token;

pub use gate::{Gate, check};
pub use refused::Refused;
pub use role::{Role, role_of};
pub use token::{TokenError, TokenHash, check_strength};

use std::sync::Arc;

/// Who is calling, among a request's extensions: the author of the revisions that the call commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub Arc<str>);

impl Actor {
    /// Whoever holds the admin token.
    pub fn admin() -> Self {
        Self("admin".into())
    }

    /// The control plane itself.
    pub fn system() -> Self {
        Self(SYSTEM.into())
    }
}

/// The author of commits that no operator asked for.
pub const SYSTEM: &str = "system";
