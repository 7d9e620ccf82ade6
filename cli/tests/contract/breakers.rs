//! `penstock breaker` and `penstock provider reset`.

use super::operator::Operator;

#[tokio::test]
async fn b08_an_operator_opens_a_breaker_sees_it_and_resets_it() {
    let operator = Operator::start().await;
    operator
        .ok("provider create --name main --kind anthropic --base-url http://127.0.0.1:1")
        .await;
    let closed = operator.json("breaker list").await;
    let whole = &closed["items"][0];
    assert_eq!(
        (&whole["provider"], &whole["state"], &whole["model"]),
        (&"main".into(), &"closed".into(), &serde_json::Value::Null)
    );
    assert!(whole["since"].is_null() && whole["until"].is_null());
    let opened = operator
        .json("breaker open main --until 2h --reason maintenance")
        .await;
    assert_eq!(
        (&opened["state"], &opened["why"], &opened["by"]),
        (&"forced_open".into(), &"maintenance".into(), &"admin".into())
    );
    assert!(opened["until"].is_string() && opened["since"].is_string());
    operator.ok("breaker open main --model claude-opus-4-8").await;
    let listed = operator.json("breaker list --provider main").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(operator.ok("breaker list").await.contains("forced_open"));
    let reset = operator.json("provider reset main --reason done").await;
    assert_eq!(reset["cleared"].as_array().unwrap().len(), 2);
    let again = operator.ok("breaker reset main").await;
    assert_eq!(again, "reset provider main; nothing was in force\n");
    let listed = operator.json("breaker list").await;
    assert_eq!(listed["items"][0]["state"], "closed");
}

#[tokio::test]
async fn b08_what_cannot_be_done_is_said() {
    let operator = Operator::start().await;
    let unknown = operator.fails("breaker open nobody", 1).await;
    assert_eq!(unknown, "error: provider \"nobody\" does not exist\n");
    operator.fails("provider reset nobody", 1).await;
    operator
        .ok("provider create --name main --kind anthropic --base-url http://127.0.0.1:1")
        .await;
    let past = operator.fails("breaker open main --until 2020-01-01", 1).await;
    assert!(past.contains("has passed already"), "{past}");
    operator.fails("breaker open", 2).await;
}
