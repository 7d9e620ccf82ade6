//! Error rules, as scripts see them (behaviour G13).

use serde_json::{Value, json};

use super::operator::Operator;

#[tokio::test]
async fn g13_a_rule_is_made_changed_tried_and_deleted() {
    let operator = Operator::start().await;
    let line = "error-rule create --name odd --class billing --status 429 --contains gone --in message --replace-status 503";
    let made = operator.json(line).await;
    let expected = json!({
        "name": "odd", "enabled": true, "priority": 100, "kind": null, "provider": null, "status": 429, "in": "message",
        "contains": "gone", "regex": null, "class": "billing", "replace_status": 503, "replace_message": null,
        "replace_json": null, "version": 1, "refused_by": [],
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    let trial = "error-rule test --kind openai --status 429 --body-file -";
    let body = r#"{"error":{"message":"All money is gone","code":"rate_limit_exceeded"}}"#;
    let judged = operator.pipe(&format!("{trial} -o json"), body).await;
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    assert_eq!((&judged["rule"], &judged["letter"]), (&json!("odd"), &json!("B")));
    operator.ok("error-rule update odd --disabled --priority 7").await;
    let judged = operator.pipe(trial, body).await.stdout;
    assert!(
        judged.contains("rate_limited (R)") && judged.contains("row 42"),
        "{judged}"
    );
    let listed = operator.ok("error-rule list").await;
    assert!(listed.contains("status 429, message has \"gone\""), "{listed}");
    let told = operator.ok("config diff -1").await;
    assert!(
        told.contains("error rule \"odd\"") && told.contains("priority: 100 -> 7"),
        "{told}"
    );
    operator.ok("error-rule delete odd").await;
    let missing = operator.fails("error-rule get odd", 1).await;
    assert!(missing.contains("error rule \"odd\" does not exist"), "{missing}");
}

#[tokio::test]
async fn g13_a_rule_that_cannot_be_taken_says_which_field() {
    let operator = Operator::start().await;
    let said = operator
        .fails("error-rule create --name odd --class billing", 1)
        .await;
    assert!(
        said.contains("spec.pattern: needs a status or a pattern"),
        "{said}"
    );
    let said = operator
        .fails("error-rule create --name odd --class billing --regex (", 1)
        .await;
    assert!(
        said.contains("spec.pattern.text: \"(\" is not a regular expression"),
        "{said}"
    );
    let said = operator
        .fails("error-rule create --name odd --status 429", 2)
        .await;
    assert!(said.contains("--class"), "{said}");
}
