//! The first use of a user or key whose expiry counts from it (behaviour A4).
//!
//! It is stamped once: the commit expects the version that had no stamp, so of two replicas that hear of it at the same
//! time one wins and the other finds it done. Two ways lead here. A node's report comes at once and may be lost. The
//! call's usage record comes after the call and is never lost: a batch with such a record is acknowledged only after the
//! stamp, so whatever crashes in between sends it again. What comes later than the first stamp changes nothing.
//!
//! The time is the node's, kept between the moment since when the expiry counts from the first use (the making of the user
//! or key, or when it was granted later) and now. A record of a call before that moment is no first use: it may have waited
//! in a spool while the activation was taken away and given again.

use std::collections::BTreeMap;

use penstock_core::access::{Access, Activation};
use penstock_core::key::Key;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, UsageRecord};
use penstock_core::user::User;
use penstock_proto::convert::reference_from_wire;
use penstock_proto::telemetry::v1::FirstUse;
use penstock_store::{Commit, Error, Expect, NewSpec, Put, StoredSpec};

use crate::access::SYSTEM;
use crate::clock;
use crate::context::Context;

/// So often an operator may be faster.
const TRIES: usize = 5;

/// A node's report. Best effort.
pub(super) async fn reported(context: &Context, node: &str, used: FirstUse) {
    let subject = used.subject.as_ref().map(reference_from_wire);
    let Some(Ok(subject @ (ResourceRef::User(_) | ResourceRef::Key(_)))) = subject else {
        tracing::warn!(node, "the report of a first use is malformed");
        return;
    };
    if let Err(error) = stamp(context, node, &subject, UnixMs(used.at_ms)).await {
        tracing::warn!(node, %subject, %error, "the first use is not stamped yet; the call's usage record will do it");
    }
}

/// What records tell, before they are acknowledged. Fails when they must come again.
pub(super) async fn recorded(context: &Context, node: &str, records: &[UsageRecord]) -> Result<(), Error> {
    let mut first = BTreeMap::new();
    let used = records
        .iter()
        .filter(|record| record.outcome != Outcome::Rejected);
    for record in used {
        for subject in [ResourceRef::Key(record.key_id), ResourceRef::User(record.user_id)] {
            let Some(activation) = awaits(context, &subject) else {
                continue;
            };
            if activation.granted_at.is_some_and(|at| record.started_at < at) {
                continue;
            }
            let at: &mut UnixMs = first.entry(subject).or_insert(record.started_at);
            *at = record.started_at.min(*at);
        }
    }
    for (subject, at) in first {
        match stamp(context, node, &subject, at).await {
            Ok(()) => {}
            Err(error) if error.is_retryable() => return Err(error),
            // Nothing that the records could do about; the next use tries again.
            Err(error) => tracing::warn!(node, %subject, %error, "the first use cannot be stamped"),
        }
    }
    Ok(())
}

/// What waits for a first use, as far as this replica knows.
fn awaits(context: &Context, subject: &ResourceRef) -> Option<Activation> {
    let resource = context.index.get(subject)?;
    let access = match &resource.spec {
        Spec::User(user) => &user.access,
        Spec::Key(key) => &key.access,
        Spec::Provider(_)
        | Spec::Price(_)
        | Spec::Setting(_)
        | Spec::ImportSuffix(_)
        | Spec::ErrorRule(_)
        | Spec::WordRule(_)
        | Spec::RequestFilter(_) => return None,
    };
    access.activation.filter(|_| access.awaits_first_use())
}

async fn stamp(context: &Context, node: &str, subject: &ResourceRef, at: UnixMs) -> Result<(), Error> {
    let mut tries = 1;
    loop {
        match commit(context, subject, at).await {
            Ok(true) => {
                context.metrics.first_uses.inc();
                tracing::info!(node, %subject, "was used for the first time; its expiry counts from now");
                return Ok(());
            }
            Ok(false) | Err(Error::NotFound { .. }) => return Ok(()),
            Err(Error::Conflict { .. }) if tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// False: it needs no stamp.
async fn commit(context: &Context, subject: &ResourceRef, at: UnixMs) -> Result<bool, Error> {
    let Some(stored) = context.store.get(subject).await? else {
        return Ok(false);
    };
    let (since, now) = (stored.created_at, clock::now());
    let spec = match stored.spec {
        StoredSpec::User(user) => {
            stamped(&user.access, at, (since, now)).map(|access| NewSpec::User(User { access, ..user }))
        }
        StoredSpec::Key(key) => stamped(&key.access, at, (since, now))
            .map(|access| NewSpec::Key(Box::new(Key { access, ..*key }))),
        StoredSpec::Provider(_)
        | StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => None,
    };
    let Some(spec) = spec else { return Ok(false) };
    let put = Put::new(subject.clone(), spec).expecting(Expect::Version(stored.version));
    let commit = Commit::new(SYSTEM, "first use", now).with(put);
    context.store.commit(commit).await?;
    Ok(true)
}

/// The rules with the stamp, not before they held and not after now; None: they need none.
fn stamped(access: &Access, at: UnixMs, (made, now): (UnixMs, UnixMs)) -> Option<Access> {
    let activation = access
        .activation
        .filter(|activation| activation.first_used_at.is_none())?;
    let since = activation.granted_at.unwrap_or(made).max(made);
    Some(Access {
        activation: Some(Activation {
            first_used_at: Some(at.max(since).min(now)),
            ..activation
        }),
        ..access.clone()
    })
}

#[cfg(test)]
mod tests {
    use penstock_proto::convert::reference_to_wire;

    use super::*;
    use crate::tests;
    use crate::tests::fake_store::FakeStore;

    fn waiting_user() -> Put {
        let user = User {
            name: "ann".into(),
            access: Access {
                activation: Some(Activation::after(1_000)),
                ..Access::default()
            },
            limits: penstock_core::limits::Limits::none(),
        };
        Put::new(tests::user_ref(1), NewSpec::User(user))
    }

    async fn stored(context: &Context) -> (u64, Option<UnixMs>) {
        let stored = context.store.get(&tests::user_ref(1)).await.unwrap().unwrap();
        let StoredSpec::User(user) = stored.spec else {
            panic!("a user")
        };
        (stored.version, user.access.activation.unwrap().first_used_at)
    }

    fn used(at_ms: i64) -> FirstUse {
        FirstUse {
            subject: Some(reference_to_wire(&tests::user_ref(1))),
            at_ms,
        }
    }

    fn record(outcome: Outcome, at: i64) -> UsageRecord {
        let (ResourceRef::User(user_id), ResourceRef::Key(key_id)) = (tests::user_ref(1), tests::key_ref(1))
        else {
            panic!("ids")
        };
        UsageRecord {
            user_id,
            key_id,
            outcome,
            started_at: UnixMs(at),
            ..crate::reporter::record(1)
        }
    }

    #[tokio::test]
    async fn a04_the_first_report_is_stamped_and_no_other() {
        let store = FakeStore::new();
        tests::commit(&store, waiting_user().into()).await;
        let context = tests::context(&store).await;
        for at in [500, 400, 600] {
            reported(&context, "a", used(at)).await;
        }
        assert_eq!(stored(&context).await, (2, Some(UnixMs(500))));
        assert_eq!(context.metrics.first_uses.get(), 1);
        reported(&context, "a", FirstUse::default()).await;
    }

    #[tokio::test]
    async fn a04_a_time_before_the_making_or_in_the_future_is_bounded() {
        let store = FakeStore::new();
        tests::commit(&store, waiting_user().into()).await;
        let context = tests::context(&store).await;
        reported(&context, "a", used(i64::MIN)).await;
        assert_eq!(stored(&context).await.1, Some(UnixMs(1)), "made at 1");
    }

    #[tokio::test]
    async fn a04_a_usage_record_stamps_what_no_report_told_and_a_refused_call_does_not() {
        let store = FakeStore::new();
        tests::commit(&store, waiting_user().into()).await;
        let context = tests::context(&store).await;
        recorded(&context, "a", &[record(Outcome::Rejected, 100)])
            .await
            .unwrap();
        assert_eq!(stored(&context).await.1, None);
        store.set_away(true);
        let records = [record(Outcome::Succeeded, 300), record(Outcome::ClientAbort, 200)];
        assert!(
            recorded(&context, "a", &records).await.is_err(),
            "they must come again"
        );
        store.set_away(false);
        recorded(&context, "a", &records).await.unwrap();
        assert_eq!(stored(&context).await, (2, Some(UnixMs(200))));
    }

    #[tokio::test]
    async fn a04_a_use_before_the_activation_was_given_again_does_not_count() {
        let store = FakeStore::new();
        let put = waiting_user();
        let NewSpec::User(mut user) = put.spec else {
            panic!("a user")
        };
        user.access.activation = user.access.activation.map(|activation| Activation {
            granted_at: Some(UnixMs(1_000)),
            ..activation
        });
        let put = Put::new(tests::user_ref(1), NewSpec::User(user));
        tests::commit(&store, put.into()).await;
        let context = tests::context(&store).await;
        recorded(&context, "a", &[record(Outcome::Succeeded, 900)])
            .await
            .unwrap();
        assert_eq!(stored(&context).await.1, None, "it waited in a spool");
        // A clock that is behind.
        reported(&context, "a", used(990)).await;
        assert_eq!(stored(&context).await.1, Some(UnixMs(1_000)));
    }
}
