//! Why a script brought no answer. A Redis that is of no use is set aside; counters of one account on which a script
//! fails are no reason to do without those of all others.

use redis::{ErrorKind, RedisError};

use crate::counters::Unreachable;

/// See the module.
#[derive(Debug)]
pub(super) enum Failure {
    /// Redis is set aside.
    Away(String),
    /// Redis is well.
    OfScript(String),
}

impl From<Failure> for Unreachable {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(error) | Failure::OfScript(error) => Self(error),
        }
    }
}

/// Whether a script ran and failed on what it found. Redis says so behind the words `script:`; that it has no memory or
/// takes no writes has a code of its own.
pub(super) fn is_of_script(error: &RedisError) -> bool {
    let of_its_keys = matches!(error.code(), Some("ERR" | "WRONGTYPE"));
    let from_script = error.detail().is_some_and(|detail| detail.contains("script:"));
    error.kind() == ErrorKind::UnexpectedReturnType || (of_its_keys && from_script)
}
