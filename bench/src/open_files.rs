//! Room for many connections: the limit of open files, which what is started here inherits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For what is open beside streams: files, listeners, the planes' own connections.
const BESIDES: u64 = 200;

/// Raises the limit to the most that is allowed.
pub(crate) fn raise() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // What does not fit is left out, and said.
    setrlimit(Resource::Nofile, raised).ok();
}

/// As many of these streams as fit: a proxy has two connections for each.
pub(crate) fn that_fit(streams: u32) -> u32 {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return streams;
    };
    let most = limit.saturating_sub(BESIDES) / 2;
    streams.min(u32::try_from(most).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_needs_two_open_files() {
        raise();
        assert_eq!(that_fit(1), 1);
        if let Some(limit) = getrlimit(Resource::Nofile).current {
            assert!(u64::from(that_fit(u32::MAX)) * 2 + BESIDES <= limit.max(BESIDES));
        }
    }
}
