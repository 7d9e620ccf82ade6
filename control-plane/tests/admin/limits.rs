//! Limits of users, keys and providers, and their emergency switch.

use std::collections::BTreeMap;

use penstock_control_plane::store::{Commit, NewSpec, Put, StoredSpec};
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_proto::config::v1::setting::Value;

use super::*;

/// As the server writes it.
fn rpm(rpm: u64) -> Option<config::Limits> {
    Some(config::Limits {
        rpm,
        budget: config::BudgetMode::Soft.into(),
        zone: "UTC".into(),
        ..config::Limits::default()
    })
}

fn user_with(limits: Option<config::Limits>) -> config::User {
    config::User {
        limits,
        ..user("alice")
    }
}

impl Operator {
    async fn set_user_limits(
        &self,
        version: u64,
        limits: Option<config::Limits>,
    ) -> Result<wire::User, Status> {
        let request = wire::UpdateUserRequest {
            user: "alice".into(),
            expected_version: version,
            spec: Some(user_with(limits)),
            change: None,
            update_mask: None,
        };
        let answer = self.user_service().update_user(request).await?;
        Ok(answer.into_inner().user.unwrap())
    }

    async fn min_schema(&self, reference: &ResourceRef) -> u32 {
        let stored = self.store().await.get(reference).await.unwrap().unwrap();
        stored.min_schema
    }

    async fn set_policy(&self, policy: config::LimitsPolicy) -> Result<(), Status> {
        let request = wire::SetSettingRequest {
            setting: Some(config::Setting {
                value: Some(Value::Limits(policy)),
            }),
            expected_version: 0,
            change: None,
        };
        self.config_service().set_setting(request).await.map(drop)
    }

    async fn status(&self) -> wire::GetStatusResponse {
        let request = wire::GetStatusRequest {};
        self.fleet_service()
            .get_status(request)
            .await
            .unwrap()
            .into_inner()
    }
}

#[tokio::test]
async fn d01_limits_of_users_are_set_changed_and_taken_away() {
    let operator = Operator::start().await;
    let request = wire::CreateUserRequest {
        spec: Some(user_with(rpm(10))),
        change: None,
    };
    let made = operator.user_service().create_user(request).await.unwrap();
    let made = made.into_inner().user.unwrap();
    assert_eq!(made.spec.unwrap().limits, rpm(10));
    let changed = operator.set_user_limits(1, rpm(20)).await.unwrap();
    assert_eq!(changed.spec.unwrap().limits, rpm(20));
    let freed = operator.set_user_limits(2, None).await.unwrap();
    assert_eq!(freed.spec.unwrap().limits, None);
}

#[tokio::test]
async fn d01_a_key_has_limits_beside_its_users_and_keeps_them_when_it_is_rotated() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let mut request = new_key("alice", "laptop");
    request.spec.as_mut().unwrap().limits = rpm(10);
    let made = operator.key_service().create_key(request).await.unwrap();
    let made = made.into_inner().key.unwrap();
    let mut spec = made.spec.unwrap();
    assert_eq!(spec.limits, rpm(10));
    spec.limits = rpm(20);
    let request = wire::UpdateKeyRequest {
        key: made.id,
        expected_version: made.version,
        spec: Some(spec),
        change: None,
        update_mask: None,
    };
    let changed = operator.key_service().update_key(request).await.unwrap();
    assert_eq!(changed.into_inner().key.unwrap().spec.unwrap().limits, rpm(20));
    let request = wire::RotateKeyRequest {
        key: "laptop".into(),
        overlap_ms: 0,
        change: None,
    };
    operator.key_service().rotate_key(request).await.unwrap();
    let read = operator.get_key("laptop").await.unwrap();
    assert_eq!(read.spec.unwrap().limits, rpm(20));
    assert_eq!(
        operator
            .min_schema(&ResourceRef::Key(read.id.parse().unwrap()))
            .await,
        2
    );
}

#[tokio::test]
async fn d01_limits_of_providers_are_set_and_changed() {
    let operator = Operator::start().await;
    let made = operator.create_provider("main", None).await;
    let changed = operator
        .update_provider(&made, |spec| spec.limits = rpm(5))
        .await
        .unwrap();
    assert_eq!(changed.spec.as_ref().unwrap().limits, rpm(5));
    let kept = operator
        .update_provider(&changed, |spec| spec.priority = 3)
        .await
        .unwrap();
    assert_eq!(kept.spec.unwrap().limits, rpm(5));
}

#[tokio::test]
async fn d01_an_invalid_limit_is_named_by_its_path() {
    let operator = Operator::start().await;
    let alice = operator.create_user("alice").await;
    let zone = config::Limits {
        zone: "Asia/Shangai".into(),
        ..config::Limits::default()
    };
    let message = refused(
        operator
            .set_user_limits(alice.version, Some(zone))
            .await
            .map(Response::new),
        Code::InvalidArgument,
    );
    assert!(
        message.starts_with("spec.limits.zone: \"Asia/Shangai\" is not an IANA time zone"),
        "{message}"
    );
    let mut key = new_key("alice", "laptop");
    key.spec.as_mut().unwrap().limits = rpm(u64::MAX);
    let answer = operator.key_service().create_key(key).await;
    assert!(refused(answer, Code::InvalidArgument).starts_with("spec.limits.rpm: is over"));
    let main = operator.create_provider("main", None).await;
    let over = config::Limits {
        usd_monthly_nanousd: 9_007_199_000_000_001,
        ..config::Limits::default()
    };
    let answer = operator
        .update_provider(&main, |spec| spec.limits = Some(over))
        .await;
    let message = refused(answer.map(Response::new), Code::InvalidArgument);
    assert!(
        message.starts_with("spec.limits.usd_monthly: 9007199.000000001 USD is not between 0"),
        "{message}"
    );
}

#[tokio::test]
async fn g02_an_older_data_plane_is_kept_from_what_is_limited_also_after_a_rollback() {
    let operator = Operator::start().await;
    let alice = operator.create_user("alice").await;
    let reference = ResourceRef::User(alice.id.parse().unwrap());
    assert_eq!(operator.min_schema(&reference).await, 1);
    operator.set_user_limits(1, rpm(10)).await.unwrap();
    let limited = operator.head().await;
    assert_eq!(operator.min_schema(&reference).await, 2);
    operator.set_user_limits(2, None).await.unwrap();
    assert_eq!(operator.min_schema(&reference).await, 1);
    let request = wire::RollbackRequest {
        to_revision: limited,
        include_access: false,
        dry_run: false,
        change: None,
    };
    operator.config_service().rollback(request).await.unwrap();
    assert_eq!(operator.min_schema(&reference).await, 2);
}

#[tokio::test]
async fn d01_an_update_leaves_resets_as_they_are() {
    let operator = Operator::start().await;
    let alice = operator.create_user("alice").await;
    let reference = ResourceRef::User(alice.id.parse().unwrap());
    let store = operator.store().await;
    let StoredSpec::User(mut stored) = store.get(&reference).await.unwrap().unwrap().spec else {
        panic!("a user")
    };
    let reset = Limits {
        usd_5h: NanoUsd(1_000_000_000),
        resets: BTreeMap::from([(Dimension::Usd5h, UnixMs(7))]),
        ..Limits::default()
    };
    stored.limits = reset.shared();
    let commit = Commit::new("a test", "", UnixMs(1));
    let commit = commit.with(Put::new(reference, NewSpec::User(stored)));
    store.commit(commit).await.unwrap();
    let changed = operator.set_user_limits(2, rpm(10)).await.unwrap();
    let limits = changed.spec.unwrap().limits.unwrap();
    assert_eq!((limits.rpm, limits.usd_5h_nanousd), (10, 0));
    assert_eq!((limits.resets.len(), limits.resets[0].at_ms), (1, 7));
}

#[tokio::test]
async fn d08_limits_are_switched_off_as_a_whole_and_status_says_so() {
    let operator = Operator::start().await;
    let status = operator.status().await;
    assert_eq!((status.limits_off, status.limits_off_until_ms), (false, None));
    let until = i64::MAX;
    let off = |off_until_ms| config::LimitsPolicy {
        enabled: false,
        off_until_ms,
        ..config::LimitsPolicy::default()
    };
    operator.set_policy(off(Some(until))).await.unwrap();
    let status = operator.status().await;
    assert_eq!(
        (status.limits_off, status.limits_off_until_ms),
        (true, Some(until))
    );
    operator.set_policy(off(None)).await.unwrap();
    let status = operator.status().await;
    assert_eq!((status.limits_off, status.limits_off_until_ms), (true, None));
    // The end has come.
    operator.set_policy(off(Some(1))).await.unwrap();
    let status = operator.status().await;
    assert_eq!((status.limits_off, status.limits_off_until_ms), (false, None));
}

#[tokio::test]
async fn d02_a_quota_answers_429_or_402() {
    let operator = Operator::start().await;
    let policy = |quota_status| config::LimitsPolicy {
        enabled: true,
        quota_status,
        ..config::LimitsPolicy::default()
    };
    operator.set_policy(policy(402)).await.unwrap();
    let answer = operator.set_policy(policy(418)).await;
    let message = refused(answer.map(Response::new), Code::InvalidArgument);
    assert_eq!(message, "setting.limits.quota_status: 418 is neither 429 nor 402");
}
