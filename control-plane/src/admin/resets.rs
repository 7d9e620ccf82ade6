//! Resets of limits belong to what happened, not to what operators write.
//!
//! A reset is an instant in a limit's specification, made by the call that resets and by nothing else. Whoever writes the
//! specification anew (an update, a file, a rollback) leaves the resets as they are: without this, an update by a client
//! that does not send them back would charge a user again for what was forgiven, and a written reset in the future would
//! be a limit that never holds.

use std::sync::Arc;

use penstock_core::limits::Limits;

/// The limits as they were written, with the resets of those that are there.
pub(super) fn kept(written: &Arc<Limits>, present: &Limits) -> Arc<Limits> {
    if written.resets == present.resets {
        return Arc::clone(written);
    }
    let limits = Limits {
        resets: present.resets.clone(),
        ..Limits::clone(written)
    };
    limits.shared()
}

/// The limits of something new.
pub(super) fn none(written: &Arc<Limits>) -> Arc<Limits> {
    kept(written, &Limits::default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use penstock_core::limits::Dimension;
    use penstock_core::time::UnixMs;

    use super::*;

    fn limits(rpm: u64, reset: Option<i64>) -> Arc<Limits> {
        let resets: BTreeMap<_, _> = reset.map(|at| (Dimension::Rpm, UnixMs(at))).into_iter().collect();
        let limits = Limits {
            rpm,
            resets,
            ..Limits::default()
        };
        limits.shared()
    }

    #[test]
    fn d01_what_is_written_brings_no_resets_and_takes_none_away() {
        assert_eq!(kept(&limits(5, None), &limits(1, Some(7))), limits(5, Some(7)));
        assert_eq!(kept(&limits(5, Some(9)), &limits(1, Some(7))), limits(5, Some(7)));
        assert_eq!(none(&limits(5, Some(i64::MAX))), limits(5, None));
    }
}
