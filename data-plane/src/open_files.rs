//! The limit of open files, raised as far as this process may.
//!
//! Many systems start processes with room for 1 024 open files and let them ask for more. Each call holds two (the
//! caller's connection and the provider's), so the default ends at some 500 calls, in the middle of a busy day. Raising
//! the soft limit to the hard one needs no privilege. It is the process's and not a plane's: mains call it, libraries
//! do not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For what is open beside calls: the spool, the database, the control plane, listeners.
const BESIDES: u64 = 256;

/// Raises the limit to the most that is allowed.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, current = limit.current, "the limit of open files could not be raised");
    }
}

/// Says so when this many callers' connections do not fit into the limit.
pub(crate) fn warn_if_short(max_connections: usize) {
    let limit = getrlimit(Resource::Nofile).current;
    if !fits(max_connections, limit) {
        tracing::warn!(
            limit,
            max_connections,
            "the limit of open files is low: each call needs two; raise it (ulimit -n, LimitNOFILE), or lower \
             --max-connections"
        );
    }
}

/// None: there is no limit.
fn fits(max_connections: usize, limit: Option<u64>) -> bool {
    let wanted = u64::try_from(max_connections).unwrap_or(u64::MAX);
    let wanted = wanted.saturating_mul(2).saturating_add(BESIDES);
    limit.is_none_or(|limit| limit >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c06_the_soft_limit_becomes_the_hard_one() {
        raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn each_connection_may_need_one_more_to_a_provider() {
        assert!(fits(20_000, None) && fits(20_000, Some(65_536)) && fits(100, Some(1_024)));
        assert!(!fits(20_000, Some(20_000)) && !fits(500, Some(1_024)));
        assert!(!fits(usize::MAX, Some(u64::MAX - 1)));
    }
}
