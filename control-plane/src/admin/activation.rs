//! The first use of users and keys belongs to what happened, not to what operators write (compare [`super::resets`]).
//!
//! Taking the activation away forgets it; giving it again starts anew.

use penstock_core::access::{Access, Activation};
use penstock_core::time::UnixMs;

/// The rules as they were written, with the first use that is known.
pub(super) fn kept(written: Access, present: &Access, now: UnixMs) -> Access {
    Access {
        activation: written
            .activation
            .map(|activation| activation.with_facts_of(present.activation, now)),
        ..written
    }
}

/// The rules of something new.
pub(super) fn none(written: Access) -> Access {
    Access {
        activation: written.activation.map(Activation::without_facts),
        ..written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(100);

    fn access(activation: Option<(u64, Option<i64>)>) -> Access {
        Access {
            activation: activation.map(|(expires_after_ms, at)| Activation {
                expires_after_ms,
                first_used_at: at.map(UnixMs),
                granted_at: None,
            }),
            ..Access::default()
        }
    }

    #[test]
    fn a04_nobody_writes_a_first_use_by_hand() {
        let used = access(Some((5, Some(7))));
        assert_eq!(
            kept(access(Some((9, Some(1)))), &used, NOW),
            access(Some((9, Some(7))))
        );
        assert_eq!(
            kept(access(Some((9, None))), &used, NOW),
            access(Some((9, Some(7))))
        );
        assert_eq!(none(used.clone()), access(Some((5, None))));
        assert_eq!(
            kept(access(None), &used, NOW),
            access(None),
            "taken away, it is forgotten"
        );
    }

    #[test]
    fn a04_what_is_given_again_is_granted_now() {
        let again = kept(access(Some((5, Some(7)))), &access(None), NOW);
        let activation = again.activation.unwrap();
        assert_eq!(
            (activation.first_used_at, activation.granted_at),
            (None, Some(NOW))
        );
        let later = kept(access(Some((9, None))), &again, UnixMs(200));
        assert_eq!(later.activation.unwrap().granted_at, Some(NOW), "granted once");
    }
}
