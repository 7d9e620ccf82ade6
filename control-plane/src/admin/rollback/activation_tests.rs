//! A rollback makes no expiry later that counts from the first use, and forgets no first use.

use penstock_core::access::{Access, Activation};
use penstock_core::time::UnixMs;

use super::Rules;
use super::access::hold_back;

fn access(after: Option<u64>, first_used_at: Option<i64>) -> Access {
    Access {
        activation: after.map(|expires_after_ms| Activation {
            expires_after_ms,
            first_used_at: first_used_at.map(UnixMs),
            granted_at: None,
        }),
        ..Access::default()
    }
}

fn restored(then: Access, now: &Access, include_access: bool) -> (Access, Vec<String>) {
    let mut remarks = Vec::new();
    let rules = Rules {
        include_access,
        now: UnixMs(1_000),
    };
    (
        hold_back("key \"laptop\"", then, now, rules, &mut remarks),
        remarks,
    )
}

#[test]
fn g01_a_first_use_stays_a_fact() {
    let now = access(Some(50), Some(10));
    for include in [false, true] {
        let (back, remarks) = restored(access(Some(40), None), &now, include);
        assert_eq!((back, remarks), (access(Some(40), Some(10)), vec![]));
    }
}

#[test]
fn g01_a_later_expiry_must_be_asked_for() {
    let now = access(Some(50), Some(10));
    for then in [access(Some(60), None), access(None, None)] {
        let (back, remarks) = restored(then.clone(), &now, false);
        assert_eq!(back, now);
        assert!(remarks[0].contains("stays expired"), "{remarks:?}");
        let (back, _) = restored(then, &now, true);
        assert_ne!(back, now);
    }
}
