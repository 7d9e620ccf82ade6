//! Error rules: made, changed, tried, and brought back (behaviour G13).

use super::*;

fn spec(class: config::FailureClass) -> config::ErrorRule {
    config::ErrorRule {
        enabled: true,
        priority: 1,
        status: Some(429),
        pattern: Some(config::ErrorPattern {
            field: config::ErrorField::Message.into(),
            text: Some(config::error_pattern::Text::Contains("come back".into())),
        }),
        class: class.into(),
        ..config::ErrorRule::default()
    }
}

async fn create(operator: &Operator, name: &str, spec: config::ErrorRule) -> wire::ErrorRule {
    let request = wire::CreateErrorRuleRequest {
        name: name.into(),
        spec: Some(spec),
        change: None,
    };
    let answer = operator.error_rule_service().create_error_rule(request).await;
    answer.unwrap().into_inner().error_rule.unwrap()
}

async fn get(operator: &Operator, name: &str) -> Result<wire::ErrorRule, Status> {
    let request = wire::GetErrorRuleRequest { name: name.into() };
    let answer = operator.error_rule_service().get_error_rule(request).await?;
    Ok(answer.into_inner().error_rule.unwrap())
}

fn trial(status: u32, body: &str) -> wire::TestErrorRuleRequest {
    wire::TestErrorRuleRequest {
        provider_kind: config::ProviderKind::OpenaiCompatible.into(),
        status,
        body: body.as_bytes().to_vec(),
        ..wire::TestErrorRuleRequest::default()
    }
}

async fn test(operator: &Operator, request: wire::TestErrorRuleRequest) -> wire::TestErrorRuleResponse {
    let answer = operator.error_rule_service().test_error_rule(request).await;
    answer.unwrap().into_inner()
}

const BODY: &str = r#"{"error":{"message":"Please come back tomorrow","type":"busy"}}"#;

#[tokio::test]
async fn g13_a_rule_is_made_changed_listed_and_deleted() {
    let operator = Operator::start().await;
    let made = create(&operator, "odd", spec(config::FailureClass::Billing)).await;
    assert_eq!((made.name.as_str(), made.version), ("odd", 1));
    let again = wire::CreateErrorRuleRequest {
        name: "odd".into(),
        spec: made.spec.clone(),
        change: None,
    };
    refused(
        operator.error_rule_service().create_error_rule(again).await,
        Code::AlreadyExists,
    );
    let update = |expected_version| wire::UpdateErrorRuleRequest {
        name: "odd".into(),
        expected_version,
        spec: Some(spec(config::FailureClass::Caller)),
        change: None,
        update_mask: None,
    };
    operator
        .error_rule_service()
        .update_error_rule(update(1))
        .await
        .unwrap();
    let stale = operator.error_rule_service().update_error_rule(update(1)).await;
    let said = refused(stale, Code::Aborted);
    assert!(said.contains("error rule \"odd\""), "{said}");
    let listed = operator
        .error_rule_service()
        .list_error_rules(wire::ListErrorRulesRequest::default())
        .await;
    let listed = listed.unwrap().into_inner().error_rules;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].spec, Some(spec(config::FailureClass::Caller)));
    let delete = wire::DeleteErrorRuleRequest {
        name: "odd".into(),
        ..wire::DeleteErrorRuleRequest::default()
    };
    operator
        .error_rule_service()
        .delete_error_rule(delete)
        .await
        .unwrap();
    assert_eq!(get(&operator, "odd").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn g13_a_dry_run_says_which_row_or_rule_decides() {
    let operator = Operator::start().await;
    let before = test(&operator, trial(429, BODY)).await;
    assert_eq!(before.class(), config::FailureClass::RateLimited);
    assert_eq!((before.rule.as_str(), before.row.as_str()), ("", "default"));
    assert_eq!(
        (before.cooling_first_ms, before.cooling_cap_ms),
        (Some(60_000), Some(1_800_000))
    );

    let candidate = wire::TestErrorRuleRequest {
        name: "draft".into(),
        spec: Some(spec(config::FailureClass::Overloaded)),
        ..trial(429, BODY)
    };
    let drafted = test(&operator, candidate).await;
    assert_eq!(
        (drafted.rule.as_str(), drafted.repeat_after_ms),
        ("draft", Some(500))
    );

    let replace = Some(config::Replacement {
        status: Some(503),
        body: Some(config::replacement::Body::Message("Later".into())),
    });
    let rule = config::ErrorRule {
        replace: replace.clone(),
        ..spec(config::FailureClass::Billing)
    };
    create(&operator, "odd", rule).await;
    let after = test(&operator, trial(429, BODY)).await;
    assert_eq!(
        (after.rule.as_str(), after.class()),
        ("odd", config::FailureClass::Billing)
    );
    assert_eq!((after.replace, after.shown), (replace, false));
    let known = test(
        &operator,
        trial(400, r#"{"error":{"code":"context_length_exceeded"}}"#),
    )
    .await;
    assert_eq!(
        (known.row.as_str(), known.class()),
        ("32", config::FailureClass::TooLong)
    );
    assert!(!known.tries_next && known.shown);
}

#[tokio::test]
async fn g13_a_dry_run_reads_headers_and_asks_for_a_provider() {
    let operator = Operator::start().await;
    operator.create_provider("main", None).await;
    let header = |name: &str, value: &str| config::Header {
        name: name.into(),
        value: value.into(),
    };
    let request = wire::TestErrorRuleRequest {
        provider: "main".into(),
        provider_kind: 0,
        headers: vec![header("retry-after", "3600")],
        ..trial(429, "")
    };
    assert!(test(&operator, request).await.until_ms.is_some());
    let nobody = wire::TestErrorRuleRequest {
        provider_kind: 0,
        ..trial(429, "")
    };
    let said = refused(
        operator.error_rule_service().test_error_rule(nobody).await,
        Code::InvalidArgument,
    );
    assert!(said.starts_with("provider: "), "{said}");
    let odd = wire::TestErrorRuleRequest {
        headers: vec![header("a b", "")],
        ..trial(429, "")
    };
    refused(
        operator.error_rule_service().test_error_rule(odd).await,
        Code::InvalidArgument,
    );
    refused(
        operator.error_rule_service().test_error_rule(trial(99, "")).await,
        Code::InvalidArgument,
    );
}

#[tokio::test]
async fn g01_a_rollback_brings_a_rule_back() {
    let operator = Operator::start().await;
    create(&operator, "odd", spec(config::FailureClass::Billing)).await;
    let head = operator.head().await;
    let delete = wire::DeleteErrorRuleRequest {
        name: "odd".into(),
        ..wire::DeleteErrorRuleRequest::default()
    };
    operator
        .error_rule_service()
        .delete_error_rule(delete)
        .await
        .unwrap();
    let back = wire::RollbackRequest {
        to_revision: head,
        ..wire::RollbackRequest::default()
    };
    let done = operator
        .config_service()
        .rollback(back)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(done.changes[0].label, "error rule \"odd\"");
    let restored = get(&operator, "odd").await.unwrap();
    assert_eq!(restored.spec, Some(spec(config::FailureClass::Billing)));
    assert_eq!(restored.version, 3, "versions never fall");
}

#[tokio::test]
async fn g13_a_rule_for_a_provider_that_does_not_exist_is_refused() {
    let operator = Operator::start().await;
    let request = wire::CreateErrorRuleRequest {
        name: "odd".into(),
        spec: Some(config::ErrorRule {
            provider: Some("nope".into()),
            ..spec(config::FailureClass::Billing)
        }),
        change: None,
    };
    let answer = operator.error_rule_service().create_error_rule(request).await;
    let words = refused(answer, Code::InvalidArgument);
    assert!(words.starts_with("spec.provider: "), "{words}");
}
