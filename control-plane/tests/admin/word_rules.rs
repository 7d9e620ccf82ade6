//! Word rules: made, changed, refused (behaviour G12).

use super::*;

fn spec(matching: config::WordMatching, texts: &[&str]) -> config::WordRule {
    config::WordRule {
        enabled: true,
        matching: matching.into(),
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn create(name: &str, spec: config::WordRule) -> wire::CreateWordRuleRequest {
    wire::CreateWordRuleRequest {
        name: name.into(),
        spec: Some(spec),
        change: reason("a test"),
    }
}

#[tokio::test]
async fn g12_a_word_rule_is_made_changed_listed_and_deleted() {
    let operator = Operator::start().await;
    let mut service = operator.word_rule_service();
    let first = create("projects", spec(config::WordMatching::Contains, &["bluebird"]));
    let made = service
        .create_word_rule(first.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.word_rule.unwrap().version, 1);
    refused(service.create_word_rule(first).await, Code::AlreadyExists);
    let update = wire::UpdateWordRuleRequest {
        name: "projects".into(),
        expected_version: 1,
        spec: Some(spec(config::WordMatching::Regex, &["blue.*"])),
        change: None,
        update_mask: None,
    };
    service.update_word_rule(update.clone()).await.unwrap();
    assert!(
        service.update_word_rule(update).await.is_err(),
        "it is at version 2 now"
    );
    let request = wire::ListWordRulesRequest { page: None };
    let listed = service.list_word_rules(request).await.unwrap().into_inner();
    assert_eq!(listed.word_rules[0].spec.as_ref().unwrap().texts, ["blue.*"]);
    let delete = wire::DeleteWordRuleRequest {
        name: "projects".into(),
        expected_version: 0,
        change: None,
    };
    service.delete_word_rule(delete).await.unwrap();
    let request = wire::GetWordRuleRequest {
        name: "projects".into(),
    };
    refused(service.get_word_rule(request).await, Code::NotFound);
}

#[tokio::test]
async fn g12_a_word_rule_that_cannot_be_looked_for_is_refused_with_its_place() {
    let operator = Operator::start().await;
    let mut service = operator.word_rule_service();
    for (name, rule, place) in [
        ("a b", spec(config::WordMatching::Exact, &["x"]), "name: "),
        ("a", spec(config::WordMatching::Regex, &["("]), "spec.texts: "),
        (
            "a",
            spec(config::WordMatching::Exact, &["x", ""]),
            "spec.texts[1]: ",
        ),
        (
            "a",
            spec(config::WordMatching::Unspecified, &["x"]),
            "spec.matching: ",
        ),
    ] {
        let words = refused(
            service.create_word_rule(create(name, rule)).await,
            Code::InvalidArgument,
        );
        assert!(words.starts_with(place), "{place}: {words}");
    }
}
