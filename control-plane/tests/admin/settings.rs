//! Settings.

use penstock_proto::config::v1::setting::Value;

use super::*;

async fn version(operator: &Operator, name: &str) -> (u64, Value) {
    let answer = operator
        .config_service()
        .list_settings(wire::ListSettingsRequest {})
        .await;
    let entries = answer.unwrap().into_inner().settings;
    let entry = entries.into_iter().find(|entry| entry.name == name).unwrap();
    (entry.version, entry.setting.unwrap().value.unwrap())
}

fn set(on: bool, expected_version: u64) -> wire::SetSettingRequest {
    wire::SetSettingRequest {
        setting: Some(config::Setting {
            value: Some(Value::ExplainRefusals(on)),
        }),
        expected_version,
        change: None,
    }
}

#[tokio::test]
async fn settings_are_listed_with_their_defaults_until_they_are_set() {
    let operator = Operator::start().await;
    assert_eq!(
        version(&operator, "explain_refusals").await,
        (0, Value::ExplainRefusals(false))
    );
    operator.config_service().set_setting(set(true, 0)).await.unwrap();
    assert_eq!(
        version(&operator, "explain_refusals").await,
        (1, Value::ExplainRefusals(true))
    );
    let (unset, policy) = version(&operator, "unpriced").await;
    assert_eq!(unset, 0);
    let Value::Unpriced(policy) = policy else {
        panic!("a policy")
    };
    assert_eq!(policy.action(), config::UnpricedAction::ChargeDefault);
}

#[tokio::test]
async fn a_reset_takes_the_default_again_and_twice_changes_nothing() {
    let operator = Operator::start().await;
    operator.config_service().set_setting(set(true, 0)).await.unwrap();
    let reset = || wire::ResetSettingRequest {
        name: "explain_refusals".into(),
        change: None,
    };
    let first = operator
        .config_service()
        .reset_setting(reset())
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(
        version(&operator, "explain_refusals").await.1,
        Value::ExplainRefusals(false)
    );
    let second = operator
        .config_service()
        .reset_setting(reset())
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_answered_with_those_that_do() {
    let operator = Operator::start().await;
    let request = wire::ResetSettingRequest {
        name: "colour".into(),
        change: None,
    };
    let answer = operator.config_service().reset_setting(request).await;
    let message = refused(answer, Code::NotFound);
    assert!(
        message.contains("unpriced") && message.contains("explain_refusals"),
        "{message}"
    );
}

#[tokio::test]
async fn g01_a_setting_changed_by_others_is_aborted() {
    let operator = Operator::start().await;
    operator.config_service().set_setting(set(true, 0)).await.unwrap();
    operator
        .config_service()
        .set_setting(set(false, 1))
        .await
        .unwrap();
    refused(
        operator.config_service().set_setting(set(true, 1)).await,
        Code::Aborted,
    );
}

/// Who may change settings may not see what callers say, nor take data planes out of service unseen.
#[tokio::test]
async fn f01_what_has_commands_of_its_own_is_not_declared() {
    let operator = Operator::start().await;
    let window = config::DebugWindow {
        subject: Some(config::debug_window::Subject::KeyId(
            uuid::Uuid::nil().to_string(),
        )),
        until_ms: 32_503_680_000_000,
        bodies: true,
    };
    let debug = Value::HttpDebug(config::HttpDebug {
        windows: vec![window],
    });
    let drained = Value::DrainedNodes(config::DrainedNodes {
        nodes: vec!["node".into()],
    });
    for (name, value) in [("http_debug", debug), ("drained_nodes", drained)] {
        let manifest = wire::Manifest {
            name: name.into(),
            spec: Some(wire::manifest::Spec::Setting(config::Setting {
                value: Some(value),
            })),
        };
        let request = wire::ApplyManifestsRequest {
            manifests: vec![manifest],
            ..Default::default()
        };
        let answer = operator.manifest_service().apply_manifests(request).await;
        let problems = answer.unwrap().into_inner().problems;
        assert_eq!(problems.len(), 1, "{name}");
        assert_eq!(version(&operator, name).await.0, 0, "{name} is as it was");
    }
}
