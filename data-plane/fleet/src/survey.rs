//! What lies in Redis, by kind: for operators who look after it.
//!
//! Redis is looked through by SCAN in pieces, up to a bound, so that nobody waits for it; of each piece the type and the
//! time to live of all keys are asked, and the size of a few. Without Redis there is nothing of the kind.

use crate::counters::Unreachable;
use crate::fleet::{Backend, Fleet};

/// How many keys are looked at.
pub(crate) const MAX_KEYS: usize = 200_000;

/// Keys of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// `account`, `sessions`, `settled`, `binding`, `trial`, `count`, `guard` or `other`.
    pub kind: &'static str,
    /// As Redis calls it: `hash`, `zset`, `string`.
    pub type_name: String,
    pub keys: u64,
    /// Without a time to live.
    pub persistent: u64,
    /// Milliseconds, the shortest and the longest of the others.
    pub ttl_ms: Option<(u64, u64)>,
    /// Of the keys that were measured, scaled to all.
    pub bytes: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub kinds: Vec<Keys>,
    /// There is more than is looked at.
    pub truncated: bool,
}

impl Fleet {
    /// Fails while Redis is away. Without one nothing is found.
    pub async fn survey(&self) -> Result<Survey, Unreachable> {
        match &self.backend {
            Backend::Alone(_) => Ok(Survey::default()),
            Backend::Shared(shared) => shared.counters.survey().await,
        }
    }
}

/// Of which kind a key is, by its name: `penstock:1:{tag}:rest`.
pub(crate) fn kind_of(key: &str) -> &'static str {
    let rest = key
        .strip_prefix("penstock:1:")
        .and_then(|rest| rest.split_once("}:"));
    let Some((tag, rest)) = rest else {
        return "other";
    };
    match rest.split(':').next() {
        Some("m" | "o" | "l") => "account",
        Some("s") => "sessions",
        Some("d") => "settled",
        Some("b") if tag.starts_with("{s") => "binding",
        Some("trial") => "trial",
        Some("count") => "count",
        Some("guard") => "guard",
        Some(_) | None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_keys_are_told_apart_by_their_names() {
        for (key, kind) in [
            ("penstock:1:{u0198}:m", "account"),
            ("penstock:1:{p0198}:o", "account"),
            ("penstock:1:{u0198}:s:k0199", "sessions"),
            ("penstock:1:{u0198}:d:477", "settled"),
            ("penstock:1:{sabcd}:b", "binding"),
            ("penstock:1:{p0198}:trial:m", "trial"),
            ("penstock:1:{x}:count", "count"),
            ("penstock:1:{127.0.0.1}:guard", "guard"),
            ("penstock:1:probe", "other"),
            ("theirs", "other"),
        ] {
            assert_eq!(kind_of(key), kind, "{key}");
        }
    }
}
