//! The first use of users and keys belongs to what happened, not to what operators write (compare [`super::resets`]).
//!
//! Taking the activation away forgets it; giving it again starts anew.

use penstock_core::access::Access;

/// The rules as they were written, with the first use that is known.
pub(super) fn kept(written: Access, present: &Access) -> Access {
    Access {
        activation: written
            .activation
            .map(|activation| activation.with_first_use_of(present.activation)),
        ..written
    }
}

/// The rules of something new.
pub(super) fn none(written: Access) -> Access {
    kept(written, &Access::default())
}

#[cfg(test)]
mod tests {
    use penstock_core::access::Activation;
    use penstock_core::time::UnixMs;

    use super::*;

    fn access(activation: Option<(u64, Option<i64>)>) -> Access {
        Access {
            activation: activation.map(|(expires_after_ms, at)| Activation {
                expires_after_ms,
                first_used_at: at.map(UnixMs),
            }),
            ..Access::default()
        }
    }

    #[test]
    fn a04_nobody_writes_a_first_use_by_hand() {
        let used = access(Some((5, Some(7))));
        assert_eq!(
            kept(access(Some((9, Some(1)))), &used),
            access(Some((9, Some(7))))
        );
        assert_eq!(kept(access(Some((9, None))), &used), access(Some((9, Some(7)))));
        assert_eq!(none(used.clone()), access(Some((5, None))));
        assert_eq!(
            kept(access(None), &used),
            access(None),
            "taken away, it is forgotten"
        );
    }
}
